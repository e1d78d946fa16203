// Package config is evenkeel.yaml as one typed, documented, strictly validated
// struct. The comments on its fields are the manual. It is a leaf: it knows
// what the file says, not what becomes of it.
package config

import "time"

// Duration is a time span in the file: whole numbers with s, m, h or d, joined
// (1h30m, 90d), or ms below a second.
type Duration time.Duration

// D gives the duration as Go's.
func (d Duration) D() time.Duration { return time.Duration(d) }

// File is the whole of evenkeel.yaml.
type File struct {
	// What visitors see and what is watched.
	Page        Page        `yaml:"page"`        // the public page
	Groups      []Group     `yaml:"groups"`      // headings over components
	Components  []Component `yaml:"components"`  // what customers know by name
	Monitors    []Monitor   `yaml:"monitors"`    // the checks of the components
	Sentinels   []Monitor   `yaml:"sentinels"`   // monitors of targets outside, without component, that tell whether we ourselves are connected
	Maintenance []Window    `yaml:"maintenance"` // planned maintenance
	Locations   []Location  `yaml:"locations"`   // places from which probes run, beside local
	Retention   Retention   `yaml:"retention"`   // how long things are kept
	SignIn      SignIn      `yaml:"sign_in"`     // how people come into the console

	// Who is told, and how.
	SMTP        SMTP        `yaml:"smtp"`        // the server that takes our mail
	Slack       Slack       `yaml:"slack"`       // our app in a Slack workspace
	Channels    []Channel   `yaml:"channels"`    // the places where staff are told
	Routes      []Route     `yaml:"routes"`      // who of the staff is told what
	OnCall      []Rotation  `yaml:"oncall"`      // people who take turns
	Subscribers Subscribers `yaml:"subscribers"` // how people outside are told
	Deadman     Deadman     `yaml:"deadman"`     // the heartbeat out, by which others watch this hub

	// Who writes in.
	Mailboxes   []Mailbox `yaml:"mailboxes"`   // mailboxes whose mails become tickets
	Answers     string    `yaml:"answers"`     // answers that the hub writes, as when an incident is over: review (default: a person releases them) or auto
	Acknowledge bool      `yaml:"acknowledge"` // tell everybody who writes in, once, that their mail has come; default false
	Desk        Desk      `yaml:"desk"`        // how tickets are worked on

	// How the hub itself runs. These take effect at the next start.
	Listen      string      `yaml:"listen"`          // main listener; default 127.0.0.1:8080
	AdminListen string      `yaml:"admin_listen"`    // metrics and management, without sign-in, so keep it private; default 127.0.0.1:8081
	Data        string      `yaml:"data"`            // folder for everything kept on disk; default data, beside the file
	KeyFile     string      `yaml:"key_file"`        // keys that seal secrets in the database; default secret.key in the data folder, made at the first start. Replicas need the same one
	Database    Engine      `yaml:"database"`        // url: empty = SQLite in the data folder; postgres://…
	Redis       Engine      `yaml:"redis"`           // url: empty = in process; redis://, rediss://, unix://, redis+sentinel://, redis+cluster://
	Blobs       Engine      `yaml:"blobs"`           // url: empty = in the database
	Log         Log         `yaml:"log"`             // what the log says, and how
	Proxies     []string    `yaml:"trusted_proxies"` // networks whose X-Forwarded-For is believed
	Probe       ProbeLimits `yaml:"probe"`           // guards the hub itself and the network it stands in
	Blackbox    Blackbox    `yaml:"blackbox"`        // /probe?target=&module= for Prometheus, off by default
	Pprof       bool        `yaml:"pprof"`           // profiles under /debug/pprof/ on the admin listener; default false

	lines *lines          // where it defines things; nil when it was not read from text
	made  map[string]bool // what was defined in the console, by the name of its document
}

// Settings gives the file without what it defines: how the hub itself runs, and
// what the page says of itself. It is small, whatever is watched.
func (f File) Settings() File {
	f.Groups, f.Components, f.Monitors, f.Sentinels, f.Maintenance = nil, nil, nil, nil, nil
	f.made = nil
	return f
}

// Engine names an engine by URL.
type Engine struct {
	URL string `yaml:"url"` // empty = what is built in; may hold a password, which no log shows
}

// Log says how to log.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error; default info
	Format string `yaml:"format"` // json or text; default json unless at a terminal
}

