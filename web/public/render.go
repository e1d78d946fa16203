package public

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"sync"

	"evenkeel/assets"
	"evenkeel/internal/status"
	"evenkeel/templates"
)

// Media types of what is served.
const (
	typeHTML = "text/html; charset=utf-8"
	typeSVG  = "image/svg+xml; charset=utf-8"
	typeJSON = "application/json; charset=utf-8"
	typeAtom = "application/atom+xml; charset=utf-8"
	typeRSS  = "application/rss+xml; charset=utf-8"
	typeFeed = "application/feed+json; charset=utf-8"
	typeICS  = "text/calendar; charset=utf-8"
)

// press holds one kind of page: its template, its style, its script, and the
// policy that allows exactly these two by their hashes. Rules that a kind does
// not use are not in it, because everything is inlined.
type press struct {
	template *template.Template
	layout   string
	style    template.CSS
	script   template.JS
	policy   string
}

// stage renders pages. What visitors can subscribe by may change at any time.
type stage struct {
	presses map[string]func() *press // every kind of page, by the name of its template file
	prose   *prose
	offers  func() Offers
}

// newStage knows every kind of page; each is made when it is first asked for,
// because most hubs show two or three of them. That panics when a template is
// wrong: templates are part of the program, and a test renders each.
func newStage(offers func() Offers) stage {
	if offers == nil {
		offers = func() Offers { return Offers{} }
	}
	s := stage{presses: map[string]func() *press{}, prose: newProse(), offers: offers}
	for name, sheets := range map[string][]string{
		"front":        {"base.css", "bars.css", "front.css", "story.css", "form.css"},
		"open":         {"base.css", "bars.css", "front.css", "story.css", "track.css", "form.css"},
		"incident":     {"base.css", "story.css", "timeline.css", "form.css"},
		"component":    {"base.css", "bars.css", "chart.css", "story.css", "form.css"},
		"history":      {"base.css", "months.css"},
		"maintenance":  {"base.css", "story.css", "timeline.css"},
		"uptime":       {"base.css", "bars.css", "chart.css"},
		"subscribe":    {"base.css", "form.css", "choices.css"},
		"subscription": {"base.css", "form.css", "choices.css"},
		"report":       {"base.css", "form.css", "choices.css", "report.css"},
		"error":        {"base.css"},
	} {
		file := name + ".html"
		if name == "open" { // the front page while an incident is open
			file = "front.html"
		}
		s.presses[name] = sync.OnceValue(func() *press {
			t := template.Must(template.New(name).ParseFS(templates.Files, "layout.html", "parts.html", file))
			p := newPress(t, "layout", assets.Text(sheets...), assets.Text("public.js"), "'none'")
			if name == "error" { // it must not swap itself for another error
				p.script = ""
			}
			return p
		})
	}
	s.presses["row"] = sync.OnceValue(func() *press {
		return &press{template: template.Must(template.New("row").ParseFS(templates.Files, "row.html")), layout: "row"}
	})
	s.presses["embed"] = sync.OnceValue(func() *press {
		t := template.Must(template.New("embed").ParseFS(templates.Files, "layout.html", "parts.html", "subscribe.html", "embed.html"))
		return newPress(t, "embed", assets.Text("base.css", "embed.css"), "", "*")
	})
	return s
}

func newPress(t *template.Template, layout, style, script, framedBy string) *press {
	// The texts stand between their tags with nothing added, so that the hashes hold.
	policy := "default-src 'none'; style-src " + hashSource(style) + "; img-src 'self' data:; base-uri 'none'; frame-ancestors " + framedBy
	if script == "" {
		policy += "; form-action 'none'"
	} else {
		policy += "; form-action 'self'; script-src " + hashSource(script) + "; connect-src 'self'"
	}
	return &press{template: t, layout: layout, style: template.CSS(style), script: template.JS(script), policy: policy}
}

