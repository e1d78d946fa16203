package message

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"
	"unicode/utf8"
)

// use says what a leaf is for.
type use int

const (
	attached use = iota // given to the sink
	readText            // text to read
	readHTML
	readRich   // text/enriched, read as text
	report     // a machine-readable part
	invitation // a calendar object
	returned   // a mail, or the header of one
	opaque     // a mail within its signature
	ignored    // an alternative that nobody reads
)

// leaf reads a part that has no parts.
func (w *walker) leaf(h Header, ct value, at place) delimiter {
	disposition := parseValue(h.rawOr("Content-Disposition", ""), h.charset)
	name := disposition.param("filename")
	if name == "" {
		name = disposition.param("name")
	}
	if name == "" {
		name = ct.param("name")
	}
	if name == "" {
		name = ct.param("filename")
	}
	dec, known := newDecoder(h.rawOr("Content-Transfer-Encoding", ""))
	if !known {
		w.warn("the transfer encoding %q means nothing; the part is read as it is", oneLine(clip(h.Raw("Content-Transfer-Encoding"), 40)))
	}
	w.msg.Parts++
	kind := w.useOf(ct, disposition, name, at)
	switch kind {
	case readText, readHTML, readRich:
		return w.readBody(kind, ct, dec, at)
	case report, returned, invitation:
		if !strings.HasPrefix(ct.main, "message/rfc822") && !isNested(ct.main) && kind != invitation {
			raw, end := w.collect(dec, w.limits.Report)
			w.addReport(raw, ct, at)
			return end
		}
		if kind == invitation && disposition.main != "attachment" && name == "" {
			raw, end := w.collect(dec, w.limits.Report)
			w.addCalendar(raw, ct)
			return end
		}
	case ignored:
		return w.epilogue()
	}
	meta := Meta{
		Name: cleanName(name, w.limits.Name), Type: ct.main, Part: at.path,
		ContentID: clean(clip(strings.Trim(strings.TrimSpace(h.Raw("Content-Id")), "<>"), maxAddress)),
		Inline:    disposition.main == "inline" || disposition.main == "" && at.in("related"),
	}
	if ct.main == "application/pkcs7-mime" || ct.main == "application/x-pkcs7-mime" {
		if mode := strings.ToLower(ct.param("smime-type")); strings.HasPrefix(mode, "signed") {
			w.msg.Signed = "smime"
			kind = opaque
		} else {
			w.msg.Encrypted = "smime"
		}
	}
	return w.attach(meta, dec, kind, ct)
}

// useOf decides what a leaf is for.
func (w *walker) useOf(ct, disposition value, name string, at place) use {
	switch ct.main {
	case "message/rfc822", "message/global":
		return returned
	case "message/delivery-status", "message/global-delivery-status", "message/feedback-report", "message/disposition-notification",
		"message/global-disposition-notification", "text/rfc822-headers", "text/rfc822-header", "message/global-headers", "message/rfc822-headers":
		return report
	case "text/calendar", "application/ics":
		return invitation
	case "application/applefile":
		if at.within == "appledouble" {
			return ignored
		}
	}
	if disposition.main == "attachment" || !strings.HasPrefix(ct.main, "text/") {
		return attached
	}
	if name != "" && (disposition.main == "inline" && !at.first || len(w.bodies) > 0 && at.within != "alternative") {
		return attached
	}
	switch ct.main {
	case "text/plain", "text/x-plain", "text/ascii", "text/x-markdown", "text/markdown":
		return readText
	case "text/html", "text/x-html", "text/xhtml":
		return readHTML
	case "text/enriched", "text/richtext":
		return readRich
	}
	if at.within == "alternative" && len(w.bodies) > 0 {
		return ignored // AMP, a watch's form: there is a better one
	}
	if len(w.bodies) == 0 && name == "" {
		return readText
	}
	return attached
}

func isNested(mediaType string) bool {
	return mediaType == "message/rfc822" || mediaType == "message/global"
}

// collect reads a part into memory, up to a limit.
func (w *walker) collect(dec decoder, limit int) ([]byte, delimiter) {
	var out []byte
	end := w.stream(dec, func(piece []byte) {
		if room := limit - len(out); room > 0 {
			out = append(out, piece[:min(len(piece), room)]...)
		}
	})
	return out, end
}

// enough is how many decoded bytes are handed on at a time: hashing and writing
// line by line costs more than decoding does.
const enough = 8 << 10

// stream decodes a part, piece by piece.
func (w *walker) stream(dec decoder, take func(piece []byte)) delimiter {
	w.scratch = w.scratch[:0]
	for {
		piece, _, end, ok := w.nextLine()
		if ok {
			w.scratch = dec.append(w.scratch, piece)
		} else {
			w.scratch = dec.tail(w.scratch, end.level == atEnd)
		}
		if len(w.scratch) > enough || !ok && len(w.scratch) > 0 {
			take(w.scratch)
			w.scratch = w.scratch[:0]
		}
		if !ok {
			return end
		}
	}
}

// sum hashes and counts what passes, and hands it on.
type sum struct {
	hash hash.Hash
	size int64
	next io.WriteCloser
	err  error
}

func (s *sum) write(p []byte) {
	s.hash.Write(p)
	s.size += int64(len(p))
	if s.next != nil && s.err == nil {
		_, s.err = s.next.Write(p)
	}
}

