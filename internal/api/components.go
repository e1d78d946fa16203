package api

import "time"

// Component is a component as the hub knows it, public or not.
type Component struct {
	ID          string    `json:"id" example:"search"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Group       string    `json:"group" doc:"Id of its group; empty for none"`
	Needs       []string  `json:"needs" doc:"Ids of the components it cannot work without"`
	Public      bool      `json:"public" doc:"Whether it stands on the page"`
	Runbook     string    `json:"runbook"`
	Publish     string    `json:"publish" enum:"auto,after_confirm,manual"`
	Status      string    `json:"status" doc:"What the page says" enum:"operational,degraded_performance,partial_outage,major_outage,under_maintenance,not_measured"`
	Observed    string    `json:"observed" doc:"What checks see" enum:"operational,degraded_performance,partial_outage,major_outage,under_maintenance,not_measured"`
	Since       time.Time `json:"since" doc:"Start of the published status"`
	Why         string    `json:"why" doc:"The public sentence for the status; empty when operational"`
	Monitors    []string  `json:"monitors" doc:"Ids of its monitors"`
}

// Components is a list of components, in the order of the page.
type Components struct {
	Components []Component `json:"components"`
}

// Uptime is exact arithmetic over the published spans of a component.
type Uptime struct {
	Component   string    `json:"component"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Up          float64   `json:"up_s" doc:"Seconds operational"`
	Degraded    float64   `json:"degraded_s" doc:"Seconds of degraded performance"`
	Down        float64   `json:"down_s" doc:"Seconds of outage, partial and major, unweighted"`
	Partial     float64   `json:"partial_s" doc:"Of these, seconds of partial outage"`
	Major       float64   `json:"major_s" doc:"Of these, seconds of major outage"`
	Maintenance float64   `json:"maintenance_s" doc:"Seconds of planned maintenance"`
	Unmeasured  float64   `json:"unmeasured_s" doc:"Seconds in which the hub was off or could not tell"`
	Uptime      *float64  `json:"uptime" doc:"Watched time less weighted outage time over watched time, 0 to 1; null when nothing was measured"`
}

// Span is a stretch of time in one status.
type Span struct {
	ID     string     `json:"id"`
	Track  string     `json:"track" enum:"observed,published"`
	From   time.Time  `json:"from"`
	To     *time.Time `json:"to" doc:"null while it lasts"`
	Status string     `json:"status"`
	Origin string     `json:"origin" enum:"machine,human,maintenance,system"`
	Public string     `json:"public" doc:"What visitors are told"`
	Staff  string     `json:"staff" doc:"What staff are told"`
	Ref    string     `json:"ref" doc:"What caused it, as kind/id"`
}

// Spans is the history of a component in a window, oldest first.
type Spans struct {
	Component string    `json:"component"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Spans     []Span    `json:"spans"`
}
