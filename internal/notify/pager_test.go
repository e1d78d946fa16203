package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify/notifytest"
	"evenkeel/internal/testkit"
)

// TestPagerDutyHearsAnAlertOnce: a repeat is one alert, and its end ends it.
func TestPagerDutyHearsAnAlertOnce(t *testing.T) {
	pd := notifytest.NewPagerDuty(t)
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "pagerduty", URL: plainSecret(pd.URL), Token: plainSecret(notifytest.PagerDutyKey)})
	send := func(kind, status string, alarm notice.Alarm) notice.Receipt {
		t.Helper()
		m := toTeam(incidentEvent(kind, status))
		m.Event.Alarm = alarm
		receipt, err := ch.Send(within(t), m)
		if err != nil {
			t.Fatal(err)
		}
		if !receipt.ExactOnce {
			t.Errorf("%s: PagerDuty knows repeats", kind)
		}
		return receipt
	}
	for _, step := range []struct {
		kind, status string
		alarm        notice.Alarm
		mark, want   string
		triggers     int
	}{
		{"component.down", "major_outage", notice.AlarmFire, "trigger", "triggered", 1},
		{"component.down", "major_outage", notice.AlarmFire, "trigger", "triggered", 2},
		{"incident.updated", "identified", notice.AlarmNone, "nothing to send: a pager hears of what begins, is acknowledged or ends", "triggered", 2},
		{"alert.escalated", "major_outage", notice.AlarmNone, "trigger", "triggered", 3},
		{"alert.acknowledged", "major_outage", notice.AlarmNone, "acknowledge", "acknowledged", 3},
		{"incident.resolved", "resolved", notice.AlarmClear, "resolve", "resolved", 3},
		{"incident.resolved", "resolved", notice.AlarmClear, "resolve", "resolved", 3},
	} {
		if got := send(step.kind, step.status, step.alarm); got.Mark != step.mark {
			t.Errorf("%s: mark %q, want %q", step.kind, got.Mark, step.mark)
		}
		all := pd.Incidents()
		if len(all) != 1 || all[0].Status != step.want || all[0].Triggers != step.triggers {
			t.Fatalf("after %s: %+v, want one %s", step.kind, all, step.want)
		}
	}
	if one := pd.Incidents()[0]; one.Key != "incident/01inc" || one.Severity != "error" || one.Summary != "Major outage: Payments fail" {
		t.Errorf("%+v", one)
	}
	send("channel.test", "test", notice.AlarmNone)
	if all := pd.Incidents(); len(all) != 2 || all[1].Status != "resolved" {
		t.Errorf("a test: %+v", all)
	}
	if p := pd.Problems(); len(p) > 0 {
		t.Errorf("PagerDuty complains: %q", p)
	}
}

func TestPagerDutyTakesTheLongestMessage(t *testing.T) {
	pd := notifytest.NewPagerDuty(t)
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "pagerduty", URL: plainSecret(pd.URL), Token: plainSecret(notifytest.PagerDutyKey)})
	e := incidentEvent("component.down", "major_outage")
	e.Alarm, e.Severity = notice.AlarmFire, "unheard of"
	e.Content.Title, e.Content.Staff = strings.Repeat("ö", 5000), strings.Repeat("x", 1<<20)
	e.Content.Names, e.Groups = make([]string, 1000), make([]string, 1000)
	m := toTeam(e)
	m.PageName, m.Page = "", ""
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	if n := len(pd.Requests()[0].Body); n > 64<<10 {
		t.Errorf("a body of %d bytes", n)
	}
}

func TestPagerDutySaysWhatIsWrong(t *testing.T) {
	pd := notifytest.NewPagerDuty(t)
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "pagerduty", URL: plainSecret(pd.URL), Token: plainSecret("wrong")})
	m := toTeam(incidentEvent("component.down", "major_outage"))
	m.Event.Alarm = notice.AlarmFire
	_, err := ch.Send(within(t), m)
	if r := refusal(t, err); !r.Permanent || r.Reason != "answered 400 Bad Request: Event object is invalid 'routing_key' is invalid" {
		t.Errorf("%+v", r)
	}
}

