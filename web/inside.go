package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"evenkeel/assets"
	"evenkeel/internal/access"
	iapi "evenkeel/internal/api"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/api"
	"evenkeel/web/console"
	"evenkeel/web/door"
	"evenkeel/web/hooks"
	"evenkeel/web/statuspage"
)

// Inside is what stands behind the door of the public listener: the console,
// the management API and the doors of foreign systems.
type Inside struct {
	Door      *door.Door
	Console   *console.Console
	Hooks     *hooks.Inbound
	Alerts    Alerts
	Incidents api.Incidents
	Journal   api.Journal
	Replies   api.Replies
	Desk      statuspage.Desk
	Notices   api.Notices
	Bell      journal.Bell
	Tickets   api.Tickets
	Mails     api.Mails
	Proposals api.Proposals
	Reports   Reports // what visitors say is wrong; nil = nobody reads it
}

// foreignRoot is where Statuspage's own shapes stand.
const foreignRoot = "/v1/"

// errNotUp is what everything behind the door answers while the record is away.
func errNotUp() error {
	return problem.Unavailable(nil, "The hub is still starting. Try again in a moment.")
}

// insideRoutes hands everything behind the door to whom it belongs.
func (s *Server) insideRoutes(e *echo.Echo) {
	s.acknowledgeRoutes(e)
	shelf := echo.WrapHandler(http.HandlerFunc(s.shelf.ServeHTTP))
	e.GET("/assets/*", shelf)
	e.HEAD("/assets/*", shelf)
	inside := func(serve func(*Inside) http.Handler) echo.HandlerFunc {
		return func(c echo.Context) error {
			l := s.live.Load()
			if l == nil || l.Inside.Door == nil {
				return errNotUp()
			}
			serve(&l.Inside).ServeHTTP(c.Response(), c.Request())
			return nil
		}
	}
	staff := inside(func(i *Inside) http.Handler { return i.Door.Staff(i.Console.Handler()) })
	e.Any("/console", staff)
	e.Any("/console/*", staff)
	management := s.api(door.Acting)
	e.Any("/api/v1/*", inside(func(i *Inside) http.Handler { return i.Door.Bearer(management) }))
	foreign := statuspage.New(statuspage.Options{Now: s.deps.Now, Sources: s.foreignSources, Actor: door.Acting, Problem: s.problem})
	e.Any(foreignRoot+"*", inside(func(i *Inside) http.Handler { return i.Door.Bearer(foreign) }))
	e.Any(people.HookPath+"*", inside(func(i *Inside) http.Handler { return hookMux(i.Hooks, s.Fail) }))
}

// hookMux serves the doors of foreign systems.
func hookMux(h *hooks.Inbound, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	mux := http.NewServeMux()
	for _, r := range h.Routes() {
		mux.HandleFunc(r.Method+" "+r.Path, r.Handler)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { // a wrong method too: an address tells nothing of itself
		fail(w, r, problem.NotFound("There is nothing at this address."))
	})
	return mux
}

// api makes the management API for those whom actor tells.
func (s *Server) api(actor func(context.Context) access.Actor) http.Handler {
	return api.New(api.Options{
		Version: s.deps.Version, Now: s.deps.Now, Sources: s.sources, Problem: s.problem, Actor: actor, Bell: s.bell, Closing: s.closing,
	})
}

// reader is who asks on the admin listener from another machine: it may look at
// what the wall shows, and change nothing.
var reader = access.Actor{ID: "admin-listener", Role: access.RoleViewer}

// onAdmin tells who asks on the admin listener, where nobody signs in: on this
// machine the host, from elsewhere a reader.
func onAdmin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		by := reader
		if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && addr.Addr().Unmap().IsLoopback() && r.Header.Get("X-Forwarded-For") == "" {
			by = access.Host
		}
		next.ServeHTTP(w, door.With(r, door.Guest{Actor: by}))
	})
}

// foreignSources gives what Statuspage's own shapes read and act through; nil
// while the record is not there.
func (s *Server) foreignSources() *statuspage.Sources {
	l := s.live.Load()
	if l == nil || l.Inside.Door == nil {
		return nil
	}
	return &statuspage.Sources{
		Watch: l.Watch, Spans: l.Store, Incidents: l.Inside.Incidents, Desk: l.Inside.Desk, Notices: l.Inside.Notices, Replies: l.Inside.Replies,
	}
}

// bell rings when the journal has grown.
func (s *Server) bell() journal.Bell {
	if l := s.live.Load(); l != nil && l.Inside.Bell != nil {
		return l.Inside.Bell
	}
	return &journal.LocalBell{}
}

func (s *Server) closing() <-chan struct{} { return s.closed }

// Shelf gives the assets that pages name.
func (s *Server) Shelf() *assets.Shelf { return s.shelf }

// Problem turns an error into what the person who asked may know, counts it, and
// logs what is ours to mend.
func (s *Server) Problem(err error) *iapi.Problem { return s.problem(err) }

// Fail answers an error of a handler that is not Echo's: a page of the console
// for a browser there, and problem+json for everybody else.
func (s *Server) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if l := s.live.Load(); l != nil && l.Inside.Console != nil && strings.HasPrefix(r.URL.Path, "/console") {
		l.Inside.Console.Fail(w, r, err)
		return
	}
	p := s.problem(err)
	if p.Status == http.StatusServiceUnavailable {
		p.Detail = away // nobody came in, so nobody may know what we cannot reach
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if strings.HasPrefix(r.URL.Path, foreignRoot) {
		statuspage.Fail(w, p)
		return
	}
	h.Set("Content-Type", iapi.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // whoever hung up does not want it
}

// Routes lists what stands behind the door now, so that one test can walk it with
// every role; nil while nothing does.
func (s *Server) Routes() []door.Route {
	l := s.live.Load()
	if l == nil || l.Inside.Door == nil {
		return nil
	}
	return slices.Concat(l.Inside.Console.Routes(), l.Inside.Hooks.Routes(), api.Routes(), statuspage.Routes())
}
