package notice

import (
	"math/rand/v2"
	"time"
)

const (
	// breakAfter is how many failures in a row open a channel's circuit; of a
	// channel that writes to many, failures for so many of them.
	breakAfter = 5
	// breakFirst is how long an open circuit waits before one message is tried,
	// twice as long after each one that fails, up to breakMost.
	breakFirst = 15 * time.Second
	breakMost  = 5 * time.Minute
	// retryFirst is the wait after the first failure of a message, twice as long
	// after each, up to retryMost.
	retryFirst = 2 * time.Second
	retryMost  = 15 * time.Minute
)

// backoff gives the wait after the n-th failed attempt, n from 1: doubling, with
// jitter over its second half, so that what failed together does not come back
// together.
func backoff(n int) time.Duration {
	return jitter(min(retryFirst<<min(max(n-1, 0), 20), retryMost))
}

// jitter gives a wait between half of d and d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// breaker keeps a channel that is down from being tried for every message. It
// belongs to one goroutine.
type breaker struct {
	ChannelState
	failed map[string]bool // who could not be reached in this row of failures
	opened int             // times in a row
	tried  bool            // half open, and a message is out
	dirty  bool            // differs from what is written
}

// newBreaker takes up a channel's circuit where the last process left it.
func newBreaker(s ChannelState) *breaker {
	b := &breaker{ChannelState: s, failed: map[string]bool{}}
	if b.Circuit == "" {
		b.Circuit = Closed
	}
	if b.Circuit != Closed {
		b.Circuit, b.opened = Opened, 1
	}
	return b
}

// room gives how many of n messages may be tried now.
func (b *breaker) room(n int, now time.Time) int {
	switch {
	case b.Circuit == Closed:
		return n
	case b.Circuit == Opened && !now.Before(b.RetryAt):
		b.become(HalfOpen, now)
	}
	if b.Circuit == HalfOpen && !b.tried {
		return min(n, 1)
	}
	return 0
}

// trying notes that messages go out.
func (b *breaker) trying() { b.tried = b.Circuit == HalfOpen }

// well notes that a message was taken, or refused by a channel that works.
func (b *breaker) well(now time.Time, sent bool) {
	b.tried, b.opened = false, 0
	clear(b.failed)
	if b.Circuit != Closed {
		b.become(Closed, now)
	}
	if b.Failures > 0 {
		b.Failures, b.dirty = 0, true
	}
	if sent {
		b.dirty = b.dirty || now.Sub(b.SentAt) >= sentEvery
		if b.dirty {
			b.SentAt = now
		}
	}
}

// sentEvery is how often it is written that a channel works.
const sentEvery = time.Minute

// bad notes a failure for somebody; "" is the channel's own place.
func (b *breaker) bad(who, reason string, now time.Time) {
	b.tried = false
	b.Failures++
	b.Reason = reason
	b.failed[who] = true
	switch {
	case b.Circuit == HalfOpen, b.Circuit == Closed && b.Failures >= breakAfter && (who == "" || len(b.failed) >= breakAfter):
		b.RetryAt = now.Add(jitter(min(breakFirst<<min(b.opened, 10), breakMost)))
		b.opened++
		b.become(Opened, now)
	}
}

func (b *breaker) become(c Circuit, now time.Time) { b.Circuit, b.Since, b.dirty = c, now, true }

// pace spaces sends so that there are at most so many in a second.
type pace struct {
	every time.Duration // between two sends; 0 = no limit
	next  time.Time
}

func newPace(perSecond float64) pace {
	if perSecond <= 0 {
		return pace{}
	}
	return pace{every: time.Duration(float64(time.Second) / perSecond)}
}

// room gives how many of n sends are within the limit now, and when the next one is.
func (p *pace) room(n int, now time.Time) (int, time.Time) {
	if p.every == 0 || n == 0 {
		return n, time.Time{}
	}
	if p.next.Before(now.Add(-paceBurst)) {
		p.next = now.Add(-paceBurst) // what was not used for long is gone
	}
	free := int(now.Sub(p.next)/p.every) + 1
	if now.Before(p.next) {
		free = 0
	}
	return min(n, free), p.next
}

// paceBurst is how much of an unused limit may be caught up with.
const paceBurst = 200 * time.Millisecond

// took notes n sends.
func (p *pace) took(n int) { p.next = p.next.Add(time.Duration(n) * p.every) }
