package notice

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// day is the length of most local days; turns in whole days follow the calendar.
const day = 24 * time.Hour

// maxOverride bounds how long somebody can stand in for another.
const maxOverride = 90 * day

// maxSchedule and maxTurns bound how far a schedule is drawn at once.
const (
	maxSchedule = 400 * day
	maxTurns    = 10_000
)

// minTurn is the shortest turn there is; a rotation with a shorter one has nobody.
const minTurn = time.Second

// boundary gives the moment at which the k-th turn begins. Turns of whole days
// begin at the same time by the wall clock, summer time or not.
func (r Rotation) boundary(k int) time.Time {
	if r.Turn%day != 0 {
		return time.UnixMicro(r.Start.UnixMicro() + int64(k)*r.Turn.Microseconds()) // a Duration ends after 292 years
	}
	s := r.Start.In(zone(r.Zone))
	y, m, d := s.Date()
	return time.Date(y, m, d+k*int(r.Turn/day), s.Hour(), s.Minute(), s.Second(), s.Nanosecond(), s.Location())
}

// turnAt gives the number of the turn that holds now. Before Start numbers are
// negative: the order runs backwards too, so that a rotation that begins
// tomorrow has somebody tonight.
func (r Rotation) turnAt(now time.Time) int {
	k := int((now.UnixMicro() - r.Start.UnixMicro()) / r.Turn.Microseconds())
	for r.boundary(k).After(now) {
		k--
	}
	for !r.boundary(k + 1).After(now) {
		k++
	}
	return k
}

// OnCallAt gives who is on call at a moment; "" for nobody. The newest override
// that holds then wins, also outside the hours.
func (r Rotation) OnCallAt(now time.Time, overrides []Override) (person, override string) {
	for _, o := range overrides {
		if o.Rotation == r.ID && !now.Before(o.From) && now.Before(o.To) && o.ID > override {
			person, override = o.Person, o.ID
		}
	}
	n := len(r.People)
	if override != "" || n == 0 || r.Turn < minTurn || r.Hours != nil && !r.Hours.Hold(now) {
		return person, override
	}
	return r.People[((r.turnAt(now)%n)+n)%n], ""
}

// Turns gives who is on call in [from, to), without gaps, in order.
func (r Rotation) Turns(from, to time.Time, overrides []Override) []Turn {
	edges := []time.Time{from}
	if r.Turn >= minTurn {
		for k := r.turnAt(from) + 1; ; k++ {
			b := r.boundary(k)
			if !b.Before(to) {
				break
			}
			edges = append(edges, b)
		}
	}
	if r.Hours != nil {
		for t := from; t.Before(to.Add(day)); t = t.Add(day / 2) { // every local day, the short ones too
			edges = append(edges, r.Hours.edges(t)...)
		}
	}
	for _, o := range overrides {
		edges = append(edges, o.From, o.To)
	}
	edges = slices.DeleteFunc(edges, func(t time.Time) bool { return t.Before(from) || !t.Before(to) })
	slices.SortFunc(edges, time.Time.Compare)
	var out []Turn
	for _, t := range edges {
		person, override := r.OnCallAt(t, overrides)
		if last := len(out) - 1; last >= 0 && out[last].Person == person && out[last].Override == override {
			continue
		}
		if last := len(out) - 1; last >= 0 {
			out[last].To = t.UTC()
		}
		out = append(out, Turn{Rotation: r.ID, Person: person, Override: override, From: t.UTC()})
	}
	if last := len(out) - 1; last >= 0 {
		out[last].To = to.UTC()
	}
	return out
}

// OnCall gives the turn of every rotation that holds at now, in the order of the
// configuration. Errors: Unavailable.
func (d *Desk) OnCall(ctx context.Context, now time.Time) ([]Turn, error) {
	var out []Turn
	for _, r := range d.setup.Load().Rotations {
		span := min(max(r.Turn, day)+day, maxSchedule/2, maxTurns/2*max(r.Turn, minTurn))
		turns, err := d.schedule(ctx, r, now.Add(-span), now.Add(span))
		if err != nil {
			return nil, err
		}
		for _, t := range turns {
			if !now.Before(t.From) && now.Before(t.To) {
				out = append(out, t)
			}
		}
	}
	return out, nil
}

