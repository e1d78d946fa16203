// Package notifytest is the other ends of the channels, for tests: a mail server
// that keeps what it takes, an endpoint for webhooks, a Slack and a PagerDuty
// that are as strict as the real ones. Each listens on a random port of this
// machine and ends with its test.
package notifytest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// MailOptions says what a mail server is like. The zero value takes everything
// without sign-in and without TLS.
type MailOptions struct {
	TLS      *tls.Config // offers STARTTLS
	Implicit bool        // TLS from the first byte instead
	User     string      // must sign in as
	Password string
	PerConn  int // mails that it takes on one connection; then it says 421
	// Refuse gives the answer to a recipient; nil takes it.
	Refuse func(to string) *smtp.SMTPError
	// Hang makes it never answer DATA.
	Hang bool
}

// Mail is one mail that was taken.
type Mail struct {
	From string   // envelope
	To   []string // envelope
	TLS  bool     // came over TLS
	Raw  []byte
}

// MailServer takes mail and keeps it.
type MailServer struct {
	Addr string // host:port

	o     MailOptions
	mu    sync.Mutex
	mails []Mail
	conns int
	more  chan struct{}
	stop  chan struct{}
}

// NewMailServer starts one.
func NewMailServer(tb testing.TB, o MailOptions) *MailServer {
	tb.Helper()
	m := &MailServer{o: o, more: make(chan struct{}), stop: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	m.Addr = l.Addr().String()
	s := smtp.NewServer(m)
	s.Domain = "mail.example.org"
	s.AllowInsecureAuth = true
	s.ReadTimeout, s.WriteTimeout = 30*time.Second, 30*time.Second
	s.MaxMessageBytes = 8 << 20
	s.ErrorLog = log.New(io.Discard, "", 0) // what clients do wrong is the test's to see
	if o.Implicit {
		l = tls.NewListener(l, o.TLS)
	} else {
		s.TLSConfig = o.TLS
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // ends with Close
	}()
	tb.Cleanup(func() {
		close(m.stop)
		_ = s.Close()
		_ = l.Close() // a server that had not begun to serve yet does not know it
		<-done
	})
	return m
}

// Mails gives what was taken, in order.
func (m *MailServer) Mails() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail(nil), m.mails...)
}

// Connections gives how many connections were made.
func (m *MailServer) Connections() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conns
}

// Await waits until n mails were taken, and gives them all. It gives up with ctx.
func (m *MailServer) Await(ctx context.Context, n int) ([]Mail, error) {
	for {
		m.mu.Lock()
		have, more := append([]Mail(nil), m.mails...), m.more
		m.mu.Unlock()
		if len(have) >= n {
			return have, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return have, context.Cause(ctx)
		}
	}
}

// NewSession is smtp.Backend's.
func (m *MailServer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	m.mu.Lock()
	m.conns++
	m.mu.Unlock()
	return &mailSession{server: m, conn: c, in: m.o.User == ""}, nil
}

// mailSession is one connection.
type mailSession struct {
	server *MailServer
	conn   *smtp.Conn
	in     bool
	from   string
	to     []string
	taken  int
}

// AuthMechanisms is smtp.AuthSession's.
func (s *mailSession) AuthMechanisms() []string {
	if s.server.o.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth is smtp.AuthSession's.
func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.o.User || password != s.server.o.Password {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

// Mail is smtp.Session's.
func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	if per := s.server.o.PerConn; per > 0 && s.taken >= per {
		go s.conn.Close()
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "enough on this connection"}
	}
	s.from = from
	return nil
}

// Rcpt is smtp.Session's.
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if refuse := s.server.o.Refuse; refuse != nil {
		if err := refuse(to); err != nil {
			return err
		}
	}
	s.to = append(s.to, to)
	return nil
}

// Data is smtp.Session's.
func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := s.server
	if m.o.Hang {
		<-m.stop
		return errors.New("the server ends")
	}
	_, secure := s.conn.TLSConnectionState()
	s.taken++
	m.mu.Lock()
	m.mails = append(m.mails, Mail{From: s.from, To: append([]string(nil), s.to...), TLS: secure, Raw: raw})
	close(m.more)
	m.more = make(chan struct{})
	m.mu.Unlock()
	return nil
}

// Reset is smtp.Session's.
func (s *mailSession) Reset() { s.from, s.to = "", nil }

// Logout is smtp.Session's.
func (s *mailSession) Logout() error { return nil }

// Read parses a mail: its header, and its text and HTML parts decoded.
func (m Mail) Read(tb testing.TB) (header mail.Header, text, html string) {
	tb.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		tb.Fatalf("the mail cannot be parsed: %v\n%s", err, m.Raw)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		tb.Fatalf("content type %q: %v", msg.Header.Get("Content-Type"), err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return msg.Header, text, html
		}
		if err != nil {
			tb.Fatal(err)
		}
		var body io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			tb.Fatal(err)
		}
		switch kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind {
		case "text/plain":
			text = strings.ReplaceAll(string(content), "\r\n", "\n")
		case "text/html":
			html = strings.ReplaceAll(string(content), "\r\n", "\n")
		}
	}
}
