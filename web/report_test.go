package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"evenkeel/internal/problem"
	"evenkeel/internal/testkit"
	"evenkeel/internal/ticket"
	"evenkeel/web"
	"evenkeel/web/public/publictest"
)

// tray keeps what visitors report.
type tray struct {
	mu   sync.Mutex
	kept []ticket.Incoming
}

func (k *tray) Submit(_ context.Context, in ticket.Incoming) (ticket.Ticket, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if strings.Contains(in.From.Address, "refused") {
		return ticket.Ticket{}, problem.Invalid("address", "This is no mail address.")
	}
	k.kept = append(k.kept, in)
	return ticket.Ticket{ID: "t"}, nil
}

// reporting is a door whose reports somebody reads.
func reporting(t testing.TB) (*web.Server, *tray) {
	t.Helper()
	page := publictest.Troubled()
	page.Site.ReportURL = ""
	s, board := doorAndBoard(t, page, "")
	k := &tray{}
	s.Attach(web.Live{Board: board, Inside: web.Inside{Reports: k}})
	return s, k
}

// A visitor reports a problem with a component; the answer is the same for
// everybody, and a machine that fills in what people do not see is not heard.
func TestVisitorReportsAProblem(t *testing.T) {
	s, k := reporting(t)
	body := bodyOf(t, ask(t, s, http.MethodGet, "/report/about/search"))
	if !strings.Contains(body, `value="search" selected`) || !strings.Contains(body, "We know of this already") {
		t.Errorf("the form is not for the component, or does not tell what is known")
	}
	if page := bodyOf(t, ask(t, s, http.MethodGet, "/components/search")); !strings.Contains(page, `href="/report/about/search"`) {
		t.Error("the component's page does not lead to the form")
	}
	fine := url.Values{"component": {"search"}, "subject": {"Nothing is found"}, "text": {"I search and nothing comes."}, "address": {"ada@example.org"}, "name": {"Ada"}}
	trapped := url.Values{"website": {"https://example.net"}, "subject": {"x"}, "text": {"x"}, "address": {"bot@example.net"}}
	for _, v := range []url.Values{fine, trapped} {
		if got := fill(t, s, "/report", v); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/report/sent" {
			t.Errorf("%d to %q", got.StatusCode, got.Header.Get("Location"))
		}
	}
	if len(k.kept) != 1 || k.kept[0].Way != ticket.ByForm || k.kept[0].Components[0] != "key-search" || k.kept[0].From.Address != "ada@example.org" || k.kept[0].Answerable {
		t.Errorf("kept: %+v", k.kept)
	}
	if page := bodyOf(t, ask(t, s, http.MethodGet, "/report/sent")); !strings.Contains(page, "A person reads it") {
		t.Error("the answer does not say what follows")
	}
}

// A form that is wrong comes back with what was typed, and no script of it.
func TestWrongReportComesBack(t *testing.T) {
	s, k := reporting(t)
	for name, v := range map[string]url.Values{
		"address":   {"subject": {"x"}, "text": {"typed in vain"}, "address": {`"><script>alert(1)</script>`}},
		"refused":   {"subject": {"x"}, "text": {"typed in vain"}, "address": {"refused@example.org"}},
		"component": {"component": {"nothing"}, "subject": {"x"}, "text": {"typed in vain"}, "address": {"ada@example.org"}},
		"subject":   {"text": {"typed in vain"}, "address": {"ada@example.org"}},
		"long":      {"subject": {"typed in vain"}, "text": {strings.Repeat("x", 10_001)}, "address": {"ada@example.org"}},
	} {
		got := fill(t, s, "/report", v)
		body := bodyOf(t, got)
		if got.StatusCode != http.StatusBadRequest || !strings.Contains(body, "typed in vain") || strings.Contains(body, "<script>alert") || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
	if len(k.kept) != 0 {
		t.Errorf("kept: %+v", k.kept)
	}
}

// One visitor cannot fill the desk, and where nobody reads there is no form.
func TestReportsAreBounded(t *testing.T) {
	s, k := reporting(t)
	codes := map[int]int{}
	for n := range 8 {
		codes[fill(t, s, "/report", url.Values{"subject": {fmt.Sprint("Number ", n)}, "text": {"It fails."}, "address": {"ada@example.org"}}).StatusCode]++
	}
	if codes[http.StatusSeeOther] != 5 || codes[http.StatusTooManyRequests] != 3 || len(k.kept) != 5 {
		t.Errorf("%v, %d kept", codes, len(k.kept))
	}
	bare := door(t, publictest.Troubled())
	if got := ask(t, bare, http.MethodGet, "/report"); got.StatusCode != http.StatusNotFound {
		t.Errorf("without a desk: %d", got.StatusCode)
	}
	if page := bodyOf(t, ask(t, bare, http.MethodGet, "/components/search")); strings.Contains(page, "/report") {
		t.Error("a page leads to a form that is not there")
	}
}

// The form is good to use with a screen reader, on a desk and on a phone.
func TestReportFormIsAccessible(t *testing.T) {
	axe := testkit.NewAxe(t, "..", "document")
	ctx := testkit.Chromium(t)
	s, _ := reporting(t)
	srv := httptest.NewServer(s.Public())
	t.Cleanup(srv.Close)
	for _, screen := range []testkit.Screen{{Width: 1280, Height: 900, Scheme: "light"}, {Width: 390, Height: 844, Scheme: "dark"}} {
		for _, path := range []string{"/report", "/report/about/search", "/report/sent"} {
			axe.Inspect(ctx, t, screen, srv.URL+path, fmt.Sprintf("report%s-%d", strings.ReplaceAll(path, "/", "-"), screen.Width))
		}
	}
}
