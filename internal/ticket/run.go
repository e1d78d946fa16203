package ticket

import (
	"context"
	"errors"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// ClockLease names the lease of the desk's clock.
const ClockLease = "tickets"

const (
	// tickEvery is how often the clock looks: answers that can be taken back leave
	// at most that much later.
	tickEvery = time.Second
	// tidyEvery is how often what is over is forgotten.
	tidyEvery = 5 * time.Minute
	// dueAtOnce bounds what one tick takes on.
	dueAtOnce = 200
	// indexAtOnce is how many messages one unit of work makes findable anew.
	indexAtOnce = 100
)

// Run is the desk's clock, until ctx ends: answers leave when they can no longer
// be taken back, promises that are about to break are warned of and those that
// break are noted, tickets come back from out of sight, solved ones close, and what
// was kept long enough goes. Each step is one unit of work, fenced by the lease.
func (d *Desk) Run(ctx context.Context, lease journal.Lease) error {
	var tidied time.Time
	return journal.Tick(ctx, tickEvery, d.log, "clock of tickets stands still", d.beat, func(ctx context.Context) error {
		err := d.tick(ctx, lease)
		if now := d.now(); err == nil && now.Sub(tidied) >= tidyEvery {
			tidied, err = now, d.tidy(ctx, lease)
		}
		return err
	})
}

// tick does what time alone does, now.
func (d *Desk) tick(ctx context.Context, lease journal.Lease) error {
	timed, err := d.store.TimedMessages(ctx, d.now(), dueAtOnce)
	if err != nil {
		return err
	}
	var failed error // of one of many; the others go on
	for _, m := range timed {
		if err := d.depart(ctx, lease, m.ID); errors.Is(err, journal.ErrLeaseLost) {
			return err
		} else if err != nil {
			failed = err
		}
	}
	due, err := d.store.DueTickets(ctx, d.now(), dueAtOnce)
	if err != nil {
		return err
	}
	for _, id := range due {
		if err := d.wake(ctx, lease, id); errors.Is(err, journal.ErrLeaseLost) {
			return err
		} else if err != nil {
			failed = err
		}
	}
	return failed
}

// commit runs one unit of work of the clock under the lease. What somebody else
// was first with is looked at again at the next tick.
func (d *Desk) commit(ctx context.Context, lease journal.Lease, fn func(journal.Tx) error) error {
	return journal.UnderLease(ctx, d.work, lease, fn)
}

// depart sends an answer whose time has come, if it still may.
func (d *Desk) depart(ctx context.Context, lease journal.Lease, id string) error {
	return d.commit(ctx, lease, func(tx journal.Tx) error {
		m, err := d.store.MessageForUpdate(ctx, tx, id)
		if err != nil {
			return absentIsNil(err)
		}
		if m.Sending != Timed || m.SendAt.After(tx.Now()) {
			return nil
		}
		t, err := d.store.TicketForUpdate(ctx, tx, m.Ticket)
		if err != nil {
			return err
		}
		m.Sending = HandedOn
		if err := d.store.PutMessage(ctx, tx, &m, t.Subject); err != nil {
			return err
		}
		return d.take(ctx, tx, access.Hub, &t).handOn(&m)
	})
}

// wake does to a ticket what its clocks say, if they still do.
func (d *Desk) wake(ctx context.Context, lease journal.Lease, id string) error {
	return d.commit(ctx, lease, func(tx journal.Tx) error {
		t, err := d.store.TicketForUpdate(ctx, tx, id)
		if err != nil {
			return absentIsNil(err)
		}
		h := d.take(ctx, tx, access.Hub, &t)
		if err := h.strike(); err != nil {
			return err
		}
		return h.keep()
	})
}

// strike notes every promise and every rest of a ticket that is over.
func (h *hand) strike() error {
	t := h.t
	if t.MergedInto == "" && t.State == Solved && !h.now.Before(t.SolvedAt.Add(h.setup.closeAfter())) {
		if err := h.move(Close); err != nil {
			return err
		}
	}
	if !t.SnoozedUntil.IsZero() && !t.SnoozedUntil.After(h.now) {
		t.SnoozedUntil = time.Time{}
		if err := h.tell("snoozed", map[string]string{"on": "0"}); err != nil {
			return err
		}
	}
	p := h.setup.promise(t)
	t.wind(h.setup, h.now) // the promises may have changed since
	switch {
	case t.DueAt.IsZero() || p == nil || t.Overdue:
		return nil
	case !t.DueAt.After(h.now):
		t.Overdue = true
		if t.BreachedAt.IsZero() {
			t.BreachedAt = t.DueAt
		}
		return h.tell("breached", map[string]string{"clock": string(t.Due), "person": t.Assignee})
	case t.WarnedAt.IsZero() && p.Warn > 0 && !t.DueAt.Add(-p.Warn).After(h.now):
		t.WarnedAt = h.now
		return h.tell("warned", map[string]string{"clock": string(t.Due), "person": t.Assignee})
	}
	return nil
}

// tidy forgets what nobody needs any more.
func (d *Desk) tidy(ctx context.Context, lease journal.Lease) error {
	err := d.commit(ctx, lease, func(tx journal.Tx) error {
		now := tx.Now()
		return d.store.PruneTickets(ctx, tx, now, now.Add(-acknowledgedWithin), now.Add(-BulkKept))
	})
	if err != nil {
		return err
	}
	for more := true; more && err == nil && ctx.Err() == nil; {
		err = d.commit(ctx, lease, func(tx journal.Tx) (err error) {
			more, err = d.store.IndexWords(ctx, tx, indexAtOnce)
			return err
		})
	}
	for more := true; more && err == nil && ctx.Err() == nil; {
		more, err = d.retain(ctx, lease)
	}
	return err
}
