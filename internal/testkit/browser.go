package testkit

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// shots is a folder for pictures of every page, to be looked at.
var shots = flag.String("shots", "", "write pictures of every page into this folder")

// Shots reports whether pictures are wanted.
func Shots() bool { return *shots != "" }

// browserWithin bounds what one test does in its browser.
const browserWithin = 5 * time.Minute

// Chromium starts a browser that ends with the test, or skips where there is none.
func Chromium(tb testing.TB) context.Context {
	tb.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		tb.Skip("SKIP: chromium is not installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(tb.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := chromedp.NewExecAllocator(tb.Context(), options...)
	tb.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	tb.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		tb.Fatalf("start chromium: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, browserWithin) // not on the first run: that context is the browser's life
	tb.Cleanup(cancel)
	return ctx
}

// Screen is one way to look at a page.
type Screen struct {
	Width, Height int64
	Scheme        string // light or dark
}

// Look opens a page on a screen, in UTC and with little motion.
func Look(ctx context.Context, s Screen, url string) error {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: s.Scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	return chromedp.Do(ctx,
		chromedp.EmulateViewport(s.Width, s.Height),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Etc/UTC"})
			return err
		}),
		chromedp.Navigate(url))
}

// JS gives the value of an expression, or of what it promises.
func JS[T any](ctx context.Context, expression string) (T, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Axe checks pages for accessibility.
type Axe struct{ script string }

// NewAxe reads axe-core below the root of the repository, a relative path, or
// skips where it is not installed. What it looks at is a JavaScript expression:
// document, or {exclude: …}.
func NewAxe(tb testing.TB, root, looksAt string) Axe {
	tb.Helper()
	core, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		tb.Skip("SKIP: axe-core is not installed; npm ci installs it")
	}
	return Axe{string(core) + `;axe.run(` + looksAt + `,{resultTypes:["violations"],runOnly:["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]})
.then(r=>JSON.stringify(r.violations.map(v=>({id:v.id,nodes:v.nodes.slice(0,3).map(n=>n.html.slice(0,200)+" "+n.failureSummary)}))))`}
}

// Inspect opens a page on a screen and fails on every breach of WCAG 2.2 AA and
// of good practice, and on a page that scrolls sideways. It keeps a picture where
// they are wanted.
func (a Axe) Inspect(ctx context.Context, tb testing.TB, s Screen, url, where string) {
	tb.Helper()
	if err := Look(ctx, s, url); err != nil {
		tb.Fatalf("%s: %v", where, err)
	}
	found, err := JS[string](ctx, a.script)
	if err != nil {
		tb.Fatalf("%s: %v", where, err)
	}
	wide, err := JS[bool](ctx, `document.documentElement.scrollWidth>innerWidth`)
	if err != nil {
		tb.Fatalf("%s: %v", where, err)
	}
	var violations []struct {
		ID    string
		Nodes []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		tb.Fatalf("%s: %v", where, err)
	}
	for _, v := range violations {
		tb.Errorf("%s: %s\n  %s", where, v.ID, strings.Join(v.Nodes, "\n  "))
	}
	if wide {
		tb.Errorf("%s: the page scrolls sideways", where)
	}
	if Shots() {
		Picture(ctx, tb, where)
	}
}

// Picture keeps what the browser shows, from top to bottom.
func Picture(ctx context.Context, tb testing.TB, name string) {
	tb.Helper()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644); err != nil {
		tb.Fatal(err)
	}
}
