package status

import (
	"context"
	"strconv"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// FreezeAfter is how long after its end a month is frozen: late results and
	// corrections of the first days are in by then.
	FreezeAfter = 72 * time.Hour
	// freezeAtOnce is how many months one unit of work freezes, and freezeBite
	// how many one call of FreezeDue.
	freezeAtOnce = 50
	freezeBite   = 200
	// MaxCorrectionReason bounds the reason of a correction, in bytes.
	MaxCorrectionReason = 500
)

// FreezeDue freezes the months that ended FreezeAfter ago, of every component
// there ever was, under the lease: at most freezeBite of them. It tells how many
// it froze and when it must be called again, which is now when there is more.
// Errors: Conflict when the lease is lost, Unavailable.
func FreezeDue(ctx context.Context, work journal.Work, store Store, lease journal.Lease, now time.Time) (frozen int, next time.Time, err error) {
	defer problem.Wrap(&err, "freeze months")
	due, next, err := dueMonths(ctx, store, now)
	if err != nil {
		return 0, now, err
	}
	if len(due) > freezeBite {
		due, next = due[:freezeBite], now
	}
	for len(due) > 0 {
		some := due[:min(len(due), freezeAtOnce)]
		due = due[len(some):]
		if err := freeze(ctx, work, store, lease, some); err != nil {
			return frozen, now, err
		}
		frozen += len(some)
	}
	return frozen, next, nil
}

// dueMonth is one month of one component that is to be frozen.
type dueMonth struct {
	component, month string
	from, to         time.Time
}

// dueMonths lists what is to be frozen, and gives when the next month is due.
func dueMonths(ctx context.Context, store Store, now time.Time) (due []dueMonth, next time.Time, err error) {
	c, err := store.Catalog(ctx, true)
	if err != nil {
		return nil, now, err
	}
	zone := layoutOf(&Catalog{Site: c.Site}).zone
	known, err := store.Months(ctx, "")
	if err != nil {
		return nil, now, err
	}
	done := make(map[[2]string]bool, len(known))
	for _, m := range known {
		done[[2]string{m.Component, m.Month}] = true
	}
	// The month that holds this moment is the first that is not due.
	open := monthStart(now.Add(-FreezeAfter), zone)
	for _, x := range c.Components {
		for from := monthStart(x.CreatedAt, zone); from.Before(open) && (x.RemovedAt.IsZero() || from.Before(x.RemovedAt)); from = monthAfter(from, 1, zone) {
			d := dueMonth{component: x.Key, month: from.Format(monthName), from: from.UTC(), to: monthAfter(from, 1, zone).UTC()}
			if !done[[2]string{d.component, d.month}] {
				due = append(due, d)
			}
		}
	}
	return due, monthAfter(open, 1, zone).Add(FreezeAfter).UTC(), nil
}

// freeze writes months in one unit of work, from the spans as it sees them: a
// correction of the past comes before or after, never in between.
func freeze(ctx context.Context, work journal.Work, store Store, lease journal.Lease, due []dueMonth) error {
	return work.Do(ctx, access.Hub, func(tx journal.Tx) error {
		if err := tx.Fence(lease); err != nil {
			return err
		}
		for _, d := range due {
			if err := store.OrderPast(ctx, tx, d.component); err != nil {
				return err
			}
			spans, err := store.SpansInside(ctx, tx, d.component, Published, d.from, d.to)
			if err != nil {
				return err
			}
			m := Month{Component: d.component, Month: d.month, Tally: TallyOf(spans, d.from, d.to), FrozenAt: tx.Now()}
			if err := store.PutMonth(ctx, tx, m); err != nil {
				return err
			}
			if err := tx.Append(monthEntry("month.frozen", m.Component, m.Month, m.Tally)); err != nil {
				return err
			}
		}
		return nil
	})
}

// monthEntry is the journal entry of a frozen month or of its correction.
func monthEntry(verb, component, month string, t Tally) journal.Entry {
	us := func(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
	return journal.Entry{
		Verb: verb, Subject: journal.Ref{Kind: "component", ID: component}, Audience: journal.AudiencePublic,
		Payload: map[string]string{
			"month": month, "up_us": us(t.Up), "degraded_us": us(t.Degraded), "partial_us": us(t.Partial), "major_us": us(t.Major),
			"maintenance_us": us(t.Maintenance), "unmeasured_us": us(t.Unmeasured),
		},
	}
}

// CorrectMonth adds a signed adjustment to a frozen month, which the page shows
// beside it. What it adds to one status it takes from others, and nothing may
// fall below zero. ID, At and Actor are filled in. Errors: Forbidden, Invalid,
// NotFound when the month is not frozen, Unavailable.
func CorrectMonth(ctx context.Context, work journal.Work, store Store, by access.Actor, c Correction) error {
	if err := by.Check(access.MonthCorrect); err != nil {
		return err
	}
	if c.Reason == "" || len(c.Reason) > MaxCorrectionReason {
		return problem.Invalid("reason", "say why, in at most %d bytes.", MaxCorrectionReason)
	}
	if c.Delta.Total() != 0 || c.Delta == (Tally{}) {
		return problem.Invalid("delta", "what is added to one status must be taken from others.")
	}
	months, err := store.Months(ctx, c.Component)
	if err != nil {
		return err
	}
	for _, m := range months {
		if m.Month != c.Month {
			continue
		}
		if m.Net().Add(c.Delta).negative() {
			return problem.Invalid("delta", "it takes more from a status than the month has.")
		}
		return work.Do(ctx, by, func(tx journal.Tx) error {
			c.ID, c.At, c.Actor = journal.NewID(), tx.Now(), by.ID
			if err := store.AddCorrection(ctx, tx, c); err != nil {
				return err
			}
			e := monthEntry("month.corrected", c.Component, c.Month, c.Delta)
			e.ID = c.ID
			return tx.Append(e)
		})
	}
	return problem.NotFound("The month %s of %s is not frozen.", c.Month, c.Component)
}