func TestPagerDutyChanges(t *testing.T) {
	pd := notifytest.NewPagerDuty(t)
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "pagerduty_change", URL: plainSecret(pd.URL + "/"), Token: plainSecret(notifytest.PagerDutyKey)})
	receipt, err := ch.Send(within(t), toTeam(incidentEvent("maintenance.started", "in_progress")))
	if err != nil || receipt.ExactOnce {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if got := pd.Changes(); len(got) != 1 || got[0] != "Maintenance in progress: Payments fail" {
		t.Errorf("changes %q", got)
	}
}

// TestAlertmanagerAlert: labels stay the same from beginning to end, so that the
// end ends what began; what got worse does not stay behind as it was.
func TestAlertmanagerAlert(t *testing.T) {
	end := notifytest.NewEndpoint(t)
	now := began.Add(time.Hour)
	ch := open(t, house(t, func(e *Env) { e.Now = func() time.Time { return now } }), config.File{},
		config.Channel{Kind: "alertmanager", URL: plainSecret(end.URL + "/am/"), Token: plainSecret("tok")})
	post := func(kind string, alarm notice.Alarm, severity notice.Severity) map[string]alert {
		t.Helper()
		m := toTeam(incidentEvent(kind, "major_outage"))
		m.Event.Alarm, m.Event.Severity = alarm, severity
		if _, err := ch.Send(within(t), m); err != nil {
			t.Fatal(err)
		}
		requests := end.Requests()
		r := requests[len(requests)-1]
		if r.Path != "/am/api/v2/alerts" || r.Header.Get("Authorization") != "Bearer tok" {
			t.Errorf("%s %v", r.Path, r.Header)
		}
		var list []alert
		if err := json.Unmarshal(r.Body, &list); err != nil {
			t.Fatal(err)
		}
		out := map[string]alert{}
		for _, a := range list {
			if a.Labels["alertname"] != "EvenkeelIncident" || a.Labels["subject"] != "incident/01inc" || a.EndsAt.Before(a.StartsAt) {
				t.Errorf("alert %+v", a)
			}
			out[a.Labels["severity"]] = a
		}
		return out
	}
	fired := post("component.down", notice.AlarmFire, notice.SeverityMinor)
	if a := fired["minor"]; !a.StartsAt.Equal(began) || !a.EndsAt.After(now) || a.Annotations["runbook_url"] == "" || a.Annotations["summary"] == "" {
		t.Errorf("fired %+v", a)
	}
	worse := post("component.down", notice.AlarmFire, notice.SeverityCritical)
	if !worse["critical"].EndsAt.After(now) || worse["minor"].EndsAt.After(now) {
		t.Errorf("worse %+v", worse)
	}
	for severity, a := range post("incident.resolved", notice.AlarmClear, notice.SeverityInfo) {
		if a.EndsAt.After(now) {
			t.Errorf("%s still fires", severity)
		}
	}
	n := len(end.Requests())
	if receipt, err := ch.Send(within(t), toTeam(incidentEvent("incident.updated", "identified"))); err != nil || !receipt.ExactOnce || len(end.Requests()) != n {
		t.Errorf("%+v, %v", receipt, err)
	}
}

// TestRealAlertmanagerTakesAlerts: Debian's Alertmanager knows our alerts as one
// from beginning to end.
func TestRealAlertmanagerTakesAlerts(t *testing.T) {
	address := testkit.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "alertmanager", URL: plainSecret(address)})
	active := func() (out []alert) {
		t.Helper()
		resp, err := http.Get(address + "/api/v2/alerts")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	m := toTeam(incidentEvent("component.down", "major_outage"))
	for _, severity := range []notice.Severity{notice.SeverityMinor, notice.SeverityMajor, notice.SeverityMajor} {
		m.Event.Alarm, m.Event.Severity = notice.AlarmFire, severity
		if _, err := ch.Send(within(t), m); err != nil {
			t.Fatal(err)
		}
		if all := active(); len(all) != 1 || all[0].Labels["severity"] != string(severity) || all[0].Labels["subject"] != "incident/01inc" {
			t.Errorf("after %s: %+v", severity, all)
		}
	}
	m.Event.Alarm, m.Event.Severity = notice.AlarmClear, notice.SeverityInfo
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	if all := active(); len(all) != 0 {
		t.Errorf("still firing: %+v", all)
	}
}

