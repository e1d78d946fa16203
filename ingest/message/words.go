package message

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// maxWord is the longest encoded word that is believed; RFC 2047 section 2
// allows 75 characters, and long-winded mailers write whole lines.
const maxWord = 32 << 10

// decodeWords gives the text of an unfolded header field: encoded words of RFC
// 2047 decoded, raw bytes of 8 bits read in UTF-8, or else in the charset
// given, or else in what they look like.
//
// Words that follow each other in one charset are decoded together, as many
// mailers split between the bytes of one character, or within a shift.
func decodeWords(raw, charset string) string {
	if !strings.Contains(raw, "=?") {
		return plainWords(raw, charset)
	}
	var out strings.Builder
	var pending []byte // the bytes of the words before, not yet decoded
	pendingIn := ""
	flush := func() {
		if len(pending) > 0 {
			out.WriteString(decodeText(pending, pendingIn))
			pending = pending[:0]
		}
	}
	for raw != "" {
		at := strings.Index(raw, "=?")
		if at < 0 {
			break
		}
		w, rest, ok := encodedWord(raw[at:])
		if !ok {
			flush()
			out.WriteString(plainWords(raw[:at+2], charset))
			raw = raw[at+2:]
			continue
		}
		between := raw[:at]
		if strings.Trim(between, " \t\r\n") != "" || (between != "" && out.Len() == 0 && len(pending) == 0) {
			flush()
			out.WriteString(plainWords(between, charset))
		}
		if len(pending) > 0 && !strings.EqualFold(pendingIn, w.charset) {
			flush()
		}
		pending, pendingIn = w.appendTo(pending), w.charset
		raw = rest
	}
	flush()
	out.WriteString(plainWords(raw, charset))
	return oneLine(out.String())
}

// word is one encoded word.
type word struct {
	charset string
	base64  bool
	text    string
}

// encodedWord reads a word at the beginning of s.
func encodedWord(s string) (w word, rest string, ok bool) {
	w.charset, rest, ok = strings.Cut(s[2:min(len(s), maxWord)], "?")
	if !ok || w.charset == "" || len(w.charset) > 40 || strings.ContainsAny(w.charset, " \t=") || len(rest) < 2 || rest[1] != '?' {
		return w, s, false
	}
	w.charset, _, _ = strings.Cut(w.charset, "*") // RFC 2231 section 5: a language
	switch rest[0] {
	case 'B', 'b':
		w.base64 = true
	case 'Q', 'q':
	default:
		return w, s, false
	}
	end := strings.Index(rest[2:], "?=")
	if end < 0 {
		return w, s, false
	}
	for !w.base64 && end == 0 && len(rest) > 5 && rest[4] != ' ' { // "?Q?=C3=A9?=": the text begins with "="
		more := strings.Index(rest[3:], "?=")
		if more < 0 {
			return w, s, false
		}
		end = more + 1
	}
	w.text = rest[2 : 2+end]
	used := len(s[2:min(len(s), maxWord)]) - len(rest) + 2 + 2 + end + 2
	return w, s[used:], true
}

// appendTo appends the bytes that the word stands for.
func (w word) appendTo(dst []byte) []byte {
	if w.base64 {
		return appendBase64(dst, w.text)
	}
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c == '_':
			dst = append(dst, ' ')
		case c == '=' && i+2 < len(w.text) && unhex(w.text[i+1]) >= 0 && unhex(w.text[i+2]) >= 0:
			dst = append(dst, byte(unhex(w.text[i+1])<<4|unhex(w.text[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendBase64 decodes base64 without regard to padding and junk.
func appendBase64(dst []byte, s string) []byte {
	if out, err := base64.StdEncoding.AppendDecode(dst, []byte(s)); err == nil {
		return out
	}
	var d base64Decoder
	return d.tail(d.append(dst, []byte(s)), false)
}

// plainWords reads bytes that are no encoded word.
func plainWords(s, charset string) string {
	if isPlain(s) {
		return s
	}
	if hasEscape(s) || !utf8.ValidString(s) {
		s = decodeText([]byte(s), charset)
	}
	return oneLine(s)
}

// isPlain reports whether a text is printable ASCII all through.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// oneLine makes a header value safe to stand on one line: line ends, tabs and
// other controls become spaces, NUL goes.
func oneLine(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == 0:
			return -1
		case r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// clean makes a text storable: valid UTF-8 without NUL.
func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return s
}
