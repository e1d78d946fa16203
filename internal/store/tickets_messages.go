package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// messageColumns are read and written in this order.
const messageColumns = `id, ticket, home, form, spoke, author, sender, sender_name, addressed, subject, body, reply, html, mail, hash,
	body_hash, message_id, in_reply_to, refs, source, attachments, kind, why, trust, warnings, sending, send_at, after_state, before, mentions, at, version`

// addressed is whom a message went to, as it is kept.
type addressed struct {
	To []ticket.Address `json:"to,omitempty"`
	Cc []ticket.Address `json:"cc,omitempty"`
}

// dbAddressed reads it into a message.
type dbAddressed struct{ m *ticket.Message }

// Scan reads the text.
func (d dbAddressed) Scan(src any) error {
	var to addressed
	err := asJSON(&to).Scan(src)
	d.m.To, d.m.Cc = to.To, to.Cc
	return err
}

func scanMessage(r *sql.Rows, m *ticket.Message) error { return r.Scan(messageTargets(m)...) }

// messageTargets gives where the columns of a message go.
func messageTargets(m *ticket.Message) []any {
	return []any{&m.ID, &m.Ticket, &m.Home, &m.Form, &m.From, &m.Author, &m.Sender.Address, &m.Sender.Name, dbAddressed{m}, &m.Subject, &m.Text,
		&m.Reply, &m.HTML, &m.Mail, &m.Hash, &m.BodyHash, &m.MessageID, &m.InReplyTo, asJSON(&m.References), &m.Source, asJSON(&m.Attachments), &m.Kind, &m.Why,
		&m.Trust, asJSON(&m.Warnings), &m.Sending, into(&m.SendAt), &m.After, asJSON(&m.Before), asJSON(&m.Mentions), into(&m.At), &m.Version}
}

// Messages gives all of one ticket, oldest first by At.
func (s *Store) Messages(ctx context.Context, id string) ([]ticket.Message, error) {
	return list(ctx, s, s.db, scanMessage, `select `+messageColumns+` from ticket_messages where ticket = $1 order by at, id`, id)
}

// MessagesForUpdate is Messages inside the unit of work.
func (s *Store) MessagesForUpdate(_ context.Context, jt journal.Tx, id string) ([]ticket.Message, error) {
	return listIn(s, jt, scanMessage, `select `+messageColumns+` from ticket_messages where ticket = $1 order by at, id`, id)
}

// Message gives one, by id. Errors: NotFound, Unavailable.
func (s *Store) Message(ctx context.Context, id string) (ticket.Message, error) {
	found, err := list(ctx, s, s.db, scanMessage, `select `+messageColumns+` from ticket_messages where id = $1`, id)
	return only(found, err, "message", id)
}

// MessageForUpdate reads one inside the unit of work. Errors: NotFound.
func (s *Store) MessageForUpdate(_ context.Context, jt journal.Tx, id string) (ticket.Message, error) {
	found, err := listIn(s, jt, scanMessage, `select `+messageColumns+` from ticket_messages where id = $1`, id)
	return only(found, err, "message", id)
}

// TimedMessages gives answers whose SendAt has come, oldest first.
func (s *Store) TimedMessages(ctx context.Context, now time.Time, limit int) ([]ticket.Message, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanMessage, `select `+messageColumns+` from ticket_messages
		where sending = 'timed' and send_at <= $1 order by send_at, id limit $2`, at(now), limit)
}

// HeldMessages gives answers that wait for review, oldest first.
func (s *Store) HeldMessages(ctx context.Context, limit int) ([]ticket.Message, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanMessage, `select `+messageColumns+` from ticket_messages where sending = 'held' order by at, id limit $1`, limit)
}

// MessagesFrom gives messages that an address sent or that went to it.
func (s *Store) MessagesFrom(_ context.Context, jt journal.Tx, address string, limit int) ([]ticket.Message, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	found, err := listIn(s, jt, scanMessage, `select `+messageColumns+` from ticket_messages where sender = $1 and sender <> '' order by id limit $2`, address, limit)
	if err != nil || len(found) == limit {
		return found, err
	}
	to, err := listIn(s, jt, scanMessage, `select `+messageColumns+` from ticket_messages
		where id in (select message from ticket_addressees where address = $1) and sender <> $1 order by id limit $2`, address, limit-len(found))
	return append(found, to...), err
}

// seqOf gives the order of an id as a number: the time of a UUIDv7 with its
// fraction (RFC 9562 section 5.7), which no two ids of one process share.
// Other ids have no place. Errors: Invalid.
func seqOf(id string) (int64, error) {
	u, err := uuid.Parse(id)
	if err != nil || u.Version() != 7 {
		return 0, problem.Invalid("id", "%q is no id of a message.", id)
	}
	seq := int64(0)
	for _, b := range u[:6] {
		seq = seq<<8 | int64(b)
	}
	seq = seq<<12 | int64(u[6]&0x0F)<<8 | int64(u[7])
	return seq<<2 | int64(u[8]>>4&0x03), nil
}

// once gives what no other message from outside has; nil for all others.
func once(m *ticket.Message) any {
	switch {
	case m.Form == ticket.Out && m.Source != "":
		return m.Source + " " + m.BodyHash
	case m.Form == ticket.Out:
		return nil
	case m.MessageID != "" && m.BodyHash != "":
		return m.MessageID + " " + m.BodyHash
	case m.MessageID == "" && m.Hash != "":
		return m.Hash
	default:
		return nil
	}
}

