package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// NoticeRecord is the notice wing's store with the unit of work it takes.
type NoticeRecord interface {
	journal.Work
	notice.Store
}

// Notices runs the suite of notice.Store. open gives a fresh, empty record that
// is closed with the test.
func Notices(t *testing.T, open func(testing.TB) NoticeRecord) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, NoticeRecord)
	}{
		{"EventComesBackAsWrittenAndOnce", noticeEvents},
		{"FanMovesFromWhereItStands", noticeFan},
		{"DeliveryComesBackAsWrittenAndOnce", deliveryRoundTrip},
		{"DueRowsWaitForTheirLane", deliveriesDue},
		{"CompanionsGoWithTheirHead", deliveryCompanions},
		{"SwapTakesWhatHasItsVersion", deliverySwap},
		{"MarksComeInOrder", deliveryMarks},
		{"ToldAndHushed", deliveryTold},
		{"OvertakenRowsAreFound", deliveriesOvertaken},
		{"QueriesNarrowAndCount", deliveryQueries},
		{"ManyRowsAtOnce", deliveriesMany},
		{"PruneTakesWhatIsOldAndFinished", noticePrune},
		{"OneOpenAlertForASubject", noticeAlerts},
		{"OverridesTouchTheirTime", noticeOverrides},
		{"SubscriberComesBackAsWritten", subscriberRoundTrip},
		{"SubscribersAreListedInPages", subscriberPages},
		{"AddressIsThereOnce", subscriberUnique},
		{"TriesAreCounted", noticeTries},
		{"HealthIsReplaced", noticeHealth},
		{"FailedUnitLeavesNoNotice", noticeRollback},
		{"ForeignTxIsRefused", noticeForeignTx},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// noticeID gives a UUIDv7 minted at a moment, the n-th of it.
func noticeID(at time.Time, n int) string {
	ms := at.UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n)
}

// Told gives an event with every field set.
func Told(n int) notice.Event {
	return notice.Event{
		ID: fmt.Sprintf("event-%03d", n), Seq: int64(n), Kind: "incident.updated", Subject: journal.Ref{Kind: "incident", ID: "i1"},
		Alarm: notice.AlarmFire, Audience: notice.ToBoth, Severity: notice.SeverityMajor, Components: []string{"db"}, Groups: []string{"core"},
		At: base, Suppress: "the \u201cparent\u201d is down", Alert: "a1", Line: "u1", Content: notice.Content{
			Title: "Payments fail", Status: "identified", Impact: "major", Body: "**We** know", Staff: "host down", Path: "/incidents/i1",
			Console: "/console/incidents/i1", Runbook: "https://example.org/run", Names: []string{"Payments"}, From: base, To: base.Add(time.Hour),
			Object: map[string]any{"id": "i1"}, Facts: map[string]string{"a": "b"},
		},
	}
}

// Row gives a queued delivery of an event, the n-th of its moment.
func Row(e notice.Event, n int, recipient, channel string) notice.Delivery {
	return notice.Delivery{
		ID: noticeID(base, n), Event: e.ID, Kind: e.Kind, Subject: e.Subject, Channel: channel, Recipient: recipient, State: notice.Queued,
		Seq: e.Seq, Lane: notice.LaneOf(e.Subject, recipient, channel), CreatedAt: base, QueuedAt: base, NextAt: base,
	}
}

// enter writes events with their deliveries.
func enter(tb testing.TB, r NoticeRecord, events []notice.Event, rows ...notice.Delivery) {
	tb.Helper()
	withinUnit(tb, r, func(tx journal.Tx) error {
		for _, e := range events {
			if _, err := r.AddEvent(tb.Context(), tx, e, false); err != nil {
				return err
			}
		}
		return r.AddDeliveries(tb.Context(), tx, rows)
	})
}

// swapAll swaps rows that must all be taken.
func swapAll(tb testing.TB, r NoticeRecord, rows ...notice.Delivery) {
	tb.Helper()
	withinUnit(tb, r, func(tx journal.Tx) error {
		lost, err := r.Swap(tb.Context(), tx, rows)
		if len(lost) > 0 {
			tb.Fatalf("lost %v", lost)
		}
		return err
	})
}

func ids(rows []notice.Delivery) []string {
	out := []string{}
	for _, d := range rows {
		out = append(out, d.ID)
	}
	return out
}

