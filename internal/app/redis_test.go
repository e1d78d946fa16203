package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"evenkeel/internal/api"
	"evenkeel/internal/testkit"
)

// TestRedisComesAndGoes (design 10.2): without its Redis the hub goes on
// probing, judging and showing, and what it measured meanwhile is written when
// Redis is back: stopped and started again, or frozen and thawed.
func TestRedisComesAndGoes(t *testing.T) {
	t.Parallel()
	for _, trouble := range []struct {
		name        string
		away, again func(*testkit.RedisServer, testing.TB)
	}{
		{"stopped", (*testkit.RedisServer).Stop, (*testkit.RedisServer).Start},
		{"frozen", (*testkit.RedisServer).Pause, (*testkit.RedisServer).Resume},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("waiting out a Redis is left to the long run")
			}
			t.Parallel()
			redis, shop := testkit.NewRedis(t, testkit.RedisOptions{}), newTarget(t)
			s := newSite(t)
			s.redis = redis.URL
			h := boot(t, s, fmt.Sprintf(`
page: {name: Example Ltd}
components: [{id: shop}]
monitors: [{id: shop, component: shop, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1}]
`, shop.url()))
			h.awaitShown("shop", "operational")
			h.await("Redis to be in use", func() bool { return h.check("redis").OK })

			trouble.away(redis, t)
			away := time.Now()
			h.await("the loss to be noticed", func() bool { c := h.check("redis"); return c.Name != "" && !c.OK })
			if code, report := h.readiness(); code != http.StatusOK || !report.Ready || report.Engines["redis"] != "redis" {
				t.Errorf("without Redis /readyz says %d, %+v", code, report)
			}
			shop.turns(fails)
			h.awaitShown("shop", "major_outage")
			shop.turns(works)
			h.awaitShown("shop", "operational")
			saysNothing(t, h.hub, s, shop)

			trouble.again(redis, t)
			back := time.Now()
			h.await("Redis to be in use again", func() bool { return h.check("redis").OK })
			window := "?from=" + url.QueryEscape(away.UTC().Format(time.RFC3339Nano)) + "&to=" + url.QueryEscape(back.UTC().Format(time.RFC3339Nano))
			var kept api.Samples
			h.await("what was measured meanwhile to be recorded", func() bool {
				if !h.manage("/api/v1/monitors/shop/samples"+window, &kept) {
					return false
				}
				seen := map[string]bool{}
				for _, sample := range kept.Samples {
					seen[sample.Outcome] = true
				}
				return seen["ok"] && seen["failed"]
			})
			if dropped, ok := h.metric("evenkeel_samples_dropped_total"); !ok || dropped != 0 {
				t.Errorf("dropped samples: %v, told: %v", dropped, ok)
			}
		})
	}
}
