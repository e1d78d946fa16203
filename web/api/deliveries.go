package api

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
)

// Notices is what the API asks of the notice wing; *notice.Desk is one. Every
// method checks what the actor may do. Errors: Forbidden, NotFound, Conflict,
// Invalid, Unavailable.
type Notices interface {
	Deliveries(ctx context.Context, by access.Actor, q notice.Query) ([]notice.Delivery, error)
	Delivery(ctx context.Context, by access.Actor, id string) (notice.Delivery, notice.Event, error)
	Resend(ctx context.Context, by access.Actor, id string) (notice.Delivery, error)
	Alerts(ctx context.Context, by access.Actor, q notice.AlertQuery) ([]notice.Alert, error)
	Alert(ctx context.Context, by access.Actor, id string) (notice.Alert, error)
	Acknowledge(ctx context.Context, by access.Actor, id string) (notice.Alert, error)
	Subscribers(ctx context.Context, by access.Actor, q notice.SubscriberQuery) ([]notice.Subscriber, error)
	Subscriber(ctx context.Context, by access.Actor, id string) (notice.Subscriber, error)
	Add(ctx context.Context, by access.Actor, r notice.Subscription, confirmed bool) (notice.Subscriber, error)
	ChangeFor(ctx context.Context, by access.Actor, id string, w notice.Wishes) (notice.Subscriber, error)
	Remove(ctx context.Context, by access.Actor, id string) error
	Erase(ctx context.Context, by access.Actor, id string) error
	Import(ctx context.Context, by access.Actor, r io.Reader) (notice.Imported, error)
	Export(ctx context.Context, by access.Actor, w io.Writer) error
}

// deliveryRoutes are who was told what, and the alerts that staff answer.
func (s *service) deliveryRoutes(h huma.API) {
	register(h, s, op{http.MethodGet, "/api/v1/deliveries", "listDeliveries", "Who was told what, and who was not, newest first", access.DeliveryRead}, listDeliveries)
	register(h, s, op{http.MethodGet, "/api/v1/deliveries/{id}", "getDelivery", "One delivery", access.DeliveryRead}, getDelivery)
	register(h, s, op{http.MethodPost, "/api/v1/deliveries/{id}/resend", "resendDelivery", "Send one that failed or was suppressed again, under its old id", access.DeliveryResend}, resendDelivery)
	register(h, s, op{http.MethodGet, "/api/v1/alerts", "listAlerts", "What staff must react to, newest first", access.DeliveryRead}, listAlerts)
	register(h, s, op{http.MethodGet, "/api/v1/alerts/{id}", "getAlert", "One alert", access.DeliveryRead}, getAlert)
	register(h, s, op{http.MethodPost, "/api/v1/alerts/{id}/acknowledge", "acknowledgeAlert", "Say that you are on it: reminders and escalation end", access.AlertAck}, acknowledgeAlert)
}

// refOf reads kind/id, or a kind alone.
func refOf(text string) journal.Ref {
	kind, id, _ := strings.Cut(text, "/")
	return journal.Ref{Kind: kind, ID: id}
}

func deliveryOf(d *notice.Delivery) api.Delivery {
	return api.Delivery{
		ID: d.ID, Channel: d.Channel, Recipient: d.Recipient, Event: d.Kind, EventID: d.Event, Subject: d.Subject.String(), Alert: d.Alert,
		State: string(d.State), Attempts: d.Attempts, Reason: d.Reason, CreatedAt: d.CreatedAt, NextAt: maybe(d.NextAt), SentAt: maybe(d.SentAt),
	}
}

