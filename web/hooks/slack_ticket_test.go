package hooks

import (
	"context"
	"fmt"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/ticket"
)

// slackDesk is the desk behind commands: one ticket of everybody's.
type slackDesk struct{ room *slackRoom }

func (d slackDesk) Open(_ context.Context, by access.Actor, o ticket.Opening) (ticket.Ticket, error) {
	if err := by.Check(access.TicketOpen); err != nil {
		return ticket.Ticket{}, err
	}
	d.room.did("ticket " + string(o.Way) + " " + o.Subject + " by " + by.ID)
	return ticket.Ticket{ID: "01tk", Number: 7, Subject: o.Subject}, nil
}

func (d slackDesk) List(_ context.Context, by access.Actor, q ticket.Query) (ticket.Page, error) {
	if q.Assignee == "" {
		return ticket.Page{}, nil
	}
	return ticket.Page{Tickets: []ticket.Ticket{{ID: "01tk8", Number: 8, Subject: "No heating", State: ticket.OnHold, DueAt: d.room.now.Add(20 * time.Minute)}}}, by.Check(access.TicketRead)
}

func (slackDesk) Label(number int64) string { return fmt.Sprintf("TK-%d", number) }
