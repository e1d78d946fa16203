package calendar

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/problem"
)

func utc(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04Z", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func starts(t testing.TB, rule, zone, start, from, to string) []string {
	t.Helper()
	got, err := New().Between(rule, zone, start, utc(t, from), utc(t, to))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, at := range got {
		if at.Location() != time.UTC {
			t.Errorf("%s is not in UTC", at)
		}
		out = append(out, at.Format("2006-01-02T15:04Z"))
	}
	return out
}

func TestRuleExpandsInItsZone(t *testing.T) {
	for _, c := range []struct {
		name, rule, zone, start, from, to string
		want                              []string
	}{
		{"weekly across the end of summer time keeps the local hour", "FREQ=WEEKLY;BYDAY=SU", "Europe/Berlin", "2026-10-01T05:00", "2026-10-18T00:00Z", "2026-11-02T00:00Z",
			[]string{"2026-10-18T03:00Z", "2026-10-25T04:00Z", "2026-11-01T04:00Z"}},
		{"an hour that clocks skip counts by the offset before", "FREQ=DAILY", "Europe/Berlin", "2026-03-01T02:30", "2026-03-28T00:00Z", "2026-03-31T00:00Z",
			[]string{"2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"}},
		{"an hour shown twice counts the first time", "FREQ=DAILY", "Europe/Berlin", "2026-10-01T02:30", "2026-10-24T12:00Z", "2026-10-26T12:00Z",
			[]string{"2026-10-25T00:30Z", "2026-10-26T01:30Z"}},
		{"half an hour of summer time", "FREQ=DAILY", "Australia/Lord_Howe", "2026-04-01T01:45", "2026-04-04T00:00Z", "2026-04-06T00:00Z",
			[]string{"2026-04-04T14:45Z", "2026-04-05T15:15Z"}},
		{"two starts that the change makes one", "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=15", "Europe/Berlin", "2026-03-29T00:00", "2026-03-28T23:00Z", "2026-03-29T22:00Z",
			[]string{"2026-03-29T01:15Z"}},
		{"last Friday of the month", "RRULE:FREQ=MONTHLY;BYDAY=-1FR", "Etc/UTC", "2026-01-01T22:00", "2026-01-01T00:00Z", "2026-04-01T00:00Z",
			[]string{"2026-01-30T22:00Z", "2026-02-27T22:00Z", "2026-03-27T22:00Z"}},
		{"small letters", "freq=yearly;bymonth=2;bymonthday=29", "Etc/UTC", "2024-02-29T12:00", "2024-01-01T00:00Z", "2033-01-01T00:00Z",
			[]string{"2024-02-29T12:00Z", "2028-02-29T12:00Z", "2032-02-29T12:00Z"}},
		{"31st skips short months", "FREQ=MONTHLY", "Etc/UTC", "2026-01-31T12:00", "2026-01-01T00:00Z", "2026-06-01T00:00Z",
			[]string{"2026-01-31T12:00Z", "2026-03-31T12:00Z", "2026-05-31T12:00Z"}},
		{"every second week keeps its phase", "FREQ=WEEKLY;INTERVAL=2", "Etc/UTC", "2026-01-06T10:00", "2026-11-15T00:00Z", "2026-12-10T00:00Z",
			[]string{"2026-11-24T10:00Z", "2026-12-08T10:00Z"}},
		{"count is counted from the start", "FREQ=DAILY;COUNT=3", "Etc/UTC", "2026-01-01T00:00", "2026-01-02T00:00Z", "2027-01-01T00:00Z",
			[]string{"2026-01-02T00:00Z", "2026-01-03T00:00Z"}},
		{"until in UTC", "FREQ=DAILY;UNTIL=20260103T080000Z", "Asia/Tokyo", "2026-01-01T18:00", "2026-01-01T00:00Z", "2027-01-01T00:00Z",
			[]string{"2026-01-01T09:00Z", "2026-01-02T09:00Z"}},
		{"until a day is the whole of it", "FREQ=DAILY;UNTIL=20260102", "Asia/Tokyo", "2026-01-01T18:00", "2026-01-01T00:00Z", "2027-01-01T00:00Z",
			[]string{"2026-01-01T09:00Z", "2026-01-02T09:00Z"}},
		{"the end is left out, the beginning is in", "FREQ=DAILY", "Etc/UTC", "2026-01-01T12:00", "2026-01-02T12:00Z", "2026-01-04T12:00Z",
			[]string{"2026-01-02T12:00Z", "2026-01-03T12:00Z"}},
		{"a day that a zone left out", "FREQ=DAILY", "Pacific/Apia", "2011-12-28T12:00", "2011-12-28T00:00Z", "2012-01-01T00:00Z",
			[]string{"2011-12-28T22:00Z", "2011-12-29T22:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"}},
		{"nothing", "FREQ=DAILY;UNTIL=20200101", "Etc/UTC", "2019-01-01T12:00", "2026-01-01T00:00Z", "2027-01-01T00:00Z", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, starts(t, c.rule, c.zone, c.start, c.from, c.to)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRuleRefusesWhatItMustNot(t *testing.T) {
	for _, c := range []struct{ name, rule, zone, start, field string }{
		{"every second", "FREQ=SECONDLY", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"every hour", "FREQ=HOURLY", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"no frequency", "BYDAY=MO", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"empty", "", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"seconds", "FREQ=DAILY;BYSECOND=1", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"an anchor of its own", "FREQ=DAILY;DTSTART=20260101T000000Z", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"a second line", "FREQ=DAILY\nRDATE:20260101T000000Z", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"twice the same part", "FREQ=WEEKLY;BYDAY=MO;BYDAY=TU", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"count and until", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"no interval", "FREQ=DAILY;INTERVAL=0", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"too much of an interval", "FREQ=DAILY;INTERVAL=99999999999", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"no count", "FREQ=DAILY;COUNT=0", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"no such day", "FREQ=WEEKLY;BYDAY=XX", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"out of bounds", "FREQ=MONTHLY;BYMONTHDAY=32", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"53rd Monday of a month", "FREQ=MONTHLY;BYDAY=53MO", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"second Monday of a week", "FREQ=WEEKLY;BYDAY=2MO", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"too often a day", "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,10,20,30,40", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"too long", "FREQ=DAILY;BYMONTHDAY=" + strings.Repeat("1,", 200) + "1", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"never", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"never, looked for day by day", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"over before it begins", "FREQ=DAILY;UNTIL=20200101", "Etc/UTC", "2026-01-01T00:00", "rrule"},
		{"once in a lifetime", "FREQ=YEARLY;INTERVAL=1000;BYMONTH=1;BYMONTHDAY=1", "Etc/UTC", "2026-06-01T00:00", "rrule"},
		{"no such zone", "FREQ=DAILY", "Mars/Olympus", "2026-01-01T00:00", "zone"},
		{"the machine's zone", "FREQ=DAILY", "Local", "2026-01-01T00:00", "zone"},
		{"no zone", "FREQ=DAILY", "", "2026-01-01T00:00", "zone"},
		{"a path for a zone", "FREQ=DAILY", "../../etc/passwd", "2026-01-01T00:00", "zone"},
		{"no start", "FREQ=DAILY", "Etc/UTC", "", "start"},
		{"a start with a zone", "FREQ=DAILY", "Etc/UTC", "2026-01-01T00:00Z", "start"},
		{"a start long ago", "FREQ=DAILY", "Etc/UTC", "0001-01-01T00:00", "start"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Check(c.rule, c.zone, c.start, time.Hour)
			e, ok := err.(*problem.Error)
			if !ok || e.Kind != problem.KindInvalid || e.Field != c.field {
				t.Errorf("Check gave %v, want Invalid with field %s", err, c.field)
			}
		})
	}
}

func TestRuleIsBoundedByWhatIsAskedFor(t *testing.T) {
	if _, err := New().Between("FREQ=DAILY;BYHOUR=0,6,12,18", "Etc/UTC", "2020-01-01T00:00", utc(t, "2020-01-01T00:00Z"), utc(t, "2026-01-01T00:00Z")); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("six years of four a day gave %v, want Invalid", err)
	}
	dense := "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23"
	if _, err := New().Between(dense, "Etc/UTC", "2000-01-01T00:00", utc(t, "2026-01-01T00:00Z"), utc(t, "2026-01-02T00:00Z")); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("a start too many steps ago gave %v, want Invalid", err)
	}
}

