package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// answering is a hub that gives this answer to /readyz; its URL.
func answering(t testing.TB, code int, body string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestReadyTellsWhatIsWrong(t *testing.T) {
	redisAway := `{"ready": true, "checks": [{"name": "database", "ok": true}, {"name": "redis", "ok": false, "detail": "away since noon"}]}`
	for _, tt := range []struct {
		name string
		code int
		body string
		exit int
		says string // on stderr
	}{
		{"all is well", 200, `{"ready": true, "checks": [{"name": "database", "ok": true}]}`, exitOK, ""},
		{"a check that is not required fails", 200, redisAway, exitOK, "redis: away since noon"},
		{"a required check fails", 503, `{"ready": false, "checks": [{"name": "database", "ok": false, "detail": "the disk is full"}]}`, exitFailed, "database: the disk is full"},
		{"the public listener gives no details", 503, `{"ready": false, "checks": [{"name": "database", "ok": false}]}`, exitFailed, "database is not ok"},
		{"something else answers", 200, `<html>`, exitFailed, "does not look like a hub"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := evenkeel(t, "ready", answering(t, tt.code, tt.body))
			if code != tt.exit || stdout != "" || !strings.Contains(stderr, tt.says) || tt.says == "" && stderr != "" {
				t.Errorf("exit %d, stdout %q, stderr %q; want %d and %q", code, stdout, stderr, tt.exit, tt.says)
			}
		})
	}
}

func TestReadyWithoutHubFails(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	if code, _, stderr := evenkeel(t, "ready", srv.URL); code != exitFailed || stderr == "" {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

// TestReadyAsksTheHubOfItsEnvironment: in a container nobody names an address.
func TestReadyAsksTheHubOfItsEnvironment(t *testing.T) {
	url := answering(t, 200, `{"ready": true, "checks": []}`)
	port := url[strings.LastIndexByte(url, ':'):]
	for _, tt := range []struct{ variable, value string }{{"EVENKEEL_URL", url}, {"EVENKEEL_LISTEN", port}, {"EVENKEEL_LISTEN", "0.0.0.0" + port}} {
		t.Run(tt.variable+"="+strings.TrimSuffix(tt.value, port), func(t *testing.T) {
			t.Setenv(tt.variable, tt.value)
			if code, _, stderr := evenkeel(t, "ready", "--json"); code != exitOK {
				t.Errorf("exit %d, stderr %q", code, stderr)
			}
		})
	}
}
