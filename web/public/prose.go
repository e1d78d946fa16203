package public

import (
	"html/template"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"evenkeel/internal/markup"
)

// maxProse bounds the Markdown, in bytes, that one of the two generations of a
// prose remembers.
const maxProse = 2 << 20

// prose turns what people wrote into HTML and remembers it: the same updates
// stand on many pages, and are rendered again with every change. What was not
// asked for while a generation filled up is forgotten. It is safe for concurrent use.
type prose struct {
	mu         sync.Mutex
	young, old map[string]template.HTML
	held       int
}

func newProse() *prose { return &prose{young: map[string]template.HTML{}} }

// html gives the HTML of Markdown.
func (p *prose) html(src string) template.HTML {
	if src == "" {
		return ""
	}
	p.mu.Lock()
	out, ok := p.young[src]
	if !ok {
		out, ok = p.old[src]
	}
	p.mu.Unlock()
	if !ok {
		out = raised(markup.HTML(src))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.young[src]; known {
		return out
	}
	if p.held+len(src) > maxProse {
		p.old, p.young, p.held = p.young, map[string]template.HTML{}, 0
	}
	p.young[src] = out
	p.held += len(src)
	return out
}

// raised lifts the headings of a text so that the highest is h3, wherever its
// author began: the page has the first two.
func raised(text template.HTML) template.HTML {
	const first, last = 3, 6
	tag := func(level int) string { return "h" + strconv.Itoa(level) + ">" }
	for top := first; top <= last; top++ {
		if !strings.Contains(string(text), "<"+tag(top)) {
			continue
		}
		var swaps []string
		for level := top; level <= last; level++ {
			from, to := tag(level), tag(level-top+first)
			swaps = append(swaps, "<"+from, "<"+to, "</"+from, "</"+to)
		}
		return template.HTML(strings.NewReplacer(swaps...).Replace(string(text)))
	}
	return text
}

// purse is how much text a page may still tell in full.
type purse struct{ left int }

// afford takes the letters of a text from the purse; false leaves it as it was.
func (p *purse) afford(s string) bool {
	n := utf8.RuneCountInString(s)
	if n > p.left {
		return false
	}
	p.left -= n
	return true
}

// all is enough for whatever a page of its own tells.
func all() *purse { return &purse{1 << 40} }
