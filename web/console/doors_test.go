package console

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/assets"
	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/people/peopletest"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
	"evenkeel/web/door"
)

// lobby is a console behind its door, with people on a store in memory.
type lobby struct {
	*testing.T
	store    *peopletest.Store
	accounts *people.Accounts
	tokens   *people.Tokens
	hooks    *people.Hooks
	refused  *people.Refusals
	verifier *journal.Verifier
	door     *door.Door
	console  *Console
	handler  http.Handler
	demo     []people.Person
	doors    door.Deps
}

// trust makes the door believe proxies of a network.
func (l *lobby) trust(network string) {
	l.Helper()
	proxies, err := door.ParseProxies([]string{network})
	l.must(err)
	l.doors.Proxies = proxies
	l.door = door.New(l.doors)
	d := l.console.deps
	d.Doors.Door = l.door
	l.console = New(d)
	l.handler = l.door.Staff(l.console.Handler())
}

// tokenFor is a token of a machine with every scope.
func tokenFor(name string) people.TokenDraft {
	return people.TokenDraft{Name: name, Role: access.RoleMachine, Scopes: []string{people.ScopeAll}}
}

func newLobby(t *testing.T) *lobby {
	t.Helper()
	box, err := secret.New(make([]byte, secret.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	l := &lobby{T: t, store: peopletest.New()}
	log := slog.New(slog.DiscardHandler)
	deps := people.Deps{Work: l.store, Store: l.store, Sealer: box, Log: log, Now: time.Now, Demo: true}
	l.refused = people.NewRefusals(l.store, log, time.Now)
	l.accounts, l.tokens, l.hooks = people.NewAccounts(deps, l.refused), people.NewTokens(deps, l.refused), people.NewHooks(deps, l.refused)
	l.accounts.Configure(people.Settings{Issuer: "Northmoor"})
	l.verifier = journal.NewVerifier(l.store, time.Now)
	l.doors = door.Deps{
		Accounts: l.accounts, Tokens: l.tokens, Refused: l.refused, Sealer: box, Log: log, Now: time.Now,
		Fail: func(w http.ResponseWriter, r *http.Request, err error) { l.console.Fail(w, r, err) },
		Demo: func(*http.Request) []people.Person { return l.demo },
	}
	l.door = door.New(l.doors)
	watched, _ := (&record{}).store(t)
	l.console = New(Deps{
		Log: log, Now: time.Now, Version: "test", Shelf: assets.NewShelf(), Record: watched, Problem: problemOf,
		Doors: Doors{Door: l.door, Accounts: l.accounts, Tokens: l.tokens, Hooks: l.hooks},
		Audit: Audit{Browser: shelf{l.store}, Index: shelf{l.store}, Verifier: l.verifier},
	})
	l.handler = l.door.Staff(l.console.Handler())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- l.refused.Run(ctx) }()
	go func() { done <- l.verifier.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
		<-done
	})
	return l
}

func problemOf(err error) *api.Problem {
	codes := map[problem.Kind]int{
		problem.KindInvalid: 400, problem.KindNotFound: 404, problem.KindForbidden: 403, problem.KindConflict: 409, problem.KindUnavailable: 503,
		problem.KindUnauthenticated: 401, problem.KindTooMany: 429,
	}
	code := codes[problem.KindOf(err)]
	if code == 0 {
		code = http.StatusInternalServerError
	}
	return api.NewProblem(code, problem.Public(err))
}

// shelf reads a journal in memory the slow way.
type shelf struct{ *peopletest.Store }

func (s shelf) all(fits func(journal.Sealed) bool, before int64, limit int) ([]journal.Sealed, error) {
	all, err := s.After(context.Background(), 0, 1_000_000)
	var out []journal.Sealed
	for _, e := range slices.Backward(all) {
		if (before <= 0 || e.Seq < before) && len(out) < limit && fits(e) {
			out = append(out, e)
		}
	}
	return out, err
}

// Look gives what fits, newest first.
func (s shelf) Look(_ context.Context, l journal.Look) ([]journal.Sealed, error) {
	return s.all(asked{look: l}.fits, l.Before, l.Limit)
}

// Index does nothing: Find looks at everything.
func (s shelf) Index(context.Context, journal.Tx, []journal.Sealed) error { return nil }

// Find gives entries that hold the words.
func (s shelf) Find(_ context.Context, words []string, before int64, limit int) ([]journal.Sealed, error) {
	return s.all(func(e journal.Sealed) bool {
		have := e.Words()
		for _, w := range words {
			if !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) }) {
				return false
			}
		}
		return true
	}, before, limit)
}

func (l *lobby) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

const goodPassword = "correct horse battery"

