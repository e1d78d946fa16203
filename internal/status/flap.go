package status

import "time"

// calmPart is the part of FlapWithin for which a flapping monitor must keep one
// level before it is believed again. A monitor that flaps at the least rate
// that counts (FlapCount changes in FlapWithin, by default 6 in an hour)
// changes every FlapWithin/6 on average; a quarter is half as long again, so
// that ordinary flapping cannot leave and enter the state in turn, and a cured
// monitor is told within a quarter of an hour.
const calmPart = 4

// flap is the damping of one monitor. Its zero value is calm.
type flap struct {
	changes []levelChange // newest last, at most FlapCount
	on      bool
	worst   Level // while on: the worst level of the window, which is what shows
}

// levelChange is one change of the undamped level.
type levelChange struct {
	at time.Time
	to Level
}

// moved notes a change of the undamped level and reports whether flapping began
// with it. Changes from or to unknown are not flapping: nothing was seen to move.
func (f flap) moved(r Rule, from, to Level, at time.Time) (flap, bool) {
	if from == LevelUnknown || to == LevelUnknown {
		return f, false
	}
	kept := make([]levelChange, 0, r.FlapCount)
	for _, c := range f.changes {
		if at.Sub(c.at) < r.FlapWithin {
			kept = append(kept, c)
		}
	}
	if len(kept) == r.FlapCount {
		kept = append(kept[:0], kept[1:]...)
	}
	f.changes = append(kept, levelChange{at: at, to: to})
	if f.on {
		f.worst = f.worst.worse(to)
		return f, false
	}
	if len(f.changes) < r.FlapCount {
		return f, false
	}
	f.on, f.worst = true, from
	for _, c := range f.changes {
		f.worst = f.worst.worse(c.to)
	}
	return f, true
}

// calmed reports whether a flapping monitor has kept its level long enough, and
// forgets the changes when it has.
func (f flap) calmed(r Rule, now time.Time) (flap, bool) {
	if !f.on || now.Sub(f.changes[len(f.changes)-1].at) < r.FlapWithin/calmPart {
		return f, false
	}
	return flap{}, true
}

// shows gives the level that counts: the worst of the window while it flaps.
func (f flap) shows(level Level) Level {
	if f.on && level != LevelUnknown {
		return f.worst
	}
	return level
}

// times gives the changes as a streak keeps them.
func (f flap) times() []time.Time {
	if len(f.changes) == 0 {
		return nil
	}
	ts := make([]time.Time, len(f.changes))
	for i, c := range f.changes {
		ts[i] = c.at
	}
	return ts
}

// recall is the damping after a restart: when the level changed is known, to
// what is not, so that a monitor which flapped is calm until it changes once more.
func recall(times []time.Time) flap {
	f := flap{}
	for _, t := range times {
		f.changes = append(f.changes, levelChange{at: t, to: LevelUp})
	}
	return f
}
