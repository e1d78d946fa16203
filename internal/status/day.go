package status

import "time"

// BarDays is how many days the bars of the page show, today included.
const BarDays = 90

// dayStart gives the first moment of t's day in the zone. Where midnight does
// not exist there, or comes twice, it is still the first moment of that date.
func dayStart(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return firstMoment(y, m, d, zone)
}

// monthStart gives the first moment of t's month in the zone.
func monthStart(t time.Time, zone *time.Location) time.Time {
	y, m, _ := t.In(zone).Date()
	return firstMoment(y, m, 1, zone)
}

// firstMoment gives the first moment of a date in the zone; of a date that the
// zone left out, the first moment after it.
func firstMoment(y int, m time.Month, d int, zone *time.Location) time.Time {
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	midnight := func(around time.Time) time.Time {
		_, offset := around.In(zone).Zone()
		return date.Add(-time.Duration(offset) * time.Second).In(zone)
	}
	// Midnight by the offset before, and by the one after, any change of clocks
	// at hand. The earlier one at which clocks show the date is its beginning.
	before, after := midnight(date.Add(-36*time.Hour)), midnight(date.Add(36*time.Hour))
	first, second := before, after
	if after.Before(before) {
		first, second = after, before
	}
	if !localDate(first).Before(date) {
		return first
	}
	return second
}

// localDate gives t's date in its own zone, as a UTC midnight for comparing.
func localDate(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// dayBounds gives the n+1 moments that bound n days in the zone, of which the
// last is the day of today.
func dayBounds(today time.Time, n int, zone *time.Location) []time.Time {
	y, m, d := today.In(zone).Date()
	bounds := make([]time.Time, n+1)
	for i := range bounds {
		bounds[i] = firstMoment(y, m, d+i-n+1, zone)
	}
	return bounds
}

// monthAfter gives the first moment of the month n months after the month of t.
func monthAfter(t time.Time, n int, zone *time.Location) time.Time {
	y, m, _ := t.In(zone).Date()
	return firstMoment(y, m+time.Month(n), 1, zone)
}

// monthName is how a month is named in the record: 2006-01.
const monthName = "2006-01"
