package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/web/door"
)

const incidentsPath = "/console/incidents"

// incidentRows is how many incidents that are over one page of the list holds.
const incidentRows = 30

// incidentRoutes are the addresses of incidents.
func (c *Console) incidentRoutes() []door.Route {
	if c.deps.Room == nil {
		return nil
	}
	one := incidentsPath + "/{id}"
	get := func(path string, act access.Action, fn func(http.ResponseWriter, *http.Request) error) door.Route {
		return door.Route{Method: http.MethodGet, Path: path, Action: act, Handler: c.handle(fn)}
	}
	post := func(path string, act access.Action, fn func(http.ResponseWriter, *http.Request) error) door.Route {
		return door.Route{Method: http.MethodPost, Path: path, Action: act, Handler: c.handle(fn)}
	}
	return []door.Route{
		get(incidentsPath, access.IncidentRead, c.incidentList),
		get(incidentsPath+"/new", access.IncidentDeclare, c.declareForm),
		post(incidentsPath, access.IncidentDeclare, c.declare),
		get(pastPath, access.IncidentUpdate, c.pastForm),
		post(pastPath, access.IncidentUpdate, c.enterPast),
		get(templatesPath, access.IncidentRead, c.templates),
		post(templatesPath, access.IncidentUpdate, c.putTemplate),
		post(templatesPath+"/{id}/drop", access.IncidentUpdate, c.dropTemplate),
		get(one, access.IncidentRead, c.incidentRoom),
		post(one+"/publish", access.IncidentUpdate, c.publishUpdate),
		post(one+"/release", access.IncidentUpdate, c.incidentAct(c.releaseUpdate)),
		post(one+"/unsend", access.IncidentUpdate, c.incidentAct(c.takeBack)),
		post(one+"/draft", access.IncidentNote, c.keepDraft),
		post(one+"/schedule", access.IncidentUpdate, c.scheduleUpdate),
		post(one+"/undraft", access.IncidentNote, c.incidentAct(c.dropDraft)),
		post(one+"/edit", access.IncidentNote, c.incidentAct(c.editLine)),
		post(one+"/reopen", access.IncidentUpdate, c.incidentAct(c.reopen)),
		post(one+"/drop", access.IncidentUpdate, c.incidentAct(c.dropSuspicion)),
		post(one+"/note", access.IncidentNote, c.incidentAct(c.note)),
		post(one+"/component", access.IncidentUpdate, c.incidentAct(c.setComponent)),
		post(one+"/duty", access.IncidentNote, c.incidentAct(c.assign)),
		post(one+"/task", access.IncidentNote, c.incidentAct(c.addTask)),
		post(one+"/tick", access.IncidentNote, c.incidentAct(c.tickTask)),
		post(one+"/link", access.IncidentNote, c.incidentAct(c.addLink)),
		post(one+"/unlink", access.IncidentNote, c.incidentAct(c.unlink)),
		post(one+"/runbook", access.IncidentNote, c.incidentAct(c.setRunbook)),
		post(one+"/rename", access.IncidentUpdate, c.incidentAct(c.rename)),
		post(one+"/impact", access.IncidentUpdate, c.incidentAct(c.setImpact)),
		post(one+"/start", access.IncidentUpdate, c.incidentAct(c.setStart)),
		post(one+"/private", access.IncidentPrivate, c.incidentAct(c.makePrivate)),
		post(one+"/promise", access.IncidentUpdate, c.incidentAct(c.promise)),
		post(one+"/explain", access.IncidentNote, c.incidentAct(c.explainEdit)),
		post(one+"/merge", access.IncidentUpdate, c.incidentAct(c.merge)),
		post(one+"/review", access.IncidentReview, c.incidentAct(c.writeReview)),
	}
}

// incidentsPage is the data of incidents.html.
type incidentsPage struct {
	State, Query string
	Component    string
	States       []Option
	Components   []Option
	Open, Over   []incidentRow
	MoreOpen     bool // more are open than are shown
	Pager        Pager
	Narrowed     bool
	CanDeclare   bool
	CanEnter     bool // what is over
}

// incidentRow is one incident of the list.
type incidentRow struct {
	Path, Name, Label string
	Mark              Mark
	State, Seen       string
	Components        string
	Began             Stamp
	Lasted            string
	Due               Stamp
	DueIn             string
	Late              bool
	Who               string
}

