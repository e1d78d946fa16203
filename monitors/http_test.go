package monitors

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// compiled compiles a monitor or ends the test.
func compiled(t testing.TB, spec config.Monitor, env Env) *Compiled {
	t.Helper()
	p, err := Compile(spec, env)
	if err != nil {
		t.Fatalf("compiling %s monitor: %v", spec.Kind, err)
	}
	t.Cleanup(p.Close)
	return p
}

// probed runs a monitor once.
func probed(t testing.TB, spec config.Monitor, timeout time.Duration) status.Result {
	t.Helper()
	return Once(t.Context(), compiled(t, spec, Env{}), "key", status.LocalLocation, timeout)
}

// speaks starts a TCP server that hands every connection to fn.
func speaks(t testing.TB, fn func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				fn(conn)
			}()
		}
	}()
	return l.Addr().String()
}

func readRequest(conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			return
		}
	}
}

func wantHTTP(t testing.TB, res status.Result, outcome status.Outcome, cause status.Cause, reason string) {
	t.Helper()
	if res.Outcome != outcome || res.Cause != cause || !strings.Contains(res.Reason, reason) {
		t.Errorf("got %s, cause %d, reason %q; want %s, cause %d, reason with %q", res.Outcome, res.Cause, res.Reason, outcome, cause, reason)
		if res.Facts != nil {
			t.Log(strings.Join(res.Facts.Log, "\n"))
		}
	}
}

func TestHTTPGoodAnswerHasPhasesFactsAndLog(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "evenkeel" || r.Method != "GET" || r.URL.RequestURI() != "/health?full=1" {
			t.Errorf("request %s %s by %q", r.Method, r.URL, r.UserAgent())
		}
		w.Header().Set("Last-Modified", "Sat, 14 Nov 2026 10:00:00 GMT")
		fmt.Fprint(w, "all well")
	}))
	defer server.Close()
	res := probed(t, config.Monitor{Kind: "http", URL: server.URL + "/health?full=1"}, time.Minute)
	wantHTTP(t, res, status.OK, status.CauseNone, "")
	if res.Code != 200 || res.Latency <= 0 || res.Facts.Bytes != 8 || res.Facts.IPVersion != 4 || res.Facts.HTTPVersion != "1.1" {
		t.Errorf("%+v %+v", res, res.Facts)
	}
	if res.Phases[status.PhaseConnect] <= 0 || res.Phases[status.PhaseWait] <= 0 || res.Phases[status.PhaseTLS] != 0 {
		t.Errorf("phases %v", res.Phases)
	}
	var sum time.Duration
	for _, d := range res.Phases {
		sum += d
	}
	if sum > res.Latency {
		t.Errorf("phases take %s, the whole run %s", sum, res.Latency)
	}
	if res.Facts.Numbers["http_last_modified_timestamp_seconds"] == 0 || len(res.Facts.Log) < 2 {
		t.Errorf("facts %+v", res.Facts)
	}
}

