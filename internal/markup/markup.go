// Package markup turns the Markdown that people write about incidents into what
// each reader needs: HTML for pages and mails, plain text for feeds and mails,
// Slack's own form for chat. Whatever is written, no script, no foreign image
// and no raw HTML comes out. It is a leaf: it knows no incident and no channel.
package markup

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

const (
	// MaxSource is how many bytes of Markdown are read; what is beyond is cut.
	// Whoever stores Markdown refuses longer text, so that nothing is cut in
	// silence.
	MaxSource = 512 << 10
	// maxPiece is how many bytes are read as one document. Longer texts are read
	// in pieces, as the time that hostile nesting takes grows with the square of
	// the length: at this one the worst takes tens of milliseconds.
	maxPiece = 8 << 10
)

// maxCells bounds tables: a row is filled up to the width of the head, so that a
// few bytes can ask for very many cells. Text beyond it is read without tables.
const maxCells = 4096

// plain and tabular read Markdown: CommonMark with bare links and strikethrough,
// and with tables.
var (
	plain   = reader()
	tabular = reader(extension.Table)
)

func reader(more ...goldmark.Extender) parser.Parser {
	links := extension.NewLinkify(extension.WithLinkifyAllowedProtocols([]string{"http:", "https:", "mailto:"}))
	return goldmark.New(goldmark.WithExtensions(append(more, links, extension.Strikethrough)...)).Parser()
}

// document is a piece of Markdown that was read: a tree over its bytes.
type document struct {
	root   ast.Node
	source []byte
}

// parse reads src, bounded and cleaned: one document, or several of a long text.
func parse(src string) []document {
	var out []document
	rest := []byte(cleaned(src))
	for len(rest) > 0 {
		n, fence := piece(rest)
		head := slices.Clip(rest[:n])
		rest = rest[n:]
		if fence != "" { // code goes on in the next piece
			head = append(head, fence...)
			rest = append([]byte(fence), rest...)
		}
		p := tabular
		if cells(head) > maxCells {
			p = plain
		}
		out = append(out, document{p.Parse(text.NewReader(head)), head})
	}
	return out
}

// piece gives how much of src is read as one document: all of it, or as much as
// fits up to an empty line outside of code, up to a line, up to a character. fence
// is the line that ends and begins again the code which is cut by it.
func piece(src []byte) (n int, fence string) {
	if len(src) <= maxPiece {
		return len(src), ""
	}
	line, gap, open := 0, 0, ""
	for at := 0; at < maxPiece; {
		end := bytes.IndexByte(src[at:maxPiece], '\n')
		if end < 0 {
			break
		}
		text := bytes.TrimSpace(src[at : at+end])
		at += end + 1
		line = at
		switch {
		case open != "":
			if bytes.HasPrefix(text, []byte(open)) {
				open = ""
			}
		case bytes.HasPrefix(text, []byte("```")):
			open = "```"
		case bytes.HasPrefix(text, []byte("~~~")):
			open = "~~~"
		case len(text) == 0:
			gap = at
		}
	}
	switch {
	case gap > 0:
		return gap, ""
	case line > maxPiece/2 && open != "":
		return line, open + "\n"
	case line > 0 && open == "":
		return line, ""
	}
	n = maxPiece
	for !utf8.RuneStart(src[n]) {
		n--
	}
	return n, ""
}

// cleaned cuts at MaxSource and drops what has no business in prose: bytes that
// are no text, control characters, and the marks that turn the direction of
// writing around and make a link read as another.
func cleaned(src string) string {
	if len(src) > MaxSource {
		src = src[:MaxSource]
		for len(src) > 0 && !utf8.RuneStart(src[len(src)-1]) {
			src = src[:len(src)-1]
		}
	}
	src = strings.ReplaceAll(src, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case r == utf8.RuneError, unicode.IsControl(r), turns(r):
			return -1
		}
		return r
	}, src)
}

// turns reports whether a character changes the direction of what follows it.
func turns(r rune) bool {
	return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// cells is at least how many cells the tables of src can have.
func cells(src []byte) int {
	widest, lines := 0, 0
	for line := range bytes.Lines(src) {
		widest = max(widest, bytes.Count(line, []byte("|")))
		lines++
	}
	return widest * lines
}

// safeURL gives the address when it is whole and its scheme is one that a reader
// may follow: http, https or mailto; else "". What must be escaped in it is.
func safeURL(raw []byte) string {
	u, err := url.Parse(string(util.URLEscape(bytes.TrimSpace(raw), false)))
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "http", "https":
		if u.Host == "" {
			return ""
		}
	case "mailto":
		if u.Opaque == "" {
			return ""
		}
	default:
		return ""
	}
	return u.String()
}
