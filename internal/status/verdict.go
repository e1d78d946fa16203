package status

import "time"

// crossing says what one result did to the streak of a location.
type crossing uint8

const (
	steady  crossing = iota // nothing that must survive a restart
	began                   // a streak began, or the one before it was broken
	crossed                 // the level changed; Streak.First is when it became true
)

// step is the rule of confirmation, for one monitor at one location: Confirm
// failures in a row go down, Recover answers in a row come back, SlowFor slow
// answers in a row are slow. Each change is dated back to the first result of
// its streak, Streak.First. An inconclusive result neither advances nor breaks
// a streak. The rule must have its defaults filled in.
//
// A slow answer is an answer: it breaks a streak of failures and counts towards
// coming back from down. Who comes back with slow answers alone comes back slow.
func step(r Rule, s Streak, o Outcome, at time.Time) (Streak, crossing) {
	switch o {
	case Failed:
		return stepFailed(r, s, at)
	case OK, Slow:
		switch s.Level {
		case LevelDown:
			return stepBack(r, s, o, at)
		case LevelSlow:
			return stepFaster(r, s, o, at)
		default:
			return stepUp(r, s, o, at)
		}
	}
	return s, steady
}

// stepFailed counts a failure at any level.
func stepFailed(r Rule, s Streak, at time.Time) (Streak, crossing) {
	did := steady
	if s.Fails == 0 {
		s.First, did = at, began
	}
	s.Fails++
	s.Goods, s.Slows = 0, 0
	if s.Level != LevelDown && s.Fails >= r.Confirm {
		s.Level, did = LevelDown, crossed
	}
	return s, did
}

// stepBack counts an answer of a location that is down.
func stepBack(r Rule, s Streak, o Outcome, at time.Time) (Streak, crossing) {
	did := steady
	if s.Goods == 0 {
		s.First, did = at, began
		s.Slows = 0
	}
	s.Fails = 0
	s.Goods++
	if o == Slow {
		s.Slows++
	}
	if s.Goods < r.Recover {
		return s, did
	}
	s.Level = LevelUp
	if s.Slows == s.Goods {
		s.Level = LevelSlow
	}
	s.Goods, s.Slows = 0, 0
	return s, crossed
}

// stepFaster counts an answer of a location that is slow.
func stepFaster(r Rule, s Streak, o Outcome, at time.Time) (Streak, crossing) {
	did := steady
	if o == Slow {
		if s.Goods > 0 || s.Fails > 0 {
			did = began
		}
		s.Goods, s.Fails = 0, 0
		return s, did
	}
	if s.Goods == 0 {
		s.First, did = at, began
	}
	s.Fails = 0
	s.Goods++
	if s.Goods >= r.Recover {
		s.Level, s.Goods, did = LevelUp, 0, crossed
	}
	return s, did
}

// stepUp counts an answer of a location that is up, or of which nothing is
// known yet: the first answer is enough to be up.
func stepUp(r Rule, s Streak, o Outcome, at time.Time) (Streak, crossing) {
	did := steady
	if s.Fails > 0 {
		did = began
	}
	s.Fails, s.Goods = 0, 0
	if s.Level != LevelUp {
		s.Level, s.Slows, s.First, did = LevelUp, 0, at, crossed
	}
	if o == OK {
		if s.Slows > 0 {
			did = max(did, began)
		}
		s.Slows = 0
		return s, did
	}
	if s.Slows == 0 {
		s.First, did = at, max(did, began)
	}
	s.Slows++
	if s.Slows >= r.SlowFor {
		s.Level, s.Slows, did = LevelSlow, 0, crossed
	}
	return s, did
}

// gravity orders levels: higher is worse.
var gravity = map[Level]int{LevelUnknown: 0, LevelUp: 1, LevelSlow: 2, LevelDown: 3}

// worse gives the worse of two levels.
func (l Level) worse(m Level) Level {
	if gravity[m] > gravity[l] {
		return m
	}
	return l
}
