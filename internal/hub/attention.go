package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/status"
)

const (
	// lookEvery is how often what nobody looks at is looked for.
	lookEvery = 15 * time.Second
	// unspokenAfter is how long a component is down before it counts that no
	// incident says so, greenAfter how long all is well before it counts that an
	// incident is open still, and overdueAfter how late maintenance may be.
	unspokenAfter = 5 * time.Minute
	greenAfter    = 5 * time.Minute
	overdueAfter  = status.OverdueAfter
)

// Attention is a matter that needs somebody, in words for staff.
type Attention struct {
	ID      string
	Kind    Kind
	Subject journal.Ref
	Since   time.Time
	Words   string
	Draft   string // Markdown of an update that would settle it; machine's words, nobody has seen them
	Path    string // in the console: where to act
}

// Attention gives what needs attention, oldest first. What belongs to a private
// incident is left out for whom it does not concern. Errors: Forbidden, Unavailable.
func (h *Hub) Attention(ctx context.Context, by access.Actor) ([]Attention, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return nil, err
	}
	all, err := h.Concerns.Concerns(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Attention, 0, len(all))
	for _, c := range all {
		if c.Kind == held {
			continue
		}
		a, err := h.words(ctx, by, c)
		switch {
		case missing(err):
		case err != nil:
			return nil, err
		default:
			out = append(out, a)
		}
	}
	return out, nil
}

// words puts a concern into words.
func (h *Hub) words(ctx context.Context, by access.Actor, c Concern) (Attention, error) {
	a := Attention{ID: c.ID, Kind: c.Kind, Subject: c.Subject, Since: c.Since}
	s := h.Present.scene.Load()
	var i incident.Incident
	if c.Subject.Kind == "incident" {
		var err error
		if i, err = h.Room.Find(ctx, by, c.Subject.ID); err != nil {
			return a, err
		}
		a.Path = "/console/incidents/" + i.ID
	}
	name := c.Subject.ID
	if known, ok := s.component(c.Subject.ID); ok && c.Subject.Kind == "component" {
		name = known.Name
		a.Path = "/console/components/" + known.ID
	}
	switch c.Kind {
	case Unkept, SetAside, Unread, StillBroken:
		deskWords(&a, &c, i.Label())
	case Unspoken:
		a.Words = fmt.Sprintf("%s has been down since %s, and no incident tells customers.", name, late(c.Since))
		if known, ok := s.component(c.Subject.ID); ok {
			a.Path = "/console/incidents/new?component=" + known.ID
		}
	case Green:
		a.Words = fmt.Sprintf("%s is open although all its components have been well since %s.", i.Label(), late(c.Since))
	case Quiet:
		a.Words = fmt.Sprintf("%s is %s, and the update that was due at %s has not come.", i.Label(), i.State, late(c.Since))
	case Overdue:
		a.Words = fmt.Sprintf("The maintenance %q should have ended at %s.", c.Facts["title"], late(c.Since))
		if c.Facts["late"] == "start" {
			a.Words = fmt.Sprintf("The maintenance %q should have begun at %s.", c.Facts["title"], late(c.Since))
		}
		a.Path = "/console/calendar"
	case Corrected:
		a.Words = fmt.Sprintf("The uptime of %s was edited by hand at %s.", name, late(c.Since))
	case Unexplained:
		a.Words = fmt.Sprintf("The %s of %s was changed at %s, after customers had seen it, and nobody said why.", strings.ReplaceAll(c.Facts["what"], "_", " "), i.Label(), late(c.Since))
	}
	if c.Kind == Green || c.Kind == Quiet {
		a.Draft = incident.Next(&i, s.components, h.now()).Body
	}
	return a, nil
}

