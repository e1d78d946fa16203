package incident

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Hold sends an update that goes out in UndoFor, unless somebody takes it back
// (Schedule with the zero time) or sends it at once (Release). What could not be
// published now is refused now. It waits as a scheduled draft does, so that no
// crash loses it and the page and the notices wait alike. Errors: Invalid, TooMany.
func (r *Room) Hold(ctx context.Context, by access.Actor, id string, p Publication) (Update, error) {
	var u Update
	_, err := r.change(ctx, by, id, claim{access.IncidentUpdate, true, p.Version}, func(h *hand) error {
		var err error
		if u, err = h.slot(Wording{UpdateID: p.UpdateID, PublishAt: h.now.Add(UndoFor)}); err != nil {
			return err
		}
		if err := h.allows(by, access.IncidentUpdate, keysOf(p.Components)); len(p.Components) > 0 && err != nil {
			return err
		}
		return h.hold(&u, p)
	})
	return u, err
}

// hold makes u, new or a draft, an update that is about to go out.
func (h *hand) hold(u *Update, p Publication) error {
	switch {
	case !p.At.IsZero():
		return problem.Invalid("at", "An update that is held stands at the moment it goes out.")
	case p.Impact != "":
		return problem.Invalid("impact", "Set the impact apart from an update that is held.")
	}
	u.Components = nil // what it says of components is what the sender sees now
	if err := h.fits(*u, p); err != nil {
		return err
	}
	if err := h.compose(u, p); err != nil {
		return err
	}
	for _, a := range p.Components {
		u.Components = append(u.Components, Change{Component: a.Component, To: a.Status})
	}
	u.Author, u.EditedAt, u.PublishAt, u.NextUpdate = h.by.ID, h.now, h.now.Add(UndoFor), p.NextUpdate
	var err error
	if u.ID == "" {
		err = h.put(u)
	} else {
		err = h.store.PutUpdate(h.ctx, h.tx, u)
	}
	if err != nil {
		return err
	}
	return h.tellStaff("scheduled", map[string]string{"update": u.ID, "at": u.PublishAt.Format(time.RFC3339), "held": "1"})
}

// fits tries an update on a copy of the incident. Errors: as publish.
func (h *hand) fits(u Update, p Publication) error {
	i := *h.i
	i.Components = slices.Clone(i.Components)
	trial := *h
	trial.i = &i
	_, err := trial.say(&u, p, "")
	return err
}

// Release publishes an update that waits, as it was written, before its moment.
// Errors: Invalid; Conflict when it went out already or was taken back.
func (r *Room) Release(ctx context.Context, by access.Actor, updateID string) (Incident, Update, error) {
	var i Incident
	var out Update
	err := r.changeLine(ctx, by, updateID, claim{access.IncidentUpdate, true, 0}, func(h *hand, u Update) error {
		switch {
		case u.Kind != KindUpdate || !u.PublishedAt.IsZero():
			return problem.Conflict("This update was published already.")
		case u.PublishAt.IsZero():
			return problem.Conflict("This update was taken back; it is a draft again.")
		}
		if err := h.publish(&u, u.publication(), ""); err != nil {
			return err
		}
		i, out = *h.i, u
		return nil
	})
	return i, out, err
}

// publication is an update that waits, as it goes out.
func (u *Update) publication() Publication {
	return Publication{UpdateID: u.ID, State: u.State, Deliver: u.Deliver, NextUpdate: u.NextUpdate}
}
