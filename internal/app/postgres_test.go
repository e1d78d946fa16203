package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/testkit"
)

const paused = "live updates are paused"

// TestDatabaseComesAndGoes (design 10.3): without its database the hub serves
// its last page and goes on probing; it says that it is not ready, acknowledges
// nothing, and records what happened meanwhile, at the time when it happened,
// as soon as it can.
func TestDatabaseComesAndGoes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waiting out a database is left to the long run")
	}
	const token = "a-token-of-the-nightly-job"
	postgres, shop := testkit.NewPostgres(t), newTarget(t)
	s := newSite(t)
	s.database = postgres.Database(t)
	config := s.config(t, fmt.Sprintf(`
page: {name: Example Ltd}
components: [{id: shop, name: Web shop}, {id: backup}]
monitors:
  - {id: shop, component: shop, kind: http, url: "%s", interval: 1s, confirm: 2, recover: 2}
  - {id: nightly, component: backup, kind: heartbeat, interval: 1s, schedule: {every: 1h}, token: %s}
`, shop.url(), token))
	h := bootFile(t, config)
	ping := func() int { return h.ask(http.MethodPost, h.page+"/ping/"+token, "").code }
	h.awaitShown("shop", "operational")
	if code := ping(); code != http.StatusOK {
		t.Errorf("ping: %d", code)
	}
	h.await("/readyz to be content", func() bool { code, _ := h.readiness(); return code == http.StatusOK })

	postgres.Stop(t)
	h.await("/readyz to say no", func() bool { code, _ := h.readiness(); return code == http.StatusServiceUnavailable })
	if a := h.get("/"); a.code != http.StatusOK || !strings.Contains(a.body, "Web shop") {
		t.Errorf("the page: %d", a.code)
	}
	if code := ping(); code != http.StatusServiceUnavailable {
		t.Errorf("a ping that cannot be stored: %d", code)
	}
	shop.turns(fails)
	h.await("probes to go on", func() bool { return !shop.after(fails, shop.first(fails).Add(2*time.Second)).IsZero() })
	if got := h.level("shop"); got != "down" {
		t.Errorf("without a database the monitor is %s", got)
	}
	saysNothing(t, h.hub, site{data: s.data}, shop)

	postgres.Start(t)
	h.awaitShown("shop", "major_outage")
	outage := find(t, h.spans("shop", "published"), "major_outage")
	if outage.From.After(shop.first(fails)) || !outage.From.After(shop.last(works)) {
		t.Errorf("the outage began between %v and %v, recorded is %v", shop.last(works), shop.first(fails), outage.From)
	}
	h.await("/readyz to be content again", func() bool { code, _ := h.readiness(); return code == http.StatusOK })
	if code := ping(); code != http.StatusOK {
		t.Errorf("ping: %d", code)
	}
	shop.turns(works)
	h.awaitShown("shop", "operational")
	h.await("the page to be kept", func() bool {
		kept, _ := os.ReadFile(filepath.Join(s.data, "page", "index.html"))
		return strings.Contains(string(kept), "All services are working.")
	})
	h.stop()

	t.Log("a hub that starts without its database serves what it kept, and says how old it is")
	postgres.Stop(t)
	grow(t, filepath.Join(s.data, "page", ".index.json"), 10*time.Minute)
	h = bootFile(t, config)
	a := h.get("/")
	if a.code != http.StatusOK || !strings.Contains(a.body, paused) || !strings.Contains(a.body, "All services are working.") {
		t.Errorf("the kept page: %d, paused: %v", a.code, strings.Contains(a.body, paused))
	}
	if code := ping(); code != http.StatusServiceUnavailable {
		t.Errorf("a ping that cannot be stored: %d", code)
	}
	if code, _ := h.readiness(); code != http.StatusServiceUnavailable {
		t.Errorf("without a database /readyz says %d", code)
	}
	postgres.Start(t)
	h.awaitShown("shop", "operational")
	h.await("the page to be new", func() bool { return !strings.Contains(h.get("/").body, paused) })
	h.await("/readyz to be content", func() bool { code, _ := h.readiness(); return code == http.StatusOK })
	h.stop()
	s.read(t)
}

// grow makes the kept pages older than they are.
func grow(tb testing.TB, index string, by time.Duration) {
	tb.Helper()
	text, err := os.ReadFile(index)
	if err != nil {
		tb.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		tb.Fatal(err)
	}
	var fresh time.Time
	if err := json.Unmarshal(fields["fresh"], &fresh); err != nil {
		tb.Fatal(err)
	}
	if fields["fresh"], err = json.Marshal(fresh.Add(-by)); err != nil {
		tb.Fatal(err)
	}
	if text, err = json.Marshal(fields); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(index, text, 0o600); err != nil {
		tb.Fatal(err)
	}
}
