package public

import (
	"fmt"
	"strings"
	"testing"
)

func TestProseRaisesItsHeadings(t *testing.T) {
	p := newProse()
	for src, want := range map[string]string{
		"## A\n\n### B": "<h3>A</h3><h4>B</h4>", "# A\n\n## B": "<h3>A</h3><h4>B</h4>", "#### A\n\ntext `<h4>`": "<h3>A</h3><p>text <code>&lt;h4&gt;</code></p>", "no heading": "<p>no heading</p>",
	} {
		for range 2 { // rendered, and remembered
			if got := strings.Join(strings.Fields(string(p.html(src))), " "); got != want {
				t.Errorf("%q gives %s, want %s", src, got, want)
			}
		}
	}
}

func TestProseForgetsWhatNobodyAsksFor(t *testing.T) {
	p := newProse()
	long := strings.Repeat("word ", 2000)
	for n := range 1000 {
		p.html(fmt.Sprint(n, long))
		p.html("always") // is kept all the time
	}
	if n := len(p.young) + len(p.old); n > 2*maxProse/len(long)+4 {
		t.Errorf("%d texts are remembered", n)
	}
	if _, young := p.young["always"]; !young {
		t.Error("what is asked for again and again was forgotten")
	}
}
