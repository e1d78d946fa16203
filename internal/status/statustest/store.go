// Package statustest holds in-memory engines behind the ports of the status
// wing, faithful enough to drive a whole Watch in virtual time: units of work
// are atomic, versions are compared and swapped, leases fence. It is for tests
// only and knows nothing of the wing's insides.
package statustest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Store is status.Store and journal.Work in memory.
type Store struct {
	mu      sync.Mutex
	now     func() time.Time
	away    bool
	silent  bool // the next commit succeeds, but nobody hears of it
	epoch   int64
	commits int
	tables
}

// tables is what a unit of work changes as a whole.
type tables struct {
	site        status.Site
	groups      map[string]status.Group
	components  map[string]status.Component
	monitors    map[string]status.Monitor
	marks       map[string]string
	windows     map[string]status.Window
	streaks     map[[2]string]status.Streak
	spans       map[string]status.Span
	decisions   map[string]status.Decision
	occurrences map[string]status.Occurrence
	alive       time.Time
	months      map[[2]string]status.Month
	days        map[[3]string]status.DayRow
	pings       []status.Ping
	entries     []journal.Entry
	desk
}

// New makes an empty store whose units of work happen at now.
func New(now func() time.Time) *Store {
	return &Store{now: now, epoch: 1, tables: tables{
		groups: map[string]status.Group{}, components: map[string]status.Component{}, monitors: map[string]status.Monitor{},
		marks: map[string]string{}, windows: map[string]status.Window{}, streaks: map[[2]string]status.Streak{},
		spans: map[string]status.Span{}, decisions: map[string]status.Decision{}, occurrences: map[string]status.Occurrence{},
		months: map[[2]string]status.Month{}, days: map[[3]string]status.DayRow{}, desk: newDesk(),
	}}
}

func (t tables) clone() tables {
	t.groups, t.components, t.monitors = maps.Clone(t.groups), maps.Clone(t.components), maps.Clone(t.monitors)
	t.marks, t.windows, t.streaks = maps.Clone(t.marks), maps.Clone(t.windows), maps.Clone(t.streaks)
	t.spans, t.decisions, t.occurrences = maps.Clone(t.spans), maps.Clone(t.decisions), maps.Clone(t.occurrences)
	t.months, t.days = maps.Clone(t.months), maps.Clone(t.days)
	t.pings, t.entries = slices.Clone(t.pings), slices.Clone(t.entries)
	t.desk = t.desk.clone()
	return t
}

// GoAway makes every call fail as Unavailable until it is back.
func (s *Store) GoAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// LoseAnswer makes the next commit succeed without its caller hearing of it.
func (s *Store) LoseAnswer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = true
}

// Lease gives the lease as it is held now; Usurp gives it to somebody else.
func (s *Store) Lease() journal.Lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return journal.Lease{Name: "watch", Holder: "test", Epoch: s.epoch}
}

// Usurp makes the lease given out before worthless.
func (s *Store) Usurp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
}

// Commits tells how many units of work were committed.
func (s *Store) Commits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commits
}

// Entries gives the journal so far.
func (s *Store) Entries() []journal.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries)
}

type tx struct {
	s  *Store
	by access.Actor
	at time.Time
}

func (t *tx) Now() time.Time { return t.at }

func (t *tx) Append(e journal.Entry) error {
	e, err := e.Complete(t.by, t.at)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(t.s.entries, func(o journal.Entry) bool { return o.ID == e.ID }) {
		return problem.Conflict("entry %s is there already", e.ID)
	}
	t.s.entries = append(t.s.entries, e)
	return nil
}

func (t *tx) Fence(l journal.Lease) error {
	if l.Epoch != t.s.epoch {
		return problem.Conflict("another process took over %s", l.Name)
	}
	return nil
}

var errAway = problem.Unavailable(errors.New("connection refused"), "the database is away")

