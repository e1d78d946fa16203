package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/testkit"
)

// operator is a person who may define things in the console.
var operator = access.Actor{ID: "person/1", Role: access.RoleOperator}

const withConsole = `
page: {name: Example Ltd, url: https://status.example.org}
probe: {user_agent: %q, console_private: %v}
components:
  - {id: shop, name: Web shop}
monitors:
  - {id: shop, component: shop, kind: http, url: "%s", interval: 1s}
`

// put defines something in the console and fails the test when it is refused.
func (b *booted) put(kind, id, text string, version int64) {
	b.tb.Helper()
	if _, err := b.app.Definitions().Put(b.tb.Context(), operator, status.Document{Kind: kind, ID: id, Text: text, Version: version}); err != nil {
		b.tb.Fatalf("put %s %s: %v", kind, id, err)
	}
}

// defined gives one definition made in the console; ok is false when there is none.
func (b *booted) defined(id string) (text, aside string, version int64, ok bool) {
	b.tb.Helper()
	all, err := b.app.Definitions().List(b.tb.Context(), operator)
	if err != nil {
		b.tb.Fatal(err)
	}
	for _, d := range all {
		if d.ID == id {
			return d.Text, d.Aside.Error(), d.Version, true
		}
	}
	return "", "", 0, false
}

// guarded is a target behind a password.
func guarded(t *testing.T) (url string, let *atomic.Int64) {
	let = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "probe" || password != "hunter2-secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		let.Add(1)
	}))
	t.Cleanup(server.Close)
	return server.URL, let
}

