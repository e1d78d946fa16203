package main

import "testing"

func TestCollectorAllowsALargeHubLessGarbageForItsSize(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, mostPercent}, {4 << 20, mostPercent}, {20 << 20, 50}, {40 << 20, leastPercent}, {1 << 30, leastPercent},
	} {
		if got := steadyPercent(c.live); got != c.want {
			t.Errorf("with %d MB in use: %d %%, want %d %%", c.live>>20, got, c.want)
		}
	}
}
