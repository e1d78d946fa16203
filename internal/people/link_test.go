package people_test

import (
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

func TestFirstLinkMakesTheFirstAdmin(t *testing.T) {
	play(t, func(s *scene) {
		path, needed, err := s.accounts.FirstLink(s.Context())
		s.must(err)
		if !needed {
			t.Fatal("no link for an empty hub")
		}
		second, _, err := s.accounts.FirstLink(s.Context()) // another start, or a replica
		s.must(err)
		w, err := s.accounts.Welcome(s.Context(), secretOf(path), home)
		s.must(err)
		if w.Purpose != people.PurposeFirst {
			t.Errorf("good for %s", w.Purpose)
		}
		e, _, err := s.accounts.Accept(s.Context(), secretOf(path), people.Acceptance{Name: "First", Email: "first@example.org", Password: goodPassword}, home)
		s.must(err)
		if !s.inside(e) || !s.reload(e.Person).Holds(access.RoleAdmin) {
			t.Errorf("got %+v", e.Person)
		}
		for _, used := range []string{path, second} {
			_, _, err = s.accounts.Accept(s.Context(), secretOf(used), people.Acceptance{Name: "Second", Email: "second@example.org", Password: goodPassword}, home)
			s.is(err, problem.KindNotFound)
		}
		if _, needed, err := s.accounts.FirstLink(s.Context()); err != nil || needed {
			t.Errorf("another link is made: %v", err)
		}
	})
}

func TestFirstLinkRunsOutAfterADay(t *testing.T) {
	play(t, func(s *scene) {
		path, _, err := s.accounts.FirstLink(s.Context())
		s.must(err)
		<-time.After(people.FirstLinkFor)
		_, err = s.accounts.Welcome(s.Context(), secretOf(path), home)
		s.is(err, problem.KindNotFound)
	})
}

func TestFirstLinkUsedByTwoAtOnceMakesOneAdmin(t *testing.T) {
	play(t, func(s *scene) {
		path, _, err := s.accounts.FirstLink(s.Context())
		s.must(err)
		var wg sync.WaitGroup
		won := make(chan people.Entry, 4)
		for n := range 4 {
			wg.Go(func() {
				name := string(rune('a' + n))
				e, _, err := s.accounts.Accept(s.Context(), secretOf(path), people.Acceptance{Name: name, Email: name + "@example.org", Password: goodPassword}, home)
				if err == nil {
					won <- e
				}
			})
		}
		wg.Wait()
		all, err := s.store.People(s.Context())
		if err != nil || len(won) != 1 || len(all) != 1 {
			t.Errorf("%d came in, %d accounts: %v", len(won), len(all), err)
		}
	})
}

func TestLinkWorksOnceAndTheNewestAlone(t *testing.T) {
	play(t, func(s *scene) {
		p, err := s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "p", Email: "p@example.org"})
		s.must(err)
		old, err := s.accounts.Link(s.Context(), access.Host, p.ID)
		s.must(err)
		path, err := s.accounts.Link(s.Context(), access.Host, p.ID)
		s.must(err)
		_, err = s.accounts.Welcome(s.Context(), secretOf(old), home)
		s.is(err, problem.KindNotFound)
		for range 3 { // mail scanners open links too
			w, err := s.accounts.Welcome(s.Context(), secretOf(path), home)
			s.must(err)
			if w.Purpose != people.PurposeInvite || w.Email != p.Email {
				t.Errorf("got %+v", w)
			}
		}
		_, _, err = s.accounts.Accept(s.Context(), secretOf(path), people.Acceptance{Password: "short"}, home)
		s.is(err, problem.KindInvalid) // and the link is still good
		e, _, err := s.accounts.Accept(s.Context(), secretOf(path), people.Acceptance{Name: "Better name", Password: goodPassword}, home)
		s.must(err)
		if !s.inside(e) || e.Person.Name != "Better name" {
			t.Errorf("got %+v", e.Person)
		}
		_, _, err = s.accounts.Accept(s.Context(), secretOf(path), people.Acceptance{Password: goodPassword}, home)
		s.is(err, problem.KindNotFound)
	})
}

func TestResetLinkEndsWhatTheOldPasswordOpened(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		thief := s.signIn(p, abroad)
		path, err := s.accounts.Link(s.Context(), access.Host, p.ID)
		s.must(err)
		e, _, err := s.accounts.Accept(s.Context(), secretOf(path), people.Acceptance{Name: "not taken", Password: "another long horse"}, home)
		s.must(err)
		if s.inside(thief) || !s.inside(e) || e.Person.Name != "p" {
			t.Error("the old session lives, or the new one does not")
		}
		_, _, err = s.accounts.SignIn(s.Context(), p.Email, goodPassword, home)
		s.is(err, problem.KindUnauthenticated)
	})
}

func TestDisabledPersonHasNoLinks(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		path, err := s.accounts.Link(s.Context(), access.Host, p.ID)
		s.must(err)
		_, err = s.accounts.Disable(s.Context(), access.Host, p.ID)
		s.must(err)
		_, err = s.accounts.Welcome(s.Context(), secretOf(path), home)
		s.is(err, problem.KindNotFound)
		_, err = s.accounts.Link(s.Context(), access.Host, p.ID)
		s.is(err, problem.KindConflict)
	})
}

func TestGuessingLinksIsSlowedDown(t *testing.T) {
	play(t, func(s *scene) {
		for range 21 {
			_, err := s.accounts.Welcome(s.Context(), "AAAAAAAAAAAAAAAAAAAAAAAAAA", abroad)
			s.is(err, problem.KindNotFound)
		}
		_, err := s.accounts.Welcome(s.Context(), "AAAAAAAAAAAAAAAAAAAAAAAAAB", abroad)
		s.is(err, problem.KindTooMany)
		// A good link opens from there all the same.
		path, _, err := s.accounts.FirstLink(s.Context())
		s.must(err)
		_, err = s.accounts.Welcome(s.Context(), secretOf(path), abroad)
		s.must(err)
	})
}
