package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/status"
)

// TestDefinitionsRoundTrip: what the form wrote comes back into its fields, and
// what it has no field for stays as it was typed.
func TestDefinitionsRoundTrip(t *testing.T) {
	values := map[string]string{
		"id": "shop-web", "component": "shop", "name": `The "front": door # 1`, "kind": "http", "interval": "30s", "url": "https://example.org/?a=1&b=<2>",
		"slow": "400ms", "confirm": "3", "public": "",
	}
	rest := "expect:\n  status: [200]\n  body: ready\nheaders: {X-Token: '1'}"
	text := compose(monitorKeys, func(name string) string { return values[name] }, rest)
	got, left := split(monitorKeys, text)
	for name, want := range values {
		if got[name] != want {
			t.Errorf("%s comes back as %q, want %q", name, got[name], want)
		}
	}
	if left != rest {
		t.Errorf("the rest comes back as %q", left)
	}
	if again := compose(monitorKeys, func(name string) string { return got[name] }, left); again != text {
		t.Errorf("written again it is\n%s\nnot\n%s", again, text)
	}
}

// FuzzSplit: taking a definition apart and writing it again loses nothing, and
// once written it stays as it is.
func FuzzSplit(f *testing.F) {
	f.Add("id: shop\nname: Shop\nneeds: [a, b]\n")
	f.Add("id: \"a\"\nname: 'b'\npublic: false\nx:\n  y: 1\n")
	f.Add("name: a\n  b\nname: c\r\n\tid: 3\nneeds: [\"a b\"]\npublish: manual # why")
	f.Fuzz(func(t *testing.T, text string) {
		values, rest := split(componentKeys, text)
		once := compose(componentKeys, func(name string) string { return values[name] }, rest)
		values, rest = split(componentKeys, once)
		if twice := compose(componentKeys, func(name string) string { return values[name] }, rest); twice != once {
			t.Errorf("%q becomes %q, then %q", text, once, twice)
		}
	})
}

// TestMonitorIsCheckedTriedAndPut in the console, with problems beside fields.
func TestMonitorIsCheckedTriedAndPut(t *testing.T) {
	c := sample(t, estate())
	form := url.Values{"id": {"ledger-new"}, "component": {"ledger"}, "kind": {"http"}, "url": {"example.org"}, "public": {"1"}, "do": {"check"}}
	w := post(t, c, access.RoleSRE, "/console/monitors/new", form)
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `id="f-url-err"`) || !strings.Contains(w.Body.String(), "line 3: no such thing") {
		t.Errorf("check: %d", w.Code)
	}
	form.Set("url", "https://example.org/")
	if body := post(t, c, access.RoleSRE, "/console/monitors/new", form).Body.String(); !strings.Contains(body, "monitor ledger-new is added") {
		t.Error("the check does not say what would change")
	}
	form.Set("do", "try")
	if body := post(t, c, access.RoleSRE, "/console/monitors/new", form).Body.String(); !strings.Contains(body, "answered 502 Bad Gateway") {
		t.Error("the dry run shows no log")
	}
	form.Set("do", "save")
	if w := post(t, c, access.RoleSRE, "/console/monitors/new", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/console/monitors/ledger-new" {
		t.Errorf("save: %d %s", w.Code, w.Header().Get("Location"))
	}
	put := c.deps.Definitions.(*definitions).put
	if len(put) != 1 || put[0].Kind != status.KindMonitor || !strings.Contains(put[0].Text, "url: \"https://example.org/\"\n") {
		t.Errorf("put %v", put)
	}
}

// TestWhatTheFileDefinesIsLocked, with the line that defines it.
func TestWhatTheFileDefinesIsLocked(t *testing.T) {
	c := sample(t, estate())
	body := get(t, c, access.RoleSRE, "/console/components/website").Body.String()
	if !strings.Contains(body, "evenkeel.yaml, line 12") || strings.Contains(body, "/console/components/website/edit") {
		t.Error("it is not shown as locked")
	}
	if w := get(t, c, access.RoleSRE, "/console/components/website/edit"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "line 12") {
		t.Errorf("edit: %d", w.Code)
	}
}
