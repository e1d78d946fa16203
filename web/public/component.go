package public

import (
	"html/template"
	"strings"
	"time"

	"evenkeel/internal/status"
)

// maxChartSets bounds how many monitors of a component are drawn.
const maxChartSets = 6

// componentPage is the data of component.html.
type componentPage struct {
	frame
	ID, Name  string
	Sets      []chartSet
	FirstDay  string
	Bars      template.HTML
	Rows      []figureView
	Months    []figureView
	Formula   formulaView
	Needs     []needView
	Incidents []eventView
	Corrected []correctedView
	Tell      *tellView
	Changes   []changeView
}

// correctedView is a stretch of the past that was corrected by hand.
type correctedView struct {
	On, Of template.HTML
	What   string // what it changed
	Reason string
	Undone template.HTML
}

// chartSet is the three charts of one monitor, drawn to one scale.
type chartSet struct {
	Title, Name        string
	Legend             template.HTML
	Day, Week, Quarter template.HTML
}

// figureView is one line of an uptime table.
type figureView struct {
	ID                                                string
	Label, Note                                       string
	Uptime                                            string
	Major, Partial, Degraded, Maintenance, Unmeasured string
}

// needView is a component that this one needs.
type needView struct{ ID, Name, Class, Mark, Word string }

// changeView is one stretch of status.
type changeView struct {
	Class, Mark, Word string
	From, To          template.HTML
	Lasted, Why       string
	Href, Title       string // of the incident that tells of it; "" for none
}

// component renders a component's own page. Errors: Internal.
func (s stage) component(p *status.ComponentPage) (sheet, error) {
	c, now := clockIn(p.Page.Site.Zone), p.Page.At
	of := p.Component
	l := lookOf(of.Status)
	d := componentPage{
		frame: s.frame("component", p.Page, of.Status, of.Name+": "+l.phrase), ID: of.ID, Name: of.Name,
		FirstDay: firstDay(now, c), Bars: bars(of.Days, "#changes", p.Incidents),
		Formula: formulaView{Until: c.at(now), Text: formulaText(p.Page.Weights, "over the period")},
	}
	d.Here = "component"
	d.Report = s.reportLink(p.Page.Site, of.ID, of.Name)
	d.Verdict.Say, d.Verdict.Rest = of.Name, statusSince(of.Status, c.sinceWords(of.Since, now), of.Since)
	d.Verdict.Lead = componentLead(p)
	for n := range p.Incidents {
		v := incidentEvent(c, &p.Incidents[n], now)
		v.When = c.day(p.Incidents[n].StartedAt)
		d.Incidents = append(d.Incidents, v)
	}
	for _, r := range p.Corrected {
		d.Corrected = append(d.Corrected, corrected(c, r))
	}
	d.Tell = s.tell(tellComponent(of.ID))
	d.Sets = chartSets(p.Charts, c)
	for _, r := range p.Rows {
		d.Rows = append(d.Rows, figures(r.Label, r.Tally, r.Uptime))
	}
	for _, m := range p.Months {
		v := figures(m.Month.In(c.zone).Format("January 2006"), m.Tally, m.Uptime)
		v.Note = monthNote(m)
		d.Months = append(d.Months, v)
	}
	for _, n := range p.Needs {
		nl := lookOf(n.Status)
		d.Needs = append(d.Needs, needView{n.ID, n.Name, nl.class, nl.class, nl.word})
	}
	for _, sp := range p.Changes {
		v := change(c, sp)
		if i := tellerOf(p.Incidents, sp); i != nil {
			v.Href, v.Title = incidentPath(i.ID), i.Name
		}
		d.Changes = append(d.Changes, v)
	}
	return s.page("component", d)
}

// statusSince is the second tone of a component's headline.
func statusSince(s status.Status, since string, at time.Time) string {
	words := map[status.Status]string{
		status.Operational: "Working", status.Degraded: "Slow", status.PartialOutage: "Partly down",
		status.MajorOutage: "Down", status.UnderMaintenance: "In maintenance",
	}[s]
	if words == "" {
		words = "Not measured"
	}
	if at.IsZero() {
		return words + "."
	}
	return words + " since " + since + "."
}

