package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// Limits of a component's page.
const (
	maxSpansShown    = 30
	maxIncidentsHere = 10
	uptimeDays       = 90
)

// componentPage is the data of component.html.
type componentPage struct {
	ID, Name, Description string
	Group                 string
	Measured, Published   Mark
	Differs               bool
	Because               string // why they differ
	Waits                 bool   // a policy asks a person to confirm what checks see
	Maintained            string
	Why                   string // for staff, in full
	PublicWords           string // what visitors read
	Runbook               string
	RunbookLink           bool   // it is an address that a browser may follow
	Origin                string // where in the file it is defined
	Private               bool
	Policy                string
	Ranges                []Tab
	Tracks                tracks
	Monitors              []monitorRow
	Spans                 []spanRow
	Uptime                []figure
	Needs, NeededBy       []find
	Incidents             []wallIncident
	Silences              []silenceRow
	Saying                *sayingRow
	Corrections           []correctionRow
	May                   map[string]bool // what this person may do here
	SilenceFor, HoldFor   []Option
	Words                 []Option // statuses that a person can give
	Has                   bool     // the desk is there
}

// figure is a number with its name.
type figure struct{ Word, Value, Note string }

// spanRow is one stretch of the published track.
type spanRow struct {
	Mark     Mark
	From, To Stamp
	Lasted   string
	Words    string
	By       string
	About    find   // the incident that says so
	Trouble  bool   // it can be marked as a false alarm
	Path     string // where
}

// silenceRow is a silence that holds.
type silenceRow struct {
	ID, Reason, By string
	Until          Stamp
}

// sayingRow is a status that a person gave by hand.
type sayingRow struct {
	Mark       Mark
	Reason, By string
	From       Stamp
}

// correctionRow is a false alarm that was marked.
type correctionRow struct {
	ID, Reason, By string
	From, To, At   Stamp
	Undone         bool
}

// standingOf finds a component by the ID in the address. Errors: NotFound, Unavailable.
func (c *Console) standingOf(r *http.Request) (*state, *standing, error) {
	s, err := c.roll.state(r.Context())
	if err != nil {
		return nil, nil, err
	}
	one := s.byID[r.PathValue("id")]
	if one == nil {
		return nil, nil, problem.NotFound("There is no component %q; it may have been renamed.", cut(r.PathValue("id"), 64))
	}
	return s, one, nil
}

// componentRoom shows one component: both tracks, its checks and why they say
// what they say, and what can be done.
func (c *Console) componentRoom(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), guestOf(r)
	s, one, err := c.standingOf(r)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	d := componentPage{
		ID: one.ID, Name: one.Name, Description: one.Description, Group: s.groupName(one.Group), Measured: markOf(one.Observed.Status),
		Published: markOf(one.Published.Status), Differs: one.Differs(), Why: one.Observed.Staff, PublicWords: one.Published.Public,
		Runbook: one.Runbook, Private: !one.Public, Policy: policyWords(one.Publish, one.PublishAfter), Has: c.deps.Desk != nil,
		May: map[string]bool{},
	}
	d.RunbookLink = strings.HasPrefix(one.Runbook, "https://") || strings.HasPrefix(one.Runbook, "http://")
	d.Origin = c.originOf("component", one.ID)
	for word, act := range map[string]access.Action{
		"confirm": access.StatusConfirm, "say": access.StatusConfirm, "silence": access.AlertSilence, "hold": access.AlertSilence,
		"correct": access.MonthCorrect, "run": access.MonitorRun, "edit": access.ComponentEdit,
	} {
		d.May[word] = mayOn(g.Actor, act, one)
	}
	d.Waits = one.Differs() && one.Publish != "" && one.Publish != status.PublishAuto
	switch {
	case d.Waits:
		d.Because = "It is " + d.Policy + "."
	case one.Published.Origin == status.ByHuman:
		d.Because = "A person, or an incident that is open, says otherwise."
	default:
		d.Because = "The page follows in a moment."
	}
	works := c.works(ctx, k.Now)
	if o, ok := works[one.Published.Ref]; ok && one.Published.Origin == status.ByMaintenance {
		d.Maintained = o.Title + ", to " + k.At(o.To).Text
	}
	if err := c.componentRecord(ctx, &d, r, s, one, k); err != nil {
		return err
	}
	for _, m := range one.Monitors {
		d.Monitors = append(d.Monitors, c.monitorRow(ctx, m, s, k))
	}
	for _, id := range one.Needs {
		if need := s.byID[id]; need != nil {
			d.Needs = append(d.Needs, find{Word: need.Name, Mark: markOf(shownStatus(need)), Path: "/console/components/" + need.ID})
		}
	}
	for _, other := range s.components {
		if slices.Contains(other.Needs, one.ID) {
			d.NeededBy = append(d.NeededBy, find{Word: other.Name, Mark: markOf(shownStatus(other)), Path: "/console/components/" + other.ID})
		}
	}
	if c.deps.Incidents != nil && g.Actor.May(access.IncidentRead) {
		list, err := c.deps.Incidents.List(ctx, g.Actor, incident.Query{Component: one.Key, Limit: maxIncidentsHere})
		if err != nil {
			return err
		}
		for _, i := range list {
			d.Incidents = append(d.Incidents, incidentCell(i, k))
		}
	}
	if err := c.deskRows(ctx, &d, one, g, k); err != nil {
		return err
	}
	for _, f := range silenceFor {
		d.SilenceFor = append(d.SilenceFor, Option{Value: f.d.String(), Word: f.word, On: f.d == time.Hour})
	}
	for _, f := range holdFor {
		d.HoldFor = append(d.HoldFor, Option{Value: f.d.String(), Word: f.word, On: f.d == 20*time.Minute})
	}
	for _, st := range []status.Status{status.Operational, status.Degraded, status.PartialOutage, status.MajorOutage} {
		d.Words = append(d.Words, Option{Value: string(st), Word: markOf(st).Word, On: st == one.Observed.Status})
	}
	page := Page{
		Title: one.Name, Section: "components", Template: "component", Data: d, Mark: markOf(shownStatus(one)), Bleed: true,
		Crumbs: []Crumb{{"Components", "/console/components"}, {Word: one.Name}},
		Live:   "component monitor maintenance incident setup definition", Every: 15, Facts: componentFacts(one, k),
	}
	if d.Waits && d.May["confirm"] {
		page.Keys = append(page.Keys, Key{[]string{"c"}, "confirm"})
	}
	if d.Has && d.May["silence"] {
		page.Keys = append(page.Keys, Key{[]string{"s"}, "silence"}, Key{[]string{"h"}, "hold"})
	}
	if d.Group != "" {
		page.Sub = append(page.Sub, d.Group)
	}
	page.Sub = append(page.Sub, d.Policy)
	if d.Private {
		page.Sub = append(page.Sub, "not on the public page")
	}
	if c.paths["/console/incidents/new"] && g.Actor.May(access.IncidentDeclare) {
		page.Actions = append(page.Actions, Action{Word: "Declare an incident", Icon: "incident", Path: "/console/incidents/new?component=" + one.ID})
	}
	if d.May["edit"] && d.Origin == "" && c.deps.Definitions != nil {
		page.Actions = append(page.Actions, Action{Word: "Edit", Icon: "edit", Path: "/console/components/" + one.ID + "/edit", Key: "e"})
		page.Keys = append(page.Keys, Key{[]string{"e"}, "edit"})
	}
	c.Page(w, r, page)
	return nil
}

