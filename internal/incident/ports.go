package incident

import (
	"context"
	"strings"
	"time"

	"evenkeel/internal/journal"
)

// Store keeps incidents in SQL. Methods that take a journal.Tx write inside
// that unit of work; the others read committed state. Updates compare and swap
// on Version (0 inserts). Errors: NotFound, Conflict, Unavailable.
type Store interface {
	// Incident gives one, by id.
	Incident(ctx context.Context, id string) (Incident, error)
	// IncidentByNumber gives one by what staff call it.
	IncidentByNumber(ctx context.Context, number int64) (Incident, error)
	// IncidentForUpdate reads one inside the unit of work.
	IncidentForUpdate(ctx context.Context, tx journal.Tx, id string) (Incident, error)
	// OpenIncidents gives every incident that is not over, oldest first, merged ones left out.
	OpenIncidents(ctx context.Context) ([]Incident, error)
	// OpenForUpdate is OpenIncidents as the unit of work sees it, with what it wrote.
	OpenForUpdate(ctx context.Context, tx journal.Tx) ([]Incident, error)
	// Incidents gives a page of those that match, newest start first.
	Incidents(ctx context.Context, q Query) ([]Incident, error)
	// PutIncident inserts (Version 0; Number is given then) or updates.
	PutIncident(ctx context.Context, tx journal.Tx, i *Incident) error

	// Updates gives all lines of one incident, oldest first by DisplayAt.
	// A merged incident has none: they moved on.
	Updates(ctx context.Context, incident string) ([]Update, error)
	// UpdatesOf gives the published updates of several incidents, by incident then DisplayAt.
	UpdatesOf(ctx context.Context, incidents []string) ([]Update, error)
	// Update gives one line.
	Update(ctx context.Context, id string) (Update, error)
	// UpdateForUpdate reads one line inside the unit of work.
	UpdateForUpdate(ctx context.Context, tx journal.Tx, id string) (Update, error)
	// DraftsForUpdate gives the unpublished updates of an incident inside the
	// unit of work, oldest first.
	DraftsForUpdate(ctx context.Context, tx journal.Tx, incident string) ([]Update, error)
	// DueUpdates gives drafts whose PublishAt has come, oldest first, at most limit.
	DueUpdates(ctx context.Context, now time.Time, limit int) ([]Update, error)
	// PutUpdate inserts (Version 0) or updates.
	PutUpdate(ctx context.Context, tx journal.Tx, u *Update) error
	// DropUpdate deletes a draft; Conflict when it was published.
	DropUpdate(ctx context.Context, tx journal.Tx, id string, version int64) error
	// MoveLines hangs every line and every alert of one incident on another.
	MoveLines(ctx context.Context, tx journal.Tx, from, to string) error

	// Templates gives all, by name.
	Templates(ctx context.Context) ([]Template, error)
	// PutTemplate inserts (Version 0) or updates; DropTemplate deletes.
	PutTemplate(ctx context.Context, tx journal.Tx, t *Template) error
	DropTemplate(ctx context.Context, tx journal.Tx, id string, version int64) error

	// AlertForUpdate reads one alert of a foreign system inside the unit of work,
	// by its source, fingerprint and start.
	AlertForUpdate(ctx context.Context, tx journal.Tx, source, fingerprint string, startsAt time.Time) (Alert, error)
	// FiringForUpdate gives the alerts of an incident that still fire, inside the
	// unit of work.
	FiringForUpdate(ctx context.Context, tx journal.Tx, incident string) ([]Alert, error)
	// PutAlert inserts or replaces an alert.
	PutAlert(ctx context.Context, tx journal.Tx, a Alert) error
	// Alerts gives the alerts of an incident, newest first, at most limit.
	Alerts(ctx context.Context, incident string, limit int) ([]Alert, error)
	// PruneAlerts deletes alerts that were over before a moment, at most limit of them.
	PruneAlerts(ctx context.Context, tx journal.Tx, before time.Time, limit int) (int, error)
}

// Alert is one alert of a foreign system, as far as incidents are concerned.
type Alert struct {
	Source      string // id of the hook it came through
	Fingerprint string
	StartsAt    time.Time
	Firing      bool
	Component   string // key, "" when it names none of ours
	Status      string // what it says of the component
	Incident    string // which it belongs to
	At          time.Time
}

// Query picks incidents. Zero fields do not narrow.
type Query struct {
	Seen      bool      // only what customers see
	Open      *bool     // only open, or only over
	Component string    // key
	States    []State   // in one of them
	Text      string    // in the title, in any case, or what staff call it: INC-231, 231
	From, To  time.Time // touching [From, To)
	NoPrivate bool      // leave private ones out
	Before    time.Time // page on: started before this,
	// BeforeNumber, with Before: or at that moment under a lower number.
	BeforeNumber int64
	Limit        int // required, at most MaxPage
}

// Number gives the number that Text names, when it does: whoever seeks INC-231
// or 231 means that one, whatever is written in titles.
func (q Query) Number() (int64, bool) { return numbered(strings.TrimSpace(q.Text)) }

// Component is what this wing knows of a component.
type Component struct {
	Key, ID, Name, Group string
	Needs                []string // keys
	Public               bool
	Runbook              string
	Policy               string        // auto, after_confirm, manual
	PublishAfter         time.Duration // with auto and after_confirm: how long a person has; 0 = DefaultPublishAfter
	Status               string        // published now
	Observed             string        // what checks see now
}

// Components tells what components there are. Errors: Unavailable.
type Components interface {
	// Known gives every component, in the order of the page, from memory.
	Known() []Component
}
