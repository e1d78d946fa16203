package incident

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// Suspicion is what checks say of a component from a moment on.
type Suspicion struct {
	Component string // key
	Status    string // operational when it is well again; not_measured, when nothing can be said, changes nothing
	Since     time.Time
	Quiet     bool   // it is in maintenance: nothing is opened for it
	Why       string // for staff: monitor, reason, quorum
}

// Suspect takes what checks say, in order, inside the unit of work of a follower
// of the journal. A failure that no incident explains joins a related one, or
// opens a suspected incident; what checks say of components that are in an
// incident already is noted there; an incident whose components are all well is
// proposed for resolution. An incident that a person has in hand gets facts and
// proposals, and nothing else.
func (r *Room) Suspect(ctx context.Context, tx journal.Tx, list []Suspicion) error {
	s, err := r.suspects(ctx, tx)
	if err != nil {
		return err
	}
	for _, x := range list {
		if _, defined := s.known[x.Component]; defined && grades[x.Status] > 0 {
			if err := s.take(x); err != nil {
				return err
			}
		}
	}
	return s.settle()
}

// suspects is one unit of work on all open incidents at once.
type suspects struct {
	*Room
	ctx   context.Context
	tx    journal.Tx
	known map[string]Component
	open  []*suspect // oldest first; new ones at the end
}

// suspect is an open incident with what is to be written of it.
type suspect struct {
	hand
	fresh   bool       // opened in this unit of work
	touched bool       // something was noted
	said    []Affected // what the machine adds to its own incident that customers see
	latest  time.Time  // the newest moment at which a component became well
}

func (r *Room) suspects(ctx context.Context, tx journal.Tx) (*suspects, error) {
	all, err := r.store.OpenForUpdate(ctx, tx)
	if err != nil {
		return nil, err
	}
	s := &suspects{Room: r, ctx: ctx, tx: tx, known: r.known()}
	for n := range all {
		s.add(&all[n])
	}
	return s, nil
}

func (s *suspects) add(i *Incident) *suspect {
	x := &suspect{hand: hand{Room: s.Room, ctx: s.ctx, tx: s.tx, by: access.Hub, now: s.tx.Now(), i: i}}
	s.open = append(s.open, x)
	return x
}

// take notes one suspicion.
func (s *suspects) take(x Suspicion) error {
	explained := false
	for _, h := range s.open {
		if h.i.MergedInto == "" && h.i.affected(x.Component) != nil {
			explained = explained || h.i.Visibility != Private // what customers never hear of explains nothing to them
			if err := h.note(x); err != nil {
				return err
			}
		}
	}
	if explained || !wrong(x.Status) || x.Quiet {
		return nil
	}
	h := s.host(x)
	if h == nil {
		var err error
		if h, err = s.begin(ByChecks, x.Since); err != nil {
			return err
		}
	}
	if err := h.join(x, s.known[x.Component]); err != nil {
		return err
	}
	if err := h.seen(x, ""); err != nil {
		return err
	}
	return s.absorb(h, x)
}

// note notes what checks say of a component that is in the incident already.
func (h *suspect) note(x Suspicion) error {
	a := h.i.affected(x.Component)
	if a.Observed == x.Status {
		return nil
	}
	was, loud := a.Observed, h.loud(x)
	a.Observed, a.ObservedAt = x.Status, moment(x.Since)
	h.touched = true
	if x.Status == "operational" && x.Since.After(h.latest) {
		h.latest = x.Since
	}
	if h.i.Machine && grades[x.Status] > grades[a.Status] {
		h.grow(Affected{Component: x.Component, Status: x.Status, Since: x.Since})
	}
	if h.i.Machine && h.i.Origin == ByTickets && wrong(x.Status) && !x.Quiet {
		h.hurry(h.known()[x.Component]) // checks see now what people wrote
	}
	if err := h.seen(x, was); err != nil {
		return err
	}
	return h.tell("seen", x.Since, map[string]string{"component": x.Component, "was": was, "status": x.Status, "loud": yes(loud)})
}

// loud reports whether staff must hear of a failure by itself: it is worse than
// all that is in the incident, or all was well there.
func (h *suspect) loud(x Suspicion) bool {
	if !wrong(x.Status) || x.Quiet {
		return false
	}
	worst := 0
	for _, a := range h.i.Components {
		worst = max(worst, grades[a.Observed])
	}
	return grades[x.Status] > worst || !h.i.GreenSince.IsZero()
}

// grow makes the machine's own incident say that a component is worse: at once
// while nobody sees it, by an update when customers do.
func (h *suspect) grow(a Affected) {
	if h.i.Seen() {
		h.said = append(h.said, a)
		return
	}
	is := h.i.affected(a.Component)
	is.Status, is.Since = a.Status, a.Since
	h.i.weigh()
}

// seen writes what checks saw into the timeline.
func (h *suspect) seen(x Suspicion, was string) error {
	if h.i.Lines >= MaxFacts {
		return nil
	}
	facts := map[string]string{"component": x.Component, "from": was, "to": x.Status}
	if x.Why != "" {
		facts["why"] = x.Why
	}
	return h.put(&Update{Kind: KindFact, Verb: "component.moved", Facts: facts, DisplayAt: moment(x.Since)})
}

// join adds a failing component to the incident. In one that a person has in
// hand it says nothing of it: that is theirs to say.
func (h *suspect) join(x Suspicion, c Component) error {
	if len(h.i.Components) >= MaxComponents {
		return nil
	}
	h.touched = true
	loud := h.loud(x)
	h.i.Components = append(h.i.Components, Affected{
		Component: x.Component, Since: moment(x.Since), Observed: x.Status, ObservedAt: moment(x.Since),
	})
	if h.i.Machine {
		h.grow(Affected{Component: x.Component, Status: x.Status, Since: moment(x.Since)})
		h.hurry(c)
		if x.Since.Before(h.i.StartedAt) {
			h.i.StartedAt = moment(x.Since)
		}
	}
	if h.i.RunbookURL == "" {
		h.i.RunbookURL = c.Runbook
	}
	if h.fresh {
		return nil
	}
	return h.tell("joined", x.Since, map[string]string{"component": x.Component, "status": x.Status, "loud": yes(loud)})
}

// hurry sets when the machine's draft is published, by the component's policy:
// as soon as the first of the components asks for it.
func (h *suspect) hurry(c Component) {
	if c.Policy == "manual" || !c.Public || h.i.Seen() {
		return
	}
	after := c.PublishAfter
	if after <= 0 {
		after = DefaultPublishAfter
	}
	if due := h.now.Add(after); h.i.PublishAfter.IsZero() || due.Before(h.i.PublishAfter) {
		h.i.PublishAfter = due
	}
}

// begin opens a suspected incident; what it is about joins it next.
func (s *suspects) begin(origin Origin, since time.Time) (*suspect, error) {
	now := s.tx.Now()
	h := s.add(&Incident{
		ID: newID(), Name: "Suspected trouble", State: Suspected, Impact: ImpactNone, Worst: ImpactNone, Visibility: Draft,
		Origin: origin, Machine: true, StartedAt: earliest(moment(since), now), OpenedAt: now, ChangedAt: now,
	})
	h.fresh, h.touched = true, true
	return h, s.store.PutIncident(s.ctx, s.tx, h.i) // it gets its number
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
