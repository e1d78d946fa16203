package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/status"
)

// told is what an entry about an incident means for people.
type told struct {
	kind  string
	alarm notice.Alarm
	page  bool // customers are told what the update says, when it says so
}

// incidentTold is the whole of what people are told about incidents; verbs that
// are missing concern nobody outside the incident's room.
var incidentTold = map[string]told{
	"declared":  {"incident.declared", notice.AlarmFire, false},
	"suspected": {"component.down", notice.AlarmFire, false},
	"joined":    {"component.down", notice.AlarmFire, false},
	"seen":      {"component.down", notice.AlarmFire, false},
	"proposed":  {"component.recovered", notice.AlarmClear, false},
	"published": {"incident.opened", notice.AlarmFire, true},
	"updated":   {"incident.updated", notice.AlarmNone, true},
	"resolved":  {"incident.resolved", notice.AlarmClear, true},
	"reopened":  {"incident.reopened", notice.AlarmFire, true},
	"reviewed":  {"incident.postmortem", notice.AlarmNone, true},
	"dropped":   {"incident.dropped", notice.AlarmClear, false},
	"merged":    {"incident.merged", notice.AlarmClear, false},
}

// incidentEvent fills in the event of an entry about an incident.
func (h *Hub) incidentEvent(ctx context.Context, tx journal.Tx, ev *notice.Event, verb string, e journal.Sealed) (bool, error) {
	if verb == "edited" || verb == "explained" {
		return false, h.noteEdit(ctx, tx, verb, e)
	}
	t, ok := incidentTold[verb]
	if !ok || e.Payload["backfilled"] == "1" || verb == "declared" && e.Payload["publish"] == "1" {
		return false, nil
	}
	i, err := h.Incidents.Incident(ctx, e.Subject.ID)
	if err != nil {
		return false, err
	}
	if i.Backfilled {
		return false, nil
	}
	s := h.Present.scene.Load()
	ev.Kind, ev.Alarm = t.kind, t.alarm
	ev.Severity = severityOf(&i, e)
	keys := keysOf(&i)
	s.concern(ev, keys)
	ev.Content = notice.Content{
		Title: i.Name, Status: e.Payload["state"], Impact: string(i.Impact), Console: "/console/incidents/" + i.ID,
		Runbook: i.RunbookURL, Names: s.names(keys, false), From: i.StartedAt, To: i.ResolvedAt, Facts: map[string]string{"label": i.Label()},
	}
	if i.Seen() {
		ev.Content.Path = "/incidents/" + i.ID
	}
	if t.page {
		ok, err = true, h.fromUpdate(ctx, ev, &i, s, e)
	} else {
		ok, err = h.fromChecks(ctx, tx, ev, &i, verb, e)
	}
	if i.Visibility == incident.Private {
		keepSecret(ev, &i)
	}
	return ok && err == nil, err
}

// keepSecret takes out of a notice what only some of the staff may know: routes
// lead to channels that others read too.
func keepSecret(ev *notice.Event, i *incident.Incident) {
	c := &ev.Content
	ev.Content = notice.Content{
		Title: "Private incident " + i.Label(), Status: c.Status, Impact: c.Impact, Console: c.Console, From: c.From, To: c.To, Facts: c.Facts,
	}
}

// severityOf is how bad an incident is for staff: what is published of it, or
// what checks see where that is worse.
func severityOf(i *incident.Incident, e journal.Sealed) notice.Severity {
	worst := severities[i.Impact]
	if status := e.Payload["status"]; status != "" {
		if s := severities[incident.ImpactOf(status)]; s.AtLeast(worst) {
			worst = s
		}
	}
	if i.Machine && i.Open() {
		if s := severities[i.Worst]; s.AtLeast(worst) {
			worst = s
		}
	}
	if worst == "" || worst == notice.SeverityInfo && e.Verb != "incident.proposed" && i.Open() {
		worst = notice.SeverityMinor // an open incident is never nothing to staff
	}
	return worst
}

