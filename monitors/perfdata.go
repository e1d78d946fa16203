package monitors

import (
	"fmt"
	"math"
	"strings"
)

// Limits of what a plugin may say about performance.
const (
	maxPerfdata  = 64  // entries kept of one output
	maxPerfLabel = 120 // bytes of a label
)

// perf is one entry of Nagios performance data:
//
//	'label'=value[UOM];[warn];[crit];[min];[max]
//
// as the plugin development guidelines define it.
type perf struct {
	Label    string
	Value    float64
	Unknown  bool   // the value is U: the plugin could not tell
	Unit     string // s, ms, us, %, B, KB, MB, GB, TB, c, or what the plugin says
	Warn     *perfRange
	Crit     *perfRange
	Min, Max *float64
}

// perfRange is a threshold range of the guidelines: the plugin alerts when a
// value is outside Low to High or, with Inside, when it is inside.
type perfRange struct {
	Low, High float64 // may be infinite
	Inside    bool
}

// alerts reports whether v is a value that the range warns of.
func (r *perfRange) alerts(v float64) bool {
	if r == nil {
		return false
	}
	within := v >= r.Low && v <= r.High
	return within == r.Inside
}

// pluginOutput is what a plugin printed, taken apart: the first line for
// people, more lines for people, and performance data from wherever it stood.
type pluginOutput struct {
	Text string
	Long []string
	Perf []perf
	Bad  []string // what stood among the performance data and is none
}

// parsePlugin reads a plugin's standard output. Performance data follows the
// first | of the first line and, after long text, the first | of a later line
// and all lines after that one.
func parsePlugin(out string) pluginOutput {
	var p pluginOutput
	var data strings.Builder
	first, rest, _ := strings.Cut(strings.ReplaceAll(out, "\r\n", "\n"), "\n")
	text, tail, _ := strings.Cut(first, "|")
	p.Text = strings.TrimSpace(text)
	data.WriteString(tail)
	long, tail, _ := strings.Cut(rest, "|")
	for l := range strings.SplitSeq(long, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			p.Long = append(p.Long, l)
		}
	}
	data.WriteByte(' ')
	data.WriteString(strings.ReplaceAll(tail, "\n", " "))
	p.Perf, p.Bad = parsePerfdata(data.String())
	return p
}

// parsePerfdata reads space-separated entries. An entry that cannot be read is
// put aside and the next is tried, so that one odd figure does not hide the others.
func parsePerfdata(s string) (entries []perf, bad []string) {
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" || len(entries) >= maxPerfdata || len(bad) >= maxPerfdata {
			return entries, bad
		}
		label, rest, ok := perfLabel(s)
		if !ok {
			var word string
			word, s = nextWord(s)
			bad = append(bad, word)
			continue
		}
		var word string
		word, s = nextWord(rest)
		entry, err := perfValue(label, word)
		if err != nil {
			bad = append(bad, label+"="+word)
			continue
		}
		entries = append(entries, entry)
	}
}

// perfLabel takes a label and its = off the front. A quoted label may hold
// spaces and = and writes a quote as two.
func perfLabel(s string) (label, rest string, ok bool) {
	if !strings.HasPrefix(s, "'") {
		end := strings.IndexAny(s, "= \t\r\n")
		if end <= 0 || s[end] != '=' || end > maxPerfLabel {
			return "", "", false
		}
		return s[:end], s[end+1:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case b.Len() > maxPerfLabel:
			return "", "", false
		case s[i] != '\'':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '\'':
			b.WriteByte('\'')
			i++
		case i+1 < len(s) && s[i+1] == '=' && b.Len() > 0:
			return b.String(), s[i+2:], true
		default:
			return "", "", false
		}
	}
	return "", "", false
}

func nextWord(s string) (word, rest string) {
	if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// perfValue reads value[UOM];[warn];[crit];[min];[max].
func perfValue(label, word string) (perf, error) {
	p := perf{Label: label}
	fields := strings.Split(word, ";")
	if len(fields) > 6 || (len(fields) == 6 && fields[5] != "") { // a closing ; is common
		return p, fmt.Errorf("%d fields, at most 5", len(fields))
	}
	value := fields[0]
	if value == "U" {
		p.Unknown = true
	} else {
		digits := numberPrefix(value)
		v, ok := parseNumber(value[:digits])
		if !ok {
			return p, fmt.Errorf("%q is not a number", value)
		}
		p.Value, p.Unit = v, strings.TrimRight(value[digits:], ",") // some plugins put commas between entries
		if strings.ContainsAny(p.Unit, "'\"") {
			return p, fmt.Errorf("%q is not a unit", p.Unit)
		}
	}
	for i, field := range fields[1:] {
		if field == "" {
			continue
		}
		switch i {
		case 0, 1:
			r, err := parsePerfRange(field)
			if err != nil {
				return p, err
			}
			if i == 0 {
				p.Warn = r
			} else {
				p.Crit = r
			}
		case 2, 3:
			v, ok := parseNumber(field)
			if !ok {
				return p, fmt.Errorf("%q is not a number", field)
			}
			if i == 2 {
				p.Min = &v
			} else {
				p.Max = &v
			}
		}
	}
	return p, nil
}

// numberPrefix is the length of the decimal number at the front of s. An e
// belongs to it only when digits follow, so that a unit may begin with one.
func numberPrefix(s string) int {
	i := 0
	sign := func() {
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
	}
	digits := func() bool {
		from := i
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
			i++
		}
		return i > from
	}
	sign()
	if !digits() {
		return 0
	}
	end := i
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		sign()
		if digits() {
			end = i
		}
	}
	return end
}

// parsePerfRange reads a range: 10 (0 to 10), 10: (10 and up), ~:10 (up to
// 10), 10:20, @10:20 (alert inside).
func parsePerfRange(s string) (*perfRange, error) {
	whole := s
	r := &perfRange{High: math.Inf(1)}
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		r.Inside, s = true, rest
	}
	low, high, split := strings.Cut(s, ":")
	if !split {
		low, high = "", s
	}
	ok := true
	switch low {
	case "":
	case "~":
		r.Low = math.Inf(-1)
	default:
		r.Low, ok = parseNumber(low)
	}
	if ok && high != "" {
		r.High, ok = parseNumber(high)
	}
	if !ok || s == "" || s == ":" || r.Low > r.High {
		return nil, fmt.Errorf("%q is not a range", whole)
	}
	return r, nil
}
