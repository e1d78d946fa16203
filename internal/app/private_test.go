package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
	"evenkeel/web/door/doortest"
)

// unsaid stands in every word of a private incident.
const unsaid = "embargo-41d7"

// vault is what others must not get at: a private incident with everything in
// it, and what belongs to a person.
type vault struct {
	upright
	house    *doortest.House
	incident string // ids
	number   string
	draft    string
	task     string
	person   string
	session  string
	token    string
	hook     string
	open     string // an incident that everybody inside sees
}

func lock(t *testing.T) vault {
	t.Helper()
	v := vault{upright: stand(t, "page: {name: Example Ltd, url: \"https://status.example.org\"}\ncomponents: [{id: shop, name: Web shop}, {id: search, name: Search}]\n")}
	v.house = doortest.Settle(t, v.h.doors.accounts, v.h.doors.tokens)
	ctx, room := t.Context(), v.h.wings.room
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	shop := v.h.watch.Catalog().Components[0].Key
	i, err := room.Declare(ctx, access.Host, incident.Declaration{
		Name: "Breach " + unsaid, Body: "Body " + unsaid, Private: true, Publish: true, Components: []incident.Affected{{Component: shop, Status: "major_outage"}},
	})
	must(err)
	v.incident, v.number = i.ID, i.Label()
	_, err = room.Note(ctx, access.Host, i.ID, "Note "+unsaid)
	must(err)
	task, err := room.AddTask(ctx, access.Host, i.ID, "Task "+unsaid, "")
	must(err)
	v.task = task.ID
	draft, err := room.Draft(ctx, access.Host, i.ID, incident.Wording{Body: "Draft " + unsaid, State: incident.Identified})
	must(err)
	v.draft = draft.ID
	other, err := room.Declare(ctx, access.Host, incident.Declaration{Name: "Search is slow", Body: "We look into it.", Publish: true})
	must(err)
	v.open = other.ID

	v.person = v.house.Person(t, "owner", access.Grant{Role: access.RoleAdmin})
	secret := v.house.Enter(t, v.person)
	_, s, err := v.h.doors.accounts.Session(ctx, secret)
	must(err)
	v.session = s.ID
	_, tok, err := v.h.doors.tokens.Make(ctx, access.Host, people.TokenDraft{Name: unsaid, Role: access.RoleAdmin, Scopes: []string{"*"}})
	must(err)
	_, hook, err := v.h.doors.hooks.Make(ctx, access.Host, people.HookDraft{Source: "alertmanager", Name: unsaid})
	must(err)
	v.token, v.hook = tok.ID, hook.ID
	return v
}

// state is what must be as it was.
type state struct {
	Incident incident.Incident
	Lines    []incident.Update
	Open     []incident.Link
	Merged   string
	Sessions []string
	Token    bool
	Hook     bool
	People   int
}

func (v vault) state(t *testing.T) state {
	t.Helper()
	ctx, d := context.Background(), v.h.doors
	i, lines, err := v.h.wings.room.Get(ctx, access.Host, v.incident)
	if err != nil {
		t.Fatal(err)
	}
	open, _, err := v.h.wings.room.Get(ctx, access.Host, v.open)
	if err != nil {
		t.Fatal(err)
	}
	s := state{Incident: i, Lines: lines, Merged: open.MergedInto}
	for _, l := range open.Links {
		if strings.Contains(l.Ref.ID, v.incident) {
			s.Open = append(s.Open, l)
		}
	}
	sessions, err := d.accounts.Sessions(ctx, access.Host, v.person)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range sessions {
		s.Sessions = append(s.Sessions, one.ID)
	}
	tokens, err := d.tokens.List(ctx, access.Host)
	if err != nil {
		t.Fatal(err)
	}
	s.Token = slices.ContainsFunc(tokens, func(o people.Token) bool { return o.ID == v.token && o.RevokedAt.IsZero() })
	hooks, err := d.hooks.List(ctx, access.Host)
	if err != nil {
		t.Fatal(err)
	}
	s.Hook = slices.ContainsFunc(hooks, func(o people.Hook) bool { return o.ID == v.hook && o.RevokedAt.IsZero() })
	all, err := d.accounts.List(ctx, access.Host)
	if err != nil {
		t.Fatal(err)
	}
	s.People = len(all)
	return s
}

