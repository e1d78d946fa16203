// Package tickettest is the record of the ticket wing in memory, for tests of
// whoever stands on a desk: it keeps the contract of ticket.Store and
// ticket.Blobs and loses everything at the end. It knows no SQL and nothing of
// the wing's insides.
package tickettest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// Store is ticket.Store, ticket.Blobs and the journal in memory.
type Store struct {
	*journaltest.Memory
	mu         sync.Mutex
	last       int64
	tickets    map[string]ticket.Ticket
	messages   map[string]ticket.Message
	requesters map[string]ticket.Requester
	views      map[string]ticket.View
	replies    map[string]ticket.SavedReply
	bulks      map[string]ticket.Bulk
	blobs      map[string][]byte
	refs       map[string]int
	present    map[presentKey]ticket.Presence
	answered   []answered
}

type presentKey struct{ ticket, person string }

type answered struct {
	requester, domain string
	at                time.Time
}

var (
	_ ticket.Store = (*Store)(nil)
	_ ticket.Blobs = (*Store)(nil)
)

// New makes an empty store.
func New() *Store {
	return &Store{
		Memory: journaltest.New(), last: 4100, tickets: map[string]ticket.Ticket{}, messages: map[string]ticket.Message{}, requesters: map[string]ticket.Requester{},
		views: map[string]ticket.View{}, replies: map[string]ticket.SavedReply{}, bulks: map[string]ticket.Bulk{}, blobs: map[string][]byte{}, refs: map[string]int{},
		present: map[presentKey]ticket.Presence{},
	}
}

// Desk makes a desk on a new store with two queues, a mailbox and a promise, for
// tests of what stands before it.
func Desk(staff ticket.Staff, now func() time.Time) (*ticket.Desk, *Store) {
	s := New()
	d := ticket.NewDesk(ticket.DeskDeps{Work: s, Store: s, Blobs: s, Signer: Key("k"), Staff: staff, Now: now, Log: slog.New(slog.DiscardHandler)})
	d.Setup(ticket.Setup{
		Queues:    []ticket.Queue{{ID: "support", Name: "Support"}, {ID: "plant", Name: "Plant", Kinds: []ticket.Kind{ticket.Impairment}}},
		Mailboxes: []ticket.Mailbox{{Name: "support", Queue: "support", From: ticket.Address{Name: "Support", Address: "support@example.org"}}},
		Promises:  []ticket.Promise{{FirstReply: 30 * time.Minute, NextReply: 2 * time.Hour, Warn: 20 * time.Minute}},
		Fields:    []ticket.Field{{ID: "plan", Name: "Plan", Options: []string{"free", "paid"}}},
		Replies:   []ticket.SavedReply{{ID: "thanks", Name: "Thank you", Body: "Thank you for writing, {{first_name}}. We look into {{number}}."}},
		Templates: []ticket.Template{{ID: "erase", Name: "Deletion request", Kind: ticket.Deletion, Subject: "Delete the data of a customer", Text: "1. Find out who asks."}},
	})
	return d, s
}

// Key signs for tests.
type Key string

// Sign gives 32 bytes that depend on the text.
func (k Key) Sign(text string) []byte { return sum(string(k) + text) }

// Nobody is a staff without people.
type Nobody struct{}

// Colleague finds nobody.
func (Nobody) Colleague(context.Context, string) (ticket.Colleague, error) {
	return ticket.Colleague{}, problem.NotFound("nobody")
}

// ColleagueAt finds nobody.
func (Nobody) ColleagueAt(context.Context, string) (ticket.Colleague, error) {
	return ticket.Colleague{}, problem.NotFound("nobody")
}

// copied gives a value that shares nothing with v.
func copied[T any](v T) T {
	body, err := json.Marshal(v)
	if err != nil {
		panic("tickettest: " + err.Error())
	}
	var out T
	if err := json.Unmarshal(body, &out); err != nil {
		panic("tickettest: " + err.Error())
	}
	return out
}

// set changes one row inside a unit of work, and takes it back if that does not
// commit. v nil deletes the row. The caller holds the lock.
func set[K comparable, V any](s *Store, tx journal.Tx, rows map[K]V, key K, v *V) {
	old, had := rows[key]
	if v != nil {
		rows[key] = copied(*v)
	} else {
		delete(rows, key)
	}
	tx.(*journaltest.Tx).OnRollback(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if had {
			rows[key] = old
		} else {
			delete(rows, key)
		}
	})
}

// find gives a copy of one row. Errors: NotFound.
func find[K comparable, V any](s *Store, rows map[K]V, key K) (V, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := rows[key]
	if !ok {
		return v, problem.NotFound("There is no such row.")
	}
	return copied(v), nil
}

// put inserts or updates a row that has a version. Errors: Conflict.
func put[V any](s *Store, tx journal.Tx, rows map[string]V, id string, v *V, version func(*V) *int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, had := rows[id]
	if n := *version(v); had != (n > 0) || had && *version(&was) != n {
		return problem.Conflict("Somebody else was first.")
	}
	*version(v)++
	set(s, tx, rows, id, v)
	return nil
}

