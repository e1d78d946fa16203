package hub

import (
	"context"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/status"
	"evenkeel/internal/ticket"
)

// sayings remembers what was said.
type sayings struct{ said []string }

func (s *sayings) SayIn(_ context.Context, _ journal.Tx, _ access.Actor, component string, st status.Status, _ string) error {
	s.said = append(s.said, component+" "+string(st))
	return nil
}

func (s *sayings) UnsayIn(_ context.Context, _ journal.Tx, _ access.Actor, component string) error {
	s.said = append(s.said, component+" up")
	return nil
}

// TestAutomateHeedsOnlyWhoIsAllowedAndProven: a mail moves a component only when
// all of it is right; everything else is for the desk.
func TestAutomateHeedsOnlyWhoIsAllowedAndProven(t *testing.T) {
	now := time.Now()
	good := ticket.Incoming{
		Mailbox: "help", Subject: "Monitor shop is DOWN", From: ticket.Address{Address: "Probe@Monitor.example"}, Trust: ticket.Proven,
		Delivered: []string{"support@ours.example", "Support+shop@ours.example"}, At: now,
	}
	for name, c := range map[string]struct {
		change func(*ticket.Incoming)
		want   string
	}{
		"down":                {func(*ticket.Incoming) {}, "shop major_outage"},
		"up":                  {func(in *ticket.Incoming) { in.Subject = "[UP] shop" }, "shop up"},
		"unproven":            {func(in *ticket.Incoming) { in.Trust = ticket.Unproven }, ""},
		"disputed":            {func(in *ticket.Incoming) { in.Trust = ticket.Disputed }, ""},
		"a stranger":          {func(in *ticket.Incoming) { in.From.Address = "x@monitor.example" }, ""},
		"another address":     {func(in *ticket.Incoming) { in.Delivered = []string{"support@ours.example"} }, ""},
		"another mailbox":     {func(in *ticket.Incoming) { in.Mailbox = "sales" }, ""},
		"no word":             {func(in *ticket.Incoming) { in.Subject = "the shop went down" }, ""},
		"both words":          {func(in *ticket.Incoming) { in.Subject = "UP after DOWN" }, ""},
		"old mail":            {func(in *ticket.Incoming) { in.Quiet = true }, ""},
		"a mail of yesterday": {func(in *ticket.Incoming) { in.At = now.Add(-24 * time.Hour) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sayings{}
			h := &Hub{Deps: Deps{TicketDeps: TicketDeps{Sayings: s, Triggers: func() []Trigger {
				return []Trigger{{Mailbox: "help", To: "support+shop@ours.example", Component: "shop", From: []string{"probe@monitor.example"}}}
			}}}}
			in := good
			c.change(&in)
			var done bool
			var words string
			err := journaltest.New().Do(t.Context(), access.Hub, func(tx journal.Tx) (err error) {
				done, words, err = h.Automate(t.Context(), tx, in)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(s.said) == 1 {
				got = s.said[0]
			}
			if got != c.want || done != (c.want != "") || done != (words != "") {
				t.Errorf("said %v, done %v: %q", s.said, done, words)
			}
		})
	}
}
