package console

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"evenkeel/internal/access"
	"evenkeel/internal/status"
	"evenkeel/internal/status/statustest"
)

// get fetches a page as somebody with a role.
func get(t testing.TB, c *Console, role access.Role, path string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", "text/html")
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	serve(t, c, role).ServeHTTP(w, r)
	return w
}

// post sends a form as somebody with a role.
func post(t testing.TB, c *Console, role access.Role, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	serve(t, c, role).ServeHTTP(w, r)
	return w
}

// ours are the rooms of these files, with an estate in them.
var ours = []string{
	"/console/wall", "/console/handover", "/console/handover?hours=48", "/console/go", "/console/go?q=pay", "/console/go?q=INC-7", "/console/keys", "/console/nowhere",
	"/console/components", "/console/components?show=trouble", "/console/components?q=zzz", "/console/components?group=edge&from=3", "/console/components/checkout",
	"/console/components/gift-cards?range=7d", "/console/components/channel-feed", "/console/components/checkout/false-alarm", "/console/components/new",
	"/console/monitors", "/console/monitors?show=trouble", "/console/monitors/checkout-web", "/console/monitors/new",
	"/console/calendar", "/console/calendar?month=2027-02", "/console/calendar/new", "/console/calendar/feed-20261119t170000z",
}

// TestEveryPageIsWellFormed renders every room with usual, empty and hostile
// data, and looks for what must never be in a page.
func TestEveryPageIsWellFormed(t *testing.T) {
	hostile := estate()
	bad := `"><script>alert(1)</script>&{{.}}` + "\u202e"
	for i := range hostile.catalog.Components {
		hostile.catalog.Components[i].Name += bad
		hostile.catalog.Components[i].Description = bad
		hostile.catalog.Components[i].Runbook = "javascript:alert(1)"
	}
	for i := range hostile.open {
		hostile.open[i].Staff += bad
		hostile.open[i].Public = bad
	}
	for i := range hostile.works {
		hostile.works[i].Title += bad
		hostile.works[i].Text = bad
	}
	for name, r := range map[string]*record{"usual": estate(), "empty": {}, "hostile": hostile} {
		c := sample(t, r)
		for _, path := range ours {
			w := get(t, c, access.RoleSRE, path)
			body := w.Body.String()
			where := name + " " + path
			if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", where, w.Code)
			}
			for _, never := range []string{"<script>alert", "ZgotmplZ\" ", "<no value>", " style=", "onclick=", "href=\"javascript:"} {
				if strings.Contains(body, never) {
					t.Errorf("%s: holds %q", where, never)
				}
			}
			if n := strings.Count(body, "<h1"); n != 1 {
				t.Errorf("%s: %d headings of the first level", where, n)
			}
			if _, err := html.Parse(strings.NewReader(body)); err != nil {
				t.Errorf("%s: %v", where, err)
			}
			ids(t, where, body)
		}
	}
}

// ids checks that no id stands twice and that labels lead somewhere.
func ids(t *testing.T, where, body string) {
	t.Helper()
	seen, wanted := map[string]bool{}, map[string]bool{}
	for z := html.NewTokenizer(strings.NewReader(body)); ; {
		if z.Next() == html.ErrorToken {
			if z.Err() != io.EOF {
				t.Errorf("%s: %v", where, z.Err())
			}
			break
		}
		for _, a := range z.Token().Attr {
			switch a.Key {
			case "id":
				if seen[a.Val] {
					t.Errorf("%s: id %q stands twice", where, a.Val)
				}
				seen[a.Val] = true
			case "for", "list", "aria-describedby":
				wanted[a.Val] = true
			}
		}
	}
	for id := range wanted {
		if !seen[id] {
			t.Errorf("%s: %q is referred to and not there", where, id)
		}
	}
}

// TestRoutesRefuseWhoMayNot walks our routes with a role that may nothing.
func TestRoutesRefuseWhoMayNot(t *testing.T) {
	c := sample(t, estate())
	for _, route := range c.Routes() {
		if route.Way != "" || route.Action == "" || route.Action == access.PageRead {
			continue
		}
		path := strings.NewReplacer("{id}", "checkout", "{key}", "feed").Replace(route.Path)
		var w *httptest.ResponseRecorder
		if route.Method == http.MethodGet {
			w = get(t, c, access.RoleClient, path)
		} else {
			w = post(t, c, access.RoleClient, path, nil)
		}
		if w.Code != http.StatusForbidden {
			t.Errorf("%s %s: a client gets %d", route.Method, route.Path, w.Code)
		}
		if strings.Contains(w.Body.String(), "Checkout") {
			t.Errorf("%s %s: a client sees data", route.Method, route.Path)
		}
	}
}

// TestViewerSeesNoForms: who may only look is shown nothing to do.
func TestViewerSeesNoForms(t *testing.T) {
	c := sample(t, estate())
	for _, path := range []string{"/console/components/checkout", "/console/calendar/feed-20261119t170000z", "/console/monitors/checkout-web"} {
		body := get(t, c, access.RoleViewer, path).Body.String()
		main := body[strings.Index(body, `<main id="work"`):strings.Index(body, "</main>")]
		if strings.Contains(main, "<form") {
			t.Errorf("%s: a viewer finds a form", path)
		}
	}
}

