package people_test

import (
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

func identity(email string, claims ...string) people.Identity {
	return people.Identity{Issuer: "https://id.example.org", Subject: "s-" + email, Email: email, Verified: true, Name: "Name of " + email, Claims: claims}
}

var mapping = people.Settings{Roles: map[string][]access.Role{"ops": {access.RoleOperator, access.RoleSRE}, "boss": {access.RoleAdmin}}}

func TestIdentityWithARoleGetsAnAccount(t *testing.T) {
	play(t, func(s *scene) {
		s.accounts.Configure(mapping)
		e, err := s.accounts.SignInOIDC(s.Context(), identity("New@example.org", "ops", "unknown"), home)
		s.must(err)
		if !s.inside(e) || e.Session.Way != people.WayOIDC || e.Person.Email != "new@example.org" || !e.Person.Holds(access.RoleSRE) {
			t.Errorf("got %+v", e.Person)
		}
		again, err := s.accounts.SignInOIDC(s.Context(), identity("New@example.org", "ops"), home)
		s.must(err)
		if again.Person.ID != e.Person.ID || !s.inside(e) {
			t.Error("the second sign-in made another account or ended the first session")
		}
	})
}

func TestIdentityWithoutARoleIsRefused(t *testing.T) {
	play(t, func(s *scene) {
		s.accounts.Configure(mapping)
		for _, i := range []people.Identity{identity("a@example.org"), identity("a@example.org", "guests")} {
			_, err := s.accounts.SignInOIDC(s.Context(), i, home)
			s.is(err, problem.KindForbidden)
		}
		unverified := identity("a@example.org", "ops")
		unverified.Verified = false
		_, err := s.accounts.SignInOIDC(s.Context(), unverified, home)
		s.is(err, problem.KindForbidden)
		if all, _ := s.store.People(s.Context()); len(all) != 0 {
			t.Errorf("accounts were made: %v", all)
		}
		if len(s.refusals(people.ReasonNoRole)) == 0 || len(s.refusals(people.ReasonAddress)) == 0 {
			t.Error("the refusals are not in the journal")
		}
	})
}

// An address alone takes over no account: only one that was invited and never
// signed in is tied to an identity by it.
func TestIdentityDoesNotTakeOverAnAccount(t *testing.T) {
	play(t, func(s *scene) {
		s.accounts.Configure(mapping)
		p := s.person("p", access.RoleAdmin)
		_, err := s.accounts.SignInOIDC(s.Context(), identity(p.Email, "ops"), home)
		s.is(err, problem.KindForbidden)

		invited, err := s.accounts.Add(s.Context(), access.Host, people.Draft{Name: "i", Email: "i@example.org", Grants: []access.Grant{{Role: access.RoleViewer}}})
		s.must(err)
		e, err := s.accounts.SignInOIDC(s.Context(), identity("i@example.org", "ops"), home)
		s.must(err)
		if e.Person.ID != invited.ID {
			t.Error("the invited account was not found")
		}
		other := identity("i@example.org", "ops")
		other.Subject = "somebody else at the provider"
		_, err = s.accounts.SignInOIDC(s.Context(), other, home)
		s.is(err, problem.KindForbidden)
	})
}

func TestAccountIsConnectedWhileSignedIn(t *testing.T) {
	play(t, func(s *scene) {
		p, q := s.person("p", access.RoleViewer), s.person("q", access.RoleViewer)
		e, f := s.signIn(p, home), s.signIn(q, home)
		next, err := s.accounts.Connect(s.Context(), e.Person, e.Session, identity("whatever@example.net"))
		s.must(err)
		if s.inside(e) || !s.inside(next) {
			t.Error("the secret did not change")
		}
		_, err = s.accounts.Connect(s.Context(), f.Person, f.Session, identity("whatever@example.net"))
		s.is(err, problem.KindConflict)
		came, err := s.accounts.SignInOIDC(s.Context(), identity("whatever@example.net"), home)
		s.must(err)
		if came.Person.ID != p.ID || !came.Person.Holds(access.RoleViewer) {
			t.Errorf("came in as %+v", came.Person)
		}
	})
}

// Roles follow the claims; what was narrowed to a scope here stays.
func TestMappedRolesFollowTheClaims(t *testing.T) {
	play(t, func(s *scene) {
		s.person("admin", access.RoleAdmin)
		s.accounts.Configure(mapping)
		e, err := s.accounts.SignInOIDC(s.Context(), identity("a@example.org", "boss"), home)
		s.must(err)
		p := s.reload(e.Person)
		scoped := access.Grant{Role: access.RoleModuleLead, Scope: access.Scope{Kind: "component", ID: "shop"}}
		_, err = s.accounts.Change(s.Context(), access.Host, p.ID, p.Version, people.Draft{Name: p.Name, Email: p.Email, Grants: append(p.Grants, scoped)})
		s.must(err)
		first, err := s.accounts.SignInOIDC(s.Context(), identity("a@example.org", "boss"), home)
		s.must(err)
		e, err = s.accounts.SignInOIDC(s.Context(), identity("a@example.org", "ops"), home)
		s.must(err)
		if e.Person.Holds(access.RoleAdmin) || !e.Person.Holds(access.RoleOperator) || !e.Person.Actor().MayOn(access.MonitorRun, scoped.Scope) || s.inside(first) {
			t.Errorf("holds %+v", e.Person.Grants)
		}
		// Scoped grants alone still let a person in.
		_, err = s.accounts.SignInOIDC(s.Context(), identity("a@example.org"), home)
		s.must(err)
	})
}

// A provider that stops naming the last admin would leave nobody to mend it.
func TestProviderCannotTakeTheLastAdmin(t *testing.T) {
	play(t, func(s *scene) {
		s.accounts.Configure(mapping)
		_, err := s.accounts.SignInOIDC(s.Context(), identity("a@example.org", "boss"), home)
		s.must(err)
		e, err := s.accounts.SignInOIDC(s.Context(), identity("a@example.org", "ops"), home)
		s.must(err)
		if !e.Person.Holds(access.RoleAdmin) || !e.Person.Holds(access.RoleOperator) {
			t.Errorf("holds %+v", e.Person.Grants)
		}
	})
}

func TestDisabledIdentityIsRefused(t *testing.T) {
	play(t, func(s *scene) {
		s.accounts.Configure(mapping)
		e, err := s.accounts.SignInOIDC(s.Context(), identity("a@example.org", "ops"), home)
		s.must(err)
		_, err = s.accounts.Disable(s.Context(), access.Host, e.Person.ID)
		s.must(err)
		_, err = s.accounts.SignInOIDC(s.Context(), identity("a@example.org", "ops"), home)
		s.is(err, problem.KindForbidden)
		if s.inside(e) {
			t.Error("the session lives")
		}
	})
}
