package incident

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Declaration opens an incident.
type Declaration struct {
	Name       string
	State      State      // "" = investigating
	Impact     Impact     // "" = by the components
	Components []Affected // Component and Status count
	Private    bool
	StartedAt  time.Time // when the trouble began; zero = now
	Runbook    string    // "" = that of the first component that has one
	Origin     Origin    // "" = ByPerson

	Body       string // Markdown of the first update; "" = none yet
	Publish    bool   // at once; otherwise Body is kept as a draft
	Deliver    bool   // tell subscribers
	NextUpdate time.Duration
}

// Declare opens an incident, and publishes its first update when it says so.
// Errors: Invalid, TooMany.
func (r *Room) Declare(ctx context.Context, by access.Actor, d Declaration) (Incident, error) {
	if err := r.mayDeclare(by, d); err != nil {
		return Incident{}, err
	}
	var out Incident
	err := r.work.Do(ctx, by.As(access.IncidentDeclare), func(tx journal.Tx) error {
		h := &hand{Room: r, ctx: ctx, tx: tx, by: by, now: tx.Now()}
		if err := h.open(d); err != nil {
			return err
		}
		switch {
		case d.Publish:
			p := Publication{Body: d.Body, State: d.State, Deliver: d.Deliver, NextUpdate: d.NextUpdate}
			if err := h.publish(&Update{}, p, ""); err != nil {
				return err
			}
		case d.Body != "":
			if err := h.draft(&Update{}, Wording{Body: d.Body, State: d.State, Deliver: d.Deliver}); err != nil {
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

// mayDeclare checks the rights that a declaration needs.
func (r *Room) mayDeclare(by access.Actor, d Declaration) error {
	needs := []access.Action{access.IncidentDeclare}
	if d.Publish {
		needs = append(needs, access.IncidentUpdate)
	}
	if d.Private {
		needs = append(needs, access.IncidentPrivate)
	}
	for _, act := range needs {
		if err := r.allows(by, act, keysOf(d.Components)); err != nil {
			return err
		}
	}
	return nil
}

// open makes and stores a new incident, so that it has a number, and tells of it.
func (h *hand) open(d Declaration) error {
	i, err := h.fresh(d)
	if err != nil {
		return err
	}
	h.i = i
	i.ChangedAt = h.now
	if err := h.store.PutIncident(h.ctx, h.tx, i); err != nil {
		return err
	}
	return h.tell("declared", i.StartedAt, map[string]string{"origin": string(i.Origin), "publish": yes(d.Publish)})
}

// fresh makes an incident of a declaration. Errors: Invalid.
func (h *hand) fresh(d Declaration) (*Incident, error) {
	var errs problem.Errors
	name, err := line("name", d.Name, MaxName)
	errs = gather(errs, err)
	i := &Incident{
		ID: newID(), Name: name, State: Investigating, Visibility: Draft, Origin: d.Origin,
		StartedAt: moment(d.StartedAt), OpenedAt: h.now,
	}
	if i.Origin == "" {
		i.Origin = ByPerson
	}
	if i.StartedAt.IsZero() {
		i.StartedAt = h.now
	}
	if d.Private {
		i.Visibility = Private
	}
	if _, err := saying(d.State); d.State != "" && err != nil {
		errs = gather(errs, err)
	}
	switch {
	case d.State == Resolved && !d.Publish:
		errs = append(errs, problem.Invalid("state", "What is over already is entered as a back-filled incident."))
	case d.State != "" && !d.Publish: // else the update puts it there
		i.enter(d.State, i.StartedAt)
	}
	if i.StartedAt.After(h.now) {
		errs = append(errs, problem.Invalid("started_at", "An incident cannot begin in the future."))
	}
	if d.Impact != "" && d.Impact != ImpactAuto {
		if !d.Impact.Valid() {
			errs = append(errs, problem.Invalid("impact", "%q is no impact.", d.Impact))
		}
		i.Impact, i.Overridden = d.Impact, true
	}
	known := h.known()
	errs = gather(errs, duplicates(d.Components))
	_, err = i.says(d.Components, known, i.StartedAt)
	errs = gather(errs, err)
	if i.RunbookURL = d.Runbook; d.Runbook != "" {
		i.RunbookURL, err = outside("runbook", d.Runbook)
		errs = gather(errs, err)
	}
	for n := 0; i.RunbookURL == "" && n < len(d.Components); n++ {
		i.RunbookURL = known[d.Components[n].Component].Runbook
	}
	i.weigh()
	return i, errs.Err()
}

// gather adds an error to a list of problems with the input.
func gather(errs problem.Errors, err error) problem.Errors {
	if e, ok := err.(*problem.Error); ok && e != nil {
		return append(errs, e)
	}
	return errs
}
