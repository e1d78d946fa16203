package status

import (
	"context"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// SayIn is Say, from now on, inside the unit of work of whoever has a reason to: a
// machine of others that writes a mail. The page follows the journal. Errors:
// NotFound, Unavailable.
func (d *Desk) SayIn(ctx context.Context, tx journal.Tx, by access.Actor, component string, st Status, reason string) error {
	c, err := d.component(component)
	if err != nil {
		return err
	}
	before, err := d.sayingsOf(ctx, c.Key)
	if err != nil {
		return err
	}
	for _, old := range before {
		old.EndedAt, old.EndedBy = tx.Now(), by.ID
		if err := d.store.PutSaying(ctx, tx, old); err != nil {
			return err
		}
	}
	s := Saying{ID: journal.NewID(), Component: c.Key, Status: st, From: tx.Now(), By: by.ID, Reason: clipped(strings.TrimSpace(reason))}
	if err := d.store.PutSaying(ctx, tx, s); err != nil {
		return err
	}
	return tx.Append(stated(s, s.Status))
}

// UnsayIn takes back, inside a unit of work, what the same actor said of a
// component; what others said by hand stays. Errors: NotFound, Unavailable.
func (d *Desk) UnsayIn(ctx context.Context, tx journal.Tx, by access.Actor, component string) error {
	c, err := d.component(component)
	if err != nil {
		return err
	}
	said, err := d.sayingsOf(ctx, c.Key)
	if err != nil {
		return err
	}
	for _, s := range said {
		if s.By != by.ID {
			continue
		}
		s.EndedAt, s.EndedBy = tx.Now(), by.ID
		if err := d.store.PutSaying(ctx, tx, s); err != nil {
			return err
		}
		if err := tx.Append(stated(s, "")); err != nil {
			return err
		}
	}
	return nil
}

// clipped cuts a reason to what is kept.
func clipped(s string) string {
	if len(s) > MaxReason {
		s = strings.ToValidUTF8(s[:MaxReason], "")
	}
	return s
}
