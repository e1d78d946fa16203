package journal_test

import (
	"slices"
	"testing"

	"evenkeel/internal/journal"
)

func TestWordsOfAnEntryAreItsIDsAndVerbs(t *testing.T) {
	e := entry()
	e.Payload = map[string]string{"update": "0199-AB", "to": "major_outage"}
	got := e.Words()
	for _, want := range []string{"component", "moved", "hub", "machine", "web", "public", "major", "outage", "0199", "ab"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	if slices.Contains(got, "update") {
		t.Error("the key of a value is a word")
	}
}

func FuzzWordsOf(f *testing.F) {
	for _, seed := range []string{"", "incident web", `" OR 1 --`, "ÄÖ ß\x00*", "a'b&c|d!(e):*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := journal.WordsOf(text)
		if len(words) > journal.MaxWords {
			t.Errorf("%d words", len(words))
		}
		for _, w := range words {
			for _, r := range w {
				if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
					t.Errorf("%q holds %q", w, r)
				}
			}
		}
	})
}
