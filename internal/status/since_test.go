package status_test

import (
	"testing"

	"evenkeel/internal/status"
)

// What our checks say is written once, when it begins: it tells the time of day.
// On the page of another day the day must stand beside it.
func TestTroubleThatRunsSinceAnotherDayTellsTheDay(t *testing.T) {
	for _, c := range []struct{ zone, from, said, want string }{
		{"", "2026-11-20T03:02Z", "Our checks have had no answer since 03:02 UTC.", "Our checks have had no answer since 03:02 UTC."},
		{"", "2026-11-19T03:02Z", "Our checks have had no answer since 03:02 UTC.", "Our checks have had no answer since 03:02 UTC on 19 November."},
		{"Europe/Berlin", "2026-11-19T03:02Z", "Our checks have had no answer since 04:02 CET, because Database, which it needs, is down.",
			"Our checks have had no answer since 04:02 CET (03:02 UTC) on 19 November, because Database, which it needs, is down."},
		{"", "2026-11-19T03:02Z", "Search is down for a while", "Search is down for a while"},
	} {
		s := newScene(t, c.zone)
		s.public("Search")
		s.moves("search", at("2026-11-01T00:00Z"), status.Operational)
		s.moves("search", at(c.from), status.MajorOutage, func(x *status.Span) { x.Public, x.Cause = c.said, status.CauseNoAnswer })
		s.load()
		if got := s.row("search").Why; got != c.want {
			t.Errorf("since %s in %q: %q, want %q", c.from, c.zone, got, c.want)
		}
	}
}
