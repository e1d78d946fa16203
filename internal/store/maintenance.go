package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// Occurrences gives maintenance that touches [from, to), by start: as planned,
// as it was really carried out, or still under way.
func (s *Store) Occurrences(ctx context.Context, from, to time.Time) ([]status.Occurrence, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, o *status.Occurrence) error {
		return r.Scan(&o.ID, &o.Window, &o.Title, &o.Text, asJSON(&o.Components), into(&o.From), into(&o.To), &o.State,
			into(&o.StartedAt), into(&o.EndedAt), &o.Sequence, into(&o.ChangedAt), &o.Version)
	}, `select id, window_key, title, body, components, from_at, to_at, state, started_at, ended_at, sequence, changed_at, version
		from maintenance_occurrences
		where (from_at < $2 or started_at < $2) and (to_at > $1 or ended_at > $1 or state in ('in_progress', 'verifying'))
		order by from_at, id`, from.UnixMicro(), to.UnixMicro())
}

// PutOccurrence inserts (Version 0) or updates one occurrence of maintenance.
func (s *Store) PutOccurrence(_ context.Context, jt journal.Tx, o status.Occurrence) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if o.Version == 0 {
		_, err := t.exec(`insert into maintenance_occurrences (id, window_key, title, body, components, from_at, to_at, state,
			started_at, ended_at, sequence, changed_at, version)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)`,
			o.ID, o.Window, o.Title, o.Text, asJSON(&o.Components), at(o.From), at(o.To), string(o.State), at(o.StartedAt), at(o.EndedAt), o.Sequence, at(o.ChangedAt))
		return err
	}
	return t.swap("maintenance", o.ID, `update maintenance_occurrences set window_key = $3, title = $4, body = $5, components = $6,
		from_at = $7, to_at = $8, state = $9, started_at = $10, ended_at = $11, sequence = $12, changed_at = $13,
		version = version + 1 where id = $1 and version = $2`,
		o.ID, o.Version, o.Window, o.Title, o.Text, asJSON(&o.Components), at(o.From), at(o.To), string(o.State), at(o.StartedAt), at(o.EndedAt), o.Sequence, at(o.ChangedAt))
}
