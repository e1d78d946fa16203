package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

const pastPath = incidentsPath + "/past"

// How many updates the form of a past incident has room for at first, and how
// many more a press on "Room for more" gives.
const (
	pastRows = 3
	pastMore = 3
)

// pastPage is the data of incidentpast.html.
type pastPage struct {
	Name, Impact, Began, Ended, Review Field
	Rows                               []saidRow
	Known                              []Option
	Updates                            []pastRow
	MayPrivate, Private                bool
	Wrong                              []string
	RowsWrong, UpdatesWrong            string
	Zone                               string
}

// pastRow is one thing that was said then.
type pastRow struct {
	N      int
	At     string
	Body   string
	States []Option
}

// pastForm asks what happened, when, and what was said of it.
func (c *Console) pastForm(w http.ResponseWriter, r *http.Request) error {
	s, err := c.roll.state(r.Context())
	if err != nil {
		return err
	}
	v := url.Values{"impact": {string(incident.ImpactAuto)}, "state": {string(incident.Investigating), string(incident.Identified), string(incident.Resolved)}}
	if one := s.byID[r.URL.Query().Get("component")]; one != nil {
		v.Set("component", one.Name)
	}
	return c.showPast(w, r, s, v, nil)
}

// showPast shows the form with what was typed and what was wrong with it.
func (c *Console) showPast(w http.ResponseWriter, r *http.Request, s *state, v url.Values, wrong error) error {
	g := guestOf(r)
	k := c.clock(c.zoneOf(g))
	f, _ := faultsOf(wrong)
	if wrong != nil && f.fields == nil {
		return wrong
	}
	field := func(kind, name, label string) Field {
		return Field{Kind: kind, Name: name, Label: label, Value: v.Get(name), Error: f.of(name)}
	}
	d := pastPage{
		Name: field("", "name", "Title"), Impact: field("select", "impact", "Impact"), Review: field("area", "review", "Postmortem"),
		Began: field("datetime-local", "started_at", "Began, "+k.Zone.String()), Ended: field("datetime-local", "resolved_at", "Was over, "+k.Zone.String()),
		Rows: saidRows(v), Private: v.Get("private") != "", MayPrivate: g.Actor.May(access.IncidentPrivate), Zone: k.Zone.String(), RowsWrong: f.of("components"),
	}
	d.Name.Required, d.Name.Focus, d.Name.Span, d.Name.Hint = true, v.Get("name") == "", true, "What customers call it, not what broke: “Card payments failed”."
	d.Began.Required, d.Ended.Required = true, true
	d.Impact.Options = options(impactWords, v.Get("impact"))
	d.Review.Rows, d.Review.Span, d.Review.Optional, d.Review.Hint = 4, true, true, "Markdown. It is published with the incident."
	for _, name := range []string{"updates", "updates.at", "updates.body", "state"} {
		d.UpdatesWrong = strings.TrimSpace(d.UpdatesWrong + " " + f.of(name))
	}
	for _, one := range s.components {
		d.Known = append(d.Known, Option{Value: one.Name})
	}
	for n := range max(pastRows, len(v["state"])) {
		row := pastRow{N: n + 1, At: nth(v["at"], n), Body: nth(v["words"], n)}
		for _, st := range sayable {
			row.States = append(row.States, Option{Value: string(st), Word: stateWord(st), On: string(st) == nth(v["state"], n)})
		}
		d.Updates = append(d.Updates, row)
	}
	d.Wrong = f.left()
	page := Page{
		Title: "An incident that is over", Section: "incidents", Template: "incidentpast", Data: d,
		Crumbs: []Crumb{{"Incidents", incidentsPath}, {Word: "One that is over"}}, Sub: []string{"It stands in the history at its own time. Nobody is told."},
	}
	if wrong != nil {
		page.Code = http.StatusUnprocessableEntity
	}
	c.Page(w, r, page)
	return nil
}

// nth gives the n-th of the values of a field, "" where there are fewer.
func nth(list []string, n int) string {
	if n < len(list) {
		return list[n]
	}
	return ""
}

