package console

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/status"
)

// Limits of the sparklines.
const (
	sparkSpan  = time.Hour        // what a sparkline shows
	sparkSteps = 48               // points on it
	sparkFresh = 10 * time.Second // how old a kept one may be
	maxSparks  = 4096             // monitors whose sparkline is kept
)

// The size of a sparkline's own grid; CSS says how large it is drawn. Ticks take
// the lower part.
const (
	sparkWide, sparkHigh = 200, 40
	sparkTick            = 12
)

// line is the last hour of one monitor.
type line struct {
	Path  template.HTML // of an svg with viewBox 0 0 200 40
	Value string        // the newest measurement, with its unit; "" for none
	Bad   int           // failed or slow among the newest run of results
	at    time.Time
}

// sparks keeps the sparklines of monitors for a few seconds, so that a wall on
// every desk costs no more than one.
type sparks struct {
	source Samples
	mu     sync.Mutex
	kept   map[string]line // by monitor key
}

func newSparks(source Samples) *sparks { return &sparks{source: source, kept: map[string]line{}} }

// of gives the line of a monitor; the zero line when nothing can be had.
func (s *sparks) of(ctx context.Context, m *status.Monitor, now time.Time) line {
	if s.source == nil || len(m.Locations) == 0 {
		return line{}
	}
	s.mu.Lock()
	l, ok := s.kept[m.Key]
	s.mu.Unlock()
	if ok && now.Sub(l.at) < sparkFresh {
		return l
	}
	found, err := s.source.Samples(ctx, status.SampleQuery{
		Monitor: m.Key, Location: m.Locations[0], Interval: m.Interval, Values: m.Unit != "", From: now.Add(-sparkSpan), To: now.Add(m.Interval),
	})
	if err != nil { // a chart is missing; everything else stands
		found = nil
	}
	l = drawLine(found, m.Unit, m.Interval, now)
	l.at = now
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= maxSparks {
		clear(s.kept)
	}
	s.kept[m.Key] = l
	return l
}

// drawLine draws samples of the last hour: a polyline with gaps where nothing
// was measured, and ticks under failed and slow ones. The scale begins at zero
// for latency, so that a flat line is flat, and spans the values of a value.
func drawLine(samples []status.Sample, unit string, interval time.Duration, now time.Time) line {
	from := now.Add(-sparkSpan)
	step := sparkSpan / sparkSteps
	type bin struct {
		sum  float64
		n    int
		fail bool
		slow bool
		seen bool
	}
	bins := make([]bin, sparkSteps)
	var out line
	for _, s := range samples {
		i := int(s.Due.Sub(from) / step)
		if i < 0 || i >= sparkSteps {
			i = min(max(i, 0), sparkSteps-1)
		}
		b := &bins[i]
		b.seen = true
		v := s.Latency.Seconds()
		measured := s.Latency > 0 && (s.Outcome == status.OK || s.Outcome == status.Slow)
		if unit != "" {
			v, measured = s.Value, s.HasValue
		}
		if measured {
			b.sum, b.n = b.sum+v, b.n+1
			out.Value = latency(s.Latency)
			if unit != "" {
				out.Value = measure(v, unit)
			}
		}
		b.fail = b.fail || s.Outcome == status.Failed
		b.slow = b.slow || s.Outcome == status.Slow
		if s.Outcome == status.Failed || s.Outcome == status.Slow {
			out.Bad++
		}
	}
	var values []float64
	for _, b := range bins {
		if b.n > 0 {
			values = append(values, b.sum/float64(b.n))
		}
	}
	if len(values) == 0 && out.Bad == 0 {
		return out
	}
	low, high := 0.0, 1.0
	if len(values) > 0 {
		// One spike must not press the rest flat: the scale ends a little above
		// the ninth decile, and what is higher touches the top. It spans a fifth
		// of the usual value at least, so that a calm line is calm.
		sorted := slices.Sorted(slices.Values(values))
		top := sorted[min(len(sorted)*9/10, len(sorted)-1)]
		reach := max(top-sorted[0], top/5)
		low, high = max(sorted[0]-reach, 0), top+reach
		if unit != "" {
			low, high = sorted[0], sorted[len(sorted)-1]
		}
		if high-low < 1e-9 {
			low, high = low-1, high+1
		}
	}
	var path, fails, slows strings.Builder
	x := func(i int) float64 { return (float64(i) + 0.5) * sparkWide / sparkSteps }
	pen, gap := false, 0
	for i, b := range bins {
		if b.fail {
			fmt.Fprintf(&fails, "M%.1f %dv-%d", x(i), sparkHigh, sparkTick)
		} else if b.slow {
			fmt.Fprintf(&slows, "M%.1f %dv-%d", x(i), sparkHigh, sparkTick)
		}
		if b.n == 0 {
			// A point that was not due is no gap.
			if gap++; gap > int(interval/step)+1 || b.fail {
				pen = false
			}
			continue
		}
		gap = 0
		y := 2 + (1-(math.Min(b.sum/float64(b.n), high)-low)/(high-low))*(sparkHigh-6)
		if pen {
			fmt.Fprintf(&path, "L%.1f %.1f", x(i), y)
		} else {
			fmt.Fprintf(&path, "M%.1f %.1f", x(i), y)
		}
		pen = true
	}
	out.Path = template.HTML(strand("l", path.String()) + strand("f", fails.String()) + strand("d", slows.String()))
	return out
}

// strand is one path of a sparkline; nothing for an empty one.
func strand(class, d string) string {
	if d == "" {
		return ""
	}
	return `<path class="` + class + `" d="` + d + `"/>`
}
