package hub

import (
	"context"
	"io"
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/ticket"
)

// Desk is what the hall does at the desk of tickets, inside its own units of work;
// *ticket.Desk is one. Errors as there.
type Desk interface {
	LinkIn(ctx context.Context, tx journal.Tx, by access.Actor, id, incident string) error
	AnswerIn(ctx context.Context, tx journal.Tx, by access.Actor, id string, a ticket.Answer) (ticket.Message, error)
	NoteIn(ctx context.Context, tx journal.Tx, by access.Actor, id, body string) (ticket.Message, error)
	MoveIn(ctx context.Context, tx journal.Tx, by access.Actor, id string, to ticket.State) error
	OpenIn(ctx context.Context, tx journal.Tx, by access.Actor, o ticket.Opening) (ticket.Ticket, error)
	ConcernIn(ctx context.Context, tx journal.Tx, by access.Actor, id string, components []string) error
	BreakIn(ctx context.Context, tx journal.Tx, by access.Actor, id string, broken bool) error
	MarkBadIn(ctx context.Context, tx journal.Tx, address, why string) error
	Letter(ctx context.Context, message string) (ticket.Letter, error)
	Attachment(ctx context.Context, by access.Actor, message, hash string) (ticket.Attachment, io.ReadCloser, error)
	Rules() *ticket.Setup
	Label(number int64) string
}

// Tickets is what the hall reads of tickets; ticket.Store is one.
type Tickets interface {
	Ticket(ctx context.Context, id string) (ticket.Ticket, error)
	TicketForUpdate(ctx context.Context, tx journal.Tx, id string) (ticket.Ticket, error)
	Tickets(ctx context.Context, q ticket.Query) ([]ticket.Ticket, error)
	CountTickets(ctx context.Context, q ticket.Query, most int) (int, error)
	Messages(ctx context.Context, ticket string) ([]ticket.Message, error)
	Message(ctx context.Context, id string) (ticket.Message, error)
	Requester(ctx context.Context, id string) (ticket.Requester, error)
}

// Policy is what the hall may do by itself with tickets.
type Policy struct {
	// Suspect: a burst of letters opens a suspected incident, which only staff see.
	Suspect bool
	// Impair: a component that goes down gets a ticket of its own (S1-23).
	Impair bool
	// Answer: when an incident is over, those who wrote about it are told.
	Answer bool
}

// DefaultPolicy is what the hall does unless the configuration says otherwise.
var DefaultPolicy = Policy{Suspect: true, Impair: true, Answer: true}

// TicketDeps is what the hall needs where there is a desk.
type TicketDeps struct {
	Desk     Desk
	Tickets  Tickets
	Proposed ticket.ProposalStore
	// Aliases gives what people call a component, by its id, besides its name.
	Aliases func(id string) []string
	Policy  func() Policy // nil = DefaultPolicy
	Mails   Mails         // nil = no mailbox is read here
	// Triggers are the addresses by which machines move components, through Sayings;
	// nil = there are none.
	Triggers func() []Trigger
	Sayings  Sayings
}

// given reports whether there is a desk.
func (d *TicketDeps) given() bool { return d.Desk != nil }

// policy is what the hall may do now.
func (h *Hub) policy() Policy {
	if h.Deps.Policy == nil {
		return DefaultPolicy
	}
	return h.Deps.Policy()
}

// followTickets is the follower that ties tickets and incidents together. What a
// batch holds is done in order, inside the unit of work that moves the cursor.
func (h *Hub) followTickets(ctx context.Context, tx journal.Tx, entries []journal.Sealed) error {
	fresh := false
	last := map[string]int64{} // of each component: what came and went within the batch is no matter
	for _, e := range entries {
		if e.Verb == "component.moved" && e.Payload["track"] == string(status.Observed) {
			last[e.Subject.ID] = e.Seq
		}
	}
	for _, e := range entries {
		if e.Verb == "component.moved" && e.Seq != last[e.Subject.ID] {
			continue
		}
		came, err := h.ticketEntry(ctx, tx, e)
		if problem.KindOf(err) == problem.KindNotFound { // it was erased since
			h.Log.Warn("nothing is done about what is gone", "verb", e.Verb, "subject", e.Subject.String())
			continue
		}
		if err != nil {
			return err
		}
		fresh = fresh || came
	}
	if !fresh {
		return nil
	}
	return h.cluster(ctx, tx)
}

// ticketEntry does what one entry asks for; came tells that somebody wrote.
func (h *Hub) ticketEntry(ctx context.Context, tx journal.Tx, e journal.Sealed) (came bool, err error) {
	switch e.Verb {
	case "ticket.opened":
		return h.guess(ctx, tx, e.Subject.ID)
	case "ticket.received":
		return true, h.doubt(ctx, tx, e)
	case "ticket.bounced":
		return false, h.bounce(ctx, tx, e)
	case "delivery.failed":
		return false, h.undelivered(ctx, tx, e)
	case "component.moved":
		return false, h.impair(ctx, tx, e)
	case "incident.suspected", "incident.declared", "incident.joined":
		return false, h.tieImpairments(ctx, tx, e.Subject.ID)
	case "incident.published": // it may be over when it is published
		if e.Payload["state"] != string(incident.Resolved) {
			return false, nil
		}
		return false, h.answerAll(ctx, tx, e)
	case "incident.resolved":
		return false, h.answerAll(ctx, tx, e)
	case "incident.merged":
		return false, h.moveOn(ctx, tx, e.Subject.ID, e.Payload["into"])
	case "incident.dropped":
		return false, h.lapse(ctx, tx, e.Subject.ID)
	}
	return false, nil
}

