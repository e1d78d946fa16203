package incident

import (
	"slices"
	"time"
)

// host finds the incident that a new failure belongs to: the oldest related one.
// Beyond MaxSuspicions the newest of them takes in whatever fails within JoinWithin.
func (s *suspects) host(x Suspicion) *suspect {
	var newest *suspect
	count := 0
	for _, h := range s.open {
		if h.i.MergedInto != "" || h.i.Visibility == Private {
			continue
		}
		if s.related(h.i, x) {
			return h
		}
		if h.i.State == Suspected {
			count++
			if near(h.i.StartedAt, x.Since) {
				newest = h
			}
		}
	}
	if count >= MaxSuspicions {
		return newest
	}
	return nil
}

// related reports whether a failure belongs to an incident: something in it
// needs the component, or the other way round, or both need the same, and it
// began at about the same time; or it needs something in it that is down still.
func (s *suspects) related(i *Incident, x Suspicion) bool {
	c := s.known[x.Component]
	for _, a := range i.Components {
		if a.Component == x.Component {
			continue
		}
		other, ok := s.known[a.Component]
		if !ok {
			continue
		}
		close := near(i.StartedAt, x.Since) || wrong(a.Observed) && near(a.ObservedAt, x.Since)
		if slices.Contains(c.Needs, other.Key) && (close || grades[a.Observed] >= grades["partial_outage"]) {
			return true
		}
		if close && (slices.Contains(other.Needs, c.Key) || shareNeed(c, other)) {
			return true
		}
	}
	return false
}

// shareNeed reports whether two components need the same one.
func shareNeed(a, b Component) bool {
	return slices.ContainsFunc(a.Needs, func(key string) bool { return slices.Contains(b.Needs, key) })
}

// near reports whether two failures began at about the same time.
func near(a, b time.Time) bool {
	d := a.Sub(b)
	return -JoinWithin <= d && d <= JoinWithin
}

// absorb merges other suspicions of the machine that the new failure ties to the
// incident it is in: two children that failed before their parent did.
func (s *suspects) absorb(host *suspect, x Suspicion) error {
	for _, h := range s.open {
		if h == host || h.i.MergedInto != "" || !h.i.Machine || h.i.State != Suspected || !s.related(h.i, x) {
			continue
		}
		if err := h.mergeMachine(host); err != nil {
			return err
		}
	}
	return nil
}

// mergeMachine lets another incident take the place of a suspicion.
func (h *suspect) mergeMachine(host *suspect) error {
	if err := h.mergeInto(&host.hand); err != nil {
		return err
	}
	host.touched = true
	if host.i.Machine && !h.i.PublishAfter.IsZero() && (host.i.PublishAfter.IsZero() || h.i.PublishAfter.Before(host.i.PublishAfter)) && !host.i.Seen() {
		host.i.PublishAfter = h.i.PublishAfter
	}
	h.touched, h.said = false, nil
	return h.keep()
}
