package message

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"evenkeel/ingest/quote"
)

// Parse reads one mail. It fails only when r does, or where attachments go;
// whatever the mail holds, there is a message, with warnings.
func Parse(r io.Reader, o Options) (*Message, error) {
	return parse(r, o, 0)
}

func parse(r io.Reader, o Options, depth int) (*Message, error) {
	w := walkers.Get().(*walker)
	defer w.release()
	w.begin(r, o, depth)
	m := w.msg
	m.Header = w.headerBlock(w.limits.Header, true)
	if m.Header.Len() == 0 {
		w.warn("the mail has no header")
	}
	w.entity(m.Header, place{})
	m.Size = w.lines.size
	if err := w.lines.failed(); err != nil {
		return nil, fmt.Errorf("read the mail: %w", err)
	}
	if w.failed != nil {
		return nil, fmt.Errorf("store an attachment: %w", w.failed)
	}
	w.fillHeader()
	w.fillText()
	w.settle()
	return m, nil
}

func (w *walker) begin(r io.Reader, o Options, depth int) {
	w.limits, w.options, w.depth = o.Limits.or(DefaultLimits), o, depth
	w.msg = &Message{}
	w.lines.reset(r)
	if head := w.lines.peek(); bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) { // an editor saved it
		w.lines.skip(head[:3])
		w.lines.start = true
	}
}

// maxKept is how large a buffer may be to be kept for the next mail.
const maxKept = 256 << 10

// release gives the walker back with nothing of the mail in it.
func (w *walker) release() {
	w.lines.reset(strings.NewReader(""))
	kept := walker{lines: w.lines, bounds: w.bounds[:0], ends: w.ends[:0]}
	if cap(w.body) <= maxKept {
		kept.body = w.body[:0]
	}
	if cap(w.block) <= maxKept {
		kept.block = w.block[:0]
	}
	if cap(w.scratch) <= maxKept {
		kept.scratch = w.scratch[:0]
	}
	clear(w.bodies)
	kept.bodies = w.bodies[:0]
	*w = kept
	walkers.Put(w)
}

// fillHeader reads the fields that have a meaning.
func (w *walker) fillHeader() {
	m := w.msg
	h := m.Header
	m.Subject = strings.TrimSpace(h.Value("Subject"))
	if len(m.Subject) > w.limits.Subject {
		m.Subject = strings.TrimSpace(string(wholeRunes([]byte(m.Subject[:w.limits.Subject]))))
		w.warn("the subject is longer than %d bytes; the rest of it was left out", w.limits.Subject)
	}
	m.From = w.addresses("From")
	m.Sender = w.addresses("Sender")
	m.To = w.addresses("To")
	m.Cc = w.addresses("Cc")
	m.ReplyTo = w.addresses("Reply-To")
	if ids := messageIDs(h.Raw("Message-Id"), 1); len(ids) > 0 {
		m.MessageID = ids[0]
	}
	if ids := messageIDs(h.Raw("In-Reply-To"), w.limits.References); len(ids) > 0 {
		m.InReplyTo = ids[0]
	}
	m.References = messageIDs(h.Raw("References"), w.limits.References)
	w.fillDate()
	if w.depth > 0 {
		return
	}
	for _, name := range []string{"From", "Date", "Message-Id"} {
		if !h.Has(name) {
			w.warn("the mail has no %s", name)
		}
	}
	for _, name := range []string{"From", "Subject", "Date", "Message-Id", "Content-Type"} {
		if len(h.Values(name)) > 1 {
			w.warn("the mail has more than one %s", name)
		}
	}
}

func (w *walker) addresses(name string) []Address {
	raw := w.msg.Header.list(name)
	if raw == "" {
		return nil
	}
	out, cut := parseAddresses(raw, w.msg.Header.charset, w.limits.Addresses)
	if cut {
		w.warn("%s names more than %d people; the rest of them was left out", name, w.limits.Addresses)
	}
	return out
}

// future is how far ahead a clock may be.
const future = 24 * time.Hour

func (w *walker) fillDate() {
	raw := w.msg.Header.Value("Date")
	if raw == "" {
		return
	}
	t, ok := parseDate(raw)
	switch {
	case !ok:
		w.warn("the date %q cannot be read", clip(raw, 60))
	case !w.options.Now.IsZero() && t.After(w.options.Now.Add(future)):
		w.msg.Date = t
		w.warn("the date lies in the future: %s", t.Format(time.RFC3339))
	default:
		w.msg.Date = t
	}
}

// fillText puts the bodies together.
func (w *walker) fillText() {
	m := w.msg
	var text, html string
	onlyHTML := len(w.bodies) > 0
	for _, b := range w.bodies {
		if b.hasHTML {
			html = join(html, b.html)
		}
		words := b.text
		if b.hasText && strings.TrimSpace(words) != "" {
			onlyHTML = false
		} else if b.hasHTML {
			words = HTMLText(b.html)
		}
		if strings.TrimSpace(words) != "" {
			text = join(text, words)
		}
	}
	m.Text, m.HTML = trimLines(text), trimLines(html)
	if m.Text == "" && m.HTML == "" && len(m.Nested) > 0 { // passed on without a word: what it says is what is passed on
		m.Text = m.Nested[0].Text
	}
	if len(m.Text) > w.limits.Text {
		m.Text, m.TextCut = string(wholeRunes([]byte(m.Text[:w.limits.Text]))), true
	}
	if w.depth > 0 {
		return
	}
	if onlyHTML && m.HTML != "" {
		if reply, rest := quote.CutHTML(m.HTML); rest != "" {
			m.Quoted = HTMLText(rest)
			kept, quoted, signature := quote.Cut(HTMLText(reply))
			m.ReplyText, m.Signature = kept, signature
			if quoted != "" {
				m.Quoted = quoted + "\n" + m.Quoted
			}
			return
		}
	}
	m.ReplyText, m.Quoted, m.Signature = quote.Cut(m.Text)
	if m.Encrypted == "" && strings.Contains(m.Text, "-----BEGIN PGP MESSAGE-----") {
		m.Encrypted = "pgp"
	}
	if m.Signed == "" && strings.Contains(m.Text, "-----BEGIN PGP SIGNED MESSAGE-----") {
		m.Signed = "pgp"
	}
}

// trimLines takes off empty lines before a text, and line ends after it.
func trimLines(s string) string {
	s = strings.TrimRight(s, "\n \t")
	for {
		line, rest, ok := strings.Cut(s, "\n")
		if !ok || strings.TrimSpace(line) != "" {
			return s
		}
		s = rest
	}
}

// settle decides what is known only at the end: an image without disposition
// is inline when the HTML shows it.
func (w *walker) settle() {
	if !strings.Contains(w.msg.HTML, "cid:") {
		return
	}
	for i := range w.msg.Attachments {
		if a := &w.msg.Attachments[i]; !a.Inline && a.ContentID != "" && strings.HasPrefix(a.Type, "image/") {
			a.Inline = strings.Contains(w.msg.HTML, "cid:"+a.ContentID)
		}
	}
}
