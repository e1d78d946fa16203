// Package api serves /api/v1, the management API: it turns requests into calls
// of the wing and its answers into the shapes of internal/api. It holds no rule
// and knows neither SQL nor who may ask; what stands in front of it decides that.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
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

// Sources is everything the API reads and acts through.
type Sources struct {
	Watch     Watch
	Board     Board
	Record    Record
	Samples   Samples
	Runner    Runner
	Incidents Incidents
	Desk      Desk
	Notices   Notices
	Journal   Journal
	Replies   Replies
	Tickets   Tickets
	Mails     Mails
	Proposals Proposals
}

// lacks reports whether what serves a path is not there: the wings come up one
// after the other.
func (s *Sources) lacks(path string) bool {
	wing, _, _ := strings.Cut(strings.TrimPrefix(path, root), "/")
	switch wing {
	case "incidents":
		return s.Incidents == nil
	case "maintenances", "silences":
		return s.Desk == nil
	case "deliveries", "alerts", "subscribers":
		return s.Notices == nil
	case "tickets", "messages", "requesters":
		return s.Tickets == nil
	case "mailboxes", "mails":
		return s.Mails == nil
	case "proposals":
		return s.Proposals == nil
	case "journal", "events":
		return s.Journal == nil
	}
	return false
}

// root is the beginning of every path.
const root = "/api/v1/"

// errAway is what is answered while the record cannot be read.
func errAway() error {
	return problem.Unavailable(nil, "The record cannot be read yet; try again in a moment.")
}

// Options is what the API needs beside its sources.
type Options struct {
	Version string
	Now     func() time.Time
	// Sources gives the sources, or nil while the record is not there.
	Sources func() *Sources
	// Actor tells who asks.
	Actor func(ctx context.Context) access.Actor
	// Problem turns an error into an answer: the one place of web does it.
	Problem func(err error) *api.Problem
	// Bell rings when the journal has grown; nil = live streams look now and then.
	Bell func() journal.Bell
	// Closing is closed when live streams have to end; nil = never.
	Closing func() <-chan struct{}
}

// Limits of a request.
const (
	MaxWindow     = 400 * 24 * time.Hour // of uptime and spans
	MaxSampleSpan = 48 * time.Hour
	MaxBody       = 1 << 20  // bytes
	MaxUpload     = 16 << 20 // bytes of a file
)

// service is the API.
type service struct {
	Options
	ops ops
}

