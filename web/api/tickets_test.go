package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
	"evenkeel/internal/ticket/tickettest"
	"evenkeel/web/api"
)

// deskScene is a scene with a desk, a ledger and a proposal.
type deskScene struct {
	*scene
	desk  *ticket.Desk
	store *tickettest.Store
	mails *ledger
}

func newDeskScene(t *testing.T) *deskScene {
	t.Helper()
	s := &deskScene{scene: newScene(t), mails: &ledger{}}
	s.desk, s.store = tickettest.Desk(colleagues{}, time.Now)
	src := &api.Sources{
		Watch: s.Watch, Incidents: s.Room, Desk: s.Hub.Desk, Notices: s.Notices, Journal: s.Journal, Replies: s.Replies, Tickets: s.desk, Mails: s.mails,
		Proposals: &proposals{ticket.Proposal{ID: "prop-1", Kind: ticket.Burst, State: ticket.Proposed, Component: "k-web", Tickets: []string{"t-1"}, Members: []ticket.Member{{Ticket: "t-1", Score: .8}}}},
	}
	s.handler = api.New(api.Options{
		Version: "test", Now: time.Now, Sources: func() *api.Sources { return src }, Actor: func(context.Context) access.Actor { return s.by },
		Problem: asProblem, Bell: func() journal.Bell { return s.bell },
	})
	return s
}

