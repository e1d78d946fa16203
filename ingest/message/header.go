package message

import (
	"bytes"
	"iter"
	"strings"
)

// Header is the fields of a mail or of a part, in their order. Reading is case
// insensitive. The zero value has no fields.
type Header struct {
	fields  []field
	charset string // of raw 8-bit bytes, when they are not UTF-8 and the mail says what its text is in
}

// field is one header field as it stands: unfolded, not decoded.
type field struct{ name, raw string }

// Value gives the first field of a name, decoded and on one line; "" for none.
func (h Header) Value(name string) string {
	if f, ok := h.first(name); ok {
		return decodeWords(f.raw, h.charset)
	}
	return ""
}

// Values gives all fields of a name, decoded.
func (h Header) Values(name string) []string {
	var out []string
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			out = append(out, decodeWords(f.raw, h.charset))
		}
	}
	return out
}

// Raw gives the first field of a name, unfolded but not decoded; "" for none.
func (h Header) Raw(name string) string {
	f, _ := h.first(name)
	return clean(f.raw)
}

// Has reports whether there is a field of a name, be it an empty one.
func (h Header) Has(name string) bool {
	_, ok := h.first(name)
	return ok
}

// All runs over the fields, name and decoded value.
func (h Header) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range h.fields {
			if !yield(clean(f.name), decodeWords(f.raw, h.charset)) {
				return
			}
		}
	}
}

// Len is how many fields there are.
func (h Header) Len() int { return len(h.fields) }

func (h Header) first(name string) (field, bool) {
	for _, f := range h.fields {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			return f, true
		}
	}
	return field{}, false
}

// list joins all fields of a name with commas: an address field that a broken
// mailer wrote twice.
func (h Header) list(name string) string {
	first, ok := h.first(name)
	if !ok {
		return ""
	}
	out := first.raw
	seen := false
	for _, f := range h.fields {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			if seen && strings.TrimSpace(f.raw) != "" {
				out += ", " + f.raw
			}
			seen = true
		}
	}
	return out
}

// parseHeader reads a block of fields, as reports and calendars have them, and
// gives what follows the first empty line.
func parseHeader(block string) (Header, string) {
	var h Header
	for block != "" {
		line, rest, _ := strings.Cut(block, "\n")
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" {
			return h, rest
		}
		h.add(line, DefaultLimits.Field)
		block = rest
	}
	return h, ""
}

// add takes one more line of a header: a field, or more of the one before.
func (h *Header) add(line string, limit int) {
	if last := len(h.fields) - 1; last >= 0 && (line[0] == ' ' || line[0] == '\t' || colon(line) < 0) {
		if f := &h.fields[last]; len(f.raw)+len(line) <= limit {
			f.raw += " " + strings.TrimLeft(line, " \t")
		}
		return
	}
	if i := colon(line); i > 0 {
		value := strings.TrimLeft(line[i+1:], " \t")
		h.fields = append(h.fields, field{strings.TrimRight(line[:i], " \t"), value[:min(len(value), limit)]})
	}
}

// maxName is how far into a line a header's colon is looked for.
const maxName = 200

// colon gives where the colon of a header line is, -1 when it is none: RFC 5322
// section 2.2 wants printable ASCII without spaces before it. Spaces before the
// colon pass, and spaces within a name that begins as private ones do.
func colon[T string | []byte](line T) int {
	line = line[:min(len(line), maxName)]
	for i := range len(line) {
		switch c := line[i]; {
		case c == ':':
			if i == 0 {
				return -1
			}
			return i
		case c == ' ' || c == '\t':
			end := i
			for end < len(line) && (line[end] == ' ' || line[end] == '\t') {
				end++
			}
			if i > 0 && end < len(line) && line[end] == ':' {
				return end
			}
			if len(line) < 2 || line[0] != 'X' || line[1] != '-' {
				return -1
			}
		case c < ' ' || c > '~':
			return -1
		}
	}
	return -1
}

