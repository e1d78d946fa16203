// Package quote takes what a mail quotes, and the signature, off what its
// author wrote: in plain text by the rules that mail programs follow in some
// thirty languages, in HTML by the marks that they leave. It never loses a
// line: what is taken off is given back beside the reply. It knows text, and
// no mail.
//
// All of it is linear in the length of the text: rules look at single lines,
// or at a few that follow each other.
package quote

import (
	"strings"
	"unicode"
)

// Cut parts a text into the reply, what it quotes, and the signature. A text
// that is nothing but a quote or a forwarded mail is a reply as a whole. Each
// line of the text is in one of the three, in its order.
func Cut(text string) (reply, quoted, signature string) {
	if strings.TrimSpace(text) == "" {
		return "", "", ""
	}
	c := cutter{lines: split(text)}
	c.classify()
	from, to := c.reply()
	to = c.withoutSignature(from, to)
	for from < to && c.lines[from].kind == blank {
		from++
	}
	if from >= to {
		return strings.TrimSpace(text), "", ""
	}
	rest := c.lines[to:]
	at := 0 // where the signature ends and the quote begins
	for at < len(rest) && rest[at].kind != quote && rest[at].kind != marker && rest[at].kind != header && rest[at].kind != separator {
		at++
	}
	quoted = strings.TrimSpace(join(c.lines[:from]) + join(rest[at:]))
	return trimEnds(join(c.lines[from:to])), quoted, strings.TrimSpace(join(rest[:at]))
}

// trimEnds takes off empty lines before, and space after.
func trimEnds(s string) string {
	s = strings.TrimRightFunc(s, unicode.IsSpace)
	for {
		line, rest, ok := strings.Cut(s, "\n")
		if !ok || strings.TrimSpace(line) != "" {
			return s
		}
		s = rest
	}
}

// lineKind is what a line is for.
type lineKind byte

const (
	words     lineKind = iota // somebody wrote it
	blank                     // nothing on it
	quote                     // begins with a quote mark
	marker                    // "On … wrote:", all its lines
	separator                 // "-----Original Message-----" and whatever ends a reply by itself
	header                    // the first line of a block "From: … Sent: …"
	delimiter                 // a row of hyphens and the like
)

// line is one line of a text.
type line struct {
	text string // with its line end
	bare string // without it and without space around it, as far as rules look
	kind lineKind
}

// maxLook is how much of a line rules look at.
const maxLook = 600

func split(text string) []line {
	out := make([]line, 0, strings.Count(text, "\n")+1)
	for l := range strings.Lines(text) {
		bare := l
		if len(bare) > maxLook {
			bare = strings.ToValidUTF8(bare[:maxLook], "")
		}
		out = append(out, line{text: l, bare: trim(bare)})
	}
	return out
}

// trim takes off space, and the marks of direction and of no width that some
// mail programs put around.
func trim(s string) string {
	if n := len(s); n > 0 && s[0] > ' ' && s[0] < 0x7f && s[n-1] > ' ' && s[n-1] < 0x7f {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
	})
}

func join(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text)
	}
	return b.String()
}

// cutter is one text while it is cut.
type cutter struct{ lines []line }

// classify says of each line what it is for. What stands in fences of code is
// words.
func (c *cutter) classify() {
	for i := 0; i < len(c.lines); i++ {
		l := &c.lines[i]
		if strings.HasPrefix(l.bare, "```") {
			if end := c.fenceEnd(i); end > i {
				i = end
				continue
			}
		}
		switch {
		case l.bare == "":
			l.kind = blank
		case isQuote(l.bare):
			l.kind = quote
		case isSeparator(l.bare):
			l.kind = separator
		case c.headerAt(i):
			l.kind = header
		case isRow(l.bare):
			if !c.underlines(i) {
				l.kind = delimiter
			}
		default:
			if n := c.markerAt(i); n > 0 {
				for j := range n {
					c.lines[i+j].kind = marker
				}
				i += n - 1
			}
		}
	}
}

// maxFence is how many lines a fence of code has at most.
const maxFence = 500

// fenceEnd finds the line that closes a fence; 0 when none does.
func (c *cutter) fenceEnd(from int) int {
	for i := from + 1; i < min(len(c.lines), from+maxFence); i++ {
		if strings.HasPrefix(c.lines[i].bare, "```") {
			return i
		}
	}
	return 0
}

