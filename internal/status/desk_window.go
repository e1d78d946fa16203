package status

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// MaxMaintenance bounds one stretch of maintenance.
	MaxMaintenance = 31 * 24 * time.Hour
	// MaxPlannedByHand bounds the windows that were planned at the desk and are
	// not over, and MaxMaintained the components of one.
	MaxPlannedByHand = 500
	MaxMaintained    = 200
	// MaxTitle and MaxDescription bound what visitors read of a window, in bytes.
	MaxTitle       = 200
	MaxDescription = 4000
	// Previewed is how many occurrences a preview shows, and PreviewAhead how far
	// it looks for them.
	Previewed    = 10
	PreviewAhead = 2 * 366 * 24 * time.Hour
	// windowsKept is how long a one-off that is over stays in the catalog.
	windowsKept = 35 * 24 * time.Hour
	// deskTries is how often an act at the desk is tried when the clock of
	// maintenance wrote the same occurrence meanwhile.
	deskTries = 4
)

// Stretch is a stretch of time, [From, To).
type Stretch struct{ From, To time.Time }

// Preview is what a window would mean.
type Preview struct {
	Next     []Stretch    // the next times it happens, at most Previewed
	Overlaps []Occurrence // other maintenance of the same components at the same time, as far as it is planned
}

// Windows lists the windows that are defined now, those of the file too, by ID.
// Errors: Forbidden, Unavailable.
func (d *Desk) Windows(ctx context.Context, by access.Actor) ([]Window, error) {
	if err := by.Check(access.MaintainRead); err != nil {
		return nil, err
	}
	return d.store.Windows(ctx)
}

// Preview tells what a window would mean, without planning it. Errors:
// Forbidden, Invalid (problem.Errors), Unavailable.
func (d *Desk) Preview(ctx context.Context, by access.Actor, w Window) (Preview, error) {
	if err := by.Check(access.MaintainRead); err != nil {
		return Preview{}, err
	}
	now := d.now()
	w = tidy(w)
	next, err := d.check(w, now)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Next: next[:min(len(next), Previewed)]}
	known, err := d.store.Occurrences(ctx, now, now.Add(PlanAhead+MaxMaintenance))
	if err != nil {
		return Preview{}, err
	}
	for _, o := range known {
		if o.Over() || o.Window == w.Key || !sharesAny(o.Components, w.Components) {
			continue
		}
		if slices.ContainsFunc(next, func(s Stretch) bool { return s.From.Before(o.To) && o.From.Before(s.To) }) {
			p.Overlaps = append(p.Overlaps, o)
		}
	}
	return p, nil
}

// PlanMaintenance plans a window at the desk: one-off (From, To) or recurring
// (RRule, Zone, Start, Duration). Key, ID and sequence are filled in, and the
// actor is its owner unless it names one. Errors: Forbidden, Invalid
// (problem.Errors), TooMany, Conflict, Unavailable.
func (d *Desk) PlanMaintenance(ctx context.Context, by access.Actor, w Window) (Window, error) {
	if err := allows(by, access.MaintainEdit, d.defined(w.Components)...); err != nil {
		return Window{}, err
	}
	now := d.now()
	w = tidy(w)
	if _, err := d.check(w, now); err != nil {
		return Window{}, err
	}
	windows, err := d.store.Windows(ctx)
	if err != nil {
		return Window{}, err
	}
	stale, n := pastWindows(windows, now)
	if n >= MaxPlannedByHand {
		return Window{}, problem.TooMany("%d windows are planned here already; cancel some first.", n)
	}
	w.ID = "m-" + strings.ToLower(rand.Text()[:10])
	w.Key, w.Hand, w.Sequence, w.RemovedAt, w.Version = w.ID, true, 0, time.Time{}, 0
	w.Conduct.Owner = cmp.Or(w.Conduct.Owner, by.ID)
	err = d.work.Do(ctx, by.As(access.MaintainEdit), func(tx journal.Tx) error {
		for _, old := range stale {
			old.RemovedAt = tx.Now()
			if err := d.store.PutWindow(ctx, tx, old); err != nil {
				return err
			}
		}
		return d.putWindow(ctx, tx, w, nil, "window.planned")
	})
	if err != nil {
		return Window{}, err
	}
	w.Version = 1
	d.watch.Replan()
	return w, nil
}