// TestDefinitionsMadeInTheConsole: components and monitors of people who keep no
// files are true at once, outlive a restart, keep their secrets sealed, and never
// stand in the way of the file.
func TestDefinitionsMadeInTheConsole(t *testing.T) {
	t.Parallel()
	shop := newTarget(t)
	mail, let := guarded(t)
	s := newSite(t)
	h := boot(t, s, fmt.Sprintf(withConsole, "hub", true, shop.url()))
	defs := h.app.Definitions()

	t.Log("a component and its monitor, true at once")
	h.put("component", "mail", "id: mail\nname: Mail # for customers\n", 0)
	h.put("monitor", "mail-http", fmt.Sprintf("id: mail-http\ncomponent: mail\nkind: http\nurl: %s\ninterval: 1s\nauth: {username: probe, password: hunter2-secret}\n", mail), 0)
	h.await("the new monitor to be let in", func() bool { return let.Load() > 0 })
	h.await("the new component on the page", func() bool { return strings.Contains(h.get("/").body, "Mail") })
	text, _, version, _ := h.defined("mail-http")
	if strings.Contains(text, "hunter2") || !strings.Contains(text, "sealed") || version != 1 {
		t.Errorf("kept as version %d:\n%s", version, text)
	}

	t.Log("what is wrong is told at once, with its line, and nothing changes")
	_, err := defs.Put(t.Context(), operator, status.Document{Kind: "monitor", ID: "bad", Text: "id: bad\ncomponent: nope\nkind: http\nurl: ftp://x\ninterval: 0s\n"})
	if told := fmt.Sprint(err); problem.KindOf(err) != problem.KindInvalid || !strings.Contains(told, "line 2:") || !strings.Contains(told, "line 4:") || !strings.Contains(told, "line 5:") {
		t.Errorf("told %v", err)
	}
	_, err = defs.Put(t.Context(), operator, status.Document{Kind: "component", ID: "shop", Text: "id: shop\nname: Mine\n"})
	if problem.KindOf(err) != problem.KindConflict || !strings.Contains(fmt.Sprint(err), "defined in evenkeel.yaml, line 11") {
		t.Errorf("the file's own: %v", err)
	}
	if file, line, ok := defs.Place("component", "shop"); !ok || line != 11 || file != "evenkeel.yaml" {
		t.Errorf("locked at %s line %d, %t", file, line, ok)
	}
	if _, _, ok := defs.Place("component", "mail"); ok {
		t.Error("what was made here is locked")
	}
	_, err = defs.Drop(t.Context(), operator, "component", "mail", 1)
	if problem.KindOf(err) != problem.KindInvalid || !strings.Contains(fmt.Sprint(err), "monitor mail-http") {
		t.Errorf("dropped what is needed: %v", err)
	}
	_, err = defs.Put(t.Context(), access.Actor{ID: "person/2", Role: access.RoleViewer}, status.Document{Kind: "component", ID: "x", Text: "id: x\n"})
	if problem.KindOf(err) != problem.KindForbidden {
		t.Errorf("by a viewer: %v", err)
	}
	if plan, err := defs.Check(t.Context(), operator, status.Document{Kind: "component", ID: "x", Text: "id: x\n"}); err != nil || len(plan.Changes) != 1 {
		t.Errorf("tried out: %+v, %v", plan.Changes, err)
	}

	t.Log("the target may not be moved without the secret")
	_, err = defs.Put(t.Context(), operator, status.Document{Kind: "monitor", ID: "mail-http", Text: strings.Replace(text, mail, shop.url(), 1), Version: 1})
	if problem.KindOf(err) != problem.KindInvalid || !strings.Contains(fmt.Sprint(err), "write the secret again") {
		t.Errorf("moved with the sealed secret: %v", err)
	}
	h.put("monitor", "mail-http", strings.Replace(text, "interval: 1s", "interval: 2s", 1), 1)

	t.Log("a restart keeps it")
	h.stop()
	seen := let.Load()
	h = bootFile(t, h.path)
	h.await("the monitor to be let in again", func() bool { return let.Load() > seen })

	t.Log("the file takes the id: what was made here is set aside and named, and the file goes in")
	file, err := os.ReadFile(h.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.path, []byte(strings.Replace(string(file), "  - {id: shop, name", "  - {id: mail, name: The mail of the file}\n  - {id: shop, name", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.app.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, aside, _, _ := h.defined("mail"); !strings.Contains(aside, "mail is defined in") {
		t.Errorf("set aside: %q", aside)
	}
	h.await("the page to show what the file says", func() bool { return strings.Contains(h.get("/").body, "The mail of the file") })
	if c := h.check("definitions"); c.OK || c.Required || !strings.Contains(c.Detail, "component mail") {
		t.Errorf("check %+v", c)
	}

	t.Log("dropped, it is gone from the page and comes back with its history")
	if err := os.WriteFile(h.path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.app.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.app.Definitions().Drop(t.Context(), operator, "monitor", "mail-http", 2); err != nil {
		t.Fatal(err)
	}
	if _, err := h.app.Definitions().Drop(t.Context(), operator, "component", "mail", 1); err != nil {
		t.Fatal(err)
	}
	h.await("it to be gone", func() bool { return h.shown("mail") == "" && h.shown("shop") != "" })
	h.stop()
	entries := s.read(t)
	for verb, want := range map[string]int{"definition.put": 3, "definition.removed": 2} {
		if got := count(entries, verb); got != want {
			t.Errorf("%d entries %s, want %d", got, verb, want)
		}
	}
}

// TestConsoleMonitorsReachNoPrivateAddress unless that is allowed, while the
// file's do (design 10.8).
func TestConsoleMonitorsReachNoPrivateAddress(t *testing.T) {
	t.Parallel()
	shop, victim := newTarget(t), newTarget(t)
	h := boot(t, newSite(t), fmt.Sprintf(withConsole, "hub", false, shop.url()))
	h.put("component", "mail", "id: mail\n", 0)
	for i, address := range []string{victim.url(), "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/"} {
		h.put("monitor", fmt.Sprintf("m%d", i), fmt.Sprintf("id: m%d\ncomponent: mail\nkind: http\nurl: %q\ninterval: 1s\n", i, address), 0)
	}
	h.await("the file's monitor to probe on", func() bool { return shop.seen() >= 3 })
	if n := victim.seen(); n != 0 {
		t.Errorf("a monitor made in the console reached a loopback address %d times", n)
	}
}

// TestDefinitionReachesEveryReplica: put at one hub, it is probed by the one that
// watches and shown by both.
func TestDefinitionReachesEveryReplica(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIP: a short run starts no servers")
	}
	shop, extra := newTarget(t), newTarget(t)
	s := newSite(t)
	s.database = testkit.Postgres(t)
	replica := func(name string) *booted {
		own := s
		own.data = t.TempDir()
		return boot(t, own, fmt.Sprintf(withConsole, name, true, shop.url()))
	}
	a := replica("a")
	a.await("a to probe", func() bool { return shop.seenBy("a") > 0 })
	b := replica("b")
	b.put("component", "extra", "id: extra\nname: Made at b\n", 0)
	b.put("monitor", "extra", fmt.Sprintf("id: extra\ncomponent: extra\nkind: http\nurl: %q\ninterval: 1s\nconfirm: 1\n", extra.url()), 0)
	a.await("a, which watches, to probe it", func() bool { return extra.seenBy("a") > 0 })
	for _, h := range []*booted{a, b} {
		h.await("both pages to show it", func() bool { return strings.Contains(h.get("/").body, "Made at b") })
	}
	extra.turns(fails)
	for _, h := range []*booted{a, b} {
		h.await("both pages to show that it is down", func() bool { return h.shown("extra") == "major_outage" })
	}
	if n := extra.seenBy("b"); n != 0 {
		t.Errorf("b probed it %d times", n)
	}
	if _, err := a.app.Definitions().Drop(context.WithoutCancel(t.Context()), operator, "monitor", "extra", 1); err != nil {
		t.Fatal(err)
	}
	seen := extra.seen()
	a.await("the rest to be probed on", func() bool { return shop.seenBy("a") > seen+3 })
	if n := extra.seen(); n > seen+1 {
		t.Errorf("it was probed %d times after it was dropped", n-seen)
	}
}
