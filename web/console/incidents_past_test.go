package console

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
)

// An incident that has been is entered with its own times, components and
// words, by a plain form; nobody is told.
func TestPastIncidentIsEnteredByForm(t *testing.T) {
	c, room, desk := staffed(t, estate())
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now().In(london).Add(-72 * time.Hour).Truncate(time.Minute)
	at := func(after time.Duration) string { return began.Add(after).Format(localForm) }
	form := get(t, c, access.RoleSRE, pastPath+"?component=search").Body.String()
	for _, want := range []string{`value="Search"`, "Nobody is told", "Enter it"} {
		if !strings.Contains(form, want) {
			t.Errorf("the form lacks %q", want)
		}
	}
	v := url.Values{
		"name": {"Search was away"}, "impact": {"auto"}, "started_at": {at(0)}, "resolved_at": {at(2 * time.Hour)}, "review": {"An index was *lost*."},
		"component": {"Search", "", ""}, "status": {"partial_outage", "major_outage", "major_outage"},
		"state": {"investigating", "identified", "monitoring", "resolved"}, "at": {"", at(30 * time.Minute), "", ""},
		"words": {"Search fails.", "An index is gone.", "", "It is back."},
	}
	more := url.Values{"more": {"1"}}
	for k, list := range v {
		more[k] = append([]string{}, list...)
	}
	if w := post(t, c, access.RoleSRE, pastPath, more); w.Code != http.StatusOK || strings.Count(w.Body.String(), `name="words"`) != 4+pastMore || !strings.Contains(w.Body.String(), "An index is gone.") {
		t.Errorf("room for more: %d", w.Code)
	}
	w := post(t, c, access.RoleSRE, pastPath, v)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("enter: %d %s", w.Code, cut(w.Body.String(), 400))
	}
	i, lines, err := room.Get(t.Context(), sre, path.Base(w.Header().Get("Location")))
	if err != nil {
		t.Fatal(err)
	}
	if !i.Backfilled || i.State != incident.Postmortem || !i.StartedAt.Equal(began) || i.ResolvedAt.Sub(i.StartedAt) != 2*time.Hour || i.Components[0].Component != "search" || i.Impact != incident.ImpactMajor {
		t.Errorf("the incident is %+v", i)
	}
	var told []string
	for _, u := range lines {
		told = append(told, fmt.Sprintf("%s %s %v", u.State, u.DisplayAt.Sub(i.StartedAt), u.Deliver))
	}
	if got := strings.Join(told, ", "); got != "investigating 0s false, identified 30m0s false, resolved 2h0m0s false" {
		t.Errorf("it says %s", got)
	}
	if h, err := desk.Health(t.Context(), sre); err != nil || len(h.Channels) > 0 && h.Channels[0].Waiting > 0 {
		t.Errorf("somebody is told: %+v, %v", h, err)
	}
}

func TestPastIncidentThatCannotBeIsShownAgain(t *testing.T) {
	c, room, _ := staffed(t, estate())
	now := time.Now()
	v := url.Values{
		"name": {""}, "impact": {"auto"}, "started_at": {now.Add(-time.Hour).Format(localForm)}, "resolved_at": {now.Add(-48 * time.Hour).Format(localForm)},
		"component": {"Nothing like it"}, "status": {"major_outage"}, "state": {"identified"}, "at": {""}, "words": {"kept <words>"},
	}
	w := post(t, c, access.RoleSRE, pastPath, v)
	for _, want := range []string{"kept &lt;words&gt;", "There is no component", "Say when update 1 was made"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the answer lacks %q", want)
		}
	}
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("it answers %d", w.Code)
	}
	v.Set("component", "Search")
	v.Set("at", now.Add(-30*time.Minute).Format(localForm))
	if w := post(t, c, access.RoleSRE, pastPath, v); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "It ended after it began") {
		t.Errorf("impossible times: %d", w.Code)
	}
	if w := post(t, c, access.RoleDeveloper, pastPath, v); w.Code != http.StatusForbidden {
		t.Errorf("a developer is answered %d", w.Code)
	}
	if all, err := room.List(t.Context(), sre, incident.Query{Limit: 10}); err != nil || len(all) != 0 {
		t.Errorf("%d were entered: %v", len(all), err)
	}
}

// What is sought is sought in the whole record, page by page.
func TestIncidentsAreSoughtInTheRecordAndPagesKeepIt(t *testing.T) {
	c, room, _ := staffed(t, estate())
	payments(t, room)
	past := func(name string, days int, review string) incident.Incident {
		t.Helper()
		at := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
		i, err := room.Backfill(t.Context(), sre, incident.Past{
			Declaration: incident.Declaration{Name: name, StartedAt: at, Components: []incident.Affected{{Component: "search", Status: "partial_outage"}}},
			ResolvedAt:  at.Add(time.Hour), Review: review, Updates: []incident.PastUpdate{{State: incident.Resolved, Body: "It was over.", At: at.Add(time.Hour)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	reviewed := incidentRows + 3
	for n := range 4 * incidentRows { // those with a postmortem lie far behind
		past("Something else", n+1, "")
	}
	var last incident.Incident
	for n := range reviewed {
		last = past("Search fails", 200+n, "Why it was.")
	}
	at, seen := incidentsPath+"?state=postmortem&q=search", 0
	for pages := 1; at != ""; pages++ {
		page := get(t, c, access.RoleViewer, at).Body.String()
		n := strings.Count(page, ">Search fails<")
		if pages == 1 && n != incidentRows || strings.Contains(page, "Something else") || strings.Contains(page, "Card payments") {
			t.Errorf("page %d holds %d that fit", pages, n)
		}
		if !strings.Contains(page, `value="search"`) || !strings.Contains(page, `value="postmortem" selected`) {
			t.Errorf("page %d forgot what was sought", pages)
		}
		seen, at = seen+n, ""
		if next := regexp.MustCompile(`href="([^"]*before=[^"]*)" rel="next"`).FindStringSubmatch(page); next != nil {
			at = strings.ReplaceAll(next[1], "&amp;", "&")
		}
	}
	if seen != reviewed {
		t.Errorf("%d of %d were found", seen, reviewed)
	}
	if page := get(t, c, access.RoleViewer, incidentsPath+"?q="+incidentName(last)).Body.String(); strings.Count(page, ">Search fails<") != 1 {
		t.Error("it is not found by its number")
	}
	if page := get(t, c, access.RoleViewer, incidentsPath+"?state=identified").Body.String(); !strings.Contains(page, "Card payments") || strings.Contains(page, "Something else") {
		t.Error("the state of an open one is not sought")
	}
}
