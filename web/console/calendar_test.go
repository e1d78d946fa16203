package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/status"
)

// maintenanceForm is a filled form for maintenance.
func maintenanceForm(pairs ...string) url.Values {
	v := url.Values{
		"when": {"once"}, "title": {"Ledger move"}, "zone": {"Europe/London"}, "from": {"2026-11-22T05:00"}, "to": {"2026-11-22T06:30"},
		"components": {"ledger", "payouts"}, "remind": {"24h, 1h"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v[pairs[i]] = []string{pairs[i+1]}
	}
	return v
}

// TestMaintenanceIsPlannedMovedAndCalledOff walks the life of one in the console.
func TestMaintenanceIsPlannedMovedAndCalledOff(t *testing.T) {
	r := estate()
	r.works = nil
	c := sample(t, r)
	w := post(t, c, access.RoleSRE, "/console/calendar/new", maintenanceForm("do", "save"))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/console/calendar?month=2026-11" {
		t.Fatalf("plan: %d %s %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	works, err := c.deps.Planner.Maintenance(t.Context(), access.Host, noon, noon.AddDate(0, 1, 0))
	if err != nil || len(works) != 1 || !works[0].From.Equal(time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)) {
		t.Fatalf("%v, %v", works, err)
	}
	path := "/console/calendar/" + works[0].ID
	body := get(t, c, access.RoleSRE, path).Body.String()
	for _, want := range []string{"Ledger move", "Sun 22 Nov 05:00 UTC", "Begin now", "Call it off", "/console/windows/"} {
		if !strings.Contains(body, want) {
			t.Errorf("its page lacks %q", want)
		}
	}
	if w := post(t, c, access.RoleSRE, path+"/extend", url.Values{"to": {"2026-11-22T08:00"}}); w.Code != http.StatusSeeOther {
		t.Errorf("extend: %d", w.Code)
	}
	if w := post(t, c, access.RoleSRE, path+"/extend", url.Values{"to": {"2026-11-18T08:00"}}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "must lie ahead") {
		t.Errorf("extend into the past: %d", w.Code)
	}
	if w := post(t, c, access.RoleSRE, path+"/call-off", nil); w.Code != http.StatusSeeOther {
		t.Errorf("call off: %d", w.Code)
	}
	if w := post(t, c, access.RoleSRE, path+"/start", nil); w.Code != http.StatusConflict {
		t.Errorf("start what was called off: %d", w.Code)
	}
}

// TestPreviewShowsFiveDatesInZoneAndUTC, over the end of summer time.
func TestPreviewShowsFiveDatesInZoneAndUTC(t *testing.T) {
	c := sample(t, estate())
	w := post(t, c, access.RoleSRE, "/console/calendar/new", maintenanceForm(
		"do", "preview", "when", "recurs", "start", "2026-03-15T05:00", "lasts", "90m", "repeats", "monthly", "every", "1", "nth", "2", "weekday", "TU"))
	body := w.Body.String()
	if w.Code != http.StatusOK || strings.Count(body, "<ol class=\"dates\"><li>") != 1 {
		t.Fatalf("%d %s", w.Code, body)
	}
	for _, want := range []string{"Tue 8 Dec 2026 05:00", "Tue 8 Dec 05:00 to 06:30 UTC", "Tue 13 Apr 2027 05:00 to 06:30 BST", "Tue 13 Apr 04:00 to 05:30 UTC"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q", want)
		}
	}
	list := body[strings.Index(body, `<ol class="dates">`):]
	if got := strings.Count(list[:strings.Index(list, "</ol>")], "<li>"); got != previewed {
		t.Errorf("%d dates", got)
	}
}

// TestPlanTellsProblemsBesideFields, all of them at once, and keeps what was typed.
func TestPlanTellsProblemsBesideFields(t *testing.T) {
	c := sample(t, estate())
	w := post(t, c, access.RoleSRE, "/console/calendar/new", maintenanceForm("title", "", "from", "2026-11-22T07:00", "zone", "Europe/London"))
	body := w.Body.String()
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, `id="f-title-err"`) || !strings.Contains(body, `value="2026-11-22T07:00"`) {
		t.Errorf("%d %s", w.Code, body)
	}
	if w := post(t, c, access.RoleSRE, "/console/calendar/new", maintenanceForm("zone", "Mars/Olympus")); !strings.Contains(w.Body.String(), "is no time zone") {
		t.Errorf("a zone that is none: %d", w.Code)
	}
}

// TestPatternsComeBack: what the builder wrote it can draw again.
func TestPatternsComeBack(t *testing.T) {
	for _, rule := range []string{
		"FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO,SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE",
		"FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=15",
	} {
		p := patternOf(rule)
		if p.Kind == "rule" || p.String() != rule {
			t.Errorf("%s comes back as %s %q", rule, p.Kind, p)
		}
	}
	for _, rule := range []string{"FREQ=YEARLY", "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "FREQ=MONTHLY;BYDAY=1MO,2TU", "nonsense", ""} {
		if p := patternOf(rule); p.Kind != "rule" || p.String() != rule {
			t.Errorf("%s comes back as %s %q", rule, p.Kind, p)
		}
	}
	w := status.Window{RRule: "FREQ=MONTHLY;BYDAY=-1FR", Start: "2026-01-02T22:00", Zone: "Europe/London", Duration: 90 * time.Minute}
	if got, want := ruleInWords(w), "every month on the last Friday at 22:00 Europe/London, for 1 h 30 min"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
