package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Record is the status wing's store with the unit of work it takes.
type Record interface {
	journal.Work
	status.Store
}

// Status runs the suite of status.Store. open gives a fresh, empty record that
// is closed with the test.
func Status(t *testing.T, open func(testing.TB) Record) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Record)
	}{
		{"CatalogComesBackAsWritten", catalog},
		{"OldVersionIsConflict", oldVersions},
		{"SecondInsertIsConflict", secondInserts},
		{"RemovedThingsAreKept", removed},
		{"StreaksAreReplaced", streaks},
		{"SpansTileTheirTrack", spans},
		{"SpanEndsOnce", spanEndsOnce},
		{"DecisionsComeNewestFirst", decisions},
		{"OccurrencesTouchTheirWindow", occurrences},
		{"AliveMoves", aliveMoves},
		{"MonthFreezesOnce", months},
		{"DaysAreReplaced", days},
		{"LastPingsOutliveRetention", pings},
		{"PruneTakesLittleAtATime", prune},
		{"UnitIsAllOrNothing", atomic},
		{"ForeignTxIsRefused", foreignTx},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// base is the moment around which the suite's records lie.
var base = time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.UTC)

// same compares what was written with what came back; nil and empty lists are the same.
func same(tb testing.TB, want, got any) {
	tb.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		tb.Fatalf("want and got differ:\n%s", diff)
	}
}

// full fails unless every field of a sample is set, those excepted: a field that
// the wing gains must be kept, and only a sample that sets it can show that.
func full(tb testing.TB, sample any, except ...string) {
	tb.Helper()
	v := reflect.ValueOf(sample)
	for _, f := range reflect.VisibleFields(v.Type()) {
		if v.FieldByIndex(f.Index).IsZero() && !slices.Contains(except, f.Name) {
			tb.Errorf("the sample leaves %s.%s empty", v.Type(), f.Name)
		}
	}
}

// put runs fn in a unit of work.
func put(r journal.Work, ctx context.Context, fn func(tx journal.Tx) error) error {
	return r.Do(ctx, access.Hub, fn)
}

// mustPut runs fn in a unit of work that must commit.
func mustPut(tb testing.TB, r journal.Work, fn func(tx journal.Tx) error) {
	tb.Helper()
	if err := put(r, tb.Context(), fn); err != nil {
		tb.Fatal(err)
	}
}

// must gives the value of a read that must succeed.
func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// sample is a whole catalog, as it reads back from an empty record it was written to.
func sample() status.Catalog {
	return status.Catalog{
		Site: status.Site{Name: "Example", URL: "https://status.example.org", Zone: "Europe/Berlin", Home: "https://example.org", Strict: true,
			ReportURL: "mailto:help@example.org", Simulated: true, Weights: status.Weights{Major: 1, Partial: 0.3, Degraded: 0.05}},
		Groups: []status.Group{
			{Key: "core", ID: "core", Name: "Core", Position: 1, CreatedAt: base, Version: 1},
			{Key: "edge", ID: "edge-2", Name: "Edge \u201cnear\u201d <you>", Position: 2, CreatedAt: base, Version: 1},
		},
		Components: []status.Component{
			{Key: "web", ID: "www", Name: "Web shop", Description: "Where people buy.\nÄ", Group: "core", Needs: []string{"db", "api"}, Public: true,
				Runbook: "https://example.org/run", Position: 1, Publish: status.PublishAfterConfirm, PublishAfter: 15 * time.Minute, CreatedAt: base, Version: 1},
			{Key: "db", ID: "db", Name: "Database", Position: 2, CreatedAt: base.Add(time.Microsecond), Version: 1},
		},
		Monitors: []status.Monitor{
			{Key: "db-tcp", ID: "db-tcp", Component: "db", Kind: "tcp", Interval: 1500 * time.Millisecond, Locations: []string{"local"}, CreatedAt: base, Version: 1},
			{Key: "web-http", ID: "web-http", Component: "www", Name: "Front page", Kind: "http", Interval: time.Minute, Locations: []string{"local", "fra"},
				Public: true, Unit: "ms", Sentinel: true, CreatedAt: base, Version: 1,
				Rule: status.Rule{Confirm: 3, Recover: 2, Slow: 800 * time.Millisecond, SlowFor: 4, Quorum: 2, Fails: status.PartialOutage,
					FlapCount: 7, FlapWithin: 2 * time.Hour, PublicText: "The shop is slow."}},
		},
		Windows: []status.Window{
			{Key: "once", ID: "once", Title: "Move", Description: "**Short**", Components: []string{"db"}, From: base, To: base.Add(time.Hour), Sequence: 2,
				Conduct: status.Conduct{Owner: "person/1", StartsByHand: true, EndsByHand: true, Remind: []time.Duration{time.Hour, time.Minute}}, Hand: true, Version: 1},
			{Key: "weekly", ID: "weekly", Title: "Weekly", Components: []string{"www", "db"}, RRule: "FREQ=WEEKLY;BYDAY=SU", Zone: "Europe/Berlin",
				Start: "2026-03-01T02:00", Duration: 2 * time.Hour, Version: 1},
		},
	}
}

