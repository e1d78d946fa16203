package monitors

import (
	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/status"
)

// runnerMetrics is what the runner tells about itself.
type runnerMetrics struct {
	lag      prometheus.Histogram
	latency  prometheus.Histogram // the error of recorded latencies
	runs     *prometheus.CounterVec
	outcomes [status.Inconclusive + 1]prometheus.Counter // of runs, looked up once
	others   []prometheus.Collector
}

func newRunnerMetrics(r *Runner) *runnerMetrics {
	m := &runnerMetrics{
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_schedule_lag_seconds", Help: "Time from the moment a probe was due to the moment it began.",
			Buckets:                     []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1},
			NativeHistogramBucketFactor: 1.2, NativeHistogramMaxBucketNumber: 80,
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_latency_error_seconds", Help: "What recorded latencies have too much, measured on a target whose delay is known.",
			Buckets:                     []float64{.00005, .0001, .0002, .0003, .0005, .001, .002, .005, .01, .05},
			NativeHistogramBucketFactor: 1.2, NativeHistogramMaxBucketNumber: 80,
		}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "evenkeel_probe_runs_total", Help: "Probe runs that finished, by outcome.",
		}, []string{"outcome"}),
	}
	for o := range m.outcomes {
		m.outcomes[o] = m.runs.WithLabelValues(status.Outcome(o).String())
	}
	m.others = []prometheus.Collector{
		m.lag, m.latency, m.runs,
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "evenkeel_ticks_missed_total", Help: "Ticks that led to no run: the run before was still in flight, or the machine was stopped.",
		}, func() float64 { return float64(r.missed.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "evenkeel_probes_refused_total", Help: "Runs that were inconclusive because too many probes were under way.",
		}, func() float64 { return float64(r.refused.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "evenkeel_probes_in_flight", Help: "Probes under way now.",
		}, func() float64 { return float64(r.inFlight.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "evenkeel_monitors", Help: "Monitors that are probed from here.",
		}, func() float64 { return float64(r.Stats().Monitors) }),
	}
	return m
}

// Describe sends the descriptions of all metrics.
func (m *runnerMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.others {
		c.Describe(ch)
	}
}

// Collect sends all metrics.
func (m *runnerMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.others {
		c.Collect(ch)
	}
}
