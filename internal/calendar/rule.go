package calendar

import (
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"evenkeel/internal/problem"
)

const (
	// MaxRule bounds the text of a rule, in bytes.
	MaxRule = 256
	// MaxStarts bounds what one call of Between gives.
	MaxStarts = 1000
	// MaxADay bounds how often a rule may happen on one day.
	MaxADay = 24
	// MaxInterval bounds INTERVAL.
	MaxInterval = 1000
	// FirstWithin is how soon after its start a rule must happen once: long
	// enough for 29 February across a year like 2100.
	FirstWithin = 10 * 366 * 24 * time.Hour
	// maxSteps bounds the occurrences walked through from the start of a rule.
	maxSteps = 100_000
	// The years in which a rule may start.
	firstYear, lastYear = 2000, 2199
)

// aheadYears moves a rule to the end of time while it is expanded. The library
// looks for the next date up to the year 9999, which takes seconds for a rule
// that never happens. The Gregorian calendar repeats every 400 years, weekdays
// included, so far ahead the same rule gives the same dates and gives up soon.
const aheadYears = 7600

// rule is one rule in its zone. Its times are wall clock times, as UTC times
// aheadYears ahead, so that no change of clocks disturbs the expansion.
type rule struct {
	zone   *time.Location
	option rrule.ROption
}

// allowedParts are the parts a rule may have. The finer ones make no sense for
// work that people do.
var allowedParts = map[string]bool{
	"FREQ": true, "INTERVAL": true, "COUNT": true, "UNTIL": true, "WKST": true, "BYDAY": true, "BYMONTHDAY": true,
	"BYMONTH": true, "BYYEARDAY": true, "BYWEEKNO": true, "BYSETPOS": true, "BYHOUR": true, "BYMINUTE": true,
}

// allowedFrequencies are how often a rule may be said to happen.
var allowedFrequencies = map[string]bool{"DAILY": true, "WEEKLY": true, "MONTHLY": true, "YEARLY": true}

// invalidRule is the problem with a rule, in the words of who wrote it.
func invalidRule(format string, args ...any) error { return problem.Invalid("rrule", format, args...) }

// read parses and checks a rule. Errors: Invalid.
func (c *Calendar) read(text, zone, start string) (*rule, error) {
	loc, err := c.location(zone)
	if err != nil {
		return nil, err
	}
	first, err := time.Parse(StartLayout, start)
	if err != nil || first.Year() < firstYear || first.Year() > lastYear {
		return nil, problem.Invalid("start", "%q is not a local time like 2026-11-22T05:00 from %d to %d.", start, firstYear, lastYear)
	}
	text, err = checkParts(text)
	if err != nil {
		return nil, err
	}
	option, err := rrule.StrToROptionInLocation(text, time.UTC)
	if err != nil {
		return nil, invalidRule("%q cannot be read: %s.", text, err)
	}
	if max(1, len(option.Byhour))*max(1, len(option.Byminute)) > MaxADay {
		return nil, invalidRule("it would happen more than %d times a day.", MaxADay)
	}
	if err := checkOrdinals(option); err != nil {
		return nil, err
	}
	option.Dtstart = first.AddDate(aheadYears, 0, 0)
	r := &rule{zone: loc, option: *option}
	r.readUntil(text)
	if _, err := rrule.NewRRule(r.option); err != nil {
		return nil, invalidRule("%s.", err)
	}
	return r, nil
}

// checkParts refuses what a rule must not say, and gives it in capitals without prefix.
func checkParts(text string) (string, error) {
	if len(text) > MaxRule {
		return "", invalidRule("it is longer than %d bytes.", MaxRule)
	}
	text = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "RRULE:")
	seen := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		switch {
		case !allowedParts[name]:
			return "", invalidRule("%q is not a part that a rule may have here.", name)
		case value == "":
			return "", invalidRule("%s has no value.", name)
		case seen[name] != "":
			return "", invalidRule("%s stands there twice.", name)
		}
		seen[name] = value
	}
	if !allowedFrequencies[seen["FREQ"]] {
		return "", invalidRule("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.")
	}
	if seen["COUNT"] != "" && seen["UNTIL"] != "" {
		return "", invalidRule("COUNT and UNTIL exclude each other.")
	}
	if err := checkNumber("INTERVAL", seen["INTERVAL"], MaxInterval); err != nil {
		return "", err
	}
	return text, checkNumber("COUNT", seen["COUNT"], maxSteps)
}

