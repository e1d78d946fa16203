package ticket

import (
	"strings"
	"unicode"
)

const (
	// maxIndexed bounds the words by which one message is found.
	maxIndexed = 4000
	// maxWord bounds one word, in runes; the rest of a longer one is left out.
	maxWord = 40
)

// marks stand before a word that is known to be in one place of a message. No
// text has them: fold changes them.
var marks = map[Place]string{InSender: "ƒ", InAddressee: "ŧ", InSubject: "ş"}

// Words gives what a message can be found by, in order: its text, its subject and
// that of its ticket, who wrote it and whom it went to, the names of its files.
// Words of a place of their own come a second time, marked.
func (m *Message) Words(title string) []string {
	words := split(nil, m.Text, maxIndexed)
	marked := func(p Place, texts ...string) {
		for _, text := range texts {
			if len(words) >= 2*maxIndexed {
				return
			}
			from := len(words)
			words = split(words, text, from+maxWord)
			for _, w := range words[from:] {
				words = append(words, marks[p]+w)
			}
		}
	}
	marked(InSubject, title)
	if m.Subject != title {
		marked(InSubject, m.Subject)
	}
	marked(InSender, m.Sender.Name, m.Sender.Address)
	for _, to := range [][]Address{m.To, m.Cc} {
		for _, a := range to {
			marked(InAddressee, a.Name, a.Address)
		}
	}
	for _, a := range m.Attachments {
		if !a.Inline {
			words = split(words, a.Name, len(words)+maxWord)
		}
	}
	return words
}

// Marked gives the words of a term as they stand in what Message.Words gives.
func (t Term) Marked() []string {
	out := make([]string, len(t.Words))
	for i, w := range t.Words {
		out[i] = marks[t.In] + w
	}
	return out
}

// WordsOf gives the words of a text as they are found: small letters without
// accents, and digits. Writing without blanks between words gives every two
// neighbouring characters.
func WordsOf(text string) []string { return split(nil, text, maxIndexed) }

// split appends the words of a text until there are so many.
func split(words []string, text string, most int) []string {
	var b strings.Builder
	length := 0
	end := func() {
		if length > 0 && len(words) < most {
			words = append(words, b.String())
		}
		b.Reset()
		length = 0
	}
	var before rune // of writing without blanks
	single := false // before was no part of a pair yet
	unpair := func() {
		if single && len(words) < most {
			words = append(words, string(before))
		}
		before, single = 0, false
	}
	for _, r := range text {
		if len(words) >= most {
			return words
		}
		switch {
		case r < 0x80: // most of all text
			unpair()
			switch {
			case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			case r >= 'A' && r <= 'Z':
				r += 'a' - 'A'
			default:
				end()
				continue
			}
			if length++; length <= maxWord {
				b.WriteByte(byte(r))
			}
		case unicode.In(r, unicode.Mn):
			if r > 0x36F && length < maxWord && length > 0 { // accents go; vowel signs of other scripts stay
				b.WriteRune(r)
			}
		case unspaced(r):
			end()
			if before != 0 {
				words = append(words, string(before)+string(r))
			}
			single, before = before == 0, r
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.In(r, unicode.Mc):
			unpair()
			if length++; length <= maxWord {
				b.WriteString(fold(r))
			}
		default:
			unpair()
			end()
		}
	}
	unpair()
	end()
	return words
}

// unspaced reports characters of scripts that put no blanks between words.
func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// plainLetters maps letters with accents to those without.
var plainLetters = letters(
	"aàáâãäåāăą", "cçćĉċč", "dďđð", "eèéêëēĕėęě", "gĝğġģ", "hĥħ", "iìíîïĩīĭįı", "jĵ", "kķ", "lĺļľŀł", "nñńņňŋ", "oòóôõöøōŏő",
	"rŕŗř", "sśŝşšș", "tţťŧț", "uùúûüũūŭůűų", "wŵ", "yýÿŷ", "zźżž", "fƒ",
	"αά", "εέ", "ηή", "ιίϊΐ", "οό", "υύϋΰ", "ωώ", "σς", "еёѐ", "иѝ", "іїı",
)

// letters reads groups of a plain letter and its forms.
func letters(groups ...string) map[rune]string {
	m := map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'þ': "th"}
	for _, g := range groups {
		runes := []rune(g)
		for _, r := range runes[1:] {
			if m[r] == "" {
				m[r] = string(runes[0])
			}
		}
	}
	return m
}

// fold gives the small letter without accent.
func fold(r rune) string {
	r = unicode.ToLower(r)
	if plain, ok := plainLetters[r]; ok {
		return plain
	}
	return string(r)
}
