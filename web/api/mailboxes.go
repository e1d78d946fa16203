package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/inbox"
)

// Mails is what the API asks of the ledger of mails; *inbox.Ledger is one.
// Errors: Forbidden, NotFound, Conflict, Invalid, Unavailable.
type Mails interface {
	Mailboxes(ctx context.Context, by access.Actor) ([]inbox.Mailbox, error)
	Mailbox(ctx context.Context, by access.Actor, name string) (inbox.Mailbox, error)
	Tally(ctx context.Context, by access.Actor, mailbox string) (inbox.Tally, error)
	Mails(ctx context.Context, by access.Actor, q inbox.Query) ([]inbox.Mail, error)
	Mail(ctx context.Context, by access.Actor, id string) (inbox.Mail, error)
	Retry(ctx context.Context, by access.Actor, id string) (inbox.Mail, error)
}

// mailboxRoutes are mailboxes and every mail that they ever showed.
func (s *service) mailboxRoutes(h huma.API) {
	const one = "/api/v1/mailboxes/{name}"
	register(h, s, op{http.MethodGet, "/api/v1/mailboxes", "listMailboxes", "Mailboxes, and how they are doing", access.MailboxRead}, listMailboxes)
	register(h, s, op{http.MethodGet, one, "getMailbox", "One mailbox", access.MailboxRead}, getMailbox)
	register(h, s, op{http.MethodGet, one + "/ledger", "listLedger", "Every mail that a mailbox ever showed, with its fate, newest first", access.MailboxRead}, listLedger)
	register(h, s, op{http.MethodPost, "/api/v1/mails/{id}/retry", "retryMail", "Read a mail again that was set aside", access.MailboxRun}, retryMail)
}

func (c *call) mailboxOf(ctx context.Context, m inbox.Mailbox) (api.Mailbox, error) {
	t, err := c.Mails.Tally(ctx, c.by, m.Name)
	out := api.Mailbox{
		Name: m.Name, UIDValidity: m.Validity, LastUID: m.Last, State: string(m.State), Reason: m.Reason, Since: maybe(m.Since), OKAt: maybe(m.OKAt),
		ComparedAt: maybe(m.ComparedAt), Missing: m.Gap, Waiting: t.Waiting, OldestAt: maybe(t.Oldest), Fates: make(map[string]int64, len(t.Fates)),
	}
	for fate, n := range t.Fates {
		out.Fates[string(fate)] = n
	}
	return out, err
}

func listMailboxes(ctx context.Context, c *call, _ *struct{}) (*api.Mailboxes, error) {
	found, err := c.Mails.Mailboxes(ctx, c.by)
	if err != nil {
		return nil, err
	}
	out := &api.Mailboxes{Mailboxes: make([]api.Mailbox, 0, len(found))}
	for _, m := range found {
		one, err := c.mailboxOf(ctx, m)
		if err != nil {
			return nil, err
		}
		out.Mailboxes = append(out.Mailboxes, one)
	}
	return out, nil
}

// MailboxName names a mailbox.
type MailboxName struct {
	Name string `path:"name" maxLength:"64" doc:"As configured"`
}

func getMailbox(ctx context.Context, c *call, in *MailboxName) (*api.Mailbox, error) {
	m, err := c.Mails.Mailbox(ctx, c.by, in.Name)
	if err != nil {
		return nil, err
	}
	out, err := c.mailboxOf(ctx, m)
	return &out, err
}

// ledgerQuery picks mails.
type ledgerQuery struct {
	MailboxName
	Fate      string    `query:"fate" enum:"waiting,opened,joined,muted,bounce,automation,duplicate,quarantined,unfetchable"`
	MessageID string    `query:"message_id" maxLength:"500" doc:"Without angle brackets"`
	Hash      string    `query:"hash" maxLength:"64" doc:"SHA-256 of the raw bytes"`
	UID       uint32    `query:"uid"`
	From      time.Time `query:"from" doc:"Received then or later"`
	To        time.Time `query:"to" doc:"Received before"`
	Before    string    `query:"before" maxLength:"64" doc:"The next of the page before"`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func listLedger(ctx context.Context, c *call, in *ledgerQuery) (*api.Ledger, error) {
	if _, err := c.Mails.Mailbox(ctx, c.by, in.Name); err != nil {
		return nil, err
	}
	q := inbox.Query{Mailbox: in.Name, MessageID: in.MessageID, Hash: in.Hash, UID: in.UID, From: in.From.UTC(), To: in.To.UTC(), Before: in.Before, Limit: in.Limit}
	if in.Fate != "" {
		q.Fates = []inbox.Fate{inbox.Fate(in.Fate)}
	}
	found, err := c.Mails.Mails(ctx, c.by, q)
	if err != nil {
		return nil, err
	}
	out := &api.Ledger{Mails: make([]api.LedgerMail, 0, len(found))}
	for n := range found {
		out.Mails = append(out.Mails, mailOf(&found[n]))
	}
	if len(found) == in.Limit {
		out.Next = found[len(found)-1].ID
	}
	return out, nil
}

func mailOf(m *inbox.Mail) api.LedgerMail {
	return api.LedgerMail{
		ID: m.ID, Mailbox: m.Mailbox, UIDValidity: m.Validity, UID: m.UID, MessageID: m.MessageID, Hash: m.Hash, Size: m.Size, ReceivedAt: maybe(m.ReceivedAt),
		StoredAt: m.StoredAt, Fate: string(m.Fate), Reason: m.Reason, Kind: m.Kind, Of: m.Of, Ticket: m.Ticket, Message: m.Message, Attempts: m.Attempts, Settled: m.Settled,
	}
}

func retryMail(ctx context.Context, c *call, in *RowID) (*api.LedgerMail, error) {
	m, err := c.Mails.Retry(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	out := mailOf(&m)
	return &out, nil
}
