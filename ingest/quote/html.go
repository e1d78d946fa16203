package quote

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxHTML is how long a page is at most that is looked into: a tree takes many
// times its memory.
const maxHTML = 1 << 20

// CutHTML parts a page into the reply and what it quotes, by the marks that
// mail programs leave. rest is "" when nothing was taken off: then reply is
// the page as it was. A page that is nothing but a quote is a reply as a whole.
func CutHTML(page string) (reply, rest string) {
	if len(page) > maxHTML || !mayQuote(page) || len(page) > smallHTML && isTangled(page) {
		return page, ""
	}
	root, err := html.Parse(strings.NewReader(page))
	if err != nil { // nested too deep to be anybody's letter
		return page, ""
	}
	p := pruner{}
	p.walk(root)
	if len(p.quotes) == 0 {
		return page, ""
	}
	p.choose()
	if len(p.taken) == 0 {
		return page, ""
	}
	var off strings.Builder
	for _, n := range p.taken {
		n.Parent.RemoveChild(n)
		if html.Render(&off, n) != nil {
			return page, ""
		}
	}
	if !hasContent(root) {
		return page, ""
	}
	var kept strings.Builder
	if html.Render(&kept, root) != nil {
		return page, ""
	}
	return kept.String(), off.String()
}

// smallHTML is how long a page is at most that can do no harm.
const smallHTML = 32 << 10

// maxOpen is how many elements of one kind of print may stay open.
const maxOpen = 100

// isTangled reports whether a page leaves very many elements of print open.
// HTML asks for them to be opened again in each paragraph, so that a tree of
// such a page takes hundreds of times its memory.
func isTangled(page string) bool {
	open := map[atom.Atom]int{}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken:
			name, _ := z.TagName()
			if tag := atom.Lookup(name); isPrint(tag) {
				if open[tag]++; open[tag] > maxOpen {
					return true
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if tag := atom.Lookup(name); open[tag] > 0 {
				open[tag]--
			}
		}
	}
}

// isPrint knows the formatting elements of the HTML standard, section 13.2.4.3.
func isPrint(tag atom.Atom) bool {
	switch tag {
	case atom.A, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Nobr, atom.S, atom.Small, atom.Strike, atom.Strong, atom.Tt, atom.U:
		return true
	}
	return false
}

// mayQuote is a quick look whether there can be anything to take off.
func mayQuote(page string) bool {
	low := strings.ToLower(page)
	for _, w := range []string{"blockquote", "quote", "divrplyfwdmsg", "appendonsend", "moz-cite", "border-top", "stopspelling", "zmail_extra", "messageheader", "wrote", "<b>", "<strong", ":"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// pruner finds quotes in a tree.
type pruner struct {
	order  int
	seen   bool         // content came before
	quotes []*html.Node // in document order
	from   *html.Node   // from here on everything is quoted
	end    map[*html.Node]int
	texts  []textAt
	taken  []*html.Node
	gone   map[*html.Node]bool // the same as a set
}

// textAt is content outside of quotes, and where it stands in the document.
type textAt struct {
	node  *html.Node
	order int
}

// walk numbers what there is, in document order, and notes quotes.
func (p *pruner) walk(root *html.Node) {
	p.end, p.gone = map[*html.Node]int{}, map[*html.Node]bool{}
	p.visit(root, false)
}

func (p *pruner) visit(n *html.Node, quoted bool) {
	p.order++
	if !quoted && (n.Type == html.TextNode && strings.TrimFunc(n.Data, isBlank) != "" || n.DataAtom == atom.Img) {
		p.texts = append(p.texts, textAt{n, p.order})
		p.seen = true
	}
	isQuote := false
	if n.Type == html.ElementNode {
		switch n.DataAtom {
		case atom.Script, atom.Style, atom.Head, atom.Title:
			return
		}
		if p.from == nil && p.seen && isTurn(n) {
			p.from = n
		}
		if isQuote = !quoted && (p.from == n || isQuoteNode(n)); isQuote {
			p.quotes = append(p.quotes, n)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.visit(c, quoted || isQuote)
	}
	if isQuote {
		p.end[n] = p.order
	}
}

// choose decides which quotes go: those that a program marked as what is
// replied to, and others that nothing follows.
func (p *pruner) choose() {
	if p.from != nil {
		p.takeFrom(p.from)
	}
	last := 0 // of the content that stays for sure
	for _, t := range p.texts {
		if !p.isGone(t.node) {
			last = t.order
		}
	}
	for _, q := range p.quotes {
		if p.isGone(q) || !(isReplyQuote(q) && !isInterleaved(q) || p.end[q] >= last) {
			continue
		}
		for _, before := range attribution(q) {
			p.take(before)
		}
		p.take(q)
	}
}

// isGone reports whether a node goes, or one around it.
func (p *pruner) isGone(n *html.Node) bool {
	for ; n != nil; n = n.Parent {
		if p.gone[n] {
			return true
		}
	}
	return false
}

func (p *pruner) take(n *html.Node) {
	if p.gone[n] {
		return
	}
	p.taken = append(p.taken, n)
	p.gone[n] = true
}

// takeFrom takes off a node and all that follows it in the document.
func (p *pruner) takeFrom(n *html.Node) {
	for _, before := range ruleBefore(n) {
		p.take(before)
	}
	p.take(n)
	for ; n != nil && n.DataAtom != atom.Body; n = n.Parent {
		for s := n.NextSibling; s != nil; s = s.NextSibling {
			p.take(s)
		}
	}
}

func isBlank(r rune) bool { return r <= ' ' || r == 0xa0 || r >= 0x200b && r <= 0x200f || r == 0xfeff }

// hasContent reports whether there is anything to see.
func hasContent(n *html.Node) bool {
	switch {
	case n.Type == html.TextNode && strings.TrimFunc(n.Data, isBlank) != "", n.DataAtom == atom.Img:
		return true
	case n.DataAtom == atom.Head, n.DataAtom == atom.Style, n.DataAtom == atom.Script:
		return false
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if hasContent(c) {
			return true
		}
	}
	return false
}
