package api_test

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	types "evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/api"
)

var now = time.Date(2026, 11, 20, 14, 32, 0, 0, time.UTC)

// hub is a small hub: one component, one monitor.
type hub struct {
	away   error
	window [2]time.Time
	track  status.Track
	query  status.SampleQuery
	uptime float64
}

func (h *hub) Catalog() *status.Catalog {
	return &status.Catalog{
		Components: []status.Component{{Key: "k-search", ID: "search", Name: "Search", Public: true}, {Key: "k-db", ID: "db", Name: "Database", Needs: []string{"search"}}},
		Monitors:   []status.Monitor{{Key: "k-mon", ID: "search-http", Component: "search", Kind: "http", Interval: 10 * time.Second, Locations: []string{"local"}}, {Key: "k-q", ID: "queue", Component: "db", Unit: "jobs", Interval: time.Minute}},
	}
}

func (h *hub) Last(key string) (status.Result, bool) {
	return status.Result{Monitor: key, Location: "local", Due: now, Latency: 88 * time.Millisecond, Outcome: status.OK}, key == "k-mon"
}

func (h *hub) Verdict(key string) (status.MonitorVerdict, bool) {
	return status.MonitorVerdict{Level: status.LevelUp, Since: now}, key == "k-mon"
}

func (h *hub) Uptime(_ context.Context, _ string, from, to time.Time) (status.Tally, float64, error) {
	h.window = [2]time.Time{from, to}
	return status.Tally{Up: 23 * time.Hour, Partial: 20 * time.Minute, Major: 40 * time.Minute}, h.uptime, h.away
}

func (h *hub) OpenSpans(context.Context) ([]status.Span, error) {
	return []status.Span{
		{Component: "k-search", Track: status.Published, From: now.Add(-time.Hour), Status: status.Degraded, Public: "Slow since 13:32 UTC."},
		{Component: "k-search", Track: status.Observed, From: now.Add(-time.Hour), Status: status.MajorOutage},
	}, h.away
}

func (h *hub) Spans(_ context.Context, component string, track status.Track, from, to time.Time) ([]status.Span, error) {
	h.window, h.track = [2]time.Time{from, to}, track
	return []status.Span{{ID: "s1", Component: component, Track: track, From: from, To: to, Status: status.Operational}, {ID: "s2", From: to, Status: status.Degraded}}, h.away
}

func (h *hub) Decisions(_ context.Context, monitor string, limit int) ([]status.Decision, error) {
	return make([]status.Decision, min(limit, 3)), h.away
}

func (h *hub) Samples(_ context.Context, q status.SampleQuery) ([]status.Sample, error) {
	h.query = q
	return []status.Sample{{Due: q.From, Latency: time.Second, Value: 7}}, h.away
}

func (h *hub) RunOnce(context.Context, string) (status.Result, error) {
	return status.Result{Outcome: status.Failed, Reason: "connection refused", Facts: &status.Facts{Log: []string{"dialling"}}}, nil
}

func serve(h *hub) http.Handler {
	src := &api.Sources{Watch: h, Board: h, Record: h, Samples: h, Runner: h}
	return api.New(api.Options{
		Version: "test", Now: func() time.Time { return now }, Sources: func() *api.Sources { return src },
		Actor: func(context.Context) access.Actor { return access.Host }, Problem: asProblem,
	})
}

// asProblem turns an error into an answer, as web does.
func asProblem(err error) *types.Problem {
	codes := map[problem.Kind]int{
		problem.KindNotFound: 404, problem.KindInvalid: 400, problem.KindUnavailable: 503, problem.KindForbidden: 403,
		problem.KindConflict: 409, problem.KindTooMany: 429, problem.KindInternal: 500,
	}
	return &types.Problem{Type: "about:blank", Title: string(problem.KindOf(err)), Status: codes[problem.KindOf(err)], Detail: problem.Public(err)}
}

func ask(t *testing.T, h http.Handler, method, path string, into any) int {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	body, _ := io.ReadAll(w.Result().Body)
	want := "application/json"
	if w.Code >= 400 {
		want = types.ProblemType
	}
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, want) {
		t.Errorf("%s %s answers %d in %s", method, path, w.Code, got)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			t.Errorf("%s %s gives %s: %v", method, path, body, err)
		}
	}
	return w.Code
}

func TestComponentsShowBothTracks(t *testing.T) {
	var got types.Components
	if code := ask(t, serve(&hub{}), "GET", "/api/v1/components", &got); code != 200 || len(got.Components) != 2 {
		t.Fatalf("%d, %+v", code, got)
	}
	if c := got.Components[0]; c.Status != "degraded_performance" || c.Observed != "major_outage" || c.Why == "" || len(c.Monitors) != 1 || c.Publish != "auto" || c.Needs == nil {
		t.Errorf("search is %+v", c)
	}
	if c := got.Components[1]; c.Status != "not_measured" || c.Public {
		t.Errorf("db is %+v", c)
	}
}

