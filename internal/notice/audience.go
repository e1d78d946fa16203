package notice

import (
	"context"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Subscribers gives those that match, by id, addresses included. Errors:
// Forbidden, Invalid, Unavailable.
func (d *Desk) Subscribers(ctx context.Context, by access.Actor, q SubscriberQuery) ([]Subscriber, error) {
	if err := by.Check(access.SubscriberRead); err != nil {
		return nil, err
	}
	if err := page(q.Limit); err != nil {
		return nil, err
	}
	return d.store.Subscribers(ctx, q)
}

// Subscriber gives one. Errors: Forbidden, NotFound, Unavailable.
func (d *Desk) Subscriber(ctx context.Context, by access.Actor, id string) (Subscriber, error) {
	if err := by.Check(access.SubscriberRead); err != nil {
		return Subscriber{}, err
	}
	return d.store.SubscriberIn(ctx, nil, id)
}

// CountSubscribers counts them by mode and state. Errors: Forbidden, Unavailable.
func (d *Desk) CountSubscribers(ctx context.Context, by access.Actor) (map[Mode]map[string]int64, error) {
	if err := by.Check(access.DeliveryRead); err != nil {
		return nil, err
	}
	return d.store.CountSubscribers(ctx)
}

// Add subscribes an address by hand. With confirmed it is active at once: whoever
// does that answers for the consent; without, it gets the message to confirm.
// Errors: Forbidden, Invalid, Conflict when it is subscribed already, Unavailable.
func (d *Desk) Add(ctx context.Context, by access.Actor, r Subscription, confirmed bool) (Subscriber, error) {
	var out Subscriber
	if err := by.Check(access.SubscriberEdit); err != nil {
		return out, err
	}
	r, err := r.normal()
	if err != nil {
		return out, err
	}
	if !confirmed && !d.Offered(r.Mode) {
		return out, problem.Invalid("mode", "no channel for that is set up")
	}
	err = d.do(ctx, by.As(access.SubscriberEdit), func(tx journal.Tx) error {
		s, err := d.store.SubscriberAt(ctx, tx, r.Mode, r.Address, r.Incident)
		switch {
		case err == nil && s.State == Active:
			return problem.Conflict("This address is subscribed already.")
		case err != nil && !missing(err):
			return err
		}
		if !confirmed {
			if err := d.ask(ctx, tx, r); err != nil {
				return err
			}
			out, err = d.store.SubscriberAt(ctx, tx, r.Mode, r.Address, r.Incident)
			return err
		}
		if s.ID == "" {
			s = Subscriber{ID: journal.NewID(), Mode: r.Mode, Address: r.Address, Incident: r.Incident, CreatedAt: tx.Now()}
		}
		s.State, s.Source, s.ConfirmedAt, s.ChangedAt, s.Failures = Active, r.Source, tx.Now(), tx.Now(), 0
		s.EndReason, s.EndedAt = "", time.Time{}
		s.wish(r.Wishes)
		if err := d.store.PutSubscriber(ctx, tx, &s); err != nil {
			return err
		}
		out = s
		return tx.Append(subscriberEntry("subscriber.added", s.ID, map[string]string{"confirmed": "1"}))
	})
	return out, err
}

// ChangeFor replaces what a subscriber wants to hear of. Errors: Forbidden,
// NotFound, Invalid, Conflict when it has ended, Unavailable.
func (d *Desk) ChangeFor(ctx context.Context, by access.Actor, id string, w Wishes) (Subscriber, error) {
	if err := by.Check(access.SubscriberEdit); err != nil {
		return Subscriber{}, err
	}
	return d.wishes(ctx, by.As(access.SubscriberEdit), id, w)
}

// Remove ends a subscription by hand. Errors: Forbidden, NotFound, Unavailable.
func (d *Desk) Remove(ctx context.Context, by access.Actor, id string) error {
	if err := by.Check(access.SubscriberEdit); err != nil {
		return err
	}
	return d.do(ctx, by.As(access.SubscriberEdit), func(tx journal.Tx) error { return d.end(ctx, tx, id, "removed") })
}

// Erase wipes a subscriber's address for good: deliveries and the journal keep
// the id, which leads nowhere then. Errors: Forbidden, NotFound, Unavailable.
func (d *Desk) Erase(ctx context.Context, by access.Actor, id string) error {
	if err := by.Check(access.SubscriberEdit); err != nil {
		return err
	}
	return d.do(ctx, by.As(access.SubscriberEdit), func(tx journal.Tx) error { return d.erase(ctx, tx, id, "erased") })
}

func (d *Desk) erase(ctx context.Context, tx journal.Tx, id, reason string) error {
	s, err := d.store.SubscriberIn(ctx, tx, id)
	if err != nil || s.Address == "" {
		return err
	}
	s.Address = ""
	s.wish(Wishes{MinImpact: "none"})
	if s.State != Ended {
		s.State, s.EndedAt, s.EndReason = Ended, tx.Now(), reason
	}
	s.ChangedAt = tx.Now()
	if err := d.store.PutSubscriber(ctx, tx, &s); err != nil {
		return err
	}
	return tx.Append(subscriberEntry("subscriber.ended", id, map[string]string{"reason": "erased"}))
}

// Bounced ends the subscriptions of a mail address that does not exist: ref is
// the address, or the id of the delivery that came back. What names nobody is
// fine: bounces come for addresses that left long ago. Errors: Unavailable.
func (d *Desk) Bounced(ctx context.Context, ref string) error {
	ids, err := d.bouncing(ctx, ref)
	if err != nil || len(ids) == 0 {
		return err
	}
	return d.do(ctx, access.Hub, func(tx journal.Tx) error { return d.endBounced(ctx, tx, ids) })
}

// BouncedIn is Bounced inside the unit of work of whoever read the bounce.
func (d *Desk) BouncedIn(ctx context.Context, tx journal.Tx, ref string) error {
	ids, err := d.bouncing(ctx, ref)
	if err != nil {
		return err
	}
	return d.endBounced(ctx, tx, ids)
}

// endBounced ends subscriptions whose address does not exist.
func (d *Desk) endBounced(ctx context.Context, tx journal.Tx, ids []string) error {
	for _, id := range ids {
		if err := d.end(ctx, tx, id, "bounced"); err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

// bouncing gives the ids of the subscribers that a bounce speaks of.
func (d *Desk) bouncing(ctx context.Context, ref string) ([]string, error) {
	var ids []string
	if strings.Contains(ref, "@") {
		address, err := NormalAddress(ByMail, ref)
		if err != nil {
			return nil, nil
		}
		found, err := d.store.SubscribersAt(ctx, ByMail, address)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			ids = append(ids, s.ID)
		}
	} else {
		row, err := d.store.Delivery(ctx, ref)
		if err != nil && !missing(err) {
			return nil, err
		}
		if id, ok := strings.CutPrefix(row.Recipient, "subscriber/"); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
