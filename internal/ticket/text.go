package ticket

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"evenkeel/internal/problem"
)

// line makes one line of what staff typed: white space becomes single blanks,
// invisible characters go. Errors: Invalid when it is too long (in characters),
// or empty unless optional.
func line(field, s string, most int, optional bool) (string, error) {
	if len(s) > utf8.UTFMax*most+most { // before any work is done on it
		return "", problem.Invalid(field, "This is too long; %d characters are allowed.", most)
	}
	s = oneLine(s)
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && !optional:
		return "", problem.Invalid(field, "This must not be empty.")
	case n > most:
		return "", problem.Invalid(field, "This is %d characters long; %d are allowed.", n, most)
	}
	return s, nil
}

// text cleans several lines that staff typed. Errors: Invalid, as line.
func text(field, s string, most int, optional bool) (string, error) {
	if len(s) > utf8.UTFMax*most+most {
		return "", problem.Invalid(field, "This is too long; %d characters are allowed.", most)
	}
	s = strings.TrimSpace(clean(s))
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && !optional:
		return "", problem.Invalid(field, "This must not be empty.")
	case n > most:
		return "", problem.Invalid(field, "This is %d characters long; %d are allowed.", n, most)
	}
	return s, nil
}

// oneLine makes one line of anything.
func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// clean makes text of anything that can be kept and shown: valid UTF-8, plain
// line ends, nothing that is not seen and can make text read as something else.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Map(visible, s)
}

// visible drops control characters but line ends and tabs, and the overrides and
// isolates of writing direction (Unicode TR 9).
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return -1
	case r == 0x200B, r == 0x2060, r == 0xFEFF, r >= 0xFFF9 && r <= 0xFFFB, r >= 0xE0000 && r <= 0xE007F:
		return -1
	case r == 0x2028 || r == 0x2029:
		return '\n'
	}
	return r
}

// cutRunes gives at most so many characters.
func cutRunes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for i := range s {
		if most--; most < 0 {
			return s[:i]
		}
	}
	return s
}

// cutBytes gives at most so many bytes, and whole characters.
func cutBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// reference is the shape of ids of other wings: what the journal can hold.
var reference = regexp.MustCompile(`^[A-Za-z0-9._:+=-]{1,80}$`)

// normalised gives an address as it is compared: small letters, no blanks. Case of
// the local part means nothing to any provider there is, whatever RFC 5321
// section 2.4 allows. "" for what is none.
func normalised(address string) string {
	address = strings.ToLower(strings.TrimSpace(strings.ToValidUTF8(address, "")))
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 || len(address) > MaxAddress || strings.ContainsFunc(address, unfit) {
		return ""
	}
	return address
}

// unfit reports characters that no address has.
func unfit(r rune) bool {
	return r <= ' ' || r == 0x7F || visible(r) != r || strings.ContainsRune(`<>(),;:\"[]`, r)
}

// domainOf gives the part of an address behind the @.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// person cleans an address with its name; ok is false for what is no address.
func person(a Address) (Address, bool) {
	out := Address{Name: cutRunes(oneLine(a.Name), MaxName), Address: normalised(a.Address)}
	return out, out.Address != ""
}

// persons cleans a list of addresses, each once.
func persons(all []Address) (out []Address) {
	seen := map[string]bool{}
	for _, a := range all {
		if p, ok := person(a); ok && !seen[p.Address] && len(out) < MaxAddresses {
			seen[p.Address] = true
			out = append(out, p)
		}
	}
	return out
}
