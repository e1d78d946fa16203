package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

const sessionColumns = `id, hash, person, way, agent, network, created_at, seen_at, expires_at, strong_at`

func scanSession(r *sql.Rows, v *people.Session) error {
	return r.Scan(&v.ID, &v.Hash, &v.Person, &v.Way, &v.Agent, &v.Network, into(&v.CreatedAt), into(&v.SeenAt), into(&v.ExpiresAt), into(&v.Strong))
}

// Session gives the session with that hash. Errors: NotFound.
func (s *Store) Session(ctx context.Context, hash []byte) (people.Session, error) {
	return first(ctx, s, "session", scanSession, `select `+sessionColumns+` from sessions where hash = $1`, hash)
}

// Sessions gives the sessions of a person, or of everybody, newest first.
func (s *Store) Sessions(ctx context.Context, person string) ([]people.Session, error) {
	return list(ctx, s, s.db, scanSession, `select `+sessionColumns+` from sessions
		where person = $1 or $1 = '' order by created_at desc, id desc`, person)
}

// AddSession records a session.
func (s *Store) AddSession(_ context.Context, jt journal.Tx, v people.Session) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into sessions (`+sessionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		v.ID, v.Hash, v.Person, string(v.Way), v.Agent, v.Network, at(v.CreatedAt), at(v.SeenAt), at(v.ExpiresAt), at(v.Strong))
	return err
}

// SwapSession gives a session another secret and moment of strength. Errors:
// Conflict when it is gone or has another secret already.
func (s *Store) SwapSession(_ context.Context, jt journal.Tx, id string, old, hash []byte, strong time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("session", id, `update sessions set hash = $3, strong_at = $4 where id = $1 and hash = $2`, id, old, hash, at(strong))
}

// EndSession deletes one session. Errors: NotFound.
func (s *Store) EndSession(_ context.Context, jt journal.Tx, id string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	n, err := t.exec(`delete from sessions where id = $1`, id)
	if err == nil && n == 0 {
		err = problem.NotFound("There is no such session.")
	}
	return err
}

// EndSessions deletes the sessions of a person but the one to keep, and gives
// the ids of those it deleted.
func (s *Store) EndSessions(_ context.Context, jt journal.Tx, person, keep string) (ids []string, err error) {
	t, err := s.own(jt)
	if err != nil {
		return nil, err
	}
	err = t.rows(`delete from sessions where person = $1 and id <> $2 returning id`, []any{person, keep}, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// SeeSession notes when a session and its person were last seen.
func (s *Store) SeeSession(_ context.Context, jt journal.Tx, id, person string, when time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if _, err := t.exec(`update sessions set seen_at = $2 where id = $1 and seen_at < $2`, id, at(when)); err != nil {
		return err
	}
	_, err = t.exec(`update people set seen_at = $2 where id = $1 and (seen_at is null or seen_at < $2) and erased_at is null`, person, at(when))
	return err
}

const linkColumns = `id, hash, purpose, person, created_by, created_at, expires_at, used_at`

// Link gives the link with that hash, used ones included. Errors: NotFound.
func (s *Store) Link(ctx context.Context, hash []byte) (people.Link, error) {
	return first(ctx, s, "link", func(r *sql.Rows, v *people.Link) error {
		return r.Scan(&v.ID, &v.Hash, &v.Purpose, &v.Person, &v.CreatedBy, into(&v.CreatedAt), into(&v.ExpiresAt), into(&v.UsedAt))
	}, `select `+linkColumns+` from links where hash = $1`, hash)
}

// AddLink records a link.
func (s *Store) AddLink(_ context.Context, jt journal.Tx, v people.Link) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into links (`+linkColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		v.ID, v.Hash, string(v.Purpose), v.Person, v.CreatedBy, at(v.CreatedAt), at(v.ExpiresAt), at(v.UsedAt))
	return err
}

// UseLink marks a link as used. Errors: Conflict when it was used before.
func (s *Store) UseLink(_ context.Context, jt journal.Tx, id string, when time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("link", id, `update links set used_at = $2 where id = $1 and used_at is null`, id, at(when))
}

// DropLinks deletes the unused links of a person.
func (s *Store) DropLinks(_ context.Context, jt journal.Tx, person string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`delete from links where person = $1 and person <> '' and used_at is null`, person)
	return err
}