func TestHTTPExpectations(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Version", "4.2")
		if r.URL.Path == "/teapot" {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprint(w, `{"ok":true,"count":3,"name":"shop","list":[{"id":"a"},{"id":"b"}]}`)
	}))
	defer server.Close()
	for _, c := range []struct {
		name   string
		path   string
		expect config.Expect
		reason string // "" = good
	}{
		{"default status", "/", config.Expect{}, ""},
		{"bad status", "/teapot", config.Expect{}, "status 418, want 2xx"},
		{"status list", "/teapot", config.Expect{Status: []string{"200-299", "418"}}, ""},
		{"header", "/", config.Expect{Header: map[string]string{"x-version": `^4\.`}}, ""},
		{"header differs", "/", config.Expect{Header: map[string]string{"x-version": `^5\.`}}, `header X-Version is "4.2"`},
		{"body", "/", config.Expect{Body: `"ok":\s*true`}, ""},
		{"body missing", "/", config.Expect{Body: "goodbye"}, `the body has no match of "goodbye"`},
		{"body not", "/", config.Expect{BodyNot: "shop"}, "want none"},
		{"json", "/", config.Expect{JSON: map[string]string{"$.count": "3", "$.ok": "true", "$.list[1].id": "b", "$.name": "~^sh"}}, ""},
		{"json differs", "/", config.Expect{JSON: map[string]string{"$.count": "4"}}, `$.count is "3", want "4"`},
		{"json missing", "/", config.Expect{JSON: map[string]string{"$.absent": "4"}}, `$.absent is missing`},
		{"condition", "/", config.Expect{Condition: `status == 200 && latency < 60000 && body.ok && header["x-version"] == "4.2" && len(body.list) == 2`}, ""},
		{"condition false", "/", config.Expect{Condition: `status == 201 || size > 1000`}, `does not hold: status is 200, size is 6`},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := probed(t, config.Monitor{Kind: "http", URL: server.URL + c.path, Expect: c.expect}, time.Minute)
			if c.reason == "" {
				wantHTTP(t, res, status.OK, status.CauseNone, "")
			} else {
				wantHTTP(t, res, status.Failed, status.CauseBadAnswer, c.reason)
				if res.Latency <= 0 {
					t.Error("an answer that came has no latency")
				}
			}
		})
	}
}

func TestHTTPRedirects(t *testing.T) {
	var foreign atomic.Value
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		foreign.Store(r.Header.Clone())
		fmt.Fprint(w, "stranger")
	}))
	defer stranger.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/post":
			http.Redirect(w, r, "/see", http.StatusSeeOther)
		case "/keep":
			http.Redirect(w, r, "/see", http.StatusTemporaryRedirect)
		case "/see":
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", r.Method, body, r.Header.Get("X-Key"))
		case "/out":
			http.Redirect(w, r, stranger.URL, http.StatusMovedPermanently)
		case "/ftp":
			w.Header().Set("Location", "ftp://example.org/")
			w.WriteHeader(http.StatusFound)
		}
	}))
	defer server.Close()
	none := 0
	spec := func(path string) config.Monitor {
		return config.Monitor{
			Kind: "http", URL: server.URL + path, Method: "POST", Body: "hello", Headers: map[string]string{"X-Key": "k"},
			Auth: config.Auth{Bearer: config.Secret{Plain: "very-secret-token"}},
		}
	}
	wantHTTP(t, probed(t, spec("/loop"), time.Minute), status.Failed, status.CauseBadAnswer, "more than 5 redirects")
	wantHTTP(t, probed(t, spec("/ftp"), time.Minute), status.Failed, status.CauseBadAnswer, `redirects to "ftp://example.org/"`)
	s := spec("/post")
	s.Expect.Body = "^GET  k$"
	res := probed(t, s, time.Minute)
	wantHTTP(t, res, status.OK, status.CauseNone, "")
	if res.Facts.Redirects != 1 {
		t.Errorf("%d redirects", res.Facts.Redirects)
	}
	s = spec("/keep")
	s.Expect.Body = "^POST hello k$"
	wantHTTP(t, probed(t, s, time.Minute), status.OK, status.CauseNone, "")
	s = spec("/post")
	s.Redirects, s.Expect.Status = &none, []string{"303"}
	wantHTTP(t, probed(t, s, time.Minute), status.OK, status.CauseNone, "")
	wantHTTP(t, probed(t, spec("/out"), time.Minute), status.OK, status.CauseNone, "")
	if h := foreign.Load().(http.Header); h.Get("Authorization") != "" || h.Get("X-Key") != "" {
		t.Errorf("a stranger was sent %v", h)
	}
}

