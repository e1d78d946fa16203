package notice

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// giveUpAfter is how old a delivery gets before it becomes a dead letter.
	giveUpAfter = day
	// fallbackAfter is how many failed attempts a channel with a fallback gets.
	fallbackAfter = 4
	// divertAfter is how long a row waits for an open circuit before its fallback
	// takes over, and the longest pause a channel with a fallback may ask for.
	divertAfter = 30 * time.Second
	// divertBatch is how many rows go to the fallback in one unit of work.
	divertBatch = 100
	// endAfter is how many dead letters in a row end a subscription.
	endAfter = 5
	// strayFor is how long rows of a channel that is not configured wait for it.
	strayFor = 5 * time.Minute
	// maxWords bounds a reason or mark that comes from outside, in bytes.
	maxWords = 300
)

// outcome is what a result means: rows as they are to be written, and what
// follows from that. It is made once and applied in a unit of work that may run
// again.
type outcome struct {
	rows     []Delivery
	fallback string // channel; "" = none
	gone     string // id of the subscriber that no longer exists
	dead     string // id of the subscriber whom a dead letter was for
	alive    string // id of the subscriber who was reached after dead letters
	confirms string // id of the subscriber whose challenge was met
	unsent   bool   // nothing was tried
}

// settle judges a result.
func (s *Sender) settle(spec ChannelSpec, r result, now time.Time) outcome {
	o := outcome{unsent: r.unsent}
	subscriber, _ := strings.CutPrefix(r.rows[0].Recipient, "subscriber/")
	if subscriber == r.rows[0].Recipient {
		subscriber = ""
	}
	in, reason, next := verdict(spec, r, now)
	if in == doFail && subscriber == "" && !r.rows[0].toRequester() && spec.Fallback != "" {
		o.fallback = spec.Fallback
	}
	refusal, _ := errors.AsType[*Refusal](r.err)
	switch {
	case refusal != nil && refusal.Gone && subscriber != "":
		in, o.gone = doDrop, subscriber
	case in == doFail && strings.HasPrefix(r.rows[0].Kind, "subscriber."):
		in = doDrop // anybody can type an address that does not exist
	case in == doFail && r.verdict == "":
		o.dead = subscriber
	case in == doTake && r.rows[0].Kind == kindChallenge:
		o.confirms = subscriber
	case in == doTake && r.missed > 0:
		o.alive = subscriber
	}
	for _, row := range r.rows {
		if err := row.move(in, reason, next); err != nil {
			s.log.Error("delivery not settled", "delivery", row.ID, "input", string(in), "err", err)
			continue
		}
		switch {
		case r.unsent:
			row.Attempts--
		case r.err != nil:
			row.Failures++
		case in == doTake:
			row.Mark, row.ExactOnce, row.SentAt = clip(r.receipt.Mark), r.receipt.ExactOnce, now
		}
		o.rows = append(o.rows, row)
	}
	return o
}

// ended gives the outcome of a row that is ended without being tried.
func (s *Sender) ended(row Delivery, in deliveryInput, reason string) outcome {
	if err := row.move(in, reason, time.Time{}); err != nil {
		s.log.Error("delivery not ended", "delivery", row.ID, "input", string(in), "err", err)
		return outcome{}
	}
	return outcome{rows: []Delivery{row}}
}

// verdict gives what happens to the rows of a result, why, and when they are next
// due.
func verdict(spec ChannelSpec, r result, now time.Time) (deliveryInput, string, time.Time) {
	switch {
	case r.verdict != "":
		return r.verdict, r.reason, time.Time{}
	case r.unsent:
		return doPostpone, r.rows[0].Reason, now
	case r.err == nil:
		return doTake, "", time.Time{}
	}
	refusal, ok := errors.AsType[*Refusal](r.err)
	if !ok {
		refusal = &Refusal{Reason: problem.Public(r.err)}
	}
	reason, head := clip(refusal.Reason), r.rows[0]
	next := now.Add(max(backoff(head.Failures+1), refusal.RetryAfter))
	switch {
	case refusal.Permanent || refusal.Gone:
		return doFail, reason, time.Time{}
	case spec.Fallback != "" && (head.Failures+1 >= fallbackAfter || refusal.RetryAfter > divertAfter):
		return doFail, reason, time.Time{}
	case next.Sub(head.QueuedAt) > giveUpAfter:
		return doFail, clip("given up after a day: " + reason), time.Time{}
	}
	return doPostpone, reason, next
}

// clip bounds words from outside and keeps them on one line of valid text.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "")
	}
	return s
}

