package notify

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"evenkeel/internal/notice"
)

// The limits of words from elsewhere.
const (
	maxTitle   = 300   // characters of a title
	maxNote    = 8_000 // characters of what staff are told
	maxNames   = 50    // components that are named one by one
	maxAlso    = 20    // further events of one message that are told one by one
	maxHeading = 200   // characters of a subject line
)

// tone is how a message is coloured, where there is colour. It never says more
// than the words do.
type tone string

// The tones.
const (
	toneGood        tone = "good"
	toneInfo        tone = "info"
	toneMinor       tone = "minor"
	toneMajor       tone = "major"
	toneCritical    tone = "critical"
	toneMaintenance tone = "maintenance"
)

// telling is what a message says, before a channel gives it a form. What stands
// in it for a subscriber is public.
type telling struct {
	Staff       bool
	Page        string // its name
	Lead        string // what happened: Resolved, Reminder 2
	Title       string // of what
	Tone        tone
	Body        string // Markdown, public
	Note        string // plain text, staff only
	Facts       []fact
	Links       []link // the first is the main one
	Acknowledge string // link; "" for none
	Manage      string // links of a subscriber
	Unsubscribe string
	Confirm     string
	Simulated   bool
	Again       bool // sent before, perhaps: it may arrive twice
	Delivery    string
	Also        []telling // what else is told along with it
	More        int       // events beyond those
}

// fact is one thing and its value.
type fact struct{ Name, Value string }

// link is where to read on.
type link struct{ Label, URL string }

// Headline is the message in one line.
func (t telling) Headline() string {
	switch {
	case t.Title == "":
		return t.Lead
	case t.Lead == "":
		return t.Title
	}
	return t.Lead + ": " + t.Title
}

// Subject is the headline as the subject of a mail.
func (t telling) Subject() string {
	s := "[" + t.Page + "] " + t.Headline()
	if t.Simulated {
		s = "[Demo] " + s
	}
	if t.More += len(t.Also); t.More > 0 {
		s += " (and " + strconv.Itoa(t.More) + " more)"
	}
	return cut(s, maxHeading)
}

// wording turns messages into words.
type wording struct {
	zone *time.Location            // moments are written in it
	name func(actor string) string // nil = nobody is named
}

// telling puts a message into words.
func (w wording) telling(m notice.Message) telling {
	t := w.event(m, m.Event)
	t.Page, t.Simulated, t.Again, t.Delivery = line(m.PageName, maxTitle), m.Simulated, m.Attempt > 1, m.Delivery.ID
	if t.Page == "" {
		t.Page = "Status"
	}
	t.Manage, t.Unsubscribe, t.Confirm = m.Manage, m.Unsubscribe, m.Confirm
	if t.Staff && m.Event.Alarm != notice.AlarmClear && m.Event.Kind != "alert.acknowledged" {
		t.Acknowledge = m.Acknowledge
	}
	for i, e := range m.Also {
		if i == maxAlso {
			t.More = len(m.Also) - maxAlso
			break
		}
		t.Also = append(t.Also, w.event(m, e))
	}
	return t
}

// event puts one event into words for whom the message is for.
func (w wording) event(m notice.Message, e notice.Event) telling {
	c, staff := e.Content, toStaff(m)
	t := telling{Staff: staff, Title: line(c.Title, maxTitle), Body: c.Body}
	if t.Title == "" {
		t.Title = names(c.Names)
	}
	t.Lead, t.Tone = lead(e)
	switch noun, _, _ := strings.Cut(e.Kind, "."); noun {
	case "alert":
		t.Title = line(telling{Lead: t.Lead, Title: t.Title}.Headline(), maxTitle)
		t.Lead = alertLead(e)
	case "attention":
		t.Lead, t.Tone = "Needs attention", toneMinor
		if e.Alarm == notice.AlarmClear || strings.HasSuffix(e.Kind, ".settled") {
			t.Lead, t.Tone = "No longer needs attention", toneGood
		}
	case "channel":
		t.Lead, t.Title, t.Tone = "Test", "this channel works", toneInfo
		t.Body = "Somebody is trying out this channel. Nothing is wrong, and there is nothing to do."
	case "drill":
		t.Lead, t.Title, t.Tone = "Drill", "please acknowledge", toneMajor
		t.Body = "This is a drill. Nothing is wrong; acknowledge it as you would the real thing."
	case "subscriber":
		subscription(&t, e)
		return t
	}
	w.facts(&t, e)
	w.links(&t, m, e)
	if staff {
		t.Note = strings.TrimSpace(cut(plainText(c.Staff), maxNote))
	}
	return t
}

