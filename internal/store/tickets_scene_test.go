package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/ticket"
)

// agent is somebody at the desk; clerk another one.
var (
	agent = access.Actor{ID: "person/agent", Role: access.RoleSupport}
	clerk = access.Actor{ID: "person/clerk", Role: access.RoleSupport}
	chief = access.Actor{ID: "person/chief", Role: access.RoleManager}
)

// roster knows the people of the desk.
type roster struct{}

func (roster) Colleague(_ context.Context, person string) (ticket.Colleague, error) {
	for _, a := range []access.Actor{agent, clerk, chief} {
		if ticket.PersonOf(a) == person {
			return ticket.Colleague{ID: person, Name: "Person " + person, Address: person + "@ours.example", Actor: a}, nil
		}
	}
	return ticket.Colleague{}, problem.NotFound("nobody")
}

func (r roster) ColleagueAt(ctx context.Context, address string) (ticket.Colleague, error) {
	person, ours := strings.CutSuffix(address, "@ours.example")
	if !ours {
		return ticket.Colleague{}, problem.NotFound("nobody")
	}
	return r.Colleague(ctx, person)
}

// support is the setup of most tests: one mailbox, two queues.
func support() ticket.Setup {
	return ticket.Setup{
		Queues: []ticket.Queue{{ID: "support", Name: "Support"}, {ID: "plant", Name: "Plant", Kinds: []ticket.Kind{ticket.Impairment}}},
		Mailboxes: []ticket.Mailbox{
			{Name: "help", Queue: "support", From: ticket.Address{Name: "Example support", Address: "support@ours.example"}},
			{Name: "sales", Queue: "support", From: ticket.Address{Address: "sales@ours.example"}},
		},
		Fields: []ticket.Field{{ID: "plan", Name: "Plan", Options: []string{"free", "paid"}}},
	}
}

// scene is a desk on a store.
type scene struct {
	*testing.T
	*ticket.Desk
	store *store.Store
	mails int
}

// deskOn opens a desk on a store.
func deskOn(t *testing.T, s *store.Store, setup ticket.Setup) *scene {
	d := ticket.NewDesk(ticket.DeskDeps{Work: s, Store: s, Blobs: s, Signer: key("secret"), Staff: roster{}, Now: time.Now, Log: quiet()})
	d.Setup(setup)
	return &scene{T: t, Desk: d, store: s}
}

// onDesks runs a test on a desk on each engine.
func onDesks(t *testing.T, run func(*scene)) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) { run(deskOn(t, open(t), support())) })
}

// mail gives a mail as the parser would hand it over, from an address.
func (s *scene) mail(from, subject, text string) ticket.Incoming {
	s.mails++
	return ticket.Incoming{
		Mail: journal.NewID(), Way: ticket.ByMail, Mailbox: "help", From: ticket.Address{Name: "Guest " + from, Address: from},
		To: []ticket.Address{{Address: "support@ours.example"}}, Subject: subject, Text: text, Reply: text, Hash: fmt.Sprintf("hash%d", s.mails),
		BodyHash: fmt.Sprintf("%x", sha256.Sum256([]byte(text))), MessageID: fmt.Sprintf("m%d@theirs.example", s.mails), Kind: ticket.KindPerson,
		Delivered: []string{"support@ours.example"}, Answerable: true, At: time.Now(),
	}
}

// take receives it in a unit of work of its own.
func (s *scene) take(in ticket.Incoming) ticket.Outcome {
	s.Helper()
	var out ticket.Outcome
	if err := s.store.Do(s.Context(), access.Hub, func(tx journal.Tx) (err error) {
		out, err = s.Receive(s.Context(), tx, in)
		return err
	}); err != nil {
		s.Fatal(err)
	}
	return out
}

// ticket gives one as it stands.
func (s *scene) ticket(id string) ticket.Ticket {
	s.Helper()
	t, _, err := s.Get(s.Context(), chief, id)
	if err != nil {
		s.Fatal(err)
	}
	return t
}

// messages gives those of one ticket.
func (s *scene) messages(id string) []ticket.Message {
	s.Helper()
	all, err := s.Messages(s.Context(), chief, id)
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// told gives the verbs of the journal about a ticket, in order.
func (s *scene) told(id string) (verbs []string) {
	s.Helper()
	var seq int64
	storetest.Seal(s, s.store)
	for {
		page, err := s.store.After(s.Context(), seq, 500)
		if err != nil {
			s.Fatal(err)
		}
		for _, e := range page {
			if seq = e.Seq; e.Subject.ID == id {
				verbs = append(verbs, e.Verb)
			}
		}
		if len(page) < 500 {
			return verbs
		}
	}
}

// mustBe fails unless the error is of the kind.
func (s *scene) mustBe(err error, kind problem.Kind) {
	s.Helper()
	if problem.KindOf(err) != kind {
		s.Fatalf("got %v, want %q", err, kind)
	}
}
