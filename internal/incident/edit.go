package incident

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Reason is why somebody changed what customers had seen already. Without one
// the change is made and stands under "Needs attention" until it is explained.
type Reason string

// Edit changes the words of an update, published or not. Errors: Invalid;
// Conflict when version, unless 0, is not the update's.
func (r *Room) Edit(ctx context.Context, by access.Actor, updateID, body string, why Reason, version int64) (Update, error) {
	var out Update
	err := r.changeLine(ctx, by, updateID, claim{access.IncidentUpdate, true, 0}, func(h *hand, u Update) error {
		if version != 0 && version != u.Version {
			return problem.Conflict("Somebody else changed this update first. Look at it again.")
		}
		words, err := text("body", body, MaxBody, false)
		if err != nil {
			return err
		}
		switch {
		case u.Kind == KindFact:
			return problem.Conflict("What the machine recorded is not edited.")
		case u.Kind == KindNote && u.Author != by.ID:
			return problem.Forbidden("A note is edited by whoever wrote it.")
		}
		u.Body, u.EditedAt = words, h.now
		if err := h.store.PutUpdate(h.ctx, h.tx, &u); err != nil {
			return err
		}
		out = u
		if u.Kind == KindNote || u.PublishedAt.IsZero() {
			return h.tellStaff("noted", map[string]string{"update": u.ID, "edited": "1"})
		}
		return h.edited("update", u.ID, why)
	})
	return out, err
}

// edited tells of a change to what stands on the page, and keeps the reason.
func (h *hand) edited(what, id string, why Reason) error {
	reason, err := text("reason", string(why), MaxReason, true)
	if err != nil {
		return err
	}
	facts := map[string]string{"what": what}
	if reason != "" {
		facts["reason"] = reason
	}
	if id != "" {
		facts["update"] = id
	}
	if err := h.fact("edited", facts); err != nil {
		return err
	}
	payload := map[string]string{"what": what, "reason": yes(reason != "")}
	if id != "" {
		payload["update"] = id
	}
	return h.tell("edited", time.Time{}, payload)
}

// Explain gives the reason of edits that were made without one. Errors: Invalid.
func (r *Room) Explain(ctx context.Context, by access.Actor, id string, why Reason) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentNote, false, 0}, func(h *hand) error {
		reason, err := text("reason", string(why), MaxReason, false)
		if err != nil {
			return err
		}
		if err := h.fact("explained", map[string]string{"reason": reason}); err != nil {
			return err
		}
		return h.tellStaff("explained", nil)
	})
}

// Rename changes the public title. Errors: Invalid.
func (r *Room) Rename(ctx context.Context, by access.Actor, id, name string, why Reason) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentUpdate, true, 0}, func(h *hand) error {
		words, err := line("name", name, MaxName)
		if err != nil {
			return err
		}
		h.i.Name = words
		return h.edited("name", "", why)
	})
}

// SetImpact sets the impact, or with ImpactAuto lets it follow the components
// again. Errors: Invalid.
func (r *Room) SetImpact(ctx context.Context, by access.Actor, id string, m Impact, why Reason) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentUpdate, true, 0}, func(h *hand) error {
		if m == "" {
			return problem.Invalid("impact", "Choose an impact.")
		}
		if err := h.i.judge(m); err != nil {
			return err
		}
		return h.edited("impact", "", why)
	})
}

// SetComponents replaces what the incident says of components, without an
// update: those not named are none of it any more. Errors: Invalid, TooMany.
func (r *Room) SetComponents(ctx context.Context, by access.Actor, id string, list []Affected, why Reason) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentUpdate, true, 0}, func(h *hand) error {
		if err := h.allows(by, access.IncidentUpdate, keysOf(list)); err != nil {
			return err
		}
		if err := duplicates(list); err != nil {
			return err
		}
		kept := make([]Affected, 0, len(list))
		for _, a := range list {
			if is := h.i.affected(a.Component); is != nil {
				kept = append(kept, *is)
			}
		}
		h.i.Components = kept
		if _, err := h.i.says(list, h.known(), h.now); err != nil {
			return err
		}
		h.i.weigh()
		return h.edited("components", "", why)
	})
}

// SetStart says when the trouble began. Errors: Invalid.
func (r *Room) SetStart(ctx context.Context, by access.Actor, id string, at time.Time, why Reason) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentUpdate, true, 0}, func(h *hand) error {
		at = moment(at)
		switch {
		case at.IsZero() || at.After(h.now):
			return problem.Invalid("started_at", "An incident cannot begin in the future.")
		case !h.i.ResolvedAt.IsZero() && at.After(h.i.ResolvedAt):
			return problem.Invalid("started_at", "An incident cannot begin after it was over.")
		}
		h.i.StartedAt = at
		return h.edited("started_at", "", why)
	})
}

// SetRunbook sets the address of what to do; "" takes it away. Errors: Invalid.
func (r *Room) SetRunbook(ctx context.Context, by access.Actor, id, address string) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentNote, false, 0}, func(h *hand) error {
		if address != "" {
			var err error
			if address, err = outside("runbook", address); err != nil {
				return err
			}
		}
		h.i.RunbookURL = address
		return h.tellStaff("noted", map[string]string{"what": "runbook"})
	})
}

// Promise says how often updates come; 0 = UpdateEvery. The next one is due so
// long after now. Errors: Invalid.
func (r *Room) Promise(ctx context.Context, by access.Actor, id string, every time.Duration) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentUpdate, true, 0}, func(h *hand) error {
		if every < 0 || every > MaxAhead {
			return problem.Invalid("every", "The next update can be promised within %d days.", int(MaxAhead/(24*time.Hour)))
		}
		h.i.ReminderEvery = every
		h.i.promise(h.now, 0)
		return h.tellStaff("noted", map[string]string{"what": "promise"})
	})
}

// SetVisibility makes an incident private, for good. One that customers saw
// needs a reason for it. Errors: Invalid.
func (r *Room) SetVisibility(ctx context.Context, by access.Actor, id string, v Visibility, why Reason) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentUpdate, true, 0}, func(h *hand) error {
		if err := h.allows(by, access.IncidentPrivate, keysOf(h.i.Components)); err != nil {
			return err
		}
		i, seen := h.i, h.i.Seen()
		switch {
		case v == i.Visibility:
			return nil
		case v == Public && i.Visibility == Draft:
			return problem.Conflict("A draft becomes public by its first update.")
		case v != Private:
			return problem.Conflict("An incident that is %s cannot become %s.", i.Visibility, v)
		case seen && why == "":
			return problem.Invalid("reason", "Customers saw this incident: say why it goes.")
		}
		if err := h.edited("visibility", "", why); err != nil { // told while customers still see it: the page must lose it
			return err
		}
		i.Visibility, i.PublishedAt = Private, time.Time{}
		return nil
	})
}
