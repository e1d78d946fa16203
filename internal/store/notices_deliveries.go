package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
)

// deliveryFrom and deliveryColumns read deliveries with what they tell of.
const (
	deliveryColumns = `d.id, d.event, e.kind, e.subject_kind, e.subject_id, d.channel, d.recipient, d.alert, d.state, d.attempts, d.failures, d.reason, d.mark,
		d.exact_once, d.fallback, d.seq, d.lane, d.gather, d.bundle, d.created_at, d.queued_at, d.next_at, d.sent_at, d.version`
	deliveryFrom = ` from deliveries d join notice_events e on e.id = d.event `
)

func scanDelivery(r *sql.Rows, d *notice.Delivery) error {
	return r.Scan(&d.ID, &d.Event, &d.Kind, &d.Subject.Kind, &d.Subject.ID, &d.Channel, &d.Recipient, &d.Alert, &d.State, &d.Attempts, &d.Failures, &d.Reason, &d.Mark,
		&d.ExactOnce, &d.Fallback, &d.Seq, &d.Lane, &d.Gather, &d.Bundle, into(&d.CreatedAt), into(&d.QueuedAt), into(&d.NextAt), into(&d.SentAt), &d.Version)
}

// AddDeliveries inserts rows, leaving alone what is there already for the same
// event, recipient and channel.
func (s *Store) AddDeliveries(_ context.Context, jt journal.Tx, rows []notice.Delivery) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	const columns = 21
	return pieces(rows, func(piece []notice.Delivery) error {
		args := make([]any, 0, columns*len(piece))
		for i := range piece {
			d := &piece[i]
			args = append(args, d.ID, d.Event, d.Channel, d.Recipient, d.Alert, string(d.State), d.Attempts, d.Failures, d.Reason, d.Mark, d.ExactOnce,
				d.Fallback, d.Seq, d.Lane, d.Gather, d.Bundle, at(d.CreatedAt), at(d.QueuedAt), at(d.NextAt), at(d.SentAt), 1)
		}
		_, err := t.exec(`insert into deliveries (id, event, channel, recipient, alert, state, attempts, failures, reason, mark, exact_once,
			fallback, seq, lane, gather, bundle, created_at, queued_at, next_at, sent_at, version)
			values `+tuples(len(piece), columns)+` on conflict (event, recipient, channel) do nothing`, args...)
		return err
	})
}

// Due gives rows of a channel whose moment has come, leaving out those behind an
// unfinished row of their lane that was queued after since.
func (s *Store) Due(ctx context.Context, channel string, now, since time.Time, limit int) ([]notice.Delivery, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanDelivery, `select `+deliveryColumns+deliveryFrom+`
		where d.channel = $1 and d.next_at <= $2 and not exists (select 1 from deliveries o
			where o.lane = d.lane and o.next_at is not null and o.queued_at > $3 and o.seq <= d.seq and (o.seq < d.seq or o.id < d.id))
		order by d.next_at limit $4`, channel, at(now), at(since), limit)
}

// Companions gives the unfinished rows that go out with head.
func (s *Store) Companions(ctx context.Context, head notice.Delivery, bundled bool, limit int) ([]notice.Delivery, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	which, bundle := `d.gather and d.state = 'queued'`, ""
	if bundled {
		which, bundle = `d.next_at is not null`, head.ID
	}
	return list(ctx, s, s.db, scanDelivery, `select `+deliveryColumns+deliveryFrom+`
		where d.lane = $1 and d.bundle = $2 and d.id <> $3 and `+which+` order by d.seq, d.id limit $4`, head.Lane, bundle, head.ID, limit)
}

// NextDue gives the earliest moment of a channel; zero when nothing waits.
func (s *Store) NextDue(ctx context.Context, channel string) (next time.Time, err error) {
	found, err := list(ctx, s, s.db, func(r *sql.Rows, t *time.Time) error { return r.Scan(into(t)) },
		`select next_at from deliveries where channel = $1 and next_at is not null order by next_at limit 1`, channel)
	if err != nil || len(found) == 0 {
		return next, err
	}
	return found[0], nil
}

