package status

import (
	"context"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// MaxReason bounds the reason that a person gives for an act at the desk, in bytes.
const MaxReason = 500

// Saying is a status that a person gave a component by hand, apart from any
// incident. It holds until it is taken back.
type Saying struct {
	ID        string
	Component string // key
	Status    Status
	From      time.Time
	By        string // actor id
	Reason    string // for staff; may be empty
	EndedAt   time.Time
	EndedBy   string // actor id
	Version   int64
}

// statement is the saying as the engine takes it.
func (s Saying) statement() Statement {
	return Statement{Component: s.Component, Status: s.Status, Ref: s.ref(), From: s.From}
}

func (s Saying) ref() string { return "saying/" + s.ID }

// Say gives a component, named by ID, a status on the page by hand, from a
// moment that may lie in the past (zero: now). It takes the place of what was
// said of the component by hand before, and holds until Unsay. Errors:
// Forbidden, NotFound, Invalid, Conflict, Unavailable.
func (d *Desk) Say(ctx context.Context, by access.Actor, component string, st Status, from time.Time, reason string) (Saying, error) {
	c, err := d.component(component)
	if err != nil {
		return Saying{}, err
	}
	if err := allows(by, access.StatusConfirm, c); err != nil {
		return Saying{}, err
	}
	if !st.Valid() || st == NotMeasured {
		return Saying{}, problem.Invalid("status", "%q is no status that a person can give.", st)
	}
	if err := checkReason(reason, false); err != nil {
		return Saying{}, err
	}
	before, err := d.sayingsOf(ctx, c.Key)
	if err != nil {
		return Saying{}, err
	}
	s := Saying{ID: journal.NewID(), Component: c.Key, Status: st, By: by.ID, Reason: strings.TrimSpace(reason)}
	err = d.work.Do(ctx, by.As(access.StatusConfirm), func(tx journal.Tx) error {
		s.From = tx.Now()
		if !from.IsZero() {
			s.From = earlier(from.UTC().Truncate(time.Microsecond), tx.Now())
		}
		for _, old := range before {
			old.EndedAt, old.EndedBy = tx.Now(), by.ID
			if err := d.store.PutSaying(ctx, tx, old); err != nil {
				return err
			}
		}
		if err := d.store.PutSaying(ctx, tx, s); err != nil {
			return err
		}
		return tx.Append(stated(s, s.Status))
	})
	if err != nil {
		return Saying{}, err
	}
	s.Version = 1
	d.restate()
	return s, nil
}

// Unsay takes back what was said of a component, named by ID, by hand: the page
// says what incidents or checks say, from now on. Errors: Forbidden, NotFound,
// Conflict when nothing was said, Unavailable.
func (d *Desk) Unsay(ctx context.Context, by access.Actor, component string) error {
	c, err := d.component(component)
	if err != nil {
		return err
	}
	if err := allows(by, access.StatusConfirm, c); err != nil {
		return err
	}
	said, err := d.sayingsOf(ctx, c.Key)
	if err != nil {
		return err
	}
	if len(said) == 0 {
		return problem.Conflict("Nobody gave %s a status by hand.", c.Name)
	}
	err = d.work.Do(ctx, by.As(access.StatusConfirm), func(tx journal.Tx) error {
		for _, s := range said {
			s.EndedAt, s.EndedBy = tx.Now(), by.ID
			if err := d.store.PutSaying(ctx, tx, s); err != nil {
				return err
			}
			if err := tx.Append(stated(s, "")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.restate()
	return nil
}

// Sayings gives what people say of components by hand now. Errors: Forbidden, Unavailable.
func (d *Desk) Sayings(ctx context.Context, by access.Actor) ([]Saying, error) {
	if err := by.Check(access.ComponentRead); err != nil {
		return nil, err
	}
	return d.store.Sayings(ctx)
}

// sayingsOf gives what is said of one component by hand.
func (d *Desk) sayingsOf(ctx context.Context, key string) ([]Saying, error) {
	all, err := d.store.Sayings(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(s Saying) bool { return s.Component != key }), nil
}

// stated is the journal entry of a saying that begins, or with status "" ends.
func stated(s Saying, st Status) journal.Entry {
	e := journal.Entry{
		Verb: "component.stated", Subject: journal.Ref{Kind: "component", ID: s.Component}, Audience: journal.AudienceStaff,
		Payload: map[string]string{"ref": s.ref(), "status": string(st)},
	}
	if st == "" {
		e.Verb = "component.unstated"
		delete(e.Payload, "status")
		return e
	}
	e.EffectiveAt = s.From
	return e
}

// Hold is a declared rollout of a component: until then a new failure needs
// twice the confirmations, so that a blip is not told. A confirmed outage
// always is. There is one for each component at most.
type Hold struct {
	Component string // key
	From      time.Time
	Until     time.Time
	Why       string // for staff
	By        string // actor id
	Version   int64
}

// hold is the hold as the engine takes it.
func (h Hold) hold() hold { return hold{until: h.Until, why: clip(h.Why, MaxStaffLine/2)} }

// Hold declares a rollout of a component, named by ID, for so long, at most
// MaxHold; zero ends it. It reaches whichever hub watches. Errors: Forbidden,
// NotFound, Invalid, Conflict, Unavailable.
func (d *Desk) Hold(ctx context.Context, by access.Actor, component string, lasts time.Duration, why string) (Hold, error) {
	c, err := d.component(component)
	if err != nil {
		return Hold{}, err
	}
	if err := allows(by, access.AlertSilence, c); err != nil {
		return Hold{}, err
	}
	if lasts < 0 || lasts > MaxHold {
		return Hold{}, problem.Invalid("lasts", "must be from 0 to %s.", MaxHold)
	}
	if err := checkReason(why, false); err != nil {
		return Hold{}, err
	}
	holds, err := d.store.Holds(ctx, time.Time{})
	if err != nil {
		return Hold{}, err
	}
	h := Hold{Component: c.Key}
	if i := slices.IndexFunc(holds, func(h Hold) bool { return h.Component == c.Key }); i >= 0 {
		h = holds[i]
	}
	err = d.work.Do(ctx, by.As(access.AlertSilence), func(tx journal.Tx) error {
		h.From, h.Until, h.Why, h.By = tx.Now(), tx.Now().Add(lasts), strings.TrimSpace(why), by.ID
		if err := d.store.PutHold(ctx, tx, h); err != nil {
			return err
		}
		return tx.Append(journal.Entry{
			Verb: "component.held", Subject: journal.Ref{Kind: "component", ID: c.Key}, Audience: journal.AudienceStaff,
			Payload: map[string]string{"until": h.Until.Format(time.RFC3339)},
		})
	})
	if err != nil {
		return Hold{}, err
	}
	h.Version++
	d.restate()
	return h, nil
}

// checkReason checks the words that explain an act.
func checkReason(reason string, required bool) error {
	switch reason = strings.TrimSpace(reason); {
	case required && reason == "":
		return problem.Invalid("reason", "say why.")
	case len(reason) > MaxReason:
		return problem.Invalid("reason", "is longer than %d bytes.", MaxReason)
	}
	return nil
}
