package notice

import (
	"context"
	"io"
	"strings"
	"time"

	"evenkeel/internal/problem"
)

// Letter is an answer to somebody who wrote in, as it is mailed: the words of a
// person, without the furniture of a notice.
type Letter struct {
	MessageID  string   // without angle brackets; minted once, so that a repeat is recognised
	InReplyTo  string   // the same of the mail that it answers; "" for none
	References []string // of the thread, the root first
	From       Correspondent
	ReplyTo    Correspondent // the signed address that finds the ticket again; Address "" = From
	Cc         []Correspondent
	Subject    string
	Text       string
	HTML       string // "" = plain text alone
	// Automatic says that no person wrote it: programs must not answer it (RFC 3834).
	Automatic   bool
	Attachments []Enclosure
}

// Correspondent is a mail address with the name that belongs to it.
type Correspondent struct{ Name, Address string }

// Enclosure is a file that goes out with a letter.
type Enclosure struct {
	Name string
	Type string // media type
	// Open gives its bytes, each time anew: a letter may be sent again.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Letters gives the letters that events of audience ToRequester stand for, at the
// moment they are sent: nobody gets what was erased or taken back meanwhile.
type Letters interface {
	// Letter gives the letter of an event and whom it goes to. Errors: NotFound when
	// it is not to be sent any more, and why; Unavailable.
	Letter(ctx context.Context, e Event) (Letter, Recipient, error)
}

// FactRequester is the fact of an event of audience ToRequester that names whom it
// is for: the id that follows requester/ in its delivery.
const FactRequester = "requester"

// recipientRequester is what references to people who wrote in begin with.
const recipientRequester = "requester/"

// requester plans the one row of an answer. Each is a lane of its own: no answer
// ever takes the place of another.
func (p *plan) requester(e Event) error {
	id := e.Content.Facts[FactRequester]
	if id == "" {
		return problem.Invalid("event.content.facts", "an answer needs to be for somebody")
	}
	row := p.row(e, p.config.Mail, recipientRequester+id)
	row.Lane = lane("letter", e.ID)
	if p.config.Mail == "" {
		row.State, row.Reason, row.NextAt = Suppressed, "no channel for mail is set up", time.Time{}
	}
	p.add(row)
	return nil
}

// fetch asks for the letter of a result that is about to be sent, and reports
// whether there is one. Where there is none the result says what happens.
func (s *Sender) fetch(ctx context.Context, r *result) bool {
	if s.letters == nil {
		r.verdict, r.reason = doFail, "nobody is answered here"
		return false
	}
	letter, to, err := s.letters.Letter(ctx, r.message.Event)
	switch {
	case missing(err):
		r.verdict, r.reason = doDrop, clip(problem.Public(err))
		return false
	case err != nil:
		r.err = &Refusal{Theirs: true, Reason: "the answer cannot be read now", Err: err}
		return false
	}
	to.Ref = r.message.To.Ref
	r.message.Letter, r.message.To = &letter, to
	return true
}

// toRequester reports whether a row is an answer to somebody who wrote in.
func (d Delivery) toRequester() bool { return strings.HasPrefix(d.Recipient, recipientRequester) }
