package console

import (
	"context"
	"io"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/ticket"
)

// Tickets is the desk of those who write in. *ticket.Desk is one; each act is
// checked there. Ids of tickets may be written as TK-4107 too.
type Tickets interface {
	Rules() *ticket.Setup
	Label(number int64) string
	Get(ctx context.Context, by access.Actor, id string) (ticket.Ticket, ticket.Requester, error)
	Messages(ctx context.Context, by access.Actor, id string) ([]ticket.Message, error)
	List(ctx context.Context, by access.Actor, q ticket.Query) (ticket.Page, error)
	Search(ctx context.Context, by access.Actor, typed string, sort ticket.Sort, after ticket.Cursor, limit int) (ticket.Page, error)
	Counts(ctx context.Context, by access.Actor, midnight time.Time) (ticket.Counts, error)
	Waiting(ctx context.Context, by access.Actor, incident string) (linked []ticket.Ticket, people int, err error)
	Inflow(ctx context.Context, by access.Actor, since time.Time) (int, error)
	SavedViews(ctx context.Context, by access.Actor) ([]ticket.View, error)
	SaveView(ctx context.Context, by access.Actor, v ticket.View, everybody bool) (ticket.View, error)
	DropView(ctx context.Context, by access.Actor, id string) error

	Open(ctx context.Context, by access.Actor, o ticket.Opening) (ticket.Ticket, error)
	Answer(ctx context.Context, by access.Actor, id string, a ticket.Answer) (ticket.Message, error)
	Undo(ctx context.Context, by access.Actor, message string) (ticket.Message, error)
	Review(ctx context.Context, by access.Actor) ([]ticket.Message, error)
	Release(ctx context.Context, by access.Actor, messages []string) (failed []ticket.Failed, err error)
	Rewrite(ctx context.Context, by access.Actor, message, body string) (ticket.Message, error)
	Note(ctx context.Context, by access.Actor, id, body string, mentions []string) (ticket.Message, error)

	Assign(ctx context.Context, by access.Actor, id, person string) (ticket.Ticket, error)
	Move(ctx context.Context, by access.Actor, id string, to ticket.State) (ticket.Ticket, error)
	Prioritise(ctx context.Context, by access.Actor, id string, p ticket.Priority) (ticket.Ticket, error)
	Queue(ctx context.Context, by access.Actor, id, queue string) (ticket.Ticket, error)
	Tag(ctx context.Context, by access.Actor, id string, add, remove []string) (ticket.Ticket, error)
	Retitle(ctx context.Context, by access.Actor, id, subject string) (ticket.Ticket, error)
	SetField(ctx context.Context, by access.Actor, id, field, value string) (ticket.Ticket, error)
	Concern(ctx context.Context, by access.Actor, id string, components []string) (ticket.Ticket, error)
	Snooze(ctx context.Context, by access.Actor, id string, until time.Time) (ticket.Ticket, error)
	Calm(ctx context.Context, by access.Actor, id string, automatic bool) (ticket.Ticket, error)
	Link(ctx context.Context, by access.Actor, id, incident string) (ticket.Ticket, error)
	Unlink(ctx context.Context, by access.Actor, id string) (ticket.Ticket, error)
	Merge(ctx context.Context, by access.Actor, from, into string) (ticket.Ticket, error)
	Unmerge(ctx context.Context, by access.Actor, id string) (ticket.Ticket, error)
	Split(ctx context.Context, by access.Actor, id string, messages []string) (ticket.Ticket, error)

	Bulk(ctx context.Context, by access.Actor, ids []string, a ticket.Action) (ticket.Done, error)
	UndoBulk(ctx context.Context, by access.Actor, id string) (ticket.Done, error)
	// Writing says that somebody has the ticket open, and gives the others who do.
	Writing(ctx context.Context, by access.Actor, id string, writing bool) ([]ticket.Presence, error)

	Replies(ctx context.Context, by access.Actor) ([]ticket.SavedReply, error)
	SaveReply(ctx context.Context, by access.Actor, r ticket.SavedReply) (ticket.SavedReply, error)
	DropReply(ctx context.Context, by access.Actor, id string, version int64) error
	Written(ctx context.Context, by access.Actor, id, body, agent string) (string, error)
	Export(ctx context.Context, by access.Actor, q ticket.Query, f ticket.Format, w io.Writer) error
	Parse(by access.Actor, typed string) (ticket.Query, error)

	Requester(ctx context.Context, by access.Actor, id string, limit int) (ticket.Requester, []ticket.Ticket, error)
	EditRequester(ctx context.Context, by access.Actor, id string, a ticket.About) (ticket.Requester, error)
	Block(ctx context.Context, by access.Actor, id string, blocked bool) (ticket.Requester, error)
	Erase(ctx context.Context, by access.Actor, id string) error
}

// Blobs opens bytes by their hash, once a wing has said that the person may see
// what refers to them. *store.Store is one.
type Blobs interface {
	OpenBlob(ctx context.Context, hash string) (io.ReadCloser, int64, error)
}

// Proposals are what the machine sees in the mail and a person decides. *hub.Hub
// is one.
type Proposals interface {
	Proposals(ctx context.Context, by access.Actor, states []ticket.ProposalState, limit int) ([]ticket.Proposal, error)
	Proposal(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error)
	Accept(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error)
	Dismiss(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error)
	Undo(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error)
}

// Mails is the ledger of everything that mailboxes ever showed. *inbox.Ledger is one.
type Mails interface {
	Mailboxes(ctx context.Context, by access.Actor) ([]inbox.Mailbox, error)
	Mailbox(ctx context.Context, by access.Actor, name string) (inbox.Mailbox, error)
	Tally(ctx context.Context, by access.Actor, mailbox string) (inbox.Tally, error)
	Mails(ctx context.Context, by access.Actor, q inbox.Query) ([]inbox.Mail, error)
	Raw(ctx context.Context, by access.Actor, id string) (io.ReadCloser, int64, error)
	Retry(ctx context.Context, by access.Actor, id string) (inbox.Mail, error)
	SetAside(ctx context.Context, by access.Actor, id string) (inbox.Mail, error)
	WalkBack(ctx context.Context, by access.Actor, name string, from time.Time) error
}

// PublicWord gives what customers are told of a component now; "" for nothing.
type PublicWord func(ctx context.Context, component string) (string, error)