// fromUpdate makes the event of a published update: customers hear what it
// says, unless it is to be quiet, private, or about nothing they see.
func (h *Hub) fromUpdate(ctx context.Context, ev *notice.Event, i *incident.Incident, s *scene, e journal.Sealed) error {
	var said *incident.Update
	if id := e.Payload["update"]; id != "" {
		u, err := h.Incidents.Update(ctx, id)
		if err != nil {
			return err
		}
		said = &u
		ev.Line, ev.Content.Body, ev.Content.Status = u.ID, u.Body, string(u.State)
	} else {
		ev.Content.Body = i.Review.Body
	}
	keys := keysOf(i)
	if i.State == incident.Resolved && ev.Kind == "incident.opened" {
		ev.Alarm = notice.AlarmClear // it was over when it was published
	}
	seen := i.Visibility == incident.Public && !i.PublishedAt.IsZero() && (len(keys) == 0 || s.anyPublic(keys))
	if !seen || e.Payload["deliver"] != "1" {
		return nil
	}
	updates, err := h.Incidents.UpdatesOf(ctx, []string{i.ID})
	if err != nil {
		return err
	}
	ev.Audience = notice.ToBoth
	ev.Content.Names = s.names(keys, true)
	if said != nil {
		then := asOf(*i, said)
		i, updates = &then, slices.DeleteFunc(updates, func(u incident.Update) bool { return u.PublishedAt.After(said.PublishedAt) })
	}
	ev.Content.Object = s.incidentObject(i, updates)
	return nil
}

// asOf gives an incident as it stood when an update was published. The follower
// may come later, when more was said: each message tells of its own update, or
// the same words would be told twice.
func asOf(i incident.Incident, u *incident.Update) incident.Incident {
	at := u.PublishedAt
	if u.State != "" {
		i.State = u.State
	}
	if i.ResolvedAt.After(at) {
		i.ResolvedAt = time.Time{}
	}
	if i.MonitoringAt.After(at) {
		i.MonitoringAt = time.Time{}
	}
	if i.ChangedAt.After(at) {
		i.ChangedAt = at
	}
	return i
}

// fromChecks makes the event of what checks see or staff do: for staff alone.
func (h *Hub) fromChecks(ctx context.Context, tx journal.Tx, ev *notice.Event, i *incident.Incident, verb string, e journal.Sealed) (bool, error) {
	s := h.Present.scene.Load()
	key := e.Payload["component"]
	switch verb {
	case "seen":
		if !failing(e.Payload["status"]) {
			return false, nil // told when all of the incident are well
		}
		fallthrough
	case "joined":
		ev.Content.Status = e.Payload["status"]
		ev.Components, ev.Groups = nil, nil
		s.concern(ev, []string{key})
		ev.Content.Names = s.names([]string{key}, false)
		if e.Payload["loud"] != "1" {
			ev.Alarm, ev.Suppress = notice.AlarmNone, "part of "+i.Label()+", which was told of"
		}
	case "merged":
		ev.Content.Facts["into"] = e.Payload["into"]
	case "suspected":
		if i.Origin == incident.ByAlert {
			ev.Kind = "incident.suspected"
		}
		if worst := worstOf(i); worst != "" {
			ev.Content.Status = worst
		}
	}
	lines, err := h.staffLines(ctx, s, i, key)
	if err != nil {
		return false, err
	}
	ev.Content.Staff = lines
	if verb != "suspected" && verb != "joined" && verb != "seen" {
		return true, nil
	}
	why, err := h.restful(ctx, ev.Components)
	if err != nil || why == "" {
		return true, err
	}
	if ev.Alarm == notice.AlarmFire {
		err = h.keepHeld(ctx, tx, i.ID, why)
	}
	ev.Suppress = why
	return true, err
}

// failing reports whether a status of a component is trouble.
func failing(s string) bool { return incident.ImpactOf(s) != incident.ImpactNone }

// worstOf gives the worst that checks see of the components of an incident.
func worstOf(i *incident.Incident) string {
	worst := ""
	for _, a := range i.Components {
		if a.Observed != "" && (worst == "" || status.Status(a.Observed).Worse(status.Status(worst))) {
			worst = a.Observed
		}
	}
	return worst
}

