package api

import "time"

// Incident is an incident as staff see it.
type Incident struct {
	ID          string         `json:"id"`
	Number      int64          `json:"number" doc:"What staff say aloud: 231 is INC-231"`
	Name        string         `json:"name"`
	State       string         `json:"state" enum:"suspected,investigating,identified,monitoring,resolved,postmortem"`
	Impact      string         `json:"impact" enum:"none,minor,major,critical"`
	Overridden  bool           `json:"impact_overridden" doc:"A person set the impact; otherwise it follows the components"`
	Visibility  string         `json:"visibility" enum:"draft,public,private"`
	Origin      string         `json:"origin" enum:"person,checks,alert,tickets,import"`
	Machine     bool           `json:"machine" doc:"No person has touched it yet"`
	Backfilled  bool           `json:"backfilled"`
	StartedAt   time.Time      `json:"started_at"`
	OpenedAt    time.Time      `json:"opened_at"`
	PublishedAt *time.Time     `json:"published_at" doc:"null while customers have not seen it"`
	IdleUntil   *time.Time     `json:"publish_after" doc:"A draft of the machine goes out then, unless a person acts"`
	MonitorAt   *time.Time     `json:"monitoring_at"`
	ResolvedAt  *time.Time     `json:"resolved_at"`
	NextUpdate  *time.Time     `json:"next_update_at"`
	GreenSince  *time.Time     `json:"green_since" doc:"All its components are well since: it may be over"`
	MergedInto  string         `json:"merged_into" doc:"Id of the incident that took its place; empty for none"`
	Components  []AffectedItem `json:"components"`
	Duties      []Duty         `json:"duties"`
	Tasks       []Task         `json:"tasks"`
	Links       []Link         `json:"links"`
	Runbook     string         `json:"runbook"`
	Postmortem  IncidentReview `json:"postmortem"`
	Version     int64          `json:"version" doc:"Grows with every change; send it back to be refused when somebody was first"`
	Updates     []IncidentLine `json:"updates,omitempty" doc:"Of a single incident: its timeline, oldest first"`
}

// AffectedItem is a component of an incident.
type AffectedItem struct {
	ID     string    `json:"id" doc:"Id of the component"`
	Status string    `json:"status"`
	Since  time.Time `json:"since"`
}

// Duty is who does what in an incident.
type Duty struct {
	Role   string    `json:"role" enum:"commander,communications,scribe"`
	Person string    `json:"person" doc:"Id; empty for nobody"`
	Since  time.Time `json:"since"`
}

// Task is one thing to do.
type Task struct {
	ID    string    `json:"id"`
	Text  string    `json:"text"`
	Owner string    `json:"owner"`
	Done  bool      `json:"done"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// Link ties an incident to a thing of ours (kind and id) or an address outside.
type Link struct {
	Kind     string `json:"kind,omitempty" maxLength:"32" doc:"ticket, release, deployment, rollback, incident, alert, monitor"`
	ID       string `json:"id,omitempty" maxLength:"96"`
	URL      string `json:"url,omitempty" maxLength:"2000"`
	Title    string `json:"title,omitempty" maxLength:"200"`
	Relation string `json:"relation" enum:"caused_by,fixed_by,reported_by,related,duplicate"`
}

// IncidentReview is the postmortem.
type IncidentReview struct {
	Body        string     `json:"body" doc:"Markdown"`
	PublishedAt *time.Time `json:"published_at"`
}

// IncidentLine is one line of a timeline.
type IncidentLine struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind" enum:"update,note,fact"`
	State       string            `json:"state"`
	Body        string            `json:"body" doc:"Markdown"`
	Verb        string            `json:"verb,omitempty" doc:"Of a fact: what happened"`
	Facts       map[string]string `json:"facts,omitempty"`
	Author      string            `json:"author"`
	CreatedAt   time.Time         `json:"created_at"`
	DisplayAt   time.Time         `json:"display_at"`
	PublishAt   *time.Time        `json:"publish_at" doc:"Scheduled publication"`
	PublishedAt *time.Time        `json:"published_at" doc:"null: a draft nobody has seen"`
	Deliver     bool              `json:"deliver" doc:"Subscribers are told"`
	Components  []ComponentChange `json:"components"`
	Version     int64             `json:"version"`
}

