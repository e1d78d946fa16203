package importer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/importer"
	"evenkeel/internal/problem"
)

func files(tb testing.TB, names ...string) []importer.File {
	tb.Helper()
	var out []importer.File
	for _, name := range names {
		body, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, importer.File{Name: name, Body: body})
	}
	return out
}

func day(month time.Month, d, hour, minute int) time.Time {
	return time.Date(2026, month, d, hour, minute, 0, 0, time.UTC)
}

// What a Statuspage exports, in both versions, is read together.
func TestStatuspageIsRead(t *testing.T) {
	got, err := importer.Statuspage(files(t, "v2.json", "v1-subscribers.json", "v1-incidents.json", "v1-incidents.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := &importer.Export{
		Groups: []importer.Group{{ID: "g1", Slug: "shop", Name: "Shop"}},
		Components: []importer.Component{
			{ID: "c1", Slug: "website", Name: "Website", Description: `The "shop": pages`, Group: "g1", Position: 2},
			{ID: "c2", Slug: "search", Name: "Search", Group: "g1", Position: 3},
		},
		Incidents: []importer.Incident{
			{
				ID: "i1", Name: "Checkout failed", Impact: "major", StartedAt: day(3, 1, 9, 58), ResolvedAt: day(3, 1, 11, 0), Review: "What we learnt.",
				Updates:    []importer.Update{{State: "investigating", Body: "Looking.", At: day(3, 1, 9, 58)}, {State: "resolved", Body: "Over.", At: day(3, 1, 11, 0)}},
				Components: []importer.Affected{{Component: "c1", Status: "major_outage"}, {Component: "c2", Status: "partial_outage"}},
			},
			{
				ID: "i2", Name: "Slow pages", Impact: "minor", StartedAt: day(11, 20, 10, 0),
				Updates:    []importer.Update{{State: "investigating", Body: "Looking.", At: day(11, 20, 10, 1)}},
				Components: []importer.Affected{{Component: "c2", Status: "degraded_performance"}},
			},
		},
		Maintenances: []importer.Maintenance{{ID: "m1", Name: "New disks", Body: "We move.", From: day(12, 24, 2, 0), To: day(12, 24, 4, 0), Components: []string{"c2"}}},
		Subscribers: []importer.Subscriber{
			{ID: "s1", Mode: "email", Address: "reader@example.org", Components: []string{"c1"}},
			{ID: "s2", Mode: "webhook", Address: "https://example.org/hook", Components: []string{}, Away: true},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want and got differ:\n%s", diff)
	}
	const yaml = `groups:
  - id: shop
    name: "Shop"
components:
  - id: website
    name: "Website"
    group: shop
    description: "The \"shop\": pages"
  - id: search
    name: "Search"
    group: shop
`
	if diff := cmp.Diff(yaml, got.YAML()); diff != "" {
		t.Errorf("the YAML differs:\n%s", diff)
	}
}

// All that is wrong is told at once, with its place.
func TestEveryProblemIsListed(t *testing.T) {
	_, err := importer.Statuspage([]importer.File{
		{Name: "a.json", Body: []byte(`{"incidents":[{"id":"","name":"","impact":"huge","status":"resolved","incident_updates":[{"status":"lost"}]}],
			"scheduled_maintenances":[{"id":"m","name":"M","status":"maybe","scheduled_for":"2026-01-02T00:00:00Z","scheduled_until":"2026-01-01T00:00:00Z"}]}`)},
		{Name: "b.json", Body: []byte(`[{"mode":"email"},{"colour":"red"}]`)},
		{Name: "c.json", Body: []byte(`{} {}`)},
		{Name: "d.json", Body: []byte(`{}`)},
		{Name: "e.json", Body: []byte(`{"incidents":[{"id":"i","name":"I","created_at":"yesterday"}]}`)},
	})
	many, ok := errors.AsType[problem.Errors](err)
	if !ok {
		t.Fatalf("it gives %v", err)
	}
	for _, want := range []string{
		"a.json: incidents[0].id", "a.json: incidents[0].name", "a.json: incidents[0].impact", "a.json: incidents[0].created_at", "a.json: incidents[0].resolved_at",
		"a.json: incidents[0].incident_updates[0].status", "a.json: incidents[0].incident_updates[0].display_at", "a.json: scheduled_maintenances[0].status",
		"a.json: scheduled_maintenances[0].scheduled_until", "b.json: subscribers[0]", "b.json: [1]", "c.json", "d.json", "e.json: incidents[0]",
	} {
		found := false
		for _, e := range many {
			found = found || e.Field == want
		}
		if !found {
			t.Errorf("%s is not at fault in\n%v", want, many)
		}
	}
}

func TestSlugsAreUnique(t *testing.T) {
	got, err := importer.Statuspage([]importer.File{{Name: "a", Body: []byte(`[{"id":"1","name":"Web App","status":"operational"},{"id":"2","name":"web-app!","status":"operational"},{"id":"3","name":"日本","status":"operational"},{"id":"4","name":"24/7","status":"operational"}]`)}})
	if err != nil {
		t.Fatal(err)
	}
	var slugs []string
	for _, c := range got.Components {
		slugs = append(slugs, c.Slug)
	}
	if strings.Join(slugs, " ") != "web-app web-app-2 component component-24-7" {
		t.Errorf("the slugs are %v", slugs)
	}
}

func FuzzStatuspage(f *testing.F) {
	for _, one := range files(f, "v2.json", "v1-subscribers.json", "v1-incidents.json") {
		f.Add(one.Body)
	}
	f.Add([]byte(`[{"incident_updates":[{"affected_components":[{"code":"x"}]}]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := importer.Statuspage([]importer.File{{Name: "f", Body: body}})
		if err != nil {
			if _, ok := errors.AsType[problem.Errors](err); !ok {
				t.Errorf("it gives %v", err)
			}
			return
		}
		for _, i := range got.Incidents {
			if i.ID == "" || i.Name == "" || i.StartedAt.IsZero() || !i.ResolvedAt.IsZero() && i.ResolvedAt.Before(i.StartedAt) {
				t.Errorf("it reads %+v", i)
			}
		}
		got.YAML()
	})
}
