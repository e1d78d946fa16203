package public

import (
	"strings"
	"testing"
	"time"

	"evenkeel/internal/status"
	"evenkeel/web/public/publictest"
)

func TestMaintenanceTellsWhenItWasPlanned(t *testing.T) {
	from := time.Date(2026, 12, 1, 22, 0, 0, 0, time.UTC)
	planned, sight := from.Add(-3*time.Hour), from.Add(-status.AheadFor)
	p := publictest.Normal()
	for _, c := range []struct {
		what                      string
		o                         status.Occurrence
		created, news, lastlyNews time.Time
	}{
		{"planned three hours before", status.Occurrence{CreatedAt: planned, ChangedAt: planned}, planned, planned, planned},
		{"made before it came into sight", status.Occurrence{CreatedAt: sight.Add(-time.Hour), ChangedAt: sight.Add(-time.Hour)}, sight.Add(-time.Hour), sight, sight},
		{"moved", status.Occurrence{CreatedAt: planned, ChangedAt: planned.Add(time.Hour), Sequence: 1}, planned, planned, planned.Add(time.Hour)},
		{"begun", status.Occurrence{CreatedAt: planned, ChangedAt: from, StartedAt: from, State: status.MaintenanceInProgress, Sequence: 1}, planned, planned, from},
	} {
		c.o.ID, c.o.Title, c.o.From, c.o.To = "w-1", "Move", from, from.Add(time.Hour)
		if published, updated := workTimes(c.o); !published.Equal(c.news) || !updated.Equal(c.lastlyNews) {
			t.Errorf("%s: news at %s and last at %s, want %s and %s", c.what, published, updated, c.news, c.lastlyNews)
		}
		if got := time.Time(newV2(p).work(p, c.o).CreatedAt); !got.Equal(c.created) {
			t.Errorf("%s: created_at is %s, want %s", c.what, got, c.created)
		}
	}
}

// RFC 5545 section 3.8.4.6 wants a URI there, and "/" says nothing about where.
func TestCalendarHasNoAddressOfAPageThatHasNone(t *testing.T) {
	p := publictest.Well()
	if with := string(calendarAll(p)); !strings.Contains(with, "\nURL:"+p.Site.URL) {
		t.Errorf("the calendar does not say where the page is: %s", with)
	}
	p.Site.URL = ""
	if without := string(calendarAll(p)); strings.Contains(without, "\nURL") || !strings.Contains(without, "BEGIN:VEVENT") {
		t.Errorf("the calendar names no page, or is empty: %s", without)
	}
}
