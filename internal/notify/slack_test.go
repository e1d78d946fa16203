package notify

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify/notifytest"
	"evenkeel/internal/problem"
)

func slackFile(s *notifytest.Slack) config.File {
	return config.File{Slack: config.Slack{URL: s.API(), Token: plainSecret(notifytest.SlackToken)}}
}

// TestSlackThread: one thread an alert, whose first message shows how things
// stand and the rest how they came to be so.
func TestSlackThread(t *testing.T) {
	slack := notifytest.NewSlack(t)
	ch := open(t, house(t), slackFile(slack), config.Channel{Kind: "slack", To: []string{"C024BE91L"}, Mention: "channel", Interactive: true})
	m := toTeam(incidentEvent("component.down", "major_outage"))
	m.Event.Alarm = notice.AlarmFire
	first, err := ch.Send(within(t), m)
	if err != nil {
		t.Fatal(err)
	}
	if first.Mark != "C024BE91L/1700000000.000001" {
		t.Errorf("mark %q", first.Mark)
	}
	top := slack.Messages()[0]
	if top.Text != "<!channel> *Major outage: Payments fail*" || !strings.Contains(top.Blocks, "connection refused by 10.0.0.7:443") ||
		!strings.Contains(top.Blocks, "We see _failures_ of <https://example.org/pay|payments>.") {
		t.Errorf("message %+v", top)
	}
	if len(top.Buttons) < 3 || top.Buttons[0].ActionID != ActionAcknowledge || top.Buttons[0].Value != "01alert" ||
		top.Buttons[1].URL != "https://status.example.org/console/incidents/01inc" {
		t.Errorf("buttons %+v", top.Buttons)
	}

	m.Thread, m.Event = first.Mark, incidentEvent("alert.acknowledged", "major_outage")
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	m.Event = incidentEvent("incident.resolved", "resolved")
	m.Event.Alarm = notice.AlarmClear
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	all := slack.Messages()
	if len(all) != 3 || all[1].Thread != "1700000000.000001" || all[2].Thread != "1700000000.000001" {
		t.Fatalf("messages %+v", all)
	}
	if all[1].Text != "*Acknowledged: Major outage: Payments fail*" || strings.Contains(all[2].Text, "<!") {
		t.Errorf("texts %q and %q", all[1].Text, all[2].Text)
	}
	for _, b := range append(all[0].Buttons, all[2].Buttons...) {
		if b.Text == "Acknowledge" {
			t.Error("what is over can be acknowledged")
		}
	}
	if all[0].Edited != 2 || all[0].Text != "*Resolved: Payments fail*" {
		t.Errorf("the first message says %q after %d edits", all[0].Text, all[0].Edited)
	}
	if p := slack.Problems(); len(p) > 0 {
		t.Errorf("Slack complains: %q", p)
	}
}

func TestSlackThreadThatIsGone(t *testing.T) {
	slack := notifytest.NewSlack(t)
	ch := open(t, house(t), slackFile(slack), config.Channel{Kind: "slack", To: []string{"C024BE91L"}})
	m := toTeam(incidentEvent("incident.updated", "identified"))
	m.Thread = "C024BE91L/1.2"
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	if got := slack.Messages(); len(got) != 1 || got[0].Thread != "" {
		t.Errorf("messages %+v", got)
	}
}

func TestSlackErrors(t *testing.T) {
	slack := notifytest.NewSlack(t)
	ch := open(t, house(t), slackFile(slack), config.Channel{Kind: "slack", To: []string{"C024BE91L"}})
	for code, want := range map[string]notice.Refusal{
		"channel_not_found": {Permanent: true, Reason: "Slack answered channel_not_found"},
		"invalid_auth":      {Permanent: true, Reason: "Slack answered invalid_auth"},
		"internal_error":    {Reason: "Slack answered internal_error"},
		"ratelimited":       {RetryAfter: 7e9, Reason: "answered 429 Too Many Requests"},
	} {
		slack.Fail(code)
		_, err := ch.Send(within(t), toTeam(incidentEvent("incident.updated", "identified")))
		if r := *refusal(t, err); r != want {
			t.Errorf("%s: %+v, want %+v", code, r, want)
		}
	}
	slack.Answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	_, err := ch.Send(within(t), toTeam(incidentEvent("incident.updated", "identified")))
	if r := refusal(t, err); r.Permanent {
		t.Errorf("%+v", r)
	}
}

