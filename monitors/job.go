package monitors

import (
	"sync"
	"time"

	"evenkeel/internal/status"
)

// Job is one monitor at one location as the schedule needs it.
type Job struct {
	Key       string // stable key of the monitor
	ID        string // as in the file
	Component string // id of its component; "" for a sentinel
	Kind      string
	Location  string        // default status.LocalLocation
	Interval  time.Duration // at least 1 s
	Timeout   time.Duration // under the interval; default 10 s or 8/10 of it
	Sentinel  bool
	Mark      string // changes when anything about the monitor changes
	Probe     Probe  // belongs to the Runner from Set on, which closes it
}

// complete fills in defaults.
func (j Job) complete() Job {
	if j.Location == "" {
		j.Location = status.LocalLocation
	}
	if j.Timeout <= 0 || j.Timeout >= j.Interval {
		j.Timeout = min(defaultTimeout, j.Interval*8/10)
	}
	return j
}

// same reports whether a job may go on with the other's probe and state.
func (j Job) same(o Job) bool {
	return j.Mark != "" && j.Mark == o.Mark && j.ID == o.ID && j.Component == o.Component && j.Interval == o.Interval && printOf(j.Probe) == printOf(o.Probe)
}

func printOf(p Probe) string {
	if c, ok := p.(*Compiled); ok {
		return c.Print()
	}
	return ""
}

// task is a job with its state.
type task struct {
	job Job

	mu       sync.Mutex
	inTick   bool // a run of the schedule is in flight
	running  int  // runs in flight, by hand included
	removed  bool
	due      time.Time // of the last tick that began
	last     status.Kept
	finished bool // last holds a result
	bad      bool // the result before was not OK
}

// beginning is what became of a tick.
type beginning int

const (
	tickBegun beginning = iota
	tickBusy            // the run before is still in flight: a missed tick
	tickEarly           // the monitor was probed a moment ago, by a slot it has just left
	tickGone            // the monitor was removed
)

// begin claims the task for a run of the schedule.
func (t *task) begin(due time.Time) beginning {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.removed:
		return tickGone
	case !t.due.IsZero() && due.Sub(t.due) < t.job.Interval/2:
		return tickEarly
	case t.inTick:
		return tickBusy
	}
	t.inTick, t.due = true, due
	t.running++
	return tickBegun
}

// beginExtra claims the task for a run of the schedule out of turn; its next
// tick comes as if nothing had happened.
func (t *task) beginExtra() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.removed || t.inTick {
		return false
	}
	t.inTick = true
	t.running++
	return true
}

// beginByHand lets a run go beside the schedule.
func (t *task) beginByHand() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.removed {
		return false
	}
	t.running++
	return true
}

// end gives the task back, and closes the probe of a monitor that was removed meanwhile.
func (t *task) end(scheduled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if scheduled {
		t.inTick = false
	}
	t.running--
	if t.removed && t.running == 0 {
		t.job.Probe.Close()
	}
}

// retire takes the task out of the schedule: its probe is closed now, or when
// the run in flight ends.
func (t *task) retire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.removed {
		return
	}
	t.removed = true
	if t.running == 0 {
		t.job.Probe.Close()
	}
}

// keep notes the newest result and reports whether it or the one before was not good.
func (t *task) keep(res status.Result) (notable bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	bad := res.Outcome != status.OK
	notable = bad || t.bad
	t.last, t.finished, t.bad = status.KeptOf(&res), true, bad
	return notable
}

// amend replaces the newest result by the same with more facts.
func (t *task) amend(res status.Result) {
	t.mu.Lock()
	t.last = status.KeptOf(&res)
	t.mu.Unlock()
}

// newest gives the last result, if there is one.
func (t *task) newest() (status.Result, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last.Result(t.job.Key, t.job.Location), t.finished
}
