package quote

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarkerLines is over how many lines the words before a quote are folded.
const maxMarkerLines = 5

// maxMarker is how long they are at most, in bytes.
const maxMarker = 400

// markerAt reports how many lines from i on are the words before a quote:
// "On 3 May 2026 at 09:12, Jo <jo@example.org> wrote:"; 0 for none.
func (c *cutter) markerAt(i int) int {
	if !mayBegin(c.lines[i].bare) {
		return 0
	}
	joined := ""
	blanks := 0
	for n := range min(maxMarkerLines, len(c.lines)-i) {
		bare := c.lines[i+n].bare
		if bare == "" {
			if blanks++; blanks > 1 || !openMarker(joined) {
				return 0
			}
			continue
		}
		if n > 0 && isQuote(bare) && !strings.HasPrefix(bare, ">:") && !strings.HasPrefix(bare, "> ") && bare != ">" {
			return 0
		}
		if n > 0 {
			joined += " "
		}
		if joined += bare; len(joined) > maxMarker {
			return 0
		}
		if isMarker(joined) {
			if n > 0 && c.opensLater(i, n) { // words stood right above it
				return 0
			}
			return n + 1
		}
		if n == 0 && dateAndAddress(joined) && (c.quoteFollows(i+1) || i+1 < len(c.lines) && c.lines[i+1].bare == "") {
			return 1
		}
		if n == 0 && endsInVerb(joined) && c.quoteFollows(i+1) {
			return 1
		}
		if n > 0 && strings.HasPrefix(bare, "> ") && !strings.Contains(bare, ":") {
			return 0
		}
	}
	return 0
}

// opensLater reports whether a marker that ends n lines below i begins below i:
// with one of the opening words.
func (c *cutter) opensLater(i, n int) bool {
	if opens(c.lines[i].bare) {
		return false
	}
	for k := 1; k <= n; k++ {
		if opens(c.lines[i+k].bare) {
			return true
		}
	}
	return false
}

// openMarker reports whether the words of a marker may go on below an empty
// line: it has a time already, and no sentence ended.
func openMarker(s string) bool { return hasClock(s) && !strings.HasSuffix(s, ".") }

// mayBegin reports whether a marker may begin with a line: it opens with one
// of the words of its languages, or has a digit or an address in it.
func mayBegin(s string) bool {
	if strings.ContainsAny(s, "0123456789@") || strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") {
		return true
	}
	for _, r := range s {
		if unicode.IsDigit(r) {
			return true
		}
	}
	return opens(s)
}

// opens reports whether a line begins with an opening word.
func opens(s string) bool {
	first, _, _ := strings.Cut(s, " ")
	return len(first) < 24 && openers[strings.ToLower(strings.TrimRight(first, ",."))]
}

// openers are words that a marker begins with in the languages whose date may
// stand on the next line.
var openers = map[string]bool{"on": true, "am": true, "le": true, "el": true, "il": true, "em": true, "op": true, "den": true, "dne": true, "dnia": true, "w": true, "la": true, "a": true, "den:": true, "på": true, "ti": true, "vào": true, "pada": true, "în": true, "пн": true, "вт": true, "ср": true, "чт": true, "пт": true, "сб": true, "вс": true, "нд": true, "dana": true, "στις": true, "في": true, "בתאריך": true}

// isMarker decides on the joined words.
func isMarker(s string) bool {
	s = strings.Trim(s, "-—–*_ \t")
	end := strings.TrimRightFunc(s, func(r rune) bool { return r == ':' || r == '：' || unicode.IsSpace(r) || isMark(r) })
	colon := len(end) < len(s)
	verb := verbAtEnd(end)
	switch {
	case colon && quoting(s) && strings.Contains(s, "@"):
		return true
	case verb && (colon || strings.HasPrefix(strings.ToLower(s), "on ")) && (hasClock(s) || hasDate(s) || strings.Contains(s, "@")):
		return true
	case colon && verbWithin(s) && hasClock(s) && (strings.Contains(s, "@") || digits(s) >= 6):
		return true
	case colon && strings.Contains(s, "@") && (strings.HasSuffix(end, ">") || strings.HasSuffix(end, ")")) && (hasClock(s) || hasDate(s)) && !strings.HasPrefix(s, "<"):
		return true
	}
	return false
}