// ChangeMaintenance changes a window that was planned at the desk. w holds it as
// it is to be; Version is the one that was edited. Its occurrences follow, but
// for those whose times a person revised. Errors: Forbidden, NotFound, Invalid
// (problem.Errors), Conflict when it changed meanwhile or stands in the file,
// Unavailable.
func (d *Desk) ChangeMaintenance(ctx context.Context, by access.Actor, w Window) (Window, error) {
	is, err := d.ownWindow(ctx, by, w.Key)
	if err != nil {
		return Window{}, err
	}
	if err := allows(by, access.MaintainEdit, d.defined(w.Components)...); err != nil {
		return Window{}, err
	}
	w = tidy(w)
	w.ID, w.Hand, w.RemovedAt, w.Sequence = is.ID, true, time.Time{}, is.Sequence+1
	w.Conduct.Owner = cmp.Or(w.Conduct.Owner, is.Conduct.Owner)
	if _, err := d.check(w, d.now()); err != nil {
		return Window{}, err
	}
	if err := d.replaceWindow(ctx, by, w, "window.changed"); err != nil {
		return Window{}, err
	}
	w.Version++
	return w, nil
}

// CancelMaintenance cancels a window that was planned at the desk, with every
// occurrence that is still ahead; one under way ends now. Errors: Forbidden,
// NotFound, Conflict when it changed meanwhile or stands in the file, Unavailable.
func (d *Desk) CancelMaintenance(ctx context.Context, by access.Actor, key string, version int64) error {
	w, err := d.ownWindow(ctx, by, key)
	if err != nil {
		return err
	}
	w.Version, w.RemovedAt, w.Sequence = version, d.now(), w.Sequence+1
	return d.replaceWindow(ctx, by, w, "window.cancelled")
}

// replaceWindow writes a window with what follows for its occurrences. When the
// clock writes one of those at the same time, it looks again.
func (d *Desk) replaceWindow(ctx context.Context, by access.Actor, w Window, verb string) error {
	var err error
	for range deskTries {
		var known []Occurrence
		if known, err = d.store.OccurrencesOf(ctx, w.Key); err != nil {
			return err
		}
		err = d.work.Do(ctx, by.As(access.MaintainEdit), func(tx journal.Tx) error {
			return d.putWindow(ctx, tx, w, known, verb)
		})
		if problem.KindOf(err) != problem.KindConflict {
			break
		}
	}
	if err == nil {
		d.watch.Replan()
	}
	return err
}

// putWindow writes a window and its occurrences as they follow from it.
func (d *Desk) putWindow(ctx context.Context, tx journal.Tx, w Window, known []Occurrence, verb string) error {
	if err := d.store.PutWindow(ctx, tx, w); err != nil {
		return err
	}
	e := journal.Entry{
		Verb: verb, Subject: journal.Ref{Kind: "window", ID: w.Key}, Audience: journal.AudienceStaff,
		Payload: map[string]string{"owner": w.Conduct.Owner},
	}
	if err := tx.Append(e); err != nil {
		return err
	}
	revisions, errs := Reconcile([]Window{w}, known, d.calendar, tx.Now())
	if err := errs.Err(); err != nil {
		return err
	}
	for _, r := range revisions {
		if err := d.store.PutOccurrence(ctx, tx, r.Occurrence); err != nil {
			return err
		}
		if err := tx.Append(r.entry()); err != nil {
			return err
		}
	}
	return nil
}

// ownWindow finds a window that was planned at the desk and that the actor may
// change. Errors: NotFound, Conflict when it stands in the file, Forbidden.
func (d *Desk) ownWindow(ctx context.Context, by access.Actor, key string) (Window, error) {
	windows, err := d.store.Windows(ctx)
	if err != nil {
		return Window{}, err
	}
	i := slices.IndexFunc(windows, func(w Window) bool { return w.Key == key })
	if i < 0 {
		return Window{}, problem.NotFound("There is no maintenance window %q.", key)
	}
	w := windows[i]
	if err := allows(by, access.MaintainEdit, d.defined(w.Components)...); err != nil {
		return Window{}, err
	}
	if !w.Hand {
		return Window{}, problem.Conflict("%s stands in the configuration file; change it there.", w.ID)
	}
	return w, nil
}

