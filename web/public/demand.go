package public

import (
	"context"
	"strings"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// onDemand renders the page of a path. Errors: NotFound, Unavailable, Internal.
func (p *Photographer) onDemand(ctx context.Context, path string, m *moment) (sheet, error) {
	src := p.source.Load()
	if src == nil {
		return sheet{}, problem.Unavailable(nil, "The record cannot be read yet.")
	}
	room, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "/uptime":
		return p.stage.uptime(m.page)
	case path == SubscribePath:
		return p.stage.subscribe(m.page, Form{})
	case path == ReportPath:
		return p.stage.report(m.page, Report{})
	case path == ReportedPath:
		return p.stage.reported(m.page)
	case room == "report" && strings.HasPrefix(rest, "about/"):
		return p.stage.report(m.page, Report{Component: strings.TrimPrefix(rest, "about/")})
	case room == "subscribe" && strings.HasPrefix(rest, "sent/"):
		return p.stage.sent(m.page, strings.TrimPrefix(rest, "sent/"))
	case path == "/history":
		months, err := src.model.History(ctx, m.page.At, historyMonths)
		if err != nil {
			return sheet{}, err
		}
		return p.stage.history(m.page, months, false)
	case path == historyYearPath:
		months, err := src.model.History(ctx, m.page.At, historyYear)
		if err != nil {
			return sheet{}, err
		}
		return p.stage.history(m.page, months, true)
	case room == "components" && rest != "":
		page, err := src.model.Component(ctx, rest, m.page.At)
		if err != nil {
			return sheet{}, err
		}
		return p.stage.component(page)
	case room == "incidents" && rest != "":
		return p.incident(ctx, src.model, rest, m.page.At)
	case room == "api" && strings.HasPrefix(rest, "v2/incidents/"):
		return p.document(ctx, src.model, strings.TrimPrefix(rest, "v2/incidents/"), m.page.At)
	case room == "maintenance" && strings.HasSuffix(rest, ".ics"):
		o, err := occurrence(m.page, strings.TrimSuffix(rest, ".ics"))
		return sheet{body: calendarFile(m.page, []status.Occurrence{o}), kind: typeICS, open: true}, err
	case room == "maintenance" && rest != "":
		return p.stage.maintenance(m.page, rest)
	case room == "badge" && strings.HasSuffix(rest, ".svg"):
		c, err := onPage(m.page, strings.TrimSuffix(rest, ".svg"))
		return picture(badge(c.Name, c.Status)), err
	}
	return sheet{}, problem.NotFound("There is no page %q.", clip(path, 80))
}

// incident renders an incident's page, or leads to that of the incident that
// took its place.
func (p *Photographer) incident(ctx context.Context, model Model, id string, now time.Time) (sheet, error) {
	page, err := model.Incident(ctx, id, now)
	switch {
	case err != nil:
		return sheet{}, err
	case page.MovedTo != "":
		return moved(incidentPath(page.MovedTo)), nil
	}
	return p.stage.incident(page)
}

// document writes an incident by itself in Statuspage's shape.
func (p *Photographer) document(ctx context.Context, model Model, name string, now time.Time) (sheet, error) {
	id, ok := strings.CutSuffix(name, ".json")
	if !ok {
		return sheet{}, problem.NotFound("There is no such document; /api/v2/summary.json has everything.")
	}
	page, err := model.Incident(ctx, id, now)
	switch {
	case err != nil:
		return sheet{}, err
	case page.MovedTo != "":
		return moved("/api/v2" + incidentPath(page.MovedTo) + ".json"), nil
	}
	return v2IncidentSheet(page)
}

// moved is an answer that leads elsewhere for good (RFC 9110 section 15.4.2).
func moved(to string) sheet {
	return sheet{body: []byte("This has moved to " + to + "\n"), kind: "text/plain; charset=utf-8", moved: to}
}

// historyYearPath is the longer history. It is a path of its own and not a
// query, so that it can be exported as a file.
const historyYearPath = "/history/12"

// onPage finds a component. Errors: NotFound.
func onPage(p *status.Page, id string) (status.PageComponent, error) {
	for _, g := range p.Groups {
		for _, c := range g.Components {
			if c.ID == id {
				return c, nil
			}
		}
	}
	return status.PageComponent{}, problem.NotFound("There is no component %q.", clip(id, 80))
}