// saidRows are the components of a form and what is said of each, with room for
// more.
func saidRows(v url.Values) []saidRow {
	var out []saidRow
	for n := range max(declareRows, len(v["component"])) {
		st := nth(v["status"], n)
		if st == "" {
			st = string(status.MajorOutage)
		}
		out = append(out, saidRow{N: n + 1, Value: nth(v["component"], n), Statuses: statusOptions(st)})
	}
	return out
}

// enterPast writes an incident down that is over.
func (c *Console) enterPast(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	s, err := c.roll.state(r.Context())
	if err != nil {
		return err
	}
	if v.Get("more") != "" {
		for range min(pastMore, incident.MaxPast-len(v["state"])) {
			v.Add("state", string(incident.Monitoring))
		}
		return c.showPast(w, r, s, v, nil)
	}
	g := guestOf(r)
	past, err := c.pastOf(r, s, v)
	var i incident.Incident
	if err == nil {
		i, err = c.deps.Room.Backfill(r.Context(), g.Actor, past)
	}
	if _, ok := faultsOf(err); ok {
		return c.showPast(w, r, s, v, err)
	}
	if err != nil {
		return err
	}
	c.See(w, r, incidentsPath+"/"+i.ID, &Said{Text: incidentName(i) + " stands in the history; nobody was told"})
	return nil
}

// pastOf reads the form of an incident that is over. Errors: Invalid.
func (c *Console) pastOf(r *http.Request, s *state, v url.Values) (incident.Past, error) {
	g := guestOf(r)
	p := incident.Past{Review: v.Get("review"), Declaration: incident.Declaration{
		Name: v.Get("name"), Impact: incident.Impact(v.Get("impact")), Private: v.Get("private") != "",
	}}
	var errs problem.Errors
	note := func(err error) {
		if e, ok := err.(*problem.Error); ok && e != nil {
			errs = append(errs, e)
		}
	}
	var err error
	p.Components, err = affectedOf(s, v)
	note(err)
	p.StartedAt, err = c.momentOf(g, v, "started_at")
	note(err)
	p.ResolvedAt, err = c.momentOf(g, v, "resolved_at")
	note(err)
	for n, st := range v["state"] {
		u := incident.PastUpdate{State: incident.State(st), Body: nth(v["words"], n)}
		typed := nth(v["at"], n)
		if typed == "" && strings.TrimSpace(u.Body) == "" {
			continue
		}
		if u.At, err = c.momentOf(g, url.Values{"updates.at": {typed}}, "updates.at"); err != nil {
			note(err)
			continue
		}
		if u.At.IsZero() {
			u.At = momentOfState(&p, u.State)
		}
		if u.At.IsZero() {
			note(problem.Invalid("updates.at", "Say when update %s was made.", strconv.Itoa(n+1)))
		}
		p.Updates = append(p.Updates, u)
	}
	if len(p.Updates) == 0 {
		note(problem.Invalid("updates", "Say at least how it ended: customers read it in the history."))
	}
	return p, errs.Err()
}

// momentOfState is when an update was made that does not say so: the first word
// when it began, the last when it was over.
func momentOfState(p *incident.Past, st incident.State) time.Time {
	switch st {
	case incident.Investigating:
		return p.StartedAt
	case incident.Resolved:
		return p.ResolvedAt
	}
	return time.Time{}
}

// affectedOf reads the components of a form and what is said of each. Errors: Invalid.
func affectedOf(s *state, v url.Values) ([]incident.Affected, error) {
	var out []incident.Affected
	for n, typed := range v["component"] {
		if strings.TrimSpace(typed) == "" {
			continue
		}
		one := componentCalled(s, typed)
		if one == nil {
			return nil, problem.Invalid("components", "There is no component %q.", cut(typed, 64))
		}
		out = append(out, incident.Affected{Component: one.Key, Status: nth(v["status"], n)})
	}
	return out, nil
}
