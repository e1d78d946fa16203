package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/api"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/statuspage"
)

// codes is the whole of how a kind of problem becomes a status code.
var codes = map[problem.Kind]int{
	problem.KindInvalid:         http.StatusBadRequest,
	problem.KindNotFound:        http.StatusNotFound,
	problem.KindConflict:        http.StatusConflict,
	problem.KindForbidden:       http.StatusForbidden,
	problem.KindUnauthenticated: http.StatusUnauthorized,
	problem.KindTooMany:         http.StatusTooManyRequests,
	problem.KindUnavailable:     http.StatusServiceUnavailable,
	problem.KindInternal:        http.StatusInternalServerError,
}

// retryAfter is how soon a client should try again, in seconds.
const retryAfter = 5

func newFailures(reg prometheus.Registerer) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "evenkeel_http_errors_total", Help: "Requests that ended in an error, by kind."}, []string{"kind"})
	reg.MustRegister(c)
	for kind := range codes {
		c.WithLabelValues(string(kind))
	}
	return c
}

// problem turns an error into what the person who asked may know, counts it,
// and logs what is ours to mend under the id that the answer names.
func (s *Server) problem(err error) *api.Problem {
	kind := problem.KindOf(err)
	s.failures.WithLabelValues(string(kind)).Inc()
	p := api.NewProblem(codes[kind], problem.Public(err))
	if kind == problem.KindInternal {
		s.deps.Log.Error("a request failed", "request", p.Request(), "err", err)
	}
	var several problem.Errors
	if one, ok := errors.AsType[*problem.Error](err); ok && one.Field != "" {
		several = problem.Errors{one}
	} else if many, ok := errors.AsType[problem.Errors](err); ok {
		several, p.Detail = many, "Several fields are at fault."
	}
	for _, e := range several {
		p.Errors = append(p.Errors, api.Field{Field: e.Field, Detail: e.Msg})
	}
	return p
}

// fail answers an error in the form that suits who asked: a page for a browser,
// problem+json for a machine. Echo calls it for its own errors too.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed || errors.Is(c.Request().Context().Err(), context.Canceled) {
		return // the answer is under way, or nobody waits for it
	}
	var p *api.Problem
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		kind := problem.KindInvalid
		if he.Code == http.StatusNotFound {
			kind = problem.KindNotFound
		}
		s.failures.WithLabelValues(string(kind)).Inc()
		p = api.NewProblem(he.Code, ours(he.Code))
	} else {
		p = s.problem(err)
	}
	if p.Status == http.StatusServiceUnavailable {
		p.Detail = away
	}
	h := c.Response().Header()
	h["Cache-Control"] = []string{"no-store"}
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		h["Retry-After"] = []string{strconv.Itoa(retryAfter)}
	}
	if c.Request().Method == http.MethodHead {
		_ = c.NoContent(p.Status)
		return
	}
	if strings.HasPrefix(c.Request().URL.Path, foreignRoot) {
		statuspage.Fail(c.Response(), p)
		return
	}
	if wantsPage(c.Request()) {
		detail, request := p.Detail, ""
		switch p.Status {
		case http.StatusNotFound, http.StatusMethodNotAllowed:
			detail = "" // the headline says it
		case http.StatusInternalServerError:
			detail, request = "", p.Request()
		}
		body, policy, err := s.photographer.Failure(p.Status, detail, request)
		if err == nil {
			h["Content-Security-Policy"] = []string{policy}
			_ = c.HTMLBlob(p.Status, body)
			return
		}
		s.deps.Log.Error("the page of an error cannot be rendered", "err", err)
	}
	body, _ := json.Marshal(p) // strings and numbers always marshal
	_ = c.Blob(p.Status, api.ProblemType, append(body, '\n'))
}

// away is all that the public hears of what the hub cannot reach: whose sentence
// it is names hosts and folders for staff, and stands in /readyz on the admin listener.
const away = "The hub cannot answer this just now. Please try again in a moment."

// ours says in our words what the framework complains of by number.
func ours(code int) string {
	switch code {
	case http.StatusNotFound:
		return "There is nothing at this address."
	case http.StatusMethodNotAllowed:
		return "This address does not take this method."
	}
	return "The request cannot be answered."
}

// wantsPage reports whether a person with a browser asked.
func wantsPage(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/ping/") || strings.HasPrefix(r.URL.Path, people.HookPath) {
		return false
	}
	accept := r.Header.Get("Accept")
	return accept == "" || strings.Contains(accept, "text/html") || strings.Contains(accept, "*/*")
}
