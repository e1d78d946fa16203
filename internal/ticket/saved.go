package ticket

import "time"

// View is a search that somebody keeps.
type View struct {
	ID      string
	Name    string
	Query   string // as typed into the search
	Sort    Sort
	Owner   string // actor id; "" = everybody's
	Version int64
}

// SavedReply is text that is sent often. {{…}} in it are variables.
type SavedReply struct {
	ID      string
	Name    string
	Body    string
	File    bool // it stands in the configuration, and is changed there
	Version int64
}

// Bulk is what an act on many tickets changed.
type Bulk struct {
	ID    string
	Actor string // who did it, and may take it back
	At    time.Time
	Undo  []Undo
}

// Undo is how one ticket stood before an act, and what the act made of it: only
// what still is as it was made goes back.
type Undo struct {
	Ticket  string   `json:"ticket"`
	Was     Standing `json:"was"`
	Now     Standing `json:"now"`
	Message string   `json:"message,omitempty"` // the answer that was written
}

// Standing is the part of a ticket that acts on many can change.
type Standing struct {
	State    State     `json:"state"`
	Priority Priority  `json:"priority"`
	Queue    string    `json:"queue"`
	Assignee string    `json:"assignee"`
	Incident string    `json:"incident"`
	Tags     []string  `json:"tags"`
	Snoozed  time.Time `json:"snoozed,omitzero"`
	SolvedAt time.Time `json:"solved_at,omitzero"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
}