func TestUptimeInSeconds(t *testing.T) {
	h := &hub{uptime: 0.964}
	var got map[string]any
	if code := ask(t, serve(h), "GET", "/api/v1/components/search/uptime?from=2026-11-19T00:00:00Z&to=2026-11-20T00:00:00Z", &got); code != 200 {
		t.Fatalf("%d, %v", code, got)
	}
	for key, want := range map[string]float64{"up_s": 82800, "degraded_s": 0, "down_s": 3600, "partial_s": 1200, "major_s": 2400, "maintenance_s": 0, "unmeasured_s": 0, "uptime": 0.964} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	h.uptime = math.NaN()
	if ask(t, serve(h), "GET", "/api/v1/components/search/uptime", &got); got["uptime"] != nil {
		t.Errorf("without a measurement the uptime is %v, want null", got["uptime"])
	}
	if h.window != [2]time.Time{now.Add(-24 * time.Hour), now} {
		t.Errorf("without a window it is %v", h.window)
	}
}

func TestSpansOfATrack(t *testing.T) {
	h := &hub{}
	var got types.Spans
	if code := ask(t, serve(h), "GET", "/api/v1/components/search/spans?track=observed", &got); code != 200 || h.track != status.Observed || len(got.Spans) != 2 || got.Spans[1].To != nil {
		t.Errorf("%d, %s, %+v", code, h.track, got)
	}
	if ask(t, serve(h), "GET", "/api/v1/components/search/spans", &got); h.track != status.Published {
		t.Errorf("the track is %s by default", h.track)
	}
}

func TestMonitorsSamplesDecisionsAndRuns(t *testing.T) {
	h := &hub{}
	var list types.Monitors
	if code := ask(t, serve(h), "GET", "/api/v1/monitors", &list); code != 200 || len(list.Monitors) != 2 || list.Monitors[0].Last.Latency != 0.088 || list.Monitors[1].Verdict != nil {
		t.Errorf("%d, %+v", code, list)
	}
	var samples types.Samples
	if code := ask(t, serve(h), "GET", "/api/v1/monitors/queue/samples?from=2026-11-20T13:00:00Z&to=2026-11-20T14:00:00Z", &samples); code != 200 || len(samples.Samples) != 1 || *samples.Samples[0].Value != 7 {
		t.Errorf("%d, %+v", code, samples)
	}
	if !h.query.Values || h.query.Monitor != "k-q" || h.query.Location != "local" || h.query.Interval != time.Minute {
		t.Errorf("the samples were asked as %+v", h.query)
	}
	var diary types.Decisions
	if code := ask(t, serve(h), "GET", "/api/v1/monitors/queue/decisions?limit=2", &diary); code != 200 || len(diary.Decisions) != 2 {
		t.Errorf("%d, %+v", code, diary)
	}
	var run types.Result
	if code := ask(t, serve(h), "POST", "/api/v1/monitors/queue/run", &run); code != 200 || run.Outcome != "failed" || len(run.Log) != 1 {
		t.Errorf("%d, %+v", code, run)
	}
}

func TestBadQuestionsGetProblems(t *testing.T) {
	const fields = -400 // 400, with the field that is at fault
	for path, want := range map[string]int{
		"/api/v1/components/nobody/uptime": 404, "/api/v1/monitors/nobody/samples": 404, "/api/v1/nothing": 404,
		"/api/v1/components/search/uptime?from=yesterday":                                    fields,
		"/api/v1/components/search/uptime?from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z": 400,
		"/api/v1/components/search/uptime?from=2020-11-21T00:00:00Z":                         400,
		"/api/v1/monitors/queue/samples?from=2026-11-01T00:00:00Z":                           400,
		"/api/v1/monitors/queue/decisions?limit=100000":                                      fields,
		"/api/v1/components/search/spans?track=imagined":                                     fields,
		"/api/v1/components?colour=red":                                                      fields,
	} {
		var p types.Problem
		named := want == fields
		if named {
			want = 400
		}
		if code := ask(t, serve(&hub{}), "GET", path, &p); code != want || p.Status != want || p.Title == "" || p.Detail == "" && len(p.Errors) == 0 {
			t.Errorf("%s gives %d %+v, want %d", path, code, p, want)
		}
		if named && (len(p.Errors) == 0 || p.Errors[0].Field == "" || p.Errors[0].Detail == "") {
			t.Errorf("%s does not name the field: %+v", path, p)
		}
	}
	if code := ask(t, serve(&hub{away: problem.Unavailable(nil, "The database is away.")}), "GET", "/api/v1/components", nil); code != 503 {
		t.Errorf("with the database away it gives %d", code)
	}
}

func TestDescriptionIsOpenAPI(t *testing.T) {
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	w := httptest.NewRecorder()
	serve(&hub{}).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/openapi.json", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%v, %s", err, doc.OpenAPI)
	}
	for _, path := range []string{"/api/v1/components", "/api/v1/components/{id}/uptime", "/api/v1/components/{id}/spans", "/api/v1/monitors", "/api/v1/monitors/{id}/samples", "/api/v1/monitors/{id}/decisions", "/api/v1/monitors/{id}/run"} {
		if doc.Paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
}
