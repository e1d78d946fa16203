package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
)

const (
	// mailWithin bounds a dialogue with the mail server, without the context.
	mailWithin = 15 * time.Second
	// mailsEach is how many mails go over one connection: servers tire of more.
	mailsEach = 100
	// mailIdle is how long an unused connection is kept for the next mail.
	mailIdle = 5 * time.Second
)

// postOffice keeps connections to the mail server, for a batch and no longer. How
// many there are at once is bounded by who sends.
type postOffice struct {
	env  *env
	host string
	port int
	tls  *tls.Config
	ssl  bool // TLS from the first byte
	how  gomail.TLSPolicy
	user string
	pass string
	helo string

	mu     sync.Mutex
	idle   []*connection
	closed bool
}

// connection is one connection to the mail server.
type connection struct {
	client  *gomail.Client
	session *smtp.Client
	socket  net.Conn
	sent    int
	expiry  *time.Timer // runs while it is idle
}

// postOffice reads where mail goes. Errors: Invalid, keys of smtp.
func (e *env) postOffice(c config.SMTP, from *mail.Address) (*postOffice, error) {
	raw, err := e.secret("url", c.URL)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, problem.Invalid("url", "is not an address such as smtp://user@mail.example.org:587 or smtps://mail.example.org:465")
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return nil, problem.Invalid("url", "has a path, which a mail server has not; special characters in a password are written %%40, %%2F and so on")
	}
	p := &postOffice{env: e, host: u.Hostname(), port: 587, ssl: u.Scheme == "smtps", user: u.User.Username()}
	if p.ssl {
		p.port = 465
	}
	if text := u.Port(); text != "" {
		if p.port, err = strconv.Atoi(text); err != nil || p.port < 1 || p.port > 65535 {
			return nil, problem.Invalid("url", "%q is not a port", text)
		}
	}
	p.pass, _ = u.User.Password()
	given, err := e.secret("password", c.Password)
	if err != nil {
		return nil, err
	}
	switch {
	case given != "" && p.pass != "":
		return nil, problem.Invalid("password", "stands in the URL too: keep one of them")
	case given != "":
		p.pass = given
	}
	if (p.user == "") != (p.pass == "") {
		return nil, problem.Invalid("password", "a user name and a password go together: smtp://user@… and password")
	}
	if p.how, err = tlsPolicy(u, p); err != nil {
		return nil, err
	}
	if from != nil {
		_, p.helo, _ = cutLast(from.Address, '@') // what the outside knows us by, not what this machine is called
	}
	p.tls = &tls.Config{ServerName: p.host, MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		if p.tls.RootCAs, err = e.authorities("ca_file", c.CAFile); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// tlsPolicy says what is demanded of a server that starts without TLS. A password
// is never sent to another machine in the clear unless the file says so.
func tlsPolicy(u *url.URL, p *postOffice) (gomail.TLSPolicy, error) {
	for key := range u.Query() {
		if key != "tls" {
			return 0, problem.Invalid("url", "there is no parameter %q; there is tls", line(key, 40))
		}
	}
	word := u.Query().Get("tls")
	switch {
	case p.ssl && word != "":
		return 0, problem.Invalid("url", "smtps:// is TLS always: leave tls out")
	case p.ssl, word == "none":
		return gomail.NoTLS, nil
	case word == "required", word == "" && p.user != "" && !thisMachine(p.host):
		return gomail.TLSMandatory, nil
	case word == "offered", word == "":
		return gomail.TLSOpportunistic, nil
	}
	return 0, problem.Invalid("url", "tls is required, offered or none, not %q", line(word, 40))
}

// thisMachine reports whether a host is the one we run on.
func thisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// authorities reads certificates. Errors: Invalid.
func (e *env) authorities(key, path string) (*x509.CertPool, error) {
	pem, err := e.ReadFile(path)
	if err != nil {
		return nil, problem.Invalid(key, "cannot be read: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, problem.Invalid(key, "holds no certificate in PEM form")
	}
	return pool, nil
}

// send hands a mail over. On a connection that went stale while it was idle
// nothing was taken, and a fresh one is tried.
func (p *postOffice) send(ctx context.Context, m *gomail.Msg) error {
	c := p.take()
	if c != nil {
		err := c.send(ctx, m)
		if !c.stale(err) || ctx.Err() != nil {
			p.give(c, err)
			return err
		}
		c.drop()
	}
	c, err := p.dial(ctx)
	if err != nil {
		return err
	}
	err = c.send(ctx, m)
	p.give(c, err)
	return err
}

// send hands a mail over on this connection.
func (c *connection) send(ctx context.Context, m *gomail.Msg) error {
	stop := context.AfterFunc(ctx, func() { _ = c.socket.Close() }) // the library takes no context
	defer stop()
	c.sent++
	err := c.client.SendWithSMTPClient(c.session, m)
	if err != nil && m.IsDelivered() { // what came after it was taken is no trouble of the mail
		c.sent = mailsEach
		return nil
	}
	return err
}

// stale reports whether a mail failed because the server had hung up before it.
func (c *connection) stale(err error) bool {
	e, ok := errors.AsType[*gomail.SendError](err)
	if !ok || c.sent < 2 {
		return false
	}
	return e.Reason == gomail.ErrConnCheck || e.Reason == gomail.ErrSMTPMailFrom && (e.ErrorCode() == 0 || e.ErrorCode() == 421)
}

// dial connects and signs in. Errors: *notice.Refusal.
func (p *postOffice) dial(ctx context.Context) (*connection, error) {
	dialer := net.Dialer{Timeout: dialWithin, ControlContext: p.env.File.ControlContext}
	socket, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(p.host, strconv.Itoa(p.port)))
	if err != nil {
		return nil, lost(ctx, err)
	}
	c := &connection{socket: socket}
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	if err := c.greet(ctx, p); err != nil {
		_ = socket.Close()
		r := lost(ctx, err)
		if r.Reason == unusable {
			r.Reason = "the mail server did not let us in: look at the user name, the password and TLS"
		}
		return nil, r
	}
	return c, nil
}

// greet introduces us to the server, secures the connection and signs in.
func (c *connection) greet(ctx context.Context, p *postOffice) (err error) {
	socket := c.socket
	if p.ssl {
		secured := tls.Client(socket, p.tls.Clone())
		if err := secured.HandshakeContext(ctx); err != nil {
			return err
		}
		socket = secured
	}
	options := []gomail.Option{
		gomail.WithPort(p.port), gomail.WithTimeout(mailWithin), gomail.WithHELO(p.helo), gomail.WithTLSConfig(p.tls.Clone()),
		gomail.WithTLSPolicy(p.how), gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithoutSMTPUTF8(),
		gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return socket, nil }),
	}
	if p.ssl {
		options = append(options, gomail.WithSSL())
	}
	if p.user != "" {
		options = append(options, gomail.WithUsername(p.user), gomail.WithPassword(p.pass), gomail.WithOpportunisticSMTPAuth(p.mechanisms()...))
	}
	if c.client, err = gomail.NewClient(p.host, options...); err != nil {
		return err
	}
	c.session, err = c.client.DialToSMTPClientWithContext(ctx)
	return err
}

