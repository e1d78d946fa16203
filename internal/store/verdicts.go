package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// Streaks loads every saved streak, by monitor and location.
func (s *Store) Streaks(ctx context.Context) ([]status.Streak, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, v *status.Streak) error {
		var changes []int64
		err := r.Scan(&v.Monitor, &v.Location, &v.Level, &v.Fails, &v.Goods, &v.Slows, into(&v.First), asJSON(&changes), into(&v.SavedAt))
		for _, us := range changes {
			v.Changes = append(v.Changes, time.UnixMicro(us).UTC())
		}
		return err
	}, `select monitor, location, level, fails, goods, slows, first_at, changes, saved_at from streaks order by monitor, location`)
}

// PutStreaks replaces the saved streaks of the monitors and locations named.
func (s *Store) PutStreaks(_ context.Context, jt journal.Tx, ss []status.Streak) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	for _, v := range ss {
		changes := make([]int64, len(v.Changes))
		for i, at := range v.Changes {
			changes[i] = at.UnixMicro()
		}
		if _, err := t.exec(`insert into streaks (monitor, location, level, fails, goods, slows, first_at, changes, saved_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			on conflict (monitor, location) do update set level = excluded.level, fails = excluded.fails, goods = excluded.goods,
				slows = excluded.slows, first_at = excluded.first_at, changes = excluded.changes, saved_at = excluded.saved_at`,
			v.Monitor, v.Location, string(v.Level), v.Fails, v.Goods, v.Slows, at(v.First), asJSON(&changes), at(v.SavedAt)); err != nil {
			return err
		}
	}
	return nil
}

// AddDecision inserts a decision.
func (s *Store) AddDecision(_ context.Context, jt journal.Tx, d status.Decision) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into decisions (id, monitor, component, at, effective_at, from_level, to_level, held, staff_text, public_text)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.ID, d.Monitor, d.Component, at(d.At), at(d.Effective), string(d.From), string(d.To), d.Held, d.Staff, d.Public)
	return err
}

// Decisions gives the decisions about a monitor, the newest first.
func (s *Store) Decisions(ctx context.Context, monitor string, limit int) ([]status.Decision, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, func(r *sql.Rows, d *status.Decision) error {
		return r.Scan(&d.ID, &d.Monitor, &d.Component, into(&d.At), into(&d.Effective), &d.From, &d.To, &d.Held, &d.Staff, &d.Public)
	}, `select id, monitor, component, at, effective_at, from_level, to_level, held, staff_text, public_text
		from decisions where monitor = $1 order by at desc, id desc limit $2`, monitor, limit)
}

// alive names the moment at which the watching hub was last there.
const alive = "alive"

// Alive is the last moment at which the watching hub said it was there; zero when never.
func (s *Store) Alive(ctx context.Context) (time.Time, error) {
	found, err := list(ctx, s, s.db, func(r *sql.Rows, v *time.Time) error { return r.Scan(into(v)) },
		`select at from moments where name = $1`, alive)
	if err != nil || len(found) == 0 {
		return time.Time{}, err
	}
	return found[0], nil
}

// PutAlive moves that moment.
func (s *Store) PutAlive(_ context.Context, jt journal.Tx, v time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into moments (name, at) values ($1, $2) on conflict (name) do update set at = excluded.at`, alive, at(v))
	return err
}
