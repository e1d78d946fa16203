package notice

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Deliveries gives those that match, newest first: who was told what, when,
// through which channel, and who was not, and why. Errors: Forbidden, Invalid,
// Unavailable.
func (d *Desk) Deliveries(ctx context.Context, by access.Actor, q Query) ([]Delivery, error) {
	if err := by.Check(access.DeliveryRead); err != nil {
		return nil, err
	}
	if err := page(q.Limit); err != nil {
		return nil, err
	}
	return d.store.Deliveries(ctx, q)
}

// Delivery gives one with the event it tells of. Errors: Forbidden, NotFound,
// Unavailable.
func (d *Desk) Delivery(ctx context.Context, by access.Actor, id string) (Delivery, Event, error) {
	if err := by.Check(access.DeliveryRead); err != nil {
		return Delivery{}, Event{}, err
	}
	row, err := d.store.Delivery(ctx, id)
	if err != nil {
		return row, Event{}, err
	}
	events, err := d.store.Events(ctx, []string{row.Event})
	if err != nil || len(events) == 0 {
		return row, Event{ID: row.Event, Kind: row.Kind, Subject: row.Subject}, err
	}
	return row, events[0], nil
}

// Tally is how many of an event's or a subject's deliveries stand where.
type Tally struct {
	States map[State]int64
	Fan    Fan // of an event: how far its fan-out is, and how many subscribers did not ask for it
}

// Tally counts the deliveries that match by state. Errors: Forbidden, Unavailable.
func (d *Desk) Tally(ctx context.Context, by access.Actor, q Query) (t Tally, err error) {
	if err := by.Check(access.DeliveryRead); err != nil {
		return t, err
	}
	if t.States, err = d.store.Tally(ctx, q); err != nil || q.Event == "" {
		return t, err
	}
	t.Fan, err = d.store.FanOf(ctx, q.Event)
	return t, err
}

// Counts tells where everything stands that was told about a subject, by event,
// channel and state, the oldest event first. Errors: Forbidden, Unavailable.
func (d *Desk) Counts(ctx context.Context, by access.Actor, subject journal.Ref) ([]Count, error) {
	if err := by.Check(access.DeliveryRead); err != nil {
		return nil, err
	}
	return d.store.Counts(ctx, subject)
}

// Resend puts a dead letter, or one that was suppressed, into the queue again,
// under its old id: who got it after all and knows the id takes it once. Errors:
// Forbidden, NotFound, Conflict when it is neither, Unavailable.
func (d *Desk) Resend(ctx context.Context, by access.Actor, id string) (Delivery, error) {
	return d.revise(ctx, by, id, "delivery.resent", func(row *Delivery, now time.Time) error {
		if row.Channel == "" {
			return problem.Invalid("delivery", "there was no channel for it; set one up, then test it")
		}
		row.Attempts, row.Failures, row.Bundle, row.Gather, row.QueuedAt = 0, 0, "", false, now
		return row.move(doResend, "", now)
	})
}

// Dismiss takes a dead letter off the list of those that a person must look at.
// Errors: Forbidden, NotFound, Conflict when it is none, Unavailable.
func (d *Desk) Dismiss(ctx context.Context, by access.Actor, id string) (Delivery, error) {
	return d.revise(ctx, by, id, "delivery.dismissed", func(row *Delivery, _ time.Time) error {
		return row.move(doDismiss, clip("dismissed by a person; before that: "+row.Reason), time.Time{})
	})
}

// revise changes one row by a person's decision.
func (d *Desk) revise(ctx context.Context, by access.Actor, id, verb string, fn func(*Delivery, time.Time) error) (Delivery, error) {
	var out Delivery
	if err := by.Check(access.DeliveryResend); err != nil {
		return out, err
	}
	err := d.do(ctx, by.As(access.DeliveryResend), func(tx journal.Tx) error {
		row, err := d.store.DeliveryIn(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := fn(&row, tx.Now()); err != nil {
			return err
		}
		lost, err := d.store.Swap(ctx, tx, []Delivery{row})
		if err == nil && len(lost) > 0 {
			err = problem.Conflict("Somebody else changed delivery %s first.", id)
		}
		if err != nil {
			return err
		}
		row.Version++
		out = row
		return tx.Append(journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "delivery", ID: id}, Audience: journal.AudienceStaff,
			Payload: plain(map[string]string{"channel": row.Channel, "event": row.Kind, "recipient": row.Recipient})})
	})
	return out, err
}

// Health is how sending is doing.
type Health struct {
	Channels []ChannelHealth
	Pulses   []PulseState
}

// ChannelHealth is how one channel is doing, and what waits in it.
type ChannelHealth struct {
	Spec    ChannelSpec
	State   ChannelState
	Waiting int64
	Oldest  time.Time // when the oldest that waits was created
}

// Health tells how every configured channel and heartbeat is doing, in the
// order of the configuration. Errors: Forbidden, Unavailable.
func (d *Desk) Health(ctx context.Context, by access.Actor) (h Health, err error) {
	if err := by.Check(access.DeliveryRead); err != nil {
		return h, err
	}
	states, err := d.store.ChannelStates(ctx)
	if err != nil {
		return h, err
	}
	queues, err := d.store.Queues(ctx)
	if err != nil {
		return h, err
	}
	config := d.setup.Load()
	for _, spec := range config.Channels {
		c := ChannelHealth{Spec: spec, State: ChannelState{Channel: spec.ID, Circuit: Closed}}
		for _, s := range states {
			if s.Channel == spec.ID {
				c.State = s
			}
		}
		for _, q := range queues {
			if q.Channel == spec.ID {
				c.Waiting, c.Oldest = q.Waiting, q.Oldest
			}
		}
		h.Channels = append(h.Channels, c)
	}
	pulses, err := d.store.PulseStates(ctx)
	if err != nil {
		return h, err
	}
	for _, p := range config.Deadman {
		s := PulseState{ID: p.ID}
		for _, known := range pulses {
			if known.ID == p.ID {
				s = known
			}
		}
		h.Pulses = append(h.Pulses, s)
	}
	return h, nil
}
