package notice

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

const (
	// claimFor is how long a claimed row is left alone. Afterwards whoever
	// claimed it is taken for dead and it is sent again. It cannot be sooner, not
	// even when the lease was taken over: a hub that has lost its database, but not
	// the world, may have begun a send up to sendWithin before its claim runs out.
	claimFor = 30 * time.Second
	// sendWithin bounds one send.
	sendWithin = 20 * time.Second
	// drainFor is how long sends under way may take when the sender is stopped.
	drainFor = 5 * time.Second
	// storeWithin bounds the last unit of work on the way out.
	storeWithin = 3 * time.Second
	// DefaultKeep is how long finished deliveries are kept unless the
	// configuration says otherwise.
	DefaultKeep = 90 * day
)

// SenderDeps is what a Sender needs.
type SenderDeps struct {
	Desk *Desk
	// Channels gives the channel of that id as it is configured now.
	Channels func(id string) (Channel, bool)
	// Letters gives answers to people who wrote in; nil = nobody is answered.
	Letters Letters
	// Healthy gives why the heartbeats out must keep silent, nil when all is well;
	// a nil Healthy is always well.
	Healthy func() error
	// Keep is how long finished deliveries are kept; 0 = DefaultKeep.
	Keep time.Duration
}

// Sender is the delivery machine: it spreads events to subscribers, sends what
// is due, minds alerts, and clears away what is old. One process runs it at a
// time, under a lease that fences every write. A row is claimed before it is
// sent and settled afterwards; a process that dies in between leaves the claim
// to run out, and the row is sent again under the same id: at least once always,
// exactly once where the other side knows the id.
type Sender struct {
	desk     *Desk
	channels func(id string) (Channel, bool)
	letters  Letters
	healthy  func() error
	keep     time.Duration
	log      *slog.Logger
	lease    journal.Lease
	loops    loops

	mu    sync.Mutex
	cache map[string]Event
	sends map[string]*Sends // by channel
}

// NewSender makes a Sender.
func NewSender(d SenderDeps) *Sender {
	s := &Sender{desk: d.Desk, channels: d.Channels, letters: d.Letters, healthy: d.Healthy, keep: d.Keep, log: d.Desk.log, cache: map[string]Event{}, sends: map[string]*Sends{}}
	if s.keep <= 0 {
		s.keep = DefaultKeep
	}
	return s
}

// Run works until ctx ends, and gives nil then. It is made to be run by
// journal.Hold: when the lease is lost nothing more can be written. The Desk must
// have had its Setup before, or rows of its channels would look like strays.
func (s *Sender) Run(ctx context.Context, lease journal.Lease) error {
	s.lease = lease
	var all sync.WaitGroup
	all.Go(func() { s.crew(ctx) })
	all.Go(func() { s.spread(ctx) })
	all.Go(func() { s.mind(ctx) })
	all.Go(func() { s.sweep(ctx) })
	all.Wait()
	return nil
}

// unit runs a unit of work that is undone when the lease is lost.
func (s *Sender) unit(ctx context.Context, fn func(journal.Tx) error) error {
	return s.desk.work.Do(ctx, access.Hub, func(tx journal.Tx) error {
		if err := tx.Fence(s.lease); err != nil {
			return err
		}
		return fn(tx)
	})
}

// member is one task of the crew: a channel's worker or a heartbeat.
type member struct {
	is     any // what it was started with
	cancel context.CancelFunc
	done   chan struct{}
}

// crew keeps a worker for every channel and a task for every heartbeat, as the
// configuration has them, until ctx ends. A worker whose channel changed ends
// before the next begins.
func (s *Sender) crew(ctx context.Context) {
	members := map[string]*member{}
	ended := make(chan struct{}, 1)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		wake := s.desk.wake.Wait()
		config := s.desk.setup.Load()
		want := map[string]any{}
		for _, c := range config.Channels {
			want["channel/"+c.ID] = c
		}
		for _, p := range config.Deadman {
			want["deadman/"+p.ID] = p
		}
		for name, m := range members {
			if !reflect.DeepEqual(m.is, want[name]) {
				m.cancel()
			}
			select {
			case <-m.done:
				delete(members, name)
			default:
			}
		}
		for name, is := range want {
			if members[name] != nil || ctx.Err() != nil {
				continue
			}
			own, cancel := context.WithCancel(ctx)
			m := &member{is: is, cancel: cancel, done: make(chan struct{})}
			members[name] = m
			all.Go(func() {
				defer func() {
					cancel()
					close(m.done)
					select {
					case ended <- struct{}{}:
					default:
					}
				}()
				switch is := is.(type) {
				case ChannelSpec:
					newWorker(s, is).run(own)
				case Pulse:
					s.beat(own, is)
				}
			})
		}
		select {
		case <-ctx.Done():
			for _, m := range members {
				m.cancel()
			}
			return
		case <-wake:
		case <-ended:
		}
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// mind gives alerts what they need when their moment comes, until ctx ends.
func (s *Sender) mind(ctx context.Context) {
	l, end := s.loops.begin("alerts", s.desk.now())
	defer end()
	for ctx.Err() == nil {
		wake := s.desk.wake.Wait()
		due, err := s.desk.store.DueAlerts(ctx, s.desk.now(), mindBatch)
		l.looked(err, s.desk.now())
		if err != nil && ctx.Err() == nil {
			s.log.Warn("alerts not looked at", "err", err)
		}
		moved := 0
		for _, a := range due {
			if err := s.unit(ctx, func(tx journal.Tx) error { return s.desk.tick(ctx, tx, a.ID) }); err != nil {
				if ctx.Err() == nil {
					s.log.Warn("alert not minded", "alert", a.ID, "err", err)
				}
				continue
			}
			moved++
		}
		if moved == 0 {
			l.rest(ctx, mindEvery, wake)
			continue
		}
		s.desk.wake.Ring()
	}
}

const (
	// mindEvery is how late a reminder or an escalation can be.
	mindEvery = time.Second
	// mindBatch is how many alerts are looked at together.
	mindBatch = 50
)
