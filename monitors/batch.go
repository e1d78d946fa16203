package monitors

import (
	"sync"
	"time"

	"evenkeel/internal/status"
)

// Limits of a batch of results.
const (
	flushAfter = 5 * time.Millisecond // how long a result waits for company
	maxBatch   = 512
)

// batcher gathers results, so that those of one slot travel together.
type batcher struct {
	out func([]status.Result)

	mu    sync.Mutex
	held  []status.Result
	timer *time.Timer // armed while something is held
}

// add takes a result and hands on what is held when it is much.
func (b *batcher) add(res status.Result) {
	b.mu.Lock()
	if b.held == nil {
		b.held = make([]status.Result, 0, 16)
	}
	b.held = append(b.held, res)
	full := len(b.held) >= maxBatch
	if len(b.held) == 1 {
		if b.timer == nil {
			b.timer = time.AfterFunc(flushAfter, b.flush)
		} else {
			b.timer.Reset(flushAfter)
		}
	}
	b.mu.Unlock()
	if full {
		b.flush()
	}
}

// flush hands on what is held.
func (b *batcher) flush() {
	b.mu.Lock()
	batch := b.held
	b.held = nil
	b.mu.Unlock()
	if len(batch) > 0 {
		b.out(batch)
	}
}
