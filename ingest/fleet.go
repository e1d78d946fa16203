package ingest

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
)

// FleetDeps is what a Fleet needs.
type FleetDeps struct {
	Ledger *inbox.Ledger
	Leases journal.Leases
	Holder string // this process, from journal.NewHolder
	Spool  string // folder for large mails under way; it must be there
	Now    func() time.Time
	Log    *slog.Logger
}

// Fleet keeps an owner for every mailbox that is configured. Each holds a lease of
// its own, so that replicas share the mailboxes, and none can delay another.
type Fleet struct {
	d     FleetDeps
	specs atomic.Pointer[[]Spec]
	wake  journal.LocalBell
}

// NewFleet makes a Fleet without mailboxes.
func NewFleet(d FleetDeps) *Fleet {
	f := &Fleet{d: d}
	f.specs.Store(&[]Spec{})
	return f
}

// Setup replaces the mailboxes. One whose mark stays keeps its connection.
func (f *Fleet) Setup(specs []Spec) {
	f.specs.Store(&specs)
	f.wake.Ring()
}

// Names gives the mailboxes that are configured.
func (f *Fleet) Names() []string {
	specs := *f.specs.Load()
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return names
}

// member is one owner under way.
type member struct {
	mark   string
	cancel context.CancelFunc
	done   chan struct{}
}

// Run keeps the owners until ctx ends. An owner whose mailbox changed ends before
// the next begins.
func (f *Fleet) Run(ctx context.Context) error {
	members, ended := map[string]*member{}, make(chan struct{}, 1)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		wake := f.wake.Wait()
		want := map[string]Spec{}
		for _, s := range *f.specs.Load() {
			want[s.Name] = s
		}
		for name, m := range members {
			if spec, wanted := want[name]; !wanted || spec.Mark != m.mark {
				m.cancel()
			}
			select {
			case <-m.done:
				delete(members, name)
			default:
			}
		}
		for name, spec := range want {
			if members[name] == nil && ctx.Err() == nil {
				members[name] = f.begin(ctx, spec, &all, ended)
			}
		}
		select {
		case <-ctx.Done():
			return nil // the owners' contexts end with it
		case <-wake:
		case <-ended:
		}
	}
}

// begin starts the owner of a mailbox.
func (f *Fleet) begin(ctx context.Context, spec Spec, all *sync.WaitGroup, ended chan<- struct{}) *member {
	own, cancel := context.WithCancel(ctx)
	m := &member{mark: spec.Mark, cancel: cancel, done: make(chan struct{})}
	log := f.d.Log.With("mailbox", spec.Name)
	o := &owner{spec: spec, ledger: f.d.Ledger, spool: f.d.Spool, now: f.d.Now, log: f.d.Log}
	all.Go(func() {
		if err := journal.Hold(own, f.d.Leases, "mailbox/"+spec.Name, f.d.Holder, log, o.run); err != nil {
			log.Error("owner of a mailbox ended", "err", err)
		}
		cancel()
		close(m.done)
		select {
		case ended <- struct{}{}:
		default:
		}
	})
	return m
}
