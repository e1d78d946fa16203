package public

import (
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/markup"
	"evenkeel/internal/status"
)

// Bounds of what a page tells of incidents: beyond them it says how much more
// there is, and where.
const (
	maxOpen      = 5       // open incidents told on the front page; the others are named there
	maxNamed     = 20      // of those
	maxFrontText = 8_000   // letters of updates on the front page, altogether
	maxSummary   = 240     // letters of a text in short
	maxEarlier   = 10      // updates of one incident on the front page, beside the newest
	maxUpdates   = 500     // updates on an incident's own page
	maxPageText  = 200_000 // letters of them that are told in full
	maxAffected  = 40      // components that an incident names
	maxMovesTold = 12      // changes of components that an update names
)

// incidentPath is an incident's own page.
func incidentPath(id string) string { return "/incidents/" + url.PathEscape(id) }

// stateWord names a state; one that is not known as it is.
func stateWord(s string) string {
	if w, ok := stateLooks[s]; ok {
		return w
	}
	return s
}

// course is the way of an incident, in order.
var course = [...]string{"investigating", "identified", "monitoring", "resolved"}

// incidentView is an incident on any page.
type incidentView struct {
	ID, Anchor, Href, Title string
	Class, Mark             string
	State                   string
	Impact, Degree          string // "Minor impact", "Minor"
	Affected                []affectedView
	MoreAffected            int
	Track                   []stepView
	Latest                  *updateView
	Earlier                 []updateView
	EarlierWord             string // "One earlier update"
	MoreEarlier             bool   // there are others on its own page
	Started, Next           template.HTML
	Tell                    *tellView
}

// affectedView is a component of an incident.
type affectedView struct{ ID, Name, Phrase string }

// stepView is one stop on the way of an incident.
type stepView struct {
	Word string
	At   template.HTML
	Done bool
	Now  bool
}

// updateView is one update.
type updateView struct {
	State string
	At    template.HTML
	Body  template.HTML // "" when Short is told instead
	Short string
	Href  string // where the whole of a short one stands
	Moves []moveView
}

// moveView is what an update changed about a component.
type moveView struct{ ID, Name, From, To string }

// incidentClass colours an incident: by its impact while it lasts, calm when it is over.
func incidentClass(i *status.Incident) string {
	if !i.Open() {
		return lookOf(status.Operational).class
	}
	return lookOf(i.Worst()).class
}

// incident makes the view of an incident; text is what may be told in full.
func (s stage) incidentView(c clock, i *status.Incident, now time.Time, text *purse) incidentView {
	v := incidentView{
		ID: i.ID, Anchor: "i-" + i.ID, Href: incidentPath(i.ID), Title: i.Name, Class: incidentClass(i), State: stateWord(i.Status), Impact: impactWords[i.Impact], Degree: strings.TrimSuffix(impactWords[i.Impact], " impact"),
		Track: track(c, i, now), Started: c.since(i.StartedAt, now),
	}
	v.Mark = v.Class
	v.Affected, v.MoreAffected = affected(i)
	if i.Open() && i.NextUpdateAt.After(now) {
		v.Next = c.since(i.NextUpdateAt, now)
	}
	if len(i.Updates) > 0 {
		u := s.update(c, &i.Updates[0], v.Href, now, text)
		v.Latest = &u
	}
	return v
}

// earlier adds the updates before the newest, as far as the text reaches.
func (s stage) earlier(v *incidentView, c clock, i *status.Incident, now time.Time, text *purse) {
	if len(i.Updates) < 2 {
		return
	}
	rest := i.Updates[1:]
	for n := range rest {
		if n == maxEarlier || text.left < maxSummary {
			v.MoreEarlier = true
			break
		}
		v.Earlier = append(v.Earlier, s.update(c, &rest[n], v.Href, now, text))
	}
	v.EarlierWord = count(len(rest), "earlier update", "earlier updates")
}

