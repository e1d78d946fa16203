package api_test

import (
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
)

// outbox puts rows and an alert into the record of notices.
func (s *scene) outbox() (ids []string, alert string) {
	s.t.Helper()
	subject := journal.Ref{Kind: "incident", ID: "i1"}
	a := notice.Alert{ID: journal.NewID(), Subject: subject, Severity: "page", Components: []string{"k-web"}, State: notice.Firing, Event: "e1", OpenedAt: time.Now(), FiringAt: time.Now()}
	err := s.Outbox.Do(s.t.Context(), access.Hub, func(tx journal.Tx) error {
		if _, err := s.Outbox.AddEvent(s.t.Context(), tx, notice.Event{ID: "e1", Kind: "incident.updated", Subject: subject, At: tx.Now()}, false); err != nil {
			return err
		}
		var rows []notice.Delivery
		for n, state := range []notice.State{notice.Sent, notice.Failed, notice.Queued} {
			d := notice.Delivery{ID: journal.NewID(), Event: "e1", Kind: "incident.updated", Subject: subject, Channel: "mail", Recipient: "subscriber/" + string(rune('a'+n)),
				State: state, CreatedAt: tx.Now(), QueuedAt: tx.Now()}
			if state == notice.Failed {
				d.Reason, d.Attempts = "no such mailbox", 3
			}
			ids = append(ids, d.ID)
			rows = append(rows, d)
		}
		if err := s.Outbox.AddDeliveries(s.t.Context(), tx, rows); err != nil {
			return err
		}
		return s.Outbox.PutNoticeAlert(s.t.Context(), tx, &a)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids, a.ID
}

func TestDeliveriesAreShownAndSentAgain(t *testing.T) {
	s := newScene(t)
	ids, _ := s.outbox()
	all := s.did(200, "GET", "/api/v1/deliveries?subject=incident/i1&limit=2", "")
	if len(all["deliveries"].([]any)) != 2 || all["next"] == "" {
		t.Errorf("the first page is %v", all)
	}
	if rest := s.did(200, "GET", "/api/v1/deliveries?subject=incident/i1&limit=2&after="+all["next"].(string), ""); len(rest["deliveries"].([]any)) != 1 || rest["next"] != "" {
		t.Errorf("the second page is %v", rest)
	}
	failed := s.did(200, "GET", "/api/v1/deliveries?state=failed,suppressed", "")["deliveries"].([]any)
	if len(failed) != 1 {
		t.Fatalf("%v failed", failed)
	}
	d := failed[0].(map[string]any)
	for key, want := range map[string]any{"id": ids[1], "channel": "mail", "recipient": "subscriber/b", "event": "incident.updated", "state": "failed", "attempts": 3.0, "reason": "no such mailbox", "sent_at": nil} {
		if got, ok := d[key]; !ok || got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	if again := s.did(200, "POST", "/api/v1/deliveries/"+ids[1]+"/resend", ""); again["state"] != "queued" || again["id"] != ids[1] {
		t.Errorf("sent again it is %v", again)
	}
	s.did(409, "POST", "/api/v1/deliveries/"+ids[0]+"/resend", "")
	s.did(400, "GET", "/api/v1/deliveries?state=lost", "")
	s.by = viewer
	s.did(403, "POST", "/api/v1/deliveries/"+ids[1]+"/resend", "")
	s.did(200, "GET", "/api/v1/deliveries/"+ids[1], "")
}

func TestAlertIsAcknowledged(t *testing.T) {
	s := newScene(t)
	_, id := s.outbox()
	s.by = viewer
	if list := s.did(200, "GET", "/api/v1/alerts?open=true", "")["alerts"].([]any); len(list) != 1 || list[0].(map[string]any)["components"].([]any)[0] != "web" {
		t.Errorf("open are %v", list)
	}
	s.did(403, "POST", "/api/v1/alerts/"+id+"/acknowledge", "")
	s.by = webmaster
	if a := s.did(200, "POST", "/api/v1/alerts/"+id+"/acknowledge", ""); a["state"] != "acknowledged" || a["acknowledged_by"] != webmaster.ID {
		t.Errorf("it is %v", a)
	}
	s.did(404, "GET", "/api/v1/alerts/nothing", "")
}

func TestSubscribersComeGoAndMoveAsAFile(t *testing.T) {
	s := newScene(t)
	one := s.did(200, "POST", "/api/v1/subscribers", `{"address":"reader@example.org","confirmed":true,"components":["web"],"min_impact":"major","maintenance":false}`)
	if one["state"] != "active" || one["mode"] != "email" || one["components"].([]any)[0] != "web" || one["maintenance"] != false || one["source"] != "api" {
		t.Errorf("added: %v", one)
	}
	s.did(409, "POST", "/api/v1/subscribers", `{"address":"reader@example.org","confirmed":true}`)
	s.did(400, "POST", "/api/v1/subscribers", `{"address":"other@example.org","confirmed":true,"components":["nobody"]}`)
	id := one["id"].(string)
	if c := s.did(200, "PUT", "/api/v1/subscribers/"+id+"/wishes", `{"components":["web","db"]}`); len(c["components"].([]any)) != 2 || c["min_impact"] != "none" || c["maintenance"] != true {
		t.Errorf("changed: %v", c)
	}
	done := s.did(200, "POST", "/api/v1/subscribers/csv", "address\nnew@example.org\nreader@example.org\n", "Content-Type", "text/csv", "Idempotency-Key", "file-1")
	if done["added"] != 1.0 || done["known"] != 1.0 {
		t.Errorf("the import did %v", done)
	}
	s.did(400, "POST", "/api/v1/subscribers/csv", "address\nnobody\n", "Content-Type", "text/csv")
	file := s.ask("GET", "/api/v1/subscribers/csv", "")
	if file.Code != 200 || !strings.HasPrefix(file.Header().Get("Content-Type"), "text/csv") || !strings.Contains(file.Body.String(), "new@example.org") {
		t.Errorf("the file is %d %s", file.Code, file.Body)
	}
	first := s.did(200, "GET", "/api/v1/subscribers?limit=1", "")
	if rest := s.did(200, "GET", "/api/v1/subscribers?limit=1&state=active&after="+first["next"].(string), ""); len(rest["subscribers"].([]any)) != 1 {
		t.Errorf("the second page is %v", rest)
	}
	s.did(204, "DELETE", "/api/v1/subscribers/"+id+"?erase=true", "")
	if gone := s.did(200, "GET", "/api/v1/subscribers/"+id, ""); gone["state"] != "ended" || gone["address"] != "" {
		t.Errorf("erased it is %v", gone)
	}
	s.by = viewer
	s.did(403, "GET", "/api/v1/subscribers", "")
	s.did(403, "GET", "/api/v1/subscribers/csv", "")
	s.did(403, "POST", "/api/v1/subscribers/csv", "address\nx@example.org\n", "Content-Type", "text/csv")
}
