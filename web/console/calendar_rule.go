package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"evenkeel/internal/status"
)

// weekdays are the days of RFC 5545, Monday first.
var weekdays = []struct{ code, short, word string }{
	{"MO", "Mon", "Monday"}, {"TU", "Tue", "Tuesday"}, {"WE", "Wed", "Wednesday"}, {"TH", "Thu", "Thursday"},
	{"FR", "Fri", "Friday"}, {"SA", "Sat", "Saturday"}, {"SU", "Sun", "Sunday"},
}

// nths are which weekday of a month.
var nths = []struct{ code, word string }{{"1", "first"}, {"2", "second"}, {"3", "third"}, {"4", "fourth"}, {"-1", "last"}}

// pattern is a rule as the builder has it. Kind is daily, weekly, monthly (the
// n-th weekday), date (a day of the month) or rule (as it is written).
type pattern struct {
	Kind    string
	Every   string // every so many days, weeks, months
	Days    []string
	Nth     string
	Weekday string
	Date    string
	Rule    string
}

// patternFrom reads the builder's fields.
func patternFrom(v url.Values) pattern {
	return pattern{
		Kind: v.Get("repeats"), Every: v.Get("every"), Days: v["days"], Nth: v.Get("nth"), Weekday: v.Get("weekday"), Date: v.Get("monthday"),
		Rule: strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(v.Get("rrule")), "RRULE:")),
	}
}

// String writes the pattern as an RRULE; what is wrong with it, the wing says.
func (p pattern) String() string {
	every := ""
	if p.Every != "" && p.Every != "1" {
		every = ";INTERVAL=" + p.Every
	}
	switch p.Kind {
	case "daily":
		return "FREQ=DAILY" + every
	case "weekly":
		if len(p.Days) == 0 {
			return "FREQ=WEEKLY" + every
		}
		return "FREQ=WEEKLY" + every + ";BYDAY=" + strings.Join(p.Days, ",")
	case "monthly":
		return "FREQ=MONTHLY" + every + ";BYDAY=" + p.Nth + p.Weekday
	case "date":
		return "FREQ=MONTHLY" + every + ";BYMONTHDAY=" + p.Date
	}
	return p.Rule
}

// patternOf reads an RRULE into the builder; one that it cannot draw stays as
// it is written.
func patternOf(rule string) pattern {
	parts := map[string]string{}
	for part := range strings.SplitSeq(rule, ";") {
		name, value, _ := strings.Cut(part, "=")
		parts[strings.ToUpper(name)] = strings.ToUpper(value)
	}
	p := pattern{Kind: "rule", Every: parts["INTERVAL"], Nth: "1", Weekday: "SU", Date: "1", Rule: rule}
	if p.Every == "" {
		p.Every = "1"
	}
	delete(parts, "INTERVAL")
	freq := parts["FREQ"]
	delete(parts, "FREQ")
	switch {
	case freq == "DAILY" && len(parts) == 0:
		p.Kind = "daily"
	case freq == "WEEKLY" && len(parts) == 0:
		p.Kind = "weekly"
	case freq == "WEEKLY" && len(parts) == 1 && parts["BYDAY"] != "" && plainDays(parts["BYDAY"]):
		p.Kind, p.Days = "weekly", strings.Split(parts["BYDAY"], ",")
	case freq == "MONTHLY" && len(parts) == 1 && parts["BYDAY"] != "":
		for _, n := range nths {
			if day, ok := strings.CutPrefix(parts["BYDAY"], n.code); ok && plainDays(day) && !strings.Contains(day, ",") {
				p.Kind, p.Nth, p.Weekday = "monthly", n.code, day
			}
		}
	case freq == "MONTHLY" && len(parts) == 1 && parts["BYMONTHDAY"] != "":
		if n, err := strconv.Atoi(parts["BYMONTHDAY"]); err == nil && n > 0 {
			p.Kind, p.Date = "date", parts["BYMONTHDAY"]
		}
	}
	return p
}

// plainDays reports whether a list names weekdays without ordinals.
func plainDays(list string) bool {
	for day := range strings.SplitSeq(list, ",") {
		if !slices.ContainsFunc(weekdays, func(w struct{ code, short, word string }) bool { return w.code == day }) {
			return false
		}
	}
	return true
}

// ruleInWords says when a window recurs.
func ruleInWords(w status.Window) string {
	p := patternOf(w.RRule)
	_, clock, _ := strings.Cut(w.Start, "T")
	when := ""
	count := func(one, many string) string {
		if p.Every == "1" || p.Every == "" {
			return "every " + one
		}
		return "every " + p.Every + " " + many
	}
	word := func(code string) string {
		for _, d := range weekdays {
			if d.code == code {
				return d.word
			}
		}
		return code
	}
	switch p.Kind {
	case "daily":
		when = count("day", "days")
	case "weekly":
		when = count("week", "weeks")
		var days []string
		for _, d := range p.Days {
			days = append(days, word(d))
		}
		if len(days) > 0 {
			when += " on " + sentence(days, 7)
		}
	case "monthly":
		nth := p.Nth
		for _, n := range nths {
			if n.code == p.Nth {
				nth = n.word
			}
		}
		when = count("month", "months") + " on the " + nth + " " + word(p.Weekday)
	case "date":
		when = count("month", "months") + " on the " + p.Date + "."
	default:
		return w.RRule + ", " + clock + " " + w.Zone + ", for " + length(w.Duration)
	}
	return when + " at " + clock + " " + w.Zone + ", for " + length(w.Duration)
}
