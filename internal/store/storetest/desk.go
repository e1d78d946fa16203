package storetest

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// DeskRecord is the status wing's store for the desk with the unit of work it takes.
type DeskRecord interface {
	journal.Work
	status.DeskStore
}

// Desk runs the suite of what status.DeskStore has beyond status.Store. open
// gives a fresh, empty record that is closed with the test.
func Desk(t *testing.T, open func(testing.TB) DeskRecord) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, DeskRecord)
	}{
		{"WindowsAreThoseDefinedNow", windowsNow},
		{"ConductTellsNoRemindersFromTheDefault", conducts},
		{"OccurrenceIsFoundByItsID", oneOccurrence},
		{"SayingsHoldUntilTheyEnd", sayings},
		{"HoldsEndByThemselves", holds},
		{"SilencesEndByThemselvesOrByHand", silences},
		{"AmendmentsComeNewestFirst", amendments},
		{"DocumentsAreKeptAsWritten", documents},
		{"SpansAreReplacedWhole", replacedSpans},
		{"UnitSeesItsOwnSpansAndMonths", ownReads},
		{"PastIsWrittenInTurn", pastInTurn},
		{"WhatIsOverIsPrunedWithDecisions", deskPruned},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// later gives a moment n minutes after base.
func later(n int) time.Time { return base.Add(time.Duration(n) * time.Minute) }

func windowsNow(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	here := status.Window{Key: "b", ID: "b", Title: "Here", Components: []string{"db"}, From: later(0), To: later(60), Hand: true}
	gone := status.Window{Key: "a", ID: "a", Title: "Gone", Components: []string{"db"}, From: later(0), To: later(60), RemovedAt: later(1)}
	mustPut(t, r, func(tx journal.Tx) error { return r.PutWindow(ctx, tx, here) })
	mustPut(t, r, func(tx journal.Tx) error { return r.PutWindow(ctx, tx, gone) })
	here.Version = 1
	same(t, []status.Window{here}, must[[]status.Window](t)(r.Windows(ctx)))
	past := status.Occurrence{ID: "b-1", Window: "b", From: later(0), To: later(10), State: status.MaintenanceCompleted}
	ahead := status.Occurrence{ID: "b-2", Window: "b", From: later(20), To: later(30), State: status.MaintenanceScheduled}
	for _, o := range []status.Occurrence{past, ahead} {
		mustPut(t, r, func(tx journal.Tx) error { return r.PutOccurrence(ctx, tx, o) })
	}
	ahead.Version = 1
	windows, known, err := r.Planned(ctx, later(10))
	if err != nil {
		t.Fatal(err)
	}
	same(t, []status.Window{here}, windows)
	same(t, []status.Occurrence{ahead}, known)
}

func conducts(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	for id, remind := range map[string][]time.Duration{"default": nil, "never": {}, "once": {time.Hour}} {
		o := status.Occurrence{ID: id, From: later(0), To: later(1), State: status.MaintenanceScheduled, Conduct: status.Conduct{Remind: remind}}
		mustPut(t, r, func(tx journal.Tx) error { return r.PutOccurrence(ctx, tx, o) })
		got := must[status.Occurrence](t)(r.Occurrence(ctx, id)).Conduct.Remind
		if (got == nil) != (remind == nil) || len(got) != len(remind) {
			t.Errorf("%s: reminders came back as %#v", id, got)
		}
	}
}

func oneOccurrence(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	put := func(id, window string, from int) status.Occurrence {
		o := status.Occurrence{ID: id, Window: window, From: later(from), To: later(from + 5), State: status.MaintenanceScheduled}
		mustPut(t, r, func(tx journal.Tx) error { return r.PutOccurrence(ctx, tx, o) })
		o.Version = 1
		return o
	}
	second, first := put("w-2", "w", 10), put("w-1", "w", 0)
	put("v-1", "v", 0)
	same(t, first, must[status.Occurrence](t)(r.Occurrence(ctx, "w-1")))
	same(t, []status.Occurrence{first, second}, must[[]status.Occurrence](t)(r.OccurrencesOf(ctx, "w")))
	_, err := r.Occurrence(ctx, "w-3")
	wantKind(t, err, problem.KindNotFound)
}

func sayings(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	list := must[[]status.Saying](t)
	a := status.Saying{ID: "1", Component: "b", Status: status.PartialOutage, From: later(0), By: "person/1", Reason: "seen by hand",
		EndedAt: later(9), EndedBy: "person/2", Version: 1}
	full(t, a)
	b := status.Saying{ID: "2", Component: "a", Status: status.Operational, From: later(1), By: "person/1", Version: 1}
	for _, s := range []status.Saying{a, b} {
		s.Version = 0
		s.EndedAt = time.Time{}
		mustPut(t, r, func(tx journal.Tx) error { return r.PutSaying(ctx, tx, s) })
	}
	held := a
	held.EndedAt = time.Time{}
	same(t, []status.Saying{b, held}, list(r.Sayings(ctx)))
	mustPut(t, r, func(tx journal.Tx) error { return r.PutSaying(ctx, tx, a) })
	same(t, []status.Saying{b}, list(r.Sayings(ctx)))
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutSaying(ctx, tx, a) }), problem.KindConflict)
}

