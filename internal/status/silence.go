package status

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// MaxSilence bounds how long a silence lasts: who forgets one is not kept in
	// the dark by it.
	MaxSilence = 7 * 24 * time.Hour
	// MaxSilenced bounds what one silence names, and MaxSilences how many there
	// are at the same time.
	MaxSilenced = 100
	MaxSilences = 1000
	// silencesKept is how long one that is over is still listed.
	silencesKept = 24 * time.Hour
)

// Silence keeps alerts of components or monitors quiet for a while. It rests
// neither monitoring nor the page.
type Silence struct {
	ID         string
	Components []string // keys; a component's silence covers its monitors
	Monitors   []string // keys
	From, To   time.Time
	Reason     string
	By         string    // actor id
	EndedAt    time.Time // when it was ended before its time; zero = it was not
	EndedBy    string    // actor id
	Version    int64
}

// Over reports whether it holds no longer at a moment.
func (s Silence) Over(at time.Time) bool {
	return !at.Before(s.To) || !s.EndedAt.IsZero() && !at.Before(s.EndedAt)
}

// Holds reports whether it holds at a moment.
func (s Silence) Holds(at time.Time) bool { return !at.Before(s.From) && !s.Over(at) }

// Silence keeps alerts quiet. Components and Monitors are given by key, From
// zero means now; ID and By are filled in. Errors: Forbidden, Invalid
// (problem.Errors), NotFound, TooMany, Unavailable.
func (d *Desk) Silence(ctx context.Context, by access.Actor, s Silence) (Silence, error) {
	comps, err := d.silenced(s)
	if err != nil {
		return Silence{}, err
	}
	if err := allows(by, access.AlertSilence, comps...); err != nil {
		return Silence{}, err
	}
	now := d.now()
	s.From = later(s.From.UTC().Truncate(time.Microsecond), now)
	s.To = s.To.UTC().Truncate(time.Microsecond)
	s.Reason = strings.TrimSpace(s.Reason)
	var es problem.Errors
	if !s.From.Before(s.To) {
		es = append(es, problem.Invalid("to", "must lie ahead, and after from."))
	}
	if s.To.Sub(s.From) > MaxSilence || s.From.Sub(now) > MaxSilence {
		es = append(es, problem.Invalid("to", "alerts rest for %d days at most.", MaxSilence/(24*time.Hour)))
	}
	if e, ok := checkReason(s.Reason, true).(*problem.Error); ok {
		es = append(es, e)
	}
	if err := es.Err(); err != nil {
		return Silence{}, err
	}
	if held, err := d.store.Silences(ctx, now); err != nil {
		return Silence{}, err
	} else if len(held) >= MaxSilences {
		return Silence{}, problem.TooMany("There are %d silences already; end some first.", len(held))
	}
	s.ID, s.By, s.EndedAt, s.EndedBy, s.Version = journal.NewID(), by.ID, time.Time{}, "", 0
	err = d.work.Do(ctx, by.As(access.AlertSilence), func(tx journal.Tx) error {
		if err := d.store.PutSilence(ctx, tx, s); err != nil {
			return err
		}
		return appendAll(tx, s.entries("silenced", map[string]string{"until": s.To.Format(time.RFC3339)}))
	})
	if err != nil {
		return Silence{}, err
	}
	s.Version = 1
	d.keep(s)
	return s, nil
}

// Unsilence ends a silence now. Errors: Forbidden, NotFound, Conflict when it is
// over, Unavailable.
func (d *Desk) Unsilence(ctx context.Context, by access.Actor, id string) error {
	known, err := d.store.Silences(ctx, d.now().Add(-silencesKept))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(known, func(s Silence) bool { return s.ID == id })
	if i < 0 {
		return problem.NotFound("There is no silence %q.", id)
	}
	s := known[i]
	comps, err := d.silenced(s)
	if err != nil && problem.KindOf(err) != problem.KindNotFound { // what was removed meanwhile needs no right
		return err
	}
	if err := allows(by, access.AlertSilence, comps...); err != nil {
		return err
	}
	if s.Over(d.now()) {
		return problem.Conflict("This silence is over already.")
	}
	err = d.work.Do(ctx, by.As(access.AlertSilence), func(tx journal.Tx) error {
		s.EndedAt, s.EndedBy = tx.Now(), by.ID
		if err := d.store.PutSilence(ctx, tx, s); err != nil {
			return err
		}
		return appendAll(tx, s.entries("unsilenced", nil))
	})
	if err != nil {
		return err
	}
	s.Version++
	d.keep(s)
	return nil
}

