package people_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

func contextWithCancel(s *scene) (context.Context, context.CancelFunc) {
	return context.WithCancel(s.Context())
}

func TestSignInWithPassword(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p", access.RoleViewer)
		e, pending, err := s.accounts.SignIn(s.Context(), " P@Example.org ", goodPassword, home)
		s.must(err)
		if pending != "" || e.Session.Way != people.WayPassword || e.Session.Agent != home.Agent || len(e.Secret) != 26 {
			t.Errorf("got %+v, %q", e, pending)
		}
		who, session, err := s.accounts.Session(s.Context(), e.Secret)
		s.must(err)
		if who.ID != p.ID || session.ID != e.Session.ID {
			t.Errorf("the cookie is of %s", who.ID)
		}
		if id, ok := people.PersonOf(who.Actor()); !ok || id != p.ID {
			t.Errorf("acts as %+v", who.Actor())
		}
	})
}

// What is wrong is never told: an unknown address, a wrong password, a disabled
// account and one without a password get the same words.
func TestSignInRefusesWithTheSameWords(t *testing.T) {
	play(t, func(s *scene) {
		s.person("good")
		off := s.person("off")
		_, err := s.accounts.Disable(s.Context(), access.Host, off.ID)
		s.must(err)
		_, err = s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "n", Email: "nopassword@example.org"})
		s.must(err)
		words := map[string]bool{}
		for _, try := range [][2]string{
			{"nobody@example.org", goodPassword}, {"good@example.org", "wrong horse battery"}, {"off@example.org", goodPassword},
			{"nopassword@example.org", ""}, {"good@example.org", ""}, {"", ""},
		} {
			_, pending, err := s.accounts.SignIn(s.Context(), try[0], try[1], home)
			s.is(err, problem.KindUnauthenticated)
			words[problem.Public(err)] = true
			if pending != "" {
				t.Errorf("%v goes on", try)
			}
		}
		if len(words) != 1 {
			t.Errorf("told apart: %v", words)
		}
	})
}

// Session fixation: the secret is always a new one, and nothing a browser
// brings along becomes a session.
func TestSignInAlwaysMakesANewSecret(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		first, second := s.signIn(p, home), s.signIn(p, home)
		if first.Secret == second.Secret || first.Session.ID == second.Session.ID {
			t.Error("two sign-ins share a session")
		}
		for _, planted := range []string{"", "AAAAAAAAAAAAAAAAAAAAAAAAAA", first.Session.ID, string(first.Session.Hash), first.Secret + "A", first.Secret[:25]} {
			_, _, err := s.accounts.Session(s.Context(), planted)
			s.is(err, problem.KindUnauthenticated)
		}
	})
}

func TestNewPasswordAndSecondFactorChangeTheSecret(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		other, e := s.signIn(p, abroad), s.signIn(p, home)
		next, err := s.accounts.ChangePassword(s.Context(), e.Person, e.Session, goodPassword, "another long horse", home)
		s.must(err)
		if s.inside(e) || s.inside(other) || !s.inside(next) || next.Session.ID != e.Session.ID {
			t.Error("after a new password: the old secrets must be dead and the new one alive")
		}
		offer, err := s.accounts.OfferTOTP(next.Person)
		s.must(err)
		last, codes, err := s.accounts.ConfirmTOTP(s.Context(), next.Person, next.Session, offer.Sealed, s.code(offer))
		s.must(err)
		if s.inside(next) || !s.inside(last) || len(codes) != people.RecoveryCodes {
			t.Error("after a second factor: the old secret must be dead and the new one alive")
		}
		_, err = s.accounts.ChangePassword(s.Context(), last.Person, last.Session, goodPassword, "yet another horse", home)
		s.is(err, problem.KindInvalid)
	})
}

