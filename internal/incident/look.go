package incident

import (
	"context"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Get gives an incident with its whole timeline, oldest line first. One that was
// merged says so in MergedInto, and its timeline is there.
func (r *Room) Get(ctx context.Context, by access.Actor, id string) (Incident, []Update, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return Incident{}, nil, err
	}
	i, err := r.find(ctx, by, id)
	if err != nil {
		return Incident{}, nil, err
	}
	lines, err := r.store.Updates(ctx, i.ID)
	if err != nil {
		return Incident{}, nil, err
	}
	return i, lines, nil
}

// Find is Get without the timeline.
func (r *Room) Find(ctx context.Context, by access.Actor, id string) (Incident, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return Incident{}, err
	}
	return r.find(ctx, by, id)
}

// find reads one that the actor may know of.
func (r *Room) find(ctx context.Context, by access.Actor, id string) (i Incident, err error) {
	if number, ok := numbered(id); ok {
		i, err = r.store.IncidentByNumber(ctx, number)
	} else {
		i, err = r.store.Incident(ctx, id)
	}
	switch {
	case problem.KindOf(err) == problem.KindNotFound, err == nil && !r.sees(by, &i):
		return Incident{}, absent(id)
	case err != nil:
		return Incident{}, err
	}
	return i, nil
}

// List gives a page of incidents, newest start first, without private ones for
// whom they do not concern. The next page begins after the last one: Before its
// StartedAt, BeforeNumber its Number. Errors: Invalid.
func (r *Room) List(ctx context.Context, by access.Actor, q Query) ([]Incident, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return nil, err
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return nil, problem.Invalid("limit", "A page holds 1 to %d incidents.", MaxPage)
	}
	if !by.May(access.IncidentPrivate) {
		q.NoPrivate = true
	}
	if q.NoPrivate || by.MayOn(access.IncidentPrivate) {
		return r.store.Incidents(ctx, q)
	}
	// A right that is narrowed to some components: look at each one, and go on
	// until the page is full.
	limit, out := q.Limit, make([]Incident, 0, q.Limit)
	for {
		page, err := r.store.Incidents(ctx, q)
		if err != nil {
			return nil, err
		}
		for n := range page {
			if r.sees(by, &page[n]) {
				if out = append(out, page[n]); len(out) == limit {
					return out, nil
				}
			}
		}
		if len(page) < q.Limit {
			return out, nil
		}
		last := page[len(page)-1]
		q.Before, q.BeforeNumber = last.StartedAt, last.Number
	}
}

// Open gives every incident that is not over and that the actor may know of,
// oldest first.
func (r *Room) Open(ctx context.Context, by access.Actor) ([]Incident, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return nil, err
	}
	all, err := r.store.OpenIncidents(ctx)
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for n := range all {
		if r.sees(by, &all[n]) {
			out = append(out, all[n])
		}
	}
	return out, nil
}

// Line gives one line of a timeline, by its id.
func (r *Room) Line(ctx context.Context, by access.Actor, updateID string) (Update, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return Update{}, err
	}
	u, err := r.store.Update(ctx, updateID)
	if err != nil {
		return Update{}, err
	}
	if i, err := r.store.Incident(ctx, u.Incident); err != nil || !r.sees(by, &i) {
		return Update{}, problem.NotFound("There is no update %q.", updateID)
	}
	return u, nil
}

// Alerts gives the alerts of other systems that belong to an incident, newest first.
func (r *Room) Alerts(ctx context.Context, by access.Actor, id string, limit int) ([]Alert, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return nil, err
	}
	i, err := r.find(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return r.store.Alerts(ctx, i.ID, limit)
}

// Told gives what was published of some incidents, as List gave them, by incident
// id, oldest update first: one question for a whole page of them.
func (r *Room) Told(ctx context.Context, by access.Actor, list []Incident) (map[string][]Update, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(list))
	for n := range list {
		if r.sees(by, &list[n]) {
			ids = append(ids, list[n].ID)
		}
	}
	lines, err := r.store.UpdatesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]Update, len(ids))
	for _, u := range lines {
		out[u.Incident] = append(out[u.Incident], u)
	}
	return out, nil
}
