package ticket

import (
	"slices"
	"time"

	"evenkeel/internal/problem"
)

// Hours are the working hours of a week in one zone, without the holidays. The
// clocks of tickets run in them alone.
type Hours struct {
	zone     *time.Location
	week     [7][]Span // Sunday first
	holidays map[string]bool
}

// Span is a stretch of a day, in minutes from its midnight: [From, To), up to 1440.
type Span struct{ From, To int }

// daysAhead bounds how far working time is counted.
const daysAhead = 5 * 366

// minutesOfDay is where a Span ends at the latest.
const minutesOfDay = 24 * 60

// NewHours makes working hours: an IANA zone, the spans of each weekday, Sunday
// first, and holidays as 2006-01-02. Errors: Invalid.
func NewHours(zone string, week [7][]Span, holidays []string) (*Hours, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return nil, problem.Invalid("zone", "%q is not an IANA time zone such as Europe/Berlin.", zone)
	}
	h := &Hours{zone: loc, holidays: make(map[string]bool, len(holidays))}
	some := false
	for day, spans := range week {
		spans = slices.Clone(spans)
		slices.SortFunc(spans, func(a, b Span) int { return a.From - b.From })
		for i, s := range spans {
			if s.From < 0 || s.To > minutesOfDay || s.From >= s.To || i > 0 && s.From < spans[i-1].To {
				return nil, problem.Invalid("hours", "The hours of one day must follow one another.")
			}
			some = true
		}
		h.week[day] = spans
	}
	if !some {
		return nil, problem.Invalid("hours", "There must be some working hours.")
	}
	for _, day := range holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return nil, problem.Invalid("holidays", "%q is no day like 2026-12-25.", day)
		}
		h.holidays[day] = true
	}
	return h, nil
}

// stretches hands the working stretches that end after from to fn, in order,
// until it gives false. Where clocks change, they are what clocks show.
func (h *Hours) stretches(from time.Time, fn func(start, end time.Time) bool) {
	y, m, d := from.In(h.zone).Date()
	for n := range daysAhead {
		noon := time.Date(y, m, d+n, 12, 0, 0, 0, h.zone) // midnight may be missing
		if h.holidays[noon.Format(time.DateOnly)] {
			continue
		}
		for _, s := range h.week[noon.Weekday()] {
			start := time.Date(y, m, d+n, 0, s.From, 0, 0, h.zone)
			end := time.Date(y, m, d+n, 0, s.To, 0, 0, h.zone)
			if start.Before(from) {
				start = from
			}
			if end.After(start) && !fn(start, end) {
				return
			}
		}
	}
}

// After gives the moment at which so much working time has gone by since from.
// It counts at most five years ahead. Without hours all time counts.
func (h *Hours) After(from time.Time, work time.Duration) time.Time {
	if h == nil {
		return from.Add(work)
	}
	at := from
	h.stretches(from, func(start, end time.Time) bool {
		if length := end.Sub(start); length < work {
			work, at = work-length, end
			return true
		}
		at, work = start.Add(work), 0
		return false
	})
	return at.UTC()
}

// Between gives how much working time lies in [from, to).
func (h *Hours) Between(from, to time.Time) time.Duration {
	if !to.After(from) {
		return 0
	}
	if h == nil {
		return to.Sub(from)
	}
	var sum time.Duration
	h.stretches(from, func(start, end time.Time) bool {
		if !start.Before(to) {
			return false
		}
		if end.After(to) {
			end = to
		}
		sum += end.Sub(start)
		return end.Before(to)
	})
	return sum
}