// componentFacts are the large figures of the head: what is measured, what is
// published, and since when.
func componentFacts(one *standing, k Clock) []Fact {
	return []Fact{
		{Word: "Measured", Mark: markOf(one.Observed.Status)},
		{Word: "Published", Mark: markOf(one.Published.Status)},
		{Word: "For", Value: length(max(k.Now.Sub(one.Published.From), 0).Truncate(time.Second))},
	}
}

// policyWords say how a verdict reaches the page.
func policyWords(p status.Publish, after time.Duration) string {
	switch p {
	case status.PublishAfterConfirm:
		return "published when a person confirms, or after " + length(after)
	case status.PublishManual:
		return "published by people only"
	}
	return "published at once"
}

// mayOn reports whether somebody may do something to a component: a grant may
// be narrowed to it or to its group.
func mayOn(by access.Actor, act access.Action, one *standing) bool {
	return by.MayOn(act) || by.MayOn(act, access.Scope{Kind: "component", ID: one.Key}) ||
		one.Group != "" && by.MayOn(act, access.Scope{Kind: "group", ID: one.Group})
}

// componentRecord reads both tracks and what follows from them.
func (c *Console) componentRecord(ctx context.Context, d *componentPage, r *http.Request, s *state, one *standing, k Clock) error {
	from := k.Now.AddDate(0, 0, -uptimeDays)
	published, err := c.deps.Record.Spans(ctx, one.Key, status.Published, from, k.Now)
	if err != nil {
		return err
	}
	span := rangeOf(r.URL.Query().Get("range"))
	for _, x := range ranges {
		word := x.id
		if x.id == ranges[0].id {
			word = ""
		}
		d.Ranges = append(d.Ranges, Tab{Word: x.word, Path: with(r.URL, "range", word), Here: x.id == span.id})
	}
	observed, err := c.deps.Record.Spans(ctx, one.Key, status.Observed, k.Now.Add(-span.d), k.Now)
	if err != nil {
		return err
	}
	d.Tracks = drawTracks(observed, published, k, span.d)
	if m := c.lead(one); m != nil && c.deps.Samples != nil {
		d.Tracks.Chart = c.chartOf(ctx, m, k, span.d)
	}
	for _, p := range []struct {
		word string
		d    time.Duration
	}{{"24 hours", 24 * time.Hour}, {"7 days", 7 * 24 * time.Hour}, {"30 days", 30 * 24 * time.Hour}, {"90 days", uptimeDays * 24 * time.Hour}} {
		t := status.TallyOf(published, k.Now.Add(-p.d), k.Now)
		note := ""
		if out := t.Major + t.Partial; out > 0 {
			note = length(out.Truncate(time.Second)) + " of outage"
		}
		d.Uptime = append(d.Uptime, figure{p.word, percent(status.Uptime(t, s.catalog.Site.Weights)), note})
	}
	for i := len(published) - 1; i >= 0 && len(d.Spans) < maxSpansShown; i-- {
		row := spanRowOf(published[i], one.ID, k)
		if kind, id, _ := strings.Cut(published[i].Ref, "/"); kind == "incident" {
			if label := c.incidentLabel(ctx, id); label != "" {
				row.Words, row.About = "", find{Word: label, Path: incidentsPath + "/" + id}
			}
		}
		d.Spans = append(d.Spans, row)
	}
	return nil
}

