package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// units are the units of durations in the file, largest first.
var units = []struct {
	word string
	size time.Duration
}{
	{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// maxDuration bounds every duration: longer ones are typing errors.
const maxDuration = 100 * 365 * 24 * time.Hour

// durationHint is what every wrong duration is told.
const durationHint = "write whole numbers with units: 30s, 1h30m, 90d, 500ms"

// ParseDuration reads whole numbers with d, h, m, s and ms, largest unit first
// and each at most once: 90d, 1h30m, 500ms. A d is 24 hours. 0 needs no unit;
// every other number does. The error says what is wrong in plain words.
func ParseDuration(text string) (Duration, error) {
	if text == "0" {
		return 0, nil
	}
	if text == "" {
		return 0, errors.New("an empty duration")
	}
	var sum time.Duration
	rest, next := text, 0
	for rest != "" {
		digits := 0
		for digits < len(rest) && '0' <= rest[digits] && rest[digits] <= '9' {
			digits++
		}
		letters := digits
		for letters < len(rest) && 'a' <= rest[letters] && rest[letters] <= 'z' {
			letters++
		}
		number, word := rest[:digits], rest[digits:letters]
		switch {
		case digits == 0:
			return 0, errors.New(strconv.Quote(text) + " is not a duration")
		case word == "" && letters < len(rest):
			return 0, errors.New(strconv.Quote(text) + " is not in whole numbers")
		case word == "":
			return 0, errors.New(strconv.Quote(text) + " has a number without a unit")
		}
		at := next
		for at < len(units) && units[at].word != word {
			at++
		}
		if at == len(units) {
			return 0, errors.New(strconv.Quote(text) + " uses " + word + ", which is no unit here, or out of order")
		}
		next = at + 1
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n > int64(maxDuration/units[at].size) {
			return 0, errors.New(strconv.Quote(text) + " is longer than 100 years")
		}
		sum += time.Duration(n) * units[at].size
		rest = rest[letters:]
	}
	if sum > maxDuration {
		return 0, errors.New(strconv.Quote(text) + " is longer than 100 years")
	}
	return Duration(sum), nil
}

// String gives the shortest form that ParseDuration reads: 1h30m.
func (d Duration) String() string {
	if d == 0 {
		return "0"
	}
	var b strings.Builder
	left := time.Duration(d)
	if left < 0 {
		b.WriteByte('-')
		left = -max(left, -math.MaxInt64)
	}
	for _, u := range units {
		if n := left / u.size; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.word)
			left -= n * u.size
		}
	}
	return b.String()
}

// MarshalText gives String, for JSON.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
