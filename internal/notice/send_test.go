package notice_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

func TestRetriesWaitLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, notice.Setup{Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook"}}, Webhook: "hook"})
		h.listen("https://example.org/a")
		h.channels["hook"].answers(func(_ context.Context, n int, _ notice.Message) (notice.Receipt, error) {
			if n <= 12 {
				return notice.Receipt{}, down
			}
			return notice.Receipt{Mark: "200"}, nil
		})
		h.plan(update(1, "a"))
		h.rest(5 * time.Hour)
		got := h.channels["hook"].attempts()
		if len(got) != 13 {
			t.Fatalf("%d attempts", len(got))
		}
		for i := 1; i < len(got); i++ {
			most := min(2*time.Second<<(i-1), 15*time.Minute)
			if wait := got[i].at - got[i-1].at; wait < most/2 || wait > most+time.Second {
				t.Errorf("waited %v after attempt %d, want between %v and %v", wait, i, most/2, most)
			}
			if got[i].Delivery.ID != got[0].Delivery.ID || got[i].Attempt != i+1 {
				t.Errorf("attempt %d: id %s, number %d", i+1, got[i].Delivery.ID, got[i].Attempt)
			}
		}
		if d := h.row("update-1", "hook"); d.State != notice.Sent || d.Attempts != 13 || d.Mark != "200" || d.ExactOnce {
			t.Errorf("got %+v", d)
		}
	})
}

// listen adds active webhook subscribers.
func (h *house) listen(urls ...string) []notice.Subscriber {
	h.t.Helper()
	var out []notice.Subscriber
	for _, u := range urls {
		s, err := h.desk.Add(context.Background(), operator, notice.Subscription{Mode: notice.ByWebhook, Address: u, Source: "console",
			Wishes: notice.Wishes{Maintenance: true}}, true)
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestRetryAfterPausesTheChannelWithOnePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		h.channels["chat"].answers(func(_ context.Context, n int, _ notice.Message) (notice.Receipt, error) {
			if n == 1 {
				return notice.Receipt{}, &notice.Refusal{Reason: "429", RetryAfter: time.Minute}
			}
			return notice.Receipt{}, nil
		})
		h.plan(update(1, "a"))
		h.rest(time.Second)
		h.plan(update(2, "b"))
		h.rest(50 * time.Second)
		if n := len(h.channels["chat"].attempts()); n != 1 {
			t.Fatalf("%d attempts while the channel asked for quiet", n)
		}
		h.rest(20 * time.Second)
		if n := len(h.channels["chat"].attempts()); n != 3 {
			t.Fatalf("%d attempts", n)
		}
	})
}

func TestRetryAfterOfOneEndpointDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, notice.Setup{Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook", Parallel: 1}}, Webhook: "hook"})
		h.listen("https://busy.example.org/", "https://well.example.org/")
		var at []time.Duration
		h.channels["hook"].answers(func(_ context.Context, n int, m notice.Message) (notice.Receipt, error) {
			if m.To.Address == "https://busy.example.org/" && m.Attempt == 1 {
				return notice.Receipt{}, &notice.Refusal{Reason: "429", RetryAfter: time.Hour}
			}
			at = append(at, time.Since(h.began))
			return notice.Receipt{}, nil
		})
		h.plan(update(1, "a"))
		h.rest(time.Second)
		h.plan(update(2, "b"))
		h.rest(2 * time.Hour)
		if len(at) != 4 || at[1] > 2*time.Second || at[2] < time.Hour {
			t.Fatalf("sent at %v", at)
		}
	})
}

