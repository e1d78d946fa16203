package message

import (
	"bytes"
	"strings"
)

// nested reads the beginning of a mail within the mail.
func (w *walker) nested(raw []byte, part string) (Nested, bool) {
	if w.depth >= w.limits.NestedDepth {
		w.warn("mails are nested deeper than %d", w.limits.NestedDepth)
		return Nested{}, false
	}
	limits := w.limits
	limits.Text, limits.HTML = min(limits.Text, limits.Nested), min(limits.HTML, limits.Nested)
	m, err := parse(bytes.NewReader(raw), Options{Limits: limits}, w.depth+1)
	if err != nil { // bytes in memory can be read
		return Nested{}, false
	}
	return Nested{
		Part: part, Subject: m.Subject, From: m.From, To: m.To, Date: m.Date, MessageID: m.MessageID, InReplyTo: m.InReplyTo,
		Text: m.Text, Header: m.Header,
	}, true
}

// addReport keeps a machine-readable part: groups of fields with empty lines
// between. A returned header is a mail without a body.
func (w *walker) addReport(raw []byte, ct value, at place) {
	text, _ := decodeCharset(raw, ct.param("charset"))
	text = strings.TrimLeft(unixLines(text), "\n")
	if !strings.HasPrefix(ct.main, "message/") || strings.HasSuffix(ct.main, "headers") {
		if n, ok := w.nested([]byte(text), at.path); ok {
			w.msg.Nested = append(w.msg.Nested, n)
		}
		return
	}
	r := Report{Type: ct.main}
	for text != "" && len(r.Groups) < w.limits.Addresses {
		var h Header
		h, text = parseHeader(text)
		if h.Len() > 0 {
			r.Groups = append(r.Groups, h)
		}
	}
	w.msg.Reports = append(w.msg.Reports, r)
}

// addCalendar keeps a calendar object.
func (w *walker) addCalendar(raw []byte, ct value) {
	text, _ := decodeCharset(raw, ct.param("charset"))
	c := Calendar{Method: strings.ToUpper(ct.param("method")), Text: unixLines(text)}
	unfolded := strings.NewReplacer("\n ", "", "\n\t", "").Replace(c.Text)
	for line := range strings.Lines(unfolded) {
		name, v, ok := strings.Cut(strings.TrimRight(line, "\n"), ":")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, ";")
		switch strings.ToUpper(name) {
		case "METHOD":
			if c.Method == "" {
				c.Method = strings.ToUpper(strings.TrimSpace(v))
			}
		case "SUMMARY":
			if c.Summary == "" {
				c.Summary = strings.NewReplacer(`\,`, ",", `\;`, ";", `\n`, " ", `\N`, " ", `\\`, `\`).Replace(v)
			}
		case "UID":
			if c.UID == "" {
				c.UID = v
			}
		}
	}
	if len(w.msg.Calendar) > 0 && w.msg.Calendar[0].UID == c.UID { // the same again, as a file
		return
	}
	w.msg.Calendar = append(w.msg.Calendar, c)
}
