package ticket

import (
	"slices"
	"strconv"
	"strings"
)

// clue is a sign that something belongs to a ticket. It proves nothing by itself.
type clue struct {
	by     clueKind
	ticket string // id; "" when the number says it
	number int64
	token  token
	ours   bool // it names a mail that only we could have sent
}

// clueKind is what kind of sign it is, from the one that is asked first.
type clueKind string

// The kinds of clues.
const (
	byReference clueKind = "reference" // In-Reply-To, References (RFC 5322 section 3.6.4)
	byAddress   clueKind = "address"   // a signed reply address
	bySubject   clueKind = "subject"   // [TK-4107]: anybody can write it
)

// maxClues bounds how many clues of one kind are followed.
const maxClues = 8

// clues gives the signs in a mail, in the order in which they are followed: an
// address of one of ours, which says that they act; what it answers, nearest first;
// the signed addresses that it came in under; the numbers in its subject.
func clues(in *Incoming, known []Known, prefix string) []clue {
	var out []clue
	add := func(c clue, from int) {
		same := func(o clue) bool {
			return o.by == c.by && o.ticket == c.ticket && o.number == c.number && o.token == c.token
		}
		if len(out)-from < maxClues && !slices.ContainsFunc(out[from:], same) {
			out = append(out, c)
		}
	}
	addressed := func(tag string) {
		from := len(out)
		for _, address := range in.Delivered {
			if t, ok := readToken(address); ok && t.tag == tag {
				add(clue{by: byAddress, number: t.number, token: t}, from)
			}
		}
	}
	addressed(tagPerson)
	from := len(out)
	for _, id := range answered(in) {
		for _, k := range known {
			if k.MessageID == id {
				add(clue{by: byReference, ticket: k.Ticket, ours: k.Form == Out}, from)
			}
		}
	}
	addressed(tagTicket)
	from = len(out)
	for _, n := range numbersIn(in.Subject, prefix) {
		add(clue{by: bySubject, number: n}, from)
	}
	return out
}

// answered gives the Message-IDs that a mail says it answers, nearest first,
// without its own.
func answered(in *Incoming) []string {
	var out []string
	add := func(id string) {
		if id != "" && id != in.MessageID && len(id) <= MaxMessageID && len(out) < MaxReferences-1 && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	if in.Bounce != nil {
		add(in.Bounce.Original)
	}
	add(in.InReplyTo)
	for _, id := range slices.Backward(in.References) {
		add(id)
	}
	return out
}

// numbersIn gives the ticket numbers that stand in brackets in a subject.
func numbersIn(subject, prefix string) (out []int64) {
	open := "[" + strings.ToUpper(prefix) + "-"
	rest := strings.ToUpper(subject)
	for len(out) < maxClues {
		_, after, found := strings.Cut(rest, open)
		if !found {
			break
		}
		number, tail, closed := strings.Cut(after, "]")
		rest = after
		if !closed || len(number) > 15 {
			continue
		}
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && n > 0 && number[0] != '+' {
			out, rest = append(out, n), tail
		}
	}
	return out
}

// takesPart reports whether an address belongs to a conversation: who asked, who
// wrote into it, who was copied.
func takesPart(address string, all []Message) bool {
	is := func(a Address) bool { return a.Address == address }
	return slices.ContainsFunc(all, func(m Message) bool {
		return m.Form == In && is(m.Sender) || (m.Form == In || m.Form == Out) && (slices.ContainsFunc(m.To, is) || slices.ContainsFunc(m.Cc, is))
	})
}
