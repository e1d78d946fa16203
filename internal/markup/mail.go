package markup

import (
	"html/template"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
)

// MaxMailHTML is how many bytes of a mail's HTML are shown; what is beyond is
// in the mail itself alone.
const MaxMailHTML = 2 << 20

// MailOptions say what a mail may show beside its words.
type MailOptions struct {
	// Inline gives our own address of the part with a content id (RFC 2392); ""
	// when there is none. Without it no part is shown.
	Inline func(contentID string) string
	// RemoteImages lets images come from elsewhere: whoever looks at the mail
	// tells its sender that he does, and from where.
	RemoteImages bool
}

// MailHTML gives what of a mail's HTML can be shown in our own page: words,
// links, lists, tables and images. No script, form, frame, style, and no
// address of ours except those that Inline gives. Links open elsewhere and tell
// nothing about us. Images from elsewhere become a span of the class
// mail-blocked-image with their words, and are counted; those of one pixel,
// which only report, are dropped.
func MailHTML(page string, o MailOptions) (safe template.HTML, blocked int) {
	if len(page) > MaxMailHTML {
		cut := MaxMailHTML
		for cut > 0 && !utf8.RuneStart(page[cut]) {
			cut--
		}
		page = page[:cut]
	}
	var out strings.Builder
	z := html.NewTokenizer(mailPolicy().SanitizeReader(strings.NewReader(page)))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF { // a buffer can be read
				return "", 0
			}
			return template.HTML(out.String()), blocked
		case html.StartTagToken, html.SelfClosingTagToken:
			if raw := z.Raw(); !isImage(raw) {
				out.Write(raw)
				continue
			}
			if image(&out, z.Token(), o) {
				blocked++
			}
		default:
			out.Write(z.Raw())
		}
	}
}

func isImage(tag []byte) bool {
	return len(tag) > 5 && string(tag[1:4]) == "img" && (tag[4] == ' ' || tag[4] == '/' || tag[4] == '>')
}

// image writes one image, or what stands for it, and reports whether it was
// held back.
func image(out *strings.Builder, t html.Token, o MailOptions) (blocked bool) {
	attrs := map[string]string{}
	for _, a := range t.Attr {
		attrs[a.Key] = a.Val
	}
	src := attrs["src"]
	id, inline := cutFold(src, "cid:")
	switch {
	case attrs["width"] == "1" || attrs["height"] == "1":
		return false
	case inline && o.Inline != nil:
		src = o.Inline(id)
	case inline, strings.HasPrefix(src, "data:") && !dataImage.MatchString(src):
		src = ""
	case !strings.HasPrefix(src, "data:") && !o.RemoteImages:
		words := attrs["alt"]
		if words == "" {
			words = "image"
		}
		out.WriteString(`<span class="mail-blocked-image">` + template.HTMLEscapeString(words) + `</span>`)
		return true
	}
	if src == "" {
		out.WriteString(template.HTMLEscapeString(attrs["alt"]))
		return false
	}
	out.WriteString(`<img src="` + template.HTMLEscapeString(src) + `" loading="lazy" referrerpolicy="no-referrer"`)
	for _, name := range []string{"alt", "width", "height"} {
		if v := attrs[name]; v != "" {
			out.WriteString(` ` + name + `="` + template.HTMLEscapeString(v) + `"`)
		}
	}
	out.WriteString(`>`)
	return false
}

// dataImage is of pictures that are nothing but pictures.
var dataImage = regexp.MustCompile(`^data:image/(png|gif|jpeg|webp);base64,`)

// cutFold is strings.CutPrefix without regard to case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// mailPolicy is all that may leave MailHTML. No class, id or style: they would
// reach into our own page, and colours of their own are unreadable in the dark.
var mailPolicy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "div", "span", "br", "hr", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins", "sub", "sup", "small", "big", "tt", "code", "kbd", "samp", "pre", "blockquote", "q", "cite", "address", "center",
		"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "figure", "figcaption", "section", "article", "header", "footer", "abbr", "time", "mark")
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.AllowAttrs("href").OnElements("a")
	p.AllowElements("img")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowDataURIImages()
	number := regexp.MustCompile(`^[0-9]{1,5}$`)
	p.AllowAttrs("width", "height").Matching(number).OnElements("img")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[0-9]{1,3}$`)).OnElements("td", "th")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(?i)(left|right|center|justify)$`)).OnElements("p", "div", "td", "th", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(?i)(ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("start").Matching(number).OnElements("ol")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	return p
})
