package notice_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// letters gives letters by the message that an event names.
type letters struct {
	mu    sync.Mutex
	gone  map[string]bool
	asked int
}

// Letter gives the letter of an event.
func (l *letters) Letter(_ context.Context, e notice.Event) (notice.Letter, notice.Recipient, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	id := e.Content.Facts["message"]
	if l.gone[id] {
		return notice.Letter{}, notice.Recipient{}, problem.NotFound("It was taken back.")
	}
	return notice.Letter{MessageID: id + "@example.org", Subject: "Re: " + id, Text: id}, notice.Recipient{Name: "Ann", Address: "ann@customer.example"}, nil
}

// answer is the event of an answer.
func answer(id string, seq int64) notice.Event {
	return notice.Event{
		ID: id, Seq: seq, Kind: "ticket.answer", Subject: journal.Ref{Kind: "ticket", ID: "t1"}, Audience: notice.ToRequester, Severity: notice.SeverityInfo,
		At: time.Now(), Content: notice.Content{Facts: map[string]string{"message": id, notice.FactRequester: "r1"}},
	}
}

// inPost runs a test in a house that mails.
func inPost(t *testing.T, setup notice.Setup, run func(h *house, l *letters)) {
	synctest.Test(t, func(t *testing.T) {
		h, l := idle(t, setup), &letters{gone: map[string]bool{}}
		h.letters = l
		h.start()
		defer h.stop()
		run(h, l)
	})
}

var mailing = notice.Setup{Channels: []notice.ChannelSpec{{ID: "mail", Kind: "mail"}}, Mail: "mail"}

// TestAnswerGoesToItsRequesterAndNobodyElse: one row, no route, no subscriber, and
// the words are asked for when it is sent.
func TestAnswerGoesToItsRequesterAndNobodyElse(t *testing.T) {
	setup := mailing
	setup.Routes = []notice.Route{{ID: "all", To: []notice.Target{{Channel: "mail"}}}}
	inPost(t, setup, func(h *house, l *letters) {
		h.plan(answer("m1", 1), answer("m1", 1))
		h.rest(time.Second)
		rows := h.rows()
		if len(rows) != 1 || rows[0].Recipient != "requester/r1" || rows[0].State != notice.Sent || l.asked != 1 {
			t.Fatalf("asked %d times, rows %+v", l.asked, rows)
		}
		got := h.channels["mail"].got
		if len(got) != 1 || got[0].Letter == nil || got[0].Letter.Text != "m1" || got[0].To.Address != "ann@customer.example" || got[0].To.Ref != "requester/r1" {
			t.Errorf("sent %+v", got)
		}
	})
}

func TestAnswerThatWasTakenBackIsNotSent(t *testing.T) {
	inPost(t, mailing, func(h *house, l *letters) {
		l.gone["m1"] = true
		h.plan(answer("m1", 1))
		h.rest(time.Minute)
		rows := h.rows()
		if len(rows) != 1 || rows[0].State != notice.Suppressed || rows[0].Reason != "It was taken back." || len(h.channels["mail"].got) != 0 {
			t.Errorf("rows %+v, sent %d", rows, len(h.channels["mail"].got))
		}
	})
}

// TestNoAnswerTakesThePlaceOfAnother: a newer notice of a subject overtakes an older
// one that cannot be sent; answers are all sent, however long it takes.
func TestNoAnswerTakesThePlaceOfAnother(t *testing.T) {
	inPost(t, mailing, func(h *house, _ *letters) {
		down := true
		var mu sync.Mutex
		h.channels["mail"].reply = func(context.Context, int, notice.Message) (notice.Receipt, error) {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return notice.Receipt{}, &notice.Refusal{Reason: "away"}
			}
			return notice.Receipt{Mark: "m"}, nil
		}
		h.plan(answer("m1", 1))
		h.rest(time.Hour)
		h.plan(answer("m2", 2))
		h.rest(time.Hour)
		mu.Lock()
		down = false
		mu.Unlock()
		h.rest(6 * time.Hour)
		for _, row := range h.rows() {
			if row.State != notice.Sent {
				t.Errorf("%s is %s: %s", row.Event, row.State, row.Reason)
			}
		}
	})
}

// TestAnswerRepeatsUnderItsMessageIDAfterACrash: mail can be sent twice, and shows it.
func TestAnswerRepeatsUnderItsMessageIDAfterACrash(t *testing.T) {
	inPost(t, mailing, func(h *house, _ *letters) {
		h.channels["mail"].reply = func(_ context.Context, n int, _ notice.Message) (notice.Receipt, error) {
			if n == 1 {
				return notice.Receipt{}, &notice.Refusal{Reason: "the connection broke after the mail was given"}
			}
			return notice.Receipt{Mark: "<m1@example.org>"}, nil
		}
		h.plan(answer("m1", 1))
		h.rest(time.Hour)
		got := h.channels["mail"].got
		if len(got) != 2 || got[0].Letter.MessageID != got[1].Letter.MessageID || got[0].Delivery.ID != got[1].Delivery.ID {
			t.Fatalf("sent %+v", got)
		}
		if row := h.rows()[0]; row.State != notice.Sent || row.Attempts != 2 || row.ExactOnce {
			t.Errorf("row %+v", row)
		}
	})
}

func TestAnswerWithoutMailIsShownAsNotSent(t *testing.T) {
	inPost(t, notice.Setup{}, func(h *house, _ *letters) {
		h.plan(answer("m1", 1))
		h.rest(time.Minute)
		if rows := h.rows(); len(rows) != 1 || rows[0].State != notice.Suppressed || rows[0].Reason != "no channel for mail is set up" {
			t.Errorf("rows %+v", rows)
		}
	})
}
