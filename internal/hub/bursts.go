package hub

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/ticket"
	"evenkeel/internal/ticket/cluster"
)

const (
	// clusterBack is how old the oldest ticket is that a new one is compared with.
	clusterBack = 3 * time.Hour
	// maxClustered bounds how many tickets are compared; the newest are.
	maxClustered = 1000
	// usualOver is the stretch of time that tells how many tickets are usual.
	usualOver = 14 * 24 * time.Hour
	// maxCounted is where counting stops that tells what is usual.
	maxCounted = 20_000
	// guessed is how many components a ticket gets by its words.
	guessed = 2
	// remindedBy is how many times larger a burst must become before it is proposed
	// again once a person said that it is none.
	remindedBy = 2
	// proposalsKept is how long decided proposals are kept; every new one clears away
	// so many of the older ones.
	proposalsKept = 90 * 24 * time.Hour
	prunedAtOnce  = 20
	// maxBefore bounds the proposals that a new one is compared with.
	maxBefore = 2000
)

// guess says by its words what a new ticket is about, where nobody has said so;
// came tells that it is one of a person.
func (h *Hub) guess(ctx context.Context, tx journal.Tx, id string) (came bool, err error) {
	t, err := h.Tickets.TicketForUpdate(ctx, tx, id)
	if err != nil || t.Kind != ticket.Request || t.Automatic || t.MergedInto != "" {
		return false, err
	}
	r, x, err := h.readTicket(ctx, &t)
	if err != nil {
		return false, err
	}
	if len(t.Components) > 0 {
		return !t.Quiet, nil
	}
	if about := topmost(x.Components(), guessed); len(about) > 0 {
		r.keep(t.ID, x)
		if err := h.Desk.ConcernIn(ctx, tx, access.Hub, id, about); err != nil {
			return false, err
		}
	}
	return !t.Quiet, nil
}

// readTicket reads what a ticket began with.
func (h *Hub) readTicket(ctx context.Context, t *ticket.Ticket) (reader, cluster.Reading, error) {
	r := h.reader()
	if x, ok := r.cached(t.ID); ok {
		return r, x, nil
	}
	all, err := h.Tickets.Messages(ctx, t.ID)
	if err != nil {
		return r, cluster.Reading{}, err
	}
	first := slices.IndexFunc(all, func(m ticket.Message) bool { return m.Form == ticket.In })
	if first < 0 {
		return r, cluster.Reading{ID: t.ID, At: t.CreatedAt}, nil
	}
	x := r.read(t, &all[first])
	r.keep(t.ID, x)
	return r, x, nil
}

// cluster looks at everything that people opened lately, and proposes what it
// finds: bursts that look like one outage, and tickets that an open incident
// explains. Nothing is linked by it.
func (h *Hub) cluster(ctx context.Context, tx journal.Tx) error {
	no := false
	now := tx.Now()
	list, err := h.Tickets.Tickets(ctx, ticket.Query{
		From: now.Add(-clusterBack), Kinds: []ticket.Kind{ticket.Request}, Automatic: &no, Sort: ticket.Newest, Limit: ticket.MaxPage, Now: now,
	})
	if err != nil {
		return err
	}
	if len(list) == ticket.MaxPage {
		more, err := h.Tickets.Tickets(ctx, ticket.Query{
			From: now.Add(-clusterBack), Kinds: []ticket.Kind{ticket.Request}, Automatic: &no, Sort: ticket.Newest, Limit: maxClustered - ticket.MaxPage, Now: now,
			After: list[len(list)-1].Cursor(ticket.Newest),
		})
		if err != nil {
			return err
		}
		list = append(list, more...)
	}
	s := sight{Hub: h, ctx: ctx, tx: tx, tickets: make(map[string]*ticket.Ticket, len(list))}
	letters := make([]cluster.Reading, 0, len(list))
	var r reader
	for n := range list {
		t := &list[n]
		if t.Quiet {
			continue
		}
		var x cluster.Reading
		if r, x, err = h.readTicket(ctx, t); err != nil {
			return err
		}
		s.tickets[t.ID] = t
		letters = append(letters, x)
	}
	if len(letters) == 0 {
		return nil
	}
	if s.before, err = h.Proposed.ProposalsSince(ctx, tx, now.Add(-clusterBack), maxBefore); err != nil {
		return err
	}
	if s.open, err = h.Incidents.OpenIncidents(ctx); err != nil {
		return err
	}
	slices.Reverse(letters) // the oldest first
	for _, o := range r.Find(letters).Outages {
		if err := s.outage(o); err != nil {
			return err
		}
	}
	for n := range letters {
		if err := s.explained(&letters[n]); err != nil {
			return err
		}
	}
	return nil
}

