package hub

import (
	"context"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Kind says what needs attention.
type Kind string

// The kinds of concerns.
const (
	Unspoken    Kind = "unspoken"     // a component is down and no incident tells customers
	Green       Kind = "green"        // an incident is open while all its components are well
	Quiet       Kind = "quiet"        // an incident is without the update that was due
	Overdue     Kind = "overdue"      // maintenance is past its end, or was never begun
	Corrected   Kind = "corrected"    // uptime was edited by hand
	Unexplained Kind = "unexplained"  // what customers had seen was changed without a reason
	Unkept      Kind = "unkept"       // tickets are past a promise
	SetAside    Kind = "set_aside"    // mails were set aside and wait for a person
	Unread      Kind = "unread"       // a mailbox is not being read
	StillBroken Kind = "still_broken" // requesters say that an incident is not over
	// held is a failure whose alarm rests because of something else: looked at
	// again until it may be told or is over. Nobody is shown it.
	held Kind = "held"
)

// rememberFor is how long an edit by hand is shown.
const rememberFor = 3 * 24 * time.Hour

// Concern is something that needs attention, from when it was noticed until it
// is over.
type Concern struct {
	ID       string // KIND-ID of the subject
	Kind     Kind
	Subject  journal.Ref
	Since    time.Time // when it began
	RaisedAt time.Time // when it was noticed
	Until    time.Time // it is over then by itself; zero = when it no longer holds
	Facts    map[string]string
}

// id gives the id of a concern: there is one of a kind for a subject.
func (c *Concern) id() string { return string(c.Kind) + "-" + c.Subject.ID }

// Concerns keeps what needs attention. Methods that take a journal.Tx write
// inside that unit of work. Errors: Unavailable.
type Concerns interface {
	// Concerns gives all, oldest first.
	Concerns(ctx context.Context) ([]Concern, error)
	// PutConcern inserts or replaces one, and tells whether it is new.
	PutConcern(ctx context.Context, tx journal.Tx, c Concern) (fresh bool, err error)
	// DropConcern deletes one, and tells whether it was there.
	DropConcern(ctx context.Context, tx journal.Tx, id string) (was bool, err error)
}

// raise notes a concern, and tells of it once.
func (h *Hub) raise(ctx context.Context, tx journal.Tx, c Concern) error {
	c.RaisedAt = tx.Now()
	fresh, err := h.Concerns.PutConcern(ctx, tx, c)
	if err != nil || !fresh || c.Kind == held {
		return err
	}
	return tx.Append(c.entry("attention.raised"))
}

// lower ends a concern, and tells of it when it was there.
func (h *Hub) lower(ctx context.Context, tx journal.Tx, c Concern) error {
	was, err := h.Concerns.DropConcern(ctx, tx, c.ID)
	if err != nil || !was || c.Kind == held {
		return err
	}
	return tx.Append(c.entry("attention.settled"))
}

// entry is the journal entry of a concern.
func (c *Concern) entry(verb string) journal.Entry {
	return journal.Entry{
		Verb: verb, Subject: journal.Ref{Kind: "attention", ID: c.ID}, Audience: journal.AudienceStaff,
		Payload: map[string]string{"kind": string(c.Kind), "ref": c.Subject.String()},
	}
}

// missing reports whether err says that the thing does not exist.
func missing(err error) bool { return problem.KindOf(err) == problem.KindNotFound }
