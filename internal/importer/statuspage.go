package importer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
)

// File is one file of an export.
type File struct {
	Name string
	Body []byte
}

// The shapes of Atlassian Statuspage, versions 1 and 2, as far as they are read.
type (
	spComponent struct {
		ID          string   `json:"id"`
		Name        string   `json:"name"`
		Description *string  `json:"description"`
		GroupID     *string  `json:"group_id"`
		Group       bool     `json:"group"`
		Position    int      `json:"position"`
		Components  []string `json:"components"`
		Status      *string  `json:"status"`
	}
	spAffected struct {
		Code string `json:"code"`
		To   string `json:"new_status"`
	}
	spUpdate struct {
		Status    string       `json:"status"`
		Body      *string      `json:"body"`
		CreatedAt time.Time    `json:"created_at"`
		DisplayAt *time.Time   `json:"display_at"`
		Affected  []spAffected `json:"affected_components"`
	}
	spIncident struct {
		ID             string     `json:"id"`
		Name           string     `json:"name"`
		Status         string     `json:"status"`
		Impact         string     `json:"impact"`
		CreatedAt      time.Time  `json:"created_at"`
		StartedAt      *time.Time `json:"started_at"`
		ResolvedAt     *time.Time `json:"resolved_at"`
		ScheduledFor   *time.Time `json:"scheduled_for"`
		ScheduledUntil *time.Time `json:"scheduled_until"`
		Postmortem     *string    `json:"postmortem_body"`
		Updates        []spUpdate `json:"incident_updates"`
		Components     []struct {
			ID string `json:"id"`
		} `json:"components"`
	}
	spSubscriber struct {
		ID            string   `json:"id"`
		Mode          string   `json:"mode"`
		Email         *string  `json:"email"`
		Endpoint      *string  `json:"endpoint"`
		Components    []string `json:"components"`
		QuarantinedAt *string  `json:"quarantined_at"`
	}
	spFile struct {
		Components   []json.RawMessage `json:"components"`
		Groups       []json.RawMessage `json:"component_groups"`
		Incidents    []json.RawMessage `json:"incidents"`
		Maintenances []json.RawMessage `json:"scheduled_maintenances"`
		Subscribers  []json.RawMessage `json:"subscribers"`
	}
)

// Statuspage reads the JSON files of an export together: answers of its API, of
// either version, whole ({"incidents": […]}) or bare lists. Errors:
// problem.Errors with everything that is wrong.
func Statuspage(files []File) (*Export, error) {
	e := &Export{}
	var errs problem.Errors
	for _, f := range files {
		r := reader{Export: e, finding: finding{file: f.Name}}
		r.file(f.Body)
		if many, ok := errors.AsType[problem.Errors](r.err()); ok {
			errs = append(errs, many...)
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	e.settle()
	return e, nil
}

// reader reads one file into the export.
type reader struct {
	*Export
	finding
}

func (r *reader) file(body []byte) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	var f spFile
	switch {
	case len(body) > MaxFile:
		r.add("", "It is larger than %d bytes.", MaxFile)
		return
	case len(body) > 0 && body[0] == '[':
		var rows []json.RawMessage
		if !r.decode("", body, &rows) {
			return
		}
		for n, row := range rows {
			f.sort(r, n, row)
		}
	case !r.decode("", body, &f):
		return
	}
	lists := []struct {
		name string
		rows []json.RawMessage
		take func(where string, row json.RawMessage)
	}{
		{"component_groups", f.Groups, r.group}, {"components", f.Components, r.component}, {"incidents", f.Incidents, r.incident},
		{"scheduled_maintenances", f.Maintenances, r.incident}, {"subscribers", f.Subscribers, r.subscriber},
	}
	found := 0
	for _, l := range lists {
		if found += len(l.rows); len(l.rows) > MaxRows {
			r.add(l.name, "It holds more than %d.", MaxRows)
			continue
		}
		for n, row := range l.rows {
			l.take(at(l.name, n), row)
		}
	}
	if found == 0 && len(r.errs) == 0 {
		r.add("", "It holds nothing of a Statuspage.")
	}
}

// sort puts a row of a bare list where it belongs, by the keys it has.
func (f *spFile) sort(r *reader, n int, row json.RawMessage) {
	var keys map[string]json.RawMessage
	if !r.decode(at("", n), row, &keys) {
		return
	}
	has := func(key string) bool { _, ok := keys[key]; return ok }
	switch {
	case has("incident_updates"):
		f.Incidents = append(f.Incidents, row)
	case has("mode"):
		f.Subscribers = append(f.Subscribers, row)
	case has("status"):
		f.Components = append(f.Components, row)
	case has("components"):
		f.Groups = append(f.Groups, row)
	default:
		r.add(at("", n), "This is no component, group, incident or subscriber.")
	}
}

func (r *reader) decode(where string, body []byte, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(body))
	err := dec.Decode(into)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows after its end")
		}
	}
	if err != nil {
		r.add(where, "It is not JSON of that shape: %s.", strings.TrimPrefix(err.Error(), "json: "))
	}
	return err == nil
}

