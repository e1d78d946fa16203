package ingest

import (
	"slices"
	"testing"

	"evenkeel/internal/inbox"
	"evenkeel/internal/testkit"
)

// Promise 5: what is there at the first look and what comes later becomes tickets,
// each once, also over a restart.
func TestMailsOfARealServerBecomeTickets(t *testing.T) {
	d := testkit.NewDovecot(t)
	d.Put(t, letters(1, 30))
	s := newScene(t)
	s.fleet.Setup([]Spec{spec("a", secure(t, d))})
	s.await(30)
	s.awaitState(inbox.Listening)
	d.Deliver(t, letter(31))
	s.await(31)
	s.stop()
	d.Deliver(t, letter(32))
	s.start(spec("a", secure(t, d)))
	s.await(32)
	if got := s.desk.subjects(); len(slices.Compact(got)) != 32 {
		t.Errorf("got %v", got)
	}
	for _, m := range s.mails() {
		if m.Fate != inbox.Opened || m.Quiet != (m.UID <= 30) || !m.Settled || m.Size == 0 || m.MessageID == "" || m.ReceivedAt.IsZero() {
			t.Errorf("got %+v", m)
		}
	}
}