func TestHTTPKeptConnection(t *testing.T) {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hi") }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	fresh := false
	run := func(p Probe, n int) {
		t.Helper()
		for range n {
			wantHTTP(t, Once(t.Context(), p, "key", "local", time.Minute), status.OK, status.CauseNone, "")
		}
	}
	run(compiled(t, config.Monitor{Kind: "http", URL: server.URL, Fresh: &fresh}, Env{}), 10)
	if n := opened.Swap(0); n != 1 {
		t.Errorf("ten kept runs opened %d connections, want 1", n)
	}
	late := compiled(t, config.Monitor{Kind: "http", URL: server.URL, Fresh: &fresh}, Env{})
	run(late, 1)
	if err := late.probe.(*httpProbe).idle.SetDeadline(time.Unix(1, 0)); err != nil { // as when the next run comes after the time limit of the last
		t.Fatal(err)
	}
	run(late, 1)
	if n := opened.Swap(0); n != 1 {
		t.Errorf("a kept connection whose deadline has passed: %d connections, want 1", n)
	}
	run(compiled(t, config.Monitor{Kind: "http", URL: server.URL, Fresh: &fresh, FreshEvery: 5}, Env{}), 10)
	if n := opened.Swap(0); n != 3 {
		t.Errorf("ten kept runs, every fifth fresh, opened %d connections, want 3", n)
	}
	run(compiled(t, config.Monitor{Kind: "http", URL: server.URL}, Env{}), 10)
	if n := opened.Swap(0); n != 10 {
		t.Errorf("ten fresh runs opened %d connections, want 10", n)
	}
	kept := compiled(t, config.Monitor{Kind: "http", URL: server.URL, Fresh: &fresh, Method: "POST", Body: "x"}, Env{})
	run(kept, 1)
	server.CloseClientConnections() // as a server does whose patience is shorter than the interval
	deadline := time.Now().Add(10 * time.Second)
	for kept.probe.(*httpProbe).idle.alive() {
		if time.Now().After(deadline) {
			t.Fatal("a closed connection still looks open")
		}
		runtime.Gosched()
	}
	run(kept, 1)
	if n := opened.Swap(0); n != 2 {
		t.Errorf("after the server closed the kept connection: %d connections, want 2", n)
	}
}

// A server may close a kept connection at the very moment the next request
// comes: a request that may be repeated is, others are not.
func TestHTTPKeptConnectionClosedUnderTheRequest(t *testing.T) {
	var conns atomic.Int64
	address := speaks(t, func(conn net.Conn) {
		conns.Add(1)
		readRequest(conn)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		readRequest(conn) // and closes without an answer
	})
	fresh := false
	for method, want := range map[string]status.Outcome{"GET": status.OK, "POST": status.Failed} {
		p := compiled(t, config.Monitor{Kind: "http", URL: "http://" + address, Fresh: &fresh, Method: method}, Env{})
		for i := range 2 {
			res := Once(t.Context(), p, "key", "local", time.Minute)
			if i == 0 && res.Outcome != status.OK || i == 1 && res.Outcome != want {
				t.Errorf("%s, run %d: %s %s", method, i+1, res.Outcome, res.Reason)
			}
		}
	}
}

func TestHTTPRetriesWithinARun(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	res := probed(t, config.Monitor{Kind: "http", URL: server.URL, Retries: 2}, time.Minute)
	wantHTTP(t, res, status.OK, status.CauseNone, "")
	if asked.Load() != 3 || !strings.Contains(strings.Join(res.Facts.Log, "\n"), "try 2 of 3 failed: status 502") {
		t.Errorf("%d tries, log %q", asked.Load(), res.Facts.Log)
	}
	asked.Store(-10)
	wantHTTP(t, probed(t, config.Monitor{Kind: "http", URL: server.URL, Retries: 1}, time.Minute), status.Failed, status.CauseBadAnswer, "status 502")

	hang := speaks(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	res = probed(t, config.Monitor{Kind: "http", URL: "http://" + hang, Retries: 1}, 300*time.Millisecond)
	wantHTTP(t, res, status.Failed, status.CauseNoAnswer, "no answer in time")
	if !strings.Contains(strings.Join(res.Facts.Log, "\n"), "try 1 of 2 failed") {
		t.Errorf("a try that hung left no time for the next: %q", res.Facts.Log)
	}
}

func TestHTTPSlowLimitAndStop(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-release
		}
	}))
	defer server.Close()
	defer close(release)
	res := probed(t, config.Monitor{Kind: "http", URL: server.URL, Slow: config.Duration(time.Nanosecond)}, time.Minute)
	wantHTTP(t, res, status.Slow, status.CauseSlowAnswer, "slow above")
	if res.Code != 200 || res.Facts == nil {
		t.Errorf("a slow answer lost its code or facts: %+v", res)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := compiled(t, config.Monitor{Kind: "http", URL: server.URL + "/hang"}, Env{})
	time.AfterFunc(50*time.Millisecond, cancel)
	wantHTTP(t, Once(ctx, p, "key", "local", time.Minute), status.Inconclusive, status.CauseSelf, "the run was stopped")
}

