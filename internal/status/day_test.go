package status

import (
	"testing"
	"time"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// The first moment of a date is on it, and the moment before is not. Only a
// date that a zone left out has none.
func TestDayBeginsWithItsFirstMoment(t *testing.T) {
	leftOut := map[string]string{"Pacific/Apia": "2011-12-30", "Pacific/Kwajalein": "1993-08-21"}
	for _, name := range []string{
		"Etc/UTC", "Europe/Berlin", "America/New_York", "America/Havana", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo",
		"America/Santiago", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Asia/Tehran", "America/Asuncion",
	} {
		zone := zoneOf(t, name)
		for i := range 40 * 366 {
			date := time.Date(1990, 1, 1+i, 0, 0, 0, 0, time.UTC)
			got := firstMoment(date.Year(), date.Month(), date.Day(), zone)
			if date.Format("2006-01-02") == leftOut[name] {
				continue
			}
			if !localDate(got).Equal(date) {
				t.Fatalf("%s: %s begins at %s", name, date.Format("2006-01-02"), got)
			}
			if last := got.Add(-time.Microsecond).In(zone); !localDate(last).Before(date) {
				t.Fatalf("%s: %s begins at %s, but %s is on it too", name, date.Format("2006-01-02"), got, last)
			}
			if d := dayStart(got.Add(13*time.Hour), zone); !d.Equal(got) {
				t.Fatalf("%s: dayStart gives %s, want %s", name, d, got)
			}
		}
	}
}

func TestDaysOfBarsTileTimeWith23And25Hours(t *testing.T) {
	zone := zoneOf(t, "Europe/Berlin")
	now := time.Date(2026, 11, 20, 14, 32, 0, 0, time.UTC)
	bounds := dayBounds(now, BarDays, zone)
	if len(bounds) != BarDays+1 || bounds[BarDays-1].After(now) || !bounds[BarDays].After(now) {
		t.Fatalf("bounds from %s to %s do not end with today", bounds[0], bounds[BarDays])
	}
	long := 0
	for i := range BarDays {
		switch d := bounds[i+1].Sub(bounds[i]); d {
		case 24 * time.Hour:
		case 25 * time.Hour:
			long++
		default:
			t.Errorf("day %s lasts %s", bounds[i], d)
		}
	}
	if long != 1 {
		t.Errorf("%d days of 25 hours, want the one in October", long)
	}
	spring := dayBounds(time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC), 1, zone)
	if d := spring[1].Sub(spring[0]); d != 23*time.Hour {
		t.Errorf("29 March lasts %s, want 23h", d)
	}
}

func TestMonthsBeginInTheZone(t *testing.T) {
	zone := zoneOf(t, "America/New_York")
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC) // still February there
	if got := monthStart(at, zone).Format(time.RFC3339); got != "2026-02-01T00:00:00-05:00" {
		t.Errorf("month begins at %s", got)
	}
	if got := monthAfter(at, 2, zone).Format(time.RFC3339); got != "2026-04-01T00:00:00-04:00" {
		t.Errorf("two months later is %s", got)
	}
}
