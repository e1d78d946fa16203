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

// House is a door with one person and one token of every role.
type House struct {
	Store    *peopletest.Store // nil when the house was there before
	Accounts *people.Accounts
	Tokens   *people.Tokens
	Hooks    *people.Hooks
	Refused  *people.Refusals
	Door     *door.Door

	enter    func(tb testing.TB, id string) (session string)
	sessions map[access.Role]string
	ended    string // a session that was signed out of
	bearers  map[access.Role]string
	scoped   map[access.Action]string // tokens of an admin that have one scope
	revoked  string                   // a token that was taken back
}

// New makes a house on a store in memory. fail answers what the door refuses.
func New(tb testing.TB, fail func(http.ResponseWriter, *http.Request, error)) *House {
	tb.Helper()
	box, err := secret.New(make([]byte, secret.KeyBytes))
	must(tb, err)
	h := &House{Store: peopletest.New()}
	log := slog.New(slog.DiscardHandler)
	deps := people.Deps{Work: h.Store, Store: h.Store, Sealer: box, Log: log, Now: time.Now, Demo: true}
	h.Refused = people.NewRefusals(h.Store, log, time.Now)
	h.Accounts, h.Tokens, h.Hooks = people.NewAccounts(deps, h.Refused), people.NewTokens(deps, h.Refused), people.NewHooks(deps, h.Refused)
	h.Door = door.New(door.Deps{Accounts: h.Accounts, Tokens: h.Tokens, Refused: h.Refused, Sealer: box, Log: log, Now: time.Now, Fail: fail})
	h.enter = func(tb testing.TB, id string) string {
		tb.Helper()
		e, err := h.Accounts.SignInDemo(tb.Context(), id, people.Caller{})
		must(tb, err)
		return e.Secret
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Refused.Run(running) }()
	tb.Cleanup(func() {
		stop()
		<-done
	})
	h.settle(tb)
	return h
}

// password is that of everybody who comes in by a link.
const password = "a passphrase of the walk"

// Settle makes a house of the doors of a running hub: its people come in by
// links, as they do everywhere but in the demo.
func Settle(tb testing.TB, accounts *people.Accounts, tokens *people.Tokens) *House {
	tb.Helper()
	h := &House{Accounts: accounts, Tokens: tokens}
	h.enter = func(tb testing.TB, id string) string {
		tb.Helper()
		path, err := h.Accounts.Link(tb.Context(), access.Host, id)
		must(tb, err)
		e, _, err := h.Accounts.Accept(tb.Context(), strings.TrimPrefix(path, people.LinkPath), people.Acceptance{Password: password}, people.Caller{})
		must(tb, err)
		return e.Secret
	}
	h.settle(tb)
	return h
}

// settle makes the people and tokens.
func (h *House) settle(tb testing.TB) {
	tb.Helper()
	h.sessions, h.bearers, h.scoped = map[access.Role]string{}, map[access.Role]string{}, map[access.Action]string{}
	ctx := tb.Context()
	for _, role := range access.People() {
		h.sessions[role] = h.enter(tb, h.Person(tb, string(role), access.Grant{Role: role}))
	}
	h.ended = h.enter(tb, h.Person(tb, "gone", access.Grant{Role: access.RoleAdmin}))
	p, s, err := h.Accounts.Session(ctx, h.ended)
	must(tb, err)
	must(tb, h.Accounts.SignOut(ctx, p, s))

	var everything []string // by name, so that scopes take nothing away
	for act := range access.Actions() {
		everything = append(everything, string(act))
		h.scoped[act], _ = h.token(tb, access.RoleAdmin, string(act))
	}
	for _, role := range people.TokenRoles() {
		h.bearers[role], _ = h.token(tb, role, everything...)
	}
	var id string
	h.revoked, id = h.token(tb, access.RoleAdmin, everything...)
	must(tb, h.Tokens.Revoke(ctx, access.Host, id))
}

