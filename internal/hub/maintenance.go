package hub

import (
	"context"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/status"
)

// maintenanceTold is what people are told about maintenance; a verb that is
// missing concerns nobody.
var maintenanceTold = map[string]told{
	"scheduled": {"maintenance.scheduled", notice.AlarmNone, true},
	"changed":   {"maintenance.changed", notice.AlarmNone, true},
	"extended":  {"maintenance.extended", notice.AlarmClear, true},
	"reminded":  {"maintenance.reminder", notice.AlarmNone, true},
	"started":   {"maintenance.started", notice.AlarmClear, true},
	"completed": {"maintenance.completed", notice.AlarmClear, true},
	"cancelled": {"maintenance.cancelled", notice.AlarmClear, true},
	"overdue":   {"maintenance.overdue", notice.AlarmFire, false},
}

// maintenanceEvent fills in the event of an entry about maintenance.
func (h *Hub) maintenanceEvent(ctx context.Context, ev *notice.Event, verb string, e journal.Sealed) (bool, error) {
	t, ok := maintenanceTold[verb]
	if !ok {
		return false, nil
	}
	o, found, err := h.occurrence(ctx, e)
	if err != nil || !found {
		return false, err
	}
	s := h.Present.scene.Load()
	var keys []string
	for _, id := range o.Components {
		if key, ok := s.keys[id]; ok {
			keys = append(keys, key)
		}
	}
	s.concern(ev, keys)
	ev.Kind = t.kind
	ev.Content = notice.Content{
		Title: o.Title, Status: e.Payload["state"], Impact: string(status.IndicatorMaintenance), Body: o.Text,
		Path: "/maintenance/" + o.ID, Console: "/console/calendar", Names: s.names(keys, false), From: o.From, To: o.To,
	}
	if verb == "overdue" {
		ev.Alarm, ev.Severity = notice.AlarmFire, notice.SeverityMinor
		ev.Content.Facts = map[string]string{"late": e.Payload["late"], "owner": e.Payload["owner"]}
		ev.Content.Staff = "Planned from " + late(o.From) + " to " + late(o.To) + "; nobody has brought it to its end."
		if e.Payload["late"] == "start" {
			ev.Content.Staff = "Planned from " + late(o.From) + "; nobody has begun it."
		}
		return true, nil
	}
	if !s.anyPublic(keys) && len(o.Components) > 0 {
		return true, nil // customers see none of it
	}
	recurring, err := h.recurring(ctx, o.Window)
	if err != nil {
		return false, err
	}
	if recurring && verb == "scheduled" {
		return false, nil // weeks of it are planned at once; the calendar has them, and a reminder comes
	}
	ev.Audience = notice.ToBoth
	ev.Content.Names = s.names(keys, true)
	ev.Content.Object = s.maintenanceObject(&o)
	return true, nil
}

// occurrence finds the maintenance of an entry: around its planned time, which
// the entry says.
func (h *Hub) occurrence(ctx context.Context, e journal.Sealed) (status.Occurrence, bool, error) {
	from, to := e.RecordedAt, e.RecordedAt
	if t, err := time.Parse(time.RFC3339, e.Payload["from"]); err == nil {
		from = t
	}
	if t, err := time.Parse(time.RFC3339, e.Payload["to"]); err == nil && t.After(from) {
		to = t
	}
	for _, span := range [][2]time.Time{{from, to}, {from.AddDate(-1, 0, 0), to.AddDate(1, 0, 0)}} { // it may have been moved since
		list, err := h.Record.Occurrences(ctx, span[0].Add(-time.Second), span[1].Add(time.Second))
		if err != nil {
			return status.Occurrence{}, false, err
		}
		for _, o := range list {
			if o.ID == e.Subject.ID {
				return o, true, nil
			}
		}
	}
	return status.Occurrence{}, false, nil
}

// recurring reports whether a window, by key, comes again and again.
func (h *Hub) recurring(ctx context.Context, window string) (bool, error) {
	list, err := h.Record.Windows(ctx)
	if err != nil {
		return false, err
	}
	for _, w := range list {
		if w.Key == window {
			return w.RRule != "", nil
		}
	}
	return false, nil
}

// late is how a moment is put into words for staff.
func late(at time.Time) string { return at.UTC().Format("2 Jan 15:04 UTC") }
