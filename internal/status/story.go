package status

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// quietGap is how much of a day may go unmeasured without a word: a restart is
// no story.
const quietGap = 5 * time.Minute

// partOfDay is what one status did on one day.
type partOfDay struct {
	lasted time.Duration
	times  int
	open   bool      // it still runs
	since  time.Time // when the one that still runs began
	slow   bool      // all of it was slowness
	words  string    // what a person or the file called it, if it is a phrase
}

// dayParts is what a day's story is told from.
type dayParts struct {
	day    int
	start  time.Time // of the day
	length time.Duration
	by     [len(statuses)]partOfDay
}

// partsOf gathers what happened in [from, to); stints before it may be given.
func partsOf(stints []stint, from, to int64, start time.Time) dayParts {
	p := dayParts{start: start, length: micros(to - from)}
	for i := range stints {
		s := &stints[i]
		if s.from >= to {
			break
		}
		begin, end := max(s.from, from), min(s.to, to)
		if begin >= end || s.status == Operational {
			continue
		}
		b := &p.by[severity[s.status]]
		b.slow = s.cause == CauseSlowAnswer && (b.slow || b.times == 0)
		// What follows at once in the same status is no second time.
		if i == 0 || s.from <= from || stints[i-1].status != s.status || stints[i-1].to != s.from {
			b.times++
			b.since = time.UnixMicro(s.from)
		}
		b.lasted += micros(end - begin)
		b.open = s.to == forever
		if words := phrase(s.public); words != "" {
			b.words = words
		}
	}
	return p
}

// tellable reports whether the day deserves a story.
func (p *dayParts) tellable() bool {
	for sev, b := range p.by {
		if b.times > 0 && p.worth(sev) {
			return true
		}
	}
	return false
}

// worth reports whether a status of the day is told.
func (p *dayParts) worth(sev int) bool {
	b := p.by[sev]
	if statuses[sev] == NotMeasured {
		return b.open || b.lasted >= quietGap
	}
	return b.times > 0
}

// story tells the day in one sentence, the worst first: "6 Nov: partial outage
// for 32 min, degraded for 2 h".
func (p *dayParts) story(name string, zone *time.Location) string {
	var told []string
	for sev := len(p.by) - 1; sev >= 0; sev-- {
		if p.by[sev].times > 0 && p.worth(sev) {
			told = append(told, p.tell(sev, zone))
		}
	}
	return name + ": " + strings.Join(told, ", ")
}

// storyWords names a status in the middle of a story.
var storyWords = map[Status]string{
	NotMeasured: "not measured", UnderMaintenance: "planned maintenance", Degraded: "degraded",
	PartialOutage: "partial outage", MajorOutage: "major outage",
}

// tell says what one status did: for how long, how often, or since when.
func (p *dayParts) tell(sev int, zone *time.Location) string {
	b := p.by[sev]
	s, outage := storyWords[statuses[sev]], statuses[sev].Outage()
	if b.slow && statuses[sev] == Degraded {
		s = "slow"
	}
	since := b.since.In(zone)
	switch {
	case b.open && !since.Before(p.start):
		s += " since " + since.Format("15:04")
	case b.open:
		s += " since " + since.Format("2 January")
	case b.lasted >= p.length:
		s += " all day"
	case b.times == 1:
		s += " for " + lasted(b.lasted)
	default:
		s += fmt.Sprintf(" %d times, %s in all", b.times, lasted(b.lasted))
	}
	if b.words != "" && (outage || statuses[sev] == Degraded && !b.slow) {
		s += ", " + b.words
	}
	return s
}

// maxPhrase bounds a public text that is taken into a story.
const maxPhrase = 60

// phrase gives a public text that can end a sentence, such as "network fault";
// "" for one that is a sentence itself, as our own explanations are.
func phrase(public string) string {
	if len(public) > maxPhrase || strings.ContainsAny(public, ".!?:\n") {
		return ""
	}
	return public
}

// lasted writes how long something was, in the two largest units that matter.
func lasted(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 24*time.Hour:
		return twoUnits(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "min")
	default:
		return twoUnits(int(d/(24*time.Hour)), "d", int(d%(24*time.Hour)/time.Hour), "h")
	}
}

// twoUnits writes a large and a small unit, the small one when there is some.
func twoUnits(large int, largeUnit string, small int, smallUnit string) string {
	s := strconv.Itoa(large) + " " + largeUnit
	if small > 0 {
		s += " " + strconv.Itoa(small) + " " + smallUnit
	}
	return s
}

// trouble is one run of bad stints of a component: it begins and ends with
// working, planned work or silence, and is as bad as its worst part.
type trouble struct {
	from, to int64
	worst    stint
}

// troubles gives the runs of trouble that last beyond a moment, newest first.
func troubles(stints []stint, after int64) []trouble {
	var runs []trouble
	for i := len(stints) - 1; i >= 0 && stints[i].to > after; i-- {
		s := stints[i]
		if !wrong(s.status) {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].from == s.to {
			run := &runs[n-1]
			run.from = s.from
			if !run.worst.status.Worse(s.status) {
				run.worst = s
			}
			continue
		}
		runs = append(runs, trouble{from: s.from, to: s.to, worst: s})
	}
	return runs
}

// event tells a run of trouble as the lists of the past do.
func (t trouble) event(c *Component) PastEvent {
	e := PastEvent{
		Component: c.ID, Name: c.Name, Status: t.worst.status, From: time.UnixMicro(t.from).UTC(), Text: t.worst.past(),
	}
	if t.to != forever {
		e.To = time.UnixMicro(t.to).UTC()
	}
	return e
}

// past says in one sentence what was wrong: a person's words if there are some,
// else what our checks saw.
func (s stint) past() string {
	if s.human && s.public != "" {
		return s.public
	}
	if words := phrase(s.public); words != "" {
		return capital(words) + "."
	}
	some := s.status == PartialOutage
	switch s.cause {
	case CauseNoAnswer:
		return checks(some) + " had no answer."
	case CauseBadAnswer:
		return checks(some) + " had wrong answers."
	case CauseSlowAnswer:
		return "Answers were slower than usual."
	case CauseTLS:
		return "Secure connections failed."
	case CauseMissing:
		return "An expected sign of life was missing."
	case CauseThreshold:
		return "A measured value was outside its limits."
	default:
		return checks(some) + " failed."
	}
}

// capital makes the first letter a capital one.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// checks are ours, or some of them.
func checks(some bool) string {
	if some {
		return "Some of our checks"
	}
	return "Our checks"
}

// sortEvents puts the worst first, then the earliest, then by name.
func sortEvents(events []PastEvent) {
	slices.SortStableFunc(events, func(a, b PastEvent) int {
		if d := severity[b.Status] - severity[a.Status]; d != 0 {
			return d
		}
		if d := a.From.Compare(b.From); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
}
