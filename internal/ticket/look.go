package ticket

import (
	"context"
	"io"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Page is one page of a list, with who asked.
type Page struct {
	Tickets    []Ticket
	Requesters map[string]Requester // by id
	Next       Cursor               // of the page behind; not Given when this is the last
}

// Get gives a ticket with its requester. One that was merged says so in MergedInto.
func (d *Desk) Get(ctx context.Context, by access.Actor, id string) (Ticket, Requester, error) {
	t, err := d.find(ctx, by, id)
	if err != nil || t.Requester == "" {
		return t, Requester{}, err
	}
	who, err := d.store.Requester(ctx, t.Requester)
	if problem.KindOf(err) == problem.KindNotFound {
		err = nil
	}
	return t, who, err
}

// find reads one that the actor may see.
func (d *Desk) find(ctx context.Context, by access.Actor, id string) (t Ticket, err error) {
	if err := by.Check(access.TicketRead); err != nil {
		return Ticket{}, err
	}
	if number, ok := d.numbered(id); ok {
		t, err = d.store.TicketByNumber(ctx, number)
	} else {
		t, err = d.store.Ticket(ctx, id)
	}
	if problem.KindOf(err) == problem.KindNotFound || err == nil && allows(by, access.TicketRead, &t) != nil {
		return Ticket{}, problem.NotFound("There is no ticket %q.", cutRunes(oneLine(id), MaxTag))
	}
	return t, err
}

// Messages gives all of a ticket, oldest first.
func (d *Desk) Messages(ctx context.Context, by access.Actor, id string) ([]Message, error) {
	t, err := d.find(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return d.store.Messages(ctx, t.ID)
}

// Message gives one, by its id.
func (d *Desk) Message(ctx context.Context, by access.Actor, id string) (Message, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return Message{}, err
	}
	m, err := d.store.Message(ctx, id)
	if err != nil {
		return Message{}, err
	}
	if _, err := d.find(ctx, by, m.Ticket); err != nil {
		return Message{}, problem.NotFound("There is no message %q.", cutRunes(oneLine(id), MaxTag))
	}
	return m, nil
}

// Attachment opens a file of a message, by its hash. Errors: NotFound when it is
// not one of that message.
func (d *Desk) Attachment(ctx context.Context, by access.Actor, message, hash string) (Attachment, io.ReadCloser, error) {
	m, err := d.Message(ctx, by, message)
	if err != nil {
		return Attachment{}, nil, err
	}
	for _, a := range m.Attachments {
		if a.Hash == hash {
			body, size, err := d.blobs.OpenBlob(ctx, hash)
			a.Size = size
			return a, body, err
		}
	}
	return Attachment{}, nil, problem.NotFound("This message has no such file.")
}

// List gives a page of the tickets that match. Errors: Invalid.
func (d *Desk) List(ctx context.Context, by access.Actor, q Query) (Page, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return Page{}, err
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return Page{}, problem.Invalid("limit", "A page holds 1 to %d tickets.", MaxPage)
	}
	q.Now = d.now()
	if len(q.Text) > 0 {
		return d.found(ctx, by, q)
	}
	var page Page
	for {
		all, err := d.store.Tickets(ctx, q)
		if err != nil {
			return Page{}, err
		}
		page.Next = Cursor{}
		for i := range all {
			if len(page.Tickets) == q.Limit {
				break
			}
			if page.Next = all[i].Cursor(q.Sort); allows(by, access.TicketRead, &all[i]) == nil {
				page.Tickets = append(page.Tickets, all[i])
			}
		}
		if len(all) < q.Limit {
			page.Next = Cursor{}
		}
		if !page.Next.Given() || len(page.Tickets) == q.Limit {
			break
		}
		q.After = page.Next // a right that is narrowed to some components: go on until the page is full
	}
	people, err := d.people(ctx, page.Tickets)
	page.Requesters = people
	return page, err
}

// found gives a page of what a search by words finds. It may not be full though
// more follows: one page looks at a bounded number of messages.
func (d *Desk) found(ctx context.Context, by access.Actor, q Query) (Page, error) {
	found, next, err := d.store.FindMessages(ctx, q)
	if err != nil {
		return Page{}, err
	}
	page := Page{Next: Cursor{Message: next}}
	for i := range found {
		if allows(by, access.TicketRead, &found[i].Ticket) == nil {
			page.Tickets = append(page.Tickets, found[i].Ticket)
		}
	}
	page.Requesters, err = d.people(ctx, page.Tickets)
	return page, err
}

// people gives the requesters of tickets, by id.
func (d *Desk) people(ctx context.Context, all []Ticket) (map[string]Requester, error) {
	out := make(map[string]Requester, len(all))
	var ids []string
	for i := range all {
		if id := all[i].Requester; id != "" {
			if _, seen := out[id]; !seen {
				out[id] = Requester{}
				ids = append(ids, id)
			}
		}
	}
	found, err := d.store.Requesters(ctx, ids)
	for _, r := range found {
		out[r.ID] = r
	}
	return out, err
}

// Search gives a page of the tickets that a search finds, as ParseQuery reads it.
// Without a word that must be there it is a list. Errors: Invalid.
func (d *Desk) Search(ctx context.Context, by access.Actor, typed string, sort Sort, after Cursor, limit int) (Page, error) {
	q, err := d.Parse(by, typed)
	if err != nil {
		return Page{}, err
	}
	q.After, q.Limit = after, limit
	if q.Sort = sort; sort == "" {
		q.Sort = q.natural()
	}
	return d.List(ctx, by, q)
}

// natural gives the order that a search is best shown in: by what it asks for.
func (q *Query) natural() Sort {
	switch {
	case q.Overdue || !q.DueBefore.IsZero():
		return Nearest
	case !q.From.IsZero() || !q.To.IsZero():
		return Newest
	default:
		return Latest
	}
}

// Waiting gives the tickets of an incident, and how many requesters wait for word
// of it: those who are linked and whose ticket is not over.
func (d *Desk) Waiting(ctx context.Context, by access.Actor, incident string) (linked []Ticket, people int, err error) {
	page, err := d.List(ctx, by, Query{Incident: incident, Sort: Oldest, Limit: MaxPage})
	if err != nil {
		return nil, 0, err
	}
	waiting := map[string]bool{}
	for i := range page.Tickets {
		if t := &page.Tickets[i]; !t.State.Over() && t.Requester != "" {
			waiting[t.Requester] = true
		}
	}
	return page.Tickets, len(waiting), nil
}

// Inflow tells how many tickets people opened since a moment; it stops counting
// at MaxCount.
func (d *Desk) Inflow(ctx context.Context, by access.Actor, since time.Time) (int, error) {
	if err := by.Check(access.TicketRead); err != nil {
		return 0, err
	}
	no := false
	return d.store.CountTickets(ctx, Query{From: since, Automatic: &no, Kinds: []Kind{Request}, Merged: true, Now: d.now()}, MaxCount)
}

// MaxCount is where counting stops: more is said as "and more".
const MaxCount = 10_000
