package message

import (
	"slices"
	"strconv"
	"strings"
)

// maxParams bounds the parameters of one field.
const maxParams = 64

// value is a field with parameters, as RFC 2045 section 5.1 has it.
type value struct {
	main   string // lower case
	params []param
}

type param struct{ name, value string }

// param gives a parameter by its lower-case name; "" for none.
func (v value) param(name string) string {
	for _, p := range v.params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// parseValue reads a field such as Content-Type, as forgiving as it can: bad
// quoting, missing semicolons, comments and the continuations and charsets of
// RFC 2231. The charset is what raw 8-bit bytes are in.
func parseValue(raw, charset string) value {
	main, rest, _ := strings.Cut(raw, ";")
	main = strings.TrimSpace(stripComment(main))
	if i := strings.IndexAny(main, " \t,"); i >= 0 { // "text/plain charset=utf-8": the semicolon is missing
		if strings.Contains(main[i:], "=") {
			rest = main[i:] + ";" + rest
		}
		main = main[:i]
	}
	v := value{main: strings.ToLower(clean(main))}
	var pieces []piece
	for rest != "" && len(v.params)+len(pieces) < maxParams {
		var name, text string
		name, text, rest = nextParam(rest)
		switch {
		case name == "":
		case strings.Contains(name, "*"):
			pieces = append(pieces, newPiece(name, text))
		case v.param(name) == "":
			v.params = append(v.params, param{name, decodeWords(text, charset)})
		}
	}
	v.join(pieces)
	return v
}

// stripComment takes off what stands in parentheses.
func stripComment(s string) string {
	if i := strings.IndexByte(s, '('); i >= 0 {
		if j := strings.IndexByte(s[i:], ')'); j >= 0 {
			return s[:i] + s[i+j+1:]
		}
		return s[:i]
	}
	return s
}

// nextParam reads one name=value and gives what follows it.
func nextParam(s string) (name, text, rest string) {
	s = strings.TrimLeft(s, " \t;")
	eq := strings.IndexAny(s, "=;")
	if eq < 0 {
		return "", "", ""
	}
	if s[eq] == ';' {
		return "", "", s[eq+1:]
	}
	name = strings.ToLower(strings.TrimSpace(stripComment(s[:eq])))
	if i := strings.LastIndexAny(name, " \t,"); i >= 0 {
		name = name[i+1:]
	}
	s = strings.TrimLeft(s[eq+1:], " \t")
	if strings.HasPrefix(s, `"`) {
		text, rest = quoted(s)
		return name, text, rest
	}
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	text, rest = s[:end], s[end:]
	if sp := strings.IndexAny(text, " \t"); sp >= 0 && strings.Contains(text[sp:], "=") && !strings.Contains(text, "=?") { // the next parameter, without a semicolon
		text, rest = text[:sp], s[sp:]
	}
	return name, strings.TrimSpace(text), rest
}

// quoted reads a quoted string; a quote that is never closed ends at the end.
func quoted(s string) (text, rest string) {
	end := strings.IndexAny(s[1:], `"\`)
	if end >= 0 && s[1+end] == '"' {
		return s[1 : 1+end], s[2+end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:]
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'): // others are paths of a careless mailer
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// piece is one part of a continued parameter of RFC 2231 section 3.
type piece struct {
	name    string
	n       int
	encoded bool
	text    string
}

func newPiece(name, text string) piece {
	p := piece{text: text}
	if p.encoded = strings.HasSuffix(name, "*"); p.encoded {
		name = name[:len(name)-1]
	}
	if base, n, ok := strings.Cut(name, "*"); ok {
		name = base
		p.n, _ = strconv.Atoi(n)
	}
	p.name = name
	return p
}

// join puts continued parameters together, in the order of their numbers, and
// decodes them: a charset split over two pieces is whole again before that.
func (v *value) join(pieces []piece) {
	slices.SortStableFunc(pieces, func(a, b piece) int { return a.n - b.n })
	for i, p := range pieces {
		if slices.ContainsFunc(pieces[:i], func(q piece) bool { return q.name == p.name }) {
			continue
		}
		var raw []byte
		charset := ""
		for _, q := range pieces[i:] {
			if q.name != p.name {
				continue
			}
			text := q.text
			if q.encoded {
				if parts := strings.SplitN(text, "'", 3); len(parts) == 3 && len(raw) == 0 {
					charset, text = parts[0], parts[2]
				}
				raw = appendPercent(raw, text)
			} else {
				raw = append(raw, text...)
			}
		}
		text := decodeText(raw, charset)
		if strings.Contains(text, "=?") {
			text = decodeWords(text, charset)
		}
		at := slices.IndexFunc(v.params, func(q param) bool { return q.name == p.name })
		if at >= 0 { // the plain form beside it is for old readers
			v.params[at].value = text
		} else {
			v.params = append(v.params, param{p.name, text})
		}
	}
}

// appendPercent decodes %XX.
func appendPercent(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
				dst = append(dst, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		dst = append(dst, s[i])
	}
	return dst
}

// unhex gives the value of a hexadecimal digit, -1 for none.
func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
