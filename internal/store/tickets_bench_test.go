package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/store"
	"evenkeel/internal/ticket"
)

// benchWords make mails of some length that differ.
var benchWords = []string{
	"payment", "declined", "card", "booking", "door", "code", "invoice", "login", "error", "502", "gateway", "twice", "charged", "bank", "app", "night",
	"guest", "owner", "cottage", "cleaner", "winter", "prices", "export", "report", "calendar", "refund", "address", "receipt", "phone", "website", "slow", "again",
}

// benchMail gives the n-th mail of a bench: a thousand senders, some 120 words.
func benchMail(n int) ticket.Incoming {
	text := make([]byte, 0, 1000)
	x := uint32(n)*2654435761 + 1
	for range 120 {
		x = x*1664525 + 1013904223
		text = append(append(text, benchWords[x>>27]...), ' ')
		if x>>20&7 == 0 {
			text = fmt.Appendf(text, "NM-%d. ", x>>8&0xFFFF)
		}
	}
	body := string(text)
	return ticket.Incoming{
		Mail: journal.NewID(), Way: ticket.ByMail, Mailbox: "help", From: ticket.Address{Name: "Guest", Address: fmt.Sprintf("guest%d@theirs.example", n%1000)},
		To: []ticket.Address{{Address: "support@ours.example"}}, Subject: body[:40], Text: body, Reply: body, Hash: fmt.Sprintf("%064d", n),
		BodyHash: fmt.Sprintf("%x", sha256.Sum256(text)), MessageID: fmt.Sprintf("bench%d@theirs.example", n), Kind: ticket.KindPerson,
		Delivered: []string{"support@ours.example"}, Answerable: true, At: time.Now(),
	}
}

// BenchmarkReceive measures tickets made of mails, with their journal and their
// words, by as many workers as there are.
func BenchmarkReceive(b *testing.B) {
	for name, open := range engines {
		for _, batch := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d in a unit", name, batch), func(b *testing.B) {
				s := open(b)
				setup := support()
				setup.Mailboxes[0].Acknowledge = true
				d := ticket.NewDesk(ticket.DeskDeps{Work: s, Store: s, Blobs: s, Signer: key("secret"), Staff: roster{}, Now: time.Now, Log: quiet()})
				d.Setup(setup)
				var next, failed atomic.Int64
				var all sync.WaitGroup
				b.ResetTimer()
				for range 8 {
					all.Go(func() {
						for {
							from := int(next.Add(int64(batch))) - batch
							if from >= b.N {
								return
							}
							if err := s.Do(context.Background(), access.Hub, func(tx journal.Tx) error {
								for n := from; n < min(from+batch, b.N); n++ {
									if _, err := d.Receive(context.Background(), tx, benchMail(n)); err != nil {
										return err
									}
								}
								return nil
							}); err != nil {
								failed.Add(1)
							}
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tickets/s")
				if failed.Load() > 0 {
					b.Fatalf("%d units failed", failed.Load())
				}
			})
		}
	}
}

var _ = store.Options{}

// manyTickets fills a record with n tickets of one mail each; live of them are
// not over.
func manyTickets(tb testing.TB, s *store.Store, n, live int) *ticket.Desk {
	d := ticket.NewDesk(ticket.DeskDeps{Work: s, Store: s, Blobs: s, Signer: key("secret"), Staff: roster{}, Now: time.Now, Log: quiet()})
	d.Setup(support())
	ctx, now := context.Background(), time.Now().UTC().Truncate(time.Microsecond)
	for from := 0; from < n; from += 200 {
		if err := s.Do(ctx, access.Hub, func(tx journal.Tx) error {
			for k := from; k < min(from+200, n); k++ {
				in := benchMail(k)
				at := now.Add(-time.Duration(n-k) * time.Minute)
				t := ticket.Ticket{
					ID: journal.NewID(), Subject: in.Subject, State: ticket.Closed, Priority: ticket.Normal, Kind: ticket.Request, Way: ticket.ByMail, Queue: "support",
					Requester: fmt.Sprintf("r%d", k%1000), LastAt: at, CreatedAt: at, LastFrom: ticket.FromRequester, Messages: 1, ChangedAt: at,
				}
				if k%7 == 0 {
					t.Queue, t.Tags = "plant", []string{"vip"}
				}
				if k%5000 == 0 {
					t.Components = []string{"pay"}
				}
				if n-k <= live {
					t.State = []ticket.State{ticket.New, ticket.Open, ticket.Pending}[k%3]
					t.Assignee = []string{"", "agent", "clerk"}[k%3]
					t.DueAt, t.Due = now.Add(time.Duration(k%2000-200)*time.Minute), ticket.FirstReply
				}
				if err := s.PutTicket(ctx, tx, &t); err != nil {
					return err
				}
				m := ticket.Message{
					ID: journal.NewID(), Ticket: t.ID, Home: t.ID, Form: ticket.In, From: ticket.FromRequester, Sender: in.From, Subject: in.Subject, Text: in.Text,
					MessageID: in.MessageID, At: at,
				}
				if err := s.PutMessage(ctx, tx, &m, t.Subject); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			tb.Fatal(err)
		}
	}
	return d
}

// BenchmarkDesk measures what the desk asks for with 200,000 tickets.
func BenchmarkDesk(b *testing.B) {
	const many = 200_000
	ctx := context.Background()
	for name, open := range engines {
		for _, live := range []int{5_000, many} {
			b.Run(fmt.Sprintf("%s/%d live", name, live), func(b *testing.B) {
				s := open(b)
				d := manyTickets(b, s, many, live)
				midnight := time.Now().Truncate(24 * time.Hour)
				for _, v := range ticket.Views() {
					q := v.Query(agent, time.Now(), midnight)
					q.Limit = 50
					b.Run("list "+string(v), func(b *testing.B) {
						for b.Loop() {
							if _, err := d.List(ctx, agent, q); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
				for _, typed := range []string{
					"", "payment", "NM-4711", "gateway is:open", "payment component:pay", `"card declined"`, "from:guest77", "refund queue:plant is:closed", "tag:vip is:pending",
					"requester:guest5@theirs.example", "zzz", "pay -card", "has:attachment", "assignee:none is:closed", "before:2020-01-01", "incident:any", "is:overdue",
				} {
					b.Run("search "+typed, func(b *testing.B) {
						for b.Loop() {
							if _, err := d.Search(ctx, agent, typed, "", ticket.Cursor{}, 50); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
				b.Run("counts", func(b *testing.B) {
					for b.Loop() {
						if _, err := s.LiveTallies(ctx, time.Now()); err != nil {
							b.Fatal(err)
						}
					}
				})
				b.Run("counts as shown", func(b *testing.B) {
					for b.Loop() {
						if _, err := d.Counts(ctx, agent, midnight); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		}
	}
}
