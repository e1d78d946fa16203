// Package journaltest is the journal in memory, for tests of wings and
// followers: it keeps the ports' contracts (storetest runs over it) and loses
// everything at the end. It knows no SQL and no wing.
package journaltest

import (
	"context"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Memory is a journal in memory: Work, Reader, Leases, Cursors and SealStore.
// Entries are sealed as their unit of work commits.
type Memory struct {
	mu       sync.Mutex
	appended journal.LocalBell
	entries  []journal.Sealed
	ids      map[string]bool
	leases   map[string]journal.Lease
	cursors  map[string]int64
	away     error
}

var (
	_ journal.Work      = (*Memory)(nil)
	_ journal.Reader    = (*Memory)(nil)
	_ journal.Leases    = (*Memory)(nil)
	_ journal.Cursors   = (*Memory)(nil)
	_ journal.SealStore = (*Memory)(nil)
)

// New gives an empty journal.
func New() *Memory {
	return &Memory{ids: map[string]bool{}, leases: map[string]journal.Lease{}, cursors: map[string]int64{}}
}

// Tx is a unit of work in memory. Stores of wings under test hang their undo on it.
type Tx struct {
	m       *Memory
	now     time.Time
	by      access.Actor
	entries []journal.Entry
	undo    []func()
}

// Now is the moment of the unit of work.
func (t *Tx) Now() time.Time { return t.now }

// Append adds an entry.
func (t *Tx) Append(e journal.Entry) error {
	e, err := e.Complete(t.by, t.now)
	if err != nil {
		return err
	}
	t.entries = append(t.entries, e)
	return nil
}

// Fence refuses an epoch that has passed.
func (t *Tx) Fence(l journal.Lease) error {
	if held := t.m.leases[l.Name]; held.Holder != l.Holder || held.Epoch != l.Epoch {
		return problem.Conflict("Another process took over %s.", l.Name)
	}
	return nil
}

// OnRollback runs undo, newest first, when the unit of work does not commit.
func (t *Tx) OnRollback(undo func()) { t.undo = append(t.undo, undo) }

// SetAway makes every call fail with err, as a database that is gone; nil brings it back.
func (m *Memory) SetAway(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = err
}

// lock takes the journal unless it is away.
func (m *Memory) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.away != nil {
		defer m.mu.Unlock()
		return problem.Unavailable(m.away, "The database cannot be reached.")
	}
	return nil
}

// Do runs one unit of work; units never overlap.
func (m *Memory) Do(ctx context.Context, by access.Actor, fn func(journal.Tx) error) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	tx := &Tx{m: m, now: time.Now().UTC().Truncate(time.Microsecond), by: by}
	if err := fn(tx); err != nil {
		for _, undo := range slices.Backward(tx.undo) {
			undo()
		}
		return err
	}
	for _, e := range tx.entries {
		if m.ids[e.ID] {
			continue
		}
		m.ids[e.ID] = true
		seq, hash := m.head()
		m.entries = append(m.entries, journal.Sealed{Seq: seq + 1, Hash: journal.Chain(hash, seq+1, e), Entry: e})
	}
	if len(tx.entries) > 0 {
		m.appended.Ring()
	}
	return nil
}

func (m *Memory) head() (int64, string) {
	if len(m.entries) == 0 {
		return 0, journal.Genesis
	}
	last := m.entries[len(m.entries)-1]
	return last.Seq, last.Hash
}

// Head gives the newest sequence number and its hash.
func (m *Memory) Head(ctx context.Context) (int64, string, error) {
	if err := m.lock(ctx); err != nil {
		return 0, "", err
	}
	defer m.mu.Unlock()
	seq, hash := m.head()
	return seq, hash, nil
}

// After gives entries behind seq.
func (m *Memory) After(ctx context.Context, seq int64, limit int) ([]journal.Sealed, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if seq >= int64(len(m.entries)) {
		return nil, nil
	}
	rest := m.entries[max(seq, 0):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

// SealsAtCommit is true.
func (m *Memory) SealsAtCommit() bool { return true }

// Appended gives a channel that is closed at the next commit with entries.
func (m *Memory) Appended() <-chan struct{} { return m.appended.Wait() }

// Seal finds nothing left to do.
func (m *Memory) Seal(ctx context.Context, _ journal.Lease, _ int) (int, error) { return 0, ctx.Err() }

// Acquire takes or renews a lease.
func (m *Memory) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (journal.Lease, bool, error) {
	if err := m.lock(ctx); err != nil {
		return journal.Lease{}, false, err
	}
	defer m.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Microsecond)
	l := m.leases[name]
	if l.Holder != holder {
		if l.Holder != "" && now.Before(l.Until) {
			return journal.Lease{}, false, nil
		}
		l = journal.Lease{Name: name, Holder: holder, Epoch: l.Epoch + 1}
	}
	l.Until = now.Add(ttl)
	m.leases[name] = l
	return l, true, nil
}

// Release gives a lease back when it is still held at that epoch.
func (m *Memory) Release(ctx context.Context, l journal.Lease) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if held := m.leases[l.Name]; held.Holder == l.Holder && held.Epoch == l.Epoch {
		held.Holder, held.Until = "", time.Time{}
		m.leases[l.Name] = held
	}
	return nil
}

// Cursor gives the position of a follower.
func (m *Memory) Cursor(ctx context.Context, name string) (int64, error) {
	if err := m.lock(ctx); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	return m.cursors[name], nil
}

// Move sets the position inside a unit of work.
func (m *Memory) Move(_ context.Context, tx journal.Tx, name string, from, to int64) error {
	if m.cursors[name] != from {
		return problem.Conflict("The follower %s is not at %d.", name, from)
	}
	m.cursors[name] = to
	tx.(*Tx).OnRollback(func() { m.cursors[name] = from })
	return nil
}

// Seize gives the lease to another holder at once, as if it had run out.
func (m *Memory) Seize(name, holder string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leases[name] = journal.Lease{Name: name, Holder: holder, Epoch: m.leases[name].Epoch + 1, Until: time.Now().UTC().Add(journal.LeaseTTL)}
}
