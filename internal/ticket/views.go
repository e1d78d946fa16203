package ticket

import (
	"context"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// BuiltIn is a view that is always there.
type BuiltIn string

// The built-in views.
const (
	ViewMine       BuiltIn = "mine"
	ViewUnassigned BuiltIn = "unassigned"
	ViewOpen       BuiltIn = "open"      // all that is not over, but for impairments
	ViewBreaching  BuiltIn = "breaching" // a promise breaks within BreachingWithin, or is broken
	ViewPending    BuiltIn = "pending"   // waiting on them
	ViewSolved     BuiltIn = "solved"    // since the last midnight of the desk
	ViewAutomatic  BuiltIn = "automatic" // bounced or automatic
	ViewSnoozed    BuiltIn = "snoozed"
	ViewReview     BuiltIn = "review" // answers that wait for a person
)

// BreachingWithin is how soon a promise breaks for its ticket to be in the view.
const BreachingWithin = time.Hour

// Views lists the built-in views in their order.
func Views() []BuiltIn {
	return []BuiltIn{ViewMine, ViewUnassigned, ViewOpen, ViewBreaching, ViewPending, ViewSolved, ViewAutomatic, ViewSnoozed, ViewReview}
}

// Query gives what a built-in view shows to somebody, in its order. midnight is
// where their day began.
func (v BuiltIn) Query(by access.Actor, now, midnight time.Time) Query {
	no, yes := false, true
	q := Query{Automatic: &no, Snoozed: &no, Now: now, Sort: Nearest}
	live := []State{New, Open, Pending, OnHold}
	switch v {
	case ViewMine:
		q.States, q.Assignee = live, PersonOf(by)
		if q.Assignee == "" {
			q.Assignee = by.ID
		}
	case ViewUnassigned:
		q.States, q.Kinds, q.Assignee = []State{New, Open}, ofPeople, Nobody
	case ViewBreaching:
		q.States, q.DueBefore = []State{New, Open}, now.Add(BreachingWithin)
	case ViewPending:
		q.States, q.Sort = []State{Pending}, Latest
	case ViewSolved:
		q.Snoozed, q.SolvedFrom, q.Sort = nil, midnight, Latest
	case ViewAutomatic:
		q.Automatic, q.Snoozed, q.States, q.Sort = &yes, nil, live, Latest
	case ViewSnoozed:
		q.States, q.Snoozed = live, &yes
	default:
		q.States, q.Kinds = live, ofPeople
	}
	return q
}

// ofPeople are the kinds in views of what is open. Impairments come from the
// machine by the dozen when something fails: their queue shows them (S1-23).
var ofPeople = []Kind{Request, Task, Deletion}

// Counts is how many tickets are in which view.
type Counts struct {
	BuiltIn map[BuiltIn]int
	Queues  map[string]int // of all that is not over
	At      time.Time      // when it was counted
}

// tallies keeps the last count of what is not over. Counting takes longer the more
// there is, so the more it takes the longer it is kept: the share of the time that
// goes into counting is bounded.
type tallies struct {
	mu   sync.Mutex
	at   time.Time
	took time.Duration
	list []Tally
}

// countShare is how much of the time counting may take: one part of so many.
const countShare = 20

// Counts tells how many tickets are in the built-in views of somebody. It may be
// a little old on a desk with very many open tickets: At says when it was counted.
func (d *Desk) Counts(ctx context.Context, by access.Actor, midnight time.Time) (Counts, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return Counts{}, err
	}
	list, at, err := d.tally(ctx)
	if err != nil {
		return Counts{}, err
	}
	c := Counts{BuiltIn: map[BuiltIn]int{}, Queues: map[string]int{}, At: at}
	me := PersonOf(by)
	for _, t := range list {
		if t.Automatic {
			c.BuiltIn[ViewAutomatic] += t.Count
			continue
		}
		c.BuiltIn[ViewSnoozed] += t.Snoozed
		shown := t.Count - t.Snoozed
		c.Queues[t.Queue] += shown
		people := slices.Contains(ofPeople, t.Kind)
		if people {
			c.BuiltIn[ViewOpen] += shown
		}
		if people && t.Assignee == "" && (t.State == New || t.State == Open) {
			c.BuiltIn[ViewUnassigned] += shown
		}
		if t.Assignee != "" && t.Assignee == me {
			c.BuiltIn[ViewMine] += shown
		}
		if t.State == Pending {
			c.BuiltIn[ViewPending] += shown
		}
	}
	now := d.now()
	for _, v := range []BuiltIn{ViewBreaching, ViewSolved} {
		if c.BuiltIn[v], err = d.store.CountTickets(ctx, v.Query(by, now, midnight), MaxShown); err != nil {
			return Counts{}, err
		}
	}
	held, err := d.store.HeldMessages(ctx, MaxPage)
	c.BuiltIn[ViewReview] = len(held)
	return c, err
}

