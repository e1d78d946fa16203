package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Head gives the newest sequence number and its hash; 0 and Genesis when empty.
func (s *Store) Head(ctx context.Context) (int64, string, error) {
	h, err := s.headOf(ctx, s.db)
	return h.seq, h.hash, err
}

const headQuery = `select seq, hash from journal order by seq desc limit 1`

func (s *Store) headOf(ctx context.Context, q querier) (head, error) {
	found, err := list(ctx, s, q, scanHead, headQuery)
	if err != nil || len(found) == 0 {
		return head{hash: journal.Genesis}, err
	}
	return found[0], nil
}

func scanHead(r *sql.Rows, h *head) error { return r.Scan(&h.seq, &h.hash) }

// After gives up to limit sealed entries behind seq, in order.
func (s *Store) After(ctx context.Context, seq int64, limit int) ([]journal.Sealed, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanSealed,
		`select seq, hash, id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload
		 from journal where seq > $1 order by seq limit $2`, seq, limit)
}

func scanSealed(r *sql.Rows, e *journal.Sealed) error {
	return r.Scan(&e.Seq, &e.Hash, &e.ID, &e.Actor.ID, &e.Actor.Role, &e.Verb, &e.Subject.Kind, &e.Subject.ID,
		into(&e.RecordedAt), into(&e.EffectiveAt), &e.Audience, asJSON(&e.Payload))
}

// Acquire takes or renews the lease for ttl; the epoch grows with every change
// of holder. ok is false while somebody else holds it. On PostgreSQL the
// server's clock decides what has run out.
func (s *Store) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (l journal.Lease, ok bool, err error) {
	defer problem.Wrap(&err, "acquire lease %s", name)
	if holder == "" || ttl <= 0 {
		return l, false, problem.Invalid("holder", "a lease needs a holder and a time to live")
	}
	err = s.run(ctx, access.Hub, func(t *tx) error {
		now, err := s.dialect.clock(t)
		if err != nil {
			return err
		}
		l = journal.Lease{Name: name, Holder: holder, Until: now.Add(ttl)}
		err = t.one(`insert into leases (name, holder, epoch, until) values ($1, $2, 1, $3)
			on conflict (name) do update set holder = excluded.holder, until = excluded.until,
				epoch = case when leases.holder = excluded.holder then leases.epoch else leases.epoch + 1 end
			where leases.holder = excluded.holder or leases.until <= $4
			returning epoch`, []any{name, holder, at(l.Until), at(now)}, &l.Epoch)
		ok = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil || !ok {
		return journal.Lease{}, false, err
	}
	return l, true, nil
}

// Release gives the lease back when it is still held at that epoch.
func (s *Store) Release(ctx context.Context, l journal.Lease) (err error) {
	defer problem.Wrap(&err, "release lease %s", l.Name)
	return s.run(ctx, access.Hub, func(t *tx) error {
		_, err := t.exec(`update leases set holder = '', until = 0 where name = $1 and holder = $2 and epoch = $3`,
			l.Name, l.Holder, l.Epoch)
		return err
	})
}

// Cursor gives the position of the named follower; 0 when it never ran.
func (s *Store) Cursor(ctx context.Context, name string) (int64, error) {
	found, err := list(ctx, s, s.db, func(r *sql.Rows, seq *int64) error { return r.Scan(seq) },
		`select seq from cursors where name = $1`, name)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0], nil
}

// Move sets the position of the named follower inside the unit of work of its
// effect. Errors: Conflict when the stored position is not from.
func (s *Store) Move(_ context.Context, jt journal.Tx, name string, from, to int64) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if from == 0 { // its first move
		return t.swap("follower", name, `insert into cursors (name, seq) values ($1, $2)
			on conflict (name) do update set seq = excluded.seq where cursors.seq = 0`, name, to)
	}
	return t.swap("follower", name, `update cursors set seq = $3 where name = $1 and seq = $2`, name, from, to)
}

// SealsAtCommit reports whether entries are numbered in the commit that writes
// them: on SQLite they are.
func (s *Store) SealsAtCommit() bool { return s.dialect.sealsAtCommit }

// Appended gives a channel that is closed at the next commit of this process
// that held entries.
func (s *Store) Appended() <-chan struct{} { return s.appended.Wait() }

// sealEntries numbers and chains the entries of a unit of work on the spot:
// SQLite's single writer knows the head.
func sealEntries(t *tx) error {
	w := t.s.writer
	for _, e := range t.entries {
		next := head{seq: w.head.seq + 1}
		next.hash = journal.Chain(w.head.hash, next.seq, e)
		n, err := t.exec(`insert into journal (seq, hash, id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (id) do nothing`,
			next.seq, next.hash, e.ID, e.Actor.ID, string(e.Actor.Role), e.Verb, e.Subject.Kind, e.Subject.ID,
			e.RecordedAt.UnixMicro(), e.EffectiveAt.UnixMicro(), string(e.Audience), payloadText(e))
		if err != nil {
			return err
		}
		if n == 1 { // else it is there already: the same entry, written again
			w.head = next
		}
	}
	return nil
}

// payloadText is the payload as it is kept.
func payloadText(e journal.Entry) string {
	if len(e.Payload) == 0 {
		return "{}"
	}
	text, err := json.Marshal(e.Payload)
	if err != nil { // a map of strings always marshals
		panic(err)
	}
	return string(text)
}
