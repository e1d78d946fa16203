package monitors

import (
	"time"

	"github.com/jonboulle/clockwork"
)

// steady is the clock that gocron schedules by: it begins at the wall clock and
// then follows the monotonic one. gocron itself drops monotonic readings, and by
// the wall clock a step back would silence every monitor for as long as the
// step, and a step forward would fire them at other moments than their slots keep.
type steady struct {
	clockwork.Clock
	origin time.Time // what the clock said in the beginning
	began  time.Time // the beginning, with its monotonic reading
}

func newSteady() steady {
	now := time.Now()
	return steady{Clock: clockwork.NewRealClock(), origin: now.Round(0), began: now}
}

// Now gives the origin and the time that has passed since.
func (c steady) Now() time.Time { return c.origin.Add(time.Since(c.began)) }

// Since gives the time that has passed since a moment of this clock.
func (c steady) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Until gives the time that will pass until a moment of this clock.
func (c steady) Until(t time.Time) time.Duration { return t.Sub(c.Now()) }
