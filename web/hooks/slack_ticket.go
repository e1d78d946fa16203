package hooks

import (
	"context"
	"fmt"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/markup"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// Tickets is what commands do to tickets; *ticket.Desk does.
type Tickets interface {
	Open(ctx context.Context, by access.Actor, o ticket.Opening) (ticket.Ticket, error)
	List(ctx context.Context, by access.Actor, q ticket.Query) (ticket.Page, error)
	Label(number int64) string
}

// maxSlackTitle bounds a subject that is made of the first line, in letters.
const maxSlackTitle = 120

// ticket opens a ticket, or lists those of whoever asks.
func (i *Inbound) ticket(ctx context.Context, by access.Actor, text string) (string, error) {
	if i.Slack.Tickets == nil {
		return "", problem.Unavailable(nil, "There is no ticket desk here.")
	}
	if text == "" {
		return i.listTickets(ctx, by)
	}
	title, _, _ := strings.Cut(text, "\n")
	if letters := []rune(title); len(letters) > maxSlackTitle {
		title = string(letters[:maxSlackTitle-1]) + "…"
	}
	t, err := i.Slack.Tickets.Open(ctx, by, ticket.Opening{Way: ticket.BySlack, Subject: title, Text: text})
	if err != nil {
		return "", err
	}
	return "Opened " + i.ticketTitle(&t) + ".", nil
}

// listTickets lists the open tickets of whoever asks, nearest clock first.
func (i *Inbound) listTickets(ctx context.Context, by access.Actor) (string, error) {
	person, ok := people.PersonOf(by)
	if !ok {
		return "", problem.Forbidden("Only people have tickets.")
	}
	page, err := i.Slack.Tickets.List(ctx, by, ticket.Query{
		Assignee: person, NotStates: []ticket.State{ticket.Solved, ticket.Closed}, Sort: ticket.Nearest, Limit: maxListed,
	})
	if err != nil {
		return "", err
	}
	if len(page.Tickets) == 0 {
		return "None of the open tickets is yours.", nil
	}
	var out strings.Builder
	for n := range page.Tickets {
		t := &page.Tickets[n]
		fmt.Fprintf(&out, "• %s, %s", i.ticketTitle(t), strings.ReplaceAll(string(t.State), "_", " "))
		if !t.DueAt.IsZero() {
			fmt.Fprintf(&out, ", due %s", t.DueAt.UTC().Format("2 Jan 15:04 UTC"))
		}
		out.WriteByte('\n')
	}
	return out.String(), nil
}

// ticketTitle names a ticket, with a link where the hub has an address.
func (i *Inbound) ticketTitle(t *ticket.Ticket) string {
	name := i.Slack.Tickets.Label(t.Number) + " " + markup.Plain(t.Subject)
	if page := i.Slack.Settings().Page; page != "" {
		return "<" + page + "/console/tickets/" + t.ID + "|" + name + ">"
	}
	return name
}
