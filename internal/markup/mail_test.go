package markup

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMailHTMLKeepsNothingThatActs(t *testing.T) {
	for _, page := range []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg onload=alert(1)><script>1</script></svg>`, `<a href="javascript:alert(1)">x</a>`, `<a href="&#106;avascript:alert(1)">x</a>`, `<a href=" java&#10;script:alert(1)">x</a>`,
		`<iframe src="https://example.org"></iframe>`, `<form action="https://example.org"><input name=a><button>go</button></form>`, `<base href="https://example.org/">`, `<meta http-equiv=refresh content="0;url=https://example.org">`, `<link rel=stylesheet href="https://example.org/a.css">`,
		`<style>body{background:url(https://example.org/a)}</style>`, `<p style="background:url(https://example.org/a)">x</p>`, `<div id="desk" class="button" name="x">x</div>`, `<table background="https://example.org/a.png"><tr><td>x</table>`, `<video poster="https://example.org/a.png" src=x></video>`,
		`<img srcset="https://example.org/a.png 2x" src="https://example.org/a.png">`, `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<img src="/console/sign-out">`, `<a href="/console/tickets/1/delete">x</a>`, `<img src="data:image/svg+xml;base64,PHN2Zz4=">`,
		`<object data="https://example.org/a.swf"></object><embed src=x>`, `<a href="vbscript:x">x</a>`, `<img src="cid:x@example.org" onload=alert(1)>`, `<!--[if mso]><script>1</script><![endif]-->`, `<p onclick=alert(1)>x`, `<input autofocus onfocus=alert(1)>`, "<a href=\"data:text/html,<script>1</script>\">x</a>",
	} {
		safe, _ := MailHTML(page, MailOptions{})
		low := strings.ToLower(string(safe))
		for _, bad := range []string{"<script", "onerror", "onload", "onclick", "onfocus", "javascript:", "vbscript:", "<iframe", "<form", "<input", "<button", "<base", "<meta", "<link", "<style", "style=", " id=", "background", "poster", "srcset", "<svg", "<object", "<embed", "/console", "svg+xml", "text/html", `src="https`, "name=", `class="button`} {
			if strings.Contains(low, bad) {
				t.Errorf("%s\ngives %s\nwith %s in it", page, safe, bad)
			}
		}
	}
}

func TestMailHTMLImages(t *testing.T) {
	const page = `<p>see <img src="https://example.org/a.png" alt="the &lt;chart&gt;" width="200"><img src="CID:logo@example.org" alt="logo"><img src="cid:gone@example.org" alt="gone"><img src="https://example.org/pixel" width="1" height="1"><img src="data:image/png;base64,iVBORw0KGgo=" alt="d"></p>`
	own := MailOptions{Inline: func(id string) string {
		if id == "logo@example.org" {
			return "/console/tickets/1/parts/2"
		}
		return ""
	}}
	safe, blocked := MailHTML(page, own)
	const want = `<p>see <span class="mail-blocked-image">the &lt;chart&gt;</span><img src="/console/tickets/1/parts/2" loading="lazy" referrerpolicy="no-referrer" alt="logo">gone<img src="data:image/png;base64,iVBORw0KGgo=" loading="lazy" referrerpolicy="no-referrer" alt="d"></p>`
	if string(safe) != want || blocked != 1 {
		t.Errorf("got %s, %d\nwant %s", safe, blocked, want)
	}
	own.RemoteImages = true
	if safe, blocked := MailHTML(page, own); blocked != 0 || !strings.Contains(string(safe), `<img src="https://example.org/a.png"`) || strings.Contains(string(safe), "pixel") {
		t.Errorf("allowed: got %s, %d", safe, blocked)
	}
}

func TestMailHTMLLinks(t *testing.T) {
	safe, _ := MailHTML(`<a href="https://example.org/?a=1&amp;b=2" target="_top" rel="opener">x</a>`, MailOptions{})
	for _, part := range []string{`href="https://example.org/?a=1&amp;b=2"`, "nofollow", "noreferrer", "noopener", `target="_blank"`} {
		if !strings.Contains(string(safe), part) {
			t.Errorf("%s has no %s", safe, part)
		}
	}
	if strings.Contains(string(safe), "_top") {
		t.Errorf("its own target stays: %s", safe)
	}
}

func TestMailHTMLIsBounded(t *testing.T) {
	for _, page := range []string{strings.Repeat("ä", 3<<20), strings.Repeat("<div>", 1<<16), strings.Repeat("<img src=x>", 1<<15), strings.Repeat("<", 1<<18), strings.Repeat("&", 1<<18)} {
		safe, _ := MailHTML(page, MailOptions{})
		if len(safe) > 6*MaxMailHTML || !utf8.ValidString(string(safe)) {
			t.Errorf("%.20q…: %d bytes, valid %v", page, len(safe), utf8.ValidString(string(safe)))
		}
	}
}

func FuzzMailHTML(f *testing.F) {
	for _, seed := range []string{"<p>x", "<img src=cid:a>", `<a href="x:y">`, "<svg><style><img src=x onerror=1>", "\xff<\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, page string) {
		safe, _ := MailHTML(page, MailOptions{})
		low := strings.ToLower(string(safe))
		for _, bad := range []string{"<script", "<style", "<iframe", "<svg", "<form", "<img src=\"http"} {
			if strings.Contains(low, bad) {
				t.Errorf("%q gives %q", page, safe)
			}
		}
	})
}
