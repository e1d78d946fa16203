package notice

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// askPerAddress, askPerNetwork and askInAll are how many times an hour
	// strangers may ask for one address, from one network, and altogether.
	askPerAddress = 3
	askPerNetwork = 30
	askInAll      = 2000
	// askSlot is the stretch of time that is counted.
	askSlot = time.Hour
	// maxWishes bounds how many components or groups one subscriber names.
	maxWishes = 500
	// maxWish bounds the length of one of them, in bytes.
	maxWish = 96
)

// Wishes is what a subscriber wants to hear of.
type Wishes struct {
	Components  []string // keys
	Groups      []string // group ids; no keys and no groups = everything
	MinImpact   string   // none, minor, major, critical; "" = none
	Maintenance bool
}

// check refuses wishes that cannot be kept, and gives the others in one form.
func (w Wishes) check() (Wishes, error) {
	if w.MinImpact == "" {
		w.MinImpact = "none"
	}
	if !slices.Contains(impacts, w.MinImpact) {
		return w, problem.Invalid("min_impact", "choose none, minor, major or critical")
	}
	for _, list := range []struct {
		field string
		words *[]string
	}{{"components", &w.Components}, {"groups", &w.Groups}} {
		sorted := slices.Clone(*list.words)
		slices.Sort(sorted)
		sorted = slices.Compact(sorted)
		if len(sorted) > maxWishes {
			return w, problem.Invalid(list.field, "at most %d can be named", maxWishes)
		}
		for _, word := range sorted {
			if word == "" || len(word) > maxWish || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == 0x7f || r == ',' || r == ';' }) {
				return w, problem.Invalid(list.field, "this is no id")
			}
		}
		*list.words = sorted
	}
	return w, nil
}

// Wishes gives what the subscriber wants to hear of.
func (s Subscriber) Wishes() Wishes {
	return Wishes{Components: s.Components, Groups: s.Groups, MinImpact: s.MinImpact, Maintenance: s.Maintenance}
}

func (s *Subscriber) wish(w Wishes) {
	s.Components, s.Groups, s.MinImpact, s.Maintenance = w.Components, w.Groups, w.MinImpact, w.Maintenance
}

// Subscription is somebody's request to be told.
type Subscription struct {
	Mode     Mode
	Address  string
	Incident string // this incident alone; "" = what Wishes say
	Wishes
	From   string // network address of who asks; it is counted, not kept
	Source string // form, api
}

// normal checks a request and gives it in the form that is kept.
func (r Subscription) normal() (Subscription, error) {
	var err error
	if r.Address, err = NormalAddress(r.Mode, r.Address); err != nil {
		return r, err
	}
	if len(r.Incident) > maxWish {
		return r, problem.Invalid("incident", "this is no id")
	}
	r.Wishes, err = r.Wishes.check()
	return r, err
}

// Offered reports whether subscribers of a mode can be told at present.
func (d *Desk) Offered(m Mode) bool { return d.setup.Load().channelOf(m) != "" }

// Subscribe takes a stranger's request. The address gets a message: to confirm,
// or, when it is subscribed already, to manage; a webhook gets a challenge. The
// answer is the same, and as much is done, whether the address was known or not.
// Errors: Invalid, TooMany from this network or altogether, Unavailable.
func (d *Desk) Subscribe(ctx context.Context, r Subscription) error {
	r, err := r.normal()
	if err != nil {
		return err
	}
	if !d.Offered(r.Mode) {
		return problem.Invalid("mode", "this page does not offer that")
	}
	refused := false
	err = d.do(ctx, access.Visitor, func(tx journal.Tx) error {
		slot := tx.Now().Truncate(askSlot)
		all, err := d.store.CountTry(ctx, tx, "subscribe", slot)
		if err != nil {
			return err
		}
		near, err := d.store.CountTry(ctx, tx, d.counted("network", network(r.From)), slot)
		if err != nil {
			return err
		}
		one, err := d.store.CountTry(ctx, tx, d.counted(string(r.Mode), r.Address), slot)
		if err != nil {
			return err
		}
		if refused = all > askInAll || near > askPerNetwork; refused || one > askPerAddress {
			return nil // the counts are kept
		}
		return d.ask(ctx, tx, r)
	})
	if err == nil && refused {
		err = problem.TooMany("There were too many requests; try again in an hour.")
	}
	return err
}

// counted gives the key under which something personal is counted: a signature,
// from which it cannot be read.
func (d *Desk) counted(kind, text string) string {
	return base64.RawURLEncoding.EncodeToString(d.mac("count "+purpose(kind), text, ""))
}

