package latency

import (
	"cmp"
	"context"
	"slices"
	"time"

	"evenkeel/internal/status"
)

// hourGrid is one hour of a series, unpacked.
type hourGrid struct {
	interval time.Duration
	hour     int64
	words    []uint32                  // one for each slot of the hour
	values   []uint32                  // parallel; nil without values
	phases   [status.PhaseCount]uint64 // µs
	timed    uint32
}

// Samples gives what is kept of one monitor and location.
func (r *Recorder) Samples(ctx context.Context, q status.SampleQuery) ([]status.Sample, error) {
	grids, err := r.grids(ctx, q)
	if err != nil || len(grids) == 0 {
		return nil, err
	}
	count := 0
	for i := range grids {
		for _, w := range grids[i].words {
			if w&slotPresent != 0 {
				count++
			}
		}
	}
	samples := make([]status.Sample, 0, count)
	for i := range grids {
		g := &grids[i]
		due := time.UnixMilli(g.hour * hourMillis).UTC()
		for slot, w := range g.words {
			if w&slotPresent != 0 && !due.Before(q.From) && due.Before(q.To) {
				s := status.Sample{Due: due, Latency: slotLatency(w), Outcome: outcomeOf(w)}
				if slot < len(g.values) {
					s.Value, s.HasValue = unpackValue(g.values[slot])
				}
				samples = append(samples, s)
			}
			due = due.Add(g.interval)
		}
	}
	if mixed(grids) {
		slices.SortStableFunc(samples, func(a, b status.Sample) int { return a.Due.Compare(b.Due) })
	}
	return samples, nil
}

// mixed reports whether more than one interval is among the grids, whose slots
// may then interleave within an hour.
func mixed(grids []hourGrid) bool {
	return slices.ContainsFunc(grids, func(g hourGrid) bool { return g.interval != grids[0].interval })
}

// Hours gives each whole UTC hour that has samples.
func (r *Recorder) Hours(ctx context.Context, q status.SampleQuery) ([]status.Hour, error) {
	whole := q
	whole.From = q.From.Add(time.Hour - 1).Truncate(time.Hour)
	whole.To = q.To.Truncate(time.Hour)
	grids, err := r.grids(ctx, whole)
	if err != nil {
		return nil, err
	}
	hours := make([]status.Hour, 0, len(grids))
	for i := range grids {
		start := time.UnixMilli(grids[i].hour * hourMillis).UTC()
		if n := len(hours); n == 0 || !hours[n-1].Start.Equal(start) {
			hours = append(hours, status.Hour{Start: start})
		}
		grids[i].addTo(&hours[len(hours)-1])
	}
	return slices.DeleteFunc(hours, func(h status.Hour) bool { return h.Outcomes == [4]uint32{} }), nil
}

// addTo counts a grid's samples. Only answers count as latency: how long a
// refused or timed-out run took says nothing about the service's speed.
func (g *hourGrid) addTo(h *status.Hour) {
	for slot, w := range g.words {
		if w&slotPresent == 0 {
			continue
		}
		o := outcomeOf(w)
		h.Outcomes[o]++
		if units := w & slotUnits; units > 0 && (o == status.OK || o == status.Slow) {
			h.Histogram.AddUnits(units)
		}
		if slot < len(g.values) {
			if v, ok := unpackValue(g.values[slot]); ok {
				h.Values.Add(v)
			}
		}
	}
	h.Timed += g.timed
	for p, us := range g.phases {
		h.Phases[p] += time.Duration(us) * time.Microsecond
	}
}

// grids gives the hours of a query that hold anything, by hour then interval:
// what the shelf has, and over it what is not saved yet.
func (r *Recorder) grids(ctx context.Context, q status.SampleQuery) ([]hourGrid, error) {
	q.Interval = min(max(q.Interval.Truncate(time.Millisecond), MinInterval), MaxInterval)
	now := r.now()
	if oldest := now.Add(-r.keep).Truncate(time.Hour); q.From.Before(oldest) {
		q.From = oldest
	}
	if newest := now.Add(MaxAhead + time.Hour); q.To.After(newest) {
		q.To = newest
	}
	if !q.From.Before(q.To) || !usable(q.Monitor, q.Location, q.Interval) {
		return nil, nil
	}
	if h := r.Health(); !h.OK {
		return nil, unavailable(nil)
	}
	from, to := q.From.UnixMilli()/hourMillis, (q.To.UnixMilli()-1)/hourMillis
	// First what is not saved: the other way round a save in between would hide samples.
	fresh := r.fresh(q, from, to)
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	grids, err := r.shelf.hours(ctx, q, from, to)
	if err != nil {
		return nil, unavailable(err)
	}
	for _, f := range fresh {
		at := slices.IndexFunc(grids, func(g hourGrid) bool { return g.hour == f.hour && g.interval == f.interval })
		if at < 0 {
			grids = append(grids, f)
			continue
		}
		grids[at].over(&f)
	}
	slices.SortFunc(grids, func(a, b hourGrid) int {
		return cmp.Or(cmp.Compare(a.hour, b.hour), cmp.Compare(a.interval, b.interval))
	})
	return grids, nil
}

// fresh copies the unsaved blocks of a query.
func (r *Recorder) fresh(q status.SampleQuery, from, to int64) []hourGrid {
	r.mu.Lock()
	defer r.mu.Unlock()
	var grids []hourGrid
	for s := r.table.byName[name{q.Monitor, q.Location}]; s != nil; s = s.next {
		for _, b := range s.blocks {
			if len(b.words) > 0 && b.hour >= from && b.hour <= to {
				grids = append(grids, b.grid(s.interval))
			}
		}
	}
	return grids
}

// grid copies a block.
func (b *block) grid(interval time.Duration) hourGrid {
	g := newGrid(interval, b.hour)
	copy(g.words[b.first:], b.words)
	if len(b.values) > 0 {
		g.values = make([]uint32, len(g.words))
		copy(g.values[b.first:], b.values)
	}
	g.phases, g.timed = b.phases, b.timed
	return g
}

func newGrid(interval time.Duration, hour int64) hourGrid {
	return hourGrid{interval: interval, hour: hour, words: make([]uint32, hourSlots(interval))}
}

// over lays the samples of o over g and adds its phases.
func (g *hourGrid) over(o *hourGrid) {
	if o.values != nil && g.values == nil {
		g.values = make([]uint32, len(g.words))
	}
	for slot, w := range o.words {
		if w&slotPresent == 0 {
			continue
		}
		g.words[slot] = w
		if g.values != nil {
			g.values[slot] = 0
			if o.values != nil {
				g.values[slot] = o.values[slot]
			}
		}
	}
	for p := range g.phases {
		g.phases[p] += o.phases[p]
	}
	g.timed += o.timed
}
