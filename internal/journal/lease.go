package journal

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// LeaseTTL is how long a lease lasts without renewal: the longest that a piece
// of work stands still after its holder has died.
const LeaseTTL = 10 * time.Second

// leaseRenew is how often a holder renews and a candidate asks. Three tries fit
// into one LeaseTTL.
const leaseRenew = LeaseTTL / 3

// releaseWithin bounds giving a lease back on the way out.
const releaseWithin = 2 * time.Second

// Hold runs fn for as long as this holder has the named lease, and again each
// time it gets it back, until ctx ends or fn returns by itself. The context
// given to fn ends when somebody else took the lease. A database that cannot be
// reached does not end it: nobody can take over meanwhile, and whatever fn
// writes is fenced by the lease's epoch. Hold gives fn's error, and nil when
// ctx ended.
func Hold(ctx context.Context, leases Leases, name, holder string, log *slog.Logger, fn func(context.Context, Lease) error) error {
	var lasting trouble
	for ctx.Err() == nil {
		lease, ok, err := leases.Acquire(ctx, name, holder, LeaseTTL)
		if err == nil {
			lasting = trouble{}
		} else if ctx.Err() == nil {
			lasting.warn(log, "lease not reachable", "lease", name, "err", err)
		}
		if err != nil || !ok {
			sleep(ctx, leaseRenew, nil, nil)
			continue
		}
		log.Info("lease taken", "lease", name, "epoch", lease.Epoch)
		lost, err := holding(ctx, leases, lease, log, fn)
		if !lost {
			giveBack(ctx, leases, lease, log)
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		log.Warn("lease lost", "lease", name, "epoch", lease.Epoch)
	}
	return nil
}

// holding runs fn under one epoch of the lease, renewing it meanwhile. lost
// tells that somebody else took it.
func holding(ctx context.Context, leases Leases, lease Lease, log *slog.Logger, fn func(context.Context, Lease) error) (lost bool, err error) {
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan error, 1)
	go func() { done <- fn(work, lease) }()

	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	var lasting trouble
	for {
		select {
		case err := <-done:
			return false, err
		case <-tick.C:
		}
		now, ok, err := leases.Acquire(work, lease.Name, lease.Holder, LeaseTTL)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				lasting.warn(log, "lease not renewed", "lease", lease.Name, "err", err)
			}
		case !ok || now.Epoch != lease.Epoch:
			stop(problem.Conflict("Another process took over %s.", lease.Name))
			<-done
			return true, nil
		default:
			lasting = trouble{}
		}
	}
}

// writeWithin bounds one unit of work of a loop that holds a lease.
const writeWithin = 15 * time.Second

// ErrLeaseLost is joined to the error of a unit of work that another process's
// lease refused: the loop must end.
var ErrLeaseLost = problem.Conflict("Another process took this loop over.")

// UnderLease runs one unit of work of the hub that commits only while the lease is
// held, within a quarter of a minute. Errors: ErrLeaseLost joined to the Conflict
// when it is not held any more, those of Work.Do.
func UnderLease(ctx context.Context, work Work, lease Lease, fn func(Tx) error) error {
	ctx, done := context.WithTimeoutCause(ctx, writeWithin, problem.Unavailable(nil, "The database took too long."))
	defer done()
	return work.Do(ctx, access.Hub, func(tx Tx) error {
		switch err := tx.Fence(lease); {
		case problem.KindOf(err) == problem.KindConflict:
			return errors.Join(ErrLeaseLost, err)
		case err != nil:
			return err
		}
		return fn(tx)
	})
}

// Tick takes a step of a leased loop every so often, until ctx ends (nil) or a step
// finds the lease lost (ErrLeaseLost). beat hears of each that went well; of those
// that did not, the first of a row is warned of as standing still.
func Tick(ctx context.Context, every time.Duration, log *slog.Logger, still string, beat func(time.Duration), step func(context.Context) error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := step(ctx)
		switch {
		case errors.Is(err, ErrLeaseLost):
			return err
		case err == nil:
			beat(every)
		case ctx.Err() == nil && !failing:
			log.Warn(still, "err", err)
		}
		failing = err != nil
	}
}

// giveBack releases the lease so that the next holder need not wait for its end.
func giveBack(ctx context.Context, leases Leases, lease Lease, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	defer cancel()
	if err := leases.Release(ctx, lease); err != nil {
		log.Warn("lease not released", "lease", lease.Name, "err", err)
	}
}

// The bounds of waiting after trouble.
const (
	pauseFirst = 50 * time.Millisecond
	pauseMost  = 5 * time.Second
)

// pause waits after the n-th failure in a row, n from 0: twice as long each
// time up to pauseMost, with jitter so that replicas do not come back together.
func pause(ctx context.Context, n int) {
	d := min(pauseFirst<<min(n, 10), pauseMost)
	sleep(ctx, d/2+rand.N(d/2), nil, nil)
}

// sleep waits for d, the end of ctx, or one of two wakes, whichever comes first.
// A nil wake never comes.
func sleep(ctx context.Context, d time.Duration, wake, other <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-other:
	case <-ctx.Done():
	}
}
