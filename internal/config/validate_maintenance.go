package config

import (
	"errors"
	"strings"
	"time"
)

// MaxWindowLength bounds one stretch of planned maintenance.
const MaxWindowLength = Duration(31 * 24 * time.Hour)

// maintenance checks the windows: one-off with from and to, or recurring with
// rrule, start and duration.
func (c *checker) maintenance() {
	s := c.at("")
	if n := len(c.f.Maintenance); n > MaxWindows {
		s.add("maintenance", "", "%d windows are more than the %d that are allowed", n, MaxWindows)
		return
	}
	windows := newIDs("a maintenance window")
	for i, w := range c.f.Maintenance {
		windows.take(s.in("maintenance", i), w.ID)
		s.in("maintenance", i).window(w)
	}
	for i, w := range c.f.Maintenance {
		windows.rename(s.in("maintenance", i), w.ID, w.Was)
	}
}

func (s spot) window(w Window) {
	s.oneLine(".title", w.Title, MaxName)
	s.text(".description", w.Description, MaxText)
	if len(w.Components) == 0 {
		s.add(".components", "the ids of the components that are affected", "maintenance of nothing")
	}
	for i, id := range w.Components {
		s.in(".components", i).isComponent("", id)
	}
	zone := s.zone(".zone", w.Zone)
	s.atMost(".duration", w.Duration, MaxWindowLength)
	if w.Remind != nil {
		s.reminders(*w.Remind)
	}

	oneOff, recurring := w.From != "" || w.To != "", w.RRule != "" || w.Start != "" || w.Duration != 0
	switch {
	case oneOff && recurring:
		s.add("", "keep from and to, or rrule, start and duration", "is it once, or does it recur?")
	case recurring:
		s.recurring(w, zone)
	case !oneOff:
		s.add("", "write from and to, or rrule, start and duration", "when is it?")
	default:
		from, okFrom := s.moment(".from", w.From, zone)
		to, okTo := s.moment(".to", w.To, zone)
		switch {
		case !okFrom || !okTo:
		case !from.Before(to):
			s.add(".to", "", "it ends before it begins")
		case to.Sub(from) > MaxWindowLength.D():
			s.add(".to", "", "longer than the %s that are allowed", MaxWindowLength)
		}
	}
}

// MaxReminders bounds how often people are reminded of one window, MaxRemindAhead
// how long before it.
const (
	MaxReminders   = 5
	MaxRemindAhead = Duration(30 * 24 * time.Hour)
)

func (s spot) reminders(ahead []Duration) {
	if len(ahead) > MaxReminders {
		s.add(".remind", "", "%d reminders are more than the %d that are allowed", len(ahead), MaxReminders)
	}
	for i, d := range ahead {
		if d < Duration(time.Minute) || d > MaxRemindAhead {
			s.in(".remind", i).add("", "from a minute to 30 days before it begins", "%s is out of range", d)
		}
	}
}

func (s spot) recurring(w Window, zone *time.Location) {
	complete := true
	for _, need := range []struct {
		key, hint string
		missing   bool
	}{
		{".rrule", "e.g. FREQ=WEEKLY;BYDAY=SU", w.RRule == ""},
		{".start", "the local time of the first one, e.g. 2026-11-22T05:00", w.Start == ""},
		{".duration", "how long each one takes, e.g. 2h", w.Duration == 0},
	} {
		if need.missing {
			s.add(need.key, need.hint, "maintenance that recurs needs rrule, start and duration")
			complete = false
		}
	}
	if _, err := time.Parse(LocalTime, w.Start); w.Start != "" && err != nil {
		s.add(".start", "e.g. 2026-11-22T05:00, without a zone", "%q is not a local time", clip(w.Start))
		complete = false
	}
	if complete && s.o.CheckRRule != nil {
		if err := s.o.CheckRRule(w.RRule, zone.String(), w.Start, w.Duration.D()); err != nil {
			s.add(".rrule", "an RRULE of RFC 5545, e.g. FREQ=WEEKLY;BYDAY=SU", "%s", clipReason(strings.TrimSuffix(err.Error(), ".")))
		}
	}
}

func (s spot) moment(key, text string, zone *time.Location) (time.Time, bool) {
	const hint = "e.g. 2026-11-22T05:00, or with a zone 2026-11-22T05:00:00Z"
	if text == "" {
		s.add(key, hint, "maintenance once needs from and to")
		return time.Time{}, false
	}
	at, err := ParseMoment(text, zone)
	if err != nil {
		s.add(key, hint, "%q is not a moment", clip(text))
		return time.Time{}, false
	}
	return at, true
}

// LocalTime is the layout of local times in the file.
const LocalTime = "2006-01-02T15:04"

// ParseMoment reads RFC 3339, or a local time in zone: 2026-11-22T05:00 or
// 2026-11-22 05:00. The result is in UTC.
func ParseMoment(text string, zone *time.Location) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC().Truncate(time.Microsecond), nil
	}
	for _, layout := range []string{LocalTime, "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, errors.New("not a moment in time")
}
