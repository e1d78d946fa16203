package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Incidents is what the API asks of the incident wing; *incident.Room is one.
// Every method checks what the actor may do. Errors: Forbidden, NotFound,
// Conflict, Invalid, TooMany, Unavailable.
type Incidents interface {
	Get(ctx context.Context, by access.Actor, id string) (incident.Incident, []incident.Update, error)
	List(ctx context.Context, by access.Actor, q incident.Query) ([]incident.Incident, error)
	Told(ctx context.Context, by access.Actor, list []incident.Incident) (map[string][]incident.Update, error)
	Declare(ctx context.Context, by access.Actor, d incident.Declaration) (incident.Incident, error)
	Backfill(ctx context.Context, by access.Actor, p incident.Past) (incident.Incident, error)
	Publish(ctx context.Context, by access.Actor, id string, p incident.Publication) (incident.Incident, incident.Update, error)
	Reopen(ctx context.Context, by access.Actor, id string, p incident.Publication) (incident.Incident, incident.Update, error)
	Draft(ctx context.Context, by access.Actor, id string, w incident.Wording) (incident.Update, error)
	DropDraft(ctx context.Context, by access.Actor, updateID string) error
	Edit(ctx context.Context, by access.Actor, updateID, body string, why incident.Reason, version int64) (incident.Update, error)
	Line(ctx context.Context, by access.Actor, updateID string) (incident.Update, error)
	Note(ctx context.Context, by access.Actor, id, body string) (incident.Update, error)
	Rename(ctx context.Context, by access.Actor, id, name string, why incident.Reason) (incident.Incident, error)
	SetImpact(ctx context.Context, by access.Actor, id string, m incident.Impact, why incident.Reason) (incident.Incident, error)
	SetComponents(ctx context.Context, by access.Actor, id string, list []incident.Affected, why incident.Reason) (incident.Incident, error)
	SetVisibility(ctx context.Context, by access.Actor, id string, v incident.Visibility, why incident.Reason) (incident.Incident, error)
	SetStart(ctx context.Context, by access.Actor, id string, at time.Time, why incident.Reason) (incident.Incident, error)
	SetRunbook(ctx context.Context, by access.Actor, id, address string) (incident.Incident, error)
	Assign(ctx context.Context, by access.Actor, id, duty, person string) (incident.Incident, error)
	AddTask(ctx context.Context, by access.Actor, id, words, owner string) (incident.Task, error)
	TickTask(ctx context.Context, by access.Actor, id, taskID string, done bool) (incident.Task, error)
	DropTask(ctx context.Context, by access.Actor, id, taskID string) error
	Link(ctx context.Context, by access.Actor, id string, l incident.Link) (incident.Incident, error)
	Unlink(ctx context.Context, by access.Actor, id string, l incident.Link) (incident.Incident, error)
	Merge(ctx context.Context, by access.Actor, id, into string) (incident.Incident, error)
	WriteReview(ctx context.Context, by access.Actor, id, body string, why incident.Reason, version int64) (incident.Incident, error)
	PublishReview(ctx context.Context, by access.Actor, id string, deliver bool) (incident.Incident, error)
}

