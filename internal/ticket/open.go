package ticket

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Opening is a ticket that is opened by hand or by the house.
type Opening struct {
	Way        Way  // ByPhone, ByAPI, BySlack, ByMachine
	Kind       Kind // "" = Request
	Queue      string
	Mailbox    string // in whose name it is answered; "" = the first
	Requester  string // id of one that is known
	From       Address
	Phone      string
	Subject    string
	Text       string
	Priority   Priority
	Tags       []string
	Components []string
	Fields     map[string]string
	Incident   string
	Template   string // id; what is left empty here comes from it
	Assignee   string
}

// Open opens a ticket for somebody. Errors: Invalid.
func (d *Desk) Open(ctx context.Context, by access.Actor, o Opening) (Ticket, error) {
	if err := by.Check(access.TicketOpen); err != nil {
		return Ticket{}, err
	}
	var out Ticket
	err := d.work.Do(ctx, by.As(access.TicketOpen), func(tx journal.Tx) (err error) {
		out, err = d.OpenIn(ctx, tx, by, o)
		return err
	})
	return out, err
}

// OpenIn is Open inside the unit of work of whoever has a reason to.
func (d *Desk) OpenIn(ctx context.Context, tx journal.Tx, by access.Actor, o Opening) (Ticket, error) {
	s := d.Rules()
	if err := s.fillIn(&o); err != nil {
		return Ticket{}, err
	}
	t, m, err := s.opened(&o, by, moment(tx.Now()))
	if err != nil {
		return Ticket{}, err
	}
	if err := allows(by, access.TicketOpen, t); err != nil {
		return Ticket{}, err
	}
	h := d.take(ctx, tx, by, t)
	if err := h.introduce(&o); err != nil {
		return Ticket{}, err
	}
	if m.Form == In {
		m.Sender = Address{Name: o.From.Name, Address: o.From.Address}
	}
	m.Ticket, m.Home = t.ID, t.ID
	t.count(m)
	if err := h.keep(); err != nil {
		return Ticket{}, err
	}
	if err := d.store.PutMessage(ctx, tx, m, t.Subject); err != nil {
		return Ticket{}, err
	}
	more := map[string]string{"message": m.ID, "mailbox": h.plain(t.Mailbox)}
	if t.Requester != "" {
		more["requester"] = t.Requester
	}
	return *t, h.tell("opened", more)
}

// fillIn takes what an opening leaves out from its template. Errors: Invalid.
func (s *Setup) fillIn(o *Opening) error {
	if o.Template == "" {
		return nil
	}
	n := slices.IndexFunc(s.Templates, func(t Template) bool { return t.ID == o.Template })
	if n < 0 {
		return problem.Invalid("template", "There is no template %q.", o.Template)
	}
	from := s.Templates[n]
	for _, f := range []struct{ to, from *string }{
		{&o.Subject, &from.Subject}, {&o.Text, &from.Text}, {&o.Queue, &from.Queue}, {(*string)(&o.Kind), (*string)(&from.Kind)},
		{(*string)(&o.Priority), (*string)(&from.Priority)},
	} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	o.Tags = append(slices.Clip(o.Tags), from.Tags...)
	fields := make(map[string]string, len(from.Fields)+len(o.Fields))
	for _, given := range []map[string]string{from.Fields, o.Fields} {
		for key, value := range given {
			fields[key] = value
		}
	}
	o.Fields = fields
	return nil
}

// opened makes the ticket of an opening with its first message. Errors: Invalid.
func (s *Setup) opened(o *Opening, by access.Actor, now time.Time) (t *Ticket, m *Message, err error) {
	t = &Ticket{
		ID: journal.NewID(), State: New, Priority: o.Priority, Kind: o.Kind, Way: o.Way, Mailbox: o.Mailbox, Requester: o.Requester,
		Incident: o.Incident, Template: o.Template, Secret: rand.Text(), CreatedAt: now, LastAt: now, LastFrom: FromMachine,
	}
	if t.Priority == "" {
		t.Priority = Normal
	}
	if t.Kind == "" {
		t.Kind = Request
	}
	if t.Way == "" {
		t.Way = ByAPI
	}
	t.Queue = s.queue(o.Queue, o.Mailbox, t.Kind)
	switch {
	case !slices.Contains([]Priority{Low, Normal, High, Urgent}, t.Priority):
		return nil, nil, problem.Invalid("priority", "A priority is low, normal, high or urgent, not %q.", t.Priority)
	case !slices.Contains([]Kind{Request, Impairment, Task, Deletion}, t.Kind):
		return nil, nil, problem.Invalid("kind", "A ticket is a request, an impairment, a task or a deletion, not %q.", t.Kind)
	case !slices.Contains([]Way{ByMail, ByForm, ByAPI, BySlack, ByPhone, ByMachine}, t.Way):
		return nil, nil, problem.Invalid("way", "There is no way in called %q.", t.Way)
	case o.Queue != "" && t.Queue != o.Queue:
		return nil, nil, problem.Invalid("queue", "There is no queue %q.", o.Queue)
	case o.Mailbox != "" && s.mailbox(o.Mailbox) == nil:
		return nil, nil, problem.Invalid("mailbox", "There is no mailbox %q.", o.Mailbox)
	}
	if t.Subject, err = line("subject", o.Subject, MaxSubject, false); err != nil {
		return nil, nil, err
	}
	body, err := text("text", o.Text, MaxAnswer, true)
	if err != nil {
		return nil, nil, err
	}
	if t.Tags, err = labels("tags", o.Tags, MaxTags, MaxTag); err != nil {
		return nil, nil, err
	}
	if t.Components, err = keys("components", o.Components, MaxComponents); err != nil {
		return nil, nil, err
	}
	if t.Fields, err = s.fields(o.Fields); err != nil {
		return nil, nil, err
	}
	if t.Assignee, err = key("assignee", o.Assignee); err != nil {
		return nil, nil, err
	}
	if t.Incident, err = key("incident", o.Incident); err != nil {
		return nil, nil, err
	}
	t.Root = s.mintMessageID(o.Mailbox)
	m = &Message{
		ID: journal.NewID(), Form: In, From: FromRequester, Author: by.ID, Subject: t.Subject, Text: body, Reply: body, Kind: KindPerson, At: now,
		MessageID: t.Root, // answers refer to it
	}
	if o.Requester == "" && o.From.Address == "" && o.Phone == "" && o.From.Name == "" {
		m.Form, m.From, m.MessageID = Note, FromStaff, ""
		if by.ID == access.Hub.ID {
			m.From = FromMachine
		}
	}
	return t, m, nil
}

