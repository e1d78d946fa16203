// Package notice is the wing that tells people: events become deliveries, one
// row for each recipient, and every row ends sent, failed in sight, or
// suppressed with its reason. It knows subscribers, routes, alerts, rotations
// and channels by their contracts, and nothing of incidents, SMTP or SQL.
package notice

import (
	"time"

	"evenkeel/internal/journal"
)

// Audience says whom an event concerns.
type Audience string

// The audiences.
const (
	ToSubscribers Audience = "subscribers" // customers: what the page says, no more
	ToStaff       Audience = "staff"       // by routes and rotations
	ToBoth        Audience = "both"
	ToRequester   Audience = "requester" // one person who wrote in: a Letter, never a notice
)

// Severity orders events for routes and escalation.
type Severity string

// The severities, from least to worst.
const (
	SeverityInfo     Severity = "info"
	SeverityMinor    Severity = "minor"
	SeverityMajor    Severity = "major"
	SeverityCritical Severity = "critical"
)

// Event is one thing that people may have to be told. The hall makes it from a
// journal entry; its words live in this row, which can be erased.
type Event struct {
	ID      string      // of the journal entry, so that a second look makes no second event
	Seq     int64       // journal position: the order in which one recipient hears of one subject
	Kind    string      // incident.opened, incident.updated, incident.resolved, maintenance.scheduled, …, component.down, component.recovered, attention.…, channel.test, drill
	Subject journal.Ref // incident/ID, maintenance/ID, component/KEY
	// Alarm opens, keeps or closes an alert for staff: one per Subject.
	Alarm      Alarm
	Audience   Audience
	Severity   Severity
	Components []string // keys
	Groups     []string // group ids of the components
	At         time.Time
	Content    Content
	// Suppress is why staff are not told now ("Database, which it needs, is
	// down"): their rows are written suppressed with it; "" = they are told.
	// Subscribers are told all the same.
	Suppress string
	// Alert is the alert that this event belongs to: filled in by the wing.
	Alert string
	// Line is the line of the subject's timeline that is told: id of an incident's
	// update; "" for none.
	Line string
}

// ComponentChanged is the kind of event that tells webhooks of a component's new
// status on the page, whether or not an incident says more.
const ComponentChanged = "component.changed"

// Alarm is what an event means for the alert of its subject.
type Alarm string

// What an event can mean.
const (
	AlarmNone  Alarm = ""
	AlarmFire  Alarm = "fire"
	AlarmClear Alarm = "clear"
)

// Content is what is told: plain facts from which every channel renders its own
// form. Public is all that subscribers may be shown; Staff only staff.
type Content struct {
	Title   string            `json:"title"`             // of the incident or maintenance
	Status  string            `json:"status"`            // investigating, …, scheduled, …, or a component status
	Impact  string            `json:"impact,omitempty"`  // none, minor, major, critical, maintenance
	Body    string            `json:"body,omitempty"`    // Markdown, public
	Staff   string            `json:"staff,omitempty"`   // plain text for staff: why, host, error
	Path    string            `json:"path,omitempty"`    // on the public page: /incidents/ID
	Console string            `json:"console,omitempty"` // in the console: /console/incidents/ID
	Runbook string            `json:"runbook,omitempty"`
	Names   []string          `json:"names,omitempty"`  // of the components
	From    time.Time         `json:"from,omitzero"`    // maintenance, or when the trouble began
	To      time.Time         `json:"to,omitzero"`      // maintenance, or when it ended
	Object  map[string]any    `json:"object,omitempty"` // the Statuspage v2 shape of the incident, maintenance or component update, for webhooks
	Facts   map[string]string `json:"facts,omitempty"`
}

// State is where a delivery stands.
type State string

// The states. sent, failed and suppressed are final until a person resends.
const (
	Queued     State = "queued"
	Sending    State = "sending" // claimed by a worker until its lease ends
	Retrying   State = "retrying"
	Sent       State = "sent"
	Failed     State = "failed" // a dead letter: a person must look
	Suppressed State = "suppressed"
)

// Final reports whether nothing more happens by itself.
func (s State) Final() bool { return s == Sent || s == Failed || s == Suppressed }

