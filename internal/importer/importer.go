// Package importer reads what other status pages export and says it in the
// words of the management API. It is a parser: it knows files and shapes, and
// neither HTTP nor what is done with the result.
package importer

import (
	"fmt"
	"time"

	"evenkeel/internal/problem"
)

// Limits of an export. Beyond them it is refused rather than taken in part.
const (
	MaxFile     = 64 << 20 // bytes
	MaxRows     = 50_000   // of one kind
	MaxProblems = 100      // that are listed
)

// Export is what another page told of itself.
type Export struct {
	Groups       []Group
	Components   []Component
	Incidents    []Incident // oldest start first
	Maintenances []Maintenance
	Subscribers  []Subscriber
}

// Group is a heading over components.
type Group struct {
	ID   string // as it was there
	Slug string // as it is to be here
	Name string
}

// Component is what customers see.
type Component struct {
	ID          string // as it was there
	Slug        string // as it is to be here
	Name        string
	Description string
	Group       string // id there; "" for none
	Position    int
}

// Incident is a trouble with its story.
type Incident struct {
	ID         string
	Name       string
	Impact     string // none, minor, major, critical
	StartedAt  time.Time
	ResolvedAt time.Time // zero: it is still open
	Updates    []Update  // oldest first
	Review     string    // postmortem; "" for none
	Components []Affected
}

// Update is one thing that was said.
type Update struct {
	State string // investigating, identified, monitoring, resolved
	Body  string
	At    time.Time
}

// Affected is the worst that was said of a component in an incident.
type Affected struct {
	Component string // id there
	Status    string // degraded_performance, partial_outage, major_outage
}

// Maintenance is planned work.
type Maintenance struct {
	ID         string
	Name       string
	Body       string
	From, To   time.Time
	Over       bool
	Components []string // ids there
}

// Subscriber is somebody who asked to be told.
type Subscriber struct {
	ID         string
	Mode       string // email, webhook, slack; what Evenkeel does not know stands as it is
	Address    string
	Components []string // ids there; none = everything
	Away       bool     // quarantined there: not taken
}

// finding gathers what is wrong with a file.
type finding struct {
	file string
	errs problem.Errors
	more int
}

func (f *finding) add(where, format string, args ...any) {
	if len(f.errs) == MaxProblems {
		f.more++
		return
	}
	if where != "" {
		where = ": " + where
	}
	f.errs = append(f.errs, problem.Invalid(f.file+where, format, args...))
}

// err gives all of it; nil when nothing is wrong.
func (f *finding) err() error {
	if f.more > 0 {
		f.errs = append(f.errs, problem.Invalid(f.file, "and %d more.", f.more))
		f.more = 0
	}
	return f.errs.Err()
}

// at names a row of a list.
func at(list string, n int) string { return fmt.Sprintf("%s[%d]", list, n) }
