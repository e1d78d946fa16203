package status

import (
	"slices"
	"time"
)

// opinion is what one location says of a monitor, and since when.
type opinion struct {
	level Level
	since time.Time
}

// agreement is what the locations say together.
type agreement struct {
	level Level
	since time.Time
	bad   int  // locations that say worse than up
	of    int  // locations that have an opinion
	need  int  // how many must agree
	short bool // some say worse than up, too few to be believed
}

// agree counts the opinions of the locations that have one. Down needs the
// quorum (0 = strict majority of those who have an opinion), slow needs it of
// those who say slow or down. Where fewer locations have an opinion than must
// agree, only unanimous up is believed; anything else is unknown.
//
// since is when the last opinion that was needed came to hold.
func agree(quorum int, opinions []opinion) agreement {
	n := len(opinions)
	a := agreement{level: LevelUnknown, of: n, need: quorum}
	if n == 0 {
		return a
	}
	if quorum == 0 {
		a.need = n/2 + 1
	}
	if n == 1 && a.need == 1 { // by far the most usual case
		a.level, a.since = opinions[0].level, opinions[0].since
		if a.level != LevelUp {
			a.bad = 1
		}
		return a
	}
	var down, bad, up []time.Time
	for _, o := range opinions {
		switch o.level {
		case LevelDown:
			down, bad = append(down, o.since), append(bad, o.since)
		case LevelSlow:
			bad = append(bad, o.since)
		default:
			up = append(up, o.since)
		}
	}
	a.bad = len(bad)
	switch {
	case len(down) >= a.need:
		a.level, a.since = LevelDown, kth(down, a.need)
	case len(bad) >= a.need:
		a.level, a.since = LevelSlow, kth(bad, a.need)
	case len(bad) == 0:
		a.level, a.since = LevelUp, kth(up, max(1, n-a.need+1))
	case n < a.need:
		a.level, a.since, a.short = LevelUnknown, kth(bad, len(bad)), true
	default:
		a.level, a.since, a.short = LevelUp, kth(up, n-a.need+1), true
	}
	return a
}

// kth gives the k-th earliest of the times, counted from 1.
func kth(times []time.Time, k int) time.Time {
	slices.SortFunc(times, time.Time.Compare)
	return times[k-1]
}