// update makes the view of an update: in full while the purse allows it.
func (s stage) update(c clock, u *status.IncidentUpdate, href string, now time.Time, text *purse) updateView {
	v := updateView{State: stateWord(u.Status), At: c.since(u.At, now), Moves: moves(u)}
	if text.afford(u.Body) {
		v.Body = s.prose.html(u.Body)
		return v
	}
	v.Short, v.Href = markup.Summary(u.Body, maxSummary), href
	text.afford(v.Short)
	return v
}

// moves lists what an update changed.
func moves(u *status.IncidentUpdate) []moveView {
	var out []moveView
	for _, m := range u.Moves {
		if m.To == "" || m.To == m.From || len(out) == maxMovesTold {
			continue
		}
		v := moveView{ID: pathID(m.ID), Name: m.Name, To: lookOf(m.To).phrase}
		if m.From != "" {
			v.From = lookOf(m.From).phrase
		}
		out = append(out, v)
	}
	return out
}

// affected lists the components of an incident with the worst that was said of
// each while it lasted.
func affected(i *status.Incident) (list []affectedView, more int) {
	worst := map[string]status.Status{}
	for _, u := range i.Updates {
		for _, m := range u.Moves {
			for _, st := range []status.Status{m.From, m.To} {
				if st.Worse(worst[m.Key]) {
					worst[m.Key] = st
				}
			}
		}
	}
	for _, a := range i.Components {
		if len(list) == maxAffected {
			return list, len(i.Components) - maxAffected
		}
		st := a.Status
		if !i.Open() && worst[a.Key].Worse(st) {
			st = worst[a.Key]
		}
		v := affectedView{ID: pathID(a.ID), Name: a.Name}
		if st.Worse(status.Operational) {
			v.Phrase = lookOf(st).phrase
		}
		list = append(list, v)
	}
	return list, 0
}

// track makes the four stops of an incident: when it came to each on its present
// way, and where it stands.
func track(c clock, i *status.Incident, now time.Time) []stepView {
	at := map[string]time.Time{}
	for n := range i.Updates { // newest first
		u := &i.Updates[n]
		if i.Open() && u.Status == "resolved" {
			break // it was opened again after that
		}
		at[u.Status] = u.At
	}
	here := slices.Index(course[:], i.Status)
	if here < 0 {
		here = len(course) - 1 // a postmortem was published
	}
	out := make([]stepView, len(course))
	for n, state := range course {
		out[n] = stepView{Word: stateWord(state), Done: n < here, Now: n == here}
		if t := at[state]; n <= here && !t.IsZero() {
			out[n].At = c.brief(t, now)
		}
	}
	return out
}

// span tells how long an incident lasted, or since when it lasts.
func (c clock) span(i *status.Incident, now time.Time) template.HTML {
	if i.Open() || i.ResolvedAt.IsZero() {
		return "since " + c.since(i.StartedAt, now)
	}
	return template.HTML(length(i.ResolvedAt.Sub(i.StartedAt))) + ", " + c.hours(i.StartedAt, i.ResolvedAt)
}

// incidentEvent makes the short view of an incident in a list of the past.
func incidentEvent(c clock, i *status.Incident, now time.Time) eventView {
	l := lookOf(i.Worst())
	v := eventView{Href: incidentPath(i.ID), Name: i.Name, Class: l.class, Mark: l.class, Word: l.word, Span: c.span(i, now)}
	if i.Worst() == status.Operational {
		v.Word = impactWords["none"]
	}
	switch {
	case i.Open():
		v.Text = "It is not over yet."
	case len(i.Updates) > 0:
		v.Text = markup.Summary(i.Updates[0].Body, maxSummary)
	}
	var names []string
	for n, a := range i.Components {
		if n == maxEventNames {
			names = append(names, "and more")
			break
		}
		names = append(names, a.Name)
	}
	v.Of = strings.Join(names, ", ")
	return v
}

// maxEventNames is how many components a short view names.
const maxEventNames = 4