// TestActsAnswerWithARedirectAndAWayBack: plain form posts first, 303 after.
func TestActsAnswerWithARedirectAndAWayBack(t *testing.T) {
	c := sample(t, estate())
	w := post(t, c, access.RoleSRE, "/console/components/checkout/silence", url.Values{"lasts": {"1h0m0s"}, "reason": {"known, being fixed"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/console/components/checkout" {
		t.Fatalf("silence: %d %s %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	page := get(t, c, access.RoleSRE, "/console/components/checkout", w.Result().Cookies()...)
	for _, want := range []string{"Checkout is silenced for 1 h", "Undo", "known, being fixed", "<b>Silenced</b> until"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page after it lacks %q", want)
		}
	}
	if again := get(t, c, access.RoleSRE, "/console/components/checkout"); strings.Contains(again.Body.String(), "Undo") {
		t.Error("what was done is said twice")
	}
	if body := get(t, c, access.RoleSRE, "/console/handover").Body.String(); !strings.Contains(body, "known, being fixed") {
		t.Error("the handover does not tell what is silenced")
	}
	if body := get(t, c, access.RoleSRE, "/console/components?show=silenced").Body.String(); !strings.Contains(body, "/console/components/checkout") {
		t.Error("the list does not find what is silenced")
	}
	silences, err := c.deps.Desk.Silences(t.Context(), access.Host)
	if err != nil || len(silences) != 1 {
		t.Fatalf("%v, %v", silences, err)
	}
	if w := post(t, c, access.RoleSRE, "/console/silences/"+silences[0].ID+"/end", url.Values{"back": {"//evil.example.org/"}}); w.Header().Get("Location") != "/console" {
		t.Errorf("it leads to %s", w.Header().Get("Location"))
	}
	if w := post(t, c, access.RoleSRE, "/console/components/checkout/silence", url.Values{"lasts": {"soon"}}); w.Code != http.StatusBadRequest {
		t.Errorf("a silence of no length: %d", w.Code)
	}
}

// TestSayingByHandIsTakenBack (S4-31): a person's word, and the way back.
func TestSayingByHandIsTakenBack(t *testing.T) {
	c := sample(t, estate())
	w := post(t, c, access.RoleSRE, "/console/components/search/say", url.Values{"status": {string(status.PartialOutage)}, "reason": {"half of it"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if body := get(t, c, access.RoleSRE, "/console/components/search").Body.String(); !strings.Contains(body, "by hand") || !strings.Contains(body, "half of it") {
		t.Error("the page does not tell what was said by hand")
	}
	if w := post(t, c, access.RoleSRE, "/console/components/search/unsay", nil); w.Code != http.StatusSeeOther {
		t.Errorf("unsay: %d", w.Code)
	}
	if w := post(t, c, access.RoleSRE, "/console/components/search/unsay", nil); w.Code != http.StatusConflict {
		t.Errorf("unsay twice: %d", w.Code)
	}
}

// TestRunNowShowsPhasesAndLog to who asked, and to nobody else.
func TestRunNowShowsPhasesAndLog(t *testing.T) {
	c := sample(t, estate())
	w := post(t, c, access.RoleSRE, "/console/monitors/checkout-web/run", nil)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d", w.Code)
	}
	body := get(t, c, access.RoleSRE, w.Header().Get("Location")).Body.String()
	for _, want := range []string{"Run by hand", "connect <b>11 ms</b>", "answered 502 Bad Gateway"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if w := post(t, c, access.RoleViewer, "/console/monitors/checkout-web/run", nil); w.Code != http.StatusForbidden {
		t.Errorf("a viewer runs a check: %d", w.Code)
	}
}

// TestThemeIsRemembered: system, dark, light, system again.
func TestThemeIsRemembered(t *testing.T) {
	c := sample(t, estate())
	w := post(t, c, access.RoleViewer, "/console/theme", url.Values{"back": {"/console/components"}})
	if w.Header().Get("Location") != "/console/components" {
		t.Errorf("it leads to %s", w.Header().Get("Location"))
	}
	if body := get(t, c, access.RoleViewer, "/console/keys", w.Result().Cookies()...).Body.String(); !strings.Contains(body, `data-theme="dark"`) {
		t.Error("the theme is forgotten")
	}
}

// TestPolicyAllowsNothingInline: every answer carries it.
func TestPolicyAllowsNothingInline(t *testing.T) {
	c := sample(t, estate())
	for _, path := range []string{"/console/wall", "/console/nowhere", "/console"} {
		h := get(t, c, access.RoleSRE, path).Header()
		if p := h.Get("Content-Security-Policy"); strings.Contains(p, "unsafe") || !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "frame-ancestors 'none'") {
			t.Errorf("%s: %q", path, p)
		}
		if h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept", path)
		}
	}
}

// TestWallStandsWhileTheRecordIsAway, with what it knows.
func TestWallStandsWhileTheRecordIsAway(t *testing.T) {
	c := sample(t, estate())
	if w := get(t, c, access.RoleViewer, "/console/wall"); w.Code != http.StatusOK {
		t.Fatal(w.Code)
	}
	c.roll.record.(*statustest.Store).GoAway(true)
	c.roll.forget()
	w := get(t, c, access.RoleViewer, "/console/wall")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Payments API") {
		t.Errorf("the wall went with it: %d", w.Code)
	}
}

// TestPagesArePacked where the browser takes that.
func TestPagesArePacked(t *testing.T) {
	c := sample(t, estate())
	r := httptest.NewRequest(http.MethodGet, "/console/wall", nil)
	r.Header.Set("Accept-Encoding", "gzip, br")
	w := httptest.NewRecorder()
	serve(t, c, access.RoleViewer).ServeHTTP(w, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	packed := w.Body.Len()
	body, err := io.ReadAll(z)
	if err != nil || !strings.Contains(string(body), "Payments API") {
		t.Errorf("%v", err)
	}
	t.Logf("the wall of 48 is %d bytes, packed %d", len(body), packed)
}
