package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/api"
)

// TestVisitorsReadIncidentsAndNothingBesides: what was published stands on the
// page, in the API, in the history and in the feeds; drafts, notes, tasks,
// suspicions, private incidents and names of staff stand nowhere; an incident
// that another took the place of leads there, and one that becomes private goes.
func TestVisitorsReadIncidentsAndNothingBesides(t *testing.T) { // S1-22, S1-25
	t.Parallel()
	shop, books := newTarget(t), newTarget(t)
	s := newSite(t)
	h := boot(t, s, fmt.Sprintf(`
page: {name: Example Ltd, url: https://status.example.org, time_zone: Europe/Berlin}
components: [{id: shop, name: Web shop}, {id: search, name: Search}, {id: ledger, name: %[3]s ledger, public: false}]
monitors:
  - {id: %[3]s-door, component: shop, kind: http, url: "%[1]s", interval: 1s}
  - {id: %[3]s-books, component: ledger, kind: http, url: "%[2]s", interval: 1s}
`, shop.url(), books.url(), secret))
	h.awaitShown("shop", "operational")
	books.turns(fails) // a suspicion that nobody outside may hear of
	declare := func(n api.NewIncident) api.Incident {
		t.Helper()
		var i api.Incident
		if a := h.act(http.MethodPost, "/api/v1/incidents", n, &i); a.code != http.StatusOK {
			t.Fatalf("declare %q: %d %s", n.Name, a.code, a.body)
		}
		return i
	}
	do := func(method, path string, body any) {
		t.Helper()
		if a := h.act(method, path, body, nil); a.code/100 != 2 {
			t.Fatalf("%s %s: %d %s", method, path, a.code, a.body)
		}
	}
	says := func(id, status string) []api.Says { return []api.Says{{ID: id, Status: status}} }
	slow := declare(api.NewIncident{Name: `Search <b onclick="x">is</b> slow`, Body: "We look into **it**. <script>alert(1)</script> [x](javascript:alert(2))", Publish: true, Components: says("search", "degraded_performance")})
	twin := declare(api.NewIncident{Name: "Searches take long", Body: "Somebody else saw it too.", Publish: true, Components: says("search", "degraded_performance")})
	declare(api.NewIncident{Name: "The draft of " + secret, Body: secret, Components: says("shop", "major_outage")})
	declare(api.NewIncident{Name: "Private " + secret, Body: secret, Private: true, Publish: true, Components: says("shop", "major_outage")})
	declare(api.NewIncident{Name: "Books " + secret, Body: secret, Publish: true, Components: says("ledger", "major_outage")})
	hidden := declare(api.NewIncident{Name: "Soon to be hidden", Body: "Nothing to see.", Publish: true, Components: says("shop", "degraded_performance")})
	at := "/api/v1/incidents/" + slow.ID
	do(http.MethodPost, at+"/notes", api.Words{Body: "It is " + secret})
	do(http.MethodPost, at+"/tasks", api.NewTask{Text: "Restart " + secret})
	do(http.MethodPost, at+"/updates", api.NewUpdate{Body: "A draft about " + secret, State: "identified", Draft: true})

	h.await("the incidents on the page", func() bool {
		body := h.get("/").body
		return strings.Contains(body, "We look into <strong>it</strong>.") && strings.Contains(body, "Searches take long") && strings.Contains(body, "Soon to be hidden")
	})
	saysNothing(t, h.hub, s, shop, books)

	do(http.MethodPost, "/api/v1/incidents/"+twin.ID+"/merge", api.MergeInto{Into: slow.ID})
	do(http.MethodPatch, "/api/v1/incidents/"+hidden.ID, map[string]any{"visibility": "private", "reason": "It was a test."})
	h.await("what is gone to be gone", func() bool {
		front := h.get("/").body
		return h.get("/incidents/"+hidden.ID).code == http.StatusNotFound && !strings.Contains(front, "Soon to be hidden") && !strings.Contains(front, "Searches take long")
	})
	for path, to := range map[string]string{
		"/incidents/" + twin.ID:                  "/incidents/" + slow.ID,
		"/api/v2/incidents/" + twin.ID + ".json": "/api/v2/incidents/" + slow.ID + ".json",
	} {
		if a := h.get(path); a.code != http.StatusMovedPermanently || a.header.Get("Location") != to {
			t.Errorf("%s: %d to %q, want %s", path, a.code, a.header.Get("Location"), to)
		}
	}
	do(http.MethodPost, at+"/updates", api.NewUpdate{Body: "It is fast again.", State: "resolved"})
	for _, path := range []string{"/incidents/" + slow.ID, "/history", "/components/search", "/history.atom", "/history.rss", "/feed.json", "/api/v2/incidents.json"} {
		h.await("the end of it on "+path, func() bool { return strings.Contains(h.get(path).body, "It is fast again.") })
	}
	h.await("a calm headline", func() bool { return strings.Contains(h.get("/").body, "Everything we can measure is working.") })
	saysNothing(t, h.hub, s, shop, books)
	for path, want := range map[string]string{"/api/v2/incidents/unresolved.json": `"incidents":[]`, "/api/v2/status.json": `"indicator":"none"`, "/incidents/" + slow.ID: "It lasted"} {
		if body := h.get(path).body; !strings.Contains(body, want) {
			t.Errorf("%s does not say %s: %.300s", path, want, body)
		}
	}
}

// TestAPublishedUpdateIsSeenAtOnce: on the page, in the API and on an open
// stream, long before the quiet second that other changes wait for.
func TestAPublishedUpdateIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	h := boot(t, newSite(t), "page: {name: Example Ltd}\ncomponents: [{id: shop, name: Web shop}]\n")
	h.await("the API", func() bool { return h.ask(http.MethodGet, h.admin+"/api/v1/incidents", "").code == http.StatusOK })
	var i api.Incident
	if a := h.act(http.MethodPost, "/api/v1/incidents", api.NewIncident{Name: "Slow", Body: "Update 0.", Publish: true, Components: []api.Says{{ID: "shop", Status: "degraded_performance"}}}, &i); a.code != http.StatusOK {
		t.Fatalf("declare: %d %s", a.code, a.body)
	}
	var took []time.Duration
	for n := range 5 {
		text := fmt.Sprintf("Update %d.", n+1)
		began := time.Now()
		if a := h.act(http.MethodPost, "/api/v1/incidents/"+i.ID+"/updates", api.NewUpdate{Body: text, State: "investigating"}, nil); a.code != http.StatusOK {
			t.Fatalf("publish: %d %s", a.code, a.body)
		}
		h.await("the update on the page and in the API", func() bool {
			return strings.Contains(h.get("/").body, text) && strings.Contains(h.get("/api/v2/incidents/unresolved.json").body, text)
		})
		took = append(took, time.Since(began))
	}
	t.Logf("seen after %v", took)
	var doc struct {
		Incidents []struct {
			Updates []struct{ Body string } `json:"incident_updates"`
		}
	}
	if err := json.Unmarshal([]byte(h.get("/api/v2/incidents.json").body), &doc); err != nil || len(doc.Incidents) != 1 || len(doc.Incidents[0].Updates) != 6 || doc.Incidents[0].Updates[0].Body != "Update 5." {
		t.Errorf("the API tells %+v (%v)", doc, err)
	}
	if a := h.post("/subscribe", url.Values{"address": {"reader@example.org"}}); a.code != http.StatusBadRequest || !strings.Contains(a.body, "role=\"alert\"") {
		t.Errorf("without mail a subscription is answered by %d", a.code)
	}
}
