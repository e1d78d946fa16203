package api

import "time"

// Ticket is one matter of one requester, as staff see it.
type Ticket struct {
	ID            string            `json:"id"`
	Number        int64             `json:"number" doc:"What staff and customers say aloud: 4107 is TK-4107"`
	Label         string            `json:"label"`
	Subject       string            `json:"subject"`
	State         string            `json:"state" enum:"new,open,pending,on_hold,solved,closed"`
	Priority      string            `json:"priority" enum:"low,normal,high,urgent"`
	Kind          string            `json:"kind" enum:"request,impairment,task,deletion"`
	Way           string            `json:"way" enum:"mail,form,api,slack,phone,machine"`
	Queue         string            `json:"queue"`
	Requester     string            `json:"requester" doc:"Mail address; empty when none is known"`
	RequesterID   string            `json:"requester_id"`
	RequesterName string            `json:"requester_name"`
	Assignee      string            `json:"assignee" doc:"Id of a person; empty for nobody"`
	Tags          []string          `json:"tags"`
	Fields        map[string]string `json:"fields"`
	Components    []string          `json:"components" doc:"Ids"`
	Incident      string            `json:"incident" doc:"Id; empty for none"`
	MergedInto    string            `json:"merged_into"`
	Automatic     bool              `json:"automatic" doc:"Opened by automatic mail: nobody waits for an answer"`
	StillBroken   bool              `json:"still_broken" doc:"The requester says so after the incident was resolved"`
	Undeliverable string            `json:"undeliverable" doc:"Why answers do not reach the requester"`
	Messages      int64             `json:"messages"`
	Unheard       int64             `json:"unheard" doc:"Messages of the requester since a person of ours last spoke"`

	MessageID   string `json:"message_id" doc:"Of the mail that opened it, without angle brackets; empty when no mail did"`
	Mailbox     string `json:"mailbox"`
	UIDValidity uint32 `json:"uidvalidity"`
	UID         uint32 `json:"uid"`
	MailKind    string `json:"mail_kind" doc:"What the classifier took that mail for"`

	CreatedAt    time.Time  `json:"created_at"`
	LastAt       time.Time  `json:"last_at" doc:"Of the last message"`
	FirstReplyAt *time.Time `json:"first_reply_at"`
	DueAt        *time.Time `json:"due_at" doc:"The next promise that must be kept"`
	Due          string     `json:"due" doc:"Which promise: first_reply, next_reply, solution"`
	BreachedAt   *time.Time `json:"breached_at" doc:"The first promise that was broken"`
	SnoozedUntil *time.Time `json:"snoozed_until"`
	SolvedAt     *time.Time `json:"solved_at"`
	ClosedAt     *time.Time `json:"closed_at"`
	Version      int64      `json:"version" doc:"Grows with every change"`
}

// Tickets is one page of them.
type Tickets struct {
	Tickets []Ticket `json:"tickets"`
	Next    string   `json:"next,omitempty" doc:"Send it as after for the next page"`
}

// TicketMessage is one message of a ticket.
type TicketMessage struct {
	ID          string             `json:"id"`
	Form        string             `json:"form" enum:"in,out,note,mute"`
	From        string             `json:"from" enum:"requester,staff,other,machine"`
	Author      string             `json:"author" doc:"Who wrote it of ours; empty from outside"`
	Sender      MailAddress        `json:"sender"`
	To          []MailAddress      `json:"to"`
	Cc          []MailAddress      `json:"cc"`
	Subject     string             `json:"subject"`
	Text        string             `json:"text" doc:"All of it as plain text"`
	Reply       string             `json:"reply_text" doc:"Text without what was quoted and signed"`
	HasHTML     bool               `json:"has_html"`
	MessageID   string             `json:"message_id"`
	InReplyTo   string             `json:"in_reply_to"`
	References  []string           `json:"references"`
	Attachments []TicketAttachment `json:"attachments"`
	Kind        string             `json:"kind"`
	Why         string             `json:"why"`
	Trust       string             `json:"trust" enum:",pass,fail,signed"`
	Warnings    []string           `json:"warnings"`
	Mail        string             `json:"mail" doc:"Id in the ledger"`
	Hash        string             `json:"hash" doc:"SHA-256 of the raw mail"`
	Sending     string             `json:"sending" enum:",held,timed,sent,undone"`
	SendAt      *time.Time         `json:"send_at"`
	At          time.Time          `json:"at"`
	Version     int64              `json:"version"`
}

