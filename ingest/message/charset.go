package message

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// decodeText gives the text that bytes in a named charset stand for: valid
// UTF-8 without NUL. A charset that is unknown, or that cannot be what these
// bytes are in, gives way to a guess.
func decodeText(raw []byte, charset string) string {
	text, _ := decodeCharset(raw, charset)
	return text
}

// decodeCharset is decodeText, and says whether the name was believed.
func decodeCharset(raw []byte, charset string) (text string, believed bool) {
	if len(raw) == 0 {
		return "", true
	}
	name := charsetName(charset)
	switch name {
	case "utf7":
		return clean(decodeUTF7(raw)), true
	case "iso2022kr", "iso2022cn":
		return clean(decodeShifted(raw, name)), true
	}
	ascii := isASCII(raw)
	if ascii && !bytes.ContainsAny(raw, "\x1b\x00") && name != "hz" && !isWide(name) {
		return string(raw), true
	}
	enc := encodings[name]
	switch {
	case ascii && hasEscape(string(raw)) && !strings.HasPrefix(name, "iso2022"):
		return clean(decodeWith(japanese.ISO2022JP, raw)), false
	case name == "utf8":
		if utf8.Valid(raw) {
			return clean(string(raw)), true
		}
		if text, broken := repairUTF8(raw); broken*20 <= len(raw) {
			return clean(text), true
		}
		return clean(decodeWith(detect(raw), raw)), false
	case enc == nil:
		return clean(decodeWith(detect(raw), raw)), asciiNames[name]
	case enc == charmap.Windows1252 && utf8.Valid(raw):
		return clean(string(raw)), false // Latin-1 is never UTF-8 by chance
	}
	text = decodeWith(enc, raw)
	if broken := strings.Count(text, "\ufffd"); broken > 0 {
		if utf8.Valid(raw) {
			return clean(string(raw)), false
		}
		if broken*20 > len(raw) {
			if guess := detect(raw); guess != enc {
				if other := decodeWith(guess, raw); strings.Count(other, "\ufffd") < broken {
					return clean(other), false
				}
			}
		}
	}
	return clean(text), true
}

// decodeWith decodes with one encoding; nil is UTF-8.
func decodeWith(e encoding.Encoding, raw []byte) string {
	if e == nil {
		return strings.ToValidUTF8(string(raw), "\ufffd")
	}
	out, err := e.NewDecoder().Bytes(raw)
	if err != nil { // UTF-16 with half a character
		out = append(out, "\ufffd"...)
	}
	return string(out)
}

// repairUTF8 reads UTF-8 with a few broken bytes in it, each as Windows would.
func repairUTF8(raw []byte) (text string, broken int) {
	var b strings.Builder
	b.Grow(len(raw) + 16)
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		if r == utf8.RuneError && n == 1 {
			broken++
			if !utf8.FullRune(raw) { // cut in the middle of a character
				b.WriteRune(utf8.RuneError)
				break
			}
			r = charmap.Windows1252.DecodeByte(raw[0])
		}
		b.WriteRune(r)
		raw = raw[n:]
	}
	return b.String(), broken
}

