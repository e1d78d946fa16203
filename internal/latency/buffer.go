package latency

import (
	"time"

	"evenkeel/internal/status"
)

// sample is a result on its way: what is recorded of it and nothing else.
type sample struct {
	series *series
	due    int64                     // Unix milliseconds
	word   uint32                    // slotOf
	value  uint32                    // packValue
	phases [status.PhaseCount]uint32 // µs
}

// frameSamples is how many samples are kept, and written as a frame, together.
const frameSamples = 1024

// chunk is a full or growing piece of the buffer; one becomes one frame.
type chunk []sample

// spareChunks is how many empty chunks are kept for reuse, 48 kB each.
const spareChunks = 8

// buffer holds samples until the engine has taken them, oldest first, at most
// MaxBuffered. Its owner locks.
type buffer struct {
	chunks []chunk
	spare  []chunk
	count  int
}

// push adds a result and tells how many old samples had to go for it.
func (b *buffer) push(s *series, r *status.Result) (dropped int) {
	if len(b.chunks) == 0 || len(b.chunks[len(b.chunks)-1]) == frameSamples {
		if b.count+frameSamples > MaxBuffered {
			dropped = b.dropOldest()
		}
		b.chunks = append(b.chunks, b.fresh())
	}
	last := &b.chunks[len(b.chunks)-1]
	*last = append(*last, sample{series: s, due: r.Due.UnixMilli(), word: slotOf(r.Latency, r.Outcome)})
	added := &(*last)[len(*last)-1]
	if r.HasValue {
		added.value = packValue(r.Value)
	}
	for i, d := range r.Phases {
		if d > 0 {
			added.phases[i] = uint32(min(d, status.MaxLatency) / time.Microsecond)
		}
	}
	b.count++
	return dropped
}

func (b *buffer) fresh() chunk {
	if n := len(b.spare); n > 0 {
		c := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return c
	}
	return make(chunk, 0, frameSamples)
}

func (b *buffer) dropOldest() int {
	oldest := b.chunks[0]
	for i := range oldest {
		oldest[i].series.pending--
	}
	b.chunks = b.chunks[1:]
	b.count -= len(oldest)
	b.release(oldest)
	return len(oldest)
}

// take gives the oldest chunks, at most n; they are the caller's until release
// or putBack. A chunk that still grows is among them.
func (b *buffer) take(n int) []chunk {
	n = min(n, len(b.chunks))
	taken := append([]chunk(nil), b.chunks[:n]...)
	b.chunks = b.chunks[n:]
	for _, c := range taken {
		b.count -= len(c)
	}
	return taken
}

// putBack returns taken chunks to the front and tells how many samples no
// longer fitted.
func (b *buffer) putBack(taken []chunk) (dropped int) {
	for _, c := range taken {
		b.count += len(c)
	}
	// A long absence must not leave a trail of chunks with a few samples each.
	if last := len(taken) - 1; last >= 0 && len(b.chunks) > 0 && len(taken[last])+len(b.chunks[0]) <= frameSamples {
		taken[last] = append(taken[last], b.chunks[0]...)
		b.release(b.chunks[0])
		b.chunks = b.chunks[1:]
	}
	b.chunks = append(taken, b.chunks...)
	for b.count > MaxBuffered {
		dropped += b.dropOldest()
	}
	return dropped
}

// release takes an empty chunk back for reuse.
func (b *buffer) release(c chunk) {
	if len(b.spare) < spareChunks && cap(c) == frameSamples {
		clear(c) // lets go of the series
		b.spare = append(b.spare, c[:0])
	}
}