// MailAddress is a mail address with the name that came with it.
type MailAddress struct {
	Name    string `json:"name" maxLength:"200" required:"false"`
	Address string `json:"address" maxLength:"254"`
}

// TicketAttachment is a file of a message.
type TicketAttachment struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	Hash   string `json:"sha256"`
	Inline bool   `json:"inline"`
	Path   string `json:"path" doc:"Where its bytes are"`
}

// TicketMessages is a thread, oldest first.
type TicketMessages struct {
	Messages []TicketMessage `json:"messages"`
}

// NewTicket opens a ticket for somebody, or for ourselves when nobody is named.
type NewTicket struct {
	Subject    string            `json:"subject" maxLength:"300" required:"false" doc:"May be left out with a template"`
	Text       string            `json:"text" maxLength:"50000" required:"false"`
	Requester  MailAddress       `json:"requester" required:"false"`
	Phone      string            `json:"phone" maxLength:"40" required:"false"`
	Way        string            `json:"way" enum:"api,phone,slack,form,machine" default:"api" required:"false"`
	Kind       string            `json:"kind" enum:",request,impairment,task,deletion" required:"false"`
	Queue      string            `json:"queue" maxLength:"64" required:"false"`
	Mailbox    string            `json:"mailbox" maxLength:"64" required:"false" doc:"In whose name it is answered"`
	Priority   string            `json:"priority" enum:",low,normal,high,urgent" required:"false"`
	Tags       []string          `json:"tags" maxItems:"30" required:"false"`
	Components []string          `json:"components" maxItems:"20" required:"false" doc:"Ids"`
	Fields     map[string]string `json:"fields" required:"false"`
	Incident   string            `json:"incident" maxLength:"64" required:"false"`
	Template   string            `json:"template" maxLength:"64" required:"false"`
	Assignee   string            `json:"assignee" maxLength:"64" required:"false"`
}

// NewAnswer is what is written to a requester.
type NewAnswer struct {
	Text    string     `json:"text" minLength:"1" maxLength:"50000"`
	State   string     `json:"state" enum:",open,pending,on_hold,solved,closed" required:"false" doc:"The ticket becomes this"`
	SendAt  *time.Time `json:"send_at" required:"false" doc:"Not before; ten seconds from now by default, so that it can be taken back"`
	Now     bool       `json:"now" required:"false" doc:"At once, and for good"`
	Hold    bool       `json:"hold" required:"false" doc:"It waits for review"`
	Version int64      `json:"version" required:"false" doc:"Of the ticket as it was read, to be refused when somebody was first"`
}

// NewNote is a note for staff.
type NewNote struct {
	Text string `json:"text" minLength:"1" maxLength:"50000"`
}

// TicketEdit changes a ticket; what is left out stays.
type TicketEdit struct {
	State        *string           `json:"state" enum:"open,pending,on_hold,solved,closed" required:"false"`
	Priority     *string           `json:"priority" enum:"low,normal,high,urgent" required:"false"`
	Queue        *string           `json:"queue" maxLength:"64" required:"false"`
	Assignee     *string           `json:"assignee" maxLength:"64" required:"false" doc:"Id of a person; empty for nobody"`
	Subject      *string           `json:"subject" maxLength:"300" required:"false"`
	Tags         *[]string         `json:"tags" maxItems:"30" required:"false"`
	Fields       map[string]string `json:"fields" required:"false"`
	Incident     *string           `json:"incident" maxLength:"64" required:"false" doc:"Id or number; empty takes the link away"`
	SnoozedUntil *time.Time        `json:"snoozed_until" required:"false"`
}

// MergeTicket lets another ticket take the place of one.
type MergeTicket struct {
	Into string `json:"into" minLength:"1" maxLength:"64" doc:"Id or number of the ticket that stays"`
}

// SplitTicket makes a ticket of its own of messages.
type SplitTicket struct {
	Messages []string `json:"messages" minItems:"1" maxItems:"200"`
}

