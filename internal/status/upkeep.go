package status

import (
	"context"
	"time"

	"evenkeel/internal/journal"
)

// Retention is how long each kind of record is kept; zero keeps for ever.
type Retention struct {
	Spans     time.Duration // ended spans; months stay frozen anyway
	Decisions time.Duration
	Days      time.Duration // daily histograms
	Pings     time.Duration
}

// DefaultRetention holds where nothing else is said.
var DefaultRetention = Retention{Decisions: 90 * 24 * time.Hour, Days: 400 * 24 * time.Hour, Pings: 90 * 24 * time.Hour}

// Keep sets how long records are kept from now on.
func (w *Watch) Keep(r Retention) { w.retention.Store(&r) }

// before gives the age limits at a moment.
func (r Retention) before(now time.Time) PruneBefore {
	limit := func(keep time.Duration) time.Time {
		if keep == 0 {
			return time.Time{}
		}
		return now.Add(-keep)
	}
	return PruneBefore{Spans: limit(r.Spans), Decisions: limit(r.Decisions), Days: limit(r.Days), Pings: limit(r.Pings)}
}

const (
	// pruneBite is how many rows of each kind one unit of work deletes at most.
	pruneBite = 500
	// pruneEvery is how often a bite is taken while there is something to delete,
	// upkeepEvery how often one looks otherwise.
	pruneEvery  = 2 * time.Second
	upkeepEvery = 10 * time.Minute
)

// upkeepLoop freezes months that are due and deletes what retention no longer
// keeps, in small bites, until ctx ends.
func (w *Watch) upkeepLoop(ctx context.Context, lease journal.Lease) {
	timer := time.NewTimer(pruneEvery)
	defer timer.Stop()
	var freeze time.Time // when the next month is due
	for {
		w.beat(loopUpkeep, upkeepEvery)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		more, err := w.prune(ctx, lease)
		if now := w.now(); err == nil && !now.Before(freeze) {
			_, freeze, err = FreezeDue(ctx, w.work, w.store, lease, now)
			more = more || !freeze.After(now)
		}
		if err != nil && ctx.Err() == nil {
			w.log.Warn("upkeep put off", "err", err)
		}
		if more && err == nil {
			timer.Reset(pruneEvery)
		} else {
			timer.Reset(upkeepEvery)
		}
	}
}

// prune deletes one bite and reports whether there may be more.
func (w *Watch) prune(ctx context.Context, lease journal.Lease) (more bool, err error) {
	err = w.commit(ctx, lease, func(tx journal.Tx) error {
		n, err := w.store.Prune(ctx, tx, w.retention.Load().before(tx.Now()), pruneBite)
		more = n >= pruneBite
		return err
	})
	return more && err == nil, err
}
