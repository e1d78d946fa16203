package config

import (
	"cmp"
	"strconv"
	"time"
)

// SMTP is the server that takes our mail. Without it nobody is written to.
type SMTP struct {
	URL       Secret  `yaml:"url"`        // smtp://user@mail.example.org:587 (STARTTLS) or smtps://…:465 (TLS); ?tls=required, offered or none, by default required when there is a password and the server is another machine
	Password  Secret  `yaml:"password"`   // unless it stands in the URL
	From      string  `yaml:"from"`       // who writes: status@example.org, or Example status <status@example.org>; required with url
	ReplyTo   string  `yaml:"reply_to"`   // where answers go; default: to from
	CAFile    string  `yaml:"ca_file"`    // certificates to trust instead of the system's, PEM
	PerSecond float64 `yaml:"per_second"` // mails a second at most; default no limit
	Parallel  int     `yaml:"parallel"`   // connections at once, default 4
}

// Slack is our app in a Slack workspace.
type Slack struct {
	Token         Secret            `yaml:"token"`          // bot token (xoxb-…): channels of kind slack without a url post with it, and people are found by their e-mail address
	SigningSecret Secret            `yaml:"signing_secret"` // of the app: proves that slash commands and buttons come from Slack
	URL           string            `yaml:"url"`            // base address of the API; default https://slack.com/api/
	Users         map[string]string `yaml:"users"`          // Slack user id → e-mail address of a person here, for those whose addresses differ
}

// Channel is one place where staff are told. Which keys apply depends on the kind.
type Channel struct {
	ID          string   `yaml:"id"`          // routes name it
	Kind        string   `yaml:"kind"`        // mail, webhook (our JSON), statuspage (Statuspage's JSON), slack, pagerduty (Events v2), pagerduty_change, alertmanager, shoutrrr (ntfy, Teams, Discord, Telegram, Matrix, …), outbox (kept in memory, to be read in the console)
	URL         Secret   `yaml:"url"`         // where to: webhook, statuspage, alertmanager, shoutrrr, slack (an incoming webhook); pagerduty: base address, default https://events.pagerduty.com
	Token       Secret   `yaml:"token"`       // pagerduty: the integration key; slack: a bot token other than slack.token; webhook, statuspage, alertmanager: sent as Authorization: Bearer
	Secret      Secret   `yaml:"secret"`      // webhook, statuspage: signs every request (Evenkeel-Signature)
	To          []string `yaml:"to"`          // mail: addresses; slack without url: one channel id
	Mention     string   `yaml:"mention"`     // slack: who is called when something begins or escalates: channel, here, or an id (U…, S…); nobody by default
	Interactive bool     `yaml:"interactive"` // slack: buttons act at once, which needs the app's interactivity URL to lead to /hooks/slack/…; default false: they open a page
	Fallback    string   `yaml:"fallback"`    // id of the channel that takes over what this one cannot deliver
	PerSecond   float64  `yaml:"per_second"`  // messages a second at most; default 1 for slack, no limit for others
	Parallel    int      `yaml:"parallel"`    // sends at the same time, default 8
}

// Route says who of the staff is told what, and what happens when nobody reacts.
// The first route that fits is taken. Without any, everything goes to every
// channel that is nobody's fallback.
type Route struct {
	ID       string       `yaml:"id"`
	When     When         `yaml:"when"`     // what it is for; everything by default
	To       []string     `yaml:"to"`       // ids of channels, oncall:ID, or person:ADDRESS
	Continue bool         `yaml:"continue"` // look at the routes below too; default false
	Group    Duration     `yaml:"group"`    // what happens within it becomes one message; default each by itself
	Remind   Duration     `yaml:"remind"`   // again after it until somebody acknowledges, doubling up to eight times as long; default never
	Escalate []Escalation `yaml:"escalate"` // who else is told while nobody acknowledges
}

// When narrows a route. What is not given does not narrow.
type When struct {
	Components []string `yaml:"components"` // ids
	Groups     []string `yaml:"groups"`     // ids of groups
	Kinds      []string `yaml:"kinds"`      // component, incident, maintenance, attention, or one kind of event such as incident.resolved
	AtLeast    string   `yaml:"at_least"`   // info (default), minor, major, critical
	Hours      Hours    `yaml:"hours"`      // at these hours only
}

// Hours is a weekly stretch of local time.
type Hours struct {
	Zone    string   `yaml:"zone"`    // default the page's
	Days    []string `yaml:"days"`    // mon, tue, wed, thu, fri, sat, sun; default all
	From    string   `yaml:"from"`    // 09:00
	To      string   `yaml:"to"`      // 17:00; before from, it runs over midnight
	Outside bool     `yaml:"outside"` // true: outside these hours; default false
}

// Escalation is one more circle of people.
type Escalation struct {
	After Duration `yaml:"after"` // since it began
	To    []string `yaml:"to"`    // as in the route
}

