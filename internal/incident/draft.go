package incident

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Wording is a draft as somebody wrote it.
type Wording struct {
	UpdateID   string // the draft to replace; "" = the one that is not scheduled, or a new one
	Body       string // Markdown
	State      State  // "" = as it is when published
	Components []Affected
	Deliver    bool
	PublishAt  time.Time     // zero = not by itself
	NextUpdate time.Duration // promised after this when it goes out; 0 = as the incident says
	Version    int64         // of the draft as it was read; 0 = whatever it is now
}

// Draft writes a draft, or writes it anew. Errors: Invalid, TooMany.
func (r *Room) Draft(ctx context.Context, by access.Actor, id string, w Wording) (Update, error) {
	var u Update
	_, err := r.change(ctx, by, id, claim{access.IncidentNote, true, 0}, func(h *hand) error {
		if !w.PublishAt.IsZero() { // it will go out by itself
			if err := h.allows(by, access.IncidentUpdate, append(keysOf(h.i.Components), keysOf(w.Components)...)); err != nil {
				return err
			}
		}
		var err error
		if u, err = h.slot(w); err != nil {
			return err
		}
		return h.draft(&u, w)
	})
	return u, err
}

// slot finds the draft that a wording replaces, or gives a new one.
func (h *hand) slot(w Wording) (Update, error) {
	if w.UpdateID != "" {
		u, err := h.draftOr(w.UpdateID)
		if err == nil && w.Version != 0 && w.Version != u.Version {
			err = problem.Conflict("Somebody else changed this draft first. Look at it again.")
		}
		return u, err
	}
	drafts, err := h.store.DraftsForUpdate(h.ctx, h.tx, h.i.ID)
	if err != nil {
		return Update{}, err
	}
	for _, d := range drafts {
		if d.PublishAt.IsZero() && w.PublishAt.IsZero() {
			return d, nil
		}
	}
	if len(drafts) >= MaxDrafts {
		return Update{}, problem.TooMany("%s has %d drafts already; publish or drop one.", h.i.Label(), MaxDrafts)
	}
	return Update{}, nil
}

// draft writes a wording into u, new or a draft.
func (h *hand) draft(u *Update, w Wording) error {
	var errs problem.Errors
	body, err := text("body", w.Body, MaxBody, false)
	errs = gather(errs, err)
	if w.State != "" {
		_, err := saying(w.State)
		errs = gather(errs, err)
	}
	errs = gather(errs, duplicates(w.Components))
	errs = gather(errs, h.ahead(w.PublishAt))
	errs = gather(errs, soon(w.NextUpdate))
	known := h.known()
	var changes []Change
	for _, a := range w.Components {
		if _, ok := known[a.Component]; !ok || grades[a.Status] == 0 {
			errs = append(errs, problem.Invalid("components", "%q of the component %q says nothing.", a.Status, a.Component))
			continue
		}
		changes = append(changes, Change{Component: a.Component, To: a.Status})
	}
	if err := errs.Err(); err != nil {
		return err
	}
	u.Kind, u.Body, u.State, u.Components, u.Deliver = KindUpdate, body, w.State, changes, w.Deliver
	u.Author, u.PublishAt, u.NextUpdate, u.EditedAt = h.by.ID, moment(w.PublishAt), w.NextUpdate, h.now
	if u.ID == "" {
		err = h.put(u)
	} else {
		err = h.store.PutUpdate(h.ctx, h.tx, u)
	}
	if err != nil {
		return err
	}
	if !u.PublishAt.IsZero() {
		return h.tellStaff("scheduled", map[string]string{"update": u.ID, "at": u.PublishAt.Format(time.RFC3339)})
	}
	return h.tellStaff("drafted", map[string]string{"update": u.ID})
}

// ahead checks a moment of scheduled publication. Errors: Invalid.
func (h *hand) ahead(at time.Time) error {
	if at.IsZero() || at.After(h.now) && at.Before(h.now.Add(MaxAhead)) {
		return nil
	}
	return problem.Invalid("publish_at", "A publication is scheduled for a moment to come, within %d days.", int(MaxAhead/(24*time.Hour)))
}

// Schedule lets a draft go out by itself at a moment; the zero time takes it
// back. Errors: Invalid.
func (r *Room) Schedule(ctx context.Context, by access.Actor, updateID string, at time.Time) (Update, error) {
	var u Update
	err := r.changeLine(ctx, by, updateID, claim{access.IncidentUpdate, true, 0}, func(h *hand, line Update) error {
		u = line
		if u.Kind != KindUpdate || !u.PublishedAt.IsZero() {
			return problem.Conflict("This update was published already.")
		}
		if err := h.ahead(at); err != nil {
			return err
		}
		u.PublishAt = moment(at)
		if err := h.store.PutUpdate(h.ctx, h.tx, &u); err != nil {
			return err
		}
		if at.IsZero() {
			return h.tellStaff("unscheduled", map[string]string{"update": u.ID})
		}
		return h.tellStaff("scheduled", map[string]string{"update": u.ID, "at": u.PublishAt.Format(time.RFC3339)})
	})
	return u, err
}

// DropDraft deletes a draft.
func (r *Room) DropDraft(ctx context.Context, by access.Actor, updateID string) error {
	return r.changeLine(ctx, by, updateID, claim{access.IncidentNote, true, 0}, func(h *hand, u Update) error {
		if u.Kind != KindUpdate || !u.PublishedAt.IsZero() {
			return problem.Conflict("This update was published already.")
		}
		return h.dropDraft(u)
	})
}

func (h *hand) dropDraft(u Update) error {
	if err := h.store.DropUpdate(h.ctx, h.tx, u.ID, u.Version); err != nil {
		return err
	}
	h.i.Lines--
	return h.tellStaff("undrafted", map[string]string{"update": u.ID})
}

// dropMachineDrafts takes away what the machine proposed and what was not taken.
func (h *hand) dropMachineDrafts() error {
	drafts, err := h.store.DraftsForUpdate(h.ctx, h.tx, h.i.ID)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if d.Author == access.Hub.ID {
			if err := h.dropDraft(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// changeLine is change for an act on one line of a timeline, by its id alone.
func (r *Room) changeLine(ctx context.Context, by access.Actor, updateID string, c claim, fn func(*hand, Update) error) error {
	if err := by.Check(c.action); err != nil {
		return err
	}
	u, err := r.store.Update(ctx, updateID)
	if err != nil {
		return err
	}
	if i, err := r.store.Incident(ctx, u.Incident); err != nil || !r.sees(by, &i) {
		return problem.NotFound("There is no update %q.", updateID) // and no word of the incident it belongs to
	}
	_, err = r.change(ctx, by, u.Incident, c, func(h *hand) error {
		u, err := h.update(updateID)
		if err != nil {
			return err
		}
		return fn(h, u)
	})
	return err
}
