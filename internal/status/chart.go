package status

import (
	"context"
	"math"
	"slices"
	"time"
)

const (
	// MaxCharted bounds how many monitors of one component are charted.
	MaxCharted = 6
	// chartStep is the step of the chart of 24 hours.
	chartStep = 5 * time.Minute
	// weekHours is how many hours the chart of 7 days has.
	weekHours = 7 * 24
	// hotFor is for how long single samples are kept at most; what is older is
	// in the record of days alone.
	hotFor = 48 * time.Hour
)

// charts makes the charts of a component's public monitors: 24 hours in steps of
// five minutes, 7 days by the hour and 90 days by the day. Measurements that
// cannot be had are gaps. Errors: Unavailable when SQL cannot be read.
func (b *Board) charts(ctx context.Context, plan *layout, c *Component, spans []Span, now time.Time) ([]Chart, error) {
	monitors := plan.drawn[c.ID]
	monitors = monitors[:min(len(monitors), MaxCharted)]
	bounds := dayBounds(now, BarDays, plan.zone)
	var charts []Chart
	for i := range monitors {
		m := &monitors[i]
		day, err := b.chartDay(ctx, m, now)
		if err != nil {
			return nil, err
		}
		week, err := b.chartWeek(ctx, m, now)
		if err != nil {
			return nil, err
		}
		quarter, err := b.chartQuarter(ctx, m, bounds)
		if err != nil {
			return nil, err
		}
		for _, ch := range []Chart{day, week, quarter} {
			ch.Monitor, ch.Name, ch.Unit, ch.Limit = m.id, m.name, "s", m.slow.Seconds()
			if m.unit != "" {
				ch.Unit, ch.Limit = m.unit, 0
			}
			ch.Shades = shades(spans, ch.From, earlier(ch.To, now))
			charts = append(charts, ch)
		}
	}
	return charts, nil
}

// chartDay draws 24 hours from single samples, or by the hour when none are kept.
func (b *Board) chartDay(ctx context.Context, m *drawn, now time.Time) (Chart, error) {
	to := now.Truncate(chartStep).Add(chartStep)
	from := to.Add(-24 * time.Hour)
	samples, err := b.samples(ctx, m, from, to)
	if err != nil {
		b.log.Debug("chart without samples", "monitor", m.key, "err", err)
	}
	if len(samples) == 0 {
		end := now.Truncate(time.Hour).Add(time.Hour)
		return b.chartHours(ctx, m, "24h", end, 24)
	}
	ch := Chart{Span: "24h", From: from, To: to, Step: chartStep}
	bins := make([][]float64, int(to.Sub(from)/chartStep))
	for _, s := range samples {
		v := s.Latency.Seconds()
		if m.unit != "" {
			v = s.Value
		}
		if i := int(s.Due.Sub(from) / chartStep); i >= 0 && i < len(bins) && (v > 0 || s.HasValue) {
			bins[i] = append(bins[i], v)
		}
	}
	for _, bin := range bins {
		slices.Sort(bin)
		ch.Median, ch.P95 = append(ch.Median, rank(bin, 0.5)), append(ch.P95, rank(bin, 0.95))
	}
	return ch, nil
}

// rank gives the value below which the share q of sorted values lie; NaN of none.
func rank(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// chartWeek draws 7 days by the hour.
func (b *Board) chartWeek(ctx context.Context, m *drawn, now time.Time) (Chart, error) {
	return b.chartHours(ctx, m, "7d", now.Truncate(time.Hour).Add(time.Hour), weekHours)
}

// chartHours draws n hours up to the end of one.
func (b *Board) chartHours(ctx context.Context, m *drawn, span string, to time.Time, n int) (Chart, error) {
	from := to.Add(-time.Duration(n) * time.Hour)
	hours, err := b.hourly(ctx, m, from, to)
	if err != nil {
		return Chart{}, err
	}
	ch := Chart{Span: span, From: from, To: to, Step: time.Hour}
	for i := range hours {
		ch.add(&hours[i], m)
	}
	return ch, nil
}

// chartQuarter draws 90 days by the day. A day of the page's zone is made of the
// UTC hours that begin in it.
func (b *Board) chartQuarter(ctx context.Context, m *drawn, bounds []time.Time) (Chart, error) {
	from, to := bounds[0].UTC(), bounds[len(bounds)-1].UTC()
	days := make([]Hour, len(bounds)-1)
	into := func(h *Hour) {
		i, exact := slices.BinarySearchFunc(bounds, h.Start, time.Time.Compare)
		if !exact {
			i--
		}
		if i >= 0 && i < len(days) {
			days[i].Histogram.Merge(&h.Histogram)
			days[i].Values.Merge(h.Values)
		}
	}
	hot := to.Add(-hotFor).Truncate(time.Hour)
	rows, err := b.store.Days(ctx, m.key, from.Truncate(24*time.Hour), hot)
	if err != nil {
		return Chart{}, err
	}
	for _, row := range rows {
		if !slices.Contains(m.locations, row.Location) {
			continue
		}
		for _, h := range unpackDay(row, m.unit != "") {
			if h.Start.Before(hot) {
				into(&h)
			}
		}
	}
	hours, err := b.hourly(ctx, m, hot, hot.Add(hotFor+time.Hour))
	if err != nil {
		return Chart{}, err
	}
	for i := range hours {
		into(&hours[i])
	}
	ch := Chart{Span: "90d", From: from, To: to, Step: 24 * time.Hour}
	for i := range days {
		ch.add(&days[i], m)
	}
	return ch, nil
}

// add adds a point: of a value the mean and the greatest, of latency the median
// and the 95th percentile.
func (ch *Chart) add(h *Hour, m *drawn) {
	middle, high := quantile(&h.Histogram, 0.5), quantile(&h.Histogram, 0.95)
	if m.unit != "" {
		middle, high = h.Values.Mean(), h.Values.Max
		if h.Values.Count == 0 {
			high = math.NaN()
		}
	}
	ch.Median, ch.P95 = append(ch.Median, middle), append(ch.P95, high)
}

// shades gives the stretches within [from, to) in which a component was neither
// working nor unmeasured; what follows at once in the same status is one.
func shades(spans []Span, from, to time.Time) []Shade {
	var out []Shade
	for _, s := range spans {
		begin, end := later(s.From, from), to
		if !s.Open() {
			end = earlier(s.To, to)
		}
		if !s.Status.Worse(Operational) || !begin.Before(end) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Status == s.Status && out[n-1].To.Equal(begin) {
			out[n-1].To = end
			continue
		}
		out = append(out, Shade{From: begin, To: end, Status: s.Status})
	}
	return out
}
