package storetest

import (
	"errors"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

// Accounts is the people wing's store with the unit of work it takes.
type Accounts interface {
	journal.Work
	people.Store
}

// People runs the suite of people.Store. open gives a fresh, empty store that is
// closed with the test.
func People(t *testing.T, open func(testing.TB) Accounts) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Accounts)
	}{
		{"PersonComesBackAsWritten", personRoundTrip},
		{"PersonWithOldVersionIsConflict", personVersions},
		{"AddressAndSubjectBelongToOne", personUnique},
		{"ErasedPeopleAreFoundByIDAlone", personErased},
		{"PeopleAreSortedByName", peopleSorted},
		{"SessionComesBackAsWritten", sessionRoundTrip},
		{"SessionSecretIsSwappedOnce", sessionSwap},
		{"SessionsEndButOne", sessionsEnd},
		{"BeingSeenOnlyMovesForward", sessionSeen},
		{"LinkIsUsedOnce", linkOnce},
		{"LinksOfAPersonAreDropped", linksDropped},
		{"TokenIsRevokedOnce", tokenOnce},
		{"HookIsRevokedOnce", hookOnce},
		{"ThrottleIsReadInItsUnit", throttleInUnit},
		{"WhatIsOverIsPruned", doorsPruned},
		{"SealKeysComeLastUsedFirst", sealKeys},
		{"PeopleUnitIsAllOrNothing", peopleAtomic},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// somebody gives a person with everything set.
func somebody(id string) people.Person {
	return people.Person{
		ID: id, Name: "The " + id, Email: id + "@example.org", PasswordHash: "$argon2id$x", TOTP: []byte{1, 0, 2}, TOTPUsed: 57_000_000,
		Recovery: []string{"aa", "bb"}, Subject: "https://id.example.org|" + id,
		Grants: []access.Grant{{Role: access.RoleAdmin}, {Role: access.RoleOperator, Scope: access.Scope{Kind: "component", ID: "shop"}}},
		Zone:   "Europe/Vienna", CreatedAt: base, DisabledAt: base.Add(time.Hour), Version: 1,
	}
}

// inUnit runs fn in a unit of work that must commit.
func inUnit(tb testing.TB, s journal.Work, fn func(journal.Tx) error) {
	tb.Helper()
	if err := s.Do(tb.Context(), access.Host, fn); err != nil {
		tb.Fatal(err)
	}
}

// unitRefuses runs fn in a unit of work that must fail with the kind.
func unitRefuses(tb testing.TB, s journal.Work, kind problem.Kind, fn func(journal.Tx) error) {
	tb.Helper()
	if err := s.Do(tb.Context(), access.Host, fn); problem.KindOf(err) != kind {
		tb.Errorf("got %v, want %s", err, kind)
	}
}

func addPeople(tb testing.TB, s Accounts, all ...people.Person) {
	tb.Helper()
	inUnit(tb, s, func(tx journal.Tx) error {
		for _, p := range all {
			p.Version = 0
			if err := s.PutPerson(tb.Context(), tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func personRoundTrip(t *testing.T, s Accounts) {
	want, plain := somebody("a"), people.Person{ID: "b", Name: "Plain", CreatedAt: base, Version: 1}
	addPeople(t, s, want, plain)
	for _, p := range []people.Person{want, plain} {
		got, err := s.Person(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		same(t, p, got)
	}
	for name, find := range map[string]func() (people.Person, error){
		"email":   func() (people.Person, error) { return s.PersonByEmail(t.Context(), want.Email) },
		"subject": func() (people.Person, error) { return s.PersonBySubject(t.Context(), want.Subject) },
	} {
		if got, err := find(); err != nil || got.ID != "a" {
			t.Errorf("by %s: %q, %v", name, got.ID, err)
		}
	}
	for name, find := range map[string]func() (people.Person, error){
		"id":         func() (people.Person, error) { return s.Person(t.Context(), "c") },
		"email":      func() (people.Person, error) { return s.PersonByEmail(t.Context(), "c@example.org") },
		"no email":   func() (people.Person, error) { return s.PersonByEmail(t.Context(), "") },
		"no subject": func() (people.Person, error) { return s.PersonBySubject(t.Context(), "") },
	} {
		if _, err := find(); problem.KindOf(err) != problem.KindNotFound {
			t.Errorf("by %s: got %v, want not found", name, err)
		}
	}
}

func personVersions(t *testing.T, s Accounts) {
	p := somebody("a")
	addPeople(t, s, p)
	p.Name, p.TOTP, p.Grants, p.DisabledAt = "Another", nil, nil, time.Time{}
	inUnit(t, s, func(tx journal.Tx) error { return s.PutPerson(t.Context(), tx, p) })
	unitRefuses(t, s, problem.KindConflict, func(tx journal.Tx) error { return s.PutPerson(t.Context(), tx, p) })
	unitRefuses(t, s, problem.KindConflict, func(tx journal.Tx) error { // a second insert
		again := p
		again.Version = 0
		return s.PutPerson(t.Context(), tx, again)
	})
	p.Version = 2
	got, err := s.Person(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	same(t, p, got)
}

func personUnique(t *testing.T, s Accounts) {
	a, b := somebody("a"), somebody("b")
	addPeople(t, s, a, b)
	for what, change := range map[string]func(*people.Person){
		"address": func(p *people.Person) { p.Email = a.Email },
		"subject": func(p *people.Person) { p.Subject = a.Subject },
	} {
		next := b
		change(&next)
		if err := s.Do(t.Context(), access.Host, func(tx journal.Tx) error { return s.PutPerson(t.Context(), tx, next) }); problem.KindOf(err) != problem.KindConflict {
			t.Errorf("%s of another: got %v", what, err)
		}
	}
	// Any number have none.
	addPeople(t, s, people.Person{ID: "c", CreatedAt: base}, people.Person{ID: "d", CreatedAt: base})
}

func personErased(t *testing.T, s Accounts) {
	addPeople(t, s, somebody("a"), people.Person{ID: "gone", CreatedAt: base, DisabledAt: base, ErasedAt: base})
	all, err := s.People(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != "a" {
		t.Errorf("got %v, %v", all, err)
	}
	if got, err := s.Person(t.Context(), "gone"); err != nil || got.ErasedAt != base {
		t.Errorf("got %+v, %v", got, err)
	}
}

func peopleSorted(t *testing.T, s Accounts) {
	addPeople(t, s, people.Person{ID: "1", Name: "beta", CreatedAt: base}, people.Person{ID: "2", Name: "Alpha", CreatedAt: base}, people.Person{ID: "3", Name: "Gamma", CreatedAt: base})
	all, err := s.People(t.Context())
	if err != nil || len(all) != 3 || all[0].ID != "2" || all[1].ID != "1" || all[2].ID != "3" {
		t.Errorf("got %v, %v", all, err)
	}
}

func aSession(id, person string, at time.Time) people.Session {
	return people.Session{
		ID: id, Hash: []byte("hash of " + id), Person: person, Way: people.WayCode, Agent: "browser", Network: "192.0.2.1",
		CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(time.Hour), Strong: at,
	}
}

func addSessions(tb testing.TB, s Accounts, all ...people.Session) {
	tb.Helper()
	inUnit(tb, s, func(tx journal.Tx) error {
		for _, v := range all {
			if err := s.AddSession(tb.Context(), tx, v); err != nil {
				return err
			}
		}
		return nil
	})
}

func sessionRoundTrip(t *testing.T, s Accounts) {
	old, young, other := aSession("old", "a", base), aSession("young", "a", base.Add(time.Minute)), aSession("other", "b", base.Add(time.Second))
	addSessions(t, s, old, young, other)
	got, err := s.Session(t.Context(), old.Hash)
	if err != nil {
		t.Fatal(err)
	}
	same(t, old, got)
	own, err := s.Sessions(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	same(t, []people.Session{young, old}, own)
	all, err := s.Sessions(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	same(t, []people.Session{young, other, old}, all)
	if _, err := s.Session(t.Context(), []byte("nothing")); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("got %v", err)
	}
}

func sessionSwap(t *testing.T, s Accounts) {
	v := aSession("x", "a", base)
	addSessions(t, s, v)
	later := base.Add(time.Minute)
	inUnit(t, s, func(tx journal.Tx) error { return s.SwapSession(t.Context(), tx, "x", v.Hash, []byte("new"), later) })
	unitRefuses(t, s, problem.KindConflict, func(tx journal.Tx) error { return s.SwapSession(t.Context(), tx, "x", v.Hash, []byte("newer"), later) })
	if _, err := s.Session(t.Context(), v.Hash); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("the old secret still opens: %v", err)
	}
	if got, err := s.Session(t.Context(), []byte("new")); err != nil || got.ID != "x" || got.Strong != later {
		t.Errorf("got %+v, %v", got, err)
	}
}

func sessionsEnd(t *testing.T, s Accounts) {
	addSessions(t, s, aSession("1", "a", base), aSession("2", "a", base), aSession("3", "a", base), aSession("4", "b", base))
	var ended []string
	inUnit(t, s, func(tx journal.Tx) (err error) {
		ended, err = s.EndSessions(t.Context(), tx, "a", "2")
		return err
	})
	if len(ended) != 2 {
		t.Errorf("ended %v", ended)
	}
	left, err := s.Sessions(t.Context(), "")
	if err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
	inUnit(t, s, func(tx journal.Tx) error { return s.EndSession(t.Context(), tx, "4") })
	unitRefuses(t, s, problem.KindNotFound, func(tx journal.Tx) error { return s.EndSession(t.Context(), tx, "4") })
}

func sessionSeen(t *testing.T, s Accounts) {
	p := somebody("a")
	addPeople(t, s, p)
	addSessions(t, s, aSession("x", "a", base))
	for _, at := range []time.Time{base.Add(time.Hour), base.Add(time.Minute)} {
		inUnit(t, s, func(tx journal.Tx) error { return s.SeeSession(t.Context(), tx, "x", "a", at) })
	}
	got, err := s.Session(t.Context(), []byte("hash of x"))
	if err != nil || got.SeenAt != base.Add(time.Hour) {
		t.Errorf("session: %v, %v", got.SeenAt, err)
	}
	// Being seen is no change: the version stays, and a change keeps it.
	inUnit(t, s, func(tx journal.Tx) error { return s.PutPerson(t.Context(), tx, p) })
	if who, err := s.Person(t.Context(), "a"); err != nil || who.SeenAt != base.Add(time.Hour) {
		t.Errorf("person: %v, %v", who.SeenAt, err)
	}
}

func aLink(id, person string) people.Link {
	return people.Link{ID: id, Hash: []byte("hash of " + id), Purpose: people.PurposeInvite, Person: person, CreatedBy: "host", CreatedAt: base, ExpiresAt: base.Add(time.Hour)}
}

func linkOnce(t *testing.T, s Accounts) {
	l := aLink("l", "a")
	inUnit(t, s, func(tx journal.Tx) error { return s.AddLink(t.Context(), tx, l) })
	got, err := s.Link(t.Context(), l.Hash)
	if err != nil {
		t.Fatal(err)
	}
	same(t, l, got)
	inUnit(t, s, func(tx journal.Tx) error { return s.UseLink(t.Context(), tx, "l", base) })
	unitRefuses(t, s, problem.KindConflict, func(tx journal.Tx) error { return s.UseLink(t.Context(), tx, "l", base) })
	if got, err = s.Link(t.Context(), l.Hash); err != nil || got.UsedAt != base {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := s.Link(t.Context(), []byte("nothing")); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("got %v", err)
	}
}

func linksDropped(t *testing.T, s Accounts) {
	used, open, other, first := aLink("used", "a"), aLink("open", "a"), aLink("other", "b"), aLink("first", "")
	used.UsedAt = base
	inUnit(t, s, func(tx journal.Tx) error {
		for _, l := range []people.Link{used, open, other, first} {
			if err := s.AddLink(t.Context(), tx, l); err != nil {
				return err
			}
		}
		return errors.Join(s.DropLinks(t.Context(), tx, "a"), s.DropLinks(t.Context(), tx, ""))
	})
	for _, l := range []people.Link{used, open, other, first} {
		if _, err := s.Link(t.Context(), l.Hash); (err == nil) != (l.ID != "open") {
			t.Errorf("%s: %v", l.ID, err)
		}
	}
}

func tokenOnce(t *testing.T, s Accounts) {
	old := people.Token{ID: "1", Name: "build", Hash: []byte("h1"), Role: access.RoleMachine, Scopes: []string{"read"}, CreatedBy: "host", CreatedAt: base}
	young := old
	young.ID, young.Hash, young.CreatedAt, young.ExpiresAt = "2", []byte("h2"), base.Add(time.Second), base.Add(time.Hour)
	inUnit(t, s, func(tx journal.Tx) error {
		return errors.Join(s.AddToken(t.Context(), tx, old), s.AddToken(t.Context(), tx, young))
	})
	all, err := s.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, []people.Token{young, old}, all)
	inUnit(t, s, func(tx journal.Tx) error {
		return errors.Join(s.SeeToken(t.Context(), tx, "1", base.Add(time.Minute)), s.SeeToken(t.Context(), tx, "1", base),
			s.RevokeToken(t.Context(), tx, "1", base.Add(time.Hour)))
	})
	unitRefuses(t, s, problem.KindConflict, func(tx journal.Tx) error { return s.RevokeToken(t.Context(), tx, "1", base) })
	unitRefuses(t, s, problem.KindConflict, func(tx journal.Tx) error { return s.RevokeToken(t.Context(), tx, "3", base) })
	old.SeenAt, old.RevokedAt = base.Add(time.Minute), base.Add(time.Hour)
	got, err := s.TokenByHash(t.Context(), old.Hash)
	if err != nil {
		t.Fatal(err)
	}
	same(t, old, got)
	if _, err := s.TokenByHash(t.Context(), []byte("nothing")); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("got %v", err)
	}
}

func hookOnce(t *testing.T, s Accounts) {
	h := people.Hook{ID: "1", Source: "alertmanager", Name: "prod", Hash: []byte("h"), Mapping: map[string]string{"service": "component"}, CreatedBy: "host", CreatedAt: base}
	inUnit(t, s, func(tx journal.Tx) error { return s.AddHook(t.Context(), tx, h) })
	all, err := s.Hooks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, []people.Hook{h}, all)
	inUnit(t, s, func(tx journal.Tx) error {
		return errors.Join(s.SeeHook(t.Context(), tx, "1", base.Add(time.Minute)), s.SeeHook(t.Context(), tx, "1", base), s.RevokeHook(t.Context(), tx, "1", base.Add(time.Hour)))
	})
	unitRefuses(t, s, problem.KindConflict, func(tx journal.Tx) error { return s.RevokeHook(t.Context(), tx, "1", base) })
	h.SeenAt, h.RevokedAt = base.Add(time.Minute), base.Add(time.Hour)
	got, err := s.HookByHash(t.Context(), h.Hash)
	if err != nil {
		t.Fatal(err)
	}
	same(t, h, got)
}

func throttleInUnit(t *testing.T, s Accounts) {
	want := people.Throttle{Key: "k", Fails: 3, At: base, Until: base.Add(time.Second)}
	inUnit(t, s, func(tx journal.Tx) error {
		none, err := s.Throttle(t.Context(), tx, "k")
		if err != nil || none != (people.Throttle{Key: "k"}) {
			t.Errorf("none: %+v, %v", none, err)
		}
		if err := s.PutThrottle(t.Context(), tx, people.Throttle{Key: "k", Fails: 1, At: base}); err != nil {
			return err
		}
		if err := s.PutThrottle(t.Context(), tx, want); err != nil {
			return err
		}
		got, err := s.Throttle(t.Context(), tx, "k")
		same(t, want, got)
		return err
	})
	inUnit(t, s, func(tx journal.Tx) error {
		got, err := s.Throttle(t.Context(), tx, "k")
		same(t, want, got)
		if err == nil {
			err = s.PutThrottle(t.Context(), tx, people.Throttle{Key: "k"})
		}
		if err == nil {
			got, err = s.Throttle(t.Context(), tx, "k")
			same(t, people.Throttle{Key: "k"}, got)
		}
		return err
	})
}

func doorsPruned(t *testing.T, s Accounts) {
	late := aSession("late", "a", base.Add(24*time.Hour))
	addSessions(t, s, aSession("1", "a", base), aSession("2", "a", base), late)
	pruned := func(limit int) (n int) {
		inUnit(t, s, func(tx journal.Tx) (err error) {
			n, err = s.PruneDoors(t.Context(), tx, base.Add(12*time.Hour), limit)
			return err
		})
		return n
	}
	inUnit(t, s, func(tx journal.Tx) error {
		return errors.Join(s.AddLink(t.Context(), tx, aLink("l", "a")), s.PutThrottle(t.Context(), tx, people.Throttle{Key: "old", Fails: 1, At: base}),
			s.PutThrottle(t.Context(), tx, people.Throttle{Key: "new", Fails: 1, At: late.CreatedAt}))
	})
	if a, b, c := pruned(1), pruned(10), pruned(10); a != 3 || b != 1 || c != 0 {
		t.Errorf("pruned %d, %d, %d", a, b, c)
	}
	left, err := s.Sessions(t.Context(), "")
	if err != nil || len(left) != 1 || left[0].ID != "late" {
		t.Errorf("left %v, %v", left, err)
	}
	unitRefuses(t, s, problem.KindInvalid, func(tx journal.Tx) error {
		_, err := s.PruneDoors(t.Context(), tx, base, 0)
		return err
	})
}

func sealKeys(t *testing.T, s Accounts) {
	for i, id := range []string{"a", "b", "a"} {
		inUnit(t, s, func(tx journal.Tx) error {
			return s.UseSealKey(t.Context(), tx, id, base.Add(time.Duration(i)*time.Second))
		})
	}
	got, err := s.SealKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, []string{"a", "b"}, got)
}

func peopleAtomic(t *testing.T, s Accounts) {
	addPeople(t, s, somebody("a"))
	addSessions(t, s, aSession("x", "a", base))
	unitRefuses(t, s, problem.KindForbidden, func(tx journal.Tx) error {
		p := somebody("a")
		p.Name = "changed"
		_, err := s.EndSessions(t.Context(), tx, "a", "")
		return errors.Join(err, s.PutPerson(t.Context(), tx, p), s.AddLink(t.Context(), tx, aLink("l", "a")), problem.Forbidden("No."))
	})
	if p, err := s.Person(t.Context(), "a"); err != nil || p.Version != 1 || p.Name != "The a" {
		t.Errorf("person: %+v, %v", p, err)
	}
	if _, err := s.Session(t.Context(), []byte("hash of x")); err != nil {
		t.Errorf("session: %v", err)
	}
	if _, err := s.Link(t.Context(), []byte("hash of l")); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("link: %v", err)
	}
}
