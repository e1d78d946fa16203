package notice

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// LaneOf names what must stay in order: one subject to one recipient through
// one channel.
func LaneOf(subject journal.Ref, recipient, channel string) int64 {
	return lane("subject", subject.String(), recipient, channel)
}

// gatherLane names what a route gathers for one recipient and channel.
func gatherLane(route, recipient, channel string) int64 {
	return lane("route", route, recipient, channel)
}

// lane makes a number of words: two lanes that share one wait for each other
// without need, which 64 bits make rare.
func lane(words ...string) int64 {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// check refuses events that the hall must not make.
func (e Event) check() error {
	switch {
	case e.ID == "" || e.Kind == "" || e.Subject.Kind == "" || e.Subject.ID == "":
		return problem.Invalid("event", "an event needs an id, a kind and a subject")
	case e.Audience != ToSubscribers && e.Audience != ToStaff && e.Audience != ToBoth && e.Audience != ToRequester:
		return problem.Invalid("event.audience", "%q is no audience of an event", e.Audience)
	case e.Severity.rank() < 0:
		return problem.Invalid("event.severity", "%q is no severity", e.Severity)
	case e.Alarm != AlarmNone && e.Alarm != AlarmFire && e.Alarm != AlarmClear:
		return problem.Invalid("event.alarm", "%q is no alarm", e.Alarm)
	case e.Alarm != AlarmNone && (e.Audience == ToSubscribers || e.Audience == ToRequester):
		return problem.Invalid("event.alarm", "an alarm is for staff")
	}
	return nil
}

// Plan writes, inside the unit of work, what an event means: the event itself,
// a row for everybody of the staff who is told or would have been, the change of
// its alert. Subscribers get their rows from the Sender soon after, in small
// units. The same event again does nothing. Errors: Invalid, Unavailable.
func (d *Desk) Plan(ctx context.Context, tx journal.Tx, e Event) error {
	if err := e.check(); err != nil {
		return err
	}
	switch _, err := d.store.EventIn(ctx, tx, e.ID); {
	case err == nil:
		return nil
	case !missing(err):
		return err
	}
	if e.Kind == ComponentChanged {
		if there, err := d.machines.there(ctx, d.store, tx.Now()); err != nil || !there {
			return err
		}
	}
	p := d.plan(ctx, tx)
	switch e.Audience {
	case ToSubscribers: // the Sender spreads it
	case ToRequester:
		if err := p.requester(e); err != nil {
			return err
		}
	default:
		if err := p.staff(&e); err != nil {
			return fmt.Errorf("plan event %s for staff: %w", e.ID, err)
		}
	}
	return p.write(e)
}

// plan is the planning of one event inside a unit of work.
type plan struct {
	*Desk
	ctx       context.Context
	tx        journal.Tx
	now       time.Time
	config    *Setup
	rows      []Delivery
	seen      map[[2]string]bool // recipient and channel
	overrides []Override
	looked    bool // overrides were read
}

func (d *Desk) plan(ctx context.Context, tx journal.Tx) *plan {
	return &plan{Desk: d, ctx: ctx, tx: tx, now: tx.Now(), config: d.setup.Load(), seen: map[[2]string]bool{}}
}

// write puts the event and its rows into the store.
func (p *plan) write(e Event) error {
	if _, err := p.store.AddEvent(p.ctx, p.tx, e, e.Audience == ToSubscribers || e.Audience == ToBoth); err != nil {
		return err
	}
	if len(p.rows) > 0 {
		if err := p.store.AddDeliveries(p.ctx, p.tx, p.rows); err != nil {
			return err
		}
	}
	p.wake.Ring()
	return nil
}

// staff plans an event for staff.
func (p *plan) staff(e *Event) error {
	switch e.Alarm {
	case AlarmFire:
		return p.fire(e)
	case AlarmClear:
		return p.clear(e)
	}
	for _, r := range p.config.routes(*e, p.now) {
		if err := p.send(*e, r, r.To, e.Suppress); err != nil {
			return err
		}
	}
	return nil
}

// fire opens the alert of the event's subject, or keeps it open.
func (p *plan) fire(e *Event) error {
	a, err := p.store.AlertOf(p.ctx, p.tx, e.Subject)
	if err != nil && !missing(err) {
		return err
	}
	was, worse := a.State, e.Severity.rank() > a.Severity.rank()
	if was == "" {
		a = Alert{ID: journal.NewID(), Subject: e.Subject, OpenedAt: p.now}
	}
	in := inFire
	switch {
	case e.Suppress != "":
		in = inSmother
	case was != "" && worse:
		in = inWorse
	}
	if err := a.move(in, p.now); err != nil {
		return err
	}
	a.Severity, a.Components, a.Event, a.Seq = e.Severity, e.Components, e.ID, e.Seq
	if a.State == Smothered {
		a.Reason = e.Suppress
	}
	e.Alert = a.ID
	routes := p.config.routes(*e, p.now)
	lead := leading(routes)
	a.Route = lead.ID
	if len(routes) == 0 {
		p.unrouted(*e)
	}
	reached := false
	for _, r := range routes {
		before := len(p.rows)
		if err := p.send(*e, r, r.To, a.quiet()); err != nil {
			return err
		}
		reached = reached || p.queued(before)
	}
	if a.State == Firing && was != Firing {
		if err := p.climb(*e, &a, lead, reached); err != nil {
			return err
		}
	}
	a.schedule(lead)
	if err := p.store.PutNoticeAlert(p.ctx, p.tx, &a); err != nil {
		return err
	}
	switch {
	case was == "" && a.State == Smothered:
		return p.tell("alert.suppressed", a, nil)
	case was != a.State:
		return p.tell("alert.opened", a, map[string]string{"was": string(was)})
	}
	return nil
}

// unrouted leaves word of an alarm that nobody is told of.
func (p *plan) unrouted(e Event) {
	row := p.row(e, "", "route/none")
	row.State, row.Reason, row.NextAt = Suppressed, "no route fits it", time.Time{}
	p.add(row)
}

// climb takes steps of the escalation at once while nobody could be reached:
// nobody on call is no reason to wait.
func (p *plan) climb(e Event, a *Alert, r Route, reached bool) error {
	for !reached && a.Step < len(r.Escalate) {
		before := len(p.rows)
		if err := p.send(e, r, r.Escalate[a.Step].To, ""); err != nil {
			return err
		}
		a.Step++
		reached = p.queued(before)
	}
	return nil
}

// leading gives the route whose reminders and escalation an alert follows.
func leading(routes []Route) Route {
	for _, r := range routes {
		if r.Remind > 0 || len(r.Escalate) > 0 {
			return r
		}
	}
	return Route{}
}

// quiet is why nobody is told of a firing event now; "" = they are.
func (a *Alert) quiet() string {
	switch a.State {
	case Smothered:
		return a.Reason
	case Silenced:
		return "silenced until " + a.Until.Format("2 Jan 15:04 MST")
	}
	return ""
}

// clear ends the alert of the event's subject and tells those who were told
// that it began, and nobody else.
func (p *plan) clear(e *Event) error {
	a, err := p.store.AlertOf(p.ctx, p.tx, e.Subject)
	if missing(err) { // it began before there was a route for it, or somebody ended it
		for _, r := range p.config.routes(*e, p.now) {
			if err := p.send(*e, r, r.To, e.Suppress); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	e.Alert = a.ID
	was := a
	if err := a.move(inClear, p.now); err != nil {
		return err
	}
	a.Event, a.Seq = e.ID, e.Seq
	told, err := p.tellAgain(*e, a, "")
	if err != nil {
		return err
	}
	if !told {
		reason := "nobody was told that it began"
		if q := was.quiet(); q != "" {
			reason += ": " + q
		}
		for _, r := range p.config.routes(*e, p.now) {
			if err := p.send(*e, r, r.To, reason); err != nil {
				return err
			}
		}
	}
	return p.over(a, "cleared")
}

// over writes an alert that has ended.
func (p *plan) over(a Alert, how string) error {
	if err := p.store.Hush(p.ctx, p.tx, a.ID, nagging(), "it was over before this could be sent"); err != nil {
		return err
	}
	a.schedule(Route{})
	if err := p.store.PutNoticeAlert(p.ctx, p.tx, &a); err != nil {
		return err
	}
	return p.tell("alert.over", a, map[string]string{"how": how})
}

// nagging lists the kinds of events that lose their point once somebody reacted.
func nagging() []string { return []string{kindReminder, kindEscalated} }

// tellAgain plans an event for everybody who was told of the alert, except one
// recipient, and tells whether there was anybody.
func (p *plan) tellAgain(e Event, a Alert, except string) (bool, error) {
	told, err := p.store.ToldOf(p.ctx, p.tx, a.ID)
	if err != nil {
		return false, err
	}
	for _, t := range told {
		if t.Recipient == except {
			continue
		}
		row := p.row(e, t.Channel, t.Recipient)
		row.Lane, row.Gather = t.Lane, t.Gather // behind what it takes back
		p.add(row)
	}
	return len(told) > 0, nil
}

// tell appends a journal entry about an alert.
func (p *plan) tell(verb string, a Alert, more map[string]string) error {
	payload := map[string]string{"severity": string(a.Severity), "kind": a.Subject.Kind, "id": a.Subject.ID, "state": string(a.State)}
	maps.Copy(payload, more)
	return p.tx.Append(journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "alert", ID: a.ID}, Audience: journal.AudienceStaff, Payload: plain(payload)})
}

// plain leaves out what is empty, and what the journal would refuse: an odd id
// of a thing must not keep its alarm from being raised.
func plain(payload map[string]string) map[string]string {
	maps.DeleteFunc(payload, func(_, v string) bool {
		return v == "" || len(v) > journal.MaxPayloadValue || strings.ContainsFunc(v, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:+/,=-", r))
		})
	})
	return payload
}

