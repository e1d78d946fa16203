package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web"
	"evenkeel/web/public/publictest"
)

// ask sends one request to the public side.
func ask(t testing.TB, s *web.Server, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Public().ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// S1-22: outages are told on a public page of our own.
func TestEveryPublicAddressAnswers(t *testing.T) {
	s := door(t, publictest.Well())
	for path, kind := range map[string]string{
		"/": "text/html", "/history": "text/html", "/history/12": "text/html", "/components/search": "text/html", "/uptime": "text/html", "/subscribe": "text/html",
		"/maintenance/m-118-20261122T0500Z": "text/html", "/maintenance/m-118-20261122T0500Z.ics": "text/calendar", "/embed": "text/html",
		"/api/v2/summary.json": "application/json", "/api/v2/status.json": "application/json", "/api/v2/components.json": "application/json",
		"/api/v2/incidents.json": "application/json", "/api/v2/incidents/unresolved.json": "application/json", "/api/v2/scheduled-maintenances.json": "application/json",
		"/api/v2/scheduled-maintenances/upcoming.json": "application/json", "/api/v2/scheduled-maintenances/active.json": "application/json",
		"/history.rss": "application/rss+xml", "/history.atom": "application/atom+xml", "/feed.json": "application/feed+json", "/maintenance.ics": "text/calendar",
		"/badge/search.svg": "image/svg+xml", "/badge.svg": "image/svg+xml", "/favicon.svg": "image/svg+xml", "/livez": "text/plain", "/robots.txt": "text/plain",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := ask(t, s, method, path)
			if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Type"), kind) {
				t.Errorf("%s %s gives %d %s, want 200 %s", method, path, r.StatusCode, r.Header.Get("Content-Type"), kind)
			}
			if body := bodyOf(t, r); method == http.MethodHead && body != "" && kind != "text/plain" { // of those the server drops it
				t.Errorf("HEAD %s gives a body of %d bytes", path, len(body))
			}
			if r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s may be sniffed", path)
			}
		}
	}
}

func TestPagesAreGuarded(t *testing.T) {
	s := door(t, publictest.Normal())
	for _, path := range []string{"/", "/components/search", "/history", "/nowhere"} {
		policy := ask(t, s, http.MethodGet, path).Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s has policy %q without %s", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s has policy %q", path, policy)
		}
	}
	if policy := ask(t, s, http.MethodGet, "/embed").Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors *") || strings.Contains(policy, "script-src") {
		t.Errorf("the widget has policy %q", policy)
	}
}

func TestDataIsOpenToEveryOrigin(t *testing.T) {
	s := door(t, publictest.Normal())
	for _, path := range []string{"/api/v2/summary.json", "/history.atom", "/badge.svg", "/maintenance.ics"} {
		if got := ask(t, s, http.MethodGet, path).Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s is open to %q", path, got)
		}
	}
	if got := ask(t, s, http.MethodGet, "/").Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("the page is open to %q", got)
	}
	r := ask(t, s, http.MethodOptions, "/api/v2/summary.json", "Origin", "https://example.org")
	if r.StatusCode != http.StatusNoContent || r.Header.Get("Access-Control-Allow-Methods") != "GET, HEAD" {
		t.Errorf("a preflight gives %d %v", r.StatusCode, r.Header)
	}
}

