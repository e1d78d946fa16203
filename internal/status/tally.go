package status

import "time"

// TallyOf tells how long each status held within [from, to). The spans are of
// one component and track, in order. Time that no span covers is unmeasured,
// and where spans overlap the earlier one counts, so that the fields always
// sum to exactly to-from: zero when to is not after from.
func TallyOf(spans []Span, from, to time.Time) Tally {
	var t Tally
	at := from
	for _, s := range spans {
		if !at.Before(to) {
			return t
		}
		end := to
		if !s.Open() && s.To.Before(to) {
			end = s.To
		}
		start := at
		if s.From.After(at) {
			start = s.From
		}
		if !start.Before(end) {
			continue
		}
		t.Unmeasured += start.Sub(at)
		*t.of(s.Status) += end.Sub(start)
		at = end
	}
	if at.Before(to) {
		t.Unmeasured += to.Sub(at)
	}
	return t
}

// of gives the field in which time in the status is counted.
func (t *Tally) of(s Status) *time.Duration {
	switch s {
	case Operational:
		return &t.Up
	case Degraded:
		return &t.Degraded
	case PartialOutage:
		return &t.Partial
	case MajorOutage:
		return &t.Major
	case UnderMaintenance:
		return &t.Maintenance
	default:
		return &t.Unmeasured
	}
}

// Add gives the sum of two tallies, field by field.
func (t Tally) Add(u Tally) Tally {
	return Tally{
		Up: t.Up + u.Up, Degraded: t.Degraded + u.Degraded, Partial: t.Partial + u.Partial,
		Major: t.Major + u.Major, Maintenance: t.Maintenance + u.Maintenance, Unmeasured: t.Unmeasured + u.Unmeasured,
	}
}

// times gives the tally with every field multiplied: by -1 what takes it back.
func (t Tally) times(n time.Duration) Tally {
	return Tally{
		Up: t.Up * n, Degraded: t.Degraded * n, Partial: t.Partial * n,
		Major: t.Major * n, Maintenance: t.Maintenance * n, Unmeasured: t.Unmeasured * n,
	}
}

// Total is the length of the window the tally was taken over.
func (t Tally) Total() time.Duration { return t.Watched() + t.Maintenance + t.Unmeasured }

// Watched is the time that uptime is measured over: maintenance and what was
// not measured are left out of both sides.
func (t Tally) Watched() time.Duration { return t.Up + t.Degraded + t.Partial + t.Major }

// Outage is the time in partial and major outage, unweighted.
func (t Tally) Outage() time.Duration { return t.Partial + t.Major }

// negative reports whether any field is below zero.
func (t Tally) negative() bool {
	return min(t.Up, t.Degraded, t.Partial, t.Major, t.Maintenance, t.Unmeasured) < 0
}
