package notice

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is how long a loop sleeps at most when nobody wakes it: how far
	// behind it is when another process planned.
	lookEvery = 500 * time.Millisecond
	// glances is how many times a loop that was woken looks again soon, first
	// after glanceAfter and then after twice as long each time: the ring comes
	// from within a unit of work that commits a moment later.
	glances     = 5
	glanceAfter = 10 * time.Millisecond
	// pauseMost is the longest pause after trouble; it doubles from lookEvery.
	pauseMost = 5 * time.Second
)

// loop is the rhythm of one goroutine that works whenever there is something to
// do: when it looks, how it waits, and when it was last well.
type loop struct {
	well     *atomic.Int64 // Unix microseconds of the last look that succeeded
	left     int           // glances
	failures int
}

// loops knows the loops that run, for those who watch over them.
type loops struct {
	mu   sync.Mutex
	well map[string]*atomic.Int64
}

// begin gives a loop its place among those that are watched, until end is called.
func (l *loops) begin(name string, now time.Time) (lp *loop, end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.well == nil {
		l.well = map[string]*atomic.Int64{}
	}
	lp = &loop{well: new(atomic.Int64)}
	lp.well.Store(now.UnixMicro())
	l.well[name] = lp.well
	return lp, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.well[name] == lp.well {
			delete(l.well, name)
		}
	}
}

// looked notes that the loop looked, and whether that went well.
func (l *loop) looked(err error, now time.Time) {
	if err != nil {
		l.failures++
		return
	}
	l.failures = 0
	l.well.Store(now.UnixMicro())
}

// sleep gives how long to wait before the next look, at most most.
func (l *loop) sleep(most time.Duration) time.Duration {
	switch {
	case l.failures > 0:
		return min(lookEvery<<min(l.failures, 10), pauseMost)
	case l.left > 0:
		l.left--
		return min(glanceAfter<<(glances-1-l.left), most)
	}
	return most
}

// rung notes that the loop was woken.
func (l *loop) rung() { l.left = glances }

// rest waits until the next look: at most most, a wake, or the end of ctx.
func (l *loop) rest(ctx context.Context, most time.Duration, wake <-chan struct{}) {
	if l.failures > 0 {
		wake = nil
	}
	t := time.NewTimer(l.sleep(most))
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
		l.rung()
	case <-ctx.Done():
	}
}

// Lag tells which loop of the sender has not been well for longest, and for how
// long; nothing and 0 when all are, or when another process sends.
func (s *Sender) Lag() (loop string, behind time.Duration) {
	s.loops.mu.Lock()
	defer s.loops.mu.Unlock()
	now := s.desk.now()
	for name, well := range s.loops.well {
		if d := now.Sub(time.UnixMicro(well.Load())); d > lagShown && d > behind {
			loop, behind = name, d
		}
	}
	return loop, behind
}

// lagShown is from when on a loop counts as behind: a healthy one looks every
// lookEvery, or is in the middle of a unit of work.
const lagShown = 5 * time.Second

// Sends is what became of attempts through one channel since the process began.
type Sends struct {
	Channel    string
	Sent       int64
	Retried    int64 // attempts that failed and are tried again
	Failed     int64 // dead letters
	Suppressed int64 // not sent, with a reason
}

// Stats gives the totals, by channel.
func (s *Sender) Stats() []Sends {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Sends, 0, len(s.sends))
	for _, n := range s.sends {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b Sends) int { return strings.Compare(a.Channel, b.Channel) })
	return out
}

// count adds what was written to the totals.
func (s *Sender) count(outcomes []outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range outcomes {
		for _, row := range o.rows {
			n := s.sends[row.Channel]
			if n == nil {
				n = &Sends{Channel: row.Channel}
				s.sends[row.Channel] = n
			}
			switch {
			case row.State == Sent:
				n.Sent++
			case row.State == Failed:
				n.Failed++
			case row.State == Suppressed:
				n.Suppressed++
			case !o.unsent:
				n.Retried++
			}
		}
	}
}
