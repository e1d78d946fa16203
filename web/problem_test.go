package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/web/public/publictest"
)

func TestProblemsHaveEveryMember(t *testing.T) {
	s := door(t, publictest.Normal())
	for _, row := range []struct {
		method, path string
		handler      http.Handler
		want         int
	}{
		{"GET", "/api/v2/nothing.json", s.Public(), http.StatusNotFound},
		{"POST", "/api/v2/summary.json", s.Public(), http.StatusMethodNotAllowed},
		{"GET", "/api/nothing", s.Public(), http.StatusNotFound},
		{"GET", "/ping/nobody-listens-yet", bare(t, "").Public(), http.StatusServiceUnavailable},
		{"GET", "/api/v1/nothing", s.Admin(), http.StatusNotFound},
		{"GET", "/api/v1/components/x/uptime?from=yesterday", s.Admin(), http.StatusBadRequest},
		{"GET", "/api/v1/components?surplus=1", s.Admin(), http.StatusBadRequest},
	} {
		w := httptest.NewRecorder()
		row.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), row.method, row.path, nil))
		var members map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &members); err != nil {
			t.Errorf("%s %s: %v: %s", row.method, row.path, err, w.Body)
			continue
		}
		if w.Code != row.want || !strings.HasPrefix(w.Header().Get("Content-Type"), api.ProblemType) {
			t.Errorf("%s %s: %d %s, want %d", row.method, row.path, w.Code, w.Header().Get("Content-Type"), row.want)
		}
		for _, name := range []string{"type", "title", "status", "detail", "instance"} {
			if v, there := members[name]; !there || v == "" {
				t.Errorf("%s %s: %s is missing or empty in %s", row.method, row.path, name, w.Body)
			}
		}
	}
}

func TestThePublicHearsOfNoHostThatIsAway(t *testing.T) {
	s, board := doorAndBoard(t, publictest.Normal(), "")
	board.Fail(problem.Unavailable(nil, "The database hub on db.example.org:5432 cannot be reached."))
	for _, accept := range []string{"text/html", "application/json"} {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/history", nil)
		r.Header.Set("Accept", accept)
		s.Public().ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "db.example.org") || !strings.Contains(w.Body.String(), "try again in a moment") {
			t.Errorf("%s: %d, or names a host: %s", accept, w.Code, w.Body)
		}
	}
}
