package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// probeFile writes a configuration with one monitor of url.
func probeFile(t testing.TB, url string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "evenkeel.yaml")
	text := fmt.Sprintf(`page: {name: Example, url: "https://status.example.org"}
components: [{id: shop}]
monitors:
  - {id: front, component: shop, kind: http, url: %q, interval: 10s}
  - {id: nightly, component: shop, kind: heartbeat, schedule: {every: 1d}, token: 0123456789abcdefghij, interval: 30s}
`, url)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestProbeRunsAMonitorOnceAndTells(t *testing.T) {
	code := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }))
	defer server.Close()
	file := probeFile(t, server.URL)
	call := func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		exit := runProbe(t.Context(), args, &stdout, &stderr)
		return exit, stdout.String(), stderr.String()
	}
	exit, out, _ := call("front", "-c", file)
	if exit != exitOK || !strings.Contains(out, "front (http): ok, ") || !strings.Contains(out, "processing") || !strings.Contains(out, "status 200") {
		t.Errorf("exit %d\n%s", exit, out)
	}
	code = http.StatusTeapot
	exit, out, _ = call("front", "-c", file, "--json")
	var got probed
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if exit != exitFailed || got.OK || got.Outcome != "failed" || got.Code != 418 || got.Reason != "status 418, want 2xx" || len(got.Log) == 0 || got.PhasesMS["connect"] <= 0 {
		t.Errorf("exit %d, %+v", exit, got)
	}
	for _, c := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"frnt", "-c", file}, exitUsage, `Did you mean "front"?`},
		{[]string{"front", "-c", file + ".absent"}, exitUsage, "name one with -c"},
		{[]string{"nightly", "-c", file}, exitUsage, "a heartbeat asks nobody"},
		{nil, exitUsage, "it needs MONITOR"},
	} {
		if exit, _, text := call(c.args...); exit != c.exit || !strings.Contains(text, c.want) {
			t.Errorf("%v: exit %d, %s; want %d with %q", c.args, exit, text, c.exit, c.want)
		}
	}
}
