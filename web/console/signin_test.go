package console

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/web/door"
	"evenkeel/web/door/doortest"
)

// The first start: a link makes the first admin, who is in at once.
func TestFirstLinkLeadsToTheConsole(t *testing.T) {
	l := newLobby(t)
	path, needed, err := l.accounts.FirstLink(t.Context())
	l.must(err)
	if !needed {
		t.Fatal("no link")
	}
	v := l.visitor()
	v.open(path).at(200, path, "Welcome", "first admin")
	v.post(path, "name", "Anna", "email", "nobody", "password", "short").at(400, path, "Write an e-mail address", "Your name")
	v.post(path, "name", "Anna", "email", "anna@example.org", "password", "short").at(400, path, "at least 12 characters")
	if v.field("name") != "Anna" {
		t.Error("what was typed is lost")
	}
	v.post(path, "name", "Anna", "email", "anna@example.org", "password", goodPassword)
	v.open("/console/settings").at(200, "/console/settings", "People", "API tokens", "Hooks")
	l.visitor().open(path).at(404, path, "This link is not good")
}

func TestSignInAndOut(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleViewer)
	v := l.visitor()
	v.open("/console/settings?x=1").at(200, "/console/sign-in", "Sign in", "Password")
	if v.field("next") != "/console/settings?x=1" {
		t.Errorf("next is %q", v.field("next"))
	}
	v.post("/console/sign-in", "email", p.Email, "password", "wrong horse battery", "next", "/console/settings").at(401, "/console/sign-in", "The e-mail address or the password is wrong.")
	v.post("/console/sign-in", "email", p.Email, "password", goodPassword, "next", "/console/settings").at(200, "/console/settings")
	v.open("/console/sign-in").at(200, "/console/wall") // signed in already
	v.post("/console/sign-out").at(200, "/console/sign-in")
	v.open("/console/settings").at(200, "/console/sign-in")
	// Never to another site.
	v.post("/console/sign-in", "email", p.Email, "password", goodPassword, "next", "https://evil.example.net/")
	if !strings.HasPrefix(v.path, "/console") {
		t.Errorf("led to %s", v.path)
	}
}

func TestSignInSaysHowLongToWait(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleViewer)
	v := l.visitor()
	for range 7 {
		v.post("/console/sign-in", "email", p.Email, "password", "wrong horse battery")
	}
	v.at(429, "/console/sign-in", "There were many attempts. Try again in")
}

// code gives what the app shows for the key on the page.
func (v *visitor) codeOf() string {
	v.Helper()
	m := regexp.MustCompile(`class="mono key">([A-Z2-7 ]+)<`).FindStringSubmatch(v.page)
	if m == nil {
		v.Fatalf("%s shows no key", v.path)
	}
	code, err := totp.GenerateCode(strings.ReplaceAll(m[1], " ", ""), time.Now())
	v.must(err)
	return code
}

func TestSecondFactorIsSetUpAndAsked(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleViewer)
	v := l.as(p)
	before := v.cookies["evenkeel"]
	v.open("/console/account").at(200, "/console/account", "Second factor off")
	v.open("/console/account/second-factor").at(200, "/console/account/second-factor")
	if !strings.Contains(v.page, `src="data:image/png;base64,`) {
		t.Error("no picture")
	}
	sealed, code := v.field("sealed"), v.codeOf()
	v.post("/console/account/second-factor", "sealed", sealed, "code", "12345").at(400, "/console/account/second-factor", "This is not the code")
	if v.codeOf() != code {
		t.Error("another key the second time")
	}
	v.post("/console/account/second-factor", "sealed", sealed, "code", code).at(200, "/console/account/second-factor", "Recovery codes")
	if v.cookies["evenkeel"] == before {
		t.Error("the secret of the session is the old one")
	}
	recovery := regexp.MustCompile(`<li>([0-9a-f-]{23})</li>`).FindStringSubmatch(v.page)
	if recovery == nil {
		t.Fatal("no recovery codes")
	}
	v.open("/console/account").at(200, "/console/account", "10 recovery codes are left")

	w := l.visitor()
	w.open("/console/sign-in/code").at(200, "/console/sign-in")
	w.post("/console/sign-in", "email", p.Email, "password", goodPassword, "next", "/console/settings").at(200, "/console/sign-in/code", "Second factor")
	w.open("/console/settings").at(200, "/console/sign-in") // half in is not in
	w.open("/console/sign-in/code?next=/console/settings")
	w.post("/console/sign-in/code", "code", "000000", "next", "/console/settings").at(401, "/console/sign-in/code", "This code is wrong")
	w.post("/console/sign-in/code", "code", recovery[1], "next", "/console/settings").at(200, "/console/settings")
	w.post("/console/account/recovery").at(200, "/console/account/recovery", "Recovery codes")
	w.post("/console/account/second-factor/remove").at(200, "/console/account", "Second factor off", "The second factor is off")
}

// What gives rights away asks once more when the last proof is old.
func TestOldProofIsAskedForAgain(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleAdmin)
	v := l.as(p)
	all, err := l.store.Sessions(t.Context(), p.ID)
	l.must(err)
	s := all[0]
	l.must(l.store.Do(t.Context(), access.Hub, func(tx journalTx) error {
		return l.store.SwapSession(t.Context(), tx, s.ID, s.Hash, s.Hash, time.Now().Add(-people.StrongFor))
	}))
	l.must(l.accounts.EndOthers(t.Context(), p, s)) // nothing to end; what is cached is let go of
	v.open("/console/settings/tokens").at(200, "/console/settings/tokens", "Confirm that it is you")
	v.post("/console/settings/tokens", "name", "ci", "role", "machine", "scopes", "read", "ttl", "1d").at(200, "/console/account/confirm", "Is it still you?")
	v.post("/console/account/confirm", "next", "/console/settings/tokens", "password", "wrong horse battery").at(400, "/console/account/confirm", "This is not your password")
	v.post("/console/account/confirm", "next", "/console/settings/tokens", "password", goodPassword).at(200, "/console/settings/tokens", "Make a token")
	if tokens, _ := l.store.Tokens(t.Context()); len(tokens) != 0 {
		t.Error("a token was made without the proof")
	}
}