// tries is what is sent to a route, by the end of its path; what is not named gets
// a form with everything that forms of the console have, or an empty object.
func (v vault) tries(rt door.Route) string {
	if rt.Method == http.MethodGet || rt.Method == http.MethodHead {
		return ""
	}
	if rt.Way != door.WayBearer {
		return "name=x&body=x&words=x&text=x&note=x&reason=because&why=because&review=x&state=resolved&status=operational&impact=none&version=1&line_version=1" +
			"&confirm=yes&deliver=on&reopen=x&person=" + v.person + "&into=" + v.incident + "&incident=" + v.incident + "&draft=" + v.draft + "&line=" + v.draft + "&task=" + v.task +
			"&id=" + v.incident + "&session=" + v.session + "&token=" + v.token + "&hook=" + v.hook + "&kind=incident&ref=" + v.incident + "&relation=related&duty=commander&role=commander&done=on"
	}
	if strings.HasPrefix(rt.Path, "/v1/") {
		return `{"incident":{"status":"resolved","body":"x","name":"x"},"component":{"status":"operational"},"subscriber":{"email":"x@example.org"}}`
	}
	for _, b := range [][2]string{
		{"/merge", `{"into":"` + v.incident + `"}`}, {"/updates", `{"body":"x","state":"resolved"}`}, {"/updates/{update}", `{"body":"x","reason":"because","version":1}`},
		{"/notes", `{"body":"x"}`}, {"/reopen", `{"body":"x"}`}, {"/tasks", `{"text":"x"}`}, {"/tasks/{task}", `{"done":true}`}, {"/postmortem", `{"body":"x","version":1}`},
		{"/links", `{"kind":"incident","id":"` + v.incident + `","relation":"related"}`}, {"/unlink", `{"kind":"incident","id":"` + v.incident + `","relation":"related"}`},
		{"/duties/{role}", `{"person":"` + v.person + `"}`}, {"/incidents/{id}", `{"name":"x","reason":"because"}`},
	} {
		if strings.HasSuffix(rt.Path, b[0]) {
			return b[1]
		}
	}
	return "{}"
}