// person adds somebody with a password.
func (l *lobby) person(name string, roles ...access.Role) people.Person {
	l.Helper()
	d := people.Draft{Name: name, Email: strings.ReplaceAll(strings.ToLower(name), " ", ".") + "@example.org"}
	for _, r := range roles {
		d.Grants = append(d.Grants, access.Grant{Role: r})
	}
	p, err := l.accounts.Add(l.Context(), access.Host, d)
	l.must(err)
	path, err := l.accounts.Link(l.Context(), access.Host, p.ID)
	l.must(err)
	e, _, err := l.accounts.Accept(l.Context(), strings.TrimPrefix(path, people.LinkPath), people.Acceptance{Password: goodPassword}, people.Caller{})
	l.must(err)
	l.must(l.accounts.SignOut(l.Context(), e.Person, e.Session))
	p, err = l.accounts.Person(l.Context(), p.ID)
	l.must(err)
	return p
}

// visitor is a browser without script.
type visitor struct {
	*lobby
	cookies map[string]string
	page    string // the last one
	code    int
	path    string // of the last one
}

func (l *lobby) visitor() *visitor { return &visitor{lobby: l, cookies: map[string]string{}} }

// as gives a browser in which somebody is signed in.
func (l *lobby) as(p people.Person) *visitor {
	l.Helper()
	v := l.visitor()
	v.post("/console/sign-in", "email", p.Email, "password", goodPassword)
	if v.cookies["evenkeel"] == "" {
		l.Fatalf("%s is not signed in: %d at %s", p.Name, v.code, v.path)
	}
	return v
}

// open asks for a page and follows where it leads.
func (v *visitor) open(path string) *visitor {
	v.Helper()
	return v.send(http.MethodGet, path, nil)
}

// post sends a form and follows where it leads.
func (v *visitor) post(path string, pairs ...string) *visitor {
	v.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.send(http.MethodPost, path, form)
}

func (v *visitor) send(method, path string, form url.Values) *visitor {
	v.Helper()
	for range 10 {
		r := httptest.NewRequest(method, "http://localhost:8080"+path, strings.NewReader(form.Encode()))
		r.RemoteAddr = "127.0.0.1:50000"
		r.Header.Set("Accept", "text/html")
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for name, value := range v.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		w := httptest.NewRecorder()
		v.handler.ServeHTTP(w, r)
		resp := w.Result()
		for _, c := range resp.Cookies() {
			if c.MaxAge < 0 {
				delete(v.cookies, c.Name)
			} else {
				v.cookies[c.Name] = c.Value
			}
		}
		body, err := io.ReadAll(resp.Body)
		v.must(err)
		v.page, v.code, v.path = string(body), resp.StatusCode, path
		if resp.Header.Get("Cache-Control") != "no-store" {
			v.Errorf("%s %s may be kept: %q", method, path, resp.Header.Get("Cache-Control"))
		}
		if resp.StatusCode != http.StatusSeeOther {
			return v
		}
		method, form, path = http.MethodGet, nil, resp.Header.Get("Location")
		if !strings.HasPrefix(path, "/") { // another site
			v.path = path
			return v
		}
	}
	v.Fatalf("%s leads in circles", path)
	return v
}

// at checks where one is, and that the page says something.
func (v *visitor) at(code int, path string, says ...string) *visitor {
	v.Helper()
	where, _, _ := strings.Cut(v.path, "?")
	if v.code != code || where != path {
		v.Fatalf("got %d at %s, want %d at %s:\n%s", v.code, v.path, code, path, textOf(v.page))
	}
	for _, want := range says {
		if !strings.Contains(textOf(v.page), want) {
			v.Errorf("%s does not say %q:\n%s", v.path, want, textOf(v.page))
		}
	}
	return v
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
	values = regexp.MustCompile(`<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"`)
	told   = regexp.MustCompile(`id="told"[^>]*value="([^"]+)"`)
)

// textOf is what a page says, without its markup.
func textOf(page string) string {
	text := tags.ReplaceAllString(page, " ")
	for from, to := range map[string]string{"&#39;": "'", "&amp;": "&", "&#43;": "+", "&lt;": "<", "&gt;": ">"} {
		text = strings.ReplaceAll(text, from, to)
	}
	return strings.TrimSpace(blanks.ReplaceAllString(text, " "))
}

// field gives the value of a field of the page.
func (v *visitor) field(name string) string {
	v.Helper()
	for _, m := range values.FindAllStringSubmatch(v.page, -1) {
		if m[1] == name {
			return m[2]
		}
	}
	v.Fatalf("%s has no field %s", v.path, name)
	return ""
}

// told gives what a page tells once.
func (v *visitor) told() string {
	v.Helper()
	m := told.FindStringSubmatch(v.page)
	if m == nil {
		v.Fatalf("%s tells nothing", v.path)
	}
	return m[1]
}