// Page is the public page.
type Page struct {
	Name             string  `yaml:"name"`              // of the organisation or product; required
	URL              string  `yaml:"url"`               // where visitors reach it, e.g. https://status.example.org
	TimeZone         string  `yaml:"time_zone"`         // IANA zone, default Etc/UTC
	Home             string  `yaml:"home"`              // the organisation's own site
	ReportURL        string  `yaml:"report_url"`        // where "Report a problem" leads: https:// or mailto:
	Uptime           Weights `yaml:"uptime"`            // the uptime formula, which the page prints
	StrictStatuspage bool    `yaml:"strict_statuspage"` // true: an open incident does not raise the indicator of /api/v2 above that of the components
}

// Weights is the uptime formula: how much of each kind of trouble counts, 0 to 1.
type Weights struct {
	Major    *float64 `yaml:"major"`    // default 1
	Partial  *float64 `yaml:"partial"`  // default 0.3
	Degraded *float64 `yaml:"degraded"` // default 0
}

// Group is a heading over components.
type Group struct {
	ID   string `yaml:"id"`   // lower-case letters, digits and dashes, at most 64
	Name string `yaml:"name"` // default: the id
	Was  string `yaml:"was"`  // former id, to keep history through a rename
}

// Component is what customers see.
type Component struct {
	ID           string   `yaml:"id"`            // stands in links and metrics
	Name         string   `yaml:"name"`          // default: the id
	Description  string   `yaml:"description"`   // a sentence for visitors
	Group        string   `yaml:"group"`         // id of a group; a group that is only named here is made
	Needs        []string `yaml:"needs"`         // ids of components it cannot work without; no cycles
	Public       *bool    `yaml:"public"`        // on the page; default true
	Runbook      string   `yaml:"runbook"`       // URL for staff
	Publish      string   `yaml:"publish"`       // auto (default), after_confirm, manual
	Aliases      []string `yaml:"aliases"`       // what customers call it besides, in any language: their mails are told by these words
	PublishAfter Duration `yaml:"publish_after"` // with after_confirm: how long a person has; default 10m
	Was          string   `yaml:"was"`           // former id, to keep history through a rename
}

