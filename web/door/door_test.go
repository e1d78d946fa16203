package door_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/web/door"
)

func TestStaffLetsPeopleInByTheirCookie(t *testing.T) {
	s := newScene(t)
	e := s.entry("p", access.RoleViewer)
	h := s.door.Staff(http.HandlerFunc(who))
	resp := answer(h, ask("GET", "/console/wall", "Cookie", "evenkeel="+e.Secret))
	if resp.StatusCode != http.StatusOK || bodyOf(resp) != "person/"+e.Person.ID {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestStaffTurnsVisitorsAway(t *testing.T) {
	s := newScene(t)
	s.entry("p", access.RoleViewer)
	h := s.door.Staff(http.HandlerFunc(who))
	for _, row := range []struct {
		name     string
		r        *http.Request
		code     int
		location string
	}{
		{"a page", ask("GET", "/console/wall?x=1", "Accept", "text/html"), 303, "/console/sign-in?next=%2Fconsole%2Fwall%3Fx%3D1"},
		{"a page to a tool", ask("GET", "/console/wall"), 303, "/console/sign-in?next=%2Fconsole%2Fwall"},
		{"a part of a page", ask("GET", "/console/wall", "HX-Request", "true"), 401, ""},
		{"a live page", ask("GET", "/console/wall", "Evenkeel-Live", "1"), 401, ""},
		{"a stream", ask("GET", "/console/live", "Accept", "text/event-stream"), 401, ""},
		{"a picture", ask("GET", "/console/x", "Sec-Fetch-Dest", "image"), 401, ""},
		{"a form", ask("POST", "/console/theme"), 401, ""},
		{"a wrong cookie", ask("GET", "/console/wall", "Cookie", "evenkeel=AAAAAAAAAAAAAAAAAAAAAAAAAA"), 303, "/console/sign-in?next=%2Fconsole%2Fwall"},
		{"a token as a cookie", ask("GET", "/console/wall", "Cookie", "evenkeel=ek_AAAA"), 303, "/console/sign-in?next=%2Fconsole%2Fwall"},
	} {
		resp := answer(h, row.r)
		if resp.StatusCode != row.code || resp.Header.Get("Location") != row.location || bodyOf(resp) == "nobody" {
			t.Errorf("%s: got %d to %q", row.name, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	for _, path := range []string{"/console/sign-in", "/console/sign-in/code", "/console/welcome/SECRET"} {
		if resp := answer(h, ask("GET", path)); bodyOf(resp) != "nobody" {
			t.Errorf("%s is shut: %d", path, resp.StatusCode)
		}
	}
	for _, path := range []string{"/console/sign-ins", "/console/welcome", "/console/sign-in-not"} {
		if resp := answer(h, ask("GET", path)); resp.StatusCode != 303 {
			t.Errorf("%s is open: %d", path, resp.StatusCode)
		}
	}
}

// A database that is away is not "sign in first".
func TestStaffSaysWhenTheRecordIsAway(t *testing.T) {
	s := newScene(t)
	e := s.entry("p", access.RoleViewer)
	away := &awayStore{Store: s.store, err: errors.New("cable")}
	deps := people.Deps{Work: s.store, Store: away, Log: nil, Now: time.Now}
	d := door.New(door.Deps{Accounts: people.NewAccounts(deps, s.refused), Refused: s.refused, Fail: fail, Now: time.Now})
	resp := answer(d.Staff(http.HandlerFunc(who)), ask("GET", "/console/wall", "Cookie", "evenkeel="+e.Secret))
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestBearerLetsMachinesAndOurOwnPagesIn(t *testing.T) {
	s := newScene(t)
	e := s.entry("p", access.RoleViewer)
	secret, token, err := s.tokens.Make(t.Context(), access.Host, people.TokenDraft{Name: "ci", Role: access.RoleMachine, Scopes: []string{"*"}})
	s.must(err)
	h := s.door.Bearer(http.HandlerFunc(who))
	cookie := "evenkeel=" + e.Secret
	for _, row := range []struct {
		name string
		r    *http.Request
		code int
		who  string
	}{
		{"bearer", ask("POST", "/api/v1/x", "Authorization", "Bearer "+secret), 200, "token/" + token.ID},
		{"lower case", ask("GET", "/api/v1/x", "Authorization", "bearer  "+secret), 200, "token/" + token.ID},
		{"statuspage's way", ask("POST", "/v1/pages/x", "Authorization", "OAuth "+secret), 200, "token/" + token.ID},
		{"basic", ask("GET", "/api/v1/x", "Authorization", "Basic "+secret), 401, ""},
		{"wrong token with a good cookie", ask("GET", "/api/v1/x", "Authorization", "Bearer ek_x", "Cookie", cookie), 401, ""},
		{"a session's secret as a token", ask("GET", "/api/v1/x", "Authorization", "Bearer "+e.Secret), 401, ""},
		{"our page", ask("POST", "/api/v1/x", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"), 200, "person/" + e.Person.ID},
		{"another site", ask("POST", "/api/v1/x", "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), 403, ""},
		{"another site with a token", ask("POST", "/api/v1/x", "Authorization", "Bearer "+secret, "Sec-Fetch-Site", "cross-site"), 200, "token/" + token.ID},
		{"nothing", ask("GET", "/api/v1/x"), 401, ""},
	} {
		resp := answer(h, row.r)
		if resp.StatusCode != row.code || row.who != "" && bodyOf(resp) != row.who {
			t.Errorf("%s: got %d", row.name, resp.StatusCode)
		}
		if challenge := resp.Header.Get("WWW-Authenticate"); (challenge != "") != (row.code == 401) {
			t.Errorf("%s: challenge %q", row.name, challenge)
		}
	}
}

// Cross-site posts are refused, signed in or not, and journaled (Bad input).
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	s := newScene(t)
	e := s.entry("p", access.RoleAdmin)
	h := s.door.Staff(http.HandlerFunc(who))
	cookie := "evenkeel=" + e.Secret
	for _, row := range []struct {
		name string
		r    *http.Request
		code int
	}{
		{"cross-site", ask("POST", "/console/theme", "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), 403},
		{"same-site, another host", ask("POST", "/console/theme", "Cookie", cookie, "Sec-Fetch-Site", "same-site"), 403},
		{"old browser, foreign origin", ask("POST", "/console/theme", "Cookie", cookie, "Origin", "https://evil.example.net"), 403},
		{"a frame without origin", ask("POST", "/console/theme", "Cookie", cookie, "Origin", "null"), 403},
		{"signing in from another site", ask("POST", "/console/sign-in", "Sec-Fetch-Site", "cross-site"), 403},
		{"same origin", ask("POST", "/console/theme", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"), 200},
		{"old browser, our origin", ask("POST", "/console/theme", "Cookie", cookie, "Origin", "http://localhost:8080"), 200},
		{"a link from another site", ask("GET", "/console/wall", "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), 200},
	} {
		if resp := answer(h, row.r); resp.StatusCode != row.code {
			t.Errorf("%s: got %d, want %d", row.name, resp.StatusCode, row.code)
		}
	}
	s.refusals(people.ReasonCrossSite)
	// Behind a proxy that changes Host, the public address is our origin too.
	s.door.Configure(door.Settings{PageURL: "https://status.example.org/"})
	r := ask("POST", "/console/theme", "Cookie", cookie, "Origin", "https://status.example.org")
	if resp := answer(h, r); resp.StatusCode != 200 {
		t.Errorf("our public address: got %d", resp.StatusCode)
	}
}

// The cookie: bound to host and TLS over TLS, plain on loopback alone.
func TestSessionCookie(t *testing.T) {
	proxies, err := door.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	s := newScene(t, func(d *door.Deps) { d.Proxies = proxies })
	e := s.entry("p", access.RoleViewer)
	enter := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.door.Enter(w, r, e) })
	behind := func(proto string) *http.Request {
		r := ask("POST", "/console/sign-in", "X-Forwarded-Proto", proto)
		r.RemoteAddr, r.Host = "10.1.2.3:4000", "status.example.org"
		return r
	}
	for _, row := range []struct {
		name   string
		r      *http.Request
		cookie string
		secure bool
		may    bool
	}{
		{"loopback", ask("POST", "/console/sign-in"), "evenkeel", false, true},
		{"loopback that claims TLS", ask("POST", "/console/sign-in", "X-Forwarded-Proto", "https"), "evenkeel", false, true},
		{"behind a proxy with TLS", behind("https"), "__Host-evenkeel", true, true},
		{"behind proxies, the last with TLS", behind("http, https"), "__Host-evenkeel", true, true},
		{"behind a proxy without TLS", behind("http"), "evenkeel", false, false},
	} {
		resp := answer(enter, row.r)
		found := false
		for _, c := range resp.Cookies() {
			if c.Name != row.cookie {
				continue
			}
			found = true
			if c.Value != e.Secret || c.Secure != row.secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge < 3600 {
				t.Errorf("%s: %s", row.name, c)
			}
		}
		if !found {
			t.Errorf("%s: no %s in %v", row.name, row.cookie, cookies(resp))
		}
		if err := s.door.MaySignIn(row.r); (err == nil) != row.may {
			t.Errorf("%s: may sign in: %v", row.name, err)
		}
	}
	s.door.Configure(door.Settings{PlainHTTP: true})
	if err := s.door.MaySignIn(behind("http")); err != nil {
		t.Errorf("plain_http: %v", err)
	}
	// The plain cookie of a loopback visit is worth nothing over TLS.
	r := behind("https")
	r.Method, r.URL.Path = "GET", "/console/wall"
	r.Header.Set("Cookie", "evenkeel="+e.Secret)
	if resp := answer(s.door.Staff(http.HandlerFunc(who)), r); resp.StatusCode != 303 {
		t.Errorf("a plain cookie over TLS: %d", resp.StatusCode)
	}
}

func TestLeaveEndsTheSession(t *testing.T) {
	s := newScene(t)
	e := s.entry("p", access.RoleViewer)
	h := s.door.Staff(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.must(s.door.Leave(w, r)) }))
	resp := answer(h, ask("POST", "/console/sign-out", "Cookie", "evenkeel="+e.Secret))
	if c := resp.Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("cookies %v", c)
	}
	if _, _, err := s.accounts.Session(t.Context(), e.Secret); err == nil {
		t.Error("the session lives")
	}
}

// A refusal, decided by the table or by a wing, is journaled once.
func TestForbiddenIsJournaled(t *testing.T) {
	s := newScene(t)
	e := s.entry("p", access.RoleViewer)
	var err error
	h := s.door.Staff(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err = (door.Route{Action: access.PersonEdit}).Allows(r); err != nil {
			fail(w, r, err)
		}
	}))
	if resp := answer(h, ask("GET", "/console/settings", "Cookie", "evenkeel="+e.Secret)); resp.StatusCode != 403 {
		t.Errorf("got %d", resp.StatusCode)
	}
	s.refusals(people.ReasonForbidden)
}

func TestAllows(t *testing.T) {
	s := newScene(t)
	e := s.entry("p", access.RoleViewer)
	r := door.With(ask("GET", "/"), door.Guest{Actor: e.Person.Actor(), Person: e.Person})
	if err := door.Allows(r, access.IncidentRead); err != nil {
		t.Error(err)
	}
	if a := door.Acting(r.Context()); a.ID != "person/"+e.Person.ID || door.Acting(t.Context()) != access.Visitor {
		t.Errorf("acts as %+v", a)
	}
	if err := door.Allows(r, ""); err != nil {
		t.Error(err)
	}
	if door.Allows(r, access.IncidentUpdate) == nil || door.Allows(ask("GET", "/"), "") == nil || door.Allows(ask("GET", "/"), access.PageRead) == nil {
		t.Error("somebody got further than the table says")
	}
}

// Open redirects are impossible: after signing in one goes to a page of ours.
func TestNextLeadsToOurOwnPages(t *testing.T) {
	for next, want := range map[string]string{
		"/console/wall":                         "/console/wall",
		"/console/audit?verb=incident.&q=a":     "/console/audit?verb=incident.&q=a",
		"/console":                              "/console",
		"":                                      door.Start,
		"/":                                     door.Start,
		"/consolex":                             door.Start,
		"//evil.example.net/console/":           door.Start,
		"https://evil.example.net/console/":     door.Start,
		"http:/console/x":                       door.Start,
		"\\\\evil.example.net":                  door.Start,
		"/\\evil.example.net":                   door.Start,
		"/console/\\evil":                       door.Start,
		"/console//evil.example.net":            door.Start,
		"/console/../etc":                       door.Start,
		"/console/%2e%2e/x":                     door.Start,
		"/console/%5cevil":                      door.Start,
		"/console/x\r\nSet-Cookie: a=b":         door.Start,
		"/console/x y":                          door.Start,
		"javascript:alert(1)":                   door.Start,
		"/console/sign-in?next=/console/":       door.Start,
		"/console/welcome/SECRET":               door.Start,
		"/console/" + strings.Repeat("x", 3000): door.Start,
		"\x00/console/":                         door.Start,
		"/console/wall#there":                   "/console/wall",
	} {
		if got := door.LocalPage(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

func FuzzLocalPage(f *testing.F) {
	for _, seed := range []string{"/console/wall", "//x", "/\\x", "https://x/console/", "/console/..//x", "/console/%2f%2fx"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := door.LocalPage(next)
		if got != "/console" && !strings.HasPrefix(got, "/console/") && !strings.HasPrefix(got, "/console?") {
			t.Errorf("%q leads to %q", next, got)
		}
		if strings.ContainsAny(got, "\\\r\n\t ") || strings.HasPrefix(got, "//") || strings.Contains(got, "://") && !strings.Contains(got, "?") {
			t.Errorf("%q leads to %q", next, got)
		}
	})
}

func TestAddressBelievesTrustedProxiesAlone(t *testing.T) {
	proxies, err := door.ParseProxies([]string{"10.0.0.0/8", "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ remote, forwarded, want string }{
		{"203.0.113.9:1", "", "203.0.113.9"},
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"192.0.2.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "rubbish", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::/64"},
		{"[::ffff:203.0.113.9]:1", "", "203.0.113.9"},
	} {
		r := ask("GET", "/")
		r.RemoteAddr = row.remote
		if row.forwarded != "" {
			r.Header.Set("X-Forwarded-For", row.forwarded)
		}
		if got := proxies.Network(r); got != row.want {
			t.Errorf("%s forwarding %q: got %s, want %s", row.remote, row.forwarded, got, row.want)
		}
	}
	for _, bad := range []string{"x", "10.0.0.0/33", ""} {
		if _, err := door.ParseProxies([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// In the demo, and only there and only on this machine, people are offered at a click.
func TestDemoIsOfferedOnThisMachineAlone(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "demo")
	offer := door.LocalDemo(mark, func(*http.Request) ([]people.Person, error) { return []people.Person{{ID: "1"}}, nil })
	good := func() *http.Request { return ask("GET", "/console/sign-in") }
	if len(offer(good())) != 0 {
		t.Error("offered without the demo's mark")
	}
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(offer(good())) != 1 {
		t.Error("not offered in the demo")
	}
	for name, change := range map[string]func(*http.Request){
		"another host":       func(r *http.Request) { r.Host = "demo.example.org" },
		"a host like ours":   func(r *http.Request) { r.Host = "localhost.example.org:8080" },
		"a rebound name":     func(r *http.Request) { r.Host = "127.0.0.1.example.org" },
		"another machine":    func(r *http.Request) { r.RemoteAddr = "192.0.2.1:1" },
		"forwarded":          func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1") },
		"forwarded, RFC7239": func(r *http.Request) { r.Header.Set("Forwarded", "for=127.0.0.1") },
		"through a proxy":    func(r *http.Request) { r.Header.Set("Via", "1.1 x") },
	} {
		r := good()
		change(r)
		if len(offer(r)) != 0 {
			t.Errorf("offered to %s", name)
		}
	}
	for _, host := range []string{"127.0.0.1:8080", "[::1]:8080", "localhost", "demo.localhost:8080"} {
		r := good()
		r.Host = host
		if len(offer(r)) != 1 {
			t.Errorf("not offered at %s", host)
		}
	}
	failing := door.LocalDemo(mark, func(*http.Request) ([]people.Person, error) { return nil, errors.New("cable") })
	if len(failing(good())) != 0 {
		t.Error("offered nobody")
	}
}

// Streams work through the door.
func TestAnswersAreFlushedThroughTheDoor(t *testing.T) {
	s := newScene(t)
	e := s.entry("p", access.RoleViewer)
	var ferr error
	h := s.door.Staff(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { ferr = http.NewResponseController(w).Flush() }))
	answer(h, ask("GET", "/console/live", "Cookie", "evenkeel="+e.Secret))
	if ferr != nil {
		t.Error(ferr)
	}
}
