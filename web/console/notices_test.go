package console

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/notice"
)

// A test send is a row that says who was told; an alert is acknowledged, kept
// quiet, woken and ended by forms (S2-14).
func TestAlertsAndDeliveriesByForms(t *testing.T) {
	c, _, desk := staffed(t, estate())
	w := post(t, c, access.RoleSRE, "/console/settings/channels/chat/test", nil)
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), deliveriesPath+"/") {
		t.Fatalf("test: %d %s", w.Code, w.Body)
	}
	if page := get(t, c, access.RoleViewer, w.Header().Get("Location")).Body.String(); !strings.Contains(page, "The channel chat") || !strings.Contains(page, "Waiting") {
		t.Error("the delivery is not told")
	}
	if w := post(t, c, access.RoleSRE, w.Header().Get("Location")+"/resend", nil); w.Code != http.StatusConflict {
		t.Errorf("sent again while it waits: %d", w.Code)
	}
	if w := post(t, c, access.RoleSRE, "/console/settings/channels/drill", url.Values{"kind": {"route"}, "of": {"all"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("drill: %d", w.Code)
	}
	open := func() []notice.Alert {
		t.Helper()
		list, err := desk.Alerts(t.Context(), sre, notice.AlertQuery{Open: true, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	id := open()[0].ID
	for _, act := range []struct {
		verb string
		form url.Values
		want notice.AlertState
	}{
		{"silence", url.Values{"lasts": {"1h0m0s"}, "reason": {"known"}}, notice.Silenced}, {"wake", nil, notice.Firing}, {"acknowledge", nil, notice.Acknowledged},
	} {
		if w := post(t, c, access.RoleSRE, alertsPath+"/"+id+"/"+act.verb, act.form); w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", act.verb, w.Code, w.Body)
		}
		if got := open()[0].State; got != act.want {
			t.Errorf("after %s it is %s", act.verb, got)
		}
	}
	if w := post(t, c, access.RoleSRE, alertsPath+"/"+id+"/end", nil); w.Code != http.StatusSeeOther || len(open()) != 0 {
		t.Errorf("end: %d", w.Code)
	}
}

// Somebody stands in, and the rotation holds again after the way back (S2-16).
func TestStandInByForms(t *testing.T) {
	c, _, desk := staffed(t, estate())
	from := time.Now().In(time.FixedZone("", 0))
	v := url.Values{"rotation": {"primary"}, "person": {"p2"}, "from": {from.Add(-time.Hour).Format(localForm)}, "to": {from.Add(3 * time.Hour).Format(localForm)}}
	if w := post(t, c, access.RoleSRE, onCallPath, v); w.Code != http.StatusSeeOther {
		t.Fatalf("stand in: %d %s", w.Code, w.Body)
	}
	if page := get(t, c, access.RoleViewer, onCallPath).Body.String(); !strings.Contains(page, "<b>Operator</b>") || !strings.Contains(page, "stands in") {
		t.Error("the page does not say so")
	}
	standing, err := desk.Overrides(t.Context(), sre, time.Now(), time.Now().Add(time.Hour))
	if err != nil || len(standing) != 1 {
		t.Fatalf("%d stand in: %v", len(standing), err)
	}
	if w := post(t, c, access.RoleSRE, onCallPath+"/"+standing[0].ID+"/drop", url.Values{"rotation": {"primary"}}); w.Code != http.StatusSeeOther {
		t.Errorf("back: %d", w.Code)
	}
	v.Set("to", v.Get("from"))
	if w := post(t, c, access.RoleSRE, onCallPath, v); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no time at all: %d", w.Code)
	}
}

// Subscribers are taken over from a file, sought, added, removed, erased and
// given as a file; who may not read them sees none of it (S2-18).
func TestSubscribersByForms(t *testing.T) {
	c, _, desk := staffed(t, estate())
	upload := func(text string) *httptest.ResponseRecorder {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("file", "list.csv")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(text))
		_ = form.Close()
		r := httptest.NewRequest(http.MethodPost, importPath, &body)
		r.Header.Set("Content-Type", form.FormDataContentType())
		w := httptest.NewRecorder()
		serve(t, c, access.RoleSRE).ServeHTTP(w, r)
		return w
	}
	if w := upload("address\nreader@example.org\nother@example.org\n"); w.Code != http.StatusSeeOther {
		t.Fatalf("import: %d %s", w.Code, w.Body)
	}
	if w := upload("address\nno address\n"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a wrong file: %d", w.Code)
	}
	if w := post(t, c, access.RoleSRE, subscribersPath, url.Values{"mode": {"email"}, "address": {"third@example.org"}, "confirmed": {"1"}}); w.Code != http.StatusSeeOther {
		t.Errorf("add: %d %s", w.Code, w.Body)
	}
	if w := post(t, c, access.RoleSRE, subscribersPath, url.Values{"mode": {"email"}, "address": {"nothing"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a wrong address: %d", w.Code)
	}
	if page := get(t, c, access.RoleSRE, subscribersPath+"?q=reader").Body.String(); !strings.Contains(page, "reader@example.org") || strings.Contains(page, "other@example.org") {
		t.Error("the search finds something else")
	}
	if w := get(t, c, access.RoleViewer, subscribersPath); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "reader@") {
		t.Errorf("a viewer: %d", w.Code)
	}
	list, err := desk.Subscribers(t.Context(), sre, notice.SubscriberQuery{Search: "other", Limit: 1})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d: %v", len(list), err)
	}
	for _, verb := range []string{"remove", "erase"} {
		if w := post(t, c, access.RoleSRE, subscribersPath+"/"+list[0].ID+"/"+verb, nil); w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", verb, w.Code)
		}
	}
	if file := get(t, c, access.RoleSRE, subscribersPath+"/export").Body.String(); !strings.Contains(file, "reader@example.org") || strings.Contains(file, "other@example.org") {
		t.Errorf("the file holds %q", file)
	}
}

// Each route says whom it calls, and is drilled from its row.
func TestRoutesAreListedAndDrilled(t *testing.T) {
	c, _, desk := staffed(t, estate())
	page := get(t, c, access.RoleSRE, channelsPath).Body.String()
	for _, want := range []string{`id="r-all"`, ">everything<", ">chat<", "Drill the route all"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if page := get(t, c, access.RoleViewer, channelsPath).Body.String(); strings.Contains(page, "Drill the route") || !strings.Contains(page, `id="r-all"`) {
		t.Error("a viewer is offered a drill, or sees no routes")
	}
	if w := post(t, c, access.RoleSRE, channelsPath+"/drill", url.Values{"kind": {"route"}, "of": {"all"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("drill: %d", w.Code)
	}
	list, err := desk.Alerts(t.Context(), sre, notice.AlertQuery{Open: true, Limit: 5})
	if err != nil || len(list) != 1 || list[0].Route != "all" {
		t.Errorf("alerts %+v, %v", list, err)
	}
}
