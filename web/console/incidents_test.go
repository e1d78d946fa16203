package console

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/incident/incidenttest"
	"evenkeel/internal/notice"
	"evenkeel/internal/notice/noticetest"
)

// watched tells the room of incidents what the estate has.
type watched struct{ *record }

// Known gives its components as they stand.
func (w watched) Known() []incident.Component {
	var out []incident.Component
	for _, c := range w.catalog.Components {
		one := incident.Component{Key: c.Key, ID: c.ID, Name: c.Name, Group: c.Group, Public: c.Public, Runbook: c.Runbook, Policy: "auto"}
		for _, span := range w.open {
			if span.Component == c.Key && span.Track == "observed" {
				one.Observed = string(span.Status)
			} else if span.Component == c.Key {
				one.Status = string(span.Status)
			}
		}
		out = append(out, one)
	}
	return out
}

// staffed is a console with every wing behind it: incidents and
// notices on records in memory.
func staffed(t testing.TB, r *record) (*Console, *incident.Room, *notice.Desk) {
	t.Helper()
	return staffedOn(t, r, noticetest.New())
}

// staffedOn is staffed with notices on a record that the test has.
func staffedOn(t testing.TB, r *record, letters *noticetest.Store) (*Console, *incident.Room, *notice.Desk) {
	t.Helper()
	record, now := incidenttest.New(), time.Now
	quiet := slog.New(slog.DiscardHandler)
	room := incident.NewRoom(incident.RoomDeps{Work: record, Store: record, Components: watched{r}, Now: now, Log: quiet})
	desk := notice.NewDesk(notice.DeskDeps{Work: letters, Store: letters, People: noticetest.Staff("p1", "person/p1", "p2"), Signer: noticetest.Key("k"), Log: quiet, Now: now})
	desk.Setup(notice.Setup{
		Mail:     "mail",
		Channels: []notice.ChannelSpec{{ID: "mail", Kind: "mail"}, {ID: "chat", Kind: "slack"}},
		Routes:   []notice.Route{{ID: "all", To: []notice.Target{{Channel: "chat"}}}},
		Rotations: []notice.Rotation{{
			ID: "primary", Name: "Primary", Zone: "Europe/London", Start: now().Add(-24 * time.Hour), Turn: 7 * 24 * time.Hour, People: []string{"p1", "p2"}, Channel: "mail",
		}},
	})
	d := sample(t, r).deps
	d.Now, d.Incidents, d.Room, d.Told, d.Channels, d.Rota, d.Subscribers = now, room, room, desk, desk, desk, desk
	d.Roster = func(context.Context) (map[string]string, error) {
		return map[string]string{"p1": "SRE on call", "p2": "Operator"}, nil
	}
	d.People = PeopleOf(d.Roster)
	d.Outbox = func() []Letter {
		return []Letter{{ID: "d-1", At: now(), Channel: "mail", Kind: "mail", To: "reader@example.org", Event: "incident.updated", Subject: "Card payments fail", Text: "We are looking into it."}}
	}
	return New(d), room, desk
}

// sre is who the tests act as.
var sre = access.Actor{ID: "person/p1", Role: access.RoleSRE}

