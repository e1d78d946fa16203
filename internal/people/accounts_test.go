package people_test

import (
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

func TestPersonIsAddedChangedAndDisabled(t *testing.T) {
	play(t, func(s *scene) {
		p, err := s.accounts.Add(s.Context(), access.Host, people.Draft{
			Name: " Support ", Email: " Support@Example.ORG ", Zone: "Europe/Vienna",
			Grants: []access.Grant{{Role: access.RoleViewer}, {Role: access.RoleSupport}, {Role: access.RoleViewer}},
		})
		s.must(err)
		if p.Name != "Support" || p.Email != "support@example.org" || len(p.Grants) != 2 || p.Grants[0].Role != access.RoleViewer {
			t.Errorf("kept %+v", p)
		}
		p, err = s.accounts.Change(s.Context(), access.Host, p.ID, p.Version, people.Draft{Name: "Desk", Email: p.Email, Grants: p.Grants})
		s.must(err)
		_, err = s.accounts.Change(s.Context(), access.Host, p.ID, p.Version-1, people.Draft{Name: "Late", Email: p.Email})
		s.is(err, problem.KindConflict)
		if _, err := s.accounts.Disable(s.Context(), access.Host, p.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.accounts.Enable(s.Context(), access.Host, p.ID); err != nil {
			t.Fatal(err)
		}
		s.want(s.verbs("person", p.ID), []string{"person.added", "person.changed", "person.disabled", "person.changed"})
	})
}

func TestPersonDraftSaysAllThatIsWrong(t *testing.T) {
	play(t, func(s *scene) {
		_, err := s.accounts.Add(s.Context(), access.Host, people.Draft{
			Name: "two\nlines", Email: "nobody", Zone: "Mars/Base", Grants: []access.Grant{{Role: access.RoleMachine}},
		})
		s.is(err, problem.KindInvalid)
		for _, field := range []string{"name:", "email:", "zone:", "grants:"} {
			if !strings.Contains(err.Error(), field) {
				t.Errorf("%q does not name %s", err, field)
			}
		}
		for _, email := range []string{"", "a b@example.org", "A <a@example.org>", "a@", "@example.org", strings.Repeat("x", 250) + "@example.org", "a\u202e@example.org"} {
			_, err := s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "x", Email: email})
			if problem.KindOf(err) != problem.KindInvalid {
				t.Errorf("%q is taken: %v", email, err)
			}
		}
		for _, scope := range []access.Scope{{Kind: "planet", ID: "x"}, {Kind: "component"}, {Kind: "component", ID: "a b"}, {ID: "x"}} {
			_, err := s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "x", Email: "x@example.org", Grants: []access.Grant{{Role: access.RoleViewer, Scope: scope}}})
			if problem.KindOf(err) != problem.KindInvalid {
				t.Errorf("%+v is taken: %v", scope, err)
			}
		}
	})
}

func TestAddressBelongsToOnePerson(t *testing.T) {
	play(t, func(s *scene) {
		a, b := s.person("a"), s.person("b")
		_, err := s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "x", Email: strings.ToUpper(a.Email)})
		s.is(err, problem.KindConflict)
		_, err = s.accounts.Change(s.Context(), access.Host, b.ID, b.Version, people.Draft{Name: "b", Email: a.Email})
		s.is(err, problem.KindConflict)
	})
}

func TestLastAdminStays(t *testing.T) {
	play(t, func(s *scene) {
		only := s.person("only", access.RoleAdmin)
		viewer := people.Draft{Name: only.Name, Email: only.Email, Grants: []access.Grant{{Role: access.RoleViewer}}}
		_, err := s.accounts.Change(s.Context(), access.Host, only.ID, only.Version, viewer)
		s.is(err, problem.KindConflict)
		_, err = s.accounts.Disable(s.Context(), access.Host, only.ID)
		s.is(err, problem.KindConflict)
		s.is(s.accounts.Erase(s.Context(), access.Host, only.ID), problem.KindConflict)

		s.person("second", access.RoleAdmin)
		_, err = s.accounts.Change(s.Context(), access.Host, only.ID, only.Version, viewer)
		s.must(err)
	})
}

// A narrowed admin is none: rights over people are rights everywhere.
func TestScopedAdminMayNotEditPeople(t *testing.T) {
	play(t, func(s *scene) {
		s.person("admin", access.RoleAdmin)
		p, err := s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "x", Email: "x@example.org", Grants: []access.Grant{
			{Role: access.RoleAdmin, Scope: access.Scope{Kind: "component", ID: "shop"}}}})
		s.must(err)
		_, err = s.accounts.Add(s.Context(), p.Actor(), people.Draft{Name: "y", Email: "y@example.org"})
		s.is(err, problem.KindForbidden)
	})
}

