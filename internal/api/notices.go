package api

import "time"

// Delivery is one event to one recipient through one channel.
type Delivery struct {
	ID        string     `json:"id"`
	Channel   string     `json:"channel"`
	Recipient string     `json:"recipient" doc:"subscriber/ID, person/ID or route/ID: never an address"`
	Event     string     `json:"event" example:"incident.updated"`
	EventID   string     `json:"event_id"`
	Subject   string     `json:"subject" doc:"kind/id"`
	Alert     string     `json:"alert" doc:"Id; empty for none"`
	State     string     `json:"state" enum:"queued,sending,retrying,sent,failed,suppressed"`
	Attempts  int        `json:"attempts"`
	Reason    string     `json:"reason" doc:"Why it waits, failed or was suppressed"`
	CreatedAt time.Time  `json:"created_at"`
	NextAt    *time.Time `json:"next_at" doc:"Not before; null when nothing more happens by itself"`
	SentAt    *time.Time `json:"sent_at"`
}

// Deliveries is a page of deliveries, newest first.
type Deliveries struct {
	Deliveries []Delivery `json:"deliveries"`
	Next       string     `json:"next" doc:"Send it back as after for the next page; empty at the end"`
}

// Alert is a thing that staff must react to.
type Alert struct {
	ID         string     `json:"id"`
	Subject    string     `json:"subject" doc:"kind/id"`
	Severity   string     `json:"severity"`
	Components []string   `json:"components" doc:"Ids"`
	State      string     `json:"state" enum:"firing,acknowledged,silenced,suppressed,over"`
	Route      string     `json:"route"`
	Step       int        `json:"step" doc:"Steps of the escalation that were taken"`
	Reminders  int        `json:"reminders"`
	OpenedAt   time.Time  `json:"opened_at"`
	FiringAt   *time.Time `json:"firing_at"`
	AckedAt    *time.Time `json:"acknowledged_at"`
	AckedBy    string     `json:"acknowledged_by"`
	Until      *time.Time `json:"silenced_until"`
	OverAt     *time.Time `json:"over_at"`
	Reason     string     `json:"reason"`
}

// Alerts is a page of alerts, newest first.
type Alerts struct {
	Alerts []Alert `json:"alerts"`
	Next   string  `json:"next" doc:"Send it back as after for the next page; empty at the end"`
}

// Subscriber is somebody outside who asked to be told.
type Subscriber struct {
	ID          string     `json:"id"`
	Mode        string     `json:"mode" enum:"email,webhook,slack"`
	Address     string     `json:"address" doc:"Empty once erased"`
	State       string     `json:"state" enum:"pending,active,ended"`
	Components  []string   `json:"components" doc:"Ids; no components and no groups: everything"`
	Groups      []string   `json:"groups"`
	MinImpact   string     `json:"min_impact" enum:"none,minor,major,critical"`
	Maintenance bool       `json:"maintenance" doc:"Planned work too"`
	Incident    string     `json:"incident" doc:"This incident alone; empty for all that fits"`
	Source      string     `json:"source"`
	CreatedAt   time.Time  `json:"created_at"`
	ConfirmedAt *time.Time `json:"confirmed_at"`
	EndedAt     *time.Time `json:"ended_at"`
	EndReason   string     `json:"end_reason"`
}

// Subscribers is a page of subscribers, by id.
type Subscribers struct {
	Subscribers []Subscriber `json:"subscribers"`
	Next        string       `json:"next" doc:"Send it back as after for the next page; empty at the end"`
}

// Wishes is what a subscriber wants to hear of.
type Wishes struct {
	Components  []string `json:"components,omitempty" maxItems:"500" doc:"Ids; no components and no groups: everything"`
	Groups      []string `json:"groups,omitempty" maxItems:"500"`
	MinImpact   string   `json:"min_impact,omitempty" enum:"none,minor,major,critical" default:"none"`
	Maintenance *bool    `json:"maintenance,omitempty" doc:"true by default"`
}

// NewSubscriber subscribes an address.
type NewSubscriber struct {
	Mode      string `json:"mode,omitempty" enum:"email,webhook,slack" default:"email"`
	Address   string `json:"address" maxLength:"2000" example:"reader@example.org"`
	Incident  string `json:"incident,omitempty" maxLength:"96"`
	Confirmed bool   `json:"confirmed,omitempty" doc:"Active at once: you answer for the consent. Otherwise a message asks for it."`
	Wishes
}

// ImportedSubscribers is what an import of subscribers did.
type ImportedSubscribers struct {
	Added int `json:"added" doc:"Active now"`
	Known int `json:"known" doc:"Left as they were, those who unsubscribed included"`
	Ended int `json:"ended" doc:"Not taken: the file says that they are not active"`
}
