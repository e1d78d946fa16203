package ticket

import (
	"context"
	"crypto/rand"
	"slices"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Merge makes one ticket of two: all messages of the first move to the second,
// and what still comes in for the first goes there. Unmerge takes it back.
// Errors: Invalid for a ticket into itself; Conflict when one was merged already,
// or they are too long together.
func (d *Desk) Merge(ctx context.Context, by access.Actor, from, into string) (Ticket, error) {
	return d.both(ctx, by, from, into, func(src, dst *hand) error {
		if src.t.MergedInto != "" || dst.t.MergedInto != "" {
			return problem.Conflict("One of them was merged already.")
		}
		all, err := d.store.MessagesForUpdate(ctx, src.tx, src.t.ID)
		if err != nil {
			return err
		}
		if int64(len(all))+dst.t.Messages > MaxMessages {
			return problem.Conflict("Together they have more than %d messages.", MaxMessages)
		}
		if err := d.store.MoveMessages(ctx, src.tx, idsOf(all), dst.t.ID, false); err != nil {
			return err
		}
		src.t.Was = src.t.State
		next, err := src.t.after(Merge)
		if err != nil {
			return err
		}
		src.t.enter(next, src.now)
		src.t.MergedInto = dst.t.ID
		woken := src.t.Unheard > 0
		src.t.recount(nil)
		if err := src.tell("merged", map[string]string{"into": dst.t.ID, "was": string(src.t.Was)}); err != nil {
			return err
		}
		if err := dst.recounted(); err != nil {
			return err
		}
		if woken && dst.t.State.Over() {
			return dst.move(Reopen)
		}
		return nil
	})
}

// Unmerge gives a merged ticket its own messages back, with those of tickets that
// were merged into it before. Errors: Conflict when it was not merged.
func (d *Desk) Unmerge(ctx context.Context, by access.Actor, id string) (Ticket, error) {
	id, err := d.locate(ctx, id)
	if err != nil {
		return Ticket{}, err
	}
	t, err := d.store.Ticket(ctx, id)
	if err != nil {
		return Ticket{}, err
	}
	if t.MergedInto == "" {
		return Ticket{}, problem.Conflict("%s was not merged.", d.Label(t.Number))
	}
	home, err := d.holder(ctx, t)
	if err != nil {
		return Ticket{}, err
	}
	var out Ticket
	_, err = d.both(ctx, by, id, home, func(src, dst *hand) error {
		if src.t.MergedInto == "" {
			return problem.Conflict("%s was not merged.", src.setup.label(src.t.Number))
		}
		homes := []string{src.t.ID}
		for n := 0; n < len(homes); n++ { // and what had come together in it
			merged, err := d.store.MergedTickets(ctx, src.tx, homes[n])
			if err != nil {
				return err
			}
			for _, m := range merged {
				if !slices.Contains(homes, m.ID) {
					homes = append(homes, m.ID)
				}
			}
		}
		all, err := d.store.MessagesForUpdate(ctx, src.tx, dst.t.ID)
		if err != nil {
			return err
		}
		mine := slices.DeleteFunc(all, func(m Message) bool { return !slices.Contains(homes, m.Home) })
		if err := d.store.MoveMessages(ctx, src.tx, idsOf(mine), src.t.ID, false); err != nil {
			return err
		}
		src.t.MergedInto = ""
		src.t.enter(src.t.Was, src.now)
		src.t.Was = ""
		if err := src.recounted(); err != nil {
			return err
		}
		if err := src.tell("unmerged", map[string]string{"into": dst.t.ID}); err != nil {
			return err
		}
		err = dst.recounted()
		out = *src.t
		return err
	})
	if err != nil {
		return Ticket{}, err
	}
	return d.store.Ticket(ctx, out.ID)
}

// holder gives the id of the ticket that has the messages of a merged one.
func (d *Desk) holder(ctx context.Context, t Ticket) (string, error) {
	for range MaxBulk {
		if t.MergedInto == "" {
			return t.ID, nil
		}
		next, err := d.store.Ticket(ctx, t.MergedInto)
		if err != nil {
			return "", err
		}
		t = next
	}
	return "", problem.Internal(nil, "tickets are merged in a circle")
}

// Split moves messages of a ticket into a new one of the same requester, or of who
// wrote the first of them. Errors: Invalid without messages, or for all of them.
func (d *Desk) Split(ctx context.Context, by access.Actor, id string, messages []string) (Ticket, error) {
	var out Ticket
	_, err := d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error {
		all, err := h.store.MessagesForUpdate(ctx, h.tx, h.t.ID)
		if err != nil {
			return err
		}
		chosen := slices.DeleteFunc(slices.Clone(all), func(m Message) bool { return !slices.Contains(messages, m.ID) })
		if len(chosen) == 0 || len(chosen) == len(all) || len(chosen) != len(messages) {
			return problem.Invalid("messages", "Choose some messages of this ticket, and not all of them.")
		}
		if slices.ContainsFunc(chosen, func(m Message) bool { return m.Sending == Timed || m.Sending == Held }) {
			return problem.Conflict("An answer that is not sent yet cannot move. Send it, or take it back.")
		}
		first := chosen[0]
		t := &Ticket{
			ID: journal.NewID(), Subject: first.Subject, State: Open, Priority: h.t.Priority, Kind: h.t.Kind, Way: h.t.Way, Queue: h.t.Queue, Mailbox: h.t.Mailbox,
			Requester: h.t.Requester, Assignee: h.t.Assignee, Secret: rand.Text(), Root: first.MessageID, CreatedAt: first.At,
		}
		if t.Subject == "" {
			t.Subject = h.t.Subject
		}
		if first.Form == In && first.From != FromRequester && first.Sender.Address != "" {
			who, err := h.store.RequesterOf(ctx, h.tx, first.Sender.Address)
			if err = absentIsNil(err); err != nil {
				return err
			}
			if who.Version > 0 {
				t.Requester = who.ID
			}
		}
		if t.Root == "" {
			t.Root = h.setup.mintMessageID(t.Mailbox)
		}
		n := d.take(ctx, h.tx, by, t)
		t.recount(chosen)
		if err := n.keep(); err != nil {
			return err
		}
		if err := h.store.MoveMessages(ctx, h.tx, idsOf(chosen), t.ID, true); err != nil {
			return err
		}
		if err := n.tell("opened", map[string]string{"message": first.ID, "from_ticket": h.t.ID}); err != nil {
			return err
		}
		if err := h.recounted(); err != nil {
			return err
		}
		out = *t
		return h.tell("split", map[string]string{"into": t.ID})
	})
	return out, err
}

