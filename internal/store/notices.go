package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

var _ notice.Store = (*Store)(nil)

const noticeEventColumns = `id, seq, kind, subject_kind, subject_id, alarm, audience, severity, components, group_ids, at, content, suppress, alert, line`

func scanNoticeEvent(r *sql.Rows, e *notice.Event) error {
	return r.Scan(&e.ID, &e.Seq, &e.Kind, &e.Subject.Kind, &e.Subject.ID, &e.Alarm, &e.Audience, &e.Severity,
		asJSON(&e.Components), asJSON(&e.Groups), into(&e.At), asJSON(&e.Content), &e.Suppress, &e.Alert, &e.Line)
}

// only gives the one row that was asked for.
func only[T any](found []T, err error, what, id string) (v T, _ error) {
	if err != nil {
		return v, err
	}
	if len(found) == 0 {
		return v, problem.NotFound("There is no %s %s.", what, id)
	}
	return found[0], nil
}

// AddEvent inserts an event unless its id is known.
func (s *Store) AddEvent(_ context.Context, jt journal.Tx, e notice.Event, fan bool) (bool, error) {
	t, err := s.own(jt)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`insert into notice_events (`+noticeEventColumns+`, planned_at, fan_at, told, passed)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, 0) on conflict (id) do nothing`,
		e.ID, e.Seq, e.Kind, e.Subject.Kind, e.Subject.ID, string(e.Alarm), string(e.Audience), string(e.Severity),
		asJSON(&e.Components), asJSON(&e.Groups), e.At.UnixMicro(), asJSON(&e.Content), e.Suppress, e.Alert, e.Line,
		at(t.now), sql.NullString{Valid: fan})
	return n == 1, err
}

// EventIn gives one event inside the unit of work.
func (s *Store) EventIn(_ context.Context, jt journal.Tx, id string) (e notice.Event, err error) {
	found, err := listIn(s, jt, scanNoticeEvent, `select `+noticeEventColumns+` from notice_events where id = $1`, id)
	return only(found, err, "event", id)
}

// Events gives those of the ids that exist.
func (s *Store) Events(ctx context.Context, ids []string) (out []notice.Event, err error) {
	err = pieces(ids, func(piece []string) error {
		found, err := list(ctx, s, s.db, scanNoticeEvent, `select `+noticeEventColumns+` from notice_events where id in `+tuples(1, len(piece)), words(piece)...)
		out = append(out, found...)
		return err
	})
	return out, err
}

// words gives strings as arguments of a statement.
func words(list []string) []any {
	out := make([]any, len(list))
	for i, w := range list {
		out[i] = w
	}
	return out
}

const fanColumns = `id, planned_at, coalesce(fan_at, ''), told, passed, fan_at is null`

func scanFan(r *sql.Rows, f *notice.Fan) error {
	return r.Scan(&f.Event, into(&f.PlannedAt), &f.At, &f.Told, &f.Passed, &f.Done)
}

// NextFan gives the oldest event that waits for its fan-out.
func (s *Store) NextFan(ctx context.Context) (f notice.Fan, ok bool, err error) {
	found, err := list(ctx, s, s.db, scanFan, `select `+fanColumns+` from notice_events where fan_at is not null order by seq, id limit 1`)
	if err != nil || len(found) == 0 {
		return f, false, err
	}
	return found[0], true, nil
}

// FanOf gives how far the fan-out of an event came.
func (s *Store) FanOf(ctx context.Context, event string) (notice.Fan, error) {
	found, err := list(ctx, s, s.db, scanFan, `select `+fanColumns+` from notice_events where id = $1`, event)
	return only(found, err, "event", event)
}

// MoveFan writes how far the fan-out came, when it still stands at from.
func (s *Store) MoveFan(_ context.Context, jt journal.Tx, f notice.Fan, from string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("the fan-out of event", f.Event, `update notice_events set fan_at = $3, told = $4, passed = $5 where id = $1 and fan_at = $2`,
		f.Event, from, sql.NullString{String: f.At, Valid: !f.Done}, f.Told, f.Passed)
}

