package monitors

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// serveBody answers every request with status and body, and notes what was asked.
func serveBody(t *testing.T, code int, body string) (url string, asked *http.Request) {
	t.Helper()
	asked = new(http.Request)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = *r.Clone(r.Context())
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestKubernetesNamesFailingChecks(t *testing.T) {
	url, asked := serveBody(t, 200, "[+]ping ok\n[+]etcd ok\nreadyz check passed\n")
	spec := config.Monitor{Kind: "kubernetes", URL: url, Auth: config.Auth{Bearer: config.Secret{Plain: "service-account"}}, Expect: config.Expect{Condition: `len(passed) == 2 && len(failed) == 0`}}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
	if asked.URL.String() != "/readyz?verbose" || asked.Header.Get("Authorization") != "Bearer service-account" {
		t.Errorf("asked %s with %q", asked.URL, asked.Header.Get("Authorization"))
	}
	url, _ = serveBody(t, 500, "[+]ping ok\n[-]etcd failed: reason withheld\n[-]informer-sync failed: reason withheld\nreadyz check failed\n")
	res := ask(t, config.Monitor{Kind: "kubernetes", URL: url})
	wantResult(t, res, status.Failed, status.CauseBadAnswer, "status 500, failing checks: etcd, informer-sync")
	if res.Code != 500 {
		t.Errorf("code %d", res.Code)
	}
	url, asked = serveBody(t, 403, `{"kind":"Status","reason":"Forbidden"}`)
	wantResult(t, ask(t, config.Monitor{Kind: "kubernetes", URL: url + "/livez"}), status.Failed, status.CauseBadAnswer, "does not let us ask: status 403")
	if asked.URL.Path != "/livez" {
		t.Errorf("asked %s", asked.URL)
	}
}

func TestPrometheusValue(t *testing.T) {
	for _, row := range []struct {
		body    string
		outcome status.Outcome
		cause   status.Cause
		reason  string
		value   float64
	}{
		{`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.5,"42"]}]}}`, status.OK, status.CauseNone, "", 42},
		{`{"status":"success","data":{"resultType":"scalar","result":[1,"0.5"]}}`, status.OK, status.CauseNone, "", 0.5},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"99"]}]}}`, status.Failed, status.CauseThreshold, "the query is 99 jobs, over the limit of 50 jobs", 99},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"NaN"]}]}}`, status.Failed, status.CauseBadAnswer, `the value is "NaN"`, 0},
		{`{"status":"success","data":{"resultType":"vector","result":[]}}`, status.Failed, status.CauseBadAnswer, "no series", 0},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}}`, status.Failed, status.CauseBadAnswer, "2 series, want one", 0},
		{`{"status":"success","data":{"resultType":"matrix","result":[]}}`, status.Failed, status.CauseBadAnswer, `gives a "matrix"`, 0},
		{`{"status":"error","error":"parse error"}`, status.Failed, status.CauseBadAnswer, `refused: "parse error"`, 0},
		{`<html>`, status.Failed, status.CauseBadAnswer, "not the JSON of a Prometheus server", 0},
	} {
		url, asked := serveBody(t, 200, row.body)
		res := ask(t, config.Monitor{Kind: "prometheus", URL: url + "/prom/", Query: "sum(jobs)", Value: config.Value{Unit: "jobs", FailOver: new(50.0)}})
		wantResult(t, res, row.outcome, row.cause, row.reason)
		if res.Value != row.value || asked.URL.Path != "/prom/api/v1/query" || asked.URL.Query().Get("query") != "sum(jobs)" {
			t.Errorf("value %v, asked %s", res.Value, asked.URL)
		}
	}
	url, _ := serveBody(t, 400, `{"status":"error","errorType":"bad_data","error":"unknown function"}`)
	wantResult(t, ask(t, config.Monitor{Kind: "prometheus", URL: url, Query: "x("}), status.Failed, status.CauseBadAnswer, "status 400, want 200")
}

func TestStatuspageSaysWhatItMeansForUs(t *testing.T) {
	const page = `{"page":{"id":"x"},"status":{"indicator":%I,"description":"Words of theirs"},"components":[
		{"id":"a1","name":"API","status":"operational"},{"id":"b2","name":"Web hooks","status":"degraded_performance"},
		{"id":"c3","name":"Dashboard","status":"partial_outage"},{"id":"d4","name":"Exports","status":"under_maintenance"},{"id":"e5","name":"Odd","status":"on_fire"}]}`
	for _, row := range []struct {
		indicator string
		remote    []string
		incidents *bool
		outcome   status.Outcome
		reason    string
	}{
		{`"none"`, nil, nil, status.OK, ""},
		{`"minor"`, nil, nil, status.Slow, `the page says "Words of theirs" (minor)`},
		{`"maintenance"`, nil, nil, status.Slow, "(maintenance)"},
		{`"major"`, nil, nil, status.Failed, "(major)"},
		{`"critical"`, nil, nil, status.Failed, "(critical)"},
		{`"purple"`, nil, nil, status.Inconclusive, `indicator is "purple"`},
		{`"critical"`, []string{"a1"}, nil, status.OK, ""}, // named components decide
		{`"critical"`, []string{"a1"}, new(true), status.Failed, "(critical)"},
		{`"none"`, []string{"API", "web hooks"}, nil, status.Slow, `"Web hooks" there is in degraded performance`},
		{`"none"`, []string{"b2", "c3"}, new(false), status.Failed, `"Dashboard" there is in partial outage`},
		{`"none"`, []string{"Exports"}, nil, status.Slow, "under maintenance"},
		{`"none"`, []string{"Odd"}, nil, status.Inconclusive, `"on_fire"`},
		{`"none"`, []string{"Nobody"}, nil, status.Inconclusive, `no component "Nobody"`},
	} {
		url, asked := serveBody(t, 200, strings.Replace(page, "%I", row.indicator, 1))
		res := ask(t, config.Monitor{Kind: "statuspage", URL: url, Remote: row.remote, Incidents: row.incidents})
		cause := map[status.Outcome]status.Cause{status.OK: status.CauseNone, status.Slow: status.CauseBadAnswer, status.Failed: status.CauseBadAnswer, status.Inconclusive: status.CauseSelf}[row.outcome]
		wantResult(t, res, row.outcome, cause, row.reason)
		if asked.URL.Path != "/api/v2/summary.json" {
			t.Errorf("asked %s", asked.URL)
		}
	}
	for _, body := range []string{"", "<html>", "{}", "[]", `{"status":5}`} {
		url, _ := serveBody(t, 200, body)
		wantResult(t, ask(t, config.Monitor{Kind: "statuspage", URL: url + "/api/v2/status.json"}), status.Inconclusive, status.CauseSelf, "the page cannot be read")
	}
	url, _ := serveBody(t, 503, "busy")
	wantResult(t, ask(t, config.Monitor{Kind: "statuspage", URL: url}), status.Inconclusive, status.CauseSelf, "status 503, want 200: busy")
}

func FuzzStatuspage(f *testing.F) {
	for _, s := range []string{`{"status":{"indicator":"none"}}`, `{"components":[{"name":"a","status":"operational"}]}`, `[]`, `{"status":null,"components":null}`, "{"} {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		page, err := parseStatuspage([]byte(text))
		if err != nil {
			return
		}
		for _, p := range []*statuspageProbe{{indicator: true}, {names: []string{name}}} {
			outcome, why, err := p.worst(page)
			if err == nil && (why == "" || outcome == status.Inconclusive) {
				t.Fatalf("got %s, %q without an error", outcome, why)
			}
		}
	})
}

func FuzzPromValue(f *testing.F) {
	for _, s := range []string{`{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`, `{"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}}`, `{"status":"success","data":{"resultType":"vector","result":null}}`, `{}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := promValue([]byte(text)); err == nil && !json.Valid([]byte(text)) {
			t.Fatalf("%v out of what is no JSON", v)
		}
	})
}
