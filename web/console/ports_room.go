package console

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
)

// Room is where people work on incidents. *incident.Room is one; each act is
// checked there against the incident it is about.
type Room interface {
	Incidents
	Get(ctx context.Context, by access.Actor, id string) (incident.Incident, []incident.Update, error)
	Find(ctx context.Context, by access.Actor, id string) (incident.Incident, error)
	Propose(ctx context.Context, by access.Actor, id string) (incident.Wording, error)

	Declare(ctx context.Context, by access.Actor, d incident.Declaration) (incident.Incident, error)
	Backfill(ctx context.Context, by access.Actor, p incident.Past) (incident.Incident, error)
	Publish(ctx context.Context, by access.Actor, id string, p incident.Publication) (incident.Incident, incident.Update, error)
	Hold(ctx context.Context, by access.Actor, id string, p incident.Publication) (incident.Update, error)
	Release(ctx context.Context, by access.Actor, updateID string) (incident.Incident, incident.Update, error)
	Schedule(ctx context.Context, by access.Actor, updateID string, at time.Time) (incident.Update, error)
	Reopen(ctx context.Context, by access.Actor, id string, p incident.Publication) (incident.Incident, incident.Update, error)
	Draft(ctx context.Context, by access.Actor, id string, w incident.Wording) (incident.Update, error)
	DropDraft(ctx context.Context, by access.Actor, updateID string) error
	Edit(ctx context.Context, by access.Actor, updateID, body string, why incident.Reason, version int64) (incident.Update, error)
	Drop(ctx context.Context, by access.Actor, id string) (incident.Incident, error)
	Merge(ctx context.Context, by access.Actor, id, into string) (incident.Incident, error)

	Note(ctx context.Context, by access.Actor, id, body string) (incident.Update, error)
	Assign(ctx context.Context, by access.Actor, id, duty, person string) (incident.Incident, error)
	AddTask(ctx context.Context, by access.Actor, id, words, owner string) (incident.Task, error)
	TickTask(ctx context.Context, by access.Actor, id, taskID string, done bool) (incident.Task, error)
	DropTask(ctx context.Context, by access.Actor, id, taskID string) error
	Link(ctx context.Context, by access.Actor, id string, l incident.Link) (incident.Incident, error)
	Unlink(ctx context.Context, by access.Actor, id string, l incident.Link) (incident.Incident, error)

	Rename(ctx context.Context, by access.Actor, id, name string, why incident.Reason) (incident.Incident, error)
	SetImpact(ctx context.Context, by access.Actor, id string, m incident.Impact, why incident.Reason) (incident.Incident, error)
	SetComponents(ctx context.Context, by access.Actor, id string, list []incident.Affected, why incident.Reason) (incident.Incident, error)
	SetStart(ctx context.Context, by access.Actor, id string, at time.Time, why incident.Reason) (incident.Incident, error)
	SetRunbook(ctx context.Context, by access.Actor, id, address string) (incident.Incident, error)
	SetVisibility(ctx context.Context, by access.Actor, id string, v incident.Visibility, why incident.Reason) (incident.Incident, error)
	Promise(ctx context.Context, by access.Actor, id string, every time.Duration) (incident.Incident, error)
	Explain(ctx context.Context, by access.Actor, id string, why incident.Reason) (incident.Incident, error)

	WriteReview(ctx context.Context, by access.Actor, id, body string, why incident.Reason, version int64) (incident.Incident, error)
	PublishReview(ctx context.Context, by access.Actor, id string, deliver bool) (incident.Incident, error)

	Templates(ctx context.Context, by access.Actor) ([]incident.Template, error)
	PutTemplate(ctx context.Context, by access.Actor, t incident.Template) (incident.Template, error)
	DropTemplate(ctx context.Context, by access.Actor, id string, version int64) error
	Fill(ctx context.Context, by access.Actor, templateID, incidentID string, values map[string]string) (incident.Filled, error)
}
