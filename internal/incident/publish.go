package incident

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// ImpactAuto, where an impact is asked for, lets it follow the components again.
const ImpactAuto Impact = "auto"

// Publication is an update as it goes out.
type Publication struct {
	UpdateID   string // the draft to publish; "" = what stands here
	Body       string // Markdown; of a draft "" keeps its own
	State      State  // "" = the draft's, or as it is
	Impact     Impact // "" = as it is; ImpactAuto
	Components []Affected
	Deliver    bool          // tell subscribers
	At         time.Time     // the moment it stands at; zero = now, never later
	NextUpdate time.Duration // promised after this; 0 = ReminderEvery of the incident
	Version    int64         // of the incident as it was read; 0 = whatever it is now
}

// Publish publishes an update: of a draft incident the first makes it public;
// of a private one staff alone see it. Errors: Invalid, TooMany.
func (r *Room) Publish(ctx context.Context, by access.Actor, id string, p Publication) (Incident, Update, error) {
	var u Update
	i, err := r.change(ctx, by, id, claim{access.IncidentUpdate, true, p.Version}, func(h *hand) error {
		var err error
		if u, err = h.draftOr(p.UpdateID); err != nil {
			return err
		}
		if err := h.allows(by, access.IncidentUpdate, keysOf(p.Components)); len(p.Components) > 0 && err != nil {
			return err
		}
		return h.publish(&u, p, "")
	})
	return i, u, err
}

// Resolve publishes that it is over.
func (r *Room) Resolve(ctx context.Context, by access.Actor, id string, p Publication) (Incident, Update, error) {
	p.State = Resolved
	return r.Publish(ctx, by, id, p)
}

// Reopen publishes that it is not over after all. Errors: Invalid.
func (r *Room) Reopen(ctx context.Context, by access.Actor, id string, p Publication) (Incident, Update, error) {
	var u Update
	i, err := r.change(ctx, by, id, claim{access.IncidentUpdate, true, p.Version}, func(h *hand) error {
		u = Update{}
		p.State = Investigating
		return h.publish(&u, p, EventReopen)
	})
	return i, u, err
}

// draftOr gives an unpublished update of the incident, or a new one for "".
func (h *hand) draftOr(id string) (Update, error) {
	if id == "" {
		return Update{}, nil
	}
	u, err := h.update(id)
	if err != nil {
		return Update{}, err
	}
	if u.Kind != KindUpdate || !u.PublishedAt.IsZero() {
		return Update{}, problem.Conflict("This update was published already.")
	}
	return u, nil
}

// update reads a line of this incident.
func (h *hand) update(id string) (Update, error) {
	u, err := h.store.UpdateForUpdate(h.ctx, h.tx, id)
	if err == nil && u.Incident != h.i.ID {
		err = problem.NotFound("There is no update %q in %s.", id, h.i.Label())
	}
	return u, err
}

// publish makes u, new or a draft, the newest public word. event is "" for what
// the state says.
func (h *hand) publish(u *Update, p Publication, event Event) error {
	i, was := h.i, h.i.State
	event, err := h.say(u, p, event)
	if err != nil {
		return err
	}
	first := !i.Seen()
	if i.Visibility == Draft {
		i.Visibility = Public
	}
	if i.Visibility == Public && i.PublishedAt.IsZero() {
		i.PublishedAt = h.now
	}
	i.promise(u.DisplayAt, p.NextUpdate)
	u.Deliver = u.Deliver && i.Visibility == Public && !i.Backfilled
	u.PublishedAt, u.PublishAt, u.NextUpdate = h.now, time.Time{}, 0
	if u.ID == "" {
		err = h.put(u)
	} else {
		err = h.store.PutUpdate(h.ctx, h.tx, u)
	}
	if err != nil {
		return err
	}
	if err := h.dropMachineDrafts(); err != nil {
		return err
	}
	return h.tell(verbOf(event, first && i.Seen()), u.DisplayAt, map[string]string{"update": u.ID, "deliver": yes(u.Deliver), "from": string(was)})
}

