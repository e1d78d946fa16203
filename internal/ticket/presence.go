package ticket

import (
	"context"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// Writing says that somebody has a ticket on the screen, or is writing to it, and
// gives who else does: two answers to one question are worse than none. It is
// forgotten by itself soon after it was said last.
func (d *Desk) Writing(ctx context.Context, by access.Actor, id string, writing bool) ([]Presence, error) {
	t, err := d.find(ctx, by, id)
	if err != nil {
		return nil, err
	}
	lasts := LookingFor
	if writing {
		lasts = WritingFor
	}
	err = d.work.Do(ctx, by, func(tx journal.Tx) error {
		return d.store.PutPresence(ctx, tx, Presence{Ticket: t.ID, Person: by.ID, Writing: writing, Until: tx.Now().Add(lasts)})
	})
	if err != nil {
		return nil, err
	}
	return d.others(ctx, by, t.ID)
}

// Present gives who else has a ticket on the screen.
func (d *Desk) Present(ctx context.Context, by access.Actor, id string) ([]Presence, error) {
	t, err := d.find(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return d.others(ctx, by, t.ID)
}

func (d *Desk) others(ctx context.Context, by access.Actor, id string) ([]Presence, error) {
	all, err := d.store.Present(ctx, id, d.now())
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, p := range all {
		if p.Person != by.ID {
			out = append(out, p)
		}
	}
	return out, nil
}
