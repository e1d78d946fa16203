package monitors

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// targetEnv makes the test program a server of targets: what it costs must not
// count as the probe's.
const targetEnv = "EVENKEEL_TEST_TARGET"

// TestTargetProcess is not a test: it is the server that benchmarks probe.
func TestTargetProcess(t *testing.T) {
	if os.Getenv(targetEnv) == "" {
		t.Skip("runs only as the target of a benchmark")
	}
	at := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	fmt.Println("listening", at)
	io.Copy(io.Discard, os.Stdin) // until the benchmark ends
}

func serveHTTP(t testing.TB, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// benchTarget starts the server in a process of its own.
func benchTarget(b *testing.B) string {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestTargetProcess$")
	cmd.Env = append(os.Environ(), targetEnv+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(strings.TrimPrefix(line, "listening "))
}

// cpu is the processor time this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs fn and reports processor time per run: what rates on one core follow from.
func measure(b *testing.B, fn func()) {
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		fn()
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1000, "cpu-us/probe")
}

func BenchmarkHTTPProbe(b *testing.B) {
	url := benchTarget(b)
	for name, fresh := range map[string]bool{"kept": false, "fresh": true} {
		b.Run(name, func(b *testing.B) {
			p := compiled(b, config.Monitor{Kind: "http", URL: url, Fresh: &fresh}, Env{})
			var run Run
			measure(b, func() {
				run.Reset("key", "local", time.Time{})
				ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
				if res := p.Probe(ctx, &run); res.Outcome != status.OK {
					b.Fatal(res.Reason)
				}
				cancel()
			})
		})
		b.Run(name+" by net/http", func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: fresh, DisableCompression: true}}
			measure(b, func() {
				if err := get(client, url); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func get(client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// BenchmarkRunner compares the whole schedule with a bare loop that fires the
// same probes in the same slots through net/http. One op is one second of it.
func BenchmarkRunner(b *testing.B) {
	url := benchTarget(b)
	for _, rate := range []int{100, 1000} {
		for name, fresh := range map[string]bool{"kept": false, "fresh": true} {
			b.Run(fmt.Sprintf("%d a second %s", rate, name), func(b *testing.B) {
				var ours, bare time.Duration
				for range 2 { // in alternation
					ours += runSchedule(b, url, rate, fresh)
					bare += runBareLoop(b, url, rate, fresh)
				}
				per := float64(2*benchSeconds*rate) / 1000
				b.ReportMetric(ours.Seconds()/per, "cpu-s/1000")
				b.ReportMetric(bare.Seconds()/per, "bare-cpu-s/1000")
				b.ReportMetric(ours.Seconds()/bare.Seconds(), "ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// benchSeconds is how long each side of an alternation runs.
const benchSeconds = 3

func runSchedule(b *testing.B, url string, rate int, fresh bool) time.Duration {
	b.Helper()
	jobs := make([]Job, rate)
	for i := range jobs {
		jobs[i] = job(fmt.Sprintf("m%d", i), time.Second, compiled(b, config.Monitor{Kind: "http", URL: url, Fresh: &fresh}, Env{}))
	}
	r, _, stop := started(b, RunnerDeps{}, jobs)
	defer stop()
	wait(1100 * time.Millisecond) // every connection open
	before, runs := cpu(b), r.Stats().Runs
	wait(benchSeconds * time.Second)
	used := cpu(b) - before
	if did := r.Stats().Runs - runs; r.Stats().Missed > 0 || did < int64(rate)*(benchSeconds-1) {
		b.Errorf("%d runs, %+v", did, r.Stats())
	}
	return used
}

func runBareLoop(b *testing.B, url string, rate int, fresh bool) time.Duration {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: fresh, DisableCompression: true, MaxIdleConnsPerHost: rate}}
	defer client.CloseIdleConnections()
	width := slotWidth(time.Second, rate)
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(width)
	defer tick.Stop()
	fire := func(slots int) {
		for range slots {
			<-tick.C
			for range rate * int(width) / int(time.Second) {
				wg.Go(func() {
					if err := get(client, url); err != nil {
						b.Error(err)
					}
				})
			}
		}
	}
	perSecond := int(time.Second / width)
	fire(perSecond)
	before := cpu(b)
	fire(benchSeconds * perSecond)
	return cpu(b) - before
}

func wait(d time.Duration) { <-time.After(d) }

// BenchmarkRunnerLoad runs many monitors at one second and reports processor
// time, lag and memory: what one core can carry. One op is benchSeconds of it.
func BenchmarkRunnerLoad(b *testing.B) {
	url := benchTarget(b)
	for _, c := range []struct {
		n     int
		fresh bool
	}{{4500, true}, {12_000, false}} {
		b.Run(fmt.Sprintf("%d a second, fresh %v", c.n, c.fresh), func(b *testing.B) {
			var heap runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&heap)
			before := heap.HeapAlloc
			jobs := make([]Job, c.n)
			for i := range jobs {
				jobs[i] = job(fmt.Sprintf("m%d", i), time.Second, compiled(b, config.Monitor{Kind: "http", URL: url, Fresh: &c.fresh}, Env{}))
			}
			r, l, stop := started(b, RunnerDeps{}, jobs)
			defer stop()
			wait(1100 * time.Millisecond)
			used, runs := cpu(b), r.Stats().Runs
			wait(benchSeconds * time.Second)
			used, runs = cpu(b)-used, r.Stats().Runs-runs
			l.mu.Lock()
			lags := make([]time.Duration, 0, len(l.all))
			for _, res := range l.all {
				lags = append(lags, res.Started.Sub(res.Due))
			}
			l.all = nil
			l.mu.Unlock()
			slices.Sort(lags)
			runtime.GC()
			runtime.ReadMemStats(&heap)
			b.ReportMetric(used.Seconds()/float64(runs)*1000, "cpu-s/1000")
			b.ReportMetric(float64(runs)/benchSeconds, "probes/s")
			b.ReportMetric(float64(r.Stats().Missed), "missed")
			b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds())/1000, "lag-p99-ms")
			b.ReportMetric(float64(heap.HeapAlloc-before)/float64(c.n), "heap-B/monitor")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkCompile is what a reload costs for each monitor.
func BenchmarkCompile(b *testing.B) {
	spec := config.Monitor{Kind: "http", URL: "https://example.org/health"}
	for b.Loop() {
		p, err := Compile(spec, Env{})
		if err != nil {
			b.Fatal(err)
		}
		p.Close()
	}
}
