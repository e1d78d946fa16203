package status

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// boardDays is how far back the board keeps spans and maintenance: the bars,
	// and two days for zones and a clock that stands back.
	boardDays = BarDays + 2
	// maxTouched is how many components are read one by one; beyond it all are
	// read at once.
	maxTouched = 50
)

// BoardDeps is what a Board stands on. What is planned stands in the record, so
// it needs no calendar.
type BoardDeps struct {
	Store      Store
	Latency    Latency
	Incidents  Incidents  // nil = none
	Amendments Amendments // nil = none
	Log        *slog.Logger
}

// Board is the read model of the public pages. Page is answered from memory
// alone and is a pure function of the record and the minute, so that every
// replica gives the same. All methods are safe for concurrent use.
type Board struct {
	store   Store
	latency Latency
	told    Incidents
	amended Amendments
	log     *slog.Logger

	reading sync.Mutex // one Load or Follow at a time

	mu     sync.Mutex // guards what follows
	seq    int64
	from   time.Time // what ended before it is not kept
	plan   layout
	strips map[string]*strip // by component key; public ones alone
	works  []Occurrence      // by start
	days   *days             // of the last page's day; nil before the first
	lines  map[string]line   // by component key; never written after

	incidents      incidents  // by id; never written after
	shownIncidents []Incident // of them, as the page tells them: newest start first; never written after
}

// NewBoard makes a Board that knows nothing yet: Load comes first.
func NewBoard(d BoardDeps) *Board {
	return &Board{
		store: d.Store, latency: d.Latency, told: d.Incidents, amended: d.Amendments, log: d.Log,
		strips: map[string]*strip{}, plan: layoutOf(&Catalog{}),
	}
}

// layout is the catalog as the page shows it.
type layout struct {
	catalog *Catalog           // without monitors
	drawn   map[string][]drawn // by component ID
	zone    *time.Location
	groups  []Group // shown groups in order; the first has ID "" and holds those without one
	members [][]*Component
	public  map[string]*Component // by ID
	byKey   map[string]*Component // the same by key
}

// layoutOf puts public components under their groups, in the order of the file.
// A zone that cannot be loaded was refused when it was applied; UTC then stands in.
func layoutOf(c *Catalog) layout {
	l := layout{catalog: &Catalog{Site: c.Site, Groups: c.Groups, Components: c.Components}, drawn: drawnOf(c), zone: time.UTC, public: map[string]*Component{}, byKey: map[string]*Component{}}
	if zone, err := time.LoadLocation(c.Site.Zone); err == nil {
		l.zone = zone
	}
	l.groups = append([]Group{{}}, c.Groups...)
	slices.SortStableFunc(l.groups[1:], func(a, b Group) int { return a.Position - b.Position })
	l.members = make([][]*Component, len(l.groups))
	place := make(map[string]int, len(l.groups))
	for i, g := range l.groups {
		place[g.ID] = i
	}
	comps := make([]*Component, 0, len(c.Components))
	for i := range c.Components {
		if c.Components[i].Public {
			comps = append(comps, &c.Components[i])
		}
	}
	slices.SortStableFunc(comps, func(a, b *Component) int { return a.Position - b.Position })
	for _, x := range comps {
		at := place[x.Group] // a group that is not defined counts as none
		l.members[at] = append(l.members[at], x)
		l.public[x.ID], l.byKey[x.Key] = x, x
	}
	return l
}

