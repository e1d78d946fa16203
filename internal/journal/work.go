package journal

import (
	"context"
	"time"

	"evenkeel/internal/access"
)

// Tx is one unit of work: state and journal entries that become true together
// or not at all. Every wing's store takes it as an argument; the adapter that
// made it knows the database behind it.
type Tx interface {
	// Now is the one moment of this unit of work, UTC, whole microseconds.
	Now() time.Time
	// Append adds an entry. RecordedAt, ID and (when zero) EffectiveAt are filled in.
	// Errors: Invalid when the entry holds what the journal must not.
	Append(e Entry) error
	// Fence makes the unit of work fail with Conflict when the lease is no
	// longer held at that epoch: checked inside the same transaction.
	Fence(l Lease) error
}

// Work runs units of work.
type Work interface {
	// Do runs fn in one transaction as the actor and commits when fn gives nil.
	// fn may be run again after a serialisation failure, so it must have no
	// effect outside the Tx. Errors: whatever fn gives, Conflict, Unavailable.
	Do(ctx context.Context, by access.Actor, fn func(Tx) error) error
}

// Reader reads the sealed journal.
type Reader interface {
	// Head gives the newest sequence number and its hash; 0 and Genesis when empty.
	Head(ctx context.Context) (seq int64, hash string, err error)
	// After gives up to limit entries with Seq > seq, in order.
	After(ctx context.Context, seq int64, limit int) ([]Sealed, error)
}

// Lease is the right to be the only one who does a named piece of work.
// Epoch grows with every change of holder; a write under an old epoch is refused.
type Lease struct {
	Name   string
	Holder string
	Epoch  int64
	Until  time.Time
}

// Leases hands out leases, held in SQL.
type Leases interface {
	// Acquire takes or renews the lease for ttl. ok is false while somebody else holds it.
	Acquire(ctx context.Context, name, holder string, ttl time.Duration) (l Lease, ok bool, err error)
	// Release gives the lease back when it is still ours.
	Release(ctx context.Context, l Lease) error
}
