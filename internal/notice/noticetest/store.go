// Package noticetest is the notice wing's store in memory, and the small ports
// around it, for tests of the wing and of those who use it. It keeps the
// contract of notice.Store (storetest runs over it) and knows no SQL.
package noticetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// Store is a journal and a notice.Store in memory.
type Store struct {
	*journaltest.Memory
	mu     sync.Mutex // held during a unit of work, so that reads see committed state
	tables tables
	saved  *journaltest.Tx // the unit of work whose beginning can be restored
}

var (
	_ notice.Store = (*Store)(nil)
	_ journal.Work = (*Store)(nil)
)

// tables is everything that is kept.
type tables struct {
	events      map[string]event
	deliveries  map[string]notice.Delivery
	alerts      map[string]notice.Alert
	overrides   map[string]notice.Override
	subscribers map[string]notice.Subscriber
	tries       map[try]int64
	channels    map[string]notice.ChannelState
	pulses      map[string]notice.PulseState
}

type event struct {
	notice.Event
	fan notice.Fan
}

type try struct {
	key  string
	slot int64
}

func (t tables) clone() tables {
	return tables{
		events: maps.Clone(t.events), deliveries: maps.Clone(t.deliveries), alerts: maps.Clone(t.alerts), overrides: maps.Clone(t.overrides),
		subscribers: maps.Clone(t.subscribers), tries: maps.Clone(t.tries), channels: maps.Clone(t.channels), pulses: maps.Clone(t.pulses),
	}
}

// New gives an empty store.
func New() *Store {
	return &Store{Memory: journaltest.New(), tables: tables{
		events: map[string]event{}, deliveries: map[string]notice.Delivery{}, alerts: map[string]notice.Alert{}, overrides: map[string]notice.Override{},
		subscribers: map[string]notice.Subscriber{}, tries: map[try]int64{}, channels: map[string]notice.ChannelState{}, pulses: map[string]notice.PulseState{},
	}}
}

// Do runs one unit of work.
func (s *Store) Do(ctx context.Context, by access.Actor, fn func(journal.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.saved = nil }()
	return s.Memory.Do(ctx, by, fn)
}

// in checks that tx is a unit of work of this store and makes its writes undone
// when it fails.
func (s *Store) in(jt journal.Tx) error {
	t, ok := jt.(*journaltest.Tx)
	if !ok {
		return problem.Internal(nil, "A unit of work of another store was used.")
	}
	if s.saved != t {
		s.saved = t
		before := s.tables.clone()
		t.OnRollback(func() { s.tables = before })
	}
	return nil
}

// read gives what fn finds in committed state.
func read[T any](ctx context.Context, s *Store, fn func(tables) T) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	if _, _, err := s.Head(ctx); err != nil { // away
		return v, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return fn(s.tables), nil
}

// within gives what fn finds inside a unit of work.
func within[T any](s *Store, jt journal.Tx, fn func(*tables) (T, error)) (v T, err error) {
	if err := s.in(jt); err != nil {
		return v, err
	}
	return fn(&s.tables)
}

// picked gives up to limit rows that fit, in order.
func picked[K comparable, T any](rows map[K]T, limit int, fits func(T) bool, order func(a, b T) int) []T {
	var out []T
	for _, r := range rows {
		if fits(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, order)
	return out[:min(limit, len(out))]
}

const all = 1 << 40

func none(what, id string) error { return problem.NotFound("There is no %s %s.", what, id) }

func changed(what, id string) error {
	return problem.Conflict("Somebody else changed %s %s first.", what, id)
}

// AddEvent inserts an event unless its id is known.
func (s *Store) AddEvent(_ context.Context, tx journal.Tx, e notice.Event, fan bool) (bool, error) {
	return within(s, tx, func(t *tables) (bool, error) {
		if _, ok := t.events[e.ID]; ok {
			return false, nil
		}
		t.events[e.ID] = event{Event: e, fan: notice.Fan{Event: e.ID, PlannedAt: tx.Now(), Done: !fan}}
		return true, nil
	})
}

// EventIn gives one event.
func (s *Store) EventIn(_ context.Context, tx journal.Tx, id string) (notice.Event, error) {
	return within(s, tx, func(t *tables) (notice.Event, error) {
		e, ok := t.events[id]
		if !ok {
			return e.Event, none("event", id)
		}
		return e.Event, nil
	})
}

// Events gives those of the ids that exist.
func (s *Store) Events(ctx context.Context, ids []string) ([]notice.Event, error) {
	return read(ctx, s, func(t tables) (out []notice.Event) {
		for _, id := range ids {
			if e, ok := t.events[id]; ok {
				out = append(out, e.Event)
			}
		}
		return out
	})
}

// NextFan gives the oldest event that waits for its fan-out.
func (s *Store) NextFan(ctx context.Context) (notice.Fan, bool, error) {
	waiting, err := read(ctx, s, func(t tables) []event {
		return picked(t.events, 1, func(e event) bool { return !e.fan.Done }, func(a, b event) int {
			return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.ID, b.ID))
		})
	})
	if err != nil || len(waiting) == 0 {
		return notice.Fan{}, false, err
	}
	return waiting[0].fan, true, nil
}

