package console

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// Where the desk stands.
const (
	ticketsPath    = "/console/tickets"
	reviewPath     = ticketsPath + "/review"
	repliesPath    = ticketsPath + "/replies"
	requestersPath = "/console/requesters"
)

// ticketRows are the tickets of one page of a list.
const ticketRows = 60

// ticketPath is where a ticket is read.
func ticketPath(id string) string { return ticketsPath + "/" + url.PathEscape(id) }

// ticketRoutes are the addresses of the desk.
func (c *Console) ticketRoutes() []door.Route {
	if c.deps.Tickets == nil {
		return nil
	}
	get := func(path string, act access.Action, fn func(http.ResponseWriter, *http.Request) error) door.Route {
		return door.Route{Method: http.MethodGet, Path: path, Action: act, Handler: c.handle(fn)}
	}
	post := func(path string, act access.Action, fn func(http.ResponseWriter, *http.Request) error) door.Route {
		return door.Route{Method: http.MethodPost, Path: path, Action: act, Handler: c.handle(fn)}
	}
	one, message := ticketsPath+"/{id}", ticketsPath+"/{id}/messages/{message}"
	who := requestersPath + "/{id}"
	answer, note, link := access.TicketAnswer, access.TicketNote, access.TicketLink
	return slices.Concat([]door.Route{
		get(ticketsPath, access.TicketRead, c.tickets),
		get(ticketsPath+"/new", access.TicketOpen, c.newTicket),
		post(ticketsPath, access.TicketOpen, c.openTicket),
		post(ticketsPath+"/bulk", answer, c.bulk),
		post(ticketsPath+"/bulk/undo", answer, c.undoBulk),
		post(ticketsPath+"/views", note, c.keepView),
		post(ticketsPath+"/views/drop", note, c.dropView),
		get(ticketsPath+"/export", access.TicketRead, c.exportTickets),
		get(reviewPath, answer, c.review),
		post(reviewPath+"/release", answer, c.release),
		get(repliesPath, access.TicketRead, c.savedReplies),
		post(repliesPath, access.TicketSetup, c.putReply),
		post(repliesPath+"/{id}/drop", access.TicketSetup, c.dropReply),
		post(ticketsPath+"/proposals/{id}/accept", link, c.decide(Proposals.Accept, acceptedWords, true)),
		post(ticketsPath+"/proposals/{id}/dismiss", link, c.decide(Proposals.Dismiss, dismissedWords, true)),
		post(ticketsPath+"/proposals/{id}/undo", link, c.decide(Proposals.Undo, undoneWords, false)),
		get(one, access.TicketRead, c.ticketRoom),
		post(one+"/answer", answer, c.ticketAct(c.answer)),
		post(one+"/unsend", answer, c.ticketAct(c.unsend)),
		post(one+"/note", note, c.ticketAct(c.jot)),
		post(one+"/assign", answer, c.ticketAct(c.assignTicket)),
		post(one+"/move", answer, c.ticketAct(c.moveTicket)),
		post(one+"/priority", answer, c.ticketAct(c.prioritise)),
		post(one+"/queue", answer, c.ticketAct(c.queueTicket)),
		post(one+"/tags", answer, c.ticketAct(c.tagTicket)),
		post(one+"/title", answer, c.ticketAct(c.retitle)),
		post(one+"/field", answer, c.ticketAct(c.setField)),
		post(one+"/concern", answer, c.ticketAct(c.concern)),
		post(one+"/calm", answer, c.ticketAct(c.calm)),
		post(one+"/snooze", answer, c.ticketAct(c.snooze)),
		post(one+"/link", link, c.ticketAct(c.linkTicket)),
		post(one+"/unlink", link, c.ticketAct(c.unlinkTicket)),
		post(one+"/merge", answer, c.ticketAct(c.mergeTickets)),
		post(one+"/unmerge", answer, c.ticketAct(c.unmerge)),
		post(one+"/split", answer, c.ticketAct(c.split)),
		post(one+"/writing", note, c.writing),
		get(one+"/saved/{reply}", answer, c.fillReply),
		get(message+"/html", access.TicketRead, c.messageHTML),
		get(message+"/files/{n}", access.TicketRead, c.messageFile),
		get(message+"/raw", access.MailRaw, c.messageRaw),
		get(who, access.TicketRead, c.requester),
		post(who, answer, c.editRequester),
		post(who+"/block", answer, c.blockRequester),
		post(who+"/erase", access.TicketErase, c.eraseRequester),
	}, c.mailboxRoutes())
}

