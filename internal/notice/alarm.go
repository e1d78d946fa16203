package notice

import (
	"context"
	"strconv"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// The kinds of events that the wing makes itself.
const (
	kindReminder     = "alert.reminder"
	kindEscalated    = "alert.escalated"
	kindAcknowledged = "alert.acknowledged"
	kindConfirm      = "subscriber.confirm"   // please confirm that it is you
	kindKnown        = "subscriber.known"     // you asked, and are subscribed already
	kindChallenge    = "subscriber.challenge" // a webhook must echo
	kindTest         = "channel.test"
	kindDrill        = "drill.begun"
	kindPulse        = "deadman.pulse"
)

// maxSilence bounds how long an alert can be silenced at once.
const maxSilence = 30 * day

// Alerts gives alerts, newest first. Errors: Forbidden, Invalid, Unavailable.
func (d *Desk) Alerts(ctx context.Context, by access.Actor, q AlertQuery) ([]Alert, error) {
	if err := by.Check(access.DeliveryRead); err != nil {
		return nil, err
	}
	if err := page(q.Limit); err != nil {
		return nil, err
	}
	return d.store.NoticeAlerts(ctx, q)
}

// Alert gives one alert. Errors: Forbidden, NotFound, Unavailable.
func (d *Desk) Alert(ctx context.Context, by access.Actor, id string) (Alert, error) {
	found, err := d.Alerts(ctx, by, AlertQuery{ID: id, Limit: 1})
	if err == nil && len(found) == 0 {
		err = problem.NotFound("There is no alert %s.", id)
	}
	if err != nil {
		return Alert{}, err
	}
	return found[0], nil
}

// Acknowledge says that the actor is on it: reminders and escalation end, and
// those who were told hear of it. Twice is fine. Errors: Forbidden, NotFound,
// Conflict when it is over, Unavailable.
func (d *Desk) Acknowledge(ctx context.Context, by access.Actor, id string) (Alert, error) {
	return d.decide(ctx, by, access.AlertAck, id, func(p *plan, a *Alert) error { return p.acknowledge(a, by.ID) })
}

// acknowledge moves the alert and tells those who were told of it.
func (p *plan) acknowledge(a *Alert, who string) error {
	if a.State == Acknowledged {
		return nil
	}
	if err := a.move(inAcknowledge, p.now); err != nil {
		return err
	}
	a.AckedAt, a.AckedBy = p.now, who
	if err := p.store.Hush(p.ctx, p.tx, a.ID, nagging(), "it was acknowledged before this could be sent"); err != nil {
		return err
	}
	e, err := p.about(*a, kindAcknowledged, "ack."+strconv.FormatInt(a.Version, 10))
	if err != nil {
		return err
	}
	e.Content.Facts["by"] = who
	if _, err := p.tellAgain(e, *a, "person/"+who); err != nil {
		return err
	}
	if err := p.write(e); err != nil {
		return err
	}
	return p.tell("alert.acknowledged", *a, nil)
}

// Silence keeps an alert quiet until a moment; then it fires again if it is not
// over. The reason is for staff. Errors: Forbidden, NotFound, Invalid, Conflict
// when it is over, Unavailable.
func (d *Desk) Silence(ctx context.Context, by access.Actor, id string, until time.Time, reason string) (Alert, error) {
	now := d.now()
	switch {
	case !until.After(now) || until.Sub(now) > maxSilence:
		return Alert{}, problem.Invalid("until", "choose a moment within the next 30 days")
	case len(reason) > maxReason:
		return Alert{}, problem.Invalid("reason", "a reason has at most %d bytes", maxReason)
	}
	return d.decide(ctx, by, access.AlertSilence, id, func(p *plan, a *Alert) error {
		if err := a.move(inSilence, p.now); err != nil {
			return err
		}
		a.Until, a.Reason = moment(until), reason
		if err := p.store.Hush(p.ctx, p.tx, a.ID, nagging(), "it was silenced before this could be sent"); err != nil {
			return err
		}
		return p.tell("alert.silenced", *a, map[string]string{"until": a.Until.Format(time.RFC3339)})
	})
}

// maxReason bounds a reason that a person gives, in bytes.
const maxReason = 500

// Wake ends the silence, or the suppression, of an alert: it fires now. Errors:
// as Silence.
func (d *Desk) Wake(ctx context.Context, by access.Actor, id string) (Alert, error) {
	return d.decide(ctx, by, access.AlertSilence, id, func(p *plan, a *Alert) error { return p.rouse(a) })
}

// End ends an alert by hand: what it was about no longer matters. Errors:
// Forbidden, NotFound, Conflict when it is over, Unavailable.
func (d *Desk) End(ctx context.Context, by access.Actor, id string) (Alert, error) {
	return d.decide(ctx, by, access.AlertAck, id, func(p *plan, a *Alert) error {
		if err := a.move(inClose, p.now); err != nil {
			return err
		}
		if err := p.store.Hush(p.ctx, p.tx, a.ID, nagging(), "it was over before this could be sent"); err != nil {
			return err
		}
		return p.tell("alert.over", *a, map[string]string{"how": "ended"})
	})
}

// decide runs a person's decision about one alert in a unit of work, and writes
// the alert when it changed.
func (d *Desk) decide(ctx context.Context, by access.Actor, act access.Action, id string, fn func(*plan, *Alert) error) (Alert, error) {
	if err := by.Check(act); err != nil {
		return Alert{}, err
	}
	var out Alert
	err := d.do(ctx, by.As(act), func(tx journal.Tx) error {
		a, err := d.store.AlertIn(ctx, tx, id)
		if err != nil {
			return err
		}
		if a.Subject.Kind != drillKind { // a drill concerns whoever it reaches
			if err := d.mayOn(by, act, a.Components); err != nil {
				return err
			}
		}
		out, err = d.change(ctx, tx, a, fn)
		return err
	})
	return out, err
}

// change applies fn to an alert and writes what it made of it.
func (d *Desk) change(ctx context.Context, tx journal.Tx, a Alert, fn func(*plan, *Alert) error) (Alert, error) {
	p, was := d.plan(ctx, tx), a.State
	if err := fn(p, &a); err != nil {
		return a, err
	}
	if a.State == was && a.State == Acknowledged {
		return a, nil // said twice
	}
	route, _ := p.config.route(a.Route)
	a.schedule(route)
	return a, d.store.PutNoticeAlert(ctx, tx, &a)
}

// tick gives an alert whose moment has come what it needs: an end to its
// silence, a reminder, the next step of its escalation.
func (d *Desk) tick(ctx context.Context, tx journal.Tx, id string) error {
	a, err := d.store.AlertIn(ctx, tx, id)
	if err != nil {
		return err
	}
	p := d.plan(ctx, tx)
	route, _ := p.config.route(a.Route)
	steps := a.Step
	todo := a.due(route, p.now)
	switch {
	case todo.end:
		if err := a.move(inClose, p.now); err != nil {
			return err
		}
		return p.over(a, "lapsed")
	case todo.wake:
		if err := p.rouse(&a); err != nil {
			return err
		}
		route, _ = p.config.route(a.Route)
	}
	if todo.remind {
		if err := p.nag(&a, route, kindReminder, "r"+strconv.Itoa(a.Reminders), a.reached(route, steps)); err != nil {
			return err
		}
	}
	if todo.steps > 0 {
		if err := p.next().escalate(&a, route, todo.targets); err != nil {
			return err
		}
	}
	a.schedule(route)
	return d.store.PutNoticeAlert(ctx, tx, &a)
}

// escalate tells the targets of the steps just taken, and those of further
// steps while nobody can be reached.
func (p *plan) escalate(a *Alert, r Route, targets []Target) error {
	if err := p.nag(a, r, kindEscalated, "s"+strconv.Itoa(a.Step), targets); err != nil {
		return err
	}
	if err := p.tell("alert.escalated", *a, map[string]string{"step": strconv.Itoa(a.Step)}); err != nil {
		return err
	}
	if !p.queued(0) && a.Step < len(r.Escalate) {
		to := r.Escalate[a.Step].To
		a.Step++
		return p.next().escalate(a, r, to)
	}
	return nil
}

// next gives a fresh plan in the same unit of work, for one more event.
func (p *plan) next() *plan { return p.plan(p.ctx, p.tx) }

// rouse makes a silenced or suppressed alert fire, and tells whom its route says.
func (p *plan) rouse(a *Alert) error {
	if err := a.move(inWake, p.now); err != nil {
		return err
	}
	e, err := p.about(*a, kindReminder, "wake."+strconv.FormatInt(a.Version, 10))
	if err != nil {
		return err
	}
	routes := p.config.routes(e, p.now)
	lead := leading(routes)
	a.Route = lead.ID
	for _, r := range routes {
		if err := p.send(e, r, r.To, ""); err != nil {
			return err
		}
	}
	if err := p.climb(e, a, lead, p.queued(0)); err != nil {
		return err
	}
	if err := p.write(e); err != nil {
		return err
	}
	return p.tell("alert.opened", *a, map[string]string{"was": string(Silenced)})
}

// nag plans an event about an alert for targets.
func (p *plan) nag(a *Alert, r Route, kind, mark string, targets []Target) error {
	e, err := p.about(*a, kind, mark+"."+strconv.FormatInt(a.FiringAt.UnixMicro(), 36))
	if err != nil {
		return err
	}
	r.Group = 0 // these have waited long enough
	if err := p.send(e, r, targets, ""); err != nil {
		return err
	}
	return p.write(e)
}

// about gives an event of the wing's own about an alert: the words of its
// newest event, and how long it has been going on.
func (p *plan) about(a Alert, kind, mark string) (Event, error) {
	e, err := p.store.EventIn(p.ctx, p.tx, a.Event)
	if err != nil {
		return e, err
	}
	facts := map[string]string{}
	for k, v := range e.Content.Facts {
		facts[k] = v
	}
	facts["alert"], facts["state"], facts["reminder"], facts["step"] = a.ID, string(a.State), strconv.Itoa(a.Reminders), strconv.Itoa(a.Step)
	facts["since"] = a.OpenedAt.Format(time.RFC3339)
	e.ID, e.Kind, e.Alarm, e.Audience, e.Suppress = a.ID+"."+mark, kind, AlarmNone, ToStaff, ""
	e.Seq, e.Alert, e.Severity, e.At = a.Seq, a.ID, a.Severity, p.now
	e.Content.Facts = facts
	return e, nil
}
