package latency

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/status"
	"evenkeel/internal/testkit"
)

// fleet makes results of many monitors, tick after tick.
type fleet struct {
	batch []status.Result
	due   time.Time
}

// newFleet makes monitors at ten-second intervals with dues from start on.
func newFleet(monitors int, start time.Time) *fleet {
	f := &fleet{due: start}
	for i := range monitors {
		one := run(start, time.Duration(20+i%200)*time.Millisecond)
		one.Monitor = fmt.Sprintf("monitor-%05d", i)
		one.Phases = [status.PhaseCount]time.Duration{0, time.Millisecond, 0, 18 * time.Millisecond, time.Millisecond}
		f.batch = append(f.batch, one)
	}
	return f
}

// tick gives each monitor's next result; the batch is valid until the next one.
func (f *fleet) tick() []status.Result {
	f.due = f.due.Add(10 * time.Second)
	for i := range f.batch {
		f.batch[i].Due, f.batch[i].Started = f.due, f.due
		f.batch[i].Latency = time.Duration(20_000+(f.due.Unix()*7919+int64(i)*31)%40_000) * time.Microsecond
	}
	return f.batch
}

// benchmarkRecord measures results/s all the way: recorded, framed and, as six
// of each monitor wait, saved.
func benchmarkRecord(b *testing.B, o Options) {
	const monitors = 2000
	now := time.Now()
	o.Now = func() time.Time { return now }
	r := open(b, o)
	f := newFleet(monitors, now.Add(-47*time.Hour))
	results, ticks := 0, 0
	for b.Loop() {
		if f.due.After(now) {
			f.due = now.Add(-47 * time.Hour)
		}
		r.Record(f.tick())
		results += monitors
		if ticks++; ticks%6 > 0 {
			if err := r.drain(b.Context()); err != nil {
				b.Fatal(err)
			}
		} else if err := r.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(results)/b.Elapsed().Seconds(), "results/s")
	if lost := counter(b, r.metrics.dropped); lost > 0 {
		b.Errorf("%v results were dropped", lost)
	}
}

func BenchmarkRecordRedis(b *testing.B) {
	benchmarkRecord(b, Options{URL: testkit.NewRedis(b, testkit.RedisOptions{}).URL})
}

func BenchmarkRecordInProcess(b *testing.B) {
	benchmarkRecord(b, Options{Hours: newMemoryRows()})
}

// BenchmarkRecordOnly is what the probe's own goroutine pays.
func BenchmarkRecordOnly(b *testing.B) {
	r := open(b, Options{Hours: newMemoryRows()})
	f := newFleet(1000, time.Now().Add(-time.Hour))
	batch := f.tick()
	b.ReportAllocs()
	for b.Loop() {
		r.Record(batch)
		if r.buffer.count > MaxBuffered/2 {
			b.StopTimer()
			if err := r.drain(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/result")
}

// day opens a Recorder with a day of one monitor at a ten-second interval.
func day(b *testing.B, o Options) (*Recorder, status.SampleQuery) {
	now := time.Now().Truncate(time.Hour)
	o.Now = func() time.Time { return now }
	r := open(b, o)
	f := newFleet(1, now.Add(-24*time.Hour-10*time.Second))
	for range 8640 {
		r.Record(f.tick())
	}
	flushed(b, r)
	q := shop(now)
	q.Monitor, q.From, q.To = f.batch[0].Monitor, now.Add(-24*time.Hour), now
	return r, q
}

func BenchmarkReadDay(b *testing.B) {
	// As much memory as a hub has, so that collections come as seldom as there.
	heap := make([]byte, 64<<20)
	defer runtime.KeepAlive(heap)
	for _, e := range engines {
		r, q := day(b, e.make(b))
		b.Run(e.name+" samples", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, err := r.Samples(b.Context(), q); err != nil || len(got) != 8640 {
					b.Fatalf("got %d, %v", len(got), err)
				}
			}
		})
		b.Run(e.name+" hours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, err := r.Hours(b.Context(), q); err != nil || len(got) != 24 {
					b.Fatalf("got %d, %v", len(got), err)
				}
			}
		})
	}
}

// Issue 1, recording: at most 6 bytes a sample in Redis, everything counted:
// pages with their phase sums, the index, and the share of the crash log.
func TestRedisBytesPerSample(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute} {
		t.Run(interval.String(), func(t *testing.T) {
			server := testkit.NewRedis(t, testkit.RedisOptions{})
			now := time.Now().UTC().Truncate(24 * time.Hour) // whole pages
			r := open(t, Options{URL: server.URL, Now: func() time.Time { return now }})
			const monitors = 5
			perMonitor := int(24 * time.Hour / interval)
			f := newFleet(monitors, now.Add(-24*time.Hour-interval))
			for i := range f.batch {
				f.batch[i].Interval = interval
			}
			for i := range perMonitor {
				batch := f.tick()
				f.due = f.due.Add(interval - 10*time.Second)
				for j := range batch {
					batch[j].Due = f.due
				}
				r.Record(batch)
				if i%600 == 599 { // a minute's worth and more, as Run would
					flushed(t, r)
				}
			}
			flushed(t, r)
			used := 0
			for key := range strings.FieldsSeq(server.CLI(t, "keys", "evenkeel:lat:*")) {
				n, err := strconv.Atoi(server.CLI(t, "memory", "usage", key, "samples", "0"))
				if err != nil {
					t.Fatal(err)
				}
				used += n
			}
			stream, err := strconv.Atoi(server.CLI(t, "memory", "usage", framesKey, "samples", "0"))
			if err != nil {
				t.Fatal(err)
			}
			samples := float64(monitors * perMonitor)
			perSample := float64(used) / samples
			// The stream holds frameKeep of samples for every MaxKeep that the pages hold.
			share := float64(stream) / samples * float64(frameKeep) / float64(MaxKeep)
			t.Logf("%.2f bytes a sample in pages, %.2f more for the crash log", perSample, share)
			if perSample+share > 6 {
				t.Errorf("got %.2f bytes a sample, want at most 6", perSample+share)
			}
		})
	}
}
