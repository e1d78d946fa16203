package cluster

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxRead bounds how much of a letter is read, in bytes: what fails is said soon.
const maxRead = 6000

// unmarked are letters that no decomposition brings down to plain ones.
var unmarked = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l", 'ı': "i", 'ħ': "h",
	'’': "'", '‘': "'", 'ʼ': "'", '´': "'", '`': "'",
}

// fold writes a text small, without marks, in one form: Größe is grosse, é is e.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' || c == '\'' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	composed := false
	for _, r := range norm.NFKD.String(s) {
		if r < utf8.RuneSelf {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			b.WriteByte(byte(r))
			continue
		}
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		r = unicode.ToLower(r)
		if to, ok := unmarked[r]; ok {
			b.WriteString(to)
			continue
		}
		composed = composed || unicode.Is(unicode.Hangul, r)
		b.WriteRune(r)
	}
	out := strings.ReplaceAll(b.String(), "n't", "nt") // can't is one word
	if composed {                                      // syllables of Hangul fell apart too
		out = norm.NFC.String(out)
	}
	return out
}

// unspaced reports whether a letter belongs to a script without spaces between
// words, or with endings that are hard to tell from them.
func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

// tokens cuts a folded text into words and numbers.
func tokens(s string) []string {
	out := make([]string, 0, len(s)/6+1)
	start := -1
	for at, r := range s {
		word := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsNumber(r))
		switch {
		case word && start < 0:
			start = at
		case !word && start >= 0:
			out = append(out, s[start:at])
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, s[start:])
	}
	return out
}

// clip cuts a text to so many bytes, between letters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