// ticketsPage is the data of tickets.html.
type ticketsPage struct {
	View          viewRow
	Queues, Views []viewRow
	Also          []Tab
	Mail          *mailWord
	Search        string
	Sorted        string
	Saved         string // id of the saved view that is shown, where this person may forget it
	CanSave       bool
	Rows          []ticketRow
	Pager         Pager
	Empty         *emptyWords
	Proposal      *proposalView
	One           *ticketPane
	Here          string // this page, for forms that come back
	May           map[string]bool
	Wrong         []string
	linked        *proposalView // for the ticket that is open

	People, Priorities, QueueNames, Incidents []Option
}

// viewRow is one queue or view with its count.
type viewRow struct {
	ID, Word, Path, Count, Tone string
	Here                        bool
}

// emptyWords say why a list is empty.
type emptyWords struct{ Title, Text string }

// mailWord says how old the mail is.
type mailWord struct{ Words, Tone, Path string }

// ticketRow is one ticket of the list.
type ticketRow struct {
	ID, Label, Path, From, Subject string
	Clip, Fresh, Guess, Here       bool
	Alarm                          string
	At, Due                        Stamp
	DueWord, DueIn, Tone           string
}

// tickets shows a list with nothing open beside it.
func (c *Console) tickets(w http.ResponseWriter, r *http.Request) error {
	return c.showDesk(w, r, nil, nil, nil)
}

// ticketRoom shows a ticket beside the list it was opened from.
func (c *Console) ticketRoom(w http.ResponseWriter, r *http.Request) error {
	return c.showTicket(w, r, nil, nil)
}

