package public

import (
	"bytes"
	"time"
)

// mainStart is where a notice goes: every page has it, once.
const mainStart = `<main id="main">`

// Stamp puts a notice at the top of a rendered page. It needs nothing but the
// bytes, so that an old page can say so when all else is away.
func Stamp(page []byte, notice string) []byte {
	at := bytes.Index(page, []byte(mainStart))
	if at < 0 {
		return page
	}
	at += len(mainStart)
	out := make([]byte, 0, len(page)+len(notice)+64)
	out = append(out, page[:at]...)
	out = append(out, `<p class="paused" role="status"><span>`...)
	out = append(out, notice...)
	out = append(out, "</span></p>"...)
	return append(out, page[at:]...)
}

// pausedNotice says since when a page is old. The day is always written: an old
// page may be from yesterday.
func pausedNotice(fresh time.Time) string {
	return fresh.UTC().Format("Last updated 15:04 UTC; live updates are paused. This is the page of 2 January.")
}

// CopyNotice says when an exported copy was made.
func CopyNotice(at time.Time, home string) string {
	s := "This copy was made at " + string(clock{time.UTC}.at(at)) + at.UTC().Format(" on 2 January 2006") + "."
	if home != "" {
		s += ` The page itself is at <a href="` + home + `/">` + hostOf(home) + "</a>."
	}
	return s
}