// ComponentChange is what an update said of a component.
type ComponentChange struct {
	ID   string `json:"id"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Incidents is a page of incidents, newest start first.
type Incidents struct {
	Incidents []Incident `json:"incidents"`
	Next      string     `json:"next" doc:"Send it back as after for the next page; empty at the end"`
}

// IncidentLines is a timeline, oldest first.
type IncidentLines struct {
	Updates []IncidentLine `json:"updates"`
}

// Says is what an update says of a component.
type Says struct {
	ID     string `json:"id" maxLength:"64" doc:"Id of the component"`
	Status string `json:"status" enum:"operational,degraded_performance,partial_outage,major_outage"`
}

// NewIncident declares an incident, or enters one that is over.
type NewIncident struct {
	Name       string       `json:"name" example:"Card payments fail at checkout"`
	State      string       `json:"state,omitempty" enum:"investigating,identified,monitoring,resolved" default:"investigating"`
	Impact     string       `json:"impact,omitempty" enum:"none,minor,major,critical" doc:"By the components when left out"`
	Components []Says       `json:"components,omitempty" maxItems:"500"`
	Body       string       `json:"body,omitempty" doc:"Markdown of the first update"`
	Publish    bool         `json:"publish,omitempty" doc:"At once; otherwise it stays a draft"`
	Deliver    *bool        `json:"deliver,omitempty" doc:"Tell subscribers; true by default"`
	Private    bool         `json:"private,omitempty" doc:"Staff alone see it, for good"`
	StartedAt  time.Time    `json:"started_at,omitzero"`
	Runbook    string       `json:"runbook,omitempty"`
	NextUpdate float64      `json:"next_update_s,omitempty" minimum:"0" doc:"Seconds until the next update is promised"`
	ResolvedAt time.Time    `json:"resolved_at,omitzero" doc:"Makes it back-filled: it is over, and nobody is told"`
	Updates    []PastUpdate `json:"updates,omitempty" maxItems:"200" doc:"Of a back-filled incident: what was said then"`
	Postmortem string       `json:"postmortem,omitempty" doc:"Of a back-filled incident, Markdown"`
}

// PastUpdate is one thing that was said then.
type PastUpdate struct {
	State string    `json:"state" enum:"investigating,identified,monitoring,resolved"`
	Body  string    `json:"body"`
	At    time.Time `json:"at"`
}

// EditedIncident changes an incident; what is left out stays.
type EditedIncident struct {
	Name       *string    `json:"name,omitempty"`
	Impact     *string    `json:"impact,omitempty" enum:"auto,none,minor,major,critical"`
	Components []Says     `json:"components,omitempty" maxItems:"500"`
	Visibility *string    `json:"visibility,omitempty" enum:"public,private"`
	Runbook    *string    `json:"runbook,omitempty"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	Reason     string     `json:"reason,omitempty" doc:"Why something that customers see is changed"`
}

// NewUpdate is an update to publish, to schedule or to keep as a draft.
type NewUpdate struct {
	Update     string    `json:"update,omitempty" doc:"Id of the draft that this publishes or replaces"`
	Body       string    `json:"body,omitempty" doc:"Markdown"`
	State      string    `json:"state,omitempty" enum:"investigating,identified,monitoring,resolved"`
	Impact     string    `json:"impact,omitempty" enum:"auto,none,minor,major,critical"`
	Components []Says    `json:"components,omitempty" maxItems:"500"`
	Deliver    *bool     `json:"deliver,omitempty" doc:"Tell subscribers; true by default"`
	At         time.Time `json:"at,omitzero" doc:"The moment it stands at; now by default, never later"`
	PublishAt  time.Time `json:"publish_at,omitzero" doc:"Publish it by itself then"`
	Draft      bool      `json:"draft,omitempty" doc:"Keep it as a draft"`
	NextUpdate float64   `json:"next_update_s,omitempty" minimum:"0"`
	Version    int64     `json:"version,omitempty" doc:"Of the incident as it was read"`
}

// EditedUpdate changes the words of an update.
type EditedUpdate struct {
	Body    string `json:"body"`
	Reason  string `json:"reason,omitempty"`
	Version int64  `json:"version,omitempty"`
}

// Words is a text.
type Words struct {
	Body string `json:"body" doc:"Markdown"`
}

// DutyOf gives a duty to somebody.
type DutyOf struct {
	Person string `json:"person" doc:"Id; empty for nobody"`
}

// NewTask is something to do.
type NewTask struct {
	Text  string `json:"text"`
	Owner string `json:"owner,omitempty"`
}

// TickedTask ticks a task or takes the tick back.
type TickedTask struct {
	Done bool `json:"done"`
}

// MergeInto names the incident that takes another one's place.
type MergeInto struct {
	Into string `json:"into" doc:"Id or number"`
}

// NewReview is a postmortem.
type NewReview struct {
	Body    string `json:"body"`
	Publish bool   `json:"publish,omitempty"`
	Deliver bool   `json:"deliver,omitempty" doc:"Tell subscribers"`
	Reason  string `json:"reason,omitempty" doc:"Why a published one is changed"`
}
