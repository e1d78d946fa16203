package public

import (
	"net/url"
	"strings"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Where visitors report a problem.
const (
	ReportPath   = "/report"
	ReportedPath = ReportPath + "/sent"
	reportAbout  = ReportPath + "/about/" // a component
)

// maxKnown bounds the open incidents that are named to somebody about to write.
const maxKnown = 3

// Report is what a visitor says is wrong. The component is named by ID.
type Report struct {
	Component string
	Subject   string
	Text      string
	Address   string
	Name      string
	// Trap is a field that people do not see: who fills it in is a machine.
	Trap    string
	Problem string // what is wrong with it, when it is shown again
}

// ReadReport takes a form as a browser sent it.
func ReadReport(v url.Values) Report {
	word := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	return Report{
		Component: word("component"), Subject: word("subject"), Text: strings.ReplaceAll(word("text"), "\r\n", "\n"), Address: word("address"), Name: word("name"),
		Trap: v.Get("website"),
	}
}

// About gives the key of the component that a report is about; "" when it names
// none. Errors: Invalid for one that is not on the page.
func (p *Photographer) About(r Report) (key string, err error) {
	if r.Component == "" {
		return "", nil
	}
	c, err := onPage(p.taken.Load().page, r.Component)
	if err != nil {
		return "", problem.Invalid("component", "There is no component %q on this page.", clip(r.Component, 80))
	}
	return c.Key, nil
}

// Reporting gives the form with what is wrong with it. Errors: Internal.
func (p *Photographer) Reporting(r Report) (Answer, error) {
	return p.answer(p.stage.report(p.taken.Load().page, r))
}

// reportPage is the data of report.html.
type reportPage struct {
	frame
	Form    Report
	Groups  []groupChoice
	Known   []link // incidents that are open, where they are named
	Problem string
}

// report renders the form by which a visitor says what is wrong. What is open is
// named first: whoever sees their trouble there need not write.
// Errors: NotFound where nobody reads reports, or for a component that is not on
// the page; Internal.
func (s stage) report(p *status.Page, r Report) (sheet, error) {
	if !s.offers().Report {
		return sheet{}, problem.NotFound("There is no form here.")
	}
	d := reportPage{frame: s.frame("report", p, "", "Report a problem"), Form: r, Problem: r.Problem}
	d.Here, d.Live = "report", ""
	d.Verdict.Say, d.Verdict.Rest = "Report a problem", "Tell us what you see."
	if r.Component != "" && r.Problem == "" {
		c, err := onPage(p, r.Component)
		if err != nil {
			return sheet{}, err
		}
		d.Verdict.Rest = c.Name + "."
	}
	for _, g := range p.Groups {
		choice := groupChoice{choiceView: choiceView{Value: g.ID, Word: g.Name}}
		for _, c := range g.Components {
			choice.Components = append(choice.Components, choiceView{c.ID, c.Name, c.ID == r.Component})
		}
		d.Groups = append(d.Groups, choice)
	}
	for _, i := range p.Incidents {
		if len(d.Known) < maxKnown {
			d.Known = append(d.Known, link{i.ID, i.Name})
		}
	}
	return s.page("report", d)
}

// reported renders what follows on a report. It is the same for everybody,
// whatever became of it.
func (s stage) reported(p *status.Page) (sheet, error) {
	return s.page("subscription", s.subscription(p, ReportedPath, ""))
}

// reportLink is where a problem is reported: where the file says, else our own
// form where somebody reads what it brings. A component is named to it.
func (s stage) reportLink(site status.Site, id, name string) string {
	switch {
	case site.ReportURL != "":
		return reportURL(site, name)
	case !s.offers().Report:
		return ""
	case id != "":
		return reportAbout + url.PathEscape(id)
	}
	return ReportPath
}
