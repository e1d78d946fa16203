package config

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "1s": time.Second, "90d": 90 * 24 * time.Hour, "1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond,
		"1d2h3m4s5ms": 26*time.Hour + 3*time.Minute + 4*time.Second + 5*time.Millisecond, "90m": 90 * time.Minute,
	} {
		got, err := ParseDuration(text)
		if err != nil || got.D() != want {
			t.Errorf("%s: got %v, %v, want %v", text, got.D(), err, want)
		}
	}
	for _, text := range []string{"", "5", "-1s", "1.5h", "1 h", "h", "1x", "1m1h", "1s1s", "1µs", "1ns", "1H", "99999999999999999999s", "36501d", "36500d1s", "1h 30m", "١s"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"0", "1h30m", "90d", "500ms", "1ms1s", "1.5h", "9223372036854775807d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if d < 0 || d.D() > maxDuration {
			t.Fatalf("%q is %v", text, d)
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Fatalf("%q reads as %v, which reads as %v, %v", text, d, again, err)
		}
	})
}

func TestNearest(t *testing.T) {
	names := []string{"interval", "timeout", "retries", "id", "ip", "url"}
	for word, want := range map[string]string{
		"intervall": "interval", "itnerval": "interval", "timout": "timeout", "time": "", "di": "id", "uri": "url", "": "", "interval": "", "zzz": "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
