package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/web/api"
	"evenkeel/web/api/apitest"
)

// The people of these scenes.
var (
	operator = access.Actor{ID: "person/1", Role: access.RoleOperator}
	viewer   = access.Actor{ID: "person/2", Role: access.RoleViewer}
	// webmaster may do what an operator may, on the website alone.
	webmaster = access.Actor{ID: "token/3", Role: access.RoleOperator, Grants: &access.Grants{List: []access.Grant{
		{Role: access.RoleOperator, Scope: access.Scope{Kind: "component", ID: "k-web"}},
	}}}
)

// scene is the API over real wings, asked by one actor after the other.
type scene struct {
	*apitest.Hub
	t       *testing.T
	by      access.Actor
	bell    *journal.LocalBell
	handler http.Handler
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{Hub: apitest.New(t), t: t, by: operator, bell: &journal.LocalBell{}}
	src := &api.Sources{Watch: s.Watch, Incidents: s.Room, Desk: s.Desk, Notices: s.Notices, Journal: s.Journal, Replies: s.Replies}
	s.handler = api.New(api.Options{
		Version: "test", Now: time.Now, Sources: func() *api.Sources { return src }, Actor: func(context.Context) access.Actor { return s.by },
		Problem: asProblem, Bell: func() journal.Bell { return s.bell },
	})
	return s
}

// ask sends a request; body and headers (key, value, …) may be missing.
func (s *scene) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// did asks, wants the code, and reads the answer into a map.
func (s *scene) did(want int, method, path, body string, headers ...string) map[string]any {
	s.t.Helper()
	w := s.ask(method, path, body, headers...)
	if w.Code != want {
		s.t.Fatalf("%s %s gives %d, want %d: %s", method, path, w.Code, want, w.Body)
	}
	out := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			s.t.Fatalf("%s %s gives %s: %v", method, path, w.Body, err)
		}
	}
	return out
}
