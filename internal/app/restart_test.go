package app_test

import (
	"fmt"
	"testing"
)

// TestRestartedHubGoesOnProbing: a hub that starts on a record in which its file
// is in force already has nothing to change, and yet everything to probe.
func TestRestartedHubGoesOnProbing(t *testing.T) {
	t.Parallel()
	shop := newTarget(t)
	h := boot(t, newSite(t), fmt.Sprintf(`
page: {name: Example Ltd}
components: [{id: shop, name: Web shop}]
monitors: [{id: door, component: shop, kind: http, url: %q, interval: 1s}]
`, shop.url()))
	h.await("a first probe", func() bool { return shop.seen() > 0 })
	h.stop()
	before := shop.seen()
	again := bootFile(t, h.path)
	again.await("a probe after the restart", func() bool { return shop.seen() > before })
	again.await("the shop to be judged", func() bool { return again.level("door") == "up" })
}