// PutMessage inserts (Version 0; its words can be found from then on) or updates.
func (s *Store) PutMessage(_ context.Context, jt journal.Tx, m *ticket.Message, title string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	seq, err := seqOf(m.ID)
	if err != nil {
		return err
	}
	values := []any{m.ID, m.Version, m.Ticket, m.Home, string(m.Form), string(m.From), m.Author, m.Sender.Address, m.Sender.Name,
		asJSON(&addressed{m.To, m.Cc}), m.Subject, m.Text, m.Reply, m.HTML, m.Mail, m.Hash, m.BodyHash, m.MessageID, m.InReplyTo,
		asJSON(&m.References), m.Source, asJSON(&m.Attachments), m.Kind, m.Why, string(m.Trust), asJSON(&m.Warnings), string(m.Sending), at(m.SendAt),
		string(m.After), asJSON(&m.Before), asJSON(&m.Mentions), at(m.At), once(m)}
	if m.Version > 0 {
		if err := t.swap("message", m.ID, updateMessage, values...); err != nil {
			return err
		}
		m.Version++
		return nil
	}
	values[1] = 1
	if _, err := t.exec(insertMessage, append(values, seq)...); err != nil {
		return err
	}
	m.Version++
	if err := t.putAddressees(m); err != nil {
		return err
	}
	return t.putWords(m.ID, seq, m.Words(title))
}

// messageMiddle is messageColumns without id and version, and what keeps a
// message from being there twice.
var messageMiddle = strings.TrimPrefix(strings.TrimSuffix(messageColumns, `, version`), `id, `) + `, once`

var insertMessage = `insert into ticket_messages (id, version, ` + messageMiddle + `, seq) values (` + placesOf(1, 34) + `)`

var updateMessage = func() string {
	columns := strings.Split(messageMiddle, `,`)
	for i, c := range columns {
		columns[i] = strings.TrimSpace(c) + ` = $` + strconv.Itoa(i+3)
	}
	return `update ticket_messages set ` + strings.Join(columns, `, `) + `, version = version + 1 where id = $1 and version = $2`
}()

// putAddressees makes the rows by which a message is found that somebody was
// copied on. The desk's own addresses are not worth a row: erasing never asks.
func (t *tx) putAddressees(m *ticket.Message) error {
	for _, a := range m.Cc {
		if _, err := t.exec(`insert into ticket_addressees (address, message) values ($1, $2) on conflict (address, message) do nothing`, a.Address, m.ID); err != nil {
			return err
		}
	}
	if m.Form != ticket.Out {
		return nil
	}
	for _, a := range m.To {
		if _, err := t.exec(`insert into ticket_addressees (address, message) values ($1, $2) on conflict (address, message) do nothing`, a.Address, m.ID); err != nil {
			return err
		}
	}
	return nil
}

// DropMessage deletes one with its words.
func (s *Store) DropMessage(_ context.Context, jt journal.Tx, id string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	seq, err := seqOf(id)
	if err != nil {
		return err
	}
	if err := t.dropWords(id, seq); err != nil {
		return err
	}
	if _, err := t.exec(`delete from ticket_addressees where message = $1`, id); err != nil {
		return err
	}
	_, err = t.exec(`delete from ticket_messages where id = $1`, id)
	return err
}

// MoveMessages hangs messages on another ticket.
func (s *Store) MoveMessages(_ context.Context, jt journal.Tx, ids []string, to string, home bool) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	query := `update ticket_messages set ticket = $2, version = version + 1 where id = $1`
	if home {
		query = `update ticket_messages set ticket = $2, home = $2, version = version + 1 where id = $1`
	}
	for _, id := range ids {
		if err := t.swap("message", id, query, id, to); err != nil {
			return err
		}
	}
	return nil
}

// knownSizes are how many Message-IDs one statement asks for: few sizes, so that
// there are few texts to prepare.
var knownSizes = [...]int{1, 4, 16, 64}

// KnownMessages gives what is known of Message-IDs.
func (s *Store) KnownMessages(_ context.Context, jt journal.Tx, messageIDs []string) ([]ticket.Known, error) {
	if len(messageIDs) == 0 {
		return nil, nil
	}
	size := knownSizes[len(knownSizes)-1]
	for _, n := range knownSizes {
		if len(messageIDs) <= n {
			size = n
			break
		}
	}
	args := make([]any, size)
	for i := range args {
		args[i] = messageIDs[min(i, len(messageIDs)-1)]
	}
	return listIn(s, jt, scanKnown, `select ticket, id, message_id, body_hash, form, spoke from ticket_messages
		where message_id in (`+placesOf(1, size)+`) and message_id <> ''`, args...)
}

// KnownByHash is KnownMessages by what no other message has. Errors: NotFound.
func (s *Store) KnownByHash(_ context.Context, jt journal.Tx, hash string) (ticket.Known, error) {
	found, err := listIn(s, jt, scanKnown, `select ticket, id, message_id, body_hash, form, spoke from ticket_messages where once = $1`, hash)
	return only(found, err, "message", hash)
}

func scanKnown(r *sql.Rows, h *ticket.Known) error {
	return r.Scan(&h.Ticket, &h.Message, &h.MessageID, &h.BodyHash, &h.Form, &h.From)
}