// Requester is somebody outside who writes in.
type Requester struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Address   string     `json:"address"`
	Others    []string   `json:"others"`
	Phone     string     `json:"phone"`
	Notes     string     `json:"notes"`
	Bad       string     `json:"bad" doc:"Why mail does not reach them"`
	Blocked   bool       `json:"blocked"`
	CreatedAt time.Time  `json:"created_at"`
	ErasedAt  *time.Time `json:"erased_at"`
}

// Mailbox is how far a mailbox has been read, and how it is doing.
type Mailbox struct {
	Name        string           `json:"name"`
	UIDValidity uint32           `json:"uidvalidity"`
	LastUID     uint32           `json:"last_uid"`
	State       string           `json:"state" enum:"connecting,listening,polling,backfilling,backing_off,needs_consent,off"`
	Reason      string           `json:"reason"`
	Since       *time.Time       `json:"since"`
	OKAt        *time.Time       `json:"ok_at" doc:"The server answered and the cursor was up to date"`
	ComparedAt  *time.Time       `json:"compared_at"`
	Missing     int64            `json:"missing" doc:"Mails on the server that the ledger did not know, at that comparison"`
	Waiting     int64            `json:"waiting"`
	OldestAt    *time.Time       `json:"oldest_at" doc:"Since when the oldest of them waits"`
	Fates       map[string]int64 `json:"fates"`
}

// Mailboxes is all of them.
type Mailboxes struct {
	Mailboxes []Mailbox `json:"mailboxes"`
}

// LedgerMail is one mail that a mailbox ever showed, with its fate.
type LedgerMail struct {
	ID          string     `json:"id"`
	Mailbox     string     `json:"mailbox"`
	UIDValidity uint32     `json:"uidvalidity"`
	UID         uint32     `json:"uid"`
	MessageID   string     `json:"message_id"`
	Hash        string     `json:"hash" doc:"SHA-256 of the raw bytes; empty when they could not be fetched"`
	Size        int64      `json:"size"`
	ReceivedAt  *time.Time `json:"received_at"`
	StoredAt    time.Time  `json:"stored_at"`
	Fate        string     `json:"fate" enum:"waiting,opened,joined,muted,bounce,automation,duplicate,quarantined,unfetchable"`
	Reason      string     `json:"reason"`
	Kind        string     `json:"kind" doc:"person, auto_reply, bounce, delay, feedback, list, calendar, report, spam, own"`
	Of          string     `json:"of" doc:"Id of the mail that it repeats"`
	Ticket      string     `json:"ticket"`
	Message     string     `json:"message"`
	Attempts    int        `json:"attempts"`
	Settled     bool       `json:"settled" doc:"What follows on the mail server, such as moving the mail, was done"`
}

// Ledger is one page of a mailbox's mails, newest first.
type Ledger struct {
	Mails []LedgerMail `json:"mails"`
	Next  string       `json:"next,omitempty" doc:"Send it as before for the next page"`
}

// Proposal is something the machine sees and a person decides.
type Proposal struct {
	ID        string           `json:"id"`
	Kind      string           `json:"kind" enum:"burst,link"`
	State     string           `json:"state" enum:"proposed,accepted,dismissed,undone,stale"`
	Component string           `json:"component" doc:"Id; empty when none is known"`
	Incident  string           `json:"incident" doc:"Id of the incident to link to; empty: one would be opened"`
	Tickets   []string         `json:"tickets" doc:"Ids, oldest first"`
	Members   []ProposalMember `json:"members"`
	Words     []string         `json:"words" doc:"What they have in common"`
	Reason    string           `json:"reason"`
	Usual     float64          `json:"usual" doc:"Tickets in such a stretch of time, usually"`
	Since     time.Time        `json:"since"`
	Until     time.Time        `json:"until"`
	CreatedAt time.Time        `json:"created_at"`
	DecidedAt *time.Time       `json:"decided_at"`
	DecidedBy string           `json:"decided_by"`
	Did       []string         `json:"did" doc:"Ids of the tickets that accepting linked: what undo takes back"`
	Version   int64            `json:"version"`
}

// ProposalMember is one ticket of a proposal with the reasons that it is in it.
type ProposalMember struct {
	Ticket  string   `json:"ticket"`
	Score   float64  `json:"score"`
	Reasons []string `json:"reasons"`
}

// Proposals is all that are asked for, newest first.
type Proposals struct {
	Proposals []Proposal `json:"proposals"`
}
