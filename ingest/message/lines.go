package message

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// bufferSize is how far lines can be looked ahead, and the longest line that is
// given in one piece; a longer one comes in several.
const bufferSize = 16 << 10

// maxBoundary is the longest boundary that is believed. RFC 2046 section 5.1.1
// allows 70 characters.
const maxBoundary = 512

// lines reads a mail line by line. Its error is sticky, and io.EOF is none.
type lines struct {
	buf   *bufio.Reader
	size  int64
	start bool // the next piece begins a line
	err   error
}

// reset begins a new mail.
func (l *lines) reset(r io.Reader) {
	l.buf.Reset(r)
	l.size, l.start, l.err = 0, true, nil
	if head, _ := l.buf.Peek(bufferSize); bareCR(head) {
		l.buf.Reset(crReader{io.MultiReader(bytes.NewReader(bytes.Clone(head)), r)}) // the buffer held head and nothing more
	}
}

// next gives the next piece, with its line end, and whether it begins a line.
// The bytes are good until the next call. ok is false at the end.
func (l *lines) next() (piece []byte, start, ok bool) {
	if l.err != nil {
		return nil, false, false
	}
	start = l.start
	piece, err := l.buf.ReadSlice('\n')
	l.size += int64(len(piece))
	l.start = err == nil
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		l.err = err
	}
	return piece, start, len(piece) > 0
}

// peek gives the next piece without taking it; empty at the end. The bytes are
// good until the next call of any kind.
func (l *lines) peek() []byte {
	if l.err != nil {
		return nil
	}
	ahead, _ := l.buf.Peek(l.buf.Buffered())
	i := bytes.IndexByte(ahead, '\n')
	if i < 0 {
		ahead, _ = l.buf.Peek(bufferSize)
		i = bytes.IndexByte(ahead, '\n')
	}
	if i < 0 {
		return ahead
	}
	return ahead[:i+1]
}

// skip takes the piece that peek gave.
func (l *lines) skip(piece []byte) {
	l.start = len(piece) > 0 && piece[len(piece)-1] == '\n'
	n, err := l.buf.Discard(len(piece))
	l.size += int64(n)
	if err != nil {
		l.err = err
	}
}

// ahead gives the bytes that come, up to a full buffer, without taking them.
func (l *lines) ahead() []byte {
	if l.err != nil {
		return nil
	}
	ahead, _ := l.buf.Peek(bufferSize)
	return ahead
}

var newline = []byte("\n")

// failed gives the error that ended the reading early, nil when it was the end.
func (l *lines) failed() error {
	if l.err == nil || errors.Is(l.err, io.EOF) {
		return nil
	}
	return l.err
}

// bareCR reports whether the lines of a text end with CR alone, as on an old
// Macintosh.
func bareCR(head []byte) bool {
	return bytes.IndexByte(head, '\n') < 0 && bytes.Count(head, []byte{'\r'}) > 1
}

// crReader turns CR into LF.
type crReader struct{ r io.Reader }

func (c crReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// cutEnd parts a line from its end.
func cutEnd(line []byte) (text, end []byte) {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		n--
		if n > 0 && line[n-1] == '\r' {
			n--
		}
	}
	return line[:n], line[n:]
}