// moveOn lets the tickets of an incident that was merged belong to the other.
func (h *Hub) moveOn(ctx context.Context, tx journal.Tx, from, into string) error {
	if into == "" {
		return nil
	}
	linked, err := h.linked(ctx, from)
	if err != nil {
		return err
	}
	for n := range linked {
		if err := h.Desk.LinkIn(ctx, tx, access.Hub, linked[n].ID, into); err != nil {
			return err
		}
	}
	return nil
}

// maxLinked bounds how many tickets of one incident are treated in one unit of work.
const maxLinked = 5000

// linked gives the tickets of an incident, oldest first.
func (h *Hub) linked(ctx context.Context, incidentID string) ([]ticket.Ticket, error) {
	var all []ticket.Ticket
	q := ticket.Query{Incident: incidentID, Sort: ticket.Oldest, Limit: ticket.MaxPage}
	for len(all) < maxLinked {
		page, err := h.Tickets.Tickets(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			break
		}
		q.After = page[len(page)-1].Cursor(ticket.Oldest)
	}
	return all, nil
}

// bounce closes the subscriptions of an address that does not take our mail.
func (h *Hub) bounce(ctx context.Context, tx journal.Tx, e journal.Sealed) error {
	if e.Payload["hard"] != "1" {
		return nil
	}
	m, err := h.Tickets.Message(ctx, e.Payload["message"])
	if err != nil {
		return err
	}
	for _, to := range m.To {
		if err := h.Notices.BouncedIn(ctx, tx, to.Address); err != nil {
			return err
		}
	}
	return nil
}

// undelivered marks the address of a requester whom an answer did not reach.
func (h *Hub) undelivered(ctx context.Context, tx journal.Tx, e journal.Sealed) error {
	id, ok := strings.CutPrefix(e.Payload["recipient"], "requester/")
	if !ok {
		return nil
	}
	who, err := h.Tickets.Requester(ctx, id)
	if err != nil || who.Address == "" {
		return err
	}
	return h.Desk.MarkBadIn(ctx, tx, who.Address, "Our mail could not be delivered")
}

// Explain gives the public sentence and the page of an open incident that explains
// a ticket: one that customers see, about the component that the first message
// speaks of. It is ticket.Explainer. Errors: Unavailable.
func (h *Hub) Explain(ctx context.Context, _ journal.Tx, t ticket.Ticket, m ticket.Message) (sentence, page string, err error) {
	open, err := h.Incidents.OpenIncidents(ctx)
	if err != nil || len(open) == 0 {
		return "", "", err
	}
	about := t.Components
	if len(about) == 0 {
		r := h.reader().read(&t, &m)
		if !r.Complains() {
			return "", "", nil
		}
		about = r.Components()
	}
	for n := range open {
		i := &open[n]
		if !i.Seen() || !slices.ContainsFunc(i.Components, func(a incident.Affected) bool { return slices.Contains(about, a.Component) }) {
			continue
		}
		sentence, err := h.publicSentence(ctx, i)
		return sentence, h.pageOf(i), err
	}
	return "", "", nil
}

// PublicWord gives what customers are told of a component now, and when the next
// word of it is promised, in one sentence each; "" for nothing. Errors: Unavailable.
func (h *Hub) PublicWord(ctx context.Context, component string) (string, error) {
	open, err := h.Incidents.OpenIncidents(ctx)
	if err != nil {
		return "", err
	}
	for n := range open {
		i := &open[n]
		if !i.Seen() || !slices.ContainsFunc(i.Components, func(a incident.Affected) bool { return a.Component == component }) {
			continue
		}
		word, err := h.publicSentence(ctx, i)
		if err != nil {
			return "", err
		}
		if i.Promised && !i.NextUpdateAt.IsZero() {
			word += " The next update is promised by " + late(i.NextUpdateAt) + "."
		}
		return word, nil
	}
	if span, ok := h.Present.scene.Load().published[component]; ok && span.Public != "" {
		return span.Public, nil
	}
	return "", nil
}

// publicSentence gives what customers read of an incident, in short.
func (h *Hub) publicSentence(ctx context.Context, i *incident.Incident) (string, error) {
	updates, err := h.Incidents.UpdatesOf(ctx, []string{i.ID})
	if err != nil {
		return "", err
	}
	word := i.Name + ": we are " + string(i.State) + "."
	if len(updates) > 0 {
		word = i.Name + ". " + summary(updates[len(updates)-1].Body)
	}
	return word, nil
}

// pageOf gives the public address of an incident; "" while the page has none.
func (h *Hub) pageOf(i *incident.Incident) string {
	if site := h.Present.scene.Load().site.URL; site != "" && i.Seen() {
		return strings.TrimRight(site, "/") + "/incidents/" + i.ID
	}
	return ""
}