// PruneNotices deletes a little of what is older than before.
func (s *Store) PruneNotices(_ context.Context, jt journal.Tx, before time.Time, limit int) (more bool, err error) {
	t, err := s.own(jt)
	if err != nil {
		return false, err
	}
	if err := positive(limit); err != nil {
		return false, err
	}
	for _, st := range []struct {
		text string
		args []any
	}{
		{`delete from deliveries where id in (select id from deliveries where id < $1 and next_at is null order by id limit $2)`,
			[]any{idsBefore(before), limit}},
		{`delete from notice_alerts where id in (select id from notice_alerts where over_at < $1 limit $2)`, []any{at(before), limit}},
		{`delete from notice_events where id in (select e.id from notice_events e where e.planned_at < $1 and e.fan_at is null
			and not exists (select 1 from deliveries d where d.event = e.id)
			and not exists (select 1 from notice_alerts a where a.event = e.id and a.state <> 'over') limit $2)`, []any{at(before), limit}},
		{`delete from notice_throttle where slot < $1`, []any{at(t.now.Add(-throttleKept))}},
		{`delete from oncall_overrides where to_at < $1`, []any{at(before)}},
	} {
		n, err := t.exec(st.text, st.args...)
		if err != nil {
			return false, err
		}
		more = more || n == int64(limit)
	}
	return more, nil
}

// throttleKept is how long counts of strangers' attempts are kept.
const throttleKept = 24 * time.Hour

// idsBefore gives what sorts before every UUIDv7 minted at t or later (RFC 9562
// section 5.7: the first 48 bits are milliseconds).
func idsBefore(t time.Time) string {
	ms := t.UnixMilli()
	return fmt.Sprintf("%08x-%04x", ms>>16, ms&0xffff)
}

func scanChannelState(r *sql.Rows, c *notice.ChannelState) error {
	return r.Scan(&c.Channel, &c.Circuit, &c.Failures, into(&c.Since), into(&c.RetryAt), &c.Reason, into(&c.SentAt))
}

// ChannelStates gives how channels are doing.
func (s *Store) ChannelStates(ctx context.Context) ([]notice.ChannelState, error) {
	return list(ctx, s, s.db, scanChannelState, `select channel, circuit, failures, since, retry_at, reason, sent_at from notice_channels order by channel`)
}

// PutChannelState writes how a channel is doing.
func (s *Store) PutChannelState(_ context.Context, jt journal.Tx, c notice.ChannelState) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into notice_channels (channel, circuit, failures, since, retry_at, reason, sent_at) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (channel) do update set circuit = excluded.circuit, failures = excluded.failures, since = excluded.since,
			retry_at = excluded.retry_at, reason = excluded.reason, sent_at = excluded.sent_at`,
		c.Channel, string(c.Circuit), c.Failures, at(c.Since), at(c.RetryAt), c.Reason, at(c.SentAt))
	return err
}

func scanPulseState(r *sql.Rows, p *notice.PulseState) error {
	return r.Scan(&p.ID, into(&p.SentAt), into(&p.FailingSince), &p.Reason)
}

// PulseStates gives how heartbeats are doing.
func (s *Store) PulseStates(ctx context.Context) ([]notice.PulseState, error) {
	return list(ctx, s, s.db, scanPulseState, `select id, sent_at, failing_since, reason from notice_pulses order by id`)
}

// PutPulseState writes how a heartbeat is doing.
func (s *Store) PutPulseState(_ context.Context, jt journal.Tx, p notice.PulseState) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into notice_pulses (id, sent_at, failing_since, reason) values ($1, $2, $3, $4)
		on conflict (id) do update set sent_at = excluded.sent_at, failing_since = excluded.failing_since, reason = excluded.reason`,
		p.ID, at(p.SentAt), at(p.FailingSince), p.Reason)
	return err
}

// CountTry adds one to a count and gives it.
func (s *Store) CountTry(_ context.Context, jt journal.Tx, key string, slot time.Time) (n int64, err error) {
	t, err := s.own(jt)
	if err != nil {
		return 0, err
	}
	err = t.one(`insert into notice_throttle (key, slot, n) values ($1, $2, 1)
		on conflict (key, slot) do update set n = notice_throttle.n + 1 returning n`, []any{key, at(slot)}, &n)
	if errors.Is(err, sql.ErrNoRows) {
		err = problem.Internal(err, "A count was not kept.")
	}
	return n, err
}
