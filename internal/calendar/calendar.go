// Package calendar knows recurrence and calendar files: it expands RFC 5545
// rules in IANA time zones and writes iCalendar. It knows nothing of
// maintenance, components or pages; whoever writes a rule may be hostile, so
// everything is bounded.
package calendar

import (
	"sync"
	"time"

	"evenkeel/internal/problem"
)

// Calendar expands recurring rules. It keeps the zones it has loaded and is
// safe for concurrent use.
type Calendar struct {
	mu    sync.Mutex
	zones map[string]*time.Location
}

// New makes a Calendar.
func New() *Calendar { return &Calendar{zones: map[string]*time.Location{}} }

// StartLayout is how the local first start of a recurring window is written.
const StartLayout = "2006-01-02T15:04"

// Between gives the starts of a rule that lie in [from, to), in order, UTC. The
// rule is an RFC 5545 RRULE without DTSTART, anchored at start (StartLayout) as
// clocks in zone show it. A time that clocks skip counts by the offset before
// the change, one that they show twice counts the first time (RFC 5545, 3.3.5).
// Errors: Invalid, with field rrule, zone or start.
func (c *Calendar) Between(rule, zone, start string, from, to time.Time) ([]time.Time, error) {
	r, err := c.read(rule, zone, start)
	if err != nil {
		return nil, err
	}
	return r.between(from, to)
}

// Check tells whether a rule can be expanded, will happen at least once within
// FirstWithin of its start, and ends before it happens again when each time
// lasts so long. Errors: Invalid as Between gives them.
func Check(rule, zone, start string, lasts time.Duration) error {
	r, err := New().read(rule, zone, start)
	if err != nil {
		return err
	}
	return r.happens(lasts)
}

// location loads a zone once. The machine's own zone is refused: what it is
// differs from machine to machine.
func (c *Calendar) location(zone string) (*time.Location, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if loc := c.zones[zone]; loc != nil {
		return loc, nil
	}
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return nil, problem.Invalid("zone", "%q is not an IANA time zone such as Europe/Berlin.", zone)
	}
	c.zones[zone] = loc
	return loc, nil
}

// wallClock gives what clocks in loc show at t, as a UTC time.
func wallClock(t time.Time, loc *time.Location) time.Time {
	_, offset := t.In(loc).Zone()
	return t.Add(time.Duration(offset) * time.Second).UTC()
}

// instant gives the moment at which clocks in loc show wall. Of two such
// moments it is the first; where clocks skip wall, the offset before counts.
func instant(wall time.Time, loc *time.Location) time.Time {
	at := func(around time.Time) time.Time {
		_, offset := around.In(loc).Zone()
		return wall.Add(-time.Duration(offset) * time.Second)
	}
	// A day earlier the offset is the one before any change at hand.
	before := at(wall.Add(-24 * time.Hour))
	if wallClock(before, loc).Equal(wall) {
		return before
	}
	if after := at(before); wallClock(after, loc).Equal(wall) {
		return after
	}
	return before
}
