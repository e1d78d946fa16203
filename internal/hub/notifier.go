package hub

import (
	"context"
	"strings"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// notify is the follower that turns what happened into events that people are
// told of, inside the unit of work that moves its cursor: exactly one event for
// an entry, whatever crashes. What it needs for the words is read as it stands
// now, which is at the entry or later.
func (h *Hub) notify(ctx context.Context, tx journal.Tx, entries []journal.Sealed) error {
	for _, e := range entries {
		ev, ok, err := h.event(ctx, tx, e)
		if err == nil && ok {
			err = h.plan(ctx, tx, ev)
		}
		switch {
		case problem.KindOf(err) == problem.KindNotFound: // it was erased since
			h.Log.Warn("nothing is told of what is gone", "verb", e.Verb, "subject", e.Subject.String())
		case err != nil:
			return err
		}
	}
	return nil
}

// plan hands an event over. One that is refused would be refused for ever: the
// log has it, and those behind it go on.
func (h *Hub) plan(ctx context.Context, tx journal.Tx, ev notice.Event) error {
	err := h.Notices.Plan(ctx, tx, ev)
	if problem.KindOf(err) == problem.KindInvalid {
		h.Log.Error("event refused", "kind", ev.Kind, "subject", ev.Subject.String(), "err", err)
		return nil
	}
	return err
}

// event makes the event of an entry; ok is false for what nobody is told of.
func (h *Hub) event(ctx context.Context, tx journal.Tx, e journal.Sealed) (ev notice.Event, ok bool, err error) {
	ev = notice.Event{ID: e.ID, Seq: e.Seq, Subject: e.Subject, At: e.EffectiveAt, Severity: notice.SeverityInfo, Audience: notice.ToStaff}
	noun, verb, _ := strings.Cut(e.Verb, ".")
	switch noun {
	case "incident":
		ok, err = h.incidentEvent(ctx, tx, &ev, verb, e)
	case "component":
		ok = h.componentEvent(&ev, verb, e)
	case "maintenance":
		ok, err = h.maintenanceEvent(ctx, &ev, verb, e)
	case "attention":
		ok, err = h.attentionEvent(ctx, &ev, verb, e)
	case "ticket":
		ok, err = h.ticketEvent(ctx, &ev, verb, e)
	case "month", "uptime":
		err = h.noteCorrection(ctx, tx, e)
	}
	return ev, ok, err
}

// componentEvent fills in the event of a component that moved on the page. It has
// no words: those are for incidents.
func (h *Hub) componentEvent(ev *notice.Event, verb string, e journal.Sealed) bool {
	s := h.Present.scene.Load()
	c, known := s.component(e.Subject.ID)
	from, to := worded(e.Payload["from"]), worded(e.Payload["to"])
	if verb != "moved" || e.Payload["track"] != string(status.Published) || e.Audience != journal.AudiencePublic || !known || !c.Public || from == to {
		return false
	}
	ev.Kind, ev.Audience = notice.ComponentChanged, notice.ToSubscribers
	s.concern(ev, []string{c.Key})
	ev.Content = notice.Content{
		Title: c.Name, Status: to, Impact: string(incident.ImpactOf(to)), Path: "/components/" + c.ID, Names: []string{c.Name}, From: e.EffectiveAt,
		Object: s.componentUpdate(c.Key, from, to, e),
	}
	return true
}

// worded is a status as the shapes of Statuspage have it, which know nothing of
// what was not measured.
func worded(shown string) string {
	if shown == "" || shown == string(status.NotMeasured) {
		return string(status.Operational)
	}
	return shown
}

// severities by impact.
var severities = map[incident.Impact]notice.Severity{
	incident.ImpactNone: notice.SeverityInfo, incident.ImpactMinor: notice.SeverityMinor,
	incident.ImpactMajor: notice.SeverityMajor, incident.ImpactCritical: notice.SeverityCritical,
}

// concern fills in what an event is about.
func (s *scene) concern(ev *notice.Event, keys []string) {
	ev.Components = keys
	seen := map[string]bool{}
	for _, key := range keys {
		c, ok := s.component(key)
		if ok && c.Group != "" && !seen[c.Group] {
			seen[c.Group] = true
			ev.Groups = append(ev.Groups, c.Group)
		}
	}
}

// names gives the names of components: all, or the public ones alone.
func (s *scene) names(keys []string, publicOnly bool) []string {
	var out []string
	for _, key := range keys {
		if c, ok := s.component(key); ok && (c.Public || !publicOnly) {
			out = append(out, c.Name)
		}
	}
	return out
}

// anyPublic reports whether customers see one of the components.
func (s *scene) anyPublic(keys []string) bool { return len(s.names(keys, true)) > 0 }
