package door

import (
	"net/http"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

// Route is one row of the table of everything behind the door. Console, API and
// hooks list theirs, so that one test walks them all with every role.
type Route struct {
	Method string
	Path   string // as http.ServeMux has it: /console/incidents/{id}
	// Action is what somebody must be allowed to do, somewhere, to get further
	// than the door; "" asks only that they came in. Whether they may do it to
	// the thing named, the wing decides.
	Action access.Action
	Way    Way
	// Handler serves the route; nil when something else does and the row only
	// tells of it, as with operations of the API.
	Handler http.HandlerFunc
}

// Way is how one gets to a route.
type Way string

// The ways.
const (
	WaySession Way = ""       // by the cookie of a session: pages and forms
	WayBearer  Way = "bearer" // by a token, or a session from our own pages: the API
	WayHook    Way = "hook"   // by the token in the address: foreign systems
	WayOpen    Way = "open"   // by anybody: signing in
)

// Allows refuses who may not do the action of the route, and journals that.
// Errors: Forbidden; Unauthenticated where nobody came in.
func (rt Route) Allows(r *http.Request) error {
	return Allows(r, rt.Action)
}

// Allows refuses a guest who may do the action nowhere, and journals that. ""
// asks only that somebody came in; open routes ask nothing and do not call it.
// Errors: Forbidden, Unauthenticated.
func Allows(r *http.Request, act access.Action) error {
	g, ok := Of(r)
	if !ok {
		return errSignIn()
	}
	if act == "" && g.Actor.Role == access.RoleScreen { // a screen is nobody: it sees what the table names
		return problem.Forbidden("This link shows the wall and nothing else.")
	}
	if act == "" {
		return nil
	}
	err := g.Actor.Check(act)
	if v, ok := r.Context().Value(visitKey{}).(*visit); ok && err != nil && v.refused != nil {
		v.note(act)
	}
	return err
}

// note journals that the guest was refused, once for a request.
func (v *visit) note(act access.Action) {
	if v.noted || v.refused == nil {
		return
	}
	v.noted = true
	person, _ := people.PersonOf(v.guest.Actor)
	v.refused.Note(v.guest.Actor, person, people.ReasonForbidden, act)
}

// watchedWriter sees refusals that a wing decided.
type watchedWriter struct {
	http.ResponseWriter
	visit *visit
}

// WriteHeader notes a refusal.
func (w *watchedWriter) WriteHeader(code int) {
	if code == http.StatusForbidden {
		w.visit.note("")
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap gives the writer beneath, for http.ResponseController.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush sends what was written.
func (w *watchedWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() } // a writer that cannot has no buffer
