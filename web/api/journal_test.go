package api_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/web/api"
	"evenkeel/web/door"
)

func TestJournalIsRead(t *testing.T) {
	s := newScene(t)
	id := s.did(200, "POST", "/api/v1/incidents", declared)["id"].(string)
	got := s.did(200, "GET", "/api/v1/journal?subject=incident/"+id, "")
	entries := got["entries"].([]any)
	if len(entries) < 2 || got["head"].(float64) < 2 || entries[0].(map[string]any)["subject"] != "incident/"+id {
		t.Fatalf("the journal is %v", got)
	}
	first := s.did(200, "GET", "/api/v1/journal?subject=incident&after=1&limit=1", "")["entries"].([]any)[0].(map[string]any)
	if first["seq"] != 2.0 || first["hash"] == "" || first["actor"] != operator.ID {
		t.Errorf("after 1 comes %v", first)
	}
	if n := len(s.did(200, "GET", "/api/v1/journal?verb=incident.declared", "")["entries"].([]any)); n != 1 {
		t.Errorf("%d were declared", n)
	}
	s.by = viewer
	s.did(403, "GET", "/api/v1/journal", "")
	s.did(403, "GET", "/api/v1/events", "")
}

// A client that was away gets what it missed, and then what comes.
func TestEventsResumeAfterTheLastOneSeen(t *testing.T) {
	s := newScene(t)
	declare := func() {
		if _, err := s.Room.Declare(t.Context(), operator, incident.Declaration{Name: "Trouble"}); err != nil {
			t.Error(err)
		}
	}
	declare()
	declare()
	server := httptest.NewServer(s.handler)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/api/v1/events?after=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", "1")
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	seen, want := []string{}, 0
	for want < 3 && lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "id: ")
		if !ok {
			continue
		}
		seen = append(seen, id)
		if id == "2" { // what was missed is there: now something new
			declare()
			s.bell.Ring()
		}
		want, _ = strconv.Atoi(id)
	}
	if strings.Join(seen, " ") != "1 2 3" { // 1 says where it begins
		t.Errorf("the stream shows %v", seen)
	}
	s.did(400, "GET", "/api/v1/events?after=here", "")
}

func TestSameKeySameAnswer(t *testing.T) {
	s := newScene(t)
	key := []string{"Idempotency-Key", "k1"}
	first := s.ask("POST", "/api/v1/incidents", declared, key...)
	again := s.ask("POST", "/api/v1/incidents", declared, key...)
	if first.Code != 200 || again.Code != 200 || first.Body.String() != again.Body.String() || again.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("first %d %s, again %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if n := len(s.did(200, "GET", "/api/v1/incidents", "")["incidents"].([]any)); n != 1 {
		t.Errorf("it was declared %d times", n)
	}
	s.did(409, "POST", "/api/v1/incidents", `{"name":"Another"}`, key...)
	s.did(409, "POST", "/api/v1/incidents?x=1", declared, key...)
	s.did(400, "POST", "/api/v1/incidents", declared, "Idempotency-Key", strings.Repeat("k", api.MaxKey+1))
	s.by = webmaster // another's key is another key
	s.did(200, "POST", "/api/v1/incidents", declared, key...)
}

func TestSameKeyAtTheSameTimeConflicts(t *testing.T) {
	s := newScene(t)
	s.did(200, "POST", "/api/v1/incidents", declared)
	const clients = 8
	codes := make([]int, clients)
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			codes[n] = s.ask("POST", "/api/v1/incidents/INC-1/notes", `{"body":"One."}`, "Idempotency-Key", "k2").Code
		})
	}
	wg.Wait()
	for _, code := range codes {
		if code != 200 && code != 409 {
			t.Errorf("one of them gets %d", code)
		}
	}
	notes := 0
	for _, line := range s.did(200, "GET", "/api/v1/incidents/INC-1/updates", "")["updates"].([]any) {
		if line.(map[string]any)["kind"] == "note" {
			notes++
		}
	}
	if notes != 1 {
		t.Errorf("%d notes were written", notes)
	}
}

// Every operation stands in the table that the walk with every role reads.
func TestRoutesListEveryOperation(t *testing.T) {
	seen := map[string]bool{}
	known := access.Actions()
	for _, r := range api.Routes() {
		if seen[r.Method+r.Path] || r.Way != door.WayBearer || known[r.Action] == nil {
			t.Errorf("%+v", r)
		}
		seen[r.Method+r.Path] = true
	}
	for _, want := range []string{"GET/api/v1/events", "GET/api/v1/deliveries", "POST/api/v1/subscribers/csv", "POST/api/v1/incidents", "POST/api/v1/alerts/{id}/acknowledge"} {
		if !seen[want] {
			t.Errorf("%s is not listed", want)
		}
	}
}