// Promise 4 of the design: a slow or dead channel never delays another.
func TestHangingChannelDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("dead", "well")
		s.Routes[0].To = []notice.Target{{Channel: "dead"}, {Channel: "well"}}
		h := build(t, s)
		h.channels["dead"].answers(func(ctx context.Context, _ int, _ notice.Message) (notice.Receipt, error) {
			<-ctx.Done()
			return notice.Receipt{}, ctx.Err()
		})
		for n := range int64(100) {
			h.plan(update(n+1, "a"))
			h.rest(100 * time.Millisecond)
		}
		for i, s := range h.channels["well"].attempts() {
			if want := time.Duration(i) * 100 * time.Millisecond; s.at-want > 100*time.Millisecond {
				t.Fatalf("message %d came at %v, want about %v", i, s.at, want)
			}
		}
		if n := len(h.channels["well"].attempts()); n != 100 {
			t.Fatalf("%d messages", n)
		}
		h.rest(30 * time.Second)
		if d := h.row("update-1", "dead"); d.State.Final() || d.Reason != "no answer within 20s" {
			t.Errorf("got %+v", d)
		}
	})
}

func TestCircuitOpensIsProbedAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		h.channels["chat"].fails(down)
		for n := range int64(40) {
			h.plan(update(n+1, "subject-"+string(rune('a'+n))))
		}
		h.rest(5 * time.Second)
		state := func() notice.ChannelHealth {
			health, err := h.desk.Health(context.Background(), operator)
			if err != nil || len(health.Channels) != 1 {
				t.Fatal(health, err)
			}
			return health.Channels[0]
		}
		if s := state(); s.State.Circuit != notice.Opened || s.State.Reason != "connection refused" || s.Waiting != 40 || s.State.RetryAt.IsZero() {
			t.Fatalf("got %+v", s)
		}
		// What was under way when it opened is all that was tried, the window of a
		// channel that was not known to be slow.
		first := len(h.channels["chat"].attempts())
		if first > 40 {
			t.Fatalf("%d attempts before it opened", first)
		}
		h.rest(time.Hour)
		probes := len(h.channels["chat"].attempts()) - first
		if probes < 8 || probes > 24 {
			t.Errorf("%d probes in an hour, want one every few minutes", probes)
		}
		h.channels["chat"].fails(nil)
		h.rest(40 * time.Minute)
		if s := state(); s.State.Circuit != notice.Closed || s.State.Failures != 0 || s.Waiting != 0 {
			t.Fatalf("got %+v", s)
		}
		for _, d := range h.rows() {
			if d.State != notice.Sent {
				t.Fatalf("got %+v", d)
			}
		}
	})
}

// One endpoint that is dead must not open the circuit for all.
func TestDeadEndpointsOpenNoCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, notice.Setup{Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook"}, {ID: "mail", Kind: "mail"}}, Webhook: "hook", Mail: "mail"})
		h.listen("https://dead.example.org/")
		h.channels["hook"].fails(down)
		if _, err := h.desk.Add(context.Background(), operator, notice.Subscription{Mode: notice.ByMail, Address: "full@example.org"}, true); err != nil {
			t.Fatal(err)
		}
		h.channels["mail"].fails(&notice.Refusal{Reason: "452 mailbox full", Theirs: true})
		for n := range int64(8) {
			h.plan(update(n+1, "subject-"+string(rune('a'+n))))
		}
		h.rest(10 * time.Minute)
		health, err := h.desk.Health(context.Background(), operator)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range health.Channels {
			if c.State.Circuit != notice.Closed {
				t.Errorf("got %+v", c)
			}
		}
	})
}

