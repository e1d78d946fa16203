package console

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// Limits of what is kept of the record.
const (
	// rollFresh is how old what was read may be when nothing was heard of a
	// change: another process may write what this one follows a moment later.
	rollFresh = 10 * time.Second
	// catalogFresh is the same for what is defined, which changes seldom.
	catalogFresh = time.Minute
	// MaxRecent is how many entries are kept for "Changed".
	MaxRecent = 400
	// recentFor is how far back they are looked at.
	recentFor = 2 * time.Hour
)

// standing is one component with where it stands on both tracks.
type standing struct {
	status.Component
	Observed  status.Span
	Published status.Span
	Monitors  []*status.Monitor
}

// Status is what the page says.
func (s *standing) Status() status.Status { return s.Published.Status }

// Differs reports whether the page says something else than checks see, where
// neither maintenance nor a person explains it.
func (s *standing) Differs() bool {
	return s.Observed.Status != s.Published.Status && s.Published.Origin != status.ByMaintenance && s.Published.Origin != status.BySystem &&
		s.Observed.Status != status.NotMeasured
}

// state is the record of watching at one moment. It is never written after it
// was made, so that every page may read it.
type state struct {
	at         time.Time
	catalog    status.Catalog
	zone       *time.Location
	components []*standing // by position
	byKey      map[string]*standing
	byID       map[string]*standing
	monitors   map[string]*status.Monitor // by ID
	groups     []status.Group             // by position
}

// roll is what this process keeps of the record for pages: read anew after an
// entry that touches it, and never by two at a time.
type roll struct {
	record  Record
	journal Journal
	now     func() time.Time

	reading sync.Mutex // one reading at a time
	mu      sync.Mutex // guards what follows
	held    *state
	stale   bool             // the spans that are kept are out of date
	defined bool             // so is what is defined
	read    time.Time        // when what is defined was read
	recent  []journal.Sealed // the newest last
	begun   bool             // recent was filled from the journal
}

func newRoll(d Deps) *roll {
	return &roll{record: d.Record, journal: d.Journal, now: d.Now, stale: true, defined: true}
}

// follow marks what entries touch and remembers them.
func (r *roll) follow(entries []journal.Sealed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		switch e.Subject.Kind {
		case "component":
			r.stale = true
			r.defined = r.defined || e.Verb != "component.moved"
		case "monitor", "group", "setup", "definition":
			r.stale, r.defined = true, true
		}
	}
	r.recent = append(r.recent, entries...)
	if over := len(r.recent) - MaxRecent; over > 0 {
		r.recent = slices.Delete(r.recent, 0, over)
	}
}

// state gives what is known, read anew when it is out of date. When the record
// cannot be read, what was known before is given with its age. Errors:
// Unavailable when nothing was ever read.
func (r *roll) state(ctx context.Context) (*state, error) {
	if s := r.fresh(); s != nil {
		return s, nil
	}
	r.reading.Lock()
	defer r.reading.Unlock()
	if s := r.fresh(); s != nil { // somebody else read it meanwhile
		return s, nil
	}
	now := r.now()
	r.mu.Lock()
	defined := r.defined || r.held == nil || now.Sub(r.read) >= catalogFresh
	r.stale, r.defined = false, false // before reading: what comes during it marks it again
	before := r.held
	r.mu.Unlock()
	s, err := r.take(ctx, before, defined, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.stale, r.defined = true, r.defined || defined
		if r.held != nil {
			return r.held, nil
		}
		return nil, err
	}
	if r.held = s; defined {
		r.read = now
	}
	return s, nil
}

// fresh gives what is kept when it is good enough.
func (r *roll) fresh() *state {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held != nil && !r.stale && r.now().Sub(r.held.at) < rollFresh {
		return r.held
	}
	return nil
}

// take reads the open spans, and what is defined when that is out of date too.
func (r *roll) take(ctx context.Context, before *state, defined bool, now time.Time) (*state, error) {
	var cat status.Catalog
	if defined {
		var err error
		if cat, err = r.record.Catalog(ctx, false); err != nil {
			return nil, err
		}
	} else {
		cat = before.catalog
	}
	open, err := r.record.OpenSpans(ctx)
	if err != nil {
		return nil, err
	}
	return stateOf(cat, open, now), nil
}

// stateOf puts the catalog and the open spans together.
func stateOf(cat status.Catalog, open []status.Span, now time.Time) *state {
	s := &state{
		at: now, catalog: cat, zone: time.UTC, byKey: make(map[string]*standing, len(cat.Components)), byID: make(map[string]*standing, len(cat.Components)),
		monitors: make(map[string]*status.Monitor, len(cat.Monitors)), groups: slices.Clone(cat.Groups),
	}
	if zone, err := time.LoadLocation(cat.Site.Zone); err == nil {
		s.zone = zone
	}
	slices.SortStableFunc(s.groups, func(a, b status.Group) int { return cmp.Compare(a.Position, b.Position) })
	blank := status.Span{Status: status.NotMeasured, Origin: status.BySystem}
	for _, c := range cat.Components {
		one := &standing{Component: c, Observed: blank, Published: blank}
		s.components = append(s.components, one)
		s.byKey[c.Key], s.byID[c.ID] = one, one
	}
	slices.SortStableFunc(s.components, func(a, b *standing) int { return cmp.Compare(a.Position, b.Position) })
	for _, span := range open {
		one := s.byKey[span.Component]
		switch {
		case one == nil: // removed, its end not yet written
		case span.Track == status.Observed:
			one.Observed = span
		default:
			one.Published = span
		}
	}
	for i := range cat.Monitors {
		m := &s.catalog.Monitors[i]
		s.monitors[m.ID] = m
		if one := s.byID[m.Component]; one != nil && !m.Sentinel {
			one.Monitors = append(one.Monitors, m)
		}
	}
	return s
}

// zone gives the page's zone as far as it is known.
func (r *roll) zone() *time.Location {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held != nil {
		return r.held.zone
	}
	return time.UTC
}

// changes gives what was recorded in the last two hours, newest first. At first
// it is read from the journal.
func (r *roll) changes(ctx context.Context) []journal.Sealed {
	r.mu.Lock()
	begun := r.begun
	r.begun = true
	r.mu.Unlock()
	if !begun && r.journal != nil {
		if seq, _, err := r.journal.Head(ctx); err == nil {
			if old, err := r.journal.After(ctx, max(seq-MaxRecent, 0), MaxRecent); err == nil {
				r.remember(old)
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	from := r.now().Add(-recentFor)
	var out []journal.Sealed
	for i := len(r.recent) - 1; i >= 0 && r.recent[i].RecordedAt.After(from); i-- {
		out = append(out, r.recent[i])
	}
	return out
}

// remember puts older entries before those that were followed.
func (r *roll) remember(old []journal.Sealed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.recent) > 0 {
		first := r.recent[0].Seq
		old = slices.DeleteFunc(old, func(e journal.Sealed) bool { return e.Seq >= first })
	}
	r.recent = append(slices.Clone(old), r.recent...)
}

// forget lets the next page read the record anew: this process has just changed it.
func (r *roll) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale, r.defined = true, true
}