// Swap writes what may change of rows that still have their version, and gives
// the ids of the others.
func (s *Store) Swap(_ context.Context, jt journal.Tx, rows []notice.Delivery) (lost []string, err error) {
	t, err := s.own(jt)
	if err != nil {
		return nil, err
	}
	types := []string{"text", "bigint", "text", "bigint", "bigint", "text", "text", "boolean", "text", "boolean", "text", "bigint", "bigint", "bigint"}
	err = pieces(rows, func(piece []notice.Delivery) error {
		args := make([]any, 0, len(types)*len(piece))
		for i := range piece {
			d := &piece[i]
			args = append(args, d.ID, d.Version, string(d.State), d.Attempts, d.Failures, d.Reason, d.Mark, d.ExactOnce, d.Fallback, d.Gather, d.Bundle,
				at(d.QueuedAt), at(d.NextAt), at(d.SentAt))
		}
		changed := make(map[string]bool, len(piece))
		if err := t.rows(`with v (id, version, state, attempts, failures, reason, mark, exact_once, fallback, gather, bundle, queued_at, next_at, sent_at) as (values `+
			tuples(len(piece), len(types), types...)+`)
			update deliveries set state = v.state, attempts = v.attempts, failures = v.failures, reason = v.reason, mark = v.mark, exact_once = v.exact_once,
				fallback = v.fallback, gather = v.gather, bundle = v.bundle, queued_at = v.queued_at, next_at = v.next_at, sent_at = v.sent_at,
				version = deliveries.version + 1
			from v where deliveries.id = v.id and deliveries.version = v.version returning deliveries.id`, args, func(r *sql.Rows) error {
			var id string
			if err := r.Scan(&id); err != nil {
				return err
			}
			changed[id] = true
			return nil
		}); err != nil {
			return err
		}
		for i := range piece {
			if !changed[piece[i].ID] {
				lost = append(lost, piece[i].ID)
			}
		}
		return nil
	})
	return lost, err
}

// ThreadMarks gives what channels called sent rows of the lanes and alerts, in order.
func (s *Store) ThreadMarks(ctx context.Context, lanes []int64, alerts []string) (out []notice.Delivery, err error) {
	scan := func(r *sql.Rows, d *notice.Delivery) error { return r.Scan(&d.Lane, &d.Alert, &d.Mark) }
	err = pieces(lanes, func(piece []int64) error {
		found, err := list(ctx, s, s.db, scan, `select lane, alert, mark from deliveries
			where lane in `+tuples(1, len(piece))+` and state = 'sent' and mark <> '' and alert = '' order by lane, seq, id`, numbers(piece)...)
		out = append(out, found...)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = pieces(alerts, func(piece []string) error {
		found, err := list(ctx, s, s.db, scan, `select lane, alert, mark from deliveries
			where alert in `+tuples(1, len(piece))+` and alert <> '' and state = 'sent' and mark <> '' order by seq, id`, words(piece)...)
		out = append(out, found...)
		return err
	})
	return out, err
}

// numbers gives integers as arguments of a statement.
func numbers(list []int64) []any {
	out := make([]any, len(list))
	for i, n := range list {
		out[i] = n
	}
	return out
}

// Heard gives those of the lanes that hold a row that was not suppressed.
func (s *Store) Heard(ctx context.Context, lanes []int64) (out []int64, err error) {
	err = pieces(lanes, func(piece []int64) error {
		found, err := list(ctx, s, s.db, func(r *sql.Rows, n *int64) error { return r.Scan(n) },
			`select distinct lane from deliveries where lane in `+tuples(1, len(piece))+` and state <> 'suppressed'`, numbers(piece)...)
		out = append(out, found...)
		return err
	})
	return out, err
}

// ToldOf gives who was told of an alert, oldest first.
func (s *Store) ToldOf(_ context.Context, jt journal.Tx, alert string) ([]notice.Delivery, error) {
	return listIn(s, jt, func(r *sql.Rows, d *notice.Delivery) error {
		var first string
		return r.Scan(&d.Recipient, &d.Channel, &d.Lane, &d.Gather, &first)
	}, `select recipient, channel, lane, gather, min(id) from deliveries where alert = $1 and alert <> '' and state <> 'suppressed'
		group by recipient, channel, lane, gather order by min(id)`, alert)
}

// Hush suppresses an alert's waiting rows of events of these kinds.
func (s *Store) Hush(_ context.Context, jt journal.Tx, alert string, kinds []string, reason string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		if _, err := t.exec(`update deliveries set state = 'suppressed', reason = $3, next_at = null, version = version + 1
			where alert = $1 and alert <> '' and state in ('queued', 'retrying')
			and exists (select 1 from notice_events e where e.id = deliveries.event and e.kind = $2)`, alert, kind, reason); err != nil {
			return err
		}
	}
	return nil
}

// Overtaken gives waiting rows queued before, that have a newer one about the
// same subject in their lane.
func (s *Store) Overtaken(ctx context.Context, before time.Time, limit int) ([]notice.Delivery, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanDelivery, `select `+deliveryColumns+deliveryFrom+`
		where d.next_at is not null and d.queued_at < $1 and d.state in ('queued', 'retrying') and not d.gather
		and exists (select 1 from deliveries n where n.lane = d.lane and n.state <> 'suppressed' and n.seq >= d.seq and (n.seq > d.seq or n.id > d.id))
		order by d.seq, d.id limit $2`, at(before), limit)
}

