package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
	"evenkeel/internal/ticket/tickettest"
)

// support is who sits at the desk.
var support = access.Actor{ID: "person/p1", Role: access.RoleSupport}

// colleagues are the people of staffed.
type colleagues struct{}

func (colleagues) Colleague(_ context.Context, person string) (ticket.Colleague, error) {
	if person != "p1" && person != "p2" {
		return ticket.Colleague{}, problem.NotFound("nobody")
	}
	return ticket.Colleague{ID: person, Name: person, Address: person + "@example.org", Actor: support}, nil
}

func (colleagues) ColleagueAt(context.Context, string) (ticket.Colleague, error) {
	return ticket.Colleague{}, problem.NotFound("nobody")
}

// deskScene is a console with a desk on it, and tickets of the look's story.
type deskScene struct {
	t     testing.TB
	c     *Console
	desk  *ticket.Desk
	store *tickettest.Store
	room  *incident.Room
	props *proposals
	mails *mails
}

// atTheDesk makes one.
func atTheDesk(t testing.TB) *deskScene {
	t.Helper()
	whole, room, _ := staffed(t, estate())
	s := &deskScene{t: t, room: room, props: &proposals{}, mails: &mails{}}
	s.desk, s.store = tickettest.Desk(colleagues{}, time.Now)
	s.mails.store = s.store
	d := whole.deps
	d.Tickets, d.Blobs, d.Proposals, d.Mails = s.desk, s.store, s.props, s.mails
	d.PublicWord = func(context.Context, string) (string, error) {
		return "Card payments fail for about one customer in three. Invoice and gift card are not affected.", nil
	}
	s.c = New(d)
	return s
}