// Silences lists the silences that hold or lie ahead, and those that ended
// within the last day, by start. Errors: Forbidden, Unavailable.
func (d *Desk) Silences(ctx context.Context, by access.Actor) ([]Silence, error) {
	if err := by.Check(access.ComponentRead); err != nil {
		return nil, err
	}
	return d.store.Silences(ctx, d.now().Add(-silencesKept))
}

// Silenced tells whether alerts of a component, by key, rest at a moment, and
// by what silence: its own that lasts longest, or, when each monitor that fails
// is silenced, the first of theirs to end. It is answered from memory.
func (d *Desk) Silenced(component string, at time.Time) (Silence, bool) {
	if s, ok := d.restful(at, func(s *Silence) bool { return slices.Contains(s.Components, component) }); ok {
		return s, true
	}
	return d.failQuietly(component, at)
}

// failQuietly tells whether all that fails of a component is silenced. What this
// process does not know to fail excuses nothing: somebody is told.
func (d *Desk) failQuietly(component string, at time.Time) (first Silence, ok bool) {
	cat := d.watch.Catalog()
	i := slices.IndexFunc(cat.Components, func(c Component) bool { return c.Key == component })
	if i < 0 {
		return first, false
	}
	for _, m := range cat.Monitors {
		if m.Component != cat.Components[i].ID {
			continue
		}
		if v, known := d.watch.Verdict(m.Key); !known || v.Level == LevelUp || v.Level == LevelUnknown {
			continue
		}
		s, quiet := d.MonitorSilenced(m.Key, component, at)
		if !quiet {
			return Silence{}, false
		}
		if !ok || s.To.Before(first.To) {
			first, ok = s, true
		}
	}
	return first, ok
}

// MonitorSilenced is Silenced for a monitor, by key, which rests with its
// component too.
func (d *Desk) MonitorSilenced(monitor, component string, at time.Time) (Silence, bool) {
	return d.restful(at, func(s *Silence) bool {
		return slices.Contains(s.Monitors, monitor) || slices.Contains(s.Components, component)
	})
}

func (d *Desk) restful(at time.Time, fits func(*Silence) bool) (found Silence, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for i := range d.silences {
		s := &d.silences[i]
		if s.Holds(at) && fits(s) && (!ok || s.To.After(found.To)) {
			found, ok = *s, true
		}
	}
	return found, ok
}

// keep makes a silence known at once in this process.
func (d *Desk) keep(s Silence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := slices.DeleteFunc(slices.Clone(d.silences), func(o Silence) bool { return o.ID == s.ID && o.Version <= s.Version })
	if !slices.ContainsFunc(kept, func(o Silence) bool { return o.ID == s.ID }) {
		kept = append(kept, s)
	}
	slices.SortFunc(kept, func(a, b Silence) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	d.silences = kept
}

// silenced gives the components that a silence touches, those of its monitors
// included. Errors: Invalid when it names nothing or too much, NotFound with
// those that are there.
func (d *Desk) silenced(s Silence) (comps []*Component, err error) {
	n := len(s.Components) + len(s.Monitors)
	switch {
	case n == 0:
		return nil, problem.Invalid("components", "must name at least one component or monitor.")
	case n > MaxSilenced:
		return nil, problem.Invalid("components", "one silence names %d components and monitors at most.", MaxSilenced)
	}
	cat := d.watch.Catalog()
	byID, byKey := map[string]*Component{}, map[string]*Component{}
	for i := range cat.Components {
		c := &cat.Components[i]
		byID[c.ID], byKey[c.Key] = c, c
	}
	for _, key := range s.Components {
		if c := byKey[key]; c != nil {
			comps = append(comps, c)
		} else {
			err = problem.NotFound("There is no component %q.", key)
		}
	}
	for _, key := range s.Monitors {
		i := slices.IndexFunc(cat.Monitors, func(m Monitor) bool { return m.Key == key })
		switch {
		case i < 0:
			err = problem.NotFound("There is no monitor %q.", key)
		case byID[cat.Monitors[i].Component] != nil: // a sentinel has none
			comps = append(comps, byID[cat.Monitors[i].Component])
		}
	}
	return comps, err
}

// entries gives one journal entry for each thing that the silence names.
func (s Silence) entries(what string, facts map[string]string) []journal.Entry {
	var out []journal.Entry
	add := func(kind, key string) {
		e := journal.Entry{
			Verb: kind + "." + what, Subject: journal.Ref{Kind: kind, ID: key}, Audience: journal.AudienceStaff,
			Payload: map[string]string{"silence": s.ID},
		}
		for k, v := range facts {
			e.Payload[k] = v
		}
		out = append(out, e)
	}
	for _, key := range s.Components {
		add("component", key)
	}
	for _, key := range s.Monitors {
		add("monitor", key)
	}
	return out
}