// TestIdsOpenNothing asks for everything behind the door with the ids of a private
// incident and of other people's things: whoever may not know of them reads not a
// word and changes nothing (Bad input: IDOR over every route).
func TestIdsOpenNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("thousands of requests are left to the long run")
	}
	v := lock(t)
	paths := [][]string{
		{v.incident}, {v.number}, {v.incident, v.draft}, {v.incident, v.task}, {v.open, v.draft}, {v.open, v.task}, {v.open}, {v.draft}, {v.task},
		{v.person}, {v.session}, {v.token}, {v.hook}, {"incident:" + v.incident}, {"status.example.org", v.incident},
	}
	askers := map[string]func(*http.Request){
		// A right for one component is none for what touches another one.
		"an operator of another component": v.cookie(t, "elsewhere", access.Grant{Role: access.RoleOperator, Scope: access.Scope{Kind: "component", ID: v.h.watch.Catalog().Components[1].Key}}),
	}
	for _, role := range access.People() {
		if (access.Actor{Role: role}).May(access.IncidentPrivate) {
			continue
		}
		askers[string(role)] = func(r *http.Request) { v.house.Session(r, role) }
		askers["a machine as "+string(role)] = func(r *http.Request) { v.house.Bearer(r, role) }
	}
	before, handler := v.state(t), v.web.Public()
	if len(before.Lines) == 0 || !before.Token || !before.Hook || len(before.Sessions) != 1 {
		t.Fatalf("nothing to look for: %+v", before)
	}
	for who, as := range askers {
		for _, rt := range v.web.Routes() {
			if rt.Way == door.WayHook || rt.Way == door.WayOpen || strings.HasSuffix(rt.Path, "/sign-out") {
				continue
			}
			wildcards := strings.Count(rt.Path, "{")
			for n, ids := range paths {
				if wildcards == 0 && n > 0 {
					break // all the same
				}
				r := doortest.Request(rt, "same-origin", v.tries(rt), ids...)
				if wildcards == 0 && rt.Method == http.MethodGet {
					q := r.URL.Query()
					if strings.HasSuffix(rt.Path, "/deliveries") || strings.HasSuffix(rt.Path, "/journal") {
						q.Set("subject", "incident:"+v.incident)
					}
					r.URL.RawQuery = q.Encode()
				}
				as(r)
				rec := httptest.NewRecorder()
				handler.ServeHTTP(rec, r)
				body, err := io.ReadAll(rec.Result().Body)
				if err != nil {
					t.Fatal(err)
				}
				if at := strings.Index(string(body), unsaid); at >= 0 {
					t.Errorf("%s %s as %s reads: …%s", r.Method, r.URL, who, body[max(0, at-100):min(len(body), at+40)])
				}
				if rec.Code >= 500 && rec.Code != http.StatusServiceUnavailable {
					t.Errorf("%s %s as %s: %d %s", r.Method, r.URL, who, rec.Code, body)
				}
			}
		}
		if diff := cmp.Diff(before, v.state(t)); diff != "" {
			t.Fatalf("%s changed (-was +is):\n%s", who, diff)
		}
	}
	seen := httptest.NewRequest(http.MethodGet, "http://localhost:8080/api/v1/incidents/"+v.incident, nil)
	v.house.Bearer(seen, access.RoleSRE)
	rec := httptest.NewRecorder()
	if handler.ServeHTTP(rec, seen); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "Task "+unsaid) {
		t.Errorf("who may does not see it: %d %s", rec.Code, rec.Body)
	}
	// Public pages know even less.
	for _, path := range []string{"/", "/history", "/incidents/" + v.incident, "/incidents/" + v.number, "/api/v2/incidents.json", "/api/v2/incidents/" + v.incident + ".json", "/history.atom", "/feed.json"} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if strings.Contains(rec.Body.String(), unsaid) {
			t.Errorf("%s tells visitors", path)
		}
	}
}

// cookie lets somebody with the grants in, and gives what makes a request theirs.
func (v vault) cookie(t *testing.T, name string, grants ...access.Grant) func(*http.Request) {
	t.Helper()
	session := v.house.Enter(t, v.house.Person(t, name, grants...))
	return func(r *http.Request) { doortest.Cookie(r, session) }
}

// TestASessionEndsForItsOwnerAlone: who knows the id of somebody else's session
// cannot end it, and a right that was taken back is gone at once.
func TestASessionEndsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	v := lock(t)
	ctx := t.Context()
	id := v.house.Person(t, "viewer-two", access.Grant{Role: access.RoleViewer})
	secret := v.house.Enter(t, id)
	viewer, own, err := v.h.doors.accounts.Session(ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.h.doors.accounts.EndSession(ctx, viewer.Actor(), v.session); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("another's session: %v", err)
	}
	ask := func(path string) int {
		r := httptest.NewRequest(http.MethodGet, "http://localhost:8080"+path, nil)
		r.RemoteAddr = "127.0.0.1:50000"
		doortest.Cookie(r, secret)
		rec := httptest.NewRecorder()
		v.web.Public().ServeHTTP(rec, r)
		return rec.Code
	}
	if code := ask("/api/v1/components"); code != http.StatusOK {
		t.Errorf("before: %d", code)
	}
	if err := v.h.doors.accounts.EndSession(ctx, viewer.Actor(), own.ID); err != nil {
		t.Fatal(err)
	}
	if code := ask("/api/v1/components"); code != http.StatusUnauthorized {
		t.Errorf("after the session ended: %d", code)
	}
	secret = v.house.Enter(t, id)
	if code := ask("/console/deliveries"); code != http.StatusOK {
		t.Errorf("back again: %d", code)
	}
	if _, err := v.h.doors.accounts.Disable(ctx, access.Host, id); err != nil {
		t.Fatal(err)
	}
	if code := ask("/console/deliveries"); code == http.StatusOK {
		t.Errorf("a disabled account: %d", code)
	}
}
