package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"evenkeel/internal/testkit"
)

// TestTwoReplicas (design 10.6): two hubs on one PostgreSQL and one Redis. One
// watches, both serve the same; whoever dies is replaced; whoever slept cannot
// write when it wakes up.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	evenkeel(t) // built before servers are started; skips a short run
	const token = "a-token-of-the-nightly-job"
	s, shop := newSite(t), newTarget(t)
	s.database, s.redis = testkit.Postgres(t), testkit.NewRedis(t, testkit.RedisOptions{}).URL
	replica := func(name string) *process {
		t.Helper()
		own := s
		own.data = t.TempDir()
		return launch(t, own.config(t, fmt.Sprintf(`
page: {name: Example Ltd, url: https://status.example.org}
probe: {user_agent: %[1]s}
components: [{id: shop, name: Web shop}, {id: backup, name: Backup}]
monitors:
  - {id: shop, component: shop, kind: http, url: "%[2]s", interval: 1s, confirm: 2, recover: 2}
  - {id: nightly, component: backup, kind: heartbeat, interval: 1s, schedule: {every: 1h}, token: %[3]s, confirm: 1, recover: 1}
`, name, shop.url(), token)))
	}

	t.Log("one watches, both show")
	a := replica("a")
	a.await("a to watch", a.watches)
	b := replica("b")
	a.awaitShown("shop", "operational")
	b.awaitShown("shop", "operational")
	seen := shop.seenBy("a")
	a.await("a to probe on", func() bool { return shop.seenBy("a") >= seen+3 })
	if n := shop.seenBy("b"); n != 0 || b.watches() {
		t.Errorf("b probed %d times, watches: %v", n, b.watches())
	}

	t.Log("a signal that b takes is known to a")
	if code := b.ask(http.MethodPost, b.page+"/ping/"+token, "").code; code != http.StatusOK {
		t.Errorf("ping: %d", code)
	}
	a.awaitShown("backup", "operational")
	b.awaitShown("backup", "operational")
	same(t, a.hub, b.hub)

	t.Log("a sleeps: b takes over and sees an outage that a never hears of")
	a.signal(syscall.SIGSTOP)
	b.await("b to watch", b.watches)
	shop.turns(fails)
	b.awaitShown("shop", "major_outage")
	probes := shop.seenBy("a")
	a.signal(syscall.SIGCONT)
	a.await("a to step back", func() bool { _, told := a.metric("evenkeel_watching"); return told && !a.watches() })
	a.awaitShown("shop", "major_outage")
	same(t, a.hub, b.hub)
	if n := shop.seenBy("a"); n > probes+3 { // what was due before it noticed
		t.Errorf("a probed %d times after it woke up", n-probes)
	}

	t.Log("b dies: a takes over")
	b.kill()
	a.await("a to watch again", a.watches)
	shop.turns(works)
	a.awaitShown("shop", "operational")
	outages := 0
	for _, span := range a.spans("shop", "published") {
		if span.Status == "major_outage" && span.From.Before(shop.after(works, shop.first(fails))) {
			outages++
		}
	}
	if outages == 0 {
		t.Error("the outage is not in the record")
	}
	if code := a.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}

	t.Log("one outage was told, and the chain of the journal is whole")
	var moves []string
	for _, e := range s.read(t) {
		if e.Verb == "component.moved" && e.Payload["track"] == "published" && strings.HasPrefix(e.Payload["to"], "major") {
			moves = append(moves, e.EffectiveAt.Format(time.TimeOnly))
		}
	}
	if len(moves) < 1 || len(moves) > 2 { // b's, and a's when it takes over what still lasts
		t.Errorf("outages told from %v", moves)
	}
}

// same waits until two hubs serve the same bytes in the same minute: their
// strong tags agree for every page that is always ready.
func same(t *testing.T, a, b hub) {
	t.Helper()
	for _, path := range []string{"/", "/embed", "/api/v2/summary.json", "/api/v2/components.json", "/history.atom", "/history.rss", "/feed.json", "/maintenance.ics", "/badge.svg", "/favicon.svg"} {
		var tags [2]string
		testkit.Await(t, "both to serve the same "+path, patience, func() bool {
			tags[0], tags[1] = a.get(path).header.Get("Etag"), b.get(path).header.Get("Etag")
			return tags[0] != "" && tags[0] == tags[1]
		})
	}
}
