// Package door stands in front of everything that is not public: it says who
// asks (a person by the cookie of a session, a machine by a token), turns away
// who may not come in, and keeps the table of routes that one test walks with
// every role. It speaks net/http and asks the people wing; it knows no page, no
// SQL and no Echo.
package door

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

// Where people come in. Everything under SignInPath, people.LinkPath and
// people.ScreenPath is open to visitors.
const (
	SignInPath   = "/console/sign-in"
	CallbackPath = SignInPath + "/callback" // where an OIDC provider sends people back to
)

// Deps is what the door stands on.
type Deps struct {
	Accounts *people.Accounts
	Tokens   *people.Tokens
	Refused  *people.Refusals
	Sealer   people.Sealer
	Proxies  Proxies
	Log      *slog.Logger
	Now      func() time.Time
	// Fail answers a request that ends here: a page for a browser, problem+json
	// for a machine.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
	// Demo lists the people that this request may become at a click; nil, or an
	// empty list, outside the demo.
	Demo func(r *http.Request) []people.Person
}

// Settings are what the configuration says about coming in.
type Settings struct {
	PageURL   string // the public address of the hub; "" = wherever it is asked
	PlainHTTP bool   // people may sign in without TLS from other machines
	OIDC      *OIDC  // nil = off
}

// Door is the door. It is safe for concurrent use.
type Door struct {
	deps     Deps
	settings atomic.Pointer[Settings]
	cross    atomic.Pointer[http.CrossOriginProtection]
	client   *http.Client // to the OIDC provider
	provider provider
}

// New makes the door.
func New(d Deps) *Door {
	door := &Door{deps: d, client: newClient()}
	door.Configure(Settings{})
	return door
}

// Configure replaces the settings, at the start and at every reload.
func (d *Door) Configure(s Settings) {
	cross := http.NewCrossOriginProtection()
	if u, err := url.Parse(s.PageURL); err == nil && u.Host != "" {
		// Behind a proxy that changes Host, a browser's Origin is the public address.
		_ = cross.AddTrustedOrigin(u.Scheme + "://" + u.Host) // of this shape it always is one
	}
	d.cross.Store(cross)
	d.settings.Store(&s)
}

// Guest is who asks.
type Guest struct {
	Actor   access.Actor
	Person  people.Person  // zero for machines and visitors
	Session people.Session // zero for machines and visitors
}

// Known reports whether somebody came in: a person or a machine, not a visitor.
func (g Guest) Known() bool { return g.Actor.ID != "" && g.Actor.ID != access.Visitor.ID }

// visit is what travels with a request behind the door.
type visit struct {
	guest   Guest
	refused *people.Refusals
	noted   bool // a refusal of this request is in the journal already
}

type visitKey struct{}

// Of gives who asks; ok is false where the door let nobody in.
func Of(r *http.Request) (Guest, bool) {
	v, ok := r.Context().Value(visitKey{}).(*visit)
	if !ok || !v.guest.Known() {
		return Guest{Actor: access.Visitor}, false
	}
	return v.guest, true
}

// Acting gives who acts in a request, from its context: a visitor where the
// door let nobody in.
func Acting(ctx context.Context) access.Actor {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok && v.guest.Known() {
		return v.guest.Actor
	}
	return access.Visitor
}

// With puts a guest into a request, as the doors do: for handlers under test.
func With(r *http.Request, g Guest) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, &visit{guest: g}))
}

// Staff lets people in by the cookie of their session, and screens by theirs. Who has none is led to
// the sign-in page, or told 401 when no page was asked for. Forms that another
// site sends are refused, signed in or not. Open routes of the console see
// visitors too.
func (d *Door) Staff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := d.sameSite(r); err != nil {
			d.deps.Fail(w, r, err)
			return
		}
		g, err := d.person(r)
		switch {
		case err == nil:
		case problem.KindOf(err) != problem.KindUnauthenticated:
			d.deps.Fail(w, r, err)
			return
		case d.screen(w, r, &g):
		case !isOpen(r.URL.Path):
			d.turnAway(w, r, err)
			return
		default:
			g = Guest{Actor: access.Visitor}
		}
		d.let(w, r, g, next)
	})
}

