package public

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limits of the live stream.
const (
	// MaxStreams is how many visitors may listen at once; the others look every minute.
	MaxStreams = 4096
	// MaxStreamsPerAddress is how many of them may come from one address.
	MaxStreamsPerAddress = 32
	// PingEvery is how often a quiet stream says that it lives.
	PingEvery = 15 * time.Second
	// streamWrite bounds one write to a visitor who reads slowly.
	streamWrite = 10 * time.Second
	// spread is how much later each listener adds to the time over which they
	// all come back after a change; atMost bounds the sum.
	spread       = 500 * time.Microsecond
	spreadAtMost = 4 * time.Second
)

// Live tells visitors that the page has changed, as server-sent events. An
// event says no more than that: who wants to know what, fetches the page. So a
// slow reader misses nothing by missing an event, and nothing queues up.
type Live struct {
	metrics *Metrics

	mu      sync.Mutex
	seq     int64
	version int64
	changed chan struct{} // closed at the next change
	closed  bool
	all     int
	from    map[string]int
}

// NewLive makes a stream with nothing to tell yet.
func NewLive(m *Metrics) *Live {
	return &Live{metrics: m, changed: make(chan struct{}), from: map[string]int{}}
}

// Announce tells everybody that a page of that version stands, made at that
// journal position.
func (l *Live) Announce(seq, version int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq, l.version = seq, version
	if !l.closed {
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// Close ends every stream, so that a shutdown does not wait for them.
func (l *Live) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.changed)
	}
}

// join counts a listener in; ok is false when there are too many.
func (l *Live) join(address string) (ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.all >= MaxStreams || l.from[address] >= MaxStreamsPerAddress {
		l.metrics.refused.Inc()
		return false
	}
	l.all++
	l.from[address]++
	l.metrics.streams.Set(float64(l.all))
	return true
}

// leave counts a listener out.
func (l *Live) leave(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.from[address]--; l.from[address] == 0 {
		delete(l.from, address)
	}
	l.metrics.streams.Set(float64(l.all))
}

// news gives the present state and the channel of the next change.
func (l *Live) news() (event string, changed <-chan struct{}, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	within := min(time.Duration(l.all)*spread, spreadAtMost)
	return fmt.Sprintf("id: %d\nevent: page\ndata: {\"version\":%d,\"within\":%d}\n\n", l.seq, l.version, within.Milliseconds()), l.changed, !l.closed
}

// Serve streams to one visitor at that address until they leave, ctx ends, or
// the stream is closed. The first event tells the present state, so that a
// visitor who was away sees at once whether anything changed.
func (l *Live) Serve(ctx context.Context, w http.ResponseWriter, address string) {
	if !l.join(address) {
		w.Header().Set("Retry-After", strconv.Itoa(int(time.Minute/time.Second)))
		http.Error(w, "Too many listeners; look again in a minute.", http.StatusServiceUnavailable)
		return
	}
	defer l.leave(address)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
	ping := time.NewTicker(PingEvery)
	defer ping.Stop()
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the server's would end the stream
	say := speaker(w)
	if !say("retry: 5000\n") {
		return
	}
	for {
		event, changed, open := l.news()
		if !open || !say(event) {
			return
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case <-ping.C:
				if !say(": still here\n\n") {
					return
				}
			case <-changed:
				waiting = false
			}
		}
	}
}

// speaker writes to a visitor and says whether that worked. Each write has its
// own deadline: the server's would end the stream, none would let it hang.
func speaker(w http.ResponseWriter) func(string) bool {
	out := http.NewResponseController(w)
	return func(s string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(streamWrite)) // not every writer has one
		if _, err := w.Write([]byte(s)); err != nil {
			return false
		}
		return out.Flush() == nil
	}
}
