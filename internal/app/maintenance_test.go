package app_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/api"
)

// TestMaintenanceBeginsAndEndsByItself: a planned window covers its component,
// is left out of the uptime, and stops nobody from probing.
func TestMaintenanceBeginsAndEndsByItself(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t), newTarget(t)
	// Far enough ahead that a busy machine announces it before it begins.
	const lasts = 6 * time.Second
	from := time.Now().UTC().Truncate(time.Second).Add(20 * time.Second)
	to := from.Add(lasts)
	h := boot(t, s, fmt.Sprintf(`
page: {name: Example Ltd}
components: [{id: shop, name: Web shop}, {id: other}]
monitors:
  - {id: shop, component: shop, kind: http, url: "%[1]s", interval: 1s, confirm: 1, recover: 1}
maintenance:
  - {id: move, title: New racks, components: [shop], from: "%[2]s", to: "%[3]s"}
`, shop.url(), from.Format(time.RFC3339), to.Format(time.RFC3339)))
	h.awaitShown("shop", "operational")
	h.await("the page and the calendar to announce it", func() bool {
		return strings.Contains(h.get("/").body, "New racks") && strings.Contains(h.get("/maintenance.ics").body, "New racks")
	})

	h.awaitShown("shop", "under_maintenance")
	shop.turns(fails) // what the work is for
	h.await("checks to see it", func() bool { return h.component("shop").Observed == "major_outage" })
	if got := h.shown("shop"); got != "under_maintenance" {
		t.Errorf("during the work the shop is shown as %s", got)
	}
	if a := h.get("/"); strings.Contains(a.body, "Web shop is down.") {
		t.Error("planned work is called an outage")
	}
	shop.turns(works)
	h.awaitShown("shop", "operational")
	h.await("the work to be over", func() bool {
		return strings.Contains(h.get("/api/v2/scheduled-maintenances.json").body, `"completed"`)
	})

	work := find(t, h.spans("shop", "published"), "under_maintenance")
	if !work.From.Equal(from) || work.To == nil || work.To.Before(to) || work.Origin != "maintenance" {
		t.Errorf("planned from %v to %v, recorded %+v", from, to, work)
	}
	var up api.Uptime
	window := "?from=" + url.QueryEscape(from.Format(time.RFC3339)) + "&to=" + url.QueryEscape(to.Format(time.RFC3339))
	if !h.manage("/api/v1/components/shop/uptime"+window, &up) || up.Maintenance != lasts.Seconds() || up.Down != 0 || up.Uptime != nil {
		t.Errorf("uptime within the work: %+v", up)
	}
	h.stop()
	entries := s.read(t)
	for _, verb := range []string{"maintenance.scheduled", "maintenance.started", "maintenance.completed"} {
		if n := count(entries, verb); n != 1 {
			t.Errorf("%s is in the journal %d times", verb, n)
		}
	}
}
