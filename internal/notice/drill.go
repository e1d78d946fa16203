package notice

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// drillKind is the subject kind of drills.
const drillKind = "drill"

// drillFor is how long a drill goes on reminding and escalating when nobody
// acknowledges it.
const drillFor = time.Hour

// Test sends one plain message through a channel, and gives its row to watch.
// Through a channel that writes to people it goes to the actor, so a person must
// ask. Errors: Forbidden, NotFound, Invalid, Unavailable.
func (d *Desk) Test(ctx context.Context, by access.Actor, channel string) (Delivery, error) {
	if err := by.Check(access.ChannelTest); err != nil {
		return Delivery{}, err
	}
	spec, ok := d.setup.Load().channel(channel)
	if !ok {
		return Delivery{}, problem.NotFound("There is no channel %s.", channel)
	}
	recipient := "channel/" + channel
	if spec.Kind == "mail" {
		if _, err := d.people.Contact(ctx, by.ID); missing(err) {
			return Delivery{}, problem.Invalid("channel", "this channel writes to people; sign in as one to be written to")
		} else if err != nil {
			return Delivery{}, err
		}
		recipient = "person/" + by.ID
	}
	var row Delivery
	err := d.do(ctx, by.As(access.ChannelTest), func(tx journal.Tx) error {
		id := journal.NewID()
		e := Event{ID: id, Kind: kindTest, Subject: journal.Ref{Kind: "channel", ID: channel}, Audience: ToStaff, Severity: SeverityInfo,
			At: tx.Now(), Content: Content{Title: "Test", Status: "test", Facts: map[string]string{"by": by.ID}}}
		row = newRow(e, channel, recipient, tx.Now())
		row.Lane = lane("test", id) // a test waits for nothing
		if _, err := d.store.AddEvent(ctx, tx, e, false); err != nil {
			return err
		}
		if err := d.store.AddDeliveries(ctx, tx, []Delivery{row}); err != nil {
			return err
		}
		return tx.Append(journal.Entry{Verb: "channel.tested", Subject: e.Subject, Audience: journal.AudienceStaff,
			Payload: map[string]string{"delivery": row.ID}})
	})
	return row, err
}

// Drill raises an alert that is none, through a route (kind route) or to whoever
// is on call in a rotation (kind rotation): with its reminders and escalation,
// until somebody acknowledges it or an hour is over. Errors: Forbidden, NotFound,
// Invalid, Unavailable.
func (d *Desk) Drill(ctx context.Context, by access.Actor, of journal.Ref) (Alert, error) {
	if err := by.Check(access.ChannelTest); err != nil {
		return Alert{}, err
	}
	config := d.setup.Load()
	var route Route
	var ok bool
	switch of.Kind {
	case "route":
		route, ok = config.route(of.ID)
	case "rotation":
		_, ok = config.rotation(of.ID)
		route = Route{To: []Target{{Rotation: of.ID}}}
	default:
		return Alert{}, problem.Invalid("drill", "a route or a rotation can be drilled, not a %s", of.Kind)
	}
	if !ok {
		return Alert{}, problem.NotFound("There is no %s %s.", of.Kind, of.ID)
	}
	var out Alert
	err := d.do(ctx, by.As(access.ChannelTest), func(tx journal.Tx) error {
		p := d.plan(ctx, tx)
		subject := journal.Ref{Kind: drillKind, ID: journal.NewID()}
		a := Alert{ID: journal.NewID(), Subject: subject, Severity: SeverityCritical, Route: route.ID, OpenedAt: p.now}
		if err := a.move(inFire, p.now); err != nil {
			return err
		}
		e := Event{ID: journal.NewID(), Kind: kindDrill, Subject: subject, Audience: ToStaff, Severity: SeverityCritical, At: p.now, Alert: a.ID,
			Content: Content{Title: "Drill", Status: "drill", Facts: map[string]string{"by": by.ID, "of": of.String()}}}
		a.Event = e.ID
		plain := route
		plain.Group = 0
		if err := p.send(e, plain, route.To, ""); err != nil {
			return err
		}
		if err := p.climb(e, &a, plain, p.queued(0)); err != nil {
			return err
		}
		if err := p.write(e); err != nil {
			return err
		}
		a.schedule(route)
		if err := d.store.PutNoticeAlert(ctx, tx, &a); err != nil {
			return err
		}
		out = a
		return p.tell("alert.opened", a, map[string]string{"drill": of.String()})
	})
	return out, err
}