// quoting knows the words of Horde: "Quoting Jo <jo@example.org>:".
func quoting(s string) bool {
	first, rest, _ := strings.Cut(strings.ToLower(s), " ")
	switch first {
	case "quoting", "quotando", "citando", "citerar", "citerer", "citeren", "cytowanie", "cytat", "цитирую":
		return true
	}
	return first == "zitat" && strings.HasPrefix(rest, "von ")
}

// isMark knows the marks of direction that stand at the end of a line.
func isMark(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// endsInVerb reports whether a line is somebody "wrote:", without a date.
func endsInVerb(s string) bool {
	end := strings.TrimRight(s, ": ：\u00a0")
	return len(end) < len(s) && len(s) < 120 && verbAtEnd(end)
}

// dateAndAddress reports whether a line is a date and an address alone, as old
// Gmail has it in some languages.
func dateAndAddress(s string) bool {
	return len(s) < 200 && s[0] >= '0' && s[0] <= '9' && hasDate(s) && strings.HasSuffix(strings.TrimSuffix(s, ":"), ">") && strings.Contains(s, "@")
}

// quoteFollows reports whether the next line with something on it is quoted.
func (c *cutter) quoteFollows(i int) bool {
	for ; i < len(c.lines); i++ {
		if bare := c.lines[i].bare; bare != "" {
			return isQuote(bare)
		}
	}
	return false
}

// verbAtEnd reports whether words end in one of the verbs, as a word.
func verbAtEnd(s string) bool {
	low := strings.ToLower(tail(s, 40))
	for _, v := range verbs {
		if !strings.HasSuffix(low, v) {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(low[:len(low)-len(v)])
		if len(low) == len(v) || !unicode.IsLetter(before) || before > 0x2e80 {
			return true
		}
	}
	return false
}

// verbWithin reports whether one of the verbs stands somewhere, as a word.
func verbWithin(s string) bool {
	low := strings.ToLower(s)
	for _, v := range verbs {
		i := strings.Index(low, v)
		if i < 0 {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(low[:i])
		after, _ := utf8.DecodeRuneInString(low[i+len(v):])
		if (i == 0 || !unicode.IsLetter(before)) && !unicode.IsLetter(after) {
			return true
		}
	}
	return false
}

// tail gives about the last n bytes.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	for len(s) > 0 && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}

// verbs are "wrote" in the languages of mail programs.
var verbs = []string{
	"wrote", "writes", "said", "schrieb", "schrieben", "hat geschrieben", "geschrieben", "a écrit", "écrit", "a ecrit", "escribió", "escribio", "ha escrito", "ha scritto", "scrisse", "scritto", "escreveu", "schreef", "het volgende geschreven", "skrev", "skreiv", "skrifaði", "reit", "kirjoitti", "napisał(a)", "napisał", "napisała", "napisał/a", "pisze", "napsal(a)", "napsal", "napsala", "píše", "napísal(a)", "napísal", "napísala", "írta", "ezt írta", "a scris", "scris", "написал", "написала", "написал(a)", "написал(а)", "пишет", "писал", "писал(а)", "пише", "написав", "написав(ла)", "написала(ла)", "пишет(а)", "написа", "έγραψε", "yazdı", "şunu yazdı", "şunları yazdı", "tarihinde yazdı", "כתב", "כתב/ה", "כתבה", "مايلي", "كتب", "写道", "寫道", "写到", "来信", "撰写", "書きました", "が書いた", "のメール", "さんは書きました", "작성", "님이 작성", "님이 쓴 글", "썼습니다", "đã viết", "viết", "menulis", "menulis pesan", "เขียนว่า", "เขียน", "rašė", "parašė", "rakstīja", "kirjutas", "je napisao/la", "napisao", "napisala", "je napisao(la)", "je napisal", "je napisala", "je pisal", "piše", "пише(а)", "је написао", "је написао/ла", "va escriure", "ha escrit", "idatzi du", "scríobh", "ysgrifennodd", "skribis", "namespisao", "ha scritto il messaggio seguente",
}

// hasClock reports whether a time such as 9:12 or 20.42 is in the words.
func hasClock(s string) bool {
	for i := 1; i+2 < len(s); i++ {
		if (s[i] == ':' || s[i] == '.' || s[i] == 'h') && isDigit(s[i-1]) && isDigit(s[i+1]) && isDigit(s[i+2]) {
			return true
		}
	}
	return false
}

// hasDate reports whether enough digits for a date are in the words.
func hasDate(s string) bool { return digits(s) >= 3 }

func digits(s string) int {
	n := 0
	for _, r := range s {
		if r >= '0' && r <= '9' || r > 0x7f && unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
