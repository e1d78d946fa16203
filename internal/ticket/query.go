package ticket

import "time"

// Query picks tickets. Zero fields do not narrow; all that are set must hold.
type Query struct {
	Text       []Term   // words and phrases of a message
	States     []State  // one of
	NotStates  []State  // none of
	Kinds      []Kind   // one of
	Ways       []Way    // one of
	Priority   Priority // exactly
	Queue      string   // id
	Queues     []string // one of
	Assignee   string   // person id; Nobody for tickets without
	Requester  string   // id
	Mailbox    string
	Tag        string
	Component  string // key
	Incident   string // id; AnyIncident for tickets with one
	Sender     string // address that wrote in it
	Number     int64
	Unheard    *bool // the requester waits for our word
	Automatic  *bool
	Snoozed    *bool // still snoozed at Now
	Broken     *bool // still broken after the resolution
	Files      bool  // with attachments
	Overdue    bool  // a promise is broken
	Merged     bool  // merged ones too; left out otherwise
	DueBefore  time.Time
	From, To   time.Time // created in [From, To)
	SolvedFrom time.Time // solved at or after
	Now        time.Time // for Snoozed
	Sort       Sort
	After      Cursor // page on behind it
	Limit      int    // 1 to MaxPage
}

// Values of a Query that stand for more than one.
const (
	Nobody      = "-"
	AnyIncident = "*"
)

// Term is one word of a search, or several that follow one another, as WordsOf
// gives them.
type Term struct {
	Words     []string
	Beginning bool  // the last word may be the beginning of one
	In        Place // where it stands
	Not       bool  // it must not be there
}

// Place is where a word stands in a message.
type Place string

// The places.
const (
	Anywhere    Place = ""
	InSender    Place = "from"
	InAddressee Place = "to"
	InSubject   Place = "subject"
)

// Sort is the order of a list.
type Sort string

// The orders. The number decides between equals.
const (
	Nearest Sort = "nearest" // nearest clock first; those without one behind, oldest first
	Latest  Sort = "latest"  // last message first
	Newest  Sort = "newest"  // the last that came first
	Oldest  Sort = "oldest"  // the first that came first
)

// Cursor is where a page ends: the place of its last ticket in the order of the
// list, and its number; in a search the message that was found.
type Cursor struct {
	At      int64
	Number  int64
	Message string
}

// Given reports whether the cursor says anything.
func (c Cursor) Given() bool { return c != Cursor{} }

// clockless is where tickets without a clock begin in the order Nearest: behind
// all that have one, in microseconds.
const clockless int64 = 1 << 60

// Turn gives the ticket's place in the order Nearest.
func (t *Ticket) Turn() int64 {
	if t.DueAt.IsZero() {
		return clockless + t.CreatedAt.UnixMicro()
	}
	return t.DueAt.UnixMicro()
}

// Cursor gives the place of the ticket in an order: the page behind it begins there.
func (t *Ticket) Cursor(s Sort) Cursor {
	switch s {
	case Latest:
		return Cursor{At: t.LastAt.UnixMicro(), Number: t.Number}
	case Newest, Oldest:
		return Cursor{At: t.CreatedAt.UnixMicro(), Number: t.Number}
	default:
		return Cursor{At: t.Turn(), Number: t.Number}
	}
}

// MaxPage bounds one page of a list.
const MaxPage = 500
