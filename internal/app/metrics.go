package app

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/config"
	"evenkeel/internal/telemetry"
	"evenkeel/monitors"
)

// blackbox answers /probe when the configuration switches it on. Its settings
// have passed their checks.
func (a *App) blackbox(file config.File) (http.Handler, error) {
	if !file.Blackbox.Enabled {
		return nil, nil
	}
	return monitors.NewBlackbox(file.Blackbox, a.env)
}

// houseMetrics tells how the parts that need the record are doing. While it
// cannot be reached it has nothing to say.
type houseMetrics struct{ app *App }

// registerMetrics adds what the hub says about itself.
func (a *App) registerMetrics() {
	a.registry.MustRegister(a.health, houseMetrics{a}, mailMetrics{a}, telemetry.NewBuildInfo(a.o.Version))
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("evenkeel_"+name, help, labels, nil)
}

var (
	followerLag     = desc("follower_lag_seconds", "How far a follower of the journal is behind it.", "follower")
	senderLag       = desc("sender_lag_seconds", "For how long the worst of the loops that send notices has not got on.")
	sendsTotal      = desc("notices_total", "Attempts to deliver a notice from this process, by channel and what became of them.", "channel", "result")
	journalPosition = desc("journal_position", "Sequence number that a follower has reached.", "follower")
	watching        = desc("watching", "1 while this process holds the lease to watch.")
	resultsDropped  = desc("results_dropped_total", "Results that did not fit into the inbox of the verdict engine.")
	resultsStrange  = desc("results_unknown_total", "Results of monitors or locations that are not defined.")
	recordsLost     = desc("decisions_dropped_total", "Decisions that could not be kept while the database was away.")
	recordsWaiting  = desc("components_unrecorded", "Components whose present status is not yet in the database.")
	unitsTotal      = desc("database_units_total", "Units of work by how they ended.", "result")
	commitsTotal    = desc("database_commits_total", "Commits that carried units of work.")
	unitsWaiting    = desc("database_units_waiting", "Units of work that wait for the writer.")
)

// Describe lists the metrics.
func (m houseMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{followerLag, journalPosition, watching, senderLag, sendsTotal, resultsDropped, resultsStrange, recordsLost,
		recordsWaiting, unitsTotal, commitsTotal, unitsWaiting} {
		ch <- d
	}
}

// Collect reads them.
func (m houseMetrics) Collect(ch chan<- prometheus.Metric) {
	h := m.app.house.Load()
	if h == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(followerLag, h.follower.Lag().Seconds(), "page")
	gauge(followerLag, h.sealer.Lag().Seconds(), "sealer")
	for name, lag := range h.wings.lags() {
		gauge(followerLag, lag.Seconds(), strings.TrimSuffix(name, " follower"))
	}
	_, behind := h.wings.sender.Lag()
	gauge(senderLag, behind.Seconds())
	for _, n := range h.wings.sends() {
		counter(sendsTotal, float64(n.Sent), n.Channel, "sent")
		counter(sendsTotal, float64(n.Retried), n.Channel, "retried")
		counter(sendsTotal, float64(n.Failed), n.Channel, "failed")
		counter(sendsTotal, float64(n.Suppressed), n.Channel, "suppressed")
	}
	gauge(journalPosition, float64(h.follower.Position()), "page")
	held := 0.0
	if m.app.watching.Load() {
		held = 1
	}
	gauge(watching, held)
	w := h.watch.Stats()
	counter(resultsDropped, float64(w.Dropped))
	counter(resultsStrange, float64(w.Strangers))
	counter(recordsLost, float64(w.Lost))
	gauge(recordsWaiting, float64(w.Behind))
	s := h.store.Stats()
	counter(unitsTotal, float64(s.Units), "committed")
	counter(unitsTotal, float64(s.Failed), "failed")
	counter(unitsTotal, float64(s.Retried), "retried")
	counter(commitsTotal, float64(s.Commits))
	gauge(unitsWaiting, float64(s.Waiting))
}

// tracked registers with the hub's registry and can take it all back, so that a
// house which could not rise leaves nothing behind that the next try would meet.
type tracked struct {
	registry *prometheus.Registry
	have     []prometheus.Collector
}

// Register adds a collector.
func (t *tracked) Register(c prometheus.Collector) error {
	err := t.registry.Register(c)
	if err == nil {
		t.have = append(t.have, c)
	}
	return err
}

// MustRegister adds collectors and panics when one cannot be added: a
// programmer's mistake, seen at the first start.
func (t *tracked) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := t.Register(c); err != nil {
			panic(err)
		}
	}
}

// Unregister takes one back.
func (t *tracked) Unregister(c prometheus.Collector) bool { return t.registry.Unregister(c) }

// forget takes everything back.
func (t *tracked) forget() {
	for _, c := range t.have {
		t.registry.Unregister(c)
	}
	t.have = nil
}