func TestPasswordThatIsGuessedSoonIsRefused(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("longlocalpart")
		e := s.signIn(p, home)
		for _, bad := range []string{
			"", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "Password123456!", "passwordpassword", "qwertyqwerty123", "longlocalpart2026", "longlocalpart@example.org",
			"not text \xff\xfe at all", string(make([]byte, 300)),
		} {
			if _, err := s.accounts.ChangePassword(s.Context(), e.Person, e.Session, goodPassword, bad, home); problem.KindOf(err) != problem.KindInvalid {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}

// A stranger who fails is slowed down; waiting is enough to try again.
func TestFailuresSlowAStrangerDown(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		for n := range 6 { // five free, and the one that starts the delay
			_, _, err := s.accounts.SignIn(s.Context(), p.Email, "wrong horse battery", abroad)
			if problem.KindOf(err) != problem.KindUnauthenticated {
				t.Fatalf("try %d: %v", n, err)
			}
		}
		_, _, err := s.accounts.SignIn(s.Context(), p.Email, goodPassword, abroad)
		s.is(err, problem.KindTooMany)
		wait, ok := errors.AsType[*people.Wait](err)
		if !ok || wait.For <= 0 || wait.For > time.Second {
			t.Fatalf("wait %v", wait)
		}
		// Elsewhere it still works at once: only the guesser waits.
		s.signIn(p, home)
		<-time.After(wait.For)
		s.signIn(p, abroad)
		if got := s.refusals(people.ReasonThrottled); len(got) == 0 {
			t.Error("the refusal is not in the journal")
		}
	})
}

// Many attempts at once count before they are known to fail.
func TestFailuresAtOnceAreCounted(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		tried := 0
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					_, _, err := s.accounts.SignIn(s.Context(), p.Email, "wrong horse battery", abroad)
					mu.Lock()
					if problem.KindOf(err) == problem.KindUnauthenticated {
						tried++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if tried > 6 {
			t.Errorf("%d passwords were tried without waiting", tried)
		}
	})
}

// Nobody can be locked out by somebody who fails on purpose: a browser that was
// used before has a count of its own, whatever happens elsewhere.
func TestAttackerCannotLockAPersonOut(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		known := s.signIn(p, home)
		for n := range 60 { // from everywhere, so that the account itself is slowed down
			from := people.Caller{Network: "203.0.113." + string(rune('0'+n%10)) + string(rune('0'+n/10))}
			if _, _, err := s.accounts.SignIn(s.Context(), p.Email, "wrong horse battery", from); err == nil {
				t.Fatal("a wrong password is right")
			}
		}
		_, _, err := s.accounts.SignIn(s.Context(), p.Email, goodPassword, people.Caller{Network: "192.0.2.99"})
		s.is(err, problem.KindTooMany)
		again := home
		again.Known = known.Known
		s.signIn(p, again)
		// And a stranger to the hub waits half a minute at most.
		<-time.After(30 * time.Second)
		s.signIn(p, people.Caller{Network: "192.0.2.99"})
	})
}

func TestMarkOfAnotherPersonIsNoMark(t *testing.T) {
	play(t, func(s *scene) {
		p, other := s.person("p"), s.person("other")
		mark := s.signIn(other, home).Known
		for n := range 12 {
			_, _, err := s.accounts.SignIn(s.Context(), p.Email, "wrong horse battery", people.Caller{Network: abroad.Network, Known: mark})
			if n > 6 && problem.KindOf(err) != problem.KindTooMany {
				t.Errorf("try %d: %v", n, err)
			}
		}
	})
}

