package status

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// rig drives an engine by hand: its own clock, and a book of spans as SQL would
// keep them.
type rig struct {
	t    testing.TB
	e    *engine
	now  time.Time
	mono time.Duration
	ids  int
	asks int
	book map[Track]map[string][]Span // by component key
	said []Decision
}

// newRig makes an engine that watches the catalog from at(0) on. Components are
// created then, so that their timelines begin with the test.
func newRig(t testing.TB, cat Catalog) *rig {
	t.Helper()
	r := &rig{t: t, now: at(0), book: map[Track]map[string][]Span{Observed: {}, Published: {}}}
	for i := range cat.Components {
		c := &cat.Components[i]
		c.Key = c.ID
		c.CreatedAt = r.now
		if c.Name == "" {
			c.Name = strings.ToUpper(c.ID[:1]) + c.ID[1:]
		}
	}
	for i := range cat.Monitors {
		m := &cat.Monitors[i]
		m.Key = m.ID
		if m.Interval == 0 {
			m.Interval = 10 * time.Second
		}
		if len(m.Locations) == 0 {
			m.Locations = []string{LocalLocation}
		}
		m.Kind = "http"
	}
	r.e = newEngine(saved{catalog: &cat}, r.now, r.id, func() { r.asks++ })
	r.e.tick(r.now, r.mono)
	return r
}

func (r *rig) id() string {
	r.ids++
	return fmt.Sprintf("id%06d", r.ids)
}

// pass lets time go by, second by second, as the sweep does.
func (r *rig) pass(d time.Duration) {
	for ; d > 0; d -= time.Second {
		step := min(d, time.Second)
		r.now, r.mono = r.now.Add(step), r.mono+step
		r.e.tick(r.now, r.mono)
		r.e.sweep(r.now)
	}
}

// see lets a monitor give a result now.
func (r *rig) see(monitor string, letter rune) { r.seeAt(monitor, LocalLocation, letter) }

func (r *rig) seeAt(monitor, location string, letter rune) {
	res := Result{Monitor: monitor, Location: location, Due: r.now, Started: r.now, Outcome: outcome(letter)}
	switch res.Outcome {
	case Failed:
		res.Cause, res.Reason = CauseNoAnswer, "dial tcp 192.0.2.7:443: connection refused by "+secretHost
	case Slow:
		res.Cause, res.Reason = CauseSlowAnswer, "2.3 s from "+secretHost
	}
	r.take(res)
}

func (r *rig) take(res Result) {
	r.e.tick(r.now, r.mono)
	r.e.take(&res, r.now, r.mono)
	r.e.settle(r.now)
}

// play gives one result of a monitor every ten seconds.
func (r *rig) play(monitor, letters string) {
	for _, l := range letters {
		r.see(monitor, l)
		r.pass(10 * time.Second)
	}
}

// flush writes the outbox into the book, as the recorder does with SQL.
func (r *rig) flush() {
	r.t.Helper()
	p := r.e.pack()
	for _, m := range p.moves {
		r.write(m)
	}
	r.said = append(r.said, p.decisions...)
	r.e.unpack(p, true)
}

func (r *rig) write(m packed) {
	r.t.Helper()
	key := m.component.def.Key
	list := r.book[m.track][key]
	if m.stored.ID != "" {
		last := len(list) - 1
		if last < 0 || list[last].ID != m.stored.ID || !list[last].Open() || m.stored.Version != 1 {
			r.t.Fatalf("%s %s: span %s version %d is not the open one of %+v", key, m.track, m.stored.ID, m.stored.Version, list)
		}
		if m.end.IsZero() {
			list = list[:last]
		} else {
			list[last].To = m.end
		}
	}
	r.book[m.track][key] = append(list, m.add...)
}

// line writes a timeline as a sentence: status letter and second at which it began.
func (r *rig) line(track Track, component string) string {
	r.t.Helper()
	for !r.e.outbox.empty() {
		r.flush()
	}
	spans := r.book[track][component]
	tiles(r.t, spans, at(0))
	var b strings.Builder
	for _, s := range spans {
		name := map[Status]string{NotMeasured: "?", Operational: "ok", Degraded: "slow", PartialOutage: "part", MajorOutage: "down", UnderMaintenance: "work"}[s.Status]
		fmt.Fprintf(&b, " %s@%d", name, int(s.From.Sub(at(0))/time.Second))
	}
	return strings.TrimSpace(b.String())
}