// MaxShown is where the numbers beside views stop.
const MaxShown = 1_000

// Count tells how many tickets a saved view or another query has; it stops
// counting at MaxShown.
func (d *Desk) Count(ctx context.Context, by access.Actor, q Query) (int, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return 0, err
	}
	q.Now = d.now()
	if len(q.Text) > 0 {
		q.Limit = MaxPage
		found, _, err := d.store.FindMessages(ctx, q)
		return len(found), err
	}
	return d.store.CountTickets(ctx, q, MaxShown)
}

// tally gives the last count, or a new one when it is too old for what it costs.
func (d *Desk) tally(ctx context.Context) ([]Tally, time.Time, error) {
	k := &d.tallies
	k.mu.Lock()
	defer k.mu.Unlock()
	now := d.wall()
	if !k.at.IsZero() && now.Sub(k.at) < countShare*k.took {
		return k.list, k.at, nil
	}
	list, err := d.store.LiveTallies(ctx, moment(now))
	if err != nil {
		return nil, time.Time{}, err
	}
	after := d.wall()
	k.list, k.took, k.at = list, after.Sub(now), after
	return list, k.at, nil
}

// SavedViews gives the views that somebody sees: their own, and everybody's.
func (d *Desk) SavedViews(ctx context.Context, by access.Actor) ([]View, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return nil, err
	}
	all, err := d.store.Views(ctx)
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, v := range all {
		if v.Owner == "" || v.Owner == by.ID {
			out = append(out, v)
		}
	}
	return out, nil
}

// SaveView keeps a search under a name, for oneself or for everybody. With an ID
// it changes that one. Errors: Invalid, Conflict, TooMany.
func (d *Desk) SaveView(ctx context.Context, by access.Actor, v View, everybody bool) (View, error) {
	act := access.TicketRead
	if everybody {
		act = access.TicketSetup
	}
	if err := by.CheckOn(act); err != nil {
		return View{}, err
	}
	var err error
	if v.Name, err = line("name", v.Name, MaxTag, false); err != nil {
		return View{}, err
	}
	if _, err := d.Parse(by, v.Query); err != nil {
		return View{}, err
	}
	all, err := d.store.Views(ctx)
	if err != nil {
		return View{}, err
	}
	old, known := View{}, false
	mine := 0
	for _, o := range all {
		if o.ID == v.ID {
			old, known = o, true
		}
		if o.Owner == by.ID || o.Owner == "" {
			mine++
		}
	}
	switch {
	case v.ID != "" && (!known || old.Owner != "" && old.Owner != by.ID):
		return View{}, problem.NotFound("There is no such view.")
	case v.ID != "" && old.Owner == "" && !by.MayOn(access.TicketSetup):
		return View{}, by.CheckOn(access.TicketSetup)
	case v.ID == "" && (mine >= MaxViews || len(all) >= MaxViews*MaxViews):
		return View{}, problem.TooMany("There are %d views; that is the most.", mine)
	case v.ID == "":
		v.ID, v.Version = journal.NewID(), 0
	}
	if v.Owner = by.ID; everybody {
		v.Owner = ""
	}
	err = d.work.Do(ctx, by.As(act), func(tx journal.Tx) error {
		w := v
		if err := d.store.PutView(ctx, tx, &w); err != nil {
			return err
		}
		v = w
		return tx.Append(deskEntry("view_saved", v.ID))
	})
	return v, err
}

// DropView forgets a view. Errors: Conflict.
func (d *Desk) DropView(ctx context.Context, by access.Actor, id string) error {
	all, err := d.SavedViews(ctx, by)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.ID != id {
			continue
		}
		if v.Owner == "" {
			if err := by.CheckOn(access.TicketSetup); err != nil {
				return err
			}
		}
		return d.work.Do(ctx, by.As(access.TicketRead), func(tx journal.Tx) error {
			if err := d.store.DropView(ctx, tx, v.ID, v.Version); err != nil {
				return err
			}
			return tx.Append(deskEntry("view_dropped", v.ID))
		})
	}
	return problem.NotFound("There is no such view.")
}

// deskEntry is an entry about what the desk itself is set up with.
func deskEntry(verb, id string) journal.Entry {
	return journal.Entry{Verb: "desk." + verb, Subject: journal.Ref{Kind: "desk", ID: id}, Audience: journal.AudienceStaff}
}
