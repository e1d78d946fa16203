package incident

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// Reconcile compares open incidents with what checks say now, and notes what is
// missing there: the followers that call Suspect see changes, and this sees what
// stands. It opens nothing. seen is by component key.
func (r *Room) Reconcile(ctx context.Context, tx journal.Tx, seen map[string]Suspicion) error {
	s, err := r.suspects(ctx, tx)
	if err != nil {
		return err
	}
	for _, h := range s.open {
		for _, key := range keysOf(h.i.Components) {
			if x, ok := seen[key]; ok && grades[x.Status] > 0 {
				if err := h.note(x); err != nil {
					return err
				}
			}
		}
		if h.i.GreenSince.IsZero() && !slices.ContainsFunc(h.i.Components, func(a Affected) bool { return a.Observed != "operational" }) {
			h.touched = h.touched || len(h.i.Components) > 0
		}
	}
	return s.settle()
}

// settle writes what was noted.
func (s *suspects) settle() error {
	for _, h := range s.open {
		if !h.touched || h.i.MergedInto != "" {
			continue
		}
		if err := h.weighGreen(); err != nil {
			return err
		}
		if h.i.Machine {
			if err := h.speak(s.known); err != nil {
				return err
			}
		}
		if h.fresh {
			if err := h.tell("suspected", h.i.StartedAt, map[string]string{"origin": string(h.i.Origin)}); err != nil {
				return err
			}
		}
		if err := h.keep(); err != nil {
			return err
		}
	}
	return nil
}

// weighGreen notes whether all is well, which proposes the end.
func (h *suspect) weighGreen() error {
	well, err := h.well()
	if err != nil {
		return err
	}
	switch {
	case well && h.i.GreenSince.IsZero():
		h.i.GreenSince = earliest(moment(h.latest), h.now)
		if err := h.fact("proposed", map[string]string{"state": string(Resolved)}); err != nil {
			return err
		}
		return h.tell("proposed", h.i.GreenSince, map[string]string{"proposes": string(Resolved)})
	case !well && !h.i.GreenSince.IsZero():
		h.i.GreenSince = time.Time{}
		h.hurryAnew()
	}
	return nil
}

// hurryAnew gives a person the whole time again when what had been well fails
// once more: what comes and goes is published only when it stays.
func (h *suspect) hurryAnew() {
	if !h.i.Machine {
		return
	}
	h.i.PublishAfter = time.Time{}
	known := h.known()
	for _, a := range h.i.Components {
		if c, ok := known[a.Component]; ok && wrong(a.Observed) {
			h.hurry(c)
		}
	}
}

// well reports whether all that is known speaks for the end: checks see every
// component well, and no alert of a foreign system fires.
func (h *suspect) well() (bool, error) {
	firing, err := h.store.FiringForUpdate(h.ctx, h.tx, h.i.ID)
	if err != nil || len(firing) > 0 {
		return false, err
	}
	known := false
	for _, a := range h.i.Components {
		switch a.Observed {
		case "operational":
			if h.i.heardOf(a) {
				return false, nil
			}
			known = true
		case "":
			if h.i.Origin != ByAlert {
				return false, nil
			}
		default:
			return false, nil
		}
	}
	return known || h.i.Origin == ByAlert, nil
}

// speak renews what the machine would say: the draft while nobody sees the
// incident, an update without a notice when customers do.
func (h *suspect) speak(known map[string]Component) error {
	if h.i.Seen() {
		if len(h.said) == 0 {
			return nil
		}
		names := publicNames(h.said, known)
		if len(names) == 0 {
			h.i.adopt(h.said)
			return nil
		}
		return h.publish(&Update{}, Publication{Body: alsoFailing(names), Components: h.said}, "")
	}
	if h.i.State != Suspected {
		return nil
	}
	h.i.Name = titleOf(h.i, known)
	drafts, err := h.store.DraftsForUpdate(h.ctx, h.tx, h.i.ID)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(drafts, func(u Update) bool { return u.Author == access.Hub.ID })
	draft := Update{Kind: KindUpdate, State: Investigating, Deliver: true}
	if n >= 0 {
		draft = drafts[n]
	}
	body := firstWords(h.i, known)
	if n >= 0 && draft.Body == body {
		return nil
	}
	draft.Body, draft.EditedAt = body, h.now
	if n >= 0 {
		return h.store.PutUpdate(h.ctx, h.tx, &draft)
	}
	return h.put(&draft)
}

// adopt takes statuses over without telling anybody.
func (i *Incident) adopt(list []Affected) {
	for _, a := range list {
		if is := i.affected(a.Component); is != nil {
			is.Status, is.Since = a.Status, a.Since
		}
	}
	i.weigh()
}