// recounted makes what the ticket says of its messages anew.
func (h *hand) recounted() error {
	all, err := h.store.MessagesForUpdate(h.ctx, h.tx, h.t.ID)
	if err != nil {
		return err
	}
	h.t.recount(all)
	return nil
}

// both runs fn on two tickets in one unit of work and writes both back.
func (d *Desk) both(ctx context.Context, by access.Actor, first, second string, fn func(src, dst *hand) error) (Ticket, error) {
	if err := by.Check(access.TicketAnswer); err != nil {
		return Ticket{}, err
	}
	first, err := d.locate(ctx, first)
	if err != nil {
		return Ticket{}, err
	}
	if second, err = d.locate(ctx, second); err != nil {
		return Ticket{}, err
	}
	if first == second {
		return Ticket{}, problem.Invalid("into", "A ticket cannot be merged into itself.")
	}
	var out Ticket
	err = d.work.Do(ctx, by.As(access.TicketAnswer), func(tx journal.Tx) error {
		var hands [2]*hand
		for i, id := range []string{first, second} {
			t, err := d.store.TicketForUpdate(ctx, tx, id)
			if err != nil {
				return err
			}
			if err := allows(by, access.TicketAnswer, &t); err != nil {
				return err
			}
			hands[i] = d.take(ctx, tx, by, &t)
		}
		if err := fn(hands[0], hands[1]); err != nil {
			return err
		}
		for _, h := range hands {
			if err := h.keep(); err != nil {
				return err
			}
		}
		out = *hands[1].t
		return nil
	})
	return out, err
}

// idsOf gives the ids of messages.
func idsOf(all []Message) []string {
	out := make([]string, len(all))
	for i := range all {
		out[i] = all[i].ID
	}
	return out
}