// tiles checks the invariant of a timeline: no gap, no overlap, one open end.
func tiles(t testing.TB, spans []Span, from time.Time) {
	t.Helper()
	if len(spans) == 0 {
		t.Fatal("a timeline without spans")
	}
	for i, s := range spans {
		if !s.From.Equal(from) {
			t.Fatalf("span %d begins %s, the one before ended %s: %+v", i, s.From, from, spans)
		}
		if s.Open() != (i == len(spans)-1) {
			t.Fatalf("span %d of %d open: %t", i, len(spans), s.Open())
		}
		if !s.Open() && !s.From.Before(s.To) {
			t.Fatalf("span %d lasts %s", i, s.To.Sub(s.From))
		}
		from = s.To
	}
}

func (r *rig) want(track Track, component, want string) {
	r.t.Helper()
	if got := r.line(track, component); got != want {
		r.t.Errorf("%s track of %s:\n got %s\nwant %s", track, component, got, want)
	}
}

// held gives the reasons for which decisions of a monitor were held, in order.
func (r *rig) held(monitor string) []string {
	for !r.e.outbox.empty() {
		r.flush()
	}
	var out []string
	for _, d := range r.said {
		if d.Monitor == monitor && d.Held != "" {
			out = append(out, d.Held)
		}
	}
	return out
}

func one(rule Rule) Catalog {
	return Catalog{Components: []Component{{ID: "web", Public: true}}, Monitors: []Monitor{{ID: "m", Component: "web", Rule: rule}}}
}

func TestEngineDatesOutageAndRecoveryBack(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.pass(5 * time.Second)
	r.play("m", "ggffffgg") // good at 5, 15; failed at 25…55; good at 65, 75
	for _, track := range []Track{Observed, Published} {
		r.want(track, "web", "?@0 ok@5 down@25 ok@65")
	}
	if len(r.said) != 2 || r.said[0].To != LevelDown || r.said[1].To != LevelUp {
		t.Fatalf("decisions %+v", r.said)
	}
	if !r.said[0].Effective.Equal(at(25)) || !r.said[0].At.Equal(at(35)) {
		t.Errorf("decided at %s, effective %s", r.said[0].At, r.said[0].Effective)
	}
}

func TestEngineWritesNothingForUnchangedResults(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "g")
	r.flush()
	r.play("m", "gggggggg")
	if !r.e.outbox.empty() {
		t.Error("good results of a monitor that is up left something to write")
	}
	r.play("m", "ff")
	r.flush()
	r.play("m", "ffffff")
	if !r.e.outbox.empty() {
		t.Error("failures of a monitor that is down left something to write")
	}
}

func TestEngineTwoMonitorsSomeDownAllDown(t *testing.T) {
	cat := Catalog{
		Components: []Component{{ID: "web", Public: true}},
		Monitors:   []Monitor{{ID: "a", Component: "web"}, {ID: "b", Component: "web", Rule: Rule{Confirm: 4}}},
	}
	r := newRig(t, cat)
	r.see("a", 'g')
	r.see("b", 'g')
	r.pass(10 * time.Second)
	r.see("b", 'f') // 10: b fails first, and is confirmed last
	r.pass(10 * time.Second)
	r.see("a", 'f') // 20
	r.see("b", 'f')
	r.pass(10 * time.Second)
	r.see("a", 'f') // 30: a is down since 20
	r.see("b", 'f')
	r.want(Observed, "web", "ok@0 part@20")
	r.pass(10 * time.Second)
	r.see("b", 'f') // 40: b is down since 10
	// What was written stands: SQL has partial from 20 on, so b's share from 10 cannot be told any more.
	r.want(Observed, "web", "ok@0 down@20")
}

