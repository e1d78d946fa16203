package hub

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Statements gives what incidents say of components now, as the status wing
// takes it: an incident that customers see, that is not over, and that a person
// has in hand. The machine's own incidents say nothing above the checks, which
// the page follows already. Errors: Unavailable.
func (h *Hub) Statements(ctx context.Context) ([]status.Statement, error) {
	return Statements(ctx, h.Incidents)
}

// Statements is Hub.Statements for whoever has the store alone.
func Statements(ctx context.Context, incidents incident.Store) ([]status.Statement, error) {
	open, err := incidents.OpenIncidents(ctx)
	if err != nil {
		return nil, err
	}
	var list []status.Statement
	for n := range open {
		i := &open[n]
		if !i.Seen() || i.Machine {
			continue
		}
		for _, a := range i.Components {
			if a.Status != "" {
				list = append(list, status.Statement{Component: a.Component, Status: status.Status(a.Status), Ref: "incident/" + i.ID, From: a.Since})
			}
		}
	}
	return list, nil
}

// Page tells the status wing's board what customers may know of incidents. It
// is status.Incidents.
type Page struct{ Incidents incident.Store }

var _ status.Incidents = Page{}

// Public gives the incidents that are open or ended after since, newest start
// first, with their updates newest first. Errors: Unavailable.
func (p Page) Public(ctx context.Context, since time.Time) ([]status.Incident, error) {
	var out []status.Incident
	q := incident.Query{Seen: true, From: since, Limit: incident.MaxPage}
	for {
		list, err := p.Incidents.Incidents(ctx, q)
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(list))
		for n := range list {
			ids[n] = list[n].ID
		}
		updates, err := p.Incidents.UpdatesOf(ctx, ids)
		if err != nil {
			return nil, err
		}
		of := make(map[string][]incident.Update, len(list))
		for _, u := range updates {
			of[u.Incident] = append(of[u.Incident], u)
		}
		for n := range list {
			out = append(out, publicIncident(&list[n], of[list[n].ID]))
		}
		if len(list) < q.Limit {
			return out, nil
		}
		last := list[len(list)-1]
		q.Before, q.BeforeNumber = last.StartedAt, last.Number
	}
}

// Incident gives one, however old. Of one that another took the place of it
// tells MergedInto alone. Errors: NotFound, for one that customers do not see
// too, and Unavailable.
func (p Page) Incident(ctx context.Context, id string) (status.Incident, error) {
	i, err := p.Incidents.Incident(ctx, id)
	if err != nil {
		return status.Incident{}, err
	}
	if i.Visibility != incident.Public || i.PublishedAt.IsZero() {
		return status.Incident{}, problem.NotFound("There is no incident %q.", id)
	}
	if i.MergedInto != "" {
		return status.Incident{ID: i.ID, MergedInto: i.MergedInto}, nil
	}
	updates, err := p.Incidents.UpdatesOf(ctx, []string{i.ID})
	if err != nil {
		return status.Incident{}, err
	}
	return publicIncident(&i, updates), nil
}

// publicIncident gives an incident with its published updates, oldest first, as
// the page tells it.
func publicIncident(i *incident.Incident, updates []incident.Update) status.Incident {
	out := status.Incident{
		ID: i.ID, Name: i.Name, Status: string(i.State), Impact: string(i.Impact), CreatedAt: i.OpenedAt, UpdatedAt: i.ChangedAt,
		StartedAt: i.StartedAt, MonitoringAt: i.MonitoringAt, ResolvedAt: i.ResolvedAt, Backfilled: i.Backfilled,
	}
	if i.Promised {
		out.NextUpdateAt = i.NextUpdateAt
	}
	for _, a := range i.Components {
		out.Components = append(out.Components, status.IncidentComponent{Key: a.Component, Status: status.Status(a.Status)})
	}
	for _, u := range slices.Backward(updates) {
		told := status.IncidentUpdate{
			ID: u.ID, Status: string(u.State), Body: u.Body, At: u.DisplayAt, CreatedAt: u.CreatedAt, EditedAt: edited(&u), Deliver: u.Deliver,
		}
		for _, c := range u.Components {
			told.Moves = append(told.Moves, status.IncidentMove{Key: c.Component, From: status.Status(c.From), To: status.Status(c.To)})
		}
		out.Updates = append(out.Updates, told)
	}
	if !i.Review.PublishedAt.IsZero() {
		out.Review = status.IncidentReview{Body: i.Review.Body, PublishedAt: i.Review.PublishedAt, EditedAt: after(i.Review.EditedAt, i.Review.PublishedAt)}
	}
	return out
}

// edited is when an update was changed after it was published; zero for never.
func edited(u *incident.Update) time.Time { return after(u.EditedAt, u.PublishedAt) }

// after gives at when it is later than from, else the zero time.
func after(at, from time.Time) time.Time {
	if at.After(from) {
		return at
	}
	return time.Time{}
}
