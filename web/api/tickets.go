package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/inbox"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// Tickets is what the API asks of the ticket wing; *ticket.Desk is one. Every
// method checks what the actor may do. Errors: Forbidden, NotFound, Conflict,
// Invalid, TooMany, Unavailable.
type Tickets interface {
	Label(number int64) string
	Parse(by access.Actor, typed string) (ticket.Query, error)
	Get(ctx context.Context, by access.Actor, id string) (ticket.Ticket, ticket.Requester, error)
	Messages(ctx context.Context, by access.Actor, id string) ([]ticket.Message, error)
	Message(ctx context.Context, by access.Actor, id string) (ticket.Message, error)
	Attachment(ctx context.Context, by access.Actor, message, hash string) (ticket.Attachment, io.ReadCloser, error)
	List(ctx context.Context, by access.Actor, q ticket.Query) (ticket.Page, error)
	Open(ctx context.Context, by access.Actor, o ticket.Opening) (ticket.Ticket, error)
	Answer(ctx context.Context, by access.Actor, id string, a ticket.Answer) (ticket.Message, error)
	Undo(ctx context.Context, by access.Actor, message string) (ticket.Message, error)
	Note(ctx context.Context, by access.Actor, id, body string, mentions []string) (ticket.Message, error)
	Assign(ctx context.Context, by access.Actor, id, person string) (ticket.Ticket, error)
	Move(ctx context.Context, by access.Actor, id string, to ticket.State) (ticket.Ticket, error)
	Prioritise(ctx context.Context, by access.Actor, id string, p ticket.Priority) (ticket.Ticket, error)
	Queue(ctx context.Context, by access.Actor, id, queue string) (ticket.Ticket, error)
	Tag(ctx context.Context, by access.Actor, id string, add, remove []string) (ticket.Ticket, error)
	Retitle(ctx context.Context, by access.Actor, id, subject string) (ticket.Ticket, error)
	SetField(ctx context.Context, by access.Actor, id, field, value string) (ticket.Ticket, error)
	Snooze(ctx context.Context, by access.Actor, id string, until time.Time) (ticket.Ticket, error)
	Link(ctx context.Context, by access.Actor, id, incident string) (ticket.Ticket, error)
	Unlink(ctx context.Context, by access.Actor, id string) (ticket.Ticket, error)
	Merge(ctx context.Context, by access.Actor, from, into string) (ticket.Ticket, error)
	Unmerge(ctx context.Context, by access.Actor, id string) (ticket.Ticket, error)
	Split(ctx context.Context, by access.Actor, id string, messages []string) (ticket.Ticket, error)
	Requester(ctx context.Context, by access.Actor, id string, limit int) (ticket.Requester, []ticket.Ticket, error)
	Erase(ctx context.Context, by access.Actor, id string) error
	Export(ctx context.Context, by access.Actor, q ticket.Query, f ticket.Format, w io.Writer) error
}