func TestEngineBackDatedVerdictsKeepTheirOrder(t *testing.T) {
	cat := Catalog{
		Components: []Component{{ID: "web", Public: true}},
		Monitors:   []Monitor{{ID: "a", Component: "web"}, {ID: "b", Component: "web", Rule: Rule{Confirm: 4}}},
	}
	r := newRig(t, cat)
	r.see("a", 'g')
	r.see("b", 'g')
	r.flush()
	for i, letters := range []string{"gf", "ff", "ff", "gf"} { // nothing is written meanwhile
		r.pass(10 * time.Second)
		r.see("a", rune(letters[0]))
		r.see("b", rune(letters[1]))
		_ = i
	}
	// b is down since 10, a since 20: partial between, major after.
	r.want(Observed, "web", "ok@0 part@10 down@20")
	r.want(Published, "web", "ok@0 part@10 down@20")
}

// TestEngineSilenceIsNotMeasured: a probe that stops reporting is noticed (S1-21).
func TestEngineSilenceIsNotMeasured(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "gg") // 0, 10
	r.pass(3 * time.Minute)
	r.want(Observed, "web", "ok@0 ?@20")
	r.play("m", "g")
	r.want(Observed, "web", "ok@0 ?@20 ok@200")
}

func TestEngineInconclusiveIsNeverDowntime(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "giiiii") // 50 s without a conclusive result: still up
	r.want(Observed, "web", "ok@0")
	r.play("m", "iii") // more than a minute: nobody can tell
	r.want(Observed, "web", "ok@0 ?@10")
	v := r.e.monitors["m"].verdict()
	if v.Level != LevelUnknown || !strings.HasPrefix(v.Held, "inconclusive") {
		t.Errorf("verdict %+v", v)
	}
}

func TestEngineFlappingIsOneOutage(t *testing.T) {
	r := newRig(t, one(Rule{Confirm: 1, Recover: 1, FlapCount: 4, FlapWithin: 4 * time.Minute}))
	r.play("m", "gfgfgfgfgfgg") // changes at 10, 20, 30, 40: flapping from 40 on
	r.want(Observed, "web", "ok@0 down@10 ok@20 down@30")
	if !r.e.monitors["m"].verdict().Flapping {
		t.Error("not flapping after ten changes")
	}
	r.play("m", "ggggggg")
	r.want(Observed, "web", "ok@0 down@10 ok@20 down@30 ok@100")
	n := 0
	for _, h := range r.held("m") {
		if strings.HasPrefix(h, "flapping") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("flapping said %d times: %v", n, r.held("m"))
	}
}

func TestEngineQuorumOverLocations(t *testing.T) {
	cat := one(Rule{})
	cat.Monitors[0].Locations = []string{"east", "west", "north"}
	r := newRig(t, cat)
	all := func(letters string) {
		for i, loc := range cat.Monitors[0].Locations {
			if l := rune(letters[i]); l != '-' {
				r.seeAt("m", loc, l)
			}
		}
		r.pass(10 * time.Second)
	}
	all("ggg")
	all("fgg")
	all("fgg")
	r.want(Observed, "web", "ok@0")
	if h := r.held("m"); len(h) != 1 || !strings.HasPrefix(h[0], "quorum missing: 1 of 3") {
		t.Errorf("held: %v", h)
	}
	all("ffg")
	all("ffg")
	r.want(Observed, "web", "ok@0 down@30")
	all("gfg")
	all("gfg")
	r.want(Observed, "web", "ok@0 down@30 ok@50")
	// West goes silent: of the two that are left, one is no majority, two are.
	all("g-g")
	for range 4 {
		all("f-g")
	}
	r.want(Observed, "web", "ok@0 down@30 ok@50")
	all("f-f")
	all("f-f")
	r.want(Observed, "web", "ok@0 down@30 ok@50 down@120")
}