// FanOf gives how far the fan-out of an event came.
func (s *Store) FanOf(ctx context.Context, id string) (notice.Fan, error) {
	e, err := read(ctx, s, func(t tables) event { return t.events[id] })
	if err == nil && e.ID == "" {
		err = none("event", id)
	}
	return e.fan, err
}

// MoveFan writes how far the fan-out came.
func (s *Store) MoveFan(_ context.Context, tx journal.Tx, f notice.Fan, from string) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) {
		e := t.events[f.Event]
		if e.fan.Done || e.fan.At != from {
			return struct{}{}, changed("the fan-out of event", f.Event)
		}
		f.PlannedAt = e.fan.PlannedAt
		if f.Done {
			f.At = ""
		}
		e.fan = f
		t.events[f.Event] = e
		return struct{}{}, nil
	})
	return err
}

// AddDeliveries inserts rows, leaving alone what is there.
func (s *Store) AddDeliveries(_ context.Context, tx journal.Tx, rows []notice.Delivery) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) {
		there := map[[3]string]bool{}
		for _, d := range t.deliveries {
			there[[3]string{d.Event, d.Recipient, d.Channel}] = true
		}
		for _, d := range rows {
			key := [3]string{d.Event, d.Recipient, d.Channel}
			if there[key] {
				continue
			}
			if _, ok := t.deliveries[d.ID]; ok {
				return struct{}{}, problem.Conflict("Somebody else added the same thing first.")
			}
			there[key] = true
			d.Version = 1
			t.deliveries[d.ID] = d
		}
		return struct{}{}, nil
	})
	return err
}

func inOrder(a, b notice.Delivery) int {
	return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.ID, b.ID))
}

// Due gives rows of a channel whose moment has come.
func (s *Store) Due(ctx context.Context, channel string, now, since time.Time, limit int) ([]notice.Delivery, error) {
	if limit <= 0 {
		return nil, problem.Invalid("limit", "a limit must be positive")
	}
	return read(ctx, s, func(t tables) []notice.Delivery {
		ahead := map[int64][]notice.Delivery{}
		for _, d := range t.deliveries {
			if !d.NextAt.IsZero() && d.QueuedAt.After(since) {
				ahead[d.Lane] = append(ahead[d.Lane], d)
			}
		}
		return picked(t.deliveries, limit, func(d notice.Delivery) bool {
			return d.Channel == channel && !d.NextAt.IsZero() && !d.NextAt.After(now) &&
				!slices.ContainsFunc(ahead[d.Lane], func(o notice.Delivery) bool { return inOrder(o, d) < 0 })
		}, func(a, b notice.Delivery) int { return cmp.Or(a.NextAt.Compare(b.NextAt), inOrder(a, b)) })
	})
}

// Companions gives the unfinished rows that go out with head.
func (s *Store) Companions(ctx context.Context, head notice.Delivery, bundled bool, limit int) ([]notice.Delivery, error) {
	return read(ctx, s, func(t tables) []notice.Delivery {
		return picked(t.deliveries, limit, func(d notice.Delivery) bool {
			if d.ID == head.ID || d.Lane != head.Lane || d.NextAt.IsZero() {
				return false
			}
			return bundled && d.Bundle == head.ID || !bundled && d.Gather && d.Bundle == "" && d.State == notice.Queued
		}, inOrder)
	})
}

// NextDue gives the earliest moment of a channel.
func (s *Store) NextDue(ctx context.Context, channel string) (time.Time, error) {
	return read(ctx, s, func(t tables) (next time.Time) {
		for _, d := range t.deliveries {
			if d.Channel == channel && !d.NextAt.IsZero() && (next.IsZero() || d.NextAt.Before(next)) {
				next = d.NextAt
			}
		}
		return next
	})
}

