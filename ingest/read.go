package ingest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"evenkeel/ingest/kind"
	"evenkeel/ingest/message"
	"evenkeel/internal/inbox"
	"evenkeel/internal/ticket"
)

// glanceBytes is how much of an unreadable mail is looked at for its sender.
const glanceBytes = 64 << 10

// Reader reads mails for the desk.
type Reader struct {
	Spool string // folder for large attachments under way
	// Own gives what makes a mail ours, by the mailbox it came in.
	Own func(mailbox string) kind.Own
	Now func() time.Time
}

// Read reads one mail. Whatever the mail holds there is a reading; an error is one
// of raw, or of the disk.
func (r *Reader) Read(_ context.Context, m inbox.Mail, raw io.Reader) (*Reading, error) {
	out := &Reading{}
	msg, err := message.Parse(raw, message.Options{Now: r.Now(), Attachment: func(message.Meta) (io.WriteCloser, error) { return out.sink(r.Spool), nil }})
	if err != nil {
		out.drop()
		return nil, err
	}
	verdict := kind.Of(msg, r.Own(m.Mailbox))
	out.Incoming = incoming(m, msg, verdict)
	return out, nil
}

// Glance reads what stands at the top of a mail that could not be read: who wrote,
// and about what. It gives a ticket that says so, whatever happens.
func (r *Reader) Glance(m inbox.Mail, raw io.Reader) (out *Reading) {
	msg := &message.Message{}
	defer func() {
		_ = recover() // what cannot be read may well break the reader twice
		out = unread(m, msg)
	}()
	var head bytes.Buffer
	lines := bufio.NewReader(io.LimitReader(raw, glanceBytes))
	for {
		line, err := lines.ReadBytes('\n')
		head.Write(line)
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			break
		}
	}
	if top, err := message.Parse(&head, message.Options{}); err == nil {
		msg = top
	}
	return nil
}

// unread is what is made of a mail that could not be read: a ticket that says so, so
// that its sender is not ignored.
func unread(m inbox.Mail, msg *message.Message) *Reading {
	from := sender(msg)
	who := cmp.Or(from.Address, from.Name, "somebody unknown")
	return &Reading{Incoming: ticket.Incoming{
		Mail: m.ID, Way: ticket.ByMail, Mailbox: m.Mailbox, Quiet: m.Quiet, From: from, Hash: m.Hash, BodyHash: m.Hash, MessageID: msg.MessageID,
		Subject: "Unreadable mail from " + who, Text: "This mail could not be read. Its source is kept with it. It says it is about: " + cmp.Or(msg.Subject, "nothing") + ".",
		Kind: ticket.KindPerson, Why: "nothing could be read of it", Warnings: unreadable(m.Reason), At: m.ReceivedAt,
	}}
}

// unreadable says to staff why there is nothing but its top.
func unreadable(why string) []string { return []string{"It could not be read: " + why} }

// incoming is a mail in the words of the desk.
func incoming(m inbox.Mail, msg *message.Message, v kind.Verdict) ticket.Incoming {
	in := ticket.Incoming{
		Mail: m.ID, Way: ticket.ByMail, Mailbox: m.Mailbox, Quiet: m.Quiet, From: sender(msg), ReplyTo: addresses(msg.ReplyTo),
		To: addresses(msg.To), Cc: addresses(msg.Cc), Subject: msg.Subject, Text: msg.Text, Reply: msg.ReplyText, HTML: msg.HTML,
		Hash: m.Hash, BodyHash: bodyHash(msg), MessageID: msg.MessageID, InReplyTo: msg.InReplyTo, References: msg.References,
		Delivered: delivered(msg), Kind: string(v.Kind), Why: v.Why, Answerable: v.Answerable && !m.Quiet, Warnings: msg.Warnings, At: m.ReceivedAt,
	}
	switch {
	case v.Auth.Aligned:
		in.Trust = ticket.Proven
	case v.Auth.DMARC == "fail":
		in.Trust = ticket.Disputed
	}
	if m.Reason != "" {
		in.Warnings = append([]string{"Only part of it is here: " + m.Reason}, in.Warnings...)
	}
	for _, a := range msg.Attachments {
		in.Attachments = append(in.Attachments, ticket.Attachment{
			Name: a.Name, Type: a.Type, Size: a.Size, Hash: a.SHA256, Inline: a.Inline, ContentID: a.ContentID,
		})
	}
	if b := v.Bounce; b != nil {
		in.Bounce = &ticket.Bounce{Recipient: b.Recipient, Hard: b.Hard, Code: b.DSN, Original: b.OriginalMessageID}
	}
	return in
}

// sender gives who wrote: From, or Sender where that says nothing.
func sender(msg *message.Message) ticket.Address {
	for _, list := range [][]message.Address{msg.From, msg.Sender, msg.ReplyTo} {
		for _, a := range list {
			if a.Address != "" {
				return ticket.Address(a)
			}
		}
	}
	if len(msg.From) > 0 {
		return ticket.Address(msg.From[0])
	}
	return ticket.Address{}
}

func addresses(list []message.Address) []ticket.Address {
	out := make([]ticket.Address, 0, len(list))
	for _, a := range list {
		out = append(out, ticket.Address(a))
	}
	return out
}

// deliveredFields are the fields in which servers say whom they delivered to.
var deliveredFields = []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-Forwarded-To", "Resent-To"}

// maxDelivered bounds how many addresses a mail can say it came in under.
const maxDelivered = 100

// delivered gives the addresses that a mail came in under: the signed reply address
// may be any of them.
func delivered(msg *message.Message) []string {
	var out []string
	add := func(address string) {
		if address != "" && len(out) < maxDelivered {
			out = append(out, address)
		}
	}
	for _, list := range [][]message.Address{msg.To, msg.Cc} {
		for _, a := range list {
			add(a.Address)
		}
	}
	for _, name := range deliveredFields {
		for _, value := range msg.Header.Values(name) {
			for address := range strings.SplitSeq(value, ",") {
				add(strings.Trim(strings.TrimSpace(address), "<>"))
			}
		}
	}
	return out
}

// bodyHash is the hash of what a mail says, however it is spaced and cased: relays
// change that, and people do not send the same words twice under one Message-ID.
func bodyHash(msg *message.Message) string {
	sum := sha256.New()
	for word := range strings.FieldsSeq(msg.Text) {
		_, _ = io.WriteString(sum, strings.ToLower(word))
		_, _ = sum.Write([]byte{' '})
	}
	for _, a := range msg.Attachments {
		_, _ = io.WriteString(sum, a.SHA256)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