// Rotation is people who take turns.
type Rotation struct {
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`    // default: the id
	Zone    string   `yaml:"zone"`    // default the page's
	Start   string   `yaml:"start"`   // local time of a handover to the first person, e.g. 2026-11-23T09:00
	Turn    Duration `yaml:"turn"`    // how long each has it, default 7d; whole days keep the time of day through summer time
	People  []string `yaml:"people"`  // e-mail addresses of their accounts, in order
	Hours   Hours    `yaml:"hours"`   // outside of them nobody is on call; default always
	Channel string   `yaml:"channel"` // how the one on call is told; default mail
}

// Subscribers is how people outside are told.
type Subscribers struct {
	AllowPrivate bool    `yaml:"allow_private"` // their webhooks may lead to private addresses, as on a page inside a company; default false
	PerSecond    float64 `yaml:"per_second"`    // webhooks a second at most; default no limit
}

// Deadman is the heartbeat out: while the hub is well it asks for the URL again
// and again, and whoever listens there raises the alarm when that stops.
type Deadman struct {
	URL   Secret   `yaml:"url"`   // e.g. of a heartbeat monitor of another hub
	Every Duration `yaml:"every"` // default 1m
}

// The ids of channels that are built in.
const (
	ChannelMail    = "smtp"                // mail to people and subscribers
	ChannelWebhook = "subscribers-webhook" // endpoints of subscribers
	ChannelSlack   = "subscribers-slack"   // incoming webhooks of subscribers
	ChannelDeadman = "deadman"             // the heartbeat out
)

// What a target of a route begins with when it is no channel.
const (
	TargetRotation = "oncall:"
	TargetPerson   = "person:"
)

// The defaults of notices.
const (
	DefaultTurn         = Duration(7 * 24 * time.Hour)
	DefaultPulse        = Duration(time.Minute)
	DefaultConnections  = 4
	DefaultSlackAPI     = "https://slack.com/api/"
	DefaultPagerDuty    = "https://events.pagerduty.com"
	DefaultSlackRate    = 1.0 // what Slack grants for one channel
	DefaultSeverity     = "info"
	DefaultNoticesRoute = "everything" // the route that stands in when there is none
)

// fillNotices replaces what the file leaves out.
func (f *File) fillNotices(zone string) {
	f.SMTP.Parallel = cmp.Or(f.SMTP.Parallel, DefaultConnections)
	f.Slack.URL = cmp.Or(f.Slack.URL, DefaultSlackAPI)
	if f.Deadman.URL.Given() {
		f.Deadman.Every = cmp.Or(f.Deadman.Every, DefaultPulse)
	}
	for i := range f.Channels {
		if c := &f.Channels[i]; c.Kind == "slack" {
			c.PerSecond = cmp.Or(c.PerSecond, DefaultSlackRate)
		}
	}
	for i := range f.Routes {
		f.Routes[i].When.AtLeast = cmp.Or(f.Routes[i].When.AtLeast, DefaultSeverity)
		f.Routes[i].When.Hours.fill(zone)
	}
	for i := range f.OnCall {
		r := &f.OnCall[i]
		r.Name, r.Zone, r.Turn = cmp.Or(r.Name, r.ID), cmp.Or(r.Zone, zone), cmp.Or(r.Turn, DefaultTurn)
		r.Hours.fill(r.Zone)
	}
}

func (h *Hours) fill(zone string) {
	if h.Given() {
		h.Zone = cmp.Or(h.Zone, zone)
	}
}

// Given reports whether the file narrows by hours at all.
func (h Hours) Given() bool {
	return h.Zone != "" || len(h.Days) > 0 || h.From != "" || h.To != "" || h.Outside
}

// EffectiveRoutes gives the routes of the file, or the one that stands in for
// them: everything to every channel that is nobody's fallback.
func (f *File) EffectiveRoutes() []Route {
	if len(f.Routes) > 0 {
		return f.Routes
	}
	fallback := map[string]bool{}
	for _, c := range f.Channels {
		fallback[c.Fallback] = true
	}
	all := Route{ID: DefaultNoticesRoute, When: When{AtLeast: DefaultSeverity}}
	for _, c := range f.Channels {
		if !fallback[c.ID] {
			all.To = append(all.To, c.ID)
		}
	}
	if len(all.To) == 0 {
		return nil
	}
	return []Route{all}
}

// eachNoticeSecret visits the secrets of notices, with their paths.
func (f *File) eachNoticeSecret(visit func(path string, s *Secret)) {
	visit("smtp.url", &f.SMTP.URL)
	visit("smtp.password", &f.SMTP.Password)
	visit("slack.token", &f.Slack.Token)
	visit("slack.signing_secret", &f.Slack.SigningSecret)
	visit("deadman.url", &f.Deadman.URL)
	for i := range f.Channels {
		c, at := &f.Channels[i], "channels["+strconv.Itoa(i)+"]"
		visit(at+".url", &c.URL)
		visit(at+".token", &c.Token)
		visit(at+".secret", &c.Secret)
	}
}
