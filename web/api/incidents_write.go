package api

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
)

// seconds reads a time span of the API.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// told is true unless somebody said otherwise.
func told(deliver *bool) bool { return deliver == nil || *deliver }

type newIncident struct {
	Body api.NewIncident
}

func declareIncident(ctx context.Context, c *call, in *newIncident) (*api.Incident, error) {
	b := &in.Body
	components, err := c.affected(b.Components)
	if err != nil {
		return nil, err
	}
	d := incident.Declaration{
		Name: b.Name, State: incident.State(b.State), Impact: incident.Impact(b.Impact), Components: components, Private: b.Private,
		StartedAt: b.StartedAt.UTC(), Runbook: b.Runbook, Body: b.Body, Publish: b.Publish, Deliver: told(b.Deliver), NextUpdate: seconds(b.NextUpdate),
	}
	var i incident.Incident
	switch {
	case !b.ResolvedAt.IsZero():
		past := incident.Past{Declaration: d, ResolvedAt: b.ResolvedAt.UTC(), Review: b.Postmortem}
		for _, u := range b.Updates {
			past.Updates = append(past.Updates, incident.PastUpdate{State: incident.State(u.State), Body: u.Body, At: u.At.UTC()})
		}
		i, err = c.Incidents.Backfill(ctx, c.by, past)
	case len(b.Updates) > 0 || b.Postmortem != "":
		err = problem.Invalid("resolved_at", "Updates of the past and a postmortem belong to an incident that is over: say when it was.")
	default:
		i, err = c.Incidents.Declare(ctx, c.by, d)
	}
	if err != nil {
		return nil, err
	}
	return getIncident(ctx, c, &IncidentID{ID: i.ID})
}

type editedIncident struct {
	IncidentID
	Body api.EditedIncident
}

// editIncident changes what is given, each change a unit of work of its own,
// and stops at the first that is refused.
func editIncident(ctx context.Context, c *call, in *editedIncident) (*api.Incident, error) {
	b, why := &in.Body, incident.Reason(in.Body.Reason)
	var steps []func() (incident.Incident, error)
	if b.Name != nil {
		steps = append(steps, func() (incident.Incident, error) { return c.Incidents.Rename(ctx, c.by, in.ID, *b.Name, why) })
	}
	if b.Impact != nil {
		steps = append(steps, func() (incident.Incident, error) {
			return c.Incidents.SetImpact(ctx, c.by, in.ID, incident.Impact(*b.Impact), why)
		})
	}
	if b.Components != nil {
		components, err := c.affected(b.Components)
		if err != nil {
			return nil, err
		}
		steps = append(steps, func() (incident.Incident, error) { return c.Incidents.SetComponents(ctx, c.by, in.ID, components, why) })
	}
	if b.StartedAt != nil {
		steps = append(steps, func() (incident.Incident, error) {
			return c.Incidents.SetStart(ctx, c.by, in.ID, b.StartedAt.UTC(), why)
		})
	}
	if b.Runbook != nil {
		steps = append(steps, func() (incident.Incident, error) { return c.Incidents.SetRunbook(ctx, c.by, in.ID, *b.Runbook) })
	}
	if b.Visibility != nil {
		steps = append(steps, func() (incident.Incident, error) {
			return c.Incidents.SetVisibility(ctx, c.by, in.ID, incident.Visibility(*b.Visibility), why)
		})
	}
	if len(steps) == 0 {
		return nil, problem.Invalid("", "Say what to change.")
	}
	for _, step := range steps {
		if _, err := step(); err != nil {
			return nil, err
		}
	}
	return getIncident(ctx, c, &in.IncidentID)
}

type newUpdate struct {
	IncidentID
	Body api.NewUpdate
}

func postUpdate(ctx context.Context, c *call, in *newUpdate) (*api.IncidentLine, error) {
	b := &in.Body
	components, err := c.affected(b.Components)
	if err != nil {
		return nil, err
	}
	var u incident.Update
	if b.Draft || !b.PublishAt.IsZero() {
		u, err = c.Incidents.Draft(ctx, c.by, in.ID, incident.Wording{
			UpdateID: b.Update, Body: b.Body, State: incident.State(b.State), Components: components, Deliver: told(b.Deliver), PublishAt: b.PublishAt.UTC(),
		})
	} else {
		if err := c.by.Check(access.IncidentUpdate); err != nil {
			return nil, err
		}
		_, u, err = c.Incidents.Publish(ctx, c.by, in.ID, c.publication(b, components))
	}
	if err != nil {
		return nil, err
	}
	line := c.ids().lineOf(&u)
	return &line, nil
}

func (c *call) publication(b *api.NewUpdate, components []incident.Affected) incident.Publication {
	return incident.Publication{
		UpdateID: b.Update, Body: b.Body, State: incident.State(b.State), Impact: incident.Impact(b.Impact), Components: components,
		Deliver: told(b.Deliver), At: b.At.UTC(), NextUpdate: seconds(b.NextUpdate), Version: b.Version,
	}
}

