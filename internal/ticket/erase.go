package ticket

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

const (
	// eraseAtOnce is how many tickets one unit of work erases.
	eraseAtOnce = 20
	// erasedSubject stands where a subject was.
	erasedSubject = "(erased)"
)

// Erase forgets a requester for good: name, addresses, every word and file of
// their tickets, what they wrote in those of others, the raw mails, and the words
// by which they were found; deliveries know the id alone. What stays says that there
// were tickets, and when. It goes ticket by ticket, the row of the
// requester last, so one that was stopped is called again.
func (d *Desk) Erase(ctx context.Context, by access.Actor, id string) error {
	if err := by.CheckOn(access.TicketErase); err != nil {
		return err
	}
	who, err := d.store.Requester(ctx, id)
	if err != nil {
		return err
	}
	// What others wrote is not theirs: it goes back where it came from first.
	for _, step := range []func(context.Context, access.Actor, string) error{d.freeOthers, d.eraseTicket} {
		if err := d.eachOf(ctx, id, func(ticket string) error { return step(ctx, by, ticket) }); err != nil {
			return err
		}
	}
	for _, address := range append([]string{who.Address}, who.Others...) {
		if err := d.eraseAddress(ctx, by, address); err != nil {
			return err
		}
	}
	return d.work.Do(ctx, by.As(access.TicketErase), func(tx journal.Tx) error {
		r, err := d.store.RequesterForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		if !r.ErasedAt.IsZero() {
			return nil
		}
		r = Requester{ID: r.ID, CreatedAt: r.CreatedAt, ErasedAt: tx.Now(), Version: r.Version}
		if err := d.store.PutRequester(ctx, tx, &r); err != nil {
			return err
		}
		return tx.Append(requesterEntry("erased", id))
	})
}

// eachOf hands the ids of all tickets of a requester to fn, oldest first.
func (d *Desk) eachOf(ctx context.Context, requester string, fn func(id string) error) error {
	q := Query{Requester: requester, Merged: true, Sort: Oldest, Limit: eraseAtOnce}
	for {
		all, err := d.store.Tickets(ctx, q)
		if err != nil {
			return err
		}
		for i := range all {
			if err := fn(all[i].ID); err != nil {
				return err
			}
			q.After = all[i].Cursor(Oldest)
		}
		if len(all) < eraseAtOnce {
			return nil
		}
	}
}

// freeOthers un-merges the tickets of other people from one that is to be erased.
func (d *Desk) freeOthers(ctx context.Context, by access.Actor, id string) error {
	var others []Ticket
	err := d.work.Do(ctx, by.As(access.TicketErase), func(tx journal.Tx) error {
		t, err := d.store.TicketForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		merged, err := d.store.MergedTickets(ctx, tx, id)
		others = slices.DeleteFunc(merged, func(m Ticket) bool { return m.Requester == t.Requester })
		return err
	})
	for _, o := range others {
		if err == nil {
			_, err = d.Unmerge(ctx, by, o.ID)
		}
	}
	return err
}

// EraseTicket forgets every word and file of one ticket.
func (d *Desk) EraseTicket(ctx context.Context, by access.Actor, id string) error {
	if err := by.CheckOn(access.TicketErase); err != nil {
		return err
	}
	id, err := d.locate(ctx, id)
	if err != nil {
		return err
	}
	return d.eraseTicket(ctx, by, id)
}

// eraseTicket empties one ticket in a unit of work.
func (d *Desk) eraseTicket(ctx context.Context, by access.Actor, id string) error {
	return d.work.Do(ctx, by.As(access.TicketErase), func(tx journal.Tx) error {
		t, err := d.store.TicketForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		h := d.take(ctx, tx, by, &t)
		all, err := d.store.MessagesForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := h.forget(all); err != nil {
			return err
		}
		if err := h.forgetElsewhere(); err != nil {
			return err
		}
		erased := t.Subject == erasedSubject
		t.Subject, t.Tags, t.Fields, t.Secret, t.Root, t.Undeliverable = erasedSubject, nil, nil, "", "", ""
		t.SnoozedUntil = time.Time{}
		t.recount(nil)
		if t.MergedInto == "" {
			t.enter(Closed, h.now)
		}
		if err := h.keep(); err != nil || erased {
			return err
		}
		return h.tell("erased", nil)
	})
}

