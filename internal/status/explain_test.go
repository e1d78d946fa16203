package status

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// secretHost stands in every staff reason of these tests and must never be public.
const secretHost = "db-7.internal.example.org"

func FuzzPublicLinesNameNoTarget(f *testing.F) {
	f.Add("https://db-7.internal.example.org:8443/health?token=abc", uint8(1), uint8(3), int64(1000), true)
	f.Add("dial tcp 192.0.2.7:5432: connect: connection refused", uint8(4), uint8(4), int64(0), false)
	f.Add("x509: certificate is valid for a.example.org", uint8(7), uint8(2), int64(-5), true)
	f.Fuzz(func(t *testing.T, secret string, cause, level uint8, since int64, needs bool) {
		secret = "S3" + secret + "S3"
		s := telling{
			Monitor: secret, Kind: secret, Reason: secret, Place: secret, Count: 3, Asked: 2, Agree: agreement{of: 3, bad: 2, need: 2},
			Cause:  Cause(cause % 10),
			Level:  []Level{LevelUnknown, LevelUp, LevelSlow, LevelDown}[level%4],
			Status: []Status{NotMeasured, Operational, Degraded, PartialOutage, MajorOutage}[level%5],
			Since:  time.Unix(since%1e9, 0), Needs: needs,
		}
		for _, line := range []string{s.public(), s.diary()} {
			if strings.Contains(line, secret) {
				t.Errorf("public line %q names %q", line, secret)
			}
			for _, bad := range []string{"verdict", "quorum", "inconclusive", "flap", "suspected", "sentinel", "://"} {
				if strings.Contains(line, bad) {
					t.Errorf("public line %q says %q", line, bad)
				}
			}
		}
		if staff := s.staff(); len(staff) > MaxStaffLine || !utf8.ValidString(staff) || strings.Contains(staff, "\n") {
			t.Errorf("staff line of %d bytes: %q", len(staff), staff)
		}
	})
}

// TestNoTargetInAnyPublicByteOfTheEngine plays every kind of trouble with a
// secret in each reason, and reads everything that is meant for visitors.
func TestNoTargetInAnyPublicByteOfTheEngine(t *testing.T) {
	cat := sentinelled()
	cat.Components = append(cat.Components, Component{ID: "shop", Public: true, Needs: []string{"web"}})
	cat.Monitors = append(cat.Monitors, Monitor{ID: "n", Component: "shop"})
	r := newRig(t, cat)
	for _, letters := range []string{"ggffssssgg", "gfgfgfgfgfgfgfgf", "iiiiiiiiii", "ffffgggg"} {
		for _, l := range letters {
			for _, m := range []string{"m", "n", "s1", "s2"} {
				r.see(m, l)
			}
			r.pass(10 * time.Second)
		}
	}
	r.line(Observed, "web")
	staff := 0
	check := func(public, private string) {
		if strings.Contains(private, secretHost) {
			staff++
		}
		if strings.Contains(public, secretHost) || strings.Contains(public, "192.0.2") {
			t.Errorf("public: %q", public)
		}
	}
	for _, track := range r.book {
		for _, spans := range track {
			for _, s := range spans {
				check(s.Public+s.Ref, s.Staff)
			}
		}
	}
	for _, d := range r.said {
		check(d.Public, d.Staff)
	}
	if staff == 0 {
		t.Error("no staff line names what failed: the test shows nothing")
	}
}

func TestPublicLines(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("SKIP: no time zones are installed")
	}
	for want, s := range map[string]telling{
		"": {Status: Operational, Since: at(120)},
		"Our checks have had no answer since 03:02 UTC.":             {Status: MajorOutage, Cause: CauseNoAnswer, Since: at(120)},
		"Our checks have had wrong answers since 04:02 CET.":         {Status: PartialOutage, Cause: CauseBadAnswer, Since: at(120), Zone: berlin},
		"Answers have been slower than usual since 03:02 UTC.":       {Status: Degraded, Cause: CauseSlowAnswer, Since: at(120)},
		"Not measured since 03:02 UTC.":                              {Status: NotMeasured, Since: at(120)},
		"Card payments are refused.":                                 {Status: MajorOutage, Cause: CauseNoAnswer, Since: at(120), Text: "Card payments are refused."},
		"An expected sign of life has been missing since 03:02 UTC.": {Status: MajorOutage, Cause: CauseMissing, Since: at(120)},
	} {
		if got := s.public(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
