package status

import "time"

// Component is what customers see. Key is stable for ever and names the
// component in spans, samples and the journal; ID is what the file and URLs
// say and may change by a rename (was:).
type Component struct {
	Key          string
	ID           string
	Name         string
	Description  string
	Group        string   // group id, "" for none
	Needs        []string // component IDs this one needs: one hop of suppression, no cycles
	Public       bool
	Runbook      string // URL for staff
	Position     int
	Publish      Publish
	PublishAfter time.Duration
	CreatedAt    time.Time
	RemovedAt    time.Time // zero while it is defined; history is kept after removal
	Version      int64
}

// Group is a heading over components.
type Group struct {
	Key       string
	ID        string
	Name      string
	Position  int
	CreatedAt time.Time
	RemovedAt time.Time
	Version   int64
}

// Monitor is one check of one component, as far as verdicts are concerned.
// What exactly is probed is known to the monitors room alone.
type Monitor struct {
	Key       string
	ID        string
	Component string // component ID
	Name      string
	Kind      string // http, tcp, …
	Interval  time.Duration
	Locations []string // at least one; LocalLocation unless agents are configured
	Sentinel  bool     // tells whether we ourselves are connected; belongs to no component
	Unit      string   // of a value monitor; "" for latency monitors
	Public    bool     // its latency may be drawn on the page
	Rule      Rule
	CreatedAt time.Time
	RemovedAt time.Time
	Version   int64
}

// LocalLocation is the location of the hub's own probes.
const LocalLocation = "local"

// Rule is how a monitor's results become a verdict. Zero values mean the
// defaults that Defaults fills in.
type Rule struct {
	Confirm    int           // failed results in a row to go down; default 2
	Recover    int           // good results in a row to come back; default 2
	Slow       time.Duration // latency above which a result is slow; 0 = never
	SlowFor    int           // slow results in a row to be degraded; default 3
	Quorum     int           // locations that must agree; 0 = strict majority
	Fails      Status        // what a failure means for the component; "" = by the roll-up of all its monitors
	FlapCount  int           // changes within FlapWithin that make it flapping; default 6
	FlapWithin time.Duration // default 1 h
	PublicText string        // the public sentence instead of ours; "" = ours
}

// Defaults gives the rule with zero values replaced.
func (r Rule) Defaults() Rule {
	if r.Confirm == 0 {
		r.Confirm = 2
	}
	if r.Recover == 0 {
		r.Recover = 2
	}
	if r.SlowFor == 0 {
		r.SlowFor = 3
	}
	if r.FlapCount == 0 {
		r.FlapCount = 6
	}
	if r.FlapWithin == 0 {
		r.FlapWithin = time.Hour
	}
	return r
}

// Definition is everything that one configuration says about this wing: what
// Apply makes true. Keys are empty in it; Was names the former ID of a rename.
type Definition struct {
	Site       Site
	Groups     []DefinedGroup
	Components []DefinedComponent
	Monitors   []DefinedMonitor
	Windows    []Window
	WindowsWas map[string]string // window ID → former ID of a rename; nil for none
}

// DefinedGroup is a group as the file says it.
type DefinedGroup struct {
	Group
	Was string
}

// DefinedComponent is a component as the file says it.
type DefinedComponent struct {
	Component
	Was string
}

// DefinedMonitor is a monitor as the file says it. Mark changes when anything
// about the monitor changes (a hash), so that a plan can say so.
type DefinedMonitor struct {
	Monitor
	Was  string
	Mark string
}

// Site is what the page says about itself.
type Site struct {
	Name      string
	URL       string // public address, no trailing slash
	Zone      string // IANA zone in which days begin and times are written first
	Home      string // the organisation's own site, "" for none
	ReportURL string // where "Report a problem" leads; "" = the page's own form when there is one
	Simulated bool   // the demo: the page says that services are simulated and the past is generated
	Strict    bool   // Statuspage's own rule: its indicator follows components alone, not open incidents
	Weights   Weights
}

// Weights is the printed formula: how much of an outage counts, 0 to 1.
type Weights struct {
	Major    float64 // default 1
	Partial  float64 // default 0.3
	Degraded float64 // default 0
}

// Catalog is an immutable snapshot of what is defined now.
type Catalog struct {
	Site       Site
	Groups     []Group
	Components []Component // by position
	Monitors   []Monitor
	Windows    []Window
}
