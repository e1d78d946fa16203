package journal

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
)

// Bell wakes sleepers when the sealed journal has grown. Ringing is a hint:
// followers poll as well, so a lost ring costs time and nothing else.
type Bell interface {
	// Wait gives a channel that is closed at the next ring.
	Wait() <-chan struct{}
	// Ring wakes everybody who waits.
	Ring()
}

// Cursors keeps the durable position of singleton followers.
type Cursors interface {
	// Cursor gives the position of the named follower; 0 when it never ran.
	Cursor(ctx context.Context, name string) (int64, error)
	// Move sets the position inside the unit of work of the effect. Errors:
	// Conflict when the stored position is not from.
	Move(ctx context.Context, tx Tx, name string, from, to int64) error
}

// PollEvery is how long a follower sleeps at most when no bell rings.
const PollEvery = 500 * time.Millisecond

// FollowBatch is how many entries a follower is handed at once, at most.
const FollowBatch = 200

// Singleton is a follower that runs once in the whole installation: it holds a
// lease, and its durable cursor moves in the transaction of its effect, so that
// every entry takes effect exactly once whatever crashes. An entry that cannot
// be handled stops the follower at that entry, alone and named in the log,
// until it can: nothing is skipped.
type Singleton struct {
	Name    string // of the follower, its lease and its cursor
	Holder  string // this process, from NewHolder
	Reader  Reader
	Cursors Cursors
	Leases  Leases
	Work    Work
	Bell    Bell
	Log     *slog.Logger
	// Handle gives entries, in order, their effect inside tx. It may be run
	// again, so it must have no effect outside tx.
	Handle func(ctx context.Context, tx Tx, entries []Sealed) error

	progress
}

// Run follows whenever this process holds the lease, until ctx ends. It gives nil then.
func (s *Singleton) Run(ctx context.Context) error {
	log := s.Log.With("follower", s.Name)
	return Hold(ctx, s.Leases, "follower/"+s.Name, s.Holder, log, func(ctx context.Context, lease Lease) error {
		defer s.rest()
		return s.follow(ctx, source{
			reader: s.Reader, bell: s.Bell, log: log,
			resume: func(ctx context.Context) (int64, error) { return s.Cursors.Cursor(ctx, s.Name) },
			handle: func(ctx context.Context, from int64, entries []Sealed) error {
				return s.Work.Do(ctx, access.Hub, func(tx Tx) error {
					if err := tx.Fence(lease); err != nil {
						return err
					}
					if err := s.Handle(ctx, tx, entries); err != nil {
						return err
					}
					return s.Cursors.Move(ctx, tx, s.Name, from, entries[len(entries)-1].Seq)
				})
			},
		})
	})
}

// PerProcess is a follower that every process runs for itself, with no memory
// beyond the process: the page, the live stream.
type PerProcess struct {
	Name   string
	Reader Reader
	Bell   Bell
	Log    *slog.Logger
	// Handle takes entries in order. After an error the same entries come again.
	Handle func(ctx context.Context, entries []Sealed) error

	progress
}

// Run follows from the entry after from until ctx ends. It gives nil then.
func (p *PerProcess) Run(ctx context.Context, from int64) error {
	p.position.Store(from)
	defer p.rest()
	return p.follow(ctx, source{
		reader: p.Reader, bell: p.Bell, log: p.Log.With("follower", p.Name),
		resume: func(context.Context) (int64, error) { return p.Position(), nil },
		handle: func(ctx context.Context, _ int64, entries []Sealed) error { return p.Handle(ctx, entries) },
	})
}

// progress is how far a follower has come.
type progress struct {
	position atomic.Int64
	// known is the moment, in Unix microseconds, up to which everything
	// recorded is known to be handled; 0 while this process does not follow.
	known   atomic.Int64
	waiting atomic.Bool // entries after position are known to wait
}

// lookStale is the age from which the last look at the journal counts as lag:
// an idle follower looks only every PollEvery.
const lookStale = 4 * PollEvery

// Position gives the sequence number of the last entry this process handled.
func (p *progress) Position() int64 { return p.position.Load() }

// Lag tells how old the oldest unhandled entry is: 0 when the follower is at
// the head or another process follows in its place, growing while entries wait
// or the journal cannot be read.
func (p *progress) Lag() time.Duration {
	known := p.known.Load()
	if known == 0 {
		return 0
	}
	lag := max(time.Since(time.UnixMicro(known)), 0)
	if !p.waiting.Load() && lag < lookStale {
		return 0
	}
	return lag
}

// rest marks that this process does not follow now.
func (p *progress) rest() {
	p.known.Store(0)
	p.waiting.Store(false)
}

// source is what a follower follows.
type source struct {
	reader Reader
	bell   Bell
	log    *slog.Logger
	resume func(context.Context) (int64, error) // where to go on, asked at first and after trouble
	handle func(ctx context.Context, from int64, entries []Sealed) error
}

// follow hands entries to the source's handler until ctx ends. After trouble it
// goes on from where resume says, one entry at a time until one goes through.
func (p *progress) follow(ctx context.Context, s source) error {
	p.known.Store(time.Now().UnixMicro())
	var lasting trouble
	for resumed := false; ctx.Err() == nil; {
		rung := s.bell.Wait() // before looking, so that no ring is lost in between
		limit := FollowBatch
		if lasting.failures > 0 {
			limit = 1
		}
		idle, err := p.advance(ctx, s, resumed, limit)
		resumed = err == nil
		switch {
		case ctx.Err() != nil:
		case err != nil:
			lasting.warn(s.log, "follower stands still", "position", p.Position(), "err", err)
			pause(ctx, lasting.failures-1)
		default:
			lasting = trouble{}
			if idle {
				sleep(ctx, PollEvery, rung, nil)
			}
		}
	}
	return nil
}

// advance handles the next entries, at most limit. idle tells that there were none.
func (p *progress) advance(ctx context.Context, s source, resumed bool, limit int) (idle bool, err error) {
	if !resumed {
		from, err := s.resume(ctx)
		if err != nil {
			return false, fmt.Errorf("read the position: %w", err)
		}
		p.position.Store(from)
	}
	asked, from := time.Now(), p.Position()
	entries, err := s.reader.After(ctx, from, limit)
	if err != nil {
		return false, fmt.Errorf("read the journal after %d: %w", from, err)
	}
	if len(entries) == 0 {
		p.waiting.Store(false)
		p.known.Store(asked.UnixMicro())
		return true, nil
	}
	p.known.Store(entries[0].RecordedAt.UnixMicro())
	p.waiting.Store(true)
	last := entries[len(entries)-1]
	if err := s.handle(ctx, from, entries); err != nil {
		return false, fmt.Errorf("handle %d to %d, first %s: %w", entries[0].Seq, last.Seq, entries[0].Verb, err)
	}
	p.position.Store(last.Seq)
	return false, nil
}
