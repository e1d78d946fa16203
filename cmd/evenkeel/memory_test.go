package main

import (
	"testing"
	"time"
)

func TestCollectorAllowsALargeHubLessGarbageForItsSize(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, mostPercent}, {4 << 20, mostPercent}, {20 << 20, 25}, {40 << 20, leastPercent}, {1 << 30, leastPercent},
	} {
		if got := steadyPercent(c.live); got != c.want {
			t.Errorf("with %d MB in use: %d %%, want %d %%", c.live>>20, got, c.want)
		}
	}
}

func TestCollectorLetsACrowdMakeGarbage(t *testing.T) {
	for _, c := range []struct {
		live, made uint64
		want       int
	}{
		{5 << 20, 1 << 20, mostPercent},    // probes
		{5 << 20, 160 << 20, 800},          // a crowd at a small hub
		{40 << 20, 20 << 20, leastPercent}, // probes of ten thousand monitors
		{40 << 20, 160 << 20, 100},         // a crowd there
		{40 << 20, 100 << 30, 160},         // never more than crowdGarbage
		{0, 100 << 30, 6400},               // nor without bounds
	} {
		if got := percent(c.live, c.made, time.Second); got != c.want {
			t.Errorf("with %d MB in use and %d MB made in a second: %d %%, want %d %%", c.live>>20, c.made>>20, got, c.want)
		}
	}
}
