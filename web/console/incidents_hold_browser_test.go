package console

import (
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/testkit"
)

// TestSentUpdateCountsDownAndComesBackByKey: an update that was sent counts down
// in sight, z takes it back with its words, and "Publish now" ends the wait.
func TestSentUpdateCountsDownAndComesBackByKey(t *testing.T) {
	ctx := testkit.Chromium(t)
	c, room, _ := staffed(t, estate())
	i := payments(t, room)
	srv := httptest.NewServer(serve(t, c, access.RoleSRE))
	t.Cleanup(srv.Close)
	t.Cleanup(c.CloseStreams)
	if err := testkit.Look(ctx, screen{Width: 1440, Height: 900, Scheme: "light"}, srv.URL+incidentsPath+"/"+i.ID); err != nil {
		t.Fatal(err)
	}
	send := func() {
		t.Helper()
		if _, err := testkit.JS[bool](ctx, `(b=>(b.focus(),b.value='The gateway takes cards again.',b.form.requestSubmit(b.form.querySelector('.primary')),true))(document.querySelector('#body'))`); err != nil {
			t.Fatal(err)
		}
		until(t, ctx, "it is held", `!!document.querySelector('.strip.held')`)
	}
	send()
	until(t, ctx, "the countdown runs", `(s=>s>0&&s<10)(Number(document.querySelector('.strip.held time').textContent.split(':')[1]))`)
	if now, _, _ := room.Get(t.Context(), sre, i.ID); now.Version == i.Version || now.State != i.State {
		t.Errorf("the incident is %+v", now)
	}
	if clean, err := testkit.JS[bool](ctx, `document.querySelector('#body').value!=='The gateway takes cards again.'`); err != nil || !clean {
		t.Errorf("what was sent still stands in the form: %v", err)
	}
	press(t, ctx, "z")
	until(t, ctx, "it is a draft again", `!document.querySelector('.strip.held')&&document.querySelector('#body').value==='The gateway takes cards again.'`)
	send()
	if _, err := testkit.JS[bool](ctx, `(document.querySelector('.strip.held form[action$="/release"] button').focus(),true)`); err != nil {
		t.Fatal(err)
	}
	press(t, ctx, kb.Enter)
	until(t, ctx, "it is published", `!document.querySelector('.strip.held')&&document.querySelector('#timeline .pub')?.innerText.includes('takes cards again')`)
	_, lines, err := room.Get(t.Context(), sre, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	if last := lines[len(lines)-1]; last.Kind != incident.KindUpdate || last.Body != "The gateway takes cards again." || last.PublishedAt.IsZero() {
		t.Errorf("the last line is %+v", last)
	}
}
