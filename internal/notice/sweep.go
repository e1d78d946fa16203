package notice

import (
	"context"
	"errors"
	"strings"
	"time"

	"evenkeel/internal/journal"
)

const (
	// sweepEvery is how often rows that newer ones overtook, and rows of channels
	// that are gone, are looked for.
	sweepEvery = 30 * time.Second
	// pruneEvery is how often what is old is cleared away.
	pruneEvery = time.Hour
	// sweepBatch and pruneBatch are how many rows one unit of work touches.
	sweepBatch = 200
	pruneBatch = 500
	// pendingFor is how long an address that never confirmed is kept.
	pendingFor = 7 * day
)

// sweep does what is due now and then, until ctx ends.
func (s *Sender) sweep(ctx context.Context) {
	var pruned time.Time
	for ctx.Err() == nil {
		if err := errors.Join(s.overtake(ctx), s.strand(ctx)); err != nil && ctx.Err() == nil {
			s.log.Warn("deliveries that will never be sent not ended", "err", err)
		}
		if now := s.desk.now(); now.Sub(pruned) >= pruneEvery {
			pruned = now
			if err := s.prune(ctx, now); err != nil && ctx.Err() == nil {
				s.log.Warn("old notices not pruned", "err", err)
			}
		}
		pause(ctx, sweepEvery)
	}
}

// overtake ends rows that wait for so long that a newer one took their place.
func (s *Sender) overtake(ctx context.Context) error {
	for {
		rows, err := s.desk.store.Overtaken(ctx, s.desk.now().Add(-blockFor), sweepBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		done := make([]outcome, len(rows))
		for i, row := range rows {
			reason := "a newer notice about the same took its place"
			if row.Reason != "" {
				reason += "; before that: " + row.Reason
			}
			done[i] = s.ended(row, doDrop, clip(reason))
		}
		if err := s.write(ctx, done); err != nil {
			return err
		}
	}
}

// strand ends rows whose channel is not there: taken from the configuration, or
// impossible to open.
func (s *Sender) strand(ctx context.Context) error {
	now, store, config := s.desk.now(), s.desk.store, s.desk.setup.Load()
	queues, err := store.Queues(ctx)
	if err != nil {
		return err
	}
	var done []outcome
	for _, q := range queues {
		spec, configured := config.channel(q.Channel)
		reason := "there is no channel " + q.Channel + " any more"
		if configured {
			reason = "the channel cannot be opened"
			if _, open := s.channels(q.Channel); open {
				continue
			}
		}
		strays, err := store.Due(ctx, q.Channel, now.Add(-strayFor), now.Add(-blockFor), sweepBatch)
		if err != nil {
			return err
		}
		for _, row := range strays {
			o := s.ended(row, doFail, reason)
			if !strings.HasPrefix(row.Recipient, "subscriber/") && !row.toRequester() {
				o.fallback = spec.Fallback
			}
			done = append(done, o)
		}
	}
	if len(done) == 0 {
		return nil
	}
	return s.write(ctx, done)
}

// prune clears away, a little at a time, what is older than it is kept.
func (s *Sender) prune(ctx context.Context, now time.Time) error {
	for more := true; more && ctx.Err() == nil; {
		if err := s.unit(ctx, func(tx journal.Tx) (err error) {
			more, err = s.desk.store.PruneNotices(ctx, tx, now.Add(-s.keep), pruneBatch)
			return err
		}); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		old, err := s.desk.store.Subscribers(ctx, SubscriberQuery{State: Pending, Created: now.Add(-pendingFor), Limit: MaxPage})
		if err != nil || len(old) == 0 {
			return err
		}
		if err := s.unit(ctx, func(tx journal.Tx) error {
			for _, v := range old {
				if err := s.desk.erase(ctx, tx, v.ID, "never confirmed"); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
