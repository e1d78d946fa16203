package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

var _ status.DeskStore = (*Store)(nil)

// Sayings gives what people say of components by hand now, by component and time.
func (s *Store) Sayings(ctx context.Context) ([]status.Saying, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, v *status.Saying) error {
		return r.Scan(&v.ID, &v.Component, &v.Status, into(&v.From), &v.By, &v.Reason, into(&v.EndedAt), &v.EndedBy, &v.Version)
	}, `select id, component, status, from_at, actor, reason, ended_at, ended_by, version from sayings
		where ended_at is null order by component, from_at, id`)
}

// PutSaying inserts (Version 0) or updates what a person said of a component.
func (s *Store) PutSaying(_ context.Context, jt journal.Tx, v status.Saying) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if v.Version == 0 {
		_, err := t.exec(`insert into sayings (id, component, status, from_at, actor, reason, ended_at, ended_by, version)
			values ($1, $2, $3, $4, $5, $6, $7, $8, 1)`,
			v.ID, v.Component, string(v.Status), at(v.From), v.By, v.Reason, at(v.EndedAt), v.EndedBy)
		return err
	}
	return t.swap("saying", v.ID, `update sayings set component = $3, status = $4, from_at = $5, actor = $6, reason = $7, ended_at = $8, ended_by = $9,
		version = version + 1 where id = $1 and version = $2`,
		v.ID, v.Version, v.Component, string(v.Status), at(v.From), v.By, v.Reason, at(v.EndedAt), v.EndedBy)
}

// Holds gives the rollouts that hold at a moment, by component.
func (s *Store) Holds(ctx context.Context, when time.Time) ([]status.Hold, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, v *status.Hold) error {
		return r.Scan(&v.Component, into(&v.From), into(&v.Until), &v.Why, &v.By, &v.Version)
	}, `select component, from_at, until_at, why, actor, version from holds where until_at > $1 order by component`, when.UnixMicro())
}

// PutHold inserts (Version 0) or updates the hold of a component.
func (s *Store) PutHold(_ context.Context, jt journal.Tx, v status.Hold) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if v.Version == 0 {
		_, err := t.exec(`insert into holds (component, from_at, until_at, why, actor, version) values ($1, $2, $3, $4, $5, 1)`,
			v.Component, at(v.From), at(v.Until), v.Why, v.By)
		return err
	}
	return t.swap("hold", v.Component, `update holds set from_at = $3, until_at = $4, why = $5, actor = $6, version = version + 1
		where component = $1 and version = $2`, v.Component, v.Version, at(v.From), at(v.Until), v.Why, v.By)
}

// Silences gives those that end after a moment, by start.
func (s *Store) Silences(ctx context.Context, after time.Time) ([]status.Silence, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, v *status.Silence) error {
		return r.Scan(&v.ID, asJSON(&v.Components), asJSON(&v.Monitors), into(&v.From), into(&v.To), &v.Reason, &v.By,
			into(&v.EndedAt), &v.EndedBy, &v.Version)
	}, `select id, components, monitors, from_at, to_at, reason, actor, ended_at, ended_by, version from silences
		where to_at > $1 and (ended_at is null or ended_at > $1) order by from_at, id`, after.UnixMicro())
}

// PutSilence inserts (Version 0) or updates a silence.
func (s *Store) PutSilence(_ context.Context, jt journal.Tx, v status.Silence) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if v.Version == 0 {
		_, err := t.exec(`insert into silences (id, components, monitors, from_at, to_at, reason, actor, ended_at, ended_by, version)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)`,
			v.ID, asJSON(&v.Components), asJSON(&v.Monitors), at(v.From), at(v.To), v.Reason, v.By, at(v.EndedAt), v.EndedBy)
		return err
	}
	return t.swap("silence", v.ID, `update silences set components = $3, monitors = $4, from_at = $5, to_at = $6, reason = $7, actor = $8,
		ended_at = $9, ended_by = $10, version = version + 1 where id = $1 and version = $2`,
		v.ID, v.Version, asJSON(&v.Components), asJSON(&v.Monitors), at(v.From), at(v.To), v.Reason, v.By, at(v.EndedAt), v.EndedBy)
}

// Documents gives what was defined in the console, by kind and ID.
func (s *Store) Documents(ctx context.Context) ([]status.Document, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, v *status.Document) error {
		return r.Scan(&v.Kind, &v.ID, &v.Text, &v.By, into(&v.At), &v.Version)
	}, `select kind, id, document, actor, at, version from definitions order by kind, id`)
}

// PutDocument inserts (Version 0) or updates a definition made in the console.
func (s *Store) PutDocument(_ context.Context, jt journal.Tx, v status.Document) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if v.Version == 0 {
		_, err := t.exec(`insert into definitions (kind, id, document, actor, at, version) values ($1, $2, $3, $4, $5, 1)`,
			v.Kind, v.ID, v.Text, v.By, at(v.At))
		return err
	}
	return t.swap(v.Kind, v.ID, `update definitions set document = $4, actor = $5, at = $6, version = version + 1
		where kind = $1 and id = $2 and version = $3`, v.Kind, v.ID, v.Version, v.Text, v.By, at(v.At))
}

// DropDocument deletes a definition made in the console.
func (s *Store) DropDocument(_ context.Context, jt journal.Tx, kind, id string, version int64) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap(kind, id, `delete from definitions where kind = $1 and id = $2 and version = $3`, kind, id, version)
}

// OrderPast makes units of work that read the past of one component and write
// what follows from it come one after another: all of them move one row.
func (s *Store) OrderPast(_ context.Context, jt journal.Tx, component string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into moments (name, at) values ($1, $2) on conflict (name) do update set at = excluded.at`,
		"past/"+component, at(t.now))
	return err
}

// ReplaceSpan puts ended spans in the place of one that has ended. Errors:
// Conflict when it has not ended at that version.
func (s *Store) ReplaceSpan(_ context.Context, jt journal.Tx, id string, version int64, with []status.Span) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	var from, to time.Time
	if err := t.rows(`select from_at, to_at from spans where id = $1`, []any{id}, func(r *sql.Rows) error {
		return r.Scan(into(&from), into(&to))
	}); err != nil {
		return err
	}
	if err := t.swap("span", id, `delete from spans where id = $1 and version = $2 and to_at is not null`, id, version); err != nil {
		return err
	}
	for _, v := range with {
		if !v.From.Equal(from) || !v.From.Before(v.To) {
			return problem.Internal(nil, "The spans that replace %s do not tile its time.", id)
		}
		if err := s.AddSpan(t.ctx, jt, v); err != nil {
			return err
		}
		from = v.To
	}
	if !from.Equal(to) {
		return problem.Internal(nil, "The spans that replace %s do not tile its time.", id)
	}
	return nil
}
