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

// Sizes of a chart's coordinates; the picture is stretched to its place.
const (
	plotWidth  = 1000
	plotHeight = 200
)

// scale is the height of a set of charts: four steps of a round number.
type scale struct{ step float64 }

// roundSteps are the steps an axis may have, times a power of ten.
var roundSteps = [...]float64{1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10}

// scaleOf finds the scale that the charts of one monitor share. Medians and the
// limit always fit. The band fits but for its highest hundredth: one answer of a
// minute must not flatten ninety days, so what is above runs out of the top.
func scaleOf(charts []status.Chart) scale {
	top, band := 0.0, []float64(nil)
	for _, c := range charts {
		for _, v := range c.Median {
			if !math.IsNaN(v) {
				top = max(top, v*1.1)
			}
		}
		for _, v := range c.P95 {
			if !math.IsNaN(v) {
				band = append(band, v)
			}
		}
		top = max(top, c.Limit*1.15)
	}
	if len(band) > 0 {
		slices.Sort(band)
		top = max(top, min(band[len(band)*99/100], 4*top))
	}
	if top <= 0 {
		return scale{1}
	}
	power := math.Pow10(int(math.Floor(math.Log10(top / 4))))
	for _, s := range roundSteps {
		if 4*s*power >= top {
			return scale{s * power}
		}
	}
	return scale{10 * power}
}

// y turns a value into a height from the top.
func (s scale) y(v float64) string {
	h := plotHeight - v/(4*s.step)*plotHeight
	return strconv.FormatFloat(math.Round(min(plotHeight, max(0, h))*10)/10, 'f', -1, 64)
}

// plot draws one chart. Its words are the names of spans, numbers, units and
// clock times; the unit is escaped.
func (c clock) plot(ch status.Chart, s scale) template.HTML {
	var b strings.Builder
	title, grain := spanWords(ch)
	last := lastWords(ch, c)
	caption := grain
	if ch.Span == "24h" && last != "" {
		caption = last
	}
	fmt.Fprintf(&b, `<figure><figcaption><b>%s</b><span>%s</span></figcaption><div class="plot"><svg viewBox="0 0 %d %d" preserveAspectRatio="none" role="img" aria-label="%s">`,
		title, caption, plotWidth, plotHeight, template.HTMLEscapeString(title+": "+orElse(last, "no measurements")))
	for i := 1; i < 4; i++ {
		fmt.Fprintf(&b, `<line class="gl" x1="0" x2="%d" y1="%d" y2="%d"/>`, plotWidth, i*plotHeight/4, i*plotHeight/4)
	}
	for _, sh := range ch.Shades {
		from, to := xOf(ch, sh.From), xOf(ch, sh.To)
		if sh.To.IsZero() {
			to = plotWidth
		}
		if sh.Status != status.Operational && to > from {
			fmt.Fprintf(&b, `<path class="shade %s" d="M%d 0H%dV%dH%dz"/>`, lookOf(sh.Status).class, from, max(to, from+1), plotHeight, from)
		}
	}
	for _, run := range runs(ch.Median) {
		if len(ch.P95) == len(ch.Median) {
			b.WriteString(`<path class="band" d="` + bandPath(ch, run, s) + `"/>`)
		}
	}
	for _, run := range runs(ch.Median) {
		b.WriteString(`<path class="mid" d="` + linePath(ch.Median, run, s) + `"/>`)
	}
	if ch.Limit > 0 {
		y := s.y(ch.Limit)
		fmt.Fprintf(&b, `<line class="lim" x1="0" x2="%d" y1="%s" y2="%s"/>`, plotWidth, y, y)
	}
	b.WriteString("</svg>")
	for i := 1; i < 4; i++ {
		fmt.Fprintf(&b, `<span class="y y%d">%s</span>`, i, template.HTMLEscapeString(quantity(float64(i)*s.step, ch.Unit)))
	}
	if last == "" {
		b.WriteString(`<p class="none">Nothing measured yet</p>`)
	}
	b.WriteString(`</div><div class="xa">`)
	for _, w := range c.axis(ch) {
		b.WriteString("<span>" + w + "</span>")
	}
	b.WriteString("</div></figure>")
	return template.HTML(b.String())
}

// run is a stretch of a series without a gap: indexes from (in) to (out).
type run struct{ from, to int }

// runs finds the stretches without a gap.
func runs(series []float64) []run {
	var out []run
	for i := 0; i < len(series); {
		if math.IsNaN(series[i]) {
			i++
			continue
		}
		r := run{i, i}
		for r.to < len(series) && !math.IsNaN(series[r.to]) {
			r.to++
		}
		out, i = append(out, r), r.to
	}
	return out
}

// xAt places a point of a series of n.
func xAt(i, n int) int {
	if n < 2 {
		return 0
	}
	return i * plotWidth / (n - 1)
}

