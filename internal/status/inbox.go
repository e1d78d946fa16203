package status

import "sync"

// MaxInbox bounds the results that wait for the engine: half a minute's worth at
// 500 results a second. Beyond it new ones are dropped and counted.
const MaxInbox = 16384

// inbox hands results from the runner to the engine. Putting never blocks, and
// two buffers change places, so that nothing is allocated once they have grown.
type inbox struct {
	mu      sync.Mutex
	waiting []Result
	spare   []Result
	dropped uint64
	signal  chan struct{}
}

func newInbox() *inbox { return &inbox{signal: make(chan struct{}, 1)} }

// put copies a batch in.
func (b *inbox) put(batch []Result) {
	b.mu.Lock()
	fits := min(len(batch), MaxInbox-len(b.waiting))
	b.waiting = append(b.waiting, batch[:fits]...)
	b.dropped += uint64(len(batch) - fits)
	b.mu.Unlock()
	select {
	case b.signal <- struct{}{}:
	default:
	}
}

// take gives all that waits. The slice is the caller's until give.
func (b *inbox) take() []Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := b.waiting
	b.waiting, b.spare = b.spare, nil
	return batch
}

// give hands the buffer of a taken batch back.
func (b *inbox) give(batch []Result) {
	clear(batch) // lets go of facts and reasons
	b.mu.Lock()
	b.spare = batch[:0]
	b.mu.Unlock()
}

// lost tells how many results were dropped.
func (b *inbox) lost() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}
