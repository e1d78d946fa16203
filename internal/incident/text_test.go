package incident

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"evenkeel/internal/problem"
)

// seeds are texts that people send to hurt.
var seeds = []string{
	"", " ", "plain", "two\nlines", "\r\r\n", "\x00\x07\x1b[31m", "pay\u202egnp.exe", "a\u200bb", "\u2066x\u2069", "\xff\xfe", "{{a}}", "{{a", "}}",
	"[x](javascript:alert(1))", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "* * *", "---", "1. x", "www.example.org", "a-b", "-a-",
	"\U000E0041tag", strings.Repeat("é", 200), "नमस्ते", "א\u05b0", "👩\u200d🚒",
}

func FuzzLineIsOneVisibleLine(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := line("x", s, 50)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("got %v", err)
			}
			return
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 50 || got == "" || strings.TrimSpace(got) != got {
			t.Fatalf("got %q", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || visible(r) != r || r == '\n' {
				t.Fatalf("%q holds %U", got, r)
			}
		}
		if again, err := line("x", got, 50); err != nil || again != got {
			t.Fatalf("cleaned twice it is %q, %v; once %q", again, err, got)
		}
	})
}

func FuzzTextKeepsWhatIsSeen(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := text("x", s, 100, true)
		if err != nil {
			return
		}
		for _, r := range got {
			if r != '\n' && r != '\t' && visible(r) != r {
				t.Fatalf("%q holds %U", got, r)
			}
		}
		if again, err := text("x", got, 100, true); err != nil || again != got {
			t.Fatalf("cleaned twice it is %q, %v; once %q", again, err, got)
		}
	})
}

func FuzzTemplateHoldsNoMoreThanItsWordsAndValues(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, s)
		f.Add("a {{x}} b", s)
	}
	f.Fuzz(func(t *testing.T, body, value string) {
		asked := 0
		got, err := expand("body", body, func(name string) (string, bool) {
			asked++
			if !variable.MatchString(name) {
				t.Fatalf("%q was asked for", name)
			}
			return value, true
		})
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("got %v", err)
			}
			return
		}
		if asked == 0 && got != body {
			t.Fatalf("got %q of %q", got, body)
		}
		if max := len(body) + asked*len(value); len(got) > max {
			t.Fatalf("%d bytes grew of %d", len(got), max)
		}
	})
}

func FuzzPlainTextMeansNothing(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped := plainly(s)
		var back strings.Builder
		for n := 0; n < len(escaped); n++ {
			c := escaped[n]
			if c == '\\' {
				n++
				back.WriteByte(escaped[n])
				continue
			}
			if special(c) && c != '-' {
				t.Fatalf("%q leaves %q as it is", escaped, c)
			}
			back.WriteByte(c)
		}
		if back.String() != s {
			t.Fatalf("%q shows as %q", s, back.String())
		}
	})
}

func FuzzOutsideIsAPlainAddress(f *testing.F) {
	for _, s := range append(seeds, "https://example.org/a?b=c#d", "https://user@example.org", "HTTPS://EXAMPLE.ORG", "https://[::1]/", "https:example.org", "https://example.org\\@evil.example") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := outside("url", s)
		if err != nil {
			return
		}
		if !strings.HasPrefix(got, "https://") || strings.ContainsAny(got, " \"<>\n\\") {
			t.Fatalf("%q became %q", s, got)
		}
		if again, err := outside("url", got); err != nil || again != got {
			t.Fatalf("checked twice it is %q, %v; once %q", again, err, got)
		}
	})
}

func TestNumberedReadsWhatStaffSay(t *testing.T) {
	for s, want := range map[string]int64{"INC-231": 231, "inc-7": 7, "12": 12, "": 0, "INC-": 0, "0": 0, "-3": 0, "abc": 0, "INC-1x": 0, "2222333344445555": 0} {
		if got, ok := numbered(s); got != want && ok || ok != (want > 0) {
			t.Errorf("%q is %d, %v; want %d", s, got, ok, want)
		}
	}
}

func TestIDsDoNotRepeat(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		id := newID()
		if len(id) != idLength || seen[id] || !reference.MatchString(id) {
			t.Fatalf("got %q", id)
		}
		seen[id] = true
	}
}
