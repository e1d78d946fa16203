package message

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// decoder undoes a content transfer encoding of RFC 2045 section 6, piece by
// piece. What it keeps between pieces is a few bytes.
type decoder interface {
	// append decodes a piece and appends it to dst.
	append(dst, piece []byte) []byte
	// tail appends what was held back, at the end of the part. The line end
	// before a delimiter belongs to the delimiter; before the end of the mail it
	// is the part's.
	tail(dst []byte, mailEnds bool) []byte
}

// newDecoder gives the decoder for a Content-Transfer-Encoding. known is false
// when the name means nothing to us; then the bytes are taken as they are.
func newDecoder(name string) (d decoder, known bool) {
	name, _, _ = strings.Cut(name, ";")
	name = strings.Trim(strings.ToLower(strings.TrimSpace(stripComment(name))), `"'`)
	if i := strings.IndexAny(name, " \t,"); i >= 0 {
		name = name[:i]
	}
	switch name {
	case "base64", "base-64", "b64", "x-base64":
		return &base64Decoder{}, true
	case "quoted-printable", "quoted_printable", "quotedprintable", "quoted/printable", "qp":
		return &quotedDecoder{}, true
	case "uuencode", "x-uuencode", "x-uue", "uue":
		return &uuDecoder{}, true
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit", "none", "utf-8", "us-ascii", "x-yencode", "yenc":
		return &plainDecoder{}, true
	}
	return &plainDecoder{}, false
}

// lineEnd is a line end that is held back until it is known to whom it belongs.
type lineEnd struct {
	held [2]byte
	n    int
}

func (e *lineEnd) hold(end []byte) { e.n = copy(e.held[:], end) }

func (e *lineEnd) release(dst []byte) []byte {
	n := e.n
	e.n = 0
	return append(dst, e.held[:n]...)
}

// plainDecoder passes bytes on.
type plainDecoder struct{ end lineEnd }

func (d *plainDecoder) append(dst, piece []byte) []byte {
	text, end := cutEnd(piece)
	dst = append(d.end.release(dst), text...)
	d.end.hold(end)
	return dst
}

func (d *plainDecoder) tail(dst []byte, mailEnds bool) []byte {
	if mailEnds {
		return d.end.release(dst)
	}
	return dst
}

// base64Decoder reads base64 through junk, missing padding, and several texts
// one after another. After padding only lines that are base64 all through
// count: lists write their footers there.
type base64Decoder struct {
	quad  [4]byte
	n     int
	ended bool // padding was seen
}

func (d *base64Decoder) append(dst, piece []byte) []byte {
	text, _ := cutEnd(piece)
	if d.n == 0 && !d.ended && len(text)%4 == 0 && bytes.IndexByte(text, '=') < 0 {
		if out, err := base64.StdEncoding.AppendDecode(dst, text); err == nil {
			return out
		}
	}
	if d.ended {
		if len(text)%4 != 0 || len(text) == 0 {
			return dst
		}
		if _, err := base64.StdEncoding.AppendDecode(nil, text); err != nil {
			return dst
		}
		d.ended = false
	}
	for _, c := range piece {
		switch {
		case c == '=':
			if d.n > 1 {
				dst = d.flush(dst)
				d.ended = true
			}
			continue
		case c == '-': // the alphabet of URLs
			c = '+'
		case c == '_':
			c = '/'
		}
		if sextet[c] < 0 {
			continue
		}
		d.quad[d.n] = c
		if d.n++; d.n == 4 {
			dst = d.flush(dst)
		}
		d.ended = false
	}
	return dst
}

func (d *base64Decoder) tail(dst []byte, _ bool) []byte { return d.flush(dst) }

// flush decodes what has come of a group of four.
func (d *base64Decoder) flush(dst []byte) []byte {
	if d.n > 1 {
		if out, err := base64.RawStdEncoding.AppendDecode(dst, d.quad[:d.n]); err == nil {
			dst = out
		}
	}
	d.n = 0
	return dst
}