// write inserts or updates everything in a catalog.
func write(ctx context.Context, r Record, c status.Catalog, version int64) error {
	return put(r, ctx, func(tx journal.Tx) error {
		err := r.PutSite(ctx, tx, c.Site)
		for _, v := range c.Groups {
			v.Version = version
			err = errors.Join(err, r.PutGroup(ctx, tx, v))
		}
		for _, v := range c.Components {
			v.Version = version
			err = errors.Join(err, r.PutComponent(ctx, tx, v))
		}
		for _, v := range c.Monitors {
			v.Version = version
			err = errors.Join(err, r.PutMonitor(ctx, tx, v, "mark of "+v.Key))
		}
		for _, v := range c.Windows {
			v.Version = version
			err = errors.Join(err, r.PutWindow(ctx, tx, v))
		}
		return err
	})
}

func catalog(t *testing.T, r Record) {
	ctx := t.Context()
	same(t, status.Catalog{}, must[status.Catalog](t)(r.Catalog(ctx, true)))
	want := sample()
	full(t, want.Site)
	full(t, want.Groups[0], "RemovedAt")
	full(t, want.Components[0], "RemovedAt")
	full(t, want.Monitors[1], "RemovedAt")
	full(t, want.Monitors[1].Rule)
	full(t, want.Windows[0], "RRule", "Zone", "Start", "Duration", "RemovedAt")
	full(t, want.Windows[0].Conduct)
	full(t, want.Windows[1], "Description", "From", "To", "Sequence", "Conduct", "Hand", "RemovedAt")
	if err := write(ctx, r, want, 0); err != nil {
		t.Fatal(err)
	}
	same(t, want, must[status.Catalog](t)(r.Catalog(ctx, false)))
	same(t, map[string]string{"db-tcp": "mark of db-tcp", "web-http": "mark of web-http"}, must[map[string]string](t)(r.Marks(ctx)))

	want.Site.Name, want.Site.Simulated = "Renamed", false
	want.Groups[0].Name, want.Groups[0].Version = "Heart", 2
	want.Components[0].ID, want.Components[0].Needs, want.Components[0].Version = "shop", nil, 2
	want.Monitors[1].Rule, want.Monitors[1].Version = status.Rule{}, 2
	want.Windows[0].From, want.Windows[0].Sequence, want.Windows[0].Version = base.Add(time.Hour/2), 3, 2
	mustPut(t, r, func(tx journal.Tx) error {
		g, c, m, w := want.Groups[0], want.Components[0], want.Monitors[1], want.Windows[0]
		g.Version, c.Version, m.Version, w.Version = 1, 1, 1, 1
		return errors.Join(r.PutSite(ctx, tx, want.Site), r.PutGroup(ctx, tx, g), r.PutComponent(ctx, tx, c),
			r.PutMonitor(ctx, tx, m, "another"), r.PutWindow(ctx, tx, w))
	})
	same(t, want, must[status.Catalog](t)(r.Catalog(ctx, false)))
	if mark := must[map[string]string](t)(r.Marks(ctx))["web-http"]; mark != "another" {
		t.Errorf("the mark is %q", mark)
	}
}

func oldVersions(t *testing.T, r Record) {
	ctx := t.Context()
	c := sample()
	if err := errors.Join(write(ctx, r, c, 0), write(ctx, r, c, 1)); err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func(tx journal.Tx) error{
		"group":     func(tx journal.Tx) error { return r.PutGroup(ctx, tx, c.Groups[0]) },
		"component": func(tx journal.Tx) error { return r.PutComponent(ctx, tx, c.Components[0]) },
		"monitor":   func(tx journal.Tx) error { return r.PutMonitor(ctx, tx, c.Monitors[0], "") },
		"window":    func(tx journal.Tx) error { return r.PutWindow(ctx, tx, c.Windows[0]) },
	} {
		if err := put(r, ctx, try); problem.KindOf(err) != problem.KindConflict {
			t.Errorf("%s: got %v, want conflict", name, err)
		}
	}
}