// ticketRoutes are everything about those who write in.
func (s *service) ticketRoutes(h huma.API, mux *http.ServeMux) {
	const one, message = "/api/v1/tickets/{id}", "/api/v1/messages/{id}"
	read, answer, note := access.TicketRead, access.TicketAnswer, access.TicketNote
	register(h, s, op{http.MethodGet, "/api/v1/tickets", "listTickets", "Tickets that match a search", read}, listTickets)
	register(h, s, op{http.MethodPost, "/api/v1/tickets", "openTicket", "Open a ticket for somebody", access.TicketOpen}, openTicket)
	register(h, s, op{http.MethodGet, one, "getTicket", "A ticket, by id or number", read}, getTicket)
	register(h, s, op{http.MethodPatch, one, "editTicket", "Move, assign, prioritise, tag, link and the like", read}, editTicket)
	register(h, s, op{http.MethodGet, one + "/messages", "listTicketMessages", "The thread of a ticket, oldest first", read}, listMessages)
	register(h, s, op{http.MethodPost, one + "/answers", "answerTicket", "Write to the requester, in their thread", answer}, answerTicket)
	register(h, s, op{http.MethodPost, one + "/notes", "noteTicket", "Write a note for staff", note}, noteTicket)
	register(h, s, op{http.MethodPost, one + "/merge", "mergeTicket", "Let another ticket take its place", answer}, mergeTicket)
	register(h, s, op{http.MethodPost, one + "/unmerge", "unmergeTicket", "Part a merged ticket from the other again", answer}, unmergeTicket)
	register(h, s, op{http.MethodPost, one + "/split", "splitTicket", "Make a ticket of its own of messages", answer}, splitTicket)
	register(h, s, op{http.MethodPost, message + "/undo", "undoAnswer", "Take an answer back that was not sent yet", answer}, undoAnswer)
	register(h, s, op{http.MethodGet, "/api/v1/requesters/{id}", "getRequester", "Somebody who writes in", read}, getRequester)
	register(h, s, op{http.MethodDelete, "/api/v1/requesters/{id}", "eraseRequester", "Erase somebody who wrote in, for good", access.TicketErase}, eraseRequester)
	s.file(h, mux, op{http.MethodGet, "/api/v1/tickets/export", "exportTickets", "Every ticket that matches q, as csv or json lines by format", read}, "text/csv", s.exportTickets)
	s.file(h, mux, op{http.MethodGet, message + "/attachments/{hash}", "getAttachment", "The bytes of an attachment, by its SHA-256", read}, "application/octet-stream", s.attachment)
}

// file adds an operation whose answer is no JSON.
func (s *service) file(h huma.API, mux *http.ServeMux, o op, kind string, fn func(w http.ResponseWriter, r *http.Request, src *Sources, by access.Actor) error) {
	s.ops = append(s.ops, o)
	h.OpenAPI().AddOperation(&huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Parameters: pathParams(o.path),
		Responses: map[string]*huma.Response{"200": {Description: "The file", Content: map[string]*huma.MediaType{kind: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}},
	})
	mux.HandleFunc(o.method+" "+o.path, s.raw(o.act, fn))
}

// pathParams documents the wildcards of a path.
func pathParams(path string) []*huma.Param {
	var out []*huma.Param
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			out = append(out, &huma.Param{Name: strings.TrimSuffix(name, "}"), In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
		}
	}
	return out
}

// ticketOf shows a ticket; first is the mail that opened it, nil for none.
func (c *call) ticketOf(t *ticket.Ticket, who *ticket.Requester, first *inbox.Mail) api.Ticket {
	ids := c.ids()
	out := api.Ticket{
		ID: t.ID, Number: t.Number, Label: c.Tickets.Label(t.Number), Subject: t.Subject, State: string(t.State), Priority: string(t.Priority), Kind: string(t.Kind),
		Way: string(t.Way), Queue: t.Queue, Requester: who.Address, RequesterID: t.Requester, RequesterName: who.Name, Assignee: t.Assignee, Tags: list(t.Tags),
		Fields: t.Fields, Components: ids.all(t.Components), Incident: t.Incident, MergedInto: t.MergedInto, Automatic: t.Automatic, StillBroken: t.StillBroken,
		Undeliverable: t.Undeliverable, Messages: t.Messages, Unheard: t.Unheard, Mailbox: t.Mailbox, CreatedAt: t.CreatedAt, LastAt: t.LastAt,
		FirstReplyAt: maybe(t.FirstReplyAt), DueAt: maybe(t.DueAt), Due: string(t.Due), BreachedAt: maybe(t.BreachedAt), SnoozedUntil: maybe(t.SnoozedUntil),
		SolvedAt: maybe(t.SolvedAt), ClosedAt: maybe(t.ClosedAt), Version: t.Version,
	}
	if out.Fields == nil {
		out.Fields = map[string]string{}
	}
	if t.Way == ticket.ByMail {
		out.MessageID = t.Root
	}
	if first != nil {
		out.MessageID, out.Mailbox, out.UIDValidity, out.UID, out.MailKind = first.MessageID, first.Mailbox, first.Validity, first.UID, first.Kind
	}
	return out
}

