package public

import (
	"encoding/json"
	"fmt"

	"evenkeel/internal/markup"
	"evenkeel/internal/status"
)

// Bounds of what the lists of incidents tell: beyond them updates are told in
// short, and the oldest are left to the incident's own document.
const (
	maxV2Text    = 512 << 10 // letters
	maxV2Updates = 100       // of one incident
)

// incident translates an incident.
func (v *v2) incident(p *status.Page, i *status.Incident) v2Incident {
	out := v2Incident{
		ID: i.ID, Name: i.Name, Status: i.Status, Impact: i.Impact, CreatedAt: v2Time(i.CreatedAt), UpdatedAt: v2Time(i.UpdatedAt),
		StartedAt: v2Time(i.StartedAt), MonitoringAt: v2Maybe(i.MonitoringAt), ResolvedAt: v2Maybe(i.ResolvedAt),
		Shortlink: p.Site.URL + incidentPath(i.ID), PageID: v.page.ID, Updates: []v2Update{}, Components: v.affected(i),
	}
	if i.Review.Body != "" {
		at := v2Time(i.Review.PublishedAt)
		out.Updates = append(out.Updates, v2Update{
			ID: i.ID + "-postmortem", Status: "postmortem", Body: v.told(i.Review.Body), IncidentID: i.ID, CreatedAt: at,
			UpdatedAt: v2Time(later(i.Review.PublishedAt, i.Review.EditedAt)), DisplayAt: at, Affected: []v2Affected{},
		})
	}
	for n := range i.Updates {
		if len(out.Updates) == maxV2Updates {
			break
		}
		u := &i.Updates[n]
		made := v2Update{
			ID: u.ID, Status: u.Status, Body: v.told(u.Body), IncidentID: i.ID, CreatedAt: v2Time(u.CreatedAt), UpdatedAt: v2Time(later(u.CreatedAt, later(u.At, u.EditedAt))),
			DisplayAt: v2Time(u.At), Affected: []v2Affected{}, Notifications: u.Deliver,
		}
		for _, m := range u.Moves {
			if m.To != "" {
				made.Affected = append(made.Affected, v2Affected{m.ID, m.Name, v2Shown(m.From), v2Shown(m.To)})
			}
		}
		out.Updates = append(out.Updates, made)
	}
	return out
}

// told gives a text in full as long as there is room for it, then in short.
func (v *v2) told(text string) string {
	if v.text.afford(text) {
		return text
	}
	return markup.Summary(text, maxSummary)
}

// affected gives the components of an incident, in its order.
func (v *v2) affected(i *status.Incident) []v2Component {
	ids := make([]string, len(i.Components))
	for n := range i.Components {
		ids[n] = i.Components[n].ID
	}
	return v.named(ids)
}

// v2IncidentSheet writes one incident by itself. Errors: Internal.
func v2IncidentSheet(p *status.IncidentPage) (sheet, error) {
	bare := *p.Page
	bare.Incidents, bare.Recent = nil, nil
	v := newV2(&bare)
	body, err := json.Marshal(struct {
		Page     v2Page     `json:"page"`
		Incident v2Incident `json:"incident"`
	}{v.page, v.incident(p.Page, &p.Incident)})
	return sheet{body: append(body, '\n'), kind: typeJSON, open: true}, err
}

// work translates an occurrence of maintenance.
func (v *v2) work(p *status.Page, o status.Occurrence) v2Maintenance {
	created, changed := workTimes(o)
	if !o.CreatedAt.IsZero() {
		created = o.CreatedAt
	}
	began := o.From
	if !o.StartedAt.IsZero() {
		began = o.StartedAt
	}
	m := v2Maintenance{ScheduledFor: v2Time(o.From), ScheduledUntil: v2Time(o.To)}
	m.v2Incident = v2Incident{
		ID: o.ID, Name: o.Title, Status: v2WorkState(o.State), Impact: string(status.IndicatorMaintenance), CreatedAt: v2Time(created), UpdatedAt: v2Time(changed),
		StartedAt: v2Time(began), ResolvedAt: v2Maybe(o.EndedAt), Shortlink: p.Site.URL + maintenancePath(o.ID), PageID: v.page.ID,
		Components: v.named(o.Components),
	}
	steps := workUpdates(o)
	for n, step := range steps { // newest first
		at := v2Time(step.at)
		u := v2Update{
			ID: fmt.Sprintf("%s-%d", o.ID, len(steps)-n), Status: v2WorkState(step.state), Body: orElse(o.Text, o.Title), IncidentID: o.ID,
			CreatedAt: at, UpdatedAt: at, DisplayAt: at, Affected: []v2Affected{}, Notifications: true,
		}
		if step.state == status.MaintenanceScheduled {
			u.UpdatedAt = v2Time(revised(o))
		} else {
			u.Body = workWords[step.state]
		}
		for _, c := range m.Components {
			before, after := workMoves(step.state, c.Status)
			u.Affected = append(u.Affected, v2Affected{c.ID, c.Name, before, after})
		}
		m.Updates = append(m.Updates, u)
	}
	return m
}

// v2WorkState is a state of maintenance in the vocabulary of the shapes, which
// knows no cancelled.
func v2WorkState(s status.MaintenanceState) string {
	if s == status.MaintenanceCancelled {
		s = status.MaintenanceCompleted
	}
	return string(s)
}

// workMoves tells how maintenance in a state moved a component that is in a
// status now: nothing is moved by what is only planned or called off.
func workMoves(state status.MaintenanceState, now status.Status) (before, after status.Status) {
	switch state {
	case status.MaintenanceInProgress, status.MaintenanceVerifying:
		return status.Operational, status.UnderMaintenance
	case status.MaintenanceCompleted:
		return status.UnderMaintenance, status.Operational
	}
	return now, now
}
