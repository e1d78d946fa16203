package public

import (
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// clock writes moments in the page's zone, and in UTC beside it where the two
// differ. Its HTML is made of numbers and names of days and zones alone.
type clock struct{ zone *time.Location }

// clockIn gives the clock of an IANA zone; one that cannot be loaded is UTC.
func clockIn(zone string) clock {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return clock{loc}
}

// Layouts of dates and times, in the words of the page.
const (
	clockLayout = "15:04"
	dayLayout   = "Monday 2 January"
	dateLayout  = "2 January"
	shortLayout = "2 Jan 15:04"
	zoneLayout  = "MST"
	isoMinute   = "2006-01-02T15:04Z"
	isoSecond   = "2006-01-02T15:04:05Z"
)

// tag writes a time element that a script can make local.
func (c clock) tag(t time.Time, layout, shape string) string {
	return `<time datetime="` + t.UTC().Format(isoMinute) + `" data-t="` + shape + `">` + t.In(c.zone).Format(layout) + `</time>`
}

// zoneTag names the zone at that moment.
func (c clock) zoneTag(t time.Time) string {
	return `<span data-z="` + t.UTC().Format(isoMinute) + `">` + template.HTMLEscapeString(t.In(c.zone).Format(zoneLayout)) + `</span>`
}

// isUTC reports whether the page's zone stands at UTC at that moment.
func (c clock) isUTC(t time.Time) bool {
	_, offset := t.In(c.zone).Zone()
	return offset == 0
}

// utc adds " (13:02 UTC)" where the page's zone is another; to may be zero.
func (c clock) utc(from, to time.Time) string {
	if c.isUTC(from) {
		return ""
	}
	s := from.UTC().Format(clockLayout)
	if !to.IsZero() {
		s += " to " + to.UTC().Format(clockLayout)
	}
	return `<span data-utc> (` + s + ` UTC)</span>`
}

// at writes "14:02 UTC", or "15:02 CET (14:02 UTC)".
func (c clock) at(t time.Time) template.HTML {
	return template.HTML(c.tag(t, clockLayout, "c") + " " + c.zoneTag(t) + c.utc(t, time.Time{}))
}

// day writes "Sunday 22 November".
func (c clock) day(t time.Time) template.HTML { return template.HTML(c.tag(t, dayLayout, "d")) }

// short writes "20 Nov 14:02"; nothing for a moment that has not come.
func (c clock) short(t time.Time) template.HTML {
	if t.IsZero() {
		return ""
	}
	return template.HTML(c.tag(t, shortLayout, "s"))
}

// since writes a moment by its clock when it is of today, else with its day.
func (c clock) since(t, now time.Time) template.HTML {
	if c.sameDay(t, now) {
		return c.at(t)
	}
	return template.HTML(c.tag(t, shortLayout, "s") + " " + c.zoneTag(t))
}

// brief writes a moment by its clock alone, with its day when that is not the
// day of another moment.
func (c clock) brief(t, day time.Time) template.HTML {
	if c.sameDay(t, day) {
		return template.HTML(c.tag(t, clockLayout, "c"))
	}
	return template.HTML(c.tag(t, shortLayout, "s"))
}

// besideUTC writes "13:02 UTC" where the page's zone is another.
func (c clock) besideUTC(t time.Time) template.HTML {
	if c.isUTC(t) {
		return ""
	}
	return template.HTML(`<span data-utc>` + t.UTC().Format(clockLayout) + ` UTC</span>`)
}

// edited writes when something was changed after it was said; nothing when it was not.
func (c clock) edited(t, now time.Time) template.HTML {
	if t.IsZero() {
		return ""
	}
	return "Edited at " + c.since(t, now)
}

// date writes "Friday 20 November 2026".
func (c clock) date(t time.Time) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(isoMinute) + `">` + t.In(c.zone).Format("Monday 2 January 2006") + `</time>`)
}

// sinceWords is since as plain words, for sentences.
func (c clock) sinceWords(t, now time.Time) string {
	l := t.In(c.zone)
	switch {
	case c.sameDay(t, now):
		return l.Format("15:04 MST") + " today"
	case c.sameDay(t, now.In(c.zone).AddDate(0, 0, -1)):
		return l.Format("15:04 MST") + " yesterday"
	case l.Year() == now.In(c.zone).Year():
		return l.Format(dateLayout)
	default:
		return l.Format("2 January 2006")
	}
}

