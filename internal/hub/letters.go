package hub

import (
	"context"
	"io"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// ticketAnswer is the kind of event that an answer to a requester is.
const ticketAnswer = "ticket.answer"

// ticketEvent fills in the event of an entry about a ticket: an answer that is
// handed on goes to its requester, and nobody else. The words are read when they
// are sent, so that nothing that was erased meanwhile leaves the house.
func (h *Hub) ticketEvent(ctx context.Context, ev *notice.Event, verb string, e journal.Sealed) (bool, error) {
	if verb != "answered" || !h.given() {
		return false, nil
	}
	t, err := h.Tickets.Ticket(ctx, e.Subject.ID)
	if err != nil || t.Requester == "" {
		return false, err
	}
	ev.Kind, ev.Audience = ticketAnswer, notice.ToRequester
	ev.Content = notice.Content{
		Title: h.Desk.Label(t.Number), Status: string(t.State), Console: "/console/tickets/" + t.ID,
		Facts: map[string]string{"message": e.Payload["message"], notice.FactRequester: t.Requester},
	}
	return true, nil
}

// Letter gives the letter of an answer, as it is to be sent now. It is
// notice.Letters. Errors: NotFound when it is not to be sent any more; Unavailable.
func (h *Hub) Letter(ctx context.Context, e notice.Event) (notice.Letter, notice.Recipient, error) {
	id := e.Content.Facts["message"]
	l, err := h.Desk.Letter(ctx, id)
	if problem.KindOf(err) == problem.KindConflict {
		err = problem.NotFound("%s", problem.Public(err))
	}
	if err != nil {
		return notice.Letter{}, notice.Recipient{}, err
	}
	out := notice.Letter{
		MessageID: l.MessageID, InReplyTo: l.InReplyTo, References: l.References, From: correspondent(l.From), ReplyTo: correspondent(l.ReplyTo),
		Subject: l.Subject, Text: l.Text, Automatic: l.Automatic,
	}
	for _, a := range l.Cc {
		out.Cc = append(out.Cc, correspondent(a))
	}
	for _, f := range l.Files {
		out.Attachments = append(out.Attachments, notice.Enclosure{Name: f.Name, Type: f.Type, Open: func(ctx context.Context) (io.ReadCloser, error) {
			_, r, err := h.Desk.Attachment(ctx, access.Hub, id, f.Hash)
			return r, err
		}})
	}
	return out, notice.Recipient{Name: l.To.Name, Address: l.To.Address}, nil
}

// correspondent is an address as a letter has it.
func correspondent(a ticket.Address) notice.Correspondent {
	return notice.Correspondent{Name: a.Name, Address: a.Address}
}