// send adds a row for every target. suppress is why none of them is told; "" =
// they are.
func (p *plan) send(e Event, r Route, targets []Target, suppress string) error {
	for _, t := range targets {
		channel, recipient, reason := t.Channel, "route/"+r.ID, suppress
		switch {
		case t.Person != "":
			channel, recipient = p.config.Mail, "person/"+t.Person
		case t.Rotation != "":
			var err error
			if channel, recipient, err = p.onCall(t.Rotation); err != nil {
				return err
			}
			if !strings.HasPrefix(recipient, "person/") && reason == "" {
				reason = "nobody is on call"
			}
		}
		if channel == "" && reason == "" {
			reason = "no channel for mail is set up"
		}
		row := p.row(e, channel, recipient)
		if r.Group > 0 {
			row.Gather, row.Lane, row.NextAt = true, gatherLane(r.ID, recipient, channel), p.now.Add(r.Group)
		}
		if reason != "" {
			row.State, row.Reason, row.NextAt = Suppressed, reason, time.Time{}
		}
		p.add(row)
	}
	return nil
}

// onCall gives the channel and the recipient of a rotation now; the recipient is
// the rotation itself when nobody is on call.
func (p *plan) onCall(id string) (channel, recipient string, err error) {
	r, ok := p.config.rotation(id)
	if !ok {
		return "", "rotation/" + id, nil
	}
	if !p.looked {
		if p.overrides, err = p.store.Overrides(p.ctx, p.tx, p.now, p.now.Add(time.Microsecond)); err != nil {
			return "", "", err
		}
		p.looked = true
	}
	channel, recipient = r.Channel, "rotation/"+id
	if channel == "" {
		channel = p.config.Mail
	}
	if person, _ := r.OnCallAt(p.now, p.overrides); person != "" {
		recipient = "person/" + person
	}
	return channel, recipient, nil
}

