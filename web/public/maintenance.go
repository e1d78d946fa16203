package public

import (
	"html/template"
	"net/url"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// workView is one occurrence of maintenance.
type workView struct {
	Href, Title, State string
	Text               []string
	Affects            []link
	Day, Hours         template.HTML
	Began, Until       template.HTML
	Again              []againView // later occurrences of the same window
}

// againView is a later occurrence, by its day.
type againView struct{ Href, Day string }

// work makes the view of an occurrence.
func work(p *status.Page, c clock, o status.Occurrence) workView {
	began := o.StartedAt
	if began.IsZero() {
		began = o.From
	}
	return workView{
		Href: maintenancePath(o.ID), Title: o.Title, State: stateWords[o.State], Text: paragraphs(o.Text), Affects: linksOf(p, o.Components),
		Day: c.day(o.From), Hours: c.hours(o.From, o.To), Began: c.since(began, p.At), Until: c.since(o.To, p.At),
	}
}

// maintenancePath is the page of an occurrence; its calendar entry is that with .ics.
func maintenancePath(id string) string { return "/maintenance/" + pathID(id) }

// pathID makes an id fit for a path and for an attribute.
func pathID(id string) string { return url.PathEscape(id) }

// maintenancePage is the data of maintenance.html.
type maintenancePage struct {
	frame
	Work        workView
	From, Until template.HTML
}

// occurrence finds maintenance that the page knows. Errors: NotFound.
func occurrence(p *status.Page, id string) (status.Occurrence, error) {
	for _, list := range [][]status.Occurrence{p.Current, p.Ahead, p.Finished} {
		for _, o := range list {
			if o.ID == id {
				return o, nil
			}
		}
	}
	return status.Occurrence{}, problem.NotFound("There is no such maintenance, or it is long over.")
}

// maintenance renders the page of one occurrence. Errors: NotFound, Internal.
func (s stage) maintenance(p *status.Page, id string) (sheet, error) {
	o, err := occurrence(p, id)
	if err != nil {
		return sheet{}, err
	}
	c := clockIn(p.Site.Zone)
	d := maintenancePage{frame: s.frame("maintenance", p, status.UnderMaintenance, o.Title), Work: work(p, c, o)}
	d.Verdict.Word, d.Verdict.Say = stateWords[o.State], o.Title
	switch o.State {
	case status.MaintenanceScheduled:
		d.Verdict.Rest = "Planned for " + o.From.In(c.zone).Format("Monday 2\u00a0January, 15:04\u00a0MST") + "."
	case status.MaintenanceInProgress, status.MaintenanceVerifying:
		d.Verdict.Rest = "In progress, planned until " + o.To.In(c.zone).Format("15:04 MST") + "."
	case status.MaintenanceCancelled:
		d.Verdict.Rest = "It will not take place."
	case status.MaintenanceCompleted:
		d.Verdict.Rest = "It is over."
	}
	d.From = c.day(o.From) + ", " + c.at(o.From)
	d.Until = c.day(o.To) + ", " + c.at(o.To)
	body, err := s.render("maintenance", d)
	return sheet{body: body, kind: typeHTML, policy: s["maintenance"].policy, html: true}, err
}
