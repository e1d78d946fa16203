package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoggerNeverShowsPasswordsOfURLs(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		u, err := url.Parse("redis://user:hunter2@example.org/0")
		if err != nil {
			t.Fatal(err)
		}
		log := NewLogger(&out, "info", format).With("url", "postgres://e:hunter2@example.org/db")
		log.Info("connect", "err", errors.New("dial amqp://:hunter2@h: refused"), "target", u, "n", 1, "mail", "someone@example.org", "nothing", (*url.URL)(nil))
		if got := out.String(); strings.Contains(got, "hunter2") || strings.Count(got, "redacted") != 3 || !strings.Contains(got, "someone@example.org") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestLoggerWritesDurationsWithTheirUnit(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		NewLogger(&out, "info", format).With("every", time.Minute).Info("slow", "dur", 1500*time.Millisecond)
		if got := out.String(); !strings.Contains(got, "1.5s") || !strings.Contains(got, "1m0s") || strings.Contains(got, "1500000000") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestLoggerLevelChangesForDerivedLoggers(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, "warn", "")
	derived := log.With("part", "x").WithGroup("g")
	derived.Info("quiet")
	SetLevel(derived, "debug")
	log.Debug("loud")
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, `"loud"`) || Level(log) != "debug" {
		t.Errorf("log: %s", got)
	}
	SetLevel(slog.New(slog.DiscardHandler), "debug") // a foreign logger is left alone
}

func TestHealthIsReadyUntilSomethingNeededFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth()
		start := time.Now().UTC()
		h.Engine("redis", "in process")
		h.Note("configuration", false, "evenkeel.yaml was refused")
		h.Need("database", true, "")
		if r := h.Report(); !r.Ready || r.Engines["redis"] != "in process" || len(r.Checks) != 2 {
			t.Errorf("a note is no reason not to be ready: %+v", r)
		}
		<-time.After(time.Minute)
		h.Need("database", true, "still")
		if got := h.Report().Checks[1]; !got.Since.Equal(start) || got.Detail != "still" {
			t.Errorf("since moved without a change: %+v", got)
		}
		h.Need("database", false, "away")
		if r := h.Report(); r.Ready || !r.Checks[1].Since.Equal(start.Add(time.Minute)) {
			t.Errorf("the database is away and the hub ready: %+v", r)
		}
		h.Forget("database")
		if !h.Report().Ready {
			t.Error("a check that was forgotten still counts")
		}
	})
}

func TestHealthFindsStaleLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth()
		start := time.Now()
		h.Beat("sealer", time.Second)
		<-time.After(3 * time.Second)
		if !h.Report().Ready {
			t.Error("stale too early")
		}
		<-time.After(2 * time.Second)
		r := h.Report()
		if c := r.Checks[0]; r.Ready || c.OK || c.Detail != "silent for 5s, reports every 1s" || !c.Since.Equal(start.Add(3*time.Second)) {
			t.Errorf("a silent loop: %+v", r)
		}
		h.Beat("sealer", time.Second)
		if c := h.Report().Checks[0]; !c.OK || !c.Since.Equal(start.Add(5*time.Second)) {
			t.Errorf("a loop that came back: %+v", c)
		}
	})
}

// admin serves an admin handler on loopback.
func admin(t *testing.T, change func(*AdminOptions)) string {
	t.Helper()
	o := AdminOptions{Registry: NewRegistry(), Health: NewHealth(), Log: NewLogger(io.Discard, "info", "json")}
	o.Registry.MustRegister(o.Health, NewBuildInfo("1.2.3"))
	NewReloads(o.Registry).Applied(time.Now())
	change(&o)
	server := httptest.NewServer(NewAdmin(o))
	t.Cleanup(server.Close)
	return server.URL
}