// mail takes a mail in, with its row in the ledger. It gives the ticket.
func (s *deskScene) mail(uid uint32, subject string, files ...string) string {
	s.t.Helper()
	in := ticket.Incoming{
		Mail: fmt.Sprintf("mail-%d", uid), Way: ticket.ByMail, Mailbox: "support", From: ticket.Address{Name: "Guest", Address: "guest@example.org"}, Subject: subject,
		Text: "It fails.", Reply: "It fails.", Hash: sum(subject), BodyHash: sum(subject + "x"), MessageID: fmt.Sprintf("m%d@example.org", uid), Kind: "person", At: time.Now().UTC().Truncate(time.Microsecond),
	}
	var out ticket.Outcome
	err := s.store.Do(s.t.Context(), access.Hub, func(tx journal.Tx) (err error) {
		for _, text := range files {
			if err := s.store.PutBlob(s.t.Context(), tx, sum(text), []byte(text)); err != nil {
				return err
			}
			in.Attachments = append(in.Attachments, ticket.Attachment{Name: `..\evil"name.html`, Type: "text/html", Size: int64(len(text)), Hash: sum(text)})
		}
		out, err = s.desk.Receive(s.t.Context(), tx, in)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.mails.list = append(s.mails.list, inbox.Mail{
		ID: in.Mail, Mailbox: "support", Validity: 7, UID: uid, Hash: in.Hash, MessageID: in.MessageID, Size: 100, ReceivedAt: in.At, StoredAt: in.At, Fate: inbox.Opened,
		Kind: "person", Ticket: out.Ticket, Message: out.Message,
	})
	return out.Ticket
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// colleagues is a staff of one.
type colleagues struct{ tickettest.Nobody }

// Colleague finds p1.
func (c colleagues) Colleague(ctx context.Context, person string) (ticket.Colleague, error) {
	if person == "p1" {
		return ticket.Colleague{ID: "p1", Name: "Support", Address: "p1@example.org", Actor: operator}, nil
	}
	return c.Nobody.Colleague(ctx, person)
}

// ledger is a ledger of a few mails.
type ledger struct{ list []inbox.Mail }

func (l *ledger) Mailboxes(context.Context, access.Actor) ([]inbox.Mailbox, error) {
	return []inbox.Mailbox{{Name: "support", Validity: 7, Last: 9, State: inbox.Listening}}, nil
}
func (l *ledger) Mailbox(ctx context.Context, by access.Actor, name string) (inbox.Mailbox, error) {
	if name != "support" {
		return inbox.Mailbox{}, problem.NotFound("There is no mailbox %q.", name)
	}
	list, err := l.Mailboxes(ctx, by)
	return list[0], err
}
func (l *ledger) Tally(context.Context, access.Actor, string) (inbox.Tally, error) {
	return inbox.Tally{Fates: map[inbox.Fate]int64{inbox.Opened: int64(len(l.list))}}, nil
}
func (l *ledger) Mails(_ context.Context, _ access.Actor, q inbox.Query) ([]inbox.Mail, error) {
	var out []inbox.Mail
	for _, m := range l.list {
		if (q.UID == 0 || m.UID == q.UID) && (q.MessageID == "" || m.MessageID == q.MessageID) {
			out = append(out, m)
		}
	}
	return out, nil
}
func (l *ledger) Mail(_ context.Context, _ access.Actor, id string) (inbox.Mail, error) {
	for _, m := range l.list {
		if m.ID == id {
			return m, nil
		}
	}
	return inbox.Mail{}, problem.NotFound("There is no such mail.")
}
func (l *ledger) Retry(ctx context.Context, by access.Actor, id string) (inbox.Mail, error) {
	return l.Mail(ctx, by, id)
}

// proposals is one proposal.
type proposals struct{ one ticket.Proposal }

func (p *proposals) Proposals(context.Context, access.Actor, []ticket.ProposalState, int) ([]ticket.Proposal, error) {
	return []ticket.Proposal{p.one}, nil
}
func (p *proposals) become(id string, st ticket.ProposalState) (ticket.Proposal, error) {
	if id != p.one.ID {
		return ticket.Proposal{}, problem.NotFound("There is no such proposal.")
	}
	if st != "" {
		p.one.State = st
	}
	return p.one, nil
}
func (p *proposals) Proposal(_ context.Context, _ access.Actor, id string) (ticket.Proposal, error) {
	return p.become(id, "")
}
func (p *proposals) Accept(_ context.Context, _ access.Actor, id string) (ticket.Proposal, error) {
	return p.become(id, ticket.Accepted)
}
func (p *proposals) Dismiss(_ context.Context, _ access.Actor, id string) (ticket.Proposal, error) {
	return p.become(id, ticket.Dismissed)
}
func (p *proposals) Undo(_ context.Context, _ access.Actor, id string) (ticket.Proposal, error) {
	return p.become(id, ticket.Undone)
}

// The contract's names of a mail stand on the ticket that it opened (3).
func TestTicketTellsOfItsMail(t *testing.T) {
	s := newDeskScene(t)
	id := s.mail(41, "Card declined")
	rows := s.did(200, "GET", "/api/v1/tickets?mailbox=support", "")["tickets"].([]any)
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	row := rows[0].(map[string]any)
	for name, want := range map[string]any{
		"id": id, "subject": "Card declined", "message_id": "m41@example.org", "mailbox": "support", "uidvalidity": 7.0, "uid": 41.0, "kind": "request", "way": "mail",
		"requester": "guest@example.org", "incident": "", "state": "new", "priority": "normal", "queue": "support", "assignee": "", "mail_kind": "person",
	} {
		if row[name] != want {
			t.Errorf("%s is %v, not %v", name, row[name], want)
		}
	}
	for _, name := range []string{"number", "created_at", "due_at"} {
		if row[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	messages := s.did(200, "GET", "/api/v1/tickets/"+row["label"].(string)+"/messages", "")["messages"].([]any)
	if m := messages[0].(map[string]any); m["message_id"] != "m41@example.org" || m["form"] != "in" || m["text"] != "It fails." {
		t.Errorf("the message is %v", m)
	}
	mails := s.did(200, "GET", "/api/v1/mailboxes/support/ledger?uid=41", "")["mails"].([]any)
	for _, name := range []string{"uid", "uidvalidity", "message_id", "hash", "size", "received_at", "stored_at", "fate", "reason", "kind", "ticket", "attempts"} {
		if _, ok := mails[0].(map[string]any)[name]; !ok {
			t.Errorf("the ledger lacks %s", name)
		}
	}
	s.did(404, "GET", "/api/v1/mailboxes/nothing/ledger", "")
	if boxes := s.did(200, "GET", "/api/v1/mailboxes", "")["mailboxes"].([]any); boxes[0].(map[string]any)["state"] != "listening" {
		t.Errorf("the mailboxes are %v", boxes)
	}
}

// A ticket is worked through the API alone, and a POST under a key counts once.
func TestTicketIsWorkedThroughTheAPI(t *testing.T) {
	s := newDeskScene(t)
	const body = `{"subject":"No heating","text":"Since noon.","requester":{"name":"Owner","address":"owner@example.org"},"way":"phone","components":["web"]}`
	first := s.did(200, "POST", "/api/v1/tickets", body, "Idempotency-Key", "k1")
	again := s.did(200, "POST", "/api/v1/tickets", body, "Idempotency-Key", "k1")
	if first["id"] != again["id"] || first["way"] != "phone" || first["components"].([]any)[0] != "web" {
		t.Fatalf("%v and %v", first, again)
	}
	s.did(400, "POST", "/api/v1/tickets", `{"subject":"x","components":["nothing"]}`)
	at := "/api/v1/tickets/" + first["id"].(string)
	i := s.did(200, "POST", "/api/v1/incidents", declared)
	edited := s.did(200, "PATCH", at, `{"priority":"high","tags":["cards","urgent"],"assignee":"p1","fields":{"plan":"paid"},"incident":"INC-1","subject":"No heating at all"}`)
	if edited["priority"] != "high" || edited["assignee"] != "p1" || edited["incident"] != i["id"] || len(edited["tags"].([]any)) != 2 || edited["fields"].(map[string]any)["plan"] != "paid" {
		t.Errorf("it is %v", edited)
	}
	if edited = s.did(200, "PATCH", at, `{"tags":["cards"],"incident":""}`); len(edited["tags"].([]any)) != 1 || edited["incident"] != "" {
		t.Errorf("it is %v", edited)
	}
	a := s.did(200, "POST", at+"/answers", `{"text":"We come at two.","state":"pending"}`)
	if a["sending"] != "timed" || s.did(200, "GET", at, "")["state"] != "pending" {
		t.Errorf("the answer is %v", a)
	}
	if u := s.did(200, "POST", "/api/v1/messages/"+a["id"].(string)+"/undo", ""); u["sending"] != "undone" {
		t.Errorf("taken back: %v", u)
	}
	s.did(409, "POST", at+"/answers", `{"text":"late","version":1}`)
	s.did(200, "POST", at+"/notes", `{"text":"Boiler 4."}`)
	other := s.did(200, "POST", "/api/v1/tickets", `{"subject":"Also no heating","text":"Here too.","requester":{"address":"second@example.org"}}`)
	if merged := s.did(200, "POST", "/api/v1/tickets/"+other["id"].(string)+"/merge", `{"into":"`+first["label"].(string)+`"}`); merged["id"] != first["id"] {
		t.Errorf("merged: %v", merged)
	}
	s.did(200, "POST", "/api/v1/tickets/"+other["id"].(string)+"/unmerge", "")
	who := s.did(200, "GET", "/api/v1/requesters/"+first["requester_id"].(string), "")
	if who["address"] != "owner@example.org" {
		t.Errorf("the requester is %v", who)
	}
	s.did(403, "DELETE", "/api/v1/requesters/"+first["requester_id"].(string), "")
	s.by = viewer
	for _, path := range []string{"/api/v1/tickets", at, at + "/messages", "/api/v1/mailboxes", "/api/v1/proposals", "/api/v1/tickets/export"} {
		s.did(403, "GET", path, "")
	}
}

// A file of a stranger is handed out to be kept, never to be run, and only by
// whoever may read its ticket.
func TestAttachmentIsKeptAndNeverRun(t *testing.T) {
	s := newDeskScene(t)
	id := s.mail(42, "With a page", "<script>alert(1)</script>")
	m := s.did(200, "GET", "/api/v1/tickets/"+id+"/messages", "")["messages"].([]any)[0].(map[string]any)
	path := m["attachments"].([]any)[0].(map[string]any)["path"].(string)
	w := s.ask("GET", path, "")
	body, _ := io.ReadAll(w.Body)
	if w.Code != http.StatusOK || string(body) != "<script>alert(1)</script>" || w.Header().Get("Content-Type") != "application/octet-stream" ||
		!strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") || w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	s.did(404, "GET", "/api/v1/messages/"+m["id"].(string)+"/attachments/"+sum("other"), "")
	w = s.ask("GET", "/api/v1/tickets/export?format=json", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "With a page") || !strings.Contains(w.Header().Get("Content-Type"), "ndjson") {
		t.Errorf("the export: %d %s", w.Code, w.Body)
	}
	s.by = viewer
	s.did(403, "GET", path, "")
}

// What is proposed is decided, and taken back.
func TestProposalIsDecidedThroughTheAPI(t *testing.T) {
	s := newDeskScene(t)
	p := s.did(200, "GET", "/api/v1/proposals?state=proposed", "")["proposals"].([]any)[0].(map[string]any)
	if p["component"] != "web" || p["kind"] != "burst" {
		t.Errorf("it is %v", p)
	}
	for verb, want := range map[string]string{"accept": "accepted", "dismiss": "dismissed", "undo": "undone"} {
		if got := s.did(200, "POST", "/api/v1/proposals/prop-1/"+verb, ""); got["state"] != want {
			t.Errorf("%s: %v", verb, got["state"])
		}
	}
	s.did(404, "POST", "/api/v1/proposals/nothing/accept", "")
	s.by = viewer
	s.did(403, "POST", "/api/v1/proposals/prop-1/accept", "")
}

// Tickets come in pages, in every order.
func TestTicketsComeInPages(t *testing.T) {
	s := newDeskScene(t)
	for n := range uint32(7) {
		s.mail(50+n, fmt.Sprintf("Number %d", n))
	}
	for _, order := range []string{"newest", "oldest", "latest", "nearest"} {
		seen := map[string]bool{}
		for next, page := "", 0; page == 0 || next != ""; page++ {
			got := s.did(200, "GET", "/api/v1/tickets?limit=2&sort="+order+"&after="+next, "")
			for _, row := range got["tickets"].([]any) {
				seen[row.(map[string]any)["id"].(string)] = true
			}
			next, _ = got["next"].(string)
		}
		if len(seen) != 7 {
			t.Errorf("%s: %d tickets", order, len(seen))
		}
	}
	s.did(400, "GET", "/api/v1/tickets?after=nonsense", "")
	s.did(400, "GET", "/api/v1/tickets?q=is:strange", "")
}
