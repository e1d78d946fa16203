package web_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"evenkeel/internal/status"
	"evenkeel/web/public/publictest"
)

// shots is a folder for pictures of every page, to be looked at.
var shots = flag.String("shots", "", "write pictures of every page into this folder")

// axePath is the accessibility checker, from the development dependencies.
const axePath = "../node_modules/axe-core/axe.min.js"

// browser starts Chromium, or skips where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIP: chromium is not installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute) // not on the first run: that context is the browser's life
	t.Cleanup(cancel)
	return ctx
}

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

// screen is one way to look at a page.
type screen struct {
	width  int64
	scheme string
}

// screens are the widths and schemes every page must be good at.
var screens = []screen{{1280, "light"}, {1280, "dark"}, {768, "light"}, {360, "light"}, {360, "dark"}}

// look opens a page on a screen.
func look(ctx context.Context, s screen, url string) error {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: s.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	return chromedp.Do(ctx,
		chromedp.EmulateViewport(s.width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Etc/UTC"})
			return err
		}),
		chromedp.Navigate(url))
}

// js gives the value of an expression, or of what it promises.
func js[T any](ctx context.Context, expression string) (T, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// over is the page when its incident is over.
func over() *status.Page {
	p := publictest.Well()
	p.Recent = []status.Incident{publictest.Finished()}
	return p
}

// TestPagesAreAccessible looks at every page on every screen with axe-core.
func TestPagesAreAccessible(t *testing.T) {
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Skip("SKIP: axe-core is not installed; npm ci installs it")
	}
	if *shots != "" {
		typeface(t)
	}
	ctx := browser(t)
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
				if s.width == 768 && *shots == "" {
					continue // between the two others; for the eye only
				}
				where := fmt.Sprintf("%s-%s-%d-%s", name, kind, s.width, s.scheme)
				if err := look(ctx, s, srv.URL+path); err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				found, err := js[string](ctx, string(axe)+axeRun)
				if err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				wide, err := js[bool](ctx, `document.documentElement.scrollWidth>innerWidth`)
				if err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				var violations []struct {
					ID    string
					Nodes []string
				}
				if err := json.Unmarshal([]byte(found), &violations); err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				for _, v := range violations {
					t.Errorf("%s: %s\n  %s", where, v.ID, strings.Join(v.Nodes, "\n  "))
				}
				if wide {
					t.Errorf("%s: the page scrolls sideways", where)
				}
				if *shots != "" {
					picture(t, ctx, where)
				}
			}
		}
	}
}

// axeRun asks for every rule of WCAG 2.2 AA and for good practice. A bar is
// narrower than a finger; the same days stand as text on the component's page,
// which is the equivalent that target-size allows (WCAG 2.2, 2.5.8).
const axeRun = `;axe.run({exclude:[[".t"]]},{resultTypes:["violations"],runOnly:["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]})
.then(r=>JSON.stringify(r.violations.map(v=>({id:v.id,nodes:v.nodes.slice(0,3).map(n=>n.html.slice(0,200)+" "+n.failureSummary)}))))`

// picture keeps what the browser shows, from top to bottom.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
