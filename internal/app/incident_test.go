package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"evenkeel/internal/api"
	"evenkeel/internal/notify/notifytest"
)

// act does something through the management API and decodes the answer.
func (h hub) act(method, path string, body, into any) answer {
	h.tb.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		h.tb.Fatal(err)
	}
	a := h.ask(method, h.admin+path, string(text))
	if a.code/100 == 2 && into != nil {
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			h.tb.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
	return a
}

// open gives the incidents that are open.
func (h hub) open() []api.Incident {
	h.tb.Helper()
	var list api.Incidents
	h.manage("/api/v1/incidents?state=open", &list)
	return list.Incidents
}

// post sends a form as a browser on the page does.
func (h hub) post(path string, form url.Values) answer {
	h.tb.Helper()
	req, err := http.NewRequestWithContext(h.tb.Context(), http.MethodPost, h.page+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
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

// words gives the subject and the text of a mail.
func words(tb testing.TB, m notifytest.Mail) (subject, text string) {
	tb.Helper()
	var dec mime.WordDecoder
	for line := range strings.Lines(string(m.Raw)) {
		if s, ok := strings.CutPrefix(line, "Subject: "); ok {
			subject, _ = dec.DecodeHeader(strings.TrimSpace(s))
			break
		}
	}
	plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(m.Raw))))
	if err != nil && len(plain) == 0 {
		tb.Fatal(err)
	}
	return subject, string(plain)
}

// TestAnIncidentIsToldFromItsBeginningToItsEnd: checks suspect it, a person
// publishes and resolves it, the page says so, a subscriber who confirmed hears
// each word once, staff are called, and the journal holds.
func TestAnIncidentIsToldFromItsBeginningToItsEnd(t *testing.T) { // S1-22, S1-25
	t.Parallel()
	shop, mail, tools := newTarget(t), notifytest.NewMailServer(t, notifytest.MailOptions{}), notifytest.NewEndpoint(t)
	s := newSite(t)
	h := boot(t, s, fmt.Sprintf(`
page: {name: Example Ltd, url: "https://status.example.org"}
components: [{id: shop, name: Web shop}]
monitors:
  - {id: shop, component: shop, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1}
smtp: {url: "smtp://%s", from: status@example.org}
channels: [{id: tools, kind: webhook, url: "%s/in", secret: "shared"}]
routes: [{id: all, to: [tools]}]
`, shop.url(), mail.Addr, tools.URL))
	h.awaitShown("shop", "operational")

	if a := h.post("/subscribe", url.Values{"mode": {"email"}, "address": {"reader@example.org"}, "min_impact": {"none"}}); a.code != http.StatusSeeOther && a.code != http.StatusOK {
		t.Fatalf("subscribe: %d %s", a.code, a.body)
	}
	mails, err := mail.Await(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	_, text := words(t, mails[0])
	link := regexp.MustCompile(`/subscribe/confirm/[\w.~-]+`).FindString(text)
	if link == "" {
		t.Fatalf("no link to confirm in %s", text)
	}
	if a := h.post(link, nil); a.code/100 > 3 {
		t.Fatalf("confirm: %d %s", a.code, a.body)
	}

	shop.turns(fails)
	h.awaitShown("shop", "major_outage")
	h.await("a suspected incident", func() bool { return len(h.open()) == 1 })
	i := h.open()[0]
	if i.State != "suspected" || i.Visibility != "draft" || i.Impact != "critical" || len(i.Components) != 1 || i.Components[0].ID != "shop" {
		t.Errorf("suspected: %+v", i)
	}
	if a := h.get("/incidents/" + i.ID); a.code != http.StatusNotFound {
		t.Errorf("customers get %d for what nobody published", a.code)
	}
	h.await("staff to be called", func() bool { return len(tools.Requests()) > 0 })

	var line api.IncidentLine
	first := api.NewUpdate{Body: "We look into *payments* that fail.", State: "investigating", Components: []api.Says{{ID: "shop", Status: "partial_outage"}}}
	if a := h.act(http.MethodPost, "/api/v1/incidents/"+i.ID+"/updates", first, &line); a.code != http.StatusOK {
		t.Fatalf("publish: %d %s", a.code, a.body)
	}
	h.await("the page to say what the person said", func() bool { return h.shown("shop") == "partial_outage" })
	h.await("the incident on the page", func() bool {
		a := h.get("/incidents/" + i.ID)
		return a.code == http.StatusOK && strings.Contains(a.body, "<em>payments</em>")
	})
	h.await("the incident in the JSON", func() bool {
		return strings.Contains(h.get("/api/v2/incidents/unresolved.json").body, i.ID)
	})
	if mails, err = mail.Await(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if subject, text := words(t, mails[1]); !strings.Contains(subject+text, "payments") || strings.Contains(text, secret) {
		t.Errorf("the mail says %q: %s", subject, text)
	}

	shop.turns(works)
	h.await("resolution to be proposed", func() bool { o := h.open(); return len(o) == 1 && o[0].GreenSince != nil })
	if got := h.shown("shop"); got != "partial_outage" {
		t.Errorf("the machine overruled the person: %s", got)
	}
	if a := h.act(http.MethodPost, "/api/v1/incidents/"+i.ID+"/updates", api.NewUpdate{Body: "Payments work again.", State: "resolved"}, nil); a.code != http.StatusOK {
		t.Fatalf("resolve: %d %s", a.code, a.body)
	}
	h.awaitShown("shop", "operational")
	if mails, err = mail.Await(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		if len(m.To) != 1 || m.To[0] != "reader@example.org" {
			t.Errorf("a mail went to %v", m.To)
		}
	}
	if len(mails) != 3 {
		for _, m := range mails {
			subject, _ := words(t, m)
			t.Errorf("one of %d mails, where 3 were due: %s", len(mails), subject)
		}
	}
	for _, p := range tools.Problems() {
		t.Error(p)
	}
	h.await("the story in the history", func() bool { return strings.Contains(h.get("/history").body, "Payments work again.") })

	h.stopAndCheck(s)
}

// stopAndCheck reads the journal to its end: reading verifies the chain.
func (h booted) stopAndCheck(s site) {
	h.tb.Helper()
	h.stop()
	if entries := s.read(h.tb); count(entries, "incident.published") != 1 || count(entries, "incident.resolved") != 1 {
		h.tb.Errorf("published %d and resolved %d times", count(entries, "incident.published"), count(entries, "incident.resolved"))
	}
}

// TestAPostUnderAKeyIsDoneOnce: the same request under the same key gets the
// same answer and makes nothing twice.
func TestAPostUnderAKeyIsDoneOnce(t *testing.T) {
	t.Parallel()
	h := boot(t, newSite(t), "page: {name: Example Ltd}\ncomponents: [{id: shop}]\n")
	h.await("the API", func() bool { return h.ask(http.MethodGet, h.admin+"/api/v1/incidents", "").code == http.StatusOK })
	send := func(body string) answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.admin+"/api/v1/incidents", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Idempotency-Key", "deploy-42")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer{resp.StatusCode, resp.Header, string(text)}
	}
	one, two := send(`{"name":"Search is slow"}`), send(`{"name":"Search is slow"}`)
	if one.code != http.StatusOK || two.code != one.code || one.body != two.body || two.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("first %d %s, then %d %s", one.code, one.body, two.code, two.body)
	}
	if n := len(h.open()); n != 1 {
		t.Errorf("%d incidents, want 1", n)
	}
	if other := send(`{"name":"Something else"}`); other.code != http.StatusConflict {
		t.Errorf("another request under the key: %d %s", other.code, other.body)
	}
}
