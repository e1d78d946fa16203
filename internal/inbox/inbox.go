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
	Epoch      int64     // how often the server renumbered without saying so
	Last       uint32    // highest UID stored; the next one is above it
	BackfillTo uint32    // lowest UID that the walk down has reached
	Floor      uint32    // where the walk down ends; UIDs below are left where they are
	From       time.Time // mails that the server received before are left where they are; zero = none are
	QuietTo    time.Time // mails that the server received before are old ones, whatever their UIDs
	State      State     // what its owner is doing
	Trouble    Trouble   // what sort of error it backs off from
	Reason     string    // why it is not well, in words, no secrets
	Since      time.Time // of this state
	OKAt       time.Time // the server answered and the cursor was up to date
	ComparedAt time.Time // the ledger was compared with the server
	Gap        int64     // mails on the server that the ledger did not know, at that comparison
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

// Trouble is what sort of error keeps a mailbox from being read.
type Trouble string

// The sorts of trouble.
const (
	NoTrouble   Trouble = ""
	Unreachable Trouble = "unreachable" // no connection, or it was lost
	Untrusted   Trouble = "certificate" // TLS: not the server that it should be
	Refused     Trouble = "sign_in"     // name, password or token
	Crowded     Trouble = "limit"       // the server asks to come back later
	Missing     Trouble = "folder"      // no such folder
	Unkept      Trouble = "database"    // what was read could not be stored
	Strange     Trouble = "server"      // it answers what it should not
)

// Well reports whether the mailbox is being read.
func (m Mailbox) Well() bool {
	return m.State == Listening || m.State == Polling || m.State == Backfilling
}

// Backfilled reports whether the walk down is done.
func (m Mailbox) Backfilled() bool { return m.BackfillTo <= max(m.Floor, 1) }

// Mail is one mail of a mailbox: one row for each (mailbox, validity, epoch, UID).
type Mail struct {
	ID         string // from journal.NewID
	Mailbox    string
	Validity   uint32
	Epoch      int64
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
	GoneAt     time.Time // when its source was forgotten: erased by wish, or old enough
	Version    int64
}

// Fate is what became of a mail.
type Fate string

// The fates. Waiting is followed by another fate by itself, and Unfetchable by
// another try.
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

// Fates are those that a worker gives.
var Fates = []Fate{Opened, Joined, Muted, Bounced, Automation, Repeated, SetAside}

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

const (
	// MaxAttempts is how often a mail is tried before a person must look.
	MaxAttempts = 3
	// MaxReason bounds a reason, in bytes.
	MaxReason = 500
)