// named checks what every row must have.
func (r *reader) named(where, id, name string, most int) {
	if id == "" {
		r.add(where+".id", "It is missing.")
	}
	if strings.TrimSpace(name) == "" {
		r.add(where+".name", "It is missing.")
	}
	if n := utf8.RuneCountInString(name); n > most {
		r.add(where+".name", "It is %d characters long; %d are allowed.", n, most)
	}
}

func (r *reader) group(where string, row json.RawMessage) {
	var c spComponent
	if !r.decode(where, row, &c) {
		return
	}
	r.named(where, c.ID, c.Name, incident.MaxName)
	r.Groups = append(r.Groups, Group{ID: c.ID, Name: strings.TrimSpace(c.Name)})
}

func (r *reader) component(where string, row json.RawMessage) {
	var c spComponent
	if !r.decode(where, row, &c) {
		return
	}
	if c.Group {
		r.group(where, row)
		return
	}
	r.named(where, c.ID, c.Name, incident.MaxName)
	r.Components = append(r.Components, Component{
		ID: c.ID, Name: strings.TrimSpace(c.Name), Description: textOf(c.Description), Group: textOf(c.GroupID), Position: c.Position,
	})
}

func (r *reader) subscriber(where string, row json.RawMessage) {
	var s spSubscriber
	if !r.decode(where, row, &s) {
		return
	}
	address := textOf(s.Email)
	if s.Mode != "email" {
		address = cmp.Or(textOf(s.Endpoint), address)
	}
	if s.Mode == "" {
		r.add(where+".mode", "It is missing.")
	}
	if address == "" && (s.Mode == "email" || s.Mode == "webhook") {
		r.add(where, "It has no address.")
	}
	r.Subscribers = append(r.Subscribers, Subscriber{ID: s.ID, Mode: s.Mode, Address: address, Components: s.Components, Away: s.QuarantinedAt != nil})
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(*s)
}

// grades orders the statuses that are known.
var grades = map[string]int{"operational": 0, "under_maintenance": 0, "degraded_performance": 1, "partial_outage": 2, "major_outage": 3}

// means is what an impact says of components of which nothing else was said.
var means = map[string]string{"minor": "degraded_performance", "major": "partial_outage", "critical": "major_outage"}

func (r *reader) incident(where string, row json.RawMessage) {
	var i spIncident
	if !r.decode(where, row, &i) {
		return
	}
	r.named(where, i.ID, i.Name, incident.MaxName)
	if i.ScheduledFor != nil {
		r.maintenance(where, &i)
		return
	}
	out := Incident{ID: i.ID, Name: strings.TrimSpace(i.Name), Impact: i.Impact, StartedAt: i.CreatedAt.UTC(), Review: textOf(i.Postmortem)}
	if i.StartedAt != nil {
		out.StartedAt = i.StartedAt.UTC()
	}
	if i.ResolvedAt != nil {
		out.ResolvedAt = i.ResolvedAt.UTC()
	}
	switch i.Impact {
	case "none", "minor", "major", "critical":
	case "maintenance", "":
		out.Impact = "none"
	default:
		r.add(where+".impact", "%q is no impact.", i.Impact)
	}
	if out.StartedAt.IsZero() {
		r.add(where+".created_at", "It is missing.")
	}
	worst := map[string]string{}
	for _, c := range i.Components {
		worst[c.ID] = ""
	}
	for n := range i.Updates {
		r.update(where+"."+at("incident_updates", n), &i.Updates[n], &out, worst)
	}
	if len(out.Updates) > incident.MaxPast {
		r.add(where+".incident_updates", "It has %d; %d are allowed.", len(out.Updates), incident.MaxPast)
	}
	if n := utf8.RuneCountInString(out.Review); n > incident.MaxReview {
		r.add(where+".postmortem_body", "It is %d characters long; %d are allowed.", n, incident.MaxReview)
	}
	out.order(worst)
	if over := i.Status == "resolved" || i.Status == "postmortem" || i.Status == "completed"; over && out.ResolvedAt.IsZero() {
		r.add(where+".resolved_at", "It is over, and does not say since when.")
	}
	r.Incidents = append(r.Incidents, out)
}