// showTicket shows a ticket; sent and wrong are a form that was not taken.
func (c *Console) showTicket(w http.ResponseWriter, r *http.Request, sent url.Values, wrong error) error {
	t, who, err := c.deps.Tickets.Get(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if t.MergedInto != "" {
		into, _, err := c.deps.Tickets.Get(r.Context(), guestOf(r).Actor, t.MergedInto)
		if err != nil {
			return err
		}
		c.See(w, r, ticketPath(into.ID), &Said{Text: c.ticketName(&t) + " was merged into this ticket"})
		return nil
	}
	if sent == nil {
		sent = url.Values{"saved": r.URL.Query()["saved"]}
	}
	return c.showDesk(w, r, &opened{Ticket: &t, Requester: &who}, sent, wrong)
}

// opened is the ticket that is open on the desk, and who it is from.
type opened struct {
	*ticket.Ticket
	*ticket.Requester
}

// deskQuery gives the part of an address that names the list.
func deskQuery(q url.Values) url.Values {
	back := url.Values{}
	for _, name := range []string{"view", "q", "proposal", "sort"} {
		if v := q.Get(name); v != "" {
			back.Set(name, v)
		}
	}
	return back
}

// showDesk shows the desk: queues, the list, and one ticket where there is one.
func (c *Console) showDesk(w http.ResponseWriter, r *http.Request, t *opened, sent url.Values, wrong error) error {
	ctx, g := r.Context(), guestOf(r)
	k := c.clock(c.zoneOf(g))
	back := deskQuery(r.URL.Query())
	var here *ticket.Ticket
	if t != nil {
		here = t.Ticket
	}
	d := ticketsPage{Search: back.Get("q"), Here: r.URL.RequestURI(), May: rightsOf(g, ticketRights), Priorities: priorityOptions}
	list, err := c.deskList(ctx, &d, g, r.URL, back, here, k)
	if err != nil {
		return err
	}
	if err := c.deskProposal(ctx, &d, g, back, list, here, k); err != nil {
		return err
	}
	if err := c.deskForms(ctx, &d, g); err != nil {
		return err
	}
	page := Page{
		Title: d.View.Word, Section: "tickets", Template: "tickets", OwnHead: true, Bleed: true, Class: "desk", Live: "ticket proposal mailbox incident component delivery", Every: 30,
		Crumbs: []Crumb{{"Tickets", ticketsPath}, {Word: d.View.Word}}, Find: &FindBox{Path: ticketsPath, Query: d.Search, Label: "Search text, sender, is:open"},
		Keys: []Key{
			{[]string{"j", "k"}, "move"}, {[]string{"x"}, "select"}, {[]string{"r"}, "reply"}, {[]string{"i"}, "note"}, {[]string{"a"}, "assign"}, {[]string{"l"}, "link"},
			{[]string{"e"}, "close"}, {[]string{"z"}, "undo"},
		},
	}
	if d.May["open"] {
		page.Actions = append(page.Actions, Action{Word: "New ticket", Icon: "plus", Path: ticketsPath + "/new"})
	}
	f, _ := faultsOf(wrong)
	if t != nil {
		if d.One, err = c.pane(ctx, g, t.Ticket, t.Requester, back, sent); err != nil {
			return err
		}
		d.One.Next = nextOf(d.Rows, here.ID)
		d.One.Proposed = d.linked
		d.One.Wrong = slices.Concat(f.rest, fieldFaults(f))
		page.Title = d.One.Label + " " + d.One.Subject
		page.Crumbs = []Crumb{{"Tickets", ticketsPath}, {d.View.Word, with(&url.URL{Path: ticketsPath, RawQuery: back.Encode()})}, {Word: d.One.Label}}
	} else {
		d.Wrong = slices.Concat(d.Wrong, f.rest, fieldFaults(f))
	}
	if wrong != nil {
		page.Code = c.formCode(wrong)
	}
	page.Data = d
	h := w.Header()
	h.Set("Content-Security-Policy", deskPolicy) // messages are shown in frames of their own
	c.Page(w, r, page)
	return nil
}

// deskPolicy lets a page show messages in frames, which have a policy of their own.
const deskPolicy = policy + "; frame-src 'self'"

// formCode is the status of a page that shows a form again.
func (c *Console) formCode(err error) int {
	if code := c.deps.Problem(err).Status; code != http.StatusBadRequest {
		return code
	}
	return http.StatusUnprocessableEntity
}

// fieldFaults gives what is wrong with fields of small forms, as sentences.
func fieldFaults(f faults) []string {
	out := make([]string, 0, len(f.fields))
	for _, field := range slices.Sorted(maps.Keys(f.fields)) {
		out = append(out, f.fields[field])
	}
	return out
}

// nextOf gives the ticket below one, or above it at the end of the list.
func nextOf(rows []ticketRow, id string) string {
	at := slices.IndexFunc(rows, func(r ticketRow) bool { return r.ID == id })
	switch {
	case at < 0 || len(rows) < 2:
		return ""
	case at+1 < len(rows):
		return rows[at+1].ID
	}
	return rows[at-1].ID
}

// ticketRow shows one ticket of a list.
func (c *Console) ticketRow(t *ticket.Ticket, who map[string]ticket.Requester, back url.Values, k Clock) ticketRow {
	row := ticketRow{
		ID: t.ID, Label: c.ticketName(t), Path: with(&url.URL{Path: ticketPath(t.ID), RawQuery: back.Encode()}), Subject: cut(subjectWord(t), 120),
		Clip: t.Files > 0, Fresh: t.Unheard > 0 && !t.State.Over(), At: k.At(t.LastAt),
	}
	row.From = "The machine"
	if from := who[t.Requester]; t.Requester != "" {
		row.From = requesterName(&from)
	}
	if t.StillBroken {
		row.Alarm = "still broken"
	}
	switch {
	case t.State.Over() || t.State == ticket.OnHold || t.State == ticket.Pending:
		row.DueWord = strings.ToLower(ticketStates[t.State])
	case t.SnoozedUntil.After(k.Now):
		row.DueWord, row.Due, row.DueIn = "rests", k.At(t.SnoozedUntil), span(t.SnoozedUntil.Sub(k.Now))
	case !t.DueAt.IsZero():
		row.Due, row.DueIn, row.Tone, row.DueWord = k.At(t.DueAt), span(t.DueAt.Sub(k.Now)), dueTone(t.DueAt, k.Now), clockWords[t.Due][0]
		if row.Tone == "late" {
			row.DueWord = "overdue by"
		}
	default:
		row.DueWord = strings.ToLower(ticketKinds[t.Kind])
	}
	return row
}

// ticketName is what staff and customers call a ticket.
func (c *Console) ticketName(t *ticket.Ticket) string { return c.deps.Tickets.Label(t.Number) }

// deskForms fills in what the acts on many offer.
func (c *Console) deskForms(ctx context.Context, d *ticketsPage, g door.Guest) error {
	if !d.May["answer"] {
		return nil
	}
	people, err := c.roster(ctx)
	if err != nil {
		return err
	}
	d.People = peopleOptions(people, g.Person.ID)
	for _, q := range c.deps.Tickets.Rules().Queues {
		d.QueueNames = append(d.QueueNames, Option{Value: q.ID, Word: q.Name})
	}
	open, err := c.openIncidents(ctx, g.Actor)
	for _, i := range open {
		d.Incidents = append(d.Incidents, Option{Value: i.ID, Word: incidentName(i) + " " + cut(i.Name, 40)})
	}
	return err
}

// cursorWord writes where a page ends; readTicketCursor reads it back.
func cursorWord(c ticket.Cursor) string {
	return strconv.FormatInt(c.At, 36) + "." + strconv.FormatInt(c.Number, 36) + "." + c.Message
}

func readTicketCursor(text string) ticket.Cursor {
	parts := strings.SplitN(text, ".", 3)
	if len(parts) != 3 {
		return ticket.Cursor{}
	}
	at, errAt := strconv.ParseInt(parts[0], 36, 64)
	number, errNumber := strconv.ParseInt(parts[1], 36, 64)
	if errAt != nil || errNumber != nil {
		return ticket.Cursor{}
	}
	return ticket.Cursor{At: at, Number: number, Message: parts[2]}
}