// ask keeps a request and plans the message that answers it. A known address and
// a new one take the same steps.
func (d *Desk) ask(ctx context.Context, tx journal.Tx, r Subscription) error {
	s, err := d.store.SubscriberAt(ctx, tx, r.Mode, r.Address, r.Incident)
	if err != nil && !missing(err) {
		return err
	}
	kind, verb := kindConfirm, "subscriber.added"
	if r.Mode == ByWebhook {
		kind = kindChallenge
	}
	switch {
	case s.ID == "":
		s = Subscriber{ID: journal.NewID(), Mode: r.Mode, Address: r.Address, Incident: r.Incident}
	case s.State == Active:
		kind = kindKnown
	}
	if s.State == Active || s.State == Pending {
		verb = "subscriber.asked"
	}
	if s.State != Active {
		s.State, s.Source, s.CreatedAt = Pending, r.Source, tx.Now()
		s.ConfirmedAt, s.EndedAt, s.EndReason, s.Failures = time.Time{}, time.Time{}, "", 0
		s.wish(r.Wishes)
	}
	s.ChangedAt = tx.Now()
	if err := d.store.PutSubscriber(ctx, tx, &s); err != nil {
		return err
	}
	if err := d.greet(ctx, tx, s, kind); err != nil {
		return err
	}
	return tx.Append(subscriberEntry(verb, s.ID, nil))
}

// greet plans one message to a subscriber about the subscription itself.
func (d *Desk) greet(ctx context.Context, tx journal.Tx, s Subscriber, kind string) error {
	e := Event{ID: journal.NewID(), Kind: kind, Subject: journal.Ref{Kind: "subscriber", ID: s.ID}, Audience: ToSubscribers,
		Severity: SeverityInfo, At: tx.Now(), Content: Content{Status: s.State, Facts: map[string]string{"mode": string(s.Mode)}}}
	if _, err := d.store.AddEvent(ctx, tx, e, false); err != nil {
		return err
	}
	return d.store.AddDeliveries(ctx, tx, []Delivery{newRow(e, d.setup.Load().channelOf(s.Mode), s.Ref(), tx.Now())})
}

func subscriberEntry(verb, id string, payload map[string]string) journal.Entry {
	return journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "subscriber", ID: id}, Audience: journal.AudienceStaff, Payload: payload}
}

// errLink answers tokens that are not ours, or not for this, or whose
// subscription is gone.
func errLink() error {
	return problem.NotFound("This link does not work any more. Subscribe again to get a new one.")
}

// Confirm makes a subscription active by the link that was sent to its address.
// Twice is fine. Errors: NotFound, Unavailable.
func (d *Desk) Confirm(ctx context.Context, token string) (Subscriber, error) {
	id, _, ok := d.open(toConfirm, token)
	if !ok {
		return Subscriber{}, errLink()
	}
	err := d.do(ctx, access.Visitor, func(tx journal.Tx) error { return d.confirm(ctx, tx, id) })
	if err != nil {
		return Subscriber{}, err
	}
	return d.subscriber(ctx, id)
}

// confirm makes a pending subscription active.
func (d *Desk) confirm(ctx context.Context, tx journal.Tx, id string) error {
	s, err := d.store.SubscriberIn(ctx, tx, id)
	switch {
	case missing(err) || err == nil && s.State == Ended:
		return errLink()
	case err != nil || s.State == Active:
		return err
	}
	s.State, s.ConfirmedAt, s.ChangedAt = Active, tx.Now(), tx.Now()
	if err := d.store.PutSubscriber(ctx, tx, &s); err != nil {
		return err
	}
	return tx.Append(subscriberEntry("subscriber.confirmed", id, nil))
}

// subscriber reads one that a token named.
func (d *Desk) subscriber(ctx context.Context, id string) (Subscriber, error) {
	s, err := d.store.SubscriberIn(ctx, nil, id)
	if missing(err) || err == nil && s.Address == "" {
		err = errLink()
	}
	if err != nil {
		return Subscriber{}, err
	}
	return s, nil
}

// Manage gives the subscription that a link belongs to, whatever its state.
// Errors: NotFound, Unavailable.
func (d *Desk) Manage(ctx context.Context, token string) (Subscriber, error) {
	id, _, ok := d.open(toManage, token)
	if !ok {
		return Subscriber{}, errLink()
	}
	return d.subscriber(ctx, id)
}

