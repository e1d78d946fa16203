package calendar

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"
)

// Event is one entry of a calendar file. Times are written in UTC.
type Event struct {
	UID         string // the same for ever, also when the event moves
	Sequence    int    // grows with every revision
	Revised     time.Time
	Start, End  time.Time
	Title       string
	Description string
	URL         string
	Cancelled   bool
}

// File is a whole calendar file.
type File struct {
	Name        string
	Description string
	URL         string
	Events      []Event
}

// RefreshAfter is how often those who subscribed are asked to look again.
const RefreshAfter = "PT1H"

// productID names the writer of the file, as RFC 5545 wants.
const productID = "-//Evenkeel//Maintenance calendar//EN"

// MIMEType is what a calendar file is served as.
const MIMEType = "text/calendar; charset=utf-8"

// Bytes writes the file (RFC 5545, with the name and refresh properties of RFC
// 7986). The same content gives the same bytes: no time of writing is in them.
func (f File) Bytes() []byte {
	cal := ics.NewCalendar()
	cal.SetProductId(productID)
	cal.SetCalscale("GREGORIAN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetName(plain(f.Name))
	cal.SetXWRCalName(plain(f.Name))
	if f.Description != "" {
		cal.SetDescription(plain(f.Description))
		cal.SetXWRCalDesc(plain(f.Description))
	}
	if f.URL != "" {
		cal.SetUrl(oneLine(f.URL))
	}
	cal.SetRefreshInterval(RefreshAfter)
	cal.SetXPublishedTTL(RefreshAfter)
	for _, e := range f.Events {
		cal.AddVEvent(e.component())
	}
	return []byte(cal.Serialize(ics.WithNewLine("\r\n")))
}

// component is the event in the library's words.
func (e Event) component() *ics.VEvent {
	v := ics.NewEvent(oneLine(e.UID))
	revised := e.Revised
	if revised.IsZero() {
		revised = e.Start
	}
	v.SetDtStampTime(revised)
	v.SetLastModifiedAt(revised)
	v.SetProperty(ics.ComponentPropertySequence, strconv.Itoa(e.Sequence))
	v.SetStartAt(e.Start)
	v.SetEndAt(e.End)
	v.SetSummary(plain(cmp.Or(e.Title, "Maintenance")))
	if e.Description != "" {
		v.SetDescription(plain(e.Description))
	}
	if e.URL != "" {
		v.SetURL(oneLine(e.URL))
	}
	state := ics.ObjectStatusConfirmed
	if e.Cancelled {
		state = ics.ObjectStatusCancelled
	}
	v.SetStatus(state)
	v.SetTimeTransparency(ics.TransparencyTransparent) // it does not make anybody busy
	return v
}

// plain leaves out control characters, which no line of a calendar may hold,
// but keeps line breaks, which are escaped.
func plain(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// oneLine is plain without line breaks, for values that are not text and so are
// written as they are.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return -1
		}
		return r
	}, plain(s))
}