// sextet is the value of each character of base64, -1 for the others.
var sextet = func() (t [256]int8) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range t {
		t[i] = int8(strings.IndexByte(alphabet, byte(i)))
	}
	return t
}()

// quotedDecoder reads quoted-printable. An equals sign that means nothing is
// kept as it is, as RFC 2045 section 6.7 advises.
type quotedDecoder struct {
	held []byte // the end of a piece that needs the next one: "=" or "=X"
	end  lineEnd
}

func (d *quotedDecoder) append(dst, piece []byte) []byte {
	dst = d.end.release(dst)
	if len(d.held) > 0 {
		piece = append(d.held, piece...)
		d.held = nil
	}
	text, end := cutEnd(piece)
	if len(end) > 0 {
		text = bytes.TrimRight(text, " \t\r") // transport added them
	}
	for {
		i := bytes.IndexByte(text, '=')
		if i < 0 {
			break
		}
		dst = append(dst, text[:i]...)
		text = text[i:]
		switch {
		case len(text) > 2 && unhex(text[1]) >= 0 && unhex(text[2]) >= 0:
			dst = append(dst, byte(unhex(text[1])<<4|unhex(text[2])))
			text = text[3:]
		case len(text) == 1 && len(end) > 0: // a soft line break
			return dst
		case len(text) < 3 && len(end) == 0:
			d.held = bytes.Clone(text)
			return dst
		default:
			dst = append(dst, '=')
			text = text[1:]
		}
	}
	d.end.hold(end)
	return append(dst, text...)
}

func (d *quotedDecoder) tail(dst []byte, mailEnds bool) []byte {
	if mailEnds {
		dst = d.end.release(dst)
	}
	held := d.held
	d.held = nil
	if len(held) == 1 { // "=" at the very end: a soft break into nothing
		return dst
	}
	return append(dst, held...)
}

// uuDecoder reads the lines between begin and end of uuencode.
type uuDecoder struct{ ended bool }

func (d *uuDecoder) append(dst, piece []byte) []byte {
	text, _ := cutEnd(piece)
	switch {
	case d.ended || uuBegin(text) != "":
		return dst
	case bytes.Equal(text, []byte("end")):
		d.ended = true
		return dst
	}
	return appendUU(dst, text)
}

func (d *uuDecoder) tail(dst []byte, _ bool) []byte { return dst }

// uuBegin gives the file name of a uuencode's first line; "" when it is none.
func uuBegin(line []byte) string {
	mode, ok := bytes.CutPrefix(line, []byte("begin "))
	if !ok || len(mode) < 5 {
		return ""
	}
	digits := bytes.IndexByte(mode, ' ')
	if digits != 3 && digits != 4 || len(bytes.Trim(mode[:digits], "01234567")) > 0 {
		return ""
	}
	return strings.TrimSpace(string(mode[digits+1:]))
}

// isUU reports whether a line can be one of uuencode: its first character
// says how long it is.
func isUU(line []byte) bool {
	if len(line) < 2 || line[0] < ' ' || line[0] > '`' {
		return false
	}
	n := int(line[0]-' ') & 63
	want := (n + 2) / 3 * 4
	return n > 0 && len(line)-1 >= want-3 && len(line)-1 <= want+2
}

// appendUU decodes one line of uuencode.
func appendUU(dst, line []byte) []byte {
	if len(line) == 0 {
		return dst
	}
	n := int(line[0]-' ') & 63
	at := func(i int) byte {
		if i < len(line) {
			return (line[i] - ' ') & 63
		}
		return 0
	}
	for i := 1; n > 0; i, n = i+4, n-3 {
		a, b, c, e := at(i), at(i+1), at(i+2), at(i+3)
		group := [3]byte{a<<2 | b>>4, b<<4 | c>>2, c<<6 | e}
		dst = append(dst, group[:min(n, 3)]...)
	}
	return dst
}