func TestFallbackTakesOverOnce(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		attempts int
		within   time.Duration
	}{
		"after a few attempts":         {down, 4, 30 * time.Second},
		"at once when it cannot be":    {&notice.Refusal{Reason: "410", Permanent: true}, 1, time.Second},
		"at once when told to wait":    {&notice.Refusal{Reason: "429", RetryAfter: time.Hour}, 1, time.Second},
		"after an error without words": {context.DeadlineExceeded, 4, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := oneRoute("first", "second", "third")
				s.Channels[0].Fallback, s.Channels[1].Fallback, s.Channels[2].Fallback = "second", "third", "first"
				h := build(t, s)
				h.channels["first"].fails(c.err)
				h.channels["second"].fails(&notice.Refusal{Reason: "gone", Permanent: true})
				h.plan(update(1, "a"))
				h.rest(c.within + time.Second)
				first, second, third := h.row("update-1", "first"), h.row("update-1", "second"), h.row("update-1", "third")
				if first.State != notice.Failed || first.Attempts != c.attempts || first.Fallback != second.ID || first.Reason == "" {
					t.Errorf("first: %+v", first)
				}
				if second.State != notice.Failed || second.Fallback != third.ID || second.Recipient != "route/all" {
					t.Errorf("second: %+v", second)
				}
				if third.State != notice.Sent || third.Fallback != "" {
					t.Errorf("third: %+v", third)
				}
				if n := len(h.rows()); n != 3 {
					t.Errorf("%d rows", n)
				}
				if got := h.verbs("delivery"); !slices.Equal(got, []string{"delivery.failed", "delivery.failed"}) {
					t.Errorf("journal: %v", got)
				}
			})
		})
	}
}

// When all channels fail in a ring, every one is tried and the last word is a
// dead letter, not a round without end.
func TestFallbackRingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("first", "second")
		s.Channels[0].Fallback, s.Channels[1].Fallback = "second", "first"
		h := build(t, s)
		for _, c := range h.channels {
			c.fails(&notice.Refusal{Reason: "no", Permanent: true})
		}
		h.plan(update(1, "a"))
		h.rest(time.Hour)
		first, second := h.row("update-1", "first"), h.row("update-1", "second")
		if first.State != notice.Failed || second.State != notice.Failed || second.Fallback != first.ID || len(h.rows()) != 2 {
			t.Errorf("got %+v and %+v", first, second)
		}
	})
}

func TestOpenCircuitSendsWhatWaitsToTheFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("chat", "mail")
		s.Channels[0].Fallback, s.Channels[1].Kind = "mail", "slack"
		h := build(t, s)
		h.channels["chat"].fails(down)
		for n := range int64(8) {
			h.plan(update(n+1, "subject-"+string(rune('a'+n))))
		}
		h.rest(10 * time.Second)
		h.plan(update(100, "late"))
		h.rest(time.Minute)
		d := h.row("update-100", "chat")
		if d.State != notice.Failed || d.Fallback == "" {
			t.Errorf("got %+v", d)
		}
		if n := len(h.channels["mail"].attempts()); n != 9 {
			t.Errorf("%d messages through the fallback", n)
		}
	})
}

func TestDeadLetterIsSeenResentAndDismissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		h.channels["chat"].fails(down)
		h.plan(update(1, "a"))
		h.rest(25 * time.Hour)
		ctx, d := context.Background(), h.row("update-1", "chat")
		if d.State != notice.Failed || d.Reason != "given up after a day: connection refused" {
			t.Fatalf("got %+v", d)
		}
		dead, err := h.desk.Deliveries(ctx, operator, notice.Query{States: []notice.State{notice.Failed}, Limit: 10})
		if err != nil || len(dead) != 1 {
			t.Fatal(dead, err)
		}
		if _, e, err := h.desk.Delivery(ctx, operator, d.ID); err != nil || e.Content.Title != "Trouble" {
			t.Fatal(e, err)
		}
		_, err = h.desk.Resend(ctx, access.Actor{ID: "eve", Role: access.RoleViewer}, d.ID)
		wantKind(t, err, problem.KindForbidden)
		h.channels["chat"].fails(nil)
		if _, err := h.desk.Resend(ctx, operator, d.ID); err != nil {
			t.Fatal(err)
		}
		h.rest(10 * time.Minute)
		got := h.row("update-1", "chat")
		if got.State != notice.Sent || got.ID != d.ID || got.Attempts != 1 || !got.CreatedAt.Equal(d.CreatedAt) {
			t.Fatalf("got %+v", got)
		}
		_, err = h.desk.Resend(ctx, operator, d.ID)
		wantKind(t, err, problem.KindConflict)
		_, err = h.desk.Dismiss(ctx, operator, d.ID)
		wantKind(t, err, problem.KindConflict)
		_, err = h.desk.Resend(ctx, operator, "absent")
		wantKind(t, err, problem.KindNotFound)

		h.channels["chat"].fails(&notice.Refusal{Reason: "no", Permanent: true})
		h.plan(update(2, "b"))
		h.rest(time.Second)
		if d, err := h.desk.Dismiss(ctx, operator, h.row("update-2", "chat").ID); err != nil || d.State != notice.Suppressed || d.Reason == "" {
			t.Fatal(d, err)
		}
		if got := h.verbs("delivery"); !slices.Equal(got, []string{"delivery.failed", "delivery.resent", "delivery.failed", "delivery.dismissed"}) {
			t.Errorf("journal: %v", got)
		}
	})
}

func TestLaterUpdateDoesNotOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		h.channels["chat"].answers(func(_ context.Context, n int, m notice.Message) (notice.Receipt, error) {
			if m.Event.Seq == 1 && m.Attempt < 5 {
				return notice.Receipt{}, &notice.Refusal{Reason: "not now", Theirs: true}
			}
			return notice.Receipt{Mark: "m"}, nil
		})
		h.plan(update(1, "a"), update(2, "a"), update(3, "other"), update(4, "a"))
		h.rest(5 * time.Minute)
		var order []int64
		for _, s := range h.channels["chat"].attempts() {
			if s.err == nil {
				order = append(order, s.Event.Seq)
			}
		}
		if !slices.Equal(order, []int64{3, 1, 2, 4}) {
			t.Errorf("sent in the order %v", order)
		}
	})
}

func TestDeadFirstIsOvertakenAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		h.channels["chat"].answers(func(_ context.Context, n int, m notice.Message) (notice.Receipt, error) {
			if m.Event.Seq == 1 {
				return notice.Receipt{}, &notice.Refusal{Reason: "not this one", Theirs: true}
			}
			return notice.Receipt{}, nil
		})
		h.plan(update(1, "a"), update(2, "a"))
		h.rest(14 * time.Minute)
		if d := h.row("update-2", "chat"); d.State != notice.Queued {
			t.Fatalf("overtaken too soon: %+v", d)
		}
		h.rest(2 * time.Minute)
		first, second := h.row("update-1", "chat"), h.row("update-2", "chat")
		if first.State != notice.Suppressed || first.Reason != "a newer notice about the same took its place; before that: not this one" || second.State != notice.Sent {
			t.Errorf("got %+v and %+v", first, second)
		}
	})
}

func TestGroupedEventsAreOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("chat")
		s.Routes[0].Group = 30 * time.Second
		h := build(t, s)
		h.plan(update(1, "a"))
		h.rest(10 * time.Second)
		h.plan(update(2, "b"), update(3, "c"))
		h.rest(10 * time.Second)
		if n := len(h.channels["chat"].attempts()); n != 0 {
			t.Fatalf("%d messages before the time was over", n)
		}
		h.channels["chat"].answers(func(_ context.Context, n int, _ notice.Message) (notice.Receipt, error) {
			if n == 1 {
				return notice.Receipt{}, down
			}
			return notice.Receipt{Mark: "one", ExactOnce: true}, nil
		})
		h.rest(11 * time.Second)
		h.plan(update(4, "d")) // must not slip into what was tried already, under the same id
		h.rest(time.Minute)
		got := h.channels["chat"].attempts()
		if len(got) != 3 {
			t.Fatalf("%d attempts", len(got))
		}
		for i, want := range [][]string{{"update-1", "update-2", "update-3"}, {"update-1", "update-2", "update-3"}, {"update-4"}} {
			have := []string{got[i].Event.ID}
			for _, e := range got[i].Also {
				have = append(have, e.ID)
			}
			if !slices.Equal(have, want) {
				t.Errorf("attempt %d told of %v, want %v", i+1, have, want)
			}
		}
		if got[0].Delivery.ID != got[1].Delivery.ID {
			t.Error("the second attempt has another id")
		}
		head := h.row("update-1", "chat")
		for _, id := range []string{"update-1", "update-2", "update-3"} {
			if d := h.row(id, "chat"); d.State != notice.Sent || d.Bundle != head.ID || d.Mark != "one" || d.Attempts != 2 {
				t.Errorf("got %+v", d)
			}
		}
	})
}

func TestGoneEndpointEndsItsSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, notice.Setup{Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook"}}, Webhook: "hook"})
		s := h.listen("https://example.org/gone")[0]
		h.channels["hook"].fails(&notice.Refusal{Reason: "410 Gone", Permanent: true, Gone: true})
		h.plan(update(1, "a"), update(2, "b"))
		h.rest(time.Second)
		got, err := h.desk.Subscriber(context.Background(), operator, s.ID)
		if err != nil || got.State != notice.Ended || got.EndReason != "gone" {
			t.Fatal(got, err)
		}
		h.plan(update(3, "c"))
		h.rest(time.Second)
		for _, d := range h.rows() {
			if d.State != notice.Suppressed {
				t.Errorf("got %+v", d)
			}
		}
		if got := h.verbs("delivery"); len(got) != 0 {
			t.Errorf("somebody who left is a dead letter: %v", got)
		}
	})
}

func TestEndpointThatIsDeadForLongIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, notice.Setup{Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook"}}, Webhook: "hook"})
		s := h.listen("https://example.org/dead")[0]
		h.channels["hook"].fails(&notice.Refusal{Reason: "404", Permanent: true})
		look := func() notice.Subscriber {
			got, err := h.desk.Subscriber(context.Background(), operator, s.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		for n := range int64(4) {
			h.plan(update(n+1, "a"))
			h.rest(time.Second)
		}
		if got := look(); got.State != notice.Active || got.Failures != 4 {
			t.Fatalf("got %+v", got)
		}
		h.channels["hook"].fails(nil)
		h.plan(update(5, "a"))
		h.rest(time.Second)
		if got := look(); got.Failures != 0 {
			t.Fatalf("one that got through does not count: %+v", got)
		}
		h.channels["hook"].fails(&notice.Refusal{Reason: "404", Permanent: true})
		for n := range int64(5) {
			h.plan(update(n+6, "a"))
			h.rest(time.Second)
		}
		if got := look(); got.State != notice.Ended || got.EndReason != "gone" {
			t.Fatalf("got %+v", got)
		}
	})
}

func TestPanickingChannelIsAFailedAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		h.channels["chat"].answers(func(_ context.Context, n int, _ notice.Message) (notice.Receipt, error) {
			if n == 1 {
				panic("ouch")
			}
			return notice.Receipt{}, nil
		})
		h.plan(update(1, "a"))
		h.rest(10 * time.Second)
		if d := h.row("update-1", "chat"); d.State != notice.Sent || d.Attempts != 2 {
			t.Errorf("got %+v", d)
		}
	})
}

func TestStopLetsSendsFinishAndGivesTheRestBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("chat")
		s.Channels[0].Parallel = 1
		h := build(t, s)
		h.channels["chat"].answers(func(ctx context.Context, n int, _ notice.Message) (notice.Receipt, error) {
			select {
			case <-time.After(2 * time.Second):
				return notice.Receipt{}, nil
			case <-ctx.Done():
				return notice.Receipt{}, ctx.Err()
			}
		})
		h.plan(update(1, "a"), update(2, "b"), update(3, "c"))
		h.rest(time.Second)
		begun := time.Now()
		h.stop()
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		var states []string
		for _, d := range h.rows() {
			states = append(states, string(d.State))
			if d.State != notice.Sent && (d.Attempts != 0 || d.NextAt.After(time.Now())) {
				t.Errorf("given back as %+v", d)
			}
		}
		if !slices.Contains(states, "sent") || slices.Contains(states, "sending") {
			t.Errorf("left %v", states)
		}
		h.channels["chat"].fails(nil)
		h.start()
		h.rest(time.Second)
		for _, d := range h.rows() {
			if d.State != notice.Sent {
				t.Errorf("got %+v", d)
			}
		}
	})
}

func TestDeadSendersClaimsRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		var ids []string
		h.channels["chat"].answers(func(ctx context.Context, n int, m notice.Message) (notice.Receipt, error) {
			ids = append(ids, m.Delivery.ID)
			if n == 1 { // taken, but the one who sent it does not live to tell
				h.store.Seize("notices", "another")
			}
			return notice.Receipt{}, nil
		})
		h.plan(update(1, "a"))
		h.rest(5 * time.Second)
		if d := h.row("update-1", "chat"); d.State != notice.Sending {
			t.Fatalf("a sender without its lease wrote %+v", d)
		}
		h.rest(2 * time.Minute)
		if d := h.row("update-1", "chat"); d.State != notice.Sent || len(ids) != 2 || ids[0] != ids[1] {
			t.Fatalf("got %+v, sent as %v", d, ids)
		}
	})
}

func TestRowsOfAChannelThatIsTakenAwayFailInSight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		h.channels["chat"].fails(down)
		h.plan(update(1, "a"))
		h.rest(time.Second)
		delete(h.channels, "chat")
		h.configure(notice.Setup{})
		h.rest(4 * time.Minute)
		if d := h.row("update-1", "chat"); d.State != notice.Retrying {
			t.Fatalf("too soon: %+v", d)
		}
		h.rest(3 * time.Minute)
		if d := h.row("update-1", "chat"); d.State != notice.Failed || d.Reason != "there is no channel chat any more" {
			t.Fatalf("got %+v", d)
		}
	})
}

func TestPaceSpacesSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("chat")
		s.Channels[0].PerSecond = 2
		h := build(t, s)
		for n := range int64(20) {
			h.plan(update(n+1, "subject-"+string(rune('a'+n))))
		}
		h.rest(time.Minute)
		got := h.channels["chat"].attempts()
		if len(got) != 20 {
			t.Fatalf("%d messages", len(got))
		}
		if last := got[19].at; last < 9*time.Second || last > 11*time.Second {
			t.Errorf("twenty at two a second took %v", last)
		}
	})
}

func TestMessageOfASubscriberAndOfStaff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("mail")
		s.Channels[0].Kind, s.Mail = "mail", "mail"
		s.Routes[0].To = []notice.Target{{Person: "ada"}, {Person: "gone"}}
		h := build(t, s)
		if _, err := h.desk.Add(context.Background(), operator, notice.Subscription{Mode: notice.ByMail, Address: "you@example.org"}, true); err != nil {
			t.Fatal(err)
		}
		h.plan(update(1, "a"))
		h.rest(time.Second)
		h.plan(update(2, "a"))
		h.rest(time.Second)
		got := h.channels["mail"].attempts()
		if len(got) != 4 {
			t.Fatalf("%d messages", len(got))
		}
		for _, m := range got {
			if m.Page != "https://status.example.org" || m.PageName != "Example" || m.Event.Content.Title != "Trouble" {
				t.Errorf("got %+v", m.Message)
			}
			switch m.To.Ref {
			case "person/ada":
				if m.To.Address != "ada@example.org" || m.To.Name != "ADA" || m.Manage != "" || m.Unsubscribe != "" {
					t.Errorf("got %+v", m.To)
				}
			default:
				if m.To.Address != "you@example.org" || m.Manage == "" || m.Unsubscribe == "" || m.Confirm != "" || m.Acknowledge != "" {
					t.Errorf("got %+v", m.Message)
				}
			}
			first := m.Event.ID == "update-1"
			if first != (m.Thread == "") {
				t.Errorf("%s hangs on %q", m.Event.ID, m.Thread)
			}
		}
		if d := h.rows(); d[1].State != notice.Failed || d[1].Reason == "" {
			t.Errorf("nobody was told that somebody cannot be reached: %+v", d[1])
		}
	})
}

func TestHeartbeatsGoOutWhileAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, notice.Setup{Channels: []notice.ChannelSpec{{ID: "dms", Kind: "webhook"}}, Deadman: []notice.Pulse{{ID: "dms", Channel: "dms", Every: time.Minute}}})
		h.rest(5*time.Minute + time.Second)
		if n := len(h.channels["dms"].attempts()); n != 6 {
			t.Errorf("%d heartbeats in five minutes", n)
		}
		h.sick.Store(problem.Unavailable(nil, "The checks stand still."))
		h.rest(5 * time.Minute)
		if n := len(h.channels["dms"].attempts()); n != 6 {
			t.Errorf("%d heartbeats although the hub is not well", n)
		}
		health, err := h.desk.Health(context.Background(), operator)
		if err != nil || len(health.Pulses) != 1 || health.Pulses[0].FailingSince.IsZero() || health.Pulses[0].Reason != "The checks stand still." {
			t.Errorf("got %+v, %v", health.Pulses, err)
		}
		h.sick.Store(nil)
		h.rest(time.Minute)
		if health, err = h.desk.Health(context.Background(), operator); err != nil || !health.Pulses[0].FailingSince.IsZero() || len(h.rows()) != 0 {
			t.Errorf("got %+v, %v", health.Pulses, err)
		}
	})
}

func TestTestSendReachesTheOneWhoAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("chat", "mail")
		s.Channels[1].Kind = "mail"
		h := build(t, s)
		ctx := context.Background()
		for channel, recipient := range map[string]string{"chat": "channel/chat", "mail": "person/ada"} {
			d, err := h.desk.Test(ctx, operator, channel)
			if err != nil {
				t.Fatal(err)
			}
			h.rest(time.Second)
			got := h.channels[channel].attempts()
			if len(got) != 1 || got[0].Delivery.ID != d.ID || got[0].Event.Kind != "channel.test" || got[0].To.Ref != recipient || got[0].By != "ADA" {
				t.Errorf("%s got %+v", channel, got)
			}
		}
		_, err := h.desk.Test(ctx, access.Host, "mail")
		wantKind(t, err, problem.KindInvalid)
		_, err = h.desk.Test(ctx, operator, "absent")
		wantKind(t, err, problem.KindNotFound)
		_, err = h.desk.Test(ctx, access.Actor{ID: "eve", Role: access.RoleViewer}, "chat")
		wantKind(t, err, problem.KindForbidden)
	})
}

func TestPruneForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := idle(t, oneRoute("chat"))
		h.keep = 10 * time.Hour
		h.start()
		h.plan(update(1, "a"))
		h.rest(8 * time.Hour)
		h.plan(update(2, "a"))
		h.rest(3 * time.Hour)
		rows := h.rows()
		if len(rows) != 1 || rows[0].Event != "update-2" {
			t.Errorf("left: %+v", rows)
		}
		if left, err := h.store.Events(context.Background(), []string{"update-1"}); err != nil || len(left) != 0 {
			t.Error(left, err)
		}
	})
}

func TestPlanRefusesWhatIsNoEvent(t *testing.T) {
	h := idle(t, notice.Setup{})
	good := update(1, "a")
	for name, spoil := range map[string]func(*notice.Event){
		"no id":                func(e *notice.Event) { e.ID = "" },
		"no kind":              func(e *notice.Event) { e.Kind = "" },
		"no subject":           func(e *notice.Event) { e.Subject = journal.Ref{} },
		"no audience":          func(e *notice.Event) { e.Audience = "" },
		"no severity":          func(e *notice.Event) { e.Severity = "bad" },
		"no alarm":             func(e *notice.Event) { e.Alarm = "loud" },
		"alarm to subscribers": func(e *notice.Event) { e.Alarm, e.Audience = notice.AlarmFire, notice.ToSubscribers },
	} {
		e := good
		spoil(&e)
		if err := h.try(e); problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := len(h.rows()); n != 0 {
		t.Errorf("%d rows", n)
	}
}
