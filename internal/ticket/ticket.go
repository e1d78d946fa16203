// Package ticket is the wing of those who write in: tickets, their messages, who
// asked, whose turn it is and by when. It knows mails only as what was read from
// them, incidents and releases only as journal.Ref, and nothing of IMAP, MIME,
// SMTP or SQL.
package ticket

import "time"

// State is where a ticket stands.
type State string

// The states. A reply of the requester reopens pending, on_hold, solved, and
// closed ones for a while.
const (
	New     State = "new"     // nobody has looked
	Open    State = "open"    // our turn
	Pending State = "pending" // the requester's turn
	OnHold  State = "on_hold" // somebody else's turn; the clocks rest
	Solved  State = "solved"
	Closed  State = "closed"
)

// Priority orders tickets within a queue.
type Priority string

// The priorities, from least to most.
const (
	Low    Priority = "low"
	Normal Priority = "normal"
	High   Priority = "high"
	Urgent Priority = "urgent"
)

// Way is how somebody reached us.
type Way string

// The ways in.
const (
	ByMail    Way = "mail"
	ByForm    Way = "form"
	ByAPI     Way = "api"
	BySlack   Way = "slack"
	ByPhone   Way = "phone"   // an agent opened it for a person
	ByMachine Way = "machine" // an impairment (S1-23)
)

// Kind is what a ticket is for.
type Kind string

// The kinds. Impairments, tasks and deletions are outside the clocks of customers.
const (
	Request    Kind = "request"
	Impairment Kind = "impairment" // a component is not well (S1-23)
	Task       Kind = "task"       // operational task by template (S4-30)
	Deletion   Kind = "deletion"   // deletion request by template (S4-32)
)

// Ticket is one matter of one requester.
type Ticket struct {
	ID         string
	Number     int64 // staff and customers say TK-4107
	Subject    string
	State      State
	Priority   Priority
	Kind       Kind
	Way        Way
	Queue      string // id
	Mailbox    string // name; answers go out in its name
	Requester  string // id
	Assignee   string // person id
	Tags       []string
	Fields     map[string]string
	Components []string // keys: guessed by words, or said by a person
	Incident   string   // id; "" = none
	Template   string   // id of the template it was made from
	Secret     string   // of the signed reply address; never shown
	Root       string   // Message-ID that all our answers refer to

	Messages      int64
	Files         int64     // attachments of all messages, inline ones left out
	Unheard       int64     // messages of the requester since a person of ours last spoke
	UnheardAt     time.Time // the first of those
	LastAt        time.Time
	LastFrom      From
	CreatedAt     time.Time // when it arrived, UTC
	FirstReplyAt  time.Time // a person's first answer
	SolvedAt      time.Time
	ClosedAt      time.Time
	SnoozedUntil  time.Time
	DueAt         time.Time     // the next promise that must be kept; zero = none runs
	Due           Clock         // which promise
	WarnedAt      time.Time     // staff were warned of DueAt
	Overdue       bool          // DueAt has passed, and that was said
	BreachedAt    time.Time     // the first promise that was broken
	RestingSince  time.Time     // the clocks rest: not our turn, or snoozed
	Rested        time.Duration // working time that they rested since CreatedAt
	RestedUnheard time.Duration // and since UnheardAt
	WakeAt        time.Time     // the desk's clock looks at it again; zero = never by itself
	Automatic     bool          // opened by automatic mail: nobody waits for an answer
	Quiet         bool          // it came with old mail: no clock runs before its requester writes again
	StillBroken   bool          // the requester says so after the incident was resolved
	MergedInto    string        // id; all its messages moved on
	Was           State         // before it was merged
	Undeliverable string        // why answers do not reach the requester
	ChangedAt     time.Time
	Version       int64
}

// Clock is one promise.
type Clock string

// The clocks.
const (
	NoClock    Clock = ""
	FirstReply Clock = "first_reply"
	NextReply  Clock = "next_reply"
	Solution   Clock = "solution"
)

// From is who spoke.
type From string

// Who can speak.
const (
	FromRequester From = "requester"
	FromStaff     From = "staff"
	FromOther     From = "other"   // a copied person, a stranger who was let in
	FromMachine   From = "machine" // automatic mail, and the hub itself
)

// Form is what a message is.
type Form string

// The forms of messages.
const (
	In   Form = "in"   // from outside
	Out  Form = "out"  // to the requester
	Note Form = "note" // staff only
	Mute Form = "mute" // automatic mail: kept and shown as such, moves nothing
)