// hash gives the SHA-256 of a text, hex.
func hash(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// letter is a mail of somebody, as the parser hands it over.
func letter(name, subject, text string, ago time.Duration) ticket.Incoming {
	address := strings.ToLower(strings.NewReplacer(" ", "-", ",", "").Replace(name)) + "@example.org"
	at := time.Now().UTC().Add(-ago).Truncate(time.Microsecond)
	return ticket.Incoming{
		Mail: journal.NewID(), Way: ticket.ByMail, Mailbox: "support", From: ticket.Address{Name: name, Address: address}, To: []ticket.Address{{Address: "support@example.org"}},
		Subject: subject, Text: text, Reply: text, Hash: hash(name + subject), BodyHash: hash(text), MessageID: hash(subject + name)[:16] + "@example.org", Kind: "person", Answerable: true,
		Trust: ticket.Proven, At: at, Delivered: []string{"support@example.org"},
	}
}

// receive takes a mail in.
func (s *deskScene) receive(in ticket.Incoming) ticket.Ticket {
	s.t.Helper()
	var out ticket.Outcome
	err := s.store.Do(s.t.Context(), access.Hub, func(tx journal.Tx) (err error) {
		if in.Hash != "" {
			if err := s.store.PutBlob(s.t.Context(), tx, in.Hash, []byte("From: "+in.From.Address+"\r\nSubject: "+in.Subject+"\r\n\r\n"+in.Text)); err != nil {
				return err
			}
		}
		out, err = s.desk.Receive(s.t.Context(), tx, in)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	t, _, err := s.desk.Get(s.t.Context(), support, out.Ticket)
	if err != nil {
		s.t.Fatal(err)
	}
	return t
}

// file is an attachment with its bytes in the store.
func (s *deskScene) file(name, kind string, data []byte) ticket.Attachment {
	s.t.Helper()
	a := ticket.Attachment{Name: name, Type: kind, Size: int64(len(data)), Hash: hash(string(data))}
	if err := s.store.Do(s.t.Context(), access.Hub, func(tx journal.Tx) error { return s.store.PutBlob(s.t.Context(), tx, a.Hash, data) }); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// story fills the desk as the look has it. It gives the ticket that is read there.
func (s *deskScene) story() (read ticket.Ticket, burst []string) {
	s.t.Helper()
	key := letter("Guest, NM-86012", "Key code does not open the door", "The code 4471 does not work.", time.Hour)
	key.Attachments = []ticket.Attachment{s.file("door.png", "image/png", []byte("no picture"))}
	s.receive(key)
	card := letter("Guest, NM-88190", "Card declined twice, then charged", "Hello, we tried to pay for booking NM-88190 by card at a quarter past five. First it said declined, the second time it spun and gave error 502. Now the bank app shows £412.60 taken twice. We travel tomorrow morning. Is the booking safe?\n\nSee https://example.org/booking/NM-88190.\n\n--\nA guest\nNorthmoor\n\n> On Thursday you wrote:\n> Your booking is confirmed.\n> See you soon.", 11*time.Minute)
	card.Reply = card.Text[:strings.Index(card.Text, "\n\n--")]
	card.HTML = `<p>Hello, <b>we tried to pay</b></p><img src="https://tracker.example.net/pixel.gif"><img src="http://cdn.example.net/logo.png">`
	card.Attachments = []ticket.Attachment{s.file("bank-app.png", "image/png", []byte("a picture of a bank"))}
	card.Components = []string{"payments-api"}
	read = s.receive(card)
	if _, err := s.desk.Note(s.t.Context(), access.Actor{ID: "person/p2", Role: access.RoleSupport}, read.ID, "Booking NM-88190 is not paid on our side. Ledger shows one authorisation, no capture.", nil); err != nil {
		s.t.Fatal(err)
	}
	burst = append(burst, read.ID)
	for n, one := range []struct{ who, subject string }{
		{"Guest, NM-88204", "Cannot pay the balance"}, {"Agency, Tolland", "Error 502 after 3-D Secure"}, {"Guest, NM-88197", "Checkout just spins, four of us tried"},
		{"Guest, NM-88213", "payment failed?? booking NM-88213"}, {"Guest, NM-88150", "Re: Re: card not accepted"}, {"Guest, NM-87960", "Paid twice, please check"},
		{"Guest, NM-88221", "502 bad gateway when paying"}, {"Agency, Penhale", "Phone payments fine, website not"},
	} {
		in := letter(one.who, one.subject, "We cannot pay by card since a quarter past five. It says declined.", time.Duration(9-n)*time.Minute)
		burst = append(burst, s.receive(in).ID)
	}
	s.receive(letter("Owner, Fell Cottage", "Invoice 20417 shows my old address", "Please change it.", 24*time.Minute))
	s.receive(letter("Owner, Quay House", "Can my cleaner have a second login", "She needs one.", 41*time.Minute))
	vat := s.receive(letter("Agency, Tolland", "VAT receipt for October", "Where is it?", 3*time.Hour))
	if _, err := s.desk.Move(s.t.Context(), support, vat.ID, ticket.OnHold); err != nil {
		s.t.Fatal(err)
	}
	s.props.list = []ticket.Proposal{{
		ID: "prop-1", Kind: ticket.Burst, State: ticket.Proposed, Component: "payments-api", Tickets: burst, Words: []string{"card", "declined", "502", "paid twice"},
		Reason: "9 mails from 9 people in 9 min, usually 2.", Usual: 2, Since: time.Now().Add(-11 * time.Minute), Until: time.Now(), CreatedAt: time.Now(), Version: 1,
	}}
	for _, id := range burst {
		s.props.list[0].Members = append(s.props.list[0].Members, ticket.Member{Ticket: id, Score: .82, Reasons: []string{"says card, declined", "within 9 min"}})
	}
	return read, burst
}

// proposals keeps what is proposed, and what was decided.
type proposals struct {
	list []ticket.Proposal
}

func (p *proposals) Proposals(_ context.Context, _ access.Actor, states []ticket.ProposalState, _ int) ([]ticket.Proposal, error) {
	var out []ticket.Proposal
	for _, x := range p.list {
		if len(states) == 0 || x.State == states[0] {
			out = append(out, x)
		}
	}
	return out, nil
}

func (p *proposals) Proposal(_ context.Context, _ access.Actor, id string) (ticket.Proposal, error) {
	for _, x := range p.list {
		if x.ID == id {
			return x, nil
		}
	}
	return ticket.Proposal{}, problem.NotFound("There is no such proposal.")
}

func (p *proposals) become(id string, st ticket.ProposalState) (ticket.Proposal, error) {
	for n := range p.list {
		if p.list[n].ID == id {
			p.list[n].State = st
			return p.list[n], nil
		}
	}
	return ticket.Proposal{}, problem.NotFound("There is no such proposal.")
}

func (p *proposals) Accept(_ context.Context, _ access.Actor, id string) (ticket.Proposal, error) {
	return p.become(id, ticket.Accepted)
}

func (p *proposals) Dismiss(_ context.Context, _ access.Actor, id string) (ticket.Proposal, error) {
	return p.become(id, ticket.Dismissed)
}

func (p *proposals) Undo(_ context.Context, _ access.Actor, id string) (ticket.Proposal, error) {
	return p.become(id, ticket.Proposed)
}

// mails is a ledger of a few mails.
type mails struct {
	store *tickettest.Store
	list  []inbox.Mail
}

func (m *mails) Mailboxes(context.Context, access.Actor) ([]inbox.Mailbox, error) {
	return []inbox.Mailbox{{Name: "support", Validity: 7, Last: 4211, BackfillTo: 1, State: inbox.Listening, Since: time.Now().Add(-time.Hour), OKAt: time.Now().Add(-4500 * time.Millisecond), ComparedAt: time.Now().Add(-20 * time.Minute)}}, nil
}

func (m *mails) Mailbox(ctx context.Context, by access.Actor, name string) (inbox.Mailbox, error) {
	if name != "support" {
		return inbox.Mailbox{}, problem.NotFound("There is no mailbox %q.", name)
	}
	list, err := m.Mailboxes(ctx, by)
	return list[0], err
}

func (m *mails) Tally(context.Context, access.Actor, string) (inbox.Tally, error) {
	t := inbox.Tally{Fates: map[inbox.Fate]int64{}}
	for _, x := range m.list {
		t.Fates[x.Fate]++
	}
	return t, nil
}

func (m *mails) Mails(_ context.Context, _ access.Actor, q inbox.Query) ([]inbox.Mail, error) {
	var out []inbox.Mail
	for _, x := range m.list {
		if (len(q.Fates) == 0 || x.Fate == q.Fates[0]) && (q.MessageID == "" || x.MessageID == q.MessageID) && (q.UID == 0 || x.UID == q.UID) {
			out = append(out, x)
		}
	}
	return out, nil
}

func (m *mails) Raw(ctx context.Context, by access.Actor, id string) (io.ReadCloser, int64, error) {
	for _, x := range m.list {
		if x.ID == id {
			return m.store.OpenBlob(ctx, x.Hash)
		}
	}
	return nil, 0, problem.NotFound("There is no such mail.")
}

func (m *mails) Retry(_ context.Context, _ access.Actor, id string) (inbox.Mail, error) {
	for n := range m.list {
		if m.list[n].ID == id {
			m.list[n].Fate = inbox.Waiting
			return m.list[n], nil
		}
	}
	return inbox.Mail{}, problem.NotFound("There is no such mail.")
}

func (m *mails) SetAside(ctx context.Context, by access.Actor, id string) (inbox.Mail, error) {
	x, err := m.Retry(ctx, by, id)
	return x, err
}

func (m *mails) WalkBack(context.Context, access.Actor, string, time.Time) error { return nil }

// keep puts mails into the ledger, one of them set aside.
func (m *mails) keep(ids ...string) {
	for n, id := range ids {
		m.list = append(m.list, inbox.Mail{
			ID: fmt.Sprintf("mail-%d", n), Mailbox: "support", Validity: 7, UID: uint32(4000 + n), Hash: hash(id), Size: 2412, MessageID: id + "@example.org",
			ReceivedAt: time.Now().Add(-time.Duration(n) * time.Minute), StoredAt: time.Now(), Fate: inbox.Opened, Kind: "person", Ticket: id,
		})
	}
	m.list = append(m.list, inbox.Mail{
		ID: "mail-aside", Mailbox: "support", Validity: 7, UID: 4999, Hash: hash("aside"), Size: 12 << 20, ReceivedAt: time.Now(), StoredAt: time.Now(), Fate: inbox.SetAside,
		Reason: "the parser gave up: 12,000 parts", Attempts: 3,
	})
}