// Do runs a unit of work alone; on an error nothing of it remains.
func (s *Store) Do(ctx context.Context, by access.Actor, fn func(journal.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away || ctx.Err() != nil {
		return errAway
	}
	before := s.tables.clone()
	if err := fn(&tx{s: s, by: by, at: s.now().UTC().Truncate(time.Microsecond)}); err != nil {
		s.tables = before
		return err
	}
	s.commits++
	if s.silent {
		s.silent = false
		return errAway
	}
	return nil
}

// read runs fn on committed state.
func read[T any](s *Store, fn func() T) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		var none T
		return none, errAway
	}
	return fn(), nil
}

// put is the compare-and-swap of every versioned row.
func put[T any](rows map[string]T, key string, row T, version *int64, stored func(T) int64) error {
	old, there := rows[key]
	if *version == 0 && there || *version != 0 && (!there || stored(old) != *version) {
		return problem.Conflict("%s was changed by somebody else", key)
	}
	*version++
	rows[key] = row
	return nil
}

// Catalog gives what is defined.
func (s *Store) Catalog(_ context.Context, all bool) (status.Catalog, error) {
	return read(s, func() status.Catalog {
		c := status.Catalog{Site: s.site}
		for _, g := range s.groups {
			if all || g.RemovedAt.IsZero() {
				c.Groups = append(c.Groups, g)
			}
		}
		for _, x := range s.components {
			if all || x.RemovedAt.IsZero() {
				c.Components = append(c.Components, x)
			}
		}
		for _, m := range s.monitors {
			if all || m.RemovedAt.IsZero() {
				c.Monitors = append(c.Monitors, m)
			}
		}
		for _, w := range s.windows {
			if all || w.RemovedAt.IsZero() {
				c.Windows = append(c.Windows, w)
			}
		}
		slices.SortFunc(c.Groups, func(a, b status.Group) int { return cmp.Or(a.Position-b.Position, cmp.Compare(a.Key, b.Key)) })
		slices.SortFunc(c.Components, func(a, b status.Component) int {
			return cmp.Or(a.Position-b.Position, cmp.Compare(a.Key, b.Key))
		})
		slices.SortFunc(c.Monitors, func(a, b status.Monitor) int { return cmp.Compare(a.Key, b.Key) })
		slices.SortFunc(c.Windows, func(a, b status.Window) int { return cmp.Compare(a.Key, b.Key) })
		return c
	})
}

// PutSite replaces what the page says about itself.
func (s *Store) PutSite(_ context.Context, _ journal.Tx, site status.Site) error {
	s.site = site
	return nil
}

// PutGroup inserts or updates.
func (s *Store) PutGroup(_ context.Context, _ journal.Tx, g status.Group) error {
	v := g.Version
	g.Version++
	return put(s.groups, g.Key, g, &v, func(g status.Group) int64 { return g.Version })
}

// PutComponent inserts or updates.
func (s *Store) PutComponent(_ context.Context, _ journal.Tx, c status.Component) error {
	v := c.Version
	c.Version++
	return put(s.components, c.Key, c, &v, func(c status.Component) int64 { return c.Version })
}

// PutMonitor inserts or updates.
func (s *Store) PutMonitor(_ context.Context, _ journal.Tx, m status.Monitor, mark string) error {
	v := m.Version
	m.Version++
	s.marks[m.Key] = mark
	return put(s.monitors, m.Key, m, &v, func(m status.Monitor) int64 { return m.Version })
}

// PutWindow inserts or updates.
func (s *Store) PutWindow(_ context.Context, _ journal.Tx, w status.Window) error {
	v := w.Version
	w.Version++
	return put(s.windows, w.Key, w, &v, func(w status.Window) int64 { return w.Version })
}

// Marks gives the marks of monitors by key.
func (s *Store) Marks(context.Context) (map[string]string, error) {
	return read(s, func() map[string]string { return maps.Clone(s.marks) })
}

// Streaks gives every saved streak.
func (s *Store) Streaks(context.Context) ([]status.Streak, error) {
	return read(s, func() []status.Streak { return slices.Collect(maps.Values(s.streaks)) })
}

// PutStreaks replaces streaks.
func (s *Store) PutStreaks(_ context.Context, _ journal.Tx, ss []status.Streak) error {
	for _, st := range ss {
		s.streaks[[2]string{st.Monitor, st.Location}] = st
	}
	return nil
}

