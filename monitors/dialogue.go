package monitors

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/status"
)

// Limits of a conversation with a server. Whatever a server sends beyond them
// ends the run with a reason; nothing is kept of it.
const (
	maxDialogue = 1 << 20  // bytes read in one run
	maxLine     = 8 << 10  // bytes of one line
	maxReply    = 100      // lines of one reply
	maxBanner   = 64 << 10 // bytes searched for a keyword
)

// dialogue is a conversation with a server over one connection: bounded in
// what it reads, ended by its context, logged line by line.
type dialogue struct {
	conn net.Conn
	r    *bufio.Reader
	run  *Run
	stop func() bool
}

// wrong is an answer that came and was not the one wanted. It tells a server
// that answers badly from one that does not answer.
type wrong struct{ text string }

func (w *wrong) Error() string { return w.text }

func wrongf(format string, args ...any) error { return &wrong{fmt.Sprintf(format, args...)} }

// failTalk makes the result of an error in a conversation; doing says what was
// tried, as for FailErr.
func failTalk(ctx context.Context, run *Run, err error, doing string) status.Result {
	if w, ok := errors.AsType[*wrong](err); ok {
		return run.Fail(status.CauseBadAnswer, "%s: %s", doing, w.text)
	}
	return run.FailErr(ctx, err, doing)
}

// converse begins a conversation on conn; close ends it. Once ctx is over,
// whatever waits for the server returns.
func converse(ctx context.Context, conn net.Conn, run *Run) *dialogue {
	d := &dialogue{run: run, stop: interrupt(ctx, conn), r: lineReaders.Get().(*bufio.Reader)}
	d.use(&boundedConn{Conn: conn, left: maxDialogue})
	return d
}

// opening says how a conversation begins.
type opening struct {
	dial    *Dialer
	at      target
	upgrade func(*dialogue) error // asks for TLS before it begins; nil = it begins at once
	secure  *tls.Config           // nil = plain text
}

// open connects, and secures the connection when that is wanted. Unless ok, res
// is the result of the run.
func (o opening) open(ctx context.Context, run *Run) (d *dialogue, res status.Result, ok bool) {
	conn, err := o.dial.Dial(ctx, run, o.at.network, o.at.address)
	if err != nil {
		return nil, run.FailErr(ctx, err, "connecting"), false
	}
	run.Log("connected to %s", conn.RemoteAddr())
	d = converse(ctx, conn, run)
	if o.upgrade != nil && o.secure != nil {
		if err := o.upgrade(d); err != nil {
			d.close()
			return nil, failTalk(ctx, run, err, "asking for TLS"), false
		}
	}
	if o.secure != nil {
		if err := d.secure(ctx, o.secure); err != nil {
			d.close()
			return nil, failTalk(ctx, run, err, "securing the connection"), false
		}
	}
	return d, res, true
}

// lineReaders are buffers of one line for conversations; one that is over holds none.
var lineReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxLine) }}

// interrupt makes reads and writes on conn return when ctx ends; call the
// function it gives to let go of ctx.
func interrupt(ctx context.Context, conn net.Conn) (stop func() bool) {
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end) // a connection that cannot is already closed; the next read says so
	}
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}

func (d *dialogue) use(conn net.Conn) {
	d.conn = conn
	d.r.Reset(conn)
}

// close ends the conversation without a farewell. The dialogue must not be used after.
func (d *dialogue) close() {
	d.stop()
	_ = d.conn.Close() // nothing more is wanted from it
	d.r.Reset(nil)
	lineReaders.Put(d.r)
	d.r = nil
}

// line reads one line, without its end.
func (d *dialogue) line() (string, error) {
	b, err := d.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", wrongf("a line is longer than %d bytes: %s", maxLine, quote(string(b)))
	case errors.Is(err, io.EOF) && len(b) > 0:
		return "", wrongf("the connection was closed in the middle of the line %s", quote(string(b)))
	case err != nil:
		return "", err
	}
	text := strings.TrimRight(string(b), "\r\n")
	d.run.Log("< %s", text)
	return text, nil
}

