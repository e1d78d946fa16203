package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	types "evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/api"
	"evenkeel/web/api/apitest"
)

// quietSpans is a page on which nothing was said yet.
type quietSpans struct{ api.Record }

func (quietSpans) OpenSpans(context.Context) ([]status.Span, error) { return nil, nil }

// An export is entered into a hub once, however often it is run.
func TestImportStatuspageEntersAnExportOnce(t *testing.T) {
	hub := apitest.New(t)
	src := &api.Sources{Watch: hub.Watch, Record: quietSpans{}, Incidents: hub.Room, Desk: hub.Desk, Notices: hub.Notices, Journal: hub.Journal, Replies: hub.Replies}
	handler := api.New(api.Options{
		Now: time.Now, Sources: func() *api.Sources { return src }, Actor: func(context.Context) access.Actor { return access.Host },
		Problem: func(err error) *types.Problem {
			codes := map[problem.Kind]int{problem.KindConflict: 409, problem.KindInvalid: 400, problem.KindNotFound: 404}
			return types.NewProblem(codes[problem.KindOf(err)], problem.Public(err))
		},
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	t.Setenv("EVENKEEL_URL", server.URL)
	t.Setenv("EVENKEEL_TOKEN", "secret")
	from := time.Now().UTC().Add(24 * time.Hour).Format(time.RFC3339)
	to := time.Now().UTC().Add(25 * time.Hour).Format(time.RFC3339)
	export := `{"components":[{"id":"c1","name":"Website","status":"operational"},{"id":"c2","name":"Database","status":"operational"}],
		"incidents":[{"id":"i1","name":"Down","status":"resolved","impact":"critical","created_at":"2026-03-01T10:00:00Z","resolved_at":"2026-03-01T11:00:00Z","components":[{"id":"c1"}],
			"incident_updates":[{"status":"resolved","body":"Over.","created_at":"2026-03-01T11:00:00Z"},{"status":"investigating","body":"Looking.","created_at":"2026-03-01T10:00:00Z"}]},
			{"id":"i2","name":"Slow","status":"identified","impact":"minor","created_at":"2026-11-01T10:00:00Z","components":[{"id":"c2"}],
			"incident_updates":[{"status":"identified","body":"Found.","created_at":"2026-11-01T10:00:00Z"}]}],
		"scheduled_maintenances":[{"id":"m1","name":"Disks","status":"scheduled","scheduled_for":"` + from + `","scheduled_until":"` + to + `","components":[{"id":"c2"}],"incident_updates":[]},
			{"id":"m0","name":"Old","status":"completed","scheduled_for":"2026-01-01T00:00:00Z","scheduled_until":"2026-01-01T01:00:00Z","incident_updates":[]}],
		"subscribers":[{"id":"s1","mode":"email","email":"reader@example.org","components":["c1"]},{"id":"s2","mode":"sms","components":[]}]}`
	file := filepath.Join(t.TempDir(), "export.json")
	if err := os.WriteFile(file, []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(want int, args ...string) (string, string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := runImport(t.Context(), append([]string{"statuspage"}, args...), &stdout, &stderr); code != want {
			t.Fatalf("%v gives %d, want %d: %s", args, code, want, stderr.String())
		}
		return stdout.String(), stderr.String()
	}
	if out, _ := run(exitOK, "--dry-run", file); !strings.HasPrefix(out, "components:\n  - id: website") {
		t.Errorf("the YAML is %s", out)
	}
	if _, said := run(exitOK, file); !strings.Contains(said, "Entered 2 incidents, 1 maintenance and 1 subscriber; 0 were there already, 2 were left out.") {
		t.Errorf("the first time it says %s", said)
	}
	hub.Replies.Forget() // a day later
	if _, said := run(exitOK, file); !strings.Contains(said, "Entered 0 incidents, 0 maintenances and 0 subscribers; 4 were there already") {
		t.Errorf("the second time it says %s", said)
	}
	i, lines, err := hub.Room.Get(t.Context(), access.Host, "INC-1")
	if err != nil || i.Name != "Down" || !i.Backfilled || i.Impact != "critical" || len(lines) != 2 || i.Components[0].Component != "k-web" {
		t.Errorf("%+v, %v, %v", i, lines, err)
	}
	missing := filepath.Join(t.TempDir(), "missing.json")
	if err := os.WriteFile(missing, []byte(`[{"id":"c9","name":"Elsewhere","status":"operational"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, said := run(exitFailed, missing); !strings.Contains(said, "Elsewhere") {
		t.Errorf("a missing component: %s", said)
	}
	run(exitOK, "--leave-out", missing)
	if err := os.WriteFile(missing, []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	run(exitUsage, missing) // bad JSON
	t.Setenv("EVENKEEL_URL", "")
	run(exitUsage, file)
}