// attach streams an attachment to the sink. A mail within the mail is also
// read, as far as its limit.
func (w *walker) attach(meta Meta, dec decoder, kind use, ct value) delimiter {
	s := w.open(meta)
	var head []byte
	limit := 0
	switch kind {
	case returned, opaque:
		limit = w.limits.Nested
	case invitation:
		limit = w.limits.Report
	}
	end := w.stream(dec, func(piece []byte) {
		s.write(piece)
		if room := limit - len(head); room > 0 {
			head = append(head, piece[:min(len(piece), room)]...)
		}
	})
	switch kind {
	case returned:
		if nested, ok := w.nested(head, meta.Part); ok {
			w.msg.Nested = append(w.msg.Nested, nested)
			if meta.Name == "" {
				meta.Name = cleanName(nested.Subject+".eml", w.limits.Name)
			}
		}
	case opaque:
		if inner, ok := signedContent(head); ok {
			if nested, ok := w.nested(inner, meta.Part); ok {
				w.msg.Nested = append(w.msg.Nested, nested)
			}
		}
	case invitation:
		w.addCalendar(head, ct)
	}
	w.close(s, meta)
	return end
}

func (w *walker) open(meta Meta) *sum {
	s := &sum{hash: sha256.New()}
	if w.options.Attachment != nil && w.failed == nil {
		s.next, s.err = w.options.Attachment(meta)
	}
	return s
}

func (w *walker) close(s *sum, meta Meta) {
	if s.next != nil {
		if err := s.next.Close(); s.err == nil {
			s.err = err
		}
	}
	if s.err != nil && w.failed == nil {
		w.failed = s.err
	}
	var digest [sha256.Size]byte
	w.msg.Attachments = append(w.msg.Attachments, Attachment{
		Name: meta.Name, Type: meta.Type, Size: s.size, SHA256: hex.EncodeToString(s.hash.Sum(digest[:0])),
		Inline: meta.Inline, ContentID: meta.ContentID, Part: meta.Part,
	})
}

// readBody reads text to be read.
func (w *walker) readBody(kind use, ct value, dec decoder, at place) delimiter {
	limit, used := w.limits.Text, &w.text
	if kind == readHTML {
		limit, used = w.limits.HTML, &w.html
	}
	room := max(limit-*used, 0)
	cut := false
	out := w.body[:0]
	take := func(piece []byte) {
		if len(out)+len(piece) > room {
			piece, cut = piece[:max(room-len(out), 0)], true
		}
		out = append(out, piece...)
	}
	var end delimiter
	if plain, ok := dec.(*plainDecoder); ok && kind == readText {
		end = w.streamUU(plain, take, at)
	} else {
		end = w.stream(dec, take)
	}
	w.body = out
	*used += len(out)
	if cut {
		w.warn("the text is longer than %d bytes; the rest of it was left out", limit)
		if kind == readHTML {
			w.msg.HTMLCut = true
		} else {
			w.msg.TextCut = true
		}
		out = wholeRunes(out)
	}
	if ct.param("charset") == "" {
		ct.params = append(ct.params, param{"charset", w.likelyCharset(out, at)})
	}
	w.addBody(kind, out, ct)
	return end
}

// likelyCharset gives what a text that does not say may be in, by what the mail
// around it says; "" when it is plain, or UTF-8, or nothing is said.
func (w *walker) likelyCharset(raw []byte, at place) string {
	switch {
	case utf8.Valid(raw):
		return ""
	case at.charset != "":
		return at.charset
	}
	for _, name := range []string{"Subject", "From", "To"} {
		f, _ := w.msg.Header.first(name)
		if i := strings.Index(f.raw, "=?"); i >= 0 {
			if word, _, ok := encodedWord(f.raw[i:]); ok && charsetName(word.charset) != "utf8" {
				return word.charset
			}
		}
	}
	return ""
}

// streamUU is stream for plain text: files in uuencode within it are taken out
// as attachments.
func (w *walker) streamUU(dec *plainDecoder, take func([]byte), at place) delimiter {
	var file *sum
	var meta Meta
	for {
		piece, start, end, ok := w.nextLine()
		if !ok {
			if file != nil {
				w.close(file, meta)
			} else {
				take(dec.tail(w.scratch[:0], end.level == atEnd))
			}
			return end
		}
		if file != nil {
			if text, _ := cutEnd(piece); string(text) == "end" {
				w.close(file, meta)
				file = nil
			} else {
				w.scratch = appendUU(w.scratch[:0], text)
				file.write(w.scratch)
			}
			continue
		}
		if start && len(piece) > 10 && string(piece[:6]) == "begin " && w.msg.Parts < w.limits.Parts {
			piece = bytes.Clone(piece) // looking ahead moves the bytes
			text, _ := cutEnd(piece)
			if name := uuBegin(text); name != "" {
				if next, _ := cutEnd(w.lines.peek()); isUU(next) {
					w.msg.Parts++
					meta = Meta{Name: cleanName(decodeText([]byte(name), ""), w.limits.Name), Type: "application/octet-stream", Part: at.path}
					file = w.open(meta)
					continue
				}
			}
		}
		w.scratch = dec.append(w.scratch[:0], piece)
		take(w.scratch)
	}
}

// wholeRunes takes off a character that was cut in two.
func wholeRunes(b []byte) []byte {
	for i := 1; i <= utf8.UTFMax && i <= len(b); i++ {
		if utf8.RuneStart(b[len(b)-i]) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}

// clip gives at most n bytes.
func clip(s string, n int) string { return s[:min(len(s), n)] }
