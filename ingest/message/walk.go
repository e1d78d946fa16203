package message

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// walker goes through one mail, once.
type walker struct {
	lines   lines
	limits  Limits
	options Options
	msg     *Message
	depth   int // mails within mails, above this one

	bounds []string // boundaries of the multiparts that are open, outermost first
	bodies []body   // what there is to read, in the order of the parts
	text   int      // bytes of text so far
	html   int
	failed error // of the sink

	body    []byte // text while it is read
	block   []byte // a header block while it is read
	ends    []int
	scratch []byte // a decoded piece
	said    map[string]bool
}

// body is one thing to read: plain text, HTML, or both as alternatives.
type body struct {
	text, html       string
	hasText, hasHTML bool
	rich             bool // the text is made of text/enriched
}

// walkers keeps the buffers of walkers that are done.
var walkers = sync.Pool{New: func() any { return &walker{lines: lines{buf: bufio.NewReaderSize(nil, bufferSize)}} }}

// maxWarnings bounds what is said about one mail.
const maxWarnings = 30

// warn notes what is odd, each thing once.
func (w *walker) warn(format string, args ...any) {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	if len(w.msg.Warnings) >= maxWarnings || w.said[text] {
		return
	}
	if w.said == nil {
		w.said = map[string]bool{}
	}
	w.said[text] = true
	w.msg.Warnings = append(w.msg.Warnings, clean(text))
}

// place is where a part stands: the multipart around it decides how it is read.
type place struct {
	path   string // "" at the top
	within string // subtype of the multipart around it
	first  bool   // the first part in there
	around string // all subtypes around it, "mixed/related/alternative"
	// charset is what the multipart around says its text is in: no standard
	// has that, and some mailers do.
	charset string
}

func (p place) in(subtype string) bool { return strings.Contains(p.around, subtype) }

// child gives the place of the nth part, from 1.
func (p place) child(subtype string, n int) place {
	path := strconv.Itoa(n)
	if p.path != "" {
		path = p.path + "." + path
	}
	return place{path: path, within: subtype, first: n == 1, around: p.around + "/" + subtype, charset: p.charset}
}

// Where a body ended, beside the index of a boundary.
const atEnd = -1

// delimiter is a boundary line that was met: whose it is, and whether it is
// the last one.
type delimiter struct {
	level   int // index in walker.bounds, or atEnd
	closing bool
}

// boundary gives the level of the multipart that a line delimits, atEnd for none.
func (w *walker) boundary(line []byte) int {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' || len(w.bounds) == 0 {
		return atEnd
	}
	level, _ := w.delimits(line)
	return level
}

// delimits is boundary for a line that begins with two hyphens, and says
// whether it closes. The innermost multipart is asked first.
func (w *walker) delimits(line []byte) (level int, closing bool) {
	text := bytes.TrimRight(line[2:], " \t\r\n")
	for i := len(w.bounds) - 1; i >= 0; i-- {
		b := w.bounds[i]
		if len(text) < len(b) || string(text[:len(b)]) != b {
			continue
		}
		switch rest := text[len(b):]; {
		case len(rest) == 0:
			return i, false
		case len(rest) >= 2 && rest[0] == '-' && rest[1] == '-' && len(bytes.TrimLeft(rest[2:], " \t")) == 0:
			return i, true
		}
	}
	return atEnd, false
}

// nextLine gives the next piece of a body, or the delimiter that ends it.
func (w *walker) nextLine() (piece []byte, start bool, end delimiter, ok bool) {
	piece, start, ok = w.lines.next()
	if !ok {
		return nil, false, delimiter{level: atEnd}, false
	}
	if start && len(w.bounds) > 0 && len(piece) > 2 && piece[0] == '-' && piece[1] == '-' {
		if level, closing := w.delimits(piece); level >= 0 {
			return nil, true, delimiter{level, closing}, false
		}
	}
	return piece, start, delimiter{}, true
}

// entity reads the body that follows a header, and whatever is within it.
func (w *walker) entity(h Header, at place) delimiter {
	fallback := "text/plain"
	if at.within == "digest" {
		fallback = "message/rfc822"
	}
	ct := parseValue(h.rawOr("Content-Type", fallback), h.charset)
	if !strings.Contains(ct.main, "/") || strings.HasSuffix(ct.main, "/") {
		switch ct.main {
		case "text", "text/":
			ct.main = "text/plain"
		case "multipart", "multipart/":
			ct.main = "multipart/mixed"
		default:
			if ct.main != "" {
				w.warn("the content type %q means nothing", ct.main)
			}
			ct.main = fallback
		}
	}
	if at.path == "" {
		w.msg.Type = ct.main
	}
	if subtype, ok := strings.CutPrefix(ct.main, "multipart/"); ok {
		return w.multipart(ct, subtype, at)
	}
	if at.path == "" {
		at.path = "1"
	}
	return w.leaf(h, ct, at)
}

// rawOr gives a field as it stands, or a fallback.
func (h Header) rawOr(name, fallback string) string {
	if f, ok := h.first(name); ok && strings.TrimSpace(f.raw) != "" {
		return f.raw
	}
	return fallback
}

