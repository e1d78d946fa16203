package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// serveBare is the limit of a page: a bare net/http server of the same bytes.
func serveBare(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("bare", flag.ContinueOnError)
	file := fs.String("body", "", "file with the body, as it goes over the wire")
	encoding := fs.String("encoding", "", "Content-Encoding of it")
	kind := fs.String("type", "text/html; charset=utf-8", "Content-Type")
	if err := fs.Parse(args); err != nil {
		return err
	}
	body, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	const etag = `"bare"`
	length := fmt.Sprint(len(body))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Etag", etag)
		head.Set("Cache-Control", "public, max-age=5")
		head.Set("Vary", "Accept-Encoding")
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		head.Set("Content-Type", *kind)
		head.Set("Content-Length", length)
		if *encoding != "" {
			head.Set("Content-Encoding", *encoding)
		}
		if _, err := w.Write(body); err != nil {
			return
		}
	})}
	fmt.Printf("ready %s\n", l.Addr())
	go func() { <-ctx.Done(); srv.Close() }()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// loadResult is what the load generator prints.
type loadResult struct {
	Requests int64   `json:"requests"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
}

// generateLoad asks for one URL over kept connections, closed loop, for a while.
func generateLoad(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	url := fs.String("url", "", "what to ask for")
	encoding := fs.String("encoding", "identity", "Accept-Encoding")
	etag := fs.String("etag", "", "If-None-Match")
	conns := fs.Int("conns", 16, "connections")
	length := fs.Duration("for", 3*time.Second, "how long")
	if err := fs.Parse(args); err != nil {
		return err
	}
	host, path, _ := strings.Cut(strings.TrimPrefix(*url, "http://"), "/")
	request := fmt.Sprintf("GET /%s HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: %s\r\n", path, host, *encoding)
	if *etag != "" {
		request += "If-None-Match: " + *etag + "\r\n"
	}
	request += "\r\n"
	ctx, cancel := context.WithTimeout(ctx, *length)
	defer cancel()
	var count atomic.Int64
	var mu sync.Mutex
	var all []float64
	var wg sync.WaitGroup
	began := time.Now()
	for range *conns {
		wg.Go(func() {
			times, err := ask(ctx, host, request, &count)
			if err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "bench: load:", err)
			}
			mu.Lock()
			all = append(all, times...)
			mu.Unlock()
		})
	}
	wg.Wait()
	return json.NewEncoder(os.Stdout).Encode(loadResult{count.Load(), time.Since(began).Seconds(), quantile(all, 0.5), quantile(all, 0.99)})
}

func ask(ctx context.Context, host, request string, count *atomic.Int64) ([]float64, error) {
	c, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 64<<10)
	var times []float64
	for ctx.Err() == nil {
		at := time.Now()
		if _, err := io.WriteString(c, request); err != nil {
			return times, err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return times, err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return times, err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNotModified {
			return times, fmt.Errorf("answered %s", resp.Status)
		}
		times = append(times, float64(time.Since(at))/1e6)
		count.Add(1)
	}
	return times, nil
}

// served is one stretch of serving: server CPU per request and latencies.
type served struct{ cpuPer, rps, p50, p99 float64 }

func loadOnce(ctx context.Context, pid int, url, encoding, etag string, length time.Duration) (served, error) {
	before, err := cpu(pid)
	if err != nil {
		return served{}, err
	}
	args := []string{"-url", url, "-encoding", encoding, "-etag", etag, "-for", length.String()}
	out, err := runHelper(ctx, "load", args...)
	if err != nil {
		return served{}, err
	}
	after, err := cpu(pid)
	if err != nil {
		return served{}, err
	}
	var r loadResult
	if err := json.Unmarshal(out, &r); err != nil {
		return served{}, err
	}
	if r.Requests == 0 {
		return served{}, errors.New("no request was answered")
	}
	return served{float64((after - before).Microseconds()) / float64(r.Requests), float64(r.Requests) / r.Seconds, r.P50, r.P99}, nil
}

// pageLoad compares page and JSON with a bare server of the same bytes.
func pageLoad(ctx context.Context, l *lab) (err error) {
	for _, components := range []int{100, 1000} {
		h, err := startHub(ctx, l.hub, hubOptions{monitors: components, components: components, interval: time.Hour, base: "http://127.0.0.1:9/t/", kept: true})
		if err != nil {
			return err
		}
		err = pause(ctx, 3*time.Second)
		for _, c := range []struct{ path, encoding string }{
			{"/", "identity"}, {"/", "gzip"}, {"/", "br"}, {"/", "304"},
			{"/api/v2/summary.json", "gzip"}, {"/api/v2/summary.json", "br"},
		} {
			if err == nil {
				err = compareServing(ctx, l, h, components, c.path, c.encoding)
			}
		}
		if err := errors.Join(err, h.close()); err != nil {
			return err
		}
	}
	return nil
}

func compareServing(ctx context.Context, l *lab, h *hub, components int, path, encoding string) (err error) {
	accept := encoding
	if encoding == "304" {
		accept = "br"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", accept)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return err
	}
	file := filepath.Join(h.dir, "bare.body")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return err
	}
	bp, addr, err := start(ctx, 0, true, os.Stderr, []string{"GOMAXPROCS=1"}, self(), "bare", "-body", file,
		"-encoding", resp.Header.Get("Content-Encoding"), "-type", resp.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bp.stop()) }()
	etag, bareTag := "", ""
	if encoding == "304" {
		etag, bareTag = resp.Header.Get("Etag"), `"bare"`
	}
	var ours, bare, rps, oursP99, bareP99 []float64
	length := min(l.window, 2*time.Second)
	for range l.rounds {
		o, err := loadOnce(ctx, h.pid(), h.url+path, accept, etag, length)
		if err != nil {
			return err
		}
		b, err := loadOnce(ctx, bp.pid(), "http://"+addr+"/", accept, bareTag, length)
		if err != nil {
			return err
		}
		ours, bare, rps = append(ours, o.cpuPer), append(bare, b.cpuPer), append(rps, o.rps)
		oursP99, bareP99 = append(oursP99, o.p99), append(bareP99, b.p99)
	}
	l.add(fmt.Sprintf("GET %s %s, %d components (%d bytes)", path, encoding, components, len(body)),
		fmt.Sprintf("%.0f µs CPU, %.0f/s, p99 %.1f ms", median(ours), median(rps), median(oursP99)),
		fmt.Sprintf("bare %.0f µs, p99 %.1f ms", median(bare), median(bareP99)),
		fmt.Sprintf("%.2fx throughput by CPU, p99 %.2fx", median(ratios(bare, ours)), median(ratios(oursP99, bareP99))), "≥ 0.9x, p99 ≤ 1.5x")
	return nil
}

// size measures memory at 10,000 monitors, time to the first page, and the first load.
func size(ctx context.Context, l *lab) error {
	for _, n := range []int{100, 10000} {
		tp, addr, err := start(ctx, 1, true, os.Stderr, nil, self(), "targets", "-n", fmt.Sprint(n))
		if err != nil {
			return err
		}
		var firsts []float64
		var mem measured
		for i := range min(l.rounds, 5) {
			h, err := startHub(ctx, l.hub, hubOptions{monitors: n, components: 100, interval: 10 * time.Second, base: "http://" + addr + "/t/"})
			if err != nil {
				return errors.Join(err, tp.stop())
			}
			firsts = append(firsts, float64(h.first.Milliseconds()))
			if i == 0 {
				if mem, err = onceWarm(ctx, addr, h.pid(), 10*time.Second, 25*time.Second, 5*time.Second); err != nil {
					return errors.Join(err, h.close(), tp.stop())
				}
			}
			if err := h.close(); err != nil {
				return errors.Join(err, tp.stop())
			}
		}
		goal := "≤ 50 ms"
		if n == 10000 {
			goal = "≤ 200 ms"
			l.add("RSS at 10,000 monitors, fresh connections, real Redis", fmt.Sprintf("%.0f MB", float64(mem.rss)/(1<<20)), "", "", "≤ 80 MB")
		}
		l.add(fmt.Sprintf("start to first page, %d monitors", n), fmt.Sprintf("%.0f ms", median(firsts)), "", "", goal)
		if err := tp.stop(); err != nil {
			return err
		}
	}
	return nil
}
