package incident

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// MaxSignals is how many alerts one message of a foreign system holds, at most.
const MaxSignals = 1000

// Signal is one alert as a foreign system sends it. The absence of an alert
// says nothing: only its end ends it.
type Signal struct {
	Source      string // id of the hook it came through
	Fingerprint string // with StartsAt: which alert it is
	StartsAt    time.Time
	Firing      bool
	Component   string // key; "" when it names none of ours
	Status      string // what it means for the component: degraded_performance … major_outage
	Name        string // what the alert is called: the title when it opens an incident
	Why         string // for staff
}

// Signals takes alerts of a foreign system, each once: by source, fingerprint,
// start and state. One that fires joins the incident of its component, or a
// related one, or opens a suspected one; when all of an incident are over and
// its components are well, resolution is proposed. Errors: Invalid, TooMany.
func (r *Room) Signals(ctx context.Context, by access.Actor, list []Signal) error {
	if err := by.Check(access.IncidentDeclare); err != nil {
		return err
	}
	if len(list) > MaxSignals {
		return problem.TooMany("A message holds at most %d alerts.", MaxSignals)
	}
	known := r.known()
	list = append([]Signal(nil), list...)
	for n := range list {
		if err := list[n].check(known); err != nil {
			return err
		}
		if list[n].Component != "" {
			if err := r.allows(by, access.IncidentDeclare, []string{list[n].Component}); err != nil {
				return err
			}
		}
	}
	return r.work.Do(ctx, by.As(access.IncidentDeclare), func(tx journal.Tx) error {
		s, err := r.suspects(ctx, tx)
		if err != nil {
			return err
		}
		for _, x := range list {
			if err := s.signal(x); err != nil {
				return err
			}
		}
		return s.settle()
	})
}

// check makes a signal fit to be kept. Errors: Invalid.
func (x *Signal) check(known map[string]Component) error {
	x.StartsAt = moment(x.StartsAt)
	switch {
	case !reference.MatchString(x.Source):
		return problem.Invalid("source", "An alert needs to come from somewhere.")
	case !reference.MatchString(x.Fingerprint):
		return problem.Invalid("fingerprint", "An alert needs a fingerprint.")
	case x.StartsAt.IsZero():
		return problem.Invalid("startsAt", "An alert needs its start.")
	}
	if _, ok := known[x.Component]; !ok {
		x.Component = ""
	}
	if !wrong(x.Status) {
		x.Status = "degraded_performance"
	}
	var err error
	if x.Name, err = line("name", clip(x.Name, MaxName), MaxName); err != nil {
		x.Name = "Alert"
	}
	x.Why, err = text("why", clip(x.Why, MaxReason), MaxReason, true)
	return err
}

// clip cuts a text to so many characters.
func clip(s string, most int) string {
	n := 0
	for at := range s {
		if n++; n > most {
			return s[:at]
		}
	}
	return s
}

// signal notes one alert.
func (s *suspects) signal(x Signal) error {
	was, err := s.store.AlertForUpdate(s.ctx, s.tx, x.Source, x.Fingerprint, x.StartsAt)
	before := problem.KindOf(err) != problem.KindNotFound
	if before && err != nil {
		return err
	}
	if before && (!was.Firing || x.Firing) {
		return nil // known already, or over already
	}
	a := Alert{
		Source: x.Source, Fingerprint: x.Fingerprint, StartsAt: x.StartsAt, Firing: x.Firing, Component: x.Component, Status: x.Status,
		Incident: was.Incident, At: s.tx.Now(),
	}
	if !x.Firing {
		return s.over(x, a)
	}
	h, err := s.alarmed(x)
	if err != nil {
		return err
	}
	a.Incident = h.i.ID
	h.touched = true
	if err := h.put(x.line("alert.firing", s.tx.Now())); err != nil && problem.KindOf(err) != problem.KindTooMany {
		return err
	}
	return s.store.PutAlert(s.ctx, s.tx, a)
}

// over notes the end of an alert.
func (s *suspects) over(x Signal, a Alert) error {
	for _, h := range s.open {
		if h.i.ID == a.Incident && h.i.MergedInto == "" {
			h.touched, h.latest = true, s.tx.Now()
			if err := h.put(x.line("alert.over", s.tx.Now())); err != nil && problem.KindOf(err) != problem.KindTooMany {
				return err
			}
		}
	}
	return s.store.PutAlert(s.ctx, s.tx, a)
}

// line is the fact of an alert in a timeline.
func (x *Signal) line(verb string, at time.Time) *Update {
	facts := map[string]string{"name": x.Name, "source": x.Source}
	if x.Why != "" {
		facts["why"] = x.Why
	}
	if x.Component != "" {
		facts["component"] = x.Component
	}
	return &Update{Kind: KindFact, Verb: verb, Facts: facts, DisplayAt: at}
}

// alarmed finds or opens the incident of an alert that fires.
func (s *suspects) alarmed(x Signal) (*suspect, error) {
	asSuspicion := Suspicion{Component: x.Component, Status: x.Status, Since: x.StartsAt, Why: x.Why}
	for _, h := range s.open {
		if h.i.MergedInto != "" {
			continue
		}
		if x.Component == "" {
			if h.i.Origin == ByAlert && h.i.Machine && len(h.i.Components) == 0 && near(h.i.StartedAt, x.StartsAt) {
				return h, nil
			}
			continue
		}
		if a := h.i.affected(x.Component); a != nil {
			if h.i.Machine && grades[x.Status] > grades[a.Status] {
				h.grow(Affected{Component: x.Component, Status: x.Status, Since: x.StartsAt})
			}
			return h, nil
		}
	}
	if x.Component != "" {
		if h := s.host(asSuspicion); h != nil {
			return h, s.alarm(h, asSuspicion)
		}
	}
	h, err := s.begin(ByAlert, x.StartsAt)
	if err != nil {
		return nil, err
	}
	h.i.Name = x.Name
	if x.Component != "" {
		return h, s.alarm(h, asSuspicion)
	}
	return h, nil
}

// alarm adds the component of an alert to an incident. What our own checks see
// of it is theirs to say.
func (s *suspects) alarm(h *suspect, x Suspicion) error {
	c := s.known[x.Component]
	if err := h.join(x, c); err != nil {
		return err
	}
	if a := h.i.affected(x.Component); a != nil {
		a.Observed, a.ObservedAt = measured(c.Observed), time.Time{}
	}
	return nil
}