// Every start must lie in the window asked for, in order, and asking for a part
// of a window must give that part.
func FuzzRule(f *testing.F) {
	for _, rule := range []string{
		"FREQ=WEEKLY;BYDAY=SU", "FREQ=DAILY", "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=2,3", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
		"FREQ=YEARLY;BYYEARDAY=-1,366;BYSETPOS=-1", "FREQ=DAILY;COUNT=5", "FREQ=WEEKLY;WKST=SU;INTERVAL=2;BYDAY=MO,SU",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;UNTIL=20261231T000000Z", "FREQ=MONTHLY;BYDAY=53MO", "FREQ=SECONDLY",
	} {
		f.Add(rule, "Europe/Berlin", "2026-03-01T02:30", int64(1_790_000_000), uint16(40))
	}
	f.Fuzz(func(t *testing.T, text, zone, start string, from int64, days uint16) {
		c := New()
		begin := time.Unix(from%(4<<30), 0).UTC()
		end := begin.Add(time.Duration(days) * time.Hour)
		all, err := c.Between(text, zone, start, begin, end)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("error of kind %s: %v", problem.KindOf(err), err)
			}
			return
		}
		if len(all) > MaxStarts {
			t.Fatalf("%d starts", len(all))
		}
		for i, at := range all {
			if at.Before(begin) || !at.Before(end) || i > 0 && !at.After(all[i-1]) {
				t.Fatalf("start %s is out of [%s, %s) or order", at, begin, end)
			}
		}
		middle := begin.Add(end.Sub(begin) / 2)
		first, err1 := c.Between(text, zone, start, begin, middle)
		second, err2 := c.Between(text, zone, start, middle, end)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if diff := cmp.Diff(all, append(first, second...)); diff != "" && len(all) > 0 {
			t.Fatal(diff)
		}
	})
}

