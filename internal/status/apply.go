package status

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// applyTries is how often Apply plans anew when another hub applied meanwhile.
const applyTries = 3

// Plan tells what Apply would change. Errors: Invalid (problem.Errors: all that
// is wrong with the definition), Unavailable.
func (w *Watch) Plan(ctx context.Context, def Definition) (Plan, error) {
	if es := check(def, w.calendar, w.now()); len(es) > 0 {
		return Plan{}, es
	}
	all, err := w.store.Catalog(ctx, true)
	if err != nil {
		return Plan{}, err
	}
	marks, err := w.store.Marks(ctx)
	if err != nil {
		return Plan{}, err
	}
	return plan(def, all, marks, w.now()), nil
}

// Apply makes a definition true in one unit of work, and tells what it changed.
// Monitors that stay keep streak and verdict. A definition that is in force
// already changes and writes nothing. Errors: Forbidden, Invalid, Conflict,
// Unavailable; on any error all is as before.
func (w *Watch) Apply(ctx context.Context, by access.Actor, def Definition) (Plan, error) {
	if err := by.Check(access.SetupApply); err != nil {
		return Plan{}, err
	}
	return w.apply(ctx, by, def, nil)
}

// apply is Apply for an actor whose right was checked. also, when it is not
// nil, joins the unit of work, which is then done whether or not the definition
// is in force already.
func (w *Watch) apply(ctx context.Context, by access.Actor, def Definition, also func(journal.Tx) error) (p Plan, err error) {
	w.applying.Lock()
	defer w.applying.Unlock()
	for range applyTries {
		if p, err = w.Plan(ctx, def); err != nil {
			return Plan{}, err
		}
		if p.Empty() && also == nil {
			return p, nil
		}
		mark, before := fingerprint(def), w.applied.Load()
		w.applied.Store(&mark) // before the journal can tell of it
		err = w.work.Do(ctx, by, func(tx journal.Tx) error {
			if also != nil {
				if err := also(tx); err != nil {
					return err
				}
			}
			if p.Empty() {
				return nil
			}
			return w.write(ctx, tx, def, p)
		})
		if err != nil {
			w.applied.Store(before)
		}
		if problem.KindOf(err) != problem.KindConflict {
			break
		}
	}
	if err != nil {
		return Plan{}, err
	}
	if p.Empty() {
		return p, nil
	}
	if err := w.adoptCatalog(ctx); err != nil {
		return p, err
	}
	nudge(w.replan)
	return p, nil
}

// Applied reports whether it was this process that made a definition true last,
// by the id that the journal gives it in setup.applied.
func (w *Watch) Applied(setup string) bool {
	mark := w.applied.Load()
	return mark != nil && *mark == setup
}

// Adopt takes over a definition that another hub made true. Errors: Unavailable.
func (w *Watch) Adopt(ctx context.Context) error {
	w.applying.Lock()
	defer w.applying.Unlock()
	if err := w.adoptCatalog(ctx); err != nil {
		return err
	}
	nudge(w.replan)
	return nil
}

// write puts the rows and journal entries of a plan into a unit of work.
func (w *Watch) write(ctx context.Context, tx journal.Tx, def Definition, p Plan) error {
	if p.site != nil {
		if err := w.store.PutSite(ctx, tx, *p.site); err != nil {
			return err
		}
	}
	for _, g := range p.groups {
		if err := w.store.PutGroup(ctx, tx, g.row); err != nil {
			return err
		}
	}
	for _, c := range p.comps {
		if err := w.store.PutComponent(ctx, tx, c.row); err != nil {
			return err
		}
		if err := tx.Append(defined("component", c.key, c.change, journal.AudiencePublic)); err != nil {
			return err
		}
	}
	for _, m := range p.mons {
		if err := w.store.PutMonitor(ctx, tx, m.row, p.marks[m.key]); err != nil {
			return err
		}
		if err := tx.Append(defined("monitor", m.key, m.change, journal.AudienceStaff)); err != nil {
			return err
		}
	}
	for _, win := range p.windows {
		if err := w.store.PutWindow(ctx, tx, win.row); err != nil {
			return err
		}
	}
	return tx.Append(journal.Entry{
		Verb: "setup.applied", Subject: journal.Ref{Kind: "setup", ID: fingerprint(def)}, Audience: journal.AudiencePublic,
		Payload: map[string]string{"changes": strconv.Itoa(len(p.Changes))},
	})
}

// defined is the entry of one change of definition.
func defined(kind, key string, c Change, who journal.Audience) journal.Entry {
	e := journal.Entry{Verb: kind + "." + c.What, Subject: journal.Ref{Kind: kind, ID: key}, Audience: who, Payload: map[string]string{"id": c.ID}}
	if c.Was != "" {
		e.Payload["was"] = c.Was
	}
	return e
}

// fingerprint names a definition by its content.
func fingerprint(def Definition) string {
	body, err := json.Marshal(def)
	if err != nil { // weights were checked: no NaN, and nothing else can fail
		panic("status: definition does not marshal: " + err.Error())
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// adoptCatalog makes what SQL now defines what is watched. What is taken up
// again after a removal goes on with its timelines and streaks.
func (w *Watch) adoptCatalog(ctx context.Context) error {
	cat, err := w.store.Catalog(ctx, false)
	if err != nil {
		return err
	}
	streaks, err := w.store.Streaks(ctx)
	if err != nil {
		return err
	}
	open, err := w.store.OpenSpans(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range open {
		if w.engine.components[s.Component] == nil && w.engine.gone[s.Component] == nil && defines(&cat, s.Component) {
			w.engine.takeUp(s)
		}
	}
	w.engine.define(&cat, byMonitor(streaks), w.now())
	w.engine.hear(w.engine.people, w.now())
	w.catalog.Store(&cat)
	nudge(w.wake)
	return nil
}