// sight is one look at young tickets.
type sight struct {
	*Hub
	ctx     context.Context
	tx      journal.Tx
	tickets map[string]*ticket.Ticket
	before  []ticket.Proposal
	open    []incident.Incident
}

// outage proposes what looks like one, or adds to what was proposed of it.
func (s *sight) outage(o cluster.Outage) error {
	if i := s.incidentOf(o); i != nil {
		for _, m := range o.Members {
			if err := s.link(s.tickets[m.ID], i, m); err != nil {
				return err
			}
		}
		return nil
	}
	usual, err := s.usual(o)
	if err != nil {
		return err
	}
	if !cluster.Unusual(o.Senders, usual) {
		return nil
	}
	p := ticket.Proposal{
		ID: journal.NewID(), Kind: ticket.Burst, State: ticket.Proposed, Component: o.Component, Topic: o.Topic, Words: o.Words, Reason: o.Reason,
		Usual: usual, Since: o.Since, Until: o.Until, CreatedAt: s.tx.Now(),
	}
	for _, m := range o.Members {
		p.Tickets = append(p.Tickets, m.ID)
		p.Members = append(p.Members, ticket.Member{Ticket: m.ID, Score: m.Score, Reasons: m.Reasons})
	}
	switch was := s.same(&p); {
	case was == nil:
	case was.State == ticket.Proposed:
		return s.grow(was, p)
	case was.State == ticket.Dismissed && len(p.Tickets) >= remindedBy*len(was.Tickets):
	default:
		return nil // somebody has decided about it
	}
	if s.policy().Suspect {
		i, err := s.Room.Report(s.ctx, s.tx, incident.Report{
			Component: o.Component, Topic: o.Topic, Since: o.Since, People: o.Senders, Why: o.Reason,
		})
		if err != nil {
			return err
		}
		p.Incident = i.ID
		s.open = append(s.open, i)
	}
	return s.propose(&p)
}

// propose writes a new proposal.
func (s *sight) propose(p *ticket.Proposal) error {
	if err := s.Proposed.PutProposal(s.ctx, s.tx, p); err != nil {
		return err
	}
	if _, err := s.Proposed.PruneProposals(s.ctx, s.tx, s.tx.Now().Add(-proposalsKept), prunedAtOnce); err != nil {
		return err
	}
	s.before = append(s.before, *p)
	return s.tx.Append(p.Entry("made"))
}

// grow adds to a proposal that nobody has decided about yet.
func (s *sight) grow(was *ticket.Proposal, p ticket.Proposal) error {
	if len(p.Tickets) <= len(was.Tickets) && slices.Equal(p.Tickets, was.Tickets) {
		return nil
	}
	was.Tickets, was.Members, was.Words, was.Reason, was.Usual = p.Tickets, p.Members, p.Words, p.Reason, p.Usual
	was.Since, was.Until = p.Since, p.Until
	if err := s.Proposed.PutProposal(s.ctx, s.tx, was); err != nil {
		return err
	}
	return s.tx.Append(was.Entry("grown"))
}

// same finds the proposal about the same outage: of the same thing, with a ticket
// in common.
func (s *sight) same(p *ticket.Proposal) *ticket.Proposal {
	for n := len(s.before) - 1; n >= 0; n-- {
		was := &s.before[n]
		if was.Kind != ticket.Burst {
			continue
		}
		if slices.ContainsFunc(p.Tickets, func(id string) bool { return slices.Contains(was.Tickets, id) }) {
			return was
		}
	}
	return nil
}