// Person adds somebody with the grants and gives their id. Their name is word
// with the canary.
func (h *House) Person(tb testing.TB, word string, grants ...access.Grant) (id string) {
	tb.Helper()
	p, err := h.Accounts.Add(tb.Context(), access.Host, people.Draft{Name: Canary + " " + word, Email: word + "@example.org", Grants: grants})
	must(tb, err)
	return p.ID
}

// Enter lets somebody in and gives the secret of their session.
func (h *House) Enter(tb testing.TB, id string) (session string) {
	tb.Helper()
	return h.enter(tb, id)
}

func (h *House) token(tb testing.TB, role access.Role, scopes ...string) (secret, id string) {
	tb.Helper()
	secret, t, err := h.Tokens.Make(tb.Context(), access.Host, people.TokenDraft{Name: Canary + " " + string(role), Role: role, Scopes: scopes})
	must(tb, err)
	return secret, t.ID
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// Session makes a request come from the browser of a person with the role.
func (h *House) Session(r *http.Request, role access.Role) { Cookie(r, h.sessions[role]) }

// Cookie makes a request come from the browser that holds a session.
func Cookie(r *http.Request, session string) {
	r.AddCookie(&http.Cookie{Name: "evenkeel", Value: session})
}

// Bearer makes a request come from a machine with a token of the role.
func (h *House) Bearer(r *http.Request, role access.Role) { Token(r, h.bearers[role]) }

// Token makes a request come from a machine that holds a token.
func Token(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+token) }

// wild finds the wildcards of a path.
var wild = regexp.MustCompile(`\{[^}]*\}`)

// Nothing is an id that nothing has.
const Nothing = "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000"

// Request makes a request to a route from a page of our own ("same-origin"), or
// from another site ("cross-site"). The ids stand in place of the wildcards, the
// last one in place of all that are left.
func Request(rt door.Route, site, body string, ids ...string) *http.Request {
	path := wild.ReplaceAllStringFunc(strings.TrimSuffix(rt.Path, "{$}"), func(string) string {
		id := ids[0]
		if len(ids) > 1 {
			ids = ids[1:]
		}
		return id
	})
	r := httptest.NewRequest(rt.Method, "http://localhost:8080"+path, strings.NewReader(body))
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
	lasts := answerWithin
	if strings.HasSuffix(rt.Path, "/live") || strings.HasSuffix(rt.Path, "/events") {
		lasts = streamFor
	}
	ctx, cancel := context.WithTimeout(r.Context(), lasts)
	context.AfterFunc(ctx, cancel)
	return r.WithContext(ctx)
}

// streamFor is how long a stream is listened to, and answerWithin bounds everything
// else: a busy machine hashes passwords slowly.
const (
	streamFor    = 200 * time.Millisecond
	answerWithin = time.Minute
)

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
	r := Request(w.rt, site, "", Nothing)
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
	code, location = w.ask("an ended session", "same-origin", func(r *http.Request) { Cookie(r, w.house.ended) })
	w.turnedAway("an ended session", code, location)
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
	code, _ = w.ask("a revoked token", "none", func(r *http.Request) { Token(r, w.house.revoked) })
	w.wants("a revoked token", code, http.StatusUnauthorized)
	code, _ = w.ask("an ended session", "same-origin", func(r *http.Request) { Cookie(r, w.house.ended) })
	w.wants("an ended session", code, http.StatusUnauthorized)
	for act, token := range w.house.scoped {
		who := "a token with the scope " + string(act)
		code, _ = w.ask(who, "none", func(r *http.Request) { Token(r, token) })
		if w.rt.Action == "" || w.rt.Action == act && w.may(access.RoleAdmin) {
			w.passes(who, code)
		} else {
			w.wants(who, code, http.StatusForbidden)
		}
	}
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
	h.sessions[role] = h.enter(tb, p.ID)
}
