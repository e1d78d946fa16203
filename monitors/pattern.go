package monitors

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"evenkeel/internal/problem"
)

// Limits of what the file may say.
const (
	maxPattern  = 1 << 10 // bytes of a regular expression
	maxStatuses = 50      // entries of expect.status
)

// statusSet is the HTTP statuses that are good.
type statusSet struct {
	ranges [][2]int // both ends included
	text   string
}

// parseStatusSet reads 200, 2xx and 200-299; an empty list means 2xx.
// Errors: Invalid.
func parseStatusSet(field string, list []string) (statusSet, error) {
	if len(list) == 0 {
		return success(), nil
	}
	if len(list) > maxStatuses {
		return statusSet{}, problem.Invalid(field, "has more than %d entries", maxStatuses)
	}
	set := statusSet{text: strings.Join(list, ", ")}
	var found problem.Errors
	for _, text := range list {
		from, to, err := parseStatusRange(strings.TrimSpace(text))
		if err != nil {
			found = append(found, problem.Invalid(field, "%v", err))
			continue
		}
		set.ranges = append(set.ranges, [2]int{from, to})
	}
	return set, found.Err()
}

// success is what is good where nothing is said.
func success() statusSet { return statusSet{ranges: [][2]int{{200, 299}}, text: "2xx"} }

func parseStatusRange(text string) (from, to int, err error) {
	if len(text) == 3 && strings.EqualFold(text[1:], "xx") && text[0] >= '1' && text[0] <= '5' {
		from = int(text[0]-'0') * 100
		return from, from + 99, nil
	}
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}
	from, err1 := parseStatus(low)
	to, err2 := parseStatus(high)
	switch {
	case err1 != nil || err2 != nil:
		return 0, 0, fmt.Errorf("%q is not a status: write 200, 2xx or 200-299", text)
	case from > to:
		return 0, 0, fmt.Errorf("%q begins after it ends", text)
	}
	return from, to, nil
}

func parseStatus(text string) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err != nil || n < 100 || n > 599 {
		return 0, fmt.Errorf("%q is not a status", text)
	}
	return int(n), nil
}

func (s statusSet) has(code int) bool {
	for _, r := range s.ranges {
		if code >= r[0] && code <= r[1] {
			return true
		}
	}
	return false
}

// String gives the list as the file has it.
func (s statusSet) String() string { return s.text }

// compilePattern compiles a regular expression of the file. Errors: Invalid.
func compilePattern(field, text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, problem.Invalid(field, "is longer than %d bytes", maxPattern)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, problem.Invalid(field, "is not a regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}