// drop deletes a row of a version. Errors: Conflict.
func drop[V any](s *Store, tx journal.Tx, rows map[string]V, id string, n int64, version func(*V) *int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, had := rows[id]; !had || *version(&was) != n {
		return problem.Conflict("Somebody else was first.")
	}
	set(s, tx, rows, id, nil)
	return nil
}

// PutPresence says who has a ticket on the screen.
func (s *Store) PutPresence(_ context.Context, tx journal.Tx, p ticket.Presence) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(s, tx, s.present, presentKey{p.Ticket, p.Person}, &p)
	return nil
}

// Present gives who has.
func (s *Store) Present(_ context.Context, id string, now time.Time) ([]ticket.Presence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ticket.Presence
	for key, p := range s.present {
		if key.ticket == id && p.Until.After(now) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b ticket.Presence) int { return cmp.Compare(a.Person, b.Person) })
	return out, nil
}

// PruneTickets forgets what nobody needs any more.
func (s *Store) PruneTickets(_ context.Context, tx journal.Tx, now, acknowledged, bulks time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, p := range s.present {
		if p.Until.Before(now) {
			set(s, tx, s.present, key, nil)
		}
	}
	for id, b := range s.bulks {
		if b.At.Before(bulks) {
			set(s, tx, s.bulks, id, nil)
		}
	}
	s.answered = slices.DeleteFunc(s.answered, func(a answered) bool { return a.at.Before(acknowledged) })
	return nil
}

// Acknowledged counts automatic answers.
func (s *Store) Acknowledged(_ context.Context, _ journal.Tx, requester, domain string, since time.Time) (ticket.Answered, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n ticket.Answered
	for _, a := range s.answered {
		if a.at.Before(since) {
			continue
		}
		n.All++
		if a.requester == requester {
			n.Requester++
		}
		if a.domain == domain {
			n.Domain++
		}
	}
	return n, nil
}

// PutAcknowledged notes one more.
func (s *Store) PutAcknowledged(_ context.Context, _ journal.Tx, requester, domain string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = append(s.answered, answered{requester, domain, at})
	return nil
}

// Views gives the saved views, by name.
func (s *Store) Views(context.Context) ([]ticket.View, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.views), func(a, b ticket.View) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// PutView keeps one.
func (s *Store) PutView(_ context.Context, tx journal.Tx, v *ticket.View) error {
	return put(s, tx, s.views, v.ID, v, func(v *ticket.View) *int64 { return &v.Version })
}

// DropView forgets one.
func (s *Store) DropView(_ context.Context, tx journal.Tx, id string, version int64) error {
	return drop(s, tx, s.views, id, version, func(v *ticket.View) *int64 { return &v.Version })
}

// SavedReplies gives those made in the console, by name.
func (s *Store) SavedReplies(context.Context) ([]ticket.SavedReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.replies), func(a, b ticket.SavedReply) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// PutSavedReply keeps one.
func (s *Store) PutSavedReply(_ context.Context, tx journal.Tx, r *ticket.SavedReply) error {
	return put(s, tx, s.replies, r.ID, r, func(r *ticket.SavedReply) *int64 { return &r.Version })
}

// DropSavedReply forgets one.
func (s *Store) DropSavedReply(_ context.Context, tx journal.Tx, id string, version int64) error {
	return drop(s, tx, s.replies, id, version, func(r *ticket.SavedReply) *int64 { return &r.Version })
}

// PutBulk remembers what an act on many changed.
func (s *Store) PutBulk(_ context.Context, tx journal.Tx, b ticket.Bulk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(s, tx, s.bulks, b.ID, &b)
	return nil
}

// Bulk gives it.
func (s *Store) Bulk(_ context.Context, _ journal.Tx, id string) (ticket.Bulk, error) {
	return find(s, s.bulks, id)
}

// DropBulk forgets it.
func (s *Store) DropBulk(_ context.Context, tx journal.Tx, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(s, tx, s.bulks, id, nil)
	return nil
}

// PutBlob keeps bytes.
func (s *Store) PutBlob(_ context.Context, tx journal.Tx, hash string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.refs[hash] + 1
	set(s, tx, s.blobs, hash, &data)
	set(s, tx, s.refs, hash, &n)
	return nil
}

// KeepBlob counts one reference more.
func (s *Store) KeepBlob(_ context.Context, tx journal.Tx, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.refs[hash]
	if !ok {
		return problem.NotFound("These bytes are not here.")
	}
	n++
	set(s, tx, s.refs, hash, &n)
	return nil
}

// DropBlob counts one less.
func (s *Store) DropBlob(_ context.Context, tx journal.Tx, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.refs[hash] - 1; n > 0 {
		set(s, tx, s.refs, hash, &n)
		return nil
	}
	set(s, tx, s.refs, hash, nil)
	set(s, tx, s.blobs, hash, nil)
	return nil
}

// OpenBlob gives the bytes.
func (s *Store) OpenBlob(_ context.Context, hash string) (io.ReadCloser, int64, error) {
	data, err := find(s, s.blobs, hash)
	return io.NopCloser(bytes.NewReader(data)), int64(len(data)), err
}
