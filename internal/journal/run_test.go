package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/problem"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// pass lets the bubble's clock go on.
func pass(d time.Duration) { <-time.After(d) }

// add writes one entry about the n-th thing.
func add(t *testing.T, m *journaltest.Memory, n int) {
	t.Helper()
	e := journal.Entry{Verb: "test.happened", Subject: journal.Ref{Kind: "test", ID: strconv.Itoa(n)}, Audience: journal.AudienceStaff}
	if err := m.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return tx.Append(e) }); err != nil {
		t.Fatal(err)
	}
}

// start runs fn until the test ends, or until the returned stop is called.
func start(t *testing.T, fn func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := fn(ctx); err != nil {
			t.Errorf("it ended with %v", err)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func TestHoldHandsOverToTheNextWhenItsHolderDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := journaltest.New()
		// A holder that died: it renews no more.
		if _, ok, err := m.Acquire(t.Context(), "watch", "dead", journal.LeaseTTL); !ok || err != nil {
			t.Fatal(ok, err)
		}
		begun := time.Now()
		var got journal.Lease
		start(t, func(ctx context.Context) error {
			return journal.Hold(ctx, m, "watch", "next", quiet(), func(ctx context.Context, l journal.Lease) error {
				got = l
				<-ctx.Done()
				return nil
			})
		})
		pass(2 * journal.LeaseTTL)
		synctest.Wait()
		if got.Epoch != 2 || got.Holder != "next" || time.Since(begun) > 2*journal.LeaseTTL {
			t.Fatalf("got %+v", got)
		}
	})
}

func TestHoldEndsItsWorkWhenSomebodyElseTookOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := journaltest.New()
		var causes []error
		var runs atomic.Int32
		start(t, func(ctx context.Context) error {
			return journal.Hold(ctx, m, "watch", "a", quiet(), func(ctx context.Context, l journal.Lease) error {
				runs.Add(1)
				<-ctx.Done()
				causes = append(causes, context.Cause(ctx))
				return nil
			})
		})
		synctest.Wait()
		// The holder was paused for long: meanwhile its lease ran out and another took it.
		m.Seize("watch", "b")
		pass(journal.LeaseTTL)
		synctest.Wait()
		if runs.Load() != 1 || len(causes) != 1 || problem.KindOf(causes[0]) != problem.KindConflict {
			t.Fatalf("%d runs, ended by %v", runs.Load(), causes)
		}
		pass(2 * journal.LeaseTTL) // b does not renew either
		synctest.Wait()
		if runs.Load() != 2 {
			t.Fatalf("%d runs, want a second one once b is gone", runs.Load())
		}
	})
}

func TestHoldGoesOnWhileTheDatabaseIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := journaltest.New()
		runs, ended := 0, false
		start(t, func(ctx context.Context) error {
			return journal.Hold(ctx, m, "watch", "a", quiet(), func(ctx context.Context, l journal.Lease) error {
				runs++
				<-ctx.Done()
				ended = true
				return nil
			})
		})
		synctest.Wait()
		m.SetAway(errors.New("cut"))
		pass(time.Hour)
		m.SetAway(nil)
		pass(journal.LeaseTTL)
		synctest.Wait()
		if runs != 1 || ended {
			t.Fatalf("%d runs, ended %v; want the first to go on", runs, ended)
		}
	})
}

func TestHoldGivesTheLeaseBackAndItsWorkersError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := journaltest.New()
		boom := errors.New("boom")
		err := journal.Hold(t.Context(), m, "watch", "a", quiet(), func(context.Context, journal.Lease) error { return boom })
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		if _, ok, err := m.Acquire(t.Context(), "watch", "b", journal.LeaseTTL); !ok || err != nil {
			t.Fatalf("the lease was not given back: %v, %v", ok, err)
		}
	})
}

func TestFollowerHearsTheBellAtOnceAndPollsWithoutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, bell := journaltest.New(), &journal.LocalBell{}
		var at []time.Duration
		begun := time.Now()
		f := &journal.PerProcess{Name: "page", Reader: m, Bell: bell, Log: quiet(), Handle: func(context.Context, []journal.Sealed) error {
			at = append(at, time.Since(begun))
			return nil
		}}
		start(t, func(ctx context.Context) error { return f.Run(ctx, 0) })
		synctest.Wait()
		add(t, m, 1)
		bell.Ring()
		synctest.Wait()
		add(t, m, 2) // nobody rings
		pass(journal.PollEvery)
		synctest.Wait()
		if len(at) != 2 || at[0] != 0 || at[1] != journal.PollEvery {
			t.Fatalf("handled after %v, want at once and after %v", at, journal.PollEvery)
		}
		if f.Position() != 2 || f.Lag() != 0 {
			t.Errorf("it stands at %d, %v behind", f.Position(), f.Lag())
		}
	})
}

func TestFollowerStandsStillAtWhatItCannotHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, bell := journaltest.New(), &journal.LocalBell{}
		for n := range 5 {
			add(t, m, n)
		}
		var poisoned atomic.Bool
		poisoned.Store(true)
		var handled []string
		f := &journal.PerProcess{Name: "page", Reader: m, Bell: bell, Log: quiet(), Handle: func(_ context.Context, entries []journal.Sealed) error {
			for _, e := range entries {
				if poisoned.Load() && e.Subject.ID == "2" {
					return errors.New("poison")
				}
			}
			for _, e := range entries {
				handled = append(handled, e.Subject.ID)
			}
			return nil
		}}
		start(t, func(ctx context.Context) error { return f.Run(ctx, 0) })
		pass(time.Minute)
		synctest.Wait()
		// The five came together at first; one at a time isolates the third.
		if f.Position() != 2 {
			t.Fatalf("it stands at %d, want 2", f.Position())
		}
		if lag := f.Lag(); lag < time.Minute || lag > time.Minute+time.Second {
			t.Errorf("it says it is %v behind after a minute", lag)
		}
		poisoned.Store(false)
		pass(time.Minute)
		synctest.Wait()
		if len(handled) != 5 || f.Position() != 5 || f.Lag() != 0 {
			t.Fatalf("handled %v, stands at %d, %v behind", handled, f.Position(), f.Lag())
		}
	})
}

func TestFollowerLagGrowsWhileTheJournalCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := journaltest.New()
		f := &journal.PerProcess{Name: "page", Reader: m, Bell: &journal.LocalBell{}, Log: quiet(),
			Handle: func(context.Context, []journal.Sealed) error { return nil }}
		start(t, func(ctx context.Context) error { return f.Run(ctx, 0) })
		pass(time.Minute)
		synctest.Wait()
		if lag := f.Lag(); lag != 0 {
			t.Fatalf("idle, but %v behind", lag)
		}
		m.SetAway(errors.New("cut"))
		pass(time.Minute)
		if lag := f.Lag(); lag < time.Minute-journal.PollEvery {
			t.Fatalf("%v behind after a minute without the journal", lag)
		}
	})
}

func TestSingletonTakesUpWhereAnotherProcessStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, bell := journaltest.New(), &journal.LocalBell{}
		var handled []string
		follower := func() *journal.Singleton {
			return &journal.Singleton{Name: "notifier", Holder: journal.NewHolder(), Reader: m, Cursors: m, Leases: m, Work: m, Bell: bell, Log: quiet(),
				Handle: func(_ context.Context, _ journal.Tx, entries []journal.Sealed) error {
					for _, e := range entries {
						handled = append(handled, e.Subject.ID)
					}
					return nil
				}}
		}
		first, second := follower(), follower()
		add(t, m, 1)
		stop := start(t, first.Run)
		synctest.Wait()
		start(t, second.Run)
		add(t, m, 2)
		bell.Ring()
		synctest.Wait()
		if second.Position() != 0 || second.Lag() != 0 {
			t.Fatalf("the one in waiting stands at %d, %v behind", second.Position(), second.Lag())
		}
		stop()
		add(t, m, 3)
		pass(journal.LeaseTTL)
		synctest.Wait()
		if len(handled) != 3 || handled[2] != "3" || second.Position() != 3 {
			t.Fatalf("handled %v", handled)
		}
	})
}

func TestSealerRingsForWhatItsProcessCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, bell := journaltest.New(), &journal.LocalBell{}
		start(t, journal.NewSealer(m, m, journal.NewHolder(), bell, quiet()).Run)
		synctest.Wait()
		rung := bell.Wait()
		add(t, m, 1)
		synctest.Wait()
		select {
		case <-rung:
		default:
			t.Fatal("nobody rang")
		}
	})
}

func TestVerifyNamesWhatIsMissingOrForged(t *testing.T) {
	for n, want := range map[int64]func([]journal.Sealed) []journal.Sealed{
		3: func(all []journal.Sealed) []journal.Sealed { return append(all[:2:2], all[3:]...) },
		1: func(all []journal.Sealed) []journal.Sealed { return all[1:] },
		5: func(all []journal.Sealed) []journal.Sealed { all[4].Payload = map[string]string{"n": "9"}; return all },
		2: func(all []journal.Sealed) []journal.Sealed { all[1].Hash = all[0].Hash; return all },
		0: func(all []journal.Sealed) []journal.Sealed { return all },
	} {
		m := journaltest.New()
		for i := range 5 {
			add(t, m, i)
		}
		all, err := m.After(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		err = journal.Verify(t.Context(), fixed(want(all)))
		broken, ok := errors.AsType[*journal.Broken](err)
		if (n == 0 && err != nil) || (n != 0 && (!ok || broken.Seq != n)) {
			t.Errorf("got %v, want broken at %d", err, n)
		}
	}
}

// fixed is a journal that was written by somebody else.
type fixed []journal.Sealed

func (f fixed) Head(context.Context) (int64, string, error) { return 0, "", nil }

func (f fixed) After(_ context.Context, seq int64, limit int) (out []journal.Sealed, err error) {
	for _, e := range f {
		if e.Seq > seq && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}