func secondInserts(t *testing.T, r Record) {
	ctx := t.Context()
	if err := write(ctx, r, sample(), 0); err != nil {
		t.Fatal(err)
	}
	wantKind(t, put(r, ctx, func(tx journal.Tx) error {
		return r.PutComponent(ctx, tx, status.Component{Key: "db", ID: "db", CreatedAt: base})
	}), problem.KindConflict)
}

func removed(t *testing.T, r Record) {
	ctx := t.Context()
	c := sample()
	if err := write(ctx, r, c, 0); err != nil {
		t.Fatal(err)
	}
	gone := c.Components[1]
	gone.RemovedAt = base.Add(time.Hour)
	mustPut(t, r, func(tx journal.Tx) error { return r.PutComponent(ctx, tx, gone) })
	if now := must[status.Catalog](t)(r.Catalog(ctx, false)); len(now.Components) != 1 {
		t.Fatalf("got %v", now.Components)
	}
	gone.Version = 2
	same(t, gone, must[status.Catalog](t)(r.Catalog(ctx, true)).Components[1])
}

func streaks(t *testing.T, r Record) {
	ctx := t.Context()
	a := status.Streak{Monitor: "a", Location: "fra", Level: status.LevelDown, Fails: 3, Goods: 1, Slows: 2, First: base, Changes: []time.Time{base, base.Add(time.Minute)}, SavedAt: base}
	full(t, a)
	b := status.Streak{Monitor: "a", Location: "local", Level: status.LevelUnknown}
	mustPut(t, r, func(tx journal.Tx) error { return r.PutStreaks(ctx, tx, []status.Streak{b, a}) })
	same(t, []status.Streak{a, b}, must[[]status.Streak](t)(r.Streaks(ctx)))
	a = status.Streak{Monitor: "a", Location: "fra", Level: status.LevelUp, Goods: 2, Slows: 1, First: base.Add(time.Hour), SavedAt: base.Add(time.Hour)}
	mustPut(t, r, func(tx journal.Tx) error { return r.PutStreaks(ctx, tx, []status.Streak{a}) })
	same(t, []status.Streak{a, b}, must[[]status.Streak](t)(r.Streaks(ctx)))
}

// span gives a span of a component from minute from to minute to; to < 0 leaves it open.
func span(component string, track status.Track, from, to int) status.Span {
	s := status.Span{
		ID: journal.NewID(), Component: component, Track: track, From: base.Add(time.Duration(from) * time.Minute),
		Status: status.PartialOutage, Origin: status.ByMachine, Cause: status.CauseNoAnswer, Public: "checks have failed since 03:02",
		Staff: "web-http: refused, 2 of 3 locations", Ref: "maintenance/1", Version: 1,
	}
	if to >= 0 {
		s.To = base.Add(time.Duration(to) * time.Minute)
	}
	return s
}

func spans(t *testing.T, r Record) {
	ctx := t.Context()
	full(t, span("a", status.Published, 0, 10))
	first, second, open := span("a", status.Published, 0, 10), span("a", status.Published, 10, 20), span("a", status.Published, 20, -1)
	seen, other := span("a", status.Observed, 0, -1), span("b", status.Published, 5, -1)
	for _, s := range []status.Span{open, first, other, second, seen} {
		mustPut(t, r, func(tx journal.Tx) error { return r.AddSpan(ctx, tx, s) })
	}
	list := must[[]status.Span](t)
	minute := func(n int) time.Time { return base.Add(time.Duration(n) * time.Minute) }
	same(t, []status.Span{seen, open, other}, list(r.OpenSpans(ctx)))
	same(t, []status.Span{first, second, open}, list(r.Spans(ctx, "a", status.Published, minute(0), minute(60))))
	same(t, []status.Span{second}, list(r.Spans(ctx, "a", status.Published, minute(10), minute(20))))
	same(t, []status.Span{open}, list(r.Spans(ctx, "a", status.Published, minute(25), minute(26))))
	same(t, []status.Span(nil), list(r.Spans(ctx, "a", status.Published, minute(-5), minute(0))))
	same(t, []status.Span{second, open, other}, list(r.AllSpans(ctx, status.Published, minute(10))))

	again := span("a", status.Published, 30, -1)
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.AddSpan(ctx, tx, again) }), problem.KindConflict)
	mustPut(t, r, func(tx journal.Tx) error {
		return errors.Join(r.EndSpan(ctx, tx, open.ID, 1, again.From), r.AddSpan(ctx, tx, again))
	})
	replacement := span("a", status.Published, 30, -1)
	mustPut(t, r, func(tx journal.Tx) error {
		return errors.Join(r.DropSpan(ctx, tx, again.ID, 1), r.AddSpan(ctx, tx, replacement))
	})
	open.To, open.Version = again.From, 2
	same(t, []status.Span{open, replacement}, list(r.Spans(ctx, "a", status.Published, minute(25), minute(60))))
}