// checkNumber refuses a number outside 1 to most; "" is not there at all.
func checkNumber(name, value string, most int) error {
	if value == "" {
		return nil
	}
	if n, err := strconv.Atoi(value); err != nil || n < 1 || n > most {
		return invalidRule("%s must be a number from 1 to %d.", name, most)
	}
	return nil
}

// checkOrdinals refuses the likes of the 53rd Monday of a month, on which the
// library would panic, and numbered days where RFC 5545 has none.
func checkOrdinals(option *rrule.ROption) error {
	most := 0
	switch {
	case option.Freq == rrule.MONTHLY, option.Freq == rrule.YEARLY && len(option.Bymonth) > 0:
		most = 5
	case option.Freq == rrule.YEARLY && len(option.Byweekno) == 0:
		most = 53
	}
	for _, day := range option.Byweekday {
		if n := day.N(); n > most || n < -most {
			return invalidRule("there is no %s in BYDAY with this frequency.", day)
		}
	}
	return nil
}

// readUntil turns UNTIL into the wall clock of the expansion: UTC when it ends
// in Z, else local; a date alone means the whole of that day.
func (r *rule) readUntil(text string) {
	until := r.option.Until
	if until.IsZero() {
		return
	}
	_, value, _ := strings.Cut(text, "UNTIL=")
	value, _, _ = strings.Cut(value, ";")
	switch {
	case strings.HasSuffix(value, "Z"):
		until = wallClock(until, r.zone)
	case len(value) == len(rrule.DateFormat):
		until = until.Add(24*time.Hour - time.Second)
	}
	r.option.Until = until.AddDate(aheadYears, 0, 0)
}

// between gives the starts in [from, to). Errors: Invalid when they are too many.
func (r *rule) between(from, to time.Time) ([]time.Time, error) {
	// Wall clocks are within a day of UTC; what is too early or too late is
	// sorted out below by the real moments.
	last := to.UTC().Add(24*time.Hour).AddDate(aheadYears, 0, 0)
	option := r.option
	if option.Until.IsZero() || option.Until.After(last) {
		option.Until = last
	}
	expanded, err := rrule.NewRRule(option)
	if err != nil {
		return nil, invalidRule("%s.", err)
	}
	var starts []time.Time
	next := expanded.Iterator()
	for steps := 0; ; steps++ {
		wall, ok := next()
		if !ok {
			return starts, nil
		}
		at := instant(wall.AddDate(-aheadYears, 0, 0), r.zone)
		switch {
		case steps >= maxSteps:
			return nil, problem.Invalid("start", "it is so long ago that the rule happened %d times since; choose a later one.", maxSteps)
		case !at.Before(to):
			return starts, nil
		case at.Before(from):
			continue
		case len(starts) > 0 && !at.After(starts[len(starts)-1]):
			continue // two wall times that a change of clocks makes one
		case len(starts) == MaxStarts:
			return nil, invalidRule("it happens more than %d times in the time asked for.", MaxStarts)
		}
		starts = append(starts, at)
	}
}

// happens refuses a rule that does not happen soon after its start.
func (r *rule) happens(lasts time.Duration) error {
	first, err := rrule.NewRRule(r.option)
	if err != nil {
		return invalidRule("%s.", err)
	}
	next := first.Iterator()
	wall, ok := next()
	if !ok || wall.Sub(r.option.Dtstart) > FirstWithin {
		return invalidRule("it does not happen within ten years of its start.")
	}
	for range gapsLooked {
		again, ok := next()
		if !ok || again.Sub(r.option.Dtstart) > FirstWithin {
			return nil
		}
		if gap := again.Sub(wall); gap < lasts {
			return invalidRule("it happens again after %s, before it has ended.", gap)
		}
		wall = again
	}
	return nil
}

// gapsLooked is how many gaps between two times are looked at: enough for the
// days of a month to come round.
const gapsLooked = 64