// introduce finds or makes the requester of an opening.
func (h *hand) introduce(o *Opening) error {
	if o.Requester != "" {
		who, err := h.store.RequesterForUpdate(h.ctx, h.tx, o.Requester)
		if err != nil {
			return err
		}
		o.From = Address{Name: who.Name, Address: who.Address}
		return nil
	}
	if o.From.Address == "" && o.Phone == "" && o.From.Name == "" {
		return nil
	}
	name, err := line("name", o.From.Name, MaxName, true)
	if err != nil {
		return err
	}
	phone, err := line("phone", o.Phone, MaxTag, true)
	if err != nil {
		return err
	}
	who := Requester{ID: journal.NewID(), Name: name, Phone: phone, CreatedAt: h.now}
	if o.From.Address != "" {
		if who.Address = normalised(o.From.Address); who.Address == "" {
			return problem.Invalid("address", "%q is no mail address.", cutRunes(oneLine(o.From.Address), MaxTag))
		}
		known, err := h.store.RequesterOf(h.ctx, h.tx, who.Address)
		if err = absentIsNil(err); err != nil {
			return err
		}
		if known.Version > 0 {
			who = known
		}
	}
	h.t.Requester = who.ID
	o.From = Address{Name: who.Name, Address: who.Address}
	if who.Version > 0 {
		return nil
	}
	return h.store.PutRequester(h.ctx, h.tx, &who)
}

// Submit takes what somebody outside says by form, or a program by API: a new
// ticket, always. Errors: Invalid for an address that is none, or no words.
func (d *Desk) Submit(ctx context.Context, in Incoming) (Ticket, error) {
	if normalised(in.From.Address) == "" {
		return Ticket{}, problem.Invalid("address", "This is no mail address.")
	}
	var err error
	if in.Subject, err = line("subject", in.Subject, MaxSubject, true); err != nil {
		return Ticket{}, err
	}
	if in.Text, err = text("text", in.Text, MaxAnswer, false); err != nil {
		return Ticket{}, err
	}
	if in.Components, err = keys("components", in.Components, MaxComponents); err != nil {
		return Ticket{}, err
	}
	if in.Fields, err = d.Rules().fields(in.Fields); err != nil {
		return Ticket{}, err
	}
	if in.Subject == "" {
		in.Subject = cutRunes(oneLine(in.Text), maxTitle)
	}
	in.Reply, in.Kind, in.Trust = in.Text, KindPerson, Unproven
	in.Mail, in.Hash, in.MessageID, in.InReplyTo, in.References, in.Delivered = "", "", "", "", nil, nil
	var out Ticket
	err = d.work.Do(ctx, access.Visitor, func(tx journal.Tx) error {
		o, err := d.Receive(ctx, tx, in)
		if err != nil || o.Ticket == "" {
			return err
		}
		out, err = d.store.TicketForUpdate(ctx, tx, o.Ticket)
		return err
	})
	return out, err
}

// maxTitle bounds a subject that is made of the first words, in characters.
const maxTitle = 70

// key checks an id of another wing: what the journal can hold. "" is none.
func key(field, s string) (string, error) {
	if s != "" && !reference.MatchString(s) {
		return "", problem.Invalid(field, "This is no id.")
	}
	return s, nil
}

// keys checks several, each once, sorted.
func keys(field string, all []string, most int) ([]string, error) {
	out := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "" })
	slices.Sort(out)
	if out = slices.Compact(out); len(out) > most {
		return nil, problem.Invalid(field, "%d are too many; %d are allowed.", len(out), most)
	}
	for _, s := range out {
		if _, err := key(field, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fields checks the further things that were said. Errors: Invalid.
func (s *Setup) fields(given map[string]string) (map[string]string, error) {
	if len(given) > MaxFields {
		return nil, problem.Invalid("fields", "%d are too many; %d are allowed.", len(given), MaxFields)
	}
	var out map[string]string
	for id, value := range given {
		n := slices.IndexFunc(s.Fields, func(f Field) bool { return f.ID == id })
		if n < 0 {
			return nil, problem.Invalid("fields", "There is no field %q.", cutRunes(oneLine(id), MaxTag))
		}
		value, err := line("fields."+id, value, MaxField, true)
		if err != nil {
			return nil, err
		}
		if options := s.Fields[n].Options; value != "" && len(options) > 0 && !slices.Contains(options, value) {
			return nil, problem.Invalid("fields."+id, "%q is not one of the choices.", value)
		}
		if value != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[id] = value
		}
	}
	return out, nil
}
