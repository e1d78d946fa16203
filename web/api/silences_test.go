package api_test

import (
	"testing"
	"time"
)

// Alerts are silenced, seen to be, and let speak again, by the API alone.
func TestSilenceFromBeginningToEnd(t *testing.T) {
	s := newScene(t)
	made := s.did(200, "POST", "/api/v1/silences", `{"components":["web"],"lasts_s":600,"reason":"We move a rack"}`)
	if made["holds"] != true || made["components"].([]any)[0] != "web" || len(made["monitors"].([]any)) != 0 || made["ended_at"] != nil || made["by"] != operator.ID {
		t.Errorf("made: %v", made)
	}
	from, err := time.Parse(time.RFC3339, made["from"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if to, err := time.Parse(time.RFC3339, made["to"].(string)); err != nil || to.Sub(from).Round(time.Second) != 10*time.Minute {
		t.Errorf("it lasts from %v to %v", from, to)
	}
	id := made["id"].(string)
	if all := s.did(200, "GET", "/api/v1/silences", "")["silences"].([]any); len(all) != 1 || all[0].(map[string]any)["id"] != id {
		t.Errorf("listed: %v", all)
	}
	s.did(204, "DELETE", "/api/v1/silences/"+id, "")
	s.did(409, "DELETE", "/api/v1/silences/"+id, "")
	if one := s.did(200, "GET", "/api/v1/silences", "")["silences"].([]any)[0].(map[string]any); one["holds"] != false || one["ended_at"] == nil {
		t.Errorf("ended: %v", one)
	}
	for _, body := range []string{
		`{"components":["nobody"],"lasts_s":60,"reason":"x"}`, `{"monitors":["nobody"],"lasts_s":60,"reason":"x"}`, `{"components":["web"],"reason":"no end"}`,
		`{"components":["web"],"lasts_s":60,"to":"2030-01-01T00:00:00Z","reason":"both"}`, `{"components":["web"],"lasts_s":60,"reason":""}`, `{"lasts_s":60,"reason":"nothing"}`,
	} {
		s.did(400, "POST", "/api/v1/silences", body)
	}
	s.did(404, "DELETE", "/api/v1/silences/nothing", "")
	s.by = webmaster
	s.did(200, "POST", "/api/v1/silences", `{"components":["web"],"lasts_s":60,"reason":"mine"}`)
	s.did(403, "POST", "/api/v1/silences", `{"components":["db"],"lasts_s":60,"reason":"not mine"}`)
	s.by = viewer
	s.did(403, "POST", "/api/v1/silences", `{"components":["web"],"lasts_s":60,"reason":"x"}`)
	s.did(200, "GET", "/api/v1/silences", "")
}
