package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"evenkeel/internal/access"
)

// A screen is let in by its link, sees the wall and nothing else, does nothing,
// and is shut out when its link is revoked.
func TestScreenSeesTheWallAlone(t *testing.T) {
	l := newLobby(t)
	admin := l.as(l.person("Anna", access.RoleAdmin))
	admin.open(screensPath).at(200, screensPath, "No screen shows the wall")
	admin.post(screensPath, "name", "", "ttl", "never").at(400, screensPath, "Name the token")
	admin.post(screensPath, "name", "Operations room", "ttl", "never").at(200, screensPath, "this one time", "Open it once in the browser of the screen")
	link := strings.TrimPrefix(admin.told(), "http://localhost:8080")

	screen := l.visitor()
	screen.open(link).at(200, "/console/wall")
	if strings.Contains(screen.page, link) || strings.Contains(textOf(screen.page), "Signed in as") {
		t.Error("the wall tells the link, or of a person")
	}
	for _, path := range []string{"/console/components", "/console/account", "/console/settings", screensPath, "/console/handover", "/console/audit", "/console/go?q=a"} {
		if screen.open(path); screen.code != http.StatusForbidden {
			t.Errorf("a screen is answered %d at %s", screen.code, path)
		}
	}
	screen.post("/console/theme", "back", "/console/wall").at(401, "/console/theme")
	screen.open("/console/wall").at(200, "/console/wall")

	// The key of a machine opens no page, and the link of a screen no API.
	secret, _, err := l.tokens.Make(t.Context(), access.Host, tokenFor("ci"))
	l.must(err)
	l.visitor().open("/console/screen/"+secret).at(401, "/console/screen/"+secret)
	a, err := l.tokens.Actor(t.Context(), link[strings.LastIndexByte(link, '/')+1:])
	l.must(err)
	for act := range access.Actions() {
		if a.May(act) && act != access.WallRead {
			t.Errorf("a screen may %s", act)
		}
	}

	admin.open("/console/settings/tokens")
	if strings.Contains(admin.page, "Operations room") {
		t.Error("a screen stands among the tokens")
	}
	admin.open(screensPath).at(200, screensPath, "Operations room", "never")
	all, err := l.tokens.List(t.Context(), access.Host)
	l.must(err)
	for _, token := range all {
		if token.Role == access.RoleScreen {
			admin.post(screensPath+"/"+token.ID+"/revoke").at(200, screensPath, "sees nothing any more", "Operations room")
		}
	}
	screen.open("/console/wall").at(200, "/console/sign-in")
	if screen.cookies["evenkeel-screen"] != "" {
		t.Error("a revoked link is kept")
	}
	if o := l.as(l.person("Omar", access.RoleOperator)); o.open(screensPath).code != http.StatusForbidden {
		t.Errorf("an operator is answered %d", o.code)
	}
}

// Behind a proxy that is trusted and speaks TLS, every cookie of the console is
// bound to TLS.
func TestCookiesAreSecureBehindATrustedProxy(t *testing.T) {
	l := newLobby(t)
	l.trust("127.0.0.0/8")
	admin := l.person("Anna", access.RoleAdmin)
	cookie := l.as(admin).cookies["evenkeel"]
	for proto, want := range map[string]bool{"https": true, "http": false} {
		name := "evenkeel"
		if want {
			name = "__Host-evenkeel"
		}
		for _, path := range []string{"/console/theme", "/console/account"} {
			r := httptest.NewRequest(http.MethodPost, "http://localhost:8080"+path, strings.NewReader("name=Anna&zone=UTC"))
			r.RemoteAddr = "127.0.0.1:50000"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Forwarded-Proto", proto)
			r.AddCookie(&http.Cookie{Name: name, Value: cookie})
			w := httptest.NewRecorder()
			l.handler.ServeHTTP(w, r)
			set := w.Result().Cookies()
			if len(set) == 0 {
				t.Errorf("%s sets no cookie: %d", path, w.Code)
			}
			for _, c := range set {
				if c.Secure != want {
					t.Errorf("%s over %s: %s is secure: %v", path, proto, c.Name, c.Secure)
				}
			}
		}
	}
}
