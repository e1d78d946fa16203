package markup

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// maxIndent is how many levels of lists and quotes are shown as such: deeper
// ones would let a short text ask for a very long one.
const maxIndent = 6

// Text gives the plain form: paragraphs apart by an empty line, lists with
// dashes, addresses of links in brackets behind their words.
func Text(src string) string { return write(src, textForm) }

// Mrkdwn gives the form that Slack reads. Nothing in the source can mention a
// person, a group or a channel, or start Slack's own marks.
func Mrkdwn(src string) string { return write(src, slackForm) }

// Plain gives a name or title for a Mrkdwn text: one line, in which nothing is a
// mention or a link.
func Plain(name string) string { return slackEscape(oneLine(cleaned(name))) }

// Summary gives the beginning of the plain form in one line of at most n
// characters, cut between words.
func Summary(src string, n int) string {
	line := oneLine(Text(src))
	runes := []rune(line)
	if len(runes) <= n {
		return line
	}
	if n < 1 {
		return ""
	}
	cut := string(runes[:n-1])
	if at := strings.LastIndexByte(cut, ' '); at > len(cut)/2 {
		cut = cut[:at]
	}
	return strings.TrimRight(cut, " .,;:") + "…"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// form is how one kind of reader wants prose.
type form struct {
	escape              func(string) string
	strong, emph, gone  string // around words
	code, fence         string // around code, and around blocks of it
	bullet, quote, rule string
	link                func(label, url string) string
}

// textForm marks next to nothing.
var textForm = form{
	escape: func(s string) string { return s },
	bullet: "- ", quote: "> ", rule: "---",
	link: func(label, url string) string {
		bare := strings.TrimPrefix(url, "mailto:")
		if label == "" || label == url || label == bare || "http://"+label == url {
			return bare
		}
		return label + " (" + bare + ")"
	},
}

// slackForm is mrkdwn.
var slackForm = form{
	escape: slackEscape,
	strong: "*", emph: "_", gone: "~", code: "`", fence: "```",
	bullet: "• ", quote: "> ", rule: "———",
	link: func(label, url string) string {
		url = strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", "&", "&amp;").Replace(url)
		if label == "" {
			return "<" + url + ">"
		}
		return "<" + url + "|" + label + ">"
	},
}

// slackEscape escapes the three characters that Slack's documentation names, and
// parts the at sign of its three words for everybody from them.
func slackEscape(s string) string {
	s = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
	if !strings.Contains(s, "@") {
		return s
	}
	for _, word := range []string{"channel", "here", "everyone"} {
		s = defuse(s, word)
	}
	return s
}

// joiner is an invisible character that parts an at sign from the word behind it.
const joiner = "\u2060"

func defuse(s, word string) string {
	var out strings.Builder
	for {
		at := strings.IndexByte(s, '@')
		if at < 0 {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:at+1])
		s = s[at+1:]
		if len(s) >= len(word) && strings.EqualFold(s[:len(word)], word) {
			out.WriteString(joiner)
		}
	}
}

// writer writes a tree in one form.
type writer struct {
	form
	source []byte
}

func write(src string, f form) string {
	var parts []string
	for _, d := range parse(src) {
		w := &writer{form: f, source: d.source}
		if part := strings.Trim(w.blocks(d.root, 0, "\n\n"), "\n"); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.TrimSpace(strings.Join(parts, "\n\n"))
}

// blocks writes the blocks inside n, with what stands between them.
func (w *writer) blocks(n ast.Node, depth int, between string) string {
	var parts []string
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if part := strings.Trim(w.block(c, depth), "\n"); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, between)
}

func (w *writer) block(n ast.Node, depth int) string {
	switch n := n.(type) {
	case *ast.Heading:
		return w.around(w.strong, w.inline(n))
	case *ast.ThematicBreak:
		return w.rule
	case *ast.CodeBlock:
		return w.codeBlock(lines(n, w.source))
	case *ast.FencedCodeBlock:
		return w.codeBlock(lines(n, w.source))
	case *ast.HTMLBlock:
		return w.escape(string(htmlBlock(n, w.source)))
	case *ast.Blockquote:
		return indent(w.blocks(n, depth+1, "\n\n"), w.quote, w.quote, depth)
	case *ast.List:
		return w.list(n, depth)
	case *extast.Table:
		return w.table(n)
	case *ast.Paragraph, *ast.TextBlock:
		return w.inline(n)
	default:
		return w.blocks(n, depth, "\n\n")
	}
}

