package ticket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Answer is what is written to a requester.
type Answer struct {
	Text    string
	Cc      []Address
	Files   []File
	State   State     // the ticket becomes this; "" leaves it, but for new ones, which are open then
	SendAt  time.Time // not before; zero: after UndoFor when a person writes, at once otherwise
	Now     bool      // at once, and for good
	Held    bool      // it waits for review
	Version int64     // of the ticket as it was read; 0 = whatever it is now
	Kind    string    // what it is besides a person's words: "update", "resolution"; "" = just that
}

// File is an attachment as it is handed in.
type File struct {
	Name, Type string
	Data       []byte
}

// Answer writes to the requester. It is sent after UndoFor, unless it is taken
// back. Errors: Invalid; Conflict when the requester cannot be written to, or the
// ticket changed since it was read.
func (d *Desk) Answer(ctx context.Context, by access.Actor, id string, a Answer) (Message, error) {
	var out Message
	_, err := d.change(ctx, by, id, access.TicketAnswer, func(h *hand) (err error) {
		out, err = h.answer(a)
		return err
	})
	return out, err
}

// AnswerIn is Answer inside the unit of work of whoever has a reason to: the hall,
// when an incident is over.
func (d *Desk) AnswerIn(ctx context.Context, tx journal.Tx, by access.Actor, id string, a Answer) (Message, error) {
	var out Message
	err := d.within(ctx, tx, by, id, access.TicketAnswer, func(h *hand) (err error) {
		out, err = h.answer(a)
		return err
	})
	return out, err
}

// within is change inside somebody else's unit of work. id must be an id.
func (d *Desk) within(ctx context.Context, tx journal.Tx, by access.Actor, id string, act access.Action, fn func(*hand) error) error {
	t, err := d.store.TicketForUpdate(ctx, tx, id)
	if err != nil {
		return err
	}
	h := d.take(ctx, tx, by, &t)
	if err := h.admit(act); err != nil {
		return err
	}
	if err := fn(h); err != nil {
		return err
	}
	return h.keep()
}

// answer writes an answer.
func (h *hand) answer(a Answer) (Message, error) {
	if a.Version != 0 && a.Version != h.t.Version {
		return Message{}, problem.Conflict("%s has changed since you read it. Look at it again; your words are kept.", h.setup.label(h.t.Number))
	}
	body, err := text("text", a.Text, MaxAnswer, false)
	if err != nil {
		return Message{}, err
	}
	if a.State != "" {
		if _, err := h.t.towards(a.State); err != nil {
			return Message{}, err
		}
	}
	who, err := h.store.RequesterForUpdate(h.ctx, h.tx, h.t.Requester)
	if err = absentIsNil(err); err != nil {
		return Message{}, err
	}
	if who.Address == "" {
		return Message{}, problem.Conflict("This requester has no mail address.")
	}
	files, err := h.attach(a.Files)
	if err != nil {
		return Message{}, err
	}
	m := Message{
		Form: Out, From: FromStaff, Author: h.by.ID, To: []Address{{Name: who.Name, Address: who.Address}}, Cc: persons(a.Cc), Text: body, Reply: body,
		Attachments: files, After: a.State, Kind: a.Kind, Sending: HandedOn,
	}
	if m.Kind == "" {
		m.Kind = KindPerson
	}
	switch at := moment(a.SendAt); {
	case a.Held:
		m.Sending = Held
	case a.Now:
	case at.IsZero() && h.by.ID == access.Hub.ID:
	case at.IsZero():
		m.Sending, m.SendAt = Timed, h.now.Add(UndoFor)
	case at.Sub(h.now) > MaxSendAhead:
		return Message{}, problem.Invalid("send_at", "An answer can be scheduled at most %d days ahead.", int(MaxSendAhead.Hours()/24))
	case at.After(h.now):
		m.Sending, m.SendAt = Timed, at
	}
	return m, h.speak(&m)
}