// Monitor is one check. Which keys beyond the first block apply depends on the kind;
// keys that do not apply to the kind are errors.
type Monitor struct {
	ID        string   `yaml:"id"`        // stands in metrics and the API; unique among monitors and sentinels
	Component string   `yaml:"component"` // id of the component it checks
	Name      string   `yaml:"name"`      // for staff; default: the id
	Kind      string   `yaml:"kind"`      // http (HTTP/1.1), tcp, tls, dns, icmp, grpc, redis, postgres, mongodb, smtp, imap, kubernetes, exec, heartbeat, statuspage, prometheus (value), sql (value), redis_length (value)
	Was       string   `yaml:"was"`       // former id, to keep history through a rename
	Interval  Duration `yaml:"interval"`  // default 60s, at least 1s
	Timeout   Duration `yaml:"timeout"`   // default 10s or 8/10 of the interval, less than the interval
	Retries   int      `yaml:"retries"`   // tries again inside one run, within its timeout; default 0
	Locations []string `yaml:"locations"` // default [local]
	Public    *bool    `yaml:"public"`    // its latency may be drawn on the page; default true

	// From results to a verdict.
	Confirm    int      `yaml:"confirm"`     // failed results in a row to go down; default 2
	Recover    int      `yaml:"recover"`     // good results in a row to come back; default 2
	Slow       Duration `yaml:"slow"`        // latency above which it is slow
	SlowFor    int      `yaml:"slow_for"`    // slow results in a row to be degraded; default 3
	Quorum     int      `yaml:"quorum"`      // locations that must agree; default strict majority
	Fails      string   `yaml:"fails"`       // what a failure means: major_outage, partial_outage, degraded_performance; default by the roll-up
	Flap       Flap     `yaml:"flap"`        // when changes are too many to tell one by one
	PublicText string   `yaml:"public_text"` // the public sentence while it fails

	// Where.
	URL        string `yaml:"url"`         // http, grpc, kubernetes, statuspage, redis, postgres, mongodb, prometheus, sql, redis_length, smtp, imap
	Target     string `yaml:"target"`      // host:port: tcp, tls, dns (the server to ask), or in place of url: grpc, redis, redis_length, mongodb, smtp, imap; host: icmp
	IP         string `yaml:"ip"`          // any (default), 4, 6
	Proxy      string `yaml:"proxy"`       // http, https or socks5 URL; none by default
	Resolver   string `yaml:"resolver"`    // host:port of the DNS server to ask
	Fresh      *bool  `yaml:"fresh"`       // a new connection for every run (default true); false keeps connections
	FreshEvery int    `yaml:"fresh_every"` // with fresh: false, every k-th run opens a new connection anyway, so that connect and TLS stay measured

	// TLS.
	TLS        TLS      `yaml:"tls"`                 // how the connection is secured
	StartTLS   string   `yaml:"starttls"`            // tcp: smtp, imap, pop3, ftp, ldap or postgres, whose way of changing to TLS is used; smtp and imap: required
	CertWithin Duration `yaml:"cert_expires_within"` // slow (warning) when the certificate expires sooner; http default 0 = off, tls default 14d
	CertFails  Duration `yaml:"cert_fails_within"`   // failed when it expires sooner; default 0 = only when expired

	// HTTP.
	Method    string            `yaml:"method"`    // default GET
	Body      string            `yaml:"body"`      // what is sent
	BodyFile  string            `yaml:"body_file"` // a file holding what is sent
	Headers   map[string]string `yaml:"headers"`   // values may be ${NAME} from the environment
	Host      string            `yaml:"host"`      // Host header, where it is not the URL's
	Redirects *int              `yaml:"redirects"` // how many to follow, default 5; 0 = none
	MaxBody   int64             `yaml:"max_body"`  // bytes read at most, default 1 MiB
	Auth      Auth              `yaml:"auth"`      // who we are to the target
	Expect    Expect            `yaml:"expect"`    // what a good answer looks like

	// TCP send and expect, SQL, DNS, exec, heartbeat, value: each its own block.
	Send      []Step            `yaml:"send"`              // TCP: what is said and answered, in order
	Query     string            `yaml:"query"`             // DNS name, SQL text, PromQL
	Record    string            `yaml:"record"`            // DNS: A, AAAA, CNAME, MX, NS, TXT, SOA, SRV, PTR, CAA
	Transport string            `yaml:"transport"`         // DNS: udp (default), tcp, tls
	Count     int               `yaml:"count"`             // ICMP: packets a run, default 3
	Size      int               `yaml:"size"`              // ICMP: payload bytes, default 56
	Service   string            `yaml:"service"`           // gRPC service name
	Command   []string          `yaml:"command"`           // exec: program and arguments; no shell
	Env       map[string]string `yaml:"env"`               // exec: the environment of the program, beside PATH; values may be ${NAME} from ours
	Schedule  Schedule          `yaml:"schedule"`          // heartbeat: when pings are due
	Grace     Duration          `yaml:"grace"`             // heartbeat: how late a ping may be; default 1m
	Token     Secret            `yaml:"token"`             // heartbeat: the last part of /ping/{token}
	Value     Value             `yaml:"value"`             // value monitors: unit and thresholds
	Key       string            `yaml:"key"`               // redis_length: list, stream, set, hash or sorted set
	Incidents *bool             `yaml:"incidents"`         // statuspage: whether the remote page's named components decide (false) or its indicator (true, default)
	Remote    []string          `yaml:"remote_components"` // statuspage: names or ids of the remote components that matter
}

// Flap is when changes are too many to tell one by one.
type Flap struct {
	Changes int      `yaml:"changes"` // default 6
	Within  Duration `yaml:"within"`  // default 1h
}

// TLS is how a connection is secured and what is demanded of the other side.
type TLS struct {
	CAFile     string `yaml:"ca_file"`     // certificates to trust instead of the system's, PEM
	CertFile   string `yaml:"cert_file"`   // client certificate
	KeyFile    string `yaml:"key_file"`    // its key
	ServerName string `yaml:"server_name"` // name the certificate must be for; default the host
	MinVersion string `yaml:"min_version"` // 1.2 (default), 1.3
	Insecure   bool   `yaml:"insecure"`    // do not verify; the monitor says so wherever it is shown
}

// Auth is who we are to the target. At most one way.
type Auth struct {
	Username string `yaml:"username"` // with password: basic sign-in, or the protocol's own
	Password Secret `yaml:"password"`
	Bearer   Secret `yaml:"bearer"` // token for Authorization: Bearer
	OAuth2   OAuth2 `yaml:"oauth2"` // client credentials
}

// OAuth2 is the client-credentials grant.
type OAuth2 struct {
	TokenURL     string   `yaml:"token_url"` // where tokens are had
	ClientID     string   `yaml:"client_id"`
	ClientSecret Secret   `yaml:"client_secret"`
	Scopes       []string `yaml:"scopes"`
}

// Secret is a value that is never shown. In the file it is one of
// {env: NAME}, {file: PATH} or, for tests, a plain string.
type Secret struct {
	Env    string
	File   string
	Plain  string
	Sealed string // in a definition made in the console: what was plain, sealed
}