func noticeEvents(t *testing.T, r NoticeRecord) {
	ctx, want := t.Context(), Told(1)
	full(t, want)
	full(t, want.Content)
	for i := range 2 {
		withinUnit(t, r, func(tx journal.Tx) error {
			fresh, err := r.AddEvent(ctx, tx, want, false)
			if fresh != (i == 0) {
				t.Errorf("round %d: fresh %v", i, fresh)
			}
			if err != nil {
				return err
			}
			got, err := r.EventIn(ctx, tx, want.ID)
			same(t, want, got)
			_, none := r.EventIn(ctx, tx, "absent")
			wantKind(t, none, problem.KindNotFound)
			return err
		})
	}
	same(t, []notice.Event{want}, must[[]notice.Event](t)(r.Events(ctx, []string{want.ID, "absent"})))
	same(t, []notice.Event(nil), must[[]notice.Event](t)(r.Events(ctx, nil)))
}

func noticeFan(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	if _, ok, err := r.NextFan(ctx); ok || err != nil {
		t.Fatal(ok, err)
	}
	withinUnit(t, r, func(tx journal.Tx) error {
		for _, n := range []int{3, 2, 1} {
			if _, err := r.AddEvent(ctx, tx, Told(n), n != 1); err != nil {
				return err
			}
		}
		return nil
	})
	f, ok, err := r.NextFan(ctx)
	if err != nil || !ok || f.Event != "event-002" || f.At != "" || f.Done || f.PlannedAt.IsZero() {
		t.Fatalf("got %+v, %v, %v", f, ok, err)
	}
	f.At, f.Told, f.Passed = "s5", 4, 1
	withinUnit(t, r, func(tx journal.Tx) error { return r.MoveFan(ctx, tx, f, "") })
	wantKind(t, r.Do(ctx, access.Hub, func(tx journal.Tx) error { return r.MoveFan(ctx, tx, f, "") }), problem.KindConflict)
	same(t, f, must[notice.Fan](t)(r.FanOf(ctx, f.Event)))
	f.Told, f.Done = 9, true
	withinUnit(t, r, func(tx journal.Tx) error { return r.MoveFan(ctx, tx, f, "s5") })
	if next, ok, err := r.NextFan(ctx); err != nil || !ok || next.Event != "event-003" {
		t.Fatalf("got %+v, %v, %v", next, ok, err)
	}
	if done := must[notice.Fan](t)(r.FanOf(ctx, f.Event)); !done.Done || done.Told != 9 || done.Passed != 1 {
		t.Fatalf("got %+v", done)
	}
	if none := must[notice.Fan](t)(r.FanOf(ctx, "event-001")); !none.Done {
		t.Fatalf("an event for staff alone waits: %+v", none)
	}
	_, err = r.FanOf(ctx, "absent")
	wantKind(t, err, problem.KindNotFound)
}

func deliveryRoundTrip(t *testing.T, r NoticeRecord) {
	ctx, e := t.Context(), Told(7)
	want := Row(e, 1, "subscriber/s1", "hook")
	want.Alert, want.Attempts, want.Failures, want.Reason, want.Mark, want.ExactOnce, want.Fallback = "a1", 3, 2, "no \u201canswer\u201d", "m1", true, "d9"
	want.Gather, want.Bundle, want.State, want.NextAt, want.SentAt = true, "d8", notice.Sent, time.Time{}, base.Add(time.Minute)
	enter(t, r, []notice.Event{e}, want)
	want.Version = 1
	full(t, want, "NextAt")
	same(t, want, must[notice.Delivery](t)(r.Delivery(ctx, want.ID)))
	again := want
	again.ID, again.Version = noticeID(base, 2), 0
	enter(t, r, nil, again, again)
	if rows := must[[]notice.Delivery](t)(r.Deliveries(ctx, notice.Query{Limit: 9})); len(rows) != 1 {
		t.Fatalf("the same event, recipient and channel twice: %v", ids(rows))
	}
	withinUnit(t, r, func(tx journal.Tx) error {
		got, err := r.DeliveryIn(ctx, tx, want.ID)
		same(t, want, got)
		of, err2 := r.DeliveryOf(ctx, tx, e.ID, "subscriber/s1", "hook")
		same(t, want, of)
		_, none := r.DeliveryIn(ctx, tx, "absent")
		wantKind(t, none, problem.KindNotFound)
		_, none = r.DeliveryOf(ctx, tx, e.ID, "subscriber/s1", "mail")
		wantKind(t, none, problem.KindNotFound)
		return errors.Join(err, err2)
	})
	_, err := r.Delivery(ctx, "absent")
	wantKind(t, err, problem.KindNotFound)
}

