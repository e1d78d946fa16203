package statustest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// desk is the part of the tables that people write by hand.
type desk struct {
	sayings    map[string]status.Saying
	holds      map[string]status.Hold
	silences   map[string]status.Silence
	amendments map[string]status.Amendment
	documents  map[string]status.Document // by kind/id
}

func newDesk() desk {
	return desk{
		sayings: map[string]status.Saying{}, holds: map[string]status.Hold{}, silences: map[string]status.Silence{},
		amendments: map[string]status.Amendment{}, documents: map[string]status.Document{},
	}
}

func (d desk) clone() desk {
	return desk{
		sayings: maps.Clone(d.sayings), holds: maps.Clone(d.holds), silences: maps.Clone(d.silences),
		amendments: maps.Clone(d.amendments), documents: maps.Clone(d.documents),
	}
}

// picked gives the rows that fit, in order.
func picked[T any](rows map[string]T, fits func(T) bool, order func(a, b T) int) []T {
	var out []T
	for _, r := range rows {
		if fits(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, order)
	return out
}

// Windows gives the windows that are defined now.
func (s *Store) Windows(context.Context) ([]status.Window, error) {
	return read(s, s.windowsNow)
}

func (s *Store) windowsNow() []status.Window {
	return picked(s.windows, func(w status.Window) bool { return w.RemovedAt.IsZero() },
		func(a, b status.Window) int { return cmp.Compare(a.ID, b.ID) })
}

// Planned gives windows and occurrences at one moment.
func (s *Store) Planned(_ context.Context, from time.Time) ([]status.Window, []status.Occurrence, error) {
	var windows []status.Window
	known, err := read(s, func() []status.Occurrence {
		windows = s.windowsNow()
		return s.touching(from, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	})
	return windows, known, err
}

// Occurrence gives one.
func (s *Store) Occurrence(_ context.Context, id string) (status.Occurrence, error) {
	var there bool
	o, err := read(s, func() (o status.Occurrence) { o, there = s.occurrences[id]; return o })
	if err == nil && !there {
		err = problem.NotFound("there is no maintenance %q", id)
	}
	return o, err
}

// OccurrencesOf gives those of one window.
func (s *Store) OccurrencesOf(_ context.Context, window string) ([]status.Occurrence, error) {
	return read(s, func() []status.Occurrence {
		return picked(s.occurrences, func(o status.Occurrence) bool { return o.Window == window },
			func(a, b status.Occurrence) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	})
}

// Sayings gives those that hold.
func (s *Store) Sayings(context.Context) ([]status.Saying, error) {
	return read(s, func() []status.Saying {
		return picked(s.sayings, func(x status.Saying) bool { return x.EndedAt.IsZero() },
			func(a, b status.Saying) int {
				return cmp.Or(cmp.Compare(a.Component, b.Component), a.From.Compare(b.From), cmp.Compare(a.ID, b.ID))
			})
	})
}

// PutSaying inserts or updates.
func (s *Store) PutSaying(_ context.Context, _ journal.Tx, x status.Saying) error {
	v := x.Version
	x.Version++
	return put(s.sayings, x.ID, x, &v, func(x status.Saying) int64 { return x.Version })
}

// Holds gives those that hold at a moment.
func (s *Store) Holds(_ context.Context, at time.Time) ([]status.Hold, error) {
	return read(s, func() []status.Hold {
		return picked(s.holds, func(h status.Hold) bool { return h.Until.After(at) },
			func(a, b status.Hold) int { return cmp.Compare(a.Component, b.Component) })
	})
}

// PutHold inserts or updates.
func (s *Store) PutHold(_ context.Context, _ journal.Tx, h status.Hold) error {
	v := h.Version
	h.Version++
	return put(s.holds, h.Component, h, &v, func(h status.Hold) int64 { return h.Version })
}

// Silences gives those that end after a moment.
func (s *Store) Silences(_ context.Context, after time.Time) ([]status.Silence, error) {
	return read(s, func() []status.Silence {
		return picked(s.silences, func(x status.Silence) bool {
			return x.To.After(after) && (x.EndedAt.IsZero() || x.EndedAt.After(after))
		}, func(a, b status.Silence) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	})
}

// PutSilence inserts or updates.
func (s *Store) PutSilence(_ context.Context, _ journal.Tx, x status.Silence) error {
	v := x.Version
	x.Version++
	return put(s.silences, x.ID, x, &v, func(x status.Silence) int64 { return x.Version })
}

// Amendments gives the newest first.
func (s *Store) Amendments(_ context.Context, component string, limit int) ([]status.Amendment, error) {
	return read(s, func() []status.Amendment {
		all := picked(s.amendments, func(a status.Amendment) bool { return component == "" || a.Component == component },
			func(a, b status.Amendment) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
		return all[:min(limit, len(all))]
	})
}

// Amendment gives one.
func (s *Store) Amendment(_ context.Context, id string) (status.Amendment, error) {
	var there bool
	a, err := read(s, func() (a status.Amendment) { a, there = s.amendments[id]; return a })
	if err == nil && !there {
		err = problem.NotFound("there is no correction %q", id)
	}
	return a, err
}

// PutAmendment inserts or updates.
func (s *Store) PutAmendment(_ context.Context, _ journal.Tx, a status.Amendment) error {
	v := a.Version
	a.Version++
	return put(s.amendments, a.ID, a, &v, func(a status.Amendment) int64 { return a.Version })
}

// SpansInside is Spans inside a unit of work, which runs alone.
func (s *Store) SpansInside(_ context.Context, _ journal.Tx, component string, track status.Track, from, to time.Time) ([]status.Span, error) {
	return s.sorted(func(sp status.Span) bool {
		return sp.Component == component && sp.Track == track && sp.From.Before(to) && (sp.Open() || sp.To.After(from))
	}), nil
}

// OrderPast has nothing to do: units of work run alone.
func (s *Store) OrderPast(context.Context, journal.Tx, string) error { return nil }

// MonthsInside is Months inside a unit of work.
func (s *Store) MonthsInside(_ context.Context, _ journal.Tx, component string) ([]status.Month, error) {
	var out []status.Month
	for _, m := range s.months {
		if m.Component == component {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b status.Month) int { return cmp.Compare(a.Month, b.Month) })
	return out, nil
}

// ReplaceSpan puts ended spans in the place of one that has ended.
func (s *Store) ReplaceSpan(_ context.Context, _ journal.Tx, id string, version int64, with []status.Span) error {
	old, there := s.spans[id]
	if !there || old.Open() || old.Version != version {
		return problem.Conflict("span %s has not ended at version %d", id, version)
	}
	delete(s.spans, id)
	at := old.From
	for _, sp := range with {
		if !sp.From.Equal(at) || !sp.To.After(sp.From) {
			return problem.Internal(nil, "the spans do not tile")
		}
		at, sp.Version = sp.To, 1
		s.spans[sp.ID] = sp
	}
	if !at.Equal(old.To) {
		return problem.Internal(nil, "the spans do not tile")
	}
	return nil
}

// Documents gives what was defined in the console.
func (s *Store) Documents(context.Context) ([]status.Document, error) {
	return read(s, func() []status.Document {
		return picked(s.documents, func(status.Document) bool { return true },
			func(a, b status.Document) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	})
}

// PutDocument inserts or updates.
func (s *Store) PutDocument(_ context.Context, _ journal.Tx, d status.Document) error {
	v := d.Version
	d.Version++
	return put(s.documents, d.Kind+"/"+d.ID, d, &v, func(d status.Document) int64 { return d.Version })
}

// DropDocument deletes.
func (s *Store) DropDocument(_ context.Context, _ journal.Tx, kind, id string, version int64) error {
	if d, there := s.documents[kind+"/"+id]; !there || d.Version != version {
		return problem.Conflict("%s %s was changed by somebody else", kind, id)
	}
	delete(s.documents, kind+"/"+id)
	return nil
}

// pruneDesk deletes what has been over since before a moment: at most limit of each.
func (s *Store) pruneDesk(before time.Time, limit int) (n int) {
	silences, sayings := limit, limit
	for id, x := range s.silences {
		if silences > 0 && x.To.Before(before) {
			delete(s.silences, id)
			silences--
		}
	}
	for id, x := range s.sayings {
		if sayings > 0 && !x.EndedAt.IsZero() && x.EndedAt.Before(before) {
			delete(s.sayings, id)
			sayings--
		}
	}
	return 2*limit - silences - sayings
}
