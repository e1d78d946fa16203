package notice

import "time"

// Setup is what the configuration says about telling staff. It is replaced
// whole at a reload.
type Setup struct {
	Channels  []ChannelSpec
	Routes    []Route
	Rotations []Rotation
	Mail      string // id of the channel that mails subscribers and people; "" = mail is off
	Webhook   string // id of the channel that posts to webhook subscribers
	Chat      string // id of the channel that posts to Slack subscribers
	Deadman   []Pulse
	Place     Place
}

// Place is where the installation is found.
type Place struct {
	Page, Hub string // public addresses of the page and the console, without a trailing slash; "" when not set
	PageName  string
	Simulated bool // the demo: every message says so
}

// Pulse is a heartbeat out: while the hub is well it tells so, and somebody
// outside raises the alarm when it stops (the monitor is monitored).
type Pulse struct {
	ID      string
	Channel string // takes a Message of kind deadman.pulse
	Every   time.Duration
}

// ChannelSpec is a channel as far as deliveries are concerned.
type ChannelSpec struct {
	ID        string
	Kind      string  // mail, webhook, statuspage, slack, pagerduty, pagerduty_change, alertmanager, shoutrrr, outbox
	Fallback  string  // channel that takes over what this one cannot deliver; "" for none
	PerSecond float64 // at most so many sends; 0 = no limit
	Parallel  int     // sends at the same time; 0 = 8
}

// Route says who of the staff is told what, and what happens when nobody reacts.
// Empty conditions do not narrow. The first route that fits is taken, and the
// next ones too while Continue is true.
type Route struct {
	ID         string
	Components []string // keys
	Groups     []string // group ids
	Kinds      []string // event kinds, or their first word: component, incident, maintenance, attention
	AtLeast    Severity
	Hours      *Hours
	To         []Target
	Continue   bool
	Group      time.Duration // events of one route within it become one message; 0 = each by itself
	Remind     time.Duration // between reminders until acknowledged, doubling up to eight times as long; 0 = none
	Escalate   []Step
}

// Step is one more circle of people when nobody acknowledged in time.
type Step struct {
	After time.Duration // since the alert opened
	To    []Target
}

// Target is one place to send to; exactly one field is set.
type Target struct {
	Channel  string
	Rotation string // whoever is on call
	Person   string // id
}

// Hours is a weekly stretch of local time.
type Hours struct {
	Zone     string
	Days     []time.Weekday // none = all
	From, To time.Duration  // since local midnight; To before From runs over midnight
	Outside  bool           // true: fits outside these hours
}

// Rotation is people who take turns.
type Rotation struct {
	ID, Name string
	Zone     string
	Start    time.Time     // when the first person's first turn began, as local time in Zone
	Turn     time.Duration // whole days or weeks are local ones, DST or not
	People   []string      // person ids, in order
	Hours    *Hours        // nobody is on call outside; nil = always
	Channel  string        // how the one on call is told; "" = Setup.Mail
}

// Turn is one stretch of one person on call. Person "" = nobody is.
type Turn struct {
	Rotation string
	Person   string
	From, To time.Time // UTC
	Override string    // id of the override that makes it so; "" = the rotation does
}

// Override puts somebody else on call for a while.
type Override struct {
	ID       string
	Rotation string
	Person   string
	From, To time.Time
	By       string // actor id
	Version  int64
}
