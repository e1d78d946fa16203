package incident

import (
	"context"
	"errors"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// tickEvery is how late what time alone does can be.
	tickEvery = time.Second
	// dueAtOnce is how many scheduled updates one tick publishes, at most.
	dueAtOnce = 100
	// pruneEvery is how often alerts that are long over are forgotten, pruneAtOnce
	// how many at once, and alertsKept how long they are kept.
	pruneEvery  = 10 * time.Minute
	pruneAtOnce = 1000
	alertsKept  = 90 * 24 * time.Hour
)

// Run is the clock of incidents, until ctx ends (nil) or the lease is lost
// (Conflict): scheduled updates go out, the machine's drafts are published when
// nobody acted, what came to nothing is dropped, and what the machine published
// is resolved when all has been well for long enough. Each step is one unit of
// work, fenced by the lease: a crash between two loses nothing and repeats nothing.
func (r *Room) Run(ctx context.Context, lease journal.Lease) error {
	var pruned time.Time
	return journal.Tick(ctx, tickEvery, r.log, "clock of incidents stands still", r.beat, func(ctx context.Context) error {
		err := r.tick(ctx, lease)
		if now := r.now(); err == nil && now.Sub(pruned) >= pruneEvery {
			pruned, err = now, r.prune(ctx, lease)
		}
		return err
	})
}

// tick does what time alone does, now.
func (r *Room) tick(ctx context.Context, lease journal.Lease) error {
	due, err := r.store.DueUpdates(ctx, r.now(), dueAtOnce)
	if err != nil {
		return err
	}
	var failed error // of one of many; the others go on
	for _, u := range due {
		if err := r.release(ctx, lease, u); errors.Is(err, journal.ErrLeaseLost) {
			return err
		} else if err != nil {
			failed = err
		}
	}
	open, err := r.store.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	var known map[string]Component
	for n := range open {
		switch open[n].due(r.now()) {
		case nothing:
			continue
		case appear:
			if known == nil {
				known = r.known()
			}
			if rests(&open[n], known) {
				continue
			}
		}
		if err := r.step(ctx, lease, open[n].ID); errors.Is(err, journal.ErrLeaseLost) {
			return err
		} else if err != nil {
			failed = err
		}
	}
	return failed
}

// commit runs one unit of work of the clock under the lease.
func (r *Room) commit(ctx context.Context, lease journal.Lease, fn func(journal.Tx) error) error {
	return journal.UnderLease(ctx, r.work, lease, fn)
}

// release publishes a scheduled update whose moment has come. One that no longer
// fits, because the incident went on without it, becomes a plain draft again.
func (r *Room) release(ctx context.Context, lease journal.Lease, due Update) error {
	try := func(publish bool) error {
		return r.commit(ctx, lease, func(tx journal.Tx) error {
			u, err := r.store.UpdateForUpdate(ctx, tx, due.ID)
			if problem.KindOf(err) == problem.KindNotFound {
				return nil // dropped meanwhile
			}
			if err != nil || !u.PublishedAt.IsZero() || u.PublishAt.IsZero() || u.PublishAt.After(tx.Now()) {
				return err
			}
			i, err := r.store.IncidentForUpdate(ctx, tx, u.Incident)
			if err != nil {
				return err
			}
			h := &hand{Room: r, ctx: ctx, tx: tx, by: access.Hub, now: tx.Now(), i: &i}
			if publish {
				err = h.publish(&u, u.publication(), "")
			} else {
				err = h.unschedule(&u)
			}
			if err != nil {
				return err
			}
			return h.keep()
		})
	}
	err := try(true)
	if k := problem.KindOf(err); !errors.Is(err, journal.ErrLeaseLost) && (k == problem.KindConflict || k == problem.KindInvalid || k == problem.KindTooMany) {
		r.log.Warn("scheduled update no longer fits", "incident", due.Incident, "update", due.ID, "err", err)
		return try(false)
	}
	return err
}