func deliveriesDue(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	one, two, three := Told(1), Told(2), Told(3)
	three.Subject.ID = "other"
	first, second, other := Row(one, 1, "subscriber/s1", "hook"), Row(two, 2, "subscriber/s1", "hook"), Row(three, 3, "subscriber/s1", "hook")
	elsewhere, later, done := Row(one, 4, "subscriber/s1", "mail"), Row(one, 5, "subscriber/s2", "hook"), Row(one, 6, "subscriber/s3", "hook")
	later.NextAt = base.Add(time.Hour)
	done.State, done.NextAt = notice.Sent, time.Time{}
	other.NextAt = base.Add(-time.Second)
	enter(t, r, []notice.Event{one, two, three}, first, second, other, elsewhere, later, done)
	due := func(now, since time.Time, limit int) []string {
		return ids(must[[]notice.Delivery](t)(r.Due(ctx, "hook", now, since, limit)))
	}
	same(t, []string{other.ID, first.ID}, due(base, base.Add(-time.Hour), 10))
	same(t, []string{other.ID}, due(base, base.Add(-time.Hour), 1))
	if got := due(base, base, 10); len(got) != 3 || got[0] != other.ID { // the first of the lane has blocked it for long enough
		t.Fatalf("got %v", got)
	}
	same(t, []string{}, due(base.Add(-time.Minute), base.Add(-time.Hour), 10))
	if at := must[time.Time](t)(r.NextDue(ctx, "hook")); !at.Equal(other.NextAt) {
		t.Errorf("next due at %v", at)
	}
	if at := must[time.Time](t)(r.NextDue(ctx, "none")); !at.IsZero() {
		t.Errorf("next due at %v", at)
	}
	first.Version, first.State, first.NextAt = 1, notice.Sent, time.Time{}
	swapAll(t, r, first)
	same(t, []string{other.ID, second.ID}, due(base, base.Add(-time.Hour), 10))
	_, err := r.Due(ctx, "hook", base, base, 0)
	wantKind(t, err, problem.KindInvalid)
	same(t, []notice.Queue{{Channel: "hook", Waiting: 3, Oldest: base}, {Channel: "mail", Waiting: 1, Oldest: base}}, must[[]notice.Queue](t)(r.Queues(ctx)))
}

func deliveryCompanions(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	var events []notice.Event
	var rows []notice.Delivery
	for n := range 4 {
		e := Told(n + 1)
		row := Row(e, n, "route/ops", "slack")
		row.Lane, row.Gather = 42, true
		events, rows = append(events, e), append(rows, row)
	}
	rows[3].Lane = 43
	enter(t, r, events, rows...)
	same(t, ids(rows[1:3]), ids(must[[]notice.Delivery](t)(r.Companions(ctx, rows[0], false, 10))))
	same(t, ids(rows[1:2]), ids(must[[]notice.Delivery](t)(r.Companions(ctx, rows[0], false, 1))))
	for i := range 2 {
		rows[i].Version, rows[i].Bundle, rows[i].State = 1, rows[0].ID, notice.Retrying
	}
	swapAll(t, r, rows[:2]...)
	same(t, ids(rows[1:2]), ids(must[[]notice.Delivery](t)(r.Companions(ctx, rows[0], true, 10))))
	same(t, []string{}, ids(must[[]notice.Delivery](t)(r.Companions(ctx, rows[2], false, 10))))
}

func deliverySwap(t *testing.T, r NoticeRecord) {
	ctx, e := t.Context(), Told(1)
	a, b := Row(e, 1, "subscriber/s1", "hook"), Row(e, 2, "subscriber/s2", "hook")
	enter(t, r, []notice.Event{e}, a, b)
	a.Version, b.Version = 1, 5
	a.State, a.Attempts, a.Failures, a.Reason, a.Mark, a.ExactOnce, a.Fallback = notice.Sent, 2, 1, "r", "m", true, "f"
	a.Gather, a.Bundle, a.QueuedAt, a.NextAt, a.SentAt = true, "b", base.Add(time.Second), time.Time{}, base.Add(time.Minute)
	b.State = notice.Failed
	absent := Row(e, 3, "subscriber/s3", "hook")
	withinUnit(t, r, func(tx journal.Tx) error {
		lost, err := r.Swap(ctx, tx, []notice.Delivery{a, b, absent})
		same(t, []string{b.ID, absent.ID}, lost)
		return err
	})
	a.Version = 2
	same(t, a, must[notice.Delivery](t)(r.Delivery(ctx, a.ID)))
	if got := must[notice.Delivery](t)(r.Delivery(ctx, b.ID)); got.State != notice.Queued || got.Version != 1 {
		t.Fatalf("got %+v", got)
	}
	withinUnit(t, r, func(tx journal.Tx) error {
		lost, err := r.Swap(ctx, tx, nil)
		same(t, []string(nil), lost)
		return err
	})
}