func TestErrorsSuitWhoAsked(t *testing.T) {
	s := door(t, publictest.Normal())
	for _, c := range []struct {
		method, path, accept string
		code                 int
		kind                 string
	}{
		{"GET", "/nowhere", "text/html,*/*", 404, "text/html"},
		{"GET", "/nowhere", "application/json", 404, api.ProblemType},
		{"GET", "/components/nobody", "", 404, "text/html"},
		{"GET", "/incidents/1", "", 404, "text/html"},
		{"GET", "/api/v2/nothing.json", "text/html", 404, api.ProblemType},
		{"POST", "/", "text/html", 405, "text/html"},
		{"DELETE", "/api/v2/summary.json", "", 405, api.ProblemType},
	} {
		r := ask(t, s, c.method, c.path, "Accept", c.accept)
		body := bodyOf(t, r)
		if r.StatusCode != c.code || !strings.HasPrefix(r.Header.Get("Content-Type"), c.kind) || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s for %q gives %d %s, want %d %s", c.method, c.path, c.accept, r.StatusCode, r.Header.Get("Content-Type"), c.code, c.kind)
		}
		if c.kind == api.ProblemType {
			var p api.Problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != c.code || p.Title == "" || p.Type == "" {
				t.Errorf("%s %s gives %s: %v", c.method, c.path, body, err)
			}
		} else if strings.Count(body, "<h1>") != 1 {
			t.Errorf("%s %s gives a page with %d h1", c.method, c.path, strings.Count(body, "<h1>"))
		}
	}
}

func TestAFreshDoorSaysThatItStarts(t *testing.T) {
	s := bare(t, "")
	for _, path := range []string{"/", "/api/v2/summary.json", "/components/search"} {
		r := ask(t, s, http.MethodGet, path)
		if path == "/" && r.StatusCode != http.StatusServiceUnavailable || r.StatusCode == http.StatusOK {
			t.Errorf("%s gives %d before anything is there", path, r.StatusCode)
		}
	}
	if ask(t, s, http.MethodGet, "/").Header.Get("Retry-After") == "" {
		t.Error("nobody is told when to try again")
	}
	if ask(t, s, http.MethodGet, "/livez").StatusCode != http.StatusOK {
		t.Error("a fresh door is not alive")
	}
	if r := httptest.NewRecorder(); true {
		s.Admin().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/api/v1/components", nil))
		if r.Code != http.StatusServiceUnavailable {
			t.Errorf("the API gives %d before the record is there", r.Code)
		}
	}
}

func TestInternalErrorsKeepTheirCause(t *testing.T) {
	s, board := doorAndBoard(t, publictest.Normal(), "")
	board.Fail(problem.Internal(io.ErrUnexpectedEOF, "select from spans"))
	for _, accept := range []string{"text/html", "application/json"} {
		r := ask(t, s, http.MethodGet, "/components/search", "Accept", accept)
		body := bodyOf(t, r)
		if r.StatusCode != http.StatusInternalServerError || strings.Contains(body, "unexpected EOF") || strings.Contains(body, "spans") {
			t.Errorf("an internal error gives %d and tells %s", r.StatusCode, body)
		}
		if !strings.Contains(body, "request") {
			t.Errorf("an internal error has no id to name: %s", body)
		}
	}
}

// ear notes signals, or fails.
type ear struct {
	pings []status.Ping
	token string
	err   error
}

func (e *ear) Hear(_ context.Context, token string, p status.Ping) error {
	e.token = token
	if e.err == nil {
		e.pings = append(e.pings, p)
	}
	return e.err
}