// subscription puts a message to a new subscriber into words.
func subscription(t *telling, e notice.Event) {
	t.Tone, t.Title = toneInfo, ""
	if e.Kind == "subscriber.known" {
		t.Lead = "You are subscribed already"
		t.Body = "Somebody, probably you, asked for updates to be sent to this address. It gets them already; what it gets can be chosen anew."
		return
	}
	t.Lead = "Please confirm your subscription"
	t.Body = "Somebody, probably you, asked for updates to be sent to this address. They begin once you confirm. If it was not you, do nothing: you will not hear from us again."
}

// lead gives what happened in a word or two, and how it is coloured.
func lead(e notice.Event) (string, tone) {
	if word, ok := kindWords[e.Kind]; ok {
		if word.tone == "" {
			word.tone = toneOf(e)
		}
		return word.text, word.tone
	}
	words := statusWords
	if strings.HasPrefix(e.Kind, "maintenance.") || e.Subject.Kind == "maintenance" {
		words = maintenanceWords
	}
	word := words[e.Content.Status]
	if word.tone == "" {
		word.tone = toneOf(e)
	}
	return word.text, word.tone
}

// word is a word or two, and their colour; "" is that of the impact.
type word struct {
	text string
	tone tone
}

// kindWords are the words for events that say more than the status does.
var kindWords = map[string]word{
	"component.recovered": {"All well again", toneGood},
	"incident.declared":   {"Declared", ""},
	"incident.reopened":   {"Open again", ""},
	"incident.dropped":    {"Dropped", toneInfo},
	"incident.merged":     {"Merged into another", toneInfo},
	"incident.postmortem": {"Postmortem", toneInfo},

	"maintenance.changed":  {"Maintenance changed", toneMaintenance},
	"maintenance.extended": {"Maintenance takes longer", toneMaintenance},
	"maintenance.reminder": {"Maintenance soon", toneMaintenance},
	"maintenance.overdue":  {"Maintenance is overdue", toneMinor},
}

// toneOf gives the colour of an event by its impact, or severity.
func toneOf(e notice.Event) tone {
	grade := e.Content.Impact
	if grade == "" {
		grade = string(e.Severity)
	}
	switch grade {
	case "minor":
		return toneMinor
	case "major":
		return toneMajor
	case "critical":
		return toneCritical
	case "maintenance":
		return toneMaintenance
	}
	return toneInfo
}

// statusWords are the words for where an incident or a component stands.
var statusWords = map[string]word{
	"suspected":     {"Suspected", ""},
	"investigating": {"Investigating", ""},
	"identified":    {"Identified", ""},
	"monitoring":    {"Monitoring", ""},
	"resolved":      {"Resolved", toneGood},
	"postmortem":    {"Postmortem", toneInfo},

	"operational":          {"Operational", toneGood},
	"degraded_performance": {"Degraded performance", toneMinor},
	"partial_outage":       {"Partial outage", toneMajor},
	"major_outage":         {"Major outage", toneCritical},
	"under_maintenance":    {"Maintenance", toneMaintenance},
	"not_measured":         {"Not measured", toneInfo},
}

// maintenanceWords are the words for where maintenance stands.
var maintenanceWords = map[string]word{
	"":            {"Maintenance", toneMaintenance},
	"scheduled":   {"Maintenance scheduled", toneMaintenance},
	"in_progress": {"Maintenance in progress", toneMaintenance},
	"verifying":   {"Maintenance being checked", toneMaintenance},
	"completed":   {"Maintenance completed", toneMaintenance},
	"cancelled":   {"Maintenance cancelled", toneMaintenance},
}

// impactWords are the words for an impact.
var impactWords = map[string]string{"minor": "Minor", "major": "Major", "critical": "Critical"}

// alertLead gives what happened to an alert.
func alertLead(e notice.Event) string {
	switch e.Kind {
	case "alert.escalated":
		return "Escalated"
	case "alert.acknowledged":
		return "Acknowledged"
	}
	if n := e.Content.Facts["reminder"]; n != "" && n != "0" {
		return "Reminder " + line(n, 10)
	}
	return "Reminder"
}

