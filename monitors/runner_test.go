package monitors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// scripted is a probe that takes a given time and ends as told.
type scripted struct {
	takes   time.Duration
	outcome atomic.Uint32
	runs    atomic.Int64
	closed  atomic.Int64
}

func (s *scripted) Probe(ctx context.Context, run *Run) status.Result {
	s.runs.Add(1)
	run.Log("working for %s", s.takes)
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return run.FailErr(ctx, ctx.Err(), "waiting")
	}
	if status.Outcome(s.outcome.Load()) == status.Failed {
		return run.Fail(status.CauseBadAnswer, "told to fail")
	}
	return run.OK(run.Elapsed())
}

func (s *scripted) Close() { s.closed.Add(1) }

// pass lets the bubble's time go by.
func pass(d time.Duration) { <-time.After(d) }

// ledger keeps what a runner observes.
type ledger struct {
	mu  sync.Mutex
	all []status.Result
}

func (l *ledger) observe(batch []status.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, batch...)
}

func (l *ledger) of(key string) []status.Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.all), func(r status.Result) bool { return r.Monitor != key })
}

// started runs a runner until the test stops it.
func started(t testing.TB, deps RunnerDeps, jobs []Job) (*Runner, *ledger, func()) {
	t.Helper()
	var l ledger
	deps.Observe = l.observe
	r, err := NewRunner(deps)
	if err != nil {
		t.Fatal(err)
	}
	r.Set(jobs)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return r, &l, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func job(key string, interval time.Duration, p Probe) Job {
	return Job{Key: key, ID: key, Component: "c", Kind: "http", Interval: interval, Mark: "m-" + key, Probe: p}
}

func TestRunnerProbesEveryMonitorWithinOneIntervalAndThenExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, interval = 500, 10 * time.Second
		var jobs []Job
		for i := range n {
			jobs = append(jobs, job(fmt.Sprintf("m%d", i), interval, &scripted{takes: time.Millisecond}))
		}
		begin := time.Now()
		r, l, stop := started(t, RunnerDeps{}, jobs)
		synctest.Wait()
		slots := r.Stats().Slots
		pass(3*interval + 50*time.Millisecond)
		stop()
		perSlot := float64(n) / float64(slots)
		if perSlot < 3 || perSlot > 12 {
			t.Errorf("%d monitors in %d slots: %.1f in each, want about %d", n, slots, perSlot, wantPerSlot)
		}
		for _, j := range jobs {
			results := l.of(j.Key)
			if len(results) < 3 || len(results) > 4 { // four when it was due right at the start
				t.Fatalf("%s: %d results in three intervals, want 3", j.Key, len(results))
			}
			if first := results[0].Started.Sub(begin); first > interval {
				t.Errorf("%s: first probed after %s", j.Key, first)
			}
			for i, res := range results {
				if lag := res.Started.Sub(res.Due); lag < 0 || lag > time.Millisecond {
					t.Errorf("%s: began %s after it was due", j.Key, lag)
				}
				if i > 0 && res.Due.Sub(results[i-1].Due) != interval {
					t.Errorf("%s: %s between ticks, want %s", j.Key, res.Due.Sub(results[i-1].Due), interval)
				}
				if res.Latency != time.Millisecond || res.Outcome != status.OK {
					t.Errorf("%s: %+v", j.Key, res)
				}
			}
		}
		if s := r.Stats(); s.Missed != 0 || s.Refused != 0 {
			t.Errorf("stats %+v, want nothing missed or refused", s)
		}
	})
}

func TestRunnerHangingTenthDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, interval = 200, 2 * time.Second
		var jobs []Job
		for i := range n {
			p := &scripted{takes: 5 * time.Millisecond}
			if i%10 == 0 {
				p.takes = time.Hour
			}
			jobs = append(jobs, job(fmt.Sprintf("m%d", i), interval, p))
		}
		_, l, stop := started(t, RunnerDeps{}, jobs)
		pass(20*interval + 10*time.Millisecond)
		stop()
		for i, j := range jobs {
			for _, res := range l.of(j.Key) {
				if lag := res.Started.Sub(res.Due); lag > time.Millisecond {
					t.Fatalf("%s: began %s late", j.Key, lag)
				}
				if hangs := i%10 == 0; hangs != (res.Outcome == status.Failed) {
					t.Fatalf("%s: %s %s", j.Key, res.Outcome, res.Reason)
				}
				if res.Outcome == status.Failed && (res.Cause != status.CauseNoAnswer || len(res.Facts.Log) == 0) {
					t.Fatalf("a hanging probe gives %+v, want no answer and a log", res)
				}
			}
			if got := len(l.of(j.Key)); got < 19 {
				t.Errorf("%s: %d results in 20 intervals", j.Key, got)
			}
		}
	})
}