// Unsubscribing gives the subscription that an unsubscribe link belongs to: the
// page that asks before it ends. Errors: NotFound, Unavailable.
func (d *Desk) Unsubscribing(ctx context.Context, token string) (Subscriber, error) {
	id, _, ok := d.open(toUnsubscribe, token)
	if !ok {
		return Subscriber{}, errLink()
	}
	return d.subscriber(ctx, id)
}

// Change replaces what a subscriber wants to hear of, by the link to manage.
// Errors: NotFound, Invalid, Conflict when it has ended, Unavailable.
func (d *Desk) Change(ctx context.Context, token string, w Wishes) (Subscriber, error) {
	id, _, ok := d.open(toManage, token)
	if !ok {
		return Subscriber{}, errLink()
	}
	return d.wishes(ctx, access.Visitor, id, w)
}

func (d *Desk) wishes(ctx context.Context, by access.Actor, id string, w Wishes) (Subscriber, error) {
	var out Subscriber
	w, err := w.check()
	if err != nil {
		return out, err
	}
	err = d.do(ctx, by, func(tx journal.Tx) error {
		s, err := d.store.SubscriberIn(ctx, tx, id)
		if missing(err) {
			return errLink()
		}
		if err != nil {
			return err
		}
		if s.State == Ended {
			return problem.Conflict("This subscription has ended. Subscribe again.")
		}
		s.wish(w)
		s.ChangedAt = tx.Now()
		if err := d.store.PutSubscriber(ctx, tx, &s); err != nil {
			return err
		}
		out = s
		return tx.Append(subscriberEntry("subscriber.changed", id, nil))
	})
	return out, err
}

// Unsubscribe ends a subscription by either of its links, at one click and for
// good (RFC 8058). Twice is fine. Errors: NotFound, Unavailable.
func (d *Desk) Unsubscribe(ctx context.Context, token string) error {
	id, _, ok := d.open(toUnsubscribe, token)
	if !ok {
		if id, _, ok = d.open(toManage, token); !ok {
			return errLink()
		}
	}
	return d.do(ctx, access.Visitor, func(tx journal.Tx) error {
		err := d.end(ctx, tx, id, "unsubscribed")
		if missing(err) {
			err = errLink()
		}
		return err
	})
}

// end ends a subscription that has not ended yet.
func (d *Desk) end(ctx context.Context, tx journal.Tx, id, reason string) error {
	s, err := d.store.SubscriberIn(ctx, tx, id)
	if err != nil || s.State == Ended {
		return err
	}
	s.State, s.EndedAt, s.EndReason, s.ChangedAt = Ended, tx.Now(), reason, tx.Now()
	if err := d.store.PutSubscriber(ctx, tx, &s); err != nil {
		return err
	}
	return tx.Append(subscriberEntry("subscriber.ended", id, map[string]string{"reason": reason}))
}

// missed counts a dead letter, and ends a subscription that had too many in a row.
func (d *Desk) missed(ctx context.Context, tx journal.Tx, id string) error {
	s, err := d.store.SubscriberIn(ctx, tx, id)
	if missing(err) || err == nil && s.State == Ended {
		return nil
	}
	if err != nil {
		return err
	}
	if s.Failures++; s.Failures < endAfter {
		return d.store.PutSubscriber(ctx, tx, &s)
	}
	s.State, s.EndedAt, s.EndReason, s.ChangedAt = Ended, tx.Now(), "gone", tx.Now()
	if err := d.store.PutSubscriber(ctx, tx, &s); err != nil {
		return err
	}
	return tx.Append(subscriberEntry("subscriber.ended", id, map[string]string{"reason": "gone"}))
}

// reached forgets dead letters: the next one is the first again.
func (d *Desk) reached(ctx context.Context, tx journal.Tx, id string) error {
	s, err := d.store.SubscriberIn(ctx, tx, id)
	if missing(err) || err == nil && s.Failures == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	s.Failures = 0
	return d.store.PutSubscriber(ctx, tx, &s)
}

// challenge asks an endpoint to echo a word that it cannot know beforehand.
func (s *Sender) challenge(ctx context.Context, c Channel, m Message) (Receipt, error) {
	challenger, ok := c.(Challenger)
	if !ok {
		return Receipt{}, &Refusal{Permanent: true, Theirs: true, Reason: "this channel cannot ask for a confirmation"}
	}
	word := base64.RawURLEncoding.EncodeToString(s.desk.mac(toChallenge, m.Delivery.ID, ""))
	if err := challenger.Challenge(ctx, m, word); err != nil {
		return Receipt{}, err
	}
	return Receipt{ExactOnce: true}, nil
}
