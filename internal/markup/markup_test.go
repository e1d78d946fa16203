package markup

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestForms(t *testing.T) {
	tests := []struct{ name, src, html, text, slack string }{
		{"words", "Checks *fail* since **03:02**.", "<p>Checks <em>fail</em> since <strong>03:02</strong>.</p>", "Checks fail since 03:02.", "Checks _fail_ since *03:02*."},
		{"paragraphs", "One\nline.\r\n\r\nTwo.", "<p>One\nline.</p>\n<p>Two.</p>", "One line.\n\nTwo.", "One line.\n\nTwo."},
		{"heading", "# Cause", "<h3>Cause</h3>", "Cause", "*Cause*"},
		{"deep heading", "###### Cause", "<h6>Cause</h6>", "Cause", "*Cause*"},
		{
			"link", "See [the report](https://example.org/a?b=1&c=2).",
			`<p>See <a href="https://example.org/a?b=1&amp;c=2" rel="nofollow noopener">the report</a>.</p>`,
			"See the report (https://example.org/a?b=1&c=2).", "See <https://example.org/a?b=1&amp;c=2|the report>.",
		},
		{
			"bare link", "See https://example.org/x.",
			`<p>See <a href="https://example.org/x" rel="nofollow noopener">https://example.org/x</a>.</p>`,
			"See https://example.org/x.", "See <https://example.org/x|https://example.org/x>.",
		},
		{
			"address", "Write to <help@example.org>", `<p>Write to <a href="mailto:help@example.org" rel="nofollow noopener">help@example.org</a></p>`,
			"Write to help@example.org", "Write to <mailto:help@example.org|help@example.org>",
		},
		{"script link", "[x](javascript:alert(1)) [y](JAVASCRIPT:a) [z](data:text/html,a) [f](//evil.example) [r](/local)", "<p>x y z f r</p>", "x y z f r", "x y z f r"},
		{
			"image", "![graph](https://elsewhere.example/g.png)", `<p><a href="https://elsewhere.example/g.png" rel="nofollow noopener">graph</a></p>`,
			"graph (https://elsewhere.example/g.png)", "<https://elsewhere.example/g.png|graph>",
		},
		{
			"image in a link", "[![g](https://a.example/g.png)](https://b.example/)", `<p><a href="https://b.example/" rel="nofollow noopener">g</a></p>`,
			"g (https://b.example/)", "<https://b.example/|g>",
		},
		{
			"raw html", "a <b onclick=x>b</b>\n\n<script>alert(1)</script>",
			"<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
			"a <b onclick=x>b</b>\n\n<script>alert(1)</script>", "a &lt;b onclick=x&gt;b&lt;/b&gt;\n\n&lt;script&gt;alert(1)&lt;/script&gt;",
		},
		{
			"list", "- one\n- two\n  1. three\n", "<ul>\n<li>one</li>\n<li>two\n<ol>\n<li>three</li>\n</ol>\n</li>\n</ul>",
			"- one\n- two\n  1. three", "• one\n• two\n  1. three",
		},
		{"quote", "> said\n> so", "<blockquote>\n<p>said\nso</p>\n</blockquote>", "> said so", "> said so"},
		{"code", "`a<b` and\n\n```sh\nx & y\n```", "<p><code>a&lt;b</code> and</p>\n<pre><code>x &amp; y\n</code></pre>", "a<b and\n\n    x & y", "`a&lt;b` and\n\n```\nx &amp; y\n```"},
		{
			"table", "| when | what |\n| --- | --- |\n| 03:02 | down |",
			"<table>\n<thead>\n<tr>\n<th>when</th>\n<th>what</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>03:02</td>\n<td>down</td>\n</tr>\n</tbody>\n</table>",
			"when | what\n03:02 | down", "when | what\n03:02 | down",
		},
		{"mentions", "<!channel> <@U123> @here @Everyone <!subteam^S1>",
			"<p>&lt;!channel&gt; &lt;@U123&gt; @here @Everyone &lt;!subteam^S1&gt;</p>",
			"<!channel> <@U123> @here @Everyone <!subteam^S1>",
			"&lt;!channel&gt; &lt;@U123&gt; @\u2060here @\u2060Everyone &lt;!subteam^S1&gt;"},
		{"entities", "&lt;script&gt; &amp; &#60;!here&#62; \\*no\\*", "<p>&lt;script&gt; &amp; &lt;!here&gt; *no*</p>", "<script> & <!here> *no*", "&lt;script&gt; &amp; &lt;!here&gt; *no*"},
		{"struck", "~~old~~ new", "<p><del>old</del> new</p>", "old new", "~old~ new"},
		{"turned around", "\u202egpj.exe\u2066", "<p>gpj.exe</p>", "gpj.exe", "gpj.exe"},
		{"nothing", " \n\x00 ", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.TrimSpace(string(HTML(tt.src))); got != tt.html {
				t.Errorf("HTML\n got %q\nwant %q", got, tt.html)
			}
			if got := Text(tt.src); got != tt.text {
				t.Errorf("Text\n got %q\nwant %q", got, tt.text)
			}
			if got := Mrkdwn(tt.src); got != tt.slack {
				t.Errorf("Mrkdwn\n got %q\nwant %q", got, tt.slack)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	for _, tt := range []struct {
		src  string
		n    int
		want string
	}{
		{"Short.", 20, "Short."},
		{"**We** see\n\nfailures, since 03:02", 20, "We see failures…"},
		{"Wirklichlangeswort", 10, "Wirklichl…"},
		{"äöüäöüäöü", 5, "äöüä…"},
		{"anything", 0, ""},
	} {
		if got := Summary(tt.src, tt.n); got != tt.want {
			t.Errorf("Summary(%q, %d) = %q, want %q", tt.src, tt.n, got, tt.want)
		}
	}
}

func TestPlainName(t *testing.T) {
	if got, want := Plain("<!channel>\n & @here"), "&lt;!channel&gt; &amp; @\u2060here"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOutputStaysInProportion(t *testing.T) {
	for name, src := range map[string]string{
		"quotes": strings.Repeat(">", maxPiece/2) + strings.Repeat("a\n", maxPiece/4),
		"lists":  strings.Repeat("- ", maxPiece/4) + strings.Repeat("a\n", maxPiece/4),
		"table":  "|" + strings.Repeat("a|", 300) + "\n|" + strings.Repeat("-|", 300) + "\n" + strings.Repeat("|a\n", maxPiece),
		"long":   strings.Repeat("ö", MaxSource),
	} {
		for form, out := range map[string]string{"html": string(HTML(src)), "text": Text(src), "slack": Mrkdwn(src)} {
			if len(out) > 32*MaxSource || !utf8.ValidString(out) {
				t.Errorf("%s as %s: %d bytes", name, form, len(out))
			}
		}
	}
}

// TestLongTextIsReadWhole: a postmortem of a hundred thousand characters loses
// nothing, and code that lies across the pieces stays code.
func TestLongTextIsReadWhole(t *testing.T) {
	var src strings.Builder
	for i := range 4000 {
		src.WriteString("Paragraph *number* **")
		src.WriteString(strings.Repeat("x", i%40))
		src.WriteString("**\n\n")
		if i%500 == 0 {
			src.WriteString("```\n*code*\n\n*code*\n```\n\n")
		}
	}
	html := string(HTML(src.String()))
	if got := strings.Count(html, "<p>"); got != 4000 {
		t.Errorf("%d paragraphs, want 4000", got)
	}
	if got := strings.Count(html, "*code*"); got != 16 {
		t.Errorf("%d lines of code kept their stars, want 16", got)
	}
	if got := strings.Count(Text(src.String()), "Paragraph number"); got != 4000 {
		t.Errorf("%d paragraphs of text, want 4000", got)
	}
	log := "```\n" + strings.Repeat("*line of a log*\n", 2*maxPiece/16) + "```\n\n*After.*\n"
	if got := string(HTML(log)); strings.Count(got, "*line of a log*") != 2*maxPiece/16 || !strings.Contains(got, "<p><em>After.</em></p>") {
		t.Error("a long block of code did not stay one")
	}
	if got := HTML(strings.Repeat("ö", 3*maxPiece)); strings.Count(string(got), "ö") != 3*maxPiece {
		t.Error("a long line lost characters")
	}
}

// FuzzForms feeds all forms: none may panic, none may let a tag, a script or a
// mention through.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{
		"# a\n\n*b* **c** `d` ~~e~~ <script>x</script> [l](javascript:x) ![i](http://x/y) <https://x> https://y.example/?a=b&c=d",
		"<!channel> <@U1> &lt;!here&gt; @channel &#64;here", "| a | b |\n|---|---|\n| <b> | c |", "> - 1. > x\n```\ny\n```\n\n    z",
		"[a][b]\n\n[b]: https://x.example/\">'<", "<img src=x onerror=alert(1)>", "[x](https://a.example/|<!here>)", "\\<a\\> &amp;lt; \u202e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		checkHTML(t, string(HTML(src)))
		checkSlack(t, Mrkdwn(src))
		if text := Text(src); !utf8.ValidString(text) {
			t.Errorf("text is not UTF-8: %q", text)
		}
		if s := Summary(src, 40); utf8.RuneCountInString(s) > 40 || strings.Contains(s, "\n") {
			t.Errorf("summary %q", s)
		}
	})
}

// checkHTML fails on any tag that is not exactly one of ours.
func checkHTML(t *testing.T, out string) {
	t.Helper()
	for rest := out; ; {
		_, tag, found := strings.Cut(rest, "<")
		if !found {
			return
		}
		tag, rest, found = strings.Cut(tag, ">")
		name, attributes, has := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(tag, "/"), "/"), " ")
		if !found || !strings.Contains(" p br hr strong em del code pre blockquote ul ol li h3 h4 h5 h6 table thead tbody tr th td a ", " "+name+" ") {
			t.Fatalf("tag %q in %q", tag, out)
		}
		if !has {
			continue
		}
		value, ok := strings.CutPrefix(attributes, `href="`)
		value, ok2 := strings.CutSuffix(value, `" rel="nofollow noopener"`)
		link := name == "a" && ok && ok2 && !strings.Contains(value, `"`) && safeURL([]byte(value)) != ""
		if !link && !(name == "ol" && strings.HasPrefix(attributes, `start="`)) {
			t.Fatalf("attributes %q in %q", attributes, out)
		}
	}
}

// checkSlack fails on an angle bracket that opens anything but a link of ours.
func checkSlack(t *testing.T, out string) {
	t.Helper()
	for rest := out; ; {
		_, mark, found := strings.Cut(rest, "<")
		if !found {
			break
		}
		mark, rest, found = strings.Cut(mark, ">")
		url, _, _ := strings.Cut(mark, "|")
		if !found || safeURL([]byte(url)) == "" || strings.Contains(mark, "<") {
			t.Fatalf("mark %q in %q", mark, out)
		}
	}
	for _, word := range []string{"@channel", "@here", "@everyone"} {
		if strings.Contains(strings.ToLower(out), word) && !strings.Contains(out, "<") {
			t.Fatalf("%s in %q", word, out)
		}
	}
}
