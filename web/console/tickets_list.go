package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// viewWords name the built-in views.
var viewWords = map[ticket.BuiltIn]string{
	ticket.ViewMine: "Mine", ticket.ViewUnassigned: "Unassigned", ticket.ViewOpen: "All open", ticket.ViewBreaching: "Breaching soon", ticket.ViewPending: "Waiting on them",
	ticket.ViewSolved: "Solved today", ticket.ViewAutomatic: "Bounced or automatic", ticket.ViewSnoozed: "Resting",
}

// startView is what the desk shows first.
const startView = ticket.ViewUnassigned

// sortWords say how a list is ordered.
var sortWords = map[ticket.Sort]string{
	ticket.Nearest: "nearest clock first", ticket.Latest: "last message first", ticket.Newest: "newest first", ticket.Oldest: "oldest first",
}

// Kinds of views beside the built-in ones, by what stands before their id.
const (
	viewQueue = "queue-"
	viewSaved = "view-"
)

// deskList fills in the queues and the list. It gives the tickets that are shown.
func (c *Console) deskList(ctx context.Context, d *ticketsPage, g door.Guest, u *url.URL, back url.Values, here *ticket.Ticket, k Clock) ([]ticket.Ticket, error) {
	now, midnight := k.Now, midnightOf(k)
	counts, err := c.deps.Tickets.Counts(ctx, g.Actor, midnight)
	if err != nil {
		return nil, err
	}
	saved, err := c.deps.Tickets.SavedViews(ctx, g.Actor)
	if err != nil {
		return nil, err
	}
	view := back.Get("view")
	q := startView.Query(g.Actor, now, midnight)
	switch {
	case back.Get("proposal") != "":
		d.View.Word = "What is proposed"
	case d.Search != "":
		d.View.Word = "Search"
	case view == "":
		view = string(startView)
	}
	row := func(id, word, path string, count int, tone string) viewRow {
		v := viewRow{ID: id, Word: word, Path: path, Tone: tone, Here: id == view && d.View.Word == ""}
		if count > 0 {
			v.Count = grouped(float64(count))
		}
		if count >= ticket.MaxShown {
			v.Count = "1,000+"
		}
		return v
	}
	to := func(id string) string { return ticketsPath + "?view=" + url.QueryEscape(id) }
	for _, b := range ticket.Views() {
		if viewWords[b] == "" {
			continue
		}
		tone := ""
		if b == ticket.ViewBreaching && counts.BuiltIn[b] > 0 {
			tone = "soon"
		}
		v := row(string(b), viewWords[b], to(string(b)), counts.BuiltIn[b], tone)
		if v.Here {
			q = b.Query(g.Actor, now, midnight)
		}
		if b == ticket.ViewAutomatic || b == ticket.ViewSnoozed {
			d.Views = append(d.Views, v)
		} else {
			d.Queues = append(d.Queues, v)
		}
	}
	rules := c.deps.Tickets.Rules()
	if len(rules.Queues) > 1 {
		for _, queue := range slices.Backward(rules.Queues) {
			v := row(viewQueue+queue.ID, queue.Name, to(viewQueue+queue.ID), counts.Queues[queue.ID], "")
			if v.Here {
				q = ticket.ViewOpen.Query(g.Actor, now, midnight)
				q.Queue = queue.ID
			}
			d.Views = slices.Insert(d.Views, 0, v)
		}
	}
	typed := ""
	for _, s := range saved {
		v := row(viewSaved+s.ID, s.Name, to(viewSaved+s.ID), 0, "")
		if v.Here {
			typed, q.Sort = s.Query, s.Sort
			if s.Owner != "" || g.Actor.MayOn(access.TicketSetup) {
				d.Saved = s.ID
			}
		}
		d.Views = append(d.Views, v)
	}
	d.desksBeside(c, ctx, g, counts, k)
	for _, v := range slices.Concat(d.Queues, d.Views) {
		if v.Here {
			d.View = v
		}
	}
	if d.View.Word == "" { // an address of a view that is gone
		d.View = d.Queues[1]
		q = startView.Query(g.Actor, now, midnight)
	}
	if d.Search != "" {
		typed, q.Sort, d.CanSave = d.Search, ticket.Latest, d.May["note"]
	}
	if s := ticket.Sort(back.Get("sort")); sortWords[s] != "" {
		q.Sort = s
	}
	return c.listRows(ctx, d, g, u, q, typed, back, here, k)
}

// listRows reads one page of the list.
func (c *Console) listRows(ctx context.Context, d *ticketsPage, g door.Guest, u *url.URL, q ticket.Query, typed string, back url.Values, here *ticket.Ticket, k Clock) ([]ticket.Ticket, error) {
	after := readTicketCursor(u.Query().Get("after"))
	var page ticket.Page
	var err error
	switch {
	case back.Get("proposal") != "":
		page, err = c.proposed(ctx, g, back.Get("proposal"))
	case typed != "":
		page, err = c.deps.Tickets.Search(ctx, g.Actor, typed, q.Sort, after, ticketRows)
		if f, ok := faultsOf(err); ok {
			d.Wrong, err = append(f.rest, fieldFaults(f)...), nil
		}
	default:
		q.After, q.Limit = after, ticketRows
		page, err = c.deps.Tickets.List(ctx, g.Actor, q)
	}
	if err != nil {
		return nil, err
	}
	d.Sorted = sortWords[q.Sort]
	if d.Sorted == "" {
		d.Sorted = sortWords[ticket.Latest]
	}
	if back.Get("proposal") != "" {
		d.Sorted = sortWords[ticket.Oldest]
	}
	if d.View.Count != "" {
		d.Sorted = d.View.Count + ", " + d.Sorted
	}
	for n := range page.Tickets {
		row := c.ticketRow(&page.Tickets[n], page.Requesters, back, k)
		row.Here = here != nil && here.ID == row.ID
		d.Rows = append(d.Rows, row)
	}
	list := url.URL{Path: ticketsPath, RawQuery: back.Encode()}
	if page.Next.Given() {
		d.Pager.After = with(&list, "after", cursorWord(page.Next))
	}
	if after.Given() {
		d.Pager.Before = with(&list)
	}
	if len(d.Rows) == 0 && len(d.Wrong) == 0 {
		d.Empty = c.emptyDesk(d, typed)
	}
	return page.Tickets, nil
}

