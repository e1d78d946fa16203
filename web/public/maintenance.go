package public

import (
	"html/template"
	"net/url"
	"slices"
	"time"

	"evenkeel/internal/markup"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// workView is one occurrence of maintenance.
type workView struct {
	Href, Title, State string
	Text               template.HTML
	Affects            []link
	Day, Hours         template.HTML
	Began, Until       template.HTML
	Again              []againView // later occurrences of the same window
}

// againView is a later occurrence, by its day.
type againView struct{ Href, Day string }

// work makes the view of an occurrence. What people wrote about it is told in
// full while the purse allows it.
func (s stage) work(p *status.Page, c clock, o status.Occurrence, text *purse) workView {
	began := o.StartedAt
	if began.IsZero() {
		began = o.From
	}
	told := template.HTML("<p>" + template.HTMLEscapeString(markup.Summary(o.Text, maxSummary)) + "</p>")
	if text.afford(o.Text) {
		told = s.prose.html(o.Text)
	}
	return workView{
		Href: maintenancePath(o.ID), Title: o.Title, State: stateWords[o.State], Text: told, Affects: linksOf(p, o.Components),
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
	Lines       []lineView
	Planned     bool // it still lies ahead, or goes on
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

// workLines tells how an occurrence went, the newest line first while it is not
// over: it tells what is known of it by itself.
func workLines(c clock, o status.Occurrence) []lineView {
	var out []lineView
	for _, u := range workUpdates(o) {
		if u.state == status.MaintenanceScheduled && o.CreatedAt.IsZero() {
			continue // it is older than the record of when work was planned
		}
		out = append(out, lineView{State: stateWords[u.state], At: c.brief(u.at, o.From), UTC: c.besideUTC(u.at), Short: workWords[u.state], Last: o.Over() && len(out) == 0})
	}
	if o.Over() {
		slices.Reverse(out)
	}
	return out
}

// workUpdate is one step of a piece of maintenance that has been taken.
type workUpdate struct {
	state status.MaintenanceState
	at    time.Time
}

// workUpdates lists the steps of an occurrence, the newest first: it was
// announced, it began, it ended. Their moments stand still.
func workUpdates(o status.Occurrence) []workUpdate {
	published, _ := workTimes(o)
	out := []workUpdate{{status.MaintenanceScheduled, published}}
	if !o.StartedAt.IsZero() {
		out = append(out, workUpdate{status.MaintenanceInProgress, o.StartedAt})
	}
	switch {
	case o.State == status.MaintenanceVerifying:
		out = append(out, workUpdate{o.State, later(o.To, o.StartedAt)})
	case o.Over() && !o.EndedAt.IsZero():
		out = append(out, workUpdate{o.State, o.EndedAt})
	case o.Over():
		out = append(out, workUpdate{o.State, later(o.ChangedAt, published)})
	}
	slices.Reverse(out)
	return out
}

// later gives the later of two moments.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// maintenance renders the page of one occurrence. Errors: NotFound, Internal.
func (s stage) maintenance(p *status.Page, id string) (sheet, error) {
	o, err := occurrence(p, id)
	if err != nil {
		return sheet{}, err
	}
	c := clockIn(p.Site.Zone)
	d := maintenancePage{frame: s.frame("maintenance", p, status.UnderMaintenance, o.Title), Work: s.work(p, c, o, all())}
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
	d.Lines, d.Planned = workLines(c, o), !o.Over()
	return s.page("maintenance", d)
}
