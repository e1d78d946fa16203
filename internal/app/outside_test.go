package app_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/api"
	"evenkeel/internal/notify/notifytest"
	"evenkeel/internal/people"
	"evenkeel/internal/testkit"
	"evenkeel/web/door"
)

// errand does what evenkeel admin does while the hub runs.
func (s site) errand(tb testing.TB, e people.Errand) people.Done {
	tb.Helper()
	done, there, err := door.ThroughHatch(tb.Context(), s.data, e)
	if err != nil || !there {
		tb.Fatalf("%s: there %v, %v", e.Do, there, err)
	}
	return done
}

// TestAHubThatIsUnwellIsMissed (design 10.10): a hub's heartbeat goes to another
// hub while all is well; when its database is gone it falls silent, and the
// other hub raises the alarm.
func TestAHubThatIsUnwellIsMissed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waiting out a database is left to the long run")
	}
	const token = "the-heartbeat-of-the-first-hub"
	listener := boot(t, newSite(t), `
page: {name: Listener}
components: [{id: hub, name: First hub}]
monitors: [{id: hub, component: hub, kind: heartbeat, interval: 1s, schedule: {every: 3s}, grace: 2s, token: `+token+`, confirm: 1, recover: 1}]
`)
	postgres, s := testkit.NewPostgres(t), newSite(t)
	s.database = postgres.Database(t)
	h := boot(t, s, "page: {name: Example Ltd}\ncomponents: [{id: shop}]\ndeadman: {url: \""+listener.page+"/ping/"+token+"\", every: 1s}\n")
	listener.awaitShown("hub", "operational")
	postgres.Stop(t)
	h.await("the hub to be unwell", func() bool { code, _ := h.readiness(); return code == http.StatusServiceUnavailable })
	listener.awaitShown("hub", "major_outage")
	postgres.Start(t)
	listener.awaitShown("hub", "operational")
}

// TestAlertmanagerInAndOut: what Debian's Alertmanager tells becomes an incident
// and its end; what our checks find is an alert there until it is over.
func TestAlertmanagerInAndOut(t *testing.T) {
	t.Parallel()
	shop, s := newTarget(t), newSite(t)
	text := fmt.Sprintf(`
page: {name: Example Ltd, url: "https://status.example.org"}
components: [{id: shop, name: Web shop}, {id: search, name: Search}]
monitors: [{id: shop, component: shop, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1}]
`, shop.url())
	h := boot(t, s, text)
	h.awaitShown("shop", "operational")
	hook := s.errand(t, people.Errand{Do: people.DoHookCreate, Source: "alertmanager", Name: "Prometheus"})
	address := testkit.Alertmanager(t, `
route:
  receiver: none
  routes: [{receiver: evenkeel, matchers: ['team="search"'], group_wait: 50ms, group_interval: 500ms, repeat_interval: 1h}]
receivers:
  - name: none
  - name: evenkeel
    webhook_configs: [{url: "`+h.page+hook.Path+`", send_resolved: true}]
`)
	s.rewrite(t, h.path, text+`
channels: [{id: prometheus, kind: alertmanager, url: "`+address+`"}]
routes: [{id: all, to: [prometheus]}]
`)
	if err := h.app.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}

	t.Log("in")
	tell := func(ends time.Time) {
		t.Helper()
		body, err := json.Marshal([]map[string]any{{
			"labels":      map[string]string{"alertname": "SlowSearch", "team": "search", "component": "search", "severity": "warning"},
			"annotations": map[string]string{"summary": "Searches take five seconds"}, "startsAt": time.Now().Add(-time.Minute), "endsAt": ends,
		}})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/api/v2/alerts", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if a := h.send(req); a.code != http.StatusOK {
			t.Fatalf("alertmanager: %d %s", a.code, a.body)
		}
	}
	tell(time.Now().Add(time.Hour))
	h.await("an incident for the alert", func() bool { return len(h.open()) == 1 })
	i := h.open()[0]
	if i.State != "suspected" || i.Origin != "alert" || i.Impact != "minor" || len(i.Components) != 1 || i.Components[0].ID != "search" {
		t.Errorf("%+v", i)
	}
	tell(time.Now())
	h.await("the end of the alert", func() bool {
		o := h.open()
		return len(o) == 0 || o[0].GreenSince != nil
	})

	t.Log("out")
	type alert struct {
		Labels map[string]string `json:"labels"`
	}
	active := func() (out []alert) {
		t.Helper()
		var all []alert
		if err := json.Unmarshal([]byte(h.ask(http.MethodGet, address+"/api/v2/alerts?active=true", "").body), &all); err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if strings.HasPrefix(a.Labels["subject"], "incident/") && a.Labels["subject"] != "incident/"+i.ID {
				out = append(out, a)
			}
		}
		return out
	}
	shop.turns(fails)
	h.await("our alert", func() bool { return len(active()) == 1 })
	if a := active()[0]; a.Labels["severity"] == "" || a.Labels["alertname"] == "" || a.Labels["page"] == "" {
		t.Errorf("%+v", a)
	}
	shop.turns(works)
	h.await("its end", func() bool { return len(active()) == 0 })
}