// incidentList lists incidents: what is open first, then what is over. What is
// sought is sought in the record, so that pages are full and none is missed.
func (c *Console) incidentList(w http.ResponseWriter, r *http.Request) error {
	ctx, g, q := r.Context(), guestOf(r), r.URL.Query()
	k := c.clock(c.zoneOf(g))
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	d := incidentsPage{
		State: q.Get("state"), Component: q.Get("component"), Query: cut(strings.TrimSpace(q.Get("q")), incident.MaxName),
		CanDeclare: g.Actor.May(access.IncidentDeclare), CanEnter: g.Actor.May(access.IncidentUpdate),
	}
	d.Narrowed = d.State != "" || d.Component != "" || d.Query != ""
	look := incident.Query{Text: d.Query}
	d.choices(s, &look)
	count, err := c.openIncidents(ctx, g.Actor)
	if err != nil {
		return err
	}
	if err := c.listOpen(r, &d, look, s, k); err != nil {
		return err
	}
	if err := c.listOver(r, &d, look, s, k); err != nil {
		return err
	}
	page := Page{
		Title: "Incidents", Section: "incidents", Template: "incidents", Data: d, Live: "incident component", Every: 60,
		Sub:  []string{plural(len(count), "incident is open", "incidents are open")},
		Keys: []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}},
	}
	page.Actions = []Action{{Word: "Templates", Icon: "note", Path: templatesPath}}
	if d.CanDeclare {
		page.Actions = append(page.Actions, Action{Word: "Declare an incident", Icon: "plus", Path: incidentsPath + "/new", Key: "n", Primary: true})
		page.Keys = append(page.Keys, Key{[]string{"n"}, "declare"})
	}
	c.Page(w, r, page)
	return nil
}

// choices fills in what the list can be narrowed to, and narrows the query.
func (d *incidentsPage) choices(s *state, look *incident.Query) {
	d.States = []Option{{Word: "Every state"}, {Value: string(incident.Suspected), Word: "Suspected"}}
	for _, st := range stepsOf {
		d.States = append(d.States, Option{Value: string(st), Word: stateWord(st)})
	}
	d.States = options(d.States, d.State)
	if d.State != "" {
		look.States = []incident.State{incident.State(d.State)}
	}
	d.Components = []Option{{Word: "Every component"}}
	for _, one := range s.components {
		if one.ID == d.Component {
			look.Component = one.Key
		}
		d.Components = append(d.Components, Option{Value: one.ID, Word: one.Name, On: one.ID == d.Component})
	}
}

// listOpen lists what is open, on the first page.
func (c *Console) listOpen(r *http.Request, d *incidentsPage, look incident.Query, s *state, k Clock) error {
	if r.URL.Query().Get("before") != "" {
		return nil
	}
	yes := true
	look.Open, look.Limit = &yes, maxOpen
	open, err := c.deps.Room.List(r.Context(), guestOf(r).Actor, look)
	if err != nil {
		return err
	}
	slices.SortStableFunc(open, func(a, b incident.Incident) int {
		return gravity[incidentMark(&b).Class] - gravity[incidentMark(&a).Class]
	})
	for n := range open {
		d.Open = append(d.Open, c.incidentRow(r, &open[n], s, k))
	}
	d.MoreOpen = len(open) == maxOpen
	return nil
}

// listOver lists a page of what is over, newest first.
func (c *Console) listOver(r *http.Request, d *incidentsPage, look incident.Query, s *state, k Clock) error {
	no, q := false, r.URL.Query()
	look.Open, look.Limit = &no, incidentRows+1
	if at, err := time.Parse(time.RFC3339Nano, q.Get("before")); err == nil {
		look.Before = at
		look.BeforeNumber, _ = strconv.ParseInt(q.Get("n"), 10, 64)
		d.Pager.Before = with(r.URL, "before", "", "n", "")
	}
	over, err := c.deps.Room.List(r.Context(), guestOf(r).Actor, look)
	if err != nil {
		return err
	}
	for n := range over[:min(len(over), incidentRows)] {
		d.Over = append(d.Over, c.incidentRow(r, &over[n], s, k))
	}
	if len(over) > incidentRows {
		last := over[incidentRows-1]
		d.Pager.After = with(r.URL, "before", last.StartedAt.Format(time.RFC3339Nano), "n", strconv.FormatInt(last.Number, 10))
	}
	return nil
}

func (c *Console) incidentRow(r *http.Request, i *incident.Incident, s *state, k Clock) incidentRow {
	row := incidentRow{
		Path: incidentsPath + "/" + url.PathEscape(i.ID), Name: i.Name, Label: incidentName(*i), Mark: incidentMark(i), State: stateWord(i.State),
		Began: k.At(i.StartedAt), Components: affectedNames(s, i),
	}
	if seen := visibilityWord(i); seen != "Public" {
		row.Seen = seen
	}
	if !i.Open() {
		row.Lasted = length(max(i.ResolvedAt.Sub(i.StartedAt), 0).Truncate(time.Second))
		return row
	}
	if !i.NextUpdateAt.IsZero() {
		row.Due, row.Late = k.At(i.NextUpdateAt), i.NextUpdateAt.Before(k.Now)
		row.DueIn = left(i.NextUpdateAt.Sub(k.Now))
	}
	for _, d := range i.Roles {
		if d.Role == incident.Commander && d.Person != "" {
			row.Who = c.name(r.Context(), d.Person)
		}
	}
	return row
}

// affectedNames names the components of an incident, as a sentence does.
func affectedNames(s *state, i *incident.Incident) string {
	names := make([]string, 0, len(i.Components))
	for _, a := range i.Components {
		if one := s.byKey[a.Component]; one != nil {
			names = append(names, one.Name)
		} else {
			names = append(names, a.Component)
		}
	}
	return sentence(names, 3)
}
