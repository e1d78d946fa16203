package status

import (
	"context"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// MaxAmended bounds how many spans one false alarm touches, and MaxAmendedFor
	// the time from its beginning to its end.
	MaxAmended    = 500
	MaxAmendedFor = 366 * 24 * time.Hour
	// MaxAmendments bounds how many a list gives.
	MaxAmendments = 200
)

// Amendment is a false alarm marked in the open: the published trouble of a
// component within [From, To) counts as operational. What checks observed
// stands as it was.
type Amendment struct {
	ID        string
	Component string    // key
	From, To  time.Time // as it was asked for, less what still ran
	Reason    string
	By        string    // actor id
	At        time.Time // when it was marked
	Was       []Amended // what was published before, in order
	UndoneAt  time.Time
	UndoneBy  string // actor id
	Version   int64
}

// Amended is a stretch of the published track as it was before an amendment.
type Amended struct {
	From, To time.Time
	Status   Status
	Origin   Origin
	Cause    Cause
	Public   string
	Staff    string
	Ref      string
}

// ref names the amendment in spans.
func (a Amendment) ref() string { return "correction/" + a.ID }

// Delta is what the amendment did to the time of its component.
func (a Amendment) Delta() Tally { return a.delta(a.From, a.To) }

// delta is what it did within [from, to). Its fields sum to zero.
func (a Amendment) delta(from, to time.Time) Tally {
	var t Tally
	for _, w := range a.Was {
		if begin, end := later(w.From, from), earlier(w.To, to); begin.Before(end) {
			*t.of(w.Status) -= end.Sub(begin)
			t.Up += end.Sub(begin)
		}
	}
	return t
}

// FalseAlarm marks the published trouble of a component, named by ID, within
// [from, to) as a false alarm, in the open: those stretches are operational by a
// person's word, with the reason and who gave it; months that are frozen get a
// signed correction. The page shows the reason. Trouble that still runs cannot be marked: a person says
// first what is. Errors: Forbidden, NotFound, Invalid, Conflict, Unavailable.
func (d *Desk) FalseAlarm(ctx context.Context, by access.Actor, component string, from, to time.Time, reason string) (Amendment, error) {
	c, err := d.component(component)
	if err != nil {
		return Amendment{}, err
	}
	if err := allows(by, access.MonthCorrect, c); err != nil {
		return Amendment{}, err
	}
	if err := checkReason(reason, true); err != nil {
		return Amendment{}, err
	}
	from, to = from.UTC().Truncate(time.Microsecond), to.UTC().Truncate(time.Microsecond)
	switch {
	case !from.Before(to):
		return Amendment{}, problem.Invalid("to", "must be after from.")
	case to.Sub(from) > MaxAmendedFor:
		return Amendment{}, problem.Invalid("to", "one false alarm lasts %d days at most.", MaxAmendedFor/(24*time.Hour))
	}
	a := Amendment{ID: journal.NewID(), Component: c.Key, Reason: strings.TrimSpace(reason), By: by.ID}
	err = d.work.Do(ctx, by.As(access.MonthCorrect), func(tx journal.Tx) error {
		a.From, a.To, a.At, a.Was = from, earlier(to, tx.Now()), tx.Now(), nil
		if err := d.store.OrderPast(ctx, tx, c.Key); err != nil {
			return err
		}
		spans, err := d.store.SpansInside(ctx, tx, c.Key, Published, a.From, a.To)
		if err != nil {
			return err
		}
		if err := d.relabel(ctx, tx, &a, spans); err != nil {
			return err
		}
		if err := d.store.PutAmendment(ctx, tx, a); err != nil {
			return err
		}
		if err := d.correctMonths(ctx, tx, a, by, 1); err != nil {
			return err
		}
		return tx.Append(a.entry("uptime.corrected", tx.Now()))
	})
	if err != nil {
		return Amendment{}, err
	}
	a.Version = 1
	return a, nil
}

// relabel makes the trouble among the spans operational, and notes what it was.
func (d *Desk) relabel(ctx context.Context, tx journal.Tx, a *Amendment, spans []Span) error {
	for _, s := range spans {
		if s.Open() {
			if wrong(s.Status) {
				return problem.Conflict("It still runs, since %s. Say first what the component is now, then mark what was false.", s.From.Format(time.RFC3339))
			}
			a.To = earlier(a.To, s.From)
			continue
		}
		if !wrong(s.Status) {
			continue
		}
		if len(a.Was) == MaxAmended {
			return problem.Invalid("to", "there were more than %d troubles in that time; mark them in parts.", MaxAmended)
		}
		begin, end := later(s.From, a.From), earlier(s.To, a.To)
		a.Was = append(a.Was, Amended{
			From: begin, To: end, Status: s.Status, Origin: s.Origin, Cause: s.Cause, Public: s.Public, Staff: s.Staff, Ref: s.Ref,
		})
		amended := s
		amended.From, amended.To, amended.Status, amended.Origin, amended.Cause = begin, end, Operational, ByHuman, CauseNone
		amended.Public, amended.Staff, amended.Ref = "", "marked as a false alarm", a.ref()
		if err := d.store.ReplaceSpan(ctx, tx, s.ID, s.Version, around(s, amended)); err != nil {
			return err
		}
	}
	if len(a.Was) == 0 {
		return problem.Invalid("from", "nothing was wrong on the page in that time.")
	}
	return nil
}

