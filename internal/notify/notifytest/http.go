package notifytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// maxRequest bounds what the fakes read, in bytes.
const maxRequest = 4 << 20

// Request is one request that came.
type Request struct {
	Method string
	Path   string
	Query  string
	Header http.Header
	Body   []byte
}

// JSON gives the body as JSON.
func (r Request) JSON(tb testing.TB) map[string]any {
	tb.Helper()
	var out map[string]any
	if err := json.Unmarshal(r.Body, &out); err != nil {
		tb.Fatalf("the body is no JSON object: %v\n%s", err, r.Body)
	}
	return out
}

// Endpoint takes requests and keeps them.
type Endpoint struct {
	URL string

	mu       sync.Mutex
	requests []Request
	answer   http.HandlerFunc
	problems []string
}

// NewEndpoint starts one that answers 200 until told otherwise.
func NewEndpoint(tb testing.TB) *Endpoint {
	tb.Helper()
	e := &Endpoint{}
	s := httptest.NewServer(e)
	tb.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	e.URL = s.URL
	return e
}

// Answer sets how requests are answered from now on; nil = 200.
func (e *Endpoint) Answer(h http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = h
}

// ServeHTTP keeps the request and answers it.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	e.mu.Lock()
	e.requests = append(e.requests, Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: body})
	answer := e.answer
	e.mu.Unlock()
	if answer != nil {
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answer(w, r)
	}
}

// Requests gives what came, in order.
func (e *Endpoint) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Request(nil), e.requests...)
}

// Problems gives what the other side would have complained of.
func (e *Endpoint) Problems() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.problems...)
}

func (e *Endpoint) complain(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.problems = append(e.problems, fmt.Sprintf(format, args...))
}

// Signed reports whether a request carries our signature under the secret.
func (r Request) Signed(secret string) bool {
	var t, v1 string
	for part := range strings.SplitSeq(r.Header.Get("Evenkeel-Signature"), ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			t = value
		case "v1":
			v1 = value
		}
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(r.Body)
	given, err := hex.DecodeString(v1)
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