func holds(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	list := must[[]status.Hold](t)
	h := status.Hold{Component: "a", From: later(0), Until: later(10), Why: "a deploy", By: "person/1", Version: 1}
	full(t, h)
	first := h
	first.Version = 0
	mustPut(t, r, func(tx journal.Tx) error { return r.PutHold(ctx, tx, first) })
	same(t, []status.Hold{h}, list(r.Holds(ctx, later(9))))
	same(t, []status.Hold(nil), list(r.Holds(ctx, later(10))))
	longer := h
	longer.Until, longer.Why = later(20), "another"
	mustPut(t, r, func(tx journal.Tx) error { return r.PutHold(ctx, tx, longer) })
	longer.Version = 2
	same(t, []status.Hold{longer}, list(r.Holds(ctx, later(10))))
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutHold(ctx, tx, h) }), problem.KindConflict)
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutHold(ctx, tx, first) }), problem.KindConflict)
}

func silences(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	list := must[[]status.Silence](t)
	a := status.Silence{ID: "1", Components: []string{"web"}, Monitors: []string{"m"}, From: later(5), To: later(60), Reason: "a move",
		By: "person/1", EndedAt: later(30), EndedBy: "person/2", Version: 1}
	full(t, a)
	b := status.Silence{ID: "2", Monitors: []string{"m"}, From: later(0), To: later(20), Reason: "noise", By: "person/1", Version: 1}
	open := a
	open.EndedAt, open.EndedBy = time.Time{}, ""
	for _, s := range []status.Silence{open, b} {
		s.Version = 0
		mustPut(t, r, func(tx journal.Tx) error { return r.PutSilence(ctx, tx, s) })
	}
	same(t, []status.Silence{b, open}, list(r.Silences(ctx, later(19))))
	same(t, []status.Silence{open}, list(r.Silences(ctx, later(20))))
	mustPut(t, r, func(tx journal.Tx) error { return r.PutSilence(ctx, tx, a) })
	a.Version = 2
	same(t, []status.Silence{a}, list(r.Silences(ctx, later(29))))
	same(t, []status.Silence(nil), list(r.Silences(ctx, later(30))))
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutSilence(ctx, tx, open) }), problem.KindConflict)
}