// indent puts first before the first line of s and rest before the others.
func indent(s, first, rest string, depth int) string {
	if depth >= maxIndent {
		return s
	}
	return first + strings.ReplaceAll(s, "\n", "\n"+rest)
}

func (w *writer) list(n *ast.List, depth int) string {
	var items []string
	between, number := "\n", n.Start
	if !n.IsTight {
		between = "\n\n"
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		mark := w.bullet
		if n.IsOrdered() {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		inner := strings.Trim(w.blocks(c, depth+1, between), "\n")
		items = append(items, indent(inner, mark, strings.Repeat(" ", len([]rune(mark))), depth))
	}
	return strings.Join(items, "\n")
}

func (w *writer) table(n *extast.Table) string {
	var rows []string
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, oneLine(w.inline(cell)))
		}
		rows = append(rows, strings.TrimRight(strings.Join(cells, " | "), " "))
	}
	return strings.Join(rows, "\n")
}

func (w *writer) codeBlock(code []byte) string {
	text := strings.Trim(string(code), "\n")
	if w.fence == "" {
		return indent(text, "    ", "    ", 0)
	}
	return w.fence + "\n" + strings.ReplaceAll(w.escape(text), w.fence, "") + "\n" + w.fence
}

// around puts a mark around words. Slack reads marks only around one line that
// begins and ends with something to see.
func (w *writer) around(mark, words string) string {
	if mark == "" || words == "" || strings.Contains(words, "\n") || words != strings.TrimSpace(words) || strings.Contains(words, mark) {
		return words
	}
	return mark + words + mark
}

// inline writes the words inside n.
func (w *writer) inline(n ast.Node) string {
	var out strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.span(&out, c)
	}
	return out.String()
}

func (w *writer) span(out *strings.Builder, n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		value := n.Segment.Value(w.source)
		if !n.IsRaw() {
			value = util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(bytes.Clone(value))))
		}
		out.WriteString(w.escape(visible(string(value))))
		switch {
		case n.HardLineBreak():
			out.WriteByte('\n')
		case n.SoftLineBreak():
			out.WriteByte(' ')
		}
	case *ast.String:
		out.WriteString(w.escape(visible(string(n.Value))))
	case *ast.CodeSpan:
		out.WriteString(w.around(w.code, w.escape(words(n, w.source))))
	case *ast.Emphasis:
		mark := w.emph
		if n.Level > 1 {
			mark = w.strong
		}
		out.WriteString(w.around(mark, w.inline(n)))
	case *extast.Strikethrough:
		out.WriteString(w.around(w.gone, w.inline(n)))
	case *ast.Link:
		w.target(out, w.inline(n), n.Destination)
	case *ast.Image:
		label := w.escape(words(n, w.source))
		if inLink(n) {
			out.WriteString(label)
			return
		}
		w.target(out, label, n.Destination)
	case *ast.AutoLink:
		label, url := bareLink(n, w.source)
		if url == "" {
			out.WriteString(w.escape(label))
			return
		}
		out.WriteString(w.link(w.escape(label), url))
	case *ast.RawHTML:
		for i := range n.Segments.Len() {
			at := n.Segments.At(i)
			out.WriteString(w.escape(string(at.Value(w.source))))
		}
	default:
		out.WriteString(w.inline(n))
	}
}

// target writes a link, or only its words when nobody may follow it.
func (w *writer) target(out *strings.Builder, label string, destination []byte) {
	url := safeURL(destination)
	if url == "" {
		out.WriteString(label)
		return
	}
	out.WriteString(w.link(oneLine(label), url))
}

// visible drops control characters that an entity brought in behind the cleaning
// of the source.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || turns(r) {
			return -1
		}
		return r
	}, s)
}