// check gives when a window happens next, or everything that is wrong with it.
func (d *Desk) check(w Window, now time.Time) ([]Stretch, error) {
	var es problem.Errors
	add := func(field, format string, args ...any) {
		es = append(es, problem.Invalid(strings.TrimPrefix(field, "."), format, args...))
	}
	known := map[string]bool{}
	for _, c := range d.watch.Catalog().Components {
		known[c.ID] = true
	}
	switch {
	case w.Title == "":
		add("title", "say what is done, in words for visitors.")
	case len(w.Title) > MaxTitle || strings.ContainsAny(w.Title, "\r\n"):
		add("title", "must be one line of at most %d bytes.", MaxTitle)
	}
	if len(w.Description) > MaxDescription {
		add("description", "is longer than %d bytes.", MaxDescription)
	}
	if len(w.Components) > MaxMaintained {
		add("components", "one window covers %d components at most.", MaxMaintained)
	}
	if w.RRule != "" && (!w.From.IsZero() || !w.To.IsZero()) {
		add("rrule", "is it once, or does it recur? Give from and to, or a rule.")
	}
	checkWindow("", w, known, d.calendar, now, add)
	checkConduct(w.Conduct, add)
	if w.RRule == "" && w.From.Before(w.To) {
		switch {
		case !w.To.After(now):
			add("to", "has passed already.")
		case w.To.Sub(w.From) > MaxMaintenance:
			add("to", "one maintenance lasts %d days at most.", MaxMaintenance/(24*time.Hour))
		}
	}
	if w.Duration > MaxMaintenance {
		add("duration", "one maintenance lasts %d days at most.", MaxMaintenance/(24*time.Hour))
	}
	if len(es) > 0 {
		return nil, es
	}
	next, err := d.next(w, now)
	switch {
	case err != nil:
		return nil, err
	case len(next) == 0:
		return nil, problem.Errors{problem.Invalid("rrule", "it never happens from now on.")}
	}
	for i := 1; i < len(next); i++ {
		if next[i].From.Before(next[i-1].To) {
			return nil, problem.Errors{problem.Invalid("duration", "it would still be on when it begins again, on %s.", next[i].From.Format(time.RFC3339))}
		}
	}
	return next, nil
}

// next gives when a window that was checked happens from now on, as far ahead
// as is planned, and Previewed times at least if it does.
func (d *Desk) next(w Window, now time.Time) ([]Stretch, error) {
	if w.RRule == "" {
		return []Stretch{{From: w.From, To: w.To}}, nil
	}
	var starts []time.Time
	for _, ahead := range []time.Duration{PlanAhead, PreviewAhead} {
		var err error
		if starts, err = d.calendar.Between(w.RRule, w.Zone, w.Start, now.Add(-w.Duration), now.Add(ahead)); err != nil {
			return nil, err
		}
		if len(starts) >= Previewed {
			break
		}
	}
	next := make([]Stretch, len(starts))
	for i, at := range starts {
		next[i] = Stretch{From: at, To: at.Add(w.Duration)}
	}
	return next, nil
}

func checkConduct(c Conduct, add complain) {
	if len(c.Remind) > MaxReminders {
		add("remind", "people are reminded %d times at most.", MaxReminders)
	}
	for _, ahead := range c.Remind {
		if ahead < time.Minute || ahead > MaxRemindAhead {
			add("remind", "a reminder comes from a minute to %d days before.", MaxRemindAhead/(24*time.Hour))
			break
		}
	}
	if len(c.Owner) > journal.MaxPayloadValue {
		add("owner", "is no person.")
	}
}

// tidy gives a window as it is kept: in UTC, without needless space.
func tidy(w Window) Window {
	w.Title, w.Description = strings.TrimSpace(w.Title), strings.TrimSpace(w.Description)
	w.From, w.To = w.From.UTC().Truncate(time.Microsecond), w.To.UTC().Truncate(time.Microsecond)
	w.Components = slices.Clone(w.Components)
	w.Conduct = w.Conduct.ordered()
	return w
}

// pastWindows gives the one-off windows of the desk that have been over for
// long, and counts those that are not over.
func pastWindows(windows []Window, now time.Time) (stale []Window, live int) {
	for _, w := range windows {
		switch {
		case !w.Hand:
		case w.RRule == "" && w.To.Before(now.Add(-windowsKept)):
			stale = append(stale, w)
		case w.RRule != "" || w.To.After(now):
			live++
		}
	}
	return stale, live
}

func sharesAny(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}
