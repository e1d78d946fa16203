package ticket

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// KindPerson is how the classifier calls what a person wrote. Everything else is
// automatic: kept, shown as such, and never answered.
const KindPerson = "person"

// KindBounce is how it calls a mail that tells of an address that takes no mail.
const KindBounce = "bounce"

// reception is one thing that came in, on its way to a ticket.
type reception struct {
	*Desk
	ctx   context.Context
	tx    journal.Tx
	now   time.Time
	setup *Setup
	in    *Incoming
	from  Requester // who wrote; Version 0 while unknown
	agent string    // actor id of somebody of ours who may act by mail
	known []Known
	why   []string // what staff should know about where it went
}

// Receive takes something that came in into the unit of work of whoever keeps it:
// as a ticket, as a message of one, or as a repeat of what is there. It never
// refuses: what cannot be as it should is kept with a warning. Attachments are
// blobs by then, and each has one reference of the message, unless the outcome
// says that nothing was kept. Errors: Conflict when two came at the same time (try
// again), Unavailable.
func (d *Desk) Receive(ctx context.Context, tx journal.Tx, in Incoming) (Outcome, error) {
	in.clean(tx.Now())
	r := &reception{Desk: d, ctx: ctx, tx: tx, now: tx.Now(), setup: d.Rules(), in: &in}
	out, err := r.receive()
	if err == nil && out.Reason == "" {
		out.Reason = strings.Join(r.why, " ")
	}
	return out, err
}

func (r *reception) receive() (Outcome, error) {
	if again, err := r.repeated(); err != nil || again.Repeats {
		return again, err
	}
	person := r.in.Kind == KindPerson
	if r.in.From.Address != "" {
		from, err := r.store.RequesterOf(r.ctx, r.tx, r.in.From.Address)
		if err != nil && problem.KindOf(err) != problem.KindNotFound {
			return Outcome{}, err
		}
		r.from = from
	}
	if r.from.Blocked {
		return Outcome{Muted: true, Reason: "This sender is blocked."}, nil
	}
	t, form, err := r.place()
	switch {
	case err != nil:
		return Outcome{}, err
	case t != nil && form == In:
		return r.join(t)
	case t != nil:
		return r.aside(t, form)
	case person:
		return r.open()
	default:
		return r.openAutomatic()
	}
}

// repeated tells whether it is here already.
func (r *reception) repeated() (Outcome, error) {
	in := r.in
	if in.MessageID == "" && in.Hash != "" {
		k, err := r.store.KnownByHash(r.ctx, r.tx, in.Hash)
		if problem.KindOf(err) == problem.KindNotFound {
			err = nil
		}
		if err != nil || k.Ticket != "" {
			return Outcome{Ticket: k.Ticket, Message: k.Message, Repeats: k.Ticket != "", Reason: "The same mail is here already."}, err
		}
	}
	ids := answered(in)
	if in.MessageID != "" {
		ids = append(ids, in.MessageID)
	}
	if len(ids) == 0 {
		return Outcome{}, nil
	}
	var err error
	if r.known, err = r.store.KnownMessages(r.ctx, r.tx, ids); err != nil {
		return Outcome{}, err
	}
	for _, k := range r.known {
		switch {
		case k.MessageID != in.MessageID || in.MessageID == "":
		case k.Form == Out:
			return Outcome{Ticket: k.Ticket, Message: k.Message, Repeats: true, Muted: true, Reason: "Our own mail came back."}, nil
		case k.BodyHash == in.BodyHash:
			return Outcome{Ticket: k.Ticket, Message: k.Message, Repeats: true, Reason: "The same mail is here already."}, nil
		}
	}
	return Outcome{}, nil
}

// place follows the clues to a ticket and says what it becomes there; no ticket
// means a new one.
func (r *reception) place() (*Ticket, Form, error) {
	if r.in.Way != ByMail {
		return nil, "", nil // nothing proves who filled in a form
	}
	person := r.in.Kind == KindPerson
	for _, c := range clues(r.in, r.known, r.setup.prefix()) {
		t, err := r.follow(c)
		if err != nil {
			return nil, "", err
		}
		if t == nil {
			continue
		}
		form, err := r.enters(c, t)
		if err != nil {
			return nil, "", err
		}
		switch {
		case form == "":
			r.notes("Refers to " + r.setup.label(t.Number) + ", in which this sender has no part.")
			continue
		case t.Messages >= MaxMessages:
			r.notes("Goes on from " + r.setup.label(t.Number) + ", which is full.")
			continue
		case form == In && t.State == Closed && r.now.Sub(t.ClosedAt) > r.setup.reopenWithin():
			r.notes("Goes on from " + r.setup.label(t.Number) + ", which was closed.")
			continue
		case !person && form == In:
			form = Mute
		}
		return t, form, nil
	}
	return nil, "", nil
}