// stubborn does not heed its context.
type stubborn struct{ takes time.Duration }

func (s stubborn) Probe(_ context.Context, run *Run) status.Result {
	pass(s.takes)
	return run.OK(run.Elapsed())
}

func (stubborn) Close() {}

func TestRunnerCountsMissedTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l, stop := started(t, RunnerDeps{}, []Job{job("a", time.Second, stubborn{2500 * time.Millisecond})})
		pass(9 * time.Second)
		synctest.Wait()
		// Each run of 2.5 s covers two ticks that find it busy.
		runs := len(l.of("a"))
		if s := r.Stats(); runs < 2 || s.Missed < int64(2*runs) {
			t.Errorf("%d runs, stats %+v: want two missed ticks a run", runs, s)
		}
		stop()
	})
}

func TestRunnerOverloadIsInconclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var jobs []Job
		for i := range 20 {
			jobs = append(jobs, job(fmt.Sprintf("m%d", i), 10*time.Second, &scripted{takes: 8 * time.Second}))
		}
		r, l, stop := started(t, RunnerDeps{Concurrency: 3}, jobs)
		pass(12 * time.Second)
		refused := r.Stats().Refused
		stop()
		var self int64
		for _, j := range jobs {
			for _, res := range l.of(j.Key) {
				if res.Outcome == status.Inconclusive && res.Cause == status.CauseSelf {
					self++
				} else if res.Outcome != status.OK {
					t.Errorf("%+v", res)
				}
			}
		}
		if refused == 0 || self != refused {
			t.Errorf("%d refused, %d inconclusive results", refused, self)
		}
	})
}

func TestRunnerSetKeepsUnchangedMonitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		same, other := &scripted{}, &scripted{}
		r, l, stop := started(t, RunnerDeps{}, []Job{job("same", time.Second, same), job("other", time.Second, other)})
		pass(1500 * time.Millisecond)
		again, changed := &scripted{}, &scripted{takes: 3 * time.Millisecond}
		j := job("other", time.Second, changed)
		j.Mark = "new"
		r.Set([]Job{job("same", time.Second, again), j})
		pass(2 * time.Second)
		synctest.Wait()
		if again.runs.Load() != 0 || again.closed.Load() != 1 || same.closed.Load() != 0 {
			t.Errorf("unchanged monitor: new probe ran %d times and closed %d, old closed %d", again.runs.Load(), again.closed.Load(), same.closed.Load())
		}
		if other.closed.Load() != 1 || changed.runs.Load() < 1 {
			t.Errorf("changed monitor: old probe closed %d times, new ran %d times", other.closed.Load(), changed.runs.Load())
		}
		dues := l.of("same")
		for i := 1; i < len(dues); i++ {
			if gap := dues[i].Due.Sub(dues[i-1].Due); gap != time.Second {
				t.Errorf("unchanged monitor was probed after %s", gap)
			}
		}
		r.Set(nil)
		pass(2 * time.Second)
		if n := len(l.of("same")); n != len(dues) {
			t.Errorf("a removed monitor was probed %d times more", n-len(dues))
		}
		if same.closed.Load() != 1 {
			t.Errorf("the probe of a removed monitor was closed %d times", same.closed.Load())
		}
		stop()
	})
}

func TestRunnerRemovedWhileInFlightIsClosedAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{takes: 700 * time.Millisecond}
		r, _, stop := started(t, RunnerDeps{}, []Job{job("a", time.Second, p)})
		for p.runs.Load() == 0 {
			pass(10 * time.Millisecond)
		}
		r.Set(nil)
		if p.closed.Load() != 0 {
			t.Error("closed while a run was in flight")
		}
		pass(time.Second)
		if p.closed.Load() != 1 {
			t.Errorf("closed %d times", p.closed.Load())
		}
		stop()
	})
}

func TestRunnerKeepsTheLogOfBadRunsAndOfTheRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{}
		r, l, stop := started(t, RunnerDeps{}, []Job{job("a", time.Second, p)})
		pass(2 * time.Second)
		p.outcome.Store(uint32(status.Failed))
		pass(time.Second)
		p.outcome.Store(uint32(status.OK))
		pass(2 * time.Second)
		last, ok := r.Last("a")
		stop()
		if !ok || last.Outcome != status.OK {
			t.Errorf("Last = %+v, %v", last, ok)
		}
		var logs []bool
		for _, res := range l.of("a") {
			logs = append(logs, res.Facts != nil && len(res.Facts.Log) > 0)
		}
		if want := []bool{false, false, true, true, false}; !slices.Equal(logs, want) {
			t.Errorf("results with a log: %v, want %v", logs, want)
		}
	})
}

func TestRunnerRunOnceAndWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{takes: time.Millisecond}
		sentinel := &scripted{}
		s := job("s", 60*time.Second, sentinel)
		s.Sentinel = true
		r, l, stop := started(t, RunnerDeps{}, []Job{job("a", 60*time.Second, p), s})
		synctest.Wait()
		res, err := r.RunOnce(t.Context(), "a")
		if err != nil || res.Outcome != status.OK || len(res.Facts.Log) == 0 {
			t.Errorf("RunOnce = %+v, %v", res, err)
		}
		if len(l.of("a")) != 0 {
			t.Error("a run by hand was observed")
		}
		if _, err := r.RunOnce(t.Context(), "nobody"); problem.KindOf(err) != problem.KindNotFound {
			t.Errorf("RunOnce of an unknown monitor: %v", err)
		}
		r.Wake("a", "nobody")
		r.Sentinels()
		pass(100 * time.Millisecond)
		r.Sentinels() // probed just before: not again
		pass(100 * time.Millisecond)
		if len(l.of("a")) != 1 || len(l.of("s")) != 1 {
			t.Errorf("%d results after Wake, %d after Sentinels, want 1 and 1", len(l.of("a")), len(l.of("s")))
		}
		stop()
	})
}

func TestRunnerStopDropsWhatWasCutShortAndMayRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{takes: 700 * time.Millisecond}
		r, l, stop := started(t, RunnerDeps{}, []Job{job("a", time.Second, p)})
		for p.runs.Load() == 0 {
			pass(10 * time.Millisecond)
		}
		stop()
		if n := len(l.of("a")); n != 0 {
			t.Errorf("%d results of a run that was cut short", n)
		}
		r.Wake("a") // between two shifts nothing runs
		synctest.Wait()

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		pass(3 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := len(l.of("a")); n < 2 || p.closed.Load() != 0 {
			t.Errorf("the second shift gave %d results, the probe was closed %d times", n, p.closed.Load())
		}
		r.Close()
		if p.closed.Load() != 1 {
			t.Error("the probe was not closed at the end")
		}
	})
}

func TestSlotTickCountsWhatASuspensionSwallowed(t *testing.T) {
	now := time.Now()
	s := &slot{place: place{interval: time.Second}, next: now}
	if _, missed, ok := s.tick(now.Add(3*time.Second + 200*time.Millisecond)); !ok || missed != 3 {
		t.Errorf("after 3.2 s: missed %d, %v, want 3", missed, ok)
	}
	if s.next != now.Add(4*time.Second) {
		t.Errorf("next tick at %s, want 4 s", s.next.Sub(now))
	}
	if _, _, ok := s.tick(now.Add(3300 * time.Millisecond)); ok {
		t.Error("a tick that is not due was taken")
	}
}

func TestSlotWidthFollowsTheRate(t *testing.T) {
	for _, c := range []struct {
		interval time.Duration
		n        int
		want     time.Duration
	}{
		{10 * time.Second, 100, 100 * time.Millisecond},
		{10 * time.Second, 1000, 100 * time.Millisecond}, // 100 a second: 10 in a slot
		{time.Minute, 10_000, 50 * time.Millisecond},     // 167 a second: 8 in a slot
		{time.Second, 1000, 10 * time.Millisecond},
		{10 * time.Second, 10_000, 10 * time.Millisecond},
		{time.Second, 12_000, 10 * time.Millisecond},
		{time.Hour, 10_000, 2 * time.Second},
		{time.Minute, 1, 100 * time.Millisecond},
	} {
		if got := slotWidth(c.interval, c.n); got != c.want {
			t.Errorf("slotWidth(%s, %d) = %s, want %s", c.interval, c.n, got, c.want)
		}
	}
}

func TestPhaseSpreadsEvenlyAndNeverMoves(t *testing.T) {
	const n, buckets = 10_000, 100
	var hits [buckets]int
	for i := range n {
		p := phase(fmt.Sprintf("monitor-%d", i), 10*time.Second)
		if p%lattice != 0 || p < 0 || p >= 10*time.Second {
			t.Fatalf("phase %s is off the lattice", p)
		}
		hits[p/(100*time.Millisecond)]++
	}
	for i, h := range hits {
		if h < 60 || h > 145 { // 100 expected; four sigma either way
			t.Errorf("hundredth %d of the interval has %d of %d monitors", i, h, n)
		}
	}
	if got := phase("web", time.Minute); got != phase("web", time.Minute) {
		t.Error("the phase moved")
	}
}

func TestProbePanicIsAResult(t *testing.T) {
	c := &Compiled{probe: panicking{}, kind: "http"}
	res := Once(t.Context(), c, "a", status.LocalLocation, time.Second)
	if res.Outcome != status.Inconclusive || !strings.Contains(res.Reason, "a fault of its own") {
		t.Errorf("%+v", res)
	}
}

type panicking struct{}

func (panicking) Probe(context.Context, *Run) status.Result { panic("oops") }

func (panicking) Close() {}
