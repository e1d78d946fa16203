// Package web is the house's door: it serves the public page, the live stream,
// the signals of heartbeats and the management API. It is the only importer of
// Echo, and the one place where a problem becomes an answer. It decides nothing
// about components; it asks.
package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/assets"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/web/api"
	"evenkeel/web/door"
	"evenkeel/web/hooks"
	"evenkeel/web/public"
)

// Timeouts are the limits of a server's connections.
type Timeouts struct{ Header, Read, Write, Idle time.Duration }

// The limits of the two listeners. The public one has none of its own for
// writing, which would cost every photograph 3 %: whatever is routed gets
// writeWithin, a large photograph and a live stream set theirs.
var (
	PublicTimeouts = Timeouts{Header: 5 * time.Second, Read: 15 * time.Second, Idle: 2 * time.Minute}
	AdminTimeouts  = Timeouts{Header: 5 * time.Second, Read: 30 * time.Second, Write: 2 * time.Minute, Idle: 2 * time.Minute}
)

// writeWithin bounds what is routed, its handler included.
const writeWithin = 30 * time.Second

// MaxHeaderBytes bounds the head of a request.
const MaxHeaderBytes = 16 << 10

// Deps is what the door needs from the start, before the record can be read.
type Deps struct {
	Folder     string   // where pages are kept for a start without a database; "" = nowhere
	Proxies    []string // networks whose X-Forwarded-For is believed
	Version    string
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
	Ready      http.Handler // /readyz
	Blackbox   http.Handler // /probe on the admin side; nil = off
	Hatch      http.Handler // errands of the command line, on the admin side; nil = none
}

// Live is what the door serves once the record is there.
type Live struct {
	Board   Board
	Store   api.Record
	Watch   api.Watch
	Latency api.Samples
	Runner  api.Runner
	Pings   hooks.Ear
	// Subscribers keeps who wants to be told; nil = feeds alone are offered.
	Subscribers Subscribers
	// Seals hides what the API gives strangers to hold; nil = they cannot ask by it.
	Seals Seals
	// Lag tells how far the board is behind the record; nil = it never is.
	Lag func() time.Duration
	// Inside is what stands behind the door; without a Door nobody comes in.
	Inside Inside
}

// Board is the read model; *status.Board is one.
type Board interface {
	public.Model
	api.Board
}

// Server is the door.
type Server struct {
	deps         Deps
	photographer *public.Photographer
	stream       *public.Live
	live         atomic.Pointer[Live]
	echo         *echo.Echo
	admin        http.Handler
	failures     *prometheus.CounterVec
	origins      *http.CrossOriginProtection
	shelf        *assets.Shelf
	closed       chan struct{} // by CloseStreams
	closeOnce    sync.Once
	reporters    reporters
}

// New makes the door and puts up the pages that were kept. Errors: Invalid for
// a network that is none.
func New(d Deps) (*Server, error) {
	addresses, err := addressOf(d.Proxies)
	if err != nil {
		return nil, err
	}
	metrics := public.NewMetrics(d.Registerer)
	s := &Server{deps: d, stream: public.NewLive(metrics), failures: newFailures(d.Registerer), origins: http.NewCrossOriginProtection(),
		shelf: assets.NewShelf(), closed: make(chan struct{}),
	}
	s.photographer = public.New(public.Options{
		Folder: d.Folder, Log: d.Log.With("component", "page"), Now: d.Now, Metrics: metrics, Announce: s.stream.Announce, Offers: s.offers,
	})
	s.echo = echo.New()
	s.echo.IPExtractor = addresses
	s.echo.HTTPErrorHandler = s.fail
	s.echo.Use(s.guard)
	s.routes(s.echo)
	s.admin = s.adminRoutes()
	return s, nil
}

// routes is every public address that is not a photograph already. Photographs
// never come here: Public hands them out first.
func (s *Server) routes(e *echo.Echo) {
	read := []string{http.MethodGet, http.MethodHead}
	// Ready from the first rendering on; they come here only before that.
	e.Match(read, "/", s.starting)
	e.Match(read, "/embed", s.starting)
	e.Match(read, "/history.atom", s.starting)
	e.Match(read, "/history.rss", s.starting)
	e.Match(read, "/feed.json", s.starting)
	e.Match(read, "/maintenance.ics", s.starting)
	e.Match(read, "/favicon.svg", s.starting)
	e.Match(read, "/badge.svg", s.starting)
	// Made on demand.
	e.Match(read, "/components/:id", s.page)
	e.Match(read, "/maintenance/:id", s.page)
	e.Match(read, "/incidents/:id", s.page)
	e.Match(read, "/badge/:id", s.page)
	e.Match(read, "/history", s.page)
	e.Match(read, "/history/12", s.page)
	e.Match(read, "/uptime", s.page)
	s.subscribeRoutes(e)
	s.reportRoutes(e)
	s.insideRoutes(e)
	// Never kept.
	e.GET(public.LivePath, s.listen)
	e.Match(read, "/livez", s.alive)
	e.Match(read, "/readyz", echo.WrapHandler(s.deps.Ready))
	e.Match(read, "/robots.txt", s.robots)
	e.Match(read, "/favicon.ico", func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, "/favicon.svg") })
	e.OPTIONS("/api/v2/*", s.preflight)
	e.Match(read, "/api/v2/incidents/:id", s.page)
	e.Match(read, "/api/v2/*", s.document)
	// Signals of heartbeats.
	ping := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut}
	e.Match(ping, "/ping/:token", s.ping)
	e.Match(ping, "/ping/:token/:signal", s.ping)
}

// adminRoutes is what the admin listener serves beside metrics and health.
func (s *Server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", onAdmin(s.api(door.Acting)))
	if s.deps.Hatch != nil {
		mux.Handle("POST "+door.HatchPath, s.deps.Hatch)
	}
	if s.deps.Blackbox != nil {
		mux.Handle("GET /probe", s.deps.Blackbox)
	}
	return mux
}

// Public is the handler of the public listener. A photograph is handed out
// before anything else is asked: no route, no log line, no allocation.
func (s *Server) Public() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			if ph := s.photographer.Find(r.URL.Path); ph != nil {
				ph.ServeHTTP(w, r)
				return
			}
		}
		s.echo.ServeHTTP(w, r)
	})
}

// Admin is the handler of the admin listener, for what telemetry does not serve.
func (s *Server) Admin() http.Handler { return s.admin }

// Attach gives the door what stands behind it now; pages are made from it at once.
func (s *Server) Attach(l Live) {
	s.live.Store(&l)
	s.photographer.Attach(l.Board, l.Lag)
}

// Preview shows pages of a board ahead of Attach, while the rest is not there
// yet, and waits until they stand or ctx ends.
func (s *Server) Preview(ctx context.Context, b Board) {
	s.photographer.Attach(b, nil)
	select {
	case <-ctx.Done():
	case <-s.photographer.First():
	}
}

// Changed tells the door that entries were followed, so that pages may differ.
func (s *Server) Changed(entries []journal.Sealed) {
	said := func(e journal.Sealed) bool {
		return e.Subject.Kind == "incident" && e.Audience == journal.AudiencePublic
	}
	switch {
	case slices.ContainsFunc(entries, said):
		s.photographer.Hurry()
	case len(entries) > 0:
		s.photographer.Changed()
	}
}

// Tick tells the door that a minute has begun.
func (s *Server) Tick() { s.photographer.Changed() }

// HasPages reports whether kept pages can be served without the record.
func (s *Server) HasPages() bool { return s.photographer.HasPages() }

// Fresh tells up to when the pages that are shown are known to be true; zero
// without pages.
func (s *Server) Fresh() time.Time { return s.photographer.Fresh() }

// Run makes pages until ctx ends. It gives nil then.
func (s *Server) Run(ctx context.Context) error { return s.photographer.Run(ctx) }

// CloseStreams ends the live streams, so that a shutdown does not wait for them.
func (s *Server) CloseStreams() {
	s.stream.Close()
	s.closeOnce.Do(func() { close(s.closed) })
	if l := s.live.Load(); l != nil && l.Inside.Console != nil {
		l.Inside.Console.CloseStreams()
	}
}

// sources gives what the API reads; nil while the record is not there.
func (s *Server) sources() *api.Sources {
	l := s.live.Load()
	if l == nil {
		return nil
	}
	return &api.Sources{Watch: l.Watch, Board: l.Board, Record: l.Store, Samples: l.Latency, Runner: l.Runner,
		Incidents: l.Inside.Incidents, Journal: l.Inside.Journal, Replies: l.Inside.Replies, Desk: l.Inside.Desk, Notices: l.Inside.Notices,
		Tickets: l.Inside.Tickets, Mails: l.Inside.Mails, Proposals: l.Inside.Proposals}
}

// addressOf gives how a visitor's address is found: that of the connection, or,
// when this is a proxy that is trusted, the last one it names that is none.
func addressOf(proxies []string) (echo.IPExtractor, error) {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect(), nil
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		_, network, err := net.ParseCIDR(p)
		if addr, perr := netip.ParseAddr(p); err != nil && perr == nil {
			_, network, err = net.ParseCIDR(netip.PrefixFrom(addr, addr.BitLen()).String())
		}
		if err != nil {
			return nil, problem.Invalid("trusted_proxies", "%q is no network, such as 10.0.0.0/8.", p)
		}
		options = append(options, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(options...), nil
}
