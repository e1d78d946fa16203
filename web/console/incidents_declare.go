package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// declareRows is how many components the form has room for; more are added in
// the room.
const declareRows = 4

// localForm is how a browser writes a moment in a form.
const localForm = "2006-01-02T15:04"

// declarePage is the data of incidentnew.html.
type declarePage struct {
	Name, State, Impact, Body, Start Field
	Rows                             []saidRow
	Known                            []Option // every component, for the list of proposals
	Templates                        []Tab
	Publish, Deliver, Private        bool
	MayPublish, MayPrivate           bool
	Wrong                            []string
	RowsWrong                        string
	Zone                             string
}

// saidRow is one component of a form, and what is said of it.
type saidRow struct {
	N        int
	Value    string
	Statuses []Option
}

// declareForm asks what happened. component=ID and template=ID fill it in.
func (c *Console) declareForm(w http.ResponseWriter, r *http.Request) error {
	ctx, g, q := r.Context(), guestOf(r), r.URL.Query()
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	v := url.Values{"state": {string(incident.Investigating)}, "impact": {string(incident.ImpactAuto)}, "deliver": {"1"}}
	values := map[string]string{}
	for _, id := range q["component"] {
		one := s.byID[id]
		if one == nil || len(v["component"]) == declareRows {
			continue
		}
		st := one.Observed.Status
		if !st.Outage() && st != status.Degraded {
			st = status.MajorOutage
		} else if one.Observed.From.Before(c.deps.Now()) {
			v.Set("started_at", one.Observed.From.In(c.zoneOf(g)).Format(localForm))
		}
		v.Add("component", one.Name)
		v.Add("status", string(st))
		if v.Get("name") == "" {
			v.Set("name", one.Name+troubleWords[st])
			v.Set("body", "We are looking into trouble with "+one.Name+" and will say more here.")
			values["components"] = one.Name
		}
	}
	var wrong error
	if id := q.Get("template"); id != "" {
		f, err := c.filled(r, id, "", values)
		wrong = err
		for name, value := range map[string]string{"name": f.Title, "body": f.Body, "state": string(f.State), "impact": string(f.Impact)} {
			if value != "" {
				v.Set(name, value)
			}
		}
	}
	return c.showDeclare(w, r, s, v, wrong)
}

// troubleWords end the title of an incident about one component.
var troubleWords = map[status.Status]string{
	status.MajorOutage: " not available", status.PartialOutage: " failing in part", status.Degraded: " slower than usual",
}

// filled fills a template in. One that lacks a value comes as it is written,
// with the error that says which.
func (c *Console) filled(r *http.Request, id, about string, values map[string]string) (incident.Filled, error) {
	by := guestOf(r).Actor
	f, err := c.deps.Room.Fill(r.Context(), by, id, about, values)
	if problem.KindOf(err) != problem.KindInvalid {
		return f, err
	}
	list, errList := c.deps.Room.Templates(r.Context(), by)
	if errList != nil {
		return f, errList
	}
	for _, t := range list {
		if t.ID == id {
			f = incident.Filled{Title: t.Title, Body: t.Body, State: t.State, Impact: t.Impact}
		}
	}
	return f, err
}

// templateTabs are the templates as links that fill a form in.
func (c *Console) templateTabs(r *http.Request) ([]Tab, error) {
	list, err := c.deps.Room.Templates(r.Context(), guestOf(r).Actor)
	var out []Tab
	for _, t := range list {
		out = append(out, Tab{Word: t.Name, Path: with(r.URL, "template", t.ID), Here: r.URL.Query().Get("template") == t.ID})
	}
	return out, err
}

