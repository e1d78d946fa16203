// Package inboxtest is the inbox's store in memory, for tests of the wing and of
// those who use it. It keeps the contract of inbox.Store (storetest runs over it)
// and knows no SQL.
package inboxtest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/problem"
)

// Store is a journal and an inbox.Store in memory.
type Store struct {
	*journaltest.Memory
	mu        sync.Mutex // held during a unit of work, so that reads see committed state
	mailboxes map[string]inbox.Mailbox
	mails     map[string]inbox.Mail
	places    map[place]string // id of the mail
	blobs     map[string]blob
	tokens    map[string][]byte
}

var _ inbox.Store = (*Store)(nil)

type place struct {
	mailbox  string
	validity uint32
	epoch    int64
	uid      uint32
}

type blob struct {
	data    []byte
	refs    int
	touched time.Time
}

// New gives an empty store.
func New() *Store {
	return &Store{
		Memory: journaltest.New(), mailboxes: map[string]inbox.Mailbox{}, mails: map[string]inbox.Mail{}, places: map[place]string{},
		blobs: map[string]blob{}, tokens: map[string][]byte{},
	}
}

// Do runs one unit of work.
func (s *Store) Do(ctx context.Context, by access.Actor, fn func(journal.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Memory.Do(ctx, by, fn)
}

// set puts a value, and takes it back when the unit of work does not commit.
func set[K comparable, V any](tx journal.Tx, m map[K]V, key K, value V) {
	was, there := m[key]
	m[key] = value
	restore(tx, m, key, was, there)
}

// unset deletes a value likewise.
func unset[K comparable, V any](tx journal.Tx, m map[K]V, key K) {
	was, there := m[key]
	delete(m, key)
	restore(tx, m, key, was, there)
}

func restore[K comparable, V any](tx journal.Tx, m map[K]V, key K, was V, there bool) {
	tx.(*journaltest.Tx).OnRollback(func() {
		if there {
			m[key] = was
		} else {
			delete(m, key)
		}
	})
}

// PutBlob keeps bytes and counts one reference.
func (s *Store) PutBlob(_ context.Context, tx journal.Tx, hash string, data []byte) error {
	set(tx, s.blobs, hash, blob{data: append([]byte{}, data...), refs: s.blobs[hash].refs + 1, touched: tx.Now()})
	return nil
}

// StageBlob brings bytes that nobody refers to yet.
func (s *Store) StageBlob(_ context.Context, hash string, r io.Reader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, there := s.blobs[hash]; there {
		b.touched = time.Now()
		s.blobs[hash] = b
		return nil
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != hash {
		return problem.Invalid("hash", "the bytes are not those of the hash %s", hash)
	}
	s.blobs[hash] = blob{data: data, touched: time.Now()}
	return nil
}

// KeepBlob counts one reference more.
func (s *Store) KeepBlob(_ context.Context, tx journal.Tx, hash string) error {
	b, there := s.blobs[hash]
	if !there {
		return problem.NotFound("There is no blob %s.", hash)
	}
	b.refs++
	set(tx, s.blobs, hash, b)
	return nil
}

// DropBlob counts one reference less.
func (s *Store) DropBlob(_ context.Context, tx journal.Tx, hash string) error {
	b, there := s.blobs[hash]
	switch b.refs--; {
	case !there || b.refs < 0:
	case b.refs == 0:
		unset(tx, s.blobs, hash)
	default:
		set(tx, s.blobs, hash, b)
	}
	return nil
}

// OpenBlob gives the bytes of a hash.
func (s *Store) OpenBlob(_ context.Context, hash string) (io.ReadCloser, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, there := s.blobs[hash]
	if !there {
		return nil, 0, problem.NotFound("There is no blob %s.", hash)
	}
	return io.NopCloser(bytes.NewReader(b.data)), int64(len(b.data)), nil
}

// SweepBlobs clears away what nobody refers to.
func (s *Store) SweepBlobs(_ context.Context, before time.Time) (swept int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, b := range s.blobs {
		if b.refs == 0 && b.touched.Before(before) {
			delete(s.blobs, hash)
			swept++
		}
	}
	return swept, nil
}

// Mailboxes gives all, by name.
func (s *Store) Mailboxes(context.Context) ([]inbox.Mailbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.mailboxes), func(a, b inbox.Mailbox) int { return strings.Compare(a.Name, b.Name) }), nil
}

