package status

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxStaffLine bounds a line for staff, in bytes.
const MaxStaffLine = 400

// telling is all that a line may be made of. Staff lines may use every field;
// public lines use Cause, Status, Since, Zone, Text and Parent alone, none of
// which can hold a target, a host, an address or an error.
type telling struct {
	Monitor string // id
	Kind    string
	Cause   Cause
	Reason  string // of the result; may name anything
	Level   Level
	Count   int // results in a row
	Asked   int // results in a row that the rule asks for
	Agree   agreement
	Place   string // location that decided

	Status Status
	Since  time.Time
	Zone   *time.Location
	Text   string // public text from the file, "" = ours
	Parent string // public name of the need that is down, "" = none to be named
	Needs  bool   // a need is down, whether or not it may be named
}

// clockTime writes a moment as a visitor reads it: 03:02 UTC.
func clockTime(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("15:04 MST")
}

// staff says why a level was given: monitor, what was seen, how often, who agrees.
func (s telling) staff() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) is %s", s.Monitor, s.Kind, s.Level)
	if s.Reason != "" {
		fmt.Fprintf(&b, ": %s", s.Reason)
	}
	if s.Count > 0 {
		fmt.Fprintf(&b, "; %d in a row, %d needed", s.Count, s.Asked)
	}
	if s.Agree.of > 1 {
		fmt.Fprintf(&b, "; %d of %d locations see trouble, %d must agree", s.Agree.bad, s.Agree.of, s.Agree.need)
	}
	if s.Place != "" && s.Place != LocalLocation {
		fmt.Fprintf(&b, "; decided at %s", s.Place)
	}
	if !s.Since.IsZero() {
		fmt.Fprintf(&b, "; since %s", s.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return clip(b.String(), MaxStaffLine)
}

// public says the same to visitors, in a sentence; "" when all is well.
func (s telling) public() string {
	if s.Status == Operational || s.Status == "" {
		return ""
	}
	at := clockTime(s.Since, s.Zone)
	if s.Status == NotMeasured {
		return "Not measured since " + at + "."
	}
	line := s.Text
	if line == "" {
		line = publicWords(s.Cause) + " since " + at
		switch {
		case s.Parent != "":
			line += ", because " + s.Parent + ", which it needs, is down"
		case s.Needs:
			line += ", because something it needs is down"
		}
		line += "."
	}
	return line
}

// diary says a change of one monitor to visitors, whatever its component makes of it.
func (s telling) diary() string {
	switch s.Level {
	case LevelUp:
		return "Our checks have been good since " + clockTime(s.Since, s.Zone) + "."
	case LevelUnknown:
		s.Status = NotMeasured
	case LevelSlow:
		s.Status = Degraded
		if s.Cause == CauseNone {
			s.Cause = CauseSlowAnswer
		}
	default:
		s.Status = MajorOutage
	}
	return s.public()
}

// publicWords gives the words for a cause, to be followed by "since 03:02 UTC".
func publicWords(c Cause) string {
	switch c {
	case CauseNoAnswer:
		return "Our checks have had no answer"
	case CauseBadAnswer:
		return "Our checks have had wrong answers"
	case CauseSlowAnswer:
		return "Answers have been slower than usual"
	case CauseTLS:
		return "Secure connections have failed"
	case CauseMissing:
		return "An expected sign of life has been missing"
	case CauseThreshold:
		return "A measured value has been outside its limits"
	default:
		return "Our checks have failed"
	}
}

// clip shortens a line to at most n bytes at a rune boundary, and keeps it one line.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "?")
	if len(s) <= n {
		return s
	}
	cut := n - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