func TestDemoOffersPeopleAtAClick(t *testing.T) {
	l := newLobby(t)
	p, other := l.person("Operator of the demo", access.RoleOperator), l.person("Somebody else", access.RoleAdmin)
	l.demo = []people.Person{p}
	v := l.visitor()
	v.open("/console/sign-in").at(200, "/console/sign-in", "This is the demo", "Operator of the demo")
	v.post("/console/sign-in/demo", "person", other.ID).at(404, "/console/sign-in/demo")
	v.post("/console/sign-in/demo", "person", p.ID, "next", "/console/settings").at(200, "/console/settings")
	l.demo = nil
	w := l.visitor()
	if w.open("/console/sign-in"); strings.Contains(w.page, "demo") {
		t.Error("offered outside the demo")
	}
	w.post("/console/sign-in/demo", "person", p.ID).at(404, "/console/sign-in/demo")
}

func TestOwnAccountIsChanged(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleViewer)
	v, elsewhere := l.as(p), l.as(p)
	v.post("/console/account", "name", "", "zone", "Mars/Base").at(400, "/console/account", "Say what colleagues call", "Write a time zone")
	v.post("/console/account", "name", "Anna B", "zone", "Europe/Vienna").at(200, "/console/account", "Your account is changed")
	v.post("/console/account/password", "current", goodPassword, "password", "another long horse", "again", "another long house").at(400, "/console/account/password", "The two are not the same")
	v.post("/console/account/password", "current", "wrong horse battery", "password", "another long horse", "again", "another long horse").at(400, "/console/account/password", "This is not your password")
	v.post("/console/account/password", "current", goodPassword, "password", "another long horse", "again", "another long horse").at(200, "/console/account", "Your password is changed")
	elsewhere.open("/console/account").at(200, "/console/sign-in")
}

func TestOwnSessionsAreEnded(t *testing.T) {
	l := newLobby(t)
	p, other := l.person("Anna", access.RoleViewer), l.person("Ben", access.RoleViewer)
	v, lost, his := l.as(p), l.as(p), l.as(other)
	v.open("/console/account").at(200, "/console/account", "Firefox on Linux this browser", "password")
	all, err := l.store.Sessions(t.Context(), other.ID)
	l.must(err)
	v.post("/console/account/sessions/"+all[0].ID+"/end").at(404, "/console/account/sessions/"+all[0].ID+"/end")
	his.open("/console/account").at(200, "/console/account")
	v.post("/console/account/sessions/end-others").at(200, "/console/account", "Other browsers are signed out")
	lost.open("/console/account").at(200, "/console/sign-in")
}

// Signing in with a provider: out, back, in; and connecting an account to it.
func TestSignInWithProvider(t *testing.T) {
	l, p := newLobby(t), doortest.NewProvider(t)
	l.door.Configure(door.Settings{OIDC: &door.OIDC{Label: "Example ID", Issuer: p.URL, ClientID: "hub", ClientSecret: doortest.Secret, RolesClaim: "groups"}})
	l.accounts.Configure(people.Settings{Roles: map[string][]access.Role{"ops": {access.RoleOperator}}})
	// travel goes to the provider from where the browser stands, and comes back.
	travel := func(v *visitor, from string) *visitor {
		v.open(from)
		if !strings.HasPrefix(v.path, p.URL+"/auth?") {
			t.Fatalf("%s leads to %d at %s: %s", from, v.code, v.path, textOf(v.page))
		}
		return v.open(strings.TrimPrefix(p.Agree(v.path), "http://localhost:8080"))
	}
	v := l.visitor()
	v.open("/console/settings").at(200, "/console/sign-in", "Sign in with Example ID")
	travel(v, "/console/sign-in/provider?next=%2Fconsole%2Faccount").at(200, "/console/account", "a@example.org", "Operator", "connected", "none: you sign in with Example ID")

	p.Claims["groups"], p.Claims["sub"], p.Claims["email"] = []string{"guests"}, "43", "b@example.org"
	travel(l.visitor(), "/console/sign-in/provider").at(403, "/console/sign-in/callback", "Your account gives you no role here")
	l.visitor().open("/console/sign-in/callback?state=x&code=y").at(401, "/console/sign-in/callback", "That took too long, or cookies are off")

	// Somebody with a password connects an identity, with a link that our page showed.
	ben := l.person("Ben", access.RoleViewer)
	w := l.as(ben)
	w.open("/console/sign-in/provider?errand=connect").at(403, "/console/sign-in/provider")
	w.open("/console/account").at(200, "/console/account", "not connected")
	link := regexp.MustCompile(`href="(/console/sign-in/provider[^"]+)"`).FindStringSubmatch(w.page)
	if link == nil {
		t.Fatal("there is no way to connect")
	}
	secret := w.cookies["evenkeel"]
	travel(w, strings.ReplaceAll(link[1], "&amp;", "&")).at(200, "/console/account", "You can sign in with Example ID")
	if w.cookies["evenkeel"] == secret {
		t.Error("the secret of the session is the old one")
	}
	l.accounts.Configure(people.Settings{})
	travel(l.visitor(), "/console/sign-in/provider?next=/console/account").at(200, "/console/account", ben.Email)
}