// componentLead says why the status is what it is, or else what the component does.
func componentLead(p *status.ComponentPage) template.HTML {
	c := &p.Component
	lead := template.HTML(template.HTMLEscapeString(c.Description))
	if c.Why != "" {
		lead = "<b>Why we say so:</b> " + template.HTML(template.HTMLEscapeString(c.Why))
	}
	for n := range p.Incidents {
		if p.Incidents[n].Open() {
			return lead + template.HTML(` <a href="`+template.HTMLEscapeString(incidentPath(p.Incidents[n].ID))+`">See the open incident</a>`)
		}
	}
	return lead
}

// tellerOf gives the incident that tells of a stretch of trouble; nil for none.
func tellerOf(list []status.Incident, s status.Span) *status.Incident {
	if !s.Status.Worse(status.UnderMaintenance) {
		return nil
	}
	for n := range list {
		i := &list[n]
		if began := i.ResolvedAt.IsZero() || s.From.Before(i.ResolvedAt); began && (s.Open() || s.To.After(i.StartedAt)) {
			return i
		}
	}
	return nil
}

// corrected tells of a correction by hand: what, when, why; never by whom.
func corrected(c clock, r status.Rectification) correctedView {
	v := correctedView{On: c.date(r.At), Of: c.short(r.From) + " to " + c.short(r.To), Reason: r.Reason}
	var parts []string
	for _, part := range []struct {
		of   time.Duration
		word string
	}{{r.Delta.Major, "major outage"}, {r.Delta.Partial, "partial outage"}, {r.Delta.Degraded, "degraded performance"}, {r.Delta.Maintenance, "maintenance"}, {r.Delta.Unmeasured, "not measured"}} {
		switch {
		case part.of < 0:
			parts = append(parts, length(-part.of)+" less "+part.word)
		case part.of > 0:
			parts = append(parts, length(part.of)+" more "+part.word)
		}
	}
	v.What = strings.Join(parts, ", ")
	if !r.Undone.IsZero() {
		v.Undone = c.date(r.Undone)
	}
	return v
}

// chartSets draws the charts, one set a monitor.
func chartSets(charts []status.Chart, c clock) []chartSet {
	var order []string
	of := map[string][]status.Chart{}
	for _, ch := range charts {
		if of[ch.Monitor] == nil {
			if len(order) == maxChartSets {
				continue
			}
			order = append(order, ch.Monitor)
		}
		of[ch.Monitor] = append(of[ch.Monitor], ch)
	}
	var out []chartSet
	for _, m := range order {
		set, s := chartSet{Title: "Latency", Legend: legend(of[m])}, scaleOf(of[m])
		if of[m][0].Unit != "s" {
			set.Title = "Measured"
		}
		if len(order) > 1 || set.Title != "Latency" {
			set.Name = of[m][0].Name
		}
		for _, ch := range of[m] {
			switch html := c.plot(ch, s); ch.Span {
			case "24h":
				set.Day = html
			case "7d":
				set.Week = html
			default:
				set.Quarter = html
			}
		}
		out = append(out, set)
	}
	return out
}

// figures writes one line of an uptime table.
func figures(label string, t status.Tally, uptime float64) figureView {
	return figureView{
		Label: label, Uptime: uptimeLong(uptime), Major: length(t.Major), Partial: length(t.Partial),
		Degraded: length(t.Degraded), Maintenance: length(t.Maintenance), Unmeasured: length(t.Unmeasured),
	}
}

// monthNote says whether a month may still change, and what was corrected.
func monthNote(m status.MonthRow) string {
	switch {
	case len(m.Corrections) == 1:
		return "Closed, corrected once"
	case len(m.Corrections) > 1:
		return "Closed, " + lower(count(len(m.Corrections), "correction", "corrections"))
	case m.Frozen:
		return "Closed"
	default:
		return "So far"
	}
}

// change writes one stretch of status.
func change(c clock, s status.Span) changeView {
	l := lookOf(s.Status)
	v := changeView{Class: l.class, Mark: l.class, Word: l.word, From: c.short(s.From), To: c.short(s.To), Lasted: "open", Why: s.Public}
	if s.Status == status.Operational {
		v.Class += " calm"
	}
	if !s.Open() {
		v.Lasted = length(s.To.Sub(s.From))
	}
	return v
}
