package console

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
	"evenkeel/internal/testkit"
)

// until waits for an expression to hold in the page.
func until(t *testing.T, ctx context.Context, what, expression string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(15 * time.Second)
	for {
		if ok, err := testkit.JS[bool](ctx, expression); err == nil && ok {
			return
		}
		select {
		case <-late:
			now, _ := testkit.JS[string](ctx, `location.href+' '+document.activeElement.outerHTML.slice(0,300)+' '+document.querySelector('main')?.innerText.slice(0,600)`)
			t.Fatalf("not in time: %s; the page is %s", what, now)
		case <-tick.C:
		}
	}
}

// press sends keys to the page.
func press(t *testing.T, ctx context.Context, keys string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(keys)); err != nil {
		t.Fatal(err)
	}
}

// TestLivePagesKeepTheFocus: a change arrives in place, and whoever types or
// reads is not disturbed.
func TestLivePagesKeepTheFocus(t *testing.T) {
	ctx := testkit.Chromium(t)
	c := sample(t, estate())
	srv := httptest.NewServer(serve(t, c, access.RoleSRE))
	t.Cleanup(srv.Close)
	t.Cleanup(c.CloseStreams)
	if err := testkit.Look(ctx, screen{Width: 1440, Height: 900, Scheme: "light"}, srv.URL+"/console/components/search"); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, "live", `document.querySelector('#main [data-live-state]').dataset.state==='live'`)
	press(t, ctx, "s") // opens the silence form by its key
	until(t, ctx, "the form is open", `document.querySelector('details[data-key=s]').open`)
	if _, err := testkit.JS[bool](ctx, `document.querySelector('#silence-why').focus(),document.querySelector('#silence-why').value='half typed',window.mark=document.querySelector('#silence-why'),true`); err != nil {
		t.Fatal(err)
	}
	if _, err := c.deps.Desk.Say(t.Context(), access.Host, "search", status.MajorOutage, time.Time{}, "seen by eye"); err != nil {
		t.Fatal(err)
	}
	c.Follow([]journal.Sealed{{Seq: 20, Entry: journal.Entry{Verb: "component.stated", Subject: journal.Ref{Kind: "component", ID: "search"}, RecordedAt: noon}}})
	until(t, ctx, "the change shows", `document.body.innerText.includes('seen by eye')`)
	kept, err := testkit.JS[bool](ctx, `document.activeElement===window.mark&&window.mark.isConnected&&window.mark.value==='half typed'&&document.querySelector('details[data-key=s]').open`)
	if err != nil || !kept {
		t.Errorf("focus, words or the open form were lost: %v %v", kept, err)
	}
}