func isASCII(raw []byte) bool {
	for _, c := range raw {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// hasEscape reports whether a text has the escape sequences of ISO-2022-JP.
func hasEscape(s string) bool {
	for {
		i := strings.IndexByte(s, 0x1b)
		if i < 0 || i+2 >= len(s) {
			return false
		}
		if s = s[i+1:]; s[0] == '$' || s[0] == '(' {
			return true
		}
	}
}

func isWide(name string) bool {
	return strings.HasPrefix(name, "utf16") || strings.HasPrefix(name, "utf32") || name == "ucs2"
}

// charsetName makes one spelling of a charset's name: lower case, letters and
// digits only, and the aliases that mailers use.
func charsetName(s string) string {
	switch s {
	case "utf-8", "UTF-8":
		return "utf8"
	case "us-ascii", "US-ASCII":
		return "usascii"
	}
	s, _, _ = strings.Cut(s, ":") // "ISO_8859-5:1988"
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s[:min(len(s), 60)])
	name = strings.TrimPrefix(name, "charset")
	if real, ok := aliases[name]; ok {
		return real
	}
	if _, ok := encodings[name]; ok {
		return name
	}
	for _, prefix := range []string{"x", "cs", "xmac", "xcp", "windows", "cp", "ibm", "iso"} { // x-sjis, csISO2022JP, windows-936, cp932
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		for _, try := range []string{rest, "windows" + rest, "cp" + rest, "iso" + rest} {
			if real, ok := aliases[try]; ok {
				return real
			}
			if _, ok := encodings[try]; ok {
				return try
			}
		}
	}
	return name
}

// asciiNames are names that promise ASCII, or nothing at all.
var asciiNames = map[string]bool{"": true, "usascii": true, "ascii": true, "8bit": true, "7bit": true, "binary": true,
	"unknown8bit": true, "xunknown": true, "unknown": true, "default": true, "ansix341968": true, "iso646us": true, "646": true}

// aliases are other names for what encodings has.
var aliases = map[string]string{
	"unicode11utf8": "utf8", "utf8mb4": "utf8", "utf8": "utf8", "u8": "utf8", "cp65001": "utf8", "65001": "utf8", "cesu8": "utf8",
	"unicode11utf7": "utf7", "utf7": "utf7", "65000": "utf7", "utf7imap": "utf7",
	"iso2022kr": "iso2022kr", "iso2022cn": "iso2022cn", "iso2022cnext": "iso2022cn",
	"latin1": "iso88591", "l1": "iso88591", "8859": "iso88591", "88591": "iso88591", "iso8859": "iso88591", "iso885911987": "iso88591", "isoir100": "iso88591", "ibm819": "iso88591", "cp819": "iso88591", "ansi": "iso88591", "iso": "iso88591", "western": "iso88591",
	"latin2": "iso88592", "l2": "iso88592", "88592": "iso88592", "iso885921987": "iso88592", "isoir101": "iso88592",
	"latin3": "iso88593", "latin4": "iso88594", "88595": "iso88595", "cyrillic": "iso88595", "arabic": "iso88596", "iso88596i": "iso88596", "iso88596e": "iso88596", "asmo708": "iso88596",
	"greek": "iso88597", "88597": "iso88597", "elot928": "iso88597", "iso885971987": "iso88597", "hebrew": "iso88598", "iso88598i": "iso88598", "iso88598e": "iso88598", "logical": "iso88598", "visual": "iso88598", "iso885981988": "iso88598",
	"latin5": "iso88599", "88599": "iso88599", "latin6": "iso885910", "latin7": "iso885913", "latin8": "iso885914", "latin9": "iso885915", "latin0": "iso885915", "885915": "iso885915", "latin10": "iso885916",
	"tis620": "windows874", "iso885911": "windows874", "tis6200": "windows874", "tis62025291": "windows874", "dos874": "windows874", "thai": "windows874", "885911": "windows874",
	"cp1250": "windows1250", "cp1251": "windows1251", "win1251": "windows1251", "cp1252": "windows1252", "win1252": "windows1252", "win1250": "windows1250", "ansicyrillic": "windows1251",
	"koi8": "koi8r", "koi": "koi8r", "koi8ru": "koi8u", "koi8unicode": "koi8u", "maccyrillic": "xmaccyrillic", "mac": "macintosh", "macroman": "macintosh", "xmacroman": "macintosh", "xmaccyrillic": "xmaccyrillic", "macukrainian": "xmaccyrillic",
	"dos866": "cp866", "866": "cp866", "alt": "cp866", "437": "cp437", "850": "cp850", "dos850": "cp850", "852": "cp852", "dos852": "cp852", "855": "cp855", "857": "cp850", "860": "cp860", "862": "cp862", "dos862": "cp862", "863": "cp863", "865": "cp865",
	"gb2312": "gb18030", "gbk": "gb18030", "gb231280": "gb18030", "cp936": "gb18030", "windows936": "gb18030", "euccn": "gb18030", "chinese": "gb18030", "ms936": "gb18030", "gb23121980": "gb18030", "gb180302000": "gb18030", "gb": "gb18030", "isoir58": "gb18030",
	"hzgb2312": "hz", "hzgb": "hz", "big5hkscs": "big5", "cnbig5": "big5", "cp950": "big5", "windows950": "big5", "big5eten": "big5", "big5et": "big5", "euctw": "big5", "ms950": "big5",
	"sjis": "shiftjis", "mskanji": "shiftjis", "cp932": "shiftjis", "windows31j": "shiftjis", "ms932": "shiftjis", "windows932": "shiftjis", "shiftjisx0213": "shiftjis", "shiftjis2004": "shiftjis", "sjiswin": "shiftjis", "31j": "shiftjis", "shiftj": "shiftjis",
	"ujis": "eucjp", "eucjpms": "eucjp", "cp51932": "eucjp", "eucjpwin": "eucjp", "extendedunixcodepackedformatforjapanese": "eucjp", "eucpkdfmtjapanese": "eucjp",
	"jis": "iso2022jp", "iso2022jp1": "iso2022jp", "iso2022jp2": "iso2022jp", "iso2022jp3": "iso2022jp", "iso2022jp2004": "iso2022jp", "iso2022jpms": "iso2022jp", "cp50220": "iso2022jp", "cp50221": "iso2022jp", "cp50222": "iso2022jp", "windows50221": "iso2022jp", "windows50220": "iso2022jp", "jis7": "iso2022jp", "iso2022": "iso2022jp",
	"ksc56011987": "euckr", "ksc56011989": "euckr", "ksc5601": "euckr", "ksc56011992": "euckr", "korean": "euckr", "cp949": "euckr", "windows949": "euckr", "uhc": "euckr", "xwindows949": "euckr", "ks": "euckr", "ms949": "euckr", "isoir149": "euckr", "949": "euckr", "5601": "euckr",
	"unicode": "utf16", "ucs2": "utf16", "iso10646ucs2": "utf16", "utf16": "utf16",
}

// encodings are what can be read, by charsetName. Latin-1 is read as Windows
// has it, and likewise its kin, which is what those who say it send.
var encodings = map[string]encoding.Encoding{
	"iso88591": charmap.Windows1252, "iso88592": charmap.ISO8859_2, "iso88593": charmap.ISO8859_3, "iso88594": charmap.ISO8859_4,
	"iso88595": charmap.ISO8859_5, "iso88596": charmap.ISO8859_6, "iso88597": charmap.ISO8859_7, "iso88598": charmap.ISO8859_8,
	"iso88599": charmap.Windows1254, "iso885910": charmap.ISO8859_10, "iso885913": charmap.ISO8859_13, "iso885914": charmap.ISO8859_14,
	"iso885915": charmap.ISO8859_15, "iso885916": charmap.ISO8859_16,
	"windows874": charmap.Windows874, "windows1250": charmap.Windows1250, "windows1251": charmap.Windows1251, "windows1252": charmap.Windows1252,
	"windows1253": charmap.Windows1253, "windows1254": charmap.Windows1254, "windows1255": charmap.Windows1255, "windows1256": charmap.Windows1256,
	"windows1257": charmap.Windows1257, "windows1258": charmap.Windows1258,
	"koi8r": charmap.KOI8R, "koi8u": charmap.KOI8U, "macintosh": charmap.Macintosh, "xmaccyrillic": charmap.MacintoshCyrillic,
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp855": charmap.CodePage855, "cp858": charmap.CodePage858,
	"cp860": charmap.CodePage860, "cp862": charmap.CodePage862, "cp863": charmap.CodePage863, "cp865": charmap.CodePage865, "cp866": charmap.CodePage866,
	"gb18030": simplifiedchinese.GB18030, "hz": simplifiedchinese.HZGB2312, "big5": traditionalchinese.Big5,
	"shiftjis": japanese.ShiftJIS, "eucjp": japanese.EUCJP, "iso2022jp": japanese.ISO2022JP, "euckr": korean.EUCKR,
	"utf16":   unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"utf16le": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "utf16be": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"utf32":   utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
	"utf32le": utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), "utf32be": utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
}

