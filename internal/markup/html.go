package markup

import (
	"bytes"
	"html/template"
	"regexp"
	"strconv"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

const (
	// rel keeps a link from vouching for where it leads, and that page from
	// reaching back to ours.
	rel = "nofollow noopener"
	// demote is how many levels a heading goes down: the page itself has the first two.
	demote = 2
)

// HTML gives the public form: headings from h3 down, links that vouch for
// nothing, raw HTML shown as it was typed, images as links to them. What the
// renderer wrote passes a list of what is allowed before it leaves.
func HTML(src string) template.HTML {
	var out bytes.Buffer
	for _, d := range parse(src) {
		if err := page().Render(&out, d.source, d.root); err != nil { // a buffer takes everything
			return template.HTML(template.HTMLEscapeString(Text(src)))
		}
	}
	return template.HTML(allowed().SanitizeBytes(out.Bytes()))
}

// page is the renderer of HTML.
var page = sync.OnceValue(func() renderer.Renderer {
	return renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(tags{}, 1),
		util.Prioritized(html.NewRenderer(), 1000),
		util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 900),
		util.Prioritized(extension.NewTableHTMLRenderer(), 900),
	))
})

// allowed is all that may leave: the second net under a renderer that writes
// nothing else.
var allowed = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6",
		"table", "thead", "tbody", "tr", "th", "td")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile("^" + rel + "$")).OnElements("a")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	return p
})

// tags writes what differs from plain CommonMark.
type tags struct{}

// RegisterFuncs names the nodes.
func (t tags) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, t.heading)
	r.Register(ast.KindLink, t.link)
	r.Register(ast.KindImage, t.image)
	r.Register(ast.KindAutoLink, t.bare)
	r.Register(ast.KindRawHTML, t.raw)
	r.Register(ast.KindHTMLBlock, t.rawBlock)
}

func (tags) heading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	open := "<h"
	if !entering {
		open = "</h"
	}
	_, _ = w.WriteString(open + strconv.Itoa(min(n.(*ast.Heading).Level+demote, 6)) + ">")
	return ast.WalkContinue, nil
}

func anchor(w util.BufWriter, url string) {
	_, _ = w.WriteString(`<a href="` + template.HTMLEscapeString(url) + `" rel="` + rel + `">`)
}

func (tags) link(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if url := safeURL(n.(*ast.Link).Destination); url != "" {
		if entering {
			anchor(w, url)
		} else {
			_, _ = w.WriteString("</a>")
		}
	}
	return ast.WalkContinue, nil
}

// image writes a link in place of the image: nothing is fetched from elsewhere
// by looking at the page.
func (tags) image(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	words := template.HTMLEscapeString(words(n, source))
	url := safeURL(n.(*ast.Image).Destination)
	if url == "" || inLink(n) {
		_, _ = w.WriteString(words)
		return ast.WalkSkipChildren, nil
	}
	if words == "" {
		words = template.HTMLEscapeString(url)
	}
	anchor(w, url)
	_, _ = w.WriteString(words + "</a>")
	return ast.WalkSkipChildren, nil
}

// inLink reports whether a node lies within a link, which holds no other.
func inLink(n ast.Node) bool {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if p.Kind() == ast.KindLink {
			return true
		}
	}
	return false
}

func (tags) bare(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	label, url := bareLink(n.(*ast.AutoLink), source)
	if url == "" {
		_, _ = w.WriteString(template.HTMLEscapeString(label))
		return ast.WalkContinue, nil
	}
	anchor(w, url)
	_, _ = w.WriteString(template.HTMLEscapeString(label) + "</a>")
	return ast.WalkContinue, nil
}

// bareLink gives the text and the address of a link that was typed as it is.
func bareLink(n *ast.AutoLink, source []byte) (label, url string) {
	label = string(n.Label(source))
	address := n.URL(source)
	if n.AutoLinkType == ast.AutoLinkEmail && !bytes.HasPrefix(bytes.ToLower(address), []byte("mailto:")) {
		address = append([]byte("mailto:"), address...)
	}
	return label, safeURL(address)
}

func (tags) raw(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		segments := n.(*ast.RawHTML).Segments
		for i := range segments.Len() {
			at := segments.At(i)
			template.HTMLEscape(w, at.Value(source))
		}
	}
	return ast.WalkSkipChildren, nil
}

func (tags) rawBlock(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString("<p>")
		template.HTMLEscape(w, htmlBlock(n.(*ast.HTMLBlock), source))
		_, _ = w.WriteString("</p>\n")
	}
	return ast.WalkContinue, nil
}

// htmlBlock gives a block of raw HTML as it was typed.
func htmlBlock(n *ast.HTMLBlock, source []byte) []byte {
	out := lines(n, source)
	if n.HasClosure() {
		out = append(out, n.ClosureLine.Value(source)...)
	}
	return bytes.TrimSpace(out)
}

// lines gives the raw lines of a block.
func lines(n ast.Node, source []byte) []byte {
	var out []byte
	for i := range n.Lines().Len() {
		at := n.Lines().At(i)
		out = append(out, at.Value(source)...)
	}
	return out
}

// words gives the text inside a node, without its marks.
func words(n ast.Node, source []byte) string {
	var out []byte
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			out = append(out, n.Segment.Value(source)...)
			if n.SoftLineBreak() || n.HardLineBreak() {
				out = append(out, ' ')
			}
		case *ast.String:
			out = append(out, n.Value...)
		}
		return ast.WalkContinue, nil
	})
	return string(out)
}
