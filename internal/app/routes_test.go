package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/telemetry"
	"evenkeel/internal/testkit"
	"evenkeel/web/door/doortest"
)

// upright is a whole hub, seen from inside.
type upright struct {
	*App
	h *house
}

// stand starts a hub on SQLite in a folder of its own. It is stopped with the test.
func stand(t *testing.T, text string) upright {
	t.Helper()
	file, err := LoadConfig(write(t, "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata: "+t.TempDir()+"\n"+text), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Options{Config: file, Version: "test", Log: telemetry.NewLogger(t.Output(), "error", "text"), Load: func() (config.File, error) { return file, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Await(t, "everything behind the door", time.Minute, func() bool { return len(a.web.Routes()) > 0 })
	return upright{a, a.house.Load()}
}

// TestEveryRouteOfTheHubKeepsItsRole walks everything behind the door of a whole
// hub as nobody, as every role, with every scope, with what was revoked and from
// another site (design 10.9: nobody acts beyond their role).
func TestEveryRouteOfTheHubKeepsItsRole(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("thousands of requests are left to the long run")
	}
	s := stand(t, "page: {name: Example Ltd, url: \"https://status.example.org\"}\ncomponents: [{id: shop, name: Web shop}]\nsmtp: {url: \"smtp://127.0.0.1:9\", from: a@example.org}\n")
	house := doortest.Settle(t, s.h.doors.accounts, s.h.doors.tokens)
	house.Walk(t, s.web.Public(), s.web.Routes())
}

// TestRefusalsSpeakTheCallersLanguage: each door refuses in the form that its
// callers read.
func TestRefusalsSpeakTheCallersLanguage(t *testing.T) {
	t.Parallel()
	s := stand(t, "page: {name: Example Ltd}\ncomponents: [{id: shop}]\n")
	for _, c := range []struct {
		method, path, kind, says string
		code                     int
	}{
		{http.MethodGet, "/v1/pages", "application/json", `{"error":"Sign in first."}`, http.StatusUnauthorized},
		{http.MethodGet, "/api/v1/components", "application/problem+json", `"status":401`, http.StatusUnauthorized},
		{http.MethodGet, "/hooks/none/x", "application/problem+json", `"status":404`, http.StatusNotFound},
		{http.MethodGet, "/hooks/slack/x", "application/problem+json", `"status":404`, http.StatusNotFound},
		{http.MethodPost, "/hooks/slack/x", "application/problem+json", `"status":404`, http.StatusNotFound},
	} {
		rec := httptest.NewRecorder()
		s.web.Public().ServeHTTP(rec, httptest.NewRequest(c.method, "http://localhost:8080"+c.path, nil))
		if rec.Code != c.code || rec.Header().Get("Content-Type") != c.kind || !strings.Contains(rec.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s %s", c.method, c.path, rec.Code, rec.Header().Get("Content-Type"), rec.Body)
		}
	}
}
