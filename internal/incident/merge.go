package incident

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Merge lets incident into take the place of id: its lines, links, tasks,
// duties and components move, and its address leads to the other from then on.
// It gives the one that stays. Errors: Invalid, and Conflict where customers or
// secrets would suffer: what customers see is only merged into what they see,
// what is private only into what is private.
func (r *Room) Merge(ctx context.Context, by access.Actor, id, into string) (Incident, error) {
	if err := by.Check(access.IncidentUpdate); err != nil {
		return Incident{}, err
	}
	target, err := r.locate(ctx, into)
	if err != nil {
		return Incident{}, err
	}
	var out Incident
	_, err = r.change(ctx, by, id, claim{access.IncidentUpdate, true, 0}, func(h *hand) error {
		stays, err := r.store.IncidentForUpdate(h.ctx, h.tx, target)
		if err != nil {
			return err
		}
		to := *h
		to.i = &stays
		if err := to.admit(claim{action: access.IncidentUpdate}); err != nil {
			return err
		}
		if err := mergeable(h.i, &stays); err != nil {
			return err
		}
		stays.takenOver()
		if err := h.mergeInto(&to); err != nil {
			return err
		}
		out = stays
		return nil
	})
	return out, err
}

// mergeable refuses merges that would show secrets or hide what was seen.
func mergeable(i, into *Incident) error {
	switch {
	case i.ID == into.ID:
		return problem.Invalid("into", "An incident is not merged into itself.")
	case (i.Visibility == Private) != (into.Visibility == Private):
		return problem.Conflict("A private incident and one that is not are kept apart; link them.")
	case i.Seen() && !into.Seen():
		return problem.Conflict("Customers see %s and not %s: merge the other way round.", i.Label(), into.Label())
	case i.Open() && !into.Open():
		return problem.Conflict("%s is over and %s is not: reopen it first, or merge the other way round.", into.Label(), i.Label())
	}
	return nil
}

// mergeInto moves all that h's incident has to another, and writes that one.
func (h *hand) mergeInto(to *hand) error {
	i, stays := h.i, to.i
	next, err := i.after(EventMerge)
	if err != nil {
		return err
	}
	drafts, err := h.store.DraftsForUpdate(h.ctx, h.tx, i.ID)
	if err != nil {
		return err
	}
	for _, d := range drafts { // what the machine meant to say of the one that goes
		if d.Author == access.Hub.ID {
			if err := h.dropDraft(d); err != nil {
				return err
			}
		}
	}
	if err := h.store.MoveLines(h.ctx, h.tx, i.ID, stays.ID); err != nil {
		return err
	}
	stays.Lines += i.Lines
	i.Lines = 0
	stays.takes(i)
	// Told before it is marked, while customers still see it: the page must lose it.
	if err := h.tell("merged", h.now, map[string]string{"into": stays.ID}); err != nil {
		return err
	}
	i.State, i.MergedInto, i.PublishAfter, i.NextUpdateAt = next, stays.ID, time.Time{}, time.Time{}
	if err := to.fact("merged", map[string]string{"from": i.ID, "label": i.Label()}); err != nil {
		return err
	}
	if err := to.tell("absorbed", h.now, map[string]string{"from": i.ID}); err != nil {
		return err
	}
	return to.keep()
}

// takes adds what another incident has and this one has not.
func (i *Incident) takes(o *Incident) {
	for _, a := range o.Components {
		if i.affected(a.Component) == nil && len(i.Components) < MaxComponents {
			if i.Seen() && !o.Seen() || o.Machine && !i.Machine {
				a.Status = "" // nobody published it, or nobody but the machine would
			}
			i.Components = append(i.Components, a)
		}
	}
	for _, l := range o.Links {
		self := l.Ref.Kind == "incident" && l.Ref.ID == i.ID
		if !self && len(i.Links) < MaxLinks && !slices.ContainsFunc(i.Links, l.same) {
			i.Links = append(i.Links, l)
		}
	}
	for _, t := range o.Tasks {
		if len(i.Tasks) < MaxTasks {
			i.Tasks = append(i.Tasks, t)
		}
	}
	for _, d := range o.Roles {
		if !slices.ContainsFunc(i.Roles, func(has Duty) bool { return has.Role == d.Role && has.Person != "" }) {
			i.give(d.Role, d.Person, d.Since)
		}
	}
	if o.StartedAt.Before(i.StartedAt) {
		i.StartedAt = o.StartedAt
	}
	i.weigh()
}