// learn tells the breaker, and the clock of the channel, what a result shows of
// the channel.
func (w *worker) learn(r result, now time.Time) {
	refusal, _ := errors.AsType[*Refusal](r.err)
	own := r.message.To.Address == "" // the channel has one place
	switch {
	case r.unsent || r.verdict != "":
		w.breaker.tried = false
	case r.err == nil:
		w.breaker.well(now, true)
	case refusal != nil && (refusal.Permanent || refusal.Gone || refusal.Theirs):
		w.breaker.well(now, false)
	case !own && !writesToPeople(w.spec.Kind):
		w.breaker.well(now, false) // somebody's own endpoint: its trouble is its own
	case refusal != nil && refusal.RetryAfter > 0 && own:
		w.breaker.tried = false
		w.until = now.Add(min(refusal.RetryAfter, giveUpAfter)) // it works, and is busy
	default:
		reason := "no reason given"
		if refusal != nil {
			reason = clip(refusal.Reason)
		} else if r.err != nil {
			reason = clip(problem.Public(r.err))
		}
		who := ""
		if !own {
			who = r.message.To.Ref
		}
		w.breaker.bad(who, reason, now)
	}
}

// write writes outcomes in a unit of work of their own.
func (s *Sender) write(ctx context.Context, outcomes []outcome) error {
	if err := s.unit(ctx, func(tx journal.Tx) error { return s.apply(ctx, tx, outcomes) }); err != nil {
		return err
	}
	s.count(outcomes)
	return nil
}

// apply writes outcomes: rows, dead letters in the journal, the rows of
// fallbacks, what it means for subscribers.
func (s *Sender) apply(ctx context.Context, tx journal.Tx, outcomes []outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	var rows []Delivery
	extra := map[string]Delivery{} // by the row that it takes over from
	for _, o := range outcomes {
		for _, row := range o.rows {
			if o.fallback != "" {
				over, fresh, err := s.takeOver(ctx, tx, row, o.fallback)
				if err != nil {
					return err
				}
				if fresh {
					extra[row.ID] = over
				}
				row.Fallback = over.ID
			}
			rows = append(rows, row)
			if row.State == Failed {
				if err := tx.Append(failedEntry(row)); err != nil {
					return err
				}
			}
		}
	}
	lost, err := s.desk.store.Swap(ctx, tx, rows)
	if err != nil {
		return err
	}
	for _, id := range lost {
		s.log.Warn("delivery was changed by somebody else meanwhile", "delivery", id)
		delete(extra, id)
	}
	if len(extra) > 0 {
		if err := s.desk.store.AddDeliveries(ctx, tx, slices.Collect(maps.Values(extra))); err != nil {
			return err
		}
		s.desk.wake.Ring()
	}
	for _, o := range outcomes {
		if err := s.followUp(ctx, tx, o); err != nil {
			return err
		}
	}
	return nil
}

// failedEntry is the journal's word on a dead letter.
func failedEntry(row Delivery) journal.Entry {
	return journal.Entry{Verb: "delivery.failed", Subject: journal.Ref{Kind: "delivery", ID: row.ID}, Audience: journal.AudienceStaff,
		Payload: plain(map[string]string{"channel": row.Channel, "event": row.Kind, "recipient": row.Recipient,
			"kind": row.Subject.Kind, "id": row.Subject.ID, "fallback": row.Fallback})}
}

// takeOver gives the row that tries again what another could not deliver; fresh
// is false when the fallback channel has one for the same event and recipient.
func (s *Sender) takeOver(ctx context.Context, tx journal.Tx, row Delivery, channel string) (over Delivery, fresh bool, err error) {
	over, err = s.desk.store.DeliveryOf(ctx, tx, row.Event, row.Recipient, channel)
	if err == nil || !missing(err) {
		return over, false, err
	}
	e := Event{ID: row.Event, Kind: row.Kind, Subject: row.Subject, Seq: row.Seq, Alert: row.Alert}
	return newRow(e, channel, row.Recipient, tx.Now()), true, nil
}

// followUp does what an outcome means for a subscriber. One who left meanwhile is
// no trouble.
func (s *Sender) followUp(ctx context.Context, tx journal.Tx, o outcome) (err error) {
	switch {
	case o.confirms != "":
		err = s.desk.confirm(ctx, tx, o.confirms)
	case o.gone != "":
		err = s.desk.end(ctx, tx, o.gone, "gone")
	case o.dead != "":
		err = s.desk.missed(ctx, tx, o.dead)
	case o.alive != "":
		err = s.desk.reached(ctx, tx, o.alive)
	}
	if missing(err) {
		return nil
	}
	return err
}

// divert moves rows that have waited long enough for an open circuit to the
// fallback channel.
func (w *worker) divert(ctx context.Context, now time.Time) error {
	if w.spec.Fallback == "" {
		return nil
	}
	rows, err := w.s.desk.store.Due(ctx, w.spec.ID, now, now.Add(-blockFor), divertBatch)
	if err != nil {
		return err
	}
	var moved []outcome
	for _, row := range rows {
		if now.Sub(row.QueuedAt) < divertAfter || strings.HasPrefix(row.Recipient, "subscriber/") || row.toRequester() {
			continue
		}
		o := w.s.ended(row, doFail, clip("the channel is down: "+w.breaker.Reason))
		o.fallback = w.spec.Fallback
		moved = append(moved, o)
	}
	if len(moved) == 0 {
		return nil
	}
	return w.s.write(ctx, moved)
}
