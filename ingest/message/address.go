package message

import "strings"

// maxAddress is the longest address that is believed; RFC 5321 allows 254.
const maxAddress = 1000

// parseAddresses reads an address field: RFC 5322 section 3.4 with groups and
// comments, and what careless mailers make of it: names with commas, dots and
// no quotes, semicolons between people, brackets that never close, whole
// addresses within an encoded word. It stops at most.
func parseAddresses(raw, charset string, most int) (out []Address, cut bool) {
	if strings.TrimSpace(raw) == "" {
		return nil, false
	}
	s := addressScanner{rest: raw, charset: charset}
	for {
		a, ok := s.next()
		if !ok {
			break
		}
		if len(out) == most {
			return out, true
		}
		if a.Address == "" && strings.Contains(a.Name, "@") { // all of it in one encoded word
			if inner, _ := parseAddresses(a.Name, "", 1); len(inner) == 1 && inner[0].Address != "" && !strings.Contains(raw, a.Name) {
				a = inner[0]
			}
		}
		if a != (Address{}) {
			out = append(out, a)
		}
	}
	return out, false
}

// addressScanner reads one address after the other.
type addressScanner struct {
	rest    string
	charset string
	words   strings.Builder // the phrase or bare address so far, as written, quotes undone
	quoted  bool            // a quoted string is in it
	comment string
	angle   string
	angled  bool
}

// next gives the next address. ok is false at the end.
func (s *addressScanner) next() (a Address, ok bool) {
	s.words.Reset()
	s.quoted, s.comment, s.angle, s.angled = false, "", "", false
	for s.rest != "" {
		c := s.rest[0]
		switch c {
		case '"':
			var text string
			text, s.rest = quoted(s.rest)
			s.space()
			s.words.WriteString(text)
			s.quoted = true
			continue
		case '(':
			var text string
			text, s.rest = comment(s.rest)
			if s.comment == "" {
				s.comment = text
			}
			continue
		case '<':
			s.takeAngle()
			continue
		case ',':
			if s.nameGoesOn() {
				s.words.WriteByte(',')
				s.rest = s.rest[1:]
				continue
			}
			s.rest = s.rest[1:]
			return s.address(), true
		case ';':
			s.rest = s.rest[1:]
			return s.address(), true
		case ':': // the name of a group, unless it is within an address such as mailto:
			if !s.angled && !strings.Contains(s.words.String(), "@") && !strings.EqualFold(strings.TrimSpace(s.words.String()), "mailto") {
				s.rest = s.rest[1:]
				s.words.Reset()
				s.quoted = false
				continue
			}
			if !strings.Contains(s.words.String(), "@") {
				s.words.Reset()
				s.rest = s.rest[1:]
				continue
			}
		}
		end := strings.IndexAny(s.rest[1:], `"(<,;:`)
		if end < 0 {
			end = len(s.rest) - 1
		}
		n := end + 1
		if at := strings.Index(s.rest[:n], "=?"); at >= 0 { // an encoded word may hold what separates addresses
			n = throughWords(s.rest, at, n)
		}
		piece := s.rest[:n]
		s.rest = s.rest[n:]
		if !s.angled {
			s.words.WriteString(piece)
		}
	}
	if s.words.Len() == 0 && !s.angled && s.comment == "" {
		return Address{}, false
	}
	return s.address(), true
}

// throughWords gives where to cut s: at n, or later when an encoded word that
// begins at at, or after it, reaches further.
func throughWords(s string, at, n int) int {
	for at < n {
		if _, after, ok := encodedWord(s[at:]); ok {
			at = len(s) - len(after)
			n = max(n, at)
		} else {
			at += 2
		}
		if at >= n {
			break
		}
		next := strings.Index(s[at:n], "=?")
		if next < 0 {
			break
		}
		at += next
	}
	return n
}

// space keeps a quoted string apart from the word before it.
func (s *addressScanner) space() {
	if n := s.words.Len(); n > 0 {
		if w := s.words.String(); w[n-1] != ' ' && w[n-1] != '\t' && !strings.HasPrefix(s.rest, "@") {
			s.words.WriteByte(' ')
		}
	}
}

// takeAngle reads what stands in angle brackets. Brackets that hold no address
// before others that do are part of the name.
func (s *addressScanner) takeAngle() {
	end := strings.IndexByte(s.rest, '>')
	if end < 0 || end > maxAddress {
		end = strings.IndexAny(s.rest, ",;")
		if end < 0 || end > maxAddress {
			end = min(len(s.rest), maxAddress)
		}
		inner := s.rest[1:end]
		s.rest = s.rest[end:]
		s.angle, s.angled = inner, true
		return
	}
	inner := s.rest[1:end]
	s.rest = s.rest[end+1:]
	if i := strings.LastIndexByte(inner, '<'); i >= 0 { // "<<a@b>>"
		inner = inner[i+1:]
		s.rest = strings.TrimPrefix(s.rest, ">")
	}
	if s.angled && strings.Contains(s.angle, "@") { // two in a row, without a comma
		s.rest = ",<" + inner + ">" + s.rest
		return
	}
	s.angle, s.angled = inner, true
}

