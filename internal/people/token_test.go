package people_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

// token makes a token.
func (s *scene) token(d people.TokenDraft) string {
	s.Helper()
	if d.Name == "" {
		d.Name = "build server"
	}
	secret, _, err := s.tokens.Make(s.Context(), access.Host, d)
	s.must(err)
	return secret
}

func TestTokenActsAsAMachineWithinItsScopes(t *testing.T) {
	play(t, func(s *scene) {
		secret := s.token(people.TokenDraft{Role: access.RoleOperator, Scopes: []string{"incident", "component.read"}})
		a, err := s.tokens.Actor(s.Context(), secret)
		s.must(err)
		if _, isPerson := people.PersonOf(a); isPerson || !strings.HasPrefix(a.ID, "token/") {
			t.Errorf("acts as %s", a.ID)
		}
		for act, may := range map[access.Action]bool{
			access.IncidentRead: true, access.IncidentUpdate: true, access.ComponentRead: true,
			access.MonitorRead: false, access.ComponentEdit: false, access.PersonEdit: false, access.SetupApply: false,
		} {
			if a.May(act) != may {
				t.Errorf("%s: %v", act, !may)
			}
		}
		if viewer := s.token(people.TokenDraft{Role: access.RoleViewer, Scopes: []string{"*"}}); viewer != "" {
			a, err := s.tokens.Actor(s.Context(), viewer)
			s.must(err)
			if a.May(access.IncidentUpdate) || !a.May(access.IncidentRead) {
				t.Error("scopes gave more than the role")
			}
		}
	})
}

// Wide scopes never hold the rights to give rights away.
func TestTokenGivesRightsAwayByNameAlone(t *testing.T) {
	play(t, func(s *scene) {
		for _, scopes := range [][]string{{"*"}, {"write"}, {"person"}, {"token", "hook"}, {"read", "write"}} {
			a, err := s.tokens.Actor(s.Context(), s.token(people.TokenDraft{Role: access.RoleAdmin, Scopes: scopes}))
			s.must(err)
			if a.May(access.PersonEdit) || a.May(access.TokenEdit) || a.May(access.HookEdit) {
				t.Errorf("%v gives rights away", scopes)
			}
		}
		a, err := s.tokens.Actor(s.Context(), s.token(people.TokenDraft{Role: access.RoleAdmin, Scopes: []string{"person.edit"}}))
		s.must(err)
		if !a.May(access.PersonEdit) || a.May(access.TokenEdit) {
			t.Error("the named right is not there")
		}
	})
}

func TestScopesReadAndWrite(t *testing.T) {
	play(t, func(s *scene) {
		read, err := s.tokens.Actor(s.Context(), s.token(people.TokenDraft{Role: access.RoleOperator, Scopes: []string{"read"}}))
		s.must(err)
		write, err := s.tokens.Actor(s.Context(), s.token(people.TokenDraft{Role: access.RoleOperator, Scopes: []string{"write"}}))
		s.must(err)
		for act, roles := range access.Actions() {
			if !slices.Contains(roles, access.RoleOperator) {
				continue
			}
			reads := strings.HasSuffix(string(act), ".read")
			if read.May(act) != reads || write.May(act) == reads {
				t.Errorf("%s: read %v, write %v", act, read.May(act), write.May(act))
			}
		}
	})
}

func TestTokenIsKeptAsAHashAndToldOnce(t *testing.T) {
	play(t, func(s *scene) {
		secret := s.token(people.TokenDraft{Role: access.RoleMachine, Scopes: []string{"read"}})
		all, err := s.tokens.List(s.Context(), access.Host)
		s.must(err)
		if len(all) != 1 || strings.Contains(string(all[0].Hash), secret[3:]) || !strings.HasPrefix(secret, people.TokenPrefix) {
			t.Errorf("kept %+v", all)
		}
		for _, e := range s.entries() {
			for _, v := range e.Payload {
				if strings.Contains(v, secret[3:]) {
					t.Errorf("%s tells the secret", e.Verb)
				}
			}
		}
	})
}

