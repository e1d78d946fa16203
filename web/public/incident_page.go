package public

import (
	"cmp"
	"html/template"
	"slices"
	"time"

	"evenkeel/internal/status"
)

// incidentPage is the data of incident.html.
type incidentPage struct {
	frame
	Incident  incidentView
	Lines     []lineView
	MoreLines int
	Lasted    template.HTML
	Review    *reviewView
}

// lineView is one line of a timeline: an update, or what checks saw.
type lineView struct {
	Fact   bool
	Last   bool // the newest word, when the incident is over
	State  string
	At     template.HTML
	UTC    template.HTML
	Body   template.HTML
	Short  string
	Moves  []moveView
	ID     string // of the component of a fact
	Name   string
	Before string // the words before and after its name
	Phrase string
	Edited template.HTML

	at time.Time
}

// reviewView is a published postmortem.
type reviewView struct {
	Body              template.HTML
	Published, Edited template.HTML
}

// incident renders an incident's own page. Errors: Internal.
func (s stage) incident(p *status.IncidentPage) (sheet, error) {
	c, now, i := clockIn(p.Page.Site.Zone), p.Page.At, &p.Incident
	text := &purse{maxPageText}
	d := incidentPage{frame: s.frame("incident", p.Page, "", i.Name)}
	d.Incident = s.incidentView(c, i, now, &purse{})
	d.Class = d.Incident.Class
	d.Here = "incident"
	d.Report = s.reportLink(p.Page.Site, "", i.Name)
	d.Lines, d.MoreLines = s.lines(c, p, text)
	d.Lasted = c.span(i, now)
	d.Verdict = incidentVerdict(c, i, now)
	if i.Open() {
		d.Incident.Tell = s.tell(tellIncident(i.ID))
	}
	if i.Review.Body != "" {
		d.Review = &reviewView{Body: s.prose.html(i.Review.Body), Published: c.day(i.Review.PublishedAt), Edited: c.edited(i.Review.EditedAt, now)}
	}
	return s.page("incident", d)
}

// incidentVerdict is the head of an incident's page.
func incidentVerdict(c clock, i *status.Incident, now time.Time) verdict {
	class := incidentClass(i)
	v := verdict{Mark: class, Word: stateWord(i.Status), Say: sentenceOf(i.Name)}
	if i.Open() {
		v.Rest = "Since " + c.sinceWords(i.StartedAt, now) + "."
		if i.NextUpdateAt.After(now) {
			v.Lead = "The next update comes by " + c.since(i.NextUpdateAt, now) + "."
		}
		return v
	}
	if !i.ResolvedAt.IsZero() {
		v.Rest = "It lasted " + lengthInWords(i.ResolvedAt.Sub(i.StartedAt)) + "."
		v.Lead = "From " + c.hours(i.StartedAt, i.ResolvedAt) + " on " + c.date(i.StartedAt) + "."
	}
	return v
}

// lines makes the timeline: the newest line first while the incident is open,
// the story from its beginning when it is over.
func (s stage) lines(c clock, p *status.IncidentPage, text *purse) (out []lineView, more int) {
	i, now := &p.Incident, p.Page.At
	updates := i.Updates
	if len(updates) > maxUpdates {
		updates, more = updates[:maxUpdates], len(updates)-maxUpdates
	}
	oldest := now
	for n := range updates {
		u := &updates[n]
		v := s.update(c, u, "", now, text)
		out = append(out, lineView{
			State: v.State, At: c.brief(u.At, i.StartedAt), UTC: c.besideUTC(u.At), Body: v.Body, Short: v.Short, Moves: v.Moves,
			Edited: c.edited(u.EditedAt, now), at: u.At, Last: n == 0 && !i.Open(),
		})
		oldest = u.At
	}
	for _, f := range p.Facts {
		if more > 0 && f.At.Before(oldest) {
			continue
		}
		words := factWords[f.Status]
		out = append(out, lineView{Fact: true, At: c.brief(f.At, i.StartedAt), ID: pathID(f.ID), Name: f.Name, Before: words[0], Phrase: words[1], at: f.At})
	}
	slices.SortStableFunc(out, func(a, b lineView) int { return cmp.Compare(b.at.UnixMicro(), a.at.UnixMicro()) })
	if !i.Open() {
		slices.Reverse(out)
	}
	return out, more
}
