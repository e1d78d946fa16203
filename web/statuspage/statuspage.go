// Package statuspage serves /v1 in the shapes of Atlassian Statuspage's own
// management API, so that scripts and tools that write to a Statuspage write
// here by changing the host and the token. It only translates: what may be done,
// and what it means, the wings decide. It knows neither SQL nor tokens.
package statuspage

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/access"
	types "evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/api"
	"evenkeel/web/door"
)

// Desk is what is asked of the desk of the status wing; *status.Desk is one.
type Desk interface {
	api.Desk
	// Say gives a component, named by id, a status by hand; Unsay takes it back.
	Say(ctx context.Context, by access.Actor, component string, st status.Status, from time.Time, reason string) (status.Saying, error)
	Unsay(ctx context.Context, by access.Actor, component string) error
}

// Catalog tells what is defined; *status.Watch is one.
type Catalog interface {
	Catalog() *status.Catalog
}

// Spans tells what the page says of components now. Errors: Unavailable.
type Spans interface {
	OpenSpans(ctx context.Context) ([]status.Span, error)
}

// Sources is everything that is read and acted through.
type Sources struct {
	Watch     Catalog
	Spans     Spans
	Incidents api.Incidents
	Desk      Desk
	Notices   api.Notices
	Replies   api.Replies
}

// Options is what the shapes need beside their sources.
type Options struct {
	Now func() time.Time
	// Sources gives the sources, or nil while the record is not there.
	Sources func() *Sources
	// Actor tells who asks.
	Actor func(ctx context.Context) access.Actor
	// Problem turns an error into an answer: the one place of web does it.
	Problem func(err error) *types.Problem
}

// MaxPerMinute is how many requests one token may make in a minute, as many as
// at Statuspage for ten pages; more get 420.
const MaxPerMinute = 600

// root is the beginning of every path.
const root = "/v1/pages"

// service is the shapes.
type service struct {
	Options
	mu     sync.Mutex
	minute time.Time
	counts map[string]int // requests in this minute by actor
}

// route is one row: what it asks for, and what serves it.
type route struct {
	method, path string
	act          access.Action
	serve        func(*call) (code int, body any, err error)
}

// routes is the whole of it. What PATCH does, PUT does.
func routes() []route {
	const page = root + "/{page}"
	both := func(path string, act access.Action, serve func(*call) (int, any, error)) []route {
		return []route{{http.MethodPatch, path, act, serve}, {http.MethodPut, path, act, serve}}
	}
	list := []route{
		{http.MethodGet, root, access.ComponentRead, pages},
		{http.MethodGet, page, access.ComponentRead, onePage},
		{http.MethodGet, page + "/components", access.ComponentRead, components},
		{http.MethodGet, page + "/components/{id}", access.ComponentRead, oneComponent},
		{http.MethodGet, page + "/component-groups", access.ComponentRead, groups},
		{http.MethodGet, page + "/component-groups/{id}", access.ComponentRead, oneGroup},
		{http.MethodGet, page + "/incidents", access.IncidentRead, allIncidents},
		{http.MethodGet, page + "/incidents/unresolved", access.IncidentRead, unresolved},
		{http.MethodGet, page + "/incidents/scheduled", access.MaintainRead, scheduled},
		{http.MethodGet, page + "/incidents/upcoming", access.MaintainRead, upcoming},
		{http.MethodGet, page + "/incidents/active_maintenance", access.MaintainRead, active},
		{http.MethodPost, page + "/incidents", "", createIncident},
		{http.MethodGet, page + "/incidents/{id}", access.IncidentRead, oneIncident},
		{http.MethodDelete, page + "/incidents/{id}", "", deleteIncident},
		{http.MethodGet, page + "/subscribers", access.SubscriberRead, subscribers},
		{http.MethodPost, page + "/subscribers", access.SubscriberEdit, createSubscriber},
		{http.MethodGet, page + "/subscribers/{id}", access.SubscriberRead, oneSubscriber},
		{http.MethodDelete, page + "/subscribers/{id}", access.SubscriberEdit, deleteSubscriber},
	}
	list = append(list, both(page+"/components/{id}", access.StatusConfirm, editComponent)...)
	return append(list, both(page+"/incidents/{id}", "", editIncident)...)
}

