package ticket

import (
	"context"
	"strconv"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Proposal is something the machine sees and a person decides: nothing of it
// happens before. What was accepted can be undone.
type Proposal struct {
	ID        string
	Kind      ProposalKind
	State     ProposalState
	Component string   // key; "" when none is known
	Topic     string   // what it is about, in a word: the name of the component, or "login"
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

// ProposalEvent is what can happen to a proposal.
type ProposalEvent string

// The events.
const (
	AcceptProposal  ProposalEvent = "accept"
	DismissProposal ProposalEvent = "dismiss"
	UndoProposal    ProposalEvent = "undo"
	ExpireProposal  ProposalEvent = "expire"
)

// proposalMoves is the whole life of proposals. A dismissal that is taken back
// asks again; what was accepted and undone does not.
var proposalMoves = map[ProposalState]map[ProposalEvent]ProposalState{
	Proposed:  {AcceptProposal: Accepted, DismissProposal: Dismissed, ExpireProposal: Stale},
	Accepted:  {UndoProposal: Undone},
	Dismissed: {UndoProposal: Proposed},
}

// Decide moves the proposal by what somebody decided, at a moment. Errors:
// Conflict when that cannot be any more.
func (p *Proposal) Decide(e ProposalEvent, by string, at time.Time) error {
	next, ok := proposalMoves[p.State][e]
	if !ok {
		return problem.Conflict("This proposal is %s already.", p.State)
	}
	p.State, p.DecidedBy, p.DecidedAt = next, by, moment(at)
	if next == Proposed {
		p.DecidedBy, p.DecidedAt = "", time.Time{}
	}
	return nil
}

// Open reports whether somebody has to decide about it.
func (p *Proposal) Open() bool { return p.State == Proposed }

// Entry is the journal's word on what happened to the proposal: "made" and so on.
func (p *Proposal) Entry(verb string) journal.Entry {
	payload := map[string]string{"kind": string(p.Kind), "state": string(p.State), "tickets": strconv.Itoa(len(p.Tickets))}
	for key, value := range map[string]string{"incident": p.Incident, "components": cutKeys([]string{p.Component})} {
		if value != "" {
			payload[key] = value
		}
	}
	return journal.Entry{
		Verb: "proposal." + verb, Subject: journal.Ref{Kind: "proposal", ID: p.ID}, Audience: journal.AudienceStaff, Payload: payload,
	}
}

// ProposalStore keeps proposals. Methods that take a journal.Tx read and write
// inside that unit of work; the others read committed state. Errors: NotFound,
// Conflict, Unavailable.
type ProposalStore interface {
	// Proposal gives one.
	Proposal(ctx context.Context, id string) (Proposal, error)
	// ProposalForUpdate reads one inside the unit of work.
	ProposalForUpdate(ctx context.Context, tx journal.Tx, id string) (Proposal, error)
	// Proposals gives those in one of the states, newest first; no states = all.
	Proposals(ctx context.Context, states []ProposalState, limit int) ([]Proposal, error)
	// ProposalsSince gives those that are open, and those created since, inside the
	// unit of work, oldest first: what a new one must not repeat.
	ProposalsSince(ctx context.Context, tx journal.Tx, since time.Time, limit int) ([]Proposal, error)
	// PutProposal inserts (Version 0) or updates, and raises p.Version.
	PutProposal(ctx context.Context, tx journal.Tx, p *Proposal) error
	// PruneProposals deletes up to limit that were decided before a moment.
	PruneProposals(ctx context.Context, tx journal.Tx, before time.Time, limit int) (int, error)
}
