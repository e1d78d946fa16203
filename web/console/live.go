package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Limits of the live stream.
const (
	// MaxStreams is how many pages of staff may listen at once on this process;
	// MaxStreamsEach how many of them may be one person's. The others look
	// every half minute.
	MaxStreams     = 1024
	MaxStreamsEach = 24
	// TickEvery is how often a quiet stream says how far behind it is.
	TickEvery = 10 * time.Second
	// streamWrite bounds one write to somebody who reads slowly.
	streamWrite = 10 * time.Second
	// memory is how many changes are kept, so that a page that was away for a
	// moment hears whether it missed anything.
	memory = 256
	// spread is how much later each listener adds to the time over which they
	// all come back after a change; spreadAtMost bounds the sum.
	spread       = 2 * time.Millisecond
	spreadAtMost = 4 * time.Second
)

// liveHeader marks the fetch of a page by its own script.
const liveHeader = "Evenkeel-Live"

// change is what one batch of entries touched.
type change struct {
	seq    int64
	topics []string // kinds of subjects, sorted
	lag    time.Duration
}

// stream tells open pages that something was recorded. It sends topics, never
// content: who wants to know what, fetches the page, with their own rights.
type stream struct {
	now func() time.Time

	mu     sync.Mutex
	kept   []change      // the newest last
	from   int64         // the position before the first that is kept
	next   chan struct{} // closed at the next change
	closed bool
	all    int
	each   map[string]int // by actor
}

func newStream(now func() time.Time) *stream {
	return &stream{now: now, next: make(chan struct{}), each: map[string]int{}}
}

// announce tells everybody what entries touched.
func (s *stream) announce(entries []journal.Sealed) {
	topics := map[string]bool{}
	oldest := entries[0].RecordedAt
	for _, e := range entries {
		topics[e.Subject.Kind] = true
		if e.RecordedAt.Before(oldest) {
			oldest = e.RecordedAt
		}
	}
	c := change{seq: entries[len(entries)-1].Seq, topics: slices.Sorted(maps.Keys(topics)), lag: max(s.now().Sub(oldest), 0)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept = append(s.kept, c); len(s.kept) > memory {
		s.from = s.kept[len(s.kept)-memory-1].seq
		s.kept = slices.Delete(s.kept, 0, len(s.kept)-memory)
	}
	if !s.closed {
		close(s.next)
		s.next = make(chan struct{})
	}
}

// close ends every stream, so that a shutdown does not wait for them.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.next)
	}
}

func (s *stream) join(who string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.all >= MaxStreams || s.each[who] >= MaxStreamsEach {
		return false
	}
	s.all++
	s.each[who]++
	return true
}

func (s *stream) leave(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.each[who]--; s.each[who] == 0 {
		delete(s.each, who)
	}
}

// since gives what was touched after a position as one change, and the channel
// of the next. From before what is kept, everything may have been.
func (s *stream) since(seq int64) (c change, news bool, next <-chan struct{}, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.seq = seq
	if seq < s.from { // whatever is shown may be old
		c.seq, c.topics = s.from, []string{"*"}
		if len(s.kept) > 0 {
			c.seq = s.kept[len(s.kept)-1].seq
		}
		return c, true, s.next, !s.closed
	}
	topics := map[string]bool{}
	for _, k := range s.kept {
		if k.seq <= seq {
			continue
		}
		news, c.seq, c.lag = true, k.seq, k.lag
		for _, t := range k.topics {
			topics[t] = true
		}
	}
	c.topics = slices.Sorted(maps.Keys(topics))
	return c, news, s.next, !s.closed
}

// within is the time over which pages come back after a change.
func (s *stream) within() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return min(time.Duration(s.all)*spread, spreadAtMost).Milliseconds()
}

// Begin says from which journal position Follow goes on.
func (c *Console) Begin(seq int64) {
	c.changed.Store(seq)
	c.stream.mu.Lock()
	defer c.stream.mu.Unlock()
	c.stream.from = seq
}

// Follow takes sealed entries, in order: pages that show what they touch hear of
// it, and what is kept of the record is read again. The page's follower calls
// it after the board has followed. It never fails and never blocks.
func (c *Console) Follow(entries []journal.Sealed) {
	if len(entries) == 0 {
		return
	}
	c.changed.Store(entries[len(entries)-1].Seq)
	c.roll.follow(entries)
	c.stream.announce(entries)
}

// CloseStreams ends the live streams, so that a shutdown does not wait for them.
func (c *Console) CloseStreams() { c.stream.close() }

// lag is how far behind this process is now, in seconds.
func (c *Console) lag() float64 {
	if c.deps.Lag == nil {
		return 0
	}
	return c.deps.Lag().Seconds()
}

// listen serves the live stream to one page until it leaves.
func (c *Console) listen(w http.ResponseWriter, r *http.Request) {
	who := guestOf(r).Actor.ID
	if !c.stream.join(who) {
		w.Header().Set("Retry-After", strconv.Itoa(int(time.Minute/time.Second)))
		c.Fail(w, r, problem.TooMany("Too many pages listen; this one looks by itself every half minute."))
		return
	}
	defer c.stream.leave(who)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	at := c.changed.Load()
	if id, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil && id < at {
		at = id
	}
	say := speaker(w)
	if !say("retry: 3000\n") || !say(event("hello", at, map[string]any{"seq": at, "lag": c.lag()})) {
		return
	}
	tick := time.NewTicker(TickEvery)
	defer tick.Stop()
	for {
		touched, news, next, open := c.stream.since(at)
		if !open {
			return
		}
		if news {
			at = touched.seq
			if !say(event("change", at, map[string]any{"seq": at, "topics": touched.topics, "within": c.stream.within(), "lag": touched.lag.Seconds()})) {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-next:
		case <-tick.C:
			if !say(event("tick", at, map[string]any{"lag": c.lag()})) {
				return
			}
		}
	}
}

// event writes one server-sent event.
func event(name string, id int64, data map[string]any) string {
	text, _ := json.Marshal(data) // numbers and strings always marshal
	return fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", id, name, strings.TrimSpace(string(text)))
}

// speaker writes to a page and says whether that worked. Each write has its own
// deadline: the server's would end the stream, none would let it hang.
func speaker(w http.ResponseWriter) func(string) bool {
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the server's would end the stream; not every writer has one
	return func(s string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(streamWrite))
		if _, err := w.Write([]byte(s)); err != nil {
			return false
		}
		return out.Flush() == nil
	}
}
