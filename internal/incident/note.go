package incident

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Note writes a line for staff. It does not take the incident over from the
// machine. Errors: Invalid, TooMany.
func (r *Room) Note(ctx context.Context, by access.Actor, id, body string) (Update, error) {
	var u Update
	_, err := r.change(ctx, by, id, claim{access.IncidentNote, false, 0}, func(h *hand) error {
		words, err := text("body", body, MaxBody, false)
		if err != nil {
			return err
		}
		u = Update{Kind: KindNote, Body: words}
		if err := h.put(&u); err != nil {
			return err
		}
		return h.tellStaff("noted", map[string]string{"update": u.ID})
	})
	return u, err
}

// Assign gives a duty to a person, by id; "" takes it away. Errors: Invalid.
func (r *Room) Assign(ctx context.Context, by access.Actor, id, duty, person string) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentNote, true, 0}, func(h *hand) error {
		switch duty {
		case Commander, Communications, Scribe:
		default:
			return problem.Invalid("duty", "There is no duty %q: commander, communications or scribe.", duty)
		}
		if person != "" && !reference.MatchString(person) {
			return problem.Invalid("person", "This is not the id of a person.")
		}
		if !h.i.give(duty, person, h.now) {
			return nil
		}
		if err := h.fact("assigned", map[string]string{"duty": duty, "person": person}); err != nil {
			return err
		}
		return h.tellStaff("assigned", map[string]string{"duty": duty, "person": person})
	})
}

// give changes who has a duty, and reports whether that is news.
func (i *Incident) give(duty, person string, now time.Time) bool {
	for n := range i.Roles {
		if d := &i.Roles[n]; d.Role == duty {
			if d.Person == person {
				return false
			}
			d.Person, d.Since = person, now
			return true
		}
	}
	if person == "" {
		return false
	}
	i.Roles = append(i.Roles, Duty{Role: duty, Person: person, Since: now})
	return true
}