// Mailbox gives one.
func (s *Store) Mailbox(_ context.Context, name string) (inbox.Mailbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, there := s.mailboxes[name]
	if !there {
		return m, problem.NotFound("There is no mailbox %s.", name)
	}
	return m, nil
}

// PutMailbox inserts or updates.
func (s *Store) PutMailbox(_ context.Context, tx journal.Tx, m inbox.Mailbox) error {
	if s.mailboxes[m.Name].Version != m.Version {
		return problem.Conflict("Somebody else changed mailbox %s first.", m.Name)
	}
	m.Version++
	set(tx, s.mailboxes, m.Name, m)
	return nil
}

// MailboxToken gives what a mailbox's sign-in keeps.
func (s *Store) MailboxToken(_ context.Context, mailbox string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, there := s.tokens[mailbox]
	if !there {
		return nil, problem.NotFound("There is no token of %s.", mailbox)
	}
	return token, nil
}

// PutMailboxToken replaces it.
func (s *Store) PutMailboxToken(_ context.Context, tx journal.Tx, mailbox string, sealed []byte) error {
	set(tx, s.tokens, mailbox, sealed)
	return nil
}

// AddMails inserts mails with their bytes.
func (s *Store) AddMails(ctx context.Context, tx journal.Tx, arrivals []inbox.Arrival) (added int, err error) {
	for _, a := range arrivals {
		m := a.Mail
		at := place{m.Mailbox, m.Validity, m.Epoch, m.UID}
		if _, there := s.places[at]; there {
			continue
		}
		m.Version = 1
		set(tx, s.places, at, m.ID)
		set(tx, s.mails, m.ID, m)
		added++
		switch {
		case m.Hash == "":
		case a.Staged:
			err = s.KeepBlob(ctx, tx, m.Hash)
		default:
			err = s.PutBlob(ctx, tx, m.Hash, a.Raw)
		}
		if err != nil {
			return 0, err
		}
	}
	return added, nil
}

// SwapMails writes what may change of mails.
func (s *Store) SwapMails(_ context.Context, tx journal.Tx, list []inbox.Mail) error {
	for _, m := range list {
		if s.mails[m.ID].Version != m.Version {
			return problem.Conflict("Somebody else changed a mail first.")
		}
		m.Version++
		set(tx, s.mails, m.ID, m)
	}
	return nil
}

// Mail gives one.
func (s *Store) Mail(_ context.Context, id string) (inbox.Mail, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mail(id)
}

// MailForUpdate reads one inside the unit of work.
func (s *Store) MailForUpdate(_ context.Context, _ journal.Tx, id string) (inbox.Mail, error) {
	return s.mail(id)
}

func (s *Store) mail(id string) (inbox.Mail, error) {
	m, there := s.mails[id]
	if !there {
		return m, problem.NotFound("There is no mail %s.", id)
	}
	return m, nil
}

// pick gives at most limit mails that fit, in order of less.
func (s *Store) pick(limit int, fits func(inbox.Mail) bool, order func(a, b inbox.Mail) int) []inbox.Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []inbox.Mail
	for _, m := range s.mails {
		if fits(m) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, order)
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

func byID(a, b inbox.Mail) int   { return strings.Compare(a.ID, b.ID) }
func newest(a, b inbox.Mail) int { return strings.Compare(b.ID, a.ID) }
func byUID(a, b inbox.Mail) int  { return cmp.Compare(a.UID, b.UID) }

// Mails gives those that match, newest first.
func (s *Store) Mails(_ context.Context, q inbox.Query) ([]inbox.Mail, error) {
	return s.pick(q.Limit, func(m inbox.Mail) bool {
		return (q.Mailbox == "" || m.Mailbox == q.Mailbox) && (len(q.Fates) == 0 || slices.Contains(q.Fates, m.Fate)) &&
			(q.MessageID == "" || m.MessageID == q.MessageID) && (q.Hash == "" || m.Hash == q.Hash) && (q.UID == 0 || m.UID == q.UID) &&
			(q.From.IsZero() || !m.ReceivedAt.Before(q.From)) && (q.To.IsZero() || m.ReceivedAt.Before(q.To)) && (q.Before == "" || m.ID < q.Before)
	}, newest), nil
}

