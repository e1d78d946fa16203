package telemetry

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// staleAfter is how many missed reports make a loop stale.
const staleAfter = 3

// Check is one named statement about the hub's health.
type Check struct {
	Name     string    `json:"name"`
	OK       bool      `json:"ok"`
	Since    time.Time `json:"since"`    // when OK last changed, UTC
	Detail   string    `json:"detail"`   // one line for staff
	Required bool      `json:"required"` // whether the hub is not ready without it
}

// Report is what /readyz answers.
type Report struct {
	Ready   bool              `json:"ready"`
	Engines map[string]string `json:"engines"` // database, redis, blobs → what serves it
	Checks  []Check           `json:"checks"`  // by name
}

// Health is the registry of checks. The parts of the hub tell it how they are;
// it asks nobody, so that answering costs nothing and never hangs. It is a
// prometheus.Collector. Use NewHealth.
type Health struct {
	mu      sync.Mutex
	engines map[string]string
	checks  map[string]Check
	loops   map[string]loop
}

// loop is something that must report every so often.
type loop struct {
	every time.Duration
	last  time.Time
	since time.Time // when it went stale or came back
	stale bool
}

// NewHealth makes an empty registry, which is ready.
func NewHealth() *Health {
	return &Health{engines: map[string]string{}, checks: map[string]Check{}, loops: map[string]loop{}}
}

// Engine says what serves the database, redis or blobs.
func (h *Health) Engine(name, engine string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.engines[name] = engine
}

// Need reports something without which the hub is not ready, such as the database.
func (h *Health) Need(name string, ok bool, detail string) { h.set(name, ok, detail, true) }

// Note reports something that people should know and that takes nothing from
// readiness, such as a Redis that is away or a configuration that was refused.
func (h *Health) Note(name string, ok bool, detail string) { h.set(name, ok, detail, false) }

func (h *Health) set(name string, ok bool, detail string, required bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, known := h.checks[name]
	if !known || c.OK != ok {
		c.Since = now()
	}
	c.Name, c.OK, c.Detail, c.Required = name, ok, detail, required
	h.checks[name] = c
}

// Beat is called by a loop at least every so often. A loop that has not called
// for three times that long is stale, and the hub not ready.
func (h *Health) Beat(name string, every time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l, known := h.loops[name]
	at := now()
	if !known || l.stale || at.Sub(l.last) > staleAfter*l.every {
		l.since, l.stale = at, false
	}
	l.every, l.last = every, at
	h.loops[name] = l
}

// Forget drops a check or loop that no longer exists, such as the loop of a
// part that was stopped on purpose.
func (h *Health) Forget(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.checks, name)
	delete(h.loops, name)
}

// Report gives the state of everything.
func (h *Health) Report() Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := Report{Ready: true, Engines: maps.Clone(h.engines), Checks: make([]Check, 0, len(h.checks)+len(h.loops))}
	for _, c := range h.checks {
		r.Checks = append(r.Checks, c)
	}
	at := now()
	for name, l := range h.loops {
		age := at.Sub(l.last)
		c := Check{Name: name, OK: age <= staleAfter*l.every, Since: l.since, Detail: "reports every " + l.every.String(), Required: true}
		if !c.OK {
			if !l.stale {
				l.stale, l.since = true, l.last.Add(staleAfter*l.every)
				h.loops[name] = l
				c.Since = l.since
			}
			c.Detail = fmt.Sprintf("silent for %s, reports every %s", age.Round(time.Second), l.every)
		}
		r.Checks = append(r.Checks, c)
	}
	slices.SortFunc(r.Checks, func(a, b Check) int { return cmp.Compare(a.Name, b.Name) })
	for _, c := range r.Checks {
		r.Ready = r.Ready && (c.OK || !c.Required)
	}
	return r
}

var (
	readyDesc = prometheus.NewDesc("evenkeel_ready", "1 when /readyz says ready.", nil, nil)
	checkDesc = prometheus.NewDesc("evenkeel_check_ok", "1 when the named health check holds.", []string{"check"}, nil)
	beatDesc  = prometheus.NewDesc("evenkeel_loop_age_seconds", "Time since the named loop last reported.", []string{"loop"}, nil)
)

// Describe is prometheus.Collector's.
func (h *Health) Describe(ch chan<- *prometheus.Desc) {
	ch <- readyDesc
	ch <- checkDesc
	ch <- beatDesc
}

// Collect is prometheus.Collector's.
func (h *Health) Collect(ch chan<- prometheus.Metric) {
	r := h.Report()
	ch <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, truth(r.Ready))
	for _, c := range r.Checks {
		ch <- prometheus.MustNewConstMetric(checkDesc, prometheus.GaugeValue, truth(c.OK), c.Name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	at := now()
	for name, l := range h.loops {
		ch <- prometheus.MustNewConstMetric(beatDesc, prometheus.GaugeValue, at.Sub(l.last).Seconds(), name)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// now is the wall clock as the house keeps it, with the monotonic reading that
// ages are measured by: a clock step makes no loop stale.
func now() time.Time { return time.Now().UTC() }