// emptyDesk says why a list is empty.
func (c *Console) emptyDesk(d *ticketsPage, typed string) *emptyWords {
	switch {
	case typed != "":
		return &emptyWords{"Nothing fits", "Search by words, or by from: to: is: tag: queue: component: incident: assignee:me before: after: has:attachment, and numbers as TK-4107. A - leaves out."}
	case d.View.ID == string(ticket.ViewMine):
		return &emptyWords{"Nothing is yours", "Take a ticket with a."}
	case d.View.ID == string(ticket.ViewUnassigned):
		return &emptyWords{"Nobody waits for somebody", "Every ticket has somebody who looks after it. New mail shows up here by itself."}
	}
	return &emptyWords{"No ticket is here", "Mail to a configured mailbox, the form on the page, the API, Slack and you open tickets."}
}

// desksBeside lists what stands at the foot of the queues: held answers, the
// mailboxes, and what there is to set up.
func (d *ticketsPage) desksBeside(c *Console, ctx context.Context, g door.Guest, counts ticket.Counts, k Clock) {
	if n := counts.BuiltIn[ticket.ViewReview]; n > 0 && d.May["answer"] {
		d.Also = append(d.Also, Tab{Word: "Held for review", Path: reviewPath, Count: grouped(float64(n))})
	}
	if c.deps.Mails != nil && d.May["mail"] {
		if aside, err := c.deps.Mails.Mails(ctx, g.Actor, inbox.Query{Fates: []inbox.Fate{inbox.SetAside}, Limit: ledgerRows}); err == nil && len(aside) > 0 {
			d.Also = append(d.Also, Tab{Word: "Set aside", Path: mailboxPath(aside[0].Mailbox) + "?fate=" + string(inbox.SetAside), Count: grouped(float64(len(aside)))})
		}
		d.Mail = c.mailAge(ctx, g, k)
	}
	export := "is:live"
	if d.Search != "" {
		export = d.Search
	}
	d.Also = append(d.Also, Tab{Word: "Saved replies", Path: repliesPath}, Tab{Word: "Take out as CSV", Path: ticketsPath + "/export?q=" + url.QueryEscape(export)})
}

// mailStale is how long a mailbox may be out of step before the desk says so.
const mailStale = 5 * time.Minute

// mailAge says how old the mail on the desk is: as old as the mailbox that is
// worst off.
func (c *Console) mailAge(ctx context.Context, g door.Guest, k Clock) *mailWord {
	boxes, err := c.deps.Mails.Mailboxes(ctx, g.Actor)
	if err != nil {
		return nil
	}
	boxes = slices.DeleteFunc(boxes, func(m inbox.Mailbox) bool { return m.State == inbox.Off })
	if len(boxes) == 0 {
		return nil
	}
	worst := slices.MinFunc(boxes, func(a, b inbox.Mailbox) int { return a.OKAt.Compare(b.OKAt) })
	w := &mailWord{Path: mailboxesPath, Words: "Mail " + age(max(k.Now.Sub(worst.OKAt), 0)) + " ago"}
	switch {
	case worst.OKAt.IsZero():
		w.Words, w.Tone = worst.Name+": no mail yet", "soon"
	case !worst.Well():
		w.Words, w.Tone = worst.Name+": "+strings.ToLower(mailboxMarks[worst.State].Word), "late"
	case k.Now.Sub(worst.OKAt) > mailStale:
		w.Tone = "soon"
	}
	return w
}

// midnightOf is where the day of whoever looks began.
func midnightOf(k Clock) time.Time {
	y, m, day := k.Now.In(k.Zone).Date()
	return time.Date(y, m, day, 0, 0, 0, 0, k.Zone).UTC()
}

// keepView keeps the search that is shown.
func (c *Console) keepView(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	view, err := c.deps.Tickets.SaveView(r.Context(), guestOf(r).Actor, ticket.View{Name: v.Get("name"), Query: v.Get("q"), Sort: ticket.Latest}, v.Get("all") != "")
	if err != nil {
		return c.backToDesk(w, r, err)
	}
	c.See(w, r, ticketsPath+"?view="+url.QueryEscape(viewSaved+view.ID), &Said{Text: "Kept: " + cut(view.Name, 60)})
	return nil
}

func (c *Console) dropView(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	if err := c.deps.Tickets.DropView(r.Context(), guestOf(r).Actor, v.Get("id")); err != nil {
		return err
	}
	c.See(w, r, ticketsPath, &Said{Text: "The view is forgotten; its tickets are not"})
	return nil
}