// fromSlack posts a form as Slack does: signed, at a time.
func (h hub) fromSlack(path, secret string, at time.Time, form url.Values) answer {
	h.tb.Helper()
	body := form.Encode()
	req, err := http.NewRequestWithContext(h.tb.Context(), http.MethodPost, h.page+path, strings.NewReader(body))
	if err != nil {
		h.tb.Fatal(err)
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return h.send(req)
}

// send sends a request and gives the answer.
func (h hub) send(req *http.Request) answer {
	h.tb.Helper()
	resp, err := client.Do(req)
	if err != nil {
		h.tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.tb.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// TestSlackBothWays: an outage stands in the channel with a button; the button,
// signed by Slack, acknowledges it for the person behind it; commands declare,
// publish and resolve; what is not signed, or old, or from a stranger does nothing.
func TestSlackBothWays(t *testing.T) {
	t.Parallel()
	const secret, ann, stranger = "the signing secret of the app", "U024BE7LH", "U024BE7LX"
	shop, slack, s := newTarget(t), notifytest.NewSlack(t), newSite(t)
	slack.Users[ann], slack.Users[stranger] = "ann@example.org", "stranger@example.org"
	h := boot(t, s, fmt.Sprintf(`
page: {name: Example Ltd, url: "https://status.example.org"}
components: [{id: shop, name: Web shop}]
monitors: [{id: shop, component: shop, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1}]
slack: {url: "%s", token: "%s", signing_secret: "%s"}
channels: [{id: ops, kind: slack, to: [C024BE91L], interactive: true, per_second: 100}]
routes: [{id: all, to: [ops]}]
`, shop.url(), slack.API(), notifytest.SlackToken, secret))
	h.awaitShown("shop", "operational")
	s.errand(t, people.Errand{Do: people.DoPersonAdd, Name: "Ann", Email: "ann@example.org", Roles: []string{"operator"}})
	hook := s.errand(t, people.Errand{Do: people.DoHookCreate, Source: "slack"}).Path
	say := func(user, text string) string {
		t.Helper()
		a := h.fromSlack(hook, secret, time.Now(), url.Values{"command": {"/evenkeel"}, "user_id": {user}, "text": {text}})
		var reply struct {
			Type string `json:"response_type"`
			Text string `json:"text"`
		}
		if err := json.Unmarshal([]byte(a.body), &reply); a.code != http.StatusOK || err != nil || reply.Type != "ephemeral" {
			t.Fatalf("%q: %d %s", text, a.code, a.body)
		}
		return reply.Text
	}

	shop.turns(fails)
	var button notifytest.SlackButton
	h.await("the outage in the channel, with a button", func() bool {
		for _, m := range slack.Messages() {
			for _, b := range m.Buttons {
				if b.ActionID == "evenkeel_acknowledge" && b.Value != "" {
					button = b
				}
			}
		}
		return button.Value != ""
	})
	press := func(user string) url.Values {
		payload, err := json.Marshal(map[string]any{
			"type": "block_actions", "user": map[string]string{"id": user}, "actions": []map[string]string{{"action_id": button.ActionID, "value": button.Value}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return url.Values{"payload": {string(payload)}}
	}
	acknowledged := func() bool {
		var list struct {
			Alerts []struct{ ID, State string }
		}
		h.manage("/api/v1/alerts", &list)
		for _, a := range list.Alerts {
			if a.ID == button.Value {
				return a.State == "acknowledged"
			}
		}
		return false
	}
	for name, a := range map[string]answer{
		"another secret": h.fromSlack(hook, "guessed", time.Now(), press(ann)),
		"an old request": h.fromSlack(hook, secret, time.Now().Add(-10*time.Minute), press(ann)),
		"another hook":   h.fromSlack("/hooks/slack/guessed", secret, time.Now(), press(ann)),
	} {
		if a.code != http.StatusUnauthorized && a.code != http.StatusNotFound {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
	if a := h.fromSlack(hook, secret, time.Now(), press(stranger)); a.code != http.StatusOK || acknowledged() {
		t.Errorf("a stranger's button: %d, acknowledged %v", a.code, acknowledged())
	}
	if a := h.fromSlack(hook, secret, time.Now(), press(ann)); a.code != http.StatusOK {
		t.Errorf("the button: %d %s", a.code, a.body)
	}
	h.await("the alert to be acknowledged", acknowledged)
	h.await("the channel to say who has it", func() bool {
		for _, m := range slack.Messages() {
			if strings.Contains(strings.ToLower(m.Text+m.Blocks), "acknowledged") && strings.Contains(m.Text+m.Blocks, "Ann") {
				return true
			}
		}
		return false
	})

	if got := say(stranger, "declare Mine now"); !strings.Contains(got, "no account") {
		t.Errorf("a stranger declares: %s", got)
	}
	if got := say(ann, "declare Checkout is slow"); !strings.Contains(got, "Opened") {
		t.Errorf("declare: %s", got)
	}
	declared := func() api.Incident {
		for _, i := range h.open() {
			if i.Name == "Checkout is slow" {
				return i
			}
		}
		return api.Incident{}
	}
	label := fmt.Sprintf("INC-%d", declared().Number)
	if got := say(ann, "update "+label+" identified A card provider is slow."); !strings.Contains(got, "Published") {
		t.Errorf("update: %s", got)
	}
	h.await("the words on the page", func() bool { return strings.Contains(h.get("/").body, "A card provider is slow.") })
	if got := say(ann, "update "+label+" resolved It is fast again."); !strings.Contains(got, "resolved") {
		t.Errorf("resolve: %s", got)
	}
	if got := say("U024BE7LZ", "status"); !strings.Contains(got, "Web shop") {
		t.Errorf("anybody's status: %s", got)
	}
	for _, p := range slack.Problems() {
		t.Error(p)
	}
}

// TestPagerDutyFromTriggerToResolve: one outage is one incident there, which our
// acknowledgement acknowledges and our recovery resolves.
func TestPagerDutyFromTriggerToResolve(t *testing.T) {
	t.Parallel()
	shop, pager := newTarget(t), notifytest.NewPagerDuty(t)
	h := boot(t, newSite(t), fmt.Sprintf(`
page: {name: Example Ltd, url: "https://status.example.org"}
components: [{id: shop, name: Web shop}]
monitors: [{id: shop, component: shop, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1}]
channels: [{id: pager, kind: pagerduty, url: "%s", token: "%s"}]
routes: [{id: all, when: {kinds: [component]}, to: [pager]}]
`, shop.url(), pager.URL, notifytest.PagerDutyKey))
	h.awaitShown("shop", "operational")
	shop.turns(fails)
	is := func(state string) func() bool {
		return func() bool { i := pager.Incidents(); return len(i) == 1 && i[0].Status == state }
	}
	h.await("the pager to ring", is("triggered"))
	var list struct{ Alerts []struct{ ID, State string } }
	if !h.manage("/api/v1/alerts", &list) || len(list.Alerts) != 1 {
		t.Fatalf("alerts: %+v", list)
	}
	if a := h.act(http.MethodPost, "/api/v1/alerts/"+list.Alerts[0].ID+"/acknowledge", struct{}{}, nil); a.code/100 != 2 {
		t.Errorf("acknowledge: %d %s", a.code, a.body)
	}
	h.await("the pager to rest", is("acknowledged"))
	shop.turns(works)
	h.await("the pager to be told of the end", is("resolved"))
	if i := pager.Incidents()[0]; i.Triggers != 1 {
		t.Errorf("%+v", i)
	}
	for _, p := range pager.Problems() {
		t.Error(p)
	}
	h.await("the metrics to count", func() bool {
		n, ok := h.metric(`evenkeel_notices_total{channel="pager",result="sent"}`)
		return ok && n >= 3
	})
	if lag, ok := h.metric("evenkeel_sender_lag_seconds"); !ok || lag != 0 {
		t.Errorf("the sender is %v s behind (%v)", lag, ok)
	}
}

// TestWebhooksHearOfComponents: without any incident that customers see, webhook
// subscribers hear of a component's new status in Statuspage's shape, and of its
// recovery; nobody else does.
func TestWebhooksHearOfComponents(t *testing.T) {
	t.Parallel()
	shop, mail, end := newTarget(t), notifytest.NewMailServer(t, notifytest.MailOptions{}), notifytest.NewEndpoint(t)
	h := boot(t, newSite(t), fmt.Sprintf(`
page: {name: Example Ltd, url: "https://status.example.org"}
components: [{id: shop, name: Web shop}]
monitors: [{id: shop, component: shop, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1}]
smtp: {url: "smtp://%s", from: status@example.org}
subscribers: {allow_private: true}
routes: []
`, shop.url(), mail.Addr))
	h.awaitShown("shop", "operational")
	for _, n := range []api.NewSubscriber{{Mode: "webhook", Address: end.URL + "/in", Confirmed: true}, {Mode: "email", Address: "reader@example.org", Confirmed: true}} {
		if a := h.act(http.MethodPost, "/api/v1/subscribers", n, nil); a.code != http.StatusOK {
			t.Fatalf("subscribe: %d %s", a.code, a.body)
		}
	}
	type update struct {
		Page      struct{ ID string }
		Component struct{ ID, Name, Status string }
		Update    struct {
			ID  string `json:"component_id"`
			Old string `json:"old_status"`
			New string `json:"new_status"`
		} `json:"component_update"`
	}
	heard := func() (out []update) {
		for _, r := range end.Requests() {
			var u update
			if err := json.Unmarshal(r.Body, &u); err != nil {
				t.Fatalf("%v in %s", err, r.Body)
			}
			out = append(out, u)
		}
		return out
	}
	shop.turns(fails)
	h.await("the webhook to hear of the outage", func() bool { return len(heard()) == 1 })
	shop.turns(works)
	h.await("the webhook to hear of the recovery", func() bool { return len(heard()) == 2 })
	down, up := heard()[0], heard()[1]
	if down.Page.ID != "status.example.org" || down.Component.ID != "shop" || down.Component.Status != "major_outage" || down.Update.ID != "shop" || down.Update.Old != "operational" || down.Update.New != "major_outage" {
		t.Errorf("the outage: %+v", down)
	}
	if up.Component.Status != "operational" || up.Update.Old != "major_outage" || up.Update.New != "operational" {
		t.Errorf("the recovery: %+v", up)
	}
	if n := len(mail.Mails()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

// TestEveryLoopIsWatched (design 10.10): each loop of the hub has a check in
// /readyz, and is well.
func TestEveryLoopIsWatched(t *testing.T) {
	t.Parallel()
	h := boot(t, newSite(t), "page: {name: Example Ltd}\ncomponents: [{id: shop}]\n")
	want := []string{
		"accounts", "attention", "checks", "definitions loop", "incidents", "journal heads", "judging", "latency flush", "latency history", "maintenance clock", "notices", "page",
		"page clock", "page follower", "record writer", "refusals", "schedule", "sealer", "search follower", "sender", "statements", "upkeep",
	}
	var missing []string
	h.await("every loop to be well", func() bool {
		_, report := h.readiness()
		missing = nil
		for _, name := range want {
			found := false
			for _, c := range report.Checks {
				found = found || c.Name == name && c.OK
			}
			if !found {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			t.Logf("missing %v", missing)
		}
		return len(missing) == 0
	})
}
