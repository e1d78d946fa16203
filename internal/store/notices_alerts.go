package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

const noticeAlertColumns = `id, subject_kind, subject_id, severity, components, state, event, seq, route, step, reminders,
	next_at, opened_at, firing_at, acked_at, acked_by, until_at, over_at, reason, version`

func scanNoticeAlert(r *sql.Rows, a *notice.Alert) error {
	return r.Scan(&a.ID, &a.Subject.Kind, &a.Subject.ID, &a.Severity, asJSON(&a.Components), &a.State, &a.Event, &a.Seq, &a.Route, &a.Step, &a.Reminders,
		into(&a.NextAt), into(&a.OpenedAt), into(&a.FiringAt), into(&a.AckedAt), &a.AckedBy, into(&a.Until), into(&a.OverAt), &a.Reason, &a.Version)
}

// AlertOf gives the open alert of a subject inside the unit of work.
func (s *Store) AlertOf(_ context.Context, jt journal.Tx, subject journal.Ref) (a notice.Alert, err error) {
	found, err := listIn(s, jt, scanNoticeAlert, `select `+noticeAlertColumns+` from notice_alerts
		where subject_kind = $1 and subject_id = $2 and state <> 'over'`, subject.Kind, subject.ID)
	return only(found, err, "open alert of", subject.String())
}

// AlertIn gives one alert inside the unit of work.
func (s *Store) AlertIn(_ context.Context, jt journal.Tx, id string) (a notice.Alert, err error) {
	found, err := listIn(s, jt, scanNoticeAlert, `select `+noticeAlertColumns+` from notice_alerts where id = $1`, id)
	return only(found, err, "alert", id)
}

// PutNoticeAlert inserts or updates an alert.
func (s *Store) PutNoticeAlert(_ context.Context, jt journal.Tx, a *notice.Alert) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	args := []any{a.ID, a.Subject.Kind, a.Subject.ID, string(a.Severity), asJSON(&a.Components), string(a.State), a.Event, a.Seq, a.Route, a.Step, a.Reminders,
		at(a.NextAt), at(a.OpenedAt), at(a.FiringAt), at(a.AckedAt), a.AckedBy, at(a.Until), at(a.OverAt), a.Reason}
	if a.Version == 0 {
		_, err = t.exec(`insert into notice_alerts (`+noticeAlertColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 1)`, args...)
	} else {
		err = t.swap("alert", a.ID, `update notice_alerts set subject_kind = $2, subject_id = $3, severity = $4, components = $5, state = $6, event = $7,
			seq = $8, route = $9, step = $10, reminders = $11, next_at = $12, opened_at = $13, firing_at = $14, acked_at = $15, acked_by = $16,
			until_at = $17, over_at = $18, reason = $19, version = version + 1 where id = $1 and version = $20`, append(args, a.Version)...)
	}
	if err == nil {
		a.Version++
	}
	return err
}

// DueAlerts gives alerts whose moment has come, oldest first.
func (s *Store) DueAlerts(ctx context.Context, now time.Time, limit int) ([]notice.Alert, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanNoticeAlert, `select `+noticeAlertColumns+` from notice_alerts where next_at <= $1 order by next_at limit $2`, at(now), limit)
}

// NoticeAlerts gives those that match, newest first.
func (s *Store) NoticeAlerts(ctx context.Context, q notice.AlertQuery) ([]notice.Alert, error) {
	if err := positive(q.Limit); err != nil {
		return nil, err
	}
	w := &where{}
	if q.ID != "" {
		w.add(`id = %s`, q.ID)
	}
	if q.Subject != (journal.Ref{}) {
		w.add(`subject_kind = %s and subject_id = %s`, q.Subject.Kind, q.Subject.ID)
	}
	if q.Open {
		w.add(`state <> 'over'`)
	}
	if q.Before != "" {
		w.add(`id < %s`, q.Before)
	}
	query := `select ` + noticeAlertColumns + ` from notice_alerts` + w.text() + ` order by id desc limit ` + w.arg(q.Limit)
	return list(ctx, s, s.db, scanNoticeAlert, query, w.args...)
}

func scanOverride(r *sql.Rows, o *notice.Override) error {
	return r.Scan(&o.ID, &o.Rotation, &o.Person, into(&o.From), into(&o.To), &o.By, &o.Version)
}

// Overrides gives those that touch [from, to), by start.
func (s *Store) Overrides(ctx context.Context, jt journal.Tx, from, to time.Time) ([]notice.Override, error) {
	const query = `select id, rotation, person, from_at, to_at, by_actor, version from oncall_overrides
		where from_at < $2 and to_at > $1 order by from_at, id`
	if jt == nil {
		return list(ctx, s, s.db, scanOverride, query, at(from), at(to))
	}
	return listIn(s, jt, scanOverride, query, at(from), at(to))
}

// PutOverride inserts or updates an override.
func (s *Store) PutOverride(_ context.Context, jt journal.Tx, o *notice.Override) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if o.Version == 0 {
		_, err = t.exec(`insert into oncall_overrides (id, rotation, person, from_at, to_at, by_actor, version) values ($1, $2, $3, $4, $5, $6, 1)`,
			o.ID, o.Rotation, o.Person, at(o.From), at(o.To), o.By)
	} else {
		err = t.swap("override", o.ID, `update oncall_overrides set rotation = $3, person = $4, from_at = $5, to_at = $6, by_actor = $7,
			version = version + 1 where id = $1 and version = $2`, o.ID, o.Version, o.Rotation, o.Person, at(o.From), at(o.To), o.By)
	}
	if err == nil {
		o.Version++
	}
	return err
}

// DropOverride deletes an override.
func (s *Store) DropOverride(_ context.Context, jt journal.Tx, id string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	n, err := t.exec(`delete from oncall_overrides where id = $1`, id)
	if err == nil && n == 0 {
		err = problem.NotFound("There is no override %s.", id)
	}
	return err
}
