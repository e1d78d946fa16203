// Package doortest walks tables of routes with everybody who could ask, and
// sets up a door with one person and one token of every role to do so. It is
// for tests of what stands behind the door.
package doortest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/people/peopletest"
	"evenkeel/internal/secret"
	"evenkeel/web/door"
)

// Canary stands in every name that House makes. Whoever is refused must never
// see it.
const Canary = "canary-7c1e"

// House is a door on a store in memory, with one person and one token of every role.
type House struct {
	Store    *peopletest.Store
	Accounts *people.Accounts
	Tokens   *people.Tokens
	Hooks    *people.Hooks
	Refused  *people.Refusals
	Door     *door.Door

	sessions map[access.Role]string
	bearers  map[access.Role]string
}

// New makes a house. fail answers what the door refuses.
func New(tb testing.TB, fail func(http.ResponseWriter, *http.Request, error)) *House {
	tb.Helper()
	box, err := secret.New(make([]byte, secret.KeyBytes))
	must(tb, err)
	h := &House{Store: peopletest.New(), sessions: map[access.Role]string{}, bearers: map[access.Role]string{}}
	log := slog.New(slog.DiscardHandler)
	deps := people.Deps{Work: h.Store, Store: h.Store, Sealer: box, Log: log, Now: time.Now, Demo: true}
	h.Refused = people.NewRefusals(h.Store, log, time.Now)
	h.Accounts, h.Tokens, h.Hooks = people.NewAccounts(deps, h.Refused), people.NewTokens(deps, h.Refused), people.NewHooks(deps, h.Refused)
	h.Door = door.New(door.Deps{Accounts: h.Accounts, Tokens: h.Tokens, Refused: h.Refused, Sealer: box, Log: log, Now: time.Now, Fail: fail})
	ctx := tb.Context()
	for _, role := range access.People() {
		p, err := h.Accounts.Add(ctx, access.Host, people.Draft{
			Name: Canary + " " + string(role), Email: string(role) + "@example.org", Grants: []access.Grant{{Role: role}},
		})
		must(tb, err)
		e, err := h.Accounts.SignInDemo(ctx, p.ID, people.Caller{})
		must(tb, err)
		h.sessions[role] = e.Secret
	}
	for _, role := range people.TokenRoles() {
		// Everything by name, so that scopes take nothing away.
		var scopes []string
		for act := range access.Actions() {
			scopes = append(scopes, string(act))
		}
		secret, _, err := h.Tokens.Make(ctx, access.Host, people.TokenDraft{Name: Canary + " " + string(role), Role: role, Scopes: scopes})
		must(tb, err)
		h.bearers[role] = secret
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Refused.Run(running) }()
	tb.Cleanup(func() {
		stop()
		<-done
	})
	return h
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// Session makes a request come from the browser of a person with the role.
func (h *House) Session(r *http.Request, role access.Role) {
	r.AddCookie(&http.Cookie{Name: "evenkeel", Value: h.sessions[role]})
}

// Bearer makes a request come from a machine with a token of the role.
func (h *House) Bearer(r *http.Request, role access.Role) {
	r.Header.Set("Authorization", "Bearer "+h.bearers[role])
}

// wild finds the wildcards of a path.
var wild = regexp.MustCompile(`\{[^}]*\}`)

// request makes a request to a route from a page of our own, or from another site.
func request(rt door.Route, site string) *http.Request {
	path := wild.ReplaceAllString(strings.TrimSuffix(rt.Path, "{$}"), "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000")
	r := httptest.NewRequest(rt.Method, "http://localhost:8080"+path, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Site", site)
	if rt.Way == door.WayBearer {
		r.Header.Set("Accept", "application/json")
	}
	if rt.Method != http.MethodGet && rt.Method != http.MethodHead {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if rt.Way == door.WayBearer {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), streamFor)
	context.AfterFunc(ctx, cancel)
	return r.WithContext(ctx)
}

// streamFor is how long a stream is listened to.
const streamFor = 200 * time.Millisecond

// Walk asks for every route of a table as nobody, as a person and as a machine
// of every role, and from another site, and holds the answers to the table:
// 303, 401, 403 or 404 for who may not, never a byte of data; and none of these
// refusals for who may. Handlers of who may run, with ids of nothing.
func (h *House) Walk(t *testing.T, handler http.Handler, routes []door.Route) {
	t.Helper()
	if len(routes) == 0 {
		t.Fatal("there is nothing to walk")
	}
	for _, rt := range routes {
		w := walk{t, h, handler, rt}
		switch rt.Way {
		case door.WaySession:
			w.session()
		case door.WayBearer:
			w.bearer()
		case door.WayHook:
			w.hook()
		case door.WayOpen:
			w.open()
		default:
			t.Errorf("%s %s: there is no way %q", rt.Method, rt.Path, rt.Way)
		}
	}
}

// walk is one route being asked for.
type walk struct {
	t       *testing.T
	house   *House
	handler http.Handler
	rt      door.Route
}

// ask sends a request as somebody and gives the code of the answer. Whoever is
// refused must not see the canary.
func (w walk) ask(who, site string, as func(*http.Request)) (code int, location string) {
	w.t.Helper()
	r := request(w.rt, site)
	if as != nil {
		as(r)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	resp := rec.Result()
	body, err := io.ReadAll(resp.Body)
	must(w.t, err)
	refused := resp.StatusCode == http.StatusSeeOther || resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
	if refused && strings.Contains(strings.ReplaceAll(string(body), Canary+" "+ownName(r, w.house), ""), Canary) {
		w.t.Errorf("%s %s as %s: %d, and tells of others:\n%s", w.rt.Method, w.rt.Path, who, resp.StatusCode, body)
	}
	return resp.StatusCode, resp.Header.Get("Location")
}

// ownName is the role in the name of whoever asks, which the frame of a page shows.
func ownName(r *http.Request, h *House) string {
	c, err := r.Cookie("evenkeel")
	if err != nil {
		return "nobody"
	}
	for role, secret := range h.sessions {
		if secret == c.Value {
			return string(role)
		}
	}
	return "nobody"
}

func (w walk) wants(who string, got int, want ...int) {
	w.t.Helper()
	for _, code := range want {
		if got == code {
			return
		}
	}
	w.t.Errorf("%s %s as %s: got %d, want %v", w.rt.Method, w.rt.Path, who, got, want)
}

func (w walk) passes(who string, got int) {
	w.t.Helper()
	if got == http.StatusUnauthorized || got == http.StatusForbidden || got == http.StatusInternalServerError {
		w.t.Errorf("%s %s as %s: got %d, but the table lets it pass", w.rt.Method, w.rt.Path, who, got)
	}
}

func (w walk) safe() bool { return w.rt.Method == http.MethodGet || w.rt.Method == http.MethodHead }

// turnedAway holds what somebody without a session gets.
func (w walk) turnedAway(who string, code int, location string) {
	w.t.Helper()
	if !w.safe() {
		w.wants(who, code, http.StatusUnauthorized)
		return
	}
	w.wants(who, code, http.StatusSeeOther, http.StatusUnauthorized)
	if code == http.StatusSeeOther && !strings.HasPrefix(location, door.SignInPath+"?next=") {
		w.t.Errorf("%s %s as %s: led to %s", w.rt.Method, w.rt.Path, who, location)
	}
}

func (w walk) session() {
	w.t.Helper()
	code, location := w.ask("nobody", "same-origin", nil)
	w.turnedAway("nobody", code, location)
	code, location = w.ask("a forged session", "same-origin", func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "evenkeel", Value: "AAAAAAAAAAAAAAAAAAAAAAAAAA"})
	})
	w.turnedAway("a forged session", code, location)
	for _, role := range people.TokenRoles() { // a machine is never a person
		code, location = w.ask("a machine as "+string(role), "same-origin", func(r *http.Request) { w.house.Bearer(r, role) })
		w.turnedAway("a machine as "+string(role), code, location)
	}
	for _, role := range access.People() {
		code, _ = w.ask(string(role), "same-origin", func(r *http.Request) { w.house.Session(r, role) })
		if w.may(role) {
			w.passes(string(role), code)
		} else {
			w.wants(string(role), code, http.StatusForbidden)
		}
		if !w.safe() {
			code, _ = w.ask(string(role)+" from another site", "cross-site", func(r *http.Request) { w.house.Session(r, role) })
			w.wants(string(role)+" from another site", code, http.StatusForbidden)
		}
		w.house.renew(w.t, role) // the route may have ended it
	}
}