// sorted gives the spans that fn keeps, by component and time.
func (s *Store) sorted(fn func(status.Span) bool) []status.Span {
	var out []status.Span
	for _, sp := range s.spans {
		if fn(sp) {
			out = append(out, sp)
		}
	}
	slices.SortFunc(out, func(a, b status.Span) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Track, b.Track), a.From.Compare(b.From))
	})
	return out
}

// OpenSpans gives the open span of every component in both tracks.
func (s *Store) OpenSpans(context.Context) ([]status.Span, error) {
	return read(s, func() []status.Span { return s.sorted(status.Span.Open) })
}

// Spans gives the spans of one component and track that touch [from, to).
func (s *Store) Spans(_ context.Context, component string, track status.Track, from, to time.Time) ([]status.Span, error) {
	return read(s, func() []status.Span {
		return s.sorted(func(sp status.Span) bool {
			return sp.Component == component && sp.Track == track && sp.From.Before(to) && (sp.Open() || sp.To.After(from))
		})
	})
}

// AllSpans gives the spans of a track that end after from.
func (s *Store) AllSpans(_ context.Context, track status.Track, from time.Time) ([]status.Span, error) {
	return read(s, func() []status.Span {
		return s.sorted(func(sp status.Span) bool { return sp.Track == track && (sp.Open() || sp.To.After(from)) })
	})
}

// AddSpan inserts; one open span a component and track.
func (s *Store) AddSpan(_ context.Context, _ journal.Tx, sp status.Span) error {
	if _, there := s.spans[sp.ID]; there {
		return problem.Conflict("span %s is there already", sp.ID)
	}
	for _, o := range s.spans {
		if sp.Open() && o.Open() && o.Component == sp.Component && o.Track == sp.Track {
			return problem.Conflict("%s has an open span already", sp.Component)
		}
	}
	sp.Version = 1
	s.spans[sp.ID] = sp
	return nil
}

func (s *Store) openAt(id string, version int64) (status.Span, error) {
	sp, there := s.spans[id]
	if !there || !sp.Open() || sp.Version != version {
		return sp, problem.Conflict("span %s is not open at version %d", id, version)
	}
	return sp, nil
}

// EndSpan ends an open span.
func (s *Store) EndSpan(_ context.Context, _ journal.Tx, id string, version int64, to time.Time) error {
	sp, err := s.openAt(id, version)
	if err != nil {
		return err
	}
	sp.To = to
	sp.Version++
	s.spans[id] = sp
	return nil
}

// DropSpan deletes an open span.
func (s *Store) DropSpan(_ context.Context, _ journal.Tx, id string, version int64) error {
	if _, err := s.openAt(id, version); err != nil {
		return err
	}
	delete(s.spans, id)
	return nil
}

// AddDecision inserts.
func (s *Store) AddDecision(_ context.Context, _ journal.Tx, d status.Decision) error {
	if _, there := s.decisions[d.ID]; there {
		return problem.Conflict("decision %s is there already", d.ID)
	}
	s.decisions[d.ID] = d
	return nil
}

