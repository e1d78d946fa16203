package statustest

import (
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Calendar is status.Calendar for two rules, FREQ=DAILY and FREQ=WEEKLY.
type Calendar struct{}

// Between gives the starts in [from, to).
func (Calendar) Between(rule, zone, start string, from, to time.Time) ([]time.Time, error) {
	days, known := map[string]int{"FREQ=DAILY": 1, "FREQ=WEEKLY": 7}[rule]
	if !known {
		return nil, problem.Invalid("rrule", "%q is no rule.", rule)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, problem.Invalid("zone", "%q is no time zone.", zone)
	}
	first, err := time.ParseInLocation("2006-01-02T15:04", start, loc)
	if err != nil {
		return nil, problem.Invalid("start", "%q is no local time.", start)
	}
	var out []time.Time
	for at := first; at.Before(to); at = at.AddDate(0, 0, days) {
		if !at.Before(from) {
			out = append(out, at.UTC())
		}
	}
	return out, nil
}

var _ status.Calendar = Calendar{}