// incidentRoutes are everything about incidents.
func (s *service) incidentRoutes(h huma.API) {
	const one = "/api/v1/incidents/{id}"
	read, note, update := access.IncidentRead, access.IncidentNote, access.IncidentUpdate
	register(h, s, op{http.MethodGet, "/api/v1/incidents", "listIncidents", "Incidents, newest start first", read}, listIncidents)
	register(h, s, op{http.MethodPost, "/api/v1/incidents", "declareIncident", "Declare an incident, or enter one that is over", access.IncidentDeclare}, declareIncident)
	register(h, s, op{http.MethodGet, one, "getIncident", "An incident with its timeline, by id or number", read}, getIncident)
	register(h, s, op{http.MethodPatch, one, "editIncident", "Change name, impact, components, visibility, start or run-book", update}, editIncident)
	register(h, s, op{http.MethodGet, one + "/updates", "listUpdates", "The timeline of an incident, oldest first", read}, listUpdates)
	register(h, s, op{http.MethodPost, one + "/updates", "postUpdate", "Publish, schedule or draft an update", note}, postUpdate)
	register(h, s, op{http.MethodPatch, one + "/updates/{update}", "editUpdate", "Change the words of an update", update}, editUpdate)
	register(h, s, op{http.MethodDelete, one + "/updates/{update}", "dropDraft", "Drop a draft", note}, dropDraft)
	register(h, s, op{http.MethodPost, one + "/reopen", "reopenIncident", "It was not over after all", update}, reopenIncident)
	register(h, s, op{http.MethodPost, one + "/notes", "noteIncident", "Write a note for staff", note}, noteIncident)
	register(h, s, op{http.MethodPut, one + "/duties/{role}", "assignDuty", "Give a duty to somebody, or to nobody", note}, assignDuty)
	register(h, s, op{http.MethodPost, one + "/tasks", "addTask", "Add something to do", note}, addTask)
	register(h, s, op{http.MethodPatch, one + "/tasks/{task}", "tickTask", "Tick a task, or take the tick back", note}, tickTask)
	register(h, s, op{http.MethodDelete, one + "/tasks/{task}", "dropTask", "Drop a task", note}, dropTask)
	register(h, s, op{http.MethodPost, one + "/links", "linkIncident", "Tie it to a ticket, a release, another incident or an address outside", note}, linkIncident)
	register(h, s, op{http.MethodPost, one + "/unlink", "unlinkIncident", "Take a link away", note}, unlinkIncident)
	register(h, s, op{http.MethodPost, one + "/merge", "mergeIncident", "Let another incident take its place", update}, mergeIncident)
	register(h, s, op{http.MethodPut, one + "/postmortem", "writePostmortem", "Write the postmortem, and publish it", access.IncidentReview}, writePostmortem)
}

// keys gives the key of each component by its id.
func (c *call) keys() map[string]string {
	out := make(map[string]string, len(c.catalog.Components))
	for _, comp := range c.catalog.Components {
		out[comp.ID] = comp.Key
	}
	return out
}

// affected turns ids into keys. Errors: Invalid.
func (c *call) affected(list []api.Says) ([]incident.Affected, error) {
	keys := c.keys()
	var errs problem.Errors
	var out []incident.Affected
	for n, a := range list {
		key, ok := keys[a.ID]
		if !ok {
			errs = append(errs, problem.Invalid("components["+strconv.Itoa(n)+"].id", "There is no component %q.", a.ID))
		}
		out = append(out, incident.Affected{Component: key, Status: a.Status})
	}
	return out, errs.Err()
}

// incidentOf shows an incident.
func (c *call) incidentOf(i *incident.Incident) api.Incident {
	ids := c.ids()
	out := api.Incident{
		ID: i.ID, Number: i.Number, Name: i.Name, State: string(i.State), Impact: string(i.Impact), Overridden: i.Overridden,
		Visibility: string(i.Visibility), Origin: string(i.Origin), Machine: i.Machine, Backfilled: i.Backfilled,
		StartedAt: i.StartedAt, OpenedAt: i.OpenedAt, PublishedAt: maybe(i.PublishedAt), IdleUntil: maybe(i.PublishAfter),
		MonitorAt: maybe(i.MonitoringAt), ResolvedAt: maybe(i.ResolvedAt), NextUpdate: maybe(i.NextUpdateAt), GreenSince: maybe(i.GreenSince),
		MergedInto: i.MergedInto, Components: []api.AffectedItem{}, Duties: []api.Duty{}, Tasks: []api.Task{}, Links: []api.Link{},
		Runbook: i.RunbookURL, Postmortem: api.IncidentReview{Body: i.Review.Body, PublishedAt: maybe(i.Review.PublishedAt)}, Version: i.Version,
	}
	for _, a := range i.Components {
		out.Components = append(out.Components, api.AffectedItem{ID: ids.of(a.Component), Status: a.Status, Since: a.Since})
	}
	for _, d := range i.Roles {
		out.Duties = append(out.Duties, api.Duty{Role: d.Role, Person: d.Person, Since: d.Since})
	}
	for _, t := range i.Tasks {
		out.Tasks = append(out.Tasks, api.Task{ID: t.ID, Text: t.Text, Owner: t.Owner, Done: t.Done, By: t.By, At: t.At})
	}
	for _, l := range i.Links {
		out.Links = append(out.Links, api.Link{Kind: l.Ref.Kind, ID: l.Ref.ID, URL: l.URL, Title: l.Title, Relation: l.Relation})
	}
	return out
}