// notes adds a sentence for staff, once.
func (r *reception) notes(s string) {
	if !slices.Contains(r.why, s) {
		r.why = append(r.why, s)
	}
}

// follow gives the ticket that a clue names, wherever it was merged into; nil when
// there is none.
func (r *reception) follow(c clue) (*Ticket, error) {
	id := c.ticket
	if id == "" {
		t, err := r.store.TicketByNumber(r.ctx, c.number)
		if problem.KindOf(err) == problem.KindNotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		id = t.ID
		if c.by == byAddress && c.token.tag == tagTicket && !r.opens(c.token, &t, "") {
			r.notes("The reply address is not one of ours.")
			return nil, nil
		}
	}
	for range maxClues { // of merges
		t, err := r.store.TicketForUpdate(r.ctx, r.tx, id)
		if err != nil {
			return nil, absentIsNil(err)
		}
		if t.MergedInto == "" {
			return &t, nil
		}
		id = t.MergedInto
	}
	return nil, nil
}

func absentIsNil(err error) error {
	if problem.KindOf(err) == problem.KindNotFound {
		return nil
	}
	return err
}

// enters says what something may become in a ticket that it points to: a message
// of its conversation, a note that nobody vouches for, or nothing.
func (r *reception) enters(c clue, t *Ticket) (Form, error) {
	if c.by == byAddress && c.token.tag == tagPerson {
		return r.entersAsStaff(c, t)
	}
	if c.by == byAddress {
		return In, nil // follow has checked the code
	}
	if r.in.Kind != KindPerson && c.by == byReference && c.ours {
		return In, nil // an automatic answer, or a bounce, of a mail that we sent
	}
	if r.in.Trust != Disputed && r.from.Version > 0 && r.from.ID == t.Requester {
		return In, nil
	}
	all, err := r.store.MessagesForUpdate(r.ctx, r.tx, t.ID)
	if err != nil {
		return "", err
	}
	if r.in.Trust != Disputed && r.in.From.Address != "" && takesPart(r.in.From.Address, all) {
		return In, nil
	}
	// Somebody of ours who writes without their own reply address is not known to
	// be them: what they say is kept for staff alone.
	if c.by == byReference && r.in.Kind == KindPerson && r.colleague() {
		r.notes("Unverified: it came in the name of somebody of ours, without their own reply address.")
		return Note, nil
	}
	return "", nil
}

// colleague reports whether the sender's address is one of ours.
func (r *reception) colleague() bool {
	if r.staff == nil {
		return false
	}
	_, err := r.staff.ColleagueAt(r.ctx, r.in.From.Address)
	return err == nil
}

// entersAsStaff believes somebody of ours who answers by mail: the address is
// bound to them, they wrote from their own, and the mail proves it.
func (r *reception) entersAsStaff(c clue, t *Ticket) (Form, error) {
	if r.staff == nil {
		return "", nil
	}
	who, err := r.staff.ColleagueAt(r.ctx, r.in.From.Address)
	if err != nil {
		return "", absentIsNil(err)
	}
	switch {
	case !r.opens(c.token, t, who.ID):
		r.notes("The reply address is not this person's.")
		return "", nil
	case r.in.Kind != KindPerson:
		return Mute, nil
	case r.in.Trust != Proven && r.in.Trust != Signed:
		r.notes("Unverified: nothing proves that this mail is from its sender.")
		return Note, nil
	case allows(who.Actor, access.TicketAnswer, t) != nil:
		r.notes("This person may not answer tickets.")
		return Note, nil
	}
	r.agent = who.Actor.ID
	return In, nil
}

