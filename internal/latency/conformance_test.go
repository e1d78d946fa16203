package latency

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/testkit"
)

// engine is one way to keep samples, as the conformance suite opens it: every
// open leads to the same record.
type engine struct {
	name string
	make func(testing.TB) Options
}

var engines = []engine{
	{"in process", func(testing.TB) Options { return Options{Hours: newMemoryRows()} }},
	{"redis", func(tb testing.TB) Options { return Options{URL: testkit.NewRedis(tb, testkit.RedisOptions{}).URL} }},
}

// onEach runs a test on every engine.
func onEach(t *testing.T, test func(t *testing.T, o Options)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.make(t)
			now := time.Now().UTC().Truncate(time.Microsecond)
			o.Now = func() time.Time { return now }
			test(t, o)
		})
	}
}

func open(tb testing.TB, o Options) *Recorder {
	tb.Helper()
	r, err := Open(tb.Context(), o)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() { r.shelf.close() })
	return r
}

func flushed(tb testing.TB, r *Recorder) {
	tb.Helper()
	if err := r.Flush(tb.Context()); err != nil {
		tb.Fatalf("flush: %v", err)
	}
}

func samples(tb testing.TB, r *Recorder, q status.SampleQuery) []status.Sample {
	tb.Helper()
	got, err := r.Samples(tb.Context(), q)
	if err != nil {
		tb.Fatalf("samples: %v", err)
	}
	return got
}

// run is a good result of monitor "shop".
func run(due time.Time, latency time.Duration) status.Result {
	return status.Result{Monitor: "shop", Location: status.LocalLocation, Interval: 10 * time.Second, Due: due, Started: due, Latency: latency}
}

// shop asks for everything of monitor "shop" at a ten-second interval.
func shop(now time.Time) status.SampleQuery {
	return status.SampleQuery{Monitor: "shop", Location: status.LocalLocation, Interval: 10 * time.Second, From: now.Add(-MaxKeep), To: now.Add(time.Hour)}
}

var sameSamples = cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}

func TestSamplesComeBackInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		start := o.Now().Add(-3 * time.Hour).Truncate(time.Hour)
		var batch []status.Result
		var want []status.Sample
		for i := range 500 { // into a second hour
			due := start.Add(time.Duration(i) * 10 * time.Second)
			one := run(due.Add(3*time.Second), time.Duration(i+1)*time.Millisecond)
			one.Outcome = status.Outcome(i % 4)
			batch = append(batch, one)
			want = append(want, status.Sample{Due: due, Latency: one.Latency, Outcome: one.Outcome})
		}
		r.Record(batch[250:]) // late ones last
		r.Record(batch[:250])
		for _, stage := range []string{"not saved", "saved", "opened again"} {
			switch stage {
			case "not saved":
				if err := r.drain(t.Context()); err != nil {
					t.Fatal(err)
				}
			case "saved":
				flushed(t, r)
			default:
				r = open(t, o)
			}
			if diff := cmp.Diff(want, samples(t, r, shop(o.Now())), sameSamples); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", stage, diff)
			}
		}
		q := shop(o.Now())
		q.From, q.To = start.Add(time.Minute), start.Add(2*time.Minute)
		if diff := cmp.Diff(want[6:12], samples(t, r, q), sameSamples); diff != "" {
			t.Errorf("a minute of it (-want +got):\n%s", diff)
		}
	})
}

func TestSamplesOfOthersStayApart(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		due := o.Now().Add(-time.Hour).Truncate(time.Hour)
		one, other, elsewhere := run(due, time.Second), run(due, 2*time.Second), run(due, 3*time.Second)
		other.Monitor, elsewhere.Location = "shop-2", "north"
		r.Record([]status.Result{one, other, elsewhere})
		flushed(t, r)
		for _, want := range []status.Result{one, other, elsewhere} {
			q := shop(o.Now())
			q.Monitor, q.Location = want.Monitor, want.Location
			got := samples(t, r, q)
			if len(got) != 1 || got[0].Latency != want.Latency {
				t.Errorf("%s at %s: got %v, want %v", want.Monitor, want.Location, got, want.Latency)
			}
		}
	})
}

