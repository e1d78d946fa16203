package ticket

import (
	"math/rand/v2"
	"testing"
	"time"

	"evenkeel/internal/problem"
)

// office is Monday to Friday, 9 to 17 with a break, in a zone.
func office(t *testing.T, zone string, holidays ...string) *Hours {
	t.Helper()
	var week [7][]Span
	for day := time.Monday; day <= time.Friday; day++ {
		week[day] = []Span{{13 * 60, 17 * 60}, {9 * 60, 12 * 60}}
	}
	h, err := NewHours(zone, week, holidays)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.UTC()
}

func TestHoursCountWorkingTimeAlone(t *testing.T) {
	berlin := office(t, "Europe/Berlin", "2026-12-25")
	for _, c := range []struct {
		from string
		work time.Duration
		want string
	}{
		{"2026-11-20T10:00:00+01:00", 30 * time.Minute, "2026-11-20T10:30:00+01:00"},
		{"2026-11-20T11:30:00+01:00", time.Hour, "2026-11-20T13:30:00+01:00"},         // over the break
		{"2026-11-20T16:30:00+01:00", time.Hour, "2026-11-23T09:30:00+01:00"},         // over a weekend
		{"2026-11-21T03:00:00+01:00", time.Minute, "2026-11-23T09:01:00+01:00"},       // on a Saturday
		{"2026-12-24T16:00:00+01:00", 2 * time.Hour, "2026-12-28T10:00:00+01:00"},     // over a holiday and a weekend
		{"2026-10-23T16:00:00+02:00", 2 * time.Hour, "2026-10-26T10:00:00+01:00"},     // clocks go back
		{"2026-03-27T16:00:00+01:00", 2 * time.Hour, "2026-03-30T10:00:00+02:00"},     // clocks go forward
		{"2026-11-20T08:00:00+01:00", 7 * time.Hour, "2026-11-20T17:00:00+01:00"},     // a whole day ends when it ends
		{"2026-11-20T17:00:00+01:00", 0, "2026-11-23T09:00:00+01:00"},                 // nothing to do begins when work begins
		{"2026-11-20T08:00:00+01:00", 5 * 7 * time.Hour, "2026-11-26T17:00:00+01:00"}, // a week of days
	} {
		from, want := at(t, c.from), at(t, c.want)
		if got := berlin.After(from, c.work); !got.Equal(want) {
			t.Errorf("%v after %s: got %s, want %s", c.work, c.from, got, want)
		}
		if got := berlin.Between(from, want); got != c.work {
			t.Errorf("between %s and %s: got %v, want %v", c.from, c.want, got, c.work)
		}
	}
	if got := (*Hours)(nil).Between(at(t, "2026-11-21T00:00:00Z"), at(t, "2026-11-22T00:00:00Z")); got != 24*time.Hour {
		t.Errorf("without hours all time counts, not %v", got)
	}
}

// Whatever the moment and the zone, After and Between agree.
func TestHoursAgreeWithThemselves(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Etc/UTC"} {
		h := office(t, zone, "2026-06-01")
		for n := range 300 {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			from := time.Unix(1_760_000_000+r.Int64N(60_000_000), 0).UTC()
			work := time.Duration(1+r.Int64N(100*3600)) * time.Second
			due := h.After(from, work)
			if got := h.Between(from, due); got != work {
				t.Fatalf("%s: %v after %s is %s, but between them are %v", zone, work, from, due, got)
			}
			if half := h.After(from, work/2); h.After(half, work-work/2) != due {
				t.Fatalf("%s: %v after %s in two halves is not %s", zone, work, from, due)
			}
		}
	}
}

func TestHoursRefuseWhatIsNone(t *testing.T) {
	some := [7][]Span{1: {{0, 1440}}}
	for name, c := range map[string]struct {
		zone     string
		week     [7][]Span
		holidays []string
	}{
		"no zone":      {"", some, nil},
		"this machine": {"Local", some, nil},
		"never open":   {"Etc/UTC", [7][]Span{}, nil},
		"too long":     {"Etc/UTC", [7][]Span{1: {{0, 1441}}}, nil},
		"turned round": {"Etc/UTC", [7][]Span{1: {{60, 60}}}, nil},
		"overlapping":  {"Etc/UTC", [7][]Span{1: {{0, 60}, {30, 90}}}, nil},
		"no day":       {"Etc/UTC", some, []string{"25 December"}},
	} {
		if _, err := NewHours(c.zone, c.week, c.holidays); problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