// payments declares the incident of the look.
func payments(t testing.TB, room *incident.Room) incident.Incident {
	t.Helper()
	ctx := t.Context()
	i, err := room.Declare(ctx, sre, incident.Declaration{
		Name: "Card payments failing at checkout", StartedAt: time.Now().Add(-12 * time.Minute), Body: "Some card payments fail. We are looking for the cause.", Publish: true, Deliver: true,
		Components: []incident.Affected{{Component: "payments-api", Status: "major_outage"}, {Component: "checkout", Status: "major_outage"}, {Component: "refunds", Status: "degraded_performance"}, {Component: "gift-cards", Status: "operational"}},
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	_, err = room.Assign(ctx, sre, i.ID, incident.Commander, "p1")
	must(err)
	_, err = room.Note(ctx, sre, i.ID, "The gateway refuses our signature since **payments-api 2.9.0**. Going back is quicker than forward.")
	must(err)
	_, _, err = room.Publish(ctx, sre, i.ID, incident.Publication{State: incident.Identified, Body: "Card payments fail for about one customer in three. Invoice and gift card are not affected.", Deliver: true})
	must(err)
	_, err = room.AddTask(ctx, sre, i.ID, "Tell the card gateway", "p2")
	must(err)
	done, err := room.AddTask(ctx, sre, i.ID, "Confirm the way back", "")
	must(err)
	_, err = room.TickTask(ctx, sre, i.ID, done.ID, true)
	must(err)
	i, err = room.Link(ctx, sre, i.ID, incident.Link{URL: "https://gateway.example.org/status", Title: "Status of the gateway"})
	must(err)
	return i
}

// hidden reads a hidden field of a page.
func hidden(t *testing.T, page, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("there is no field %s", name)
	}
	return m[1]
}

// held reads which update the room holds.
func held(t *testing.T, page string) string {
	t.Helper()
	m := regexp.MustCompile(`id="held-([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("no update is held")
	}
	return m[1]
}

// An incident is declared, updated, worked on, resolved, explained and opened
// again with plain forms alone (S2-01).
func TestIncidentLivesByFormsAlone(t *testing.T) {
	c, room, _ := staffed(t, estate())
	form := get(t, c, access.RoleSRE, "/console/incidents/new?component=checkout").Body.String()
	for _, want := range []string{`value="Checkout not available"`, `value="Checkout"`} {
		if !strings.Contains(form, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
	bad := post(t, c, access.RoleSRE, "/console/incidents", url.Values{"name": {""}, "body": {"kept words"}, "component": {"No such thing"}, "status": {"major_outage"}})
	if bad.Code != http.StatusUnprocessableEntity || !strings.Contains(bad.Body.String(), "kept words") {
		t.Fatalf("a wrong form: %d", bad.Code)
	}
	w := post(t, c, access.RoleSRE, "/console/incidents", url.Values{
		"name": {"Checkout not available"}, "state": {"investigating"}, "impact": {"auto"}, "body": {"We are on it."}, "publish": {"1"}, "deliver": {"1"},
		"component": {"Checkout", ""}, "status": {"major_outage", "major_outage"},
	})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("declare: %d %s", w.Code, w.Body)
	}
	at := w.Header().Get("Location")
	id := path.Base(at)
	do := func(verb string, pairs ...string) {
		t.Helper()
		v := url.Values{}
		for n := 0; n+1 < len(pairs); n += 2 {
			v.Add(pairs[n], pairs[n+1])
		}
		if w := post(t, c, access.RoleSRE, at+"/"+verb, v); w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", verb, w.Code, cut(w.Body.String(), 400))
		}
	}
	do("duty", "duty", "commander", "me", "1")
	do("note", "note", "The gateway is *slow*.")
	do("task", "task", "Call the gateway", "owner", "p2")
	do("link", "link", "https://example.org/x", "relation", "related")
	do("runbook", "runbook", "https://example.org/runbook")
	do("component", "name", "Refunds", "status", "partial_outage")
	do("component", "key", "refunds", "status", "degraded_performance")
	do("impact", "impact", "minor", "reason", "Few are hit.")
	do("rename", "name", "Checkout is slow", "reason", "It is.")
	do("promise", "every", "15m0s")
	do("draft", "body", "Drafted words", "state", "identified", "draft", "")
	page := get(t, c, access.RoleSRE, at).Body.String()
	for _, want := range []string{"Drafted words", "Drafted by SRE on call", "<em>slow</em>", "Call the gateway", "https://example.org/runbook", "Few are hit.", "Checkout is slow", "Refunds"} {
		if !strings.Contains(page, want) {
			t.Errorf("the room lacks %q", want)
		}
	}
	stale := post(t, c, access.RoleSRE, at+"/publish", url.Values{"version": {"1"}, "body": {"typed in vain"}, "state": {"identified"}})
	if stale.Code != http.StatusConflict || !strings.Contains(stale.Body.String(), "typed in vain") {
		t.Errorf("a stale form: %d", stale.Code)
	}
	do("publish", "version", hidden(t, page, "version"), "draft", hidden(t, page, "draft"), "body", "Found it.", "state", "identified", "next", "1h0m0s", "deliver", "1", "component", "checkout", "status", "partial_outage")
	waiting := get(t, c, access.RoleSRE, at).Body.String()
	for _, want := range []string{"Take back", "Publish now", `data-due="`, "Found it."} {
		if !strings.Contains(waiting, want) {
			t.Errorf("the room that holds an update lacks %q", want)
		}
	}
	if i, _, _ := room.Get(t.Context(), sre, id); i.State != incident.Investigating {
		t.Errorf("it went out at once: the incident is %s", i.State)
	}
	sent := held(t, waiting)
	do("unsend", "draft", sent)
	page = get(t, c, access.RoleSRE, at).Body.String()
	if strings.Contains(page, "Take back") || !strings.Contains(page, ">Found it.</textarea>") || hidden(t, page, "draft") != sent {
		t.Error("what was taken back is no draft again")
	}
	do("publish", "version", hidden(t, page, "version"), "draft", sent, "body", "Found it.", "state", "identified", "next", "1h0m0s", "deliver", "1", "component", "checkout", "status", "partial_outage")
	do("release", "draft", sent)
	i, lines, err := room.Get(t.Context(), sre, id)
	if err != nil {
		t.Fatal(err)
	}
	if i.State != incident.Identified || i.Components[0].Status != "partial_outage" || i.Impact != incident.ImpactMinor || i.Name != "Checkout is slow" || i.ReminderEvery != 15*time.Minute {
		t.Errorf("the incident is %+v", i)
	}
	for _, u := range lines {
		if u.Kind == incident.KindUpdate && u.Body == "Found it." {
			do("edit", "line", u.ID, "line_version", strconv.FormatInt(u.Version, 10), "words", "Found the cause.", "reason", "Clearer.")
		}
	}
	page = get(t, c, access.RoleSRE, at).Body.String()
	do("publish", "version", hidden(t, page, "version"), "draft", "", "body", "It is over.", "state", "resolved")
	do("release", "draft", held(t, get(t, c, access.RoleSRE, at).Body.String()))
	do("review", "review", "What happened and why.", "publish", "1")
	if i, _, _ = room.Get(t.Context(), sre, id); i.State != incident.Postmortem {
		t.Errorf("the incident is %s", i.State)
	}
	do("reopen", "reopen", "It is back.", "deliver", "1")
	if i, _, _ = room.Get(t.Context(), sre, id); i.State != incident.Investigating {
		t.Errorf("the incident is %s", i.State)
	}
}

// A private incident is not there for who may not know of it (S2-05).
func TestPrivateIncidentIsNotThereForOthers(t *testing.T) {
	c, room, _ := staffed(t, estate())
	i, err := room.Declare(t.Context(), sre, incident.Declaration{Name: "canary-secret", Private: true, Body: "canary-secret", Components: []incident.Affected{{Component: "checkout", Status: "major_outage"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/console/incidents", "/console/incidents/" + i.ID, "/console/attention", "/console/wall"} {
		if body := get(t, c, access.RoleDeveloper, p).Body.String(); strings.Contains(body, "canary-secret") {
			t.Errorf("%s tells of it", p)
		}
	}
	if w := get(t, c, access.RoleDeveloper, "/console/incidents/"+i.ID); w.Code != http.StatusNotFound {
		t.Errorf("it answers %d", w.Code)
	}
}

// The list has what is open before what is over, and pages through the rest.
func TestIncidentsAreListedOpenFirst(t *testing.T) {
	c, room, _ := staffed(t, estate())
	payments(t, room)
	for n := range incidentRows + 2 {
		at := time.Now().Add(-time.Duration(n+1) * 24 * time.Hour)
		if _, err := room.Backfill(t.Context(), sre, incident.Past{
			Declaration: incident.Declaration{Name: "Past trouble", StartedAt: at, Components: []incident.Affected{{Component: "search", Status: "partial_outage"}}},
			ResolvedAt:  at.Add(time.Hour), Updates: []incident.PastUpdate{{State: incident.Resolved, Body: "It was over.", At: at.Add(time.Hour)}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	page := get(t, c, access.RoleViewer, "/console/incidents").Body.String()
	if strings.Index(page, "Card payments failing") > strings.Index(page, "Past trouble") || strings.Count(page, ">Past trouble<") != incidentRows {
		t.Error("the list is out of order")
	}
	next := regexp.MustCompile(`href="([^"]*before=[^"]*)"`).FindStringSubmatch(page)
	if next == nil {
		t.Fatal("there is no second page")
	}
	if second := get(t, c, access.RoleViewer, strings.ReplaceAll(next[1], "&amp;", "&")).Body.String(); strings.Count(second, ">Past trouble<") != 2 {
		t.Error("the second page holds something else")
	}
	if only := get(t, c, access.RoleViewer, "/console/incidents?component=search&state=resolved").Body.String(); strings.Contains(only, "Card payments failing") || !strings.Contains(only, "Past trouble") {
		t.Error("the filter lets others through")
	}
}

// Words are kept as a template, and fill in an update and a declaration.
func TestTemplatesFillForms(t *testing.T) {
	c, room, _ := staffed(t, estate())
	i := payments(t, room)
	if w := post(t, c, access.RoleSRE, templatesPath, url.Values{"name": {"Cause found"}, "body": {"We know why {{components}} fail."}, "state": {"identified"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("keep: %d %s", w.Code, w.Body)
	}
	if w := post(t, c, access.RoleSRE, templatesPath, url.Values{"name": {""}, "body": {"kept {{"}}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "kept {{") {
		t.Errorf("a wrong template: %d", w.Code)
	}
	list, err := room.Templates(t.Context(), sre)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d templates: %v", len(list), err)
	}
	id := list[0].ID
	if page := get(t, c, access.RoleSRE, "/console/incidents/"+i.ID+"?template="+id).Body.String(); !strings.Contains(page, "We know why Payments API") {
		t.Error("the update is not filled in")
	}
	if page := get(t, c, access.RoleSRE, "/console/incidents/new?template="+id); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "We know why {{components}} fail.") {
		t.Errorf("the declaration is not filled in: %d", page.Code)
	}
	if w := post(t, c, access.RoleSRE, templatesPath+"/"+id+"/drop", url.Values{"version": {"1"}}); w.Code != http.StatusSeeOther {
		t.Errorf("drop: %d", w.Code)
	}
}

// What people write is text and nothing else, whatever they write.
func TestIncidentPagesHoldHostileWords(t *testing.T) {
	c, room, desk := staffed(t, estate())
	bad := `"><script>alert(1)</script>&{{.}} [x](javascript:alert(1))`
	i, err := room.Declare(t.Context(), sre, incident.Declaration{
		Name: bad, Body: bad, Publish: true, Components: []incident.Affected{{Component: "checkout", Status: "major_outage"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := room.Note(t.Context(), sre, i.ID, bad); err != nil {
		t.Fatal(err)
	}
	if _, err := room.Draft(t.Context(), sre, i.ID, incident.Wording{Body: bad, PublishAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := room.AddTask(t.Context(), sre, i.ID, bad, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Test(t.Context(), sre, "chat"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		incidentsPath, incidentsPath + "/" + i.ID, incidentsPath + "/" + i.ID + "?lane=people&all=1", incidentsPath + "/1", incidentsPath + "/new", templatesPath, attentionPath,
		alertsPath, alertsPath + "?show=all", deliveriesPath, deliveriesPath + "?subject=incident/" + i.ID, onCallPath, subscribersPath, channelsPath, outboxPath,
	} {
		w := get(t, c, access.RoleSRE, path)
		body := w.Body.String()
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
		for _, never := range []string{"<script>alert", "ZgotmplZ", "<no value>", " style=", "href=\"javascript:"} {
			if strings.Contains(body, never) {
				t.Errorf("%s: holds %q", path, never)
			}
		}
		if n := strings.Count(body, "<h1"); n != 1 {
			t.Errorf("%s: %d headings of the first level", path, n)
		}
		ids(t, path, body)
	}
}
