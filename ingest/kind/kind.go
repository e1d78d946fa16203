// Package kind says what a mail is: written by a person, or an automatic
// answer, a bounce, a list's, a calendar's, a machine's, spam, or our own that
// came back; whether it may be answered automatically; and whether its sender
// is who it says. It looks at one mail that package message has read, and
// knows no ticket, no mailbox and no network.
package kind

import (
	"slices"
	"strings"

	"evenkeel/ingest/message"
)

// Kind is what a mail is.
type Kind string

// The kinds, in the order in which they are asked for, Person last.
const (
	Ours      Kind = "own"        // our own mail, back again
	Feedback  Kind = "feedback"   // a complaint by way of a feedback loop, RFC 5965
	Bounced   Kind = "bounce"     // it could not be delivered
	Delayed   Kind = "delay"      // it is not delivered yet
	Report    Kind = "report"     // a receipt, a DMARC or TLS report, any other mail a machine made on its own account
	Calendar  Kind = "calendar"   // an invitation, an answer to one, a cancellation
	AutoReply Kind = "auto_reply" // an answer that nobody wrote, RFC 3834
	Spam      Kind = "spam"       // a filter before us marked it
	List      Kind = "list"       // sent to many
	Person    Kind = "person"     // somebody wrote it to us
)

// Own is what makes a mail ours.
type Own struct {
	// Addresses are our mailboxes and their aliases, in lower case. A mail from
	// one of them is our own; a mail to none of them is not answered. With or
	// without its plus part, an address is the same.
	Addresses []string
	// LoopHeader is the field that we put into every mail we send; "" for none.
	LoopHeader string
	// AuthServers are the names (authserv-id of RFC 8601) whose
	// Authentication-Results are believed.
	AuthServers []string
}

// has reports whether an address is one of ours.
func (o Own) has(address string) bool {
	address = strings.ToLower(strings.TrimSpace(address))
	return slices.Contains(o.Addresses, address) || slices.Contains(o.Addresses, bare(address))
}

// Verdict is what was found.
type Verdict struct {
	Kind Kind
	Why  string // one line for staff: what gave it away
	// Bounce is set for Bounced and Delayed, and for Feedback when it names who
	// complained.
	Bounce *Bounce
	// Answerable says that an automatic answer may go out; WhyNot says why not.
	Answerable bool
	WhyNot     string
	Auth       Auth
}

// Of classifies a mail.
func Of(m *message.Message, own Own) Verdict {
	v := Verdict{Auth: authOf(m, own)}
	l := look{m: m, own: own}
	for _, ask := range []func(*look) (Kind, string){
		(*look).ours, (*look).feedback, (*look).delivery, (*look).receipt, (*look).vacation, (*look).meeting, (*look).machine, (*look).spam, (*look).list,
	} {
		if v.Kind, v.Why = ask(&l); v.Kind != "" {
			break
		}
	}
	if v.Kind == "" {
		v.Kind, v.Why = Person, "nothing says that a machine wrote it"
	}
	v.Bounce = l.bounce
	v.WhyNot = l.whyNot(v.Kind, v.Why)
	v.Answerable = v.WhyNot == ""
	return v
}

// look is one mail while it is looked at.
type look struct {
	m      *message.Message
	own    Own
	bounce *Bounce
}

// from gives the address of who sent it, lower case; "" for nobody.
func (l *look) from() string {
	for _, list := range [][]message.Address{l.m.From, l.m.Sender} {
		for _, a := range list {
			if a.Address != "" {
				return strings.ToLower(a.Address)
			}
		}
	}
	return ""
}

// fromName gives what the sender calls himself, lower case.
func (l *look) fromName() string {
	if len(l.m.From) > 0 {
		return strings.ToLower(l.m.From[0].Name)
	}
	return ""
}

// field gives a header field in lower case, trimmed, without a comment.
func (l *look) field(name string) string {
	v := l.m.Header.Raw(name)
	if v == "" {
		return ""
	}
	v, _, _ = strings.Cut(v, "(")
	return strings.ToLower(strings.TrimSpace(v))
}

// nullSender reports whether the envelope's sender is empty, as that of every
// notice has to be.
func (l *look) nullSender() bool {
	return l.m.Header.Has("Return-Path") && strings.Trim(l.field("Return-Path"), "<> \t") == ""
}

func (l *look) ours() (Kind, string) {
	if l.own.LoopHeader != "" && l.m.Header.Has(l.own.LoopHeader) && l.m.ReportType == "" {
		return Ours, "it carries the mark that we put into our mail"
	}
	if from := l.from(); from != "" && l.own.has(from) {
		return Ours, "it comes from one of our own addresses"
	}
	return "", ""
}

// bare is an address to compare: lower case, without the plus part.
func bare(address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	if plus := strings.IndexByte(address[:at], '+'); plus > 0 {
		return address[:plus] + address[at:]
	}
	return address
}

// local gives the local part of an address without its plus part.
func local(address string) string {
	name, _, _ := strings.Cut(bare(address), "@")
	return name
}