func reopenIncident(ctx context.Context, c *call, in *newUpdate) (*api.IncidentLine, error) {
	components, err := c.affected(in.Body.Components)
	if err != nil {
		return nil, err
	}
	_, u, err := c.Incidents.Reopen(ctx, c.by, in.ID, c.publication(&in.Body, components))
	if err != nil {
		return nil, err
	}
	line := c.ids().lineOf(&u)
	return &line, nil
}

// UpdateID names a line of an incident.
type UpdateID struct {
	IncidentID
	Update string `path:"update" maxLength:"64"`
}

// belongs refuses a line of another incident. A token that may write and not read
// is left to the wing, which looks at the line itself.
func (c *call) belongs(ctx context.Context, in UpdateID) error {
	if !c.by.May(access.IncidentRead) {
		return nil
	}
	i, _, err := c.Incidents.Get(ctx, c.by, in.ID)
	if err != nil {
		return err
	}
	u, err := c.Incidents.Line(ctx, c.by, in.Update)
	if err == nil && u.Incident != i.ID {
		err = problem.NotFound("There is no update %q in this incident.", in.Update)
	}
	return err
}

type editedUpdate struct {
	UpdateID
	Body api.EditedUpdate
}

func editUpdate(ctx context.Context, c *call, in *editedUpdate) (*api.IncidentLine, error) {
	if err := c.belongs(ctx, in.UpdateID); err != nil {
		return nil, err
	}
	u, err := c.Incidents.Edit(ctx, c.by, in.Update, in.Body.Body, incident.Reason(in.Body.Reason), in.Body.Version)
	if err != nil {
		return nil, err
	}
	line := c.ids().lineOf(&u)
	return &line, nil
}

func dropDraft(ctx context.Context, c *call, in *UpdateID) (*nothing, error) {
	if err := c.belongs(ctx, *in); err != nil {
		return nil, err
	}
	return nil, c.Incidents.DropDraft(ctx, c.by, in.Update)
}

type words struct {
	IncidentID
	Body api.Words
}

func noteIncident(ctx context.Context, c *call, in *words) (*api.IncidentLine, error) {
	u, err := c.Incidents.Note(ctx, c.by, in.ID, in.Body.Body)
	if err != nil {
		return nil, err
	}
	line := c.ids().lineOf(&u)
	return &line, nil
}

type dutyOf struct {
	IncidentID
	Role string `path:"role" enum:"commander,communications,scribe"`
	Body api.DutyOf
}

func assignDuty(ctx context.Context, c *call, in *dutyOf) (*api.Incident, error) {
	return c.shown(c.Incidents.Assign(ctx, c.by, in.ID, in.Role, in.Body.Person))
}

// shown shows what an act made of an incident.
func (c *call) shown(i incident.Incident, err error) (*api.Incident, error) {
	if err != nil {
		return nil, err
	}
	out := c.incidentOf(&i)
	return &out, nil
}

type newTask struct {
	IncidentID
	Body api.NewTask
}

func taskOf(t incident.Task, err error) (*api.Task, error) {
	if err != nil {
		return nil, err
	}
	return &api.Task{ID: t.ID, Text: t.Text, Owner: t.Owner, Done: t.Done, By: t.By, At: t.At}, nil
}

func addTask(ctx context.Context, c *call, in *newTask) (*api.Task, error) {
	return taskOf(c.Incidents.AddTask(ctx, c.by, in.ID, in.Body.Text, in.Body.Owner))
}

type TaskID struct {
	IncidentID
	Task string `path:"task" maxLength:"64"`
}

type tickedTask struct {
	TaskID
	Body api.TickedTask
}

func tickTask(ctx context.Context, c *call, in *tickedTask) (*api.Task, error) {
	return taskOf(c.Incidents.TickTask(ctx, c.by, in.ID, in.Task, in.Body.Done))
}

func dropTask(ctx context.Context, c *call, in *TaskID) (*nothing, error) {
	return nil, c.Incidents.DropTask(ctx, c.by, in.ID, in.Task)
}

type linked struct {
	IncidentID
	Body api.Link
}

func linkIncident(ctx context.Context, c *call, in *linked) (*api.Incident, error) {
	return c.shown(c.Incidents.Link(ctx, c.by, in.ID, linkOf(in.Body)))
}

func unlinkIncident(ctx context.Context, c *call, in *linked) (*api.Incident, error) {
	return c.shown(c.Incidents.Unlink(ctx, c.by, in.ID, linkOf(in.Body)))
}

type mergedInto struct {
	IncidentID
	Body api.MergeInto
}

func mergeIncident(ctx context.Context, c *call, in *mergedInto) (*api.Incident, error) {
	return c.shown(c.Incidents.Merge(ctx, c.by, in.ID, in.Body.Into))
}

type newReview struct {
	IncidentID
	Body api.NewReview
}

func writePostmortem(ctx context.Context, c *call, in *newReview) (*api.Incident, error) {
	i, err := c.Incidents.WriteReview(ctx, c.by, in.ID, in.Body.Body, incident.Reason(in.Body.Reason), 0)
	if err == nil && in.Body.Publish {
		i, err = c.Incidents.PublishReview(ctx, c.by, in.ID, in.Body.Deliver)
	}
	return c.shown(i, err)
}
