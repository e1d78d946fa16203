package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

func noticePrune(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	now := time.Now().UTC().Truncate(time.Microsecond)
	kept, gone, waiting, alarming := Told(1), Told(2), Told(3), Told(4)
	row := func(e notice.Event, n int, age time.Duration, state notice.State) notice.Delivery {
		d := Row(e, n, fmt.Sprintf("subscriber/s%d", n), "hook")
		d.ID, d.CreatedAt, d.State = noticeID(now.Add(-age), n), now.Add(-age), state
		if state != notice.Queued {
			d.NextAt = time.Time{}
		}
		return d
	}
	old, young, open := row(gone, 1, 100*24*time.Hour, notice.Sent), row(kept, 2, time.Hour, notice.Sent), row(waiting, 3, 100*24*time.Hour, notice.Queued)
	enter(t, r, []notice.Event{kept, gone, waiting, alarming}, old, young, open)
	alert := notice.Alert{ID: "a1", Subject: journal.Ref{Kind: "component", ID: "db"}, State: notice.Firing, Severity: notice.SeverityMajor, Event: alarming.ID, OpenedAt: now}
	over := notice.Alert{ID: "a2", Subject: journal.Ref{Kind: "component", ID: "web"}, State: notice.Over, Severity: notice.SeverityMajor, OpenedAt: base, OverAt: base}
	withinUnit(t, r, func(tx journal.Tx) error {
		return errors.Join(r.PutNoticeAlert(ctx, tx, &alert), r.PutNoticeAlert(ctx, tx, &over),
			r.PutOverride(ctx, tx, &notice.Override{ID: "o1", Rotation: "r", Person: "p", From: base, To: base.Add(time.Hour), By: "p"}))
	})
	for more := true; more; {
		withinUnit(t, r, func(tx journal.Tx) (err error) {
			more, err = r.PruneNotices(ctx, tx, now.Add(-90*24*time.Hour), 2)
			return err
		})
	}
	same(t, []string{young.ID, open.ID}, ids(must[[]notice.Delivery](t)(r.Deliveries(ctx, notice.Query{Limit: 9}))))
	// Events go by when they were planned, which was just now.
	withinUnit(t, r, func(tx journal.Tx) error {
		_, err := r.PruneNotices(ctx, tx, now.Add(time.Hour), 100)
		return err
	})
	if left := must[[]notice.Event](t)(r.Events(ctx, []string{kept.ID, gone.ID, waiting.ID, alarming.ID})); len(left) != 2 {
		t.Errorf("events left: %v", left)
	}
	if left := must[[]notice.Alert](t)(r.NoticeAlerts(ctx, notice.AlertQuery{Limit: 9})); len(left) != 1 || left[0].ID != "a1" {
		t.Errorf("alerts left: %v", left)
	}
	if left := must[[]notice.Override](t)(r.Overrides(ctx, nil, base, now)); len(left) != 0 {
		t.Errorf("overrides left: %v", left)
	}
}

