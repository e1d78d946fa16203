package public

import (
	"fmt"
	"html/template"
	"strings"

	"evenkeel/internal/status"
)

// markPaths are the shapes of the marks, 16 by 16, by class. Each tells its
// status without its colour: tick in a circle, triangle, diamond, square, nut, ring.
var markPaths = map[string]string{
	"ok":  "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0m4 5.6-4.7 5.9a1 1 0 0 1-1.5.1L3.9 9.7a1 1 0 0 1 1.4-1.4l1.1 1.1 4-5A1 1 0 0 1 12 5.6",
	"deg": "M6.6 1.3a1.6 1.6 0 0 1 2.8 0l6.3 11.2a1.6 1.6 0 0 1-1.4 2.5H1.7a1.6 1.6 0 0 1-1.4-2.5zM7 5.3v4a1 1 0 0 0 2 0v-4a1 1 0 0 0-2 0m1 6a1.1 1.1 0 1 0 0 2.2 1.1 1.1 0 0 0 0-2.2",
	"par": "M6.9.5a1.5 1.5 0 0 1 2.2 0l6.4 6.4a1.5 1.5 0 0 1 0 2.2l-6.4 6.4a1.5 1.5 0 0 1-2.2 0L.5 9.1a1.5 1.5 0 0 1 0-2.2zM4.8 7a1 1 0 0 0 0 2h6.4a1 1 0 0 0 0-2z",
	"maj": "M2.5.5h11a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2m3.3 3.9a1 1 0 0 0-1.4 1.4L6.6 8l-2.2 2.2a1 1 0 0 0 1.4 1.4L8 9.4l2.2 2.2a1 1 0 0 0 1.4-1.4L9.4 8l2.2-2.2a1 1 0 0 0-1.4-1.4L8 6.6z",
	"mnt": "M4.6.9h6.8a1 1 0 0 1 .9.5l3.4 6.1a1 1 0 0 1 0 1l-3.4 6.1a1 1 0 0 1-.9.5H4.6a1 1 0 0 1-.9-.5L.3 8.5a1 1 0 0 1 0-1l3.4-6.1a1 1 0 0 1 .9-.5M8 4.9a3.1 3.1 0 1 0 0 6.2 3.1 3.1 0 0 0 0-6.2",
	"non": "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0m0 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2",
}

// marks is the set of symbols that a page refers to.
var marks = symbols()

func symbols() template.HTML {
	var b strings.Builder
	b.WriteString("<svg hidden>")
	for _, s := range barOrder {
		class := lookOf(s).class
		fmt.Fprintf(&b, `<symbol id="%s" viewBox="0 0 16 16"><path fill-rule="evenodd" d="%s"/></symbol>`, class, markPaths[class])
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// markSVG draws one mark by use of its symbol.
func markSVG(class string) template.HTML {
	return template.HTML(`<svg class="m" aria-hidden="true"><use href="#` + class + `"/></svg>`)
}

// markColours are the fills of the marks where no stylesheet reaches, chosen to
// stand out on light and dark tabs alike.
var markColours = map[string]string{
	"ok": "#14805f", "deg": "#b87400", "par": "#bf420c", "maj": "#98112f", "mnt": "#2f66cc", "non": "#616d77",
}

// markBright are the same for a dark background.
var markBright = map[string]string{
	"ok": "#45b594", "deg": "#f5c04a", "par": "#e56a24", "maj": "#ff8593", "mnt": "#5d93ea", "non": "#8a96a0",
}

// favicon is the mark of a status as a picture by itself.
func favicon(s status.Status) []byte {
	class := lookOf(s).class
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><style>path{fill:%s}@media(prefers-color-scheme:dark){path{fill:%s}}</style><path fill="%s" fill-rule="evenodd" d="%s"/></svg>`,
		markColours[class], markBright[class], markColours[class], markPaths[class])
}

// iconURL is the mark of a status inside a page, so that a page is one request.
func iconURL(s status.Status) template.URL {
	class := lookOf(s).class
	return template.URL("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='%23" +
		strings.TrimPrefix(markColours[class], "#") + "' fill-rule='evenodd'%3E%3Cpath d='" + markPaths[class] + "'/%3E%3C/svg%3E")
}

// badgeGlyph is the width of an ordinary glyph of the badge's type, in pixels.
const badgeGlyph = 6.6

// badge draws a small picture: what it is about, and its status in a word. The
// text is told its length, so that every reader's font fits the picture.
func badge(label string, s status.Status) []byte {
	l := lookOf(s)
	word := lower(l.word)
	label = clip(label, 40)
	a := int(badgeGlyph*float64(len([]rune(label)))) + 12
	b := int(badgeGlyph*float64(len([]rune(word)))) + 32
	name := template.HTMLEscapeString(label)
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="20" role="img" aria-label="%[2]s: %[3]s"><title>%[2]s: %[3]s</title>`+
		`<clipPath id="r"><rect width="%[1]d" height="20" rx="4"/></clipPath><g clip-path="url(#r)"><path fill="#10181f" d="M0 0h%[4]dv20H0z"/><path fill="%[5]s" d="M%[4]d 0h%[6]dv20H%[4]dz"/></g>`+
		`<g fill="#fff" font-family="system-ui,Verdana,sans-serif" font-size="12"><text x="6" y="14" textLength="%[7]d" lengthAdjust="spacingAndGlyphs">%[2]s</text>`+
		`<svg x="%[8]d" y="4" width="12" height="12" viewBox="0 0 16 16"><path fill-rule="evenodd" d="%[9]s"/></svg><text x="%[10]d" y="14" textLength="%[11]d" lengthAdjust="spacingAndGlyphs">%[3]s</text></g></svg>`,
		a+b, name, word, a, badgeColours[l.class], b, a-12, a+6, markPaths[l.class], a+24, b-30)
}

// badgeColours are dark enough for white type (4.5 and more).
var badgeColours = map[string]string{
	"ok": "#0f6a50", "deg": "#825300", "par": "#a83a08", "maj": "#98112f", "mnt": "#2858aa", "non": "#4a5660",
}

// clip shortens a text to so many letters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
