package hub

import (
	"context"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// maxProposals bounds one list of proposals.
const maxProposals = 500

// errNoDesk answers where there is no desk for tickets.
func errNoDesk() error { return problem.NotFound("There is no desk for tickets here.") }

// Proposals gives proposals in one of the states, newest first; no states = all.
// Errors: Forbidden, Invalid, Unavailable.
func (h *Hub) Proposals(ctx context.Context, by access.Actor, states []ticket.ProposalState, limit int) ([]ticket.Proposal, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return nil, err
	}
	if limit < 1 || limit > maxProposals {
		return nil, problem.Invalid("limit", "A page holds 1 to %d proposals.", maxProposals)
	}
	if !h.given() {
		return nil, nil
	}
	return h.Proposed.Proposals(ctx, states, limit)
}

// Proposal gives one. Errors: Forbidden, NotFound, Unavailable.
func (h *Hub) Proposal(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return ticket.Proposal{}, err
	}
	if !h.given() {
		return ticket.Proposal{}, errNoDesk()
	}
	return h.Proposed.Proposal(ctx, id)
}

// Accept links what a proposal names to its incident; of a burst that has none yet
// it opens a suspected one. All of it is one unit of work. Errors: Forbidden,
// NotFound, Conflict when somebody has decided, Unavailable.
func (h *Hub) Accept(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error) {
	return h.decide(ctx, by, id, ticket.AcceptProposal, "accepted", func(tx journal.Tx, p *ticket.Proposal) error {
		if p.Incident == "" {
			i, err := h.Room.Report(ctx, tx, incident.Report{
				Component: p.Component, Topic: p.Topic, Since: p.Since, People: len(p.Tickets), Why: p.Reason,
			})
			if err != nil {
				return err
			}
			p.Incident = i.ID
		}
		i, err := h.Incidents.IncidentForUpdate(ctx, tx, p.Incident)
		switch {
		case err != nil:
			return err
		case i.MergedInto != "":
			p.Incident = i.MergedInto
		case i.State == incident.Resolved && i.PublishedAt.IsZero():
			return problem.Conflict("%s was dropped meanwhile.", i.Label())
		}
		for _, member := range p.Tickets {
			t, err := h.Tickets.TicketForUpdate(ctx, tx, member)
			if missing(err) || err == nil && (t.MergedInto != "" || t.Incident == p.Incident) {
				continue
			}
			if err != nil {
				return err
			}
			if err := h.Desk.LinkIn(ctx, tx, by, member, p.Incident); err != nil {
				return err
			}
			p.Did = append(p.Did, member)
		}
		return nil
	})
}

// Dismiss says that a proposal is none. A suspected incident that only it stands
// for is dropped with it. Errors as Accept.
func (h *Hub) Dismiss(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error) {
	return h.decide(ctx, by, id, ticket.DismissProposal, "dismissed", func(tx journal.Tx, p *ticket.Proposal) error {
		if p.Kind != ticket.Burst || p.Incident == "" {
			return nil
		}
		dropped, err := h.Room.Withdraw(ctx, tx, p.Incident)
		if dropped {
			p.Incident = ""
		}
		return ignoreMissing(err)
	})
}

// Undo takes a decision back: what accepting linked is unlinked, unless somebody
// linked it elsewhere since; what was dismissed is proposed again. Errors as Accept.
func (h *Hub) Undo(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error) {
	return h.decide(ctx, by, id, ticket.UndoProposal, "undone", func(tx journal.Tx, p *ticket.Proposal) error {
		for _, member := range p.Did {
			t, err := h.Tickets.TicketForUpdate(ctx, tx, member)
			if missing(err) || err == nil && (t.Incident != p.Incident || t.MergedInto != "") {
				continue
			}
			if err != nil {
				return err
			}
			if err := h.Desk.LinkIn(ctx, tx, by, member, ""); err != nil {
				return err
			}
		}
		p.Did = nil
		return nil
	})
}

// decide moves a proposal by a person's word, with what follows from it.
func (h *Hub) decide(ctx context.Context, by access.Actor, id string, e ticket.ProposalEvent, verb string, fn func(journal.Tx, *ticket.Proposal) error) (ticket.Proposal, error) {
	var out ticket.Proposal
	if err := by.Check(access.TicketLink); err != nil {
		return out, err
	}
	if !h.given() {
		return out, errNoDesk()
	}
	err := h.Work.Do(ctx, by.As(access.TicketLink), func(tx journal.Tx) error {
		p, err := h.Proposed.ProposalForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := p.Decide(e, by.ID, tx.Now()); err != nil {
			return err
		}
		if err := fn(tx, &p); err != nil {
			return err
		}
		if err := h.Proposed.PutProposal(ctx, tx, &p); err != nil {
			return err
		}
		out = p
		return tx.Append(p.Entry(verb))
	})
	return out, err
}

// lapse ends the proposals that stand on an incident which came to nothing.
func (h *Hub) lapse(ctx context.Context, tx journal.Tx, incidentID string) error {
	list, err := h.Proposed.ProposalsSince(ctx, tx, tx.Now(), maxBefore)
	if err != nil {
		return err
	}
	for n := range list {
		p := &list[n]
		if p.Incident != incidentID || !p.Open() {
			continue
		}
		if err := h.expire(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

// expire ends a proposal that nobody decided about.
func (h *Hub) expire(ctx context.Context, tx journal.Tx, p *ticket.Proposal) error {
	if err := p.Decide(ticket.ExpireProposal, access.Hub.ID, tx.Now()); err != nil {
		return err
	}
	if err := h.Proposed.PutProposal(ctx, tx, p); err != nil {
		return err
	}
	return tx.Append(p.Entry("staled"))
}

// ignoreMissing takes what is gone for done.
func ignoreMissing(err error) error {
	if missing(err) {
		return nil
	}
	return err
}
