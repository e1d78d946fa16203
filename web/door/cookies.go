package door

import (
	"net/http"
	"time"

	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

// The cookies: the session, the mark of a browser that was used before, the
// step between password and code, the way to an OIDC provider and back, and the
// link of a screen on a wall.
const (
	cookieBase  = "evenkeel"
	cookieKnown = "known"
	cookieStep  = "step"
	cookieOIDC  = "oidc"

	cookieScreen = "screen"
)

// How long cookies are kept. The session's ends with the session.
const (
	knownFor = 400 * 24 * time.Hour // what browsers keep at most
	stepFor  = 5 * time.Minute
	oidcFor  = 10 * time.Minute
)

func errSignIn() error { return problem.Unauthenticated("Sign in first.") }

// Secure reports whether the browser's connection is encrypted: ours, or that
// of a trusted proxy which says so.
func (d *Door) Secure(r *http.Request) bool { return d.deps.Proxies.Secure(r) }

// cookieName gives the name of a cookie, which over TLS binds it to this host
// and to TLS (__Host-, RFC 6265bis section 4.1.3.2).
func (d *Door) cookieName(r *http.Request, what string) string {
	name := cookieBase
	if what != "" {
		name += "-" + what
	}
	if d.deps.Proxies.Secure(r) {
		return "__Host-" + name
	}
	return name
}

// set gives the browser a cookie; an empty value takes it away.
func (d *Door) set(w http.ResponseWriter, r *http.Request, what, value string, lasts time.Duration) {
	c := &http.Cookie{
		Name: d.cookieName(r, what), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: d.deps.Proxies.Secure(r), MaxAge: int(lasts / time.Second),
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// value gives what a cookie of ours holds, "" when it is not there.
func (d *Door) value(r *http.Request, what string) string {
	c, err := r.Cookie(d.cookieName(r, what))
	if err != nil {
		return ""
	}
	return c.Value
}

// MaySignIn refuses to take passwords over a connection that others can read:
// without TLS only a browser on this machine may sign in, unless the
// configuration says that the network is safe. Errors: Forbidden.
func (d *Door) MaySignIn(r *http.Request) error {
	if d.deps.Proxies.Secure(r) || loopbackHost(r) || d.settings.Load().PlainHTTP {
		return nil
	}
	return problem.Forbidden("This connection is not encrypted, so signing in is off. Use https://; behind a proxy, list it in trusted_proxies.")
}

// Caller gives where a request comes from, for the people wing.
func (d *Door) Caller(r *http.Request) people.Caller {
	return people.Caller{Network: d.deps.Proxies.Network(r), Agent: r.UserAgent(), Known: d.value(r, cookieKnown)}
}

// Enter gives the browser of somebody who came in their session, in place of
// any it had.
func (d *Door) Enter(w http.ResponseWriter, r *http.Request, e people.Entry) {
	d.set(w, r, "", e.Secret, e.Session.ExpiresAt.Sub(e.Session.CreatedAt))
	d.set(w, r, cookieKnown, e.Known, knownFor)
	d.set(w, r, cookieStep, "", 0)
}

// Leave ends the session of a browser and takes its cookie away. Errors: Unavailable.
func (d *Door) Leave(w http.ResponseWriter, r *http.Request) error {
	if g, ok := Of(r); ok && g.Session.ID != "" {
		if err := d.deps.Accounts.SignOut(r.Context(), g.Person, g.Session); err != nil {
			return err
		}
	}
	d.set(w, r, "", "", 0)
	return nil
}

// SetStep keeps in the browser that a password was right while a code is awaited.
func (d *Door) SetStep(w http.ResponseWriter, r *http.Request, pending string) {
	d.set(w, r, cookieStep, pending, stepFor)
}

// Step gives what SetStep kept; "" when there is nothing.
func (d *Door) Step(r *http.Request) string { return d.value(r, cookieStep) }
