package journal

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// SealStore is what the sealer needs of the database.
type SealStore interface {
	// SealsAtCommit reports whether entries are numbered in the commit that
	// writes them, so that nothing is left to seal.
	SealsAtCommit() bool
	// Appended gives a channel that is closed at the next commit of this
	// process that held entries.
	Appended() <-chan struct{}
	// Seal moves up to limit committed entries into the journal, numbered and
	// chained in the order in which they were written, and tells how many it
	// took up. It is one transaction, fenced by the lease. Errors: Conflict
	// when the lease is lost, Unavailable.
	Seal(ctx context.Context, l Lease, limit int) (int, error)
}

const (
	// sealEvery is how long the sealer sleeps when it hears nothing: how far
	// the journal can be behind entries of a process that shares no bell.
	sealEvery = 100 * time.Millisecond
	// sealBatch is how many entries one sealing transaction takes, at most.
	sealBatch = 1000
)

// Sealer numbers and chains what was committed, and rings the bell when the
// sealed journal has grown. Every process runs one; where a lease is needed,
// one of them works and the others pass their rings on to it.
type Sealer struct {
	store  SealStore
	leases Leases
	holder string
	bell   Bell
	log    *slog.Logger
	ok     atomic.Int64 // Unix microseconds of the last round that went well; 0 while another process seals
}

// NewSealer makes the sealer of this process; holder is from NewHolder.
func NewSealer(store SealStore, leases Leases, holder string, bell Bell, log *slog.Logger) *Sealer {
	return &Sealer{store: store, leases: leases, holder: holder, bell: bell, log: log}
}

// Lag tells for how long sealing has not gone well in this process: 0 when it
// does, or when another process seals.
func (s *Sealer) Lag() time.Duration {
	ok := s.ok.Load()
	if ok == 0 {
		return 0
	}
	if lag := time.Since(time.UnixMicro(ok)); lag > lookStale {
		return lag
	}
	return 0
}

// Run seals until ctx ends, and gives nil then.
func (s *Sealer) Run(ctx context.Context) error {
	if s.store.SealsAtCommit() {
		return s.passOn(ctx)
	}
	passing := make(chan error, 1)
	go func() { passing <- s.passOn(ctx) }()
	err := Hold(ctx, s.leases, "sealer", s.holder, s.log, s.seal)
	<-passing
	return err
}

// passOn rings the bell for every commit of this process that held entries,
// unless this process seals: the entries are sealed already, or the ring wakes
// the process that seals.
func (s *Sealer) passOn(ctx context.Context) error {
	for appended := s.store.Appended(); ctx.Err() == nil; {
		select {
		case <-appended:
			appended = s.store.Appended() // before ringing, so that nothing is missed
			if s.ok.Load() == 0 {
				s.bell.Ring()
			}
		case <-ctx.Done():
		}
	}
	return nil
}

// seal moves entries under the lease until ctx ends.
func (s *Sealer) seal(ctx context.Context, lease Lease) error {
	defer s.ok.Store(0)
	s.ok.Store(time.Now().UnixMicro())
	for lasting := (trouble{}); ctx.Err() == nil; {
		appended, rung := s.store.Appended(), s.bell.Wait() // before looking, so that nothing is missed
		n, err := s.store.Seal(ctx, lease, sealBatch)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			lasting.warn(s.log, "journal not sealed", "epoch", lease.Epoch, "err", err)
			pause(ctx, lasting.failures-1)
		case n > 0:
			lasting = trouble{}
			s.ok.Store(time.Now().UnixMicro())
			s.bell.Ring()
		default:
			lasting = trouble{}
			s.ok.Store(time.Now().UnixMicro())
			sleep(ctx, sealEvery, appended, rung)
		}
	}
	return nil
}
