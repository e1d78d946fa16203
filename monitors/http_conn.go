package monitors

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"time"

	"evenkeel/internal/status"
)

// secureTo gives how to secure a connection: to the probe's own target as the
// file says; a stranger that a redirect leads to never sees the client certificate.
func (p *httpProbe) secureTo(to endpoint) *tls.Config {
	conf := p.tls.Clone()
	if to != p.first {
		conf.Certificates, conf.ServerName = nil, ""
	}
	if conf.ServerName == "" {
		conf.ServerName = to.name
	}
	return conf
}

// proxyTLS secures the connection to an https proxy: by the authorities of the
// monitor, without its client certificate.
func proxyTLS(conf *tls.Config, proxy *url.URL) *tls.Config {
	if conf == nil || proxy.Scheme != "https" {
		return nil
	}
	c := conf.Clone()
	c.ServerName, c.Certificates, c.InsecureSkipVerify = proxy.Hostname(), nil, false
	return c
}

// forwards reports whether requests to e are handed to an HTTP proxy as they
// are, rather than through a tunnel.
func (d *Dialer) forwards(e endpoint) bool {
	return d.proxy != nil && d.proxy.Scheme != "socks5" && !e.https
}

// httpConn is one connection to one endpoint.
type httpConn struct {
	net.Conn
	raw   syscall.RawConn // to see whether it is still open; nil when that cannot be seen
	to    endpoint
	left  int64     // bytes that may still be read, for the header
	ended bool      // the other side has closed it
	facts httpFacts // of the connection: IP version and TLS
}

// Read reads until the limit of the header is used up.
func (c *httpConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, wrongf("the header is larger than %d KiB", maxHTTPHeader>>10)
	}
	if int64(len(b)) > c.left {
		b = b[:c.left]
	}
	n, err := c.Conn.Read(b)
	c.left -= int64(n)
	c.ended = c.ended || errors.Is(err, io.EOF)
	return n, err
}

func (c *httpConn) close() { _ = c.Conn.Close() } // nothing more is wanted from it

// alive reports whether an idle connection is still open and silent: the other
// side may have closed it since the last run, and that is not its failure.
func (c *httpConn) alive() bool {
	if c.raw == nil {
		return true
	}
	open := false
	var b [1]byte
	// Control, not Read: the deadline of the run before has passed by now.
	err := c.raw.Control(func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		open = errors.Is(err, syscall.EAGAIN)
	})
	return err == nil && open
}

// exchangeError says at which step an exchange ended.
type exchangeError struct {
	doing string
	err   error
}

func (e *exchangeError) Error() string { return e.doing + ": " + e.err.Error() }

func (e *exchangeError) Unwrap() error { return e.err }

// exchange sends one request and reads the whole answer. When a kept connection
// turns out to be closed before any byte came, a request that may be repeated
// is sent again over a new one.
func (p *httpProbe) exchange(ctx context.Context, run *Run, ask request, ans *answer) error {
	ans.reset()
	conn := p.take(ask.to)
	reused := conn != nil
	for {
		if conn == nil {
			var err error
			if conn, err = p.connect(ctx, run, ask.to); err != nil {
				return err
			}
		} else {
			run.Log("using the kept connection")
		}
		clean, err := p.speak(ctx, run, conn, ask, ans)
		if clean && p.keep && ask.to == p.first {
			p.give(conn)
		} else {
			conn.close()
		}
		if err == nil || !reused || ans.began || !repeatable(ask.method) || ctx.Err() != nil {
			return err
		}
		run.Log("the kept connection was closed by the other side")
		conn, reused = nil, false
	}
}