// message makes the message of what came in.
func (r *reception) message(form Form) *Message {
	in := r.in
	m := &Message{
		ID: journal.NewID(), Form: form, From: FromMachine, Sender: in.From, To: in.To, Cc: in.Cc, Subject: in.Subject, Text: in.Text, Reply: in.Reply,
		HTML: in.HTML, Mail: in.Mail, Hash: in.Hash, BodyHash: in.BodyHash, MessageID: in.MessageID, InReplyTo: in.InReplyTo, References: in.References,
		Attachments: in.Attachments, Kind: in.Kind, Why: in.Why, Trust: in.Trust, Warnings: append(slices.Clip(in.Warnings), r.why...), At: in.At,
	}
	if in.Kind == KindPerson && form != Mute {
		m.From = FromOther
	}
	if in.Bounce != nil {
		m.To = []Address{{Address: in.Bounce.Recipient}}
	}
	return m
}

// join adds what a person wrote to a ticket that is there.
func (r *reception) join(t *Ticket) (Outcome, error) {
	h := r.take(r.ctx, r.tx, access.Hub, t)
	if r.agent != "" {
		return r.joinAsStaff(h)
	}
	m := r.message(In)
	if r.from.ID == t.Requester && r.from.Version > 0 {
		m.From = FromRequester
	}
	t.Automatic = false
	if !r.in.Quiet {
		t.Quiet = false
	}
	if err := h.put(m); err != nil {
		return Outcome{}, err
	}
	t.SnoozedUntil = time.Time{}
	was := t.State
	if err := h.tell("received", map[string]string{"message": m.ID, "was": string(was), "from": string(m.From)}); err != nil {
		return Outcome{}, err
	}
	if err := h.move(Hear); err != nil {
		return Outcome{}, err
	}
	return Outcome{Ticket: t.ID, Message: m.ID}, h.keep()
}

// joinAsStaff sends what somebody of ours wrote by mail on to the requester.
func (r *reception) joinAsStaff(h *hand) (Outcome, error) {
	if again, err := r.store.KnownByHash(r.ctx, r.tx, r.in.MessageID+" "+r.in.BodyHash); err == nil {
		return Outcome{Ticket: again.Ticket, Message: again.Message, Repeats: true, Reason: "The same mail is here already."}, nil
	} else if err = absentIsNil(err); err != nil {
		return Outcome{}, err
	}
	m := r.message(Out)
	m.From, m.Author, m.Sending, m.Source = FromStaff, r.agent, HandedOn, r.in.MessageID
	m.Text, m.HTML = r.in.Reply, "" // what they quoted was meant for them
	if err := h.speak(m); err != nil {
		return Outcome{}, err
	}
	return Outcome{Ticket: h.t.ID, Message: m.ID}, h.keep()
}

// aside keeps something with a ticket without moving it: automatic mail, or a note
// that nobody vouches for.
func (r *reception) aside(t *Ticket, form Form) (Outcome, error) {
	h := r.take(r.ctx, r.tx, access.Hub, t)
	m := r.message(form)
	if err := h.put(m); err != nil {
		return Outcome{}, err
	}
	verb := "muted"
	if form == Note {
		verb = "noted"
	}
	more := map[string]string{"message": m.ID}
	if reference.MatchString(r.in.Kind) {
		more["mail_kind"] = r.in.Kind
	}
	if err := h.tell(verb, more); err != nil {
		return Outcome{}, err
	}
	if err := r.bounced(h, m); err != nil {
		return Outcome{}, err
	}
	return Outcome{Ticket: t.ID, Message: m.ID, Muted: form == Mute}, h.keep()
}

// bounced marks what a bounce says does not arrive.
func (r *reception) bounced(h *hand, m *Message) error {
	b := r.in.Bounce
	if b == nil || r.in.Kind != KindBounce {
		return nil
	}
	code := b.Code
	if !reference.MatchString(code) {
		code = ""
	}
	if b.Hard {
		why := "Our mail to this address came back"
		if code != "" {
			why += " (" + code + ")"
		}
		who, err := r.store.RequesterForUpdate(r.ctx, r.tx, h.t.Requester)
		if err = absentIsNil(err); err != nil {
			return err
		}
		if who.Version > 0 && who.Address == b.Recipient && !h.t.Automatic {
			h.t.Undeliverable = why + "."
			if who.Bad == "" {
				who.Bad = why + "."
				if err := r.store.PutRequester(r.ctx, r.tx, &who); err != nil {
					return err
				}
			}
		}
	}
	return h.tell("bounced", map[string]string{"message": m.ID, "hard": yes(b.Hard), "code": code})
}

