package message

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	wide "golang.org/x/text/encoding/unicode"
)

// sample is how much of a text decides what it is in.
const sample = 4 << 10

// detect guesses what bytes of no known charset are in; nil is UTF-8. It tries
// the encodings that mail without a charset comes in, and takes the one whose
// text looks most like somebody wrote it.
func detect(raw []byte) encoding.Encoding {
	if utf8.Valid(raw) {
		if hasEscape(string(raw[:min(len(raw), sample)])) {
			return japanese.ISO2022JP
		}
		return nil
	}
	if bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}) {
		return wide.UTF16(wide.LittleEndian, wide.UseBOM)
	}
	raw = highLines(raw)
	letters, high := 0, 0
	for _, c := range raw {
		switch {
		case c >= utf8.RuneSelf:
			high++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
		}
	}
	best, most := encoding.Encoding(charmap.Windows1252), latinScore(raw, high, letters)
	for _, c := range candidates {
		if score := c.score(raw, high); score > most {
			best, most = c.enc, score
		}
	}
	return best
}

// highLines gives the beginning of the lines that have bytes of 8 bits.
func highLines(raw []byte) []byte {
	var out []byte
	for line := range bytes.Lines(raw) {
		if !isASCII(line) {
			out = append(out, line[:min(len(line), sample)]...)
		}
		if len(out) >= sample {
			break
		}
	}
	return out
}

// latinScore is how likely a text is in a Latin alphabet: its high bytes are
// few, and stand alone between plain letters.
func latinScore(raw []byte, high, letters int) float64 {
	alone := 0
	for i, c := range raw {
		if c < 0xa0 {
			continue
		}
		before := i > 0 && raw[i-1] >= utf8.RuneSelf
		after := i+1 < len(raw) && raw[i+1] >= utf8.RuneSelf
		if !before && !after {
			alone++
		}
	}
	score := 0.6 * float64(alone) / float64(max(high, 1))
	if letters > 2*high {
		score += 0.4
	}
	return score
}

// hebrew is its letters without its points: bytes of points are capitals in
// Cyrillic.
var hebrew = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x5d0, Hi: 0x5ea, Stride: 1}}}

// candidate is an encoding and the letters that its texts are made of.
type candidate struct {
	enc     encoding.Encoding
	letters *unicode.RangeTable // what its texts are made of
	kana    bool                // Japanese: kana must be among them
	weight  float64
	single  bool // one byte a letter: the words must be whole in it
}

// candidates are in the order that decides between equals.
var candidates = []candidate{
	{enc: japanese.EUCJP, letters: unicode.Han, kana: true, weight: 1},
	{enc: japanese.ShiftJIS, letters: unicode.Han, kana: true, weight: 1},
	{enc: korean.EUCKR, letters: unicode.Hangul, weight: 0.98},
	{enc: simplifiedchinese.GBK, letters: unicode.Han, weight: 0.93},
	{enc: traditionalchinese.Big5, letters: unicode.Han, weight: 0.92},
	{enc: charmap.Windows1251, letters: unicode.Cyrillic, weight: 0.9, single: true},
	{enc: charmap.KOI8R, letters: unicode.Cyrillic, weight: 0.9, single: true},
	{enc: charmap.CodePage866, letters: unicode.Cyrillic, weight: 0.85, single: true},
	{enc: charmap.Windows1253, letters: unicode.Greek, weight: 0.85, single: true},
	{enc: charmap.Windows1255, letters: hebrew, weight: 0.95, single: true},
	{enc: charmap.Windows874, letters: unicode.Thai, weight: 0.8, single: true},
	{enc: charmap.Windows1256, letters: unicode.Arabic, weight: 0.8, single: true},
}

// score is between 0 and 1: the share of what was high that reads as text.
func (c candidate) score(raw []byte, high int) float64 {
	text := decodeWith(c.enc, raw)
	good, bad, kana, bytes := 0.0, 0.0, 0.0, 2.0
	if c.single {
		bytes = 1
	}
	var before rune
	for _, r := range text {
		if c.single && (plainLetter(r) && unicode.Is(c.letters, before) || plainLetter(before) && unicode.Is(c.letters, r)) {
			bad++ // two alphabets in one word
		}
		switch {
		case r < utf8.RuneSelf:
		case r == utf8.RuneError:
			bad += 3 * bytes
		case c.kana && r >= 0x3040 && r <= 0x30ff:
			kana += bytes
		case c.kana && r >= 0xff61 && r <= 0xff9f: // half-width: one byte each, and rare
			good += 0.3
		case unicode.Is(c.letters, r):
			good += c.letter(r, before)
		case r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60: // their punctuation
			if c.single {
				bad++
			} else {
				good += bytes * 0.9
			}
		case unicode.IsPunct(r) || unicode.IsSpace(r):
			good += bytes * 0.5
		default:
			bad += bytes
		}
		before = r
	}
	if c.kana {
		if kana == 0 {
			return 0
		}
		good += kana
	}
	return c.weight * (good - bad) / float64(max(high, 1))
}

func plainLetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

// letter is what one letter counts for, in bytes: less when it seldom stands
// where it does.
func (c candidate) letter(r, before rune) float64 {
	switch {
	case c.letters == hebrew && strings.ContainsRune("ךםןףץ", before): // they end words
		return -1
	case !c.single:
		if c.enc == simplifiedchinese.GBK || c.enc == traditionalchinese.Big5 {
			return 2 * commonHan(c.enc, r)
		}
		return 2
	case unicode.IsUpper(r) && unicode.IsLower(before): // the case is turned round: another encoding of the same letters
		return -1
	case unicode.IsUpper(r) && unicode.IsUpper(before):
		return 0.6
	case c.letters == unicode.Cyrillic && (r < 0x410 || r > 0x44f):
		return 0.6
	}
	return 1
}

// commonHan is how common a Chinese character is, as the plans of both tables
// put the common ones first.
func commonHan(e encoding.Encoding, r rune) float64 {
	var raw [4]byte
	n, _, err := e.NewEncoder().Transform(raw[:], []byte(string(r)), true)
	if err != nil || n != 2 {
		return 0.2
	}
	if e == simplifiedchinese.GBK {
		if raw[1] < 0xa1 || raw[0] < 0xb0 { // beyond GB 2312
			return 0.2
		}
		if raw[0] > 0xd7 {
			return 0.6
		}
		return 1
	}
	if raw[0] > 0xc6 {
		return 0.5
	}
	return 1
}
