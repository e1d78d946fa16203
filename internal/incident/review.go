package incident

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// WriteReview writes the postmortem, Markdown; version is the incident's as it
// was read, 0 = whatever it is now. One that is published already changes on the
// page at once, which wants a reason. Errors: Invalid.
func (r *Room) WriteReview(ctx context.Context, by access.Actor, id, body string, why Reason, version int64) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentReview, false, version}, func(h *hand) error {
		published := !h.i.Review.PublishedAt.IsZero()
		words, err := text("body", body, MaxReview, !published)
		if err != nil {
			return err
		}
		if published {
			if err := h.allows(by, access.IncidentUpdate, keysOf(h.i.Components)); err != nil {
				return err
			}
		}
		h.i.Review.Body, h.i.Review.EditedAt, h.i.Review.By = words, h.now, by.ID
		if published {
			return h.edited("review", "", why)
		}
		return h.tellStaff("noted", map[string]string{"what": "review"})
	})
}

// PublishReview publishes the postmortem of an incident that is over, and tells
// subscribers when deliver is true. Errors: Invalid.
func (r *Room) PublishReview(ctx context.Context, by access.Actor, id string, deliver bool) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentReview, true, 0}, func(h *hand) error {
		i := h.i
		next, err := i.after(EventReview)
		if err != nil {
			return err
		}
		if i.Review.Body == "" {
			return problem.Invalid("body", "Write the postmortem first.")
		}
		i.State = next
		if i.Review.PublishedAt.IsZero() {
			i.Review.PublishedAt = h.now
		}
		deliver := deliver && i.Seen() && !i.Backfilled
		return h.tell("reviewed", time.Time{}, map[string]string{"deliver": yes(deliver)})
	})
}
