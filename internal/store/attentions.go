package store

import (
	"context"
	"database/sql"

	"evenkeel/internal/hub"
	"evenkeel/internal/journal"
)

var _ hub.Concerns = (*Store)(nil)

// Concerns gives what needs attention, oldest first.
func (s *Store) Concerns(ctx context.Context) ([]hub.Concern, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, c *hub.Concern) error {
		return r.Scan(&c.ID, &c.Kind, &c.Subject.Kind, &c.Subject.ID, into(&c.Since), into(&c.RaisedAt), into(&c.Until), asJSON(&c.Facts))
	}, `select id, kind, subject_kind, subject_id, since, raised_at, until, facts from attentions order by since, id`)
}

// PutConcern inserts or replaces a concern, which keeps the moment at which it
// was raised, and tells whether it is new.
func (s *Store) PutConcern(_ context.Context, jt journal.Tx, c hub.Concern) (bool, error) {
	t, err := s.own(jt)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`insert into attentions (id, kind, subject_kind, subject_id, since, raised_at, until, facts)
		values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing`,
		c.ID, string(c.Kind), c.Subject.Kind, c.Subject.ID, at(c.Since), at(c.RaisedAt), at(c.Until), asJSON(&c.Facts))
	if err != nil || n > 0 {
		return n > 0, err
	}
	_, err = t.exec(`update attentions set since = $2, until = $3, facts = $4 where id = $1`, c.ID, at(c.Since), at(c.Until), asJSON(&c.Facts))
	return false, err
}

// DropConcern deletes a concern, and tells whether it was there.
func (s *Store) DropConcern(_ context.Context, jt journal.Tx, id string) (bool, error) {
	t, err := s.own(jt)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`delete from attentions where id = $1`, id)
	return n > 0, err
}