// hours writes "05:00 to 05:30 UTC", with the day of the end when it is another.
func (c clock) hours(from, to time.Time) template.HTML {
	s := c.tag(from, clockLayout, "c") + " to "
	if !c.sameDay(from, to) {
		s += c.tag(to, shortLayout, "s")
	} else {
		s += c.tag(to, clockLayout, "c")
	}
	return template.HTML(s + " " + c.zoneTag(from) + c.utc(from, to))
}

// full writes "14:32:07 UTC on Friday 20 November 2026".
func (c clock) full(t time.Time) template.HTML {
	if t.IsZero() {
		return ""
	}
	l := t.In(c.zone)
	s := `<time datetime="` + t.UTC().Format(isoSecond) + `">` + l.Format("15:04:05 ") + template.HTMLEscapeString(l.Format(zoneLayout)) + l.Format(" on Monday 2 January 2006") + `</time>`
	return template.HTML(s + c.utc(t, time.Time{}))
}

// note says once which zone the page is written in.
func (c clock) note() string {
	if c.zone == time.UTC || strings.HasSuffix(c.zone.String(), "UTC") {
		return "All times are UTC."
	}
	return "Times are those of " + strings.ReplaceAll(c.zone.String(), "_", " ") + "."
}

// sameDay reports whether two moments lie on one day of the page's zone.
func (c clock) sameDay(a, b time.Time) bool {
	ay, am, ad := a.In(c.zone).Date()
	by, bm, bd := b.In(c.zone).Date()
	return ay == by && am == bm && ad == bd
}

// days writes a day or a stretch of days: "13 to 19 November", "30 October to 2 November".
func (c clock) days(from, to time.Time) string {
	f, t := from.In(c.zone), to.In(c.zone)
	switch {
	case c.sameDay(f, t):
		return f.Format(dateLayout)
	case f.Month() == t.Month() && f.Year() == t.Year():
		return f.Format("2") + " to " + t.Format(dateLayout)
	default:
		return f.Format(dateLayout) + " to " + t.Format(dateLayout)
	}
}

// percent writes an uptime rounded down to so many decimals; "" when nothing
// was measured. Only a whole 1 is ever written as 100%.
func percent(v float64, decimals int) string {
	if math.IsNaN(v) {
		return ""
	}
	scale := math.Pow10(decimals)
	n := math.Floor(v*100*scale + 1e-7) // 0.9998 is a little less than that in binary
	if top := 100 * scale; v < 1 && n >= top {
		n = top - 1
	}
	return strconv.FormatFloat(max(0, n)/scale, 'f', decimals, 64) + "%"
}

// uptimeShort is the figure of a row: two decimals, and 100% without any.
func uptimeShort(v float64) string {
	if s := percent(v, 2); s != "100.00%" {
		return s
	}
	return "100%"
}

// uptimeLong is the figure of a table: three decimals.
func uptimeLong(v float64) string {
	if s := percent(v, 3); s != "" {
		return s
	}
	return "–"
}

// seconds writes a latency as people say it: 88 ms, 2.9 s.
func seconds(v float64) string {
	switch {
	case math.IsNaN(v) || v < 0:
		return ""
	case v < 0.001:
		return "under 1 ms"
	case v < 0.9995:
		return strconv.FormatFloat(v*1000, 'f', 0, 64) + " ms"
	case v < 9.95:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") + " s"
	default:
		return strconv.FormatFloat(v, 'f', 0, 64) + " s"
	}
}

// quantity writes a value in its unit; latencies in the unit that suits them.
func quantity(v float64, unit string) string {
	if unit == "s" {
		return seconds(v)
	}
	if math.IsNaN(v) {
		return ""
	}
	s := strconv.FormatFloat(v, 'g', 4, 64)
	if a := math.Abs(v); a >= 10000 {
		s = strconv.FormatFloat(v, 'f', 0, 64)
	}
	if unit == "" {
		return s
	}
	if unit == "%" {
		return s + unit
	}
	return s + " " + unit
}
