package ticket

import "time"

// enter puts the ticket into a state.
func (t *Ticket) enter(s State, now time.Time) {
	if s == t.State {
		return
	}
	t.State = s
	switch s {
	case Solved:
		t.SolvedAt, t.ClosedAt = now, time.Time{}
	case Closed:
		if t.SolvedAt.IsZero() {
			t.SolvedAt = now
		}
		t.ClosedAt = now
	default:
		t.SolvedAt, t.ClosedAt = time.Time{}, time.Time{}
	}
	if s.Over() {
		t.SnoozedUntil = time.Time{}
	}
}

// wind sets the clocks of the ticket after a change: which promise comes next and
// when, and when the desk must look again by itself.
func (t *Ticket) wind(s *Setup, now time.Time) {
	p := s.promise(t)
	var hours *Hours
	if p != nil {
		hours = p.Hours
	}
	t.rest(hours, now)
	due, clock := t.next(p)
	if !due.Equal(t.DueAt) || clock != t.Due {
		t.DueAt, t.Due, t.WarnedAt, t.Overdue = due, clock, time.Time{}, false
	}
	t.WakeAt = time.Time{}
	sooner := func(at time.Time) {
		if !at.IsZero() && (t.WakeAt.IsZero() || at.Before(t.WakeAt)) {
			t.WakeAt = at
		}
	}
	sooner(t.SnoozedUntil)
	if !t.DueAt.IsZero() {
		if t.WarnedAt.IsZero() && p.Warn > 0 && !t.Overdue {
			sooner(t.DueAt.Add(-p.Warn))
		}
		if !t.Overdue {
			sooner(t.DueAt)
		}
	}
	if t.State == Solved && t.MergedInto == "" {
		sooner(t.SolvedAt.Add(s.closeAfter()))
	}
}

// rest notes whether the clocks rest, and adds up how long they did.
func (t *Ticket) rest(hours *Hours, now time.Time) {
	resting := t.State != New && t.State != Open || t.SnoozedUntil.After(now)
	switch {
	case resting && t.RestingSince.IsZero():
		t.RestingSince = now
	case !resting && !t.RestingSince.IsZero():
		t.Rested += hours.Between(t.RestingSince, now)
		if from := t.RestingSince; !t.UnheardAt.IsZero() {
			if t.UnheardAt.After(from) {
				from = t.UnheardAt
			}
			t.RestedUnheard += hours.Between(from, now)
		}
		t.RestingSince = time.Time{}
	}
	if t.UnheardAt.IsZero() {
		t.RestedUnheard = 0
	}
}

// next gives the promise that must be kept next; none while the clocks rest.
func (t *Ticket) next(p *Promise) (at time.Time, clock Clock) {
	if p == nil || !t.RestingSince.IsZero() {
		return time.Time{}, NoClock
	}
	sooner := func(c Clock, from time.Time, within, rested time.Duration) {
		if within <= 0 || from.IsZero() {
			return
		}
		if due := p.Hours.After(from, within+rested).UTC().Truncate(time.Microsecond); at.IsZero() || due.Before(at) {
			at, clock = due, c
		}
	}
	if t.FirstReplyAt.IsZero() {
		if t.Unheard > 0 {
			sooner(FirstReply, t.CreatedAt, p.FirstReply, t.Rested)
		}
	} else {
		sooner(NextReply, t.UnheardAt, p.NextReply, t.RestedUnheard)
	}
	sooner(Solution, t.CreatedAt, p.Solution, t.Rested)
	return at, clock
}

// closeAfter gives how long a solved ticket stays open to doubt.
func (s *Setup) closeAfter() time.Duration {
	if s.CloseAfter > 0 {
		return s.CloseAfter
	}
	return DefaultCloseAfter
}

// reopenWithin gives how long a reply reopens a closed ticket.
func (s *Setup) reopenWithin() time.Duration {
	if s.ReopenWithin > 0 {
		return s.ReopenWithin
	}
	return DefaultReopenWithin
}
