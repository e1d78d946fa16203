package status

import (
	"math"
	"time"
)

// Tally is how long a component was in each status within a window. The sum of
// all fields is the window's length, exactly.
type Tally struct {
	Up, Degraded, Partial, Major, Maintenance, Unmeasured time.Duration
}

// Month is the frozen tally of a calendar month in the page's zone, 72 h after its end.
type Month struct {
	Component   string // key
	Month       string // 2006-01
	Tally       Tally
	FrozenAt    time.Time
	Corrections []Correction
}

// Correction is a signed adjustment of a frozen month that the page shows.
type Correction struct {
	ID        string
	Component string
	Month     string
	At        time.Time
	Delta     Tally // signed; its fields sum to zero
	Reason    string
	Actor     string
}

// Net is the frozen tally with every correction applied.
func (m Month) Net() Tally {
	t := m.Tally
	for _, c := range m.Corrections {
		t = t.Add(c.Delta)
	}
	return t
}

// Uptime is watched time less weighted outage time, over watched time: 0 to 1,
// NaN when nothing was watched. Durations up to 285 years are exact in it.
func Uptime(t Tally, w Weights) float64 {
	watched := t.Watched()
	if watched <= 0 {
		return math.NaN()
	}
	lost := float64(t.Major.Microseconds())*w.Major +
		float64(t.Partial.Microseconds())*w.Partial +
		float64(t.Degraded.Microseconds())*w.Degraded
	return 1 - lost/float64(watched.Microseconds())
}