// New gives the handler of everything under /api/v1. It is built with the first
// request: the schemas of all operations take a megabyte, and of the listeners
// that serve them most are never asked.
func New(o Options) http.Handler {
	built := sync.OnceValue(func() http.Handler {
		_, handler := build(o)
		return handler
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { built().ServeHTTP(w, r) })
}

// Routes lists every operation, so that one test can walk them with every role.
// New serves them: the rows have no handler.
func Routes() []door.Route {
	s, _ := build(Options{})
	rows := make([]door.Route, 0, len(s.ops))
	for _, o := range s.ops {
		rows = append(rows, door.Route{Method: o.method, Path: o.path, Action: o.act, Way: door.WayBearer})
	}
	return rows
}

func build(o Options) (*service, http.Handler) {
	if o.Bell == nil {
		o.Bell = func() journal.Bell { return &journal.LocalBell{} }
	}
	if o.Closing == nil {
		o.Closing = func() <-chan struct{} { return nil }
	}
	s := &service{Options: o}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Evenkeel", o.Version)
	config.OpenAPIPath = "/api/v1/openapi"
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil // no $schema in answers
	config.RejectUnknownQueryParameters = true
	config.Info.Description = "Management API of the hub. Times are RFC 3339 in UTC, durations are seconds."
	ourErrors()
	h := humago.New(mux, config)
	s.statusRoutes(h)
	s.incidentRoutes(h)
	s.maintenanceRoutes(h)
	s.silenceRoutes(h)
	s.deliveryRoutes(h)
	s.subscriberRoutes(h, mux)
	s.ticketRoutes(h, mux)
	s.mailboxRoutes(h)
	s.proposalRoutes(h)
	s.journalRoutes(h, mux)
	mux.HandleFunc(root, func(w http.ResponseWriter, r *http.Request) {
		s.write(w, problem.NotFound("There is no %s %s.", r.Method, r.URL.Path))
	})
	return s, Once{Replies: s.replies, Actor: o.Actor, Now: o.Now, Fail: s.write}.Wrap(mux)
}

// replies gives where answers are remembered; nil while the record is not there.
func (s *service) replies() Replies {
	if src := s.Sources(); src != nil {
		return src.Replies
	}
	return nil
}

// statusRoutes are what there is to see of components and monitors.
func (s *service) statusRoutes(h huma.API) {
	register(h, s, op{http.MethodGet, "/api/v1/components", "listComponents", "Components, in the order of the page", access.ComponentRead}, components)
	register(h, s, op{http.MethodGet, "/api/v1/components/{id}/uptime", "getUptime", "Exact uptime of a component in a window", access.ComponentRead}, uptime)
	register(h, s, op{http.MethodGet, "/api/v1/components/{id}/spans", "listSpans", "Status history of a component in a window", access.ComponentRead}, spans)
	register(h, s, op{http.MethodGet, "/api/v1/monitors", "listMonitors", "Monitors with their verdicts and newest results", access.MonitorRead}, monitors)
	register(h, s, op{http.MethodGet, "/api/v1/monitors/{id}/samples", "listSamples", "Recorded measurements of a monitor", access.MonitorRead}, samples)
	register(h, s, op{http.MethodGet, "/api/v1/monitors/{id}/decisions", "listDecisions", "What was decided about a monitor, and why", access.MonitorRead}, decisions)
	register(h, s, op{http.MethodPost, "/api/v1/monitors/{id}/run", "runMonitor", "Run a monitor once, beside its schedule; nothing is recorded", access.MonitorRun}, run)
}

// ourErrors makes the library answer its own complaints, such as a parameter
// that is no number, in our shape. The library has one shape for the process.
var ourErrors = sync.OnceFunc(func() {
	huma.NewError = func(code int, detail string, errs ...error) huma.StatusError {
		if code == http.StatusUnprocessableEntity { // the library's complaints about parameters
			code, detail = http.StatusBadRequest, "The request is not valid."
		}
		if code == http.StatusUnsupportedMediaType {
			detail, errs = "Send JSON, and say so: Content-Type: application/json.", nil
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

// op is one operation of the API.
type op struct {
	method, path, id, summary string
	act                       access.Action // what the caller must be allowed to do, somewhere
}

// ops lists every operation, in the order of the documentation; New fills it.
type ops []op

// register adds one operation. Its function gets the sources that are there now
// and is only called for those who may do it somewhere; the wing looks closer.
func register[I, O any](h huma.API, s *service, o op, fn func(context.Context, *call, *I) (*O, error)) {
	type answer struct{ Body *O }
	s.ops = append(s.ops, o)
	code := http.StatusOK
	if reflect.TypeFor[O]() == reflect.TypeFor[nothing]() {
		code = http.StatusNoContent
	}
	huma.Register(h, huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, DefaultStatus: code, MaxBodyBytes: MaxBody,
		Middlewares: huma.Middlewares{s.admits(o.act)},
	},
		func(ctx context.Context, in *I) (*answer, error) {
			src := s.Sources()
			if src == nil || src.lacks(o.path) {
				return nil, s.Problem(errAway())
			}
			out, err := fn(ctx, &call{Sources: src, catalog: src.Watch.Catalog(), by: s.Actor(ctx), now: s.Now().UTC().Truncate(time.Microsecond)}, in)
			if err != nil {
				return nil, s.Problem(err)
			}
			if code == http.StatusNoContent {
				return nil, nil
			}
			return &answer{out}, nil
		})
}

// admits refuses who may do an action nowhere, before anything else of the
// request is looked at: whoever may not, learns nothing of what would be right.
func (s *service) admits(act access.Action) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		err := s.Actor(c.Context()).Check(act)
		if err == nil {
			next(c)
			return
		}
		p := s.Problem(err)
		c.SetHeader("Content-Type", api.ProblemType)
		c.SetStatus(p.Status)
		_ = json.NewEncoder(c.BodyWriter()).Encode(p) // whoever hung up does not want it
	}
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
	by      access.Actor
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
