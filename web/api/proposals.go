package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/ticket"
)

// Proposals are what the machine sees in the mail and a person decides; *hub.Hub
// is one. Errors: Forbidden, NotFound, Conflict, Unavailable.
type Proposals interface {
	Proposals(ctx context.Context, by access.Actor, states []ticket.ProposalState, limit int) ([]ticket.Proposal, error)
	Proposal(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error)
	Accept(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error)
	Dismiss(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error)
	Undo(ctx context.Context, by access.Actor, id string) (ticket.Proposal, error)
}

// proposalRoutes are what is proposed, and the decision about it.
func (s *service) proposalRoutes(h huma.API) {
	const one = "/api/v1/proposals/{id}"
	register(h, s, op{http.MethodGet, "/api/v1/proposals", "listProposals", "What the machine sees in the mail, newest first", access.TicketRead}, listProposals)
	register(h, s, op{http.MethodGet, one, "getProposal", "One proposal, with the reasons of each member", access.TicketRead}, getProposal)
	register(h, s, op{http.MethodPost, one + "/accept", "acceptProposal", "Link its tickets to the incident, which is opened when there is none", access.TicketLink}, decision(Proposals.Accept))
	register(h, s, op{http.MethodPost, one + "/dismiss", "dismissProposal", "It is not so", access.TicketLink}, decision(Proposals.Dismiss))
	register(h, s, op{http.MethodPost, one + "/undo", "undoProposal", "Take the decision back", access.TicketLink}, decision(Proposals.Undo))
}

func (n naming) proposalOf(p *ticket.Proposal) api.Proposal {
	out := api.Proposal{
		ID: p.ID, Kind: string(p.Kind), State: string(p.State), Incident: p.Incident, Tickets: list(p.Tickets), Members: make([]api.ProposalMember, 0, len(p.Members)),
		Words: list(p.Words), Reason: p.Reason, Usual: p.Usual, Since: p.Since, Until: p.Until, CreatedAt: p.CreatedAt, DecidedAt: maybe(p.DecidedAt),
		DecidedBy: p.DecidedBy, Did: list(p.Did), Version: p.Version,
	}
	if p.Component != "" {
		out.Component = n.of(p.Component)
	}
	for _, m := range p.Members {
		out.Members = append(out.Members, api.ProposalMember{Ticket: m.Ticket, Score: m.Score, Reasons: list(m.Reasons)})
	}
	return out
}

type proposalQuery struct {
	State string `query:"state" enum:"proposed,accepted,dismissed,undone,stale"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func listProposals(ctx context.Context, c *call, in *proposalQuery) (*api.Proposals, error) {
	var states []ticket.ProposalState
	if in.State != "" {
		states = []ticket.ProposalState{ticket.ProposalState(in.State)}
	}
	found, err := c.Proposals.Proposals(ctx, c.by, states, in.Limit)
	if err != nil {
		return nil, err
	}
	ids, out := c.ids(), &api.Proposals{Proposals: make([]api.Proposal, 0, len(found))}
	for n := range found {
		out.Proposals = append(out.Proposals, ids.proposalOf(&found[n]))
	}
	return out, nil
}

func getProposal(ctx context.Context, c *call, in *RowID) (*api.Proposal, error) {
	p, err := c.Proposals.Proposal(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	out := c.ids().proposalOf(&p)
	return &out, nil
}

// decision makes an operation of a decision about a proposal.
func decision(do func(Proposals, context.Context, access.Actor, string) (ticket.Proposal, error)) func(context.Context, *call, *RowID) (*api.Proposal, error) {
	return func(ctx context.Context, c *call, in *RowID) (*api.Proposal, error) {
		p, err := do(c.Proposals, ctx, c.by, in.ID)
		if err != nil {
			return nil, err
		}
		out := c.ids().proposalOf(&p)
		return &out, nil
	}
}