// Expect is what a good answer looks like. All that is given must hold.
type Expect struct {
	Status    []string          `yaml:"status"`    // 200, 2xx, 200-299; default 2xx
	Header    map[string]string `yaml:"header"`    // name → regular expression
	Body      string            `yaml:"body"`      // regular expression that must match
	BodyNot   string            `yaml:"body_not"`  // regular expression that must not match
	JSON      map[string]string `yaml:"json"`      // JSON path → expected value, or ~regular expression
	Records   []string          `yaml:"records"`   // DNS: this set exactly
	Contains  []string          `yaml:"contains"`  // DNS: at least these
	Row       []string          `yaml:"row"`       // SQL: the first row
	Keyword   string            `yaml:"keyword"`   // banner or reply must contain
	Condition string            `yaml:"condition"` // expression over the typed result: status == 200 && latency < 300 && body.ok
}

// Step is one exchange with a TCP server.
type Step struct {
	Send   string `yaml:"send"`   // sent as it is; write \r\n in double quotes for line ends
	Expect string `yaml:"expect"` // regular expression on the next line
}

// Schedule is when pings are due: every, or cron with zone.
type Schedule struct {
	Every Duration `yaml:"every"` // so often, counted from the last ping
	Cron  string   `yaml:"cron"`  // five fields
	Zone  string   `yaml:"zone"`  // default the page's
}

// Value is what a number means.
type Value struct {
	Unit      string   `yaml:"unit"`       // shown beside the number, e.g. items, MB, %
	Label     string   `yaml:"label"`      // exec: which perfdata label
	WarnOver  *float64 `yaml:"warn_over"`  // slow above this
	FailOver  *float64 `yaml:"fail_over"`  // failed above this
	WarnUnder *float64 `yaml:"warn_under"` // slow below this
	FailUnder *float64 `yaml:"fail_under"` // failed below this
}

// Window is planned maintenance: from/to, or rrule with start, zone and duration.
type Window struct {
	ID          string      `yaml:"id"`
	Title       string      `yaml:"title"`       // for visitors; default: the id
	Description string      `yaml:"description"` // for visitors, Markdown
	Components  []string    `yaml:"components"`  // ids of what is affected
	From        string      `yaml:"from"`        // 2026-11-22T05:00 in zone, or RFC 3339
	To          string      `yaml:"to"`
	RRule       string      `yaml:"rrule"`    // RFC 5545, e.g. FREQ=WEEKLY;BYDAY=SU
	Start       string      `yaml:"start"`    // local first start of a recurring window
	Zone        string      `yaml:"zone"`     // default the page's
	Duration    Duration    `yaml:"duration"` // of each recurrence
	Remind      *[]Duration `yaml:"remind"`   // when people are reminded of it, before it begins; default [24h, 1h], [] = never
	Was         string      `yaml:"was"`      // former id, to keep history through a rename
}

// Location is a place from which probes run.
type Location struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"` // default: the id
}

// Retention is how long things are kept; 0 keeps for ever.
type Retention struct {
	Samples   Duration `yaml:"samples"`   // raw latency, at most 48h
	Histories Duration `yaml:"histories"` // daily histograms, default 400d
	Decisions Duration `yaml:"decisions"` // default 90d
	Spans     Duration `yaml:"spans"`     // default 0: for ever; months stay frozen anyway
	Mail      Duration `yaml:"mail"`      // the sources of received mails; default 0: as long as their tickets
}

// ProbeLimits guards the hub itself and the network it stands in.
type ProbeLimits struct {
	Concurrency    int      `yaml:"concurrency"`     // probes under way at once, beyond which results are inconclusive; default 4096
	AllowPrivate   *bool    `yaml:"allow_private"`   // monitors may reach private and loopback addresses; default true for the file
	ConsolePrivate bool     `yaml:"console_private"` // monitors that were made in the console may reach them too; default false
	Deny           []string `yaml:"deny"`            // networks no probe may reach; link-local and metadata addresses always are
	UserAgent      string   `yaml:"user_agent"`      // of HTTP probes that set none; default evenkeel with its version
}

// Blackbox switches /probe?target=&module= on.
type Blackbox struct {
	Enabled bool               `yaml:"enabled"` // default false
	Modules map[string]Monitor `yaml:"modules"` // kind and options; the target comes with the request
	Allow   []string           `yaml:"allow"`   // regular expressions, each of whole targets that may be probed, e.g. https://[a-z]+\.example\.org/.*
}
