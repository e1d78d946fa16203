package incident

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"evenkeel/internal/problem"
)

// line makes one line of what somebody typed: white space becomes single
// blanks, invisible characters go. Errors: Invalid when nothing is left, it is
// too long (in characters) or no UTF-8.
func line(field, s string, most int) (string, error) {
	if !utf8.ValidString(s) {
		return "", problem.Invalid(field, "This is not text that can be read (UTF-8).")
	}
	s = strings.Join(strings.Fields(strings.Map(visible, s)), " ")
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		return "", problem.Invalid(field, "This must not be empty.")
	case n > most:
		return "", problem.Invalid(field, "This is %d characters long; %d are allowed.", n, most)
	}
	return s, nil
}

// text cleans Markdown of several lines: invisible characters go, line ends are
// plain. An empty one is refused unless optional. Errors: Invalid.
func text(field, s string, most int, optional bool) (string, error) {
	if len(s) > 4*most+most { // before any work is done on it
		return "", problem.Invalid(field, "This is too long; %d characters are allowed.", most)
	}
	if !utf8.ValidString(s) {
		return "", problem.Invalid(field, "This is not text that can be read (UTF-8).")
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	s = strings.TrimSpace(strings.Map(visible, s))
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && !optional:
		return "", problem.Invalid(field, "This must not be empty.")
	case n > most:
		return "", problem.Invalid(field, "This is %d characters long; %d are allowed.", n, most)
	}
	return s, nil
}

// visible drops what is not seen and can make a text read as something else:
// control characters but line ends and tabs, the overrides and isolates of
// writing direction (Unicode TR 9), and characters without width that are not
// needed to write any language.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.IsControl(r):
		return -1
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return -1
	case r == 0x200B, r == 0x2060, r == 0xFEFF, r == 0x00AD, r >= 0xFFF9 && r <= 0xFFFB, r >= 0xE0000 && r <= 0xE007F:
		return -1
	case r == 0x2028 || r == 0x2029:
		return '\n'
	}
	return r
}

// reference is the shape of ids of other wings: what the journal can hold.
var reference = regexp.MustCompile(`^[A-Za-z0-9._:+=-]{1,80}$`)

// outside checks an address outside: https, a host, no credentials. Errors: Invalid.
func outside(field, s string) (string, error) {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	switch {
	case len(s) > MaxURL:
		return "", problem.Invalid(field, "This address is longer than %d characters.", MaxURL)
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" || strings.ContainsFunc(s, unfit):
		return "", problem.Invalid(field, "A link outside is a whole https:// address.")
	case u.User != nil:
		return "", problem.Invalid(field, "An address must not hold a user name or password.")
	case !hostShape.MatchString(u.Host):
		return "", problem.Invalid(field, "Write the host of this address in plain letters, digits, dots and hyphens (xn--… for others).")
	}
	return u.String(), nil
}

// hostShape is a host in ASCII, with a port or not: letters of other scripts that
// look like these would be taken for them.
var hostShape = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// unfit reports characters that no address holds as they are.
func unfit(r rune) bool { return r <= ' ' || r == 0x7F || visible(r) != r }
