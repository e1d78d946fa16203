package kind

import (
	"strings"

	"evenkeel/ingest/message"
)

// Bounce is what a server says about a mail that it could not deliver. Of
// several recipients it is the first that failed.
type Bounce struct {
	Recipient string // lower case; "" when it does not say
	// DSN is the enhanced status code of RFC 3463; of the class alone ("5.0.0")
	// when only that can be told, "" when nothing can.
	DSN string
	// Hard says that the address is no good and mail to it should stop: no such
	// person, no such host, moved, takes no mail. A full mailbox, a block or a
	// spam filter are not hard, however final this one answer is.
	Hard bool
	// Diagnostic is what the server said, on one line.
	Diagnostic string
	// OriginalMessageID is the mail that came back, without brackets; "" when it
	// does not say.
	OriginalMessageID string
}

// maxDiagnostic bounds what is kept of a server's words.
const maxDiagnostic = 1000

// status reads the machine-readable part of RFC 3464.
func (l *look) status() (Kind, string) {
	var groups []message.Header
	for _, r := range l.m.Reports {
		if strings.HasSuffix(r.Type, "delivery-status") {
			groups = r.Groups
			break
		}
	}
	var failed, delayed, other message.Header
	for _, g := range groups {
		action, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(g.Raw("Action"))), " ")
		switch class := strings.TrimSpace(g.Raw("Status")); {
		case strings.HasPrefix(action, "fail") || strings.HasPrefix(action, "bounce") || action == "" && strings.HasPrefix(class, "5") || action == "" && strings.HasPrefix(class, "4"):
			failed = firstOf(failed, g)
		case strings.HasPrefix(action, "delay"):
			delayed = firstOf(delayed, g)
		case action != "":
			other = firstOf(other, g)
		case g.Has("Final-Recipient") || g.Has("Original-Recipient") || g.Has("Diagnostic-Code"):
			failed = firstOf(failed, g)
		}
	}
	switch {
	case failed.Len() > 0:
		l.bounce = l.structured(failed)
		return Bounced, "a delivery report says that it failed"
	case delayed.Len() > 0:
		l.bounce = l.structured(delayed)
		l.bounce.Hard = false
		return Delayed, "a delivery report says that it is delayed"
	case other.Len() > 0:
		return Report, "a delivery report says that it is " + clip(strings.ToLower(strings.TrimSpace(other.Raw("Action"))), 20)
	case l.m.ReportType == "delivery-status":
		l.bounce = l.fromText()
		if l.saysDelay() {
			l.bounce.Hard = false
			return Delayed, "it says that it is a report of a delay"
		}
		return Bounced, "it says that it is a delivery report"
	}
	return "", ""
}

func firstOf(have, next message.Header) message.Header {
	if have.Len() > 0 {
		return have
	}
	return next
}

// structured reads one recipient's group, and what the words before it add.
func (l *look) structured(g message.Header) *Bounce {
	diagnostic := g.Value("Diagnostic-Code")
	if kind, text, ok := strings.Cut(diagnostic, ";"); ok && !strings.ContainsAny(strings.TrimSpace(kind), " <@") {
		diagnostic = text
	}
	diagnostic = oneSpace(diagnostic)
	status := statusCode(g.Raw("Status"))
	text := l.fromText()
	b := &Bounce{
		Recipient: recipientOf(g), Diagnostic: diagnostic, OriginalMessageID: text.OriginalMessageID,
	}
	if b.Recipient == "" {
		b.Recipient = text.Recipient
	}
	words := diagnostic
	if vague(diagnostic) {
		words = diagnostic + " " + text.Diagnostic
		if diagnostic == "" {
			b.Diagnostic = text.Diagnostic
		}
	}
	b.DSN = bestCode(status, words)
	notice, _ := l.notice()
	b.Hard = isHard(b.DSN, words+rcptNote(notice)) && !(general(b.DSN) && refusesText(notice) && !strings.Contains(words, "have a"))
	b.Diagnostic = clip(b.Diagnostic, maxDiagnostic)
	return b
}

// rcptNote tells isHard that the text shows a refused recipient.
func rcptNote(notice string) string {
	if strings.Contains(strings.ToLower(notice), "rcpt to") {
		return " (rcpt)"
	}
	return ""
}

// recipientOf gives the address of a recipient's group.
func recipientOf(g message.Header) string {
	for _, name := range []string{"Final-Recipient", "Original-Recipient", "X-Actual-Recipient"} {
		v := g.Value(name)
		if _, address, ok := strings.Cut(v, ";"); ok {
			v = address
		}
		if a := addressIn(v); a != "" && !strings.ContainsAny(strings.TrimSpace(v), "|/") {
			return a
		}
	}
	return ""
}

// vague reports whether a diagnostic says nothing of its own, so that the
// words in the text have to.
func vague(diagnostic string) bool {
	low := strings.ToLower(diagnostic)
	return len(strings.Fields(diagnostic)) < 3 || strings.Contains(low, "unknown mail system error")
}

// complaint reads who complained, and about which mail.
func (l *look) complaint(r message.Report) *Bounce {
	b := &Bounce{}
	for _, g := range r.Groups {
		for _, name := range []string{"Original-Rcpt-To", "Removal-Recipient", "X-HmXmrOriginalRecipient", "Redacted-Address"} {
			if a := addressIn(g.Value(name)); a != "" && b.Recipient == "" {
				b.Recipient = a
			}
		}
		if t := g.Raw("Feedback-Type"); t != "" && b.Diagnostic == "" {
			b.Diagnostic = clip(strings.ToLower(strings.TrimSpace(t)), 40)
		}
	}
	if len(l.m.Nested) > 0 {
		n := l.m.Nested[0]
		b.OriginalMessageID = n.MessageID
		if b.Recipient == "" && len(n.To) > 0 {
			b.Recipient = addressIn(n.To[0].Address)
		}
	}
	return b
}

// addressIn gives the first address in a text, lower case; "" for none.
func addressIn(s string) string {
	for from := 0; ; {
		at := strings.IndexByte(s[from:], '@')
		if at < 0 {
			return ""
		}
		at += from
		start, end := at, at+1
		for start > 0 && localByte(s[start-1]) {
			start--
		}
		for end < len(s) && domainByte(s[end]) {
			end++
		}
		address := strings.Trim(s[start:end], ".'-")
		if i := strings.IndexByte(address, '@'); i > 0 && i < len(address)-1 && (strings.Contains(address[i:], ".") || len(address)-i > 4) {
			return strings.ToLower(address)
		}
		from = at + 1
	}
}

func localByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(".!#$%&'*+/=?^_`{|}~-", c) >= 0 || c >= 0x80
}

func domainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' || c >= 0x80
}

// oneSpace puts a text on one line.
func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }
