package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"evenkeel/internal/problem"
	"evenkeel/web/hooks"
)

// guard wraps every route: it bounds its time to write, sets the headers that are
// right for everything, turns a panic into an answer, and logs. The route is logged and not the path,
// which may hold a token; who asked is nobody's business.
func (s *Server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		began := time.Now()
		_ = http.NewResponseController(c.Response()).SetWriteDeadline(began.Add(writeWithin)) // not every writer has one
		h := c.Response().Header()
		h["X-Content-Type-Options"] = []string{"nosniff"}
		h["Referrer-Policy"] = []string{"no-referrer"}
		h["Content-Security-Policy"] = []string{"default-src 'none'; frame-ancestors 'none'"}
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				s.deps.Log.Error("a handler panicked", "route", c.Path(), "panic", r, "stack", string(debug.Stack()))
				err = problem.Internal(nil, "panic")
			}
			if err != nil {
				c.Error(err)
				err = nil
			}
			level := slog.LevelDebug
			if c.Response().Status >= http.StatusInternalServerError {
				level = slog.LevelWarn
			}
			s.deps.Log.Log(c.Request().Context(), level, "request", "method", c.Request().Method, "route", c.Path(), "status", c.Response().Status, "dur", time.Since(began))
		}()
		return next(c)
	}
}

// page serves a page that is made on demand.
func (s *Server) page(c echo.Context) error {
	ph, err := s.photographer.Take(c.Request().Context(), c.Request().URL.Path)
	if err != nil {
		return err
	}
	ph.ServeHTTP(c.Response(), c.Request())
	return nil
}

// starting answers for pages that are always ready, before they are.
func (s *Server) starting(echo.Context) error {
	return problem.Unavailable(nil, "The first page is being made.")
}

// document answers for a document of the public API that no photograph is of:
// there is none, or none yet.
func (s *Server) document(c echo.Context) error {
	if s.HasPages() {
		return problem.NotFound("There is no such document; /api/v2/summary.json has everything.")
	}
	return s.starting(c)
}

// listen serves the live stream.
func (s *Server) listen(c echo.Context) error {
	s.stream.Serve(c.Request().Context(), c.Response(), neighbourhood(c.RealIP()))
	return nil
}

// neighbourhood is whom an address is counted with: an IPv6 host has a whole
// /64 to choose from.
func neighbourhood(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Is4() || ip.Is4In6() {
		return address
	}
	network, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}

// alive answers while the process lives.
func (s *Server) alive(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.String(http.StatusOK, "ok\n")
}

// robots lets search engines read the pages and keeps them off the rest.
func (s *Server) robots(c echo.Context) error {
	return c.String(http.StatusOK, "User-agent: *\nDisallow: /live\nDisallow: /ping/\nDisallow: /api/\n")
}

// preflight tells a browser that any site may read the API.
func (s *Server) preflight(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Origin", "*")
	methods, headers := "GET, HEAD", "Accept, If-None-Match"
	if strings.HasPrefix(c.Request().URL.Path, "/api/v2/subscri") {
		methods, headers = "GET, HEAD, POST, DELETE", "Accept, Content-Type"
	}
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", headers)
	h.Set("Access-Control-Max-Age", "86400")
	return c.NoContent(http.StatusNoContent)
}

// ping takes the signal of a heartbeat. It is answered only once it is stored.
func (s *Server) ping(c echo.Context) error {
	live := s.live.Load()
	if live == nil {
		return problem.Unavailable(nil, "The hub cannot store signals yet; send it again.")
	}
	signal, err := hooks.ReadPing(c.Request(), c.Param("token"), c.Param("signal"), s.deps.Now())
	if err != nil {
		return err
	}
	if err := live.Pings.Hear(c.Request().Context(), c.Param("token"), signal); err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.String(http.StatusOK, "OK\n")
}
