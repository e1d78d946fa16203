package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// targetStats is what a stretch of hits looked like from the targets' side.
type targetStats struct {
	Hits      int64   `json:"hits"`
	Targets   int     `json:"targets"`    // distinct ones hit
	GapP50    float64 `json:"gap_p50"`    // |gap - interval|, ms
	GapP99    float64 `json:"gap_p99"`    // ms
	Missed    int     `json:"missed"`     // gaps longer than 1.5 intervals
	LastFirst float64 `json:"last_first"` // s from the reset to the last target's first hit
	Conns     int64   `json:"conns"`
	Took      float64 `json:"took_ms"` // median of what a delayed answer really took here
	Posts     int64   `json:"posts"`   // distinct webhooks that were posted to
}

// serveTargets is N HTTP targets under /t/I that note when they were hit, and
// webhooks without end under /hook/I.
// POST /ctl/set?delay=50ms&hang=0.1&fail=I steers them, /ctl/reset starts a
// stretch, /ctl/stats?interval=1s tells about it.
func serveTargets(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("targets", flag.ContinueOnError)
	n := fs.Int("n", 1000, "targets")
	if err := fs.Parse(args); err != nil {
		return err
	}
	t := &targets{last: make([]atomic.Int64, *n), began: time.Now(), posts: map[string]struct{}{}}
	t.fail.Store(-1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: t, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			t.conns.Add(1)
		}
	}}
	fmt.Printf("ready %s\n", l.Addr())
	go func() { <-ctx.Done(); srv.Close() }()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type targets struct {
	began time.Time
	delay atomic.Int64  // ns
	hang  atomic.Uint64 // every k-th target hangs; 0 = none
	fail  atomic.Int64  // the one that answers 500; -1 = none
	hits  atomic.Int64
	conns atomic.Int64
	last  []atomic.Int64 // ns since began
	mu    sync.Mutex
	gaps  []float64 // ms
	took  []float64 // ms
	first map[int]time.Duration
	since time.Time
	posts map[string]struct{} // webhooks posted to since the reset
}

func (t *targets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if hook, ok := strings.CutPrefix(r.URL.Path, "/hook/"); ok {
		t.take(w, r, hook)
		return
	}
	rest, isTarget := strings.CutPrefix(r.URL.Path, "/t/")
	if !isTarget {
		t.control(w, r)
		return
	}
	i, err := strconv.Atoi(rest)
	if err != nil || i < 0 || i >= len(t.last) {
		http.NotFound(w, r)
		return
	}
	now := time.Since(t.began)
	before := time.Duration(t.last[i].Swap(int64(now)))
	t.hits.Add(1)
	t.mu.Lock()
	if t.first != nil {
		if _, seen := t.first[i]; !seen {
			t.first[i] = now
		} else if before > 0 {
			t.gaps = append(t.gaps, float64(now-before)/1e6)
		}
	}
	t.mu.Unlock()
	if k := t.hang.Load(); k > 0 && uint64(i)%k == 0 {
		<-r.Context().Done()
		return
	}
	if d := time.Duration(t.delay.Load()); d > 0 {
		began := time.Now()
		time.Sleep(d)
		t.mu.Lock()
		t.took = append(t.took, float64(time.Since(began))/1e6)
		t.mu.Unlock()
	}
	if t.fail.Load() == int64(i) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, "fine\n")
}

// take receives a webhook.
func (t *targets) take(w http.ResponseWriter, r *http.Request, hook string) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	t.mu.Lock()
	t.posts[hook] = struct{}{}
	t.mu.Unlock()
}

func (t *targets) control(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch r.URL.Path {
	case "/ctl/set":
		if v := q.Get("delay"); v != "" {
			d, err := time.ParseDuration(v)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			t.delay.Store(int64(d))
		}
		for name, set := range map[string]func(int64){"hang": func(n int64) { t.hang.Store(uint64(n)) }, "fail": t.fail.Store} {
			if v := q.Get(name); v != "" {
				n, err := strconv.ParseInt(v, 10, 64)
				if err != nil {
					http.Error(w, err.Error(), http.StatusBadRequest)
					return
				}
				set(n)
			}
		}
	case "/ctl/reset":
		t.mu.Lock()
		t.gaps, t.took, t.first, t.since, t.posts = t.gaps[:0], t.took[:0], map[int]time.Duration{}, time.Now(), map[string]struct{}{}
		t.mu.Unlock()
		t.hits.Store(0)
		t.conns.Store(0)
	case "/ctl/stats":
		interval, err := time.ParseDuration(q.Get("interval"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(t.stats(interval)); err != nil {
			return
		}
	default:
		http.NotFound(w, r)
	}
}

func (t *targets) stats(interval time.Duration) targetStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	want := float64(interval) / 1e6
	off := make([]float64, 0, len(t.gaps))
	s := targetStats{Hits: t.hits.Load(), Targets: len(t.first), Conns: t.conns.Load(), Posts: int64(len(t.posts))}
	for _, g := range t.gaps {
		if g > 1.5*want {
			s.Missed++
			continue
		}
		off = append(off, math.Abs(g-want))
	}
	s.Took = median(t.took)
	s.GapP50, s.GapP99 = quantile(off, 0.5), quantile(off, 0.99)
	for _, at := range t.first {
		s.LastFirst = max(s.LastFirst, (at - t.since.Sub(t.began)).Seconds())
	}
	return s
}
