package message

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTMLText gives the text of an HTML page as a reader would see it: paragraphs,
// list items, quotes with "> " before their lines, images by their words.
// Nothing of scripts, styles and the head. Its time is linear in the input.
func HTMLText(page string) string {
	t := textWriter{}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return t.finish()
		case html.TextToken:
			if t.hidden == 0 {
				t.words(z.Text())
			}
		case html.StartTagToken:
			t.start(z, false)
		case html.SelfClosingTagToken:
			t.start(z, true)
		case html.EndTagToken:
			name, _ := z.TagName()
			t.end(atom.Lookup(name))
		}
	}
}

// maxQuoteDepth bounds the marks before a line.
const maxQuoteDepth = 8

// textWriter puts words into lines.
type textWriter struct {
	out    strings.Builder
	breaks int  // line ends to write before the next word
	space  bool // and a space, if no line end
	hidden int  // elements around that are not shown
	quotes int
	pre    int
	begun  bool
	skip   atom.Atom // the hidden element that is open
}

// start takes a tag.
func (t *textWriter) start(z *html.Tokenizer, closed bool) {
	name, attrs := z.TagName()
	tag := atom.Lookup(name)
	if t.hidden > 0 {
		if tag == t.skip && !closed {
			t.hidden++
		}
		if tag == atom.Body && t.skip == atom.Head { // a head that nobody closed
			t.hidden = 0
		}
		return
	}
	switch tag {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template, atom.Noframes, atom.Svg, atom.Math:
		if !closed {
			t.hidden, t.skip = 1, tag
		}
	case atom.Br:
		t.breaks++
	case atom.Hr:
		t.lines(2)
	case atom.Img:
		for attrs {
			var key, value []byte
			key, value, attrs = z.TagAttr()
			if string(key) == "alt" && len(bytes.TrimSpace(value)) > 0 {
				t.words([]byte("[" + string(bytes.TrimSpace(value)) + "]"))
			}
		}
	case atom.Li:
		t.lines(1)
		t.words([]byte("- "))
	case atom.Td, atom.Th:
		t.space = true
	case atom.Blockquote:
		t.lines(2)
		if !closed {
			t.quotes++
		}
	case atom.Pre:
		t.lines(2)
		if !closed {
			t.pre++
		}
	default:
		t.lines(linesAround(tag))
	}
}

// end takes a closing tag.
func (t *textWriter) end(tag atom.Atom) {
	if t.hidden > 0 {
		if tag == t.skip {
			t.hidden--
		} else if tag == atom.Head || tag == atom.Html {
			t.hidden = 0
		}
		return
	}
	switch tag {
	case atom.Blockquote:
		t.lines(2)
		t.quotes = max(t.quotes-1, 0)
	case atom.Pre:
		t.lines(2)
		t.pre = max(t.pre-1, 0)
	case atom.P:
		t.lines(2)
	default:
		t.lines(linesAround(tag))
	}
}

// linesAround is how many line ends part an element from its neighbours.
func linesAround(tag atom.Atom) int {
	switch tag {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Dl:
		return 2
	case atom.Div, atom.Tr, atom.Table, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Address, atom.Dt, atom.Dd,
		atom.Li, atom.Center, atom.Form, atom.Fieldset, atom.Option, atom.Figure, atom.Figcaption, atom.Nav, atom.Main, atom.Aside, atom.Body:
		return 1
	}
	return 0
}

// lines asks for at least so many line ends before the next word.
func (t *textWriter) lines(n int) { t.breaks = max(t.breaks, n) }

// words writes text: spaces collapsed, but not within pre.
func (t *textWriter) words(text []byte) {
	if t.pre > 0 {
		for i, line := range bytes.Split(text, newline) {
			if i > 0 {
				t.breaks++
			}
			if len(line) > 0 {
				t.before()
				t.out.Write(line)
			}
		}
		return
	}
	for len(text) > 0 {
		i := 0
		for i < len(text) && !isSpace(text, i) {
			i++
		}
		if i > 0 {
			t.before()
			t.out.Write(text[:i])
			text = text[i:]
		}
		n := 0
		for n < len(text) && isSpace(text, n) {
			if text[n] == 0xc2 {
				n++
			}
			n++
		}
		if n > 0 {
			t.space = true
			text = text[n:]
		}
	}
}

// isSpace reports whether a space stands at i, be it one that does not break.
func isSpace(s []byte, i int) bool {
	switch s[i] {
	case ' ', '\t', '\n', '\r', '\f':
		return true
	case 0xc2:
		return i+1 < len(s) && s[i+1] == 0xa0
	}
	return false
}

// maxBreaks is how many line ends follow each other at most.
const maxBreaks = 3

// before writes what is due before a word.
func (t *textWriter) before() {
	switch {
	case !t.begun:
		t.begun = true
		t.mark()
	case t.breaks > 0:
		for range min(t.breaks-1, maxBreaks-1) {
			t.out.WriteByte('\n')
			if t.quotes > 0 {
				t.out.WriteString(strings.Repeat(">", min(t.quotes, maxQuoteDepth)))
			}
		}
		t.out.WriteByte('\n')
		t.mark()
	case t.space:
		t.out.WriteByte(' ')
	}
	t.breaks, t.space = 0, false
}

func (t *textWriter) mark() {
	if t.quotes > 0 {
		t.out.WriteString(strings.Repeat(">", min(t.quotes, maxQuoteDepth)))
		t.out.WriteByte(' ')
	}
}

func (t *textWriter) finish() string {
	if !t.begun {
		return ""
	}
	t.out.WriteByte('\n')
	return clean(t.out.String())
}
