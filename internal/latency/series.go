package latency

import (
	"time"

	"evenkeel/internal/status"
)

// A slot is 4 bytes: 24 bits of status.LatencyUnit, 2 of outcome, and one that
// says that there is a sample at all.
const (
	slotUnits    = 1<<24 - 1
	slotOutcome  = 24 // shift
	slotPresent  = 1 << 31
	slotBytes    = 4
	maxHourSlots = int(time.Hour / MinInterval)
)

// slotOf packs a latency and an outcome.
func slotOf(latency time.Duration, o status.Outcome) uint32 {
	return slotPresent | uint32(o&3)<<slotOutcome | status.LatencyUnits(latency)
}

func slotLatency(slot uint32) time.Duration {
	return time.Duration(slot&slotUnits) * status.LatencyUnit
}
func outcomeOf(slot uint32) status.Outcome { return status.Outcome(slot >> slotOutcome & 3) }

// hourMillis is how long an hour is where times are Unix milliseconds.
const hourMillis = int64(time.Hour / time.Millisecond)

// hourSlots tells how many slots an hour has at an interval. Intervals longer
// than an hour have one; one that does not divide the hour has a short last slot.
func hourSlots(interval time.Duration) int {
	return max(1, int((time.Hour+interval-1)/interval))
}

// place gives the hour (since 1970) and the slot of a time in Unix milliseconds.
// Two results that fall into one slot can only be a repeated run: the last wins.
func place(due int64, interval time.Duration) (hour int64, slot int) {
	hour = due / hourMillis
	return hour, int((due - hour*hourMillis) / interval.Milliseconds())
}

// name is a monitor at a location.
type name struct{ monitor, location string }

// series is one monitor at one location and interval, and its samples that are
// not saved yet.
type series struct {
	name
	interval time.Duration
	next     *series // the same monitor and location at another interval
	turn     int     // its second of the minute in which it is saved
	used     int64   // Unix second of the last sample
	pending  int     // samples in the buffer
	blocks   []*block
	urgent   bool     // has a block worth saving before its turn
	indexed  int64    // hour in which the Redis shelf last noted the interval
	held     *heldRow // the row shelf's copy of what it last wrote

	frame uint64 // the frame that has last named this series; the frame writer's own
	ref   uint64 // its number there
}

// block is what is not saved yet of one hour of a series.
type block struct {
	hour   int64
	first  int      // slot of words[0]
	words  []uint32 // slots; 0 = no sample
	values []uint32 // parallel to words, nil without values; see packValue
	phases [status.PhaseCount]uint64
	timed  uint32 // results whose phases are summed, µs
	own    int    // samples of this process, for the counters
}

// urgentSlots is how many unsaved slots of one hour are worth saving at once:
// more than a minute brings, so only a bulk of old samples gets there.
const urgentSlots = 240

// block gives the unsaved block of an hour.
func (s *series) block(hour int64) *block {
	for i := len(s.blocks) - 1; i >= 0; i-- {
		if s.blocks[i].hour == hour {
			return s.blocks[i]
		}
	}
	if len(s.blocks) == 1 && len(s.blocks[0].words) == 0 {
		s.blocks[0].hour = hour
		return s.blocks[0]
	}
	b := &block{hour: hour}
	s.blocks = append(s.blocks, b)
	return b
}

// unsaved reports whether any block holds samples.
func (s *series) unsaved() bool {
	for _, b := range s.blocks {
		if len(b.words) > 0 {
			return true
		}
	}
	return false
}

// forget empties a saved block. One empty block stays, so that its memory is
// used again.
func (s *series) forget(b *block) {
	*b = block{words: b.words[:0], values: b.values[:0]}
	if len(s.blocks) > 1 {
		for i, other := range s.blocks {
			if other == b {
				s.blocks = append(s.blocks[:i], s.blocks[i+1:]...)
				break
			}
		}
	}
}

// put sets one slot.
func (b *block) put(slot int, word, value uint32) {
	if len(b.words) == 0 {
		b.first = slot
	}
	if slot < b.first {
		grown := make([]uint32, b.first-slot+len(b.words))
		copy(grown[b.first-slot:], b.words)
		if len(b.values) > 0 {
			moved := make([]uint32, len(grown))
			copy(moved[b.first-slot:], b.values)
			b.values = moved
		}
		b.words, b.first = grown, slot
	}
	i := slot - b.first
	for i >= len(b.words) {
		b.words = append(b.words, 0)
	}
	b.words[i] = word
	if value != 0 || len(b.values) > 0 {
		for len(b.values) < len(b.words) {
			b.values = append(b.values, 0)
		}
		b.values[i] = value
	}
}

// table knows every series.
type table struct {
	byName map[name]*series
	count  int
	wheel  [saveTurns][]*series // by turn, so that a minute's saves spread evenly
}

const saveTurns = int(SaveEvery / time.Second)

func newTable() table { return table{byName: map[name]*series{}} }

// series gives the one of that name, new when it must be; nil when the name
// cannot be used or the table is full.
func (t *table) series(monitor, location string, interval time.Duration) *series {
	if interval > 0 {
		interval = max(interval.Truncate(time.Millisecond), MinInterval)
	}
	first := t.byName[name{monitor, location}]
	for s := first; s != nil; s = s.next {
		if s.interval == interval {
			return s
		}
	}
	if !usable(monitor, location, interval) || t.count >= MaxSeries {
		return nil
	}
	s := &series{name: name{monitor, location}, interval: interval, next: first}
	s.turn = shortest(&t.wheel)
	t.wheel[s.turn] = append(t.wheel[s.turn], s)
	t.byName[s.name] = s
	t.count++
	return s
}

// usable reports whether a series may have that name and interval.
func usable(monitor, location string, interval time.Duration) bool {
	return monitor != "" && len(monitor) <= MaxName && location != "" && len(location) <= MaxName &&
		interval >= MinInterval && interval <= MaxInterval
}

// shortest gives the turn with the fewest series.
func shortest(wheel *[saveTurns][]*series) int {
	best := 0
	for turn := range wheel {
		if len(wheel[turn]) < len(wheel[best]) {
			best = turn
		}
	}
	return best
}

// idleAfter is how long a series without samples is remembered, in seconds.
const idleAfter = 15 * 60

// sweep forgets the series of a turn that have been idle for long, and gives them.
func (t *table) sweep(turn int, now int64) (gone []*series) {
	kept := t.wheel[turn][:0]
	for _, s := range t.wheel[turn] {
		if s.pending > 0 || s.unsaved() || now-s.used < idleAfter {
			kept = append(kept, s)
			continue
		}
		t.unlink(s)
		gone = append(gone, s)
	}
	clear(t.wheel[turn][len(kept):])
	t.wheel[turn] = kept
	return gone
}

func (t *table) unlink(s *series) {
	t.count--
	first := t.byName[s.name]
	if first == s {
		if s.next == nil {
			delete(t.byName, s.name)
		} else {
			t.byName[s.name] = s.next
		}
		return
	}
	for before := first; before != nil; before = before.next {
		if before.next == s {
			before.next = s.next
			return
		}
	}
}