func TestSamplesRunAgainInOneSlotLastWins(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		due := o.Now().Add(-time.Hour).Truncate(time.Hour)
		for i := range 3 {
			r.Record([]status.Result{run(due, time.Duration(i+1)*time.Second)})
			flushed(t, r)
		}
		if got := samples(t, r, shop(o.Now())); len(got) != 1 || got[0].Latency != 3*time.Second {
			t.Errorf("got %v, want the last", got)
		}
	})
}

// S1-20, S4-30: numbers are kept beside latency.
func TestSamplesOfValueMonitors(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		start := o.Now().Add(-2 * time.Hour).Truncate(time.Hour)
		numbers := []float64{0, -1.5, 1e12, math.NaN(), 42}
		var want []status.Sample
		for i, v := range numbers {
			one := run(start.Add(time.Duration(i)*10*time.Second), 0)
			one.Value, one.HasValue = v, i != 4 // the last failed and has none
			if i == 4 {
				one.Outcome = status.Failed
			}
			r.Record([]status.Result{one})
			s := status.Sample{Due: one.Due, Outcome: one.Outcome}
			if i < 3 {
				s.Value, s.HasValue = float64(float32(v)), true
			}
			want = append(want, s)
			if i == 2 {
				flushed(t, r)
			}
		}
		q := shop(o.Now())
		q.Values = true
		for _, stage := range []string{"not saved", "saved"} {
			if stage == "saved" {
				flushed(t, r)
			} else if err := r.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, samples(t, r, q), sameSamples); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", stage, diff)
			}
		}
		hours, err := r.Hours(t.Context(), q)
		if err != nil || len(hours) != 1 {
			t.Fatalf("hours: got %d, %v, want 1", len(hours), err)
		}
		million := float64(float32(1e12))
		if got, want := hours[0].Values, (status.ValueHour{Count: 3, Min: -1.5, Max: million, Sum: million - 1.5}); got != want {
			t.Errorf("values of the hour: got %+v, want %+v", got, want)
		}
	})
}

func TestHoursCountAndSum(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		start := o.Now().Add(-5 * time.Hour).Truncate(time.Hour)
		for i := range 2 * 360 {
			one := run(start.Add(time.Duration(i)*10*time.Second), 20*time.Millisecond)
			one.Phases = [status.PhaseCount]time.Duration{0, time.Millisecond, 0, 15 * time.Millisecond, 7 * time.Microsecond}
			switch i % 10 {
			case 0:
				one.Outcome, one.Latency, one.Phases = status.Failed, time.Second, [status.PhaseCount]time.Duration{}
			case 1:
				one.Outcome, one.Latency = status.Slow, 80*time.Millisecond
			}
			r.Record([]status.Result{one})
			if i%100 == 99 {
				flushed(t, r)
			}
		}
		if err := r.drain(t.Context()); err != nil { // the rest is not saved
			t.Fatal(err)
		}
		q := shop(o.Now())
		q.From, q.To = start.Add(-time.Hour), start.Add(3*time.Hour)
		got, err := r.Hours(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var h status.Histogram
		h.AddN(20*time.Millisecond, 288)
		h.AddN(80*time.Millisecond, 36)
		hour := status.Hour{
			Start: start, Histogram: h, Outcomes: [4]uint32{288, 36, 36, 0}, Timed: 324,
			Phases: [status.PhaseCount]time.Duration{0, 324 * time.Millisecond, 0, 324 * 15 * time.Millisecond, 324 * 7 * time.Microsecond},
		}
		want := []status.Hour{hour, hour}
		want[1].Start = start.Add(time.Hour)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(status.Histogram{})); diff != "" {
			t.Errorf("hours (-want +got):\n%s", diff)
		}
		q.From, q.To = start.Add(time.Second), start.Add(2*time.Hour-time.Second)
		if got, err := r.Hours(t.Context(), q); err != nil || len(got) != 0 {
			t.Errorf("no whole hour: got %d, %v", len(got), err)
		}
	})
}

