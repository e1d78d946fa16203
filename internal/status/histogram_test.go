package status

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"evenkeel/internal/problem"
)

func TestHistogramBucketsTileTheRange(t *testing.T) {
	next := uint32(0)
	for i := range buckets {
		low, width := bucketBounds(i)
		if low != next {
			t.Fatalf("bucket %d begins at %d, want %d", i, low, next)
		}
		if bucketOf(low) != i || bucketOf(low+width-1) != i {
			t.Fatalf("bucket %d: its bounds %d and %d are in %d and %d", i, low, low+width-1, bucketOf(low), bucketOf(low+width-1))
		}
		next = low + width
	}
	if next != 1<<latencyBits {
		t.Errorf("the buckets end at %d, want %d", next, 1<<latencyBits)
	}
}

func TestHistogramQuantileIsWithinFivePercent(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for _, centre := range []time.Duration{100 * time.Microsecond, 3 * time.Millisecond, 60 * time.Millisecond, 2 * time.Second, time.Minute} {
		var h Histogram
		var all []time.Duration
		for range 5000 {
			d := time.Duration(float64(centre) * math.Exp(dice.NormFloat64()*0.3)).Round(LatencyUnit)
			d = min(max(d, LatencyUnit), MaxLatency)
			h.Add(d)
			all = append(all, d)
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1} {
			want := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
			got := h.Quantile(q)
			if off := math.Abs(float64(got-want)) / float64(want); off > 0.05 && (got-want).Abs() > LatencyUnit {
				t.Errorf("around %v, quantile %v: got %v, want %v (%.1f %% off)", centre, q, got, want, off*100)
			}
		}
		if top := h.Max(); top < all[len(all)-1] || float64(top) > float64(all[len(all)-1])*1.063+float64(LatencyUnit) {
			t.Errorf("max: got %v, want %v or a little more", top, all[len(all)-1])
		}
	}
}

func TestHistogramOfOneValueTellsIt(t *testing.T) {
	for _, d := range []time.Duration{LatencyUnit, 70 * time.Microsecond, 150 * time.Microsecond, 310 * time.Microsecond} {
		var h Histogram
		h.Add(d)
		for _, q := range []float64{-1, 0, 0.5, 1, 2, math.NaN()} {
			if got := h.Quantile(q); got != d {
				t.Errorf("quantile %v: got %v, want %v", q, got, d)
			}
		}
	}
}

func TestHistogramEmpty(t *testing.T) {
	var h Histogram
	if h.Count() != 0 || h.Quantile(0.5) != 0 || h.Max() != 0 {
		t.Errorf("got %d, %v, %v, want zeros", h.Count(), h.Quantile(0.5), h.Max())
	}
}

func TestHistogramLimits(t *testing.T) {
	var h Histogram
	h.Add(-time.Second)
	h.Add(time.Nanosecond) // more than nothing
	h.Add(time.Hour)
	h.AddUnits(math.MaxUint32)
	if h.counts[0] != 1 || h.counts[1] != 1 || h.counts[buckets-1] != 2 {
		t.Errorf("got %d, %d and %d, want 1, 1 and 2", h.counts[0], h.counts[1], h.counts[buckets-1])
	}
	h.AddN(time.Hour, math.MaxUint32)
	if h.counts[buckets-1] != math.MaxUint32 {
		t.Errorf("a full bucket: got %d", h.counts[buckets-1])
	}
	if got := h.Count(); got != math.MaxUint32+2 {
		t.Errorf("count: got %d", got)
	}
}

func TestHistogramMergeIsAddingBoth(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	var one, other, both Histogram
	for range 1000 {
		a, b := time.Duration(dice.Int64N(int64(time.Minute))), time.Duration(dice.Int64N(int64(time.Second)))
		one.Add(a)
		other.AddN(b, 3)
		both.Add(a)
		both.AddN(b, 3)
	}
	one.Merge(&other)
	if one != both {
		t.Error("the merged histogram is another than that of both")
	}
}

