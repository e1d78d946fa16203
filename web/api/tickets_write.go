package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

type newTicket struct {
	Body api.NewTicket
}

func openTicket(ctx context.Context, c *call, in *newTicket) (*api.Ticket, error) {
	b := &in.Body
	keys := c.keys()
	o := ticket.Opening{
		Way: ticket.Way(b.Way), Kind: ticket.Kind(b.Kind), Queue: b.Queue, Mailbox: b.Mailbox, From: ticket.Address(b.Requester), Phone: b.Phone, Subject: b.Subject,
		Text: b.Text, Priority: ticket.Priority(b.Priority), Tags: b.Tags, Fields: b.Fields, Template: b.Template, Assignee: b.Assignee,
	}
	var errs problem.Errors
	for n, id := range b.Components {
		key, ok := keys[id]
		if !ok {
			errs = append(errs, problem.Invalid("components["+strconv.Itoa(n)+"]", "There is no component %q.", id))
		}
		o.Components = append(o.Components, key)
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	if b.Incident != "" {
		i, err := c.incident(ctx, b.Incident)
		if err != nil {
			return nil, err
		}
		o.Incident = i
	}
	t, err := c.Tickets.Open(ctx, c.by, o)
	if err != nil {
		return nil, err
	}
	return c.ticketNow(ctx, t.ID)
}

// incident gives the id of an incident that the caller may see, by id or number.
// Errors: Invalid.
func (c *call) incident(ctx context.Context, id string) (string, error) {
	if c.Incidents == nil {
		return id, nil
	}
	i, _, err := c.Incidents.Get(ctx, c.by, id)
	if problem.KindOf(err) == problem.KindNotFound {
		return "", problem.Invalid("incident", "There is no incident %q.", id)
	}
	return i.ID, err
}

type newAnswer struct {
	TicketID
	Body api.NewAnswer
}

func answerTicket(ctx context.Context, c *call, in *newAnswer) (*api.TicketMessage, error) {
	b := &in.Body
	a := ticket.Answer{Text: b.Text, State: ticket.State(b.State), Now: b.Now, Held: b.Hold, Version: b.Version}
	if b.SendAt != nil {
		a.SendAt = b.SendAt.UTC()
	}
	return said(c.Tickets.Answer(ctx, c.by, in.ID, a))
}

// said shows what was written.
func said(m ticket.Message, err error) (*api.TicketMessage, error) {
	if err != nil {
		return nil, err
	}
	out := messageOf(&m)
	return &out, nil
}

type newTicketNote struct {
	TicketID
	Body api.NewNote
}

func noteTicket(ctx context.Context, c *call, in *newTicketNote) (*api.TicketMessage, error) {
	return said(c.Tickets.Note(ctx, c.by, in.ID, in.Body.Text, nil))
}

func undoAnswer(ctx context.Context, c *call, in *RowID) (*api.TicketMessage, error) {
	return said(c.Tickets.Undo(ctx, c.by, in.ID))
}

type editedTicket struct {
	TicketID
	Body api.TicketEdit
}

// editTicket changes what is named, one thing after the other; it stops at the
// first that does not fit.
func editTicket(ctx context.Context, c *call, in *editedTicket) (*api.Ticket, error) {
	b, id := &in.Body, in.ID
	var steps []func() (ticket.Ticket, error)
	do := func(asked bool, fn func() (ticket.Ticket, error)) {
		if asked {
			steps = append(steps, fn)
		}
	}
	do(b.Subject != nil, func() (ticket.Ticket, error) { return c.Tickets.Retitle(ctx, c.by, id, *b.Subject) })
	do(b.Priority != nil, func() (ticket.Ticket, error) {
		return c.Tickets.Prioritise(ctx, c.by, id, ticket.Priority(*b.Priority))
	})
	do(b.Queue != nil, func() (ticket.Ticket, error) { return c.Tickets.Queue(ctx, c.by, id, *b.Queue) })
	do(b.Assignee != nil, func() (ticket.Ticket, error) { return c.Tickets.Assign(ctx, c.by, id, *b.Assignee) })
	do(b.Tags != nil, func() (ticket.Ticket, error) { return c.retag(ctx, id, *b.Tags) })
	for name, value := range b.Fields {
		do(true, func() (ticket.Ticket, error) { return c.Tickets.SetField(ctx, c.by, id, name, value) })
	}
	do(b.Incident != nil, func() (ticket.Ticket, error) { return c.relink(ctx, id, *b.Incident) })
	do(b.SnoozedUntil != nil, func() (ticket.Ticket, error) { return c.Tickets.Snooze(ctx, c.by, id, b.SnoozedUntil.UTC()) })
	do(b.State != nil, func() (ticket.Ticket, error) { return c.Tickets.Move(ctx, c.by, id, ticket.State(*b.State)) })
	for _, step := range steps {
		if _, err := step(); err != nil {
			return nil, err
		}
	}
	return c.ticketNow(ctx, id)
}

// retag makes the tags of a ticket what they shall be.
func (c *call) retag(ctx context.Context, id string, want []string) (ticket.Ticket, error) {
	t, _, err := c.Tickets.Get(ctx, c.by, id)
	if err != nil {
		return t, err
	}
	keep := map[string]bool{}
	for _, tag := range want {
		keep[tag] = true
	}
	var gone []string
	for _, tag := range t.Tags {
		if !keep[tag] {
			gone = append(gone, tag)
		}
	}
	return c.Tickets.Tag(ctx, c.by, id, want, gone)
}

// relink ties a ticket to an incident; "" unties it.
func (c *call) relink(ctx context.Context, id, incident string) (ticket.Ticket, error) {
	if incident == "" {
		return c.Tickets.Unlink(ctx, c.by, id)
	}
	incident, err := c.incident(ctx, incident)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return c.Tickets.Link(ctx, c.by, id, incident)
}

type mergedTicket struct {
	TicketID
	Body api.MergeTicket
}

func mergeTicket(ctx context.Context, c *call, in *mergedTicket) (*api.Ticket, error) {
	into, err := c.Tickets.Merge(ctx, c.by, in.ID, in.Body.Into)
	if err != nil {
		return nil, err
	}
	return c.ticketNow(ctx, into.ID)
}

func unmergeTicket(ctx context.Context, c *call, in *TicketID) (*api.Ticket, error) {
	t, err := c.Tickets.Unmerge(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	return c.ticketNow(ctx, t.ID)
}

type splitTicketBody struct {
	TicketID
	Body api.SplitTicket
}

func splitTicket(ctx context.Context, c *call, in *splitTicketBody) (*api.Ticket, error) {
	t, err := c.Tickets.Split(ctx, c.by, in.ID, in.Body.Messages)
	if err != nil {
		return nil, err
	}
	return c.ticketNow(ctx, t.ID)
}

// exportTypes are how tickets can be taken out.
var exportTypes = map[ticket.Format]struct{ kind, file string }{
	ticket.CSV: {"text/csv; charset=utf-8", "tickets.csv"}, ticket.JSON: {"application/x-ndjson", "tickets.jsonl"},
}

// exportTickets hands out what a search finds, all of it.
func (s *service) exportTickets(w http.ResponseWriter, r *http.Request, src *Sources, by access.Actor) error {
	format := ticket.Format(r.URL.Query().Get("format"))
	if format == "" {
		format = ticket.CSV
	}
	as, ok := exportTypes[format]
	if !ok {
		return problem.Invalid("format", "Tickets are taken out as csv or json.")
	}
	q, err := src.Tickets.Parse(by, r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	q.Sort = ticket.Oldest
	out := &fileWriter{ResponseWriter: w, kind: as.kind, name: as.file}
	err = src.Tickets.Export(r.Context(), by, q, format, out)
	if err != nil && out.begun {
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	}
	if err == nil && !out.begun {
		_, err = out.Write(nil)
	}
	return err
}

// fileWriter says what a file is when the first of it is sent.
type fileWriter struct {
	http.ResponseWriter
	kind, name string
	begun      bool
}

// Write sends a part of the file.
func (w *fileWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begun = true
		h := w.Header()
		h.Set("Content-Type", w.kind)
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": w.name}))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
	}
	return w.ResponseWriter.Write(p)
}

// attachment hands out a file that a stranger sent: to be kept, never to be run.
func (s *service) attachment(w http.ResponseWriter, r *http.Request, src *Sources, by access.Actor) error {
	a, body, err := src.Tickets.Attachment(r.Context(), by, r.PathValue("id"), r.PathValue("hash"))
	if err != nil {
		return err
	}
	defer body.Close()
	w.Header().Set("Content-Length", strconv.FormatInt(a.Size, 10))
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	out := &fileWriter{ResponseWriter: w, kind: "application/octet-stream", name: a.Hash}
	if _, err := io.Copy(out, body); err != nil && !errors.Is(err, context.Canceled) {
		panic(http.ErrAbortHandler)
	}
	return nil
}