// showDeclare shows the form with what was typed and what was wrong with it.
func (c *Console) showDeclare(w http.ResponseWriter, r *http.Request, s *state, v url.Values, wrong error) error {
	g := guestOf(r)
	k := c.clock(c.zoneOf(g))
	f, _ := faultsOf(wrong)
	if wrong != nil && f.fields == nil {
		return wrong
	}
	field := func(kind, name, label string) Field {
		return Field{Kind: kind, Name: name, Label: label, Value: v.Get(name), Error: f.of(name)}
	}
	d := declarePage{
		Name: field("", "name", "Title"), Body: field("area", "body", "First update"), State: field("select", "state", "State"),
		Impact: field("select", "impact", "Impact"), Start: field("datetime-local", "started_at", "When it began, "+k.Zone.String()),
		Deliver: v.Get("deliver") != "", Private: v.Get("private") != "", MayPublish: g.Actor.May(access.IncidentUpdate), MayPrivate: g.Actor.May(access.IncidentPrivate),
		RowsWrong: f.of("components"), Zone: k.Zone.String(),
	}
	d.Name.Required, d.Name.Focus, d.Name.Hint, d.Name.Span = true, v.Get("name") == "", "What customers call it, not what broke: “Card payments fail”.", true
	d.Body.Rows, d.Body.Span, d.Body.Optional, d.Body.Hint = 5, true, true, "Markdown. What customers see of it, and when you will say more."
	d.Start.Optional, d.Start.Hint = true, "Empty: now. Outages are dated back to it."
	for _, st := range sayable[:3] {
		d.State.Options = append(d.State.Options, Option{Value: string(st), Word: stateWord(st), On: string(st) == v.Get("state")})
	}
	d.Impact.Options = options(impactWords, v.Get("impact"))
	d.Rows = saidRows(v)
	for _, one := range s.components {
		d.Known = append(d.Known, Option{Value: one.Name})
	}
	var err error
	if d.Templates, err = c.templateTabs(r); err != nil {
		return err
	}
	d.Wrong = f.left()
	page := Page{
		Title: "Declare an incident", Section: "incidents", Template: "incidentnew", Data: d,
		Crumbs: []Crumb{{"Incidents", incidentsPath}, {Word: "Declare"}}, Sub: []string{"Staff see it at once; customers when you publish."},
	}
	if wrong != nil && r.Method == http.MethodPost {
		page.Code = http.StatusUnprocessableEntity
	}
	c.Page(w, r, page)
	return nil
}

// declare opens an incident.
func (c *Console) declare(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	g := guestOf(r)
	s, err := c.roll.state(r.Context())
	if err != nil {
		return err
	}
	i, err := c.declared(r, g, s, v)
	if _, ok := faultsOf(err); ok {
		return c.showDeclare(w, r, s, v, err)
	}
	if err != nil {
		return err
	}
	said := incidentName(i) + " is open; nobody outside sees it yet"
	if i.Seen() {
		said = incidentName(i) + " is published"
	}
	c.See(w, r, incidentsPath+"/"+i.ID, &Said{Text: said})
	return nil
}

func (c *Console) declared(r *http.Request, g door.Guest, s *state, v url.Values) (incident.Incident, error) {
	d := incident.Declaration{
		Name: v.Get("name"), State: incident.State(v.Get("state")), Impact: incident.Impact(v.Get("impact")), Private: v.Get("private") != "",
		Body: v.Get("body"), Publish: v.Get("publish") != "", Deliver: v.Get("deliver") != "",
	}
	var err error
	if d.Components, err = affectedOf(s, v); err != nil {
		return incident.Incident{}, err
	}
	if d.StartedAt, err = c.momentOf(g, v, "started_at"); err != nil {
		return incident.Incident{}, err
	}
	return c.deps.Room.Declare(r.Context(), g.Actor, d)
}

// componentCalled finds a component by what somebody typed: its name or its id.
func componentCalled(s *state, typed string) *standing {
	typed = strings.TrimSpace(typed)
	if one := s.byID[typed]; one != nil {
		return one
	}
	for _, one := range s.components {
		if strings.EqualFold(one.Name, typed) {
			return one
		}
	}
	return nil
}

// momentOf reads a moment that somebody chose in their own zone; zero when the
// field is empty. Errors: Invalid.
func (c *Console) momentOf(g door.Guest, v url.Values, name string) (time.Time, error) {
	if v.Get(name) == "" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(localForm, v.Get(name), c.zoneOf(g))
	if err != nil {
		return at, problem.Invalid(name, "Write a day and a time.")
	}
	return at.UTC(), nil
}
