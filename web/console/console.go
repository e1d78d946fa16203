// Package console is what staff see and do: the frame of every room, the wall,
// components and monitors, the calendar, and the rooms that other files of this
// folder add. It speaks net/http and html/template and asks the wings through
// the small ports in ports*.go; it decides nothing that a wing could decide,
// and it knows no SQL, no Redis and no Echo.
//
// A room is one or more files with its word as prefix: its routes are one
// []door.Route table that Routes adds to the others, its pages are templates of
// that name in templates/console, and every answer goes out through Page, See
// or Fail.
package console

import (
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"evenkeel/assets"
	"evenkeel/internal/api"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// Home is where the console begins.
const Home = "/console/wall"

// MaxForm bounds what a form may post, in bytes.
const MaxForm = 512 << 10

// Deps is what the console stands on. Ports that are nil leave their part out:
// the wall says what it can, and rooms without their service are not listed.
type Deps struct {
	Log     *slog.Logger
	Now     func() time.Time
	Version string
	Shelf   *assets.Shelf
	// Problem turns an error into what the person may know; it counts and logs.
	Problem func(error) *api.Problem

	Record      Record
	Journal     Journal
	Watch       Watch
	Samples     Samples
	Runner      Runner
	Health      Health
	Incidents   Incidents
	Attention   Attention
	Deliveries  Deliveries
	OnCall      OnCall
	Desk        Desk
	Planner     Planner
	Definitions Definitions
	People      People
	Doors       Doors
	Audit       Audit
	Room        Room                 // work on incidents; nil = they are listed on the wall alone
	Told        Told                 // deliveries and alerts
	Channels    Channels             // how channels are doing, tests and drills
	Rota        Rota                 // on call
	Subscribers Subscribers          // whom customers' notices go to
	Outbox      Outbox               // of the demo
	Tickets     Tickets              // the desk of those who write in
	Blobs       Blobs                // bytes of mails and attachments
	Proposals   Proposals            // what the machine sees in the mail
	Mails       Mails                // the ledger of mailboxes
	PublicWord  PublicWord           // what customers are told of a component; nil = nobody knows
	Roster      Roster               // names of the staff by id; nil = those of Doors.Accounts
	Lag         func() time.Duration // how far the page's follower is behind; nil = not at all
}

// Console is the staff's side of the door. It is safe for concurrent use.
type Console struct {
	deps    Deps
	press   func() *template.Template
	serve   func() http.Handler
	stream  *stream
	roll    *roll
	sparks  *sparks
	runs    *runs
	counted kept[ticket.Counts] // of the desk
	inflow  kept[int]           // of tickets
	labels  labels
	routes  []door.Route
	paths   map[string]bool // rooms that have a page
	build   string          // changes when the page's script or style does
	changed atomic.Int64    // journal position of the newest entry that was followed
	sheets  sync.Pool       // *bytes.Buffer that pages are rendered into
	packers sync.Pool       // *gzip.Writer
}

// New makes the console. What only its pages need is made with the first one of
// them: a hub may run for weeks without. That panics when a template is wrong:
// templates are part of the program, and a test renders each.
func New(d Deps) *Console {
	c := &Console{deps: d, stream: newStream(d.Now)}
	c.press = sync.OnceValue(func() *template.Template { return newPress(d.Shelf) })
	c.serve = sync.OnceValue(c.mux)
	c.build = d.Shelf.URL("console.js") + d.Shelf.URL("console.css")
	c.roll = newRoll(d)
	c.sparks = newSparks(d.Samples)
	c.runs = newRuns()
	c.routes = slices.Concat(
		c.frameRoutes(),
		c.wallRoutes(),
		c.componentRoutes(),
		c.monitorRoutes(),
		c.calendarRoutes(),
		c.defineRoutes(),
		c.signInRoutes(),
		c.accountRoutes(),
		c.settingsRoutes(),
		c.auditRoutes(),
		c.incidentRoutes(),
		c.ticketRoutes(),
		c.attentionRoutes(),
		c.alertRoutes(),
		c.deliveryRoutes(),
		c.onCallRoutes(),
		c.subscriberRoutes(),
		c.channelRoutes(),
		c.outboxRoutes(),
	)
	c.paths = map[string]bool{}
	for _, r := range c.routes {
		if r.Method == http.MethodGet {
			c.paths[r.Path] = true
		}
	}
	return c
}

// Routes lists every address of the console with the action it asks for, so
// that one test can walk them with every role.
func (c *Console) Routes() []door.Route { return slices.Clone(c.routes) }

// Handler serves the routes. It must stand behind door.Staff, which says who
// asks; a route whose action the person may not do is refused here, before its
// handler runs.
func (c *Console) Handler() http.Handler { return c.serve() }

func (c *Console) mux() http.Handler {
	mux := http.NewServeMux()
	for _, r := range c.routes {
		mux.Handle(r.Method+" "+r.Path, c.allowed(r))
	}
	mux.Handle("/console/", http.HandlerFunc(c.nowhere))
	return headers(mux)
}

// allowed refuses who may not do the action of a route anywhere. Whether they
// may do it on the thing named, the wing decides.
func (c *Console) allowed(rt door.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rt.Way != door.WayOpen {
			if err := rt.Allows(r); err != nil {
				c.Fail(w, r, err)
				return
			}
		}
		if r.Body != nil {
			limit := int64(MaxForm)
			if rt.Path == importPath {
				limit = MaxImport
			}
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		rt.Handler(w, r)
	})
}

// guestOf gives who asks; a visitor where the door let nobody in.
func guestOf(r *http.Request) door.Guest {
	g, _ := door.Of(r)
	return g
}

// headers sets what is right for every answer of the console.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header())
		next.ServeHTTP(w, r)
	})
}

// guard sets what every answer says to the browser.
func guard(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// policy allows what is ours and nothing inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// handle makes a handler of a function that may fail.
func (c *Console) handle(fn func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := fn(w, r); err != nil {
			c.Fail(w, r, err)
		}
	}
}