// TestNewRowsWait behind "1 new" until they are asked for.
func TestNewRowsWait(t *testing.T) {
	ctx := testkit.Chromium(t)
	c := sample(t, estate())
	srv := httptest.NewServer(serve(t, c, access.RoleSRE))
	t.Cleanup(srv.Close)
	if err := testkit.Look(ctx, screen{Width: 1440, Height: 900, Scheme: "light"}, srv.URL+"/console/keys"); err != nil {
		t.Fatal(err)
	}
	// The morphing is the same for every list: this one is made here.
	result, err := testkit.JS[string](ctx, `(async()=>{
const main=document.querySelector('#work');const list=document.createElement('ul');list.dataset.hold='';list.innerHTML='<li id=a><a href=#>A</a></li><li id=b><a href=#>B</a></li>';main.append(list);
const page=document.documentElement.outerHTML.replace('<li id="a">','<li id="c"><a href="#">C</a></li><li id="a">').replace('<li id="b"><a href="#">B</a></li>','');
const wasFetch=window.fetch;window.fetch=async()=>new Response(page,{headers:{'Content-Type':'text/html'}});
const form=document.createElement('form');form.method='get';form.dataset.swap='';form.action='/console/keys';document.body.append(form);form.requestSubmit();
await new Promise(r=>setTimeout(r,300));window.fetch=wasFetch;
const rows=[...list.children].map(r=>r.id+(r.hidden?'-':'')).join(' ');const button=document.querySelector('button.fresh');const words=button?.textContent;button?.click();
return rows+' | '+words+' | '+[...list.children].map(r=>r.id+(r.hidden?'-':'')).join(' ')+' | '+document.activeElement.textContent})()`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "c- a | 1 new | c a | C"; result != want {
		t.Errorf("got %q, want %q", result, want)
	}
}

// TestKeysMoveOpenAndFind: j, k, o, /, ?, the palette, and undo.
func TestKeysMoveOpenAndFind(t *testing.T) {
	ctx := testkit.Chromium(t)
	c := sample(t, estate())
	srv := httptest.NewServer(serve(t, c, access.RoleSRE))
	t.Cleanup(srv.Close)
	t.Cleanup(c.CloseStreams)
	if err := testkit.Look(ctx, screen{Width: 1440, Height: 900, Scheme: "dark"}, srv.URL+"/console/components"); err != nil {
		t.Fatal(err)
	}
	press(t, ctx, "j")
	press(t, ctx, "j")
	until(t, ctx, "the second row is held", `document.activeElement.textContent==='Payments API'`)
	press(t, ctx, "k")
	until(t, ctx, "the first row is held", `document.activeElement.textContent==='Checkout'`)
	press(t, ctx, "/")
	until(t, ctx, "the search is held", `document.activeElement.name==='q'`)
	// The driver sends the character too, which a browser does not.
	if _, err := testkit.JS[bool](ctx, `document.activeElement.value='',true`); err != nil {
		t.Fatal(err)
	}
	press(t, ctx, "gift")
	until(t, ctx, "the list answers while one types", `document.querySelectorAll('tbody tr').length===1&&location.search==='?q=gift'&&document.activeElement.value==='gift'`)
	press(t, ctx, kb.Escape)
	press(t, ctx, "?")
	until(t, ctx, "the keys are shown", `!!document.querySelector('dialog.sheet[open] kbd')`)
	press(t, ctx, kb.Escape)
	until(t, ctx, "the keys are gone", `!document.querySelector('dialog[open]')`)
	if err := chromedp.Do(ctx, chromedp.KeyEvent("k", chromedp.KeyModifiers(2))); err != nil { // Ctrl
		t.Fatal(err)
	}
	until(t, ctx, "the palette is open", `document.querySelector('#go').open&&document.querySelectorAll('#go .found a').length>3`)
	press(t, ctx, "ledger db")
	until(t, ctx, "the palette has found it", `document.querySelector('#go .found a.on')?.textContent.includes('Ledger DB')&&document.querySelectorAll('#go .found a').length===1`)
	press(t, ctx, kb.Enter)
	until(t, ctx, "it leads there", `location.pathname==='/console/components/ledger-db'`)
	until(t, ctx, "its script is there", `document.documentElement.classList.contains('scripted')&&!!document.querySelector('#silence-why')`)
	if _, err := testkit.JS[bool](ctx, `document.querySelector('details[data-key=s]').open=true,document.querySelector('#silence-why').value='by key',document.querySelector('#silence-why').focus(),true`); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2))); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, "it is silenced without leaving", `document.querySelector('#said .said')?.textContent.includes('is silenced')&&document.body.innerText.includes('by key')`)
	if _, err := testkit.JS[bool](ctx, `document.activeElement.blur(),true`); err != nil {
		t.Fatal(err)
	}
	press(t, ctx, "z")
	until(t, ctx, "it is taken back", `document.querySelector('#said .said')?.textContent.includes('no longer')&&!document.body.innerText.includes('by key')`)
}

// TestWallIsReadableFromFourMetres: sixty components at 1920 by 1080 without
// scrolling, and nothing under 16 px.
func TestWallIsReadableFromFourMetres(t *testing.T) {
	ctx := testkit.Chromium(t)
	for name, r := range map[string]*record{"forty-eight": estate(), "sixty": crowd(60), "a thousand": crowd(1000)} {
		srv := httptest.NewServer(serve(t, sample(t, r), access.RoleViewer))
		t.Cleanup(srv.Close)
		if err := testkit.Look(ctx, screen{Width: 1920, Height: 1080, Scheme: "dark"}, srv.URL+"/console/wall"); err != nil {
			t.Fatal(err)
		}
		small, err := testkit.JS[string](ctx, `(()=>{const out=[];const walk=document.createTreeWalker(document.querySelector('.wall'),NodeFilter.SHOW_TEXT);
while(walk.nextNode()){const n=walk.currentNode,e=n.parentElement;if(!n.textContent.trim()||!e.getClientRects().length||e.closest('.vh'))continue;
if(parseFloat(getComputedStyle(e).fontSize)<16)out.push('small: '+n.textContent.trim());
const b=e.getBoundingClientRect();if(b.bottom>innerHeight+1||b.right>innerWidth+1)out.push('outside: '+n.textContent.trim())}
return [...new Set(out)].slice(0,5).join('; ')})()`)
		if err != nil {
			t.Fatal(err)
		}
		if small != "" {
			t.Errorf("%s: %s", name, small)
		}
		scrolls, err := testkit.JS[bool](ctx, `document.documentElement.scrollHeight>innerHeight||document.documentElement.scrollWidth>innerWidth`)
		if err != nil || scrolls {
			t.Errorf("%s: it scrolls: %v %v", name, scrolls, err)
		}
	}
}