func spanEndsOnce(t *testing.T, r Record) {
	ctx := t.Context()
	s := span("a", status.Published, 0, -1)
	mustPut(t, r, func(tx journal.Tx) error { return r.AddSpan(ctx, tx, s) })
	end := func(version int64) error {
		return put(r, ctx, func(tx journal.Tx) error { return r.EndSpan(ctx, tx, s.ID, version, base.Add(time.Hour)) })
	}
	wantKind(t, end(7), problem.KindConflict)
	if err := end(1); err != nil {
		t.Fatal(err)
	}
	wantKind(t, end(2), problem.KindConflict)
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.DropSpan(ctx, tx, s.ID, 2) }), problem.KindConflict)
}

func decisions(t *testing.T, r Record) {
	ctx := t.Context()
	var want []status.Decision
	for n := range 5 {
		d := status.Decision{ID: journal.NewID(), Monitor: "m", Component: "a", At: base.Add(time.Duration(n) * time.Minute), Effective: base,
			From: status.LevelUp, To: status.LevelDown, Held: "suppressed: parent db is down", Staff: "refused", Public: "checks have failed"}
		full(t, d)
		if n == 0 {
			d.Effective = time.Time{}
		}
		mustPut(t, r, func(tx journal.Tx) error { return r.AddDecision(ctx, tx, d) })
		want = append([]status.Decision{d}, want...)
	}
	same(t, want, must[[]status.Decision](t)(r.Decisions(ctx, "m", 10)))
	same(t, want[:2], must[[]status.Decision](t)(r.Decisions(ctx, "m", 2)))
	same(t, []status.Decision(nil), must[[]status.Decision](t)(r.Decisions(ctx, "other", 2)))
}

func occurrences(t *testing.T, r Record) {
	ctx := t.Context()
	hour := func(n int) time.Time { return base.Add(time.Duration(n) * time.Hour) }
	done := status.Occurrence{ID: "w/1", Window: "w", Title: "Move", Text: "*now*", Components: []string{"a"}, From: hour(0), To: hour(1),
		State: status.MaintenanceCompleted, StartedAt: hour(0), EndedAt: hour(2), CreatedAt: hour(-9), ChangedAt: hour(2).Add(time.Second), Sequence: 1,
		Conduct: status.Conduct{Owner: "person/1", StartsByHand: true, EndsByHand: true, Remind: []time.Duration{time.Hour, time.Minute}},
		Pinned:  true, RemindedAt: hour(-1), NaggedAt: hour(1).Add(time.Minute), Version: 1}
	full(t, done)
	running := status.Occurrence{ID: "w/2", Window: "w", From: hour(3), To: hour(4), State: status.MaintenanceVerifying, StartedAt: hour(3), ChangedAt: hour(4), Version: 1}
	ahead := status.Occurrence{ID: "w/3", Window: "w", From: hour(30), To: hour(31), State: status.MaintenanceScheduled, Version: 1}
	for _, o := range []status.Occurrence{ahead, running, done} {
		o.Version = 0
		mustPut(t, r, func(tx journal.Tx) error { return r.PutOccurrence(ctx, tx, o) })
	}
	list := must[[]status.Occurrence](t)
	same(t, []status.Occurrence{done, running, ahead}, list(r.Occurrences(ctx, hour(0), hour(100))))
	same(t, []status.Occurrence{done}, list(r.Occurrences(ctx, hour(1), hour(2))))     // it took longer than planned
	same(t, []status.Occurrence{running}, list(r.Occurrences(ctx, hour(9), hour(10)))) // it still runs
	same(t, []status.Occurrence{running, ahead}, list(r.Occurrences(ctx, hour(30), hour(31))))
	ahead.State = status.MaintenanceCancelled
	mustPut(t, r, func(tx journal.Tx) error { return r.PutOccurrence(ctx, tx, ahead) })
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutOccurrence(ctx, tx, ahead) }), problem.KindConflict)
	ahead.Version = 2
	same(t, []status.Occurrence{ahead}, list(r.Occurrences(ctx, hour(30), hour(31)))[1:])
}

