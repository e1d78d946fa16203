// Package inbox is the wing that never loses a mail: every mail that a mailbox
// ever showed is a row here with its raw bytes and its fate, and every mailbox has
// a cursor that moves in the transaction that keeps them. It knows mailboxes and
// mails, and nothing of IMAP, MIME, tickets or SQL.
package inbox

import "time"

// Mailbox is how far a configured mailbox has been read, and how it is doing.
type Mailbox struct {
	Name       string    // as configured; it never changes
	Validity   uint32    // UIDVALIDITY that the cursor belongs to (RFC 9051 2.3.1.1); 0 before the first look
	Last       uint32    // highest UID stored; the next one is above it
	BackfillTo uint32    // lowest UID that the walk down has reached; 1 or 0 = done
	State      State     // what its owner is doing
	Reason     string    // why it is not well, in words, no secrets
	Since      time.Time // of this state
	OKAt       time.Time // the server answered and the cursor was up to date
	ComparedAt time.Time // the ledger was compared with the server
	Missing    int64     // mails on the server that the ledger did not know, at that comparison
	Version    int64
}

// State is what the owner of a mailbox is doing.
type State string

// The states of a mailbox.
const (
	Connecting   State = "connecting"
	Listening    State = "listening"     // IDLE
	Polling      State = "polling"       // the server has no IDLE
	Backfilling  State = "backfilling"   // and listening besides
	BackingOff   State = "backing_off"   // after an error; Reason says which
	NeedsConsent State = "needs_consent" // OAuth asks for a person
	Off          State = "off"           // no longer configured
)

// Mail is one mail of a mailbox: one row for each (mailbox, validity, UID).
type Mail struct {
	ID         string // from journal.NewID
	Mailbox    string
	Validity   uint32
	UID        uint32
	Hash       string    // SHA-256 of the raw bytes, hex; "" when they could not be fetched
	Size       int64     // bytes
	MessageID  string    // without angle brackets; "" when there is none
	ReceivedAt time.Time // INTERNALDATE
	StoredAt   time.Time
	Fate       Fate
	Reason     string // why it was set aside or left out, in words
	Of         string // id of the mail that it repeats
	Kind       string // person, auto_reply, bounce, delay, feedback, list, calendar, report, spam, own
	Ticket     string // id
	Message    string // id of the ticket's message
	Quiet      bool   // from a back-fill: no acknowledgement, no clocks
	Attempts   int
	NextAt     time.Time // not before; zero when nothing more happens by itself
	Settled    bool      // what happens on the server after ingest was done
	Version    int64
}

// Fate is what became of a mail.
type Fate string

// The fates. Waiting is the only one that something follows by itself.
const (
	Waiting     Fate = "waiting"
	Opened      Fate = "opened"      // a ticket
	Joined      Fate = "joined"      // a ticket that was there
	Muted       Fate = "muted"       // kept with a ticket, or by itself, and not answered: automatic, list, spam, own
	Bounced     Fate = "bounce"      // it told of an address that does not take mail
	Automation  Fate = "automation"  // it moved a component
	Repeated    Fate = "duplicate"   // of another mail
	SetAside    Fate = "quarantined" // it failed too often; a person must look
	Unfetchable Fate = "unfetchable" // the server would not give it
)

// Query picks mails. Zero fields do not narrow.
type Query struct {
	Mailbox   string
	Fates     []Fate
	MessageID string
	Hash      string
	UID       uint32
	From, To  time.Time // received in [From, To)
	Before    string    // page on: id of the last one seen, newest first
	Limit     int       // 1 to MaxPage
}

// MaxPage bounds one page of a list.
const MaxPage = 500