// say sends text and CR LF.
func (d *dialogue) say(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	d.run.Log("> %s", text)
	_, err := io.WriteString(d.conn, text+"\r\n")
	return err
}

// whisper sends text that must not be logged; what stands for it in the log.
func (d *dialogue) whisper(what, text string) error {
	d.run.Log("> %s", what)
	_, err := io.WriteString(d.conn, text+"\r\n")
	return err
}

// reply reads a reply of SMTP or FTP: three digits, then - on every line but
// the last (RFC 5321 section 4.2.1, RFC 959 section 4.2).
func (d *dialogue) reply() (code string, lines []string, err error) {
	for len(lines) < maxReply {
		l, err := d.line()
		if err != nil {
			return "", nil, err
		}
		if len(lines) == 0 {
			if !isReply(l) {
				return "", nil, wrongf("%s is not a reply of this protocol", quote(l))
			}
			code = l[:3]
		}
		last := strings.HasPrefix(l, code) && !strings.HasPrefix(l[3:], "-")
		text := strings.TrimPrefix(l, code)
		lines = append(lines, strings.TrimLeft(text, " -"))
		if last {
			return code, lines, nil
		}
	}
	return "", nil, wrongf("the reply has more than %d lines", maxReply)
}

func isReply(l string) bool {
	if len(l) < 3 || l[0] < '1' || l[0] > '5' {
		return false
	}
	for _, c := range l[:3] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(l) == 3 || l[3] == ' ' || l[3] == '-'
}

// want reads a reply and demands its code.
func (d *dialogue) want(code string) ([]string, error) {
	got, lines, err := d.reply()
	if err != nil {
		return nil, err
	}
	if got != code {
		return nil, wrongf("the server says %s, want %s", quote(got+" "+lines[len(lines)-1]), code)
	}
	return lines, nil
}

// secure turns the connection into TLS. What the server sent ahead of the
// handshake would be taken for encrypted later, so it ends the run.
func (d *dialogue) secure(ctx context.Context, config *tls.Config) error {
	if d.r.Buffered() > 0 {
		return wrongf("the server sent more than its answer before TLS began")
	}
	d.run.Mark(status.PhaseWait)
	conn, err := Handshake(ctx, d.run, d.conn, config)
	if err != nil {
		return err
	}
	state := conn.ConnectionState()
	d.run.Log("secured with %s, %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
	d.use(conn)
	return nil
}

// conclude makes the result of a run in which everything asked for was
// answered: it may still not meet the monitor's condition, or its certificate
// may be near its end.
func conclude(run *Run, latency time.Duration, certs certLimits, cond *Condition, facts any) status.Result {
	if why := cond.failure(facts); why != "" {
		res := run.Fail(status.CauseBadAnswer, "%s", why)
		res.Latency = latency
		return res
	}
	var expiry time.Time
	if run.facts != nil {
		expiry = run.facts.CertExpiry
	}
	switch outcome, why := certs.judge(expiry); outcome {
	case status.Failed:
		res := run.Fail(status.CauseTLS, "%s", why)
		res.Latency = latency
		return res
	case status.Slow:
		return run.Slow(latency, status.CauseTLS, "%s", why)
	}
	return run.OK(latency)
}

// daysLeft is how long a certificate is still valid; 0 when there is none.
func (l certLimits) daysLeft(expiry time.Time) float64 {
	if expiry.IsZero() {
		return 0
	}
	return expiry.Sub(l.now()).Hours() / 24
}

// quote shows foreign text in a reason: in quotes, one line, bounded.
func quote(s string) string { return `"` + printable(s, maxQuoted) + `"` }

// maxQuoted is how much of a foreign text a reason shows, in bytes.
const maxQuoted = 120

// boundedConn is a connection from which only so much is read.
type boundedConn struct {
	net.Conn
	left int64
}

// Read reads until the bound is used up, then reports a wrong answer.
func (c *boundedConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, wrongf("the answer is larger than %d KiB", maxDialogue>>10)
	}
	if int64(len(b)) > c.left {
		b = b[:c.left]
	}
	n, err := c.Conn.Read(b)
	c.left -= int64(n)
	return n, err
}
