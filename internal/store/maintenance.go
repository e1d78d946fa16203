package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// conductRow is a status.Conduct as it is kept: its names are for ever.
// Durations are microseconds.
type conductRow struct {
	Owner        string   `json:"owner,omitempty"`
	StartsByHand bool     `json:"starts_by_hand,omitempty"`
	EndsByHand   bool     `json:"ends_by_hand,omitempty"`
	Remind       *[]int64 `json:"remind_us,omitempty"` // absent = the default
}

func keepConduct(c status.Conduct) conductRow {
	row := conductRow{Owner: c.Owner, StartsByHand: c.StartsByHand, EndsByHand: c.EndsByHand}
	if c.Remind != nil {
		us := make([]int64, len(c.Remind))
		for i, d := range c.Remind {
			us[i] = micros(d)
		}
		row.Remind = &us
	}
	return row
}

func (r conductRow) conduct() status.Conduct {
	c := status.Conduct{Owner: r.Owner, StartsByHand: r.StartsByHand, EndsByHand: r.EndsByHand}
	if r.Remind != nil {
		c.Remind = make([]time.Duration, len(*r.Remind))
		for i, us := range *r.Remind {
			c.Remind[i] = time.Duration(us) * time.Microsecond
		}
	}
	return c
}

const windowColumns = `id, title, description, components, from_at, to_at, rrule, zone, start_local, duration_us, sequence, conduct, by_hand, removed_at`

// Windows gives the maintenance windows that are defined now, by id.
func (s *Store) Windows(ctx context.Context) ([]status.Window, error) {
	return s.windows(ctx, s.db, false)
}

func (s *Store) windows(ctx context.Context, q querier, all bool) ([]status.Window, error) {
	return list(ctx, s, q, scanWindow,
		`select key, `+windowColumns+`, version from maintenance_windows where $1 or removed_at is null order by id, key`, all)
}

func scanWindow(r *sql.Rows, w *status.Window) error {
	var conduct conductRow
	err := r.Scan(&w.Key, &w.ID, &w.Title, &w.Description, asJSON(&w.Components), into(&w.From), into(&w.To), &w.RRule, &w.Zone,
		&w.Start, lasting(&w.Duration), &w.Sequence, asJSON(&conduct), &w.Hand, into(&w.RemovedAt), &w.Version)
	w.Conduct = conduct.conduct()
	return err
}

// PutWindow inserts (Version 0) or updates a maintenance window.
func (s *Store) PutWindow(_ context.Context, jt journal.Tx, w status.Window) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	conduct := keepConduct(w.Conduct)
	args := []any{w.ID, w.Title, w.Description, asJSON(&w.Components), at(w.From), at(w.To), w.RRule, w.Zone,
		w.Start, micros(w.Duration), w.Sequence, asJSON(&conduct), w.Hand, at(w.RemovedAt)}
	if w.Version == 0 {
		_, err := t.exec(`insert into maintenance_windows (key, `+windowColumns+`, version)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1)`, append([]any{w.Key}, args...)...)
		return err
	}
	return t.swap("maintenance window", w.Key, `update maintenance_windows set id = $3, title = $4, description = $5, components = $6,
		from_at = $7, to_at = $8, rrule = $9, zone = $10, start_local = $11, duration_us = $12, sequence = $13, conduct = $14,
		by_hand = $15, removed_at = $16, version = version + 1 where key = $1 and version = $2`, append([]any{w.Key, w.Version}, args...)...)
}

const occurrenceColumns = `window_key, title, body, components, from_at, to_at, state, started_at, ended_at, sequence, changed_at,
	conduct, pinned, reminded_at, nagged_at, created_at`

const selectOccurrences = `select id, ` + occurrenceColumns + `, version from maintenance_occurrences `

func scanOccurrence(r *sql.Rows, o *status.Occurrence) error {
	var conduct conductRow
	err := r.Scan(&o.ID, &o.Window, &o.Title, &o.Text, asJSON(&o.Components), into(&o.From), into(&o.To), &o.State,
		into(&o.StartedAt), into(&o.EndedAt), &o.Sequence, into(&o.ChangedAt), asJSON(&conduct), &o.Pinned,
		into(&o.RemindedAt), into(&o.NaggedAt), into(&o.CreatedAt), &o.Version)
	o.Conduct = conduct.conduct()
	return err
}

// Occurrences gives maintenance that touches [from, to), by start: as planned,
// as it was really carried out, or still under way.
func (s *Store) Occurrences(ctx context.Context, from, to time.Time) ([]status.Occurrence, error) {
	return s.occurrences(ctx, s.db, from, to)
}

// Planned gives windows that are defined now, and occurrences that touch the time
// from a moment on, as they were at one moment.
func (s *Store) Planned(ctx context.Context, from time.Time) (windows []status.Window, known []status.Occurrence, err error) {
	err = s.snapshot(ctx, func(q querier) error {
		if windows, err = s.windows(ctx, q, false); err != nil {
			return err
		}
		known, err = s.occurrences(ctx, q, from, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
		return err
	})
	return windows, known, err
}

func (s *Store) occurrences(ctx context.Context, q querier, from, to time.Time) ([]status.Occurrence, error) {
	return list(ctx, s, q, scanOccurrence, selectOccurrences+`
		where (from_at < $2 or started_at < $2) and (to_at > $1 or ended_at > $1 or state in ('in_progress', 'verifying'))
		order by from_at, id`, from.UnixMicro(), to.UnixMicro())
}

// Occurrence gives one occurrence of maintenance.
func (s *Store) Occurrence(ctx context.Context, id string) (status.Occurrence, error) {
	return first(ctx, s, "maintenance", scanOccurrence, selectOccurrences+`where id = $1`, id)
}

// OccurrencesOf gives all of one window, by key, in order of their start.
func (s *Store) OccurrencesOf(ctx context.Context, window string) ([]status.Occurrence, error) {
	return list(ctx, s, s.db, scanOccurrence, selectOccurrences+`where window_key = $1 order by from_at, id`, window)
}

// PutOccurrence inserts (Version 0) or updates one occurrence of maintenance.
func (s *Store) PutOccurrence(_ context.Context, jt journal.Tx, o status.Occurrence) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	conduct := keepConduct(o.Conduct)
	args := []any{o.Window, o.Title, o.Text, asJSON(&o.Components), at(o.From), at(o.To), string(o.State), at(o.StartedAt), at(o.EndedAt),
		o.Sequence, at(o.ChangedAt), asJSON(&conduct), o.Pinned, at(o.RemindedAt), at(o.NaggedAt), at(o.CreatedAt)}
	if o.Version == 0 {
		_, err := t.exec(`insert into maintenance_occurrences (id, `+occurrenceColumns+`, version)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1)`, append([]any{o.ID}, args...)...)
		return err
	}
	return t.swap("maintenance", o.ID, `update maintenance_occurrences set window_key = $3, title = $4, body = $5, components = $6,
		from_at = $7, to_at = $8, state = $9, started_at = $10, ended_at = $11, sequence = $12, changed_at = $13, conduct = $14,
		pinned = $15, reminded_at = $16, nagged_at = $17, created_at = $18, version = version + 1 where id = $1 and version = $2`,
		append([]any{o.ID, o.Version}, args...)...)
}