// TestShoutrrr: the library's services get title and text, its trouble comes back
// without the secrets in the URL, and it reaches no forbidden address.
func TestShoutrrr(t *testing.T) {
	end := notifytest.NewEndpoint(t)
	end.Answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
	host := strings.TrimPrefix(end.URL, "http://")
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "shoutrrr", URL: plainSecret("ntfy://user:hunter2@" + host + "/alerts?scheme=http")})
	m := toTeam(incidentEvent("component.down", "major_outage"))
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	r := end.Requests()[0]
	if !strings.Contains(r.Header.Get("Title"), "Major outage: Payments fail") || !strings.Contains(string(r.Body), "connection refused") {
		t.Errorf("title %q, body %s", r.Header.Get("Title"), r.Body)
	}
	end.Answer(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"code":40301,"http":403,"error":"forbidden"}`, http.StatusForbidden)
	})
	_, err := ch.Send(within(t), m)
	if r := refusal(t, err); strings.Contains(r.Error(), "hunter2") || strings.Contains(r.Error(), host) || !strings.HasPrefix(r.Reason, "ntfy: ") {
		t.Errorf("%+v", r)
	}
	for _, url := range []string{"ntfy://169.254.169.254/alerts", "gotify://[fe80::1]/Aaa.bbb.ccc.ddd"} {
		ch, err := house(t).Open(config.File{}, config.Channel{Kind: "shoutrrr", URL: plainSecret(url)})
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		_, err = ch.Send(within(t), m)
		if r := refusal(t, err); !r.Permanent || !strings.Contains(r.Reason, "not allowed") {
			t.Errorf("%s: %+v", url, r)
		}
	}
	for url, want := range map[string]string{
		"nosuch://x": "url: there is no service nosuch://; there are bark, ", "://": "url: is not a URL", "smtp://x": "url: has a channel of its own here: write kind: mail",
		"discord://": "url: is not complete",
	} {
		if err := house(t).Check(config.File{}, config.Channel{Kind: "shoutrrr", URL: plainSecret(url)}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", url, err, want)
		}
	}
}

// TestShoutrrrThatHangs: a service cannot be told to stop, so that only so many
// may be under way.
func TestShoutrrrThatHangs(t *testing.T) {
	end := notifytest.NewEndpoint(t)
	free := make(chan struct{})
	end.Answer(func(http.ResponseWriter, *http.Request) { <-free })
	ch := open(t, house(t), config.File{}, config.Channel{Kind: "shoutrrr", URL: plainSecret("ntfy://" + strings.TrimPrefix(end.URL, "http://") + "/alerts?scheme=http")})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	reasons := map[string]int{}
	for range maxUnderway + 2 {
		_, err := ch.Send(ctx, toTeam(incidentEvent("component.down", "major_outage")))
		reasons[refusal(t, err).Reason]++
	}
	close(free)
	if reasons["no answer in time"] != maxUnderway || reasons["too many earlier messages have no answer yet"] != 2 {
		t.Errorf("%v", reasons)
	}
}

// TestShoutrrrDialsThroughTheGuard: services with transports of their own reach no
// forbidden address, not even when the look at the name before was answered well.
func TestShoutrrrDialsThroughTheGuard(t *testing.T) {
	guard, err := netguard.New(netguard.Options{AllowPrivate: true, Deny: []string{"127.0.0.0/8"}})
	if err != nil {
		t.Fatal(err)
	}
	end := notifytest.NewEndpoint(t)
	host := strings.TrimPrefix(end.URL, "http://")
	for service, url := range map[string]string{
		"ntfy": "ntfy://" + host + "/alerts?scheme=http", "gotify": "gotify://" + host + "/Aaa.bbb.ccc.ddd?disabletls=yes", "mattermost": "mattermost://" + host + "/token?disabletls=yes",
	} {
		t.Run(service, func(t *testing.T) {
			ch, err := openShoutrrr(house(t, func(e *Env) { e.File = guard }).env, config.File{}, config.Channel{URL: plainSecret(url)})
			if err != nil {
				t.Fatal(err)
			}
			ch.(*shoutrrr).hosts = nil // the look before: it was told another address
			_, err = ch.Send(within(t), toTeam(incidentEvent("component.down", "major_outage")))
			if r := refusal(t, err); !r.Permanent || !strings.Contains(r.Reason, "not allowed") {
				t.Errorf("%+v", r)
			}
		})
	}
	if n := len(end.Requests()); n != 0 {
		t.Errorf("%d requests came through", n)
	}
}
