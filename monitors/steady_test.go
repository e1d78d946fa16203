package monitors

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jonboulle/clockwork"
)

// TestRunnerKeepsItsMomentsWhenTheWallClockIsSet stands for a clock that was set
// forward or back since the schedule began: the schedule's clock and the wall
// clock are apart.
func TestRunnerKeepsItsMomentsWhenTheWallClockIsSet(t *testing.T) {
	for name, apart := range map[string]time.Duration{"forward": 21 * time.Second, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const interval, rounds = 5 * time.Second, 4
				var l ledger
				r, err := NewRunner(RunnerDeps{Observe: l.observe})
				if err != nil {
					t.Fatal(err)
				}
				r.Set([]Job{job("m", interval, &scripted{})})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				now := time.Now()
				clock := steady{Clock: clockwork.NewRealClock(), origin: now.Add(-apart).Round(0), began: now}
				go func() { done <- r.run(ctx, clock) }()
				pass(rounds * interval)
				cancel()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				results := l.of("m")
				if len(results) != rounds {
					t.Fatalf("%d runs in %d intervals", len(results), rounds)
				}
				for i, res := range results {
					if lag := res.Started.Sub(res.Due); lag.Abs() > lattice {
						t.Errorf("run %d was due at %v and began %v after", i, res.Due, lag)
					}
				}
			})
		})
	}
}

func TestSteadyClockAgreesWithItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSteady()
		at := c.Now()
		pass(time.Minute)
		if c.Since(at) != time.Minute || c.Until(at) != -time.Minute || c.Now().Sub(at) != time.Minute {
			t.Errorf("a minute later: since %v, until %v", c.Since(at), c.Until(at))
		}
	})
}