func aliveMoves(t *testing.T, r Record) {
	ctx := t.Context()
	moment := must[time.Time](t)
	if at := moment(r.Alive(ctx)); !at.IsZero() {
		t.Fatalf("alive at %v before it ever was", at)
	}
	for n := range 2 {
		want := base.Add(time.Duration(n) * time.Second)
		mustPut(t, r, func(tx journal.Tx) error { return r.PutAlive(ctx, tx, want) })
		same(t, want, moment(r.Alive(ctx)))
	}
}

func months(t *testing.T, r Record) {
	ctx := t.Context()
	list := must[[]status.Month](t)
	month := func(component, name string) status.Month {
		return status.Month{Component: component, Month: name, FrozenAt: base,
			Tally: status.Tally{Up: 700 * time.Hour, Degraded: 1, Partial: 2 * time.Second, Major: 3 * time.Second, Maintenance: time.Hour, Unmeasured: 5 * time.Microsecond}}
	}
	jan, feb, other := month("a", "2026-01"), month("a", "2026-02"), month("b", "2026-01")
	full(t, jan, "Corrections")
	full(t, jan.Tally)
	mustPut(t, r, func(tx journal.Tx) error {
		return errors.Join(r.PutMonth(ctx, tx, other), r.PutMonth(ctx, tx, feb), r.PutMonth(ctx, tx, jan))
	})
	jan.Tally.Degraded, feb.Tally.Degraded, other.Tally.Degraded = 0, 0, 0 // below the resolution of a microsecond
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutMonth(ctx, tx, jan) }), problem.KindConflict)
	c := status.Correction{ID: journal.NewID(), Component: "a", Month: "2026-02", At: base, Delta: status.Tally{Up: -time.Minute, Major: time.Minute}, Reason: "Found late.", Actor: "host"}
	full(t, c)
	d := c
	d.ID, d.At, d.Delta = journal.NewID(), base.Add(time.Hour), status.Tally{Up: time.Second, Partial: -time.Second}
	mustPut(t, r, func(tx journal.Tx) error {
		return errors.Join(r.AddCorrection(ctx, tx, c), r.AddCorrection(ctx, tx, d))
	})
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.AddCorrection(ctx, tx, c) }), problem.KindConflict)
	c.ID, c.Month = journal.NewID(), "2026-03"
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.AddCorrection(ctx, tx, c) }), problem.KindNotFound)

	feb.Corrections = []status.Correction{c, d}
	feb.Corrections[0].ID, feb.Corrections[0].Month = "", "2026-02"
	got := list(r.Months(ctx, "a"))
	if len(got) == 2 && len(got[1].Corrections) == 2 {
		feb.Corrections[0].ID = got[1].Corrections[0].ID
	}
	same(t, []status.Month{jan, feb}, got)
	same(t, []status.Month{jan, feb, other}, list(r.Months(ctx, "")))
}

func days(t *testing.T, r Record) {
	ctx := t.Context()
	day := func(n int, location string, packed ...byte) status.DayRow {
		return status.DayRow{Monitor: "m", Location: location, Day: time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC), Packed: packed}
	}
	all := []status.DayRow{day(1, "fra", 0, 255, 7), day(1, "local"), day(2, "local", 1)}
	full(t, all[0])
	for _, d := range []status.DayRow{all[2], all[1], day(1, "fra", 9), all[0]} {
		mustPut(t, r, func(tx journal.Tx) error { return r.PutDay(ctx, tx, d) })
	}
	same(t, all, must[[]status.DayRow](t)(r.Days(ctx, "m", all[0].Day, all[2].Day.Add(time.Microsecond))))
	same(t, all[:2], must[[]status.DayRow](t)(r.Days(ctx, "m", all[0].Day, all[2].Day)))
}

