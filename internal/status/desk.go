package status

import (
	"context"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// DeskDeps is what a Desk stands on.
type DeskDeps struct {
	Work     journal.Work
	Store    DeskStore
	Calendar Calendar
	Watch    *Watch           // of this process: knows the catalog, and acts when it watches
	Now      func() time.Time // wall clock
}

// Desk is where people act on what is watched: maintenance, corrections,
// silences, a status by hand, definitions made in the console. Any replica may
// be asked: the act is one unit of work, and whoever watches follows it. All
// methods are safe for concurrent use.
type Desk struct {
	work     journal.Work
	store    DeskStore
	calendar Calendar
	watch    *Watch
	wall     func() time.Time

	mu       sync.RWMutex
	silences []Silence // those that are not over, by start
}

// NewDesk makes a Desk. Load comes before Silenced is asked.
func NewDesk(d DeskDeps) *Desk {
	return &Desk{work: d.Work, store: d.Store, calendar: d.Calendar, watch: d.Watch, wall: d.Now}
}

// now is the wall clock as it is recorded.
func (d *Desk) now() time.Time { return d.wall().UTC().Truncate(time.Microsecond) }

// Load reads what the desk answers from memory. Errors: Unavailable.
func (d *Desk) Load(ctx context.Context) error {
	silences, err := d.store.Silences(ctx, d.now())
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silences = silences
	return nil
}

// Follow takes sealed entries of the journal, one's own too: silences are read
// again, and the watch of this process is told what people did, wherever they
// did it. Errors: Unavailable; the entries may come again then.
func (d *Desk) Follow(ctx context.Context, entries []journal.Sealed) error {
	silenced, stated, planned := false, false, false
	for _, e := range entries {
		switch {
		case strings.HasSuffix(e.Verb, ".silenced"), strings.HasSuffix(e.Verb, ".unsilenced"):
			silenced = true
		case e.Subject.Kind == "incident", e.Verb == "component.stated", e.Verb == "component.unstated", e.Verb == "component.held":
			stated = true
		case e.Subject.Kind == "window", e.Subject.Kind == "maintenance" && e.Actor.ID != access.Hub.ID:
			planned = true
		case e.Verb == "component.confirmed":
			d.watch.confirmed(e.Entry)
		}
	}
	if stated {
		d.watch.Restate()
	}
	if planned {
		d.watch.Replan()
	}
	if silenced {
		return d.Load(ctx)
	}
	return nil
}

func (d *Desk) restate() { d.watch.Restate() }

// component finds a component that is defined, by ID. Errors: NotFound.
func (d *Desk) component(id string) (*Component, error) {
	cat := d.watch.Catalog()
	for i := range cat.Components {
		if cat.Components[i].ID == id {
			return &cat.Components[i], nil
		}
	}
	return nil, problem.NotFound("There is no component %q.", id)
}

// allows checks an action on components: a grant may be narrowed to a component
// or to its group. Without components it must hold everywhere. Errors: Forbidden.
func allows(by access.Actor, act access.Action, comps ...*Component) error {
	if by.MayOn(act) {
		return nil
	}
	if len(comps) == 0 {
		return by.CheckOn(act)
	}
	for _, c := range comps {
		one := access.Scope{Kind: "component", ID: c.Key}
		if by.MayOn(act, one) || c.Group != "" && by.MayOn(act, access.Scope{Kind: "group", ID: c.Group}) {
			continue
		}
		return by.CheckOn(act, one)
	}
	return nil
}

// defined gives the components that ids name, leaving out those that are gone.
func (d *Desk) defined(ids []string) []*Component {
	var out []*Component
	for _, id := range ids {
		if c, err := d.component(id); err == nil {
			out = append(out, c)
		}
	}
	return out
}
