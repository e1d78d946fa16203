package config

import (
	"cmp"
	"slices"
	"time"
)

// Desk is how tickets are worked on.
type Desk struct {
	Prefix          string         `yaml:"prefix"`          // what stands before the number of a ticket, in capitals; default TK
	Queues          []DeskQueue    `yaml:"queues"`          // piles of tickets that somebody works through; the first takes what belongs to no other. Default: support, and impairments for those unless another queue takes them
	Clocks          []DeskClock    `yaml:"clocks"`          // how soon what must happen; the first that fits a ticket counts. Default: no promises
	Zone            string         `yaml:"zone"`            // of hours and holidays, default the page's
	Hours           []OpenHours    `yaml:"hours"`           // when clocks run; default always
	Holidays        []string       `yaml:"holidays"`        // days on which they do not, e.g. 2026-12-25
	Fields          []DeskField    `yaml:"fields"`          // further things to note of a ticket
	Replies         []DeskReply    `yaml:"replies"`         // text that is sent often; more can be made in the console
	Templates       []DeskTemplate `yaml:"templates"`       // tickets that are opened often
	Acknowledgement string         `yaml:"acknowledgement"` // text of the automatic answer (acknowledge: true); {{number}}, {{subject}}, {{name}}, and {{known}} for what is known of an open incident; default a built-in one
	Suspect         *bool          `yaml:"suspect"`         // mails that look like one outage open a suspected incident, which only staff see; default true
	Impairments     *bool          `yaml:"impairments"`     // a component that goes down gets a ticket of its own; default true
	CloseAfter      Duration       `yaml:"close_after"`     // solved tickets are closed after it; default 4d
	ReopenWithin    Duration       `yaml:"reopen_within"`   // so long a reply reopens a closed ticket, later it opens another; default 14d
	Keep            Duration       `yaml:"keep"`            // closed tickets are deleted after it, with all they hold; default never
}

// DeskQueue is a pile of tickets.
type DeskQueue struct {
	ID    string   `yaml:"id"`    // lower-case letters, digits and dashes; must not change
	Name  string   `yaml:"name"`  // default: the id
	Kinds []string `yaml:"kinds"` // kinds of tickets that go here by themselves: impairment, task, deletion
}

// DeskClock is a promise about tickets.
type DeskClock struct {
	Queues     []string `yaml:"queues"`      // ids; default all
	Priorities []string `yaml:"priorities"`  // low, normal, high, urgent; default all
	FirstReply Duration `yaml:"first_reply"` // until a person answers for the first time
	NextReply  Duration `yaml:"next_reply"`  // until a person answers what the requester wrote since
	Solution   Duration `yaml:"solution"`    // until it is solved; the time in which it is not our turn does not count
	Warn       Duration `yaml:"warn"`        // so long before a promise breaks staff are warned; default a quarter of the shortest promise
	Always     bool     `yaml:"always"`      // it runs outside the hours too; default false
}

// OpenHours is a stretch of every week in which clocks run.
type OpenHours struct {
	Days []string `yaml:"days"` // mon, tue, wed, thu, fri, sat, sun; default all
	From string   `yaml:"from"` // 09:00; default midnight
	To   string   `yaml:"to"`   // 17:00, after from; default 24:00
}

// DeskField is one more thing to note of a ticket.
type DeskField struct {
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`    // default: the id
	Options []string `yaml:"options"` // what can be chosen; default any text
}

// DeskReply is text that is sent often.
type DeskReply struct {
	Name string `yaml:"name"` // as it is found
	Body string `yaml:"body"` // {{name}}, {{first_name}}, {{number}}, {{subject}}, {{agent}}, {{queue}} and {{component}} are filled in
}

// DeskTemplate is a ticket that is opened often.
type DeskTemplate struct {
	ID       string            `yaml:"id"`
	Name     string            `yaml:"name"`     // default: the id
	Kind     string            `yaml:"kind"`     // request (default), impairment, task, deletion
	Queue    string            `yaml:"queue"`    // default by kind
	Priority string            `yaml:"priority"` // low, normal (default), high, urgent
	Subject  string            `yaml:"subject"`  // required
	Text     string            `yaml:"text"`     // what to do
	Tags     []string          `yaml:"tags"`     // given to the ticket
	Fields   map[string]string `yaml:"fields"`   // by id
}

// The defaults of the desk.
const (
	DefaultDeskPrefix   = "TK"
	DefaultDeskQueue    = "support"
	impairmentsQueue    = "impairments" // unless a queue takes them
	DefaultCloseAfter   = Duration(4 * 24 * time.Hour)
	DefaultReopenWithin = Duration(14 * 24 * time.Hour)
)

// fillDesk replaces what the file leaves out.
func (f *File) fillDesk(zone string) {
	d := &f.Desk
	d.Prefix, d.Zone = cmp.Or(d.Prefix, DefaultDeskPrefix), cmp.Or(d.Zone, zone)
	d.CloseAfter, d.ReopenWithin = cmp.Or(d.CloseAfter, DefaultCloseAfter), cmp.Or(d.ReopenWithin, DefaultReopenWithin)
	if len(d.Queues) == 0 {
		d.Queues = []DeskQueue{{ID: DefaultDeskQueue, Name: "Support"}}
	}
	if !slices.ContainsFunc(d.Queues, func(q DeskQueue) bool { return q.ID == impairmentsQueue || slices.Contains(q.Kinds, "impairment") }) {
		d.Queues = append(d.Queues, DeskQueue{ID: impairmentsQueue, Name: "Impairments", Kinds: []string{"impairment"}})
	}
	for i := range d.Queues {
		d.Queues[i].Name = cmp.Or(d.Queues[i].Name, d.Queues[i].ID)
	}
	for i := range d.Fields {
		d.Fields[i].Name = cmp.Or(d.Fields[i].Name, d.Fields[i].ID)
	}
	for i := range d.Templates {
		t := &d.Templates[i]
		t.Name, t.Kind, t.Priority = cmp.Or(t.Name, t.ID), cmp.Or(t.Kind, "request"), cmp.Or(t.Priority, "normal")
	}
	for i := range d.Clocks {
		c := &d.Clocks[i]
		if c.Warn == 0 {
			for _, p := range []Duration{c.FirstReply, c.NextReply, c.Solution} {
				if p > 0 && (c.Warn == 0 || p/4 < c.Warn) {
					c.Warn = p / 4
				}
			}
		}
	}
	for i := range d.Hours {
		d.Hours[i].To = cmp.Or(d.Hours[i].To, "24:00")
	}
}
