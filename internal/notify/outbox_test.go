package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify/notifytest"
)

// TestDemoReachesNobody: in the demo every kind of channel writes what it would
// have sent into the outbox, whole, and connects to nothing.
func TestDemoReachesNobody(t *testing.T) {
	end := notifytest.NewEndpoint(t)
	h := house(t, func(e *Env) { e.Demo = true })
	f := config.File{
		SMTP:  config.SMTP{URL: plainSecret("smtp://" + strings.TrimPrefix(end.URL, "http://")), From: "status@example.org"},
		Slack: config.Slack{URL: end.URL + "/api/", Token: plainSecret("xoxb-hunter2")},
	}
	specs := []config.Channel{
		{ID: config.ChannelMail, Kind: "mail"},
		{ID: "hook", Kind: "webhook", URL: plainSecret(end.URL + "/hunter2"), Secret: plainSecret("hunter2")},
		{ID: "page", Kind: "statuspage", URL: plainSecret(end.URL)},
		{ID: "chat", Kind: "slack", To: []string{"C024BE91L"}, Mention: "here"},
		{ID: "chat-hook", Kind: "slack", URL: plainSecret(end.URL + "/hunter2")},
		{ID: "pager", Kind: "pagerduty", URL: plainSecret(end.URL), Token: plainSecret(notifytest.PagerDutyKey)},
		{ID: "changes", Kind: "pagerduty_change", URL: plainSecret(end.URL), Token: plainSecret(notifytest.PagerDutyKey)},
		{ID: "am", Kind: "alertmanager", URL: plainSecret(end.URL)},
		{ID: "push", Kind: "shoutrrr", URL: plainSecret("ntfy://user:hunter2@" + strings.TrimPrefix(end.URL, "http://") + "/t?scheme=http")},
		{ID: "box", Kind: "outbox"},
	}
	channels := map[string]notice.Channel{}
	for _, c := range specs {
		channels[c.ID] = open(t, h, f, c)
	}
	pulse, err := h.Pulse(config.Deadman{URL: plainSecret(end.URL + "/hunter2")})
	if err != nil {
		t.Fatal(err)
	}
	webhook, slack := h.Subscribers()
	channels[config.ChannelDeadman], channels[config.ChannelWebhook], channels[config.ChannelSlack] = pulse, webhook, slack
	for id, c := range channels {
		m := toTeam(incidentEvent("component.down", "major_outage"))
		m.Event.Alarm, m.To.Address, m.Delivery.ID = notice.AlarmFire, "ann@example.org", "01"+id
		if strings.HasPrefix(id, "subscribers-") {
			m.To.Address = end.URL + "/mine-hunter2"
		}
		if receipt, err := c.Send(within(t), m); err != nil || !receipt.ExactOnce {
			t.Errorf("%s: %+v, %v", id, receipt, err)
		}
		s, ok := h.Outbox().Message("01" + id)
		if !ok || s.Subject == "" || s.Text == "" && s.JSON == "" && id != config.ChannelDeadman || s.Event != "component.down" || s.Recipient != "route/all" {
			t.Errorf("%s shows %+v", id, s)
		}
		if s.JSON != "" && !json.Valid([]byte(s.JSON)) {
			t.Errorf("%s: no JSON: %s", id, s.JSON)
		}
		if strings.Contains(fmt.Sprint(s), "hunter2") || strings.Contains(fmt.Sprint(s), notifytest.PagerDutyKey) {
			t.Errorf("%s shows a secret: %+v", id, s)
		}
	}
	if err := webhook.(notice.Challenger).Challenge(within(t), toSubscriber(incidentEvent("subscriber.challenge", "")), "word"); err != nil {
		t.Error(err)
	}
	if n := len(end.Requests()); n != 0 {
		t.Errorf("%d requests left the demo", n)
	}
	mail, _ := h.Outbox().Message("01" + config.ChannelMail)
	if mail.To != "ann@example.org" || !strings.Contains(mail.HTML, "<!doctype html>") || len(mail.Header) == 0 {
		t.Errorf("mail %+v", mail)
	}
}

// TestOutboxKeepsTheNewest: it is bounded, and in order.
func TestOutboxKeepsTheNewest(t *testing.T) {
	h := house(t)
	ch := open(t, h, config.File{}, config.Channel{ID: "box", Kind: "outbox"})
	for n := range maxOutbox + 7 {
		m := toTeam(incidentEvent("incident.opened", "investigating"))
		m.Delivery.ID = fmt.Sprint(n)
		if _, err := ch.Send(within(t), m); err != nil {
			t.Fatal(err)
		}
		if got := h.Outbox().Messages(); got[0].ID != fmt.Sprint(n) || len(got) != min(n+1, maxOutbox) {
			t.Fatalf("after %d: %d messages, newest %s", n, len(got), got[0].ID)
		}
	}
	all := h.Outbox().Messages()
	if all[len(all)-1].ID != "7" {
		t.Errorf("the oldest is %s, want 7", all[len(all)-1].ID)
	}
	if _, ok := h.Outbox().Message("0"); ok {
		t.Error("what fell out is still found")
	}
}