func noticeAlerts(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	subject := journal.Ref{Kind: "component", ID: "db"}
	want := notice.Alert{
		ID: noticeID(base, 1), Subject: subject, Severity: notice.SeverityCritical, Components: []string{"db"}, State: notice.Silenced, Event: "e1", Seq: 9,
		Route: "ops", Step: 2, Reminders: 3, NextAt: base, OpenedAt: base.Add(1e3), FiringAt: base.Add(2e3), AckedAt: base.Add(3e3), AckedBy: "p1",
		Until: base.Add(4e3), OverAt: base.Add(5e3), Reason: "at the \u201cdentist\u201d",
	}
	withinUnit(t, r, func(tx journal.Tx) error {
		put := want
		if err := r.PutNoticeAlert(ctx, tx, &put); err != nil || put.Version != 1 {
			return errors.Join(err, fmt.Errorf("version %d", put.Version))
		}
		return nil
	})
	want.Version = 1
	full(t, want)
	same(t, []notice.Alert{want}, must[[]notice.Alert](t)(r.NoticeAlerts(ctx, notice.AlertQuery{ID: want.ID, Limit: 1})))
	withinUnit(t, r, func(tx journal.Tx) error {
		got, err := r.AlertOf(ctx, tx, subject)
		same(t, want, got)
		in, err2 := r.AlertIn(ctx, tx, want.ID)
		same(t, want, in)
		_, none := r.AlertIn(ctx, tx, "absent")
		wantKind(t, none, problem.KindNotFound)
		return errors.Join(err, err2)
	})
	second := want
	second.ID, second.Version = noticeID(base, 2), 0
	wantKind(t, r.Do(ctx, access.Hub, func(tx journal.Tx) error { put := second; return r.PutNoticeAlert(ctx, tx, &put) }), problem.KindConflict)
	stale := want
	stale.Version = 7
	wantKind(t, r.Do(ctx, access.Hub, func(tx journal.Tx) error { put := stale; return r.PutNoticeAlert(ctx, tx, &put) }), problem.KindConflict)
	same(t, []notice.Alert{want}, must[[]notice.Alert](t)(r.DueAlerts(ctx, base, 9)))
	same(t, []notice.Alert(nil), must[[]notice.Alert](t)(r.DueAlerts(ctx, base.Add(-1), 9)))
	want.State, want.NextAt = notice.Over, time.Time{}
	withinUnit(t, r, func(tx journal.Tx) error { put := want; return r.PutNoticeAlert(ctx, tx, &put) })
	withinUnit(t, r, func(tx journal.Tx) error {
		_, err := r.AlertOf(ctx, tx, subject)
		wantKind(t, err, problem.KindNotFound)
		put := second
		return r.PutNoticeAlert(ctx, tx, &put)
	})
	for _, c := range []struct {
		q    notice.AlertQuery
		want []string
	}{
		{notice.AlertQuery{Limit: 9}, []string{second.ID, want.ID}},
		{notice.AlertQuery{Open: true, Limit: 9}, []string{second.ID}},
		{notice.AlertQuery{Subject: subject, Before: second.ID, Limit: 9}, []string{want.ID}},
		{notice.AlertQuery{Subject: journal.Ref{Kind: "component", ID: "web"}, Limit: 9}, nil},
	} {
		var got []string
		for _, a := range must[[]notice.Alert](t)(r.NoticeAlerts(ctx, c.q)) {
			got = append(got, a.ID)
		}
		same(t, c.want, got)
	}
}

func noticeOverrides(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	want := notice.Override{ID: "o1", Rotation: "r", Person: "p", From: base, To: base.Add(time.Hour), By: "q"}
	withinUnit(t, r, func(tx journal.Tx) error { put := want; return r.PutOverride(ctx, tx, &put) })
	want.Version = 1
	full(t, want)
	same(t, []notice.Override{want}, must[[]notice.Override](t)(r.Overrides(ctx, nil, base.Add(59*time.Minute), base.Add(2*time.Hour))))
	same(t, []notice.Override(nil), must[[]notice.Override](t)(r.Overrides(ctx, nil, base.Add(time.Hour), base.Add(2*time.Hour))))
	same(t, []notice.Override(nil), must[[]notice.Override](t)(r.Overrides(ctx, nil, base.Add(-time.Hour), base)))
	want.Person = "s"
	withinUnit(t, r, func(tx journal.Tx) error {
		put := want
		err := r.PutOverride(ctx, tx, &put)
		got, err2 := r.Overrides(ctx, tx, base, base.Add(time.Microsecond))
		want.Version = 2
		same(t, []notice.Override{want}, got)
		return errors.Join(err, err2)
	})
	withinUnit(t, r, func(tx journal.Tx) error { return r.DropOverride(ctx, tx, "o1") })
	wantKind(t, r.Do(ctx, access.Hub, func(tx journal.Tx) error { return r.DropOverride(ctx, tx, "o1") }), problem.KindNotFound)
}

// Listener gives a subscriber with every field set, the n-th.
func Listener(n int) notice.Subscriber {
	return notice.Subscriber{
		ID: fmt.Sprintf("s%03d", n), Mode: notice.ByMail, Address: fmt.Sprintf("a%d_x@example.org", n), State: notice.Active, Components: []string{"db"},
		Groups: []string{"core"}, MinImpact: "minor", Maintenance: true, Incident: "i1", Source: "form", CreatedAt: base, ConfirmedAt: base.Add(time.Duration(n) * time.Minute),
		ChangedAt: base.Add(2e3), EndedAt: base.Add(3e3), EndReason: "gone", Failures: 2,
	}
}

