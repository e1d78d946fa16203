package door

import (
	"net/http"
	"time"

	"evenkeel/internal/problem"
)

// EnterScreen gives the browser that followed the link of a screen the right to
// the wall, until the link ends or is revoked. Errors: Unauthenticated, Unavailable.
func (d *Door) EnterScreen(w http.ResponseWriter, r *http.Request, secret string) error {
	_, ends, err := d.deps.Tokens.Screen(r.Context(), secret)
	if err != nil {
		return err
	}
	lasts := knownFor
	if !ends.IsZero() {
		lasts = min(lasts, ends.Sub(d.deps.Now()))
	}
	d.set(w, r, cookieScreen, secret, max(lasts, time.Second))
	return nil
}

// screen lets a screen in by its cookie: to look, never to do. A cookie that is
// no longer good is taken away, so that it is refused once and not at every look.
func (d *Door) screen(w http.ResponseWriter, r *http.Request, g *Guest) bool {
	secret := d.value(r, cookieScreen)
	if secret == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	actor, _, err := d.deps.Tokens.Screen(r.Context(), secret)
	switch {
	case problem.KindOf(err) == problem.KindUnauthenticated:
		d.set(w, r, cookieScreen, "", 0)
		return false
	case err != nil: // the page that is shown stays until the hub answers again
		return false
	}
	*g = Guest{Actor: actor}
	return true
}
