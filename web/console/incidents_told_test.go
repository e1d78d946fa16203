package console

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/notice/noticetest"
)

// The room says of each update who was told, and leads to them (S1-25).
func TestEachUpdateSaysWhoWasTold(t *testing.T) {
	letters := noticetest.New()
	c, room, desk := staffedOn(t, estate(), letters)
	i := payments(t, room)
	_, lines, err := room.Get(t.Context(), sre, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	var updates []incident.Update
	for _, u := range lines {
		if u.Kind == incident.KindUpdate {
			updates = append(updates, u)
		}
	}
	plan := func(id, line string) {
		t.Helper()
		if err := letters.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
			return desk.Plan(t.Context(), tx, notice.Event{ID: id, Kind: "incident.updated", Subject: incidentRef(i.ID), Audience: notice.ToStaff, Severity: notice.SeverityMajor, Line: line})
		}); err != nil {
			t.Fatal(err)
		}
	}
	plan("event-1", updates[0].ID)
	plan("event-2", updates[1].ID)
	page := get(t, c, access.RoleSRE, incidentsPath+"/"+i.ID).Body.String()
	links := regexp.MustCompile(`href="(/console/deliveries\?event=[^"]*)">1 waiting<`).FindAllStringSubmatch(page, -1)
	if len(links) != 2 {
		t.Fatalf("%d updates say who was told", len(links))
	}
	first := html.UnescapeString(links[0][1]) // the newest update stands first
	if !strings.Contains(first, "event-2") {
		t.Errorf("it leads to %s", first)
	}
	list := get(t, c, access.RoleSRE, first).Body.String()
	if n := strings.Count(list, `<tr id="d-`); n != 1 || !strings.Contains(list, "About: "+i.Label()) || !strings.Contains(list, `name="event" value="event-2"`) {
		t.Errorf("it leads to %d deliveries", n)
	}
	if !strings.Contains(page, `state=waiting">1 waiting`) && !strings.Contains(page, `state=waiting">2 waiting`) {
		t.Error("the channels do not say who waits")
	}
	if other := get(t, c, access.RoleSRE, strings.Replace(first, "waiting", "sent", 1)).Body.String(); strings.Contains(other, `<tr id="d-`) {
		t.Error("the state is not sought")
	}
}
