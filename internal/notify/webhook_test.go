package notify

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify/notifytest"
)

// TestWebhookIsSignedAndWhole: what a receiver relies on.
func TestWebhookIsSignedAndWhole(t *testing.T) {
	end := notifytest.NewEndpoint(t)
	end.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "webhook", URL: plainSecret(end.URL + "/in?x=1"), Secret: plainSecret("shared"), Token: plainSecret("tok")})
	m := toTeam(incidentEvent("incident.opened", "investigating"))
	m.Event.Alarm, m.Also = notice.AlarmFire, []notice.Event{incidentEvent("incident.updated", "identified")}
	receipt, err := ch.Send(within(t), m)
	if err != nil || receipt != (notice.Receipt{Mark: "202", ExactOnce: true}) {
		t.Fatalf("receipt %+v, %v", receipt, err)
	}
	r := end.Requests()[0]
	if r.Method != http.MethodPost || r.Path != "/in" || r.Query != "x=1" || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("Authorization") != "Bearer tok" || r.Header.Get(HeaderDelivery) != "01delivery" {
		t.Errorf("%s %s?%s %v", r.Method, r.Path, r.Query, r.Header)
	}
	if !r.Signed("shared") || r.Signed("other") {
		t.Errorf("signature %q", r.Header.Get(HeaderSignature))
	}
	var p payload
	if err := json.Unmarshal(r.Body, &p); err != nil {
		t.Fatal(err)
	}
	e := p.Event
	if p.Type != "event" || p.Attempt != 1 || e.Headline != "Investigating: Payments fail" || e.Alarm != "fire" || e.Staff == "" || e.Severity != "major" ||
		e.Page != "https://status.example.org/incidents/01inc" || e.Console != "https://status.example.org/console/incidents/01inc" ||
		!e.From.Equal(began) || e.To != nil || len(p.Also) != 1 || p.Links.Acknowledge == "" || e.Object["id"] != "01inc" {
		t.Errorf("payload %s", r.Body)
	}
	if strings.Contains(string(r.Body), ":null") && !strings.Contains(string(r.Body), `"to":null`) {
		t.Errorf("a list is null: %s", r.Body)
	}
}

func TestWebhookSaysWhatIsNoEvent(t *testing.T) {
	for kind, want := range map[string]string{"channel.test": "test", "drill.begun": "drill", "deadman.pulse": "heartbeat", "component.down": "event"} {
		if got := typeOf(kind); got != want {
			t.Errorf("%s is %q, want %q", kind, got, want)
		}
	}
}

func TestSignature(t *testing.T) {
	got := Sign("secret", []byte("{}"), time.Unix(1700000000, 0))
	if want := "t=1700000000,v1="; !strings.HasPrefix(got, want) || len(got) != len(want)+64 {
		t.Errorf("signature %q", got)
	}
	r := notifytest.Request{Header: http.Header{HeaderSignature: {got}}, Body: []byte("{}")}
	if !r.Signed("secret") {
		t.Error("the signature does not verify by its description")
	}
}

// TestSubscriberWebhook: Statuspage's shape, a challenge before anything else, a
// secret that is this subscriber's alone, and nothing that only staff may know.
func TestSubscriberWebhook(t *testing.T) {
	end := notifytest.NewEndpoint(t)
	h := house(t, anywhere, func(e *Env) {
		e.Standing = func() Standing { return Standing{"status.example.org", "major", "Partial System Outage"} }
	})
	webhook, _ := h.Subscribers()
	m := toSubscriber(incidentEvent("incident.opened", "investigating"))
	m.To.Address = end.URL + "/mine"
	secret := SubscriberSecret(key("house"), m.To.Ref)
	if other := SubscriberSecret(key("house"), "subscriber/other"); other == secret || len(secret) < 32 {
		t.Errorf("secrets %q and %q", secret, other)
	}

	for name, echo := range map[string]string{"as it is": "word-1", "quoted": `"word-1"`, "in JSON": `{"challenge":"word-1"}`} {
		end.Answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(echo)) })
		if err := webhook.(notice.Challenger).Challenge(within(t), m, "word-1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, echo := range []string{"", "word-2", `{"challenge":""}`, `{"challenge":"word-1 "}`, strings.Repeat(" ", 1<<16) + "word-1"} {
		end.Answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(echo)) })
		if r := refusal(t, webhook.(notice.Challenger).Challenge(within(t), m, "word-1")); !r.Permanent || !r.Theirs {
			t.Errorf("%.20q: %+v", echo, r)
		}
	}
	first := end.Requests()[0]
	if body := first.JSON(t); !first.Signed(secret) || body["type"] != "challenge" || body["challenge"] != "word-1" || body["secret"] != secret {
		t.Errorf("challenge %s", first.Body)
	}

	end.Answer(nil)
	receipt, err := webhook.Send(within(t), m)
	if err != nil || !receipt.ExactOnce {
		t.Fatalf("%+v, %v", receipt, err)
	}
	requests := end.Requests()
	last := requests[len(requests)-1]
	body := last.JSON(t)
	meta, page, incident := body["meta"].(map[string]any), body["page"].(map[string]any), body["incident"].(map[string]any)
	if !last.Signed(secret) || meta["unsubscribe"] != m.Manage || page["status_indicator"] != "major" || page["id"] != "status.example.org" || incident["name"] != "Payments fail" {
		t.Errorf("body %s", last.Body)
	}
	for _, never := range []string{"10.0.0.7", "refused", "runbooks", "console"} {
		if strings.Contains(string(last.Body), never) {
			t.Errorf("a subscriber reads %q", never)
		}
	}
	m.Event.Content.Object = nil
	if receipt, err = webhook.Send(within(t), m); err != nil || !strings.HasPrefix(receipt.Mark, "nothing to send") || len(end.Requests()) != len(requests) {
		t.Errorf("of what the page does not show: %+v, %v", receipt, err)
	}
}

func TestWebhookSettings(t *testing.T) {
	for url, want := range map[string]string{"": "url: is missing", "ftp://x.example": "url: is not an http", "https://": "url: is not an http", "not a url \x7f": "url: is not an http"} {
		err := house(t).Check(config.File{}, config.Channel{Kind: "webhook", URL: plainSecret(url)})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", url, err, want)
		}
	}
}

// BenchmarkWebhook is what one delivery costs beside its rows.
func BenchmarkWebhook(b *testing.B) {
	end := notifytest.NewEndpoint(b)
	ch := open(b, house(b), config.File{}, config.Channel{Kind: "webhook", URL: plainSecret(end.URL), Secret: plainSecret("shared")})
	m := toTeam(incidentEvent("incident.opened", "investigating"))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := ch.Send(b.Context(), m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
