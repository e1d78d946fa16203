package status

import (
	"slices"
	"time"
)

// MaxTail bounds how many spans of one component and track wait for SQL. Beyond
// it the two shortest neighbours become one, so that a database that is away
// for long costs detail, never order, nor the present.
const MaxTail = 64

// ledger is the end of one timeline: the open span as SQL has it, what is with
// SQL right now, and what followed since. The tail may be cut and dated back
// freely. What was handed over stands, because a commit may succeed without our
// hearing of it: only its last, open span may still end, or be replaced whole.
type ledger struct {
	stored Span   // the open span in SQL; ID "" when there is none yet
	flight []Span // handed over, outcome not known; the last is open
	tail   []Span // ordered, tiling on from what is before; the last is open
}

// base gives the open span that SQL has, or will have.
func (l *ledger) base() Span {
	if n := len(l.flight); n > 0 {
		return l.flight[n-1]
	}
	return l.stored
}

// open gives the span that runs now.
func (l *ledger) open() Span {
	if n := len(l.tail); n > 0 {
		return l.tail[n-1]
	}
	return l.base()
}

// status gives the status that holds now.
func (l *ledger) status() Status {
	if s := l.open().Status; s != "" {
		return s
	}
	return NotMeasured
}

// splice lets the timeline go on with next from next.From, which may lie in the
// past. Spans of the tail that begin at or after that moment never were; the
// one it falls into ends there. It gives the span as it entered the ledger, and
// whether anything changed.
func (l *ledger) splice(next Span) (Span, bool) {
	dropped := false
	for n := len(l.tail); n > 0 && !l.tail[n-1].From.Before(next.From); n = len(l.tail) {
		if n == 1 && l.base().ID == "" {
			break // the beginning of time stays where it is
		}
		l.tail, dropped = l.tail[:n-1], true
		if n > 1 {
			l.tail[n-2].To = time.Time{}
		}
	}
	open := l.open()
	cut := Splice(open, next)
	if cut.Empty() {
		return open, dropped
	}
	if n := len(l.tail); n > 0 && cut.Drop != nil {
		l.tail = l.tail[:n-1]
	} else if n > 0 && cut.End != nil {
		l.tail[n-1].To = cut.End.To
	}
	l.tail = append(l.tail, *cut.Open)
	l.thin()
	return *cut.Open, true
}

// thin joins the shortest neighbours of a tail that grew too long. The pair
// keeps the worse status, so that no outage is lost.
func (l *ledger) thin() {
	for len(l.tail) > MaxTail {
		best := 0
		for i := 1; i < len(l.tail)-2; i++ {
			if l.pairLasts(i) < l.pairLasts(best) {
				best = i
			}
		}
		pair := l.tail[best]
		if l.tail[best+1].Status.Worse(pair.Status) {
			pair = l.tail[best+1]
		}
		pair.From, pair.To = l.tail[best].From, l.tail[best+1].To
		l.tail[best] = pair
		l.tail = slices.Delete(l.tail, best+1, best+2)
	}
}

// pairLasts is how long an ended span of the tail and its ended follower last together.
func (l *ledger) pairLasts(i int) time.Duration { return l.tail[i+1].To.Sub(l.tail[i].From) }

// pending reports whether there is something to hand over.
func (l *ledger) pending() bool { return len(l.tail) > 0 && len(l.flight) == 0 }

// handover is what SQL must do to catch up with one ledger.
type handover struct {
	stored Span      // drop or end this; ID "" for nothing
	end    time.Time // zero: drop
	add    []Span
}

// hand gives what SQL must do. It holds until settle.
func (l *ledger) hand() handover {
	h := handover{stored: l.stored, add: l.tail}
	if first := l.tail[0].From; first.After(l.stored.From) {
		h.end = first
	}
	l.flight, l.tail = l.tail, nil
	return h
}

// settle ends a hand-over: what was handed over is in SQL, where a new span has
// version 1, or it waits for the next one.
func (l *ledger) settle(ok bool) {
	flight := l.flight
	l.flight = nil
	if ok {
		l.stored = flight[len(flight)-1]
		l.stored.Version = 1
		return
	}
	if len(l.tail) == 0 {
		l.tail = flight
		return
	}
	flight = slices.Clone(flight)
	if last := len(flight) - 1; l.tail[0].From.After(flight[last].From) {
		flight[last].To = l.tail[0].From
	} else {
		flight = flight[:last]
	}
	l.tail = append(flight, l.tail...)
	l.thin()
}

// adopt takes what SQL really has for the open span, after a hand-over whose
// outcome was in doubt. What of the tail is there already leaves it.
func (l *ledger) adopt(stored Span) {
	l.stored = stored
	if i := slices.IndexFunc(l.tail, func(s Span) bool { return s.ID == stored.ID }); i >= 0 {
		l.tail = slices.Clone(l.tail[i+1:])
		return
	}
	for len(l.tail) > 1 && !l.tail[1].From.After(stored.From) {
		l.tail = l.tail[1:]
	}
	if len(l.tail) > 0 && l.tail[0].From.Before(stored.From) {
		l.tail[0].From = stored.From
	}
}
