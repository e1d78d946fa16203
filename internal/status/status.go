// Package status is the wing that watches: components and the monitors that
// check them, verdicts, spans and exact uptime, maintenance, and the model of
// the page. It holds types, rules and services; no HTTP, SQL, YAML or Redis
// type enters it. Ports at the bottom of the wing are in ports.go.
package status

// Status is the state of a component, in Atlassian Statuspage's vocabulary,
// plus NotMeasured for time in which nothing could be said.
type Status string

// The states of a component, design section 5.
const (
	Operational      Status = "operational"
	Degraded         Status = "degraded_performance"
	PartialOutage    Status = "partial_outage"
	MajorOutage      Status = "major_outage"
	UnderMaintenance Status = "under_maintenance"
	NotMeasured      Status = "not_measured" // in spans only: the hub was off, or could not tell
)

// severity orders states for a roll-up: higher is worse.
var severity = map[Status]int{
	NotMeasured: 0, Operational: 1, UnderMaintenance: 2, Degraded: 3, PartialOutage: 4, MajorOutage: 5,
}

// Worse reports whether s is worse than t in a roll-up.
func (s Status) Worse(t Status) bool { return severity[s] > severity[t] }

// Valid reports whether s is one of the states.
func (s Status) Valid() bool { _, ok := severity[s]; return ok }

// Outage reports whether time in s counts against uptime.
func (s Status) Outage() bool { return s == PartialOutage || s == MajorOutage }

// Indicator is the roll-up of a page: none, minor, major, critical or maintenance.
type Indicator string

// The indicators of Statuspage's status object.
const (
	IndicatorNone        Indicator = "none"
	IndicatorMinor       Indicator = "minor"
	IndicatorMajor       Indicator = "major"
	IndicatorCritical    Indicator = "critical"
	IndicatorMaintenance Indicator = "maintenance"
)

// Publish is the policy by which a machine verdict reaches the page.
type Publish string

// The policies. The zero value means PublishAuto.
const (
	PublishAuto         Publish = "auto"          // a confirmed verdict moves the page at once
	PublishAfterConfirm Publish = "after_confirm" // a person confirms first; when nobody does within PublishAfter, the page moves by itself, dated back
	PublishManual       Publish = "manual"        // only people move the page
)