// TestEngineSuppressesByNeed: components know what they need (S1-20).
func TestEngineSuppressesByNeed(t *testing.T) {
	cat := Catalog{
		Components: []Component{{ID: "db", Name: "Database", Public: true}, {ID: "web", Public: true, Needs: []string{"db"}}},
		Monitors:   []Monitor{{ID: "d", Component: "db"}, {ID: "w", Component: "web"}},
	}
	r := newRig(t, cat)
	both := func(l rune) {
		r.see("d", l)
		r.see("w", l)
		r.pass(10 * time.Second)
	}
	both('g')
	both('f')
	both('f')
	// Monitoring goes on and the page tells the truth; only the alarm is held.
	r.want(Published, "web", "ok@0 down@10")
	if h := r.held("w"); !slices.Equal(h, []string{"suppressed: needs db, which is down"}) {
		t.Errorf("held: %v", h)
	}
	if h := r.held("d"); len(h) != 0 {
		t.Errorf("the cause itself is held: %v", h)
	}
	spans := r.book[Published]["web"]
	s := spans[len(spans)-1]
	if want := "Our checks have had no answer since 03:00 UTC, because Database, which it needs, is down."; s.Public != want {
		t.Errorf("public: %q, want %q", s.Public, want)
	}
	if s.Ref != "component/db" {
		t.Errorf("ref %q", s.Ref)
	}
	// Resolution is never suppressed.
	r.see("w", 'g')
	r.pass(10 * time.Second)
	r.see("w", 'g')
	r.want(Published, "web", "ok@0 down@10 ok@30")
	if h := r.held("w"); len(h) != 1 {
		t.Errorf("recovery is held: %v", h)
	}
}

func TestEngineNeverNamesAPrivateNeed(t *testing.T) {
	cat := Catalog{
		Components: []Component{{ID: "db", Name: "Ledger core"}, {ID: "web", Public: true, Needs: []string{"db"}}},
		Monitors:   []Monitor{{ID: "d", Component: "db"}, {ID: "w", Component: "web"}},
	}
	r := newRig(t, cat)
	for range 2 {
		r.see("d", 'f')
		r.see("w", 'f')
		r.pass(10 * time.Second)
	}
	r.line(Published, "web")
	s := r.book[Published]["web"][0]
	if want := "Our checks have had no answer since 03:00 UTC, because something it needs is down."; s.Public != want {
		t.Errorf("public: %q, want %q", s.Public, want)
	}
}

func TestRestartLeavesTheGapNotMeasured(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "ggff") // down since 20
	m := r.e.monitors["m"]
	streaks := []Streak{m.streak(&m.places[0])}
	r.line(Observed, "web")
	last := func(track Track) Span { l := r.book[track]["web"]; return l[len(l)-1] }
	open := []Span{last(Observed), last(Published)}
	for i := range open {
		open[i].Version = 1
	}
	r.now, r.mono = at(300), 0
	r.e = newEngine(saved{catalog: r.e.catalog, streaks: streaks, open: open, alive: at(45)}, r.now, r.id, func() {})
	r.e.tick(r.now, r.mono)
	r.want(Published, "web", "ok@0 down@20 ?@45")
	r.pass(10 * time.Second)
	r.see("m", 'g') // one good result does not end a saved outage
	r.want(Published, "web", "ok@0 down@20 ?@45 down@310")
	r.pass(10 * time.Second)
	r.see("m", 'g')
	r.want(Published, "web", "ok@0 down@20 ?@45 ok@310")
}

func TestRestartWaitsForWhatWasDown(t *testing.T) {
	cat := one(Rule{})
	cat.Monitors = append(cat.Monitors, Monitor{ID: "n", Component: "web"})
	r := newRig(t, cat)
	streaks := []Streak{{Monitor: "m", Location: LocalLocation, Level: LevelDown, Fails: 9}, {Monitor: "n", Location: LocalLocation, Level: LevelUp}}
	r.e = newEngine(saved{catalog: r.e.catalog, streaks: streaks}, r.now, r.id, func() {})
	r.see("n", 'g')
	r.want(Observed, "web", "?@0") // not operational for a moment
	r.pass(5 * time.Second)
	r.see("m", 'f')
	r.want(Observed, "web", "?@0 part@5")
}

func TestDefineKeepsStateOfWhatStays(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "gf")
	cat := *r.e.catalog
	cat.Monitors = slices.Clone(cat.Monitors)
	cat.Components = slices.Clone(cat.Components)
	cat.Monitors[0].Rule.Recover = 5
	cat.Components[0].ID, cat.Monitors[0].Component = "shop", "shop" // a rename keeps the key
	r.e.define(&cat, nil, r.now)
	r.play("m", "f")
	r.want(Observed, "web", "ok@0 down@10")
	// Removed: its timelines end as not measured; taken up again, they go on.
	r.e.define(&Catalog{}, nil, r.now)
	r.want(Published, "web", "ok@0 down@10 ?@30")
	if len(r.e.gone) != 0 {
		t.Errorf("%d removed components are still kept", len(r.e.gone))
	}
}