func TestOnlyAdminsEditPeople(t *testing.T) {
	play(t, func(s *scene) {
		target := s.person("target", access.RoleViewer)
		for _, role := range access.People() {
			by := people.Person{ID: "x", Grants: []access.Grant{{Role: role}}}.Actor()
			may := role == access.RoleAdmin
			for what, err := range map[string]error{
				"add":     second(s.accounts.Add(s.Context(), by, people.Draft{})),
				"change":  second(s.accounts.Change(s.Context(), by, target.ID, 99, people.Draft{})),
				"link":    second(s.accounts.Link(s.Context(), by, target.ID)),
				"disable": second(s.accounts.Disable(s.Context(), by, "nobody")),
				"enable":  second(s.accounts.Enable(s.Context(), by, "nobody")),
				"erase":   s.accounts.Erase(s.Context(), by, "nobody"),
				"factor":  s.accounts.DropSecondFactor(s.Context(), by, "nobody"),
			} {
				if forbidden := problem.KindOf(err) == problem.KindForbidden; forbidden == may {
					t.Errorf("%s, %s: %v", role, what, err)
				}
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// Erasure: the row loses everything personal, the journal keeps its chain and
// never held any of it.
func TestErasedPersonLeavesAnIDAndAChain(t *testing.T) {
	play(t, func(s *scene) {
		s.person("admin", access.RoleAdmin)
		p := s.person("somebody", access.RoleViewer)
		e := s.signIn(p, home)
		link, err := s.accounts.Link(s.Context(), access.Host, p.ID)
		s.must(err)
		s.must(s.accounts.Erase(s.Context(), access.Host, p.ID))

		if s.inside(e) {
			t.Error("the session outlives the person")
		}
		_, err = s.accounts.Welcome(s.Context(), secretOf(link), home)
		s.is(err, problem.KindNotFound)
		_, _, err = s.accounts.SignIn(s.Context(), p.Email, goodPassword, home)
		s.is(err, problem.KindUnauthenticated)

		left := s.reload(p)
		if left.Name+left.Email+left.PasswordHash+left.Subject+left.Zone != "" || left.TOTP != nil || left.Recovery != nil || left.Grants != nil || left.ErasedAt.IsZero() {
			t.Errorf("left %+v", left)
		}
		for _, entry := range s.entries() {
			for k, v := range entry.Payload {
				if strings.Contains(v, "somebody") || strings.Contains(v, "example") {
					t.Errorf("%s tells %s=%s", entry.Verb, k, v)
				}
			}
		}
		if verbs := s.verbs("person", p.ID); verbs[len(verbs)-1] != "person.erased" {
			t.Errorf("verbs %v", verbs)
		}
		s.is(s.accounts.Erase(s.Context(), access.Host, p.ID), problem.KindNotFound)
		// The address is free again, for somebody who is not the same.
		_, err = s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "new", Email: p.Email})
		s.must(err)
	})
}

func TestNewGrantsEndSessions(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p", access.RoleViewer)
		e := s.signIn(p, home)
		p = s.reload(p)
		p, err := s.accounts.Change(s.Context(), access.Host, p.ID, p.Version, people.Draft{Name: "new name", Email: p.Email, Grants: p.Grants})
		s.must(err)
		if !s.inside(e) {
			t.Error("a new name ended the session")
		}
		_, err = s.accounts.Change(s.Context(), access.Host, p.ID, p.Version, people.Draft{Name: p.Name, Email: p.Email, Grants: []access.Grant{{Role: access.RoleOperator}}})
		s.must(err)
		if s.inside(e) {
			t.Error("the session took the new rights over")
		}
		s.want(s.verbs("session", e.Session.ID), []string{"session.revoked"})
	})
}

func TestUpkeepRemovesWhatIsOver(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		s.signIn(p, home)
		<-time.After(people.DefaultSession + 48*time.Hour)
		done := make(chan error)
		ctx, stop := contextWithCancel(s)
		go func() { done <- s.accounts.Run(ctx) }()
		<-time.After(time.Minute)
		stop()
		s.must(<-done)
		left, err := s.store.Sessions(s.Context(), "")
		if err != nil || len(left) != 0 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}

func TestNamesAreThoseOfNow(t *testing.T) {
	play(t, func(s *scene) {
		s.person("admin", access.RoleAdmin)
		p := s.person("before")
		name := func() string { return s.accounts.NameOf(s.Context(), "person/"+p.ID) }
		if name() != "before" || s.accounts.NameOf(s.Context(), "hub") != "" || s.accounts.NameOf(s.Context(), "person/nobody") != "" {
			t.Errorf("named %q", name())
		}
		elsewhere := people.NewAccounts(s.deps, s.refused)
		if elsewhere.NameOf(s.Context(), "person/"+p.ID) != "before" {
			t.Error("another process does not know the name")
		}
		_, err := s.accounts.Change(s.Context(), access.Host, p.ID, p.Version, people.Draft{Name: "after", Email: p.Email})
		s.must(err)
		if name() != "after" {
			t.Errorf("named %q after the change", name())
		}
		s.must(s.accounts.Erase(s.Context(), access.Host, p.ID))
		if name() != "" {
			t.Errorf("named %q after the erasure", name())
		}
		<-time.After(5 * time.Second)
		if got := elsewhere.NameOf(s.Context(), "person/"+p.ID); got != "" {
			t.Errorf("another process still says %q", got)
		}
	})
}
