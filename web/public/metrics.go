package public

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what making and announcing the page costs.
type Metrics struct {
	render  prometheus.Histogram
	streams prometheus.Gauge
	refused prometheus.Counter
}

// NewMetrics registers the metrics of the public page.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		render: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_page_render_seconds", Help: "Time to render and compress everything public after a change.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
		}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "evenkeel_live_streams", Help: "Visitors who are listening for changes."}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "evenkeel_live_refused_total", Help: "Visitors who could not listen because a limit was reached."}),
	}
	reg.MustRegister(m.render, m.streams, m.refused)
	return m
}

func (m *Metrics) rendered(took time.Duration) { m.render.Observe(took.Seconds()) }
