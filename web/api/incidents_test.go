package api_test

import (
	"testing"
	"time"
)

const declared = `{"name":"Checkout fails","body":"We look into it.","publish":true,"components":[{"id":"web","status":"partial_outage"}]}`

// An incident from its declaration to its postmortem, by the API alone.
func TestIncidentLivesThroughTheAPI(t *testing.T) {
	s := newScene(t)
	i := s.did(200, "POST", "/api/v1/incidents", declared)
	id := i["id"].(string)
	if i["state"] != "investigating" || i["impact"] != "major" || i["visibility"] != "public" || i["number"] != 1.0 || len(i["updates"].([]any)) == 0 {
		t.Fatalf("declared: %v", i)
	}
	if c := i["components"].([]any)[0].(map[string]any); c["id"] != "web" || c["status"] != "partial_outage" {
		t.Errorf("it affects %v", c)
	}
	u := s.did(200, "POST", "/api/v1/incidents/INC-1/updates", `{"body":"Found it.","state":"identified","deliver":false}`)
	if u["state"] != "identified" || u["deliver"] != false || u["published_at"] == nil {
		t.Errorf("the update is %v", u)
	}
	d := s.did(200, "POST", "/api/v1/incidents/"+id+"/updates", `{"body":"Soon.","draft":true}`)
	if d["published_at"] != nil {
		t.Errorf("the draft is %v", d)
	}
	s.did(204, "DELETE", "/api/v1/incidents/"+id+"/updates/"+d["id"].(string), "")
	s.did(200, "PATCH", "/api/v1/incidents/"+id+"/updates/"+u["id"].(string), `{"body":"We found it.","reason":"typo"}`)
	s.did(200, "PATCH", "/api/v1/incidents/"+id, `{"name":"Checkout is slow","impact":"minor","reason":"clearer"}`)
	s.did(200, "POST", "/api/v1/incidents/"+id+"/notes", `{"body":"Looks like the cache."}`)
	s.did(200, "PUT", "/api/v1/incidents/"+id+"/duties/commander", `{"person":"p1"}`)
	task := s.did(200, "POST", "/api/v1/incidents/"+id+"/tasks", `{"text":"Ring the provider"}`)
	if done := s.did(200, "PATCH", "/api/v1/incidents/"+id+"/tasks/"+task["id"].(string), `{"done":true}`); done["done"] != true {
		t.Errorf("the task is %v", done)
	}
	s.did(200, "POST", "/api/v1/incidents/"+id+"/links", `{"url":"https://example.org/t/1","title":"Ticket","relation":"related"}`)
	s.did(200, "POST", "/api/v1/incidents/"+id+"/updates", `{"body":"Over.","state":"resolved","components":[{"id":"web","status":"operational"}]}`)
	s.did(200, "PUT", "/api/v1/incidents/"+id+"/postmortem", `{"body":"What we learnt.","publish":true}`)
	got := s.did(200, "GET", "/api/v1/incidents/"+id, "")
	if got["name"] != "Checkout is slow" || got["resolved_at"] == nil || got["postmortem"].(map[string]any)["published_at"] == nil ||
		len(got["tasks"].([]any)) != 1 || len(got["links"].([]any)) != 1 || len(got["duties"].([]any)) != 1 {
		t.Errorf("in the end it is %v", got)
	}
	if lines := s.did(200, "GET", "/api/v1/incidents/"+id+"/updates", "")["updates"].([]any); len(lines) < 5 {
		t.Errorf("its timeline has %d lines", len(lines))
	}
}

func TestIncidentsComeInPages(t *testing.T) {
	s := newScene(t)
	for range 5 {
		s.did(200, "POST", "/api/v1/incidents", declared)
	}
	seen := map[string]bool{}
	for next, page := "", 0; page == 0 || next != ""; page++ {
		got := s.did(200, "GET", "/api/v1/incidents?state=open&component=web&limit=2&after="+next, "")
		for _, i := range got["incidents"].([]any) {
			seen[i.(map[string]any)["id"].(string)] = true
		}
		if next = got["next"].(string); page > 3 {
			t.Fatal("the pages do not end")
		}
	}
	if len(seen) != 5 {
		t.Errorf("the pages show %d of 5", len(seen))
	}
	s.did(400, "GET", "/api/v1/incidents?after=nonsense", "")
}

func TestPastIncidentIsEnteredWithItsUpdates(t *testing.T) {
	s := newScene(t)
	from := time.Now().UTC().Add(-48 * time.Hour).Format(time.RFC3339)
	to := time.Now().UTC().Add(-47 * time.Hour).Format(time.RFC3339)
	i := s.did(200, "POST", "/api/v1/incidents", `{"name":"Old","started_at":"`+from+`","resolved_at":"`+to+`","postmortem":"Learnt.",
		"components":[{"id":"db","status":"major_outage"}],"updates":[{"state":"investigating","body":"Looking.","at":"`+from+`"},{"state":"resolved","body":"Done.","at":"`+to+`"}]}`)
	if i["backfilled"] != true || i["resolved_at"] != to || len(i["updates"].([]any)) != 2 {
		t.Errorf("it is %v", i)
	}
	s.did(400, "POST", "/api/v1/incidents", `{"name":"Now","postmortem":"x"}`)
}

func TestIncidentRightsAreNarrowed(t *testing.T) {
	s := newScene(t)
	s.by = viewer
	s.did(403, "POST", "/api/v1/incidents", declared)
	s.by = operator
	private := s.did(200, "POST", "/api/v1/incidents", `{"name":"Secret","private":true,"components":[{"id":"db","status":"partial_outage"}]}`)["id"].(string)
	s.by = viewer
	s.did(404, "GET", "/api/v1/incidents/"+private, "")
	if n := len(s.did(200, "GET", "/api/v1/incidents", "")["incidents"].([]any)); n != 0 {
		t.Errorf("a viewer sees %d private incidents", n)
	}
	s.by = webmaster
	s.did(200, "POST", "/api/v1/incidents", declared)
	s.did(403, "POST", "/api/v1/incidents", `{"name":"Not mine","components":[{"id":"db","status":"partial_outage"}]}`)
	s.did(404, "GET", "/api/v1/incidents/"+private, "")
	s.by = operator
	s.did(400, "POST", "/api/v1/incidents", `{"name":"x","components":[{"id":"nobody","status":"partial_outage"}]}`)
	s.did(404, "GET", "/api/v1/incidents/INC-99", "")
}
