package incident

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Past is an incident that is entered after it was over.
type Past struct {
	Declaration           // Body, Publish, Deliver and NextUpdate do not count
	ResolvedAt  time.Time // required
	Updates     []PastUpdate
	Review      string // postmortem, Markdown; "" = none
}

// PastUpdate is one thing that was said then.
type PastUpdate struct {
	State State
	Body  string
	At    time.Time
}

// Backfill enters an incident that is over, with the moments at which things
// happened. Nobody is told. Errors: Invalid.
func (r *Room) Backfill(ctx context.Context, by access.Actor, p Past) (Incident, error) {
	p.Publish, p.State = true, Investigating
	if err := r.mayDeclare(by, p.Declaration); err != nil {
		return Incident{}, err
	}
	var out Incident
	err := r.work.Do(ctx, by.As(access.IncidentDeclare), func(tx journal.Tx) error {
		h := &hand{Room: r, ctx: ctx, tx: tx, by: by, now: tx.Now()}
		said, review, err := p.checked(h.now)
		if err != nil {
			return err
		}
		if h.i, err = h.fresh(p.Declaration); err != nil {
			return err
		}
		h.i.over(p, review, h.now)
		h.i.ChangedAt = h.now
		if err := h.store.PutIncident(ctx, tx, h.i); err != nil {
			return err
		}
		for n := range said {
			if err := h.put(&said[n]); err != nil {
				return err
			}
		}
		if err := h.tell("declared", h.i.StartedAt, map[string]string{"origin": string(h.i.Origin), "backfilled": "1"}); err != nil {
			return err
		}
		if h.i.Seen() {
			if err := h.tell("published", h.i.StartedAt, map[string]string{"deliver": "0", "backfilled": "1"}); err != nil {
				return err
			}
		}
		if err := h.keep(); err != nil {
			return err
		}
		out = *h.i
		return nil
	})
	return out, err
}

// checked gives what was said, in order. Errors: Invalid.
func (p *Past) checked(now time.Time) ([]Update, string, error) {
	var errs problem.Errors
	from, to := moment(p.StartedAt), moment(p.ResolvedAt)
	switch {
	case from.IsZero():
		errs = append(errs, problem.Invalid("started_at", "Say when it began."))
	case to.IsZero() || to.Before(from) || to.After(now):
		errs = append(errs, problem.Invalid("resolved_at", "It ended after it began, and before now."))
	}
	if len(p.Updates) > MaxPast {
		errs = append(errs, problem.Invalid("updates", "A back-filled incident has at most %d updates.", MaxPast))
	}
	said := make([]Update, 0, len(p.Updates))
	for _, u := range p.Updates {
		body, err := text("updates.body", u.Body, MaxBody, true)
		errs = gather(errs, err)
		if _, err := saying(u.State); err != nil {
			errs = gather(errs, err)
		}
		at := moment(u.At)
		if at.Before(from) || at.After(now) {
			errs = append(errs, problem.Invalid("updates.at", "An update stands between the beginning and now."))
		}
		said = append(said, Update{Kind: KindUpdate, State: u.State, Body: body, DisplayAt: at, PublishedAt: now})
	}
	slices.SortStableFunc(said, func(a, b Update) int { return a.DisplayAt.Compare(b.DisplayAt) })
	review, err := text("review", p.Review, MaxReview, true)
	errs = gather(errs, err)
	return said, review, errs.Err()
}

// over makes a fresh incident one that is over.
func (i *Incident) over(p Past, review string, now time.Time) {
	i.Backfilled, i.State, i.ResolvedAt = true, Resolved, moment(p.ResolvedAt)
	for _, u := range p.Updates {
		if u.State == Monitoring && i.MonitoringAt.IsZero() {
			i.MonitoringAt = moment(u.At)
		}
	}
	if i.Visibility == Draft {
		i.Visibility, i.PublishedAt = Public, now
	}
	if review != "" {
		i.State = Postmortem
		i.Review = Review{Body: review, PublishedAt: now, EditedAt: now}
	}
	i.weigh()
}