// Swap writes rows that still have their version.
func (s *Store) Swap(_ context.Context, tx journal.Tx, rows []notice.Delivery) ([]string, error) {
	return within(s, tx, func(t *tables) (lost []string, err error) {
		for _, d := range rows {
			was, ok := t.deliveries[d.ID]
			if !ok || was.Version != d.Version {
				lost = append(lost, d.ID)
				continue
			}
			was.State, was.Attempts, was.Failures, was.Reason, was.Mark, was.ExactOnce, was.Fallback = d.State, d.Attempts, d.Failures, d.Reason, d.Mark, d.ExactOnce, d.Fallback
			was.Gather, was.Bundle, was.QueuedAt, was.NextAt, was.SentAt = d.Gather, d.Bundle, d.QueuedAt, d.NextAt, d.SentAt
			was.Version++
			t.deliveries[d.ID] = was
		}
		return lost, nil
	})
}

// ThreadMarks gives what channels called sent rows.
func (s *Store) ThreadMarks(ctx context.Context, lanes []int64, alerts []string) ([]notice.Delivery, error) {
	return read(ctx, s, func(t tables) (out []notice.Delivery) {
		for _, d := range picked(t.deliveries, all, func(d notice.Delivery) bool {
			return d.State == notice.Sent && d.Mark != "" && (d.Alert == "" && slices.Contains(lanes, d.Lane) || d.Alert != "" && slices.Contains(alerts, d.Alert))
		}, inOrder) {
			out = append(out, notice.Delivery{Lane: d.Lane, Alert: d.Alert, Mark: d.Mark})
		}
		return out
	})
}

// Heard gives those of the lanes that hold a row that was not suppressed.
func (s *Store) Heard(ctx context.Context, lanes []int64) ([]int64, error) {
	return read(ctx, s, func(t tables) (out []int64) {
		for _, d := range t.deliveries {
			if d.State != notice.Suppressed && slices.Contains(lanes, d.Lane) && !slices.Contains(out, d.Lane) {
				out = append(out, d.Lane)
			}
		}
		return out
	})
}

// ToldOf gives who was told of an alert.
func (s *Store) ToldOf(_ context.Context, tx journal.Tx, alert string) ([]notice.Delivery, error) {
	return within(s, tx, func(t *tables) (out []notice.Delivery, err error) {
		for _, d := range picked(t.deliveries, all, func(d notice.Delivery) bool {
			return alert != "" && d.Alert == alert && d.State != notice.Suppressed
		}, func(a, b notice.Delivery) int { return cmp.Compare(a.ID, b.ID) }) {
			who := notice.Delivery{Recipient: d.Recipient, Channel: d.Channel, Lane: d.Lane, Gather: d.Gather}
			if !slices.Contains(out, who) {
				out = append(out, who)
			}
		}
		return out, nil
	})
}

// Hush suppresses an alert's waiting rows of these kinds.
func (s *Store) Hush(_ context.Context, tx journal.Tx, alert string, kinds []string, reason string) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) {
		for id, d := range t.deliveries {
			if alert != "" && d.Alert == alert && slices.Contains(kinds, d.Kind) && (d.State == notice.Queued || d.State == notice.Retrying) {
				d.State, d.Reason, d.NextAt = notice.Suppressed, reason, time.Time{}
				d.Version++
				t.deliveries[id] = d
			}
		}
		return struct{}{}, nil
	})
	return err
}

// Overtaken gives waiting rows that have a newer one in their lane.
func (s *Store) Overtaken(ctx context.Context, before time.Time, limit int) ([]notice.Delivery, error) {
	return read(ctx, s, func(t tables) []notice.Delivery {
		return picked(t.deliveries, limit, func(d notice.Delivery) bool {
			if d.Gather || d.State != notice.Queued && d.State != notice.Retrying || !d.QueuedAt.Before(before) {
				return false
			}
			for _, n := range t.deliveries {
				if n.Lane == d.Lane && n.State != notice.Suppressed && inOrder(n, d) > 0 {
					return true
				}
			}
			return false
		}, inOrder)
	})
}

// Delivery gives one.
func (s *Store) Delivery(ctx context.Context, id string) (notice.Delivery, error) {
	d, err := read(ctx, s, func(t tables) notice.Delivery { return t.deliveries[id] })
	if err == nil && d.ID == "" {
		err = none("delivery", id)
	}
	return d, err
}

// DeliveryIn gives one inside the unit of work.
func (s *Store) DeliveryIn(_ context.Context, tx journal.Tx, id string) (notice.Delivery, error) {
	return within(s, tx, func(t *tables) (notice.Delivery, error) {
		d, ok := t.deliveries[id]
		if !ok {
			return d, none("delivery", id)
		}
		return d, nil
	})
}

