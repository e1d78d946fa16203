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
				if err := take(ctx, base+p.path, width, scheme, filepath.Join(out, fmt.Sprintf("%s-%d-%s.png", p.name, width, scheme))); err != nil {
					return fmt.Errorf("%s at %d, %s: %w", p.name, width, scheme, err)
				}
			}
		}
	}
	return nil
}

func take(ctx context.Context, url string, width int64, scheme, file string) error {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
			return err
		}),
		chromedp.Navigate(url))
	if err != nil {
		return err
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return err
	}
	return os.WriteFile(file, png, 0o644)
}
