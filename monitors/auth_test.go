package monitors

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

func TestHTTPAuthAndSecretsNeverInLogs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "you sent %s and %s", r.Header.Get("Authorization"), r.Header.Get("X-Key"))
	}))
	defer server.Close()
	env := Env{LookupEnv: func(name string) (string, bool) {
		v, ok := map[string]string{"PASSWORD": "correct horse", "KEY": "battery-staple"}[name]
		return v, ok
	}}
	spec := config.Monitor{
		Kind: "http", URL: server.URL, Headers: map[string]string{"X-Key": "${KEY}"},
		Auth:   config.Auth{Username: "watch", Password: config.Secret{Env: "PASSWORD"}},
		Expect: config.Expect{Status: []string{"403"}, Condition: `text == ""`},
	}
	res := Once(t.Context(), compiled(t, spec, env), "key", "local", time.Minute)
	wantHTTP(t, res, status.Failed, status.CauseBadAnswer, "[redacted]")
	all := res.Reason + strings.Join(res.Facts.Log, "\n")
	for _, secret := range []string{"correct horse", "battery-staple", "d2F0Y2g6Y29ycmVjdCBob3JzZQ=="} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in %s", secret, all)
		}
	}
	spec.Headers["X-Key"] = "${ABSENT}"
	if _, err := Compile(spec, env); problem.KindOf(err) != problem.KindInvalid || !strings.Contains(err.Error(), "ABSENT is not set") {
		t.Errorf("an absent variable: %v", err)
	}
}

func TestHTTPOAuth2FetchesOnceAndAgainAfterRefusal(t *testing.T) {
	var fetched, asked atomic.Int64
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := fetched.Add(1)
		id, secret, _ := r.BasicAuth()
		if id != "hub" || secret != "client-secret" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "read" {
			t.Errorf("token request by %q for %q", id, r.FormValue("scope"))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-number-%d","token_type":"bearer","expires_in":3600}`, n)
	}))
	defer tokens.Close()
	var accept atomic.Value
	accept.Store("Bearer token-number-1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != accept.Load() {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	spec := config.Monitor{Kind: "http", URL: server.URL, Auth: config.Auth{OAuth2: config.OAuth2{
		TokenURL: tokens.URL, ClientID: "hub", ClientSecret: config.Secret{Plain: "client-secret"}, Scopes: []string{"read"},
	}}}
	p := compiled(t, spec, Env{})
	run := func() status.Result { return Once(t.Context(), p, "key", "local", time.Minute) }
	for range 3 {
		wantHTTP(t, run(), status.OK, status.CauseNone, "")
	}
	if fetched.Load() != 1 {
		t.Errorf("three runs fetched %d tokens", fetched.Load())
	}
	accept.Store("Bearer token-number-2") // the old one was revoked
	wantHTTP(t, run(), status.Failed, status.CauseBadAnswer, "status 401")
	wantHTTP(t, run(), status.OK, status.CauseNone, "")
	tokens.Close()
	accept.Store("")
	run()
	res := run()
	wantHTTP(t, res, status.Failed, status.CauseNoAnswer, "signing in")
	if strings.Contains(strings.Join(res.Facts.Log, ""), "token-number") {
		t.Error("the log shows a token")
	}
}
