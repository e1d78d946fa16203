package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// audience is how many subscribers there are.
	audience = 10_000
	// toldWithin bounds how long all of them may take to be told.
	toldWithin = 2 * time.Minute
	// postersAtOnce is how many posts the bare loop has under way: as many as a
	// channel of the hub.
	postersAtOnce = 8
)

// told publishes an incident to a crowd of webhook subscribers while a thousand
// monitors are probed every second: how fast they are told, what it costs beside
// a bare loop that posts as much, and what the schedule of the probes feels.
func told(ctx context.Context, l *lab) (err error) {
	const n = 1000
	tp, addr, err := start(ctx, 1, true, os.Stderr, nil, self(), "targets", "-n", fmt.Sprint(n))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tp.stop()) }()
	var before, during, rates, ours, bare []float64
	for range l.rounds {
		h, err := startHub(ctx, l.hub, hubOptions{
			monitors: n, components: 100, interval: time.Second, base: "http://" + addr + "/t/", kept: true, top: "subscribers: {allow_private: true}",
			confirm: 10, // a busy machine must not make outages: each would be told to all
		})
		if err != nil {
			return err
		}
		t, err := tellCrowd(ctx, l, h, addr)
		if err := errors.Join(err, h.close()); err != nil {
			return err
		}
		before, during = append(before, t.before), append(during, t.during)
		rates, ours = append(rates, t.rate), append(ours, t.cpuPer)
		per, err := barePosts(ctx, addr)
		if err != nil {
			return err
		}
		bare = append(bare, per)
	}
	l.add(fmt.Sprintf("%d webhook subscribers told by one core that probes 1,000/s", audience), fmt.Sprintf("%.0f/s", median(rates)), "", "", "≥ 1,500/s")
	l.add("CPU per 1,000 deliveries, planning, rows and journal on SQLite included", fmt.Sprintf("%.2f s", median(ours)),
		fmt.Sprintf("bare posts %.2f s", median(bare)), fmt.Sprintf("%.2fx", median(ratios(ours, bare))), "shown")
	l.add("schedule deviation p99 while they are told", fmt.Sprintf("%.1f ms", median(during)), fmt.Sprintf("before %.1f ms", median(before)),
		fmt.Sprintf("%.2fx", median(ratios(during, before))), "unharmed")
	return nil
}

// telling is what one crowd brought.
type telling struct {
	before, during float64 // deviation p99 in ms
	rate           float64 // deliveries a second
	cpuPer         float64 // CPU seconds per 1,000 deliveries, less those of probing
}

func tellCrowd(ctx context.Context, l *lab, h *hub, targets string) (t telling, err error) {
	var file strings.Builder
	file.WriteString("address,mode\n")
	for i := range audience {
		fmt.Fprintf(&file, "http://%s/hook/%d,webhook\n", targets, i)
	}
	if err := h.ready(ctx); err != nil {
		return t, err
	}
	if err := send(h.admin+"/api/v1/subscribers/csv", "text/csv", file.String()); err != nil {
		return t, err
	}
	quiet, err := onceWarm(ctx, targets, h.pid(), time.Second, l.window, startOver)
	if err != nil {
		return t, err
	}
	if err := control(targets, "reset"); err != nil {
		return t, err
	}
	used, err := cpu(h.pid())
	if err != nil {
		return t, err
	}
	began := time.Now()
	incident := `{"name":"Checkout fails","body":"We look into it.","publish":true,"components":[{"id":"component-0","status":"partial_outage"}]}`
	if err := send(h.admin+"/api/v1/incidents", "application/json", incident); err != nil {
		return t, err
	}
	var s targetStats
	for s.Posts < audience {
		if time.Since(began) > toldWithin {
			return t, fmt.Errorf("%d of %d were told within %s", s.Posts, audience, toldWithin)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return t, err
		}
		if err := fetch(fmt.Sprintf("http://%s/ctl/stats?interval=1s", targets), &s); err != nil {
			return t, err
		}
	}
	took := time.Since(began)
	now, err := cpu(h.pid())
	if err != nil {
		return t, err
	}
	spent := (now - used).Seconds() - quiet.share*took.Seconds()
	return telling{before: quiet.stats.GapP99, during: s.GapP99, rate: audience / took.Seconds(), cpuPer: spent / audience * 1000}, nil
}

// send posts a body to the hub.
func send(url, kind, body string) error {
	resp, err := http.Post(url, kind, strings.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("%s answered %s: %s", url, resp.Status, why)
	}
	return nil
}

// barePosts runs the limit: a loop that does nothing but post. It gives its CPU
// seconds per 1,000 posts.
func barePosts(ctx context.Context, targets string) (float64, error) {
	p, out, err := start(ctx, 0, true, os.Stderr, []string{"GOMAXPROCS=1"}, self(), "posts", "-url", "http://"+targets+"/hook/", "-n", fmt.Sprint(audience))
	if err != nil {
		return 0, err
	}
	var per float64
	_, err = fmt.Sscan(out, &per)
	return per, errors.Join(err, p.stop())
}

// postAll is the child of barePosts. It says "ready CPU-SECONDS" when it is done.
func postAll(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("posts", flag.ContinueOnError)
	url := fs.String("url", "", "URL before the number")
	n := fs.Int("n", audience, "posts")
	if err := fs.Parse(args); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"event": "incident.created", "incident": map[string]string{"name": "Checkout fails", "status": "investigating", "body": "We look into it."}})
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: postersAtOnce, MaxConnsPerHost: postersAtOnce}}
	before, err := cpu(os.Getpid())
	if err != nil {
		return err
	}
	var next atomic.Int64
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	for range postersAtOnce {
		all.Go(func() {
			for i := next.Add(1); i <= int64(*n) && failed.Load() == nil; i = next.Add(1) {
				if err := post(ctx, client, fmt.Sprintf("%s%d", *url, i), body); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	after, err := cpu(os.Getpid())
	if err != nil {
		return err
	}
	fmt.Printf("ready %g\n", (after-before).Seconds()/float64(*n)*1000)
	<-ctx.Done()
	return nil
}

func post(ctx context.Context, client *http.Client, url string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
