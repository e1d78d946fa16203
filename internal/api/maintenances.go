package api

import "time"

// Maintenance is one stretch of planned maintenance.
type Maintenance struct {
	ID           string     `json:"id"`
	Series       string     `json:"series" doc:"What it was planned as; all occurrences of recurring maintenance share it"`
	Recurs       string     `json:"recurs" doc:"RFC 5545 rule of the series; empty for once"`
	Zone         string     `json:"zone" doc:"IANA zone in which the rule is read; empty for once"`
	Editable     bool       `json:"editable" doc:"false: the configuration file alone changes it"`
	Title        string     `json:"title"`
	Description  string     `json:"description"`
	Components   []string   `json:"components" doc:"Ids"`
	From         time.Time  `json:"from"`
	To           time.Time  `json:"to"`
	State        string     `json:"state" enum:"scheduled,in_progress,verifying,completed,cancelled"`
	StartedAt    *time.Time `json:"started_at"`
	EndedAt      *time.Time `json:"ended_at"`
	ChangedAt    *time.Time `json:"changed_at"`
	Owner        string     `json:"owner" doc:"Who is told when it is overdue"`
	StartsByHand bool       `json:"starts_by_hand"`
	EndsByHand   bool       `json:"ends_by_hand"`
	Remind       []float64  `json:"remind_s" doc:"Seconds before the start at which people are reminded"`
	Version      int64      `json:"version" doc:"Of the series; send it back to be refused when somebody was first"`
}

// Maintenances is a page of maintenance, the earliest start first.
type Maintenances struct {
	Maintenances []Maintenance `json:"maintenances"`
	Next         string        `json:"next" doc:"Send it back as after for the next page; empty at the end"`
}

// PlannedMaintenance is what a plan made: the occurrences that are known by now.
type PlannedMaintenance struct {
	Series       string        `json:"series"`
	Maintenances []Maintenance `json:"maintenances"`
}

// NewMaintenance plans maintenance: once with from and to, or recurring with
// recurs, zone, start and duration_s.
type NewMaintenance struct {
	Title        string    `json:"title" example:"Moving the database to new disks"`
	Description  string    `json:"description,omitempty" doc:"Plain text for visitors"`
	Components   []string  `json:"components" maxItems:"200" doc:"Ids"`
	From         time.Time `json:"from,omitzero"`
	To           time.Time `json:"to,omitzero"`
	Recurs       string    `json:"recurs,omitempty" maxLength:"500" example:"FREQ=WEEKLY;BYDAY=SU"`
	Zone         string    `json:"zone,omitempty" maxLength:"64" example:"Europe/Berlin"`
	Start        string    `json:"start,omitempty" maxLength:"16" example:"2026-11-22T06:00" doc:"First local start"`
	Duration     float64   `json:"duration_s,omitempty" minimum:"0" maximum:"2678400"`
	Owner        string    `json:"owner,omitempty" maxLength:"96"`
	StartsByHand bool      `json:"starts_by_hand,omitempty"`
	EndsByHand   bool      `json:"ends_by_hand,omitempty"`
	Remind       []float64 `json:"remind_s,omitempty" maxItems:"5"`
}

// EditedMaintenance changes a series with all that is ahead of it; what is left
// out stays.
type EditedMaintenance struct {
	Title        *string    `json:"title,omitempty"`
	Description  *string    `json:"description,omitempty"`
	Components   []string   `json:"components,omitempty" maxItems:"200"`
	From         *time.Time `json:"from,omitempty"`
	To           *time.Time `json:"to,omitempty"`
	Recurs       *string    `json:"recurs,omitempty" maxLength:"500"`
	Zone         *string    `json:"zone,omitempty" maxLength:"64"`
	Start        *string    `json:"start,omitempty" maxLength:"16"`
	Duration     *float64   `json:"duration_s,omitempty" minimum:"0" maximum:"2678400"`
	Owner        *string    `json:"owner,omitempty" maxLength:"96"`
	StartsByHand *bool      `json:"starts_by_hand,omitempty"`
	EndsByHand   *bool      `json:"ends_by_hand,omitempty"`
	Remind       []float64  `json:"remind_s,omitempty" maxItems:"5"`
	Version      int64      `json:"version,omitempty" doc:"As it was read"`
}

// MovedEnd says when maintenance ends instead.
type MovedEnd struct {
	To time.Time `json:"to"`
}

// Cancelled calls maintenance off.
type Cancelled struct {
	Series bool `json:"series,omitempty" doc:"The whole series, not this occurrence alone"`
}