// forgetElsewhere deletes the messages of a merged ticket where they are now.
func (h *hand) forgetElsewhere() error {
	if h.t.MergedInto == "" {
		return nil
	}
	id, err := h.holder(h.ctx, *h.t)
	if err != nil {
		return err
	}
	dst, err := h.store.TicketForUpdate(h.ctx, h.tx, id)
	if err != nil {
		return err
	}
	all, err := h.store.MessagesForUpdate(h.ctx, h.tx, id)
	if err != nil {
		return err
	}
	o := h.take(h.ctx, h.tx, h.by, &dst)
	if err := o.forget(slices.DeleteFunc(all, func(m Message) bool { return m.Home != h.t.ID })); err != nil {
		return err
	}
	if err := o.recounted(); err != nil {
		return err
	}
	return o.keep()
}

// forget deletes messages with all that belongs to them.
func (h *hand) forget(all []Message) error {
	var mails []string
	for i := range all {
		m := &all[i]
		for _, a := range m.Attachments {
			if a.Hash == "" {
				continue
			}
			if err := h.blobs.DropBlob(h.ctx, h.tx, a.Hash); err != nil {
				return err
			}
		}
		if m.Mail != "" {
			mails = append(mails, m.Mail)
		}
		if err := h.store.DropMessage(h.ctx, h.tx, m.ID); err != nil {
			return err
		}
	}
	if h.mails == nil || len(mails) == 0 {
		return nil
	}
	return h.mails.EraseMails(h.ctx, h.tx, mails)
}

// eraseAddress deletes what an address wrote in tickets of others, and its copies
// in what others wrote.
func (d *Desk) eraseAddress(ctx context.Context, by access.Actor, address string) error {
	if address == "" {
		return nil
	}
	for {
		left := 0
		err := d.work.Do(ctx, by.As(access.TicketErase), func(tx journal.Tx) error {
			found, err := d.store.MessagesFrom(ctx, tx, address, eraseAtOnce)
			if err != nil {
				return err
			}
			left = len(found)
			for _, m := range found {
				t, err := d.store.TicketForUpdate(ctx, tx, m.Ticket)
				if err != nil {
					return err
				}
				h := d.take(ctx, tx, by, &t)
				if m.Sender.Address == address {
					err = h.forget([]Message{m})
				} else {
					is := func(a Address) bool { return a.Address == address }
					m.To, m.Cc = slices.DeleteFunc(m.To, is), slices.DeleteFunc(m.Cc, is)
					err = h.rewrite(&m)
				}
				if err != nil {
					return err
				}
				if err := h.recounted(); err != nil {
					return err
				}
				if err := h.keep(); err != nil {
					return err
				}
				if err := h.tell("erased", map[string]string{"message": m.ID}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || left < eraseAtOnce {
			return err
		}
	}
}

// rewrite writes a message again with the words by which it is found.
func (h *hand) rewrite(m *Message) error {
	if err := h.store.DropMessage(h.ctx, h.tx, m.ID); err != nil {
		return err
	}
	m.Version = 0
	return h.store.PutMessage(h.ctx, h.tx, m, h.t.Subject)
}

// retain deletes what is in tickets that were closed long enough ago, and tells
// whether there may be more.
func (d *Desk) retain(ctx context.Context, lease journal.Lease) (more bool, err error) {
	keep := d.Rules().Keep
	if keep <= 0 {
		return false, nil
	}
	ids, err := d.store.StaleTickets(ctx, d.now().Add(-keep), eraseAtOnce)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		err := d.commit(ctx, lease, func(tx journal.Tx) error {
			t, err := d.store.TicketForUpdate(ctx, tx, id)
			if err != nil {
				return err
			}
			all, err := d.store.MessagesForUpdate(ctx, tx, id)
			if err != nil {
				return err
			}
			h := d.take(ctx, tx, access.Hub, &t)
			if err := h.forget(all); err != nil {
				return err
			}
			if err := h.tell("expired", nil); err != nil {
				return err
			}
			return d.store.DropTicket(ctx, tx, id)
		})
		if err != nil {
			return false, err
		}
	}
	return len(ids) == eraseAtOnce, nil
}