// facts adds what there is to know beside the words.
func (w wording) facts(t *telling, e notice.Event) {
	c := e.Content
	add := func(name, value string) {
		if value != "" {
			t.Facts = append(t.Facts, fact{name, value})
		}
	}
	if len(c.Names) > 0 {
		add("Affected", names(c.Names))
	}
	add("Impact", impactWords[c.Impact])
	maintenance := e.Subject.Kind == "maintenance"
	switch {
	case maintenance && !c.From.IsZero() && !c.To.IsZero():
		add("When", w.span(c.From, c.To))
	case !c.From.IsZero():
		add("Since", w.moment(c.From))
		if !c.To.IsZero() && c.To.After(c.From) {
			add("Until", w.moment(c.To))
			add("Lasted", lasted(c.To.Sub(c.From)))
		}
	}
	if t.Staff {
		add("Incident", line(c.Facts["label"], maxTitle))
		if w.name != nil && c.Facts["by"] != "" {
			add("By", line(w.name(c.Facts["by"]), maxTitle))
		}
	}
	if t.Staff && e.Severity != "" && e.Severity != notice.SeverityInfo {
		add("Severity", strings.ToUpper(string(e.Severity[:1]))+string(e.Severity[1:]))
	}
}

// links adds where to read on.
func (w wording) links(t *telling, m notice.Message, e notice.Event) {
	c := e.Content
	add := func(label, base, path string) {
		if base != "" && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
			t.Links = append(t.Links, link{label, base + path})
		}
	}
	if t.Staff {
		add("Open in the console", m.Hub, c.Console)
		if u, err := url.Parse(c.Runbook); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
			t.Links = append(t.Links, link{"Run-book", u.String()})
		}
		add("Public page", m.Page, c.Path)
		return
	}
	add("Read more", m.Page, c.Path)
	if len(t.Links) == 0 && m.Page != "" {
		t.Links = append(t.Links, link{"Status page", m.Page})
	}
}

// moment writes a time in the zone of the page, and in UTC where that is another.
func (w wording) moment(t time.Time) string {
	local := t.In(w.zone)
	text := local.Format("2 January 2006, 15:04 MST")
	if _, offset := local.Zone(); offset != 0 {
		text += t.UTC().Format(" (15:04 UTC)")
	}
	return text
}

// span writes a stretch of time.
func (w wording) span(from, to time.Time) string {
	a, b := from.In(w.zone), to.In(w.zone)
	if a.Format(time.DateOnly) != b.Format(time.DateOnly) {
		return w.moment(from) + " to " + w.moment(to)
	}
	text := a.Format("2 January 2006, 15:04") + " to " + b.Format("15:04 MST")
	if _, offset := a.Zone(); offset != 0 {
		text += from.UTC().Format(" (15:04") + to.UTC().Format(" to 15:04 UTC)")
	}
	return text
}

// lasted writes a length of time in its two largest units.
func lasted(d time.Duration) string {
	d = max(d.Round(time.Minute), time.Minute)
	var parts []string
	for _, u := range []struct {
		size time.Duration
		word string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / u.size); n > 0 && len(parts) < 2 {
			word := strconv.Itoa(n) + " " + u.word
			if n > 1 {
				word += "s"
			}
			parts = append(parts, word)
			d -= time.Duration(n) * u.size
		}
	}
	return strings.Join(parts, " ")
}

// names joins names of components, the first of very many.
func names(list []string) string {
	var out []string
	for i, name := range list {
		if i == maxNames {
			out = append(out, strconv.Itoa(len(list)-maxNames)+" more")
			break
		}
		out = append(out, line(name, maxTitle))
	}
	return strings.Join(out, ", ")
}

// line puts words from elsewhere on one line without control characters, cut to
// so many characters: nothing in it can end a header or turn the writing around.
func line(s string, limit int) string {
	return cut(strings.Join(strings.Fields(plainText(s)), " "), limit)
}

// plainText drops what is no text: control characters but line ends and tabs,
// bytes that are not UTF-8, and marks that turn the direction of writing.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == '\ufeff':
			return -1
		}
		return r
	}, s)
}

// cut shortens to so many characters.
func cut(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:limit-1]), " ") + "…"
}