// Message is one line of a ticket. Its words can be erased.
type Message struct {
	ID          string
	Ticket      string
	Home        string // id of the ticket it came into: another than Ticket after a merge
	Form        Form
	From        From
	Author      string  // actor id of staff; "" from outside
	Sender      Address // from outside
	To, Cc      []Address
	Subject     string
	Text        string // the whole of it as plain text
	Reply       string // Text without what was quoted and signed
	HTML        string // as sent; made safe when shown
	Mail        string // id of the inbox's mail
	Hash        string // of the raw mail
	BodyHash    string // of its normalised words
	MessageID   string // without angle brackets; of ours: minted once, before it is sent
	InReplyTo   string
	References  []string
	Source      string // Message-ID of the mail in which somebody of ours wrote it
	Attachments []Attachment
	Kind        string   // as the classifier calls it: person, auto_reply, bounce, …
	Why         string   // of that, in words
	Trust       Trust    // what the mail's own proofs say of its sender
	Warnings    []string // of the parser
	Sending     Sending
	SendAt      time.Time // not before: undo, or scheduled; zero when it goes at once
	After       State     // the ticket becomes this when it is handed on; "" leaves it
	Before      Before    // how the ticket stood, for taking an answer back
	Mentions    []string  // person ids
	At          time.Time // received, or written
	Version     int64
}

// Before is what an answer changes in its ticket.
type Before struct {
	State     State     `json:"state,omitempty"`
	Unheard   int64     `json:"unheard,omitempty"`
	UnheardAt time.Time `json:"unheard_at,omitzero"`
	First     bool      `json:"first,omitempty"` // nobody had answered yet
}

// Sending is where a message of ours stands.
type Sending string

// How far an answer has come. The deliveries have the detail.
const (
	NotSent  Sending = ""      // not for sending
	Held     Sending = "held"  // waits for review
	Timed    Sending = "timed" // waits for SendAt: can be taken back
	HandedOn Sending = "sent"  // a delivery exists; it has the rest of the story
	TakenUp  Sending = "undone"
)

// Trust is what is known of a sender.
type Trust string

// The trusts.
const (
	Unproven Trust = ""       // the server before us said nothing
	Proven   Trust = "pass"   // DMARC, or DKIM in line with From
	Disputed Trust = "fail"   // the proof failed
	Signed   Trust = "signed" // our signed reply address besides a proof
)

// Address is a person's mail address with the name they gave.
type Address struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Attachment is a file of a message. Its bytes are a blob by hash.
type Attachment struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Size      int64  `json:"size"`
	Hash      string `json:"sha256"`
	Inline    bool   `json:"inline"`
	ContentID string `json:"content_id,omitempty"`
}

// Requester is somebody outside who writes in. The row can be erased; the journal
// knows the id alone.
type Requester struct {
	ID        string
	Name      string
	Address   string // normalised, unique; "" once erased, or when only a telephone is known
	Others    []string
	Phone     string
	Notes     string
	Bad       string // why mail does not reach them; "" = it does
	Blocked   bool   // their mail is kept and opens nothing
	CreatedAt time.Time
	ErasedAt  time.Time
	Version   int64
}

// Incoming is a mail or a form as the desk takes it: read, classified, with its
// bytes stored.
type Incoming struct {
	Mail        string // id of the inbox's mail; "" for other ways
	Way         Way
	Mailbox     string
	Queue       string // "" = the mailbox's
	Quiet       bool   // no acknowledgement, no clocks
	From        Address
	ReplyTo     []Address
	To, Cc      []Address
	Subject     string
	Text        string
	Reply       string
	HTML        string
	Hash        string
	BodyHash    string // of the normalised words, for what is sent twice
	MessageID   string
	InReplyTo   string
	References  []string
	Delivered   []string // addresses it came in under: To, Cc, Delivered-To, X-Original-To, Envelope-To…: the signed reply address may be among them
	Attachments []Attachment
	Kind        string
	Why         string
	Answerable  bool // an automatic answer is allowed
	Trust       Trust
	Warnings    []string
	At          time.Time // received
	Components  []string  // keys that the sender chose (form, API)
	Fields      map[string]string
	Bounce      *Bounce
}

// Bounce is what a bounce says.
type Bounce struct {
	Recipient string // address
	Hard      bool
	Code      string // enhanced status code (RFC 3463), or ""
	Original  string // Message-ID of what bounced, or ""
}

// Outcome is what became of something that came in. Without a message, nothing
// was kept of it but what its caller keeps.
type Outcome struct {
	Ticket  string
	Message string
	Opened  bool   // a new ticket
	Repeats bool   // it is here already, as that message; nothing was kept
	Muted   bool   // kept, and nothing moves
	Reason  string // why it went where it went, in words for staff
}
