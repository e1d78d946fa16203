// Package peopletest is the people wing's store in memory, for tests of the
// wing and of what stands on it: it keeps the contract of people.Store
// (storetest runs over it), undoes what a unit of work that fails did, and
// loses everything at the end.
package peopletest

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

// Store keeps people in memory. It is safe for concurrent use, except that a
// unit of work's writes are seen before it commits.
type Store struct {
	*journaltest.Memory

	mu        sync.Mutex
	people    map[string]people.Person
	sessions  map[string]people.Session
	links     map[string]people.Link
	tokens    map[string]people.Token
	hooks     map[string]people.Hook
	throttles map[string]people.Throttle
	keys      map[string]time.Time
}

var _ people.Store = (*Store)(nil)

// New gives an empty store together with a journal.
func New() *Store {
	return &Store{
		Memory: journaltest.New(), people: map[string]people.Person{}, sessions: map[string]people.Session{}, links: map[string]people.Link{},
		tokens: map[string]people.Token{}, hooks: map[string]people.Hook{}, throttles: map[string]people.Throttle{}, keys: map[string]time.Time{},
	}
}

// put sets a row, or deletes it when there is none to set, and undoes that when
// the unit of work fails.
func put[T any](s *Store, jt journal.Tx, rows map[string]T, key string, v *T) error {
	tx, ok := jt.(*journaltest.Tx)
	if !ok {
		return problem.Internal(nil, "A unit of work of another store was used.")
	}
	before, had := rows[key]
	tx.OnRollback(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if had {
			rows[key] = before
		} else {
			delete(rows, key)
		}
	})
	if v == nil {
		delete(rows, key)
	} else {
		rows[key] = *v
	}
	return nil
}

// find gives the row for which is holds.
func find[T any](s *Store, rows map[string]T, is func(T) bool) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range rows {
		if is(v) {
			return v, nil
		}
	}
	var none T
	return none, problem.NotFound("There is no such row.")
}

// newest gives rows, the youngest first.
func newest[T any](s *Store, rows map[string]T, is func(T) bool, born func(T) (time.Time, string)) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []T
	for _, v := range rows {
		if is(v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b T) int {
		at, ai := born(a)
		bt, bi := born(b)
		return cmp.Or(bt.Compare(at), cmp.Compare(bi, ai))
	})
	return out
}

func conflict(what, id string) error {
	return problem.Conflict("Somebody else changed %s %s first.", what, id)
}

// Person gives one account by id.
func (s *Store) Person(_ context.Context, id string) (people.Person, error) {
	return find(s, s.people, func(p people.Person) bool { return p.ID == id })
}

// PersonByEmail gives the account with the address.
func (s *Store) PersonByEmail(_ context.Context, email string) (people.Person, error) {
	return find(s, s.people, func(p people.Person) bool { return email != "" && p.Email == email })
}

// PersonBySubject gives the account with the OIDC subject.
func (s *Store) PersonBySubject(_ context.Context, subject string) (people.Person, error) {
	return find(s, s.people, func(p people.Person) bool { return subject != "" && p.Subject == subject })
}