func (w walk) bearer() {
	w.t.Helper()
	code, _ := w.ask("nobody", "same-origin", nil)
	w.wants("nobody", code, http.StatusUnauthorized)
	code, _ = w.ask("a forged token", "same-origin", func(r *http.Request) { r.Header.Set("Authorization", "Bearer ek_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") })
	w.wants("a forged token", code, http.StatusUnauthorized)
	for _, role := range people.TokenRoles() {
		code, _ = w.ask("a machine as "+string(role), "none", func(r *http.Request) { w.house.Bearer(r, role) })
		if w.may(role) {
			w.passes("a machine as "+string(role), code)
		} else {
			w.wants("a machine as "+string(role), code, http.StatusForbidden)
		}
	}
	for _, role := range access.People() {
		code, _ = w.ask(string(role), "same-origin", func(r *http.Request) { w.house.Session(r, role) })
		if w.may(role) {
			w.passes(string(role), code)
		} else {
			w.wants(string(role), code, http.StatusForbidden)
		}
		if !w.safe() {
			code, _ = w.ask(string(role)+" from another site", "cross-site", func(r *http.Request) { w.house.Session(r, role) })
			w.wants(string(role)+" from another site", code, http.StatusForbidden)
		}
	}
}

// may reports whether the table lets a role pass.
func (w walk) may(role access.Role) bool {
	return w.rt.Action == "" || (access.Actor{Role: role}).May(w.rt.Action)
}