// DeliveryOf gives the row of event, recipient and channel.
func (s *Store) DeliveryOf(_ context.Context, tx journal.Tx, id, recipient, channel string) (notice.Delivery, error) {
	return within(s, tx, func(t *tables) (notice.Delivery, error) {
		for _, d := range t.deliveries {
			if d.Event == id && d.Recipient == recipient && d.Channel == channel {
				return d, nil
			}
		}
		return notice.Delivery{}, none("delivery of", id)
	})
}

func fits(q notice.Query, d notice.Delivery) bool {
	return (q.Subject == journal.Ref{} || d.Subject == q.Subject) && (q.Event == "" || d.Event == q.Event) && (q.Channel == "" || d.Channel == q.Channel) &&
		(q.Recipient == "" || d.Recipient == q.Recipient) && (q.Alert == "" || d.Alert == q.Alert) && (len(q.States) == 0 || slices.Contains(q.States, d.State)) &&
		!d.CreatedAt.Before(q.Since) && (q.Before == "" || d.ID < q.Before)
}

// Deliveries gives those that match, newest first.
func (s *Store) Deliveries(ctx context.Context, q notice.Query) ([]notice.Delivery, error) {
	return read(ctx, s, func(t tables) []notice.Delivery {
		return picked(t.deliveries, q.Limit, func(d notice.Delivery) bool { return fits(q, d) }, func(a, b notice.Delivery) int { return cmp.Compare(b.ID, a.ID) })
	})
}

// Tally counts those that match by state.
func (s *Store) Tally(ctx context.Context, q notice.Query) (map[notice.State]int64, error) {
	return read(ctx, s, func(t tables) map[notice.State]int64 {
		out := map[notice.State]int64{}
		for _, d := range t.deliveries {
			if fits(q, d) {
				out[d.State]++
			}
		}
		return out
	})
}

// Counts tells where the deliveries about a subject stand.
func (s *Store) Counts(ctx context.Context, subject journal.Ref) ([]notice.Count, error) {
	return read(ctx, s, func(t tables) []notice.Count {
		counts := map[notice.Count]int64{}
		for _, d := range t.deliveries {
			if e := t.events[d.Event]; e.Subject == subject {
				counts[notice.Count{Event: e.ID, Line: e.Line, Channel: d.Channel, State: d.State}]++
			}
		}
		out := make([]notice.Count, 0, len(counts))
		for c, n := range counts {
			c.N = n
			out = append(out, c)
		}
		slices.SortFunc(out, func(a, b notice.Count) int {
			return cmp.Or(cmp.Compare(t.events[a.Event].Seq, t.events[b.Event].Seq), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.State, b.State))
		})
		return out
	})
}

// Queues tells what waits in every channel.
func (s *Store) Queues(ctx context.Context) ([]notice.Queue, error) {
	return read(ctx, s, func(t tables) []notice.Queue {
		queues := map[string]notice.Queue{}
		for _, d := range t.deliveries {
			if d.NextAt.IsZero() {
				continue
			}
			q := queues[d.Channel]
			q.Channel, q.Waiting = d.Channel, q.Waiting+1
			if q.Oldest.IsZero() || d.CreatedAt.Before(q.Oldest) {
				q.Oldest = d.CreatedAt
			}
			queues[d.Channel] = q
		}
		return picked(queues, all, func(notice.Queue) bool { return true }, func(a, b notice.Queue) int { return cmp.Compare(a.Channel, b.Channel) })
	})
}

// PruneNotices deletes what is older than before.
func (s *Store) PruneNotices(_ context.Context, tx journal.Tx, before time.Time, limit int) (bool, error) {
	return within(s, tx, func(t *tables) (more bool, err error) {
		for _, d := range picked(t.deliveries, limit, func(d notice.Delivery) bool { return d.CreatedAt.Before(before) && d.NextAt.IsZero() }, inOrder) {
			delete(t.deliveries, d.ID)
			limit--
		}
		used := map[string]bool{}
		for _, d := range t.deliveries {
			used[d.Event] = true
		}
		for id, a := range t.alerts {
			if !a.OverAt.IsZero() && a.OverAt.Before(before) {
				delete(t.alerts, id)
			} else if a.Open() {
				used[a.Event] = true
			}
		}
		for id, e := range t.events {
			if e.fan.PlannedAt.Before(before) && e.fan.Done && !used[id] {
				delete(t.events, id)
			}
		}
		for key := range t.tries {
			if key.slot < tx.Now().Add(-24*time.Hour).UnixMicro() {
				delete(t.tries, key)
			}
		}
		maps.DeleteFunc(t.overrides, func(_ string, o notice.Override) bool { return o.To.Before(before) })
		return limit == 0, nil
	})
}