func deliveryMarks(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	one, two := Told(1), Told(2)
	first, second, alarm := Row(one, 1, "subscriber/s1", "hook"), Row(two, 2, "subscriber/s1", "hook"), Row(two, 3, "route/ops", "slack")
	silent, quiet := Row(one, 4, "subscriber/s2", "hook"), Row(one, 5, "subscriber/s3", "hook")
	alarm.Alert = "a1"
	for i, d := range []*notice.Delivery{&first, &second, &alarm, &silent} {
		d.State, d.NextAt, d.Mark = notice.Sent, time.Time{}, fmt.Sprintf("m%d", i)
	}
	silent.Mark = ""
	quiet.State, quiet.NextAt, quiet.Reason = notice.Suppressed, time.Time{}, "why"
	enter(t, r, []notice.Event{one, two}, first, second, alarm, silent, quiet)
	same(t, []notice.Delivery{{Lane: first.Lane, Mark: "m0"}, {Lane: first.Lane, Mark: "m1"}},
		must[[]notice.Delivery](t)(r.ThreadMarks(ctx, []int64{first.Lane, alarm.Lane, silent.Lane}, nil)))
	same(t, []notice.Delivery{{Lane: alarm.Lane, Alert: "a1", Mark: "m2"}}, must[[]notice.Delivery](t)(r.ThreadMarks(ctx, nil, []string{"a1", ""})))
	got := must[[]int64](t)(r.Heard(ctx, []int64{quiet.Lane, silent.Lane, first.Lane, 7}))
	slices.Sort(got)
	want := []int64{silent.Lane, first.Lane}
	slices.Sort(want)
	same(t, want, got)
}

func deliveryTold(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	fire, nag := Told(1), Told(2)
	nag.Kind = "alert.reminder"
	a, b, c, d := Row(fire, 1, "route/ops", "slack"), Row(fire, 2, "person/p1", "mail"), Row(nag, 3, "person/p1", "mail"), Row(nag, 4, "person/p2", "mail")
	b.State, b.NextAt = notice.Sent, time.Time{}
	d.State, d.NextAt = notice.Suppressed, time.Time{}
	busy := Row(nag, 5, "person/p3", "mail")
	busy.State = notice.Sending
	for _, row := range []*notice.Delivery{&a, &b, &c, &d, &busy} {
		row.Alert = "a1"
	}
	stranger := Row(fire, 6, "person/p4", "mail")
	enter(t, r, []notice.Event{fire, nag}, a, b, c, d, busy, stranger)
	told := func(d notice.Delivery) notice.Delivery {
		return notice.Delivery{Recipient: d.Recipient, Channel: d.Channel, Lane: d.Lane, Gather: d.Gather}
	}
	withinUnit(t, r, func(tx journal.Tx) error {
		got, err := r.ToldOf(ctx, tx, "a1")
		same(t, []notice.Delivery{told(a), told(b), told(busy)}, got)
		none, err2 := r.ToldOf(ctx, tx, "")
		same(t, []notice.Delivery(nil), none)
		return errors.Join(err, err2, r.Hush(ctx, tx, "a1", []string{"alert.reminder", "alert.escalated"}, "seen"), r.Hush(ctx, tx, "", []string{fire.Kind}, "x"))
	})
	for _, want := range []struct {
		id    string
		state notice.State
	}{{a.ID, notice.Queued}, {b.ID, notice.Sent}, {c.ID, notice.Suppressed}, {busy.ID, notice.Sending}, {stranger.ID, notice.Queued}} {
		if got := must[notice.Delivery](t)(r.Delivery(ctx, want.id)); got.State != want.state || want.state == notice.Suppressed && (got.Reason != "seen" || !got.NextAt.IsZero() || got.Version != 2) {
			t.Errorf("got %+v, want %s", got, want.state)
		}
	}
}