// People gives every account but erased ones, by name and id.
func (s *Store) People(context.Context) ([]people.Person, error) {
	all := newest(s, s.people, func(p people.Person) bool { return p.ErasedAt.IsZero() }, func(p people.Person) (time.Time, string) { return p.CreatedAt, p.ID })
	slices.SortFunc(all, func(a, b people.Person) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// PutPerson inserts or updates an account.
func (s *Store) PutPerson(_ context.Context, tx journal.Tx, p people.Person) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, ok := s.people[p.ID]
	if ok != (p.Version > 0) || ok && have.Version != p.Version {
		return conflict("person", p.ID)
	}
	for _, other := range s.people {
		if other.ID != p.ID && (p.Email != "" && other.Email == p.Email || p.Subject != "" && other.Subject == p.Subject) {
			return problem.Conflict("Somebody else added the same thing first.")
		}
	}
	if ok {
		p.SeenAt = have.SeenAt
	}
	p.Version++
	return put(s, tx, s.people, p.ID, &p)
}

// Session gives the session with that hash.
func (s *Store) Session(_ context.Context, hash []byte) (people.Session, error) {
	return find(s, s.sessions, func(v people.Session) bool { return bytes.Equal(v.Hash, hash) })
}

// Sessions gives the sessions of a person, or of everybody, newest first.
func (s *Store) Sessions(_ context.Context, person string) ([]people.Session, error) {
	return newest(s, s.sessions, func(v people.Session) bool { return person == "" || v.Person == person },
		func(v people.Session) (time.Time, string) { return v.CreatedAt, v.ID }), nil
}

// AddSession records a session.
func (s *Store) AddSession(_ context.Context, tx journal.Tx, v people.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return put(s, tx, s.sessions, v.ID, &v)
}

// SwapSession gives a session another secret.
func (s *Store) SwapSession(_ context.Context, tx journal.Tx, id string, old, hash []byte, strong time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.sessions[id]
	if !ok || !bytes.Equal(v.Hash, old) {
		return conflict("session", id)
	}
	v.Hash, v.Strong = hash, strong
	return put(s, tx, s.sessions, id, &v)
}

// EndSession deletes one session.
func (s *Store) EndSession(_ context.Context, tx journal.Tx, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sessions[id]; !ok {
		return problem.NotFound("There is no such session.")
	}
	return put(s, tx, s.sessions, id, nil)
}

// EndSessions deletes the sessions of a person but one.
func (s *Store) EndSessions(_ context.Context, tx journal.Tx, person, keep string) (ids []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, v := range s.sessions {
		if v.Person == person && id != keep {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		if err := put(s, tx, s.sessions, id, nil); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// SeeSession notes when a session and its person were last seen.
func (s *Store) SeeSession(_ context.Context, tx journal.Tx, id, person string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.sessions[id]; ok && v.SeenAt.Before(at) {
		v.SeenAt = at
		if err := put(s, tx, s.sessions, id, &v); err != nil {
			return err
		}
	}
	p, ok := s.people[person]
	if !ok || !p.SeenAt.Before(at) || !p.ErasedAt.IsZero() {
		return nil
	}
	p.SeenAt = at
	return put(s, tx, s.people, person, &p)
}

// Link gives the link with that hash.
func (s *Store) Link(_ context.Context, hash []byte) (people.Link, error) {
	return find(s, s.links, func(v people.Link) bool { return bytes.Equal(v.Hash, hash) })
}

// AddLink records a link.
func (s *Store) AddLink(_ context.Context, tx journal.Tx, v people.Link) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return put(s, tx, s.links, v.ID, &v)
}

// UseLink marks a link as used.
func (s *Store) UseLink(_ context.Context, tx journal.Tx, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.links[id]
	if !ok || !v.UsedAt.IsZero() {
		return conflict("link", id)
	}
	v.UsedAt = at
	return put(s, tx, s.links, id, &v)
}

// DropLinks deletes the unused links of a person.
func (s *Store) DropLinks(_ context.Context, tx journal.Tx, person string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, v := range s.links {
		if v.Person == person && person != "" && v.UsedAt.IsZero() {
			if err := put(s, tx, s.links, id, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// TokenByHash gives the token with that hash.
func (s *Store) TokenByHash(_ context.Context, hash []byte) (people.Token, error) {
	return find(s, s.tokens, func(v people.Token) bool { return bytes.Equal(v.Hash, hash) })
}

// Tokens gives every token, newest first.
func (s *Store) Tokens(context.Context) ([]people.Token, error) {
	return newest(s, s.tokens, func(people.Token) bool { return true }, func(v people.Token) (time.Time, string) { return v.CreatedAt, v.ID }), nil
}

// AddToken records a token.
func (s *Store) AddToken(_ context.Context, tx journal.Tx, v people.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return put(s, tx, s.tokens, v.ID, &v)
}

// RevokeToken ends a token.
func (s *Store) RevokeToken(_ context.Context, tx journal.Tx, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.tokens[id]
	if !ok || !v.RevokedAt.IsZero() {
		return conflict("token", id)
	}
	v.RevokedAt = at
	return put(s, tx, s.tokens, id, &v)
}

// SeeToken notes when a token was last seen.
func (s *Store) SeeToken(_ context.Context, tx journal.Tx, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.tokens[id]
	if !ok || !v.SeenAt.Before(at) {
		return nil
	}
	v.SeenAt = at
	return put(s, tx, s.tokens, id, &v)
}

// HookByHash gives the hook with that hash.
func (s *Store) HookByHash(_ context.Context, hash []byte) (people.Hook, error) {
	return find(s, s.hooks, func(v people.Hook) bool { return bytes.Equal(v.Hash, hash) })
}

// Hooks gives every hook, newest first.
func (s *Store) Hooks(context.Context) ([]people.Hook, error) {
	return newest(s, s.hooks, func(people.Hook) bool { return true }, func(v people.Hook) (time.Time, string) { return v.CreatedAt, v.ID }), nil
}

// AddHook records a hook.
func (s *Store) AddHook(_ context.Context, tx journal.Tx, v people.Hook) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return put(s, tx, s.hooks, v.ID, &v)
}

// RevokeHook ends a hook.
func (s *Store) RevokeHook(_ context.Context, tx journal.Tx, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.hooks[id]
	if !ok || !v.RevokedAt.IsZero() {
		return conflict("hook", id)
	}
	v.RevokedAt = at
	return put(s, tx, s.hooks, id, &v)
}

// SeeHook notes when a hook was last seen.
func (s *Store) SeeHook(_ context.Context, tx journal.Tx, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.hooks[id]
	if !ok || !v.SeenAt.Before(at) {
		return nil
	}
	v.SeenAt = at
	return put(s, tx, s.hooks, id, &v)
}

// Throttle reads a throttle.
func (s *Store) Throttle(_ context.Context, _ journal.Tx, key string) (people.Throttle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.throttles[key]
	t.Key = key
	return t, nil
}

// PutThrottle replaces a throttle; one with no fails is deleted.
func (s *Store) PutThrottle(_ context.Context, tx journal.Tx, t people.Throttle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Fails == 0 {
		return put(s, tx, s.throttles, t.Key, nil)
	}
	return put(s, tx, s.throttles, t.Key, &t)
}

// SealKeys gives the names of the keys that sealed anything, the last used first.
func (s *Store) SealKeys(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id := range s.keys {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(s.keys[b].Compare(s.keys[a]), cmp.Compare(a, b)) })
	return ids, nil
}

// UseSealKey notes that a key seals from now on.
func (s *Store) UseSealKey(_ context.Context, tx journal.Tx, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return put(s, tx, s.keys, id, &at)
}

// PruneDoors deletes what ended before the moment.
func (s *Store) PruneDoors(_ context.Context, tx journal.Tx, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, problem.Invalid("limit", "a limit must be positive")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := prune(s, tx, s.sessions, limit, func(v people.Session) bool { return v.ExpiresAt.Before(before) })
	gone += prune(s, tx, s.links, limit, func(v people.Link) bool { return v.ExpiresAt.Before(before) })
	gone += prune(s, tx, s.throttles, limit, func(v people.Throttle) bool { return v.At.Before(before) })
	return gone, nil
}

func prune[T any](s *Store, tx journal.Tx, rows map[string]T, limit int, over func(T) bool) (gone int) {
	for key, v := range rows {
		if gone < limit && over(v) && put(s, tx, rows, key, nil) == nil {
			gone++
		}
	}
	return gone
}
