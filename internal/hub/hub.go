// Package hub is the hall where the wings meet. What checks see becomes
// suspicions of incidents; what happens becomes events that people are told of;
// what nobody looks at becomes a matter of attention; and each wing sees as much
// of another as it needs, through an adapter. It follows the journal and holds
// no rule of any wing, and it knows no HTTP, no SQL and no channel.
package hub

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Record is what the hall reads of the status wing's record; status.Store is one.
type Record interface {
	Catalog(ctx context.Context, all bool) (status.Catalog, error)
	OpenSpans(ctx context.Context) ([]status.Span, error)
	Spans(ctx context.Context, component string, track status.Track, from, to time.Time) ([]status.Span, error)
	Occurrences(ctx context.Context, from, to time.Time) ([]status.Occurrence, error)
	Windows(ctx context.Context) ([]status.Window, error)
}

// Notices plans who is told of an event, inside a unit of work; *notice.Desk is
// one. The same event again does nothing. Errors: Invalid, Unavailable.
type Notices interface {
	Plan(ctx context.Context, tx journal.Tx, e notice.Event) error
	// BouncedIn ends the subscriptions of a mail address that does not exist.
	BouncedIn(ctx context.Context, tx journal.Tx, address string) error
}

// Deps is what a Hub stands on.
type Deps struct {
	Work    journal.Work
	Reader  journal.Reader
	Cursors journal.Cursors
	Leases  journal.Leases
	Bell    journal.Bell
	Holder  string // this process, from journal.NewHolder

	Record    Record
	Present   *Present
	Incidents incident.Store
	Room      *incident.Room
	Notices   Notices
	Concerns  Concerns
	// TicketDeps is the desk of tickets; without one nothing of it is done.
	TicketDeps
	// Silenced tells by what silence alerts of a component, by key, rest at a
	// moment, and until when; nil = none ever do.
	Silenced func(component string, at time.Time) (status.Silence, bool)
	Now      func() time.Time // wall clock
	Log      *slog.Logger
	// Beat is called by the look for what needs attention each time it went well,
	// and Rest when this process no longer takes it; nil = nobody listens.
	Beat func(loop string, every time.Duration)
	Rest func(loop string)
}

// Hub is the hall of one process. All methods are safe for concurrent use.
type Hub struct {
	Deps
	suspects *journal.Singleton
	notifier *journal.Singleton
	tickets  *journal.Singleton // nil without a desk
	readings readings
}

// New makes a Hub.
func New(d Deps) *Hub {
	d.Log = d.Log.With("component", "hub")
	if d.Silenced == nil {
		d.Silenced = func(string, time.Time) (status.Silence, bool) { return status.Silence{}, false }
	}
	if d.Beat == nil {
		d.Beat = func(string, time.Duration) {}
	}
	if d.Rest == nil {
		d.Rest = func(string) {}
	}
	h := &Hub{Deps: d}
	h.suspects = h.singleton("suspects", h.suspect)
	h.notifier = h.singleton("notifier", h.notify)
	if h.given() {
		h.tickets = h.singleton("tickets", h.followTickets)
	}
	return h
}

func (h *Hub) singleton(name string, handle func(context.Context, journal.Tx, []journal.Sealed) error) *journal.Singleton {
	return &journal.Singleton{
		Name: name, Holder: h.Holder, Reader: h.Reader, Cursors: h.Cursors, Leases: h.Leases, Work: h.Work, Bell: h.Bell, Log: h.Log, Handle: handle,
	}
}

// Followers gives the followers that the hall runs, for their lag.
func (h *Hub) Followers() []*journal.Singleton {
	all := []*journal.Singleton{h.suspects, h.notifier}
	if h.tickets != nil {
		all = append(all, h.tickets)
	}
	return all
}

// now is the wall clock as it is recorded.
func (h *Hub) now() time.Time { return h.Now().UTC().Truncate(time.Microsecond) }

// Begin lets followers that never ran begin at the head of the journal: what
// happened before there was a hall is told to nobody. It comes before anything
// else runs. Errors: Unavailable.
func (h *Hub) Begin(ctx context.Context) (err error) {
	defer problem.Wrap(&err, "begin to follow the journal")
	head, _, err := h.Reader.Head(ctx)
	if err != nil || head == 0 {
		return err
	}
	for _, f := range h.Followers() {
		at, err := h.Cursors.Cursor(ctx, f.Name)
		if err != nil {
			return err
		}
		if at > 0 {
			continue
		}
		err = h.Work.Do(ctx, access.Hub, func(tx journal.Tx) error { return h.Cursors.Move(ctx, tx, f.Name, 0, head) })
		if err != nil && problem.KindOf(err) != problem.KindConflict { // another replica was first
			return err
		}
	}
	return nil
}

// Run runs the hall until ctx ends, and gives nil then: the followers, the clock
// of incidents and the look at what nobody looks at, each in one process of the
// installation at a time.
func (h *Hub) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, f := range h.Followers() {
		g.Go(func() error { return f.Run(ctx) })
	}
	g.Go(func() error { return h.hold(ctx, ClockLoop, h.Room.Run) })
	g.Go(func() error { return h.hold(ctx, LookLoop, h.attend) })
	return g.Wait()
}

// The loops of which one runs in the whole installation; their leases are named alike.
const (
	ClockLoop = "incidents"
	LookLoop  = "attention"
)

// hold runs a loop whenever this process has its lease. A loop that lost the
// lease to another process waits for its turn again.
func (h *Hub) hold(ctx context.Context, name string, run func(context.Context, journal.Lease) error) error {
	for ctx.Err() == nil {
		err := journal.Hold(ctx, h.Leases, name, h.Holder, h.Log, func(ctx context.Context, l journal.Lease) error {
			defer h.Rest(name)
			return run(ctx, l)
		})
		if err != nil && problem.KindOf(err) != problem.KindConflict {
			return fmt.Errorf("run %s: %w", name, err)
		}
	}
	return nil
}
