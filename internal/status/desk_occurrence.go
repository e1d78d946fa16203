package status

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Maintenance gives the occurrences that touch [from, to), by start. Errors:
// Forbidden, Unavailable.
func (d *Desk) Maintenance(ctx context.Context, by access.Actor, from, to time.Time) ([]Occurrence, error) {
	if err := by.Check(access.MaintainRead); err != nil {
		return nil, err
	}
	return d.store.Occurrences(ctx, from, to)
}

// Occurrence gives one, by ID. Errors: Forbidden, NotFound, Unavailable.
func (d *Desk) Occurrence(ctx context.Context, by access.Actor, id string) (Occurrence, error) {
	if err := by.Check(access.MaintainRead); err != nil {
		return Occurrence{}, err
	}
	return d.store.Occurrence(ctx, id)
}

// StartMaintenance begins an occurrence now, before its time or because it does
// not begin by itself. It ends when it was to end. Errors: Forbidden, NotFound,
// Conflict when it cannot begin, Unavailable.
func (d *Desk) StartMaintenance(ctx context.Context, by access.Actor, id string) (Occurrence, error) {
	return d.revise(ctx, by, id, func(o Occurrence, now time.Time) (Revision, error) {
		if o.State != MaintenanceScheduled {
			return Revision{}, problem.Conflict("Maintenance that is %s cannot start.", o.State)
		}
		if !now.Before(o.To) {
			return Revision{}, problem.Conflict("Its time is over. Extend it first.")
		}
		if now.Before(o.From) {
			o.From, o.Pinned = now, true
			o.Sequence++
		}
		return o.On(MaintenanceStart, now, now)
	})
}

// ExtendMaintenance moves the end of an occurrence that is not over, later or,
// while it has not passed, earlier. Errors: Forbidden, NotFound, Invalid,
// Conflict when it is over, Unavailable.
func (d *Desk) ExtendMaintenance(ctx context.Context, by access.Actor, id string, to time.Time) (Occurrence, error) {
	to = to.UTC().Truncate(time.Microsecond)
	return d.revise(ctx, by, id, func(o Occurrence, now time.Time) (Revision, error) {
		switch {
		case o.Over():
			return Revision{}, problem.Conflict("Maintenance that is %s cannot be extended.", o.State)
		case !to.After(now) || !to.After(o.From):
			return Revision{}, problem.Invalid("to", "must lie ahead.")
		case to.Sub(o.From) > MaxMaintenance:
			return Revision{}, problem.Invalid("to", "one maintenance lasts %d days at most.", MaxMaintenance/(24*time.Hour))
		case to.Equal(o.To):
			return Revision{}, problem.Invalid("to", "it ends then already.")
		}
		o.To, o.Pinned, o.ChangedAt, o.NaggedAt = to, true, now, time.Time{}
		o.Sequence++
		return Revision{Occurrence: o, Verb: "maintenance.extended", At: now}, nil
	})
}

// CompleteMaintenance ends an occurrence under way now: the page says what
// people or checks say. Errors: Forbidden, NotFound, Conflict when it is not
// under way, Unavailable.
func (d *Desk) CompleteMaintenance(ctx context.Context, by access.Actor, id string) (Occurrence, error) {
	return d.revise(ctx, by, id, func(o Occurrence, now time.Time) (Revision, error) {
		return o.On(MaintenanceComplete, now, now)
	})
}

// CallOffMaintenance cancels one occurrence that has not begun; its window goes
// on. Errors: Forbidden, NotFound, Conflict when it has begun, Unavailable.
func (d *Desk) CallOffMaintenance(ctx context.Context, by access.Actor, id string) (Occurrence, error) {
	return d.revise(ctx, by, id, func(o Occurrence, now time.Time) (Revision, error) {
		o.Pinned = true
		return o.On(MaintenanceCancel, now, now)
	})
}

// revise lets fn revise an occurrence and writes it. A one-off that was planned
// at the desk takes its window along. When the clock wrote the occurrence
// meanwhile, fn is asked again.
func (d *Desk) revise(ctx context.Context, by access.Actor, id string, fn func(o Occurrence, now time.Time) (Revision, error)) (Occurrence, error) {
	var err error
	for range deskTries {
		var o Occurrence
		if o, err = d.store.Occurrence(ctx, id); err != nil {
			return Occurrence{}, err
		}
		if err := allows(by, access.MaintainEdit, d.defined(o.Components)...); err != nil {
			return Occurrence{}, err
		}
		var windows []Window
		if windows, err = d.store.Windows(ctx); err != nil {
			return Occurrence{}, err
		}
		var r Revision
		err = d.work.Do(ctx, by.As(access.MaintainEdit), func(tx journal.Tx) error {
			var err error
			if r, err = fn(o, tx.Now()); err != nil {
				return err
			}
			if err := d.takeAlong(ctx, tx, windows, &r.Occurrence); err != nil {
				return err
			}
			if err := d.store.PutOccurrence(ctx, tx, r.Occurrence); err != nil {
				return err
			}
			return tx.Append(r.entry())
		})
		if err == nil {
			d.watch.Replan()
			r.Occurrence.Version++
			return r.Occurrence, nil
		}
		if now, again := d.store.Occurrence(ctx, id); again != nil || now.Version == o.Version {
			break // it is not that somebody was first
		}
	}
	return Occurrence{}, err
}

// takeAlong gives a one-off window of the desk the times of its occurrence, so
// that the one follows the other again.
func (d *Desk) takeAlong(ctx context.Context, tx journal.Tx, windows []Window, o *Occurrence) error {
	i := slices.IndexFunc(windows, func(w Window) bool { return w.Key == o.Window && w.Hand && w.RRule == "" })
	if i < 0 || !o.Pinned {
		return nil
	}
	w := windows[i]
	if w.From.Equal(o.From) && w.To.Equal(o.To) && o.State != MaintenanceCancelled {
		return nil
	}
	w.From, w.To, w.Sequence = o.From, o.To, w.Sequence+1
	if o.State == MaintenanceCancelled {
		w.RemovedAt = tx.Now()
	} else {
		o.Pinned = false
	}
	return d.store.PutWindow(ctx, tx, w)
}
