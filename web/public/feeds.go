package public

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/calendar"
	"evenkeel/internal/markup"
	"evenkeel/internal/status"
)

// Bounds of a feed: older entries stand in the history, older updates on the
// page of their incident.
const (
	maxEntries      = 100
	maxFeedText     = 100_000 // letters of updates, altogether
	maxEntryUpdates = 50
)

// entry is one item of every feed: an incident, a trouble that none tells of, or
// a piece of maintenance. Its id stays the same while the entry is updated.
type entry struct {
	id, link, title    string
	html               template.HTML
	published, updated time.Time
}

// entries tells the page as items, the newest change first.
func entries(p *status.Page, words *prose) []entry {
	c := clockIn(p.Site.Zone)
	var out []entry
	text := &purse{maxFeedText}
	for n := range p.Recent {
		out = append(out, incidentEntry(p, c, &p.Recent[n], words, text))
	}
	for _, day := range p.Past {
		for _, e := range day.Events {
			out = append(out, troubleEntry(p, c, e))
		}
	}
	for _, list := range [][]status.Occurrence{p.Current, p.Ahead, p.Finished} {
		for _, o := range list {
			out = append(out, workEntry(p, c, o, words, text))
		}
	}
	slices.SortStableFunc(out, func(a, b entry) int {
		return cmp.Or(b.updated.Compare(a.updated), cmp.Compare(a.id, b.id))
	})
	return out[:min(len(out), maxEntries)]
}

// incidentEntry tells an incident: what was said, the newest first.
func incidentEntry(p *status.Page, c clock, i *status.Incident, words *prose, text *purse) entry {
	v := entry{
		id: tagURI(p.Site, "incident/"+pathID(i.ID), time.Unix(0, 0)), link: p.Site.URL + incidentPath(i.ID),
		title: i.Name + ", " + lower(stateWord(i.Status)), published: i.CreatedAt, updated: later(i.UpdatedAt, i.CreatedAt),
	}
	var b strings.Builder
	if n := len(i.Components); n > 0 {
		names := make([]string, min(n, maxAffected))
		for k := range names {
			names[k] = i.Components[k].Name
		}
		b.WriteString("<p>" + template.HTMLEscapeString(impactWords[i.Impact]+". Affects "+strings.Join(names, ", ")+".") + "</p>")
	}
	for n := range i.Updates {
		u := &i.Updates[n]
		if n == maxEntryUpdates || !text.afford(u.Body) {
			b.WriteString(`<p><a href="` + template.HTMLEscapeString(v.link) + `">Everything that was said</a></p>`)
			break
		}
		b.WriteString("<p><strong>" + template.HTMLEscapeString(stateWord(u.Status)) + "</strong>, " + template.HTMLEscapeString(c.moment(u.At)) + "</p>" + string(words.html(u.Body)))
	}
	v.html = template.HTML(b.String())
	return v
}

// paragraph makes HTML of a text without marks.
func paragraph(text string) template.HTML {
	return template.HTML("<p>" + template.HTMLEscapeString(text) + "</p>")
}

// troubleEntry tells one trouble of a component.
func troubleEntry(p *status.Page, c clock, e status.PastEvent) entry {
	l := lookOf(e.Status)
	v := entry{
		id:   tagURI(p.Site, "component/"+pathID(e.Component), e.From),
		link: p.Site.URL + "/components/" + pathID(e.Component), title: e.Name + ": " + l.phrase,
		published: e.From, updated: e.From,
	}
	if e.To.IsZero() {
		v.html = paragraph(sentence(e.Text, "It has lasted since "+c.moment(e.From)+"."))
		return v
	}
	v.title += ", over"
	v.updated = e.To
	v.html = paragraph(sentence(e.Text, "It lasted "+length(e.To.Sub(e.From))+", from "+c.moment(e.From)+" to "+c.moment(e.To)+"."))
	return v
}

// workTimes tells when a piece of maintenance became news and when it last was
// so: it is from the moment it comes into sight of the page, and again with
// every revision and when it begins and ends. These stand still while nothing
// about it changes.
func workTimes(o status.Occurrence) (published, updated time.Time) {
	published = announced(o)
	updated = revised(o)
	for _, at := range []time.Time{o.StartedAt, o.EndedAt} {
		if at.After(updated) {
			updated = at
		}
	}
	return published, updated
}