// WaitingMails gives those whose moment has come.
func (s *Store) WaitingMails(_ context.Context, now time.Time, limit int) ([]inbox.Mail, error) {
	return s.pick(limit, func(m inbox.Mail) bool { return m.Fate == inbox.Waiting && !m.NextAt.After(now) }, func(a, b inbox.Mail) int {
		if a.Quiet != b.Quiet {
			if b.Quiet {
				return -1
			}
			return 1
		}
		return byID(a, b)
	}), nil
}

// Backlog tells how many mails wait.
func (s *Store) Backlog(_ context.Context, name string) (waiting int64, oldest time.Time, err error) {
	for _, m := range s.pick(0, func(m inbox.Mail) bool { return m.Fate == inbox.Waiting && (name == "" || m.Mailbox == name) }, byID) {
		if waiting++; oldest.IsZero() || m.StoredAt.Before(oldest) {
			oldest = m.StoredAt
		}
	}
	return waiting, oldest, nil
}

// FirstMails gives the oldest mail of each hash that became something.
func (s *Store) FirstMails(_ context.Context, hashes []string) (map[string]inbox.Mail, error) {
	nothing := []inbox.Fate{inbox.Waiting, inbox.Repeated, inbox.SetAside, inbox.Unfetchable}
	out := map[string]inbox.Mail{}
	for _, m := range s.pick(0, func(m inbox.Mail) bool {
		return m.Hash != "" && slices.Contains(hashes, m.Hash) && !slices.Contains(nothing, m.Fate)
	}, newest) {
		out[m.Hash] = m
	}
	return out, nil
}

// KeptUIDs gives the UIDs that have a row.
func (s *Store) KeptUIDs(_ context.Context, b inbox.Mailbox, from, to uint32) (out []uint32, err error) {
	for _, m := range s.pick(0, func(m inbox.Mail) bool { return of(m, b) && m.UID >= from && m.UID <= to }, byUID) {
		out = append(out, m.UID)
	}
	return out, nil
}

// of reports whether a mail came under a mailbox's present numbers.
func of(m inbox.Mail, b inbox.Mailbox) bool {
	return m.Mailbox == b.Name && m.Validity == b.Validity && m.Epoch == b.Epoch
}

// UnfetchedMails gives those that are to be asked for again.
func (s *Store) UnfetchedMails(_ context.Context, b inbox.Mailbox, now time.Time, limit int) ([]inbox.Mail, error) {
	return s.pick(limit, func(m inbox.Mail) bool {
		return of(m, b) && m.Fate == inbox.Unfetchable && !m.NextAt.IsZero() && !m.NextAt.After(now)
	}, byID), nil
}

// UnsettledMails gives those that are on the server as they came.
func (s *Store) UnsettledMails(_ context.Context, b inbox.Mailbox, q inbox.Unsettled) ([]inbox.Mail, error) {
	return s.pick(q.Limit, func(m inbox.Mail) bool {
		return of(m, b) && !m.Settled && m.Fate != inbox.Waiting && m.Fate != inbox.Unfetchable &&
			(!m.StoredAt.After(q.Before) || q.Spam && m.Kind == "spam" || q.Failed && m.Fate == inbox.SetAside)
	}, byUID), nil
}

// OldMails gives those that were stored before the moment.
func (s *Store) OldMails(_ context.Context, before time.Time, limit int) ([]inbox.Mail, error) {
	return s.pick(limit, func(m inbox.Mail) bool {
		return m.StoredAt.Before(before) && m.Fate != inbox.Waiting && m.Hash != "" && m.GoneAt.IsZero()
	}, byID), nil
}

// FateCounts counts by fate.
func (s *Store) FateCounts(_ context.Context, mailbox string) (map[inbox.Fate]int64, error) {
	out := map[inbox.Fate]int64{}
	for _, m := range s.pick(0, func(m inbox.Mail) bool { return m.Mailbox == mailbox }, byID) {
		out[m.Fate]++
	}
	return out, nil
}

// CountSetAside counts by mailbox what a person must look at.
func (s *Store) CountSetAside(context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	for _, m := range s.pick(0, func(m inbox.Mail) bool { return m.Fate == inbox.SetAside || m.Fate == inbox.Unfetchable }, byID) {
		out[m.Mailbox]++
	}
	return out, nil
}