func amendments(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	list := must[[]status.Amendment](t)
	was := status.Amended{From: later(1), To: later(4), Status: status.MajorOutage, Origin: status.ByMachine, Cause: status.CauseTLS,
		Public: "Secure connections have failed since 12:01 UTC.", Staff: "web is down", Ref: "component/db"}
	full(t, was)
	a := status.Amendment{ID: "1", Component: "web", From: later(0), To: later(5), Reason: "our own certificate", By: "person/1", At: later(10),
		Was: []status.Amended{was}, UndoneAt: later(20), UndoneBy: "person/2", Version: 2}
	full(t, a)
	full(t, a.Was[0])
	marked := a
	marked.UndoneAt, marked.UndoneBy, marked.Version = time.Time{}, "", 0
	other := status.Amendment{ID: "2", Component: "db", From: later(0), To: later(5), Reason: "no", By: "person/1", At: later(11)}
	for _, x := range []status.Amendment{marked, other} {
		mustPut(t, r, func(tx journal.Tx) error { return r.PutAmendment(ctx, tx, x) })
	}
	marked.Version, other.Version = 1, 1
	same(t, []status.Amendment{other, marked}, list(r.Amendments(ctx, "", 9)))
	same(t, []status.Amendment{other}, list(r.Amendments(ctx, "", 1)))
	same(t, []status.Amendment{marked}, list(r.Amendments(ctx, "web", 9)))
	undone := a
	undone.Version = 1
	mustPut(t, r, func(tx journal.Tx) error { return r.PutAmendment(ctx, tx, undone) })
	same(t, a, must[status.Amendment](t)(r.Amendment(ctx, "1")))
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutAmendment(ctx, tx, undone) }), problem.KindConflict)
	_, err := r.Amendment(ctx, "3")
	wantKind(t, err, problem.KindNotFound)
}

func documents(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	list := must[[]status.Document](t)
	d := status.Document{Kind: status.KindMonitor, ID: "web-http", Text: "id: web-http # “so”\n", By: "person/1", At: later(0), Version: 1}
	full(t, d)
	c := status.Document{Kind: status.KindComponent, ID: "web-http", Text: "id: web-http\n", By: "person/1", At: later(0), Version: 1}
	for _, x := range []status.Document{d, c} {
		x.Version = 0
		mustPut(t, r, func(tx journal.Tx) error { return r.PutDocument(ctx, tx, x) })
		wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutDocument(ctx, tx, x) }), problem.KindConflict)
	}
	same(t, []status.Document{c, d}, list(r.Documents(ctx)))
	d.Text, d.By, d.At = "id: web-http\n", "person/2", later(3)
	mustPut(t, r, func(tx journal.Tx) error { return r.PutDocument(ctx, tx, d) })
	d.Version = 2
	same(t, []status.Document{c, d}, list(r.Documents(ctx)))
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.DropDocument(ctx, tx, d.Kind, d.ID, 1) }), problem.KindConflict)
	mustPut(t, r, func(tx journal.Tx) error { return r.DropDocument(ctx, tx, d.Kind, d.ID, 2) })
	same(t, []status.Document{c}, list(r.Documents(ctx)))
}

// ended gives an ended span of the published track.
func ended(id string, from, to int, st status.Status) status.Span {
	return status.Span{ID: id, Component: "a", Track: status.Published, From: later(from), To: later(to), Status: st, Origin: status.ByMachine, Version: 1}
}

func replacedSpans(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	whole := ended("whole", 0, 10, status.MajorOutage)
	open := ended("open", 10, 0, status.Operational)
	open.To = time.Time{}
	mustPut(t, r, func(tx journal.Tx) error { return r.AddSpan(ctx, tx, whole) })
	mustPut(t, r, func(tx journal.Tx) error { return r.AddSpan(ctx, tx, open) })
	parts := []status.Span{ended("p1", 0, 4, status.MajorOutage), ended("p2", 4, 10, status.Operational)}
	replace := func(id string, version int64, with []status.Span) error {
		return put(r, ctx, func(tx journal.Tx) error { return r.ReplaceSpan(ctx, tx, id, version, with) })
	}
	wantKind(t, replace("whole", 7, parts), problem.KindConflict)
	wantKind(t, replace("open", 1, parts), problem.KindConflict)
	wantKind(t, replace("none", 1, parts), problem.KindConflict)
	wantKind(t, replace("whole", 1, parts[:1]), problem.KindInternal)
	wantKind(t, replace("whole", 1, parts[1:]), problem.KindInternal)
	if err := replace("whole", 1, parts); err != nil {
		t.Fatal(err)
	}
	same(t, append(parts, open), must[[]status.Span](t)(r.Spans(ctx, "a", status.Published, later(0), later(99))))
}

