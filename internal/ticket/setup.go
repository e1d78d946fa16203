package ticket

import (
	"cmp"
	"slices"
	"time"
)

// Setup is what the configuration says of the desk. It is never written after it
// was handed over.
type Setup struct {
	Domain          string // right half of Message-IDs when a mailbox has no address
	Prefix          string // of numbers as they are said aloud; "" = DefaultPrefix
	Queues          []Queue
	Mailboxes       []Mailbox
	Promises        []Promise
	Replies         []SavedReply
	Templates       []Template
	Fields          []Field
	Acknowledgement string        // text of the automatic answer; "" = the built-in one
	CloseAfter      time.Duration // solved tickets are closed after it; 0 = DefaultCloseAfter
	ReopenWithin    time.Duration // a reply to a closed ticket reopens it so long; 0 = DefaultReopenWithin
	Keep            time.Duration // closed tickets are deleted after it; 0 = never
}

// The defaults of a Setup.
const (
	DefaultPrefix       = "TK"
	DefaultQueue        = "support"
	DefaultCloseAfter   = 4 * 24 * time.Hour
	DefaultReopenWithin = 14 * 24 * time.Hour
)

// Queue is a pile of tickets that somebody works through.
type Queue struct {
	ID, Name string
	Kinds    []Kind // kinds that go here by themselves
}

// Mailbox is what the desk knows of a mailbox: how answers to what came in there
// go out.
type Mailbox struct {
	Name        string // as configured
	Queue       string // id; "" = the first
	From        Address
	Acknowledge bool // an automatic answer, once
	Review      bool // answers of the hub wait for a person
}

// Promise says how soon what must happen, for the tickets it fits. The first that
// fits counts.
type Promise struct {
	Queues     []string   // ids; none = all
	Priorities []Priority // none = all
	FirstReply time.Duration
	NextReply  time.Duration
	Solution   time.Duration
	Warn       time.Duration // so long before
	Hours      *Hours        // nil = always
}

// Template is a ticket that is opened often.
type Template struct {
	ID, Name string
	Kind     Kind
	Queue    string
	Priority Priority
	Subject  string
	Text     string
	Tags     []string
	Fields   map[string]string
}

// Field is one more thing that is asked of a ticket.
type Field struct {
	ID, Name string
	Options  []string // none = any text
}

// prefix gives what stands before a number.
func (s *Setup) prefix() string { return cmp.Or(s.Prefix, DefaultPrefix) }

// queue gives the id of a queue that is there: the one asked for, that of the
// mailbox, that of the kind, or the first.
func (s *Setup) queue(want, mailbox string, kind Kind) string {
	if want == "" {
		if m := s.mailbox(mailbox); m != nil && m.Queue != "" {
			want = m.Queue
		}
	}
	for _, q := range s.Queues {
		if want == q.ID || want == "" && kind != Request && slices.Contains(q.Kinds, kind) {
			return q.ID
		}
	}
	if len(s.Queues) > 0 {
		return s.Queues[0].ID
	}
	return DefaultQueue
}

// mailbox finds one by name; nil when it is not configured.
func (s *Setup) mailbox(name string) *Mailbox {
	for i := range s.Mailboxes {
		if s.Mailboxes[i].Name == name {
			return &s.Mailboxes[i]
		}
	}
	return nil
}

// sender gives the mailbox in whose name a ticket is answered: its own, or the
// first that has an address; nil when nobody can write.
func (s *Setup) sender(mailbox string) *Mailbox {
	if m := s.mailbox(mailbox); m != nil && m.From.Address != "" {
		return m
	}
	for i := range s.Mailboxes {
		if s.Mailboxes[i].From.Address != "" {
			return &s.Mailboxes[i]
		}
	}
	return nil
}

// promise gives what was promised for a ticket; nil when nothing was.
func (s *Setup) promise(t *Ticket) *Promise {
	if t.Kind != Request || t.Automatic || t.Quiet || t.MergedInto != "" {
		return nil
	}
	for i := range s.Promises {
		p := &s.Promises[i]
		if (len(p.Queues) == 0 || slices.Contains(p.Queues, t.Queue)) && (len(p.Priorities) == 0 || slices.Contains(p.Priorities, t.Priority)) {
			return p
		}
	}
	return nil
}
