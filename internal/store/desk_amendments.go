package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// amendedRow is a status.Amended as it is kept: its names are for ever. Times
// are microseconds.
type amendedRow struct {
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Status string `json:"status"`
	Origin string `json:"origin"`
	Cause  uint8  `json:"cause,omitempty"`
	Public string `json:"public,omitempty"`
	Staff  string `json:"staff,omitempty"`
	Ref    string `json:"ref,omitempty"`
}

func keepAmended(list []status.Amended) []amendedRow {
	rows := make([]amendedRow, len(list))
	for i, w := range list {
		rows[i] = amendedRow{
			From: w.From.UnixMicro(), To: w.To.UnixMicro(), Status: string(w.Status), Origin: string(w.Origin), Cause: uint8(w.Cause),
			Public: w.Public, Staff: w.Staff, Ref: w.Ref,
		}
	}
	return rows
}

func (r amendedRow) amended() status.Amended {
	return status.Amended{
		From: time.UnixMicro(r.From).UTC(), To: time.UnixMicro(r.To).UTC(), Status: status.Status(r.Status), Origin: status.Origin(r.Origin),
		Cause: status.Cause(r.Cause), Public: r.Public, Staff: r.Staff, Ref: r.Ref,
	}
}

const selectAmendments = `select id, component, from_at, to_at, reason, actor, at, was, undone_at, undone_by, version from amendments `

func scanAmendment(r *sql.Rows, v *status.Amendment) error {
	var was []amendedRow
	err := r.Scan(&v.ID, &v.Component, into(&v.From), into(&v.To), &v.Reason, &v.By, into(&v.At), asJSON(&was),
		into(&v.UndoneAt), &v.UndoneBy, &v.Version)
	for _, w := range was {
		v.Was = append(v.Was, w.amended())
	}
	return err
}

// Amendments gives the false alarms marked for a component, newest first;
// component "" gives all.
func (s *Store) Amendments(ctx context.Context, component string, limit int) ([]status.Amendment, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanAmendment, selectAmendments+`where $1 = '' or component = $1 order by at desc, id desc limit $2`, component, limit)
}

// Amendment gives one false alarm that was marked. Errors: NotFound.
func (s *Store) Amendment(ctx context.Context, id string) (status.Amendment, error) {
	return first(ctx, s, "correction", scanAmendment, selectAmendments+`where id = $1`, id)
}

// PutAmendment inserts (Version 0) or updates a false alarm that was marked.
func (s *Store) PutAmendment(_ context.Context, jt journal.Tx, v status.Amendment) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	was := keepAmended(v.Was)
	if v.Version == 0 {
		_, err := t.exec(`insert into amendments (id, component, from_at, to_at, reason, actor, at, was, undone_at, undone_by, version)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)`,
			v.ID, v.Component, at(v.From), at(v.To), v.Reason, v.By, at(v.At), asJSON(&was), at(v.UndoneAt), v.UndoneBy)
		return err
	}
	return t.swap("correction", v.ID, `update amendments set component = $3, from_at = $4, to_at = $5, reason = $6, actor = $7, at = $8, was = $9,
		undone_at = $10, undone_by = $11, version = version + 1 where id = $1 and version = $2`,
		v.ID, v.Version, v.Component, at(v.From), at(v.To), v.Reason, v.By, at(v.At), asJSON(&was), at(v.UndoneAt), v.UndoneBy)
}
