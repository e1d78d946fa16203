package notice

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// DeskDeps is what a Desk needs.
type DeskDeps struct {
	Work   journal.Work
	Store  Store
	People People
	Signer Signer
	// Group gives the group of a component, by their keys and ids, for rights that
	// are narrowed to a group; nil = there are no groups.
	Group func(component string) string
	Log   *slog.Logger
	Now   func() time.Time
}

// Desk is where notices are planned, looked up and decided upon: events become
// deliveries, alerts are acknowledged, subscribers come and go. It sends
// nothing: that is the Sender's. It is safe for concurrent use.
type Desk struct {
	work   journal.Work
	store  Store
	people People
	signer Signer
	group  func(string) string
	log    *slog.Logger
	clock  func() time.Time
	setup  atomic.Pointer[Setup]
	wake   journal.LocalBell // rung when something may have become due

	machines machines
}

// machinesFor is how long it is remembered whether any webhook is subscribed: a
// thousand components that change at once need not ask a thousand times.
const machinesFor = 2 * time.Second

// machines knows whether any webhook is subscribed.
type machines struct {
	mu    sync.Mutex
	until time.Time
	some  bool
}

// there reports whether one is. Errors: Unavailable.
func (m *machines) there(ctx context.Context, s Store, now time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Before(m.until) {
		return m.some, nil
	}
	found, err := s.Subscribers(ctx, SubscriberQuery{Mode: ByWebhook, State: Active, Limit: 1})
	if err == nil {
		m.some, m.until = len(found) > 0, now.Add(machinesFor)
	}
	return m.some, err
}

// NewDesk makes a Desk with an empty Setup.
func NewDesk(d DeskDeps) *Desk {
	k := &Desk{work: d.Work, store: d.Store, people: d.People, signer: d.Signer, log: d.Log.With("component", "notice"), clock: d.Now}
	if k.group = d.Group; k.group == nil {
		k.group = func(string) string { return "" }
	}
	k.setup.Store(&Setup{})
	return k
}

// Setup replaces what the configuration says. Nothing that is planned is lost by it.
func (d *Desk) Setup(s Setup) {
	d.setup.Store(&s)
	d.wake.Ring()
}

// now is the present as it is recorded everywhere.
func (d *Desk) now() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }

// do runs a unit of work and wakes the sender when it committed.
func (d *Desk) do(ctx context.Context, by access.Actor, fn func(journal.Tx) error) error {
	err := d.work.Do(ctx, by, fn)
	if err == nil {
		d.wake.Ring()
	}
	return err
}

// mayOn checks that the actor may do something to what concerns components: to
// each of them, or to its group. What concerns none in particular needs the right
// everywhere. Errors: Forbidden.
func (d *Desk) mayOn(by access.Actor, act access.Action, components []string) error {
	if len(components) == 0 {
		return by.CheckOn(act)
	}
	for _, key := range components {
		group := d.group(key)
		if group != "" && by.MayOn(act, access.Scope{Kind: "group", ID: group}) {
			continue
		}
		if err := by.CheckOn(act, access.Scope{Kind: "component", ID: key}); err != nil {
			return err
		}
	}
	return nil
}

// missing reports whether err says that the thing does not exist.
func missing(err error) bool { return problem.KindOf(err) == problem.KindNotFound }

// page checks the size of a page that was asked for.
func page(limit int) error {
	if limit < 1 || limit > MaxPage {
		return problem.Invalid("limit", "a page holds 1 to %d", MaxPage)
	}
	return nil
}
