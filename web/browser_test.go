package web_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"evenkeel/internal/status"
	"evenkeel/internal/testkit"
	"evenkeel/web/public/publictest"
)

// typeface makes pictures look as they do for most people, where the system's
// own typeface is better than this machine's.
func typeface(t *testing.T) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fonts.conf")
	conf := `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><include>/etc/fonts/fonts.conf</include>` +
		`<match target="pattern"><edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match></fontconfig>`
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FONTCONFIG_FILE", file)
}

// screens are the widths and schemes every page must be good at.
var screens = []testkit.Screen{{Width: 1280, Height: 900, Scheme: "light"}, {Width: 1280, Height: 900, Scheme: "dark"}, {Width: 768, Height: 900, Scheme: "light"}, {Width: 360, Height: 900, Scheme: "light"}, {Width: 360, Height: 900, Scheme: "dark"}}

// over is the page when its incident is over.
func over() *status.Page {
	p := publictest.Well()
	p.Recent = []status.Incident{publictest.Finished()}
	return p
}

// TestPagesAreAccessible looks at every page on every screen with axe-core.
func TestPagesAreAccessible(t *testing.T) {
	axe := testkit.NewAxe(t, "..", lookAt)
	if testkit.Shots() {
		typeface(t)
	}
	ctx := testkit.Chromium(t)
	for name, model := range map[string]*status.Page{"normal": publictest.Normal(), "troubled": publictest.Troubled(), "over": over(), "well": publictest.Well(), "empty": publictest.Empty(), "large": publictest.Large(120), "hostile": publictest.Bad()} {
		srv := httptest.NewServer(door(t, model).Public())
		t.Cleanup(srv.Close)
		paths := map[string]string{"front": "/", "history": "/history", "uptime": "/uptime", "subscribe": "/subscribe", "missing": "/nowhere", "embed": "/embed"}
		if name == "normal" || name == "hostile" {
			paths["component"] = "/components/search"
		}
		for n, i := range model.Recent {
			if n < 2 {
				paths[fmt.Sprintf("incident%d", n)] = "/incidents/" + i.ID
			}
		}
		if name == "troubled" {
			paths["component"], paths["sent"], paths["confirm"], paths["manage"], paths["leave"] =
				"/components/search", "/subscribe/sent/email", "/subscribe/confirm/t-ada", "/subscribe/manage/t-ada", "/subscribe/unsubscribe/t-ada"
		}
		if name == "normal" {
			paths["maintenance"] = "/maintenance/m-118-20261122T0500Z"
		}
		for kind, path := range paths {
			for _, s := range screens {
				if s.Width == 768 && !testkit.Shots() {
					continue // between the two others; for the eye only
				}
				where := fmt.Sprintf("%s-%s-%d-%s", name, kind, s.Width, s.Scheme)
				axe.Inspect(ctx, t, s, srv.URL+path, where)
			}
		}
	}
}

// lookAt is what axe looks at. A bar is narrower than a finger; the same days
// stand as text on the component's page, which is the equivalent that target-size
// allows (WCAG 2.2, 2.5.8).
const lookAt = `{exclude:[[".t"]]}`
