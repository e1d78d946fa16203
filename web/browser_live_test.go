package web_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"evenkeel/internal/status"
	"evenkeel/internal/testkit"
	"evenkeel/web/public/publictest"
)

// TestPageChangesInPlace opens a page, changes what is behind it, and sees the
// change arrive with focus, open groups and the place on the page kept.
func TestPageChangesInPlace(t *testing.T) {
	ctx := testkit.Chromium(t)
	model := publictest.Large(120)
	s, board := doorAndBoard(t, model, "")
	srv := httptest.NewServer(s.Public())
	t.Cleanup(srv.Close)
	t.Cleanup(s.CloseStreams)
	if err := testkit.Look(ctx, testkit.Screen{Width: 1280, Height: 900, Scheme: "light"}, srv.URL+"/"); err != nil {
		t.Fatal(err)
	}
	prepared, err := testkit.JS[string](ctx, `
		window.stays = true
		const second = document.querySelectorAll('.fold')[1]
		second.open = true
		const link = second.querySelectorAll('.name')[3]
		link.focus()
		scrollTo(0, 500)
		link.getAttribute('href')`)
	if err != nil {
		t.Fatal(err)
	}
	before, err := testkit.JS[int](ctx, `scrollY`)
	if err != nil {
		t.Fatal(err)
	}

	next := publictest.Large(120)
	next.Changed = next.Changed.Add(time.Minute)
	next.Seq++
	next.Headline = status.Headline{Status: status.MajorOutage, Title: "Aberdeen is down.", Rest: "Everything else is working.", Lead: "Since 14:31 UTC today."}
	next.Groups[0].Status, next.Groups[0].Components[0].Status = status.MajorOutage, status.MajorOutage
	board.Show(next)
	s.Tick()

	until(t, "the change on the open page", func() bool {
		h1, err := testkit.JS[string](ctx, `document.querySelector('h1').firstChild.textContent.trim()`)
		return err == nil && h1 == "Aberdeen is down."
	})
	for _, c := range []struct{ what, expression, want string }{
		{"the page was not loaded again", `String(window.stays)`, "true"},
		{"the focus", `document.activeElement.getAttribute('href')`, prepared},
		{"the group that was opened", `String(document.querySelectorAll('.fold')[1].open)`, "true"},
		{"the group that has trouble now", `String(document.querySelectorAll('.fold')[0].open)`, "true"},
		{"the group that nobody opened", `String(document.querySelectorAll('.fold')[2].open)`, "false"},
		{"the tint", `document.body.className`, "maj"},
		{"the title", `document.title`, "Aberdeen is down · Northmoor status"},
		{"what a screen reader is told", `document.getElementById('say').textContent`, "Aberdeen is down. Everything else is working."},
	} {
		got, err := testkit.JS[string](ctx, c.expression)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.what, got, c.want, err)
		}
	}
	if after, err := testkit.JS[int](ctx, `scrollY`); err != nil || after < before-40 {
		t.Errorf("the page jumped from %d to %d (%v)", before, after, err)
	}
}

func TestTimesAreMadeLocal(t *testing.T) {
	ctx := testkit.Chromium(t)
	srv := httptest.NewServer(door(t, publictest.Normal()).Public())
	t.Cleanup(srv.Close)
	// A zone is set before the page is opened, and look would set UTC.
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
		return err
	}), chromedp.Navigate(srv.URL+"/"))
	if err != nil {
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		`[...document.querySelectorAll('section')].find(x => x.getAttribute('aria-labelledby') == 'ahead').querySelector('.meta').textContent`: "14:00 to 14:30 GMT+9",
		`document.querySelector('[aria-labelledby=ahead] time').textContent`:                                                                   "Sunday 22 November",
		`document.querySelector('[aria-labelledby=ahead] .meta time').title`:                                                                   "2026-11-22 05:00 UTC",
		`document.querySelector('[data-zone]').textContent`:                                                                                    "Times are in your zone, Asia/Tokyo.",
		`document.querySelector('h1').textContent`:                                                                                             "Search is slower than usual. Everything else is working.",
	} {
		if got, err := testkit.JS[string](ctx, expression); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", expression, got, want, err)
		}
	}
}

// TestKeyboardReachesEverything walks a page with the tab key: each stop is
// visible, and where the focus is can be seen.
func TestKeyboardReachesEverything(t *testing.T) {
	ctx := testkit.Chromium(t)
	srv := httptest.NewServer(door(t, publictest.Troubled()).Public())
	t.Cleanup(srv.Close)
	for _, path := range []string{"/", "/components/search", "/history", "/subscribe", "/incidents/" + publictest.Slow().ID} {
		if err := testkit.Look(ctx, testkit.Screen{Width: 1280, Height: 900, Scheme: "dark"}, srv.URL+path); err != nil {
			t.Fatal(err)
		}
		stops, err := testkit.JS[int](ctx, `[...document.querySelectorAll('a,summary,[tabindex="0"],main button,main input:not([type=hidden],[type=radio]:not(:checked)),main select')].filter(x => x.checkVisibility()).length`)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for range stops + 2 {
			if err := chromedp.Do(ctx, chromedp.KeyEvent("\t")); err != nil {
				t.Fatal(err)
			}
			where, err := testkit.JS[string](ctx, `(() => {
				const el = document.activeElement
				if (el == document.body) return 'end'
				const s = getComputedStyle(el), box = el.getBoundingClientRect()
				if (s.outlineStyle == 'none' || parseFloat(s.outlineWidth) < 2) return 'no outline: ' + el.outerHTML.slice(0, 120)
				if (box.width < 1 || box.bottom < 0 || box.top > innerHeight) return 'out of sight: ' + el.outerHTML.slice(0, 120)
				return 'fine'
			})()`)
			if err != nil {
				t.Fatal(err)
			}
			if where == "end" {
				break
			}
			if where != "fine" {
				t.Errorf("%s, stop %d: %s", path, seen, where)
			}
			seen++
		}
		if seen < stops {
			t.Errorf("%s: the keyboard reaches %d of %d stops", path, seen, stops)
		}
	}
}

// TestPolicyIsNotBroken opens every page and counts what the browser refused.
func TestPolicyIsNotBroken(t *testing.T) {
	ctx := testkit.Chromium(t)
	srv := httptest.NewServer(door(t, publictest.Well()).Public())
	t.Cleanup(srv.Close)
	for _, path := range []string{"/", "/components/search", "/history", "/uptime", "/subscribe", "/embed", "/nowhere"} {
		if err := testkit.Look(ctx, testkit.Screen{Width: 1280, Height: 900, Scheme: "light"}, srv.URL+path); err != nil {
			t.Fatal(err)
		}
		// Both the style and, where there is one, the script have done their work.
		sound, err := testkit.JS[bool](ctx, `getComputedStyle(document.querySelector('.skip,.wid')).textDecorationLine != '' &&
			getComputedStyle(document.body).fontSize == '15px' && (!document.querySelector('script') || !!document.querySelector('time[title]') || !document.querySelector('time[data-t]'))`)
		if err != nil || !sound {
			t.Errorf("%s is not as styled and scripted as it should be (%v)", path, err)
		}
	}
}
