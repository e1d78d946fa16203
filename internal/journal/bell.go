package journal

import "sync"

// LocalBell is a Bell within one process. The zero value is ready for use.
type LocalBell struct {
	mu   sync.Mutex
	next chan struct{}
}

var _ Bell = (*LocalBell)(nil)

// Wait gives a channel that is closed at the next ring. Take it before looking
// for work, so that a ring in between is not lost.
func (b *LocalBell) Wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

// Ring wakes everybody who waits.
func (b *LocalBell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}