func pings(t *testing.T, r Record) {
	ctx := t.Context()
	ping := func(monitor string, minute int, signal status.PingSignal) status.Ping {
		return status.Ping{Monitor: monitor, At: base.Add(time.Duration(minute) * time.Minute), Signal: signal, Exit: minute, RunTime: time.Second, Log: "line\nline"}
	}
	full(t, ping("a", 1, status.PingStart))
	for _, p := range []status.Ping{
		ping("a", 1, status.PingStart), ping("a", 2, status.PingSuccess), ping("a", 5, status.PingSuccess),
		ping("a", 4, status.PingSuccess), // late on its way here
		ping("a", 5, status.PingStart), ping("b", 1, status.PingFail),
	} {
		mustPut(t, r, func(tx journal.Tx) error { return r.AddPing(ctx, tx, p) })
	}
	want := []status.Ping{ping("a", 5, status.PingStart), ping("a", 5, status.PingSuccess), ping("b", 1, status.PingFail)}
	same(t, want, must[[]status.Ping](t)(r.LastPings(ctx)))
	gone := 0
	mustPut(t, r, func(tx journal.Tx) (err error) {
		gone, err = r.Prune(ctx, tx, status.PruneBefore{Pings: base.Add(time.Hour)}, 100)
		return err
	})
	if gone != 6 {
		t.Errorf("%d pings went, want 6", gone)
	}
	same(t, want, must[[]status.Ping](t)(r.LastPings(ctx)))
}

func prune(t *testing.T, r Record) {
	ctx := t.Context()
	const n = 10
	mustPut(t, r, func(tx journal.Tx) (err error) {
		for i := range n {
			err = errors.Join(err,
				r.AddSpan(ctx, tx, span("a", status.Published, i, i+1)),
				r.AddDecision(ctx, tx, status.Decision{ID: journal.NewID(), Monitor: "m", At: base.Add(time.Duration(i) * time.Minute)}),
				r.PutDay(ctx, tx, status.DayRow{Monitor: "m", Location: "l", Day: base.AddDate(0, 0, i)}))
		}
		return errors.Join(err, r.AddSpan(ctx, tx, span("a", status.Published, n, -1)))
	})
	take := func(before status.PruneBefore, limit int) (gone int) {
		mustPut(t, r, func(tx journal.Tx) (err error) { gone, err = r.Prune(ctx, tx, before, limit); return err })
		return gone
	}
	late := base.AddDate(1, 0, 0)
	if got := take(status.PruneBefore{}, 100); got != 0 {
		t.Errorf("%d rows went though everything is kept", got)
	}
	if got := take(status.PruneBefore{Spans: late, Decisions: late, Days: late}, 3); got != 9 {
		t.Errorf("%d rows went, want 3 of each", got)
	}
	if got := take(status.PruneBefore{Spans: late, Decisions: base, Days: base.AddDate(0, 0, 5)}, 100); got != 7+2 {
		t.Errorf("%d rows went, want 7 spans and 2 days", got)
	}
	if open := must[[]status.Span](t)(r.OpenSpans(ctx)); len(open) != 1 {
		t.Errorf("open spans: %v", open)
	}
}

func atomic(t *testing.T, r Record) {
	ctx := t.Context()
	boom := errors.New("boom")
	err := put(r, ctx, func(tx journal.Tx) error {
		return errors.Join(r.PutSite(ctx, tx, sample().Site), r.AddSpan(ctx, tx, span("a", status.Observed, 0, -1)), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v, want boom", err)
	}
	// A unit in which a statement failed does not commit, even if fn looks away.
	err = put(r, ctx, func(tx journal.Tx) error {
		s := span("a", status.Observed, 0, -1)
		_ = errors.Join(r.AddSpan(ctx, tx, s), r.AddSpan(ctx, tx, s))
		return nil
	})
	wantKind(t, err, problem.KindConflict)
	if open := must[[]status.Span](t)(r.OpenSpans(ctx)); len(open) != 0 {
		t.Errorf("open spans: %v", open)
	}
	same(t, status.Catalog{}, must[status.Catalog](t)(r.Catalog(ctx, true)))
}

// strange is a unit of work that no store made.
type strange struct{ journal.Tx }

func foreignTx(t *testing.T, r Record) {
	wantKind(t, r.PutSite(t.Context(), strange{}, status.Site{}), problem.KindInternal)
}