// headerBlock reads the header of the mail or of a part up to and with the
// empty line, and leaves the body to be read. It stops before a boundary, and
// before a line that is none of a header's.
func (w *walker) headerBlock(limit int, top bool) Header {
	raw, ends := w.block[:0], w.ends[:0]
	cut := false
	for {
		start := w.lines.start
		piece := w.lines.peek()
		if len(piece) == 0 {
			break
		}
		if !start { // the rest of a line that is longer than the buffer
			w.lines.skip(piece)
			continue
		}
		if w.boundary(piece) >= 0 {
			break
		}
		text, _ := cutEnd(piece)
		if len(bytes.TrimRight(text, " \t")) == 0 {
			w.lines.skip(piece)
			if len(ends) == 0 && top && w.headerComes() {
				continue
			}
			break
		}
		if len(ends) == 0 && mboxFrom(text) {
			w.lines.skip(piece)
			continue
		}
		if !plainField(text) {
			if !w.headerLine(text, len(ends) == 0) {
				if len(ends) > 0 {
					w.warn("the header ends without an empty line")
				}
				break
			}
			piece = w.lines.peek() // looking ahead has moved it
			text, _ = cutEnd(piece)
		}
		if len(raw)+len(text) > limit {
			cut = true
		} else {
			raw = append(raw, text...)
			ends = append(ends, len(raw))
		}
		w.lines.skip(piece)
	}
	if cut {
		w.warn("the header is longer than %d bytes; the rest of it was left out", limit)
	}
	w.block, w.ends = raw, ends
	return w.unfold(string(raw), ends)
}

// unfold makes fields of lines.
func (w *walker) unfold(block string, ends []int) Header {
	h := Header{fields: make([]field, 0, len(ends))}
	from := 0
	for i := 0; i < len(ends); {
		line := block[from:ends[i]]
		from = ends[i]
		i++
		at := colon(line)
		if at < 0 || line[0] == ' ' || line[0] == '\t' { // more of a field that never began
			continue
		}
		value := strings.TrimLeft(line[at+1:], " \t")
		if i < len(ends) && folded(block[from:ends[i]]) {
			var b strings.Builder
			b.WriteString(value)
			for i < len(ends) && folded(block[from:ends[i]]) {
				if more := block[from:ends[i]]; b.Len()+len(more) <= w.limits.Field {
					b.WriteByte(' ')
					b.WriteString(strings.TrimLeft(more, " \t"))
				} else {
					w.warn("a header field is longer than %d bytes; the rest of it was left out", w.limits.Field)
				}
				from = ends[i]
				i++
			}
			value = b.String()
		}
		h.fields = append(h.fields, field{strings.TrimRight(line[:at], " \t"), value[:min(len(value), w.limits.Field)]})
	}
	return h
}

// folded reports whether a line goes on with the field before it: it begins
// with space, or somebody lost the space.
func folded(line string) bool {
	return line == "" || line[0] == ' ' || line[0] == '\t' || colon(line) < 0
}

// plainField reports whether a line begins a field as RFC 5322 section 2.2
// wants it.
func plainField(line []byte) bool {
	at := colon(line)
	return at > 0 && line[at-1] != ' ' && line[at-1] != '\t'
}

// headerLine decides whether a line that begins no plain field belongs to the
// header: it goes on with the one before, or its folding is broken and real
// fields follow before the empty line.
func (w *walker) headerLine(line []byte, first bool) bool {
	if line[0] == ' ' || line[0] == '\t' {
		return !first
	}
	if colon(line) > 0 {
		return w.fieldsFollow(0)
	}
	return !first && w.fieldsFollow(1)
}

// fieldsFollow reports whether the lines after this one, up to the empty line,
// are header fields, at least so many of them.
func (w *walker) fieldsFollow(least int) bool {
	_, ahead, _ := bytes.Cut(w.lines.ahead(), newline)
	for len(ahead) > 0 {
		var line []byte
		line, ahead, _ = bytes.Cut(ahead, newline)
		line = bytes.TrimRight(line, "\r \t")
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		if colon(line) < 0 {
			return false
		}
		least--
	}
	return least <= 0
}

// headerComes reports whether a header may yet begin, after an empty line at
// the very top: what comes looks like one.
func (w *walker) headerComes() bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(w.lines.ahead(), "\r\n\t "), newline)
	line = bytes.TrimRight(line, "\r")
	if !plainField(line) && !mboxFrom(line) {
		return false
	}
	w.warn("empty lines stand before the header")
	return true
}

// mboxFrom reports whether a line is the separator of an mbox file.
func mboxFrom(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}
