package monitors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// scrape gives the text of a registry, and behind it that of the runner's probes.
func scrape(t testing.TB, g prometheus.Gatherer, r *Runner) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(g, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	if err := r.WriteMetrics(w.Body); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

// full is a probe whose result has every fact.
type full struct{}

func (full) Probe(_ context.Context, run *Run) status.Result {
	f := run.Facts()
	*f = status.Facts{IPVersion: 4, CertExpiry: time.Unix(2e9, 0), ChainExpiry: time.Unix(2e9, 0), TLSVersion: "TLS 1.3", HTTPVersion: "1.1", Redirects: 1, Bytes: 10}
	for _, m := range probeMetrics {
		run.Number(strings.TrimPrefix(m.name, "probe_"), 1)
	}
	run.Number("perfdata_secret_url", 5) // not in the closed list
	res := run.OK(30 * time.Millisecond)
	res.Code, res.HasValue, res.Value = 200, true, 42
	return res
}

func (full) Close() {}

func TestMetricsOfEveryKindAreCleanAndVanishWithTheirMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var jobs []Job
		for _, kind := range Kinds() {
			j := job("m-"+kind, time.Second, full{})
			j.Kind, j.Component = kind, "shop"
			jobs = append(jobs, j)
		}
		registry := prometheus.NewPedanticRegistry()
		r, _, stop := started(t, RunnerDeps{Registerer: registry}, jobs)
		pass(2 * time.Second)
		text := scrape(t, registry, r)
		for _, want := range []string{
			`probe_success{component="shop",kind="http",location="local",monitor="m-http"} 1`,
			`probe_http_duration_seconds{component="shop",kind="http",location="local",monitor="m-http",phase="processing"} 0`,
			`probe_http_status_code{component="shop",kind="http",location="local",monitor="m-http"} 200`,
			`probe_tls_version_info{component="shop",kind="tls",location="local",monitor="m-tls",version="TLS 1.3"} 1`,
			`probe_ssl_earliest_cert_expiry{component="shop",kind="tls",location="local",monitor="m-tls"} 2e+09`,
			`probe_value{component="shop",kind="sql",location="local",monitor="m-sql"} 42`,
			`probe_dns_answer_rrs{`, `probe_icmp_duration_seconds{`, `evenkeel_schedule_lag_seconds_count`, `evenkeel_ticks_missed_total 0`,
			`evenkeel_probe_runs_total{outcome="ok"}`, fmt.Sprintf("evenkeel_monitors %d", len(jobs)), `evenkeel_latency_error_seconds_count 0`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s", want)
			}
		}
		if strings.Contains(text, "perfdata") {
			t.Error("a metric outside the closed list was sent")
		}
		labels := regexp.MustCompile(`([a-z_]+)="`)
		for _, m := range labels.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(" monitor component kind location phase version outcome le ", " "+m[1]+" ") {
				t.Errorf("label %s", m[1])
			}
		}
		promtool(t, text)
		r.Set(jobs[:1])
		after := scrape(t, registry, r)
		if strings.Contains(after, `monitor="`+jobs[1].ID+`"`) || !strings.Contains(after, `monitor="`+jobs[0].ID+`"`) {
			t.Error("series of a removed monitor remain, or those of a kept one are gone")
		}
		stop()
	})
}

// promtool lets Prometheus's own checker read the metrics. The names of
// blackbox_exporter are its own and are not judged.
func promtool(t *testing.T, text string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed: the names are not checked")
		return
	}
	cmd := exec.Command(path, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "evenkeel_") || strings.HasPrefix(line, "error") {
			t.Errorf("promtool: %s", line)
		}
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 3) { // 3: only remarks on names
		t.Errorf("promtool: %v\n%s", err, out)
	}
	t.Logf("promtool: %s", bytes.TrimSpace(out))
}

func TestBlackboxSpeaksItsContract(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, r.Host)
	}))
	defer server.Close()
	b, err := NewBlackbox(config.Blackbox{
		Modules: map[string]config.Monitor{"http_2xx": {Kind: "http"}, "tcp": {Kind: "tcp"}, "named": {Kind: "http", Expect: config.Expect{Body: "^shop.example.org$"}}},
		Allow:   []string{`(http://)?127\.0\.0\.1:\d+(/.*)?`},
	}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	get := func(query string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/probe?"+query, nil)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		return w
	}
	address := server.Listener.Addr().String()
	for _, c := range []struct {
		query string
		code  int
		want  string
	}{
		{"module=http_2xx&target=" + server.URL, 200, "probe_success 1\n"},
		{"module=http_2xx&target=" + address, 200, "probe_http_status_code 200\n"},
		{"module=http_2xx&target=" + server.URL + "/down", 200, "probe_success 0\n"},
		{"module=tcp&target=" + address, 200, "probe_success 1\n"},
		{"module=named&target=" + address + "&hostname=shop.example.org", 200, "probe_success 1\n"},
		{"module=named&target=" + address, 200, "probe_success 0\n"},
		{"module=http_2xx&debug=true&target=" + server.URL, 200, "Logs for the probe:"},
		{"module=http_2xx", 400, "Target parameter is missing"},
		{"module=nope&target=" + server.URL, 400, `Unknown module "nope"`},
		{"module=http_2xx&target=http://169.254.169.254/", 403, "blackbox.allow"},
		{"module=http_2xx&target=http://evil.example.org/http://127.0.0.1:1/", 403, "blackbox.allow"},
		{"module=http_2xx&target=" + strings.Repeat("x", 600), 403, "blackbox.allow"},
	} {
		w := get(c.query)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s, want %d with %q", c.query, w.Code, w.Body, c.code, c.want)
		}
		if c.code == 200 && !strings.Contains(w.Body.String(), "probe_duration_seconds ") {
			t.Errorf("%s: no duration", c.query)
		}
	}
	if w := get("module=http_2xx&target="+server.URL, scrapeTimeout, "soon"); w.Code != 400 {
		t.Errorf("a bad scrape timeout: %d", w.Code)
	}
	for header, want := range map[string]time.Duration{"": 10 * time.Second, "5": 4500 * time.Millisecond, "0.5": 500 * time.Millisecond, "60": 10 * time.Second} {
		if got, err := b.timeout(config.Monitor{}, header); err != nil || got != want {
			t.Errorf("scrape timeout %q: %s, %v, want %s", header, got, err, want)
		}
	}
	if _, err := NewBlackbox(config.Blackbox{Modules: map[string]config.Monitor{"run": {Kind: "exec"}}, Allow: []string{"("}}, Env{}); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("a module that runs commands: %v", err)
	}
}

func TestCalibrationMeasuresItsOwnTarget(t *testing.T) {
	seen := make(chan float64, 4)
	c, err := newCalibration(prometheus.ObserverFunc(func(v float64) { seen <- v }))
	if err != nil {
		t.Fatal(err)
	}
	c.wg.Go(c.serve)
	c.measure(t.Context()) // connects: not a measurement
	c.measure(t.Context())
	c.close()
	close(seen)
	var errs []float64
	for v := range seen {
		errs = append(errs, v)
	}
	if len(errs) != 1 || errs[0] < 0 {
		t.Errorf("observed %v, want one error", errs)
	}
	t.Logf("error %v s", errs)
}
