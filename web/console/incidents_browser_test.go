package console

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/testkit"
)

// TestIncidentRoomsAreAccessible looks at the rooms of incidents and notices
// with axe-core, on a desk and on a phone.
func TestIncidentRoomsAreAccessible(t *testing.T) {
	axe := testkit.NewAxe(t, "../..", "document")
	ctx := testkit.Chromium(t)
	c, room, notices := staffed(t, estate())
	open := payments(t, room)
	over := payments(t, room)
	if _, _, err := room.Resolve(t.Context(), sre, over.ID, incident.Publication{Body: "It is over."}); err != nil {
		t.Fatal(err)
	}
	if _, err := notices.Test(t.Context(), sre, "chat"); err != nil {
		t.Fatal(err)
	}
	drill(t, notices)
	srv := httptest.NewServer(serve(t, c, access.RoleSRE))
	t.Cleanup(srv.Close)
	for _, page := range []struct {
		name, path string
		screens    []screen
	}{
		{"incident", "/console/incidents/" + open.ID, append(append([]screen{}, desk...), phone...)},
		{"incidentover", "/console/incidents/" + over.ID, desk[:1]},
		{"incidents", "/console/incidents", append(append([]screen{}, desk...), phone[0])},
		{"declare", "/console/incidents/new?component=checkout", append(append([]screen{}, desk[:1]...), phone[0])},
		{"templates", "/console/incidents/templates", append(append([]screen{}, desk[:1]...), phone[0])},
		{"attention", "/console/attention", append(append([]screen{}, desk[:1]...), phone[0])},
		{"alerts", "/console/alerts", append(append([]screen{}, desk[1:]...), phone[0])},
		{"deliveries", "/console/deliveries", append(append([]screen{}, desk[:1]...), phone[0])},
		{"oncall", "/console/oncall", append(append([]screen{}, desk[:1]...), phone[0])},
		{"subscribers", "/console/subscribers", append(append([]screen{}, desk[:1]...), phone[0])},
		{"channels", "/console/settings/channels", append(append([]screen{}, desk[:1]...), phone[0])},
		{"outbox", "/console/outbox", append(append([]screen{}, desk[:1]...), phone[0])},
	} {
		for _, s := range page.screens {
			where := fmt.Sprintf("%s-%d-%s", page.name, s.Width, s.Scheme)
			axe.Inspect(ctx, t, s, srv.URL+page.path, where)
		}
	}
}

// drill raises an alert that nobody is on.
func drill(t testing.TB, d Channels) {
	t.Helper()
	if _, err := d.Drill(t.Context(), sre, journal.Ref{Kind: "route", ID: "all"}); err != nil {
		t.Fatal(err)
	}
}