// aDay makes 24 histograms of n latencies each.
func aDay(n int) (hours [24]Histogram) {
	dice := rand.New(rand.NewPCG(5, 6))
	for i := range hours {
		for range n {
			hours[i].Add(time.Duration(float64(60*time.Millisecond) * math.Exp(dice.NormFloat64()*0.4)))
		}
	}
	return hours
}

func TestPackedDayComesBack(t *testing.T) {
	for _, day := range [][24]Histogram{{}, aDay(1), aDay(360), aDay(3600)} {
		packed := PackDay(day)
		got, err := UnpackDay(packed)
		if err != nil || got != day {
			t.Errorf("%d bytes came back as something else: %v", len(packed), err)
		}
		for cut := range packed {
			if _, err := UnpackDay(packed[:cut]); problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("cut to %d of %d bytes: got %v, want Invalid", cut, len(packed), err)
			}
		}
		if _, err := UnpackDay(append(packed, 0)); problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("a byte too many: got %v, want Invalid", err)
		}
	}
	if got := len(PackDay([24]Histogram{})); got != 25 {
		t.Errorf("a quiet day has %d bytes, want 25", got)
	}
}

func TestPackedDaysOfLatenciesAndValuesAreTold(t *testing.T) {
	if _, err := UnpackDay(PackValueDay([24]ValueHour{})); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("values as latencies: got %v, want Invalid", err)
	}
	if _, err := UnpackValueDay(PackDay([24]Histogram{})); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("latencies as values: got %v, want Invalid", err)
	}
}

func FuzzUnpackDay(f *testing.F) {
	f.Add([]byte{})
	f.Add(PackDay([24]Histogram{}))
	f.Add(PackDay(aDay(20)))
	f.Fuzz(func(t *testing.T, packed []byte) {
		day, err := UnpackDay(packed)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("got %v, want Invalid", err)
			}
			return
		}
		if again := PackDay(day); !slices.Equal(again, packed) {
			t.Fatalf("packed again it is %x, want %x", again, packed)
		}
	})
}

// S1-20, S4-30: numbers are kept beside latency.
func TestValueHourSumsUp(t *testing.T) {
	var v, w ValueHour
	if !math.IsNaN(v.Mean()) {
		t.Errorf("mean of nothing: got %v, want NaN", v.Mean())
	}
	for _, n := range []float64{3, -1, math.NaN(), math.Inf(1), 4} {
		v.Add(n)
	}
	w.Merge(v)
	w.Merge(ValueHour{})
	w.Merge(ValueHour{Count: 1, Min: 10, Max: 10, Sum: 10})
	if want := (ValueHour{Count: 4, Min: -1, Max: 10, Sum: 16}); w != want || w.Mean() != 4 {
		t.Errorf("got %+v with mean %v, want %+v", w, w.Mean(), want)
	}
}

func FuzzUnpackValueDay(f *testing.F) {
	f.Add(PackValueDay([24]ValueHour{}))
	f.Add(PackValueDay([24]ValueHour{3: {Count: 2, Min: -1, Max: 5, Sum: 4}}))
	f.Fuzz(func(t *testing.T, packed []byte) {
		day, err := UnpackValueDay(packed)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("got %v, want Invalid", err)
			}
			return
		}
		if again := PackValueDay(day); !slices.Equal(again, packed) {
			t.Fatalf("packed again it is %x, want %x", again, packed)
		}
	})
}

func BenchmarkPackDay(b *testing.B) {
	day := aDay(360)
	var packed []byte
	for b.Loop() {
		packed = PackDay(day)
	}
	b.ReportMetric(float64(len(packed)), "bytes")
}

func BenchmarkUnpackDay(b *testing.B) {
	packed := PackDay(aDay(360))
	for b.Loop() {
		if _, err := UnpackDay(packed); err != nil {
			b.Fatal(err)
		}
	}
}