// attentionEvent fills in the event of an entry about a concern.
func (h *Hub) attentionEvent(ctx context.Context, ev *notice.Event, verb string, e journal.Sealed) (bool, error) {
	if verb == "settled" {
		return h.settledEvent(ctx, ev, e)
	}
	all, err := h.Concerns.Concerns(ctx)
	if err != nil {
		return false, err
	}
	for _, c := range all {
		if c.ID != e.Subject.ID {
			continue
		}
		a, err := h.words(ctx, access.Hub, c)
		if err != nil {
			return false, err
		}
		ev.Kind, ev.Severity = "attention."+string(c.Kind), notice.SeverityMinor
		if c.Kind == Corrected || c.Kind == Unexplained {
			ev.Severity = notice.SeverityInfo
		} else {
			ev.Alarm = notice.AlarmFire
		}
		ev.Content = notice.Content{Title: a.Words, Status: "attention", Staff: a.Words, Console: a.Path, From: c.Since, Facts: map[string]string{"concern": string(c.Kind)}}
		if c.Subject.Kind == "component" {
			h.Present.scene.Load().concern(ev, []string{c.Subject.ID})
		}
		return true, nil
	}
	return false, nil // settled meanwhile
}

// settledEvent fills in the event of a concern that is over: it takes the alarm
// back, where there was one.
func (h *Hub) settledEvent(ctx context.Context, ev *notice.Event, e journal.Sealed) (bool, error) {
	kind, id, _ := strings.Cut(e.Subject.ID, "-")
	name := id
	switch Kind(kind) {
	case Unspoken:
		if c, ok := h.Present.scene.Load().component(id); ok {
			name = c.Name
		}
		name += " is up again, or customers were told."
	case Green, Quiet:
		i, err := h.Incidents.Incident(ctx, id)
		if err != nil {
			return false, err
		}
		name = i.Label() + " needs nobody's attention any more."
	case Overdue:
		name = "The maintenance is overdue no longer."
	case Unkept, SetAside, Unread, StillBroken:
		name = settledWords(Kind(kind), id)
	default:
		return false, nil // there was no alarm
	}
	ev.Kind, ev.Alarm, ev.Severity = "attention.settled", notice.AlarmClear, notice.SeverityMinor
	ev.Content = notice.Content{Title: name, Status: "settled", Staff: name}
	return true, nil
}

// attend looks for what nobody looks at, until ctx ends (nil) or the lease is
// lost (Conflict).
func (h *Hub) attend(ctx context.Context, lease journal.Lease) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	clear := map[string]time.Time{} // since when nothing excuses a failure whose alarm rests
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := h.look(ctx, lease, clear)
		if errors.Is(err, journal.ErrLeaseLost) {
			return err
		}
		if err == nil {
			h.Beat(LookLoop, lookEvery)
		} else if ctx.Err() == nil && !failing {
			h.Log.Warn("cannot look for what needs attention", "err", err)
		}
		failing = err != nil
	}
}

// commit runs one unit of work under the lease.
func (h *Hub) commit(ctx context.Context, lease journal.Lease, fn func(journal.Tx) error) error {
	return journal.UnderLease(ctx, h.Work, lease, fn)
}

// look takes one look at everything.
func (h *Hub) look(ctx context.Context, lease journal.Lease, clear map[string]time.Time) error {
	open, err := h.Incidents.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	s := h.Present.scene.Load()
	if h.stale(open, s) {
		seen := s.sightings()
		if err := h.commit(ctx, lease, func(tx journal.Tx) error { return h.Room.Reconcile(ctx, tx, seen) }); err != nil {
			return err
		}
	}
	wanted, err := h.wanted(ctx, open, s)
	if err != nil {
		return err
	}
	is, err := h.Concerns.Concerns(ctx)
	if err != nil {
		return err
	}
	if err := h.settle(ctx, lease, wanted, is); err != nil {
		return err
	}
	if err := h.sweepProposals(ctx, lease); err != nil {
		return err
	}
	return h.unhold(ctx, lease, is, clear)
}

// sightings gives what checks see of every component.
func (s *scene) sightings() map[string]incident.Suspicion {
	seen := make(map[string]incident.Suspicion, len(s.observed))
	for key, span := range s.observed {
		seen[key] = incident.Suspicion{
			Component: key, Status: string(span.Status), Since: span.From, Why: span.Staff,
			Quiet: s.published[key].Status == status.UnderMaintenance,
		}
	}
	return seen
}