// Delivery is one event to one recipient through one channel: the row that
// cannot vanish.
type Delivery struct {
	ID        string // minted once; goes out as idempotency key, Message-ID, dedup key
	Event     string // Event.ID
	Kind      string // Event.Kind
	Subject   journal.Ref
	Channel   string // channel id
	Recipient string // subscriber/ID, requester/ID, person/ID, route/ID: a reference, never an address
	Alert     string // of the alert it belongs to; "" for none
	State     State
	Attempts  int
	Failures  int       // attempts known to have failed: the wait before the next one grows with them
	Reason    string    // why it waits, failed or was suppressed, in words
	Mark      string    // what the channel calls it: message id, thread, HTTP status
	ExactOnce bool      // the channel told that it recognises repeats
	Fallback  string    // the delivery that took over after this one failed
	Seq       int64     // Event.Seq: deliveries of one lane go out in this order
	Lane      int64     // names subject, recipient and channel together: LaneOf
	Gather    bool      // waits for others of its lane, to go out with them as one message
	Bundle    string    // the delivery whose message carries this one too; "" = by itself
	CreatedAt time.Time // UTC
	QueuedAt  time.Time // put into the queue, for the first time or again: it gives up a day later
	NextAt    time.Time // not before; while sending, the end of the claim; zero when final
	SentAt    time.Time
	Version   int64
}

// Mode is how a subscriber is reached.
type Mode string

// The modes.
const (
	ByMail    Mode = "email"
	ByWebhook Mode = "webhook"
	BySlack   Mode = "slack" // an incoming webhook of Slack
)

// Subscriber is somebody outside who asked to be told.
type Subscriber struct {
	ID          string // unguessable; links to it are signed besides
	Mode        Mode
	Address     string   // normalised e-mail address or URL: personal, erasable, unique by mode and incident
	State       string   // pending, active, ended
	Components  []string // keys
	Groups      []string // group ids; no keys and no groups = everything
	MinImpact   string   // none (everything), minor, major, critical
	Maintenance bool     // planned work too
	Incident    string   // this incident alone; "" = all that fits
	Source      string   // form, api, console, import
	CreatedAt   time.Time
	ConfirmedAt time.Time
	ChangedAt   time.Time
	EndedAt     time.Time
	EndReason   string // unsubscribed, bounced, removed, gone, erased
	Failures    int    // dead letters in a row: an endpoint that is dead for long is ended
	Version     int64
}

// The states of a subscriber.
const (
	Pending = "pending" // has not confirmed yet: told nothing
	Active  = "active"
	Ended   = "ended"
)

// Ref is how deliveries name the subscriber.
func (s Subscriber) Ref() string { return "subscriber/" + s.ID }

// Alert is a thing staff must react to: it reminds and escalates until somebody
// acknowledges it or it is over. There is one open alert for a subject at most.
type Alert struct {
	ID         string
	Subject    journal.Ref
	Severity   Severity
	Components []string
	State      AlertState
	Event      string    // id of the newest event of it that was told
	Seq        int64     // of that event
	Route      string    // whose reminders and escalation it follows; "" = none
	Step       int       // steps of the escalation that were taken
	Reminders  int       // sent since FiringAt
	NextAt     time.Time // when the clock must look at it again; zero = never
	OpenedAt   time.Time
	FiringAt   time.Time // since when it asks to be acknowledged: opened, woken or worse
	AckedAt    time.Time
	AckedBy    string    // actor id
	Until      time.Time // silenced until then
	OverAt     time.Time
	Reason     string // of suppressed or silenced, in words
	Version    int64
}

// AlertState is where an alert stands.
type AlertState string

// The states of an alert.
const (
	Firing       AlertState = "firing"       // reminds and escalates
	Acknowledged AlertState = "acknowledged" // somebody is on it
	Silenced     AlertState = "silenced"     // quiet until a moment, by a person
	Smothered    AlertState = "suppressed"   // quiet because something it needs is down
	Over         AlertState = "over"
)

// Open reports whether the alert is not over.
func (a Alert) Open() bool { return a.State != Over }
