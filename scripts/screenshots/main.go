// Command screenshots takes the pictures under docs/screenshots from a running
// demo, in Debian's Chromium:
//
//	bin/evenkeel demo &
//	go run ./scripts/screenshots -out docs/screenshots
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func main() {
	base := flag.String("url", "http://127.0.0.1:8080", "the demo's address")
	out := flag.String("out", "docs/screenshots", "folder for the pictures")
	flag.Parse()
	if err := run(*base, *out); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

// pages are what is pictured.
var pages = []struct{ name, path string }{
	{"index", "/"}, {"component", "/components/search"}, {"history", "/history"},
}

// rooms are what is pictured of the console, as somebody on call sees it. The
// sixth incident is the one under way.
var rooms = []struct {
	name, path    string
	width, height int64
}{
	{"wall", "/console/wall", 1920, 1080}, {"incident", "/console/incidents/6", 1440, 900}, {"deliveries", "/console/deliveries", 1440, 900},
	{"tickets", "/console/tickets/TK-13", 1440, 900},
}

// settleFor is how long a page of the console gets to draw itself.
const settleFor = time.Second

// takeWithin bounds the whole session.
const takeWithin = 2 * time.Minute

func run(base, out string) error {
	profile, err := os.MkdirTemp("", "evenkeel-screenshots-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(profile)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := context.WithTimeout(context.Background(), takeWithin)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	for _, p := range pages {
		for _, width := range []int64{1280, 360} {
			for _, scheme := range []string{"light", "dark"} {
				if err := take(ctx, base+p.path, width, 900, scheme, true, filepath.Join(out, fmt.Sprintf("%s-%d-%s.png", p.name, width, scheme))); err != nil {
					return fmt.Errorf("%s at %d, %s: %w", p.name, width, scheme, err)
				}
			}
		}
	}
	if err := signIn(ctx, base); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	for _, r := range rooms {
		for _, scheme := range []string{"light", "dark"} {
			whole := r.name == "incident"
			if err := take(ctx, base+r.path, r.width, r.height, scheme, whole, filepath.Join(out, fmt.Sprintf("%s-%d-%s.png", r.name, r.width, scheme))); err != nil {
				return fmt.Errorf("%s, %s: %w", r.name, scheme, err)
			}
		}
	}
	return nil
}

// signIn comes in as whoever is on call, at a click, as the demo lets one.
func signIn(ctx context.Context, base string) error {
	if err := chromedp.Do(ctx, chromedp.Navigate(base+"/console/sign-in")); err != nil {
		return err
	}
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(document.querySelector('button[aria-label^="Sign in as SRE"]').form.submit(),true)`))
	if err != nil {
		return err
	}
	<-time.After(settleFor)
	return nil
}

// take takes one picture: of the whole page, or of what the window shows.
func take(ctx context.Context, url string, width, height int64, scheme string, whole bool, file string) error {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
			return err
		}),
		chromedp.Navigate(url))
	if err != nil {
		return err
	}
	<-time.After(settleFor)
	shot := chromedp.CaptureScreenshot()
	if whole {
		shot = chromedp.FullScreenshot(100)
	}
	png, err := chromedp.Run(ctx, shot)
	if err != nil {
		return err
	}
	return os.WriteFile(file, png, 0o644)
}