// row gives a queued row that is due now.
func (p *plan) row(e Event, channel, recipient string) Delivery {
	return newRow(e, channel, recipient, p.now)
}

// newRow gives a queued row that is due at once. An alert is the staff's affair:
// rows of subscribers never belong to one, or they would be told what staff are.
func newRow(e Event, channel, recipient string, now time.Time) Delivery {
	if strings.HasPrefix(recipient, "subscriber/") {
		e.Alert = ""
	}
	return Delivery{
		ID: journal.NewID(), Event: e.ID, Kind: e.Kind, Subject: e.Subject, Channel: channel, Recipient: recipient, Alert: e.Alert,
		State: Queued, Seq: e.Seq, Lane: LaneOf(e.Subject, recipient, channel), CreatedAt: now, QueuedAt: now, NextAt: now,
	}
}

// add keeps a row unless the same recipient, or the same channel through another
// route, is told of the event already. A row that is sent replaces one that is not.
func (p *plan) add(row Delivery) {
	who := row.Recipient
	if strings.HasPrefix(who, "route/") {
		who = "route/"
	}
	key := [2]string{who, row.Channel}
	if !p.seen[key] {
		p.seen[key] = true
		p.rows = append(p.rows, row)
		return
	}
	i := slices.IndexFunc(p.rows, func(d Delivery) bool {
		return d.Channel == row.Channel && (d.Recipient == row.Recipient || who == "route/" && strings.HasPrefix(d.Recipient, "route/"))
	})
	if p.rows[i].State == Suppressed && row.State != Suppressed {
		p.rows[i] = row
	}
}

// queued reports whether any row from the i-th on will be sent.
func (p *plan) queued(i int) bool {
	return slices.ContainsFunc(p.rows[i:], func(d Delivery) bool { return d.State == Queued })
}
