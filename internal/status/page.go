package status

import "time"

// Page is everything the public front page says: a pure function of the
// journal position and the minute. It holds no markup. Strings are plain text
// for visitors; no target, host, address or error string is ever among them.
type Page struct {
	Site        Site
	Seq         int64     // journal position it was made at
	At          time.Time // the minute it was made for, UTC
	Changed     time.Time // when anything on it last changed, UTC
	Status      Status    // worst of all public components and open incidents
	Indicator   Indicator // of Status, or of the components alone where the site is Strict
	Description string    // Statuspage's sentence: "All Systems Operational", …
	Headline    Headline  // ours
	Groups      []PageGroup
	Current     []Occurrence // maintenance in progress
	Ahead       []Occurrence // scheduled, by start, at most 30 days ahead
	Finished    []Occurrence // completed or cancelled in the last 30 days, newest first, at most 50
	Failures    []Failure    // confirmed failures that no open incident tells of: red is never silent
	Incidents   []Incident   // open, the worst first
	Recent      []Incident   // open and over, newest start first, at most 50
	Past        []PastDay    // the last 15 days, newest first
	Weights     Weights
	Sparklines  bool // up to 40 components show their latency line here
}

// Headline is the verdict in words, in two tones.
type Headline struct {
	Status Status
	Title  string // what is wrong: "Search is slower than usual."
	Rest   string // what is not: "Everything else is working."; "" when there is nothing to add
	Lead   string // one or two sentences with clock times
}

// PageGroup is a heading and its components; ID "" holds those without a group.
type PageGroup struct {
	ID, Name   string
	Status     Status
	Components []PageComponent
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Position   int
}

// PageComponent is one row.
type PageComponent struct {
	ID, Name, Description string
	Key                   string // for subscriptions; it is never shown
	Group                 string
	Position              int
	Status                Status
	Since                 time.Time // start of the present status
	Why                   string    // the public sentence for the present status; "" when operational
	CreatedAt, UpdatedAt  time.Time
	Days                  []Day         // 90, oldest first, today last, in the page's zone
	Uptime                float64       // over the 90 days, 0 to 1; NaN when never measured
	Line                  []float64     // 24 hourly medians in seconds, oldest first, NaN for none; nil without sparkline
	Median                time.Duration // newest known median; 0 for none
}

// Day is one bar. Tally is zero in the bars of a component, where the worst and
// the story say all that is shown.
type Day struct {
	Date   time.Time // local midnight
	Worst  Status
	Tally  Tally
	Story  string // one sentence; "" on a quiet day
	Before bool   // before the component existed
}

// Failure is a confirmed failure that no incident explains yet.
type Failure struct {
	Component string // ID
	Name      string
	Status    Status
	Since     time.Time
	Text      string // "Our checks see failures on X since 03:02 UTC. The team has been alerted."
}

// PastDay is one line of "Past incidents": a day, or several quiet ones in a row.
type PastDay struct {
	From, To  time.Time   // local midnights, equal for one day
	Incidents []Incident  // that began on it
	Events    []PastEvent // that no incident tells of
}

// Quiet reports whether there is nothing to tell.
func (d *PastDay) Quiet() bool { return len(d.Incidents) == 0 && len(d.Events) == 0 }

// PastEvent is one trouble of one component on a past day.
type PastEvent struct {
	Component, Name string
	Status          Status
	From, To        time.Time // To zero while it lasts
	Text            string
}

// ComponentPage is everything a component's own page says.
type ComponentPage struct {
	Page      *Page // site, time, navigation
	Component PageComponent
	Rows      []UptimeRow // 24 h, 7, 30, 90, 365 days
	Months    []MonthRow  // newest first
	Changes   []Span      // published, newest first, at most 50; Staff is empty
	Charts    []Chart     // 24 h, 7 d, 90 d; one set per public monitor
	Needs     []PageComponent
	Incidents []Incident      // that affected it in the last 90 days, newest start first, at most 20
	Corrected []Rectification // what was corrected by hand, newest first, at most 20
}

// Rectification is a stretch of the past that was corrected by hand, in the open.
type Rectification struct {
	At       time.Time // when it was corrected
	From, To time.Time // what it concerns
	Delta    Tally     // what it changed; its fields sum to zero
	Reason   string    // a person's words, for everybody
	Undone   time.Time // when it was taken back; zero: it stands
}

// UptimeRow is one period of the uptime table.
type UptimeRow struct {
	Label    string
	From, To time.Time
	Tally    Tally
	Uptime   float64 // NaN when nothing was measured
}

// MonthRow is one calendar month, frozen or still open.
type MonthRow struct {
	Month       time.Time // local first of the month
	Tally       Tally
	Uptime      float64
	Frozen      bool
	Corrections []Correction
}

// Chart is one latency (or value) chart.
type Chart struct {
	Monitor  string // ID
	Name     string
	Span     string // 24h, 7d, 90d
	Unit     string // s, or the value monitor's unit
	From, To time.Time
	Step     time.Duration
	Median   []float64 // NaN for gaps; of a value by the hour or day, its mean
	P95      []float64 // of a value by the hour or day, its greatest
	Limit    float64   // 0 for none
	Shades   []Shade
}

// Shade is a stretch of a chart in which the component was not operational.
type Shade struct {
	From, To time.Time
	Status   Status
}

// HistoryMonth is one month of the history page.
type HistoryMonth struct {
	Month  time.Time
	Uptime float64 // of the page: mean over components; NaN when nothing was measured
	Days   []Day   // worst over all public components
	// Incidents that began in it, and troubles that none of them tells of; both
	// newest day first.
	Incidents []Incident
	Events    []PastEvent
}
