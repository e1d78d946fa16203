package people_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/people/peopletest"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
)

// scene is the wing on a store in memory, in virtual time.
type scene struct {
	*testing.T
	store    *peopletest.Store
	deps     people.Deps
	accounts *people.Accounts
	tokens   *people.Tokens
	hooks    *people.Hooks
	refused  *people.Refusals
}

// play runs a test in virtual time, with the refusals being written.
func play(t *testing.T, run func(*scene)) {
	synctest.Test(t, func(t *testing.T) {
		box, err := secret.New(make([]byte, secret.KeyBytes))
		if err != nil {
			t.Fatal(err)
		}
		s := &scene{T: t, store: peopletest.New()}
		s.deps = people.Deps{Work: s.store, Store: s.store, Sealer: box, Log: slog.New(slog.DiscardHandler), Now: time.Now}
		s.refused = people.NewRefusals(s.store, s.deps.Log, time.Now)
		s.accounts = people.NewAccounts(s.deps, s.refused)
		s.accounts.HashCheaply()
		s.tokens, s.hooks = people.NewTokens(s.deps, s.refused), people.NewHooks(s.deps, s.refused)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		done := make(chan error, 1)
		go func() { done <- s.refused.Run(ctx) }()
		run(s)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := journal.Verify(t.Context(), s.store); err != nil {
			t.Errorf("the chain: %v", err)
		}
	})
}

const goodPassword = "correct horse battery"

var (
	home   = people.Caller{Network: "192.0.2.1", Agent: "Browser of home"}
	abroad = people.Caller{Network: "198.51.100.7", Agent: "Browser abroad"}
)

// person adds somebody who has a password, and gives the account.
func (s *scene) person(name string, roles ...access.Role) people.Person {
	s.Helper()
	d := people.Draft{Name: name, Email: name + "@example.org"}
	for _, r := range roles {
		d.Grants = append(d.Grants, access.Grant{Role: r})
	}
	p, err := s.accounts.Add(s.Context(), access.Host, d)
	s.must(err)
	path, err := s.accounts.Link(s.Context(), access.Host, p.ID)
	s.must(err)
	e, _, err := s.accounts.Accept(s.Context(), secretOf(path), people.Acceptance{Password: goodPassword}, home)
	s.must(err)
	s.must(s.accounts.SignOut(s.Context(), e.Person, e.Session))
	return s.reload(p)
}

func (s *scene) reload(p people.Person) people.Person {
	s.Helper()
	p, err := s.accounts.Person(s.Context(), p.ID)
	s.must(err)
	return p
}

// secretOf cuts the secret out of a link.
func secretOf(path string) string { return path[len(people.LinkPath):] }

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// is checks the kind of an error.
func (s *scene) is(err error, want problem.Kind) {
	s.Helper()
	if problem.KindOf(err) != want {
		s.Errorf("got %v, want %q", err, want)
	}
}

// signIn signs somebody in by password.
func (s *scene) signIn(p people.Person, c people.Caller) people.Entry {
	s.Helper()
	e, pending, err := s.accounts.SignIn(s.Context(), p.Email, goodPassword, c)
	s.must(err)
	if pending != "" {
		s.Fatal("a code is wanted")
	}
	return e
}

// inside reports whether the secret of a cookie lets somebody in.
func (s *scene) inside(e people.Entry) bool {
	s.Helper()
	p, _, err := s.accounts.Session(s.Context(), e.Secret)
	if err != nil {
		s.is(err, problem.KindUnauthenticated)
		return false
	}
	return p.ID == e.Person.ID
}

// verbs gives what the journal tells about a subject, in order.
func (s *scene) verbs(kind, id string) (verbs []string) {
	s.Helper()
	for _, e := range s.entries() {
		if e.Subject == (journal.Ref{Kind: kind, ID: id}) {
			verbs = append(verbs, e.Verb)
		}
	}
	return verbs
}

func (s *scene) entries() []journal.Sealed {
	s.Helper()
	all, err := s.store.After(s.Context(), 0, 100_000)
	s.must(err)
	return all
}

// refusals counts what the journal tells of refusals for a reason.
func (s *scene) refusals(reason people.Reason) (counts []string) {
	s.Helper()
	synctest.Wait()
	for _, e := range s.entries() {
		if e.Verb == "person.refused" && e.Payload["reason"] == string(reason) {
			counts = append(counts, e.Payload["count"])
		}
	}
	return counts
}

func (s *scene) want(got, want []string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("got %q, want %q", got, want)
	}
}
