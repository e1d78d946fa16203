package notice

import (
	"context"
	"time"
)

// Message is one delivery as a channel gets it.
type Message struct {
	Delivery Delivery
	Event    Event
	To       Recipient
	// Page is the public address of the page, Hub that of the console, without a
	// trailing slash; "" when not set.
	Page, Hub string
	PageName  string
	Simulated bool // the demo: every message says so
	// Thread is the Mark of the first delivery of the same subject to the same
	// recipient: mail references and chat threads hang on it. "" for the first.
	Thread string
	// By is the name of the person whose id Event.Content.Facts["by"] holds: who
	// acknowledged, or asked for a test. Staff only; "" when nobody is known by it.
	By string
	// Letter is what is mailed, and all of it, when this is an answer to somebody
	// who wrote in; nil for notices.
	Letter *Letter
	// Also are further events that this one message must tell of (a route's
	// grouping), in order; Event is the first.
	Also []Event
	// Links of this recipient, signed: manage, one-click unsubscribe and first
	// confirmation of a subscriber, acknowledge of an alert. "" where there is none.
	Manage, Unsubscribe, Confirm, Acknowledge string
	Attempt                                   int // from 1
}

// Recipient is who gets it. It is never logged.
type Recipient struct {
	Ref     string // subscriber/ID, requester/ID, person/ID, route/ID
	Name    string
	Address string // e-mail address, URL, chat id; "" when the channel has its own
}

// Receipt is what a channel tells of a message that was taken.
type Receipt struct {
	Mark      string // message id, thread, status code: what finds it again
	ExactOnce bool   // the other side recognises a repeat of Delivery.ID
}

// Channel takes messages to one place. It must not retry by itself, must end
// within the context, and must be safe for concurrent use.
type Channel interface {
	// Send sends one message. Errors: *Refusal tells what to do about it; any
	// other error counts as one that may pass.
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Challenger is a Channel that can ask the other end to prove that it wants to
// be told: webhooks of subscribers.
type Challenger interface {
	// Challenge sends the challenge and gives nil when it was echoed. Errors as Send.
	Challenge(ctx context.Context, m Message, challenge string) error
}

// Refusal is a channel's word on why a message was not taken.
type Refusal struct {
	Permanent  bool          // saying it again will not help
	Gone       bool          // the recipient no longer exists: a subscriber is ended
	Theirs     bool          // the trouble is this recipient's alone: the channel itself is well
	RetryAfter time.Duration // at least so long; 0 = as we think
	Reason     string        // in words, for staff; no secrets
	Err        error         // for the log
}

// Error says why.
func (r *Refusal) Error() string {
	if r.Err != nil {
		return r.Reason + ": " + r.Err.Error()
	}
	return r.Reason
}

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// People tells how staff are reached. Errors: NotFound for somebody who is not
// there, is disabled or has no address; Unavailable.
type People interface {
	Contact(ctx context.Context, personID string) (Recipient, error)
}

// Signer makes signatures under the key of the house: HMAC-SHA-256 or as strong.
// The same text gives the same signature.
type Signer interface {
	Sign(text string) []byte
}
