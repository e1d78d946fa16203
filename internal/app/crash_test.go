package app_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/api"
)

// pass lets a stretch of time go by in which a hub works.
func pass(tb testing.TB, d time.Duration) {
	tb.Helper()
	select {
	case <-time.After(d):
	case <-tb.Context().Done():
	}
}

// TestKilledHubGoesOnWhereItWas (design 10.1): kill -9 at any instant, while
// targets come and go, breaks nothing: the chain verifies, the spans tile, what
// was down is down, and the time in between was measured by nobody.
func TestKilledHubGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dead, restless := newTarget(t), newTarget(t)
	dead.turns(slamsOff)
	path := s.config(t, fmt.Sprintf(`
page: {name: Example Ltd}
components: [{id: dead}, {id: restless}]
monitors:
  - {id: dead, component: dead, kind: http, url: "%s", interval: 1s, confirm: 4, recover: 2}
  - {id: restless, component: restless, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1, flap: {changes: 100, within: 1m}}
`, dead.url(), restless.url()))

	var toggling sync.WaitGroup
	calm := make(chan struct{})
	toggling.Go(func() {
		for m := fails; ; m = fails - m {
			select {
			case <-calm:
				return
			case <-time.After(700*time.Millisecond + rand.N(800*time.Millisecond)):
				restless.turns(m)
			}
		}
	})
	defer toggling.Wait()
	defer close(calm)

	hub := launch(t, path)
	hub.awaitShown("dead", "major_outage")
	type absence struct{ from, to time.Time }
	var off []absence
	for range 5 {
		pass(t, rand.N(2500*time.Millisecond))
		hub.kill()
		killed := time.Now()
		// Nobody waits for the lease of who is dead: the folder's lock says that it is gone.
		off = append(off, absence{killed, time.Now()})
		hub = launch(t, path)
		hub.awaitBack("dead", killed)
	}
	if code := hub.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	entries := s.read(t)
	if got := count(entries, "hub.started"); got != 6 {
		t.Errorf("hub.started is in the journal %d times", got)
	}

	stopped := time.Now()
	hub = launch(t, path)
	hub.awaitBack("dead", stopped)
	for _, component := range []string{"dead", "restless"} {
		for _, track := range []string{"observed", "published"} {
			spans := hub.spans(component, track)
			for _, gone := range off {
				for _, span := range spans {
					if span.From.Before(gone.to) && (span.To == nil || span.To.After(gone.from)) && span.Status != "not_measured" {
						t.Errorf("%s %s: %s from %v to %v, but the hub was off from %v", component, track, span.Status, span.From, span.To, gone.from)
					}
				}
			}
			if component == "dead" {
				onlyDown(t, track, spans)
				for _, gone := range off {
					if first := dead.after(slamsOff, gone.to); !down(spans, first) {
						t.Errorf("%s: the first failure after the restart, at %v, did not count as one more of four", track, first)
					}
				}
			}
		}
	}
}

// awaitBack waits until what a hub has seen since a restart is recorded: the
// component is down again, from later than a moment on.
func (h hub) awaitBack(component string, moment time.Time) {
	h.tb.Helper()
	h.await("the first result after the restart to be recorded", func() bool {
		c := h.component(component)
		return c.Observed == "major_outage" && c.Status == c.Observed && c.Since.After(moment)
	})
}

// onlyDown fails when a target that never answered was ever anything but down,
// once it was known to be.
func onlyDown(t *testing.T, track string, spans []api.Span) {
	t.Helper()
	known := false
	for _, span := range spans {
		known = known || span.Status == "major_outage"
		if known && span.Status != "major_outage" && span.Status != "not_measured" {
			t.Errorf("%s: the dead one was %s from %v to %v", track, span.Status, span.From, span.To)
		}
	}
}

// down reports whether there was an outage at a moment.
func down(spans []api.Span, at time.Time) bool {
	for _, span := range spans {
		if !span.From.After(at) && (span.To == nil || span.To.After(at)) {
			return span.Status == "major_outage"
		}
	}
	return false
}

// TestTerminatedHubDrains (design 6): SIGTERM loses nothing and says goodbye.
func TestTerminatedHubDrains(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t), newTarget(t)
	hub := launch(t, s.config(t, fmt.Sprintf(`
page: {name: Example Ltd}
components: [{id: shop}]
monitors: [{id: shop, component: shop, kind: http, url: "%s", interval: 1s, timeout: 900ms, confirm: 1}]
`, shop.url())))
	hub.awaitShown("shop", "operational")
	shop.turns(hangs) // a probe is under way when the signal comes
	was := shop.seen()
	hub.await("a probe to hang", func() bool { return shop.seen() > was })
	if code := hub.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	entries := s.read(t)
	if n := len(entries); n == 0 || entries[n-1].Verb != "hub.stopped" {
		t.Errorf("the journal does not end with hub.stopped: %v", entries[max(0, n-3):])
	}
}