// decodeUTF7 reads RFC 2152.
func decodeUTF7(raw []byte) string {
	var b strings.Builder
	for len(raw) > 0 {
		if raw[0] != '+' {
			if raw[0] < utf8.RuneSelf {
				b.WriteByte(raw[0])
			}
			raw = raw[1:]
			continue
		}
		end := 1
		for end < len(raw) && raw[end] < utf8.RuneSelf && sextet[raw[end]] >= 0 {
			end++
		}
		if end == 1 {
			b.WriteByte('+')
		} else {
			wide, _ := base64.RawStdEncoding.AppendDecode(nil, raw[1:end])
			b.WriteString(decodeWith(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), wide[:len(wide)&^1]))
		}
		if end < len(raw) && raw[end] == '-' {
			end++
		}
		raw = raw[end:]
	}
	return b.String()
}

// decodeShifted reads ISO-2022-KR (RFC 1557) and the usual part of ISO-2022-CN
// (RFC 1922): what stands between shift out and shift in is EUC without its
// high bits.
func decodeShifted(raw []byte, name string) string {
	var e encoding.Encoding = korean.EUCKR
	if name == "iso2022cn" {
		e = simplifiedchinese.GBK
	}
	out := make([]byte, 0, len(raw))
	shifted := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == 0x1b && i+3 < len(raw) && raw[i+1] == '$':
			i += 3
		case c == 0x0e:
			shifted = true
		case c == 0x0f:
			shifted = false
		case c == '\n':
			shifted = false
			out = append(out, c)
		case shifted && c > ' ':
			out = append(out, c|0x80)
		default:
			out = append(out, c)
		}
	}
	return decodeWith(e, out)
}