// hashSource names an inline text in a policy (CSP3 section 2.3.1).
func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// policy is that of a kind of page.
func (s stage) policy(kind string) string { return s.presses[kind]().policy }

// page renders a page as it is served. Errors: Internal.
func (s stage) page(kind string, data any) (sheet, error) {
	body, err := s.render(kind, data)
	return sheet{body: body, kind: typeHTML, policy: s.policy(kind), html: true}, err
}

// render runs the template of a page. Errors: Internal, when data and template
// do not fit, which a test rules out.
func (s stage) render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(16 << 10)
	err := s.write(&b, name, data)
	return b.Bytes(), err
}

// write is render into a buffer.
func (s stage) write(b *bytes.Buffer, name string, data any) error {
	p := s.presses[name]()
	if err := p.template.ExecuteTemplate(b, p.layout, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return nil
}

// frame is what every page has around its matter.
type frame struct {
	Site     status.Site
	Title    string
	Brand    string
	Class    string // tint of the page: that of its status
	Here     string // which entry of the navigation is this page
	Style    template.CSS
	Script   template.JS
	Icon     template.URL
	Marks    template.HTML
	Version  int64  // grows when anything on the page changes: Unix milliseconds
	Live     string // where changes are announced; "" = nowhere
	Changed  template.HTML
	ZoneNote string
	Report   string
	Home     string // host of the organisation's site
	Base     string // public address, no trailing slash
	Verdict  verdict
}

// verdict is the head of a page in two tones.
type verdict struct {
	Mark, Word string // "" for a page without a status
	Say, Rest  string
	Lead       template.HTML
}

// LivePath is where changes are announced, as server-sent events.
const LivePath = "/live"

// frame makes the frame of a page. s colours it; "" leaves it plain.
func (s stage) frame(kind string, p *status.Page, st status.Status, title string) frame {
	c, press := clockIn(p.Site.Zone), s.presses[kind]()
	f := frame{
		Site: p.Site, Brand: brand(p.Site.Name), Class: "plain", Version: version(p), Live: LivePath,
		Style: press.style, Script: press.script, Marks: marks, Icon: iconURL(p.Status),
		Changed: c.full(p.Changed), ZoneNote: c.note(), Report: s.reportLink(p.Site, "", ""), Home: hostOf(p.Site.Home), Base: p.Site.URL,
	}
	f.Title = title + " · " + f.Brand + " status"
	if st != "" {
		l := lookOf(st)
		f.Class = l.class
		f.Verdict.Mark, f.Verdict.Word = l.class, l.word
	}
	return f
}

// version tells a page from its elder.
func version(p *status.Page) int64 { return p.Changed.UnixMilli() }

// brand is the page's name without a closing "status", which the masthead adds.
func brand(name string) string {
	if cut := len(name) - len(" status"); cut > 0 && strings.EqualFold(name[cut:], " status") {
		return name[:cut]
	}
	return name
}

// hostOf gives the host of a web address for people to read.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return u.Hostname()
}

// reportURL is where a problem is reported; with mail, the component is the
// subject. Anything but a web or a mail address is nowhere.
func reportURL(site status.Site, component string) string {
	u, err := url.Parse(site.ReportURL)
	switch {
	case err != nil:
		return ""
	case u.Scheme == "https" || u.Scheme == "http":
		return site.ReportURL
	case u.Scheme != "mailto":
		return ""
	case component == "" || u.RawQuery != "":
		return site.ReportURL
	default:
		return site.ReportURL + "?subject=" + url.PathEscape("Problem with "+component)
	}
}

// link is a component named in a text.
type link struct{ ID, Name string }

// linksOf names components by id, in the order of the page; what is not public is left out.
func linksOf(p *status.Page, ids []string) []link {
	want := make(map[string]bool, len(ids))
	for _, id := range ids {
		want[id] = true
	}
	var out []link
	for _, g := range p.Groups {
		for _, c := range g.Components {
			if want[c.ID] {
				out = append(out, link{c.ID, c.Name})
			}
		}
	}
	return out
}