// repeatable reports whether sending a request twice does no more than once
// (RFC 9110 section 9.2.2).
func repeatable(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// take gives the kept connection when it leads there, is still open, and this
// is not one of the runs that must open a new one.
func (p *httpProbe) take(to endpoint) *httpConn {
	if !p.keep || to != p.first {
		return nil
	}
	p.mu.Lock()
	conn := p.idle
	p.idle = nil
	p.runs++
	renew := p.freshEvery > 0 && p.runs%p.freshEvery == 0
	p.mu.Unlock()
	if conn != nil && (renew || !conn.alive()) {
		conn.close()
		return nil
	}
	return conn
}

// give keeps the connection for the next run.
func (p *httpProbe) give(conn *httpConn) {
	p.mu.Lock()
	old := p.idle
	p.idle = conn
	p.mu.Unlock()
	if old != nil { // a run by hand kept one meanwhile
		old.close()
	}
}

// connect opens a connection and secures it.
func (p *httpProbe) connect(ctx context.Context, run *Run, to endpoint) (*httpConn, error) {
	var conn net.Conn
	var err error
	if p.dialer.forwards(to) {
		conn, err = p.dialer.DialProxy(ctx, run)
	} else {
		conn, err = p.dialer.Dial(ctx, run, "tcp", to.address)
	}
	if err != nil {
		return nil, &exchangeError{"connecting", err}
	}
	c := &httpConn{to: to}
	if p.keep {
		if s, ok := conn.(syscall.Conn); ok {
			c.raw, _ = s.SyscallConn() // without it the connection is taken for open
		}
	}
	run.Log("connected to %s", conn.RemoteAddr())
	if to.https {
		secured, err := Handshake(ctx, run, conn, p.secureTo(to))
		if err != nil {
			return nil, &exchangeError{"securing the connection", err}
		}
		conn = secured
		run.Log("secured with %s, the certificate expires %s", run.facts.TLSVersion, run.facts.CertExpiry.UTC().Format(time.DateOnly))
	}
	c.Conn = conn
	f := run.Facts()
	c.facts = httpFacts{ipVersion: f.IPVersion, tlsVersion: f.TLSVersion, certExpiry: f.CertExpiry, chainExpiry: f.ChainExpiry}
	return c, nil
}

// readers are buffers for answers; an idle connection holds none. Nearly every
// header fits in, and a body that is longer is read past them.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 2<<10) }}

// speak sends the request over conn and reads the answer. clean says that the
// connection can serve another request.
func (p *httpProbe) speak(ctx context.Context, run *Run, conn *httpConn, ask request, ans *answer) (clean bool, err error) {
	stop := interrupt(ctx, conn)
	defer func() { clean = stop() && clean }()
	ans.facts = conn.facts
	conn.left = maxHTTPHeader
	if _, err := conn.Write(ask.wire); err != nil {
		return false, &exchangeError{"sending the request", err}
	}
	r := readers.Get().(*bufio.Reader)
	r.Reset(conn)
	defer func() {
		r.Reset(nil)
		readers.Put(r)
	}()
	if _, err := r.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the connection was closed without an answer")
		}
		return false, &exchangeError{"waiting for the answer", err}
	}
	ans.began = true
	run.Mark(status.PhaseWait)
	resp, err := readHeader(r, ask.method)
	if err != nil {
		if conn.ended {
			err = wrongf("the connection was closed in the middle of it")
		}
		return false, &exchangeError{"reading the header", err}
	}
	conn.left = math.MaxInt64
	ans.take(resp)
	err = ans.read(resp, p.maxBody, p.expect.wantsBody())
	run.Mark(status.PhaseTransfer)
	if err != nil {
		return false, &exchangeError{"reading the body", err}
	}
	return !resp.Close && r.Buffered() == 0, nil
}

// methodRequests tells ReadResponse what was asked: only the method matters to it.
var methodHead, methodOther = &http.Request{Method: http.MethodHead}, &http.Request{Method: http.MethodGet}

// readHeader reads up to the final answer's header.
func readHeader(r *bufio.Reader, method string) (*http.Response, error) {
	asked := methodOther
	if method == http.MethodHead {
		asked = methodHead
	}
	for range maxInterim {
		resp, err := http.ReadResponse(r, asked)
		switch {
		case err == nil && (resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols):
			return resp, nil
		case err == nil:
			continue // 1xx: the answer is still to come
		case isNetwork(err):
			return nil, err
		}
		if w, ok := errors.AsType[*wrong](err); ok {
			return nil, w
		}
		return nil, wrongf("the answer is not HTTP: %s", printable(rootText(err), maxQuoted))
	}
	return nil, fmt.Errorf("more than %d answers before the final one", maxInterim)
}

// isNetwork tells errors of the connection from errors of what came over it.
func isNetwork(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	return ok
}
