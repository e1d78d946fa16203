package latency

import "math"

// noValue is the bit pattern that values are combined with, a quiet NaN, so
// that the 0 of an untouched slot means "no value" and every number has a
// pattern of its own.
const noValue = 0x7fc00000

// packValue gives the four bytes of a value in float32 precision; 0 for NaN.
func packValue(v float64) uint32 {
	if math.IsNaN(v) {
		return 0
	}
	return math.Float32bits(float32(v)) ^ noValue
}

// unpackValue reverses packValue; ok is false when there is no value.
func unpackValue(word uint32) (v float64, ok bool) {
	if word == 0 {
		return 0, false
	}
	v = float64(math.Float32frombits(word ^ noValue))
	return v, !math.IsNaN(v)
}
