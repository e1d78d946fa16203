package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// proposalView is what the machine sees in the mail, for a person to decide.
type proposalView struct {
	ID, Title, Reason string
	Words             []string
	Status            Mark
	Incident          *linkWord
	Why               []memberRow
	Shown             string // where its tickets are listed; "" when they are
	Many              string
	Yes, No           string
	Back              string
	May               bool
}

// memberRow is why one ticket belongs to a proposal.
type memberRow struct {
	Path, Label, Score string
	Reasons            []string
}

// deskProposal fills in what is proposed: what is about several tickets above the
// list, with its rows dashed, and the link of the ticket that is open.
func (c *Console) deskProposal(ctx context.Context, d *ticketsPage, g door.Guest, back url.Values, list []ticket.Ticket, t *ticket.Ticket, k Clock) error {
	if c.deps.Proposals == nil || !g.Actor.May(access.TicketRead) {
		return nil
	}
	open, err := c.deps.Proposals.Proposals(ctx, g.Actor, []ticket.ProposalState{ticket.Proposed}, maxProposals)
	if err != nil {
		return err
	}
	var burst, link *ticket.Proposal
	for n := range open {
		p := &open[n]
		switch {
		case p.ID == back.Get("proposal"):
			burst = p
		case (p.Kind == ticket.Burst || len(p.Tickets) > 1) && burst == nil && back.Get("proposal") == "":
			burst = p
		case p.Kind == ticket.Link && t != nil && link == nil && slices.Contains(p.Tickets, t.ID):
			link = p
		}
	}
	if burst != nil {
		if d.Proposal, err = c.proposalView(ctx, g, burst, k); err != nil {
			return err
		}
		d.Proposal.Back = d.Here
		if back.Get("proposal") == burst.ID {
			d.Proposal.Shown = ""
			if len(burst.Tickets) > 1 {
				d.Proposal.Why = c.memberRows(burst, list)
			}
		}
		for n := range d.Rows {
			d.Rows[n].Guess = slices.Contains(burst.Tickets, d.Rows[n].ID)
		}
	}
	if link != nil {
		if d.linked, err = c.proposalView(ctx, g, link, k); err != nil {
			return err
		}
		d.linked.Back = d.Here
	}
	return nil
}

// maxProposals bounds those that are looked at for one page.
const maxProposals = 20

// proposalView shows one.
func (c *Console) proposalView(ctx context.Context, g door.Guest, p *ticket.Proposal, k Clock) (*proposalView, error) {
	s, err := c.roll.state(ctx)
	if err != nil {
		return nil, err
	}
	many := grouped(float64(len(p.Tickets)))
	v := &proposalView{ID: p.ID, Reason: p.Reason, Words: p.Words, Many: many, Shown: ticketsPath + "?proposal=" + url.QueryEscape(p.ID), No: "Not one", May: g.Actor.May(access.TicketLink)}
	name := p.Component
	if one := s.byKey[p.Component]; one != nil {
		name = one.Name
		if m := markOf(one.Observed.Status); gravity[m.Class] >= gravity["degraded"] {
			v.Status = Mark{m.Class, m.Word + " since " + k.Exact(one.Observed.From).Text}
		}
	}
	v.Title = "These " + many + " look like one"
	if name != "" {
		v.Title += ": " + name
	}
	incident := ""
	if p.Incident != "" && c.deps.Room != nil {
		switch i, _, err := c.deps.Room.Get(ctx, g.Actor, p.Incident); {
		case err == nil:
			incident = incidentName(i)
			v.Incident = &linkWord{incident, incidentsPath + "/" + url.PathEscape(i.ID)}
		case problem.KindOf(err) != problem.KindNotFound:
			return nil, err
		}
	}
	switch {
	case p.Kind == ticket.Link && len(p.Tickets) == 1:
		v.Title, v.Yes, v.No, v.Shown = "This looks like "+incident, "Link to "+incident, "It is not", ""
		if incident == "" {
			v.Title, v.Yes = "This looks like an incident that is open", "Link it"
		}
	case incident != "":
		v.Yes = "Link all to " + incident
	default:
		v.Yes = "Open an incident, link all"
	}
	return v, nil
}

// memberRows says why each ticket is in a proposal, strongest first.
func (c *Console) memberRows(p *ticket.Proposal, list []ticket.Ticket) []memberRow {
	var out []memberRow
	for _, m := range p.Members {
		n := slices.IndexFunc(list, func(t ticket.Ticket) bool { return t.ID == m.Ticket })
		if n < 0 {
			continue
		}
		out = append(out, memberRow{Path: ticketPath(m.Ticket), Label: c.ticketName(&list[n]), Score: fmt.Sprintf("%.2f", m.Score), Reasons: m.Reasons})
	}
	return out
}

// proposed gives the tickets of a proposal, as one page.
func (c *Console) proposed(ctx context.Context, g door.Guest, id string) (ticket.Page, error) {
	page := ticket.Page{Requesters: map[string]ticket.Requester{}}
	if c.deps.Proposals == nil {
		return page, problem.NotFound("There is no such proposal.")
	}
	p, err := c.deps.Proposals.Proposal(ctx, g.Actor, id)
	if err != nil {
		return page, err
	}
	for _, id := range p.Tickets[:min(len(p.Tickets), ticketRows)] {
		t, who, err := c.deps.Tickets.Get(ctx, g.Actor, id)
		if problem.KindOf(err) == problem.KindNotFound {
			continue
		}
		if err != nil {
			return page, err
		}
		page.Tickets = append(page.Tickets, t)
		page.Requesters[who.ID] = who
	}
	return page, nil
}

// decide makes a handler of a decision about a proposal.
func (c *Console) decide(do func(Proposals, context.Context, access.Actor, string) (ticket.Proposal, error), words func(ticket.Proposal) string, undo bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if c.deps.Proposals == nil {
			return problem.NotFound("There is no such proposal.")
		}
		back := r.PostFormValue("back")
		p, err := do(c.deps.Proposals, r.Context(), guestOf(r).Actor, r.PathValue("id"))
		if err != nil {
			return err
		}
		said := &Said{Text: words(p)}
		if undo {
			said.Undo, said.With = ticketsPath+"/proposals/"+url.PathEscape(p.ID)+"/undo", map[string]string{"back": back}
		}
		c.See(w, r, back, said)
		return nil
	}
}

// acceptedWords, dismissedWords and undoneWords say what was decided.
func acceptedWords(p ticket.Proposal) string {
	if p.Kind == ticket.Link {
		return "Linked; they are told when it is over"
	}
	return plural(len(p.Tickets), "ticket", "tickets") + " linked; each is answered when it is over"
}

func dismissedWords(ticket.Proposal) string { return "Not one, then" }

func undoneWords(ticket.Proposal) string { return "Taken back; nothing is linked by it" }