// say makes the incident what the update says of it, and writes nothing. It
// gives the event that the update is.
func (h *hand) say(u *Update, p Publication, event Event) (Event, error) {
	i, was := h.i, h.i.State
	if err := h.compose(u, p); err != nil {
		return "", err
	}
	if event == "" {
		var err error
		if event, err = saying(u.State); err != nil {
			return "", err
		}
	}
	next, err := i.after(event)
	if err != nil {
		return "", err
	}
	said := append(saidOf(u.Components), p.Components...)
	if next == Resolved {
		said = troubles(said)
	}
	if u.Components, err = i.says(said, h.known(), u.DisplayAt); err != nil {
		return "", err
	}
	i.enter(next, u.DisplayAt)
	if next == Resolved && was != Resolved {
		u.Components = append(u.Components, i.recovered()...)
	}
	if err := i.judge(p.Impact); err != nil {
		return "", err
	}
	if u.Body == "" && u.State == was && len(u.Components) == 0 && p.Impact == "" {
		return "", problem.Invalid("body", "Say something, or change something.")
	}
	return event, nil
}

// compose fills the words, the state and the moment of an update that goes out.
func (h *hand) compose(u *Update, p Publication) error {
	var errs problem.Errors
	if p.Body != "" || u.ID == "" {
		body, err := text("body", p.Body, MaxBody, true)
		errs = gather(errs, err)
		u.Body = body
	}
	u.Kind = KindUpdate
	if p.State != "" || u.State == "" {
		u.State = p.State
	}
	if u.State == "" {
		u.State = h.i.State
	}
	if u.State == Suspected {
		u.State = Investigating
	}
	u.Deliver = p.Deliver
	u.DisplayAt = moment(p.At)
	switch {
	case u.DisplayAt.IsZero():
		u.DisplayAt = h.now
	case u.DisplayAt.After(h.now):
		errs = append(errs, problem.Invalid("at", "An update cannot stand at a moment to come; schedule it."))
	case u.DisplayAt.Before(h.i.StartedAt):
		errs = append(errs, problem.Invalid("at", "An update cannot stand before the incident began."))
	}
	errs = gather(errs, soon(p.NextUpdate))
	errs = gather(errs, duplicates(p.Components))
	return errs.Err()
}

// soon checks when the next update is promised. Errors: Invalid.
func soon(next time.Duration) error {
	if next < 0 || next > MaxAhead {
		return problem.Invalid("next_update", "The next update can be promised within %d days.", int(MaxAhead/(24*time.Hour)))
	}
	return nil
}

// enter puts the incident into a state from a moment on.
func (i *Incident) enter(next State, at time.Time) {
	was := i.State
	i.State = next
	switch {
	case next == Resolved && was != Resolved:
		i.ResolvedAt, i.GreenSince = at, time.Time{}
	case next == Monitoring && was != Monitoring:
		i.MonitoringAt = at
	}
	if i.Open() {
		i.ResolvedAt = time.Time{}
	}
}

// judge takes a person's impact, or weighs the components. Errors: Invalid.
func (i *Incident) judge(m Impact) error {
	switch {
	case m == "":
	case m == ImpactAuto:
		i.Overridden = false
	case m.Valid():
		i.Impact, i.Overridden = m, true
	default:
		return problem.Invalid("impact", "%q is no impact.", m)
	}
	i.weigh()
	return nil
}

// promise sets when the next update is due, and whether customers were told so.
func (i *Incident) promise(at time.Time, after time.Duration) {
	if after == 0 {
		after = i.ReminderEvery
	}
	i.Promised = i.Open() && after > 0
	switch {
	case !i.Open():
		i.NextUpdateAt = time.Time{}
	case after > 0:
		i.NextUpdateAt = at.Add(after)
	default:
		i.NextUpdateAt = at.Add(UpdateEvery)
	}
}

// verbOf names a publication in the journal. first means that customers see the
// incident for the first time, whatever it says.
func verbOf(e Event, first bool) string {
	switch {
	case first:
		return "published"
	case e == EventResolve:
		return "resolved"
	case e == EventReopen:
		return "reopened"
	default:
		return "updated"
	}
}

// saidOf gives what a draft says of components.
func saidOf(changes []Change) []Affected {
	var list []Affected
	for _, c := range changes {
		list = append(list, Affected{Component: c.Component, Status: c.To})
	}
	return list
}

// troubles drops what says that a component is well: at the end all are, and
// the incident goes on saying what it did to them.
func troubles(list []Affected) []Affected {
	var out []Affected
	for _, a := range list {
		if a.Status != "operational" {
			out = append(out, a)
		}
	}
	return out
}
