package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"evenkeel/internal/access"
	"evenkeel/internal/testkit"
	"evenkeel/internal/ticket"
)

// TestDeskIsAccessible looks at the rooms of the desk with axe-core, on a desk
// and on a phone.
func TestDeskIsAccessible(t *testing.T) {
	axe := testkit.NewAxe(t, "../..", "document")
	ctx := testkit.Chromium(t)
	s := atTheDesk(t)
	i := payments(t, s.room)
	read, burst := s.story()
	s.mails.keep(burst...)
	for _, id := range burst[4:7] {
		if _, err := s.desk.Link(t.Context(), support, id, i.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.desk.Answer(t.Context(), support, burst[2], ticket.Answer{Text: "It is over.", Held: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.desk.Answer(t.Context(), support, burst[3], ticket.Answer{Text: "We look into it."}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(serve(t, s.c, access.RoleManager))
	t.Cleanup(srv.Close)
	for _, page := range []struct {
		name, path string
		screens    []screen
	}{
		{"tickets", "/console/tickets", append(append([]screen{}, desk...), phone...)},
		{"ticket", "/console/tickets/" + read.ID + "?view=unassigned", append(append([]screen{}, desk...), phone...)},
		{"ticketnarrow", "/console/tickets/" + read.ID + "?view=unassigned", []screen{{Width: 1024, Height: 768, Scheme: "light"}}},
		{"ticketheld", "/console/tickets/" + burst[2], append(append([]screen{}, desk[1:]...), phone[0])},
		{"ticketsent", "/console/tickets/" + burst[3], desk[:1]},
		{"proposal", "/console/tickets?proposal=prop-1", append(append([]screen{}, desk[:1]...), phone[0])},
		{"review", "/console/tickets/review", append(append([]screen{}, desk[:1]...), phone[0])},
		{"ticketnew", "/console/tickets/new", append(append([]screen{}, desk[:1]...), phone[0])},
		{"replies", "/console/tickets/replies", append(append([]screen{}, desk[:1]...), phone[0])},
		{"requester", "/console/requesters/" + read.Requester, append(append([]screen{}, desk[:1]...), phone[0])},
		{"mailboxes", "/console/mailboxes", append(append([]screen{}, desk[:1]...), phone[0])},
		{"wallwithdesk", "/console/wall", big[:1]},
		{"incidentwithtickets", "/console/incidents/" + i.ID, desk[:1]},
		{"ledger", "/console/mailboxes/support", append(append([]screen{}, desk...), phone[0])},
	} {
		for _, on := range page.screens {
			axe.Inspect(ctx, t, on, srv.URL+page.path, fmt.Sprintf("%s-%d-%s", page.name, on.Width, on.Scheme))
		}
	}
}

// TestTriageWithTheKeyboardAlone walks, reads, assigns, closes, takes back,
// answers, notes, links, selects and decides without a pointer (3, Desk).
func TestTriageWithTheKeyboardAlone(t *testing.T) {
	ctx := testkit.Chromium(t)
	s := atTheDesk(t)
	i := payments(t, s.room)
	read, burst := s.story()
	srv := httptest.NewServer(serve(t, s.c, access.RoleSupport))
	t.Cleanup(srv.Close)
	t.Cleanup(s.c.CloseStreams)
	if err := testkit.Look(ctx, screen{Width: 1440, Height: 900, Scheme: "light"}, srv.URL+"/console/tickets"); err != nil {
		t.Fatal(err)
	}
	now := func() ticket.Ticket {
		t.Helper()
		x, _, err := s.desk.Get(t.Context(), support, read.ID)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	shows := func(title string) string {
		return `document.querySelector('.read h1')?.textContent===` + strconv.Quote(title) + `&&document.querySelector('.tk.cur .sj').textContent.includes(` + strconv.Quote(title) + `)`
	}
	for range 4 {
		press(t, ctx, "j")
	}
	until(t, ctx, "j j j j reads the fourth beside the list", shows("Card declined twice, then charged"))
	press(t, ctx, "k")
	until(t, ctx, "k reads the one before", shows("Invoice 20417 shows my old address"))
	press(t, ctx, "j")
	until(t, ctx, "j goes on", shows("Card declined twice, then charged"))

	press(t, ctx, "a")
	until(t, ctx, "a opens who", `document.activeElement.textContent==='Take it'`)
	press(t, ctx, kb.Enter)
	until(t, ctx, "it is mine", `document.querySelector('#said .said')?.textContent.includes('is with SRE on call')`)
	if now().Assignee != "p1" {
		t.Errorf("it is with %q", now().Assignee)
	}
	until(t, ctx, "who takes it out of the list keeps reading it", `!document.querySelector('.tk.cur')&&document.querySelector('.read h1').textContent.startsWith('Card declined')`)
	press(t, ctx, "z")
	until(t, ctx, "z gives it back", `document.querySelector('#said .said')?.textContent.includes("nobody's")&&!!document.querySelector('.tk.cur')`)

	press(t, ctx, "l")
	until(t, ctx, "l offers the incident that fits first", `document.activeElement.textContent.startsWith(`+strconv.Quote(incidentName(i))+`)`)
	press(t, ctx, kb.Enter)
	until(t, ctx, "it is linked", `document.querySelector('#said .said')?.textContent.includes('is linked to')`)
	if now().Incident != i.ID {
		t.Errorf("it is linked to %q", now().Incident)
	}
	press(t, ctx, "i")
	until(t, ctx, "i writes a note", `document.activeElement.name==='note'`)
	press(t, ctx, "ok")
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2))); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, "the note stands", `document.querySelectorAll('.msg.note').length===2&&document.querySelector('textarea[name=note]').value===''`)

	until(t, ctx, "the row holds the keyboard again", `document.activeElement.matches('.tk.cur a')`)
	press(t, ctx, "r")
	until(t, ctx, "r writes an answer", `document.activeElement.name==='text'`)
	press(t, ctx, "half an answer")
	press(t, ctx, kb.Escape)
	press(t, ctx, "j")
	until(t, ctx, "the next one has an empty answer", shows("Cannot pay the balance")+`&&document.querySelector('textarea[data-draft]').value===''`)
	press(t, ctx, "k")
	until(t, ctx, "the half one stays with its ticket", shows("Card declined twice, then charged")+`&&document.querySelector('textarea[data-draft]').value.endsWith('half an answer')`)
	press(t, ctx, ";")
	until(t, ctx, "; offers saved replies", `document.activeElement.dataset.saved!==undefined`)
	press(t, ctx, kb.Enter)
	until(t, ctx, "it is filled in behind what is written", `document.querySelector('textarea[data-draft]').value.includes('half an answer\n\nThank you for writing')`)
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2))); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, "it is sent", `document.querySelector('#said .said')?.textContent.startsWith('Sent')&&document.body.innerText.includes('Goes out at')`)
	if _, err := testkit.JS[bool](ctx, `document.activeElement.blur(),true`); err != nil {
		t.Fatal(err)
	}
	press(t, ctx, "z")
	until(t, ctx, "z takes it back to be mended", `document.querySelector('#said .said')?.textContent.includes('Taken back')&&document.querySelector('textarea[data-draft]').value.includes('Thank you for writing')`)
	press(t, ctx, "e")
	until(t, ctx, "e closes it and reads the next", `document.querySelector('#said .said')?.textContent.includes('closed')&&`+shows("Cannot pay the balance"))
	if now().State != ticket.Solved {
		t.Errorf("it is %s", now().State)
	}
	press(t, ctx, "z")
	until(t, ctx, "z opens it again", `document.querySelector('#said .said')?.textContent.includes(': open')`)

	press(t, ctx, "j")
	press(t, ctx, "x")
	until(t, ctx, "x selects", `document.querySelector('[data-picked]').textContent==='1 selected'&&document.querySelector('.bulk').getClientRects().length>0`)
	press(t, ctx, "x")
	press(t, ctx, "y")
	until(t, ctx, "y accepts what is proposed", `document.querySelector('#said .said')?.textContent.includes('`+strconv.Itoa(len(burst))+` tickets linked')&&!document.querySelector('main .burst')`)
	press(t, ctx, "z")
	until(t, ctx, "z takes it back", `!!document.querySelector('main .burst')`)
	press(t, ctx, "/")
	until(t, ctx, "/ searches", `document.activeElement.name==='q'`)
}

