package latency

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the figures of a Recorder.
type metrics struct {
	dropped prometheus.Counter
	written prometheus.Counter
	flush   prometheus.Histogram
}

// register makes the metrics and puts them into reg, where there is one.
func (r *Recorder) register(reg prometheus.Registerer) error {
	r.metrics = metrics{
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_samples_dropped_total",
			Help: "Measurements lost because a limit was reached or they could not be used.",
		}),
		written: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_samples_written_total",
			Help: "Measurements of this process that are saved.",
		}),
		flush: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "evenkeel_samples_flush_duration_seconds",
			Help:    "How long one flush of measurements took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}),
	}
	if reg == nil {
		return nil
	}
	all := []prometheus.Collector{r.metrics.dropped, r.metrics.written, r.metrics.flush,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "evenkeel_samples_buffered",
			Help: "Measurements that are not saved yet.",
		}, func() float64 { return float64(r.Buffered()) }),
	}
	if r.ringer != nil {
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "evenkeel_redis_up",
			Help: "1 while Redis takes measurements, 0 while it is away.",
		}, func() float64 {
			if r.Health().OK {
				return 1
			}
			return 0
		}))
	}
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return fmt.Errorf("register the metrics of measurements: %w", err)
		}
	}
	return nil
}

// Buffered tells how many measurements are not saved yet.
func (r *Recorder) Buffered() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buffer.count + r.unsaved
}