func BenchmarkBetweenWeeklySinceTenYears(b *testing.B) {
	c := New()
	from := utc(b, "2026-01-01T00:00Z")
	for b.Loop() {
		if _, err := c.Between("FREQ=WEEKLY;BYDAY=SU", "Europe/Berlin", "2016-01-01T05:00", from, from.AddDate(0, 0, 35)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckOfARuleThatNeverHappens(b *testing.B) {
	for b.Loop() {
		if Check("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "Etc/UTC", "2026-01-01T00:00", time.Hour) == nil {
			b.Fatal("it does happen")
		}
	}
}

func TestCheckRefusesTimesThatOverlap(t *testing.T) {
	for _, c := range []struct {
		rule  string
		lasts time.Duration
		good  bool
	}{
		{"FREQ=DAILY", 24 * time.Hour, true},
		{"FREQ=DAILY", 25 * time.Hour, false},
		{"FREQ=WEEKLY;BYDAY=MO,TU", 24 * time.Hour, true},
		{"FREQ=WEEKLY;BYDAY=MO,TU", 48 * time.Hour, false},
		{"FREQ=YEARLY", 40 * 24 * time.Hour, true},
	} {
		if err := Check(c.rule, "Etc/UTC", "2026-01-05T00:00", c.lasts); (err == nil) != c.good {
			t.Errorf("%s for %s: %v", c.rule, c.lasts, err)
		}
	}
}
