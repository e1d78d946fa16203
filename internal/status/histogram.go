package status

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"

	"evenkeel/internal/problem"
)

// LatencyUnit is the resolution of recorded latency.
const LatencyUnit = 10 * time.Microsecond

// MaxLatency is the longest latency that can be recorded, about 167 s; longer
// ones count as this.
const MaxLatency = (1<<latencyBits - 1) * LatencyUnit

// The layout of a histogram: values up to 15 units have a bucket each, and
// every octave above has 16 buckets of equal width. A bucket is at most 1/16 of
// its value wide, so a quantile read from its middle is at most 3.2 % off.
const (
	latencyBits = 24
	subBits     = 4
	subBuckets  = 1 << subBits
	buckets     = (latencyBits - subBits + 1) * subBuckets
)

// Histogram counts latencies in a fixed log-linear layout from 10 µs to
// MaxLatency. The zero value is empty and ready for use; a copy is independent.
// Not safe for concurrent use.
type Histogram struct {
	counts [buckets]uint32
}

// LatencyUnits gives a latency in whole units, rounded, 0 to 2^24-1. What is
// longer than nothing is at least one unit.
func LatencyUnits(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	if d >= MaxLatency {
		return 1<<latencyBits - 1
	}
	return max(1, uint32((d+LatencyUnit/2)/LatencyUnit))
}

// Add counts one latency. Negative ones count as 0.
func (h *Histogram) Add(d time.Duration) { h.AddN(d, 1) }

// AddN counts one latency n times. A bucket that is full stays full.
func (h *Histogram) AddN(d time.Duration, n uint32) { h.addUnits(LatencyUnits(d), n) }

// AddUnits counts one latency given in whole units, as LatencyUnits tells them;
// more than 2^24-1 count as that.
func (h *Histogram) AddUnits(units uint32) { h.addUnits(min(units, 1<<latencyBits-1), 1) }

func (h *Histogram) addUnits(units, n uint32) {
	c := &h.counts[bucketOf(units)]
	*c = addCapped(*c, n)
}

// Merge adds the counts of o.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		if n != 0 {
			h.counts[i] = addCapped(h.counts[i], n)
		}
	}
}

// Count tells how many latencies were added.
func (h *Histogram) Count() uint64 {
	var sum uint64
	for _, n := range h.counts {
		sum += uint64(n)
	}
	return sum
}

// Quantile gives the latency below which the share q (0 to 1) of all lie, by
// linear interpolation within a bucket; 0 when the histogram is empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	count := h.Count()
	if count == 0 {
		return 0
	}
	rank := uint64(math.Ceil(math.Min(math.Max(q, 0), 1) * float64(count)))
	rank = min(max(rank, 1), count)
	var below uint64
	for i, n := range h.counts {
		if n == 0 {
			continue
		}
		if below+uint64(n) >= rank {
			low, width := bucketBounds(i)
			within := (float64(rank-below) - 0.5) / float64(n)
			// A bucket of width w holds w whole numbers of units: its middle is (w-1)/2 above its low end.
			return time.Duration((float64(low) + within*float64(width) - 0.5) * float64(LatencyUnit)).Round(time.Microsecond)
		}
		below += uint64(n)
	}
	return 0
}

// Max gives the upper end of the highest bucket that counts anything: at most
// 6.3 % above the longest latency added; 0 when the histogram is empty.
func (h *Histogram) Max() time.Duration {
	for i := buckets - 1; i >= 0; i-- {
		if h.counts[i] != 0 {
			low, width := bucketBounds(i)
			return time.Duration(low+width-1) * LatencyUnit
		}
	}
	return 0
}

// bucketOf gives the bucket of a value in units, below 2^24.
func bucketOf(units uint32) int {
	if units < subBuckets {
		return int(units)
	}
	shift := bits.Len32(units) - subBits - 1
	return shift*subBuckets + int(units>>shift)
}

// bucketBounds gives the lowest value of a bucket and how many values it holds, in units.
func bucketBounds(bucket int) (low, width uint32) {
	if bucket < 2*subBuckets {
		return uint32(bucket), 1
	}
	shift := bucket/subBuckets - 1
	return uint32(bucket%subBuckets+subBuckets) << shift, 1 << shift
}

func addCapped(a, b uint32) uint32 {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxUint32
}

// dayOfLatencies and dayOfValues are the first byte of a packed day: its
// content and the version of the layout.
const (
	dayOfLatencies = 1
	dayOfValues    = 2
)

// PackDay packs the histograms of 24 hours for DayRow: a version byte, then per
// hour the number of buckets in use and, for each, the distance from the
// bucket before and its count, all as varints. A quiet day is 25 bytes.
func PackDay(hours [24]Histogram) []byte {
	packed := append(make([]byte, 0, 1024), dayOfLatencies)
	for i := range hours {
		counts := &hours[i].counts
		used := 0
		for _, n := range counts {
			if n != 0 {
				used++
			}
		}
		packed = binary.AppendUvarint(packed, uint64(used))
		next := 0
		for bucket, n := range counts {
			if n != 0 {
				packed = binary.AppendUvarint(packed, uint64(bucket-next))
				packed = binary.AppendUvarint(packed, uint64(n))
				next = bucket + 1
			}
		}
	}
	return packed
}

// UnpackDay reads what PackDay wrote. Errors: Invalid when the bytes are
// anything else, a byte too short or too long included.
func UnpackDay(packed []byte) (hours [24]Histogram, err error) {
	r := dayReader{rest: packed}
	r.version(dayOfLatencies)
	for i := range hours {
		used := r.uvarint(buckets)
		next := uint64(0)
		for range used {
			bucket := next + r.uvarint(buckets)
			count := r.uvarint(math.MaxUint32)
			if bucket >= buckets || count == 0 {
				r.bad = true
			}
			if r.bad {
				break
			}
			hours[i].counts[bucket] = uint32(count)
			next = bucket + 1
		}
	}
	if err := r.end(); err != nil {
		return [24]Histogram{}, err
	}
	return hours, nil
}

// dayReader reads a packed day and remembers the first thing that is wrong:
// after it every read gives 0.
type dayReader struct {
	rest []byte
	bad  bool
}

// version reads the first byte, which must be want.
func (r *dayReader) version(want byte) {
	if len(r.rest) == 0 || r.rest[0] != want {
		r.bad = true
		return
	}
	r.rest = r.rest[1:]
}

// uvarint reads a number of at most limit in its shortest form.
func (r *dayReader) uvarint(limit uint64) uint64 {
	if r.bad {
		return 0
	}
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > limit || n > 1 && r.rest[n-1] == 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// float reads a float64, which must be finite.
func (r *dayReader) float() float64 {
	if r.bad || len(r.rest) < 8 {
		r.bad = true
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.rest))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.bad = true
		return 0
	}
	r.rest = r.rest[8:]
	return f
}

// end gives the error of the whole: Invalid when anything was wrong or is left over.
func (r *dayReader) end() error {
	if r.bad || len(r.rest) > 0 {
		return problem.Invalid("packed", "the day row is damaged")
	}
	return nil
}
