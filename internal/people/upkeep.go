package people

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	upkeepEvery = time.Hour
	upkeepBatch = 500 // rows of a kind in one unit of work
	// keepEnded is how long what is over stays: a session or link that ran out
	// tells nothing, a throttle is forgotten after throttleFor.
	keepEnded = throttleFor
)

// Run removes what is over, now and every hour, until ctx ends. It gives nil.
func (a *Accounts) Run(ctx context.Context) error {
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	for {
		if a.Beat != nil {
			a.Beat(upkeepEvery)
		}
		if err := a.tidy(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("sessions that are over were not removed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tidy removes sessions, links and throttles that are over.
func (a *Accounts) tidy(ctx context.Context) error {
	for {
		gone := 0
		err := a.Work.Do(ctx, access.Hub, func(tx journal.Tx) (err error) {
			gone, err = a.Store.PruneDoors(ctx, tx, tx.Now().Add(-keepEnded), upkeepBatch)
			return err
		})
		if err != nil || gone < upkeepBatch {
			return err
		}
	}
}

// SameKey checks that what was sealed in this database can be opened with this
// hub's key file, and notes which key seals from now on. Errors: Conflict when
// the key that was used last is missing: a replica has a file of its own, or
// the file was lost; Unavailable.
func (a *Accounts) SameKey(ctx context.Context) error {
	used, err := a.Store.SealKeys(ctx)
	if err != nil {
		return err
	}
	if len(used) > 0 && !a.Sealer.Knows(used[0]) {
		return problem.Conflict("Secrets in the database were sealed with key %s, which this hub's key file does not hold: give every replica the same file, or put the old one back. Without it second factors must be set up anew.", used[0])
	}
	if len(used) > 0 && used[0] == a.Sealer.ID() {
		return nil
	}
	return a.Work.Do(ctx, access.Host, func(tx journal.Tx) error { return a.Store.UseSealKey(ctx, tx, a.Sealer.ID(), tx.Now()) })
}
