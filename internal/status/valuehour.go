package status

import (
	"encoding/binary"
	"math"
)

// ValueHour is what is kept of one hour of a value monitor's numbers. The zero
// value is an hour without any.
type ValueHour struct {
	Count    uint32
	Min, Max float64
	Sum      float64
}

// Add counts one value; one that is no finite number is left out.
func (v *ValueHour) Add(value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	if v.Count == 0 {
		v.Min, v.Max = value, value
	}
	v.Min, v.Max = math.Min(v.Min, value), math.Max(v.Max, value)
	v.Sum += value
	v.Count = addCapped(v.Count, 1)
}

// Merge adds what o holds.
func (v *ValueHour) Merge(o ValueHour) {
	switch {
	case o.Count == 0:
	case v.Count == 0:
		*v = o
	default:
		v.Min, v.Max = math.Min(v.Min, o.Min), math.Max(v.Max, o.Max)
		v.Sum += o.Sum
		v.Count = addCapped(v.Count, o.Count)
	}
}

// Mean gives the arithmetic mean; NaN when there was no value.
func (v ValueHour) Mean() float64 { return v.Sum / float64(v.Count) }

// PackValueDay packs 24 hours of a value monitor for DayRow, as PackDay does
// for latencies: a version byte, then per hour the count and, when it is not 0,
// minimum, maximum and sum as little-endian float64.
func PackValueDay(hours [24]ValueHour) []byte {
	packed := append(make([]byte, 0, 1+24*26), dayOfValues)
	for _, h := range hours {
		packed = binary.AppendUvarint(packed, uint64(h.Count))
		if h.Count > 0 {
			for _, f := range [...]float64{h.Min, h.Max, h.Sum} {
				packed = binary.LittleEndian.AppendUint64(packed, math.Float64bits(f))
			}
		}
	}
	return packed
}

// UnpackValueDay reads what PackValueDay wrote. Errors: Invalid.
func UnpackValueDay(packed []byte) (hours [24]ValueHour, err error) {
	r := dayReader{rest: packed}
	r.version(dayOfValues)
	for i := range hours {
		h := &hours[i]
		if h.Count = uint32(r.uvarint(math.MaxUint32)); h.Count > 0 {
			h.Min, h.Max, h.Sum = r.float(), r.float(), r.float()
		}
		if h.Min > h.Max {
			r.bad = true
		}
	}
	if err := r.end(); err != nil {
		return [24]ValueHour{}, err
	}
	return hours, nil
}
