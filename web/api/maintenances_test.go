package api_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

// Maintenance from the plan to the end, by the API alone.
func TestMaintenanceIsPlannedMovedAndEnded(t *testing.T) {
	s := newScene(t)
	from, to := time.Now().UTC().Add(time.Hour).Truncate(time.Second), time.Now().UTC().Add(2*time.Hour).Truncate(time.Second)
	plan := func(title, component string) map[string]any {
		return s.did(200, "POST", "/api/v1/maintenances", fmt.Sprintf(`{"title":%q,"components":[%q],"from":%q,"to":%q,"remind_s":[3600]}`,
			title, component, from.Format(time.RFC3339), to.Format(time.RFC3339)))
	}
	p := plan("New disks", "db")
	list := p["maintenances"].([]any)
	if len(list) != 1 {
		t.Fatalf("the plan is %v", p)
	}
	m := list[0].(map[string]any)
	id := m["id"].(string)
	if m["state"] != "scheduled" || m["series"] != p["series"] || m["editable"] != true || m["remind_s"].([]any)[0] != 3600.0 {
		t.Errorf("it is %v", m)
	}
	edited := s.did(200, "PATCH", "/api/v1/maintenances/"+id, `{"title":"Newer disks"}`)["maintenances"].([]any)
	if len(edited) != 1 || edited[0].(map[string]any)["title"] != "Newer disks" || edited[0].(map[string]any)["id"] != id {
		t.Errorf("edited it is %v", edited)
	}
	s.did(409, "PATCH", "/api/v1/maintenances/"+id, `{"title":"Too late","version":1}`)
	if m := s.did(200, "POST", "/api/v1/maintenances/"+id+"/start", ""); m["state"] != "in_progress" || m["started_at"] == nil {
		t.Errorf("started it is %v", m)
	}
	later := to.Add(time.Hour).Format(time.RFC3339)
	if m := s.did(200, "POST", "/api/v1/maintenances/"+id+"/extend", `{"to":"`+later+`"}`); m["to"] != later {
		t.Errorf("extended it is %v", m)
	}
	if m := s.did(200, "POST", "/api/v1/maintenances/"+id+"/complete", ""); m["state"] != "completed" {
		t.Errorf("completed it is %v", m)
	}
	s.did(409, "POST", "/api/v1/maintenances/"+id+"/cancel", "")

	second := plan("Cables", "web")["maintenances"].([]any)[0].(map[string]any)["id"].(string)
	if m := s.did(200, "POST", "/api/v1/maintenances/"+second+"/cancel", `{"series":true}`); m["state"] != "cancelled" {
		t.Errorf("cancelled it is %v", m)
	}
	third := plan("Fans", "web")["maintenances"].([]any)[0].(map[string]any)["id"].(string)
	if m := s.did(200, "POST", "/api/v1/maintenances/"+third+"/cancel", ""); m["state"] != "cancelled" {
		t.Errorf("called off it is %v", m)
	}
	s.by = viewer
	s.did(403, "POST", "/api/v1/maintenances/"+third+"/start", "")
	s.did(200, "GET", "/api/v1/maintenances/"+third, "")
	s.did(404, "GET", "/api/v1/maintenances/nothing", "")
}

func TestMaintenanceComesInPages(t *testing.T) {
	s := newScene(t)
	for n := range 5 {
		from := time.Now().UTC().Add(time.Duration(n+1) * time.Hour)
		s.did(200, "POST", "/api/v1/maintenances", fmt.Sprintf(`{"title":"Work %d","components":["web"],"from":%q,"to":%q}`,
			n, from.Format(time.RFC3339), from.Add(time.Minute).Format(time.RFC3339)))
	}
	titles := []any{}
	for next, page := "", 0; page == 0 || next != ""; page++ {
		got := s.did(200, "GET", "/api/v1/maintenances?state=scheduled&component=web&limit=2&after="+url.QueryEscape(next), "")
		for _, m := range got["maintenances"].([]any) {
			titles = append(titles, m.(map[string]any)["title"])
		}
		if next = got["next"].(string); page > 3 {
			t.Fatal("the pages do not end")
		}
	}
	if fmt.Sprint(titles) != "[Work 0 Work 1 Work 2 Work 3 Work 4]" {
		t.Errorf("the pages show %v", titles)
	}
	s.did(400, "GET", "/api/v1/maintenances?after=nonsense", "")
	s.did(400, "POST", "/api/v1/maintenances", `{"title":"","components":["nobody"]}`)
}