// stale reports whether an open incident does not know what checks see now, or
// that all is well.
func (h *Hub) stale(open []incident.Incident, s *scene) bool {
	for n := range open {
		well := len(open[n].Components) > 0
		for _, a := range open[n].Components {
			now := s.observed[a.Component].Status
			if now != status.NotMeasured && now != "" && string(now) != a.Observed {
				return true
			}
			well = well && a.Observed == string(status.Operational)
		}
		if well && open[n].GreenSince.IsZero() {
			return true
		}
	}
	return false
}

// wanted gives what needs attention by how things stand, by id.
func (h *Hub) wanted(ctx context.Context, open []incident.Incident, s *scene) (map[string]Concern, error) {
	now, wanted := h.now(), map[string]Concern{}
	add := func(c Concern) { c.ID = c.id(); wanted[c.ID] = c }
	spoken := map[string]bool{}
	for n := range open {
		i := &open[n]
		ref := journal.Ref{Kind: "incident", ID: i.ID}
		pending := i.Machine && i.State == incident.Suspected && !i.PublishAfter.IsZero()
		for _, a := range i.Components {
			spoken[a.Component] = spoken[a.Component] || pending || i.Seen() && a.Status != ""
		}
		if i.State != incident.Suspected && !i.Machine && !i.GreenSince.IsZero() && now.Sub(i.GreenSince) >= greenAfter {
			add(Concern{Kind: Green, Subject: ref, Since: i.GreenSince})
		}
		if i.Seen() && !i.NextUpdateAt.IsZero() && now.After(i.NextUpdateAt) {
			add(Concern{Kind: Quiet, Subject: ref, Since: i.NextUpdateAt})
		}
	}
	for key, span := range s.observed {
		c, ok := s.component(key)
		if ok && c.Public && span.Status.Outage() && !spoken[key] && now.Sub(span.From) >= unspokenAfter && s.published[key].Status != status.UnderMaintenance {
			add(Concern{Kind: Unspoken, Subject: journal.Ref{Kind: "component", ID: key}, Since: span.From})
		}
	}
	if err := h.wantedAtDesk(ctx, add); err != nil {
		return nil, err
	}
	works, err := h.Record.Occurrences(ctx, now.AddDate(0, 0, -7), now.Add(time.Second))
	if err != nil {
		return nil, err
	}
	for _, o := range works {
		since, over := o.Overdue(s.good(o), now)
		if over && now.Sub(since) >= overdueAfter {
			facts := map[string]string{"title": o.Title}
			if o.State == status.MaintenanceScheduled {
				facts["late"] = "start"
			}
			add(Concern{Kind: Overdue, Subject: journal.Ref{Kind: "maintenance", ID: o.ID}, Since: since, Facts: facts})
		}
	}
	return wanted, nil
}

// good reports whether checks see all components of maintenance well.
func (s *scene) good(o status.Occurrence) bool {
	for _, id := range o.Components {
		if span, ok := s.observed[s.keys[id]]; ok && span.Status != status.Operational {
			return false
		}
	}
	return true
}

// settle raises what is wanted and not there, and lowers what is there and
// wanted no longer, each once.
func (h *Hub) settle(ctx context.Context, lease journal.Lease, wanted map[string]Concern, is []Concern) error {
	known := map[string]bool{}
	now := h.now()
	for _, c := range is {
		known[c.ID] = true
		_, wants := wanted[c.ID]
		lasting := c.Kind == held || !c.Until.IsZero() && now.Before(c.Until)
		if wants || lasting {
			continue
		}
		if err := h.commit(ctx, lease, func(tx journal.Tx) error { return h.lower(ctx, tx, c) }); err != nil {
			return err
		}
	}
	for id, c := range wanted {
		if known[id] {
			continue
		}
		if err := h.commit(ctx, lease, func(tx journal.Tx) error { return h.raise(ctx, tx, c) }); err != nil {
			return err
		}
	}
	return nil
}
