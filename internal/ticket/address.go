package ticket

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base32"
	"strconv"
	"strings"
)

// Reply addresses carry the number of a ticket and a code that only this house
// can make: support+tk.4107.CODE@example.org. Whoever holds one may write into
// the ticket; with tp in place of tk it is bound to one person of ours besides.
const (
	tagTicket = "tk"
	tagPerson = "tp"
	// codeBytes is how much of a signature an address carries: 80 bits cannot be
	// guessed by mail, and the whole stays below 64 bytes (RFC 5321 section 4.5.3.1.1).
	codeBytes = 10
	codeChars = 16
)

// addressEncoding survives whatever changes the case of an address.
var addressEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// code signs the right to write into a ticket. person is "" for who asked.
func (d *Desk) code(t *Ticket, person string) string {
	sum := d.sign.Sign("ticket\x00reply\x00" + t.ID + "\x00" + t.Secret + "\x00" + person)
	return addressEncoding.EncodeToString(sum[:codeBytes])
}

// ReplyAddress gives where an answer to a ticket leads back into it; "" when no
// mailbox has an address.
func (d *Desk) ReplyAddress(t *Ticket) string { return d.replyAddress(t, tagTicket, "") }

// StaffAddress gives the same for one person of ours: with it they answer by mail.
func (d *Desk) StaffAddress(t *Ticket, person string) string {
	return d.replyAddress(t, tagPerson, person)
}

func (d *Desk) replyAddress(t *Ticket, tag, person string) string {
	box := d.Rules().sender(t.Mailbox)
	if box == nil {
		return ""
	}
	local, domain, _ := strings.Cut(box.From.Address, "@")
	if plus := strings.IndexByte(local, '+'); plus >= 0 {
		local = local[:plus]
	}
	return local + "+" + tag + "." + strconv.FormatInt(t.Number, 10) + "." + d.code(t, person) + "@" + domain
}

// token is a reply address as it was read, not yet believed.
type token struct {
	tag    string
	number int64
	code   string
}

// readToken reads a reply address; ok is false for any other.
func readToken(address string) (t token, ok bool) {
	local, _, _ := strings.Cut(normalised(address), "@")
	_, rest, found := strings.Cut(local, "+")
	tag, rest, dot := strings.Cut(rest, ".")
	number, code, dots := strings.Cut(rest, ".")
	if !found || !dot || !dots || tag != tagTicket && tag != tagPerson || len(code) != codeChars || len(number) > 15 {
		return token{}, false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || number[0] == '+' {
		return token{}, false
	}
	return token{tag, n, code}, true
}

// opens reports whether a token was made for the ticket, and the person.
func (d *Desk) opens(k token, t *Ticket, person string) bool {
	return k.number == t.Number && t.Secret != "" && (k.tag == tagPerson) == (person != "") && hmac.Equal([]byte(k.code), []byte(d.code(t, person)))
}

// mintMessageID makes the Message-ID of a mail of ours, without angle brackets.
// Nobody guesses it, so a reference to it proves that its mail was seen.
func (s *Setup) mintMessageID(mailbox string) string {
	domain := s.Domain
	if box := s.sender(mailbox); box != nil {
		domain = domainOf(box.From.Address)
	}
	if domain == "" {
		domain = "evenkeel.invalid"
	}
	return strings.ToLower(rand.Text()) + ".tk@" + domain
}
