package monitors

import (
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// What falls due together is fired together: the cost of a probe at ordinary
// rates is waking up, not probing (notes in DESIGN.md).
const (
	lattice      = 10 * time.Millisecond // phases lie on it; also the narrowest slot
	widestSlot   = 100 * time.Millisecond
	slotsPerTurn = 600 // a slot of a long interval may be as wide as this part of it
	wantPerSlot  = 10  // probes that fall due together at most, on average, where the lattice allows; at least 4
)

// slotWidths are the widths a slot may have: few, so that a monitor more or less
// seldom changes the width, and with it the moment of the others.
var slotWidths = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second,
}

// slotWidth chooses how much of the interval is fired together when n monitors share it.
func slotWidth(interval time.Duration, n int) time.Duration {
	want := interval * wantPerSlot / time.Duration(max(n, 1))
	want = min(want, max(widestSlot, interval/slotsPerTurn))
	width := slotWidths[0]
	for _, w := range slotWidths {
		if w <= want {
			width = w
		}
	}
	return width
}

// phase is where in its interval a monitor falls due: always the same for the
// same key, so that restarts and reloads do not move it.
func phase(key string, interval time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(key))
	x := h.Sum64() // FNV leaves similar keys close together: stir
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return time.Duration(x%uint64(max(interval/lattice, 1))) * lattice
}

// place names a slot: monitors of one interval that fall due at one offset into it.
type place struct{ interval, offset time.Duration }

// arrange puts tasks into slots.
func arrange(tasks map[string]*task) map[place][]*task {
	count := make(map[time.Duration]int)
	for _, t := range tasks {
		count[t.job.Interval]++
	}
	slots := make(map[place][]*task)
	for _, t := range tasks {
		interval := t.job.Interval
		offset := phase(t.job.Key+"/"+t.job.Location, interval)
		offset -= offset % slotWidth(interval, count[interval])
		at := place{interval, offset}
		slots[at] = append(slots[at], t)
	}
	return slots
}

// slot is a moment in an interval and who is probed then.
type slot struct {
	place
	job   uuid.UUID // of gocron
	tasks atomic.Pointer[[]*task]

	mu   sync.Mutex
	next time.Time // the next tick, on the monotonic clock
}

// firstTick gives the first moment after now at which the slot falls due by the
// wall clock. From then on ticks follow the monotonic clock: when the wall
// clock is set, nothing is probed twice or left out.
func (p place) firstTick(now time.Time) time.Time {
	into := time.Duration(now.UnixNano() % int64(p.interval))
	return now.Add((p.offset - into + p.interval) % p.interval)
}

// tick gives the tick that is due at now and how many before it were missed
// whole. ok is false when it is not due yet.
func (s *slot) tick(now time.Time) (due time.Time, missed int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lag := now.Sub(s.next)
	if lag < -s.interval/2 {
		return time.Time{}, 0, false
	}
	if lag >= s.interval {
		missed = int(lag / s.interval)
		s.next = s.next.Add(time.Duration(missed) * s.interval)
	}
	due = s.next
	s.next = s.next.Add(s.interval)
	return due, missed, true
}
