package hub

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/status"
)

// at is the moment of the objects.
var at = time.Date(2026, 11, 20, 14, 2, 0, 123_456_000, time.UTC)

// example is a page with a public component and one that is not.
func example() *scene {
	s := &scene{
		site: status.Site{Name: "Example", URL: "https://status.example.org"}, groups: map[string]status.Group{},
		definition: map[string]status.Component{}, keys: map[string]string{},
		observed: map[string]status.Span{}, published: map[string]status.Span{},
	}
	defined := []status.Component{
		{Key: "k1", ID: "search", Name: "Search", Public: true, CreatedAt: at}, {Key: "k2", ID: "ledger", Name: "Ledger", CreatedAt: at},
	}
	for _, d := range defined {
		s.definition[d.Key], s.keys[d.ID] = d, d.Key
	}
	s.put(status.Span{Component: "k1", Track: status.Published, Status: status.Degraded, From: at})
	s.compose(defined)
	return s
}

// shown gives an object as receivers read it.
func shown(tb testing.TB, o map[string]any) map[string]any {
	tb.Helper()
	body, err := json.Marshal(o)
	if err != nil {
		tb.Fatal(err)
	}
	if strings.Contains(string(body), "edger") {
		tb.Errorf("a component that is not public is told of: %s", body)
	}
	var out map[string]any
	if err := json.Unmarshal(body, &out); err != nil {
		tb.Fatal(err)
	}
	return out
}

// wantKeys fails unless an object has the keys, and lists where lists are due.
func wantKeys(tb testing.TB, o map[string]any, keys string) {
	tb.Helper()
	for key := range strings.FieldsSeq(keys) {
		v, ok := o[key]
		if !ok {
			tb.Errorf("%s is missing", key)
		}
		if _, list := v.([]any); !list && (key == "components" || key == "incident_updates" || key == "affected_components") {
			tb.Errorf("%s is no list", key)
		}
	}
}

const (
	incidentKeys = `id name status created_at updated_at monitoring_at resolved_at impact shortlink started_at page_id incident_updates
		components reminder_intervals backfilled impact_override postmortem_body postmortem_body_last_updated_at postmortem_ignored
		postmortem_published_at postmortem_notified_subscribers scheduled_for scheduled_until scheduled_remind_prior scheduled_reminded_at
		scheduled_auto_in_progress scheduled_auto_completed`
	updateKeys    = `id status body incident_id created_at updated_at display_at affected_components deliver_notifications custom_tweet tweet_id`
	componentKeys = `id name status created_at updated_at position description showcase start_date group_id page_id group only_show_if_degraded`
)

func TestIncidentObjectHasEveryKeyOfStatuspage(t *testing.T) {
	i := incident.Incident{
		ID: "i1", Name: "Searches are slow", State: incident.Monitoring, Impact: incident.ImpactMinor, StartedAt: at, OpenedAt: at, ChangedAt: at,
		Components: []incident.Affected{{Component: "k1", Status: "degraded_performance"}, {Component: "k2", Status: "major_outage"}},
		Review:     incident.Review{Body: "not yet for everybody"},
	}
	updates := []incident.Update{
		{ID: "u1", Incident: "i1", State: incident.Investigating, Body: "*Slow*", PublishedAt: at, DisplayAt: at, CreatedAt: at, Deliver: true,
			Components: []incident.Change{{Component: "k1", To: "degraded_performance"}, {Component: "k2", To: "major_outage"}}},
		{ID: "u2", Incident: "i1", State: incident.Monitoring, Body: "Better", PublishedAt: at, DisplayAt: at, CreatedAt: at},
	}
	o := shown(t, example().incidentObject(&i, updates))
	wantKeys(t, o, incidentKeys)
	if o["shortlink"] != "https://status.example.org/incidents/i1" || o["started_at"] != "2026-11-20T14:02:00.123Z" || o["resolved_at"] != nil || o["postmortem_body"] != nil || o["impact_override"] != nil {
		t.Errorf("got %v", o)
	}
	list := o["incident_updates"].([]any)
	newest, first := list[0].(map[string]any), list[1].(map[string]any)
	wantKeys(t, first, updateKeys)
	if newest["id"] != "u2" || first["body"] != "*Slow*" {
		t.Errorf("got %v", list)
	}
	if moved := first["affected_components"].([]any); len(moved) != 1 || moved[0].(map[string]any)["old_status"] != "operational" || moved[0].(map[string]any)["code"] != "search" {
		t.Errorf("got %v", moved)
	}
	comps := o["components"].([]any)
	wantKeys(t, comps[0].(map[string]any), componentKeys)
	if len(comps) != 1 {
		t.Errorf("got %v", comps)
	}
}