// call makes a request and gives status and body.
func call(t *testing.T, method, url string, header http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestAdminTellsLifeAndReadiness(t *testing.T) {
	var health *Health
	base := admin(t, func(o *AdminOptions) { health = o.Health })
	if code, _ := call(t, "GET", base+"/livez", nil); code != 200 {
		t.Errorf("/livez: %d", code)
	}
	if code, _ := call(t, "GET", base+"/readyz", nil); code != 200 {
		t.Errorf("/readyz: %d", code)
	}
	health.Need("database", false, "refused")
	code, body := call(t, "GET", base+"/readyz", nil)
	var r struct {
		Ready   *bool             `json:"ready"`
		Engines map[string]string `json:"engines"`
		Checks  []struct {
			Name, Detail string
			OK           *bool
			Since        time.Time
		}
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	if code != 503 || r.Ready == nil || *r.Ready || r.Engines == nil || len(r.Checks) != 1 || r.Checks[0].Name != "database" || r.Checks[0].Since.IsZero() {
		t.Errorf("/readyz without a database: %d %s", code, body)
	}
}

func TestAdminReloads(t *testing.T) {
	var fail error
	base := admin(t, func(o *AdminOptions) {
		o.Reload, o.ConfigPath = func(context.Context) error { return fail }, "/etc/evenkeel/evenkeel.yaml"
	})
	if code, body := call(t, "GET", base+"/-/config", nil); code != 200 || !strings.Contains(body, `"path":"/etc/evenkeel/evenkeel.yaml"`) {
		t.Errorf("config path: %d %s", code, body)
	}
	if code, body := call(t, "POST", base+"/-/reload", nil); code != 200 || body != "{\"ok\":true}\n" {
		t.Errorf("reload: %d %s", code, body)
	}
	fail = errors.New("evenkeel.yaml:3:1: unknown key")
	if code, body := call(t, "POST", base+"/-/reload", nil); code != 422 || !strings.Contains(body, "3:1") {
		t.Errorf("refused reload: %d %s", code, body)
	}
	if code, _ := call(t, "GET", base+"/-/reload", nil); code != 405 {
		t.Errorf("GET /-/reload: %d", code)
	}
	if code, _ := call(t, "POST", base+"/-/reload", http.Header{"Sec-Fetch-Site": {"cross-site"}}); code != 403 {
		t.Errorf("a foreign page may reload: %d", code)
	}
}

func TestAdminChangesNothingForOtherMachines(t *testing.T) {
	h := NewAdmin(AdminOptions{Registry: NewRegistry(), Health: NewHealth(), Log: slog.New(slog.DiscardHandler), Reload: func(context.Context) error {
		t.Error("another machine made the hub reload")
		return nil
	}})
	for _, from := range []string{"192.0.2.1:1", "[2001:db8::1]:1", "", "@"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/-/reload", nil)
		r.RemoteAddr = from
		if h.ServeHTTP(w, r); w.Code != 403 {
			t.Errorf("from %q: %d", from, w.Code)
		}
	}
}

func TestAdminLogLevelAndProfiles(t *testing.T) {
	base := admin(t, func(*AdminOptions) {})
	if code, body := call(t, "PUT", base+"/-/log-level?level=debug", nil); code != 200 || !strings.Contains(body, "debug") {
		t.Errorf("log level: %d %s", code, body)
	}
	if code, _ := call(t, "PUT", base+"/-/log-level?level=loud", nil); code != 400 {
		t.Errorf("wrong log level: %d", code)
	}
	if code, _ := call(t, "GET", base+"/debug/pprof/cmdline", nil); code != 404 {
		t.Errorf("profiles are served without being asked for: %d", code)
	}
	on := admin(t, func(o *AdminOptions) { o.Pprof = true })
	if code, _ := call(t, "GET", on+"/debug/pprof/cmdline", nil); code != 200 {
		t.Errorf("profiles: %d", code)
	}
}

// TestMetricsPassPromtool asks Prometheus's own tool about our names.
func TestMetricsPassPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIP: promtool is not installed")
	}
	var health *Health
	base := admin(t, func(o *AdminOptions) { health = o.Health })
	health.Beat("engine", time.Second)
	health.Need("database", true, "")
	code, body := call(t, "GET", base+"/metrics", nil)
	if code != 200 || !strings.Contains(body, `evenkeel_check_ok{check="database"} 1`) || !strings.Contains(body, `evenkeel_build_info{`) {
		t.Fatalf("/metrics: %d %s", code, body)
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin, cmd.Env = strings.NewReader(body), os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
