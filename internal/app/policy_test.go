package app_test

import (
	"fmt"
	"strings"
	"testing"

	"evenkeel/internal/api"
)

// TestTroubleWaitsForAPersonAsLongAsThePolicySays: after_confirm holds what
// checks see back from the page, but not for ever, and tells it from its
// beginning; manual says nothing by itself.
func TestTroubleWaitsForAPersonAsLongAsThePolicySays(t *testing.T) {
	t.Parallel()
	shop := newTarget(t)
	h := boot(t, newSite(t), fmt.Sprintf(`
page: {name: Example Ltd}
components:
  - {id: plain}
  - {id: asked, publish: after_confirm, publish_after: 3s}
  - {id: quiet, publish: manual}
monitors:
  - {id: plain, component: plain, kind: http, url: "%[1]s", interval: 1s, confirm: 1}
  - {id: asked, component: asked, kind: http, url: "%[1]s", interval: 1s, confirm: 1}
  - {id: quiet, component: quiet, kind: http, url: "%[1]s", interval: 1s, confirm: 1}
`, shop.url()))
	for _, c := range []string{"plain", "asked", "quiet"} {
		h.awaitShown(c, "operational")
	}
	shop.turns(fails)
	h.await("checks to see it", func() bool {
		return h.component("asked").Observed == "major_outage" && h.component("quiet").Observed == "major_outage"
	})
	h.awaitShown("plain", "major_outage")
	h.awaitShown("asked", "major_outage")
	observed, published := find(t, h.spans("asked", "observed"), "major_outage"), find(t, h.spans("asked", "published"), "major_outage")
	if !published.From.Equal(observed.From) {
		t.Errorf("seen from %v, published from %v", observed.From, published.From)
	}
	var moved bool
	for _, e := range diaryOf(h.hub, "asked") {
		moved = moved || e.To == "down"
	}
	if !moved {
		t.Error("the diary does not tell of the outage")
	}
	if got := h.component("quiet"); got.Status != "operational" || got.Observed != "major_outage" {
		t.Errorf("quiet: published %s, observed %s", got.Status, got.Observed)
	}
	if a := h.get("/"); strings.Contains(a.body, "quiet is down") {
		t.Error("the page tells of what nobody published")
	}

	shop.turns(works)
	for _, c := range []string{"plain", "asked", "quiet"} {
		h.awaitShown(c, "operational")
	}
}

// diaryOf gives the diary of a monitor.
func diaryOf(h hub, monitor string) []api.Decision {
	h.tb.Helper()
	var d api.Decisions
	h.await("the diary to be written", func() bool {
		return h.manage("/api/v1/monitors/"+monitor+"/decisions", &d) && len(d.Decisions) > 0
	})
	return d.Decisions
}

// TestOwnConnectionIsNobodysOutage: when the sentinels fail together with a
// target, it is we who are cut off; when they come back and the target does not,
// it is down.
func TestOwnConnectionIsNobodysOutage(t *testing.T) {
	t.Parallel()
	shop, near, far := newTarget(t), newTarget(t), newTarget(t)
	h := boot(t, newSite(t), fmt.Sprintf(`
page: {name: Example Ltd}
components: [{id: shop}]
monitors: [{id: shop, component: shop, kind: http, url: "%s", interval: 1s, confirm: 2}]
sentinels:
  - {id: near, kind: http, url: "%s", interval: 1s}
  - {id: far, kind: http, url: "%s", interval: 1s}
`, shop.url(), near.url(), far.url()))
	h.awaitShown("shop", "operational")

	for _, x := range []*target{shop, near, far} {
		x.turns(slamsOff)
	}
	h.await("failures that do not count", func() bool {
		v := h.monitor("shop").Verdict
		return v != nil && strings.Contains(v.Held, "our own connection")
	})
	since := shop.seen()
	h.await("five more of them", func() bool { return shop.seen() >= since+5 })
	if got := h.component("shop"); got.Status != "operational" || got.Observed != "operational" {
		t.Errorf("while we were cut off: published %s, observed %s", got.Status, got.Observed)
	}

	near.turns(works)
	far.turns(works)
	h.awaitShown("shop", "major_outage")
	if got := history(h.spans("shop", "observed")); len(got) > 3 || got[len(got)-1] != "major_outage" {
		t.Errorf("history: %v", got)
	}
	shop.turns(works)
	h.awaitShown("shop", "operational")
}