func TestMaintenanceObjectHasItsTimes(t *testing.T) {
	for state, want := range map[status.MaintenanceState]string{status.MaintenanceScheduled: "scheduled", status.MaintenanceCancelled: "completed"} {
		o := shown(t, example().maintenanceObject(&status.Occurrence{
			ID: "w-1", Title: "New index", Components: []string{"search", "ledger", "gone"}, From: at, To: at.Add(time.Hour), State: state, ChangedAt: at,
		}))
		wantKeys(t, o, incidentKeys)
		if o["status"] != want || o["impact"] != "maintenance" || o["scheduled_until"] != "2026-11-20T15:02:00.123Z" || len(o["incident_updates"].([]any)) != 1 {
			t.Errorf("got %v", o)
		}
	}
}

// silent are the verbs of incidents that people outside the room are not told of.
var silent = []string{
	"edited", "explained", // concerns, by noteEdit
	"noted", "assigned", "tasked", "linked", "unlinked", "drafted", "undrafted", "scheduled", "unscheduled", "absorbed",
}

func TestEveryVerbOfIncidentsIsToldOrSilentOnPurpose(t *testing.T) {
	files, err := filepath.Glob("../incident/*.go")
	if err != nil {
		t.Fatal(err)
	}
	verbs := map[string]bool{"published": true, "updated": true, "resolved": true, "reopened": true} // of verbOf
	told := regexp.MustCompile(`\.tell(?:Staff)?\("([a-z]+)"`)
	linked := regexp.MustCompile(`\.linked\("([a-z]+)"`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, re := range []*regexp.Regexp{told, linked} {
			for _, m := range re.FindAllStringSubmatch(string(text), -1) {
				verbs[m[1]] = true
			}
		}
	}
	if len(verbs) < 20 {
		t.Fatalf("only %d verbs were found", len(verbs))
	}
	for verb := range verbs {
		_, is := incidentTold[verb]
		if is == slices.Contains(silent, verb) {
			t.Errorf("incident.%s: told %v; say in incidentTold or in silent what is meant", verb, is)
		}
	}
	for verb := range incidentTold {
		if !verbs[verb] {
			t.Errorf("nothing ever says incident.%s", verb)
		}
	}
}

// TestAnUpdateIsToldAsItStood: a message that is made late, when more was said
// already, tells of the incident as it stood when its update was published.
func TestAnUpdateIsToldAsItStood(t *testing.T) {
	at := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	now := incident.Incident{State: incident.Resolved, MonitoringAt: at.Add(time.Hour), ResolvedAt: at.Add(2 * time.Hour), ChangedAt: at.Add(2 * time.Hour)}
	first := asOf(now, &incident.Update{State: incident.Investigating, PublishedAt: at})
	if first.State != incident.Investigating || !first.MonitoringAt.IsZero() || !first.ResolvedAt.IsZero() || !first.ChangedAt.Equal(at) {
		t.Errorf("the first update tells %+v", first)
	}
	last := asOf(now, &incident.Update{State: incident.Resolved, PublishedAt: at.Add(2 * time.Hour)})
	if last.State != incident.Resolved || !last.ResolvedAt.Equal(now.ResolvedAt) || !last.MonitoringAt.Equal(now.MonitoringAt) {
		t.Errorf("the last update tells %+v", last)
	}
}
