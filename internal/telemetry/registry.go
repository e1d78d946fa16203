package telemetry

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry makes the hub's own registry, with the collectors of the Go
// runtime and the process. Nothing is ever registered with the library's
// default one.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// NewBuildInfo is a metric that is always 1 and says which version runs.
func NewBuildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "evenkeel_build_info",
		Help:        "Always 1; the labels say which version runs and what built it.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// Reloads tells how the configuration was last read: the metrics that other
// Prometheus programs have under the same endings.
type Reloads struct {
	ok   prometheus.Gauge
	when prometheus.Gauge
	runs *prometheus.CounterVec
}

// NewReloads registers the metrics of reloading.
func NewReloads(r prometheus.Registerer) *Reloads {
	m := &Reloads{
		ok: prometheus.NewGauge(prometheus.GaugeOpts{Name: "evenkeel_config_last_reload_successful",
			Help: "1 when the configuration file was good the last time it was read, 0 when the hub goes on with an older one."}),
		when: prometheus.NewGauge(prometheus.GaugeOpts{Name: "evenkeel_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration that is in force was read."}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "evenkeel_config_reloads_total",
			Help: "How often the configuration was read, by how it ended."}, []string{"result"}),
	}
	for _, result := range []string{"applied", "refused"} {
		m.runs.WithLabelValues(result) // there from the start, so that rates work
	}
	r.MustRegister(m.ok, m.when, m.runs)
	return m
}

// Applied notes that a configuration came into force.
func (m *Reloads) Applied(now time.Time) {
	m.ok.Set(1)
	m.when.Set(float64(now.UnixMilli()) / 1000)
	m.runs.WithLabelValues("applied").Inc()
}

// Refused notes that a configuration was wrong and the old one stays.
func (m *Reloads) Refused() {
	m.ok.Set(0)
	m.runs.WithLabelValues("refused").Inc()
}