// requester gives who wrote, as a row that is there.
func (r *reception) requester() (Requester, error) {
	if r.from.Version > 0 {
		if r.from.Name == "" && r.in.From.Name != "" {
			r.from.Name = r.in.From.Name // now we know it
			return r.from, r.store.PutRequester(r.ctx, r.tx, &r.from)
		}
		return r.from, nil
	}
	r.from = Requester{ID: journal.NewID(), Name: r.in.From.Name, Address: r.in.From.Address, CreatedAt: r.now}
	return r.from, r.store.PutRequester(r.ctx, r.tx, &r.from)
}

// begin makes the ticket of what came in.
func (r *reception) begin() (*hand, *Message, error) {
	who, err := r.requester()
	if err != nil {
		return nil, nil, err
	}
	in, m := r.in, r.message(In)
	t := &Ticket{
		ID: journal.NewID(), Subject: in.Subject, State: New, Priority: Normal, Kind: Request, Way: in.Way, Queue: r.setup.queue(in.Queue, in.Mailbox, Request),
		Mailbox: in.Mailbox, Requester: who.ID, Fields: in.Fields, Components: in.Components, Secret: rand.Text(), Root: in.MessageID,
		CreatedAt: in.At, LastAt: in.At, LastFrom: FromMachine, Quiet: in.Quiet,
	}
	if t.Subject == "" {
		t.Subject = "(no subject)"
	}
	if t.Root == "" {
		t.Root = r.setup.mintMessageID(t.Mailbox)
	}
	return r.take(r.ctx, r.tx, access.Hub, t), m, nil
}

// open makes a ticket of what a person wrote.
func (r *reception) open() (Outcome, error) {
	h, m, err := r.begin()
	if err != nil {
		return Outcome{}, err
	}
	m.From = FromRequester
	m.Ticket, m.Home = h.t.ID, h.t.ID
	h.t.count(m)
	due, err := r.answerable(h)
	if err != nil {
		return Outcome{}, err
	}
	if due {
		h.t.Messages++ // the answer below; the row of the ticket is written once
	}
	if err := h.keep(); err != nil { // now it has a number
		return Outcome{}, err
	}
	if err := h.store.PutMessage(r.ctx, r.tx, m, h.t.Subject); err != nil {
		return Outcome{}, err
	}
	if err := h.tell("opened", map[string]string{"message": m.ID, "mailbox": h.plain(h.t.Mailbox), "requester": h.t.Requester, "quiet": yes(r.in.Quiet)}); err != nil {
		return Outcome{}, err
	}
	if due {
		if err := r.acknowledge(h, m); err != nil {
			return Outcome{}, err
		}
	}
	return Outcome{Ticket: h.t.ID, Message: m.ID, Opened: true}, nil
}

// openAutomatic makes a ticket of automatic mail that belongs to none: it stands
// apart, no clock runs, nobody is answered.
func (r *reception) openAutomatic() (Outcome, error) {
	h, m, err := r.begin()
	if err != nil {
		return Outcome{}, err
	}
	h.t.Automatic, m.Form = true, Mute
	m.Ticket, m.Home = h.t.ID, h.t.ID
	h.t.count(m)
	if err := h.keep(); err != nil {
		return Outcome{}, err
	}
	if err := h.store.PutMessage(r.ctx, r.tx, m, h.t.Subject); err != nil {
		return Outcome{}, err
	}
	if err := h.tell("muted", map[string]string{"message": m.ID, "mail_kind": h.plain(r.in.Kind), "opened": "1"}); err != nil {
		return Outcome{}, err
	}
	if err := r.bounced(h, m); err != nil {
		return Outcome{}, err
	}
	return Outcome{Ticket: h.t.ID, Message: m.ID, Opened: true, Muted: true}, nil
}

// plain gives a name as a payload can hold it; "" for others.
func (h *hand) plain(s string) string {
	if reference.MatchString(s) {
		return s
	}
	return ""
}

// yes writes a boolean into a payload.
func yes(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