// maxStaffLines is how many components a notice for staff explains.
const maxStaffLines = 8

// staffLines says why the failing components of an incident fail: one, by key,
// or for "" all of them.
func (h *Hub) staffLines(ctx context.Context, s *scene, i *incident.Incident, key string) (string, error) {
	var lines []string
	more := 0
	for _, a := range i.Components {
		if !failing(a.Observed) || key != "" && key != a.Component {
			continue
		}
		if len(lines) == maxStaffLines {
			more++
			continue
		}
		is, err := h.standing(ctx, a.Component)
		if err != nil {
			return "", err
		}
		name := a.Component
		if c, ok := s.component(a.Component); ok {
			name = c.Name
		}
		why := is.observed.Staff
		if why == "" || !failing(string(is.observed.Status)) {
			why = strings.ReplaceAll(a.Observed, "_", " ")
		}
		lines = append(lines, name+": "+why)
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n"), nil
}

// restful says why staff need not be told that components fail: each needs
// something that is down itself or in maintenance (one hop), is in maintenance,
// or is silenced. "" = somebody must be told.
func (h *Hub) restful(ctx context.Context, keys []string) (string, error) {
	why := ""
	for _, key := range keys {
		w, err := h.rests(ctx, key, keys)
		if err != nil || w == "" {
			return "", err
		}
		if why == "" {
			why = w
		}
	}
	return why, nil
}

// rests is restful for one component. What is told of itself excuses nothing.
func (h *Hub) rests(ctx context.Context, key string, told []string) (string, error) {
	s := h.Present.scene.Load()
	if silence, ok := h.Silenced(key, h.now()); ok {
		return "silenced until " + silence.To.Format("2 Jan 15:04 UTC"), nil
	}
	c, ok := s.component(key)
	if !ok {
		return "", nil
	}
	is, err := h.standing(ctx, key)
	if err != nil {
		return "", err
	}
	if is.rests {
		return "in maintenance", nil
	}
	for _, need := range c.Needs {
		if slices.Contains(told, need) {
			continue
		}
		parent, ok := s.component(need)
		if !ok {
			continue
		}
		is, err := h.standing(ctx, need)
		switch {
		case err != nil:
			return "", err
		case is.rests:
			return "needs " + parent.Name + ", which is in maintenance", nil
		case is.observed.Status.Outage():
			return "needs " + parent.Name + ", which is down", nil
		}
	}
	return "", nil
}

// keysOf gives the component keys of an incident.
func keysOf(i *incident.Incident) []string {
	keys := make([]string, len(i.Components))
	for n := range i.Components {
		keys[n] = i.Components[n].Component
	}
	return keys
}

// noteEdit raises what was changed on the page without a reason, and settles it
// when somebody explains it.
func (h *Hub) noteEdit(ctx context.Context, tx journal.Tx, verb string, e journal.Sealed) error {
	c := Concern{Kind: Unexplained, Subject: e.Subject}
	c.ID = c.id()
	if verb == "explained" {
		return h.lower(ctx, tx, c)
	}
	if e.Audience != journal.AudiencePublic || e.Payload["reason"] != "0" {
		return nil
	}
	c.Since, c.Until = e.RecordedAt, e.RecordedAt.Add(rememberFor)
	c.Facts = map[string]string{"what": e.Payload["what"], "by": e.Actor.ID}
	return h.raise(ctx, tx, c)
}

// noteCorrection raises uptime that was edited by hand, for everybody to see.
func (h *Hub) noteCorrection(ctx context.Context, tx journal.Tx, e journal.Sealed) error {
	if e.Verb != "uptime.corrected" && e.Verb != "uptime.restored" && !(e.Verb == "month.corrected" && e.Payload["correction"] == "") {
		return nil
	}
	c := Concern{Kind: Corrected, Subject: e.Subject, Since: e.RecordedAt, Until: e.RecordedAt.Add(rememberFor), Facts: map[string]string{"by": e.Actor.ID}}
	c.ID = c.id()
	return h.raise(ctx, tx, c)
}