// announced is when a piece of maintenance was planned, or came into sight.
func announced(o status.Occurrence) time.Time {
	if sight := o.From.Add(-status.AheadFor); sight.After(o.CreatedAt) {
		return sight
	}
	return o.CreatedAt
}

// revised is when the plan of a piece of maintenance was last news. What became
// of it since has its own times.
func revised(o status.Occurrence) time.Time {
	at := announced(o)
	if o.Sequence > 0 && o.ChangedAt.After(at) && (o.StartedAt.IsZero() || o.ChangedAt.Before(o.StartedAt)) {
		return o.ChangedAt
	}
	return at
}

// workEntry tells one piece of maintenance.
func workEntry(p *status.Page, c clock, o status.Occurrence, words *prose, text *purse) entry {
	v := entry{
		id: tagURI(p.Site, "maintenance/"+pathID(o.ID), o.From), link: p.Site.URL + maintenancePath(o.ID),
		title: "Maintenance: " + o.Title + ", " + lower(stateWords[o.State]),
		html:  paragraph("Planned from " + c.moment(o.From) + " to " + c.moment(o.To) + "."),
	}
	if text.afford(o.Text) {
		v.html = words.html(o.Text) + v.html
	}
	v.published, v.updated = workTimes(o)
	return v
}

// moment writes a full point in time for a sentence, in the page's zone and UTC.
func (c clock) moment(t time.Time) string {
	s := t.In(c.zone).Format("15:04 MST on 2 January 2006")
	if !c.isUTC(t) {
		s += " (" + t.UTC().Format("15:04 UTC") + ")"
	}
	return s
}

// sentence joins two sentences, of which the first may be missing.
func sentence(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}

// tagURI makes an id that stays the same for ever (RFC 4151).
func tagURI(s status.Site, what string, at time.Time) string {
	return fmt.Sprintf("tag:%s,2026:%s/%d", orElse(hostOf(s.URL), "localhost"), what, at.Unix())
}

// subtitle says what a feed is about.
func subtitle(p *status.Page) string {
	s := "Changes of status and planned work."
	if p.Site.Simulated {
		s += " This is a demo: the services are simulated and the past is generated."
	}
	return s
}

type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle"`
	ID       string      `xml:"id"`
	Updated  string      `xml:"updated"`
	Author   string      `xml:"author>name"`
	Links    []atomLink  `xml:"link"`
	Entries  []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
	Type string `xml:"type,attr,omitempty"`
}

type atomEntry struct {
	Title     string   `xml:"title"`
	ID        string   `xml:"id"`
	Published string   `xml:"published"`
	Updated   string   `xml:"updated"`
	Link      atomLink `xml:"link"`
	Content   struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	} `xml:"content"`
}

// atom writes RFC 4287. Errors: Internal.
func atom(p *status.Page, words *prose) ([]byte, error) {
	f := atomFeed{
		Title: brand(p.Site.Name) + " status", Subtitle: subtitle(p), ID: tagURI(p.Site, "page", time.Unix(0, 0)), Author: brand(p.Site.Name),
		Updated: p.Changed.UTC().Format(time.RFC3339),
		Links:   []atomLink{{"self", p.Site.URL + "/history.atom", "application/atom+xml"}, {"alternate", p.Site.URL + "/", "text/html"}},
	}
	for _, e := range entries(p, words) {
		a := atomEntry{Title: e.title, ID: e.id, Published: e.published.UTC().Format(time.RFC3339), Updated: e.updated.UTC().Format(time.RFC3339), Link: atomLink{"alternate", e.link, "text/html"}}
		a.Content.Type, a.Content.Text = "html", string(e.html)
		f.Entries = append(f.Entries, a)
	}
	return xmlBytes(f)
}

type rssFeed struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Atom    string   `xml:"xmlns:atom,attr"`
	Channel struct {
		Title string `xml:"title"`
		Link  string `xml:"link"`
		Self  struct {
			atomLink
		} `xml:"atom:link"`
		Description string    `xml:"description"`
		Language    string    `xml:"language"`
		LastBuild   string    `xml:"lastBuildDate"`
		TTL         int       `xml:"ttl"`
		Items       []rssItem `xml:"item"`
	} `xml:"channel"`
}

