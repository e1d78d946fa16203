package status

import (
	"context"
	"math"
	"slices"
	"time"
)

const (
	// lineHours is how many hourly medians a latency line has.
	lineHours = 24
	// medianOver is over how long the newest median is taken.
	medianOver = 5 * time.Minute
	// lineTries is how many monitors of a component are asked for a line: while
	// nothing is measured yet, thousands would be asked every minute.
	lineTries = 4
)

// line is the latency line of one component on the front page.
type line struct {
	of     string    // monitor key
	until  time.Time // the hour that hours end before; they are not read again until it passes
	whole  []float64 // the finished hours of the line
	hours  []float64 // whole and the running hour, seconds; NaN for none
	median time.Duration
}

// drawn is a monitor whose measurements may be drawn: no more of it than charts
// need, because the board of a large estate keeps ten thousand of them.
type drawn struct {
	key, id, name string
	unit          string // "" for a latency monitor
	interval      time.Duration
	slow          time.Duration // 0 = never
	locations     []string
}

// drawnOf gives the monitors that are drawn, by component ID: the first
// MaxCharted that may be, and enough with latency to find a line.
func drawnOf(c *Catalog) map[string][]drawn {
	of := make(map[string][]drawn, len(c.Components))
	lines := make(map[string]int, len(c.Components))
	for i := range c.Monitors {
		m := &c.Monitors[i]
		if !m.Public || m.Sentinel {
			continue
		}
		if m.Unit == "" {
			lines[m.Component]++
		}
		if len(of[m.Component]) < MaxCharted || m.Unit == "" && lines[m.Component] <= lineTries {
			of[m.Component] = append(of[m.Component], drawn{
				key: m.Key, id: m.ID, name: m.Name, unit: m.Unit, interval: m.Interval, slow: m.Rule.Slow, locations: m.Locations,
			})
		}
	}
	return of
}

// readLines reads the latency line of every component, when they are few enough
// to be shown. Errors: Unavailable.
func (b *Board) readLines(ctx context.Context, now time.Time) (map[string]line, error) {
	b.mu.Lock()
	plan, known := b.plan, b.lines
	b.mu.Unlock()
	if len(plan.public) > MaxSparklines {
		return nil, nil
	}
	lines := make(map[string]line, len(plan.public))
	for _, c := range plan.public {
		tried := 0
		for i := range plan.drawn[c.ID] {
			m := &plan.drawn[c.ID][i]
			if m.unit != "" {
				continue
			}
			if tried++; tried > lineTries {
				break
			}
			l, err := b.readLine(ctx, m, known[c.Key], now)
			if err != nil {
				return nil, err
			}
			// A monitor without latency, such as a heartbeat, leaves the line to the next.
			if lines[c.Key] = l; l.drawable() {
				break
			}
		}
	}
	return lines, nil
}

// drawable reports whether the line has a point.
func (l line) drawable() bool {
	return slices.ContainsFunc(l.hours, func(v float64) bool { return !math.IsNaN(v) })
}

// lineSettles is how long before its minute a line ends: by then what was
// measured has come to every replica, so that they all draw the same.
const lineSettles = 5 * time.Second

// readLine brings one line up to the minute of now.
func (b *Board) readLine(ctx context.Context, m *drawn, l line, now time.Time) (line, error) {
	end := minuteOf(now).Add(-lineSettles)
	hour := end.Truncate(time.Hour)
	if l.of != m.key || !l.until.Equal(hour) {
		hours, err := b.hourly(ctx, m, hour.Add(-(lineHours-1)*time.Hour), hour)
		if err != nil {
			return line{}, err
		}
		l = line{of: m.key, until: hour, whole: make([]float64, len(hours))}
		for i := range hours {
			l.whole[i] = quantile(&hours[i].Histogram, 0.5)
		}
	}
	samples, err := b.samples(ctx, m, earlier(hour, end.Add(-medianOver)), end)
	if err != nil {
		return line{}, err
	}
	var running, newest Histogram
	for _, s := range samples {
		if s.Latency == 0 {
			continue
		}
		if !s.Due.Before(hour) {
			running.Add(s.Latency)
		}
		if !s.Due.Before(end.Add(-medianOver)) {
			newest.Add(s.Latency)
		}
	}
	l.hours = append(slices.Clone(l.whole), quantile(&running, 0.5))
	l.median = newest.Quantile(0.5)
	return l, nil
}

// quantile gives a quantile in seconds; NaN when there is nothing.
func quantile(h *Histogram, q float64) float64 {
	if h.Count() == 0 {
		return math.NaN()
	}
	return h.Quantile(q).Seconds()
}

// samples gives the good samples of a monitor from all its locations.
func (b *Board) samples(ctx context.Context, m *drawn, from, to time.Time) ([]Sample, error) {
	var all []Sample
	for _, loc := range m.locations {
		some, err := b.latency.Samples(ctx, SampleQuery{
			Monitor: m.key, Location: loc, Interval: m.interval, Values: m.unit != "", From: from, To: to,
		})
		if err != nil {
			return nil, err
		}
		for _, s := range some {
			if s.Outcome == OK || s.Outcome == Slow {
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// hourly gives every whole UTC hour of a monitor within [from, to), all its
// locations together. What the record of days holds is read from there; hours
// that the hot record knows are newer and count instead.
func (b *Board) hourly(ctx context.Context, m *drawn, from, to time.Time) ([]Hour, error) {
	hours := make([]Hour, int(to.Sub(from)/time.Hour))
	for i := range hours {
		hours[i].Start = from.Add(time.Duration(i) * time.Hour)
	}
	rows, err := b.store.Days(ctx, m.key, from.Truncate(24*time.Hour), to)
	if err != nil {
		return nil, err
	}
	for _, loc := range m.locations {
		of := make([]Hour, len(hours))
		for _, row := range rows {
			if row.Location == loc {
				unpackInto(of, from, row, m.unit != "")
			}
		}
		hot, err := b.latency.Hours(ctx, SampleQuery{
			Monitor: m.key, Location: loc, Interval: m.interval, Values: m.unit != "", From: from, To: to,
		})
		if err != nil { // a chart has fewer hours then; that is all that is lost
			b.log.Debug("hours without samples", "monitor", m.key, "err", err)
		}
		for i := range hot {
			if at := int(hot[i].Start.Sub(from) / time.Hour); at >= 0 && at < len(of) {
				of[at] = hot[i]
			}
		}
		for i := range of {
			hours[i].Histogram.Merge(&of[i].Histogram)
			hours[i].Values.Merge(of[i].Values)
		}
	}
	return hours, nil
}

// unpackInto puts the hours of a day row where they belong.
func unpackInto(hours []Hour, from time.Time, row DayRow, values bool) {
	day := unpackDay(row, values)
	for h := range day {
		if at := int(day[h].Start.Sub(from) / time.Hour); !day[h].Start.Before(from) && at < len(hours) {
			hours[at] = day[h]
		}
	}
}

// unpackDay gives the hours of a day row. One that cannot be read shows as a
// gap: a chart is not worth a page.
func unpackDay(row DayRow, values bool) []Hour {
	hours := make([]Hour, 24)
	for h := range hours {
		hours[h].Start = row.Day.Add(time.Duration(h) * time.Hour)
	}
	if values {
		if day, err := UnpackValueDay(row.Packed); err == nil {
			for h := range hours {
				hours[h].Values = day[h]
			}
		}
		return hours
	}
	if day, err := UnpackDay(row.Packed); err == nil {
		for h := range hours {
			hours[h].Histogram = day[h]
		}
	}
	return hours
}
