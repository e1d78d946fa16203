package statuspage

import (
	"net/http"
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// incidentOf shows an incident with its timeline, newest update first.
func (c *call) incidentOf(i *incident.Incident, lines []incident.Update) shownIncident {
	out := shownIncident{
		ID: i.ID, PageID: c.page, Name: i.Name, Status: stateOf(i.State), Impact: string(i.Impact), CreatedAt: moment(i.OpenedAt), UpdatedAt: moment(i.ChangedAt),
		StartedAt: moment(i.StartedAt), MonitoringAt: moment(i.MonitoringAt), ResolvedAt: moment(i.ResolvedAt),
		Shortlink: c.catalog.Site.URL + "/incidents/" + i.ID, Updates: []shownUpdate{}, Components: []shownComponent{}, Backfilled: i.Backfilled,
		Metadata: map[string]any{}, Postmortem: optional(i.Review.Body), PostmortemAt: moment(i.Review.PublishedAt), sort: i.StartedAt,
	}
	if i.Overridden {
		out.Override = optional(string(i.Impact))
	}
	for n := range slices.Backward(lines) {
		if u := &lines[n]; u.Kind == incident.KindUpdate && !u.PublishedAt.IsZero() {
			out.Updates = append(out.Updates, c.updateOf(u))
		}
	}
	for _, a := range i.Components {
		comp, err := c.defined(c.idOf(a.Component))
		switch {
		case err != nil: // it is gone
		case i.Open():
			out.Components = append(out.Components, c.componentOf(comp, status.Status(a.Status)))
		default:
			out.Components = append(out.Components, c.componentOf(comp, c.present[comp.Key]))
		}
	}
	return out
}

func (c *call) updateOf(u *incident.Update) shownUpdate {
	out := shownUpdate{
		ID: u.ID, IncidentID: u.Incident, Status: stateOf(u.State), Body: u.Body, CreatedAt: moment(u.CreatedAt), UpdatedAt: moment(u.CreatedAt),
		DisplayAt: moment(u.DisplayAt), Affected: []shownAffected{}, Deliver: u.Deliver,
	}
	if !u.EditedAt.IsZero() {
		out.UpdatedAt = moment(u.EditedAt)
	}
	for _, m := range u.Components {
		id := c.idOf(m.Component)
		name := id
		if comp, err := c.defined(id); err == nil {
			name = comp.Name
		}
		out.Affected = append(out.Affected, shownAffected{id, name, string(wordOf(m.From)), string(wordOf(m.To))})
	}
	return out
}

// stateOf is a state in the vocabulary of the shapes, which knows no suspicion.
func stateOf(s incident.State) string {
	if s == incident.Suspected {
		s = incident.Investigating
	}
	return string(s)
}

// incidents gives up to most incidents that customers see, newest start first.
func (c *call) incidents(open bool, most int) ([]shownIncident, error) {
	q := incident.Query{Seen: true, Limit: incident.MaxPage}
	if open {
		q.Open = &open
	}
	out := []shownIncident{}
	for {
		found, err := c.Incidents.List(c.ctx, c.by, q)
		if err != nil {
			return nil, err
		}
		found = found[:min(len(found), most-len(out))]
		told, err := c.Incidents.Told(c.ctx, c.by, found)
		if err != nil {
			return nil, err
		}
		for n := range found {
			out = append(out, c.incidentOf(&found[n], told[found[n].ID]))
		}
		if len(out) == most {
			return out, nil
		}
		if len(found) < q.Limit {
			return out, nil
		}
		last := found[len(found)-1]
		q.Before, q.BeforeNumber = last.StartedAt, last.Number
	}
}

func allIncidents(c *call) (int, any, error) {
	from, to, err := c.sheet()
	if err != nil {
		return 0, nil, err
	}
	word := strings.ToLower(c.r.URL.Query().Get("q"))
	most := to
	if word != "" {
		most = deepest
	}
	all, err := c.incidents(false, most)
	if err != nil {
		return 0, nil, err
	}
	works, err := c.works(nil)
	if err != nil {
		return 0, nil, err
	}
	all = slices.DeleteFunc(append(all, works...), func(i shownIncident) bool { return !strings.Contains(strings.ToLower(i.Name), word) })
	slices.SortStableFunc(all, func(a, b shownIncident) int { return b.sort.Compare(a.sort) })
	return http.StatusOK, part(all, from, to), nil
}

func unresolved(c *call) (int, any, error) {
	from, to, err := c.sheet()
	if err != nil {
		return 0, nil, err
	}
	all, err := c.incidents(true, to)
	return http.StatusOK, part(all, from, to), err
}

func oneIncident(c *call) (int, any, error) {
	id := c.r.PathValue("id")
	i, lines, err := c.Incidents.Get(c.ctx, c.by, id)
	if problem.KindOf(err) == problem.KindNotFound {
		return c.work(id)
	}
	return http.StatusOK, c.incidentOf(&i, lines), err
}

// affected reads which components a request is about: statuses by id, and ids
// alone, of which nothing is said. Errors: Invalid.
func (c *call) affected(in *sent) ([]incident.Affected, error) {
	var errs problem.Errors
	var out []incident.Affected
	add := func(id, st string) {
		comp, err := c.defined(id)
		if err != nil {
			errs = append(errs, problem.Invalid("incident.components", "There is no component %q.", id))
			return
		}
		out = append(out, incident.Affected{Component: comp.Key, Status: st})
	}
	ids := make([]string, 0, len(in.Components))
	for id := range in.Components {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		add(id, in.Components[id])
	}
	for _, id := range in.ComponentIDs {
		if _, said := in.Components[id]; !said {
			add(id, "")
		}
	}
	return out, errs.Err()
}

// impactOf reads an impact that is to hold; "" lets it follow the components.
func impactOf(in *sent) incident.Impact {
	if in.Override == nil || *in.Override == "maintenance" {
		return ""
	}
	if *in.Override == "" {
		return incident.ImpactAuto
	}
	return incident.Impact(*in.Override)
}

// usual is what is said where a request says nothing, by state.
var usual = map[incident.State]string{
	incident.Investigating: "We are currently investigating this issue.",
	incident.Identified:    "The issue has been identified and a fix is being implemented.",
	incident.Monitoring:    "A fix has been implemented and we are monitoring the results.",
	incident.Resolved:      "This incident has been resolved.",
}

func createIncident(c *call) (int, any, error) {
	var in sent
	if err := c.read("incident", &in); err != nil {
		return 0, nil, err
	}
	if in.ScheduledFor != nil || in.Status != nil && workStates[*in.Status] {
		return c.plan(&in)
	}
	if err := c.by.Check(access.IncidentRead); err != nil { // the answer shows it, so ask before anything is done
		return 0, nil, err
	}
	said, err := c.affected(&in)
	if err != nil {
		return 0, nil, err
	}
	d := incident.Declaration{
		Name: textOf(in.Name), State: incident.State(textOf(in.Status)), Components: said, Impact: impactOf(&in), Body: textOf(in.Body), Publish: true, Deliver: in.Deliver.is(true),
	}
	if d.Impact == incident.ImpactAuto {
		d.Impact = ""
	}
	if d.State == "" {
		d.State = incident.Investigating
	}
	if d.Body == "" {
		d.Body = usual[d.State]
	}
	i, err := c.Incidents.Declare(c.ctx, c.by, d)
	if err != nil {
		return 0, nil, err
	}
	return c.shown(http.StatusCreated, i.ID)
}

// shown reads an incident again.
func (c *call) shown(code int, id string) (int, any, error) {
	i, lines, err := c.Incidents.Get(c.ctx, c.by, id)
	return code, c.incidentOf(&i, lines), err
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// changedHere is the reason of changes that came this way.
const changedHere incident.Reason = "Changed through the Statuspage API."

// editIncident publishes what a request says; a new name or impact alone is a
// change without an update.
func editIncident(c *call) (int, any, error) {
	id := c.r.PathValue("id")
	i, _, err := c.Incidents.Get(c.ctx, c.by, id)
	if problem.KindOf(err) == problem.KindNotFound {
		return c.editWork(id)
	}
	if err != nil {
		return 0, nil, err
	}
	var in sent
	if err := c.read("incident", &in); err != nil {
		return 0, nil, err
	}
	said, err := c.affected(&in)
	if err != nil {
		return 0, nil, err
	}
	if in.Name != nil && *in.Name != i.Name {
		if _, err := c.Incidents.Rename(c.ctx, c.by, id, *in.Name, changedHere); err != nil {
			return 0, nil, err
		}
	}
	if m := impactOf(&in); m != "" && (m != i.Impact || !i.Overridden) {
		if _, err := c.Incidents.SetImpact(c.ctx, c.by, id, m, changedHere); err != nil {
			return 0, nil, err
		}
	}
	state := incident.State(textOf(in.Status))
	if in.Body == nil && len(said) == 0 && (state == "" || state == i.State) {
		return c.shown(http.StatusOK, id)
	}
	p := incident.Publication{Body: textOf(in.Body), State: state, Components: said, Deliver: in.Deliver.is(true)}
	if p.Body == "" && state != i.State {
		p.Body = usual[state]
	}
	if !i.Open() && (state == incident.Investigating || state == incident.Identified || state == incident.Monitoring) {
		_, _, err = c.Incidents.Reopen(c.ctx, c.by, id, p)
		if err == nil && state != incident.Investigating {
			_, _, err = c.Incidents.Publish(c.ctx, c.by, id, incident.Publication{State: state})
		}
	} else {
		_, _, err = c.Incidents.Publish(c.ctx, c.by, id, p)
	}
	if err != nil {
		return 0, nil, err
	}
	return c.shown(http.StatusOK, id)
}

// deleteIncident takes an incident off the page: staff keep it, because what was
// told to customers is not made undone. Maintenance is called off.
func deleteIncident(c *call) (int, any, error) {
	id := c.r.PathValue("id")
	i, lines, err := c.Incidents.Get(c.ctx, c.by, id)
	if problem.KindOf(err) == problem.KindNotFound {
		return c.callOff(id)
	}
	if err != nil {
		return 0, nil, err
	}
	shown := c.incidentOf(&i, lines)
	_, err = c.Incidents.SetVisibility(c.ctx, c.by, i.ID, incident.Private, changedHere)
	return http.StatusOK, shown, err
}