// naming gives the id of each component by its key.
type naming map[string]string

func (c *call) ids() naming {
	out := make(naming, len(c.catalog.Components))
	for _, comp := range c.catalog.Components {
		out[comp.Key] = comp.ID
	}
	return out
}

// of gives the id of a component; one that is gone is named by its key.
func (n naming) of(key string) string {
	if id, ok := n[key]; ok {
		return id
	}
	return key
}

// lineOf shows a line of a timeline.
func (n naming) lineOf(u *incident.Update) api.IncidentLine {
	out := api.IncidentLine{
		ID: u.ID, Kind: string(u.Kind), State: string(u.State), Body: u.Body, Verb: u.Verb, Facts: u.Facts, Author: u.Author,
		CreatedAt: u.CreatedAt, DisplayAt: u.DisplayAt, PublishAt: maybe(u.PublishAt), PublishedAt: maybe(u.PublishedAt),
		Deliver: u.Deliver, Components: []api.ComponentChange{}, Version: u.Version,
	}
	for _, c := range u.Components {
		out.Components = append(out.Components, api.ComponentChange{ID: n.of(c.Component), From: c.From, To: c.To})
	}
	return out
}

func (n naming) linesOf(list []incident.Update) []api.IncidentLine {
	out := make([]api.IncidentLine, 0, len(list))
	for i := range list {
		out = append(out, n.lineOf(&list[i]))
	}
	return out
}

// incidentQuery picks incidents.
type incidentQuery struct {
	State     string    `query:"state" enum:"open,over" doc:"Both by default"`
	Component string    `query:"component" maxLength:"64" doc:"Id"`
	From      time.Time `query:"from" doc:"Those that touch the window from here"`
	To        time.Time `query:"to"`
	After     string    `query:"after" maxLength:"64" doc:"The next of the page before"`
	Limit     int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func listIncidents(ctx context.Context, c *call, in *incidentQuery) (*api.Incidents, error) {
	q := incident.Query{From: in.From.UTC(), To: in.To.UTC(), Limit: in.Limit}
	if in.State != "" {
		open := in.State == "open"
		q.Open = &open
	}
	if in.Component != "" {
		comp, err := c.component(in.Component)
		if err != nil {
			return nil, err
		}
		q.Component = comp.Key
	}
	if in.After != "" {
		var err error
		if q.Before, q.BeforeNumber, err = readCursor(in.After); err != nil {
			return nil, err
		}
	}
	found, err := c.Incidents.List(ctx, c.by, q)
	if err != nil {
		return nil, err
	}
	out := &api.Incidents{Incidents: make([]api.Incident, 0, len(found))}
	for n := range found {
		out.Incidents = append(out.Incidents, c.incidentOf(&found[n]))
	}
	if len(found) == in.Limit {
		last := found[len(found)-1]
		out.Next = strconv.FormatInt(last.StartedAt.UnixMicro(), 36) + "." + strconv.FormatInt(last.Number, 36)
	}
	return out, nil
}

// readCursor reads where a page ended. Errors: Invalid.
func readCursor(text string) (before time.Time, number int64, err error) {
	a, b, _ := strings.Cut(text, ".")
	at, errAt := strconv.ParseInt(a, 36, 64)
	number, errNumber := strconv.ParseInt(b, 36, 64)
	if errAt != nil || errNumber != nil {
		return before, 0, problem.Invalid("after", "This is not the next of a page.")
	}
	return time.UnixMicro(at).UTC(), number, nil
}

// IncidentID names an incident.
type IncidentID struct {
	ID string `path:"id" maxLength:"64" doc:"Id, or number as INC-231"`
}

func getIncident(ctx context.Context, c *call, in *IncidentID) (*api.Incident, error) {
	i, lines, err := c.Incidents.Get(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	out := c.incidentOf(&i)
	out.Updates = c.ids().linesOf(lines)
	return &out, nil
}

func listUpdates(ctx context.Context, c *call, in *IncidentID) (*api.IncidentLines, error) {
	_, lines, err := c.Incidents.Get(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	return &api.IncidentLines{Updates: c.ids().linesOf(lines)}, nil
}

// linkOf reads a link.
func linkOf(l api.Link) incident.Link {
	return incident.Link{Ref: journal.Ref{Kind: l.Kind, ID: l.ID}, URL: l.URL, Title: l.Title, Relation: l.Relation}
}