// around gives what stands in the place of an ended span when a part of it
// changes: the part, and what of the span lies before and after it.
func around(whole, part Span) []Span {
	var out []Span
	add := func(s Span, from, to time.Time) {
		if from.Before(to) {
			s.ID, s.From, s.To, s.Version = journal.NewID(), from, to, 0
			out = append(out, s)
		}
	}
	add(whole, whole.From, part.From)
	add(part, part.From, part.To)
	add(whole, part.To, whole.To)
	return out
}

// UndoFalseAlarm takes an amendment back: the page tells again what it told
// before, and frozen months get the opposite correction. Errors: Forbidden,
// NotFound, Invalid, Conflict when it was taken back already, Unavailable.
func (d *Desk) UndoFalseAlarm(ctx context.Context, by access.Actor, id, reason string) error {
	a, err := d.store.Amendment(ctx, id)
	if err != nil {
		return err
	}
	if err := allows(by, access.MonthCorrect, d.byKey(a.Component)...); err != nil {
		return err
	}
	if err := checkReason(reason, true); err != nil {
		return err
	}
	if !a.UndoneAt.IsZero() {
		return problem.Conflict("This was taken back already.")
	}
	return d.work.Do(ctx, by.As(access.MonthCorrect), func(tx journal.Tx) error {
		a := a // a unit of work may be run again
		a.UndoneAt, a.UndoneBy = tx.Now(), by.ID
		if err := d.store.OrderPast(ctx, tx, a.Component); err != nil {
			return err
		}
		spans, err := d.store.SpansInside(ctx, tx, a.Component, Published, a.From, a.To)
		if err != nil {
			return err
		}
		for _, s := range spans {
			if s.Ref != a.ref() || s.Open() {
				continue
			}
			if err := d.store.ReplaceSpan(ctx, tx, s.ID, s.Version, a.before(s)); err != nil {
				return err
			}
		}
		if err := d.store.PutAmendment(ctx, tx, a); err != nil {
			return err
		}
		back := a
		back.Reason = strings.TrimSpace(reason)
		if err := d.correctMonths(ctx, tx, back, by, -1); err != nil {
			return err
		}
		return tx.Append(a.entry("uptime.restored", tx.Now()))
	})
}

// before gives what was published in the place of a span that was amended.
func (a Amendment) before(s Span) []Span {
	out := []Span{s}
	for _, w := range a.Was {
		begin, end := later(w.From, s.From), earlier(w.To, s.To)
		if !begin.Before(end) {
			continue
		}
		last := out[len(out)-1]
		part := last
		part.From, part.To, part.Status, part.Origin, part.Cause = begin, end, w.Status, w.Origin, w.Cause
		part.Public, part.Staff, part.Ref = w.Public, w.Staff, w.Ref
		out = append(out[:len(out)-1], around(last, part)...)
	}
	return out
}

// correctMonths gives the frozen months that an amendment touches a signed
// correction: sign 1 when it is marked, -1 when it is taken back.
func (d *Desk) correctMonths(ctx context.Context, tx journal.Tx, a Amendment, by access.Actor, sign time.Duration) error {
	months, err := d.store.MonthsInside(ctx, tx, a.Component)
	if err != nil {
		return err
	}
	zone := siteZone(d.watch.Catalog().Site)
	for _, m := range months {
		from, err := time.ParseInLocation(monthName, m.Month, zone)
		if err != nil {
			continue // a row that no binary of ours wrote
		}
		from = monthStart(from, zone)
		delta := a.delta(from, monthAfter(from, 1, zone)).times(sign)
		if delta == (Tally{}) {
			continue
		}
		if m.Net().Add(delta).negative() {
			return problem.Conflict("%s was corrected by hand already, and has less trouble than this would take away.", m.Month)
		}
		c := Correction{
			ID: journal.NewID(), Component: a.Component, Month: m.Month, At: tx.Now(), Delta: delta, Reason: a.Reason, Actor: by.ID,
		}
		if err := d.store.AddCorrection(ctx, tx, c); err != nil {
			return err
		}
		e := monthEntry("month.corrected", c.Component, c.Month, c.Delta)
		e.ID, e.Payload["correction"] = c.ID, a.ID
		if err := tx.Append(e); err != nil {
			return err
		}
	}
	return nil
}

// entry is the journal entry of an amendment that is marked or taken back.
func (a Amendment) entry(verb string, now time.Time) journal.Entry {
	e := monthEntry(verb, a.Component, "", a.Delta())
	delete(e.Payload, "month")
	e.Payload["correction"] = a.ID
	e.Payload["from"], e.Payload["to"] = a.From.Format(time.RFC3339), a.To.Format(time.RFC3339)
	if e.EffectiveAt = a.From; verb != "uptime.corrected" {
		e.EffectiveAt = now
	}
	return e
}

// Amendments lists the false alarms marked for a component, named by ID, newest
// first, those taken back included; component "" lists all. Errors: Forbidden,
// Unavailable.
func (d *Desk) Amendments(ctx context.Context, by access.Actor, component string) ([]Amendment, error) {
	if err := by.Check(access.PageRead); err != nil {
		return nil, err
	}
	if c, err := d.component(component); err == nil { // one that was removed goes by its key
		component = c.Key
	}
	return d.store.Amendments(ctx, component, MaxAmendments)
}

// byKey gives the component of a key, or none when it is gone.
func (d *Desk) byKey(key string) []*Component {
	cat := d.watch.Catalog()
	i := slices.IndexFunc(cat.Components, func(c Component) bool { return c.Key == key })
	if i < 0 {
		return nil
	}
	return []*Component{&cat.Components[i]}
}
