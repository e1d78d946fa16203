package api

import "time"

// Silence keeps alerts of components or monitors quiet for a while; checks and the
// page go on.
type Silence struct {
	ID         string     `json:"id"`
	Components []string   `json:"components" doc:"Ids; one covers its monitors"`
	Monitors   []string   `json:"monitors" doc:"Ids"`
	From       time.Time  `json:"from"`
	To         time.Time  `json:"to"`
	Reason     string     `json:"reason"`
	By         string     `json:"by" doc:"Actor id"`
	Holds      bool       `json:"holds" doc:"Now"`
	EndedAt    *time.Time `json:"ended_at" doc:"Ended before its time; null when it was not"`
	EndedBy    string     `json:"ended_by"`
}

// Silences are those that hold, lie ahead, or ended within the last day, by start.
type Silences struct {
	Silences []Silence `json:"silences"`
}

// NewSilence says what is to rest, and for how long.
type NewSilence struct {
	Components []string  `json:"components,omitempty" maxItems:"100" doc:"Ids"`
	Monitors   []string  `json:"monitors,omitempty" maxItems:"100" doc:"Ids"`
	From       time.Time `json:"from,omitzero" doc:"Now by default"`
	To         time.Time `json:"to,omitzero" doc:"At most seven days ahead"`
	Lasts      float64   `json:"lasts_s,omitempty" minimum:"0" maximum:"604800" doc:"Seconds, in place of to"`
	Reason     string    `json:"reason" maxLength:"500"`
}