// unschedule makes a scheduled update a plain draft.
func (h *hand) unschedule(u *Update) error {
	u.PublishAt = time.Time{}
	if err := h.store.PutUpdate(h.ctx, h.tx, u); err != nil {
		return err
	}
	return h.tellStaff("unscheduled", map[string]string{"update": u.ID, "reason": "state"})
}

// step is what time alone does to an incident.
type step string

const (
	nothing step = ""
	appear  step = "appear"  // the machine's draft is published
	vanish  step = "vanish"  // a suspicion came to nothing
	conquer step = "resolve" // the machine resolves what it published
)

// due tells what time alone does to an incident that the machine still has in hand.
func (i *Incident) due(now time.Time) step {
	green := !i.GreenSince.IsZero()
	switch {
	case !i.Machine || i.MergedInto != "":
		return nothing
	case i.State == Suspected && green && now.Sub(i.GreenSince) >= DropAfter:
		return vanish
	case i.State == Suspected && !green && !i.PublishAfter.IsZero() && !now.Before(i.PublishAfter):
		return appear
	case i.Seen() && i.Open() && green && now.Sub(i.GreenSince) >= ResolveAfter:
		return conquer
	}
	return nothing
}

// step takes what is due, if it still is.
func (r *Room) step(ctx context.Context, lease journal.Lease, id string) error {
	return r.commit(ctx, lease, func(tx journal.Tx) error {
		i, err := r.store.IncidentForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		h := &hand{Room: r, ctx: ctx, tx: tx, by: access.Hub, now: tx.Now(), i: &i}
		known := r.known()
		switch i.due(tx.Now()) {
		case appear:
			err = h.appear(known)
		case vanish:
			err = h.drop()
		case conquer:
			err = h.publish(&Update{}, Publication{Body: lastWords(&i, known), State: Resolved, Deliver: true, At: h.now}, "")
		default:
			return nil
		}
		if err != nil {
			return err
		}
		return h.keep()
	})
}

// rests reports whether all that is public of an incident is in maintenance: it
// was announced, and nothing more is said by itself.
func rests(i *Incident, known map[string]Component) bool {
	return !slices.ContainsFunc(i.Components, func(a Affected) bool {
		c, ok := known[a.Component]
		return ok && c.Public && c.Status != "under_maintenance"
	})
}

// appear publishes the machine's draft.
func (h *hand) appear(known map[string]Component) error {
	h.i.PublishAfter = time.Time{}
	return h.publish(&Update{}, Publication{Body: firstWords(h.i, known), State: Investigating, Deliver: true}, "")
}

// drop closes a suspicion that came to nothing and that nobody saw.
func (h *hand) drop() error {
	next, err := h.i.after(EventDrop)
	if err != nil {
		return err
	}
	if err := h.dropMachineDrafts(); err != nil {
		return err
	}
	at := h.now
	if !h.i.GreenSince.IsZero() {
		at = h.i.GreenSince
	}
	h.i.enter(next, at)
	h.i.PublishAfter, h.i.NextUpdateAt = time.Time{}, time.Time{}
	h.i.weigh()
	return h.tell("dropped", at, nil)
}

// Drop closes a suspicion by hand: it is nothing that customers must know.
// Errors: Conflict once it is more than a suspicion.
func (r *Room) Drop(ctx context.Context, by access.Actor, id string) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentUpdate, true, 0}, func(h *hand) error { return h.drop() })
}

// Propose drafts the next update: machine's words, for a person to change.
func (r *Room) Propose(ctx context.Context, by access.Actor, id string) (Wording, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return Wording{}, err
	}
	i, err := r.find(ctx, by, id)
	if err != nil {
		return Wording{}, err
	}
	return Next(&i, r.comps.Known(), r.now()), nil
}

// prune forgets alerts of foreign systems that are long over.
func (r *Room) prune(ctx context.Context, lease journal.Lease) error {
	return r.commit(ctx, lease, func(tx journal.Tx) error {
		_, err := r.store.PruneAlerts(ctx, tx, tx.Now().Add(-alertsKept), pruneAtOnce)
		return err
	})
}