func deliveriesOvertaken(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	one, two := Told(1), Told(2)
	old, newer := Row(one, 1, "subscriber/s1", "hook"), Row(two, 2, "subscriber/s1", "hook")
	lonely := Row(one, 3, "subscriber/s2", "hook")
	sending, after := Row(one, 4, "subscriber/s3", "hook"), Row(two, 5, "subscriber/s3", "hook")
	sending.State = notice.Sending
	unheard, hidden := Row(one, 6, "subscriber/s4", "hook"), Row(two, 7, "subscriber/s4", "hook")
	hidden.State, hidden.NextAt = notice.Suppressed, time.Time{}
	enter(t, r, []notice.Event{one, two}, old, newer, lonely, sending, after, unheard, hidden)
	same(t, []string{old.ID}, ids(must[[]notice.Delivery](t)(r.Overtaken(ctx, base.Add(time.Second), 10))))
	same(t, []string{}, ids(must[[]notice.Delivery](t)(r.Overtaken(ctx, base, 10))))
}

func deliveryQueries(t *testing.T, r NoticeRecord) {
	ctx := t.Context()
	one, two := Told(1), Told(2)
	two.Subject = journal.Ref{Kind: "component", ID: "db"}
	rows := []notice.Delivery{Row(one, 1, "subscriber/s1", "hook"), Row(one, 2, "person/p1", "mail"), Row(two, 3, "person/p1", "mail"), Row(two, 4, "route/ops", "slack")}
	rows[1].State, rows[1].NextAt = notice.Failed, time.Time{}
	rows[2].Alert = "a1"
	rows[3].CreatedAt, rows[3].ID = base.Add(time.Hour), noticeID(base.Add(time.Hour), 4)
	enter(t, r, []notice.Event{one, two}, rows...)
	for _, c := range []struct {
		q    notice.Query
		want []int
	}{
		{notice.Query{}, []int{3, 2, 1, 0}},
		{notice.Query{Subject: one.Subject}, []int{1, 0}},
		{notice.Query{Event: two.ID}, []int{3, 2}},
		{notice.Query{Channel: "mail"}, []int{2, 1}},
		{notice.Query{Recipient: "person/p1", Channel: "mail", Event: one.ID}, []int{1}},
		{notice.Query{Alert: "a1"}, []int{2}},
		{notice.Query{States: []notice.State{notice.Failed}}, []int{1}},
		{notice.Query{States: []notice.State{notice.Failed, notice.Queued}, Subject: one.Subject}, []int{1, 0}},
		{notice.Query{Since: base.Add(time.Minute)}, []int{3}},
		{notice.Query{Before: rows[2].ID}, []int{1, 0}},
		{notice.Query{Limit: 2}, []int{3, 2}},
	} {
		if c.q.Limit == 0 {
			c.q.Limit = 10
		}
		var want []string
		for _, i := range c.want {
			want = append(want, rows[i].ID)
		}
		same(t, want, ids(must[[]notice.Delivery](t)(r.Deliveries(ctx, c.q))))
	}
	same(t, map[notice.State]int64{notice.Queued: 3, notice.Failed: 1}, must[map[notice.State]int64](t)(r.Tally(ctx, notice.Query{})))
	same(t, map[notice.State]int64{notice.Queued: 1, notice.Failed: 1}, must[map[notice.State]int64](t)(r.Tally(ctx, notice.Query{Subject: one.Subject, Limit: 1})))
	same(t, []notice.Count{
		{Event: one.ID, Line: "u1", Channel: "hook", State: notice.Queued, N: 1}, {Event: one.ID, Line: "u1", Channel: "mail", State: notice.Failed, N: 1},
	}, must[[]notice.Count](t)(r.Counts(ctx, one.Subject)))
}

func deliveriesMany(t *testing.T, r NoticeRecord) {
	ctx, e := t.Context(), Told(1)
	var rows []notice.Delivery
	var lanes []int64
	for n := range 201 {
		row := Row(e, n, fmt.Sprintf("subscriber/s%d", n), "hook")
		rows, lanes = append(rows, row), append(lanes, row.Lane)
	}
	enter(t, r, []notice.Event{e}, rows...)
	for i := range rows {
		rows[i].Version, rows[i].State, rows[i].NextAt, rows[i].Mark = 1, notice.Sent, time.Time{}, "m"
	}
	swapAll(t, r, rows...)
	if n := must[map[notice.State]int64](t)(r.Tally(ctx, notice.Query{Event: e.ID}))[notice.Sent]; n != 201 {
		t.Errorf("%d are sent", n)
	}
	if n := len(must[[]notice.Delivery](t)(r.ThreadMarks(ctx, lanes, nil))); n != 201 {
		t.Errorf("%d marks", n)
	}
	if n := len(must[[]int64](t)(r.Heard(ctx, lanes))); n != 201 {
		t.Errorf("%d heard", n)
	}
}