type deliveryQuery struct {
	Subject   string    `query:"subject" maxLength:"200" pattern:"^[a-z_]+/.+$" doc:"kind/id"`
	State     []string  `query:"state" enum:"queued,sending,retrying,sent,failed,suppressed" maxItems:"6" doc:"One or several, with commas"`
	Event     string    `query:"event" maxLength:"96" doc:"Id of an event"`
	Channel   string    `query:"channel" maxLength:"64"`
	Recipient string    `query:"recipient" maxLength:"128"`
	Alert     string    `query:"alert" maxLength:"64"`
	Since     time.Time `query:"since" doc:"Created then or later"`
	After     string    `query:"after" maxLength:"64" doc:"The next of the page before"`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func listDeliveries(ctx context.Context, c *call, in *deliveryQuery) (*api.Deliveries, error) {
	q := notice.Query{
		Subject: refOf(in.Subject), Event: in.Event, Channel: in.Channel, Recipient: in.Recipient, Alert: in.Alert,
		Since: in.Since.UTC(), Before: in.After, Limit: in.Limit,
	}
	for _, s := range in.State {
		q.States = append(q.States, notice.State(s))
	}
	found, err := c.Notices.Deliveries(ctx, c.by, q)
	if err != nil {
		return nil, err
	}
	out := &api.Deliveries{Deliveries: make([]api.Delivery, 0, len(found))}
	for n := range found {
		out.Deliveries = append(out.Deliveries, deliveryOf(&found[n]))
	}
	if len(found) == in.Limit {
		out.Next = found[len(found)-1].ID
	}
	return out, nil
}

// RowID names a delivery, an alert or a subscriber.
type RowID struct {
	ID string `path:"id" maxLength:"64"`
}

func getDelivery(ctx context.Context, c *call, in *RowID) (*api.Delivery, error) {
	d, _, err := c.Notices.Delivery(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	out := deliveryOf(&d)
	return &out, nil
}

func resendDelivery(ctx context.Context, c *call, in *RowID) (*api.Delivery, error) {
	d, err := c.Notices.Resend(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	out := deliveryOf(&d)
	return &out, nil
}

func (n naming) alertOf(a *notice.Alert) api.Alert {
	return api.Alert{
		ID: a.ID, Subject: a.Subject.String(), Severity: string(a.Severity), Components: n.all(a.Components), State: string(a.State), Route: a.Route,
		Step: a.Step, Reminders: a.Reminders, OpenedAt: a.OpenedAt, FiringAt: maybe(a.FiringAt), AckedAt: maybe(a.AckedAt), AckedBy: a.AckedBy,
		Until: maybe(a.Until), OverAt: maybe(a.OverAt), Reason: a.Reason,
	}
}

// all gives the ids of components.
func (n naming) all(keys []string) []string {
	out := make([]string, len(keys))
	for i, key := range keys {
		out[i] = n.of(key)
	}
	return out
}

type alertQuery struct {
	Subject string `query:"subject" maxLength:"200" pattern:"^[a-z_]+/.+$" doc:"kind/id"`
	Open    bool   `query:"open" doc:"Only those that are not over"`
	After   string `query:"after" maxLength:"64" doc:"The next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func listAlerts(ctx context.Context, c *call, in *alertQuery) (*api.Alerts, error) {
	found, err := c.Notices.Alerts(ctx, c.by, notice.AlertQuery{Subject: refOf(in.Subject), Open: in.Open, Before: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	ids, out := c.ids(), &api.Alerts{Alerts: make([]api.Alert, 0, len(found))}
	for n := range found {
		out.Alerts = append(out.Alerts, ids.alertOf(&found[n]))
	}
	if len(found) == in.Limit {
		out.Next = found[len(found)-1].ID
	}
	return out, nil
}

func (c *call) alerted(a notice.Alert, err error) (*api.Alert, error) {
	if err != nil {
		return nil, err
	}
	out := c.ids().alertOf(&a)
	return &out, nil
}

func getAlert(ctx context.Context, c *call, in *RowID) (*api.Alert, error) {
	return c.alerted(c.Notices.Alert(ctx, c.by, in.ID))
}

func acknowledgeAlert(ctx context.Context, c *call, in *RowID) (*api.Alert, error) {
	return c.alerted(c.Notices.Acknowledge(ctx, c.by, in.ID))
}
