package storetest

import (
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// ProposalRecord is a store of proposals with the unit of work it takes.
type ProposalRecord interface {
	journal.Work
	ticket.ProposalStore
}

// Proposals runs the suite of ticket.ProposalStore. open gives a fresh, empty
// record that is closed with the test.
func Proposals(t *testing.T, open func(testing.TB) ProposalRecord) {
	r := open(t)
	a := ticket.Proposal{
		ID: "p1", Kind: ticket.Burst, State: ticket.Proposed, Component: "k1", Topic: "Checkout", Incident: "i1", Tickets: []string{"t1", "t2"},
		Members: []ticket.Member{{Ticket: "t1", Score: 0.75, Reasons: []string{"is about Checkout"}}}, Words: []string{"502"}, Reason: "3 people",
		Usual: 0.25, Since: base, Until: base.Add(time.Hour), CreatedAt: base.Add(2 * time.Hour), DecidedAt: base.Add(3 * time.Hour), DecidedBy: "person/1",
		Did: []string{"t1"}, Version: 1,
	}
	full(t, a)
	put := func(p *ticket.Proposal) (err error) {
		return r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.PutProposal(t.Context(), tx, p) })
	}
	fresh := a
	fresh.Version = 0
	if err := put(&fresh); err != nil || fresh.Version != 1 {
		t.Fatalf("version %d, %v", fresh.Version, err)
	}
	same(t, a, must[ticket.Proposal](t)(r.Proposal(t.Context(), "p1")))
	b := ticket.Proposal{ID: "p2", Kind: ticket.Link, State: ticket.Dismissed, Since: base, Until: base, CreatedAt: base.Add(4 * time.Hour), DecidedAt: base.Add(5 * time.Hour)}
	if err := put(&b); err != nil {
		t.Fatal(err)
	}
	same(t, []ticket.Proposal{b, a}, must[[]ticket.Proposal](t)(r.Proposals(t.Context(), nil, 10)))
	same(t, []ticket.Proposal{a}, must[[]ticket.Proposal](t)(r.Proposals(t.Context(), []ticket.ProposalState{ticket.Proposed, ticket.Accepted}, 10)))
	stale := a
	a.State, a.Reason = ticket.Accepted, "4 people"
	if err := put(&a); err != nil || a.Version != 2 {
		t.Fatalf("version %d, %v", a.Version, err)
	}
	if err := put(&stale); problem.KindOf(err) != problem.KindConflict {
		t.Fatalf("an outdated one was written: %v", err)
	}
	withinUnit(t, r, func(tx journal.Tx) error {
		same(t, a, must[ticket.Proposal](t)(r.ProposalForUpdate(t.Context(), tx, "p1")))
		same(t, []ticket.Proposal{b}, must[[]ticket.Proposal](t)(r.ProposalsSince(t.Context(), tx, base.Add(3*time.Hour), 10)))
		same(t, []ticket.Proposal{a, b}, must[[]ticket.Proposal](t)(r.ProposalsSince(t.Context(), tx, base, 10)))
		return nil
	})
	withinUnit(t, r, func(tx journal.Tx) error {
		n, err := r.PruneProposals(t.Context(), tx, base.Add(4*time.Hour), 10)
		if n != 1 {
			t.Errorf("%d pruned, want the accepted one", n)
		}
		return err
	})
	if _, err := r.Proposal(t.Context(), "p1"); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("a pruned one is found: %v", err)
	}
}
