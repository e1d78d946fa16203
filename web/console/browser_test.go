package console

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

	"evenkeel/internal/access"
)

// shots is a folder for pictures of every page, to be looked at.
var shots = flag.String("shots", "", "write pictures of every page into this folder")

// axePath is the accessibility checker, from the development dependencies.
const axePath = "../../node_modules/axe-core/axe.min.js"

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

// screen is one way to look at a page.
type screen struct {
	width, height int64
	scheme        string
}

// desk, big and phone are the screens every room must be good at.
var (
	desk  = []screen{{1440, 900, "light"}, {1440, 900, "dark"}}
	big   = []screen{{1920, 1080, "dark"}, {1920, 1080, "light"}}
	phone = []screen{{390, 844, "light"}, {390, 844, "dark"}}
)

// look opens a page on a screen.
func look(ctx context.Context, s screen, url string) error {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: s.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	return chromedp.Do(ctx,
		chromedp.EmulateViewport(s.width, s.height),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
			return err
		}),
		chromedp.Navigate(url))
}

// js gives the value of an expression, or of what it promises.
func js[T any](ctx context.Context, expression string) (T, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// axeRun asks for every rule of WCAG 2.2 AA and for good practice.
const axeRun = `;axe.run(document,{resultTypes:["violations"],runOnly:["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]})
.then(r=>JSON.stringify(r.violations.map(v=>({id:v.id,nodes:v.nodes.slice(0,3).map(n=>n.html.slice(0,200)+" "+n.failureSummary)}))))`

// TestRoomsAreAccessible looks at every room with axe-core, on a desk, on the
// wall's own screen and on a phone.
func TestRoomsAreAccessible(t *testing.T) {
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Skip("SKIP: axe-core is not installed; npm ci installs it")
	}
	ctx := browser(t)
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
			where := fmt.Sprintf("%s-%d-%s", room.name, s.width, s.scheme)
			if err := look(ctx, s, srv.URL+room.path); err != nil {
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
