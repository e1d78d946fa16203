package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/notice"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/testkit"
)

// The wings do what the hooks ask for.
var (
	_ Doors     = (*people.Hooks)(nil)
	_ Accounts  = (*people.Accounts)(nil)
	_ Alarms    = (*incident.Room)(nil)
	_ Incidents = (*incident.Room)(nil)
	_ Alerts    = (*notice.Desk)(nil)
	_ Page      = (*status.Board)(nil)
)

// scene is the hooks with what stands behind them.
type scene struct {
	mu      sync.Mutex
	signals []incident.Signal
	by      access.Actor
	fail    []error // of the next calls, in order; then none
	calls   int
	mapping map[string]string
	room    slackRoom
	*httptest.Server
}

// Open knows one hook of each source.
func (s *scene) Open(_ context.Context, source, token string) (people.Hook, error) {
	if token != "token" {
		return people.Hook{}, problem.NotFound("There is no such hook.")
	}
	return people.Hook{ID: "hook-" + source, Source: source, Mapping: s.mapping}, nil
}

// Signals keeps what it is given.
func (s *scene) Signals(_ context.Context, by access.Actor, list []incident.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if len(s.fail) > 0 {
		err := s.fail[0]
		s.fail = s.fail[1:]
		if err != nil {
			return err
		}
	}
	if len(list) > incident.MaxSignals {
		return problem.TooMany("too many")
	}
	s.by = by
	s.signals = append(s.signals, list...)
	return nil
}

// Known gives three components.
func (s *scene) Known() []incident.Component {
	return []incident.Component{{Key: "k-web", ID: "web", Name: "Website"}, {Key: "k-api", ID: "api", Name: "Public API"}, {Key: "k-db", ID: "db", Name: "Database"}}
}

