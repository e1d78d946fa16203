package calendar

import (
	"bytes"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
)

func sample() File {
	at := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	return File{
		Name: "Northmoor status", Description: "Planned maintenance", URL: "https://status.example.org/",
		Events: []Event{
			{UID: "db-20261122t050000z@status.example.org", Sequence: 2, Revised: at.Add(-time.Hour), Start: at, End: at.Add(30 * time.Minute),
				Title: "Payments; database, upgrade", Description: "Line one\nline two\r\nEND:VEVENT", URL: "https://status.example.org/maintenance/db-20261122t050000z"},
			{UID: "x\r\nBEGIN:VEVENT", Start: at, End: at.Add(time.Hour), Title: "Über\x00\x07 " + strings.Repeat("lang ", 40), Cancelled: true},
		},
	}
}

func TestCalendarFileIsWellFormed(t *testing.T) {
	body := sample().Bytes()
	for line := range bytes.SplitSeq(bytes.TrimSuffix(body, []byte("\r\n")), []byte("\r\n")) {
		if len(line) > 75 || bytes.ContainsAny(line, "\r\n\x00\x07") {
			t.Errorf("bad line %q", line)
		}
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	events := cal.Events()
	if len(events) != 2 {
		t.Fatalf("%d events, want 2: hostile text must not make another", len(events))
	}
	for property, want := range map[ics.ComponentProperty]string{
		ics.ComponentPropertyUniqueId: "db-20261122t050000z@status.example.org", ics.ComponentPropertySequence: "2",
		ics.ComponentPropertyDtStart: "20261122T050000Z", ics.ComponentPropertyDtEnd: "20261122T053000Z",
		ics.ComponentPropertyDtstamp: "20261122T040000Z", ics.ComponentPropertyLastModified: "20261122T040000Z",
		ics.ComponentPropertyStatus: "CONFIRMED", ics.ComponentPropertySummary: "Payments; database, upgrade",
		ics.ComponentPropertyDescription: "Line one\nline two\nEND:VEVENT",
	} {
		if p := events[0].GetProperty(property); p == nil || p.Value != want {
			t.Errorf("%s is %v, want %q", property, p, want)
		}
	}
	if p := events[1].GetProperty(ics.ComponentPropertyStatus); p.Value != "CANCELLED" {
		t.Errorf("status of the cancelled one is %q", p.Value)
	}
}

func TestCalendarFileIsThePureFunctionOfItsContent(t *testing.T) {
	if !bytes.Equal(sample().Bytes(), sample().Bytes()) {
		t.Error("the same file gave different bytes")
	}
}

// No text may end its line, its event or its calendar.
func FuzzCalendarFile(f *testing.F) {
	f.Add("uid@example.org", "Title", "Text\r\nEND:VEVENT\r\nBEGIN:VEVENT", "https://example.org/")
	f.Add("a\nb", "\x00;,:\\\"", strings.Repeat("ü", 200), "x\r\nSUMMARY:y")
	f.Fuzz(func(t *testing.T, uid, title, text, url string) {
		at := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
		body := File{Name: title, Description: text, URL: url, Events: []Event{{UID: uid, Start: at, End: at, Title: title, Description: text, URL: url}}}.Bytes()
		for line := range bytes.SplitSeq(body, []byte("\r\n")) {
			if len(line) > 75 || bytes.ContainsAny(line, "\r\n") {
				t.Fatalf("bad line %q", line)
			}
		}
		if n := bytes.Count(body, []byte("\nBEGIN:VEVENT\r\n")); n != 1 {
			t.Fatalf("%d events in %q", n, body)
		}
		cal, err := ics.ParseCalendar(bytes.NewReader(body))
		if err != nil || len(cal.Events()) != 1 {
			t.Fatalf("parsed %v, %v", cal, err)
		}
	})
}