// TestSlackHostileWords: nobody is called, and nothing is formatted, by what
// somebody wrote; and Slack takes the longest message.
func TestSlackHostileWords(t *testing.T) {
	slack := notifytest.NewSlack(t)
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "slack", URL: plainSecret(slack.Hook())})
	e := incidentEvent("incident.opened", "investigating")
	e.Content.Title = "<!channel> *x* & <https://evil.example|bank> @here"
	e.Content.Body = "<!everyone> <@U123> @channel " + strings.Repeat("[long](https://example.org/a&b) ", 1000)
	e.Content.Staff = strings.Repeat("<!here> ``` & ", 2000)
	e.Content.Names = []string{"<!subteam^S1>", "`code`"}
	m := toTeam(e)
	for range 30 {
		m.Also = append(m.Also, e)
	}
	m.Attempt = 2
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	got := slack.Messages()[0]
	for rest := got.Text + got.Blocks; ; {
		_, mark, found := strings.Cut(rest, "<")
		if !found {
			break
		}
		mark, rest, _ = strings.Cut(mark, ">")
		if !strings.HasPrefix(mark, "https://example.org/") {
			t.Fatalf("a mark went through: %.60q", mark)
		}
	}
	if strings.Contains(got.Blocks, "@channel") || !strings.Contains(got.Blocks, "sent before") {
		t.Error("somebody is called, or the repeat does not say that it is one")
	}
	if p := slack.Problems(); len(p) > 0 {
		t.Errorf("Slack complains: %q", p)
	}
}

// TestSlackSubscriber: customers read what the page says, and whose page it is.
func TestSlackSubscriber(t *testing.T) {
	slack := notifytest.NewSlack(t)
	_, ch := house(t, anywhere).Subscribers()
	m := toSubscriber(incidentEvent("incident.opened", "investigating"))
	m.To.Address = slack.Hook()
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	got := slack.Messages()[0]
	if got.Text != "Example status: *Investigating: Payments fail*" || strings.Contains(got.Blocks, "10.0.0.7") {
		t.Errorf("message %+v", got)
	}
	slack.Answer(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no_service", http.StatusNotFound) })
	_, err := ch.Send(within(t), m)
	if r := refusal(t, err); !r.Gone {
		t.Errorf("a hook that was removed: %+v", r)
	}
}

func TestSlackWithoutInteractivityOpensAPage(t *testing.T) {
	slack := notifytest.NewSlack(t)
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "slack", URL: plainSecret(slack.Hook())})
	if _, err := ch.Send(within(t), toTeam(incidentEvent("alert.reminder", "major_outage"))); err != nil {
		t.Fatal(err)
	}
	if b := slack.Messages()[0].Buttons[0]; b.URL != "https://status.example.org/acknowledge/t" || b.Value != "" {
		t.Errorf("button %+v", b)
	}
}

func TestSlackEmail(t *testing.T) {
	slack := notifytest.NewSlack(t)
	slack.Users["U01"] = "Ann@Example.org"
	api, err := house(t).Slack(slackFile(slack))
	if err != nil {
		t.Fatal(err)
	}
	if email, err := api.Email(within(t), "U01"); err != nil || email != "ann@example.org" {
		t.Errorf("%q, %v", email, err)
	}
	for _, user := range []string{"U02", "", "../U01", "U01&x=y"} {
		if _, err := api.Email(within(t), user); problem.KindOf(err) != problem.KindNotFound {
			t.Errorf("%q: %v", user, err)
		}
	}
	slack.Fail("internal_error")
	if _, err := api.Email(within(t), "U01"); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("%v", err)
	}
	if api, err := house(t).Slack(config.File{}); api != nil || err != nil {
		t.Errorf("without a token: %v, %v", api, err)
	}
}

func TestReplySlackLeadsToSlackAlone(t *testing.T) {
	end := notifytest.NewEndpoint(t)
	h := house(t)
	f := config.File{Slack: config.Slack{URL: end.URL + "/api/"}}
	if err := h.ReplySlack(within(t), f, end.URL+"/reply", "no"); err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	if err := json.Unmarshal(end.Requests()[0].Body, &said); err != nil || said["text"] != "no" || said["replace_original"] != false {
		t.Errorf("%s", end.Requests()[0].Body)
	}
	for _, address := range []string{"http://127.0.0.1:1/x", "http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/x", "https://evil.example/hooks.slack.com", ""} {
		if r := refusal(t, h.ReplySlack(within(t), f, address, "no")); !r.Permanent {
			t.Errorf("%q: %+v", address, r)
		}
	}
}

func TestSlackSettings(t *testing.T) {
	for _, row := range []struct {
		c    config.Channel
		want string
	}{
		{config.Channel{}, "token: is missing"},
		{config.Channel{Token: plainSecret("x")}, "to: give the id of one channel"},
		{config.Channel{Token: plainSecret("x"), To: []string{"#general"}}, "to: give the id of one channel"},
		{config.Channel{URL: plainSecret("nowhere")}, "url: is not an http"},
		{config.Channel{URL: plainSecret("https://hooks.slack.com/x"), To: []string{"C024BE91L"}}, "url: is for an incoming webhook"},
		{config.Channel{URL: plainSecret("https://hooks.slack.com/x"), Mention: "<!here>"}, "mention: is channel, here"},
	} {
		row.c.Kind = "slack"
		if err := house(t).Check(config.File{}, row.c); err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%+v: %v, want %s", row.c, err, row.want)
		}
	}
	for who, want := range map[string]string{"": "", "here": "<!here>", "U024BE7LH": "<@U024BE7LH>", "S0604QSJC": "<!subteam^S0604QSJC>"} {
		if got, err := mentionOf(who); err != nil || got != want {
			t.Errorf("%q: %q, %v", who, got, err)
		}
	}
}
