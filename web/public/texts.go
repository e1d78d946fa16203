package public

import (
	"fmt"
	"html/template"
	"net/http"

	"evenkeel/internal/status"
)

// uptimePage is the data of uptime.html.
type uptimePage struct {
	frame
	Formula formulaView
	Rows    []figureView
}

// uptime renders the formula and the figures behind every bar. Errors: Internal.
func (s stage) uptime(p *status.Page) (sheet, error) {
	d := uptimePage{frame: s.frame("uptime", p, "", "How uptime is worked out")}
	d.Verdict.Say, d.Verdict.Rest = "Uptime", "How it is worked out, and from what."
	c := clockIn(p.Site.Zone)
	d.Formula = formulaView{Until: c.at(p.At), Text: formulaText(p.Weights, "over the last 90 days")}
	for _, g := range p.Groups {
		for _, comp := range g.Components {
			var t status.Tally
			for _, day := range comp.Days {
				t = t.Add(day.Tally)
			}
			v := figures(comp.Name, t, comp.Uptime)
			v.ID = comp.ID
			d.Rows = append(d.Rows, v)
		}
	}
	return s.page("uptime", d)
}

// embedPage is the data of embed.html.
type embedPage struct{ frame }

// embed renders the widget for other sites. Errors: Internal.
func (s stage) embed(p *status.Page) (sheet, error) {
	d := embedPage{s.frame("embed", p, p.Headline.Status, trimDot(p.Headline.Title))}
	d.Verdict.Say, d.Verdict.Rest = p.Headline.Title, p.Headline.Rest
	return s.page("embed", d)
}

// errorPage is the data of error.html.
type errorPage struct {
	frame
	Request string
}

// failure renders the page of an error: the words of its code, and what the
// person who asked may know of it. Errors: Internal.
func (s stage) failure(p *status.Page, code int, detail, request string) ([]byte, string, error) {
	words, ok := errorWords[code]
	if !ok {
		words = [2]string{http.StatusText(code) + ".", ""}
	}
	d := errorPage{frame: s.frame("error", p, "", fmt.Sprintf("Error %d", code)), Request: request}
	d.Live = ""
	d.Verdict.Say, d.Verdict.Rest = words[0], words[1]
	d.Verdict.Lead = template.HTML(template.HTMLEscapeString(detail))
	body, err := s.render("error", d)
	return body, s.policy("error"), err
}
