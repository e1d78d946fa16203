package monitors

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Limits of /probe.
const (
	maxBlackboxProbes = 64  // requests under way at once
	maxBlackboxTarget = 512 // bytes of a target
	scrapeTimeout     = "X-Prometheus-Scrape-Timeout-Seconds"
	// scrapeMargin is how long before Prometheus gives up the probe must end, so
	// that its result still arrives; blackbox_exporter has the same.
	scrapeMargin = 500 * time.Millisecond
)

// Blackbox answers GET /probe?target=…&module=… as blackbox_exporter does, so
// that its configurations, dashboards and alerts go on working. It probes only
// targets that the configuration allows.
type Blackbox struct {
	env     Env
	modules map[string]config.Monitor
	allow   []*regexp.Regexp
	slots   chan struct{}
}

// NewBlackbox checks modules and targets. Errors: problem.Errors, kind Invalid,
// with fields as in the file.
func NewBlackbox(conf config.Blackbox, env Env) (*Blackbox, error) {
	var found problem.Errors
	b := &Blackbox{env: NewEnv(env), modules: conf.Modules, slots: make(chan struct{}, maxBlackboxProbes)}
	for _, name := range sortedKeys(conf.Modules) {
		if targetKey(conf.Modules[name].Kind) == "" {
			found = append(found, problem.Invalid("blackbox.modules."+name+".kind", "kind %q takes no target from a request", conf.Modules[name].Kind))
		}
	}
	for i, text := range conf.Allow {
		re, err := regexp.Compile("^(?:" + text + ")$") // the whole target, so that a name in a path opens nothing
		if err != nil {
			found = append(found, problem.Invalid(fmt.Sprintf("blackbox.allow[%d]", i), "is not a regular expression"))
			continue
		}
		b.allow = append(b.allow, re)
	}
	if len(found) > 0 {
		return nil, found
	}
	return b, nil
}

// targetKey is the option that a request's target fills in: "" for kinds that
// have none, or that must not be steered from outside.
func targetKey(name string) string {
	switch name {
	case "exec", "heartbeat", "sql", "postgres":
		return ""
	}
	k := kinds()[name]
	for _, key := range []string{"target", "url"} {
		if slices.Contains(k.keys, key) {
			return key
		}
	}
	return ""
}

// aim puts a request's target into a module.
func aim(spec config.Monitor, target, hostname string) config.Monitor {
	if targetKey(spec.Kind) == "target" {
		if strings.Contains(target, "://") && slices.Contains(kinds()[spec.Kind].keys, "url") {
			spec.URL = target
		} else {
			spec.Target = target
		}
	} else {
		if !strings.Contains(target, "://") {
			target = "http://" + target
		}
		spec.URL = target
	}
	if hostname != "" && spec.Kind == "http" {
		spec.Host = hostname
		if spec.TLS.ServerName == "" {
			spec.TLS.ServerName = hostname
		}
	}
	return spec
}

// ServeHTTP runs one probe and answers with its metrics, or with its log when
// debug=true is asked for.
func (b *Blackbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	params := r.URL.Query()
	target, name := params.Get("target"), params.Get("module")
	spec, known := b.modules[name]
	switch {
	case target == "":
		http.Error(w, "Target parameter is missing", http.StatusBadRequest)
		return
	case !known:
		http.Error(w, fmt.Sprintf("Unknown module %q", printable(name, maxQuoted)), http.StatusBadRequest)
		return
	case len(target) > maxBlackboxTarget || !slices.ContainsFunc(b.allow, func(re *regexp.Regexp) bool { return re.MatchString(target) }):
		http.Error(w, "This target is not among those that blackbox.allow names", http.StatusForbidden)
		return
	}
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	default:
		http.Error(w, "Too many probes are under way", http.StatusServiceUnavailable)
		return
	}
	timeout, err := b.timeout(spec, r.Header.Get(scrapeTimeout))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	probe, err := Compile(aim(spec, target, params.Get("hostname")), b.env)
	if err != nil {
		http.Error(w, problem.Public(err), http.StatusBadRequest)
		return
	}
	defer probe.Close()
	b.answer(w, r, spec.Kind, probe, timeout)
}

// timeout gives how long a probe may take: what the module says, and no longer
// than Prometheus waits.
func (b *Blackbox) timeout(spec config.Monitor, header string) (time.Duration, error) {
	timeout := defaultTimeout
	if spec.Timeout > 0 {
		timeout = spec.Timeout.D()
	}
	if header == "" {
		return timeout, nil
	}
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 || seconds > 3600 {
		return 0, fmt.Errorf("%s is not a number of seconds", scrapeTimeout)
	}
	waits := time.Duration(seconds * float64(time.Second))
	if waits > 2*scrapeMargin {
		waits -= scrapeMargin
	}
	return min(timeout, waits), nil
}

func (b *Blackbox) answer(w http.ResponseWriter, r *http.Request, kind string, probe *Compiled, timeout time.Duration) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	begin := time.Now()
	res := Once(ctx, probe, "blackbox", status.LocalLocation, timeout)
	res.Latency = time.Since(begin) // blackbox_exporter's duration is the whole run's, failed or not
	if r.URL.Query().Get("debug") == "true" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "Logs for the probe:\n%s\n\nResult: %s %s\n\nMetrics that would have been returned:\n", strings.Join(res.Facts.Log, "\n"), res.Outcome, res.Reason)
	}
	w.Header().Set("Content-Type", expositionType)
	_ = writeProbes(w, []labelled{{finding: told(kind, res)}}) // whoever asked may have gone
}
