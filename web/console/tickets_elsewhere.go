package console

import (
	"context"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// What the desk shows in other rooms.
const (
	incidentTickets = 8 // of those linked to an incident
	inflowWithin    = time.Hour
)

// deskCounts gives the counts of the desk as the hub sees them, kept for a moment:
// every page of everybody shows one of them.
func (c *Console) deskCounts(ctx context.Context) (ticket.Counts, error) {
	return c.counted.get(func() (ticket.Counts, error) {
		return c.deps.Tickets.Counts(ctx, access.Hub, midnightOf(c.clock(c.roll.zone())))
	})
}

// deskTally is the count of the row in the rail.
func (c *Console) deskTally(ctx context.Context, g door.Guest) (tally, bool) {
	if c.deps.Tickets == nil || !g.Actor.May(access.TicketRead) {
		return tally{}, false
	}
	counts, err := c.deskCounts(ctx)
	if err != nil {
		return tally{}, false
	}
	open := counts.BuiltIn[ticket.ViewOpen]
	return tally{n: open, title: plural(open, "open ticket", "open tickets")}, true
}

// wallDesk is what the wall says of the desk: how much comes in, how much waits
// for somebody, and how old the mail is.
type wallDesk struct {
	Path, Came, Waits, Breach string
	Mail                      *mailWord
}

// wallDesk fills it in; nil for who may not read tickets, and while the record is
// away.
func (c *Console) wallDesk(ctx context.Context, g door.Guest, k Clock) *wallDesk {
	if c.deps.Tickets == nil || !g.Actor.May(access.TicketRead) {
		return nil
	}
	counts, err := c.deskCounts(ctx)
	if err != nil {
		return nil
	}
	came, err := c.inflow.get(func() (int, error) { return c.deps.Tickets.Inflow(ctx, access.Hub, k.Now.Add(-inflowWithin)) })
	if err != nil {
		return nil
	}
	d := &wallDesk{Path: ticketsPath, Came: grouped(float64(came)) + " in the last hour", Waits: plural(counts.BuiltIn[ticket.ViewUnassigned], "waits for somebody", "wait for somebody")}
	if n := counts.BuiltIn[ticket.ViewBreaching]; n > 0 {
		d.Breach, d.Path = plural(n, "breaches soon", "breach soon"), ticketsPath+"?view="+string(ticket.ViewBreaching)
	}
	if c.deps.Mails != nil && g.Actor.May(access.MailboxRead) {
		d.Mail = c.mailAge(ctx, g, k)
	}
	return d
}

// waitingView is who wrote in about an incident.
type waitingView struct {
	Count, People string
	Rows          []waitingRow
	More          string // where all of them are
	Broken        string
}

// waitingRow is one of their tickets.
type waitingRow struct {
	Path, Label, Subject, State string
	At                          Stamp
}

// waiting tells who wrote in about an incident, and how many wait for word of it;
// nil for who may not read tickets.
func (c *Console) waiting(ctx context.Context, g door.Guest, incident, label string, k Clock) (*waitingView, error) {
	if c.deps.Tickets == nil || !g.Actor.May(access.TicketRead) {
		return nil, nil
	}
	linked, people, err := c.deps.Tickets.Waiting(ctx, g.Actor, incident)
	if err != nil {
		return nil, err
	}
	v := &waitingView{Count: grouped(float64(len(linked))), People: plural(people, "person waits", "people wait"), More: ticketsPath + "?q=incident%3A" + incident}
	broken := 0
	for n := range linked {
		t := &linked[n]
		if t.StillBroken {
			broken++
		}
		if n < incidentTickets {
			v.Rows = append(v.Rows, waitingRow{Path: ticketPath(t.ID), Label: c.ticketName(t), Subject: cut(subjectWord(t), 80), State: ticketStates[t.State], At: k.At(t.LastAt)})
		}
	}
	if broken > 0 {
		v.Broken = plural(broken, "says it is still broken", "say it is still broken")
	}
	return v, nil
}

// findTickets finds by number, and by words where there are some.
func (c *Console) findTickets(ctx context.Context, g door.Guest, q string) ([]find, error) {
	if c.deps.Tickets == nil || q == "" || !g.Actor.May(access.TicketRead) {
		return nil, nil
	}
	page, err := c.deps.Tickets.Search(ctx, g.Actor, q, ticket.Latest, ticket.Cursor{}, MaxFound)
	if _, wrong := faultsOf(err); wrong {
		return nil, nil // a search for something else
	}
	var out []find
	for n := range page.Tickets {
		t := &page.Tickets[n]
		out = append(out, find{Word: cut(subjectWord(t), 80), Why: c.ticketName(t) + ", " + strings.ToLower(ticketStates[t.State]), Icon: "mail", Path: ticketPath(t.ID)})
	}
	return out, err
}

// saidNumber reads a number that a page carried; 0 where there is none.
func saidNumber(v interface{ Get(string) string }, name string) int64 {
	n, _ := strconv.ParseInt(v.Get(name), 10, 64) // what is no number is none
	return n
}
