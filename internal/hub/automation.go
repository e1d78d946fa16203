package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
	"evenkeel/internal/ticket"
)

// Trigger is an address that machines write to: a mail with UP or DOWN in its
// subject moves a component, as Statuspage's automation addresses do.
type Trigger struct {
	Mailbox   string
	To        string // address that the mail was delivered to
	Component string // id
	From      []string
}

// Sayings is what gives components a status by word; *status.Desk is one.
type Sayings interface {
	SayIn(ctx context.Context, tx journal.Tx, by access.Actor, component string, st status.Status, reason string) error
	UnsayIn(ctx context.Context, tx journal.Tx, by access.Actor, component string) error
}

// automationFor is how old a mail may be that still moves a component: a mailbox
// that is read after a long pause tells what was.
const automationFor = time.Hour

// Automate lets a mail move a component, inside the unit of work that keeps the
// mail: when it came to an automation address, from a sender who is allowed there
// and proven, with UP or DOWN in its subject. done tells that it did, and words
// what; every other mail is for the desk. Errors: Unavailable.
func (h *Hub) Automate(ctx context.Context, tx journal.Tx, in ticket.Incoming) (done bool, words string, err error) {
	if h.Triggers == nil || h.Sayings == nil || in.Trust != ticket.Proven && in.Trust != ticket.Signed || in.Quiet || tx.Now().Sub(in.At) > automationFor {
		return false, "", nil
	}
	for _, t := range h.Triggers() {
		if t.Mailbox != in.Mailbox || !holds(in.Delivered, t.To) || !holds(t.From, in.From.Address) {
			continue
		}
		switch up, ok := direction(in.Subject); {
		case !ok:
			continue
		case up:
			err = h.Sayings.UnsayIn(ctx, tx, access.Hub, t.Component)
			words = fmt.Sprintf("It said that %s is up.", t.Component)
		default:
			err = h.Sayings.SayIn(ctx, tx, access.Hub, t.Component, status.MajorOutage, "a mail to "+t.To+" said so")
			words = fmt.Sprintf("It said that %s is down.", t.Component)
		}
		if missing(err) { // the component is not defined any more
			return false, "", nil
		}
		return err == nil, words, err
	}
	return false, "", nil
}

// holds reports whether an address is among others, whatever their case.
func holds(list []string, address string) bool {
	return slices.ContainsFunc(list, func(a string) bool { return strings.EqualFold(a, address) })
}

// direction reads UP or DOWN, as a word in capitals, in a subject; ok is false
// without one, or with both.
func direction(subject string) (up, ok bool) {
	words := strings.FieldsFunc(subject, func(r rune) bool { return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
	up, down := slices.Contains(words, "UP"), slices.Contains(words, "DOWN")
	return up, up != down
}