// mechanisms are the ways to sign in, best first. In the clear a password goes
// only where the file allows it.
func (p *postOffice) mechanisms() []gomail.SMTPAuthType {
	list := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1}
	if !p.ssl && p.how != gomail.TLSMandatory {
		return append(list, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc)
	}
	return append(list, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin)
}

// take gives an idle connection, nil when there is none.
func (p *postOffice) take() *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle = p.idle[:n-1]
	c.expiry.Stop()
	return c
}

// give takes a connection back, or ends it when it is used up or in doubt.
func (p *postOffice) give(c *connection, err error) {
	if err != nil || c.sent >= mailsEach {
		c.drop()
		return
	}
	p.mu.Lock()
	closed := p.closed
	if !closed {
		c.expiry = time.AfterFunc(mailIdle, func() { p.expire(c) })
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if closed {
		c.drop()
	}
}

// expire ends a connection that nobody took again.
func (p *postOffice) expire(c *connection) {
	p.mu.Lock()
	i := slices.Index(p.idle, c)
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		c.drop()
	}
}

// byeWithin bounds the farewell.
const byeWithin = time.Second

// drop says goodbye and hangs up.
func (c *connection) drop() {
	_ = c.socket.SetDeadline(time.Now().Add(byeWithin))
	_ = c.session.Quit() // the server may be gone already
	_ = c.socket.Close()
}

// close ends every connection.
func (p *postOffice) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.expiry.Stop()
		c.drop()
	}
}