// attach keeps files for a message.
func (h *hand) attach(files []File) ([]Attachment, error) {
	if len(files) > MaxAnswerFiles {
		return nil, problem.Invalid("files", "%d files are too many; %d are allowed.", len(files), MaxAnswerFiles)
	}
	var out []Attachment
	for _, f := range files {
		if len(f.Data) > MaxFileSize {
			return nil, problem.Invalid("files", "A file is larger than %d MiB.", MaxFileSize>>20)
		}
		name, err := line("files", f.Name, MaxName, false)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(f.Data)
		a := Attachment{Name: name, Type: cutRunes(oneLine(f.Type), MaxName), Size: int64(len(f.Data)), Hash: hex.EncodeToString(sum[:])}
		if err := h.blobs.PutBlob(h.ctx, h.tx, a.Hash, f.Data); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// speak writes an answer of ours with what it means for the ticket.
func (h *hand) speak(m *Message) error {
	all, err := h.store.MessagesForUpdate(h.ctx, h.tx, h.t.ID)
	if err != nil {
		return err
	}
	h.address(m, all)
	if m.Sending != Held {
		if err := h.heeded(m); err != nil {
			return err
		}
	}
	if err := h.put(m); err != nil {
		return err
	}
	if m.Sending == HandedOn {
		return h.handOn(m)
	}
	return h.tell("written", map[string]string{"message": m.ID, "sending": string(m.Sending)})
}

// maxChain bounds the References of a mail: the root, and the last of them.
const maxChain = 20

// address gives an answer its place in the thread of the requester's mail program:
// one root for all of the ticket, and everything since (RFC 5322 section 3.6.4).
func (h *hand) address(m *Message, all []Message) {
	m.MessageID = h.setup.mintMessageID(h.t.Mailbox)
	m.Subject = h.setup.subject(h.t)
	chain := []string{h.t.Root}
	for i := range all {
		id := all[i].MessageID
		if id == "" || all[i].Form == Note || all[i].Form == Mute || all[i].Sending == TakenUp || slices.Contains(chain, id) {
			continue
		}
		chain = append(chain, id)
		if all[i].Form == In {
			m.InReplyTo = id
		}
	}
	if len(chain) > maxChain {
		chain = append(chain[:1:1], chain[len(chain)-maxChain+1:]...)
	}
	if m.InReplyTo == "" {
		m.InReplyTo = chain[len(chain)-1]
	}
	m.References = chain
}

// subject gives the subject of answers to a ticket.
func (s *Setup) subject(t *Ticket) string {
	subject := t.Subject
	for { // Re: Re: Re:
		rest, found := strings.CutPrefix(strings.ToLower(subject), "re:")
		if !found {
			break
		}
		subject = strings.TrimSpace(subject[len(subject)-len(rest):])
	}
	token := "[" + s.label(t.Number) + "]"
	if strings.Contains(strings.ToUpper(subject), strings.ToUpper(token)) {
		return "Re: " + subject
	}
	return "Re: " + subject + " " + token
}

// heeded notes what an answer changes: nobody waits for our word any more.
func (h *hand) heeded(m *Message) error {
	t := h.t
	m.Before = Before{State: t.State, Unheard: t.Unheard, UnheardAt: t.UnheardAt, First: t.FirstReplyAt.IsZero()}
	t.Unheard, t.UnheardAt = 0, time.Time{}
	if t.FirstReplyAt.IsZero() {
		t.FirstReplyAt = h.now
		if m.SendAt.After(h.now) {
			t.FirstReplyAt = m.SendAt
		}
	}
	event := Speak
	if m.After != "" {
		var err error
		if event, err = t.towards(m.After); err != nil {
			return err
		}
	}
	return h.move(event)
}

// handOn gives a message to those who deliver: they follow the journal.
func (h *hand) handOn(m *Message) error {
	return h.tell("answered", map[string]string{"message": m.ID, "mail_kind": h.plain(m.Kind)})
}

// Undo takes an answer back that was not sent yet, a scheduled one and one that is
// held for review included. Errors: Conflict once it is on its way.
func (d *Desk) Undo(ctx context.Context, by access.Actor, message string) (Message, error) {
	return d.onMessage(ctx, by, message, func(h *hand, m *Message) error {
		if m.Form != Out || m.Sending != Timed && m.Sending != Held {
			return problem.Conflict("This answer is on its way already.")
		}
		return h.takeBack(m)
	})
}

// takeBack undoes what an answer did to its ticket.
func (h *hand) takeBack(m *Message) error {
	t, was, timed := h.t, m.Before, m.Sending == Timed
	m.Sending, m.SendAt = TakenUp, time.Time{}
	if err := h.store.PutMessage(h.ctx, h.tx, m, t.Subject); err != nil {
		return err
	}
	if timed {
		t.Unheard += was.Unheard
		if !was.UnheardAt.IsZero() {
			t.UnheardAt = was.UnheardAt
		}
		if was.First {
			t.FirstReplyAt = time.Time{}
		}
		event := Speak
		if m.After != "" {
			event, _ = (&Ticket{State: was.State}).towards(m.After)
		}
		if made, ok := was.State.After(event); ok && made == t.State && was.State != "" {
			t.enter(was.State, h.now)
		}
	}
	return h.tell("withdrawn", map[string]string{"message": m.ID})
}

// Release sends answers that were held for review, each in a unit of work of its
// own, and tells which did not go out and why.
func (d *Desk) Release(ctx context.Context, by access.Actor, messages []string) (failed []Failed, err error) {
	if err := by.Check(access.TicketAnswer); err != nil {
		return nil, err
	}
	if len(messages) > MaxBulk {
		return nil, problem.Invalid("messages", "%d are too many; %d are allowed.", len(messages), MaxBulk)
	}
	for _, id := range messages {
		_, err := d.onMessage(ctx, by, id, func(h *hand, m *Message) error {
			if m.Sending != Held {
				return problem.Conflict("This answer does not wait for review.")
			}
			m.Sending, m.At = HandedOn, h.now
			if err := h.heeded(m); err != nil {
				return err
			}
			if err := h.store.PutMessage(h.ctx, h.tx, m, h.t.Subject); err != nil {
				return err
			}
			return h.handOn(m)
		})
		if err != nil {
			failed = append(failed, Failed{ID: id, Why: problem.Public(err), Kind: problem.KindOf(err)})
		}
	}
	return failed, nil
}

// Failed is one of many that an act did not fit.
type Failed struct {
	ID   string
	Why  string
	Kind problem.Kind
}

// Rewrite changes the words of an answer that is held for review. Errors: Invalid;
// Conflict once it is not.
func (d *Desk) Rewrite(ctx context.Context, by access.Actor, message, body string) (Message, error) {
	return d.onMessage(ctx, by, message, func(h *hand, m *Message) (err error) {
		if m.Sending != Held {
			return problem.Conflict("This answer does not wait for review.")
		}
		if m.Text, err = text("text", body, MaxAnswer, false); err != nil {
			return err
		}
		m.Reply, m.Author = m.Text, h.by.ID
		return h.store.PutMessage(h.ctx, h.tx, m, h.t.Subject)
	})
}

// Review gives the answers that wait for review, oldest first.
func (d *Desk) Review(ctx context.Context, by access.Actor) ([]Message, error) {
	if err := by.CheckOn(access.TicketAnswer); err != nil {
		return nil, err
	}
	return d.store.HeldMessages(ctx, MaxPage)
}

// onMessage runs fn on one message with its ticket in a unit of work.
func (d *Desk) onMessage(ctx context.Context, by access.Actor, id string, fn func(*hand, *Message) error) (Message, error) {
	if err := by.Check(access.TicketAnswer); err != nil {
		return Message{}, err
	}
	var out Message
	err := d.work.Do(ctx, by.As(access.TicketAnswer), func(tx journal.Tx) error {
		m, err := d.store.MessageForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		err = d.within(ctx, tx, by, m.Ticket, access.TicketAnswer, func(h *hand) error { return fn(h, &m) })
		out = m
		return err
	})
	return out, err
}

// Letter is a message of ours as whoever sends it needs it.
type Letter struct {
	Ticket     Ticket
	Requester  Requester
	MessageID  string
	InReplyTo  string
	References []string
	From       Address // of the mailbox; its address is "" when none is configured
	ReplyTo    Address // leads back into the ticket
	To         Address
	Cc         []Address
	Subject    string
	Text       string
	Files      []Attachment // their bytes are at Attachment
	Automatic  bool         // nobody must be answered by a machine (RFC 3834 section 5)
	Sending    Sending
}

// Letter gives a message of ours as it is sent. Errors: NotFound; Conflict when it
// is not to be sent, or its requester has no address any more.
func (d *Desk) Letter(ctx context.Context, message string) (Letter, error) {
	m, err := d.store.Message(ctx, message)
	if err != nil {
		return Letter{}, err
	}
	if m.Form != Out || m.Sending != HandedOn {
		return Letter{}, problem.Conflict("This message is not to be sent.")
	}
	t, err := d.store.Ticket(ctx, m.Home)
	if err != nil {
		return Letter{}, err
	}
	who, err := d.store.Requester(ctx, t.Requester)
	if err != nil {
		return Letter{}, err
	}
	if who.Address == "" {
		return Letter{}, problem.Conflict("This requester has no mail address any more.")
	}
	l := Letter{
		Ticket: t, Requester: who, MessageID: m.MessageID, InReplyTo: m.InReplyTo, References: m.References, To: Address{Name: who.Name, Address: who.Address},
		Cc: m.Cc, Subject: m.Subject, Text: m.Text, Files: m.Attachments, Automatic: m.Kind == KindAcknowledgement, Sending: m.Sending,
	}
	if box := d.Rules().sender(t.Mailbox); box != nil {
		l.From = box.From
		l.ReplyTo = Address{Name: box.From.Name, Address: d.ReplyAddress(&t)}
	}
	return l, nil
}