// incidentOf gives the open incident that an outage belongs to, unless it is the
// suspicion that its own proposal, which nobody has decided about, stands for.
func (s *sight) incidentOf(o cluster.Outage) *incident.Incident {
	for n := range s.open {
		i := &s.open[n]
		if i.Visibility == incident.Private || i.State == incident.Suspected && i.Origin == incident.ByTickets && i.Machine {
			continue
		}
		about := o.Component != "" && slices.ContainsFunc(i.Components, func(a incident.Affected) bool { return a.Component == o.Component })
		if about || slices.ContainsFunc(o.Members, func(m cluster.Member) bool { return s.tickets[m.ID].Incident == i.ID }) {
			return i
		}
	}
	return nil
}

// explained proposes to link a complaint to the open incident of what it names.
func (s *sight) explained(x *cluster.Reading) error {
	t := s.tickets[x.ID]
	if t.Incident != "" || t.State.Over() || !x.Complains() {
		return nil
	}
	for n := range s.open {
		i := &s.open[n]
		if i.Visibility == incident.Private || i.State == incident.Suspected {
			continue // what is only suspected explains nothing yet; its own proposal tells of it
		}
		for _, key := range x.Components() {
			if slices.ContainsFunc(i.Components, func(a incident.Affected) bool { return a.Component == key }) {
				name := key
				if c, ok := s.Present.scene.Load().component(key); ok {
					name = c.Name
				}
				return s.link(t, i, cluster.Member{ID: t.ID, Score: alone, Reasons: []string{"is about " + name + ", which " + i.Label() + " is about"}})
			}
		}
	}
	return nil
}

// alone is the score of a letter that belongs to an incident by what it names.
const alone = 0.6

// link proposes that a ticket belongs to an incident, once for good: whoever said
// no is not asked again. What nobody has decided about yet grows, so that one key
// answers for all who wrote.
func (s *sight) link(t *ticket.Ticket, i *incident.Incident, m cluster.Member) error {
	if t.Incident != "" || t.State.Over() || t.CreatedAt.Before(i.StartedAt.Add(-cluster.Within)) {
		return nil
	}
	for n := range s.before {
		was := &s.before[n]
		if was.Incident == i.ID && slices.Contains(was.Tickets, t.ID) && (was.Kind == ticket.Link || was.State != ticket.Stale) {
			return nil
		}
	}
	for n := range s.before {
		was := &s.before[n]
		if was.Incident == i.ID && was.Kind == ticket.Link && was.State == ticket.Proposed && len(was.Tickets) < mostLinked {
			p := *was
			p.Tickets = append(slices.Clone(was.Tickets), t.ID)
			p.Members = append(slices.Clone(was.Members), ticket.Member{Ticket: t.ID, Score: m.Score, Reasons: m.Reasons})
			p.Since, p.Until = earlier(was.Since, t.CreatedAt), later(was.Until, t.CreatedAt)
			p.Reason = fmt.Sprintf("%d mails are about what %s is about.", len(p.Tickets), i.Label())
			return s.grow(was, p)
		}
	}
	p := ticket.Proposal{
		ID: journal.NewID(), Kind: ticket.Link, State: ticket.Proposed, Incident: i.ID, Tickets: []string{t.ID},
		Members: []ticket.Member{{Ticket: t.ID, Score: m.Score, Reasons: m.Reasons}}, Since: t.CreatedAt, Until: t.CreatedAt, CreatedAt: s.tx.Now(),
		Reason: fmt.Sprintf("It %s.", cmp.Or(strings.Join(m.Reasons, "; "), "looks like "+i.Label())),
	}
	if len(t.Components) > 0 {
		p.Component = t.Components[0]
	}
	return s.propose(&p)
}

// mostLinked is how many tickets one proposal to link holds.
const mostLinked = 100

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// usual tells how many tickets about the same component come in as long a stretch
// of time as the outage lasts so far, usually.
func (s *sight) usual(o cluster.Outage) (float64, error) {
	if o.Component == "" {
		return 0, nil
	}
	to := o.Since
	n, err := s.Tickets.CountTickets(s.ctx, ticket.Query{
		Component: o.Component, Kinds: []ticket.Kind{ticket.Request}, From: to.Add(-usualOver), To: to, Merged: true, Now: s.tx.Now(),
	}, maxCounted)
	if err != nil {
		return 0, err
	}
	span := max(o.Until.Sub(o.Since), time.Minute)
	return float64(n) * float64(span) / float64(usualOver), nil
}
