package status

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"
)

// noLatency keeps no samples, so that the benchmarks measure the watch alone.
type noLatency struct{ Latency }

func (noLatency) Record([]Result) {}

// crowd gives a catalog of n monitors, ten to a component, and a good result of each.
func crowd(n int, now time.Time) (*Catalog, []Result) {
	cat, results := &Catalog{}, make([]Result, n)
	for i := range n {
		component := fmt.Sprintf("c%d", i/10)
		if i%10 == 0 {
			cat.Components = append(cat.Components, Component{Key: component, ID: component, CreatedAt: now})
		}
		key := fmt.Sprintf("m%d", i)
		cat.Monitors = append(cat.Monitors, Monitor{
			Key: key, ID: key, Component: component, Kind: "http", Interval: time.Hour, Locations: []string{LocalLocation},
		})
		results[i] = Result{Monitor: key, Location: LocalLocation, Due: now, Started: now, Latency: time.Millisecond}
	}
	return cat, results
}

// watching gives a Watch over the catalog whose loops do not run.
func watching(cat *Catalog) *Watch {
	w := NewWatch(WatchDeps{Latency: noLatency{}, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	w.engine = newEngine(saved{catalog: cat}, w.now(), w.engine.newID, w.askSentinels)
	return w
}

// drain empties the outbox as the recorder does.
func (w *Watch) drain() {
	for !w.engine.outbox.empty() {
		w.engine.unpack(w.engine.pack(), true)
	}
}

// BenchmarkObserveUnchanged is the hot path: results of 10,000 monitors that
// stay up, in batches of ten, through Observe and the engine.
func BenchmarkObserveUnchanged(b *testing.B) {
	const monitors, batch = 10_000, 10
	cat, results := crowd(monitors, time.Now())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := watching(cat)
	w.Observe(results)
	w.consume()
	w.drain()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportAllocs()
	at := 0
	for b.Loop() {
		w.Observe(results[at : at+batch])
		w.consume()
		at = (at + batch) % monitors
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/result")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/monitors, "B/monitor")
	if w.Dropped() > 0 {
		b.Errorf("%d results dropped", w.Dropped())
	}
}

// BenchmarkObserveOutage is the worst case: every monitor fails, is confirmed
// and comes back, with all that has to be decided and packed for SQL.
func BenchmarkObserveOutage(b *testing.B) {
	const monitors = 1000
	cat, results := crowd(monitors, time.Now())
	w := watching(cat)
	b.ReportAllocs()
	for b.Loop() {
		for _, o := range []Outcome{OK, Failed, Failed, OK, OK} {
			now := time.Now()
			for i := range results {
				results[i].Outcome, results[i].Cause, results[i].Started, results[i].Due = o, CauseNoAnswer, now, now
			}
			w.Observe(results)
			w.consume()
		}
		w.drain()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*monitors*5), "ns/result")
}

// BenchmarkSweep is what a second costs without any result, at 10,000 monitors.
func BenchmarkSweep(b *testing.B) {
	now := time.Now()
	cat, results := crowd(10_000, now)
	w := watching(cat)
	w.Observe(results)
	w.consume()
	w.drain()
	for b.Loop() {
		w.engine.sweep(now)
	}
}

func TestObserveUnchangedAllocatesNothing(t *testing.T) {
	cat, results := crowd(1000, time.Now())
	w := watching(cat)
	for range 3 {
		w.Observe(results)
		w.consume()
		w.drain()
	}
	if n := testing.AllocsPerRun(50, func() {
		w.Observe(results)
		w.consume()
	}); n > 0 {
		t.Errorf("%.1f allocations for 1,000 unchanged results", n)
	}
}
