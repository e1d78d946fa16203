package public

import (
	"html/template"
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
		out = markup.HTML(src)
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