func subscriberRoundTrip(t *testing.T, r NoticeRecord) {
	ctx, want := t.Context(), Listener(1)
	withinUnit(t, r, func(tx journal.Tx) error {
		put := want
		if err := r.PutSubscriber(ctx, tx, &put); err != nil || put.Version != 1 {
			return errors.Join(err, fmt.Errorf("version %d", put.Version))
		}
		return nil
	})
	want.Version = 1
	full(t, want)
	same(t, want, must[notice.Subscriber](t)(r.SubscriberIn(ctx, nil, want.ID)))
	withinUnit(t, r, func(tx journal.Tx) error {
		at, err := r.SubscriberAt(ctx, tx, notice.ByMail, want.Address, "i1")
		same(t, want, at)
		_, none := r.SubscriberAt(ctx, tx, notice.ByMail, want.Address, "")
		wantKind(t, none, problem.KindNotFound)
		_, none = r.SubscriberAt(ctx, tx, notice.ByMail, "", "")
		wantKind(t, none, problem.KindNotFound)
		in, err2 := r.SubscriberIn(ctx, tx, want.ID)
		same(t, want, in)
		return errors.Join(err, err2)
	})
	want.State, want.Address = notice.Ended, ""
	withinUnit(t, r, func(tx journal.Tx) error { put := want; return r.PutSubscriber(ctx, tx, &put) })
	wantKind(t, r.Do(ctx, access.Hub, func(tx journal.Tx) error { put := want; return r.PutSubscriber(ctx, tx, &put) }), problem.KindConflict)
	want.Version = 2
	same(t, []notice.Subscriber{want}, must[[]notice.Subscriber](t)(r.SubscribersByID(ctx, []string{want.ID, "absent"})))
	_, err := r.SubscriberIn(ctx, nil, "absent")
	wantKind(t, err, problem.KindNotFound)
	if err == nil || problem.Public(err) == "" {
		t.Error("no words for a person")
	}
}

func subscriberPages(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	var rows []notice.Subscriber
	for n := 1; n <= 5; n++ {
		rows = append(rows, Listener(n))
	}
	rows[2].State, rows[3].Mode, rows[3].Address = notice.Pending, notice.ByWebhook, "https://example.org/Hook"
	rows[4].CreatedAt = base.Add(time.Hour)
	withinUnit(t, r, func(tx journal.Tx) error {
		added, err := r.AddSubscribers(ctx, tx, rows)
		if len(added) != 5 {
			t.Errorf("added %v", added)
		}
		return err
	})
	names := func(found []notice.Subscriber) (out []string) {
		for _, v := range found {
			out = append(out, v.ID)
		}
		return out
	}
	same(t, []string{"s001", "s002"}, names(must[[]notice.Subscriber](t)(r.Listeners(ctx, "", base.Add(time.Hour), 2))))
	same(t, []string{"s004", "s005"}, names(must[[]notice.Subscriber](t)(r.Listeners(ctx, "s002", base.Add(time.Hour), 9))))
	same(t, []string{"s001"}, names(must[[]notice.Subscriber](t)(r.Listeners(ctx, "", base.Add(time.Minute), 9))))
	for _, c := range []struct {
		q    notice.SubscriberQuery
		want []string
	}{
		{notice.SubscriberQuery{}, []string{"s001", "s002", "s003", "s004", "s005"}},
		{notice.SubscriberQuery{State: notice.Pending}, []string{"s003"}},
		{notice.SubscriberQuery{State: notice.Active, Mode: notice.ByMail}, []string{"s001", "s002", "s005"}},
		{notice.SubscriberQuery{Search: "HOOK"}, []string{"s004"}},
		{notice.SubscriberQuery{Search: "2_x"}, []string{"s002"}},
		{notice.SubscriberQuery{Search: "%"}, nil},
		{notice.SubscriberQuery{Created: base.Add(time.Minute), After: "s002"}, []string{"s003", "s004"}},
	} {
		c.q.Limit = 9
		same(t, c.want, names(must[[]notice.Subscriber](t)(r.Subscribers(ctx, c.q))))
	}
	same(t, map[notice.Mode]map[string]int64{notice.ByMail: {notice.Active: 3, notice.Pending: 1}, notice.ByWebhook: {notice.Active: 1}},
		must[map[notice.Mode]map[string]int64](t)(r.CountSubscribers(ctx)))
}