// nameGoesOn reports whether a comma is part of a name without quotes, as in
// "Doe, John <john@example.org>": no address yet, and a bracket comes before
// the next comma.
func (s *addressScanner) nameGoesOn() bool {
	if s.angled || s.quoted || s.words.Len() == 0 || strings.Contains(s.words.String(), "@") {
		return false
	}
	next := s.rest[1:]
	end := strings.IndexAny(next, `,;"`)
	if end < 0 {
		end = len(next)
	}
	open := strings.IndexByte(next[:end], '<')
	return open >= 0 && !strings.Contains(next[:open], "@") && !strings.Contains(s.words.String(), "=?")
}

// address makes one of what was collected.
func (s *addressScanner) address() Address {
	words := strings.TrimSpace(s.words.String())
	note := decodeWords(strings.TrimSpace(s.comment), s.charset)
	if s.angled {
		address := tidyAddress(s.angle)
		name := decodeWords(words, s.charset)
		if name == "" {
			name = note
		}
		if address == "" && strings.Contains(name, "@") && !strings.Contains(name, " ") {
			return Address{Address: tidyAddress(name)}
		}
		return Address{Name: tidyName(name), Address: address}
	}
	if strings.Contains(words, "@") && !strings.HasPrefix(words, "=?") {
		name := ""
		if i := strings.LastIndexAny(words, " \t"); i >= 0 { // "John Doe john@example.org", or "john @ example.org"
			if last := words[i+1:]; strings.Count(words, "@") == 1 && strings.Contains(last, "@") && !strings.HasPrefix(last, "@") && !strings.HasSuffix(last, "@") {
				name, words = words[:i], last
			}
		}
		if name == "" {
			name = note
		} else {
			name = decodeWords(name, s.charset)
		}
		return Address{Name: tidyName(name), Address: tidyAddress(words)}
	}
	name := decodeWords(words, s.charset)
	if name == "" {
		name = note
	}
	return Address{Name: tidyName(name)}
}

// comment reads a comment, with comments within it.
func comment(s string) (text, rest string) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return strings.ReplaceAll(s[1:i], `\`, ""), s[i+1:]
			}
		}
	}
	return s[1:], ""
}

// tidyAddress takes off what does not belong to an address: spaces, a source
// route, mailto:, quotes around all of it.
func tidyAddress(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if strings.HasPrefix(s, "@") {
		if _, after, ok := strings.Cut(s, ":"); ok {
			s = after
		}
	}
	s = strings.Trim(s, "'\t <>")
	if strings.ContainsAny(s, " \t") && !strings.Contains(s, `"`) {
		s = strings.Join(strings.Fields(s), "")
	}
	if strings.Contains(s, "=?") {
		s = decodeWords(s, "")
	}
	return oneLine(s[:min(len(s), maxAddress)])
}

// tidyName takes off quotes that were quoted again, and spaces.
func tidyName(s string) string {
	s = strings.TrimSpace(s)
	if n := len(s); n > 1 && (s[0] == '\'' && s[n-1] == '\'' || s[0] == '"' && s[n-1] == '"') {
		s = strings.TrimSpace(s[1 : n-1])
	}
	if strings.Contains(s, "  ") || strings.Contains(s, "\t") {
		s = strings.Join(strings.Fields(s), " ")
	}
	return s
}

// maxMessageID is the longest message id that is believed: a line of RFC 5322.
const maxMessageID = 998

// messageIDs gives the message ids of a field, without brackets: all that
// stand in brackets, else whatever words hold an at sign.
func messageIDs(raw string, most int) []string {
	raw = clean(raw)
	var out []string
	for s := raw; ; {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			break
		}
		s = s[open+1:]
		end := strings.IndexByte(s, '>')
		if end < 0 {
			end = len(s)
		}
		id := strings.Join(strings.Fields(s[:end]), "")
		if i := strings.LastIndexByte(id, '<'); i >= 0 {
			id = id[i+1:]
		}
		if id != "" {
			out = append(out, clean(clip(id, maxMessageID)))
		}
		s = s[min(end+1, len(s)):]
	}
	if out == nil {
		for _, f := range strings.Fields(raw) {
			if strings.Contains(f, "@") || !strings.Contains(strings.TrimSpace(raw), " ") {
				out = append(out, clean(clip(strings.Trim(f, "<>,;"), maxMessageID)))
			}
		}
	}
	if len(out) > most { // the root, and the last ones
		out = append(out[:1], out[len(out)-most+1:]...)
	}
	return out
}
