package status

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Confirm publishes what checks see of a component, named by ID, whose policy
// waits for a person. Asked where nobody watches, it reaches the hub that does
// through the journal. Errors: Forbidden, NotFound, Unavailable; Conflict when
// nothing waits.
func (w *Watch) Confirm(ctx context.Context, by access.Actor, component string) error {
	if err := by.Check(access.StatusConfirm); err != nil {
		return err
	}
	var c Component
	var held bool
	err := w.with(component, func(j *judged) error {
		c, held = *j.def, len(j.page.held) > 0
		return nil
	})
	if err == nil && !w.running.Load() {
		held, err = w.waits(ctx, c)
	}
	if err != nil {
		return err
	}
	if err := allows(by, access.StatusConfirm, &c); err != nil {
		return err
	}
	if !held {
		return problem.Conflict("Nothing waits to be confirmed for %s.", c.Name)
	}
	e := journal.Entry{
		ID: journal.NewID(), Verb: "component.confirmed", Subject: journal.Ref{Kind: "component", ID: c.Key}, Audience: journal.AudienceStaff,
	}
	if err := w.work.Do(ctx, by.As(access.StatusConfirm), func(tx journal.Tx) error { return tx.Append(e) }); err != nil {
		return err
	}
	w.confirmed(e)
	return nil
}

// waits reports, from the record, whether checks see trouble of a component that
// its page does not tell.
func (w *Watch) waits(ctx context.Context, c Component) (bool, error) {
	if c.Publish != PublishAfterConfirm && c.Publish != PublishManual {
		return false, nil
	}
	now := w.now()
	var is [2]Status
	for i, track := range []Track{Observed, Published} {
		spans, err := w.store.Spans(ctx, c.Key, track, now, now.Add(time.Microsecond))
		if err != nil {
			return false, err
		}
		if len(spans) > 0 {
			is[i] = spans[0].Status
		}
	}
	return is[0] != is[1], nil
}

// confirmed publishes what a confirmation speaks of, once: it comes from the
// person's request where this hub watches, and from the journal everywhere.
func (w *Watch) confirmed(e journal.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.engine.components[e.Subject.ID]
	if c == nil || w.engine.confirmed == e.ID {
		return
	}
	w.engine.confirmed = e.ID
	w.engine.confirm(c)
	nudge(w.wake)
}
