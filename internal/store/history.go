package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// PutDay replaces the packed histograms of a monitor, location and UTC day.
func (s *Store) PutDay(_ context.Context, jt journal.Tx, d status.DayRow) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into histogram_days (monitor, location, day, packed) values ($1, $2, $3, $4)
		on conflict (monitor, day, location) do update set packed = excluded.packed`,
		d.Monitor, d.Location, at(d.Day), whole(d.Packed))
	return err
}

// Days gives the days of a monitor with from <= day < to, by day and location.
func (s *Store) Days(ctx context.Context, monitor string, from, to time.Time) ([]status.DayRow, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, d *status.DayRow) error {
		return r.Scan(&d.Monitor, &d.Location, into(&d.Day), &d.Packed)
	}, `select monitor, location, day, packed from histogram_days where monitor = $1 and day >= $2 and day < $3 order by day, location`,
		monitor, from.UnixMicro(), to.UnixMicro())
}

// hourRowsAtOnce is how many hour rows share a unit of work, so that a flush of
// thousands does not hold up other writers.
const hourRowsAtOnce = 250

// PutHourRows replaces packed hours of samples, in several units of work: when
// it fails, some may be written. Errors: Unavailable.
func (s *Store) PutHourRows(ctx context.Context, rows []status.HourRow) (err error) {
	defer problem.Wrap(&err, "write hours of samples")
	for part := range slices.Chunk(rows, hourRowsAtOnce) {
		if err := s.run(ctx, access.Hub, func(t *tx) error {
			for _, h := range part {
				if _, err := t.exec(`insert into hour_rows (monitor, location, interval_us, is_value, hour, slots) values ($1, $2, $3, $4, $5, $6)
					on conflict (monitor, location, interval_us, is_value, hour) do update set slots = excluded.slots`,
					h.Monitor, h.Location, micros(h.Interval), h.Values, at(h.Hour), whole(h.Slots)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// HourRows gives the packed hours of one monitor, location and interval (0: of
// every interval) that start in [from, to), in order.
func (s *Store) HourRows(ctx context.Context, monitor, location string, interval time.Duration, values bool, from, to time.Time) ([]status.HourRow, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, h *status.HourRow) error {
		return r.Scan(&h.Monitor, &h.Location, lasting(&h.Interval), &h.Values, into(&h.Hour), &h.Slots)
	}, `select monitor, location, interval_us, is_value, hour, slots from hour_rows
		where monitor = $1 and location = $2 and ($3 = 0 or interval_us = $3) and is_value = $4 and hour >= $5 and hour < $6 order by hour`,
		monitor, location, micros(interval), values, from.UnixMicro(), to.UnixMicro())
}

// PruneHourRows deletes at most limit hours that start before before, and tells how many.
func (s *Store) PruneHourRows(ctx context.Context, before time.Time, limit int) (n int, err error) {
	defer problem.Wrap(&err, "prune hours of samples")
	if err := positive(limit); err != nil {
		return 0, err
	}
	err = s.run(ctx, access.Hub, func(t *tx) error {
		gone, err := t.exec(`delete from hour_rows where (monitor, location, interval_us, is_value, hour) in
			(select monitor, location, interval_us, is_value, hour from hour_rows where hour < $1 order by hour limit $2)`, at(before), limit)
		n = int(gone)
		return err
	})
	return n, err
}

// AddPing records a heartbeat signal.
func (s *Store) AddPing(_ context.Context, jt journal.Tx, p status.Ping) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if _, err := t.exec(`insert into pings (id, monitor, at, signal, exit_code, run_time, log) values ($1, $2, $3, $4, $5, $6, $7)`,
		journal.NewID(), p.Monitor, at(p.At), string(p.Signal), p.Exit, micros(p.RunTime), p.Log); err != nil {
		return err
	}
	_, err = t.exec(`insert into last_pings (monitor, signal, at, exit_code, run_time, log) values ($1, $2, $3, $4, $5, $6)
		on conflict (monitor, signal) do update set at = excluded.at, exit_code = excluded.exit_code, run_time = excluded.run_time,
			log = excluded.log where last_pings.at <= excluded.at`,
		p.Monitor, string(p.Signal), at(p.At), p.Exit, micros(p.RunTime), p.Log)
	return err
}

// LastPings gives the newest ping of each signal of each monitor, by monitor and signal.
func (s *Store) LastPings(ctx context.Context) ([]status.Ping, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, p *status.Ping) error {
		return r.Scan(&p.Monitor, into(&p.At), &p.Signal, &p.Exit, lasting(&p.RunTime), &p.Log)
	}, `select monitor, at, signal, exit_code, run_time, log from last_pings order by monitor, signal`)
}

// prunes are the statements of retention: each deletes at most $2 rows older than $1.
var prunes = []struct {
	before func(status.PruneBefore) time.Time
	query  string
}{
	{func(b status.PruneBefore) time.Time { return b.Spans },
		`delete from spans where id in (select id from spans where to_at < $1 limit $2)`},
	{func(b status.PruneBefore) time.Time { return b.Decisions },
		`delete from decisions where id in (select id from decisions where at < $1 limit $2)`},
	{func(b status.PruneBefore) time.Time { return b.Days },
		`delete from histogram_days where (monitor, day, location) in (select monitor, day, location from histogram_days where day < $1 limit $2)`},
	{func(b status.PruneBefore) time.Time { return b.Pings },
		`delete from pings where id in (select id from pings where at < $1 limit $2)`},
	{func(b status.PruneBefore) time.Time { return b.Decisions },
		`delete from silences where id in (select id from silences where to_at < $1 limit $2)`},
	{func(b status.PruneBefore) time.Time { return b.Decisions },
		`delete from sayings where id in (select id from sayings where ended_at < $1 limit $2)`},
}

// Prune deletes what retention no longer keeps: at most limit rows of each kind
// of record. It tells how many in all. The newest ping of each signal stays known.
func (s *Store) Prune(_ context.Context, jt journal.Tx, before status.PruneBefore, limit int) (int, error) {
	t, err := s.own(jt)
	if err != nil {
		return 0, err
	}
	if err := positive(limit); err != nil {
		return 0, err
	}
	gone := 0
	for _, p := range prunes {
		oldest := p.before(before)
		if oldest.IsZero() {
			continue
		}
		n, err := t.exec(p.query, at(oldest), limit)
		if err != nil {
			return gone, err
		}
		gone += int(n)
	}
	return gone, nil
}
