package ticket

import (
	"context"
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Replies gives the saved replies: those of the configuration, then those made in
// the console, each by name.
func (d *Desk) Replies(ctx context.Context, by access.Actor) ([]SavedReply, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return nil, err
	}
	own, err := d.store.SavedReplies(ctx)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(d.Rules().Replies)
	for i := range out {
		out[i].File = true
	}
	return append(out, own...), nil
}

// SaveReply keeps text that is sent often. With an ID it changes that one. Errors:
// Invalid; Conflict when the name is taken or somebody was first; TooMany.
func (d *Desk) SaveReply(ctx context.Context, by access.Actor, r SavedReply) (SavedReply, error) {
	if err := by.CheckOn(access.TicketSetup); err != nil {
		return r, err
	}
	var err error
	if r.Name, err = line("name", r.Name, MaxTag, false); err != nil {
		return r, err
	}
	if r.Body, err = text("body", r.Body, MaxAnswer, false); err != nil {
		return r, err
	}
	all, err := d.Replies(ctx, by)
	if err != nil {
		return r, err
	}
	for _, o := range all {
		if strings.EqualFold(o.Name, r.Name) && (o.File || o.ID != r.ID) {
			return r, problem.Conflict("There is a saved reply with this name already.")
		}
	}
	if r.ID == "" {
		if len(all) >= MaxReplies {
			return r, problem.TooMany("There are %d saved replies; that is the most.", len(all))
		}
		r.ID, r.Version = journal.NewID(), 0
	}
	err = d.work.Do(ctx, by.As(access.TicketSetup), func(tx journal.Tx) error {
		w := r
		if err := d.store.PutSavedReply(ctx, tx, &w); err != nil {
			return err
		}
		r = w
		return tx.Append(deskEntry("reply_saved", r.ID))
	})
	return r, err
}

// DropReply forgets a saved reply. Errors: Conflict.
func (d *Desk) DropReply(ctx context.Context, by access.Actor, id string, version int64) error {
	if err := by.CheckOn(access.TicketSetup); err != nil {
		return err
	}
	return d.work.Do(ctx, by.As(access.TicketSetup), func(tx journal.Tx) error {
		if err := d.store.DropSavedReply(ctx, tx, id, version); err != nil {
			return err
		}
		return tx.Append(deskEntry("reply_dropped", id))
	})
}

// Written gives the text of a saved reply for a ticket, its variables filled in, in
// the name of an agent.
func (d *Desk) Written(ctx context.Context, by access.Actor, id, body, agent string) (string, error) {
	t, who, err := d.Get(ctx, by, id)
	if err != nil {
		return "", err
	}
	return d.Rules().written(body, &t, who, agent), nil
}

// written fills the variables of a text in.
func (s *Setup) written(body string, t *Ticket, who Requester, agent string) string {
	queue := t.Queue
	for _, q := range s.Queues {
		if q.ID == t.Queue {
			queue = q.Name
		}
	}
	first, _, _ := strings.Cut(who.Name, " ")
	return fill(body, map[string]string{
		"number": s.label(t.Number), "subject": t.Subject, "name": who.Name, "first_name": first, "agent": agent, "queue": queue,
		"component": strings.Join(t.Components, ", "),
	})
}