// Begin lets the board show a definition that is about to be applied to an empty
// record: everything that it names, and that nothing was measured yet. Load
// comes when it is applied.
func (b *Board) Begin(def Definition, now time.Time) {
	cat := Catalog{Site: def.Site}
	for _, g := range def.Groups {
		g.Key, g.CreatedAt = g.ID, now
		cat.Groups = append(cat.Groups, g.Group)
	}
	for _, c := range def.Components {
		c.Key, c.CreatedAt = c.ID, now
		cat.Components = append(cat.Components, c.Component)
	}
	next := &Board{plan: layoutOf(&cat), strips: map[string]*strip{}}
	for _, c := range next.plan.public {
		next.strips[c.Key] = &strip{}
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	b.take(next)
}

// Load reads everything from SQL: the state at journal position seq or a little
// later. Errors: Unavailable; the board is as before then.
func (b *Board) Load(ctx context.Context, seq int64) (err error) {
	defer problem.Wrap(&err, "load the board")
	b.reading.Lock()
	defer b.reading.Unlock()
	// The board has no clock of its own; the last sign of life is never later
	// than now, and zero when nothing was recorded yet.
	alive, err := b.store.Alive(ctx)
	if err != nil {
		return err
	}
	from := time.Time{}
	if !alive.IsZero() {
		from = alive.AddDate(0, 0, -boardDays)
	}
	next := &Board{from: from, strips: map[string]*strip{}, seq: seq}
	if err := b.readCatalog(ctx, next); err != nil {
		return err
	}
	if err := b.readAll(ctx, next); err != nil {
		return err
	}
	if err := b.readWorks(ctx, next); err != nil {
		return err
	}
	if err := b.readIncidents(ctx, next); err != nil {
		return err
	}
	b.take(next)
	return nil
}

// Follow takes sealed entries and reads again what they touch, no more. Errors:
// Unavailable; the board is as before then, and the entries may come again.
func (b *Board) Follow(ctx context.Context, entries []journal.Sealed) (err error) {
	defer problem.Wrap(&err, "follow the journal")
	if len(entries) == 0 {
		return nil
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	touched := touchedBy(entries)
	next := b.copy()
	next.seq = entries[len(entries)-1].Seq
	if touched.catalog {
		if err := b.readCatalog(ctx, next); err != nil {
			return err
		}
	}
	var keys []string
	for _, c := range next.plan.public {
		if touched.components[c.Key] || next.strips[c.Key] == nil {
			keys = append(keys, c.Key)
		}
	}
	slices.Sort(keys)
	if len(keys) > maxTouched {
		err = b.readAll(ctx, next)
	} else {
		err = b.readSome(ctx, next, keys)
	}
	if err != nil {
		return err
	}
	if touched.works {
		if err := b.readWorks(ctx, next); err != nil {
			return err
		}
	}
	if err := b.rereadIncidents(ctx, next, touched.incidents); err != nil {
		return err
	}
	b.take(next)
	return nil
}

// touched is what entries make out of date.
type touched struct {
	catalog, works bool
	components     map[string]bool      // keys whose spans changed
	incidents      map[string]time.Time // ids; see rereadIncidents
}

// touchedBy tells what entries make out of date. Verbs that are not known here
// are taken by their subject, so that a new one shows too.
func touchedBy(entries []journal.Sealed) touched {
	t := touched{components: map[string]bool{}, incidents: map[string]time.Time{}}
	for i := range entries {
		e := &entries[i]
		if t.touchIncident(e) {
			continue
		}
		switch {
		case strings.HasPrefix(e.Verb, "month."): // frozen months are read when they are asked for
		case e.Verb == "component.moved":
			if e.Payload["track"] == string(Published) {
				t.components[e.Subject.ID] = true
			}
		case e.Subject.Kind == "component":
			t.catalog = true
			t.components[e.Subject.ID] = true
		case e.Subject.Kind == "maintenance":
			t.works = true
		case e.Subject.Kind == "setup", e.Subject.Kind == "group", e.Subject.Kind == "monitor":
			t.catalog = true
		}
	}
	return t
}

// copy gives a board to read into, with strips of its own. Stints are never
// changed in place, so they are shared.
func (b *Board) copy() *Board {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := &Board{seq: b.seq, from: b.from, plan: b.plan, works: b.works, incidents: b.incidents, strips: make(map[string]*strip, len(b.strips))}
	for key, s := range b.strips {
		kept := *s
		next.strips[key] = &kept
	}
	return next
}

// take makes what was read the truth. Strips of components that are no longer
// shown go.
func (b *Board) take(next *Board) {
	strips := make(map[string]*strip, len(next.plan.public))
	for _, c := range next.plan.public {
		s := next.strips[c.Key]
		s.component = c
		strips[c.Key] = s
	}
	shown := next.plan.arrange(next.incidents)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq, b.from, b.plan, b.strips, b.works = next.seq, next.from, next.plan, strips, next.works
	b.incidents, b.shownIncidents = next.incidents, shown
}

// readCatalog reads what is defined.
func (b *Board) readCatalog(ctx context.Context, next *Board) error {
	c, err := b.store.Catalog(ctx, false)
	if err != nil {
		return err
	}
	next.plan = layoutOf(&c)
	return nil
}

// readAll reads the published spans of every component.
func (b *Board) readAll(ctx context.Context, next *Board) error {
	spans, err := b.store.AllSpans(ctx, Published, next.from)
	if err != nil {
		return err
	}
	of := make(map[string][]stint, len(next.plan.public))
	for len(spans) > 0 {
		key, n := spans[0].Component, 1
		for n < len(spans) && spans[n].Component == key {
			n++
		}
		of[key] = stintsOf(spans[:n])
		spans = spans[n:]
	}
	for _, c := range next.plan.public {
		next.strips[c.Key] = &strip{component: c, stints: of[c.Key]}
	}
	return nil
}

// readSome reads the published spans of a few components.
func (b *Board) readSome(ctx context.Context, next *Board, keys []string) error {
	for _, key := range keys {
		spans, err := b.store.Spans(ctx, key, Published, next.from, endOfTime)
		if err != nil {
			return err
		}
		next.strips[key] = &strip{stints: stintsOf(spans)}
	}
	return nil
}

// stintsOf takes from spans what the board keeps.
func stintsOf(spans []Span) []stint {
	stints := make([]stint, len(spans))
	for i := range spans {
		stints[i] = stintOf(spans[i])
	}
	return stints
}

// readWorks reads maintenance, from the oldest day that is shown to the end of time.
func (b *Board) readWorks(ctx context.Context, next *Board) error {
	works, err := b.store.Occurrences(ctx, next.from, endOfTime)
	if err != nil {
		return err
	}
	next.works = works
	return nil
}

// Refresh is the minute tick: it lets go of what is too old to be shown, and
// reads the latency lines. Errors: Unavailable when samples cannot be read; the
// page then has no lines, and everything else as ever.
func (b *Board) Refresh(ctx context.Context, now time.Time) error {
	b.forget(now)
	lines, err := b.readLines(ctx, now.UTC())
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = lines
	return err
}

// forget lets go of what ended before the days that are shown.
func (b *Board) forget(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	from := now.UTC().AddDate(0, 0, -boardDays)
	if !from.After(b.from) {
		return
	}
	b.from = from
	for _, s := range b.strips {
		s.forget(from.UnixMicro())
	}
	b.works = slices.DeleteFunc(slices.Clone(b.works), func(o Occurrence) bool {
		return o.Over() && o.To.Before(from) && o.EndedAt.Before(from)
	})
	old := func(i *Incident) bool { return i.ended() <= from.UnixMicro() }
	b.incidents = maps.Clone(b.incidents)
	maps.DeleteFunc(b.incidents, func(_ string, i Incident) bool { return old(&i) })
	b.shownIncidents = slices.DeleteFunc(slices.Clone(b.shownIncidents), func(i Incident) bool { return old(&i) })
}

// Page builds the front page of the minute of now, from memory.
func (b *Board) Page(now time.Time) *Page {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.build(minuteOf(now))
}

// minuteOf is the moment that pages of a minute are made for, so that it does
// not matter when in it a replica makes them.
func minuteOf(now time.Time) time.Time { return now.UTC().Truncate(time.Minute) }

// Uptime tells how the time of a component, by ID, public or not, divides
// within [from, to), and its uptime; NaN when nothing was measured. Errors:
// NotFound, Invalid, Unavailable.
func (b *Board) Uptime(ctx context.Context, component string, from, to time.Time) (Tally, float64, error) {
	if !from.Before(to) {
		return Tally{}, math.NaN(), problem.Invalid("to", "must be after from.")
	}
	b.mu.Lock()
	plan := b.plan
	b.mu.Unlock()
	i := slices.IndexFunc(plan.catalog.Components, func(c Component) bool { return c.ID == component })
	if i < 0 {
		return Tally{}, math.NaN(), problem.NotFound("There is no component %q.", component)
	}
	spans, err := b.store.Spans(ctx, plan.catalog.Components[i].Key, Published, from, to)
	if err != nil {
		return Tally{}, math.NaN(), err
	}
	t := TallyOf(spans, from, to)
	return t, Uptime(t, plan.catalog.Site.Weights), nil
}
