package status

import (
	"slices"
	"time"
)

// place is one monitor at one location: its streak, and how fresh its opinion is.
type place struct {
	location string
	streak   count
	since    time.Time // when the streak's level came to hold
	heard    time.Time // start of the newest conclusive result
	from     time.Time // since when it has had an opinion without a break
	fresh    bool      // it has an opinion now
	waits    int       // results of it that wait for sentinels
	kept     int       // the settling pass in which one of them was kept waiting
}

// count is a streak as the engine keeps it: without monitor and location, which
// stand around it, and without changes, which the damping keeps.
type count struct {
	Level               Level
	Fails, Goods, Slows int
	First               time.Time
}

func countOf(s Streak) count {
	return count{Level: s.Level, Fails: s.Fails, Goods: s.Goods, Slows: s.Slows, First: s.First}
}

// streak gives the streak of a location as it is judged and saved.
func (m *watched) streak(p *place) Streak {
	c := &p.streak
	return Streak{
		Monitor: m.def.Key, Location: p.location, Level: c.Level, Fails: c.Fails, Goods: c.Goods, Slows: c.Slows, First: c.First,
	}
}

// watched is one monitor with everything the engine knows of it.
type watched struct {
	def    *Monitor
	rule   *Rule   // with defaults; shared by monitors of equal rules
	of     *judged // nil for a sentinel
	places []place

	raw     Level     // what the locations agree on, undamped
	level   Level     // what counts: damped
	since   time.Time // when level came to hold
	before  Level     // the level before that
	flap    flap
	told    bool      // a verdict was reached since the start
	awaited time.Time // until then the component waits for it: it was in trouble before a restart
	short   bool      // too few locations agree; said once
	blip    bool      // a rollout holds its failure; said once
	held    string    // why the last result did not count, "" = it did
	stands  string    // why nothing follows from the verdict: flapping, quorum, a parent; "" = it follows
	cause   Cause     // of the newest result that was not fine
	reason  string    // for staff, of the same
	heard   *place    // where the newest result is from; nil while there is none
	last    Kept      // the newest result
}

// keep remembers a result of one of the monitor's locations as the newest.
func (m *watched) keep(p *place, r *Result) { m.heard, m.last = p, KeptOf(r) }

// lastResult gives the newest result; false while there is none.
func (m *watched) lastResult() (Result, bool) {
	if m.heard == nil {
		return Result{}, false
	}
	return m.last.Result(m.def.Key, m.heard.location), true
}

// MonitorVerdict is what the engine says of one monitor now.
type MonitorVerdict struct {
	Level    Level
	Since    time.Time // zero while unknown from the start
	Streak   int       // results in a row that speak for a change, or for being down
	Flapping bool
	Held     string // for staff: why nothing follows from the last results; "" = nothing is held
}

// watch makes the state of a monitor from its definition and what was saved.
func watch(def *Monitor, of *judged, rule *Rule, saved []Streak) *watched {
	m := &watched{def: def, of: of, rule: rule, raw: LevelUnknown, level: LevelUnknown, before: LevelUnknown}
	m.places = make([]place, len(def.Locations))
	var changes []time.Time
	for i, loc := range def.Locations {
		p := place{location: loc, streak: count{Level: LevelUnknown}}
		if j := slices.IndexFunc(saved, func(s Streak) bool { return s.Location == loc }); j >= 0 {
			p.streak = countOf(saved[j])
			if len(saved[j].Changes) > len(changes) {
				changes = saved[j].Changes
			}
		}
		m.places[i] = p
	}
	m.flap = recall(changes)
	return m
}

// place finds a location; nil when the monitor is not probed from there.
func (m *watched) place(location string) *place {
	for i := range m.places {
		if m.places[i].location == location {
			return &m.places[i]
		}
	}
	return nil
}

// agreement counts the locations that have a fresh opinion.
func (m *watched) agreement() agreement {
	var room [8]opinion
	ops := room[:0]
	for i := range m.places {
		if p := &m.places[i]; p.fresh && p.streak.Level != LevelUnknown {
			ops = append(ops, opinion{level: p.streak.Level, since: p.since})
		}
	}
	return agree(m.rule.Quorum, ops)
}

// newest gives the start of the newest conclusive result of all locations.
func (m *watched) newest() time.Time {
	var t time.Time
	for i := range m.places {
		t = later(t, m.places[i].heard)
	}
	return t
}

// patience is how long a monitor of which nothing is heard keeps its verdict.
func (m *watched) patience() time.Duration {
	return max(OpinionIntervals*m.def.Interval, OpinionLeast)
}

// expire takes the opinion from locations that have been silent too long: for
// OpinionIntervals while others speak, for the patience when nobody does.
func (m *watched) expire(now time.Time) bool {
	stale := false
	for i := range m.places {
		p := &m.places[i]
		if !p.fresh {
			continue
		}
		quiet := now.Sub(p.heard)
		if quiet <= OpinionIntervals*m.def.Interval {
			continue
		}
		others := len(m.places) > 1 && now.Sub(m.newest()) <= OpinionIntervals*m.def.Interval
		if others || quiet > m.patience() {
			p.fresh, p.from, stale = false, time.Time{}, true
		}
	}
	return stale
}

// forget makes the monitor unknown from a moment on: nothing is known of a time
// in which the hub was not there. Streaks are kept, opinions are not.
func (m *watched) forget(at time.Time) {
	for i := range m.places {
		p := &m.places[i]
		p.fresh, p.from = false, time.Time{}
	}
	m.before, m.raw, m.level = LevelUnknown, LevelUnknown, LevelUnknown
	m.since, m.short, m.told = at, false, false
	m.flap = recall(m.flap.times())
}

// wasBad reports whether any location was in trouble when it was last heard.
func (m *watched) wasBad() bool {
	return slices.ContainsFunc(m.places, func(p place) bool {
		return p.streak.Level == LevelDown || p.streak.Level == LevelSlow
	})
}

// at gives the level that held at a moment, as far back as the last change.
func (m *watched) at(t time.Time) Level {
	if m.since.After(t) {
		return m.before
	}
	return m.level
}

// verdict gives what is known now, for staff.
func (m *watched) verdict() MonitorVerdict {
	v := MonitorVerdict{Level: m.level, Since: m.since, Flapping: m.flap.on, Held: m.held}
	if v.Held == "" {
		v.Held = m.stands
	}
	for i := range m.places {
		s := &m.places[i].streak
		v.Streak = max(v.Streak, s.Fails, s.Slows, s.Goods)
	}
	return v
}

// later gives the later of two moments.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// earlier gives the earlier of two moments.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
