package message

import (
	"bytes"
	"regexp"
	"strings"
)

// addBody keeps one text part, decoded.
func (w *walker) addBody(kind use, raw []byte, ct value) {
	charset := ct.param("charset")
	if kind == readHTML && !utf8Name(charset) {
		if meta := metaCharset(raw); meta != "" && (charset == "" || asciiNames[charsetName(charset)]) {
			charset = meta
		}
	}
	text, believed := decodeCharset(raw, charset)
	if !believed && charset != "" {
		w.warn("the text is not in %s, as it says", oneLine(clip(charset, 40)))
	}
	if w.msg.Header.charset == "" && believed {
		w.msg.Header.charset = charset
	}
	text = unixLines(strings.TrimPrefix(text, "\ufeff"))
	switch kind {
	case readHTML:
		w.bodies = append(w.bodies, body{html: text, hasHTML: true})
	case readRich:
		w.bodies = append(w.bodies, body{text: plainOfEnriched(text), hasText: true, rich: true})
	default:
		if strings.EqualFold(ct.param("format"), "flowed") {
			text = unflow(text, strings.EqualFold(ct.param("delsp"), "yes"))
		}
		w.bodies = append(w.bodies, body{text: text, hasText: true})
	}
}

// addText keeps the text of a multipart that turned out to have no parts.
func (w *walker) addText(raw []byte, ct value) {
	kind := readText
	if bytes.Contains(bytes.ToLower(raw[:min(len(raw), 512)]), []byte("<html")) {
		kind = readHTML
	}
	w.text += len(raw)
	w.addBody(kind, raw, value{params: []param{{"charset", ct.param("charset")}}})
}

func utf8Name(charset string) bool { return charsetName(charset) == "utf8" }

// metaPattern finds the charset that an HTML page says it is in.
var metaPattern = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?\s*([a-z0-9_:.-]{2,40})`)

// metaCharset gives the charset of an HTML page; "" when it does not say.
func metaCharset(raw []byte) string {
	if m := metaPattern.FindSubmatch(raw[:min(len(raw), 4<<10)]); m != nil {
		return string(m[1])
	}
	return ""
}

// unixLines makes every line end \n.
func unixLines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.ReplaceAll(s, "\r", "\n")
}

// unflow joins the lines of RFC 3676: one that ends in a space goes on in the
// next, if both are quoted equally deep. The line before a signature ends.
func unflow(s string, deleteSpace bool) string {
	if !strings.Contains(s, " \n") && !strings.Contains(s, "\n ") && !strings.HasPrefix(s, " ") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	depth, open := 0, false // of the paragraph that is open
	for line := range strings.Lines(s) {
		text := strings.TrimSuffix(line, "\n")
		quotes := 0
		for quotes < len(text) && text[quotes] == '>' {
			quotes++
		}
		marks, text := text[:quotes], strings.TrimPrefix(text[quotes:], " ") // stuffed
		if open && (quotes != depth || text == "-- ") {
			b.WriteByte('\n')
			open = false
		}
		if !open && quotes > 0 {
			b.WriteString(marks)
			b.WriteByte(' ')
		}
		flowed := strings.HasSuffix(text, " ") && text != "-- "
		if flowed && deleteSpace {
			text = text[:len(text)-1]
		}
		b.WriteString(text)
		if open = flowed; !open && strings.HasSuffix(line, "\n") {
			b.WriteByte('\n')
		}
		depth = quotes
	}
	return b.String()
}

// plainOfEnriched gives the text of RFC 1896 text/enriched: one line end is a
// space, two are one, "<<" is a bracket, parameters are not text.
func plainOfEnriched(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	nofill, params := 0, 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '<' && strings.HasPrefix(s[i:], "<<"):
			b.WriteByte('<')
			i += 2
			continue
		case c == '<':
			end := strings.IndexByte(s[i:], '>')
			if end < 0 {
				b.WriteString(s[i:])
				return b.String()
			}
			switch strings.ToLower(s[i+1 : i+end]) {
			case "nofill":
				nofill++
			case "/nofill":
				nofill = max(nofill-1, 0)
			case "param":
				params++
			case "/param":
				params = max(params-1, 0)
			}
			i += end + 1
			continue
		case params > 0:
		case c == '\n' && nofill == 0:
			n := 0
			for i < len(s) && s[i] == '\n' {
				n++
				i++
			}
			if n == 1 {
				b.WriteByte(' ')
			}
			for ; n > 1; n-- {
				b.WriteByte('\n')
			}
			continue
		default:
			b.WriteByte(c)
		}
		i++
	}
	return b.String()
}