// isQuote reports whether a line begins with a mark of quoting. The bar is
// one too, but not when it draws a table.
func isQuote(s string) bool {
	switch s[0] {
	case '>':
		return true
	case '|':
		return len(s) == 1 || !strings.HasSuffix(s, "|")
	}
	return strings.HasPrefix(s, "＞") || strings.HasPrefix(s, "&gt;")
}

// isRow reports whether a line is nothing but a row of hyphens, underscores
// and the like.
func isRow(s string) bool {
	if len(s) > 1 && s[0] == '+' && strings.Contains(s, "-+") { // the border of a table
		return false
	}
	for _, r := range s {
		if !strings.ContainsRune("-_,=+~#*—–ᐧ", r) {
			return false
		}
	}
	return true
}

// underlines reports whether a row underlines a heading: as long as the line
// above it, which stands alone.
func (c *cutter) underlines(i int) bool {
	row := len([]rune(c.lines[i].bare))
	if i == 0 || row < 4 || i+1 == len(c.lines) || c.lines[i+1].bare == "" || isHeaderLine(c.lines[i+1].bare) != 0 {
		return false
	}
	above := len([]rune(c.lines[i-1].bare))
	return above > 0 && above-row <= 2 && row-above <= 2 && (i == 1 || c.lines[i-2].bare == "")
}

// reply gives the lines that are the reply, signature included.
func (c *cutter) reply() (from, to int) {
	end := c.hardEnd()
	first := c.next(0, end, marker)
	if first == end {
		return 0, c.beforeTrailingQuote(0, end)
	}
	before := c.next(0, first, words) < first
	after := first
	for after < end && (c.lines[after].kind == marker || c.lines[after].kind == blank) {
		after++
	}
	if before {
		if c.textAfterQuotes(first, end) {
			return 0, first
		}
		return 0, c.beforeTrailingQuote(0, end)
	}
	// The quote stands on top: what follows it is the reply.
	text := c.next(after, end, words)
	if text == end {
		return 0, len(c.lines)
	}
	last := end
	for last > text && c.lines[last-1].kind != quote {
		last--
	}
	if last <= text { // no quote below the text
		return text, end
	}
	return 0, c.beforeTrailingQuote(0, end)
}

// hardEnd gives the first line that ends a reply whatever follows: a
// separator, a block of header fields, a row; but only below some words.
func (c *cutter) hardEnd() int {
	seen := false
	for i, l := range c.lines {
		switch l.kind {
		case words:
			seen = true
		case delimiter, separator, header:
			if seen {
				return i
			}
		}
	}
	return len(c.lines)
}

// next gives the first line of a kind between from and to; to for none.
func (c *cutter) next(from, to int, kind lineKind) int {
	for i := from; i < to; i++ {
		if c.lines[i].kind == kind {
			return i
		}
	}
	return to
}

// maxTail is how many lines of words below a quote still pass for a footer.
const maxTail = 6

// textAfterQuotes reports whether everything from a marker on is a quote: no
// marks of quoting at all, or marked lines with at most a short footer below.
func (c *cutter) textAfterQuotes(from, to int) bool {
	if c.next(from, to, quote) == to {
		return true
	}
	tail := 0
	for i := from; i < to; i++ {
		switch c.lines[i].kind {
		case words:
			tail++
		case quote:
			if tail > 0 { // words between quotes: an answer point by point
				return false
			}
		}
	}
	return tail <= maxTail
}

// beforeTrailingQuote gives where the quote begins that ends the lines, when
// words stand before it; else to.
func (c *cutter) beforeTrailingQuote(from, to int) int {
	at := to
	quotes := false
	for at > from {
		switch c.lines[at-1].kind {
		case quote:
			quotes = true
		case blank, marker:
		default:
			if quotes {
				return at
			}
			return to
		}
		at--
	}
	return to
}

// withoutSignature gives where the signature at the end of the reply begins.
func (c *cutter) withoutSignature(from, to int) int {
	end := to
	for end > from {
		if l := c.lines[end-1]; l.kind != blank && l.kind != delimiter && !(l.kind == words && isSignature(l.bare)) {
			break
		}
		end--
	}
	if end == from {
		return to
	}
	return end
}