// Decisions gives the newest first.
func (s *Store) Decisions(_ context.Context, monitor string, limit int) ([]status.Decision, error) {
	return read(s, func() []status.Decision {
		var out []status.Decision
		for _, d := range s.decisions {
			if d.Monitor == monitor {
				out = append(out, d)
			}
		}
		slices.SortFunc(out, func(a, b status.Decision) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
		return out[:min(limit, len(out))]
	})
}

// Occurrences gives maintenance that touches [from, to), by start.
func (s *Store) Occurrences(_ context.Context, from, to time.Time) ([]status.Occurrence, error) {
	return read(s, func() []status.Occurrence { return s.touching(from, to) })
}

func (s *Store) touching(from, to time.Time) []status.Occurrence {
	return picked(s.occurrences, func(o status.Occurrence) bool {
		began := o.From.Before(to) || !o.StartedAt.IsZero() && o.StartedAt.Before(to)
		lasts := o.State == status.MaintenanceInProgress || o.State == status.MaintenanceVerifying
		return began && (o.To.After(from) || o.EndedAt.After(from) || lasts)
	}, func(a, b status.Occurrence) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
}

// PutOccurrence inserts or updates.
func (s *Store) PutOccurrence(_ context.Context, _ journal.Tx, o status.Occurrence) error {
	v := o.Version
	o.Version++
	return put(s.occurrences, o.ID, o, &v, func(o status.Occurrence) int64 { return o.Version })
}

// Alive is the last sign of life.
func (s *Store) Alive(context.Context) (time.Time, error) {
	return read(s, func() time.Time { return s.alive })
}

// PutAlive moves it.
func (s *Store) PutAlive(_ context.Context, _ journal.Tx, at time.Time) error {
	s.alive = at
	return nil
}

// Months gives frozen months, oldest first.
func (s *Store) Months(_ context.Context, component string) ([]status.Month, error) {
	return read(s, func() []status.Month {
		var out []status.Month
		for _, m := range s.months {
			if component == "" || m.Component == component {
				out = append(out, m)
			}
		}
		slices.SortFunc(out, func(a, b status.Month) int {
			return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Month, b.Month))
		})
		return out
	})
}

// PutMonth freezes a month once.
func (s *Store) PutMonth(_ context.Context, _ journal.Tx, m status.Month) error {
	key := [2]string{m.Component, m.Month}
	if _, there := s.months[key]; there {
		return problem.Conflict("%s is frozen already", m.Month)
	}
	s.months[key] = m
	return nil
}

// AddCorrection adds to a frozen month.
func (s *Store) AddCorrection(_ context.Context, _ journal.Tx, c status.Correction) error {
	key := [2]string{c.Component, c.Month}
	m, there := s.months[key]
	if !there {
		return problem.NotFound("%s is not frozen", c.Month)
	}
	m.Corrections = append(slices.Clone(m.Corrections), c)
	s.months[key] = m
	return nil
}

// PutDay replaces a day row.
func (s *Store) PutDay(_ context.Context, _ journal.Tx, d status.DayRow) error {
	s.days[[3]string{d.Monitor, d.Location, d.Day.Format(time.DateOnly)}] = d
	return nil
}

// Days gives day rows with from <= day < to.
func (s *Store) Days(_ context.Context, monitor string, from, to time.Time) ([]status.DayRow, error) {
	return read(s, func() []status.DayRow {
		var out []status.DayRow
		for _, d := range s.days {
			if d.Monitor == monitor && !d.Day.Before(from) && d.Day.Before(to) {
				out = append(out, d)
			}
		}
		slices.SortFunc(out, func(a, b status.DayRow) int {
			return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Location, b.Location))
		})
		return out
	})
}

// AddPing records a ping.
func (s *Store) AddPing(_ context.Context, _ journal.Tx, p status.Ping) error {
	s.pings = append(s.pings, p)
	return nil
}

// LastPings gives the newest of each signal of each monitor.
func (s *Store) LastPings(context.Context) ([]status.Ping, error) {
	return read(s, func() []status.Ping {
		last := map[string]status.Ping{}
		for _, p := range s.pings {
			if k := p.Monitor + " " + string(p.Signal); last[k].At.Before(p.At) {
				last[k] = p
			}
		}
		return slices.Collect(maps.Values(last))
	})
}

// Prune deletes what is older than its limit.
func (s *Store) Prune(_ context.Context, _ journal.Tx, before status.PruneBefore, limit int) (int, error) {
	n := 0
	for id, sp := range s.spans {
		if n < limit && !sp.Open() && sp.To.Before(before.Spans) {
			delete(s.spans, id)
			n++
		}
	}
	for id, d := range s.decisions {
		if n < 2*limit && d.At.Before(before.Decisions) {
			delete(s.decisions, id)
			n++
		}
	}
	return n + s.pruneDesk(before.Decisions, limit), nil
}

var (
	_ status.DeskStore = (*Store)(nil)
	_ journal.Work     = (*Store)(nil)
)
