package console

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/testkit"
)

// screen is one way to look at a page.
type screen = testkit.Screen

// desk, big and phone are the screens every room must be good at.
var (
	desk  = []screen{{Width: 1440, Height: 900, Scheme: "light"}, {Width: 1440, Height: 900, Scheme: "dark"}}
	big   = []screen{{Width: 1920, Height: 1080, Scheme: "dark"}, {Width: 1920, Height: 1080, Scheme: "light"}}
	phone = []screen{{Width: 390, Height: 844, Scheme: "light"}, {Width: 390, Height: 844, Scheme: "dark"}}
)

// TestRoomsAreAccessible looks at every room with axe-core, on a desk, on the
// wall's own screen and on a phone.
func TestRoomsAreAccessible(t *testing.T) {
	axe := testkit.NewAxe(t, "../..", "document")
	ctx := testkit.Chromium(t)
	rooms := []struct {
		name, path string
		record     *record
		screens    []screen
	}{
		{"wall", "/console/wall", estate(), append(append(append([]screen{}, big...), desk[0]), phone...)},
		{"wall60", "/console/wall", crowd(60), big[:1]},
		{"wall1000", "/console/wall", crowd(1000), big[:1]},
		{"wallempty", "/console/wall", &record{}, big[:1]},
		{"handover", "/console/handover", estate(), append([]screen{}, desk[0], phone[1])},
		{"components", "/console/components", estate(), append(append([]screen{}, desk...), phone...)},
		{"components1000", "/console/components?show=trouble", crowd(1000), desk[:1]},
		{"component", "/console/components/checkout", estate(), append(append([]screen{}, desk...), phone...)},
		{"componentcalm", "/console/components/website?range=1h", estate(), desk[:1]},
		{"componentpart", "/console/components/gift-cards", estate(), desk[1:]},
		{"monitors", "/console/monitors", estate(), append(append([]screen{}, desk[:1]...), phone[0])},
		{"monitor", "/console/monitors/checkout-web", estate(), append(append([]screen{}, desk...), phone[1])},
		{"falsealarm", "/console/components/checkout/false-alarm", estate(), desk[:1]},
		{"calendar", "/console/calendar", estate(), append(append([]screen{}, desk...), phone...)},
		{"work", "/console/calendar/feed-20261119t170000z", estate(), append(append([]screen{}, desk...), phone[1])},
		{"plan", "/console/calendar/new?component=ledger", estate(), append(append([]screen{}, desk...), phone[0])},
		{"define", "/console/monitors/new?component=ledger", estate(), append(append([]screen{}, desk...), phone[1])},
		{"definecomponent", "/console/components/new", estate(), desk[:1]},
		{"keys", "/console/keys", estate(), desk[:1]},
		{"go", "/console/go?q=pay", estate(), desk},
		{"nowhere", "/console/nowhere", estate(), desk[:1]},
	}
	for _, room := range rooms {
		srv := httptest.NewServer(serve(t, sample(t, room.record), access.RoleSRE))
		t.Cleanup(srv.Close)
		for _, s := range room.screens {
			where := fmt.Sprintf("%s-%d-%s", room.name, s.Width, s.Scheme)
			axe.Inspect(ctx, t, s, srv.URL+room.path, where)
		}
	}
}