// firstMail gives the mail that opened a ticket; nil where none did, or where the
// caller may not read the ledger.
func (c *call) firstMail(ctx context.Context, t *ticket.Ticket) (*inbox.Mail, error) {
	if t.Way != ticket.ByMail || c.Mails == nil || !c.by.May(access.MailboxRead) {
		return nil, nil
	}
	messages, err := c.Tickets.Messages(ctx, c.by, t.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if m.Mail == "" || m.Home != t.ID {
			continue
		}
		mail, err := c.Mails.Mail(ctx, c.by, m.Mail)
		if problem.KindOf(err) == problem.KindNotFound {
			return nil, nil
		}
		return &mail, err
	}
	return nil, nil
}

// ticketNow gives a ticket as it stands after an act.
func (c *call) ticketNow(ctx context.Context, id string) (*api.Ticket, error) {
	t, who, err := c.Tickets.Get(ctx, c.by, id)
	if err != nil {
		return nil, err
	}
	first, err := c.firstMail(ctx, &t)
	if err != nil {
		return nil, err
	}
	out := c.ticketOf(&t, &who, first)
	return &out, nil
}

// ticketQuery picks tickets.
type ticketQuery struct {
	Q         string    `query:"q" maxLength:"500" doc:"As typed into the console's search: words, from: to: subject: is: tag: queue: component: incident: assignee: before: after: has:attachment"`
	State     string    `query:"state" enum:"new,open,pending,on_hold,solved,closed"`
	Queue     string    `query:"queue" maxLength:"64"`
	Kind      string    `query:"kind" enum:"request,impairment,task,deletion"`
	Way       string    `query:"way" enum:"mail,form,api,slack,phone,machine"`
	Incident  string    `query:"incident" maxLength:"64" doc:"Id"`
	Requester string    `query:"requester" maxLength:"254" doc:"Id or mail address"`
	Mailbox   string    `query:"mailbox" maxLength:"64"`
	Component string    `query:"component" maxLength:"64" doc:"Id"`
	From      time.Time `query:"from" doc:"Created then or later"`
	To        time.Time `query:"to" doc:"Created before"`
	Sort      string    `query:"sort" enum:"newest,oldest,latest,nearest" default:"newest"`
	Merged    bool      `query:"merged" doc:"Those too that were merged into another"`
	After     string    `query:"after" maxLength:"200" doc:"The next of the page before"`
	Limit     int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// query reads it. Errors: Invalid, NotFound for a component that is not there.
func (c *call) query(in *ticketQuery) (ticket.Query, error) {
	q, err := c.Tickets.Parse(c.by, in.Q)
	if err != nil {
		return q, err
	}
	if in.Component != "" {
		comp, err := c.component(in.Component)
		if err != nil {
			return q, err
		}
		q.Component = comp.Key
	}
	if in.State != "" {
		q.States = []ticket.State{ticket.State(in.State)}
	}
	if in.Kind != "" {
		q.Kinds = []ticket.Kind{ticket.Kind(in.Kind)}
	}
	if in.Way != "" {
		q.Ways = []ticket.Way{ticket.Way(in.Way)}
	}
	set := func(to *string, value string) {
		if value != "" {
			*to = value
		}
	}
	set(&q.Queue, in.Queue)
	set(&q.Incident, in.Incident)
	set(&q.Mailbox, in.Mailbox)
	if strings.Contains(in.Requester, "@") {
		q.Sender = strings.ToLower(in.Requester)
	} else {
		set(&q.Requester, in.Requester)
	}
	if !in.From.IsZero() {
		q.From = in.From.UTC()
	}
	if !in.To.IsZero() {
		q.To = in.To.UTC()
	}
	q.Merged = q.Merged || in.Merged
	q.Sort, q.Limit = ticket.Sort(in.Sort), in.Limit
	if in.After != "" {
		q.After, err = readTicketCursor(in.After)
	}
	return q, err
}

// readTicketCursor reads where a page ended. Errors: Invalid.
func readTicketCursor(text string) (ticket.Cursor, error) {
	parts := strings.SplitN(text, ".", 3)
	if len(parts) == 3 {
		at, errAt := strconv.ParseInt(parts[0], 36, 64)
		number, errNumber := strconv.ParseInt(parts[1], 36, 64)
		if errAt == nil && errNumber == nil {
			return ticket.Cursor{At: at, Number: number, Message: parts[2]}, nil
		}
	}
	return ticket.Cursor{}, problem.Invalid("after", "This is not the next of a page.")
}

func listTickets(ctx context.Context, c *call, in *ticketQuery) (*api.Tickets, error) {
	q, err := c.query(in)
	if err != nil {
		return nil, err
	}
	page, err := c.Tickets.List(ctx, c.by, q)
	if err != nil {
		return nil, err
	}
	out := &api.Tickets{Tickets: make([]api.Ticket, 0, len(page.Tickets))}
	for n := range page.Tickets {
		t := &page.Tickets[n]
		first, err := c.firstMail(ctx, t)
		if err != nil {
			return nil, err
		}
		who := page.Requesters[t.Requester]
		out.Tickets = append(out.Tickets, c.ticketOf(t, &who, first))
	}
	if page.Next.Given() {
		out.Next = strconv.FormatInt(page.Next.At, 36) + "." + strconv.FormatInt(page.Next.Number, 36) + "." + page.Next.Message
	}
	return out, nil
}

// TicketID names a ticket.
type TicketID struct {
	ID string `path:"id" maxLength:"64" doc:"Id, or number as TK-4107"`
}

func getTicket(ctx context.Context, c *call, in *TicketID) (*api.Ticket, error) {
	return c.ticketNow(ctx, in.ID)
}

func listMessages(ctx context.Context, c *call, in *TicketID) (*api.TicketMessages, error) {
	found, err := c.Tickets.Messages(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	out := &api.TicketMessages{Messages: make([]api.TicketMessage, 0, len(found))}
	for n := range found {
		out.Messages = append(out.Messages, messageOf(&found[n]))
	}
	return out, nil
}

// messageOf shows a message.
func messageOf(m *ticket.Message) api.TicketMessage {
	out := api.TicketMessage{
		ID: m.ID, Form: string(m.Form), From: string(m.From), Author: m.Author, Sender: api.MailAddress(m.Sender), To: addressesOf(m.To), Cc: addressesOf(m.Cc),
		Subject: m.Subject, Text: m.Text, Reply: m.Reply, HasHTML: m.HTML != "", MessageID: m.MessageID, InReplyTo: m.InReplyTo, References: list(m.References),
		Attachments: []api.TicketAttachment{}, Kind: m.Kind, Why: m.Why, Trust: string(m.Trust), Warnings: list(m.Warnings), Mail: m.Mail, Hash: m.Hash,
		Sending: string(m.Sending), SendAt: maybe(m.SendAt), At: m.At, Version: m.Version,
	}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, api.TicketAttachment{
			Name: a.Name, Type: a.Type, Size: a.Size, Hash: a.Hash, Inline: a.Inline, Path: "/api/v1/messages/" + url.PathEscape(m.ID) + "/attachments/" + a.Hash,
		})
	}
	return out
}

func addressesOf(all []ticket.Address) []api.MailAddress {
	out := make([]api.MailAddress, 0, len(all))
	for _, a := range all {
		out = append(out, api.MailAddress(a))
	}
	return out
}

func getRequester(ctx context.Context, c *call, in *RowID) (*api.Requester, error) {
	r, _, err := c.Tickets.Requester(ctx, c.by, in.ID, 1)
	if err != nil {
		return nil, err
	}
	return &api.Requester{
		ID: r.ID, Name: r.Name, Address: r.Address, Others: list(r.Others), Phone: r.Phone, Notes: r.Notes, Bad: r.Bad, Blocked: r.Blocked,
		CreatedAt: r.CreatedAt, ErasedAt: maybe(r.ErasedAt),
	}, nil
}

func eraseRequester(ctx context.Context, c *call, in *RowID) (*nothing, error) {
	return nil, c.Tickets.Erase(ctx, c.by, in.ID)
}
