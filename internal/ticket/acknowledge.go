package ticket

import (
	"strings"
	"time"
)

// KindAcknowledgement is the kind of the one automatic answer of a ticket.
const KindAcknowledgement = "acknowledgement"

// DefaultAcknowledgement is what is answered by itself when the configuration has
// no words of its own.
const DefaultAcknowledgement = `Thank you for writing. Your message has reached us as {{number}}, and a person will answer it.
{{known}}
To add something, answer this mail.`

// answerable reports whether a new ticket gets an automatic answer: wanted, safe,
// and not too many of late (RFC 3834 section 2).
func (r *reception) answerable(h *hand) (bool, error) {
	box := r.setup.mailbox(h.t.Mailbox)
	if box == nil || !box.Acknowledge || box.From.Address == "" || r.in.Quiet || !r.in.Answerable || r.in.Kind != KindPerson || r.from.Bad != "" || r.from.Address == "" {
		return false, nil
	}
	for i := range r.setup.Mailboxes {
		if r.setup.Mailboxes[i].From.Address == r.from.Address {
			return false, nil // ourselves
		}
	}
	sent, err := r.store.Acknowledged(r.ctx, r.tx, r.from.ID, domainOf(r.from.Address), r.now.Add(-acknowledgedWithin))
	return sent.Requester < acknowledgedRequester && sent.Domain < acknowledgedDomain && sent.All < acknowledgedAll, err
}

// acknowledge answers a new ticket, once: with what is known, when an open incident
// explains it.
func (r *reception) acknowledge(h *hand, in *Message) error {
	var sentence, page string
	if r.explainer != nil {
		var err error
		if sentence, page, err = r.explainer.Explain(r.ctx, r.tx, *h.t, *in); err != nil {
			return err
		}
	}
	known := ""
	if sentence != "" {
		known = "\nWhat we know: " + sentence
		if page != "" {
			known += "\n" + page
		}
		known += "\n"
	}
	body := r.setup.Acknowledgement
	if body == "" {
		body = DefaultAcknowledgement
	}
	if !strings.Contains(body, "{{known}}") {
		body += "\n{{known}}"
	}
	body = fill(body, map[string]string{"number": r.setup.label(h.t.Number), "subject": h.t.Subject, "name": r.from.Name, "known": known})
	m := &Message{
		Form: Out, From: FromMachine, Author: "hub", To: []Address{{Name: r.from.Name, Address: r.from.Address}}, Text: body, Reply: body,
		Kind: KindAcknowledgement, Sending: HandedOn, At: r.now,
	}
	h.address(m, []Message{*in})
	messages, last, from := h.t.Messages, h.t.LastAt, h.t.LastFrom
	if err := h.put(m); err != nil {
		return err
	}
	h.t.Messages, h.t.LastAt, h.t.LastFrom = messages, last, from // it was counted with the ticket, and is no word of a person
	if err := r.store.PutAcknowledged(r.ctx, r.tx, r.from.ID, domainOf(r.from.Address), r.now); err != nil {
		return err
	}
	return h.handOn(m)
}

// clean cuts what came in to what can be kept, and says so.
func (in *Incoming) clean(now time.Time) {
	warn := func(s string) { in.Warnings = append(in.Warnings, s) }
	in.From, _ = person(in.From)
	in.To, in.Cc, in.ReplyTo = persons(in.To), persons(in.Cc), persons(in.ReplyTo)
	if automat(in.From.Address) && len(in.ReplyTo) > 0 && in.Kind == KindPerson {
		in.From = in.ReplyTo[0] // a form that writes in somebody's name
	}
	in.Subject = cutRunes(oneLine(cutBytes(in.Subject, 8*MaxSubject)), MaxSubject)
	for _, body := range []*string{&in.Text, &in.Reply, &in.HTML} {
		most := MaxText
		if body == &in.HTML {
			most = MaxHTML
		}
		if len(*body) > most {
			warn("It was too long and is cut; the raw mail has the rest.")
			*body = cutBytes(*body, most)
		}
		*body = clean(*body)
	}
	in.MessageID, in.InReplyTo = identifier(in.MessageID), identifier(in.InReplyTo)
	refs := in.References
	if len(refs) > MaxReferences {
		refs = refs[len(refs)-MaxReferences:]
	}
	in.References = nil
	for _, id := range refs {
		if id = identifier(id); id != "" {
			in.References = append(in.References, id)
		}
	}
	for i := range in.Attachments {
		a := &in.Attachments[i]
		a.Name, a.Type, a.ContentID = cutRunes(oneLine(a.Name), MaxName), cutRunes(oneLine(a.Type), MaxName), identifier(a.ContentID)
	}
	if in.Bounce != nil {
		in.Bounce.Recipient, in.Bounce.Original = normalised(in.Bounce.Recipient), identifier(in.Bounce.Original)
	}
	for i := range in.Warnings {
		in.Warnings[i] = cutRunes(oneLine(in.Warnings[i]), MaxSubject)
	}
	in.Why = cutRunes(oneLine(in.Why), MaxSubject)
	in.Components = in.Components[:min(len(in.Components), MaxComponents)]
	if in.At = moment(in.At); in.At.IsZero() || in.At.After(now) {
		in.At = now // clocks of senders are not ours
	}
}

// identifier cleans a Message-ID.
func identifier(id string) string {
	id = oneLine(strings.Trim(strings.TrimSpace(id), "<>"))
	if len(id) > MaxMessageID {
		return ""
	}
	return id
}

// automat reports addresses that nobody reads.
func automat(address string) bool {
	local, _, _ := strings.Cut(address, "@")
	local = strings.NewReplacer("-", "", "_", "", ".", "").Replace(local)
	return local == "noreply" || local == "donotreply"
}