// Routes lists every operation, so that one test can walk them with every role.
// New serves them: the rows have no handler. Those without an action are of
// incidents and of maintenance, which the request tells.
func Routes() []door.Route {
	var rows []door.Route
	for _, r := range routes() {
		rows = append(rows, door.Route{Method: r.method, Path: r.path, Action: r.act, Way: door.WayBearer})
	}
	return rows
}

// New gives the handler of everything under /v1.
func New(o Options) http.Handler {
	s := &service{Options: o, counts: map[string]int{}}
	mux := http.NewServeMux()
	for _, r := range routes() {
		mux.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, r) })
	}
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, problem.NotFound("There is no %s %s.", r.Method, r.URL.Path))
	})
	replies := func() api.Replies {
		if src := s.Sources(); src != nil {
			return src.Replies
		}
		return nil
	}
	return bare(api.Once{Replies: replies, Actor: o.Actor, Now: o.Now, Fail: s.fail}.Wrap(mux))
}

// bare takes .json off the end of addresses, which Statuspage's own examples have.
func bare(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, ok := strings.CutSuffix(r.URL.Path, ".json"); ok {
			to := *r.URL
			to.Path, to.RawPath = path, ""
			r = r.WithContext(r.Context())
			r.URL = &to
		}
		next.ServeHTTP(w, r)
	})
}

// call is one request.
type call struct {
	*Sources
	r       *http.Request
	ctx     context.Context
	catalog *status.Catalog
	by      access.Actor
	now     time.Time
	page    string                   // its id
	present map[string]status.Status // what the page says of each component now, by key
}

// serve answers one request.
func (s *service) serve(w http.ResponseWriter, r *http.Request, rt route) {
	by := s.Actor(r.Context())
	code, body, err := 0, any(nil), s.admit(by, rt)
	src := s.Sources()
	if err == nil && (src == nil || src.Incidents == nil || src.Desk == nil || src.Notices == nil) {
		err = problem.Unavailable(nil, "The record cannot be read yet; try again in a moment.")
	}
	if err == nil {
		r.Body = http.MaxBytesReader(w, r.Body, api.MaxBody)
		c := &call{Sources: src, r: r, ctx: r.Context(), catalog: src.Watch.Catalog(), by: by, now: s.Now().UTC().Truncate(time.Microsecond)}
		c.page = pageID(c.catalog.Site)
		if named := r.PathValue("page"); named != "" && named != c.page {
			err = problem.NotFound("There is no page %q here; this one is %q.", named, c.page)
		} else if c.present, err = present(c.ctx, src.Spans); err == nil {
			code, body, err = rt.serve(c)
		}
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if body == nil {
		w.WriteHeader(code)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // whoever hung up does not want it
}

// admit refuses who may not do this anywhere, or asks too often.
func (s *service) admit(by access.Actor, rt route) error {
	if rt.act != "" {
		if err := by.Check(rt.act); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if minute := s.Now().Truncate(time.Minute); !minute.Equal(s.minute) {
		s.minute = minute
		clear(s.counts)
	}
	if s.counts[by.ID]++; s.counts[by.ID] > MaxPerMinute {
		return problem.TooMany("At most %d requests in a minute.", MaxPerMinute)
	}
	return nil
}

// enhance is Statuspage's code for too many requests: "enhance your calm".
const enhance = 420

// fail answers an error as Statuspage does.
func (s *service) fail(w http.ResponseWriter, err error) { Fail(w, s.Problem(err)) }

// Fail answers a problem as Statuspage does: {"error": ["name: …"]} for what a
// request got wrong, one for each field, and {"error": "…"} for everything else.
func Fail(w http.ResponseWriter, p *types.Problem) {
	code := p.Status
	switch code {
	case http.StatusBadRequest:
		code = http.StatusUnprocessableEntity
	case http.StatusTooManyRequests:
		code = enhance
	}
	var said any = p.Detail
	if code == http.StatusUnprocessableEntity {
		list := []string{}
		for _, f := range p.Errors {
			list = append(list, f.Field+": "+f.Detail)
		}
		if len(list) == 0 {
			list = append(list, p.Detail)
		}
		said = list
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": said}) // whoever hung up does not want it
}
