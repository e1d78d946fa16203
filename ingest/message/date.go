package message

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads a Date field: RFC 5322 section 3.3, its obsolete forms, and
// what else mailers write: ISO 8601, ctime, months in words of other languages,
// a.m. and p.m. ok is false when no day can be made of it.
func parseDate(s string) (t time.Time, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > maxDate {
		s = s[:maxDate]
	}
	d := date{day: -1, month: -1, year: -1}
	for s != "" {
		var token string
		if s[0] == '(' { // a comment: the zone in words
			_, s, _ = strings.Cut(s, ")")
			continue
		}
		token, s = nextDateToken(s)
		if token != "" && !d.take(token) {
			return time.Time{}, false
		}
	}
	return d.time()
}

// maxDate is the longest Date that is read.
const maxDate = 200

// nextDateToken cuts at spaces and commas.
func nextDateToken(s string) (token, rest string) {
	i := strings.IndexAny(s, " \t,;(")
	switch {
	case i < 0:
		return s, ""
	case s[i] == '(':
		return s[:i], s[i:]
	}
	return s[:i], s[i+1:]
}

// date collects the parts of a date in whatever order they come.
type date struct {
	day, month, year  int
	hour, minute, sec int
	clock             bool
	offset            int // seconds east
	pm, am            bool
}

// take uses one token; false when it makes the date impossible.
func (d *date) take(token string) bool {
	switch c := token[0]; {
	case strings.Count(token, ":") >= 1 && c >= '0' && c <= '9':
		return d.takeClock(token)
	case (c == '+' || c == '-') && len(token) >= 2:
		d.takeOffset(token)
		return true
	case c >= '0' && c <= '9':
		return d.takeNumbers(token)
	}
	word := strings.ToLower(strings.Trim(token, "."))
	if m := monthOf(word); m > 0 && d.month < 0 {
		d.month = m
		return true
	}
	switch word {
	case "pm", "p.m":
		d.pm = true
	case "am", "a.m":
		d.am = true
	default:
		if hours, ok := zones[word]; ok {
			d.offset = int(hours * 3600)
		} else if i := strings.IndexAny(word, "+-"); i > 0 && (word[:i] == "gmt" || word[:i] == "utc") {
			d.takeOffset(word[i:])
		}
	}
	return true // a weekday, or a word that says nothing
}

// takeNumbers reads a day, a year, or a whole date such as 2006-01-02,
// 2006-01-02T15:04:05Z or 02-Jan-2006.
func (d *date) takeNumbers(token string) bool {
	if parts := strings.FieldsFunc(token, func(r rune) bool { return r == '-' || r == '/' || r == '.' }); len(parts) == 3 {
		return d.takeTriple(parts)
	}
	n, err := strconv.Atoi(strings.TrimRight(token, ".stndrhº"))
	switch {
	case err != nil:
		return true
	case len(token) == 4 && d.day >= 0 && d.year >= 0 && d.clock: // 0900 without a sign
		d.takeOffset("+" + token)
	case n > 31 || d.day >= 0:
		if d.year < 0 {
			d.year = fullYear(n, len(token))
		}
	default:
		d.day = n
	}
	return true
}

// takeTriple reads three numbers: the year first, or the month in words
// between, or day and month in the order that is possible.
func (d *date) takeTriple(parts []string) bool {
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	c, errC := strconv.Atoi(parts[2])
	if errA != nil || errC != nil {
		return false
	}
	if errB != nil {
		b = monthOf(strings.ToLower(parts[1]))
	}
	switch {
	case len(parts[0]) == 4:
		d.year, d.month, d.day = a, b, c
	case errB == nil && b > 12 && a <= 12: // the American order
		d.year, d.month, d.day = fullYear(c, len(parts[2])), a, b
	default:
		d.year, d.month, d.day = fullYear(c, len(parts[2])), b, a
	}
	return true
}

