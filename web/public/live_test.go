package public

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// listener is a visitor's side of a stream.
type listener struct {
	mu     sync.Mutex
	header http.Header
	code   int
	text   strings.Builder
}

func newListener() *listener { return &listener{header: http.Header{}, code: http.StatusOK} }

func (l *listener) Header() http.Header  { return l.header }
func (l *listener) WriteHeader(code int) { l.code = code }
func (l *listener) Flush()               {}
func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newLive() *Live { return NewLive(NewMetrics(prometheus.NewRegistry())) }

func TestLiveTellsWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := newLive()
		live.Announce(41, 1000)
		ctx, leave := context.WithCancel(t.Context())
		a := newListener()
		go live.Serve(ctx, a, "192.0.2.1")
		synctest.Wait()
		if want := "retry: 5000\nid: 41\nevent: page\ndata: {\"version\":1000,\"within\":0}\n\n"; a.heard() != want {
			t.Errorf("a visitor who comes hears %q, want %q", a.heard(), want)
		}
		live.Announce(42, 2000)
		synctest.Wait()
		if !strings.HasSuffix(a.heard(), "id: 42\nevent: page\ndata: {\"version\":2000,\"within\":0}\n\n") {
			t.Errorf("a change is heard as %q", a.heard())
		}
		<-time.After(PingEvery + time.Second)
		synctest.Wait()
		if !strings.HasSuffix(a.heard(), ": still here\n\n") {
			t.Errorf("a quiet stream does not say that it lives: %q", a.heard())
		}
		if a.header.Get("Content-Type") != "text/event-stream" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("header %v", a.header)
		}
		leave()
		synctest.Wait()
		if live.all != 0 || len(live.from) != 0 {
			t.Error("a visitor who left is still counted")
		}
	})
}

func TestLiveIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := newLive()
		defer live.Close()
		for range MaxStreamsPerAddress {
			go live.Serve(t.Context(), newListener(), "192.0.2.1")
		}
		synctest.Wait()
		one := httptest.NewRecorder()
		live.Serve(t.Context(), one, "192.0.2.1")
		if one.Code != http.StatusServiceUnavailable || one.Header().Get("Retry-After") == "" {
			t.Errorf("one too many from an address gets %d", one.Code)
		}
		for i := live.all; i < MaxStreams; i++ {
			if !live.join("many" + strings.Repeat("x", i%200)) {
				t.Fatalf("visitor %d is refused", i)
			}
		}
		other := httptest.NewRecorder()
		live.Serve(t.Context(), other, "198.51.100.7")
		if other.Code != http.StatusServiceUnavailable {
			t.Errorf("one too many gets %d", other.Code)
		}
	})
}

func TestLiveClosesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := newLive()
		var streams sync.WaitGroup
		for range 10 {
			streams.Go(func() { live.Serve(t.Context(), newListener(), "192.0.2.1") })
		}
		synctest.Wait()
		live.Close()
		live.Close()
		streams.Wait()
		late := httptest.NewRecorder()
		live.Serve(t.Context(), late, "192.0.2.1")
		if late.Code != http.StatusServiceUnavailable {
			t.Errorf("after the end a visitor gets %d", late.Code)
		}
		live.Announce(1, 1)
	})
}

func TestLiveSpreadsACrowd(t *testing.T) {
	live := newLive()
	for i := range 1000 {
		live.join(strings.Repeat("a", i%50))
	}
	event, _, _ := live.news()
	if !strings.Contains(event, `"within":500`) {
		t.Errorf("a thousand visitors are told to come back within %q", event)
	}
}
