package ticket

import (
	"testing"
	"time"

	"evenkeel/internal/problem"
)

// TestProposalLife is the table of what can be decided about a proposal, and when.
func TestProposalLife(t *testing.T) {
	now := time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)
	want := map[ProposalState]map[ProposalEvent]ProposalState{
		Proposed:  {AcceptProposal: Accepted, DismissProposal: Dismissed, ExpireProposal: Stale},
		Accepted:  {UndoProposal: Undone},
		Dismissed: {UndoProposal: Proposed},
	}
	for _, from := range []ProposalState{Proposed, Accepted, Dismissed, Undone, Stale} {
		for _, e := range []ProposalEvent{AcceptProposal, DismissProposal, UndoProposal, ExpireProposal} {
			p := Proposal{ID: "p", Kind: Burst, State: from}
			err := p.Decide(e, "person/1", now)
			to, ok := want[from][e]
			switch {
			case !ok && (problem.KindOf(err) != problem.KindConflict || p.State != from):
				t.Errorf("%s of a %s one: %v, now %s", e, from, err, p.State)
			case ok && (err != nil || p.State != to || p.Open() != (to == Proposed) || (p.DecidedBy == "") != (to == Proposed)):
				t.Errorf("%s of a %s one: %v, now %+v", e, from, err, p)
			}
		}
	}
}

func TestProposalEntryHoldsNoWords(t *testing.T) {
	p := Proposal{ID: "p1", Kind: Burst, State: Proposed, Component: "k1", Topic: "Ann's checkout", Reason: "Ann wrote", Words: []string{"secret"}, Tickets: []string{"t1"}}
	e := p.Entry("made")
	for _, v := range e.Payload {
		if v == "secret" || v == "Ann wrote" || v == "Ann's checkout" {
			t.Errorf("the journal holds %q", v)
		}
	}
}
