package notice_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
)

func TestNoticeGoesOutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("chat", "hook")
		s.Webhook = "hook"
		h := build(t, s)
		h.listen("https://example.org/hook")
		h.rest(10 * time.Minute)
		planned := time.Since(h.began)
		h.plan(update(1, "a"))
		h.rest(time.Second)
		for id, c := range h.channels {
			got := c.attempts()
			if len(got) != 1 || got[0].at-planned > 50*time.Millisecond {
				t.Errorf("%s: %d messages, after %v", id, len(got), got[0].at-planned)
			}
		}
	})
}

func TestAlarmWithoutARouteLeavesWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := duty()
		s.Routes[0].AtLeast = notice.SeverityCritical
		h := build(t, s)
		h.plan(alarm(1, notice.AlarmFire), update(2, "a"))
		h.rest(time.Minute)
		rows := h.rows()
		if len(rows) != 1 || rows[0].State != notice.Suppressed || rows[0].Reason != "no route fits it" || rows[0].Event != "alarm-1" {
			t.Errorf("got %+v", rows)
		}
		_, err := h.desk.Resend(context.Background(), operator, rows[0].ID)
		wantKind(t, err, "invalid")
	})
}

func TestChannelThatCannotBeOpenedFailsInSightToItsFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("chat", "spare")
		s.Channels[0].Fallback = "spare"
		h := build(t, s)
		delete(h.channels, "chat")
		h.plan(update(1, "a"))
		h.rest(6 * time.Minute)
		if d := h.row("update-1", "chat"); d.State != notice.Failed || d.Reason != "the channel cannot be opened" || d.Fallback == "" {
			t.Errorf("got %+v", d)
		}
		if n := len(h.channels["spare"].attempts()); n != 1 {
			t.Errorf("%d messages through the fallback", n)
		}
	})
}

func TestSenderCountsAndTellsWhenItIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := idle(t, oneRoute("chat"))
		sender := notice.NewSender(notice.SenderDeps{Desk: h.desk, Channels: h.find})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			done <- journal.Hold(ctx, h.store, "notices", "me", slog.New(slog.DiscardHandler), sender.Run)
		}()
		h.channels["chat"].answers(func(_ context.Context, n int, m notice.Message) (notice.Receipt, error) {
			switch {
			case m.Event.Seq == 2:
				return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: "no"}
			case m.Attempt == 1:
				return notice.Receipt{}, down
			}
			return notice.Receipt{}, nil
		})
		h.plan(update(1, "a"), update(2, "b"))
		h.rest(10 * time.Second)
		if got := sender.Stats(); len(got) != 1 || got[0] != (notice.Sends{Channel: "chat", Sent: 1, Retried: 1, Failed: 1}) {
			t.Errorf("got %+v", got)
		}
		if name, behind := sender.Lag(); behind != 0 {
			t.Errorf("%s is %v behind", name, behind)
		}
		h.store.SetAway(errors.New("cut"))
		h.rest(time.Minute)
		if name, behind := sender.Lag(); behind < 50*time.Second || name == "" {
			t.Errorf("%q is %v behind after a minute without the database", name, behind)
		}
		h.store.SetAway(nil)
		h.rest(10 * time.Second)
		if name, behind := sender.Lag(); behind != 0 {
			t.Errorf("%s is %v behind", name, behind)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if name, behind := sender.Lag(); behind != 0 || name != "" {
			t.Errorf("%s is %v behind although nothing runs here", name, behind)
		}
	})
}

func TestOddIdsKeepNothingFromBeingTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat \u2013 ops"))
		h.channels["chat \u2013 ops"].fails(&notice.Refusal{Permanent: true, Reason: "no"})
		e := alarm(1, notice.AlarmFire)
		e.Subject.ID = "a name, not an id"
		h.plan(e)
		h.rest(time.Second)
		if d := h.rows()[0]; d.State != notice.Failed {
			t.Errorf("got %+v", d)
		}
		if h.verbs("alert")[0] != "alert.opened" || h.verbs("delivery")[0] != "delivery.failed" {
			t.Error("the journal has no word of it")
		}
	})
}

func TestSubscriberWhoLeavesMeanwhileIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		s := h.listen("https://example.org/a")[0]
		h.channels["hook"].answers(func(_ context.Context, n int, m notice.Message) (notice.Receipt, error) {
			if err := h.desk.Erase(ctx, operator, s.ID); err != nil {
				t.Error(err)
			}
			return notice.Receipt{}, &notice.Refusal{Permanent: true, Gone: true, Reason: "410"}
		})
		h.plan(update(1, "a"))
		h.rest(time.Minute)
		if d := h.rows()[0]; d.State != notice.Suppressed {
			t.Errorf("got %+v", d)
		}
		// The same while it is being challenged.
		h.swap("hook", &leaver{channel: h.channels["hook"], h: h})
		if err := h.desk.Subscribe(ctx, notice.Subscription{Mode: notice.ByWebhook, Address: "https://example.org/b"}); err != nil {
			t.Fatal(err)
		}
		h.rest(time.Minute)
		if d := h.rows()[1]; d.State != notice.Sent {
			t.Errorf("got %+v", d)
		}
	})
}

// leaver is an endpoint that unsubscribes while it is challenged.
type leaver struct {
	*channel
	h *house
}

func (l *leaver) Challenge(_ context.Context, m notice.Message, _ string) error {
	return l.h.desk.Remove(context.Background(), operator, m.Event.Subject.ID)
}

func TestDatabaseThatIsAwayDelaysAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, oneRoute("chat"))
		var ids []string
		h.channels["chat"].answers(func(_ context.Context, n int, m notice.Message) (notice.Receipt, error) {
			ids = append(ids, m.Delivery.ID)
			if n == 1 {
				h.store.SetAway(errors.New("cut")) // just as it was sent
			}
			return notice.Receipt{Mark: "m"}, nil
		})
		h.plan(update(1, "a"))
		h.rest(30 * time.Second)
		h.store.SetAway(nil)
		h.rest(10 * time.Second)
		if d := h.row("update-1", "chat"); d.State != notice.Sent || len(ids) != 1 {
			t.Errorf("got %+v, sent as %v", d, ids)
		}
	})
}