func TestSignalsOfHeartbeats(t *testing.T) {
	s := bare(t, "")
	e := &ear{}
	s.Attach(web.Live{Board: publictest.NewBoard(publictest.Normal()), Pings: e})
	send := func(method, path, body string) *http.Response {
		w := httptest.NewRecorder()
		s.Public().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w.Result()
	}
	for _, c := range []struct {
		method, path, log string
		want              status.PingSignal
		exit              int
	}{
		{"GET", "/ping/tok", "", status.PingSuccess, 0}, {"HEAD", "/ping/tok", "", status.PingSuccess, 0}, {"POST", "/ping/tok/start", "", status.PingStart, 0},
		{"POST", "/ping/tok/fail", "disk full", status.PingFail, 0}, {"POST", "/ping/tok/0", "", status.PingSuccess, 0}, {"POST", "/ping/tok/17", "x", status.PingFail, 17},
		{"PUT", "/ping/tok/log", "step 3", status.PingLog, 0},
	} {
		e.pings = nil
		r := send(c.method, c.path, c.log)
		if r.StatusCode != http.StatusOK || len(e.pings) != 1 || e.token != "tok" {
			t.Fatalf("%s %s gives %d, heard %v", c.method, c.path, r.StatusCode, e.pings)
		}
		if p := e.pings[0]; p.Signal != c.want || p.Exit != c.exit || p.Log != c.log || p.At.IsZero() {
			t.Errorf("%s %s is heard as %+v", c.method, c.path, p)
		}
	}
	for path, code := range map[string]int{"/ping/tok/256": 404, "/ping/tok/-1": 404, "/ping/tok/nonsense": 404, "/ping/" + strings.Repeat("x", 200): 404} {
		if r := send("GET", path, ""); r.StatusCode != code {
			t.Errorf("%s gives %d, want %d", path, r.StatusCode, code)
		}
	}
	e.pings = nil
	if send("POST", "/ping/tok/fail", strings.Repeat("a", 1<<20)+"\x00\xff"); len(e.pings) != 1 || len(e.pings[0].Log) > 10<<10 {
		t.Error("a long log is not bounded, or the signal is lost")
	}
	e.err = problem.Unavailable(nil, "The database is away.")
	if r := send("GET", "/ping/tok", ""); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a signal that is not stored is acknowledged with %d", r.StatusCode)
	}
	e.err = problem.NotFound("No heartbeat has this token.")
	if r := send("GET", "/ping/tok", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown token gives %d", r.StatusCode)
	}
}

func TestProxiesAreBelievedOnlyWhenNamed(t *testing.T) {
	if _, err := web.New(web.Deps{Proxies: []string{"10.0.0.0/33"}, Registerer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Now: time.Now}); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("a network that is none gives %v", err)
	}
	for _, c := range []struct {
		proxies []string
		refused int // of 40 streams that all say to come from another address
	}{{nil, 8}, {[]string{"127.0.0.1"}, 0}} {
		s, err := web.New(web.Deps{Proxies: c.proxies, Registerer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Now: time.Now, Ready: http.NotFoundHandler()})
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(s.Public())
		refused := 0
		for i := range 40 {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/live", nil)
			req.Header.Set("X-Forwarded-For", "198.51.100."+string(rune('0'+i%10))+string(rune('0'+i/10)))
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode == http.StatusServiceUnavailable {
				refused++
			}
		}
		if refused != c.refused {
			t.Errorf("behind %v, %d of 40 streams are refused, want %d", c.proxies, refused, c.refused)
		}
		s.CloseStreams()
		srv.Close()
	}
}

func TestLiveOutlivesTheServersTimeouts(t *testing.T) {
	s, board := doorAndBoard(t, publictest.Normal(), "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const short = 150 * time.Millisecond
	srv := &http.Server{Handler: s.Public(), ReadTimeout: short, WriteTimeout: short}
	go srv.Serve(l) //nolint:errcheck // it ends with Close
	defer srv.Close()
	resp, err := http.Get("http://" + l.Addr().String() + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	events := make(chan string, 16)
	go func() {
		defer close(events)
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				events <- id
			}
		}
	}()
	if id := <-events; id != "4711" {
		t.Errorf("the first event has id %s, want the journal position 4711", id)
	}
	// A full second of the photographer's rhythm lies between, well beyond both timeouts.
	p := publictest.Normal()
	p.Seq, p.Changed, p.Headline.Title = 4712, p.Changed.Add(time.Minute), "Search is down."
	board.Show(p)
	s.Tick()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	select {
	case id, open := <-events:
		if !open || id != "4712" {
			t.Errorf("the second event has id %q, stream open: %v", id, open)
		}
	case <-deadline.C:
		t.Fatal("a change is not announced")
	}
	s.CloseStreams()
	for range events {
	}
}
