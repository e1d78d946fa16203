package ticket

import (
	"context"
	"io"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// Store keeps tickets in SQL. Methods that take a journal.Tx read and write inside
// that unit of work; the others read committed state. Updates compare and swap on
// Version (0 inserts). Errors: NotFound, Conflict, Unavailable.
type Store interface {
	// Ticket gives one, by id.
	Ticket(ctx context.Context, id string) (Ticket, error)
	// TicketByNumber gives one by what staff call it.
	TicketByNumber(ctx context.Context, number int64) (Ticket, error)
	// TicketForUpdate reads one inside the unit of work.
	TicketForUpdate(ctx context.Context, tx journal.Tx, id string) (Ticket, error)
	// PutTicket inserts (Version 0; Number is given then) or updates.
	PutTicket(ctx context.Context, tx journal.Tx, t *Ticket) error
	// Tickets gives a page of those that match, in the order of q.Sort.
	Tickets(ctx context.Context, q Query) ([]Ticket, error)
	// CountTickets tells how many match; it stops counting at most.
	CountTickets(ctx context.Context, q Query, most int) (int, error)
	// LiveTallies counts the tickets that are not over, by what tells views apart.
	LiveTallies(ctx context.Context, now time.Time) ([]Tally, error)
	// MergedTickets gives those that were merged into a ticket, inside the unit of work.
	MergedTickets(ctx context.Context, tx journal.Tx, into string) ([]Ticket, error)
	// DueTickets gives the ids of tickets whose WakeAt has come, oldest first.
	DueTickets(ctx context.Context, now time.Time, limit int) ([]string, error)
	// StaleTickets gives the ids of tickets that were closed before a moment, oldest first.
	StaleTickets(ctx context.Context, before time.Time, limit int) ([]string, error)

	// DropTicket deletes one whose messages are gone. The requester goes with their
	// last ticket.
	DropTicket(ctx context.Context, tx journal.Tx, id string) error

	// Messages gives all of one ticket, oldest first by At.
	Messages(ctx context.Context, ticket string) ([]Message, error)
	// Message gives one, by id.
	Message(ctx context.Context, id string) (Message, error)
	// MessagesForUpdate gives all of one ticket inside the unit of work.
	MessagesForUpdate(ctx context.Context, tx journal.Tx, ticket string) ([]Message, error)
	// MessageForUpdate reads one inside the unit of work.
	MessageForUpdate(ctx context.Context, tx journal.Tx, id string) (Message, error)
	// PutMessage inserts (Version 0; its words can be found from then on) or
	// updates. title is the subject of the ticket, by which it is found as well.
	// Errors: Conflict when what came from outside is there already.
	PutMessage(ctx context.Context, tx journal.Tx, m *Message, title string) error
	// DropMessage deletes one with its words.
	DropMessage(ctx context.Context, tx journal.Tx, id string) error
	// MoveMessages hangs messages on another ticket; home says whether it becomes
	// the one they came into.
	MoveMessages(ctx context.Context, tx journal.Tx, ids []string, to string, home bool) error
	// KnownMessages gives what is known of Message-IDs, inside the unit of work: at most
	// MaxReferences of them.
	KnownMessages(ctx context.Context, tx journal.Tx, messageIDs []string) ([]Known, error)
	// KnownByHash is KnownMessages by what no other message from outside has: the
	// hash of a raw mail without Message-ID, or "ID HASH" of the words of one.
	KnownByHash(ctx context.Context, tx journal.Tx, once string) (Known, error)
	// TimedMessages gives answers whose SendAt has come, oldest first.
	TimedMessages(ctx context.Context, now time.Time, limit int) ([]Message, error)
	// HeldMessages gives answers that wait for review, oldest first.
	HeldMessages(ctx context.Context, limit int) ([]Message, error)
	// MessagesFrom gives messages that an address sent or that went to it, at most
	// limit, inside the unit of work.
	MessagesFrom(ctx context.Context, tx journal.Tx, address string, limit int) ([]Message, error)
	// FindMessages gives the tickets of messages that hold all words of q.Text, newest
	// message first, each ticket once, and the message behind which to go on; "" when
	// there is nothing more. It looks at a bounded number of messages, so a page may
	// not be full though there is more. Errors: Invalid.
	FindMessages(ctx context.Context, q Query) (found []Found, next string, err error)
	// IndexWords makes messages findable that are not, after a restore: at most
	// limit in one unit of work; more is false when all are.
	IndexWords(ctx context.Context, tx journal.Tx, limit int) (more bool, err error)

	// Requester gives one, by id; Requesters several.
	Requester(ctx context.Context, id string) (Requester, error)
	Requesters(ctx context.Context, ids []string) ([]Requester, error)
	// RequesterForUpdate reads one inside the unit of work; RequesterOf the one an
	// address belongs to.
	RequesterForUpdate(ctx context.Context, tx journal.Tx, id string) (Requester, error)
	RequesterOf(ctx context.Context, tx journal.Tx, address string) (Requester, error)
	// FindRequesters gives those with an address or a name that begins so, by name.
	FindRequesters(ctx context.Context, beginning string, limit int) ([]Requester, error)
	// PutRequester inserts (Version 0) or updates, addresses included. Errors:
	// Conflict when an address belongs to somebody else.
	PutRequester(ctx context.Context, tx journal.Tx, r *Requester) error
	// TicketsOf gives the ids of all tickets of a requester, inside the unit of work.
	TicketsOf(ctx context.Context, tx journal.Tx, requester string, limit int) ([]string, error)

	// Acknowledged tells how many automatic answers went out since a moment, and
	// notes one more.
	Acknowledged(ctx context.Context, tx journal.Tx, requester, domain string, since time.Time) (Answered, error)
	PutAcknowledged(ctx context.Context, tx journal.Tx, requester, domain string, at time.Time) error

	// PutPresence says who has a ticket on the screen until when; Present who has.
	PutPresence(ctx context.Context, tx journal.Tx, p Presence) error
	Present(ctx context.Context, ticket string, now time.Time) ([]Presence, error)
	// PruneTickets forgets presences, acknowledgements and bulk acts from before a moment.
	PruneTickets(ctx context.Context, tx journal.Tx, now, acknowledged, bulks time.Time) error

	// Views gives the saved views, by name; Put inserts (Version 0) or updates.
	Views(ctx context.Context) ([]View, error)
	PutView(ctx context.Context, tx journal.Tx, v *View) error
	DropView(ctx context.Context, tx journal.Tx, id string, version int64) error
	// SavedReplies gives those made in the console, by name.
	SavedReplies(ctx context.Context) ([]SavedReply, error)
	PutSavedReply(ctx context.Context, tx journal.Tx, r *SavedReply) error
	DropSavedReply(ctx context.Context, tx journal.Tx, id string, version int64) error

	// PutBulk remembers what an act on many tickets changed; Bulk gives it,
	// DropBulk forgets it. Errors: NotFound.
	PutBulk(ctx context.Context, tx journal.Tx, b Bulk) error
	Bulk(ctx context.Context, tx journal.Tx, id string) (Bulk, error)
	DropBulk(ctx context.Context, tx journal.Tx, id string) error
}

// Blobs keeps the bytes of attachments by hash, counting who refers to them.
type Blobs interface {
	// PutBlob keeps bytes of a few MiB under their SHA-256, hex, with one reference.
	PutBlob(ctx context.Context, tx journal.Tx, hash string, data []byte) error
	// KeepBlob counts one reference more. Errors: NotFound.
	KeepBlob(ctx context.Context, tx journal.Tx, hash string) error
	// DropBlob counts one less; with the last one the bytes go.
	DropBlob(ctx context.Context, tx journal.Tx, hash string) error
	// OpenBlob gives the bytes and how many they are. Errors: NotFound.
	OpenBlob(ctx context.Context, hash string) (io.ReadCloser, int64, error)
}

// Signer makes codes that only this house can make.
type Signer interface {
	// Sign gives the code of a text: at least 32 bytes.
	Sign(text string) []byte
}

// Staff knows the people of ours who act by mail or are mentioned.
type Staff interface {
	// Colleague gives one, by person id. Errors: NotFound.
	Colleague(ctx context.Context, person string) (Colleague, error)
	// ColleagueAt gives the one with the mail address. Errors: NotFound.
	ColleagueAt(ctx context.Context, address string) (Colleague, error)
}

// Colleague is a person of ours, as far as the desk is concerned.
type Colleague struct {
	ID      string // person id
	Name    string
	Address string
	Actor   access.Actor
}

// Explainer tells what is known of the trouble a ticket is about. The hall is one.
type Explainer interface {
	// Explain gives the public sentence and the page of an open incident that
	// explains the ticket with its first message; "" when none does. It must be quick.
	Explain(ctx context.Context, tx journal.Tx, t Ticket, m Message) (sentence, page string, err error)
}

// Mails are the raw mails that tickets were made from.
type Mails interface {
	// EraseMails forgets raw mails for good, by the ids of their rows: bytes,
	// Message-ID and reason go, the row with its fate stays.
	EraseMails(ctx context.Context, tx journal.Tx, ids []string) error
}

// Known is one message as threading sees it.
type Known struct {
	Ticket    string
	Message   string
	MessageID string
	BodyHash  string
	Form      Form
	From      From
}

// Tally is how many live tickets stand where.
type Tally struct {
	State     State
	Queue     string
	Kind      Kind
	Assignee  string
	Automatic bool
	Count     int // all of them
	Snoozed   int // of those, out of sight
}

// Answered is how many automatic answers went out lately.
type Answered struct{ Requester, Domain, All int }

// Presence is somebody who has a ticket on the screen.
type Presence struct {
	Ticket  string
	Person  string // actor id
	Writing bool
	Until   time.Time
}

// Found is one ticket that a search found, with the message that says why.
type Found struct {
	Ticket  Ticket
	Message string // id of the newest message that fits
}
