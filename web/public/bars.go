package public

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/status"
)

// barDays is how many days a row of bars shows.
const barDays = 90

// Sizes of the picture, in pixels: a day is a bar of 4 and a gap of 2.
const (
	barStep  = 6
	barWidth = barDays*barStep - 2
)

// bars draws ninety days as one path per status, which a dash pattern cuts into
// days; days in a row with the same status are one segment. Each day with
// trouble is also a link that tells its story: to the incident of that day, when
// one of the component's, newest first, was under way, and else to href. Its only
// foreign text is escaped here; href must be fit for an attribute.
func bars(days []status.Day, href string, told []status.Incident) template.HTML {
	if len(days) > barDays {
		days = days[len(days)-barDays:]
	}
	pad := barDays - len(days)
	var paths [len(barOrder)][]byte
	var gaps []byte // days on which the quiet line must not show through
	first, quiet, known := -1, 0, 0
	for i := 0; i < len(days); {
		s, n := shownStatus(&days[i]), 1
		for i+n < len(days) && shownStatus(&days[i+n]) == s {
			n++
		}
		if s != status.NotMeasured {
			known += n
			if first < 0 {
				first = i
			}
		}
		at, l := (pad+i)*barStep, lookOf(s)
		switch {
		case s == status.Operational:
			quiet += n
		case first >= 0 && l.rise > lookOf(status.Operational).rise: // lower than a quiet day
			gaps = appendRun(gaps, at, lookOf(status.Operational).rise, n*barStep)
			fallthrough
		default:
			k := slices.Index(barOrder[:], s)
			paths[k] = appendRun(paths[k], at, l.rise, n*barStep)
		}
		i += n
	}
	if first >= 0 { // one line for all days: those with trouble stand on it, and are higher
		paths[0] = appendRun(nil, (pad+first)*barStep, lookOf(status.Operational).rise, (barDays-pad-first)*barStep)
	}
	b := make([]byte, 0, 512)
	b = fmt.Appendf(b, `<div class="bars"><svg viewBox="0 0 %d 32" preserveAspectRatio="none" role="img" aria-label="%s">`, barWidth, quietWords(quiet, known))
	for k, d := range paths {
		if len(d) > 0 {
			b = fmt.Appendf(b, `<path class="%s" d="%s"/>`, lookOf(barOrder[k]).bar, d)
		}
		if k == 0 && len(gaps) > 0 {
			b = fmt.Appendf(b, `<path class="g" d="%s"/>`, gaps)
		}
	}
	b = append(b, "</svg>"...)
	for i := range days {
		if d := &days[i]; d.Story != "" && !d.Before {
			to := href
			if id := incidentOn(d.Date, told); id != "" {
				to = template.HTMLEscapeString(incidentPath(id))
			}
			b = appendStory(b, pad+i, to, d.Story)
		}
	}
	return template.HTML(append(b, "</div>"...))
}

// incidentOn gives the id of the newest incident that was under way on the day that
// begins at a local midnight; "" for none.
func incidentOn(day time.Time, told []status.Incident) string {
	next := day.AddDate(0, 0, 1)
	for n := range told {
		if i := &told[n]; i.StartedAt.Before(next) && (i.ResolvedAt.IsZero() || i.ResolvedAt.After(day)) {
			return i.ID
		}
	}
	return ""
}

// appendStory adds the link of a day with trouble. The address stands first and
// the place of the day last, because that is how a thousand of them compress best.
func appendStory(b []byte, at int, href, story string) []byte {
	b = append(append(b, `<a href="`...), href...)
	b = append(b, `" class="t`...)
	if at >= barDays/2 { // the story opens towards the middle
		b = append(b, " l"...)
	}
	if at/10 > 0 {
		b = fmt.Appendf(b, " d%d", at/10)
	}
	if at%10 > 0 {
		b = fmt.Appendf(b, " u%d", at%10)
	}
	b = append(append(b, `"><span>`...), template.HTMLEscapeString(story)...)
	return append(b, "</span></a>"...)
}

// shownStatus is the status a day is drawn with.
func shownStatus(d *status.Day) status.Status {
	if d.Before {
		return status.NotMeasured
	}
	switch d.Worst {
	case status.Operational, status.Degraded, status.PartialOutage, status.MajorOutage, status.UnderMaintenance:
		return d.Worst
	}
	return status.NotMeasured
}

// appendRun adds a horizontal run to the data of a path.
func appendRun(b []byte, x, y, w int) []byte {
	b = strconv.AppendInt(append(b, 'M'), int64(x), 10)
	b = strconv.AppendInt(append(b, ' '), int64(y), 10)
	return strconv.AppendInt(append(b, 'h'), int64(w), 10)
}

// quietWords tells what a row of bars shows to those who do not see it.
func quietWords(quiet, known int) string {
	if known == 0 {
		return "Not watched in these 90 days"
	}
	return strconv.Itoa(quiet) + " of " + strconv.Itoa(known) + " days without trouble"
}

// barKey explains the bars: one swatch as high and as coloured as its bar.
func barKey() template.HTML {
	words := map[status.Status]string{status.Degraded: "Degraded", status.UnderMaintenance: "Maintenance"}
	var b strings.Builder
	b.WriteString(`<div class="key">`)
	for _, s := range barOrder {
		l := lookOf(s)
		word := words[s]
		if word == "" {
			word = l.word
		}
		h := 32 - l.rise // half of the bar's height, as the bar stands on the line
		fmt.Fprintf(&b, `<span><svg height="%d" viewBox="0 0 4 %d" aria-hidden="true"><path class="%s" d="M0 0h4v%dH0z"/></svg>%s</span>`, h, h, l.bar, h, word)
	}
	b.WriteString("</div>")
	return template.HTML(b.String())
}

// sparkline draws hourly medians as a line of 92 by 24. Gaps stay gaps.
func sparkline(line []float64) template.HTML {
	low, high, any := math.Inf(1), math.Inf(-1), false
	for _, v := range line {
		if !math.IsNaN(v) {
			low, high, any = min(low, v), max(high, v), true
		}
	}
	if !any || len(line) < 2 {
		return ""
	}
	// A steady line must look steady: a tenth of the level is the least that fills the height.
	spread := max(high-low, high/10, 1e-9)
	y := func(v float64) int { return 22 - int(math.Round((v-low)/spread*20)) }
	b := make([]byte, 0, 192)
	b = append(b, `<svg class="sp" viewBox="0 0 92 24" aria-hidden="true"><path d="`...)
	last, pen := 0, false
	for i, v := range line {
		if math.IsNaN(v) {
			pen = false
			continue
		}
		to := y(v)
		if !pen {
			b = fmt.Appendf(b, "M%d %d", i*92/(len(line)-1), to)
			if i+1 == len(line) || math.IsNaN(line[i+1]) {
				b = append(b, "h0"...) // a lone hour is a dot
			}
		} else {
			b = fmt.Appendf(b, "l%d %d", i*92/(len(line)-1)-(i-1)*92/(len(line)-1), to-last)
		}
		last, pen = to, true
	}
	return template.HTML(append(b, `"/></svg>`...))
}
