package console

import (
	"strings"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
)

// journalTx is a unit of work, in tests that reach into the store.
type journalTx = journal.Tx

func TestPeopleAreAddedAndInvited(t *testing.T) {
	l := newLobby(t)
	v := l.as(l.person("Anna", access.RoleAdmin))
	v.open("/console/settings/people").at(200, "/console/settings/people", "Anna", "Admin", "Add a person")
	v.post("/console/settings/people", "name", "", "email", "x", "role", "machine").at(400, "/console/settings/people", "Say what colleagues call", "Write an e-mail address", "is no role of a person")
	v.post("/console/settings/people", "name", "Ben", "email", "ben@example.org", "role", "operator", "kind", "component", "scope", "shop", "role", "viewer", "kind", "", "scope", "", "role", "", "kind", "", "scope", "").
		at(200, "/console/settings/people", "A link for Ben", "It works once, within")
	link := v.told()
	if !strings.HasPrefix(link, "http://localhost:8080/console/welcome/") {
		t.Errorf("link %s", link)
	}
	ben, err := l.accounts.ByEmail(t.Context(), "ben@example.org")
	l.must(err)
	if len(ben.Grants) != 2 || ben.Grants[1].Scope != (access.Scope{Kind: "component", ID: "shop"}) {
		t.Errorf("holds %+v", ben.Grants)
	}
	one := "/console/settings/people/" + ben.ID
	v.open(one).at(200, one, "invited, never signed in", "Make an invitation")
	w := l.visitor()
	w.open(strings.TrimPrefix(link, "http://localhost:8080")).at(200, strings.TrimPrefix(link, "http://localhost:8080"), "Welcome, Ben")
	w.post(strings.TrimPrefix(link, "http://localhost:8080"), "name", "Benedict", "password", goodPassword)
	w.open("/console/account").at(200, "/console/account", "ben@example.org", "Viewer", "Operator for component shop")

	v.open(one).at(200, one, "may come in")
	v.post(one, "version", "1", "name", "Ben", "email", "ben@example.org").at(409, one, "Somebody else changed this person first")
	v.open(one)
	v.post(one, "version", v.field("version"), "name", "Ben C", "email", "ben@example.org", "role", "support", "kind", "", "scope", "").at(200, one, "Ben C is changed")
	w.open("/console/account").at(200, "/console/sign-in") // new roles sign out
	v.post(one+"/disable").at(200, one, "Ben C is kept out")
	v.open("/console/settings/people").at(200, "/console/settings/people")
	if strings.Contains(v.page, "Ben C") {
		t.Error("who is kept out stands among those who are not")
	}
	v.open("/console/settings/people?show=disabled&q=ben").at(200, "/console/settings/people", "Ben C")
	v.post(one+"/enable").at(200, one, "Ben C may come in again")
	v.post(one+"/link").at(200, one+"/link", "chooses a new password")
	v.post(one+"/erase", "confirm", "Ben").at(400, one+"/erase", "Nothing was erased")
	v.post(one+"/erase", "confirm", "Ben C").at(200, "/console/settings/people", "The person is erased")
	v.open(one).at(404, one, "was erased")
}

func TestAdminTakesASecondFactorOff(t *testing.T) {
	l := newLobby(t)
	p := l.person("Ben", access.RoleViewer)
	b := l.as(p)
	b.open("/console/account/second-factor")
	b.post("/console/account/second-factor", "sealed", b.field("sealed"), "code", b.codeOf()).at(200, "/console/account/second-factor")
	v := l.as(l.person("Anna", access.RoleAdmin))
	one := "/console/settings/people/" + p.ID
	v.open(one).at(200, one, "Take the second factor off")
	v.post(one+"/factor").at(200, one, "The second factor is off")
	l.as(p)
}

// A manager sees people and changes nothing; everybody else sees nothing.
func TestPeopleAreShownByRole(t *testing.T) {
	l := newLobby(t)
	target := l.person("Target", access.RoleViewer)
	m := l.as(l.person("Manager", access.RoleManager))
	one := "/console/settings/people/" + target.ID
	m.open("/console/settings/people").at(200, "/console/settings/people", "Target")
	m.open(one).at(200, one)
	if strings.Contains(m.page, "Erase") || strings.Contains(m.page, ">Save<") || strings.Contains(m.page, "Make a reset link") {
		t.Error("a manager is offered what only admins may")
	}
	for _, path := range []string{one, one + "/link", one + "/disable", one + "/erase", "/console/settings/people", "/console/settings/tokens", "/console/settings/hooks"} {
		if m.post(path); m.code != 403 {
			t.Errorf("a manager posts to %s: %d", path, m.code)
		}
	}
	o := l.as(l.person("Operator", access.RoleOperator))
	for _, path := range []string{"/console/settings/people", one, "/console/settings/tokens", "/console/settings/hooks", "/console/settings/sessions"} {
		if o.open(path); o.code != 403 || strings.Contains(o.page, "Target") {
			t.Errorf("an operator sees %s: %d", path, o.code)
		}
	}
	o.open("/console/settings").at(200, "/console/settings", "Your account")
	if strings.Contains(o.page, "API tokens") {
		t.Error("rooms are offered that are shut")
	}
}