// update reads one update. A postmortem becomes the review.
func (r *reader) update(where string, u *spUpdate, out *Incident, worst map[string]string) {
	said := Update{State: u.Status, Body: textOf(u.Body), At: u.CreatedAt.UTC()}
	if u.DisplayAt != nil {
		said.At = u.DisplayAt.UTC()
	}
	if said.At.IsZero() {
		r.add(where+".display_at", "It is missing.")
	}
	if n := utf8.RuneCountInString(said.Body); n > incident.MaxBody && u.Status != "postmortem" {
		r.add(where+".body", "It is %d characters long; %d are allowed.", n, incident.MaxBody)
	}
	switch u.Status {
	case "investigating", "identified", "monitoring", "resolved":
		out.Updates = append(out.Updates, said)
	case "postmortem":
		out.Review = cmp.Or(out.Review, said.Body)
	default:
		r.add(where+".status", "%q is no state of an incident.", u.Status)
	}
	for n, a := range u.Affected {
		grade, ok := grades[a.To]
		if !ok {
			r.add(where+"."+at("affected_components", n)+".new_status", "%q is no status.", a.To)
		}
		if now, known := worst[a.Code]; grade > grades[now] || !known {
			worst[a.Code] = a.To
		}
	}
}

// order brings what was read into order: the story oldest first, beginning no
// later than its first word and ending no earlier than its last.
func (i *Incident) order(worst map[string]string) {
	slices.SortStableFunc(i.Updates, func(a, b Update) int { return a.At.Compare(b.At) })
	if n := len(i.Updates); n > 0 {
		if first := i.Updates[0].At; !first.IsZero() && first.Before(i.StartedAt) {
			i.StartedAt = first
		}
	}
	if !i.ResolvedAt.IsZero() && i.ResolvedAt.Before(i.StartedAt) {
		i.ResolvedAt = i.StartedAt
	}
	for id, st := range worst {
		if grades[st] == 0 {
			st = means[i.Impact]
		}
		if st != "" {
			i.Components = append(i.Components, Affected{id, st})
		}
	}
	slices.SortFunc(i.Components, func(a, b Affected) int { return strings.Compare(a.Component, b.Component) })
}

func (r *reader) maintenance(where string, i *spIncident) {
	m := Maintenance{ID: i.ID, Name: strings.TrimSpace(i.Name), From: i.ScheduledFor.UTC(), Over: i.Status == "completed" || i.ResolvedAt != nil}
	switch i.Status {
	case "scheduled", "in_progress", "verifying", "completed", "resolved", "postmortem":
	default:
		r.add(where+".status", "%q is no state of maintenance.", i.Status)
	}
	switch {
	case i.ScheduledUntil == nil:
		r.add(where+".scheduled_until", "It is missing.")
	case !i.ScheduledUntil.After(*i.ScheduledFor):
		r.add(where+".scheduled_until", "It ends before it begins.")
	default:
		m.To = i.ScheduledUntil.UTC()
	}
	first := time.Time{}
	for _, u := range i.Updates { // what was announced at first says what it is
		if first.IsZero() || u.CreatedAt.Before(first) {
			first, m.Body = u.CreatedAt, textOf(u.Body)
		}
	}
	for _, c := range i.Components {
		m.Components = append(m.Components, c.ID)
	}
	r.Maintenances = append(r.Maintenances, m)
}

// settle leaves out what came twice, orders the lists, and gives slugs.
func (e *Export) settle() {
	e.Groups = once(e.Groups, func(g Group) string { return g.ID })
	e.Components = once(e.Components, func(c Component) string { return c.ID })
	e.Incidents = once(e.Incidents, func(i Incident) string { return i.ID })
	e.Maintenances = once(e.Maintenances, func(m Maintenance) string { return m.ID })
	e.Subscribers = once(e.Subscribers, func(s Subscriber) string { return s.Mode + " " + s.Address + " " + strings.Join(s.Components, " ") })
	slices.SortStableFunc(e.Components, func(a, b Component) int { return cmp.Compare(a.Position, b.Position) })
	slices.SortStableFunc(e.Incidents, func(a, b Incident) int { return a.StartedAt.Compare(b.StartedAt) })
	slices.SortStableFunc(e.Maintenances, func(a, b Maintenance) int { return a.From.Compare(b.From) })
	taken := map[string]bool{}
	for n := range e.Groups {
		e.Groups[n].Slug = slug(e.Groups[n].Name, "group", taken)
	}
	taken = map[string]bool{}
	for n := range e.Components {
		e.Components[n].Slug = slug(e.Components[n].Name, "component", taken)
	}
}

// once gives each thing once.
func once[T any](list []T, key func(T) string) []T {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(v T) bool {
		k := key(v)
		again := seen[k]
		seen[k] = true
		return again
	})
}