func (s *scene) taken() []incident.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]incident.Signal(nil), s.signals...)
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{}
	s.room.init()
	hooks := New(Deps{
		Doors: s, Alarms: s, Parts: s, Now: func() time.Time { return s.room.now }, Log: slog.New(slog.DiscardHandler),
		Slack: s.room.deps(),
		Problem: func(w http.ResponseWriter, _ *http.Request, err error) {
			code := map[problem.Kind]int{
				problem.KindInvalid: 400, problem.KindUnauthenticated: 401, problem.KindForbidden: 403, problem.KindNotFound: 404,
				problem.KindConflict: 409, problem.KindTooMany: 429, problem.KindUnavailable: 503,
			}[problem.KindOf(err)]
			if code == 0 {
				code = 500
			}
			http.Error(w, problem.Public(err), code)
		},
	})
	mux := http.NewServeMux()
	for _, r := range hooks.Routes() {
		mux.HandleFunc(r.Method+" "+r.Path, r.Handler)
	}
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *scene) post(t testing.TB, path, body string) int {
	t.Helper()
	resp, err := http.Post(s.URL+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

const alertsPath = "/hooks/alertmanager/token"

// group is a message of version 4 as Alertmanager 0.34 sends it, with a key of
// its future.
const group = `{"receiver":"evenkeel","status":"firing","alerts":[
 {"status":"firing","labels":{"alertname":"HighErrorRate","service":"web","severity":"critical"},
  "annotations":{"summary":"Half of all requests fail","description":"5xx ratio is 0.52","runbook_url":"https://runbooks.example.org/errors"},
  "startsAt":"2026-11-21T03:02:11.119Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus.example.org/graph?x","fingerprint":"c6dd5e8f4a0e2f11"},
 {"status":"resolved","labels":{"alertname":"SlowQueries","component":"db","severity":"warning"},"annotations":{},
  "startsAt":"2026-11-21T02:00:00Z","endsAt":"2026-11-21T03:00:00Z","generatorURL":"","fingerprint":"aa00000000000001"}],
 "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://alertmanager.example.org","version":"4","groupKey":"{}:{}","truncatedAlerts":3,
 "notification_reason":"new alerts","routeLabels":{"a":"b"}}`

// TestAlertmanagerMessage: labels become components and severities what
// they mean for them.
func TestAlertmanagerMessage(t *testing.T) {
	s := newScene(t)
	if code := s.post(t, alertsPath, group); code != http.StatusNoContent {
		t.Fatalf("answered %d", code)
	}
	got := s.taken()
	if len(got) != 2 || s.by.ID != "hook/hook-alertmanager" {
		t.Fatalf("%+v by %+v", got, s.by)
	}
	want := incident.Signal{
		Source: "hook-alertmanager", Fingerprint: "c6dd5e8f4a0e2f11", StartsAt: time.Date(2026, 11, 21, 3, 2, 11, 119e6, time.UTC), Firing: true,
		Component: "k-web", Status: "major_outage", Name: "Half of all requests fail",
		Why: "5xx ratio is 0.52\nAlert: HighErrorRate\nRun-book: https://runbooks.example.org/errors\nFrom: http://prometheus.example.org/graph?x\nAlertmanager left 3 more alerts out of its message.",
	}
	if got[0] != want {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}
	if b := got[1]; b.Firing || b.Component != "k-db" || b.Status != "degraded_performance" || b.Name != "SlowQueries" {
		t.Errorf("%+v", b)
	}
}

// TestAlertmanagerAnswers: 5xx for what passes, 4xx for what can never be taken,
// and nothing else, as Alertmanager drops for good what gets a 4xx.
func TestAlertmanagerAnswers(t *testing.T) {
	for _, row := range []struct {
		name, path, body string
		fail             []error
		want, taken      int
	}{
		{"taken", alertsPath, group, nil, 204, 2},
		{"store away", alertsPath, group, []error{problem.Unavailable(nil, "away")}, 503, 0},
		{"fault of ours", alertsPath, group, []error{errors.New("bug")}, 503, 0},
		{"refused by the wing", alertsPath, group, []error{problem.Invalid("", "no")}, 503, 0},
		{"somebody was first", alertsPath, group, []error{problem.Conflict("first"), problem.Conflict("first")}, 204, 2},
		{"somebody is always first", alertsPath, group, []error{problem.Conflict("a"), problem.Conflict("b"), problem.Conflict("c")}, 503, 0},
		{"no such hook", "/hooks/alertmanager/other", group, nil, 404, 0},
		{"no JSON", alertsPath, "alerts", nil, 400, 0},
		{"no alerts", alertsPath, `{"version":"4"}`, nil, 400, 0},
		{"alerts that are none", alertsPath, `{"alerts":[1,"x",{}]}`, nil, 400, 0},
		{"an empty group", alertsPath, `{"version":"4","alerts":[]}`, nil, 204, 0},
		{"one bad alert among good ones", alertsPath, strings.Replace(group, `"alerts":[`, `"alerts":[7,`, 1), nil, 204, 2},
		{"too large", alertsPath, `{"alerts":[],"x":"` + strings.Repeat("x", maxAlerts) + `"}`, nil, 400, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			s.fail = row.fail
			if code := s.post(t, row.path, row.body); code != row.want || len(s.taken()) != row.taken {
				t.Errorf("answered %d and took %d, want %d and %d", code, len(s.taken()), row.want, row.taken)
			}
		})
	}
}

func TestAlertmanagerMapping(t *testing.T) {
	alert := func(labels string) string {
		return `{"status":"firing","alerts":[{"labels":{` + labels + `},"startsAt":"2026-11-21T03:02:00Z","fingerprint":"a"}]}`
	}
	for _, row := range []struct {
		name, labels      string
		mapping           map[string]string
		component, status string // status "" = left out
	}{
		{"service by id", `"service":"web"`, nil, "k-web", "degraded_performance"},
		{"component before service", `"service":"web","component":"db"`, nil, "k-db", "degraded_performance"},
		{"by name", `"service":"PUBLIC api"`, nil, "k-api", "degraded_performance"},
		{"unknown", `"service":"other"`, nil, "", "degraded_performance"},
		{"none", `"alertname":"x"`, nil, "", "degraded_performance"},
		{"mapped value", `"service":"checkout"`, map[string]string{"service=checkout": "web"}, "k-web", "degraded_performance"},
		{"mapped label", `"app":"db"`, map[string]string{"component": "app"}, "k-db", "degraded_performance"},
		{"another label", `"job":"node-db"`, map[string]string{"job=node-db": "db"}, "k-db", "degraded_performance"},
		{"mapped to what is not there", `"service":"x"`, map[string]string{"service=x": "gone"}, "", "degraded_performance"},
		{"page", `"severity":"PAGE"`, nil, "", "major_outage"},
		{"error", `"severity":"error"`, nil, "", "partial_outage"},
		{"word of their own", `"severity":"sev-9"`, nil, "", "degraded_performance"},
		{"mapped severity", `"severity":"sev-1"`, map[string]string{"severity=sev-1": "critical"}, "", "major_outage"},
		{"severity in another label", `"priority":"p2"`, map[string]string{"severity": "priority"}, "", "partial_outage"},
		{"watchdog", `"alertname":"Watchdog","severity":"none"`, nil, "", ""},
		{"info", `"severity":"info"`, nil, "", ""},
		{"info that counts", `"severity":"info"`, map[string]string{"severity=info": "minor"}, "", "degraded_performance"},
		{"warning that does not", `"severity":"warning"`, map[string]string{"severity=warning": "none"}, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			s.mapping = row.mapping
			if code := s.post(t, alertsPath, alert(row.labels)); code != http.StatusNoContent {
				t.Fatalf("answered %d", code)
			}
			got := s.taken()
			if row.status == "" {
				if len(got) != 0 {
					t.Errorf("taken: %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Component != row.component || got[0].Status != row.status {
				t.Errorf("%+v, want %s %s", got, row.component, row.status)
			}
		})
	}
}

// TestAlertmanagerManyAlerts: more than the wing takes at once goes in pieces.
func TestAlertmanagerManyAlerts(t *testing.T) {
	var body bytes.Buffer
	body.WriteString(`{"status":"firing","alerts":[`)
	for i := range incident.MaxSignals + 1 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"labels":{"i":"%d"},"startsAt":"2026-11-21T03:02:00Z"}`, i)
	}
	body.WriteString(`]}`)
	s := newScene(t)
	if code := s.post(t, alertsPath, body.String()); code != http.StatusNoContent || s.calls != 2 {
		t.Errorf("answered %d after %d calls", code, s.calls)
	}
	prints := map[string]bool{}
	for _, x := range s.taken() {
		prints[x.Fingerprint] = true
	}
	if len(prints) != incident.MaxSignals+1 {
		t.Errorf("%d fingerprints of %d alerts", len(prints), incident.MaxSignals+1)
	}
}

// FuzzAlerts feeds the reader: whatever comes, there are alerts that can be kept
// or an answer that says why not.
func FuzzAlerts(f *testing.F) {
	f.Add([]byte(group))
	f.Add([]byte(`{"alerts":[{"status":"firing","labels":null,"startsAt":"9999-12-31T23:59:59Z","fingerprint":"\u0000"}]}`))
	f.Add([]byte(`{"alerts":[{}],"truncatedAlerts":-1}`))
	known := (&scene{}).Known()
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := readAlerts(body)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, x := range m.signals(people.Hook{ID: "h", Mapping: map[string]string{"severity": "x", "component": "y"}}, known) {
			if !fingerprint.MatchString(x.Fingerprint) || x.StartsAt.IsZero() || x.Name == "" || x.Status == "" {
				t.Fatalf("%+v", x)
			}
		}
	})
}

// TestRealAlertmanagerDelivers: Debian's Alertmanager delivers to us, comes again
// while our store is away, and tells of the end.
func TestRealAlertmanagerDelivers(t *testing.T) {
	s := newScene(t)
	s.fail = []error{problem.Unavailable(nil, "away"), problem.Unavailable(nil, "away")}
	address := testkit.Alertmanager(t, `