// multipart reads the parts of a multipart.
func (w *walker) multipart(ct value, subtype string, at place) delimiter {
	if len(w.bounds) >= w.limits.Depth {
		w.warn("multiparts are nested deeper than %d; what is within is one attachment", w.limits.Depth)
		if at.path == "" {
			at.path = "1"
		}
		return w.leaf(Header{}, value{main: "application/octet-stream"}, at)
	}
	w.noteMultipart(ct, subtype, at)
	boundary := strings.TrimRight(ct.param("boundary"), " \t")
	if boundary == "" {
		w.warn("a multipart names no boundary")
	} else if len(boundary) > maxBoundary {
		w.warn("a boundary is longer than %d bytes", maxBoundary)
		boundary = boundary[:maxBoundary]
	}
	if charset := ct.param("charset"); charset != "" {
		at.charset = charset
	}
	level := len(w.bounds)
	w.bounds = append(w.bounds, boundary)
	if boundary == "" {
		w.bounds[level] = "\x00" // none yet: matches nothing
	}
	var choices []int // where the bodies of each alternative begin
	preamble, end := w.preamble(level)
	parts := 0
	for end.level == level && !end.closing {
		if w.msg.Parts >= w.limits.Parts {
			w.warn("the mail has more than %d parts; the rest of them was left out", w.limits.Parts)
			end = w.rest(level)
			continue
		}
		parts++
		child := at.child(subtype, parts)
		choices = append(choices, len(w.bodies))
		end = w.entity(w.headerBlock(w.limits.PartHeader, false), child)
	}
	w.bounds = w.bounds[:level]
	switch {
	case end.level == level: // closed: what follows up to the next delimiter is for nobody
		end = w.epilogue()
	case parts == 0:
		w.warn("a multipart has no parts; it is read as text")
		w.addText(preamble, ct)
	default:
		w.warn("a multipart is not closed")
	}
	if subtype == "alternative" {
		w.choose(choices)
	}
	return end
}

// noteMultipart notes what a multipart says about the whole mail.
func (w *walker) noteMultipart(ct value, subtype string, at place) {
	protocol := strings.ToLower(ct.param("protocol"))
	switch subtype {
	case "report":
		if at.path == "" || w.msg.ReportType == "" {
			w.msg.ReportType = strings.ToLower(ct.param("report-type"))
		}
	case "signed":
		w.msg.Signed = "smime"
		if strings.Contains(protocol, "pgp") {
			w.msg.Signed = "pgp"
		}
	case "encrypted":
		w.msg.Encrypted = "smime"
		if strings.Contains(protocol, "pgp") || protocol == "" {
			w.msg.Encrypted = "pgp"
		}
	}
}

// preamble reads up to the first delimiter. What it reads is kept, bounded, in
// case there are no parts. When a line looks like the delimiter that the header
// fails to name, it is taken for it.
func (w *walker) preamble(level int) (text []byte, end delimiter) {
	for {
		piece, start, end, ok := w.nextLine()
		if !ok {
			return text, end
		}
		if start && len(piece) > 4 && piece[0] == '-' && piece[1] == '-' {
			line, _ := cutEnd(piece)
			if name := string(bytes.TrimRight(line[2:], " \t")); len(name) <= maxBoundary && strings.Trim(name, "-") != "" && w.partComes() {
				w.warn("the boundary is not the one that the header names")
				w.bounds[level] = strings.TrimSuffix(name, "--")
				return text, delimiter{level: level}
			}
		}
		if len(text)+len(piece) <= w.limits.Text {
			text = append(text, piece...)
		}
	}
}

// partComes reports whether the header of a part comes next.
func (w *walker) partComes() bool {
	ahead := w.lines.ahead()
	return len(ahead) >= 8 && strings.EqualFold(string(ahead[:8]), "content-")
}

// rest reads over the parts of a multipart that are left.
func (w *walker) rest(level int) delimiter {
	for {
		if end := w.epilogue(); end.level != level || end.closing {
			return end
		}
	}
}

// epilogue reads over what follows a closed multipart.
func (w *walker) epilogue() delimiter {
	for {
		if _, _, end, ok := w.nextLine(); !ok {
			return end
		}
	}
}

// choose makes one body of alternatives: the last with HTML, the first with
// text. Each of them may be of several parts.
func (w *walker) choose(starts []int) {
	if len(starts) == 0 || len(w.bodies)-starts[0] < 2 {
		return
	}
	var one body
	for i, from := range starts {
		to := len(w.bodies)
		if i+1 < len(starts) {
			to = starts[i+1]
		}
		b := joined(w.bodies[from:to])
		if b.hasText && (!one.hasText || one.rich || strings.TrimSpace(one.text) == "") {
			one.text, one.hasText, one.rich = b.text, true, b.rich
		}
		if b.hasHTML {
			one.html, one.hasHTML = b.html, true
		}
	}
	clear(w.bodies[starts[0]+1:])
	w.bodies = append(w.bodies[:starts[0]], one)
}

// joined makes one body of the parts of one alternative.
func joined(parts []body) body {
	if len(parts) == 1 {
		return parts[0]
	}
	var one body
	for _, b := range parts {
		if b.hasText {
			one.text, one.hasText, one.rich = join(one.text, b.text), true, b.rich
		}
		if b.hasHTML {
			one.html, one.hasHTML = join(one.html, b.html), true
		}
	}
	return one
}

// join puts one text below another.
func join(above, below string) string {
	if above == "" || strings.HasSuffix(above, "\n") {
		return above + below
	}
	return above + "\n" + below
}
