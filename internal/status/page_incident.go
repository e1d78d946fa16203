package status

import (
	"strings"
	"time"
)

// Incident is what customers may know of an incident: suspected, draft and
// private ones never become one of these. The hall makes it from the wing of
// incidents; the board names its components and leaves out those that are not
// public.
type Incident struct {
	ID, Name                        string
	Status, Impact                  string // Statuspage's words: investigating …, none …
	CreatedAt, UpdatedAt, StartedAt time.Time
	MonitoringAt, ResolvedAt        time.Time // zero: not yet
	NextUpdateAt                    time.Time // by when the next word was promised; zero for no promise
	Backfilled                      bool      // written down when it was over
	Components                      []IncidentComponent
	Updates                         []IncidentUpdate // newest first
	Review                          IncidentReview
	// MergedInto is the incident that took its place; nothing else is told then.
	MergedInto string
}

// IncidentComponent is a component of an incident and what the incident says of it.
type IncidentComponent struct {
	Key      string
	ID, Name string // filled in by the board
	Status   Status // "" when the incident says nothing of it yet
}

// IncidentUpdate is one published update.
type IncidentUpdate struct {
	ID, Status string
	Body       string    // Markdown
	At         time.Time // the moment it stands at
	CreatedAt  time.Time // when it was written
	EditedAt   time.Time // zero: never
	Deliver    bool      // subscribers were told
	Moves      []IncidentMove
}

// IncidentMove is what an update changed about a component.
type IncidentMove struct {
	Key      string
	ID, Name string // filled in by the board
	From, To Status // "" when nothing was said of it
}

// IncidentReview is the published postmortem; its Body is "" while there is none.
type IncidentReview struct {
	Body        string // Markdown
	PublishedAt time.Time
	EditedAt    time.Time // zero: never
}

// The states and impacts of an incident that this wing asks for.
const (
	incidentResolved   = "resolved"
	incidentPostmortem = "postmortem"
	incidentIdentified = "identified"
	incidentMonitoring = "monitoring"
)

// Open reports whether the incident is not over.
func (i *Incident) Open() bool {
	return i.MergedInto == "" && i.Status != incidentResolved && i.Status != incidentPostmortem
}

// Worst is the status of a page that the impact of an incident amounts to.
func (i *Incident) Worst() Status {
	switch i.Impact {
	case string(IndicatorMinor):
		return Degraded
	case string(IndicatorMajor):
		return PartialOutage
	case string(IndicatorCritical):
		return MajorOutage
	default:
		return Operational
	}
}

// Affects reports whether a component, by ID, is one of the incident's.
func (i *Incident) Affects(id string) bool {
	for n := range i.Components {
		if i.Components[n].ID == id {
			return true
		}
	}
	return false
}

// StateSince is since when the incident is in its present state: the first of
// the updates in a row that said so.
func (i *Incident) StateSince() time.Time {
	at := i.StartedAt
	for n := range i.Updates {
		if i.Updates[n].Status != i.Status {
			break
		}
		at = i.Updates[n].At
	}
	return at
}

// ended is when the incident was over, forever while it is not.
func (i *Incident) ended() int64 {
	if i.Open() || i.ResolvedAt.IsZero() {
		return forever
	}
	return i.ResolvedAt.UnixMicro()
}

// IncidentPage is everything an incident's own page says.
type IncidentPage struct {
	Page     *Page // site, time, navigation
	Incident Incident
	Facts    []IncidentFact // what checks saw meanwhile, oldest first
	// MovedTo is the incident that took its place; nothing else is told then.
	MovedTo string
}

// IncidentFact is a change of a component that our checks saw during an incident.
type IncidentFact struct {
	At     time.Time
	ID     string // of the component
	Name   string
	Status Status
}

// asSentence makes a title a sentence.
func asSentence(title string) string {
	title = strings.TrimSpace(title)
	if title == "" || strings.ContainsAny(title[len(title)-1:], ".!?") || strings.HasSuffix(title, "…") {
		return title
	}
	return title + "."
}