route: {receiver: evenkeel, group_wait: 50ms, group_interval: 500ms, repeat_interval: 1h}
receivers:
  - name: evenkeel
    webhook_configs: [{url: "`+s.URL+alertsPath+`", send_resolved: true}]
`)
	post := func(ends time.Time) {
		t.Helper()
		body, err := json.Marshal([]map[string]any{{
			"labels":      map[string]string{"alertname": "HighErrorRate", "service": "web", "severity": "critical"},
			"annotations": map[string]string{"summary": "Half of all requests fail"},
			"startsAt":    time.Now().Add(-time.Minute), "endsAt": ends,
		}})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(address+"/api/v2/alerts", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("alertmanager answered %d", resp.StatusCode)
		}
	}
	post(time.Now().Add(time.Hour))
	testkit.Await(t, "the alert", 30*time.Second, func() bool { return len(s.taken()) > 0 })
	first := s.taken()[0]
	if !first.Firing || first.Component != "k-web" || first.Status != "major_outage" || first.Name != "Half of all requests fail" || s.calls != 3 {
		t.Errorf("%+v after %d calls", first, s.calls)
	}
	post(time.Now())
	testkit.Await(t, "its end", 30*time.Second, func() bool {
		got := s.taken()
		return !got[len(got)-1].Firing
	})
	got := s.taken()
	if last := got[len(got)-1]; last.Fingerprint != first.Fingerprint || !last.StartsAt.Equal(first.StartsAt) {
		t.Errorf("it began as %+v and ended as %+v", first, last)
	}
}