// Delivery gives one.
func (s *Store) Delivery(ctx context.Context, id string) (notice.Delivery, error) {
	found, err := list(ctx, s, s.db, scanDelivery, `select `+deliveryColumns+deliveryFrom+`where d.id = $1`, id)
	return only(found, err, "delivery", id)
}

// DeliveryIn gives one inside the unit of work.
func (s *Store) DeliveryIn(_ context.Context, jt journal.Tx, id string) (d notice.Delivery, err error) {
	found, err := listIn(s, jt, scanDelivery, `select `+deliveryColumns+deliveryFrom+`where d.id = $1`, id)
	return only(found, err, "delivery", id)
}

// DeliveryOf gives the row of event, recipient and channel inside the unit of work.
func (s *Store) DeliveryOf(_ context.Context, jt journal.Tx, event, recipient, channel string) (d notice.Delivery, err error) {
	found, err := listIn(s, jt, scanDelivery, `select `+deliveryColumns+deliveryFrom+`where d.event = $1 and d.recipient = $2 and d.channel = $3`, event, recipient, channel)
	return only(found, err, "delivery of", event)
}

// deliveryWhere gives the conditions of a query.
func deliveryWhere(q notice.Query) *where {
	w := &where{}
	if q.Subject != (journal.Ref{}) {
		w.add(`e.subject_kind = %s and e.subject_id = %s`, q.Subject.Kind, q.Subject.ID)
	}
	for _, c := range []struct{ condition, value string }{
		{`d.event = %s`, q.Event}, {`d.channel = %s`, q.Channel}, {`d.recipient = %s`, q.Recipient}, {`d.alert = %s and d.alert <> ''`, q.Alert}, {`d.id < %s`, q.Before},
	} {
		if c.value != "" {
			w.add(c.condition, c.value)
		}
	}
	if !q.Since.IsZero() {
		w.add(`d.id >= %s`, idsBefore(q.Since))
	}
	if len(q.States) == 1 && q.States[0] == notice.Failed {
		w.add(`d.state = 'failed'`) // as a literal, so that the index of dead letters serves
	} else if len(q.States) > 0 {
		places := make([]string, len(q.States))
		for i, s := range q.States {
			places[i] = w.arg(string(s))
		}
		w.add(`d.state in (` + strings.Join(places, ", ") + `)`)
	}
	return w
}

// Deliveries gives those that match, newest first.
func (s *Store) Deliveries(ctx context.Context, q notice.Query) ([]notice.Delivery, error) {
	if err := positive(q.Limit); err != nil {
		return nil, err
	}
	w := deliveryWhere(q)
	query := `select ` + deliveryColumns + deliveryFrom + w.text() + ` order by d.id desc limit ` + w.arg(q.Limit)
	return list(ctx, s, s.db, scanDelivery, query, w.args...)
}

// Tally counts those that match by state.
func (s *Store) Tally(ctx context.Context, q notice.Query) (map[notice.State]int64, error) {
	w := deliveryWhere(q)
	type count struct {
		state notice.State
		n     int64
	}
	found, err := list(ctx, s, s.db, func(r *sql.Rows, c *count) error { return r.Scan(&c.state, &c.n) },
		`select d.state, count(*)`+deliveryFrom+w.text()+` group by d.state`, w.args...)
	out := make(map[notice.State]int64, len(found))
	for _, c := range found {
		out[c.state] = c.n
	}
	return out, err
}

// Counts tells where the deliveries about a subject stand, by event, channel and state.
func (s *Store) Counts(ctx context.Context, subject journal.Ref) ([]notice.Count, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, c *notice.Count) error { return r.Scan(&c.Event, &c.Line, &c.Channel, &c.State, &c.N) },
		`select e.id, e.line, d.channel, d.state, count(*) from notice_events e join deliveries d on d.event = e.id
		where e.subject_kind = $1 and e.subject_id = $2 group by e.seq, e.id, e.line, d.channel, d.state order by e.seq, e.id, d.channel, d.state`, subject.Kind, subject.ID)
}

// Queues tells what waits in every channel.
func (s *Store) Queues(ctx context.Context) ([]notice.Queue, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, q *notice.Queue) error { return r.Scan(&q.Channel, &q.Waiting, into(&q.Oldest)) },
		`select channel, count(*), min(created_at) from deliveries where next_at is not null group by channel order by channel`)
}
