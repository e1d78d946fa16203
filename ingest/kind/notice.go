package kind

import "strings"

// maxNotice is how much of a notice is read.
const maxNotice = 32 << 10

// notice gives what a server says in its own words, and what follows it: the
// mail that came back, or its header.
func (l *look) notice() (words, returned string) {
	text := l.m.Text[:min(len(l.m.Text), maxNotice)]
	low := strings.ToLower(text)
	cut := len(text)
	for _, mark := range returnedMarks {
		if i := strings.Index(low, mark); i >= 0 && i < cut && len(low) == len(text) {
			cut = i
		}
	}
	if i := headerStart(text); i >= 0 && i < cut {
		cut = i
	}
	return text[:cut], text[cut:]
}

// returnedMarks begin the mail that came back.
var returnedMarks = []string{
	"below this line is a copy", "this is a copy of the message", "original message follows", "unsent message follows", "unsent message below", "returned message --", "returned mail follows", "message header", "original message header", "----- original message", "-- original message", "original message headers", "message follows", "headers of the message", "the header of the original message", "beginning of the original message", "first part of the message", "copy of your message", "message text follows", "start of message", "returned message follows", "undelivered message follows", "included is a copy", "--- the message you sent", "the body of the message is", "contents of the message", "your original message", "original mail as follows", "enclosed is the original message", "-------- headers --------", "----- message ", "****** original mail", "\nreturned mail:", "begin original message", "the original message was as follows",
}

// headerStart finds the header of a mail within a text: a Received or
// Return-Path line at the beginning of a line.
func headerStart(text string) int {
	for _, name := range []string{"\nReceived:", "\nReturn-Path: ", "\nReturn-path: "} {
		if i := strings.Index(text, name); i > 0 {
			return i + 1
		}
	}
	return -1
}

// fromText makes a bounce of what a notice says in words.
func (l *look) fromText() *Bounce {
	words, returned := l.notice()
	b := &Bounce{OriginalMessageID: l.originalID(returned)}
	at := 0
	b.Recipient, at = l.recipientIn(words)
	if failed := addressIn(l.m.Header.Value("X-Failed-Recipients")); failed != "" {
		b.Recipient = failed
		if i := strings.Index(strings.ToLower(words), failed); i >= 0 && len(strings.ToLower(words)) == len(words) {
			at = i
		}
	}
	said := oneSpace(firstParagraphs(words[min(at, len(words)):]))
	if failureCode(said) == "" && replyCode(said) == 0 && reasonIn(strings.ToLower(said)) == unclear {
		said = oneSpace(words[:min(len(words), 3*maxDiagnostic)])
	}
	b.DSN = bestCode("", said)
	if b.DSN == "" {
		b.DSN = "5.0.0"
		if l.saysDelay() {
			b.DSN = "4.0.0"
		}
	}
	b.Hard = isHard(b.DSN, said+rcptNote(words)) && !(general(b.DSN) && refusesText(words)) && !strings.HasSuffix(b.Recipient, "@googlegroups.com") // there, "it may not exist" is said to strangers
	b.Diagnostic = clip(said, maxDiagnostic)
	if b.Recipient == "" && len(l.m.Nested) > 0 && len(l.m.Nested[0].To) > 0 {
		b.Recipient = addressIn(l.m.Nested[0].To[0].Address)
	}
	return b
}

// maxSaid is how much after the recipient's name is about him.
const maxSaid = 800

// firstParagraphs gives what is said about the recipient that a text begins
// with: up to the next one, and not far.
func firstParagraphs(s string) string {
	s = s[:min(len(s), maxSaid)]
	first, n := "", 0
	for line := range strings.Lines(s) {
		if a := addressIn(line); a != "" && (strings.HasPrefix(strings.ToLower(strings.TrimLeft(line, " \t<")), a)) {
			if first == "" {
				first = a
			} else if a != first {
				return s[:n]
			}
		}
		n += len(line)
	}
	return s
}

// refusesText reports whether a transcript shows that the mail itself was
// refused, after the recipient had been taken.
func refusesText(words string) bool {
	i := strings.Index(words, ">>> DATA\n<<< 5")
	if i >= 0 {
		return !strings.HasPrefix(words[i+len(">>> DATA\n<<< "):], "503")
	}
	low := strings.ToLower(words)
	return strings.Contains(low, "smtp command data") || strings.Contains(low, "smtp command: data") || strings.Contains(low, "command: data") || strings.Contains(low, "step: data send")
}

// originalID gives the id of the mail that came back.
func (l *look) originalID(returned string) string {
	for _, n := range l.m.Nested {
		if n.MessageID != "" {
			return n.MessageID
		}
	}
	if i := indexFold(returned, "\nMessage-Id:"); i >= 0 {
		line, _, _ := strings.Cut(returned[i+len("\nMessage-Id:"):], "\n")
		if id := strings.Trim(strings.TrimSpace(line), "<>"); id != "" {
			return clip(id, 250)
		}
	}
	if l.m.InReplyTo != "" {
		return l.m.InReplyTo
	}
	if n := len(l.m.References); n > 0 {
		return l.m.References[n-1]
	}
	return ""
}

func indexFold(s, sub string) int {
	low := strings.ToLower(s)
	if len(low) != len(s) {
		return -1
	}
	return strings.Index(low, strings.ToLower(sub))
}

// recipientIn finds who could not be reached, and where in the text his name
// stands. Lines that begin with an address, or that name one after a word of
// failure, count more than an address in passing.
func (l *look) recipientIn(words string) (address string, at int) {
	best := 0
	pos := 0
	for line := range strings.Lines(words) {
		if a := addressIn(line); a != "" {
			if score := l.recipientScore(line, a); score > best {
				best, address, at = score, a, pos
			}
		}
		pos += len(line)
	}
	return address, at
}

func (l *look) recipientScore(line, address string) int {
	text := strings.ToLower(strings.TrimSpace(line))
	score := 1
	switch {
	case strings.HasPrefix(text, "<"+address+">"):
		score = 5
	case strings.HasPrefix(text, address), strings.HasPrefix(text, "rcpt to"), strings.HasPrefix(text, ">>> rcpt to"):
		score = 4
	case strings.Contains(text, "rcpt to"):
		score = 3
	case strings.Contains(text, "contact"), strings.Contains(text, "assistance"):
		score = 1
	case strings.HasPrefix(text, "from "), strings.HasPrefix(text, "from:"): // who wrote the mail that came back
		score = 0
	case strings.Contains(text, "address: <"+address+">"):
		score = 4
	case strings.HasPrefix(text, "recipient"), strings.HasPrefix(text, "failed recipient"), strings.HasPrefix(text, "delivery fail"), strings.HasPrefix(text, "to address"),
		strings.Contains(text, "deliver"), strings.Contains(text, "unknown"), strings.Contains(text, "not found"):
		score = 3
	}
	if l.isBystander(address) {
		score = min(score, 1)
		if strings.HasPrefix(local(address), "postmaster") || strings.HasPrefix(local(address), "mailer-daemon") || address == l.from() {
			return 0
		}
	}
	return score
}

// isBystander reports whether an address takes part in the notice itself.
func (l *look) isBystander(address string) bool {
	if address == l.from() || strings.HasPrefix(local(address), "postmaster") || strings.HasPrefix(local(address), "mailer-daemon") || strings.HasPrefix(local(address), "abuse") {
		return true
	}
	for _, a := range l.m.To {
		if strings.EqualFold(a.Address, address) {
			return true
		}
	}
	return false
}
