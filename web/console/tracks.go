package console

import (
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/status"
)

// The grid that tracks and charts are drawn on; CSS says how large it is.
const (
	trackWide = 1000
	trackHigh = 14
	chartHigh = 120
	chartBins = 200
)

// ranges are the stretches of time that a component's page shows.
var ranges = []struct {
	id, word string
	d        time.Duration
}{{"24h", "24 h", 24 * time.Hour}, {"1h", "1 h", time.Hour}, {"6h", "6 h", 6 * time.Hour}, {"7d", "7 d", 7 * 24 * time.Hour}}

func rangeOf(id string) struct {
	id, word string
	d        time.Duration
} {
	for _, x := range ranges {
		if x.id == id {
			return x
		}
	}
	return ranges[0]
}

// tracks are what was measured and what was published, one above the other on
// one axis of time, and the chart of the check that leads.
type tracks struct {
	Observed, Published template.HTML
	Hours               []string // labels of the axis, evenly spread
	Chart               chart
	Say                 string // the same in words
}

// drawTracks draws both tracks of the time before now.
func drawTracks(observed, published []status.Span, k Clock, d time.Duration) tracks {
	from := k.Now.Add(-d)
	t := tracks{Observed: trackOf(observed, from, k.Now), Published: trackOf(published, from, k.Now), Hours: axis(k, d)}
	o, p := status.TallyOf(observed, from, k.Now), status.TallyOf(published, from, k.Now)
	t.Say = fmt.Sprintf("Measured: %s in trouble. Published: %s in trouble.", spent(o), spent(p))
	return t
}

// spent is how long a tally was in trouble.
func spent(t status.Tally) string {
	if d := t.Major + t.Partial + t.Degraded; d > 0 {
		return length(d.Truncate(time.Second))
	}
	return "no time"
}

// trackOf draws the spans of one track as bars.
func trackOf(spans []status.Span, from, to time.Time) template.HTML {
	var b strings.Builder
	scale := float64(trackWide) / float64(to.Sub(from))
	for _, s := range spans {
		begin, end := s.From, to
		if begin.Before(from) {
			begin = from
		}
		if !s.Open() && s.To.Before(to) {
			end = s.To
		}
		if !begin.Before(end) {
			continue
		}
		x, w := float64(begin.Sub(from))*scale, float64(end.Sub(begin))*scale
		if s.Status.Worse(status.UnderMaintenance) {
			w = max(w, 3) // trouble of a few seconds is seen all the same
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="0" width="%.1f" height="%d"/>`, markOf(s.Status).Class, x, w, trackHigh)
	}
	return template.HTML(b.String())
}

// axis gives five labels from the beginning to now.
func axis(k Clock, d time.Duration) []string {
	layout := "15:04"
	if d > 24*time.Hour {
		layout = "Mon 2 Jan"
	}
	var out []string
	for i := 0; i <= 4; i++ {
		out = append(out, k.Now.Add(-d+d*time.Duration(i)/4).In(k.Zone).Format(layout))
	}
	out[4] = "now"
	return out
}

// chart is the latency or value of one monitor over time.
type chart struct {
	Name  string
	Path  template.HTML
	Scale []string // labels from top to bottom
	Now   string
	Usual string // the median of what is shown
	Empty bool
}

// chartOf draws a monitor's measurements of the time before now: the middle of
// each bin as a line, failed and slow results as ticks below it.
func (c *Console) chartOf(ctx context.Context, m *status.Monitor, k Clock, d time.Duration) chart {
	out := chart{Name: m.Name, Empty: true}
	if len(m.Locations) == 0 {
		return out
	}
	from := k.Now.Add(-d)
	samples, err := c.deps.Samples.Samples(ctx, status.SampleQuery{
		Monitor: m.Key, Location: m.Locations[0], Interval: m.Interval, Values: m.Unit != "", From: from, To: k.Now,
	})
	if err != nil || len(samples) == 0 {
		return out
	}
	bins := make([][]float64, chartBins)
	bad := make([]status.Outcome, chartBins)
	var all []float64
	step := d / chartBins
	for _, s := range samples {
		i := min(max(int(s.Due.Sub(from)/step), 0), chartBins-1)
		if (s.Outcome == status.Failed || s.Outcome == status.Slow) && bad[i] != status.Failed {
			bad[i] = s.Outcome
		}
		v, ok := s.Latency.Seconds(), s.Latency > 0 && s.Outcome != status.Failed
		if m.Unit != "" {
			v, ok = s.Value, s.HasValue
		}
		if ok {
			bins[i], all = append(bins[i], v), append(all, v)
			out.Now = written(v, m.Unit)
		}
	}
	if len(all) == 0 {
		return out
	}
	slices.Sort(all)
	out.Empty, out.Usual = false, written(all[len(all)/2], m.Unit)
	high := all[min(len(all)*99/100, len(all)-1)] * 1.2
	if high <= 0 {
		high = 1
	}
	var path, fails, slows strings.Builder
	pen, gap := false, 0
	for i, bin := range bins {
		x := (float64(i) + .5) * trackWide / chartBins
		switch bad[i] {
		case status.Failed:
			fmt.Fprintf(&fails, "M%.1f %dv-10", x, chartHigh)
		case status.Slow:
			fmt.Fprintf(&slows, "M%.1f %dv-10", x, chartHigh)
		}
		if len(bin) == 0 {
			if gap++; gap > int(m.Interval/step)+1 || bad[i] == status.Failed {
				pen = false
			}
			continue
		}
		gap = 0
		slices.Sort(bin)
		y := 4 + (1-min(bin[len(bin)/2]/high, 1))*(chartHigh-16)
		command := "M"
		if pen {
			command = "L"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", command, x, y)
		pen = true
	}
	out.Path = template.HTML(strand("l", path.String()) + strand("f", fails.String()) + strand("d", slows.String()))
	out.Scale = []string{written(high, m.Unit), written(high/2, m.Unit), "0"}
	return out
}

// written writes a measurement, latency in seconds or a value with its unit.
func written(v float64, unit string) string {
	if unit == "" {
		return latency(time.Duration(v * float64(time.Second)))
	}
	return measure(v, unit)
}
