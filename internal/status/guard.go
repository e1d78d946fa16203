package status

import "time"

const (
	// SentinelWait is how long a failure that would change a verdict waits for
	// sentinels to say whether it is our own connection that is gone.
	SentinelWait = 2 * time.Second
	// ClockSlack is how far the wall clock may move against the monotonic one,
	// and how far ahead a result may be due, before time is not to be trusted.
	// For as long after a jump, results are inconclusive: their runs may span it.
	ClockSlack = 2 * time.Second
	// ClockGap is the forward jump above which the time in between counts as not
	// measured: the machine was asleep. A smaller one is a correction.
	ClockGap = time.Minute
	// OpinionIntervals is for how many intervals a location may be silent, or
	// unable to tell, while others speak, before it has no opinion.
	OpinionIntervals = 3
	// OpinionLeast is the least time after which a monitor that nobody can tell
	// anything of is unknown, however short its interval.
	OpinionLeast = time.Minute
	// MaxHold bounds a deploy hold: who forgets to end one is not blinded by it.
	MaxHold = time.Hour
	// holdFactor multiplies the confirmations that a new outage needs while a
	// declared rollout holds its component.
	holdFactor = 2
)

// sentinel is what one sentinel said last at one location.
type sentinel struct {
	monitor  string
	location string
	interval time.Duration
	started  time.Time // zero: never
	failed   bool
}

// sentinels tell whether we ourselves are connected, per location.
type sentinels []sentinel

// note keeps the newest result of a sentinel. Inconclusive results say nothing.
func (ss sentinels) note(r *Result, started time.Time) {
	if r.Outcome == Inconclusive {
		return
	}
	for i := range ss {
		s := &ss[i]
		if s.monitor == r.Monitor && s.location == r.Location && !started.Before(s.started) {
			s.started, s.failed = started, r.Outcome == Failed
		}
	}
}

// at reports whether a location has sentinels.
func (ss sentinels) at(location string) bool {
	for i := range ss {
		if ss[i].location == location {
			return true
		}
	}
	return false
}

// cutOff reports whether a strict majority of the location's sentinels failed
// when they were last asked. Who was not asked within two of its intervals does
// not count.
func (ss sentinels) cutOff(location string, now time.Time) bool {
	failed, all := 0, 0
	for i := range ss {
		s := &ss[i]
		if s.location != location || s.started.IsZero() || now.Sub(s.started) > 2*s.interval {
			continue
		}
		all++
		if s.failed {
			failed++
		}
	}
	return 2*failed > all
}

// since asks only results that began at or after a failure. decided is false
// while too few sentinels have answered to know what the majority says.
func (ss sentinels) since(location string, failure time.Time) (cut, decided bool) {
	failed, fine, all := 0, 0, 0
	for i := range ss {
		s := &ss[i]
		if s.location != location {
			continue
		}
		all++
		switch {
		case s.started.Before(failure):
		case s.failed:
			failed++
		default:
			fine++
		}
	}
	if 2*failed > all {
		return true, true
	}
	return false, 2*fine >= all
}

// doubtful reports whether a failure may be our own: a number that was read and
// crossed its limit proves that we are connected, everything else may come of a
// dead uplink, resolver or proxy on our side. A missing ping counts: it could
// not have reached us.
func doubtful(c Cause) bool { return c != CauseThreshold && c != CauseNone }

// wallClock compares the wall clock with the monotonic one.
type wallClock struct {
	wall time.Time     // as last seen
	mono time.Duration // as last seen
	set  bool
}

// moved gives how far the wall clock jumped since the last call, zero when it
// went along with the monotonic one within ClockSlack. Slow drift is followed.
func (c *wallClock) moved(wall time.Time, mono time.Duration) time.Duration {
	wall = wall.Round(0)
	jump := wall.Sub(c.wall) - (mono - c.mono)
	first := !c.set
	c.wall, c.mono, c.set = wall, mono, true
	if first || jump.Abs() <= ClockSlack {
		return 0
	}
	return jump
}

// hold is a declared rollout of a component: until when, and why.
type hold struct {
	until time.Time
	why   string
}

// confirm gives the rule under the hold: a blip needs twice the confirmations,
// so that a single restart is not told, while a confirmed outage is told, dated
// back to its first failure, no matter how long the hold still lasts.
func (h hold) confirm(r Rule, now time.Time) Rule {
	if now.Before(h.until) {
		r.Confirm *= holdFactor
		r.SlowFor *= holdFactor
	}
	return r
}