// pastInTurn lets units read what is there and write what follows from it at the
// same time: each must see what the one before it wrote.
func pastInTurn(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	mustPut(t, r, func(tx journal.Tx) error {
		return r.PutMonth(ctx, tx, status.Month{Component: "a", Month: "2026-01", Tally: status.Tally{Up: time.Hour}, FrozenAt: later(0)})
	})
	const n = 20
	var units sync.WaitGroup
	for range n {
		units.Go(func() {
			if err := put(r, ctx, func(tx journal.Tx) error {
				if err := r.OrderPast(ctx, tx, "a"); err != nil {
					return err
				}
				months, err := r.MonthsInside(ctx, tx, "a")
				if err != nil {
					return err
				}
				fix := status.Correction{ID: strconv.Itoa(len(months[0].Corrections)), Component: "a", Month: "2026-01", At: later(1),
					Delta: status.Tally{Up: 1000, Major: -1000}, Reason: "no", Actor: "person/1"}
				return r.AddCorrection(ctx, tx, fix)
			}); err != nil {
				t.Errorf("a unit saw an old past: %v", err)
			}
		})
	}
	units.Wait()
	months := must[[]status.Month](t)(r.Months(ctx, "a"))
	if got := len(months[0].Corrections); got != n {
		t.Errorf("%d corrections, want %d", got, n)
	}
}

func deskPruned(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	mustPut(t, r, func(tx journal.Tx) error {
		for i, id := range []string{"1", "2", "3"} {
			s := status.Silence{ID: id, Components: []string{"web"}, From: later(0), To: later(10 * (i + 1)), Reason: "x", By: "person/1"}
			if err := r.PutSilence(ctx, tx, s); err != nil {
				return err
			}
			w := status.Saying{ID: id, Component: "web", Status: status.Degraded, From: later(0), By: "person/1"}
			if i == 0 {
				w.EndedAt = later(5)
			}
			if err := r.PutSaying(ctx, tx, w); err != nil {
				return err
			}
		}
		return nil
	})
	for _, want := range []int{2, 1, 0} {
		mustPut(t, r, func(tx journal.Tx) error {
			got, err := r.Prune(ctx, tx, status.PruneBefore{Decisions: later(21)}, 1)
			if got != want {
				t.Errorf("%d rows went, want %d", got, want)
			}
			return err
		})
	}
	if left := must[[]status.Saying](t)(r.Sayings(ctx)); len(left) != 2 {
		t.Errorf("%d words are left that hold, want 2", len(left))
	}
	if left := must[[]status.Silence](t)(r.Silences(ctx, later(0))); len(left) != 1 {
		t.Errorf("%d silences are left, want 1", len(left))
	}
}

func ownReads(t *testing.T, r DeskRecord) {
	ctx := t.Context()
	mustPut(t, r, func(tx journal.Tx) error {
		if err := r.OrderPast(ctx, tx, "a"); err != nil {
			return err
		}
		span := ended("s", 0, 10, status.Degraded)
		if err := r.AddSpan(ctx, tx, span); err != nil {
			return err
		}
		spans, err := r.SpansInside(ctx, tx, "a", status.Published, later(5), later(6))
		if err != nil {
			return err
		}
		same(t, []status.Span{span}, spans)
		month := status.Month{Component: "a", Month: "2026-01", Tally: status.Tally{Up: time.Hour}, FrozenAt: later(0)}
		if err := r.PutMonth(ctx, tx, month); err != nil {
			return err
		}
		fix := status.Correction{ID: "c", Component: "a", Month: "2026-01", At: later(1), Delta: status.Tally{Up: 1000, Major: -1000}, Reason: "no", Actor: "person/1"}
		if err := r.AddCorrection(ctx, tx, fix); err != nil {
			return err
		}
		month.Corrections = []status.Correction{fix}
		months, err := r.MonthsInside(ctx, tx, "a")
		if err != nil {
			return err
		}
		same(t, []status.Month{month}, months)
		return r.OrderPast(ctx, tx, "a")
	})
}