// TestMailIsShownWithoutHarm: a nasty mail is shown as it was sent; no script
// of it runs, and no request leaves the browser until images are asked for.
func TestMailIsShownWithoutHarm(t *testing.T) {
	ctx := testkit.Chromium(t)
	s := atTheDesk(t)
	var asked atomic.Int64
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(foreign.Close)
	in := letter("Guest", "Nasty", "Hello", time.Minute)
	in.HTML = strings.ReplaceAll(`<script>parent.document.title='broken'</script><img src="F/a.png"><img src=x onerror="fetch('F/b')"><link rel=stylesheet href="F/c.css">
<style>@import "F/d.css"; body{background:url(F/e.png)}</style><p style="background:url('F/f.png')">Safe words</p><svg><script href="F/g.js"/><image href="F/h.png"/></svg>
<iframe src="F/i"></iframe><object data="F/j"></object><embed src="F/k"><video src="F/l" autoplay poster="F/m"></video><audio src="F/n" autoplay></audio><form action="F/o"><input autofocus onfocus="fetch('F/p')"></form>
<meta http-equiv="refresh" content="0;url=F/q"><base href="F/"><a href="javascript:fetch('F/r')">link</a><input type=image src="F/s"><table background="F/t"><tr><td>cell</td></tr></table><math href="F/u"></math><img srcset="F/v 1x"><picture><source srcset="F/w"></picture><body onload="fetch('F/x')">`, "F", foreign.URL)
	x := s.receive(in)
	srv := httptest.NewServer(serve(t, s.c, access.RoleSupport))
	t.Cleanup(srv.Close)
	t.Cleanup(s.c.CloseStreams)
	if err := testkit.Look(ctx, screen{Width: 1440, Height: 900, Scheme: "light"}, srv.URL+"/console/tickets/"+x.ID); err != nil {
		t.Fatal(err)
	}
	frame, err := testkit.JS[string](ctx, `(async()=>{const d=document.querySelector('details.fold.wide');d.open=true;const f=d.querySelector('iframe');f.loading='eager';await new Promise(r=>{f.onload=r;f.src=f.src});return f.src})()`)
	if err != nil {
		t.Fatal(err)
	}
	until(t, ctx, "nothing of it reaches our page", `document.title!=='broken'&&document.querySelector('iframe.mail').contentDocument===null`)
	if err := testkit.Look(ctx, screen{Width: 1440, Height: 900, Scheme: "light"}, frame); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, "its words are there", `document.body.innerText.includes('Safe words')&&!document.querySelector('script,iframe,object,embed,form,video,audio,link,meta[http-equiv],svg')`)
	if n := asked.Load(); n > 0 {
		t.Errorf("%d requests left the browser", n)
	}
	w := get(t, s.c, access.RoleSupport, strings.TrimPrefix(frame, srv.URL))
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"sandbox", "default-src 'none'", "img-src data:", "frame-ancestors 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	if strings.Contains(policy, "https:") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
		t.Errorf("the policy allows too much: %s", policy)
	}
	if w = get(t, s.c, access.RoleSupport, strings.TrimPrefix(frame, srv.URL)+"?images=1"); !strings.Contains(w.Header().Get("Content-Security-Policy"), "img-src data: https:") {
		t.Error("images that are asked for are not allowed")
	}
}
