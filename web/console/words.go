package console

import (
	"fmt"
	"math"
	"strings"
	"time"

	"evenkeel/internal/status"
)

// Mark is a status as it is shown: a class for shape and colour, and a word.
// Colour is never alone.
type Mark struct{ Class, Word string }

// Short is the word for a wall and for counts.
func (m Mark) Short() string { return shortWords[m.Class] }

var shortWords = map[string]string{
	"ok": "fine", "degraded": "degraded", "partial": "partial", "major": "major", "maint": "in work", "unknown": "no verdict",
}

// marks has a row for every status.
var marks = map[status.Status]Mark{
	status.Operational:      {"ok", "Operational"},
	status.Degraded:         {"degraded", "Degraded"},
	status.PartialOutage:    {"partial", "Partial outage"},
	status.MajorOutage:      {"major", "Major outage"},
	status.UnderMaintenance: {"maint", "In maintenance"},
	status.NotMeasured:      {"unknown", "Not measured"},
}

// markOf gives the mark of a status; one that is not known looks unmeasured.
func markOf(s status.Status) Mark {
	if m, ok := marks[s]; ok {
		return m
	}
	return marks[status.NotMeasured]
}

// levels has a row for every verdict on a monitor.
var levels = map[status.Level]Mark{
	status.LevelUp: {"ok", "Up"}, status.LevelSlow: {"degraded", "Slow"}, status.LevelDown: {"major", "Down"}, status.LevelUnknown: {"unknown", "No verdict"},
}

func markOfLevel(l status.Level) Mark {
	if m, ok := levels[l]; ok {
		return m
	}
	return levels[status.LevelUnknown]
}

// markOfImpact is the mark of an incident's impact.
func markOfImpact(impact string) Mark {
	switch impact {
	case "critical":
		return Mark{"major", "Critical"}
	case "major":
		return Mark{"partial", "Major"}
	case "minor":
		return Mark{"degraded", "Minor"}
	case "maintenance":
		return Mark{"maint", "Maintenance"}
	}
	return Mark{"unknown", "No impact"}
}

// Stamp is a moment as it is written: local time, UTC at hand. The zero Stamp
// is no moment.
type Stamp struct {
	Text string // 17:14, or 17 Nov 17:14 when it is not today
	UTC  string // for the title: Thu 19 Nov 2026, 17:14:08 UTC
	ISO  string
	Age  string // 10 m
}

// Any reports whether there is a moment.
func (s Stamp) Any() bool { return s.ISO != "" }

// Clock writes moments for one person at one moment.
type Clock struct {
	Zone *time.Location
	Now  time.Time
}

// clock gives the clock of whoever a handler answers.
func (c *Console) clock(zone *time.Location) Clock { return Clock{Zone: zone, Now: c.deps.Now()} }

// At writes a moment: the time when it is today's, the date with it otherwise.
func (k Clock) At(t time.Time) Stamp { return k.stamp(t, "15:04") }

// Exact writes a moment with its seconds.
func (k Clock) Exact(t time.Time) Stamp { return k.stamp(t, "15:04:05") }

// Day writes a moment as a day and time, whatever day it is.
func (k Clock) Day(t time.Time) Stamp {
	s := k.stamp(t, "15:04")
	if s.Any() {
		s.Text = t.In(k.Zone).Format("Mon 2 Jan 15:04")
	}
	return s
}

func (k Clock) stamp(t time.Time, layout string) Stamp {
	if t.IsZero() {
		return Stamp{}
	}
	local, now := t.In(k.Zone), k.Now.In(k.Zone)
	switch {
	case local.YearDay() == now.YearDay() && local.Year() == now.Year():
	case local.Year() == now.Year():
		layout = "2 Jan " + layout
	default:
		layout = "2 Jan 2006 " + layout
	}
	return Stamp{
		Text: local.Format(layout), UTC: t.UTC().Format("Mon 2 Jan 2006, 15:04:05 UTC"), ISO: t.UTC().Format(time.RFC3339),
		Age: age(max(k.Now.Sub(t), 0)),
	}
}

// age writes how old something is in one unit: 48 s, 10 m, 14 h, 3 d.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d m", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	default:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	}
}

// left writes a time that runs out or ran over: 3:29 where someone acts on the
// seconds, else 5 h 20 m.
func left(d time.Duration) string {
	d = d.Abs().Round(time.Second)
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d:%02d", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d m", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	}
}

// length writes how long something took or lasts: 4 min, 1 h 20 min, 2 d 3 h.
func length(d time.Duration) string {
	two := func(a time.Duration, unitA string, b time.Duration, unitB string) string {
		if b == 0 {
			return fmt.Sprintf("%d %s", a, unitA)
		}
		return fmt.Sprintf("%d %s %d %s", a, unitA, b, unitB)
	}
	switch {
	case d < time.Second:
		return latency(d)
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 24*time.Hour:
		return two(d/time.Hour, "h", d%time.Hour/time.Minute, "min")
	default:
		return two(d/(24*time.Hour), "d", d%(24*time.Hour)/time.Hour, "h")
	}
}

// latency writes a measurement with its unit: 0.4 ms, 212 ms, 1.1 s.
func latency(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d <= 0:
		return "–"
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
}

// measure writes the value of a value monitor with its unit.
func measure(v float64, unit string) string {
	text := grouped(v)
	switch unit {
	case "", "value":
		return text
	case "%":
		return text + " %"
	default:
		return text + " " + unit
	}
}

// grouped writes a number with thin marks between thousands.
func grouped(v float64) string {
	if v != math.Trunc(v) || math.Abs(v) >= 1e15 {
		return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
	}
	digits := fmt.Sprintf("%.0f", math.Abs(v))
	var b strings.Builder
	if v < 0 {
		b.WriteByte('-')
	}
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// percent writes uptime, rounded down so that 100 % means 100 %.
func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	p := math.Floor(v*1e5) / 1e3
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", p), "0"), ".") + " %"
}

// plural writes a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(float64(n)) + " " + many
}

// cut shortens a text to so many letters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n-1])) + "…"
	}
	return s
}
