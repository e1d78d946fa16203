package quote

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// attr gives an attribute in lower case; "" for none.
func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return strings.ToLower(a.Val)
		}
	}
	return ""
}

// hasClass reports whether an element is of a class. Outlook on the web puts
// x_ before the names it finds in what it quotes.
func hasClass(n *html.Node, class string) bool {
	for c := range strings.FieldsSeq(attr(n, "class")) {
		if strings.TrimLeft(strings.TrimPrefix(c, "x_"), "x_") == strings.TrimLeft(class, "x_") {
			return true
		}
	}
	return false
}

// isQuoteNode reports whether an element holds a quote, or a signature.
func isQuoteNode(n *html.Node) bool {
	return n.DataAtom == atom.Blockquote || isReplyQuote(n) || hasClass(n, "gmail_signature") || hasClass(n, "moz-signature") || hasClass(n, "protonmail_signature_block")
}

// quoteClasses are of elements around what a reply quotes, by their programs.
var quoteClasses = []string{"gmail_quote", "gmail_quote_container", "yahoo_quoted", "protonmail_quote", "tutanota_quote", "zmail_extra", "moz-forward-container", "freshdesk_quote", "front-blockquote", "ms-outlook-mobile-reference-message", "outlookmessageheader", "hubspot_quote", "quoted_text", "cm_quote"}

// isReplyQuote reports whether a program marked an element as what its user
// replies to.
func isReplyQuote(n *html.Node) bool {
	if n.Type != html.ElementNode {
		return false
	}
	for _, class := range quoteClasses {
		if hasClass(n, class) {
			return true
		}
	}
	id := attr(n, "id")
	return strings.HasPrefix(id, "mail-editor-reference-message-container") || id == "isforwardcontent" || id == "orignalmessage" || id == "originalmessage" || id == "replybody"
}

// isTurn reports whether everything from an element on is quoted.
func isTurn(n *html.Node) bool {
	switch id := strings.TrimPrefix(attr(n, "id"), "x_"); id {
	case "divrplyfwdmsg", "appendonsend", "stopspelling", "reply-intro", "_origmsg_", "spanmobilereplyheader", "mobile-reply-header":
		return true
	}
	switch {
	case hasClass(n, "moz-cite-prefix"), hasClass(n, "moz-email-headers-table"), hasClass(n, "outlookmessageheader"):
		return true
	case n.DataAtom == atom.Div || n.DataAtom == atom.P || n.DataAtom == atom.Table:
		style := strings.ReplaceAll(attr(n, "style"), " ", "")
		if (strings.Contains(style, "border-top:solid") || strings.Contains(style, "border-top:1ptsolid") || strings.Contains(style, "border-top:1.0ptsolid") || strings.Contains(style, "border-width:1ptmediummedium")) && quotesHeader(n) {
			return true
		}
		return (n.DataAtom == atom.Div || n.DataAtom == atom.P) && quotesHeader(n) && !hasBlock(n)
	}
	return false
}

// headerReach is how much of a text is looked at for a quoted header.
const headerReach = 600

// quotesHeader reports whether the text of an element begins with a quoted
// header: From, Sent, To, Subject.
func quotesHeader(n *html.Node) bool {
	text := textOf(n, headerReach)
	c := cutter{lines: split(text)}
	for i, l := range c.lines {
		if l.bare == "" {
			continue
		}
		return isHeaderLine(l.bare) == fieldFrom && c.headerAt(i)
	}
	return false
}

// hasBlock reports whether an element holds blocks of its own.
func hasBlock(n *html.Node) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Div || c.DataAtom == atom.P || c.DataAtom == atom.Table || c.DataAtom == atom.Blockquote {
			return true
		}
	}
	return false
}

// textOf gives the beginning of an element's text, line by line.
func textOf(n *html.Node, most int) string {
	var b strings.Builder
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		if b.Len() > most {
			return
		}
		switch {
		case n.Type == html.TextNode:
			b.WriteString(strings.ReplaceAll(n.Data, "\n", " "))
		case n.DataAtom == atom.Br, n.DataAtom == atom.P, n.DataAtom == atom.Div, n.DataAtom == atom.Tr, n.DataAtom == atom.Blockquote:
			b.WriteByte('\n')
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	visit(n)
	return b.String()
}

// isInterleaved reports whether somebody wrote between the quotes within a
// quote: an answer point by point.
func isInterleaved(n *html.Node) bool {
	blocks, between := 0, false
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			switch {
			case c.DataAtom == atom.Blockquote:
				blocks++
			case c.Type == html.TextNode:
				if blocks > 0 && strings.TrimFunc(c.Data, isBlank) != "" {
					between = true
				}
			default:
				visit(c)
			}
		}
	}
	if n.DataAtom == atom.Blockquote {
		return false
	}
	visit(n)
	return between
}

// attributionReach is how many nodes before a quote may belong to the line
// that says whose it is.
const attributionReach = 12

// attribution gives the nodes directly before a quote that say whose it is:
// "On … wrote:", as text or as an element.
func attribution(q *html.Node) []*html.Node {
	var nodes []*html.Node
	text := ""
	for n, i := q.PrevSibling, 0; n != nil && i < attributionReach; n, i = n.PrevSibling, i+1 {
		own := textOf(n, maxMarker)
		if n.DataAtom == atom.Blockquote || n.DataAtom == atom.Table {
			return nil
		}
		nodes = append(nodes, n)
		text = own + text
		flat := strings.Join(strings.Fields(text), " ")
		if len(flat) > maxMarker {
			return nil
		}
		if flat == "--" || flat != "" && (isMarker(flat) || endsInVerb(flat)) {
			// the words before a time on the same line belong to it
			if n.Type == html.TextNode && n.PrevSibling != nil && n.PrevSibling.DataAtom != atom.Br && n.PrevSibling.Type == html.TextNode {
				continue
			}
			return nodes
		}
	}
	return nil
}

// ruleBefore gives the rule, and the space, directly before a quoted header.
func ruleBefore(n *html.Node) []*html.Node {
	var nodes []*html.Node
	for p := n.PrevSibling; p != nil; p = p.PrevSibling {
		switch {
		case p.DataAtom == atom.Hr:
			return append(nodes, p)
		case p.Type == html.TextNode && strings.TrimFunc(p.Data, isBlank) == "":
			nodes = append(nodes, p)
		default:
			return nil
		}
	}
	return nil
}
