package store_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/store"
	"evenkeel/internal/ticket"
)

// The desk's clock, played in virtual time: an answer leaves when it can no longer
// be taken back, promises are warned of and broken once, a snooze ends, what is
// solved closes, and what was kept long enough goes.
func TestTheClockOfTheDesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openWith(t, store.Options{DataDir: t.TempDir()})
		setup := support()
		setup.Promises = []ticket.Promise{{FirstReply: time.Hour, NextReply: 2 * time.Hour, Warn: 10 * time.Minute}}
		setup.CloseAfter, setup.Keep = 90*time.Minute, time.Hour // the clock ticks every second, so a month would be long
		c := deskOn(t, s, setup)
		ctx, stop := context.WithCancel(t.Context())
		lease, ok, err := s.Acquire(ctx, ticket.ClockLease, "test", 1000*time.Hour)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Desk.Run(ctx, lease) }()
		after := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		late := c.take(c.mail("guest@theirs.example", "Late", "x")).Ticket
		answered := c.take(c.mail("guest@theirs.example", "Answered", "y")).Ticket
		m, err := c.Answer(ctx, agent, answered, ticket.Answer{Text: "Yes.", State: ticket.Solved})
		if err != nil {
			t.Fatal(err)
		}
		after(ticket.UndoFor - 2*time.Second)
		if slices.Contains(c.told(answered), "ticket.answered") {
			t.Error("it left too early")
		}
		after(4 * time.Second)
		if !slices.Contains(c.told(answered), "ticket.answered") {
			t.Error("it did not leave")
		}
		_, err = c.Undo(ctx, agent, m.ID)
		c.mustBe(err, problem.KindConflict)
		snoozed := c.take(c.mail("guest@theirs.example", "Snoozed", "z")).Ticket
		if _, err := c.Snooze(ctx, agent, snoozed, time.Now().Add(30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		after(51 * time.Minute)
		if got := c.ticket(late); got.WarnedAt.IsZero() || got.Overdue {
			t.Errorf("after 51 minutes: %+v", got)
		}
		if got := c.ticket(snoozed); !got.SnoozedUntil.IsZero() || got.DueAt.IsZero() {
			t.Errorf("awake: %+v", got)
		}
		after(10 * time.Minute)
		if got := c.ticket(late); !got.Overdue || got.BreachedAt.IsZero() || !got.WakeAt.IsZero() {
			t.Errorf("after an hour: %+v", got)
		}
		after(30 * time.Minute)
		if got := c.ticket(answered); got.State != ticket.Closed {
			t.Errorf("after an hour and a half: %+v", got)
		}
		count := func(id, verb string) (n int) {
			for _, v := range c.told(id) {
				if v == verb {
					n++
				}
			}
			return n
		}
		if count(late, "ticket.warned") != 1 || count(late, "ticket.breached") != 1 || count(snoozed, "ticket.breached") != 1 {
			t.Errorf("told %v and %v", c.told(late), c.told(snoozed))
		}
		after(70 * time.Minute)
		_, _, err = c.Get(ctx, chief, answered)
		c.mustBe(err, problem.KindNotFound)
		if got := c.ticket(late); got.Messages != 1 {
			t.Errorf("one that is open went too: %+v", got)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A clock that lost its lease writes nothing more.
func TestTheClockIsFenced(t *testing.T) {
	onDesks(t, func(s *scene) {
		id := s.take(s.mail("guest@theirs.example", "x", "y")).Ticket
		if _, err := s.Answer(s.Context(), agent, id, ticket.Answer{Text: "x", SendAt: time.Now().Add(time.Millisecond)}); err != nil {
			s.Fatal(err)
		}
		old, _, err := s.store.Acquire(s.Context(), ticket.ClockLease, "a", time.Millisecond)
		if err != nil {
			s.Fatal(err)
		}
		taken := func() bool {
			_, ok, err := s.store.Acquire(s.Context(), ticket.ClockLease, "b", time.Minute)
			return ok && err == nil
		}
		awaitThat(s, "the lease to run out", taken)
		if err := s.Desk.Run(s.Context(), old); problem.KindOf(err) != problem.KindConflict {
			s.Errorf("got %v", err)
		}
		if verbs := s.told(id); slices.Contains(verbs, "ticket.answered") {
			s.Errorf("told %v", verbs)
		}
	})
}

// After a restore no message is findable; the clock makes all of them so.
func TestWordsAreMadeAnewAfterARestore(t *testing.T) {
	onDesks(t, func(s *scene) {
		for _, text := range []string{"first words", "second words", "third words"} {
			s.take(s.mail("guest@theirs.example", "x", text))
		}
		if err := s.store.ForgetWords(s.Context()); err != nil {
			s.Fatal(err)
		}
		find := func() int {
			page, err := s.Search(s.Context(), agent, "words", "", ticket.Cursor{}, 10)
			if err != nil {
				s.Fatal(err)
			}
			return len(page.Tickets)
		}
		if find() != 0 {
			s.Fatal("words are there without an index")
		}
		for more := true; more; {
			if err := s.store.Do(s.Context(), access.Hub, func(tx journal.Tx) (err error) {
				more, err = s.store.IndexWords(s.Context(), tx, 2)
				return err
			}); err != nil {
				s.Fatal(err)
			}
		}
		if n := find(); n != 3 {
			s.Errorf("%d are found", n)
		}
	})
}
