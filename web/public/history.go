package public

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/status"
)

// Months shown at first, and on the longer page.
const (
	historyMonths = 3
	historyYear   = 12
)

// historyPage is the data of history.html.
type historyPage struct {
	frame
	Months  []monthView
	Earlier bool // there is a longer page
}

// monthView is one month.
type monthView struct {
	Anchor, Name, Uptime, Note, Quiet string
	Days                              []dayView
	Calendar                          template.HTML
}

// dayView is a day with trouble.
type dayView struct {
	Anchor, When string
	Events       []eventView
	More         []eventView
}

// closesAfter is how long after its end a month may still change.
const closesAfter = 72 * time.Hour

// history renders the months. Errors: Internal.
func (s stage) history(p *status.Page, months []status.HistoryMonth, longest bool) (sheet, error) {
	c := clockIn(p.Site.Zone)
	d := historyPage{frame: s.frame("history", p, "", "History"), Earlier: !longest}
	d.Here = "history"
	d.Verdict.Say = "History"
	troubled, incidents := 0, 0
	for _, m := range months {
		v := month(c, m, p.At)
		incidents += len(m.Incidents)
		for i := range m.Days {
			day := &m.Days[i]
			if shown := shownStatus(day); !day.Date.After(p.At) && shown.Worse(status.Operational) && shown != status.UnderMaintenance {
				troubled++
			}
		}
		d.Months = append(d.Months, v)
	}
	if n := len(months); n > 0 {
		since := " since " + months[n-1].Month.In(c.zone).Format("January") + "."
		if d.Verdict.Rest = count(troubled, "day", "days") + " with trouble" + since; incidents > 0 {
			d.Verdict.Rest = count(incidents, "incident", "incidents") + since
		}
	}
	return s.page("history", d)
}

// month makes the view of a month.
func month(c clock, m status.HistoryMonth, now time.Time) monthView {
	first := m.Month.In(c.zone)
	end := time.Date(first.Year(), first.Month()+1, 1, 0, 0, 0, 0, c.zone)
	name := first.Format("January")
	if first.Year() != now.In(c.zone).Year() {
		name = first.Format("January 2006")
	}
	v := monthView{Anchor: first.Format("m2006-01"), Name: name, Uptime: uptimeShort(m.Uptime), Calendar: calendarOf(c, m, now)}
	switch {
	case v.Uptime == "":
		v.Note = "Nothing measured"
	case now.Before(end):
		v.Note = "uptime, all components, so far"
	case now.Before(end.Add(closesAfter)):
		v.Note = "uptime, all components. Closes three days after the month"
	default:
		v.Note = "uptime, all components. Closed, no longer changes"
	}
	v.Quiet = "No trouble in " + first.Format("January") + "."
	if v.Uptime == "" {
		v.Quiet = "Nothing was watched in " + first.Format("January") + "."
	}
	v.Days = daysOf(c, m, now)
	return v
}

// daysOf gathers what happened by the day on which it began, the newest first:
// incidents before troubles that none of them tells of.
func daysOf(c clock, m status.HistoryMonth, now time.Time) []dayView {
	days := map[string]*dayView{}
	var order []string
	add := func(began time.Time, v eventView) {
		at := began.In(c.zone)
		anchor := at.Format(dayAnchor)
		d := days[anchor]
		if d == nil {
			d = &dayView{Anchor: anchor, When: at.Format(dayLayout)}
			days[anchor] = d
			order = append(order, anchor)
		}
		if len(d.Events) < maxDayEvents {
			d.Events = append(d.Events, v)
		} else {
			d.More = append(d.More, v)
		}
	}
	for n := range m.Incidents {
		add(m.Incidents[n].StartedAt, incidentEvent(c, &m.Incidents[n], now))
	}
	for _, e := range m.Events {
		add(e.From, event(c, e, now))
	}
	slices.SortFunc(order, func(a, b string) int { return strings.Compare(b, a) })
	out := make([]dayView, len(order))
	for n, anchor := range order {
		out[n] = *days[anchor]
	}
	return out
}

// dayAnchor names a day in an address; by its letters, days are in order.
const dayAnchor = "d2006-01-02"

// calendarOf draws a month as a grid; days with trouble lead to what happened.
func calendarOf(c clock, m status.HistoryMonth, now time.Time) template.HTML {
	told := map[string]bool{}
	for _, e := range m.Events {
		told[e.From.In(c.zone).Format(dayAnchor)] = true
	}
	for n := range m.Incidents {
		told[m.Incidents[n].StartedAt.In(c.zone).Format(dayAnchor)] = true
	}
	var b strings.Builder
	for _, d := range "MTWTFSS" {
		fmt.Fprintf(&b, `<span class="wd" aria-hidden="true">%c</span>`, d)
	}
	for i := range m.Days {
		day := &m.Days[i]
		at := day.Date.In(c.zone)
		column := ""
		if i == 0 {
			if wd := (int(at.Weekday())+6)%7 + 1; wd > 1 {
				column = fmt.Sprintf(" c%d", wd)
			}
		}
		shown, n := shownStatus(day), at.Day()
		l := lookOf(shown)
		anchor := at.Format(dayAnchor)
		switch {
		case day.Date.After(now):
			fmt.Fprintf(&b, `<span class="nx%s">%d</span>`, column, n)
		case shown == status.NotMeasured:
			fmt.Fprintf(&b, `<span class="f%s">%d<span class="v"> not measured</span></span>`, column, n)
		case shown == status.Operational:
			fmt.Fprintf(&b, `<span class="o%s">%d</span>`, column, n)
		case told[anchor]:
			fmt.Fprintf(&b, `<a class="z %s%s" href="#%s"%s>%d%s<span class="v"> %s</span></a>`, l.class, column, anchor, titleOf(day), n, markSVG(l.class), l.phrase)
		default:
			fmt.Fprintf(&b, `<span class="z %s%s"%s>%d%s<span class="v"> %s</span></span>`, l.class, column, titleOf(day), n, markSVG(l.class), l.phrase)
		}
	}
	return template.HTML(b.String())
}

// titleOf gives the story of a day as a title attribute.
func titleOf(d *status.Day) string {
	if d.Story == "" {
		return ""
	}
	return ` title="` + template.HTMLEscapeString(d.Story) + `"`
}