// A storm of sign-ins hashes one password at a time and turns the rest away.
func TestStormOfSignInsIsBounded(t *testing.T) {
	play(t, func(s *scene) {
		s.person("p")
		s.accounts.HashDearly()
		var wg sync.WaitGroup
		var mu sync.Mutex
		kinds := map[problem.Kind]int{}
		for n := range 200 {
			wg.Go(func() {
				from := people.Caller{Network: "203.0.113." + string(rune('0'+n/20)) + string(rune('0'+n%20))}
				_, _, err := s.accounts.SignIn(s.Context(), "p@example.org", "wrong horse battery", from)
				mu.Lock()
				kinds[problem.KindOf(err)]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if kinds[problem.KindTooMany] < 100 || kinds[problem.KindUnauthenticated] == 0 || len(kinds) != 2 {
			t.Errorf("got %v", kinds)
		}
	})
}

func TestSessionRunsOut(t *testing.T) {
	play(t, func(s *scene) {
		s.accounts.Configure(people.Settings{Session: 10 * time.Hour, Idle: time.Hour})
		p := s.person("p")
		idle, busy := s.signIn(p, home), s.signIn(p, home)
		for range 13 {
			<-time.After(45 * time.Minute)
			s.inside(busy)
		}
		if s.inside(idle) {
			t.Error("an idle session lives")
		}
		if !s.inside(busy) {
			t.Error("a busy session ended before its time")
		}
		<-time.After(20 * time.Minute)
		if s.inside(busy) {
			t.Error("a session outlives its end")
		}
	})
}

func TestSessionIsRevokedAtOnceHereAndSoonElsewhere(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p", access.RoleViewer)
		elsewhere := people.NewAccounts(s.deps, s.refused) // another process on the same record
		e, mine := s.signIn(p, abroad), s.signIn(p, home)
		if _, _, err := elsewhere.Session(s.Context(), e.Secret); err != nil {
			t.Fatal(err)
		}
		s.must(s.accounts.EndSession(s.Context(), p.Actor(), e.Session.ID))
		if s.inside(e) || !s.inside(mine) {
			t.Error("the revoked session lives, or another one died")
		}
		<-time.After(5 * time.Second)
		_, _, err := elsewhere.Session(s.Context(), e.Secret)
		s.is(err, problem.KindUnauthenticated)
		s.is(s.accounts.EndSession(s.Context(), p.Actor(), e.Session.ID), problem.KindNotFound)
	})
}

// IDOR: the sessions of others are not one's own.
func TestSessionsOfOthersAreNotShown(t *testing.T) {
	play(t, func(s *scene) {
		p, other := s.person("p", access.RoleOperator), s.person("other")
		e := s.signIn(other, home)
		_, err := s.accounts.Sessions(s.Context(), p.Actor(), other.ID)
		s.is(err, problem.KindForbidden)
		_, err = s.accounts.Sessions(s.Context(), p.Actor(), "")
		s.is(err, problem.KindForbidden)
		s.is(s.accounts.EndSession(s.Context(), p.Actor(), e.Session.ID), problem.KindNotFound)
		admin := s.person("admin", access.RoleAdmin)
		all, err := s.accounts.Sessions(s.Context(), admin.Actor(), other.ID)
		if err != nil || len(all) != 1 {
			t.Errorf("an admin sees %v, %v", all, err)
		}
		s.must(s.accounts.EndSession(s.Context(), admin.Actor(), e.Session.ID))
	})
}

func TestSessionsOfOnePersonAreBounded(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		first := s.signIn(p, home)
		for range people.MaxSessions {
			<-time.After(time.Second)
			s.signIn(p, home)
		}
		all, err := s.store.Sessions(s.Context(), p.ID)
		if err != nil || len(all) != people.MaxSessions {
			t.Errorf("%d sessions, %v", len(all), err)
		}
		if s.inside(first) {
			t.Error("the session unseen longest should have gone")
		}
	})
}

func TestEndOthersKeepsThisOne(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		a, b := s.signIn(p, home), s.signIn(p, abroad)
		s.must(s.accounts.EndOthers(s.Context(), b.Person, b.Session))
		if s.inside(a) || !s.inside(b) {
			t.Error("the wrong one ended")
		}
	})
}

func TestConfirmGivesANewSecretAndStrength(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		e := s.signIn(p, home)
		<-time.After(people.StrongFor)
		if s.accounts.Strong(e.Session) {
			t.Error("strong for ever")
		}
		_, err := s.accounts.Confirm(s.Context(), e.Person, e.Session, "wrong horse battery", "", home)
		s.is(err, problem.KindInvalid)
		next, err := s.accounts.Confirm(s.Context(), e.Person, e.Session, goodPassword, "", home)
		s.must(err)
		if !s.accounts.Strong(next.Session) || s.inside(e) || !s.inside(next) {
			t.Error("confirming should make the session strong under a new secret")
		}
	})
}

func TestDemoSignInWorksInTheDemoAlone(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p", access.RoleViewer)
		_, err := s.accounts.SignInDemo(s.Context(), p.ID, home)
		s.is(err, problem.KindForbidden)
		deps := s.deps
		deps.Demo = true
		e, err := people.NewAccounts(deps, s.refused).SignInDemo(s.Context(), p.ID, home)
		s.must(err)
		if e.Session.Way != people.WayDemo || !s.inside(e) {
			t.Errorf("got %+v", e)
		}
	})
}

// The record cannot be written: who is in may still read.
func TestSessionHoldsWhileNothingCanBeWritten(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		e := s.signIn(p, home)
		<-time.After(10 * time.Minute)
		s.store.SetAway(errors.New("cable"))
		defer s.store.SetAway(nil)
		if !s.inside(e) {
			t.Error("turned away because a sighting could not be noted")
		}
	})
}
