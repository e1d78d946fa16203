package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"evenkeel/assets"
	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/testkit"
	"evenkeel/web/door"
)

// TestDoorsAreAccessible looks at signing in, the account, settings and audit
// with axe-core, on a desk and on a phone.
func TestDoorsAreAccessible(t *testing.T) {
	axe := testkit.NewAxe(t, "../..", "document")
	ctx := testkit.Chromium(t)
	l := newLobby(t)
	admin := l.person("Anna Admin", access.RoleAdmin, access.RoleOperator)
	l.demo = []people.Person{admin, l.person("Ben Operator", access.RoleOperator), l.person("Sam Support", access.RoleSupport)}
	first, err := l.accounts.Add(t.Context(), access.Host, people.Draft{Name: "Invited lead", Email: "lead@example.org", Grants: []access.Grant{
		{Role: access.RoleModuleLead, Scope: access.Scope{Kind: "component", ID: "checkout"}}, {Role: access.RoleViewer}}})
	l.must(err)
	path, err := l.accounts.Link(t.Context(), access.Host, first.ID)
	l.must(err)
	_, _, err = l.tokens.Make(t.Context(), access.Host, people.TokenDraft{Name: "build server", Role: access.RoleMachine, Scopes: []string{"read", "incident"}, TTL: 90 * 24 * time.Hour})
	l.must(err)
	_, _, err = l.hooks.Make(t.Context(), access.Host, people.HookDraft{Source: "alertmanager", Name: "Production", Mapping: map[string]string{"service=checkout": "checkout"}})
	l.must(err)
	for n := range 30 {
		l.write(admin.Actor(), journal.Entry{Verb: "incident.updated", Subject: journal.Ref{Kind: "incident", ID: fmt.Sprint("inc-", n)}, Audience: journal.AudiencePublic, Payload: map[string]string{"state": "identified", "impact": "major"}})
		l.write(access.Hub, journal.Entry{Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: "checkout"}, Payload: map[string]string{"from": "operational", "to": "major_outage", "track": "observed"}})
	}
	v := l.as(admin)
	stranger := func(h http.Handler) http.Handler { return h }
	signedIn := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Cookie", "evenkeel="+v.cookies["evenkeel"])
			h.ServeHTTP(w, r)
		})
	}
	for _, room := range []struct {
		name, path string
		as         func(http.Handler) http.Handler
	}{
		{"signin", door.SignInPath, stranger},
		{"welcome", path, stranger},
		{"deadlink", people.LinkPath + "AAAAAAAAAAAAAAAAAAAAAAAAAA", stranger},
		{"settings", settingsPath, signedIn},
		{"account", accountPath, signedIn},
		{"factor", factorPath, signedIn},
		{"confirm", confirmPath, signedIn},
		{"people", peoplePath, signedIn},
		{"person", peoplePath + "/" + first.ID, signedIn},
		{"newperson", peoplePath + "/new", signedIn},
		{"sessions", sessionsPath, signedIn},
		{"tokens", tokensPath, signedIn},
		{"hooks", hooksPath, signedIn},
		{"audit", auditPath, signedIn},
		{"auditnothing", auditPath + "?q=nothing", signedIn},
	} {
		mux := http.NewServeMux()
		mux.Handle("/console/", room.as(l.handler))
		mux.Handle(assets.Prefix, l.console.deps.Shelf)
		srv := httptest.NewServer(mux)
		t.Cleanup(srv.Close)
		for _, s := range []screen{desk[0], desk[1], phone[0]} {
			where := fmt.Sprintf("%s-%d-%s", room.name, s.Width, s.Scheme)
			axe.Inspect(ctx, t, s, srv.URL+room.path, where)
		}
	}
}
