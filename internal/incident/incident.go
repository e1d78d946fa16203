// Package incident is the wing of what went wrong and what was said about it:
// incidents with their states, updates, people, tasks and postmortems. It knows
// components by key alone, and nothing of checks, channels, HTTP or SQL. The
// page, the notices and the suspicions of the checks follow its journal.
package incident

import (
	"time"

	"evenkeel/internal/journal"
)

// State is where an incident stands: Statuspage's words, and suspected, which
// only staff see.
type State string

// The states, in the order of a story.
const (
	Suspected     State = "suspected"
	Investigating State = "investigating"
	Identified    State = "identified"
	Monitoring    State = "monitoring"
	Resolved      State = "resolved"
	Postmortem    State = "postmortem"
)

// Impact is how bad it is for customers.
type Impact string

// The impacts, from least to worst.
const (
	ImpactNone     Impact = "none"
	ImpactMinor    Impact = "minor"
	ImpactMajor    Impact = "major"
	ImpactCritical Impact = "critical"
)

// Visibility says who may see an incident.
type Visibility string

// The visibilities. A draft becomes public by its first published update.
const (
	Draft   Visibility = "draft"
	Public  Visibility = "public"
	Private Visibility = "private" // staff only, for good
)

// Origin says who opened an incident.
type Origin string

// The origins.
const (
	ByPerson  Origin = "person"
	ByChecks  Origin = "checks"  // a verdict
	ByAlert   Origin = "alert"   // Alertmanager
	ByTickets Origin = "tickets" // a burst of support mail; later wings
	ByImport  Origin = "import"
)

// Incident is one trouble and its story. Text in it can be erased; the journal
// holds ids only.
type Incident struct {
	ID     string // stands in URLs: unguessable, for ever
	Number int64  // what staff say aloud: INC-231; 0 until stored
	Name   string // the public title
	State  State
	Impact Impact
	// Overridden is true when a person set the impact; otherwise it follows the
	// worst component (ImpactOf) while it lasts, and is the worst of all when it is over.
	Overridden bool
	Worst      Impact // the worst that its components made of it so far
	Visibility Visibility
	Origin     Origin
	// Machine is true while no person has touched an incident that checks or
	// alerts opened: the machine may still edit, publish and drop it.
	Machine    bool
	Backfilled bool // entered after it was over: nobody is told

	StartedAt     time.Time // when the trouble began; may lie before OpenedAt
	OpenedAt      time.Time // when it was written down
	PublishedAt   time.Time // first public update; zero while unseen
	PublishAfter  time.Time // a machine draft is published then unless a person acts; zero = never
	MonitoringAt  time.Time
	ResolvedAt    time.Time
	NextUpdateAt  time.Time // promised or due; zero when resolved
	Promised      bool      // customers were promised the next update by then; otherwise it is due by UpdateEvery alone
	GreenSince    time.Time // all its components are well since; zero while not: resolution is proposed
	ChangedAt     time.Time
	MergedInto    string // id of the incident that took this one's place
	Components    []Affected
	Roles         []Duty
	Tasks         []Task
	Links         []Link
	RunbookURL    string
	Review        Review        // the postmortem
	ReminderEvery time.Duration // between updates, as promised; 0 = UpdateEvery
	Lines         int           // of its timeline: bounded by MaxLines
	Version       int64
}

// Open reports whether it is not over: suspected, investigating, identified or monitoring.
func (i *Incident) Open() bool {
	return i.MergedInto == "" && i.State != Resolved && i.State != Postmortem
}

// Seen reports whether customers see it.
func (i *Incident) Seen() bool {
	return i.Visibility == Public && !i.PublishedAt.IsZero() && i.MergedInto == ""
}

// Affected is one component of an incident and what the incident says of it, by
// Statuspage's word: operational … major_outage.
type Affected struct {
	Component  string    `json:"component"`            // key
	Status     string    `json:"status"`               // what is published of it; "" says nothing: the machine proposes it
	Since      time.Time `json:"since"`                // from when Status holds
	Observed   string    `json:"observed,omitempty"`   // what checks said of it last; "" = nothing yet
	ObservedAt time.Time `json:"observed_at,omitzero"` // from when Observed holds, where it came while it was in here
}

// Duty is a role in an incident and who has it.
type Duty struct {
	Role   string    `json:"role"`   // commander, communications, scribe
	Person string    `json:"person"` // id; "" = nobody
	Since  time.Time `json:"since"`
}

// The duties.
const (
	Commander      = "commander"
	Communications = "communications"
	Scribe         = "scribe"
)

// Task is one thing to do.
type Task struct {
	ID    string    `json:"id"`
	Text  string    `json:"text"`
	Owner string    `json:"owner"` // person id or ""
	Done  bool      `json:"done"`
	By    string    `json:"by"` // who ticked it
	At    time.Time `json:"at"` // when it was made or ticked
}

// Link ties an incident to a thing of any wing: ticket, release, deployment,
// rollback, incident, alert, monitor; or to an address outside.
type Link struct {
	Ref      journal.Ref `json:"ref"`
	URL      string      `json:"url"`      // outside: https only
	Title    string      `json:"title"`    // of a link outside
	Relation string      `json:"relation"` // caused_by, fixed_by, reported_by, related, duplicate
	By       string      `json:"by"`
	At       time.Time   `json:"at"`
}

// Review is the postmortem.
type Review struct {
	Body        string    `json:"body"` // Markdown
	PublishedAt time.Time `json:"published_at"`
	EditedAt    time.Time `json:"edited_at"`
	By          string    `json:"by"`
}

// EntryKind says what a line of the timeline is.
type EntryKind string

// The kinds of lines.
const (
	KindUpdate EntryKind = "update" // public once published
	KindNote   EntryKind = "note"   // staff only
	KindFact   EntryKind = "fact"   // written by the machine for staff: verdicts, changes, links
)

// Update is one line of an incident's own timeline. Body is Markdown.
type Update struct {
	ID          string
	Incident    string
	Kind        EntryKind
	State       State  // an update: the state it puts the incident into
	Body        string // Markdown; "" for a fact, which Verb and Facts tell
	Verb        string // a fact: the journal verb it stands for
	Facts       map[string]string
	Author      string        // actor id
	CreatedAt   time.Time     // when it was written
	DisplayAt   time.Time     // the moment it stands at; a back-filled one lies earlier
	PublishAt   time.Time     // scheduled publication; zero = not scheduled
	PublishedAt time.Time     // zero: a draft nobody has seen
	Deliver     bool          // tell subscribers
	Components  []Change      // what it said of components when published
	NextUpdate  time.Duration // of a draft: promised after this when it goes out; 0 = as the incident says
	EditedAt    time.Time
	Version     int64
}

// Change is what an update changed about a component.
type Change struct {
	Component string `json:"component"` // key
	From      string `json:"from"`
	To        string `json:"to"`
}

// Template is words kept for a next time. Title and Body may hold {{variables}}.
type Template struct {
	ID      string
	Name    string
	Title   string
	Body    string
	State   State
	Impact  Impact
	Version int64
}

// ImpactOf gives the impact of a component's status by Statuspage's rule:
// degraded is minor, partial major, major critical.
func ImpactOf(status string) Impact {
	switch status {
	case "degraded_performance":
		return ImpactMinor
	case "partial_outage":
		return ImpactMajor
	case "major_outage":
		return ImpactCritical
	default:
		return ImpactNone
	}
}