func subscriberUnique(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	one, two := Listener(1), Listener(2)
	two.Address = one.Address
	withinUnit(t, r, func(tx journal.Tx) error {
		added, err := r.AddSubscribers(ctx, tx, []notice.Subscriber{one, two})
		same(t, []string{one.ID}, added)
		return err
	})
	wantKind(t, r.Do(ctx, access.Hub, func(tx journal.Tx) error { put := two; return r.PutSubscriber(ctx, tx, &put) }), problem.KindConflict)
	two.Incident = ""
	erased, also := Listener(3), Listener(4)
	erased.Address, also.Address = "", ""
	withinUnit(t, r, func(tx journal.Tx) error {
		a, b, c := two, erased, also
		return errors.Join(r.PutSubscriber(ctx, tx, &a), r.PutSubscriber(ctx, tx, &b), r.PutSubscriber(ctx, tx, &c))
	})
	if found := must[[]notice.Subscriber](t)(r.SubscribersAt(ctx, notice.ByMail, one.Address)); len(found) != 2 {
		t.Errorf("got %v", found)
	}
	if found := must[[]notice.Subscriber](t)(r.SubscribersAt(ctx, notice.ByMail, "")); len(found) != 0 {
		t.Errorf("got %v", found)
	}
}

func noticeTries(t *testing.T, r NoticeRecord) {
	for i, c := range []struct {
		key  string
		slot time.Time
		want int64
	}{{"a", base, 1}, {"a", base, 2}, {"b", base, 1}, {"a", base.Add(time.Hour), 1}, {"a", base, 3}} {
		withinUnit(t, r, func(tx journal.Tx) error {
			n, err := r.CountTry(t.Context(), tx, c.key, c.slot)
			if n != c.want {
				t.Errorf("%d: got %d, want %d", i, n, c.want)
			}
			return err
		})
	}
}

func noticeHealth(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	channel := notice.ChannelState{Channel: "mail", Circuit: notice.Opened, Failures: 5, Since: base, RetryAt: base.Add(1e6), Reason: "refused", SentAt: base.Add(2e6)}
	pulse := notice.PulseState{ID: "dms", SentAt: base, FailingSince: base.Add(1e6), Reason: "no answer"}
	full(t, channel)
	full(t, pulse)
	for range 2 {
		withinUnit(t, r, func(tx journal.Tx) error {
			return errors.Join(r.PutChannelState(ctx, tx, channel), r.PutPulseState(ctx, tx, pulse))
		})
		same(t, []notice.ChannelState{channel}, must[[]notice.ChannelState](t)(r.ChannelStates(ctx)))
		same(t, []notice.PulseState{pulse}, must[[]notice.PulseState](t)(r.PulseStates(ctx)))
		channel.Circuit, channel.RetryAt, pulse.FailingSince = notice.Closed, time.Time{}, time.Time{}
	}
}

func noticeRollback(t *testing.T, r NoticeRecord) {
	ctx, e, l := t.Context(), Told(1), Listener(1)
	err := r.Do(ctx, access.Hub, func(tx journal.Tx) error {
		if _, err := r.AddEvent(ctx, tx, e, true); err != nil {
			return err
		}
		if err := errors.Join(r.AddDeliveries(ctx, tx, []notice.Delivery{Row(e, 1, "person/p", "mail")}), r.PutSubscriber(ctx, tx, &l)); err != nil {
			return err
		}
		return problem.Conflict("Changed my mind.")
	})
	wantKind(t, err, problem.KindConflict)
	if found := must[[]notice.Event](t)(r.Events(ctx, []string{e.ID})); len(found) != 0 {
		t.Errorf("got %v", found)
	}
	if _, ok, err := r.NextFan(ctx); ok || err != nil {
		t.Error(ok, err)
	}
	if q := must[[]notice.Queue](t)(r.Queues(ctx)); len(q) != 0 {
		t.Errorf("got %v", q)
	}
	_, err = r.SubscriberIn(ctx, nil, l.ID)
	wantKind(t, err, problem.KindNotFound)
}

func noticeForeignTx(t *testing.T, r NoticeRecord) {
	if _, ok := r.(interface {
		SetAway(error)
	}); ok {
		return // the store in memory stands on that very journal
	}
	err := journaltest.New().Do(t.Context(), access.Hub, func(tx journal.Tx) error {
		return r.AddDeliveries(t.Context(), tx, nil)
	})
	wantKind(t, err, problem.KindInternal)
}