// Bearer lets machines in by a token (Authorization: Bearer or OAuth), and
// people by the cookie of their session from our own pages.
func (d *Door) Bearer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g, err := d.machine(r)
		if err == nil && !g.Known() {
			if err = d.sameSite(r); err == nil {
				g, err = d.person(r)
			}
		}
		if err != nil {
			if problem.KindOf(err) == problem.KindUnauthenticated {
				w.Header().Set("WWW-Authenticate", `Bearer realm="evenkeel"`)
			}
			d.deps.Fail(w, r, err)
			return
		}
		d.let(w, r, g, next)
	})
}

// let hands a request on with its guest, and journals when it ends in a refusal.
func (d *Door) let(w http.ResponseWriter, r *http.Request, g Guest, next http.Handler) {
	v := &visit{guest: g, refused: d.deps.Refused}
	next.ServeHTTP(&watchedWriter{ResponseWriter: w, visit: v}, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
}

// person finds who is behind the cookie of a session. Errors: Unauthenticated, Unavailable.
func (d *Door) person(r *http.Request) (Guest, error) {
	cookie, err := r.Cookie(d.cookieName(r, ""))
	if err != nil {
		return Guest{}, problem.Unauthenticated("Sign in first.")
	}
	p, s, err := d.deps.Accounts.Session(r.Context(), cookie.Value)
	if err != nil {
		return Guest{}, err
	}
	return Guest{Actor: p.Actor(), Person: p, Session: s}, nil
}

// machine finds who is behind a token; a visitor when none came along. Errors:
// Unauthenticated, Unavailable.
func (d *Door) machine(r *http.Request) (Guest, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return Guest{}, nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "OAuth") {
		return Guest{}, problem.Unauthenticated("Send the token as Authorization: Bearer TOKEN.")
	}
	actor, err := d.deps.Tokens.Actor(r.Context(), strings.TrimSpace(token))
	return Guest{Actor: actor}, err
}

// sameSite refuses unsafe requests that a browser sends from another site.
func (d *Door) sameSite(r *http.Request) error {
	if err := d.cross.Load().Check(r); err != nil {
		by := access.Visitor
		if g, gerr := d.person(r); gerr == nil {
			by = g.Actor
		}
		d.deps.Refused.Note(by, "", people.ReasonCrossSite, "")
		return &problem.Error{Kind: problem.KindForbidden, Msg: "This form came from another site, so nothing was done.", Err: err}
	}
	return nil
}

// turnAway leads somebody who asked for a page to the sign-in page and back
// afterwards; whatever else was asked for is told 401.
func (d *Door) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	if (r.Method != http.MethodGet && r.Method != http.MethodHead) || !wantsPage(r) {
		d.deps.Fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, SignInPath+"?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
}

// wantsPage reports whether a browser asks for a whole page, not for a part of
// one or a stream.
func wantsPage(r *http.Request) bool {
	if r.Header.Get("HX-Request") != "" || r.Header.Get("Evenkeel-Live") != "" {
		return false
	}
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" && dest != "document" {
		return false
	}
	accept := r.Header.Get("Accept")
	return accept == "" || strings.Contains(accept, "text/html") || strings.Contains(accept, "*/*")
}

// isOpen reports whether an address of the console is for visitors too.
func isOpen(path string) bool {
	return path == SignInPath || strings.HasPrefix(path, SignInPath+"/") || strings.HasPrefix(path, people.LinkPath) || strings.HasPrefix(path, people.ScreenPath)
}

// Next gives where to go after signing in: a page of the console, never
// another site. It reads the form or the query of the request.
func Next(r *http.Request) string { return LocalPage(r.FormValue("next")) }

// Start is where people go who asked for nothing in particular.
const Start = "/console"

// LocalPage gives an address back when it is a page of the console, and Start
// otherwise. What a browser may read as another host (//, backslashes, control
// characters) is no page, nor are the open pages themselves.
func LocalPage(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || len(next) > 2048 {
		return Start
	}
	if strings.ContainsFunc(next, func(c rune) bool { return c <= ' ' || c == '\\' || c == 0x7f }) || strings.Contains(u.Path, "\\") {
		return Start
	}
	if u.Path != "/console" && !strings.HasPrefix(u.Path, "/console/") || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/..") || isOpen(u.Path) {
		return Start
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}