func TestSamplesSurviveAChangedInterval(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		start := o.Now().Add(-4 * time.Hour).Truncate(time.Hour)
		var want []status.Sample
		for i, interval := range []time.Duration{10 * time.Second, 60 * time.Second, 90 * time.Second, 1500 * time.Millisecond} {
			one := run(start.Add(time.Duration(i)*30*time.Minute), time.Duration(i+1)*time.Millisecond)
			one.Interval = interval
			r.Record([]status.Result{one})
			want = append(want, status.Sample{Due: one.Due, Latency: one.Latency})
		}
		flushed(t, r)
		r = open(t, o)
		if diff := cmp.Diff(want, samples(t, r, shop(o.Now())), sameSamples); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestSamplesAtOddIntervals(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 7 * time.Second, 90 * time.Second, 17 * time.Minute, 5 * time.Hour} {
		t.Run(interval.String(), func(t *testing.T) {
			onEach(t, func(t *testing.T, o Options) {
				r := open(t, o)
				due := o.Now().Add(-30 * time.Hour)
				count := min(4000, int(30*time.Hour/interval))
				var batch []status.Result
				for i := range count {
					one := run(due.Add(time.Duration(i)*interval), time.Duration(i+1)*10*time.Microsecond)
					one.Interval = interval
					batch = append(batch, one)
				}
				r.Record(batch)
				flushed(t, r)
				q := shop(o.Now())
				q.Interval = interval
				got := samples(t, r, q)
				if len(got) != count {
					t.Fatalf("got %d samples, want %d", len(got), count)
				}
				for i, s := range got {
					if late := batch[i].Due.Sub(s.Due); late < -time.Millisecond || late >= max(interval, time.Hour) || s.Latency != batch[i].Latency {
						t.Fatalf("sample %d: got %v, want %v a little before %v", i, s, batch[i].Latency, batch[i].Due)
					}
				}
			})
		})
	}
}

func TestRecordDropsWhatItCannotUse(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		good := run(o.Now(), time.Second)
		bad := []status.Result{good, good, good, good, good}
		bad[0].Monitor, bad[1].Location, bad[2].Interval = "", "", 0
		bad[3].Due, bad[4].Due = o.Now().Add(-MaxKeep-time.Second), o.Now().Add(MaxAhead+time.Second)
		r.Record(bad)
		if r.Buffered() != 0 {
			t.Errorf("got %d buffered, want 0", r.Buffered())
		}
		if got := counter(t, r.metrics.dropped); got != float64(len(bad)) {
			t.Errorf("got %v dropped, want %d", got, len(bad))
		}
	})
}

func TestRecordAfterCloseIsCountedAsLost(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		r.Record([]status.Result{run(o.Now(), time.Second)})
		if err := r.Close(t.Context()); err != nil {
			t.Fatalf("close: %v", err)
		}
		r.Record([]status.Result{run(o.Now(), time.Second)})
		if got := counter(t, r.metrics.dropped); got != 1 {
			t.Errorf("got %v dropped, want 1", got)
		}
		if got := samples(t, open(t, o), shop(o.Now())); len(got) != 1 {
			t.Errorf("got %d samples after opening again, want 1", len(got))
		}
	})
}

func TestSamplesOlderThanKeepAreGone(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		r.Record([]status.Result{run(o.Now().Add(-3*time.Hour), time.Second), run(o.Now(), time.Second)})
		flushed(t, r)
		o.Keep = 2 * time.Hour
		if got := samples(t, open(t, o), shop(o.Now())); len(got) != 1 {
			t.Errorf("got %d samples, want the newest", len(got))
		}
	})
}

func TestSamplesOfNobodyAreNone(t *testing.T) {
	onEach(t, func(t *testing.T, o Options) {
		r := open(t, o)
		for _, q := range []status.SampleQuery{
			{}, shop(o.Now()), {Monitor: "shop", Location: "local", Interval: time.Second, From: o.Now(), To: o.Now().Add(-time.Hour)},
		} {
			if got := samples(t, r, q); len(got) != 0 {
				t.Errorf("%+v: got %v", q, got)
			}
			if got, err := r.Hours(t.Context(), q); err != nil || len(got) != 0 {
				t.Errorf("%+v: got %v, %v", q, got, err)
			}
		}
	})
}

func TestOpenWithoutAnyPlaceIsInvalid(t *testing.T) {
	if _, err := Open(t.Context(), Options{}); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("got %v, want Invalid", err)
	}
}

func TestEngineNamesItself(t *testing.T) {
	for _, e := range engines {
		if got := open(t, e.make(t)).Engine(); got != e.name {
			t.Errorf("got %q, want %q", got, e.name)
		}
	}
}