type rssItem struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	Description string `xml:"description"`
	Date        string `xml:"pubDate"`
	GUID        struct {
		Permanent bool   `xml:"isPermaLink,attr"`
		ID        string `xml:",chardata"`
	} `xml:"guid"`
}

// rss writes RSS 2.0. Errors: Internal.
func rss(p *status.Page, words *prose) ([]byte, error) {
	f := rssFeed{Version: "2.0", Atom: "http://www.w3.org/2005/Atom"}
	ch := &f.Channel
	ch.Title, ch.Link, ch.Description, ch.Language = brand(p.Site.Name)+" status", p.Site.URL+"/", subtitle(p), "en-gb"
	ch.Self.atomLink = atomLink{"self", p.Site.URL + "/history.rss", "application/rss+xml"}
	ch.LastBuild, ch.TTL = p.Changed.UTC().Format(time.RFC1123Z), 1
	for _, e := range entries(p, words) {
		it := rssItem{Title: e.title, Link: e.link, Description: string(e.html), Date: e.updated.UTC().Format(time.RFC1123Z)}
		it.GUID.ID = e.id
		ch.Items = append(ch.Items, it)
	}
	return xmlBytes(f)
}

// xmlBytes writes a document with its declaration.
func xmlBytes(v any) ([]byte, error) {
	b, err := xml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write feed: %w", err)
	}
	return append(append([]byte(xml.Header), b...), '\n'), nil
}

type jsonFeed struct {
	Version     string         `json:"version"`
	Title       string         `json:"title"`
	Home        string         `json:"home_page_url"`
	Feed        string         `json:"feed_url"`
	Description string         `json:"description"`
	Language    string         `json:"language"`
	Items       []jsonFeedItem `json:"items"`
}

type jsonFeedItem struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Title     string    `json:"title"`
	HTML      string    `json:"content_html"`
	Published time.Time `json:"date_published"`
	Modified  time.Time `json:"date_modified"`
}

// feedJSON writes JSON Feed 1.1. Errors: Internal.
func feedJSON(p *status.Page, words *prose) ([]byte, error) {
	f := jsonFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: brand(p.Site.Name) + " status", Home: p.Site.URL + "/", Feed: p.Site.URL + "/feed.json",
		Description: subtitle(p), Language: "en-GB", Items: []jsonFeedItem{},
	}
	for _, e := range entries(p, words) {
		f.Items = append(f.Items, jsonFeedItem{e.id, e.link, e.title, string(e.html), e.published.UTC(), e.updated.UTC()})
	}
	b, err := json.Marshal(f)
	return append(b, '\n'), err
}

// pageURL is the address of a path of the page; "" while it is not known where
// the page is reached, because calendars take no relative one.
func pageURL(p *status.Page, path string) string {
	if p.Site.URL == "" {
		return ""
	}
	return p.Site.URL + path
}

// calendarFile writes maintenance as a calendar: of one occurrence, or of all.
func calendarFile(p *status.Page, list []status.Occurrence) []byte {
	f := calendar.File{Name: brand(p.Site.Name) + " maintenance", Description: subtitle(p), URL: pageURL(p, "/")}
	for _, o := range list {
		_, revised := workTimes(o)
		f.Events = append(f.Events, calendar.Event{
			UID: o.ID + "@" + orElse(hostOf(p.Site.URL), "localhost"), Sequence: o.Sequence, Revised: revised, Start: o.From, End: o.To, Title: brand(p.Site.Name) + ": " + o.Title,
			Description: workDescription(o), URL: pageURL(p, maintenancePath(o.ID)), Cancelled: o.State == status.MaintenanceCancelled,
		})
	}
	return f.Bytes()
}

// workDescription tells a piece of maintenance in plain text: what was planned,
// and how it went.
func workDescription(o status.Occurrence) string {
	lines := []string{markup.Text(o.Text)}
	for _, u := range slices.Backward(workUpdates(o)) {
		if u.state != status.MaintenanceScheduled {
			lines = append(lines, u.at.UTC().Format("15:04 UTC, 2 January 2006: ")+workWords[u.state])
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n\n"))
}

// calendarAll writes everything that is going on, ahead, or lately finished.
func calendarAll(p *status.Page) []byte {
	all := slices.Concat(p.Current, p.Ahead, p.Finished)
	slices.SortStableFunc(all, func(a, b status.Occurrence) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	return calendarFile(p, all)
}
