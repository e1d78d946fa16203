package app_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// manner is how a target behaves.
type manner int

const (
	works    manner = iota // 200
	fails                  // 503, with words that nobody outside may read
	crawls                 // 200, after a while
	hangs                  // no answer until the caller gives up
	slamsOff               // closes the connection without an answer
)

// slowness is how long a crawling target takes.
const slowness = 150 * time.Millisecond

// target is something to watch: an HTTP server on loopback whose manner the test sets.
type target struct {
	server *httptest.Server

	mu     sync.Mutex
	manner manner
	hits   map[string]int         // by User-Agent
	times  map[manner][]time.Time // of hits
}

// secret stands in everything about a target that the public must not see.
const secret = "tell-nobody"

// newTarget starts a target that works.
func newTarget(tb testing.TB) *target {
	tb.Helper()
	t := &target{hits: map[string]int{}, times: map[manner][]time.Time{}}
	t.server = httptest.NewServer(t)
	tb.Cleanup(t.server.Close)
	return t
}

// url is where it is watched.
func (t *target) url() string { return t.server.URL + "/" + secret }

// turns makes it behave in another manner from now on.
func (t *target) turns(m manner) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.manner = m
}

// ServeHTTP behaves as it was told to.
func (t *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	m := t.manner
	t.hits[r.UserAgent()]++
	t.times[m] = append(t.times[m], time.Now())
	t.mu.Unlock()
	switch m {
	case works:
	case fails:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("replica seven: " + secret))
	case crawls:
		<-time.After(slowness)
	case hangs:
		<-r.Context().Done()
	case slamsOff:
		panic(http.ErrAbortHandler)
	}
}

// seen tells how often it was probed so far, by anyone.
func (t *target) seen() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, hits := range t.hits {
		n += hits
	}
	return n
}

// seenBy tells how often a hub that names itself so has probed it.
func (t *target) seenBy(agent string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hits[agent]
}

// first gives when it was first probed in a manner; zero for never.
func (t *target) first(m manner) time.Time { return t.after(m, time.Time{}) }

// after gives when it was first probed in a manner after a moment; zero for never.
func (t *target) after(m manner, moment time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, at := range t.times[m] {
		if at.After(moment) {
			return at
		}
	}
	return time.Time{}
}

// last gives when it was last probed in a manner; zero for never.
func (t *target) last(m manner) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.times[m]) == 0 {
		return time.Time{}
	}
	return t.times[m][len(t.times[m])-1]
}