// takeClock reads 15:04, 15:04:05, 15:04:05.000, and the end of ISO 8601.
func (d *date) takeClock(token string) bool {
	if i := strings.IndexAny(token, "Tt"); i > 0 && strings.Count(token[:i], "-") == 2 {
		if !d.takeNumbers(token[:i]) {
			return false
		}
		token = token[i+1:]
	}
	if i := strings.IndexAny(token, "+-Zz"); i > 0 {
		if zone := token[i:]; zone[0] == '+' || zone[0] == '-' {
			d.takeOffset(zone)
		}
		token = token[:i]
	}
	switch low := strings.ToLower(token); {
	case strings.HasSuffix(low, "pm"):
		d.pm, token = true, token[:len(token)-2]
	case strings.HasSuffix(low, "am"):
		d.am, token = true, token[:len(token)-2]
	}
	token, _, _ = strings.Cut(token, ".")
	parts := strings.Split(token, ":")
	if len(parts) > 3 {
		return false
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil {
			return false
		}
		n[i] = v
	}
	d.hour, d.minute, d.sec, d.clock = n[0], n[1], n[2], true
	return true
}

// takeOffset reads +0100, +01:00, +1 and -00:30.
func (d *date) takeOffset(s string) {
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	digits := strings.ReplaceAll(s[1:], ":", "")
	n, err := strconv.Atoi(digits[:min(len(digits), 4)])
	if err != nil {
		return
	}
	if len(digits) <= 2 {
		n *= 100
	}
	if n <= 1500 {
		d.offset = sign * (n/100*3600 + n%100*60)
	}
}

func (d *date) time() (time.Time, bool) {
	if d.day < 1 || d.day > 31 || d.month < 1 || d.month > 12 || d.year < 1970 || d.year > 9999 ||
		d.hour > 24 || d.minute > 59 || d.sec > 60 || d.hour < 0 || d.minute < 0 || d.sec < 0 {
		return time.Time{}, false
	}
	hour := d.hour
	switch {
	case d.pm && hour < 12:
		hour += 12
	case d.am && hour == 12:
		hour = 0
	}
	t := time.Date(d.year, time.Month(d.month), d.day, hour, d.minute, d.sec, 0, time.UTC)
	return t.Add(-time.Duration(d.offset) * time.Second), true
}

// fullYear reads years of two and three digits as RFC 5322 section 4.3 says.
func fullYear(n, digits int) int {
	switch {
	case digits == 2 && n < 50:
		return n + 2000
	case digits == 2 || digits == 3:
		return n + 1900
	}
	return n
}

// monthOf gives the number of a month in words, by its first letters; 0 for none.
func monthOf(word string) int {
	if len(word) < 3 {
		return 0
	}
	for _, m := range months {
		if strings.HasPrefix(word, m.stem) {
			return m.n
		}
	}
	return 0
}

// months are stems, longer ones first where one begins another.
var months = []struct {
	stem string
	n    int
}{
	{"jan", 1}, {"feb", 2}, {"mar", 3}, {"apr", 4}, {"may", 5}, {"jun", 6}, {"jul", 7}, {"aug", 8}, {"sep", 9}, {"oct", 10}, {"nov", 11}, {"dec", 12},
	{"jän", 1}, {"gen", 1}, {"ene", 1}, {"fév", 2}, {"mär", 3}, {"mrz", 3}, {"maa", 3}, {"mrt", 3}, {"avr", 4}, {"abr", 4}, {"mai", 5}, {"mei", 5}, {"mag", 5}, {"maj", 5},
	{"juin", 6}, {"giu", 6}, {"juil", 7}, {"lug", 7}, {"ago", 8}, {"aoû", 8}, {"set", 9}, {"okt", 10}, {"ott", 10}, {"out", 10}, {"dez", 12}, {"déc", 12}, {"dic", 12}, {"des", 12},
}

// zones are hours east of UTC, of RFC 5322 section 4.3 and of common use.
var zones = map[string]float64{
	"ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
	"akst": -9, "akdt": -8, "hst": -10, "cet": 1, "met": 1, "mez": 1, "cest": 2, "mest": 2, "mesz": 2, "west": 1, "bst": 1, "eet": 2, "eest": 3,
	"msk": 3, "msd": 4, "ist": 5.5, "jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "art": -3, "brt": -3,
}
