// Package api serves /api/v1, the management API: it turns requests into calls
// of the wing and its answers into the shapes of internal/api. It holds no rule
// and knows neither SQL nor who may ask; what stands in front of it decides that.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Watch is what the API asks of the watching service, by key; *status.Watch is one.
type Watch interface {
	Catalog() *status.Catalog
	Last(monitor string) (status.Result, bool)
	Verdict(monitor string) (status.MonitorVerdict, bool)
}

// Board is what the API asks of the read model; *status.Board is one.
type Board interface {
	// Uptime gives the exact tally of a window, and the figure; NaN when nothing
	// was measured. Errors: NotFound, Unavailable.
	Uptime(ctx context.Context, componentID string, from, to time.Time) (status.Tally, float64, error)
}

// Record is what the API reads from SQL, by key. Errors: Unavailable.
type Record interface {
	OpenSpans(ctx context.Context) ([]status.Span, error)
	Spans(ctx context.Context, component string, track status.Track, from, to time.Time) ([]status.Span, error)
	Decisions(ctx context.Context, monitor string, limit int) ([]status.Decision, error)
}

// Samples is what the API reads from the latency record. Errors: Unavailable.
type Samples interface {
	Samples(ctx context.Context, q status.SampleQuery) ([]status.Sample, error)
}

// Runner runs a monitor by hand. Errors: NotFound.
type Runner interface {
	RunOnce(ctx context.Context, id string) (status.Result, error)
}

// Sources is everything the API reads.
type Sources struct {
	Watch   Watch
	Board   Board
	Record  Record
	Samples Samples
	Runner  Runner
}

// Options is what the API needs beside its sources.
type Options struct {
	Version string
	Now     func() time.Time
	// Sources gives the sources, or nil while the record is not there.
	Sources func() *Sources
	// Problem turns an error into an answer: the one place of web does it.
	Problem func(err error) *api.Problem
}

// Limits of a window.
const (
	MaxWindow     = 400 * 24 * time.Hour // of uptime and spans
	MaxSampleSpan = 48 * time.Hour
)

// service is the API.
type service struct{ Options }

// New gives the handler of everything under /api/v1.
func New(o Options) http.Handler {
	s := &service{o}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Evenkeel", o.Version)
	config.OpenAPIPath = "/api/v1/openapi"
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil // no $schema in answers
	config.RejectUnknownQueryParameters = true
	config.Info.Description = "Management API of the hub. Times are RFC 3339 in UTC, durations are seconds."
	ourErrors()
	h := humago.New(mux, config)
	register(h, s, http.MethodGet, "listComponents", "/api/v1/components", "Components, in the order of the page", components)
	register(h, s, http.MethodGet, "getUptime", "/api/v1/components/{id}/uptime", "Exact uptime of a component in a window", uptime)
	register(h, s, http.MethodGet, "listSpans", "/api/v1/components/{id}/spans", "Status history of a component in a window", spans)
	register(h, s, http.MethodGet, "listMonitors", "/api/v1/monitors", "Monitors with their verdicts and newest results", monitors)
	register(h, s, http.MethodGet, "listSamples", "/api/v1/monitors/{id}/samples", "Recorded measurements of a monitor", samples)
	register(h, s, http.MethodGet, "listDecisions", "/api/v1/monitors/{id}/decisions", "What was decided about a monitor, and why", decisions)
	register(h, s, http.MethodPost, "runMonitor", "/api/v1/monitors/{id}/run", "Run a monitor once, beside its schedule; nothing is recorded", run)
	mux.HandleFunc("/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		s.write(w, problem.NotFound("There is no %s %s.", r.Method, r.URL.Path))
	})
	return mux
}

// ourErrors makes the library answer its own complaints, such as a parameter
// that is no number, in our shape. The library has one shape for the process.
var ourErrors = sync.OnceFunc(func() {
	huma.NewError = func(code int, detail string, errs ...error) huma.StatusError {
		if code == http.StatusUnprocessableEntity { // the library's complaints about parameters
			code, detail = http.StatusBadRequest, "The request is not valid."
		}
		p := api.NewProblem(code, detail)
		for _, err := range errs {
			f := api.Field{Detail: err.Error()}
			if d, ok := err.(huma.ErrorDetailer); ok {
				e := d.ErrorDetail()
				_, f.Field, _ = strings.Cut(e.Location, ".") // query.from is our from
				f.Detail = e.Message
			}
			p.Errors = append(p.Errors, f)
		}
		return p
	}
})

// register adds one operation. Its function gets the sources that are there now.
func register[I, O any](h huma.API, s *service, method, id, path, summary string, fn func(context.Context, *call, *I) (*O, error)) {
	type answer struct{ Body *O }
	huma.Register(h, huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary},
		func(ctx context.Context, in *I) (*answer, error) {
			src := s.Sources()
			if src == nil {
				return nil, s.Problem(problem.Unavailable(nil, "The record cannot be read yet; try again in a moment."))
			}
			out, err := fn(ctx, &call{Sources: src, catalog: src.Watch.Catalog(), now: s.Now().UTC().Truncate(time.Microsecond)}, in)
			if err != nil {
				return nil, s.Problem(err)
			}
			return &answer{out}, nil
		})
}

// write sends a problem outside the library.
func (s *service) write(w http.ResponseWriter, err error) {
	p := s.Problem(err)
	w.Header().Set("Content-Type", api.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // whoever hung up does not want it
}

// call is one request: the sources, and what is defined and what time it is for
// all of it.
type call struct {
	*Sources
	catalog *status.Catalog
	now     time.Time
}

// component finds what is defined. Errors: NotFound.
func (c *call) component(id string) (status.Component, error) {
	for _, comp := range c.catalog.Components {
		if comp.ID == id {
			return comp, nil
		}
	}
	return status.Component{}, problem.NotFound("There is no component %q.", id)
}

// monitor finds what is defined. Errors: NotFound.
func (c *call) monitor(id string) (status.Monitor, error) {
	for _, m := range c.catalog.Monitors {
		if m.ID == id {
			return m, nil
		}
	}
	return status.Monitor{}, problem.NotFound("There is no monitor %q.", id)
}

// Window is the part of a request that names a stretch of time.
type Window struct {
	From time.Time `query:"from" doc:"Start, RFC 3339; a day before the end by default"`
	To   time.Time `query:"to" doc:"End, RFC 3339; now by default"`
}

// resolve fills in what was left out. Errors: Invalid.
func (w Window) resolve(now time.Time, most time.Duration) (from, to time.Time, err error) {
	from, to = w.From.UTC().Truncate(time.Microsecond), w.To.UTC().Truncate(time.Microsecond)
	if w.To.IsZero() {
		to = now
	}
	if w.From.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	switch {
	case !from.Before(to):
		return from, to, problem.Invalid("from", "The start must lie before the end.")
	case to.Sub(from) > most:
		return from, to, problem.Invalid("from", "A window is at most %s long.", most)
	}
	return from, to, nil
}
