package status_test

import (
	"fmt"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// freeze freezes what is due at a moment and lists the frozen months.
func (s *scene) freeze(now time.Time) (months []string, next time.Time) {
	s.t.Helper()
	for {
		n, again, err := status.FreezeDue(s.t.Context(), s.store, s.store, s.store.Lease(), now)
		if err != nil {
			s.t.Fatal(err)
		}
		next = again
		if n == 0 || again.After(now) {
			break
		}
	}
	frozen, err := s.store.Months(s.t.Context(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range frozen {
		months = append(months, fmt.Sprintf("%s %s up %s major %s", m.Component, m.Month, m.Tally.Up, m.Tally.Major))
	}
	return months, next
}

func TestMonthFreezes72HoursAfterItsEnd(t *testing.T) {
	s := newScene(t, "Europe/Berlin")
	s.component(status.Component{ID: "search", Name: "Search", Public: true, CreatedAt: at("2026-09-30T10:00Z")})
	s.moves("search", at("2026-09-30T10:00Z"), status.Operational)
	s.fails("search", status.MajorOutage, at("2026-10-31T22:30Z"), at("2026-11-01T01:00Z"))

	// The end of October in Berlin is 23:00 UTC, after a day of 25 hours.
	months, next := s.freeze(at("2026-11-03T22:59Z"))
	same(t, []string{"search 2026-09 up 12h0m0s major 0s"}, months)
	if !next.Equal(at("2026-11-03T23:00Z")) {
		t.Errorf("due again at %s", next)
	}
	months, next = s.freeze(at("2026-11-03T23:00Z"))
	october := "search 2026-10 up 744h30m0s major 30m0s"
	same(t, []string{"search 2026-09 up 12h0m0s major 0s", october}, months)
	if !next.Equal(at("2026-12-03T23:00Z")) {
		t.Errorf("due again at %s", next)
	}

	// What becomes of the spans no longer matters.
	s.do(func(tx journal.Tx) error {
		_, err := s.store.Prune(t.Context(), tx, status.PruneBefore{Spans: at("2026-11-01T00:00Z")}, 100)
		return err
	})
	months, _ = s.freeze(friday)
	same(t, october, months[1])
	s.load()
	page, err := s.board.Component(t.Context(), "search", friday)
	if err != nil {
		t.Fatal(err)
	}
	if m := page.Months[1]; !m.Frozen || m.Tally.Major != 30*time.Minute || m.Tally.Total() != 745*time.Hour {
		t.Errorf("the page says of October: %+v", m)
	}
	verbs := 0
	for _, e := range s.store.Entries() {
		if e.Verb == "month.frozen" && e.Subject.ID == "search" {
			verbs++
		}
	}
	if verbs != 2 {
		t.Errorf("%d entries in the journal, want 2", verbs)
	}
}

func TestMonthFreezeTakesBitesAndNeedsTheLease(t *testing.T) {
	s := newScene(t, "")
	for i := range 60 {
		s.component(status.Component{ID: fmt.Sprintf("c%02d", i), CreatedAt: at("2026-06-10T00:00Z")})
	}
	n, next, err := status.FreezeDue(t.Context(), s.store, s.store, s.store.Lease(), friday)
	if err != nil || n != 200 || !next.Equal(friday) {
		t.Errorf("first bite: %d, %s, %v", n, next, err)
	}
	n, next, err = status.FreezeDue(t.Context(), s.store, s.store, s.store.Lease(), friday)
	if err != nil || n != 100 || !next.Equal(at("2026-12-04T00:00Z")) {
		t.Errorf("second bite: %d, %s, %v", n, next, err)
	}
	old := s.store.Lease()
	s.store.Usurp()
	if _, _, err := status.FreezeDue(t.Context(), s.store, s.store, old, at("2026-12-10T00:00Z")); problem.KindOf(err) != problem.KindConflict {
		t.Errorf("without the lease: %v, want Conflict", err)
	}
}

func TestMonthCorrectionIsSignedAndSumsToZero(t *testing.T) {
	s := newScene(t, "")
	s.do(func(tx journal.Tx) error {
		return s.store.PutMonth(t.Context(), tx, status.Month{Component: "search", Month: "2026-10", Tally: status.Tally{Up: 743 * time.Hour, Major: time.Hour}})
	})
	good := status.Correction{Component: "search", Month: "2026-10", Reason: "The check was wrong.", Delta: status.Tally{Up: time.Hour, Major: -time.Hour}}
	correct := func(by access.Actor, change func(*status.Correction)) error {
		c := good
		change(&c)
		return status.CorrectMonth(t.Context(), s.store, s.store, by, c)
	}
	for _, c := range []struct {
		name   string
		by     access.Actor
		change func(*status.Correction)
		want   problem.Kind
	}{
		{"by a visitor", access.Visitor, func(*status.Correction) {}, problem.KindForbidden},
		{"without a reason", access.Host, func(c *status.Correction) { c.Reason = "" }, problem.KindInvalid},
		{"out of nothing", access.Host, func(c *status.Correction) { c.Delta.Major = 0 }, problem.KindInvalid},
		{"of nothing", access.Host, func(c *status.Correction) { c.Delta = status.Tally{} }, problem.KindInvalid},
		{"below zero", access.Host, func(c *status.Correction) { c.Delta = status.Tally{Up: 2 * time.Hour, Major: -2 * time.Hour} }, problem.KindInvalid},
		{"of an open month", access.Host, func(c *status.Correction) { c.Month = "2026-11" }, problem.KindNotFound},
		{"as it should be", access.Host, func(*status.Correction) {}, ""},
		{"twice the same time", access.Host, func(*status.Correction) {}, problem.KindInvalid},
	} {
		if err := correct(c.by, c.change); problem.KindOf(err) != c.want {
			t.Errorf("%s: %v, want kind %q", c.name, err, c.want)
		}
	}
	months, err := s.store.Months(t.Context(), "search")
	if err != nil {
		t.Fatal(err)
	}
	m := months[0]
	if len(m.Corrections) != 1 || m.Corrections[0].Actor != "host" || m.Net() != (status.Tally{Up: 744 * time.Hour}) || m.Tally.Major != time.Hour {
		t.Errorf("month: %+v", m)
	}
	entries := s.store.Entries()
	if e := entries[len(entries)-1]; e.Verb != "month.corrected" || e.Payload["major_us"] != "-3600000000" || e.ID != m.Corrections[0].ID {
		t.Errorf("entry: %+v", e)
	}
}