// originWords say who is behind a span.
var originWords = map[status.Origin]string{
	status.ByMachine: "checks", status.ByHuman: "a person", status.ByMaintenance: "maintenance", status.BySystem: "the hub",
}

func spanRowOf(s status.Span, id string, k Clock) spanRow {
	row := spanRow{Mark: markOf(s.Status), From: k.Exact(s.From), Words: s.Staff, By: originWords[s.Origin]}
	end := k.Now
	if !s.Open() {
		row.To, end = k.Exact(s.To), s.To
	}
	if row.Words == "" {
		row.Words = s.Public
	}
	row.Lasted = length(max(end.Sub(s.From), 0).Truncate(time.Second))
	if !s.Open() && s.Status.Worse(status.UnderMaintenance) {
		row.Trouble = true
		row.Path = "/console/components/" + id + "/false-alarm?from=" + s.From.UTC().Format(time.RFC3339Nano) + "&to=" + s.To.UTC().Format(time.RFC3339Nano)
	}
	return row
}

// deskRows adds what people said and did about a component.
func (c *Console) deskRows(ctx context.Context, d *componentPage, one *standing, g door.Guest, k Clock) error {
	if c.deps.Desk == nil {
		return nil
	}
	silences, err := c.deps.Desk.Silences(ctx, g.Actor)
	if err != nil {
		return err
	}
	for _, s := range silences {
		if s.Holds(k.Now) && slices.Contains(s.Components, one.Key) {
			d.Silences = append(d.Silences, silenceRow{ID: s.ID, Reason: s.Reason, By: c.name(ctx, s.By), Until: k.At(s.To)})
		}
	}
	sayings, err := c.deps.Desk.Sayings(ctx, g.Actor)
	if err != nil {
		return err
	}
	for _, s := range sayings {
		if s.Component == one.Key {
			d.Saying = &sayingRow{Mark: markOf(s.Status), Reason: s.Reason, By: c.name(ctx, s.By), From: k.At(s.From)}
		}
	}
	marked, err := c.deps.Desk.Amendments(ctx, g.Actor, one.ID)
	if err != nil {
		return err
	}
	for _, a := range marked {
		d.Corrections = append(d.Corrections, correctionRow{
			ID: a.ID, Reason: a.Reason, By: c.name(ctx, a.By), From: k.Exact(a.From), To: k.Exact(a.To), At: k.At(a.At), Undone: !a.UndoneAt.IsZero(),
		})
	}
	return nil
}

// name gives what colleagues call an actor.
func (c *Console) name(ctx context.Context, actor string) string {
	if c.deps.People != nil {
		if name := c.deps.People(ctx, actor); name != "" {
			return name
		}
	}
	return "somebody"
}

// silencedKeys gives the keys of components whose alerts are kept quiet now.
func (c *Console) silencedKeys(ctx context.Context, g door.Guest) (map[string]bool, error) {
	out := map[string]bool{}
	if c.deps.Desk == nil {
		return out, nil
	}
	silences, err := c.deps.Desk.Silences(ctx, g.Actor)
	if err != nil {
		return nil, err
	}
	for _, s := range silences {
		if s.Holds(c.deps.Now()) {
			for _, key := range s.Components {
				out[key] = true
			}
		}
	}
	return out, nil
}

// quietLines lists what is kept quiet now, for the handover.
func (c *Console) quietLines(ctx context.Context, s *state, g door.Guest, k Clock) ([]quietLine, error) {
	if c.deps.Desk == nil {
		return nil, nil
	}
	silences, err := c.deps.Desk.Silences(ctx, g.Actor)
	if err != nil {
		return nil, err
	}
	var out []quietLine
	for _, sil := range silences {
		if !sil.Holds(k.Now) {
			continue
		}
		for _, key := range sil.Components {
			if one := s.byKey[key]; one != nil {
				out = append(out, quietLine{Name: one.Name, Why: sil.Reason, Until: k.Day(sil.To), Path: "/console/components/" + one.ID})
			}
		}
		for _, m := range s.monitors {
			if slices.Contains(sil.Monitors, m.Key) {
				out = append(out, quietLine{Name: m.ID, Why: sil.Reason, Until: k.Day(sil.To), Path: "/console/monitors/" + m.ID})
			}
		}
	}
	return out, nil
}