func TestTokenRunsOutAndIsRevoked(t *testing.T) {
	play(t, func(s *scene) {
		short := s.token(people.TokenDraft{Role: access.RoleMachine, Scopes: []string{"*"}, TTL: time.Hour})
		long := s.token(people.TokenDraft{Role: access.RoleMachine, Scopes: []string{"*"}})
		for _, secret := range []string{short, long} {
			_, err := s.tokens.Actor(s.Context(), secret)
			s.must(err)
		}
		<-time.After(time.Hour)
		_, err := s.tokens.Actor(s.Context(), short)
		s.is(err, problem.KindUnauthenticated)
		a, err := s.tokens.Actor(s.Context(), long)
		s.must(err)
		id := strings.TrimPrefix(a.ID, "token/")
		elsewhere := people.NewTokens(s.deps, s.refused)
		_, err = elsewhere.Actor(s.Context(), long)
		s.must(err)
		s.must(s.tokens.Revoke(s.Context(), access.Host, id))
		_, err = s.tokens.Actor(s.Context(), long)
		s.is(err, problem.KindUnauthenticated)
		<-time.After(5 * time.Second)
		_, err = elsewhere.Actor(s.Context(), long)
		s.is(err, problem.KindUnauthenticated)
		s.is(s.tokens.Revoke(s.Context(), access.Host, id), problem.KindConflict)
		s.is(s.tokens.Revoke(s.Context(), access.Host, "nothing"), problem.KindNotFound)
		s.want(s.verbs("token", id), []string{"token.made", "token.revoked"})
	})
}

func TestWhatIsNoTokenIsRefusedWithoutAQuestion(t *testing.T) {
	play(t, func(s *scene) {
		good := s.token(people.TokenDraft{Role: access.RoleMachine, Scopes: []string{"*"}})
		s.store.SetAway(errCable) // nothing below may need the record
		for _, bad := range []string{"", "ek_", "ek_x", good[:len(good)-1], good[3:], good + "A", strings.ToLower(good), "ek_" + strings.Repeat("A", 33), strings.Repeat("x", 10_000)} {
			_, err := s.tokens.Actor(s.Context(), bad)
			if problem.KindOf(err) != problem.KindUnauthenticated {
				t.Errorf("%.40q: %v", bad, err)
			}
		}
		s.store.SetAway(nil)
		if s.refusals(people.ReasonToken) == nil {
			<-time.After(2 * time.Minute)
			if s.refusals(people.ReasonToken) == nil {
				t.Error("no refusal is in the journal")
			}
		}
	})
}

// A machine is never a person: its token opens no session, and a session is no
// token (S4-09).
func TestMachinesAreNotPeople(t *testing.T) {
	play(t, func(s *scene) {
		secret := s.token(people.TokenDraft{Role: access.RoleMachine, Scopes: []string{"*"}})
		_, _, err := s.accounts.Session(s.Context(), secret)
		s.is(err, problem.KindUnauthenticated)
		_, _, err = s.accounts.SignIn(s.Context(), "build server", secret, home)
		s.is(err, problem.KindUnauthenticated)
		p := s.person("p", access.RoleViewer)
		e := s.signIn(p, home)
		_, err = s.tokens.Actor(s.Context(), e.Secret)
		s.is(err, problem.KindUnauthenticated)
		if e.Person.Actor().May(access.StatusObserve) {
			t.Error("a person does what only machines do")
		}
		_, err = s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "m", Email: "m@example.org", Grants: []access.Grant{{Role: access.RoleMachine}}})
		s.is(err, problem.KindInvalid)
	})
}

func TestTokenDraftIsChecked(t *testing.T) {
	play(t, func(s *scene) {
		good := people.TokenDraft{Name: "x", Role: access.RoleMachine, Scopes: []string{"read"}}
		for what, change := range map[string]func(*people.TokenDraft){
			"name":       func(d *people.TokenDraft) { d.Name = " " },
			"role":       func(d *people.TokenDraft) { d.Role = access.RoleHost },
			"no role":    func(d *people.TokenDraft) { d.Role = "" },
			"scope":      func(d *people.TokenDraft) { d.Scopes = []string{"reed"} },
			"no scope":   func(d *people.TokenDraft) { d.Scopes = []string{" "} },
			"past":       func(d *people.TokenDraft) { d.TTL = -time.Hour },
			"many scope": func(d *people.TokenDraft) { d.Scopes = people.Scopes() },
		} {
			d := good
			change(&d)
			_, _, err := s.tokens.Make(s.Context(), access.Host, d)
			if problem.KindOf(err) != problem.KindInvalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		p := s.person("p", access.RoleOperator)
		_, _, err := s.tokens.Make(s.Context(), p.Actor(), good)
		s.is(err, problem.KindForbidden)
	})
}

func FuzzTokenActor(f *testing.F) {
	f.Add("ek_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("")
	f.Fuzz(func(t *testing.T, bearer string) {
		play(t, func(s *scene) {
			if _, err := s.tokens.Actor(s.Context(), bearer); problem.KindOf(err) != problem.KindUnauthenticated {
				t.Errorf("%q: %v", bearer, err)
			}
		})
	})
}
