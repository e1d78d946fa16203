package statuspage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	types "evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/web/api/apitest"
	"evenkeel/web/statuspage"
)

var write = flag.Bool("write", false, "write the golden files instead of comparing them")

var (
	operator = access.Actor{ID: "token/1", Role: access.RoleOperator}
	viewer   = access.Actor{ID: "token/2", Role: access.RoleViewer}
)

// scene is the shapes over real wings.
type scene struct {
	*apitest.Hub
	t       *testing.T
	by      access.Actor
	handler http.Handler
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{Hub: apitest.New(t), t: t, by: operator}
	src := &statuspage.Sources{Watch: s.Watch, Spans: s.Statuses, Incidents: s.Room, Desk: s.Desk, Notices: s.Notices, Replies: s.Replies}
	s.handler = statuspage.New(statuspage.Options{
		Now: time.Now, Sources: func() *statuspage.Sources { return src }, Actor: func(context.Context) access.Actor { return s.by },
		Problem: func(err error) *types.Problem {
			codes := map[problem.Kind]int{
				problem.KindNotFound: 404, problem.KindInvalid: 400, problem.KindUnavailable: 503, problem.KindForbidden: 403,
				problem.KindConflict: 409, problem.KindTooMany: 429,
			}
			return types.NewProblem(codes[problem.KindOf(err)], problem.Public(err))
		},
	})
	return s
}

