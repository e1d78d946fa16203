package hub

import (
	"net/url"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// The shapes of Statuspage's webhooks, which many tools read: every key is
// there, what is empty is null, lists are never null, updates come newest first.

// stamp writes a moment with milliseconds and Z, null for the zero time.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// orNull gives null for an empty text.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// pageID is the id of the page: the host it is reached at.
func (s *scene) pageID() string {
	if u, err := url.Parse(s.site.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return "page"
}

// componentObject is a public component.
func (s *scene) componentObject(key string) map[string]any {
	d := s.definition[key]
	c, _ := s.component(key)
	shown := c.Status
	if shown == "" || shown == string(status.NotMeasured) {
		shown = string(status.Operational)
	}
	return map[string]any{
		"id": d.ID, "name": d.Name, "status": shown, "created_at": stamp(d.CreatedAt), "updated_at": stamp(s.published[key].From),
		"position": d.Position, "description": orNull(d.Description), "showcase": true, "start_date": orNull(day(d.CreatedAt)),
		"group_id": orNull(d.Group), "page_id": s.pageID(), "group": false, "only_show_if_degraded": false,
	}
}

// componentUpdate is a component that changed, with what it changed from and to.
func (s *scene) componentUpdate(key, from, to string, e journal.Sealed) map[string]any {
	component := s.componentObject(key)
	component["status"], component["updated_at"] = to, stamp(e.EffectiveAt)
	return map[string]any{
		"component": component,
		"component_update": map[string]any{
			"id": e.ID, "component_id": component["id"], "old_status": from, "new_status": to, "created_at": stamp(e.EffectiveAt),
		},
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// componentObjects gives the public ones of some components.
func (s *scene) componentObjects(keys []string) []any {
	list := []any{}
	for _, key := range keys {
		if c, ok := s.component(key); ok && c.Public {
			list = append(list, s.componentObject(key))
		}
	}
	return list
}

// incidentObject is an incident with its published updates, oldest first as the
// store gives them.
func (s *scene) incidentObject(i *incident.Incident, updates []incident.Update) map[string]any {
	override := any(nil)
	if i.Overridden {
		override = string(i.Impact)
	}
	list := make([]any, 0, len(updates))
	for n := len(updates) - 1; n >= 0; n-- {
		list = append(list, s.updateObject(&updates[n]))
	}
	o := s.common(i.ID, i.Name, string(i.State), string(i.Impact), "/incidents/")
	for k, v := range map[string]any{
		"created_at": stamp(i.OpenedAt), "updated_at": stamp(i.ChangedAt), "started_at": stamp(i.StartedAt), "monitoring_at": stamp(i.MonitoringAt),
		"resolved_at": stamp(i.ResolvedAt), "incident_updates": list, "components": s.componentObjects(keysOf(i)), "impact_override": override,
		"backfilled": i.Backfilled, "postmortem_body": orNull(publishedReview(i)), "postmortem_body_last_updated_at": stamp(i.Review.EditedAt),
		"postmortem_published_at": stamp(i.Review.PublishedAt),
	} {
		o[k] = v
	}
	return o
}

// publishedReview gives the postmortem once it may be read.
func publishedReview(i *incident.Incident) string {
	if i.Review.PublishedAt.IsZero() {
		return ""
	}
	return i.Review.Body
}

// common gives the keys that incidents and maintenance share.
func (s *scene) common(id, name, state, impact, path string) map[string]any {
	return map[string]any{
		"id": id, "name": name, "status": state, "impact": impact, "page_id": s.pageID(), "shortlink": s.site.URL + path + url.PathEscape(id),
		"reminder_intervals": nil, "impact_override": nil, "backfilled": false, "monitoring_at": nil,
		"postmortem_body": nil, "postmortem_body_last_updated_at": nil, "postmortem_ignored": false, "postmortem_published_at": nil,
		"postmortem_notified_subscribers": false, "postmortem_notified_twitter": false,
		"scheduled_for": nil, "scheduled_until": nil, "scheduled_remind_prior": false, "scheduled_reminded_at": nil,
		"scheduled_auto_in_progress": false, "scheduled_auto_completed": false,
	}
}

// updateObject is one published update.
func (s *scene) updateObject(u *incident.Update) map[string]any {
	affected := []any{}
	for _, c := range u.Components {
		if d, ok := s.component(c.Component); ok && d.Public && c.To != "" {
			affected = append(affected, map[string]any{"code": d.ID, "name": d.Name, "old_status": orOperational(c.From), "new_status": c.To})
		}
	}
	changed := u.PublishedAt
	if u.EditedAt.After(changed) {
		changed = u.EditedAt
	}
	return map[string]any{
		"id": u.ID, "status": string(u.State), "body": u.Body, "incident_id": u.Incident, "created_at": stamp(u.CreatedAt), "updated_at": stamp(changed),
		"display_at": stamp(u.DisplayAt), "affected_components": affected, "deliver_notifications": u.Deliver, "custom_tweet": nil, "tweet_id": nil,
		"twitter_updated_at": nil, "wants_twitter_update": false,
	}
}

func orOperational(s string) string {
	if s == "" {
		return string(status.Operational)
	}
	return s
}

// maintenanceObject is maintenance in the shape of an incident with its times.
func (s *scene) maintenanceObject(o *status.Occurrence) map[string]any {
	var keys []string
	for _, id := range o.Components {
		if key, ok := s.keys[id]; ok {
			keys = append(keys, key)
		}
	}
	state := string(o.State)
	if o.State == status.MaintenanceCancelled {
		state = string(status.MaintenanceCompleted) // the shapes know no cancelled
	}
	began := o.From
	if !o.StartedAt.IsZero() {
		began = o.StartedAt
	}
	body := o.Text
	if body == "" {
		body = o.Title
	}
	update := map[string]any{
		"id": o.ID + "-1", "status": state, "body": body, "incident_id": o.ID, "created_at": stamp(o.ChangedAt), "updated_at": stamp(o.ChangedAt),
		"display_at": stamp(o.ChangedAt), "affected_components": []any{}, "deliver_notifications": true, "custom_tweet": nil, "tweet_id": nil,
		"twitter_updated_at": nil, "wants_twitter_update": false,
	}
	out := s.common(o.ID, o.Title, state, string(status.IndicatorMaintenance), "/maintenance/")
	for k, v := range map[string]any{
		"created_at": stamp(o.CreatedAt), "updated_at": stamp(o.ChangedAt), "started_at": stamp(began), "resolved_at": stamp(o.EndedAt),
		"incident_updates": []any{update}, "components": s.componentObjects(keys), "scheduled_for": stamp(o.From), "scheduled_until": stamp(o.To),
		"scheduled_reminded_at": stamp(o.RemindedAt), "scheduled_auto_in_progress": !o.Conduct.StartsByHand, "scheduled_auto_completed": !o.Conduct.EndsByHand,
	} {
		out[k] = v
	}
	return out
}
