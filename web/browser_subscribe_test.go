package web_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"evenkeel/internal/notice"
	"evenkeel/internal/testkit"
	"evenkeel/web/public/publictest"
)

// S1-25: with a browser and without a script: from the open incident, from the
// form of many choices, over the link of a message, to the end. Nothing may be
// refused by our own policy.
func TestSubscribeInABrowser(t *testing.T) {
	ctx := testkit.Chromium(t)
	s, r := desk(t)
	srv := httptest.NewServer(s.Public())
	t.Cleanup(srv.Close)
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	title := func(want string) {
		t.Helper()
		until(t, want, func() bool {
			got, err := testkit.JS[string](ctx, `document.querySelector('h1')?.firstChild.textContent.trim()`)
			return err == nil && got == want
		})
	}
	for _, screen := range []testkit.Screen{{Width: 1280, Height: 900, Scheme: "light"}, {Width: 360, Height: 900, Scheme: "dark"}} {
		for _, scripts := range []bool{true, false} {
			r.mu.Lock()
			r.asked, r.known = nil, nil
			r.mu.Unlock()
			do("scripts", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
				return err
			}))
			if err := testkit.Look(ctx, screen, srv.URL+"/"); err != nil {
				t.Fatal(err)
			}
			do("tell me when it is over", chromedp.SendKeys(chromedp.CSS(`.aside .tell [name=address]`), "bob@example.org"), chromedp.Click(chromedp.CSS(`.aside .tell button`)))
			title("Check your mail.")
			do("the form of many choices", chromedp.Navigate(srv.URL+"/subscribe"),
				chromedp.Click(chromedp.CSS(`[name=mode][value=webhook]`)), chromedp.SendKeys(chromedp.CSS(`#address`), "https://hooks.example.org/x"), chromedp.SetValue(chromedp.CSS(`[name=min_impact]`), "major"),
				chromedp.Click(chromedp.CSS(`details.field summary`)), chromedp.Click(chromedp.CSS(`[name=component][value=payments]`)), chromedp.Click(chromedp.CSS(`form .field button`)))
			title("We are asking your endpoint.")
			asked := r.requests()
			if len(asked) != 2 || asked[0].Incident != publictest.Slow().ID || asked[1].Mode != notice.ByWebhook || asked[1].MinImpact != "major" || !asked[1].Maintenance ||
				!slices.Equal(asked[1].Components, []string{"key-payments"}) {
				t.Errorf("%v, scripts %v: asked for %+v", screen, scripts, asked)
			}
			do("confirm", chromedp.Navigate(srv.URL+"/subscribe/confirm/t-ada"), chromedp.Click(chromedp.CSS(`form button`)))
			title("You are subscribed.")
			do("choose", chromedp.Navigate(srv.URL+"/subscribe/manage/t-ada"), chromedp.Click(chromedp.CSS(`[name=group][value=apps]`)), chromedp.Click(chromedp.CSS(`[name=maintenance]`)), chromedp.Click(chromedp.CSS(`form .field button`)))
			until(t, "the saved choice", func() bool {
				sub, _ := r.keep("t-ada", nil)
				return slices.Equal(sub.Groups, []string{"apps"}) && slices.Equal(sub.Components, []string{"key-search"}) && !sub.Maintenance
			})
			title("Your subscription")
			if said, err := testkit.JS[string](ctx, `document.querySelector('h1 span').textContent`); err != nil || !strings.Contains(said, "saved") {
				t.Errorf("after saving the page says %q (%v)", said, err)
			}
			do("leave", chromedp.Click(chromedp.CSS(`.end button`)))
			title("You are unsubscribed.")
			if sub, _ := r.keep("t-ada", nil); sub.State != notice.Ended {
				t.Errorf("the subscription is %s", sub.State)
			}
		}
	}
}

// A page that is being written on does not change under the hands of the writer.
func TestLiveUpdateWaitsForTheForm(t *testing.T) {
	ctx := testkit.Chromium(t)
	s, board := doorAndBoard(t, publictest.Troubled(), "")
	srv := httptest.NewServer(s.Public())
	t.Cleanup(srv.Close)
	t.Cleanup(s.CloseStreams)
	if err := testkit.Look(ctx, testkit.Screen{Width: 1280, Height: 900, Scheme: "light"}, srv.URL+"/"); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(`#mail`), "bob@exam")); err != nil {
		t.Fatal(err)
	}
	asked, err := testkit.JS[bool](ctx, `(() => { window.asked = 0; const was = fetch; window.fetch = (...x) => { window.asked++; return was(...x) }; return true })()`)
	if err != nil || !asked {
		t.Fatal(err)
	}
	next := publictest.Troubled()
	next.Changed = next.Changed.AddDate(0, 0, 1)
	next.Headline.Title = "It is over."
	board.Show(next)
	s.Tick()
	until(t, "the next page", func() bool { return strings.Contains(bodyOf(t, ask(t, s, "GET", "/")), "It is over.") })
	kept, err := testkit.JS[string](ctx, `new Promise(done => setTimeout(() => done(document.querySelector('#mail').value + ' ' + window.asked), 1500))`)
	if err != nil || kept != "bob@exam 0" {
		t.Errorf("what was typed and how often the page was fetched: %q (%v)", kept, err)
	}
	if err := chromedp.Do(ctx, chromedp.Clear(chromedp.CSS(`#mail`)), chromedp.Blur(chromedp.CSS(`#mail`))); err != nil {
		t.Fatal(err)
	}
}