// ask sends a request under /v1/pages/page; a body that does not begin as JSON is a form.
func (s *scene) ask(method, path, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, "/v1/pages/page"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if body != "" && body[0] != '{' {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// did asks, wants the code, and reads the answer.
func (s *scene) did(want int, method, path, body string) any {
	s.t.Helper()
	w := s.ask(method, path, body)
	if w.Code != want {
		s.t.Fatalf("%s %s gives %d, want %d: %s", method, path, w.Code, want, w.Body)
	}
	var out any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		s.t.Fatalf("%s %s gives %s: %v", method, path, w.Body, err)
	}
	return out
}

// one is did for a single thing.
func (s *scene) one(want int, method, path, body string) map[string]any {
	s.t.Helper()
	out, ok := s.did(want, method, path, body).(map[string]any)
	if !ok {
		s.t.Fatalf("%s %s gives no object", method, path)
	}
	return out
}

// many is did for a list.
func (s *scene) many(path string) []any {
	s.t.Helper()
	out, ok := s.did(200, "GET", path, "").([]any)
	if !ok {
		s.t.Fatalf("GET %s gives no list", path)
	}
	return out
}

var (
	moments = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)
	ids     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|m-[a-z2-7]{10}-\d{8}t\d{6}z|\b[a-z2-7]{16}\b`)
)

// golden compares an answer with the file, but for ids and moments.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(ids.ReplaceAll(moments.ReplaceAll(got, []byte(`"(moment)"`)), []byte("(id)")), '\n')
	file := filepath.Join("testdata", name+".json")
	if *write {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%s\nand not\n%s", name, got, want)
	}
}

// The shapes that scripts for Statuspage read and write.
func TestShapes(t *testing.T) {
	s := newScene(t)
	i := s.one(201, "POST", "/incidents", `{"incident":{"name":"Checkout fails","status":"investigating","body":"We look into it.","components":{"web":"partial_outage"},"component_ids":["web","db"],"deliver_notifications":false,"metadata":{"jira":{"key":"A-1"}}}}`)
	golden(t, "incident", i)
	i = s.one(200, "PATCH", "/incidents/"+i["id"].(string), `{"incident":{"status":"resolved","components":{"web":"operational"}}}`)
	golden(t, "incident-resolved", i)
	from := time.Now().UTC().Add(time.Hour)
	golden(t, "maintenance", s.one(201, "POST", "/incidents", fmt.Sprintf(`{"incident":{"name":"New disks","status":"scheduled","body":"We move.","component_ids":["db"],"scheduled_for":%q,"scheduled_until":%q,"scheduled_remind_prior":true}}`,
		from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339))))
	golden(t, "components", s.many("/components"))
	golden(t, "component-groups", s.many("/component-groups"))
	golden(t, "subscriber", s.one(201, "POST", "/subscribers", `{"subscriber":{"email":"reader@example.org","component_ids":["web"],"skip_confirmation_notification":true}}`))
	golden(t, "page", s.one(200, "GET", "", ""))
	golden(t, "error", s.one(404, "GET", "/components/nobody", ""))
}

func TestIncidentIsToldThroughItsStates(t *testing.T) {
	s := newScene(t)
	form := url.Values{"incident[name]": {"Slow"}, "incident[status]": {"identified"}, "incident[component_ids][]": {"web"}, "incident[components][db]": {"degraded_performance"}, "incident[deliver_notifications]": {"false"}}
	i := s.one(201, "POST", "/incidents", form.Encode())
	id := i["id"].(string)
	if i["status"] != "identified" || i["impact"] != "minor" || len(i["components"].([]any)) != 2 {
		t.Fatalf("declared: %v", i)
	}
	if u := i["incident_updates"].([]any)[0].(map[string]any); u["body"] == "" || u["deliver_notifications"] != false {
		t.Errorf("the first update is %v", u)
	}
	if n := len(s.many("/incidents/unresolved")); n != 1 {
		t.Errorf("%d are unresolved", n)
	}
	i = s.one(200, "PUT", "/incidents/"+id, `{"incident":{"name":"Slower","impact_override":"critical","status":"monitoring","body":"A fix is out."}}`)
	if i["name"] != "Slower" || i["impact"] != "critical" || i["impact_override"] != "critical" || i["status"] != "monitoring" || i["monitoring_at"] == nil || len(i["incident_updates"].([]any)) != 2 {
		t.Errorf("changed: %v", i)
	}
	if i = s.one(200, "PATCH", "/incidents/"+id, `{"incident":{"status":"resolved"}}`); i["resolved_at"] == nil {
		t.Errorf("resolved: %v", i)
	}
	if i = s.one(200, "PATCH", "/incidents/"+id, `{"incident":{"status":"identified","body":"It is back."}}`); i["status"] != "identified" || i["resolved_at"] != nil {
		t.Errorf("reopened: %v", i)
	}
	s.one(200, "DELETE", "/incidents/"+id, "")
	if n := len(s.many("/incidents")); n != 0 {
		t.Errorf("%d are shown after it was taken off", n)
	}
	s.one(422, "POST", "/incidents", `{"incident":{"name":"x","component_ids":["nobody"]}}`)
	s.one(422, "POST", "/incidents", `{"name":"x"}`)
	s.one(404, "GET", "/incidents/nothing", "")
}

func TestScheduledIncidentIsMaintenance(t *testing.T) {
	s := newScene(t)
	from := time.Now().UTC().Add(time.Hour).Truncate(time.Second)
	m := s.one(201, "POST", "/incidents", fmt.Sprintf(`{"incident":{"name":"Disks","status":"scheduled","component_ids":["db"],"scheduled_for":%q,"scheduled_until":%q,"scheduled_auto_completed":false}}`,
		from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339)))
	id := m["id"].(string)
	if m["status"] != "scheduled" || m["impact"] != "maintenance" || m["scheduled_auto_completed"] != false || m["scheduled_auto_in_progress"] != true {
		t.Fatalf("planned: %v", m)
	}
	if len(s.many("/incidents/upcoming")) != 1 || len(s.many("/incidents/scheduled")) != 1 || len(s.many("/incidents/active_maintenance")) != 0 || len(s.many("/incidents")) != 1 {
		t.Error("it is not listed where it belongs")
	}
	m = s.one(200, "PATCH", "/incidents/"+id, fmt.Sprintf(`{"incident":{"name":"Newer disks","scheduled_until":%q}}`, from.Add(2*time.Hour).Format(time.RFC3339)))
	if m["name"] != "Newer disks" || m["scheduled_until"] != from.Add(2*time.Hour).Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("changed: %v", m)
	}
	if m = s.one(200, "PATCH", "/incidents/"+id, `{"incident":{"status":"in_progress"}}`); m["status"] != "in_progress" || len(s.many("/incidents/active_maintenance")) != 1 {
		t.Errorf("begun: %v", m)
	}
	if m = s.one(200, "PATCH", "/incidents/"+id, `{"incident":{"status":"completed"}}`); m["status"] != "completed" || m["resolved_at"] == nil {
		t.Errorf("completed: %v", m)
	}
	s.one(422, "POST", "/incidents", `{"incident":{"name":"When","status":"scheduled"}}`)
}

func TestComponentIsStatedByHand(t *testing.T) {
	s := newScene(t)
	if c := s.one(200, "PATCH", "/components/web", `{"component":{"status":"major_outage"}}`); c["status"] != "major_outage" {
		t.Errorf("stated: %v", c)
	}
	said, err := s.Desk.Sayings(t.Context(), operator)
	if err != nil || len(said) != 1 || said[0].Status != "major_outage" {
		t.Errorf("what is said: %v, %v", said, err)
	}
	s.one(200, "PUT", "/components/web", "component[status]=operational")
	s.one(200, "PUT", "/components/web", "component[status]=operational") // twice is fine
	if said, err = s.Desk.Sayings(t.Context(), operator); err != nil || len(said) != 0 {
		t.Errorf("what is said: %v, %v", said, err)
	}
	s.one(422, "PATCH", "/components/web", `{"component":{"status":"on_fire"}}`)
	s.one(422, "PATCH", "/components/web", `{"component":{"name":"Other"}}`)
	s.one(200, "GET", "/component-groups/core", "")
	s.one(404, "GET", "/component-groups/none", "")
}

func TestSubscribersAreListedAndRemoved(t *testing.T) {
	s := newScene(t)
	for n := range 3 {
		s.one(201, "POST", "/subscribers", fmt.Sprintf(`{"subscriber":{"email":"r%d@example.org","skip_confirmation_notification":"true"}}`, n))
	}
	if first, second := s.many("/subscribers?per_page=2"), s.many("/subscribers?per_page=2&page=2"); len(first) != 2 || len(second) != 1 {
		t.Errorf("the pages hold %d and %d", len(first), len(second))
	}
	id := s.many("/subscribers?q=r1@")[0].(map[string]any)["id"].(string)
	s.one(200, "DELETE", "/subscribers/"+id, "")
	if n := len(s.many("/subscribers")); n != 2 {
		t.Errorf("%d are left", n)
	}
	s.one(422, "GET", "/subscribers?page=0x", "")
	s.one(422, "GET", "/subscribers?state=lost", "")
}

func TestOnlyWhoMayAndNotTooOften(t *testing.T) {
	s := newScene(t)
	s.by = viewer
	s.one(403, "POST", "/incidents", `{"incident":{"name":"x"}}`)
	s.one(403, "PATCH", "/components/web", `{"component":{"status":"major_outage"}}`)
	s.one(403, "GET", "/subscribers", "")
	r := httptest.NewRecorder()
	s.handler.ServeHTTP(r, httptest.NewRequest("GET", "/v1/pages/other/components", nil))
	if r.Code != 404 {
		t.Errorf("another page gives %d", r.Code)
	}
	last := 0
	for range 2*statuspage.MaxPerMinute + 2 { // a minute may end meanwhile
		if last = s.ask("GET", "", "").Code; last == 420 {
			break
		}
	}
	if last != 420 {
		t.Errorf("the limit gives %d", last)
	}
	s.by = operator
	s.one(200, "GET", "", "")
}

func TestRoutesAreListed(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range statuspage.Routes() {
		if seen[r.Method+r.Path] || r.Way != "bearer" || r.Action != "" && access.Actions()[r.Action] == nil {
			t.Errorf("%+v", r)
		}
		seen[r.Method+r.Path] = true
	}
	if len(seen) != 22 {
		t.Errorf("%d routes", len(seen))
	}
}

// Bots send only what they have to say, in each of the forms that are about.
func TestBotsSendWhatTheyHave(t *testing.T) {
	s := newScene(t)
	id := s.one(201, "POST", "/incidents.json", `{"incident":{"name":"Slow","components":["web"]}}`)["id"].(string)
	at := "/incidents/" + id
	updates := func(i map[string]any) []any { return i["incident_updates"].([]any) }
	for _, c := range []struct {
		name, body string
		updates    int
		holds      func(i map[string]any) bool
	}{
		{"only a name", `{"incident":{"name":"Slower"}}`, 1, func(i map[string]any) bool { return i["name"] == "Slower" && i["status"] == "investigating" }},
		{"the same name", `{"incident":{"name":"Slower"}}`, 1, func(i map[string]any) bool { return i["name"] == "Slower" }},
		{"only components", `{"incident":{"components":{"web":"major_outage"}}}`, 2, func(i map[string]any) bool {
			return i["impact"] == "critical" && i["components"].([]any)[0].(map[string]any)["status"] == "major_outage"
		}},
		{"only a status", `{"incident":{"status":"identified"}}`, 3, func(i map[string]any) bool {
			return i["status"] == "identified" && updates(i)[0].(map[string]any)["body"] != ""
		}},
		{"only a body, quietly", `{"incident":{"body":"Still at it.","deliver_notifications":false}}`, 4, func(i map[string]any) bool {
			u := updates(i)[0].(map[string]any)
			return i["status"] == "identified" && u["body"] == "Still at it." && u["deliver_notifications"] == false
		}},
		{"only an impact", `{"incident":{"impact_override":"minor"}}`, 4, func(i map[string]any) bool { return i["impact"] == "minor" && i["impact_override"] == "minor" }},
		{"everything as before", `{"incident":{"name":"Slower","status":"identified"}}`, 4, func(i map[string]any) bool { return i["status"] == "identified" }},
		{"what we do not know", `{"incident":{"status":"monitoring","metadata":{"a":{"b":1}},"scheduled_auto_transition":true,"auto_tweet_on_creation":false}}`, 5, func(i map[string]any) bool { return i["monitoring_at"] != nil }},
		{"resolved", `{"incident":{"status":"resolved","body":"Over.","components":{"web":"operational"}}}`, 6, func(i map[string]any) bool { return i["resolved_at"] != nil }},
	} {
		i := s.one(200, "PATCH", at+".json", c.body)
		if len(updates(i)) != c.updates || !c.holds(i) {
			t.Errorf("%s: %d updates, %v", c.name, len(updates(i)), i)
		}
	}
	listed := s.many("/incidents.json")[0].(map[string]any)
	if len(updates(listed)) != 6 || updates(listed)[0].(map[string]any)["body"] != "Over." {
		t.Errorf("the list tells %v", updates(listed))
	}
	if said := s.one(422, "PATCH", at, `{"incident":{"status":"on_fire"}}`)["error"].([]any); len(said) != 1 {
		t.Errorf("what is wrong is told as %v", said)
	}
}