func TestTokenIsMadeShownOnceAndRevoked(t *testing.T) {
	l := newLobby(t)
	v := l.as(l.person("Anna", access.RoleAdmin))
	v.open("/console/settings/tokens").at(200, "/console/settings/tokens", "No machine has a key")
	v.post("/console/settings/tokens", "name", "", "role", "host", "scopes", "", "ttl", "2d").at(400, "/console/settings/tokens", "Choose when it ends")
	v.post("/console/settings/tokens", "name", "ci", "role", "machine", "scopes", "reed", "ttl", "1d").at(400, "/console/settings/tokens", "is no scope")
	v.post("/console/settings/tokens", "name", "build server", "role", "machine", "scopes", "read, incident.update", "ttl", "30d").at(200, "/console/settings/tokens", "this one time")
	secret := v.told()
	a, err := l.tokens.Actor(t.Context(), secret)
	l.must(err)
	if !a.May(access.IncidentUpdate) || a.May(access.MonitorRun) {
		t.Error("the scopes are others")
	}
	v.open("/console/settings/tokens").at(200, "/console/settings/tokens", "build server", "Machine", "incident.update read")
	if strings.Contains(v.page, secret) {
		t.Error("the token is shown a second time")
	}
	id := strings.TrimPrefix(a.ID, "token/")
	v.post("/console/settings/tokens/"+id+"/revoke").at(200, "/console/settings/tokens", "The token is revoked", "Machine, revoked")
	if _, err := l.tokens.Actor(t.Context(), secret); err == nil {
		t.Error("a revoked token works")
	}
}

func TestHookIsMadeShownOnceAndRevoked(t *testing.T) {
	l := newLobby(t)
	v := l.as(l.person("Anna", access.RoleAdmin))
	v.post("/console/settings/hooks", "source", "alertmanager", "mapping", "one two three").at(400, "/console/settings/hooks", "This is not two: one two three")
	v.post("/console/settings/hooks", "source", "alertmanager", "mapping", "a b\na c").at(400, "/console/settings/hooks", "a stands there twice")
	v.post("/console/settings/hooks", "source", "nothing").at(400, "/console/settings/hooks", "is no source of hooks")
	v.post("/console/settings/hooks", "source", "alertmanager", "name", "Production", "mapping", "service=checkout → shop-checkout\n").at(200, "/console/settings/hooks", "webhook_configs")
	address := v.told()
	secret := strings.TrimPrefix(address, "http://localhost:8080/hooks/alertmanager/")
	h, err := l.hooks.Open(t.Context(), "alertmanager", secret)
	l.must(err)
	if h.Mapping["service=checkout"] != "shop-checkout" || h.Name != "Production" {
		t.Errorf("got %+v", h)
	}
	v.open("/console/settings/hooks").at(200, "/console/settings/hooks", "Production", "Prometheus Alertmanager")
	if strings.Contains(v.page, secret) {
		t.Error("the address is shown a second time")
	}
	v.post("/console/settings/hooks/"+h.ID+"/revoke").at(200, "/console/settings/hooks", "The hook is revoked")
}

func TestAdminEndsSessions(t *testing.T) {
	l := newLobby(t)
	p := l.person("Ben", access.RoleViewer)
	b := l.as(p)
	v := l.as(l.person("Anna", access.RoleAdmin))
	v.open("/console/settings/sessions").at(200, "/console/settings/sessions", "Ben", "Anna", "2 browsers are signed in", "Firefox on Linux")
	all, err := l.store.Sessions(t.Context(), p.ID)
	l.must(err)
	v.post("/console/settings/sessions/"+all[0].ID+"/end", "back", "/console/settings/sessions").at(200, "/console/settings/sessions", "That browser is signed out")
	b.open("/console/account").at(200, "/console/sign-in")
}

// Hostile names are text wherever they are shown.
func TestHostileNamesAreEscaped(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleAdmin)
	evil := `"><script>alert(1)</script>`
	_, err := l.accounts.Add(t.Context(), access.Host, people.Draft{Name: evil, Email: "evil@example.org"})
	l.must(err)
	_, _, err = l.tokens.Make(t.Context(), access.Host, people.TokenDraft{Name: evil, Role: access.RoleMachine, Scopes: []string{"*"}})
	l.must(err)
	v := l.as(p)
	for _, path := range []string{"/console/settings/people", "/console/settings/tokens", "/console/audit?q=%22%3E%3Cscript%3E", "/console/audit?subject=%22%3E%3Cscript%3E&verb=%3Cscript%3E&who=%3Cscript%3E"} {
		if v.open(path); v.code != 200 || strings.Contains(v.page, "<script>") || strings.Contains(v.page, "ZgotmplZ") {
			t.Errorf("%s: %d, and the name is markup", path, v.code)
		}
	}
}

func TestBrowserIsNamed(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0":                   "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36":                                "Chrome on Android",
		"curl/8.5": "curl", "something of ours": "something of ours",
	} {
		if got := browserOf(agent); got != want {
			t.Errorf("%s is %q", agent, got)
		}
	}
}
