package ticket

import "time"

// Proposal is something the machine sees and a person decides: nothing of it
// happens before. What was accepted can be undone.
type Proposal struct {
	ID        string
	Kind      ProposalKind
	State     ProposalState
	Component string   // key; "" when none is known
	Incident  string   // id of the incident to link to; "" = one would be opened
	Tickets   []string // ids, oldest first
	Members   []Member // why each belongs to it
	Words     []string // what they have in common
	Reason    string   // in one sentence, for staff
	Usual     float64  // tickets in such a stretch of time, usually
	Since     time.Time
	Until     time.Time // of the youngest member
	CreatedAt time.Time
	DecidedAt time.Time
	DecidedBy string   // actor id
	Did       []string // ids of the tickets that accepting linked: what undo takes back
	Version   int64
}

// ProposalKind is what is proposed.
type ProposalKind string

// The kinds of proposals.
const (
	Burst ProposalKind = "burst" // these look like one outage
	Link  ProposalKind = "link"  // this ticket belongs to that open incident
)

// ProposalState is where a proposal stands.
type ProposalState string

// The states of a proposal.
const (
	Proposed  ProposalState = "proposed"
	Accepted  ProposalState = "accepted"
	Dismissed ProposalState = "dismissed"
	Undone    ProposalState = "undone"
	Stale     ProposalState = "stale" // what it spoke of is over
)

// Member is one ticket of a proposal with the reasons that it is in it.
type Member struct {
	Ticket  string   `json:"ticket"`
	Score   float64  `json:"score"` // 0 to 1
	Reasons []string `json:"reasons"`
}