// Rotations gives the rotations as they are configured.
func (d *Desk) Rotations() []Rotation { return d.setup.Load().Rotations }

// Routes gives the routes of the configuration, in the order in which they are asked.
func (d *Desk) Routes() []Route { return d.setup.Load().Routes }

// Schedule gives who is on call in a rotation in [from, to). Errors: NotFound,
// Invalid for more than 400 days or 10,000 turns, Unavailable.
func (d *Desk) Schedule(ctx context.Context, rotation string, from, to time.Time) ([]Turn, error) {
	r, ok := d.setup.Load().rotation(rotation)
	if !ok {
		return nil, problem.NotFound("There is no rotation %s.", rotation)
	}
	if !from.Before(to) || to.Sub(from) > maxSchedule {
		return nil, problem.Invalid("to", "the end must come after the start, by at most 400 days")
	}
	if to.Sub(from)/max(r.Turn, minTurn) > maxTurns {
		return nil, problem.Invalid("to", "that would be more than %d turns", maxTurns)
	}
	return d.schedule(ctx, r, from, to)
}

func (d *Desk) schedule(ctx context.Context, r Rotation, from, to time.Time) ([]Turn, error) {
	overrides, err := d.store.Overrides(ctx, nil, from, to)
	if err != nil {
		return nil, err
	}
	return r.Turns(from, to, slices.DeleteFunc(overrides, func(o Override) bool { return o.Rotation != r.ID })), nil
}

// Overrides gives what is overridden in [from, to), by start. Errors: Forbidden, Unavailable.
func (d *Desk) Overrides(ctx context.Context, by access.Actor, from, to time.Time) ([]Override, error) {
	if err := by.Check(access.OnCallRead); err != nil {
		return nil, err
	}
	return d.store.Overrides(ctx, nil, from, to)
}

// Override puts somebody on call for a while instead of whose turn it is.
// Errors: Forbidden, NotFound for the rotation or the person, Invalid,
// Unavailable.
func (d *Desk) Override(ctx context.Context, by access.Actor, o Override) (Override, error) {
	if err := by.Check(access.OnCallOverride); err != nil {
		return o, err
	}
	if _, ok := d.setup.Load().rotation(o.Rotation); !ok {
		return o, problem.NotFound("There is no rotation %s.", o.Rotation)
	}
	o.From, o.To = moment(o.From), moment(o.To)
	switch {
	case !o.From.Before(o.To):
		return o, problem.Invalid("to", "the end must come after the start")
	case !o.To.After(d.now()):
		return o, problem.Invalid("to", "the end lies in the past")
	case o.To.Sub(o.From) > maxOverride:
		return o, problem.Invalid("to", "somebody can stand in for at most 90 days")
	}
	if _, err := d.people.Contact(ctx, o.Person); err != nil {
		return o, err
	}
	o.ID, o.By, o.Version = journal.NewID(), by.ID, 0
	err := d.do(ctx, by.As(access.OnCallOverride), func(tx journal.Tx) error {
		put := o
		put.Version = 0
		if err := d.store.PutOverride(ctx, tx, &put); err != nil {
			return err
		}
		o.Version = put.Version
		return tx.Append(journal.Entry{Verb: "oncall.overridden", Subject: journal.Ref{Kind: "rotation", ID: o.Rotation},
			EffectiveAt: o.From, Audience: journal.AudienceStaff,
			Payload: map[string]string{"override": o.ID, "person": o.Person, "until": o.To.Format(time.RFC3339)}})
	})
	return o, err
}

// DropOverride takes an override back. Errors: Forbidden, NotFound, Unavailable.
func (d *Desk) DropOverride(ctx context.Context, by access.Actor, rotation, id string) error {
	if err := by.Check(access.OnCallOverride); err != nil {
		return err
	}
	return d.do(ctx, by.As(access.OnCallOverride), func(tx journal.Tx) error {
		if err := d.store.DropOverride(ctx, tx, id); err != nil {
			return err
		}
		return tx.Append(journal.Entry{Verb: "oncall.restored", Subject: journal.Ref{Kind: "rotation", ID: rotation},
			Audience: journal.AudienceStaff, Payload: map[string]string{"override": id}})
	})
}

// moment is a time as it is recorded: UTC, whole microseconds.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
