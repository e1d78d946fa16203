package hub

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/ticket"
)

const (
	// unreadAfter is how long a mailbox may be in trouble before somebody hears of it.
	unreadAfter = 5 * time.Minute
	// doubtsCount is how many people must say that an incident is not over, and
	// doubtsShare how large a part of those who wrote, before it needs attention.
	doubtsCount = 2
	doubtsShare = 0.1
	// doubtsFor is how long after its end an incident is watched for that.
	doubtsFor = 7 * 24 * time.Hour
	// proposedFor is how long a proposal waits for a decision.
	proposedFor = 12 * time.Hour
)

// Mails is what the hall sees of received mail; inbox.Store is one. Errors:
// Unavailable.
type Mails interface {
	Mailboxes(ctx context.Context) ([]inbox.Mailbox, error)
	FateCounts(ctx context.Context, mailbox string) (map[inbox.Fate]int64, error)
}

// wantedAtDesk gives what needs attention at the desk of tickets.
func (h *Hub) wantedAtDesk(ctx context.Context, add func(Concern)) error {
	if !h.given() {
		return nil
	}
	now := h.now()
	late, err := h.Tickets.CountTickets(ctx, ticket.Query{Overdue: true, NotStates: []ticket.State{ticket.Solved, ticket.Closed}, Now: now}, maxCounted)
	if err != nil {
		return err
	}
	if late > 0 {
		add(Concern{Kind: Unkept, Subject: journal.Ref{Kind: "desk", ID: "tickets"}, Since: now, Facts: map[string]string{"count": strconv.Itoa(late)}})
	}
	if err := h.wantedOfMail(ctx, now, add); err != nil {
		return err
	}
	return h.wantedOfDoubts(ctx, now, add)
}

// wantedOfMail gives mailboxes that are not read and mails that were set aside.
func (h *Hub) wantedOfMail(ctx context.Context, now time.Time, add func(Concern)) error {
	if h.Mails == nil {
		return nil
	}
	boxes, err := h.Mails.Mailboxes(ctx)
	if err != nil {
		return err
	}
	for _, b := range boxes {
		unwell := b.State == inbox.BackingOff || b.State == inbox.NeedsConsent
		if unwell && now.Sub(b.Since) >= unreadAfter {
			add(Concern{Kind: Unread, Subject: journal.Ref{Kind: "mailbox", ID: b.Name}, Since: b.Since, Facts: map[string]string{"why": b.Reason}})
		}
		fates, err := h.Mails.FateCounts(ctx, b.Name)
		if err != nil {
			return err
		}
		if n := fates[inbox.SetAside]; n > 0 {
			add(Concern{Kind: SetAside, Subject: journal.Ref{Kind: "mailbox", ID: b.Name}, Since: now, Facts: map[string]string{"count": strconv.FormatInt(n, 10)}})
		}
	}
	return nil
}

// wantedOfDoubts gives incidents that are over, but not for those who wrote.
func (h *Hub) wantedOfDoubts(ctx context.Context, now time.Time, add func(Concern)) error {
	yes := true
	doubting, err := h.Tickets.Tickets(ctx, ticket.Query{
		Incident: ticket.AnyIncident, Broken: &yes, From: now.Add(-2 * doubtsFor), Sort: ticket.Newest, Limit: ticket.MaxPage, Now: now,
	})
	if err != nil {
		return err
	}
	people := map[string]map[string]bool{}
	for n := range doubting {
		t := &doubting[n]
		if people[t.Incident] == nil {
			people[t.Incident] = map[string]bool{}
		}
		people[t.Incident][t.Requester] = true
	}
	for id, who := range people {
		i, err := h.Incidents.Incident(ctx, id)
		if missing(err) || err == nil && (i.Open() || now.Sub(i.ResolvedAt) > doubtsFor) {
			continue
		}
		if err != nil {
			return err
		}
		wrote, err := h.Tickets.CountTickets(ctx, ticket.Query{Incident: id, Kinds: []ticket.Kind{ticket.Request}, Now: now}, maxCounted)
		if err != nil {
			return err
		}
		if len(who) >= doubtsCount || float64(len(who)) >= doubtsShare*float64(wrote) {
			add(Concern{Kind: StillBroken, Subject: journal.Ref{Kind: "incident", ID: id}, Since: i.ResolvedAt, Facts: map[string]string{
				"count": strconv.Itoa(len(who)), "of": strconv.Itoa(wrote),
			}})
		}
	}
	return nil
}

// deskWords puts a concern of the desk into words. label is the incident's.
func deskWords(a *Attention, c *Concern, label string) {
	count := c.Facts["count"]
	switch c.Kind {
	case Unkept:
		a.Words, a.Path = plural(count, "A ticket is", "tickets are")+" past a promise.", "/console/tickets?view=overdue"
	case SetAside:
		a.Words, a.Path = plural(count, "A mail", "mails")+" in the mailbox "+c.Subject.ID+" could not be read, and wait for a person.", "/console/mailboxes/"+c.Subject.ID
		if count == "1" {
			a.Words = "A mail in the mailbox " + c.Subject.ID + " could not be read, and waits for a person."
		}
	case Unread:
		a.Words, a.Path = fmt.Sprintf("The mailbox %s has not been read since %s: %s.", c.Subject.ID, late(c.Since), c.Facts["why"]), "/console/mailboxes/"+c.Subject.ID
	case StillBroken:
		a.Words = fmt.Sprintf("%s is over, but %s of %s who wrote say that it is still broken.", label, count, c.Facts["of"])
	}
}

// plural writes a number with its noun.
func plural(count, one, more string) string {
	if count == "1" {
		return one
	}
	return count + " " + more
}

// settledWords says that a concern of the desk is over.
func settledWords(kind Kind, id string) string {
	switch kind {
	case Unkept:
		return "No ticket is past a promise any more."
	case SetAside:
		return "Nothing is set aside in the mailbox " + id + " any more."
	case Unread:
		return "The mailbox " + id + " is read again."
	default:
		return "Nobody says any more that it is still broken."
	}
}

// sweepProposals ends proposals that nobody decided about.
func (h *Hub) sweepProposals(ctx context.Context, lease journal.Lease) error {
	if !h.given() {
		return nil
	}
	open, err := h.Proposed.Proposals(ctx, []ticket.ProposalState{ticket.Proposed}, maxProposals)
	if err != nil {
		return err
	}
	now := h.now()
	for _, p := range open {
		if now.Sub(p.Until) < proposedFor {
			continue
		}
		if err := h.commit(ctx, lease, func(tx journal.Tx) error {
			p, err := h.Proposed.ProposalForUpdate(ctx, tx, p.ID)
			if err != nil || !p.Open() {
				return err
			}
			if p.Kind == ticket.Burst && p.Incident != "" {
				if _, err := h.Room.Withdraw(ctx, tx, p.Incident); ignoreMissing(err) != nil {
					return err
				}
			}
			return h.expire(ctx, tx, &p)
		}); err != nil {
			return err
		}
	}
	return nil
}
