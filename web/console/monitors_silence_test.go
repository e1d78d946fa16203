package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
)

// One monitor is silenced and heard again by plain forms.
func TestMonitorIsSilencedByForm(t *testing.T) {
	c := sample(t, estate())
	at := "/console/monitors/checkout-web"
	if page := get(t, c, access.RoleSRE, at).Body.String(); !strings.Contains(page, "Silence it") {
		t.Fatal("the monitor cannot be silenced")
	}
	if page := get(t, c, access.RoleViewer, at).Body.String(); strings.Contains(page, "Silence it") {
		t.Error("a viewer is offered to silence it")
	}
	if w := post(t, c, access.RoleViewer, at+"/silence", url.Values{"lasts": {"1h0m0s"}, "reason": {"x"}}); w.Code != http.StatusForbidden {
		t.Errorf("a viewer is answered %d", w.Code)
	}
	w := post(t, c, access.RoleSRE, at+"/silence", url.Values{"lasts": {"1h0m0s"}, "reason": {"a flaky target"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != at {
		t.Fatalf("silence: %d %s", w.Code, cut(w.Body.String(), 300))
	}
	page := get(t, c, access.RoleSRE, at).Body.String()
	end := regexp.MustCompile(`action="(/console/silences/[^"]+/end)"`).FindStringSubmatch(page)
	if end == nil || !strings.Contains(page, "a flaky target") {
		t.Fatal("the monitor does not say that it is silenced")
	}
	if handover := get(t, c, access.RoleSRE, "/console/handover").Body.String(); !strings.Contains(handover, "a flaky target") {
		t.Error("the handover does not tell")
	}
	if w := post(t, c, access.RoleSRE, end[1], url.Values{"back": {at}}); w.Code != http.StatusSeeOther {
		t.Errorf("end: %d", w.Code)
	}
	if page := get(t, c, access.RoleSRE, at).Body.String(); strings.Contains(page, "a flaky target") {
		t.Error("it is silenced still")
	}
}

// From an incident that is over, and from a component, one comes to where a
// false alarm is marked; who may not correct uptime does not.
func TestFalseAlarmIsReachedFromIncidentAndComponent(t *testing.T) {
	c, room, _ := staffed(t, estate())
	i := payments(t, room)
	at := incidentsPath + "/" + i.ID
	if page := get(t, c, access.RoleSRE, at).Body.String(); strings.Contains(page, "Was it a false alarm?") {
		t.Error("an open incident asks")
	}
	if _, _, err := room.Resolve(t.Context(), sre, i.ID, incident.Publication{Body: "It is over."}); err != nil {
		t.Fatal(err)
	}
	page := get(t, c, access.RoleSRE, at).Body.String()
	link := regexp.MustCompile(`href="([^"]*/false-alarm\?from=[^"]*)"`).FindStringSubmatch(page)
	if link == nil {
		t.Fatal("an incident that is over does not ask")
	}
	form := get(t, c, access.RoleSRE, html.UnescapeString(link[1]))
	if form.Code != http.StatusOK || !strings.Contains(form.Body.String(), `name="from" value="2`) || !strings.Contains(form.Body.String(), `name="to" value="2`) {
		t.Errorf("the form is not filled in: %d", form.Code)
	}
	if page := get(t, c, access.RoleDeveloper, at).Body.String(); strings.Contains(page, "Was it a false alarm?") {
		t.Error("a developer is asked")
	}
	if page := get(t, c, access.RoleSRE, "/console/components/checkout").Body.String(); !strings.Contains(page, `href="/console/components/checkout/false-alarm"`) {
		t.Error("the component does not lead there")
	}
}