func TestHTTPCompressedAndRecodedBodies(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			fmt.Fprint(z, "good morning")
			z.Close()
		case "/latin1":
			w.Header().Set("Content-Type", "text/plain; charset=iso-8859-1")
			w.Write([]byte("gr\xfc\xdfe"))
		}
	}))
	defer server.Close()
	wantHTTP(t, probed(t, config.Monitor{Kind: "http", URL: server.URL + "/gzip", Expect: config.Expect{Body: "^good morning$"}}, time.Minute), status.OK, status.CauseNone, "")
	wantHTTP(t, probed(t, config.Monitor{Kind: "http", URL: server.URL + "/latin1", Expect: config.Expect{Body: "^grüße$"}}, time.Minute), status.OK, status.CauseNone, "")
	head := config.Monitor{Kind: "http", URL: server.URL + "/gzip", Method: "HEAD"}
	wantHTTP(t, probed(t, head, time.Minute), status.OK, status.CauseNone, "")
}

func TestHTTPCompileReportsAllProblemsAtOnce(t *testing.T) {
	bad := -1
	_, err := Compile(config.Monitor{
		Kind: "http", URL: "https://example.org", IP: "5", Method: "GE T", FreshEvery: 3, Redirects: &bad, MaxBody: -1,
		Headers: map[string]string{"Bad Name": "x", "Content-Length": "3"}, Query: "select 1", Record: "A", Proxy: "ftp://x",
		TLS:    config.TLS{MinVersion: "1.0", CAFile: "/does/not/exist", CertFile: "x"},
		Expect: config.Expect{Status: []string{"2xy"}, Body: "(", JSON: map[string]string{"$[": "1"}, Condition: "status ="},
	}, Env{})
	problems, ok := err.(problem.Errors)
	if !ok {
		t.Fatalf("got %T: %v", err, err)
	}
	fields := make(map[string]bool)
	for _, p := range problems {
		fields[p.Field] = true
	}
	for _, want := range []string{
		"ip", "method", "fresh_every", "redirects", "max_body", "headers.Bad Name", "headers.Content-Length", "query", "record", "proxy",
		"tls.min_version", "tls.ca_file", "tls.cert_file", "expect.status", "expect.body", "expect.json", "expect.condition",
	} {
		if !fields[want] {
			t.Errorf("no problem names %s; got\n%v", want, err)
		}
	}
	for _, u := range []string{"", "example.org", "ftp://example.org", "http://", "http://[::1", "http://%zz"} {
		if _, err := Compile(config.Monitor{Kind: "http", URL: u}, Env{}); problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("url %q: %v", u, err)
		}
	}
	if _, err := Compile(config.Monitor{Kind: "gopher"}, Env{}); err == nil || !strings.Contains(err.Error(), "the kinds are") {
		t.Errorf("unknown kind: %v", err)
	}
}

func TestCompiledPrintFollowsFilesAndSecrets(t *testing.T) {
	token := "one-long-token"
	env := Env{LookupEnv: func(string) (string, bool) { return token, true }}
	spec := config.Monitor{Kind: "http", URL: "http://example.org", Auth: config.Auth{Bearer: config.Secret{Env: "T"}}}
	first := compiled(t, spec, env).Print()
	if again := compiled(t, spec, env).Print(); again != first {
		t.Error("the print changes by itself")
	}
	token = "another-token"
	if other := compiled(t, spec, env).Print(); other == first {
		t.Error("the print does not follow a secret that was rotated")
	}
}
