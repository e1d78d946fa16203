package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/hub"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/status"
	"evenkeel/internal/store"
	"evenkeel/internal/ticket"
)

// BenchmarkNewMailAmongAThousandOpenTickets is what the hall does about one new
// mail when a thousand tickets are open: it reads the mail, and compares it with
// them all. The promise is 20 ms.
func BenchmarkNewMailAmongAThousandOpenTickets(b *testing.B) {
	s, err := store.Open(b.Context(), store.Options{DataDir: b.TempDir(), Log: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close(context.WithoutCancel(b.Context()))
	desk := ticket.NewDesk(ticket.DeskDeps{Work: s, Store: s, Blobs: s, Signer: key("secret"), Staff: roster{}, Now: time.Now, Log: quiet()})
	desk.Setup(support())
	do := func(fn func(journal.Tx) error) {
		if err := s.Do(b.Context(), access.Hub, fn); err != nil {
			b.Fatal(err)
		}
	}
	do(func(tx journal.Tx) error {
		for n, name := range []string{"Checkout", "Search", "Public API", "Sign-in"} {
			c := status.Component{Key: fmt.Sprintf("k%d", n), ID: fmt.Sprintf("c%d", n), Name: name, Public: true, CreatedAt: tx.Now()}
			if err := s.PutComponent(b.Context(), tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	present := hub.NewPresent(s)
	if err := present.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	room := incident.NewRoom(incident.RoomDeps{Work: s, Store: s, Components: present, Now: time.Now, Log: quiet()})
	notices := notice.NewDesk(notice.DeskDeps{Work: s, Store: s, Log: quiet(), Now: time.Now})
	h := hub.New(hub.Deps{
		Work: s, Reader: s, Cursors: s, Leases: s, Bell: &journal.LocalBell{}, Holder: "b", Record: s, Present: present, Incidents: s, Room: room,
		Notices: notices, Concerns: s, Now: time.Now, Log: quiet(), TicketDeps: hub.TicketDeps{Desk: desk, Tickets: s, Proposed: s},
	})
	n := 0
	mail := func() journal.Sealed {
		n++
		subject, text := complaints[n%len(complaints)][0], complaints[n%len(complaints)][1]
		if n%3 != 0 {
			subject, text = fmt.Sprintf("Question %d", n), fmt.Sprintf("Hello, about order %d of region %d: when does it arrive, and who delivers it to street %d?", n, n%70, n%7)
		}
		var out ticket.Outcome
		do(func(tx journal.Tx) (err error) {
			out, err = desk.Receive(b.Context(), tx, ticket.Incoming{
				Mail: journal.NewID(), Way: ticket.ByMail, Mailbox: "help", From: ticket.Address{Address: fmt.Sprintf("p%d@firm.example", n)}, Subject: subject, Text: text,
				Reply: text, Hash: fmt.Sprintf("h%d", n), BodyHash: fmt.Sprintf("b%d", n), MessageID: fmt.Sprintf("m%d@firm.example", n), Kind: ticket.KindPerson, At: time.Now(),
			})
			return err
		})
		return journal.Sealed{Entry: journal.Entry{Verb: "ticket.opened", Subject: journal.Ref{Kind: "ticket", ID: out.Ticket}}}
	}
	look := func(e journal.Sealed) {
		do(func(tx journal.Tx) error { return h.Followers()[2].Handle(b.Context(), tx, []journal.Sealed{e}) })
	}
	for range 999 {
		mail()
	}
	look(mail()) // what was read is remembered from here on
	for b.Loop() {
		b.StopTimer()
		e := mail()
		b.StartTimer()
		look(e)
	}
}
