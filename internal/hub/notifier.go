package hub

import (
	"context"
	"strings"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
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
	case "maintenance":
		ok, err = h.maintenanceEvent(ctx, &ev, verb, e)
	case "attention":
		ok, err = h.attentionEvent(ctx, &ev, verb, e)
	case "month", "uptime":
		err = h.noteCorrection(ctx, tx, e)
	}
	return ev, ok, err
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