// linePath draws a stretch as a line; a single point is a dot.
func linePath(series []float64, r run, s scale) string {
	var b strings.Builder
	for i := r.from; i < r.to; i++ {
		b.WriteByte("ML"[min(1, i-r.from)])
		b.WriteString(strconv.Itoa(xAt(i, len(series))))
		b.WriteByte(' ')
		b.WriteString(s.y(series[i]))
	}
	if r.to-r.from == 1 {
		b.WriteString("h1")
	}
	return b.String()
}

// bandPath draws the area from the median up to the 95th percentile.
func bandPath(ch status.Chart, r run, s scale) string {
	var b strings.Builder
	n := len(ch.Median)
	for i := r.from; i < r.to; i++ {
		high := ch.P95[i]
		if math.IsNaN(high) {
			high = ch.Median[i]
		}
		fmt.Fprintf(&b, "%c%d %s", "ML"[min(1, i-r.from)], xAt(i, n), s.y(high))
	}
	for i := r.to - 1; i >= r.from; i-- {
		fmt.Fprintf(&b, "L%d %s", xAt(i, n), s.y(ch.Median[i]))
	}
	return b.String() + "z"
}

// xOf places a moment.
func xOf(ch status.Chart, t time.Time) int {
	all := ch.To.Sub(ch.From)
	if all <= 0 {
		return 0
	}
	return int(min(1, max(0, float64(t.Sub(ch.From))/float64(all))) * plotWidth)
}

// spanWords names the span of a chart and its grain.
func spanWords(ch status.Chart) (title, grain string) {
	switch ch.Span {
	case "24h":
		return "24 hours", "every " + length(ch.Step)
	case "7d":
		return "7 days", "by the hour"
	default:
		return "90 days", "by the day"
	}
}

// lastWords tells the newest point in words; "" without any.
func lastWords(ch status.Chart, c clock) string {
	for i := len(ch.Median) - 1; i >= 0; i-- {
		if math.IsNaN(ch.Median[i]) {
			continue
		}
		at := ch.From.Add(time.Duration(i+1) * ch.Step)
		if at.After(ch.To) {
			at = ch.To
		}
		when := "at " + at.In(c.zone).Format(clockLayout)
		if ch.Step >= 24*time.Hour {
			when = "on " + at.Add(-ch.Step).In(c.zone).Format(dateLayout)
		}
		s := when + ": median " + quantity(ch.Median[i], ch.Unit)
		if i < len(ch.P95) && !math.IsNaN(ch.P95[i]) {
			s += ", 95th percentile " + quantity(ch.P95[i], ch.Unit)
		}
		return template.HTMLEscapeString(s)
	}
	return ""
}

// axis gives the words below a chart, evenly spread.
func (c clock) axis(ch status.Chart) []string {
	part := func(i, of int) time.Time {
		return ch.From.Add(ch.To.Sub(ch.From) * time.Duration(i) / time.Duration(of)).In(c.zone)
	}
	switch ch.Span {
	case "24h":
		var out []string
		day := -1
		for i := range 5 {
			t := part(i, 4)
			layout := clockLayout
			if t.YearDay() != day {
				layout, day = "Mon 15:04", t.YearDay()
			}
			out = append(out, t.Format(layout))
		}
		return out
	case "7d":
		return []string{part(0, 4).Format("Mon 2"), part(1, 4).Format("Mon 2"), part(2, 4).Format("Mon 2"), part(3, 4).Format("Mon 2"), "Now"}
	default:
		return []string{part(0, 3).Format("2 Jan"), part(1, 3).Format("2 Jan"), part(2, 3).Format("2 Jan"), "Today"}
	}
}

// legend explains the lines of a set of charts.
func legend(charts []status.Chart) template.HTML {
	var limit float64
	unit := ""
	shades := map[status.Status]bool{}
	for _, ch := range charts {
		limit, unit = max(limit, ch.Limit), ch.Unit
		for _, s := range ch.Shades {
			shades[s.Status] = true
		}
	}
	var b strings.Builder
	b.WriteString(`<div class="lg"><span><svg viewBox="0 0 20 12" aria-hidden="true"><path class="mid" d="M0 6h20"/></svg>Median</span>`)
	b.WriteString(`<span><svg viewBox="0 0 20 12" aria-hidden="true"><path class="band" d="M0 0h20v12H0z"/></svg>Up to 95th percentile</span>`)
	if limit > 0 {
		b.WriteString(`<span><svg viewBox="0 0 20 12" aria-hidden="true"><path class="lim" d="M0 6h20"/></svg>Limit, ` + template.HTMLEscapeString(quantity(limit, unit)) + `</span>`)
	}
	for _, s := range barOrder[1:] {
		if l := lookOf(s); shades[s] {
			fmt.Fprintf(&b, `<span class="%s"><svg viewBox="0 0 20 12" aria-hidden="true"><path class="shade" d="M0 0h20v12H0z"/></svg>%s</span>`, l.class, l.word)
		}
	}
	b.WriteString("</div>")
	return template.HTML(b.String())
}

// orElse gives the first text that is not empty.
func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