// hook is opened by the token in its address alone.
func (w walk) hook() {
	w.t.Helper()
	code, _ := w.ask("nobody", "none", nil)
	w.wants("nobody", code, http.StatusNotFound)
	code, _ = w.ask("an admin", "same-origin", func(r *http.Request) { w.house.Session(r, access.RoleAdmin) })
	w.wants("an admin", code, http.StatusNotFound)
	code, _ = w.ask("a machine as an admin", "none", func(r *http.Request) { w.house.Bearer(r, access.RoleAdmin) })
	w.wants("a machine as an admin", code, http.StatusNotFound)
}

// open routes answer everybody, and other sites cannot post to them.
func (w walk) open() {
	w.t.Helper()
	if code, _ := w.ask("nobody", "same-origin", nil); code >= http.StatusInternalServerError {
		w.t.Errorf("%s %s as nobody: got %d", w.rt.Method, w.rt.Path, code)
	}
	if !w.safe() {
		code, _ := w.ask("nobody from another site", "cross-site", nil)
		w.wants("nobody from another site", code, http.StatusForbidden)
	}
}

// renew gives a role a session again when a route ended it.
func (h *House) renew(tb testing.TB, role access.Role) {
	tb.Helper()
	if _, _, err := h.Accounts.Session(tb.Context(), h.sessions[role]); err == nil {
		return
	}
	p, err := h.Accounts.ByEmail(tb.Context(), string(role)+"@example.org")
	must(tb, err)
	e, err := h.Accounts.SignInDemo(tb.Context(), p.ID, people.Caller{})
	must(tb, err)
	h.sessions[role] = e.Secret
}
