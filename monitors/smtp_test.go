package monitors

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// mailServer is a real SMTP server that knows one user.
type mailServer struct{ user, password string }

func (m mailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }

type mailSession struct{ of mailServer }

func (s mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.of.user || password != s.of.password {
			return errors.New("no such user")
		}
		return nil
	}), nil
}

func (s mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s mailSession) Data(io.Reader) error                 { return nil }
func (s mailSession) Reset()                               {}
func (s mailSession) Logout() error                        { return nil }

// serveSMTP starts the server; secured says TLS from the first byte.
func serveSMTP(t *testing.T, a authority, secured bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(mailServer{"desk", "pass word"})
	s.Domain, s.TLSConfig, s.ErrorLog = "mail.example.org", a.Server, quiet{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if secured {
			_ = s.Serve(tls.NewListener(l, a.Server))
		} else {
			_ = s.Serve(l)
		}
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return l.Addr().String()
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func TestSMTPAgainstAServer(t *testing.T) {
	a := newAuthority(t, time.Now().Add(365*24*time.Hour))
	plain, secured := serveSMTP(t, a, false), serveSMTP(t, a, true)
	ca := config.TLS{CAFile: a.File}
	auth := config.Auth{Username: "desk", Password: config.Secret{Plain: "pass word"}}
	wrong := config.Auth{Username: "desk", Password: config.Secret{Plain: "guess"}}

	wantResult(t, ask(t, config.Monitor{Kind: "smtp", Target: plain}), status.OK, status.CauseNone, "")
	res := ask(t, config.Monitor{Kind: "smtp", Target: plain, StartTLS: "required", TLS: ca, Auth: auth})
	wantResult(t, res, status.OK, status.CauseNone, "")
	if res.Facts.TLSVersion == "" || res.Phases[status.PhaseTLS] <= 0 || res.Phases[status.PhaseWait] <= 0 {
		t.Errorf("TLS %q, phases %v", res.Facts.TLSVersion, res.Phases)
	}
	wantResult(t, ask(t, config.Monitor{Kind: "smtp", URL: "smtps://" + secured, TLS: ca, Auth: auth}), status.OK, status.CauseNone, "")
	wantResult(t, ask(t, config.Monitor{Kind: "smtp", URL: "smtps://" + secured, TLS: ca, Auth: wrong}), status.Failed, status.CauseBadAnswer, "signing in: the server says")
	wantResult(t, ask(t, config.Monitor{Kind: "smtp", URL: "smtps://" + secured}), status.Failed, status.CauseTLS, "unknown authority")
	spec := config.Monitor{Kind: "smtp", Target: plain, Expect: config.Expect{Keyword: "mail.example.org", Condition: `"STARTTLS" in capabilities`}}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
	spec.Expect.Keyword = "Postfix"
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, `does not contain "Postfix"`)
}

func TestSMTPLoginWhereThereIsNoPlain(t *testing.T) {
	at := serve(t, script(nil, "S: 220 old", "C: EHLO", "S: 250-old", "S: 250 AUTH=LOGIN NTLM", "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: ZGVzaw==", "S: 334 UGFzc3dvcmQ6", "C: cGFzcw==", "S: 235 fine"))
	spec := config.Monitor{Kind: "smtp", Target: at, Auth: config.Auth{Username: "desk", Password: config.Secret{Plain: "pass"}}}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
}

func TestIMAPConversations(t *testing.T) {
	auth := config.Auth{Username: `de"sk`, Password: config.Secret{Plain: `pa\ss`}}
	for _, row := range []struct {
		name   string
		auth   config.Auth
		lines  []string
		reason string
	}{
		{"greeting", config.Auth{}, []string{"S: * OK ready", "C: e1 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: e1 OK done"}, ""},
		{"login", auth, []string{"S: * OK ready", "C: e1 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: e1 OK", `C: e2 LOGIN "de\"sk" "pa\\ss"`, "S: e2 OK welcome"}, ""},
		{"wrong password", auth, []string{"S: * OK ready", "C: e1", "S: * CAPABILITY IMAP4rev1", "S: e1 OK", "C: e2", "S: e2 NO [AUTHENTICATIONFAILED] sorry"}, "signing in: the server says"},
		{"no login here", auth, []string{"S: * OK ready", "C: e1", "S: * CAPABILITY IMAP4rev1 LOGINDISABLED", "S: e1 OK"}, "allows no LOGIN"},
		{"no capabilities", config.Auth{}, []string{"S: * OK ready", "C: e1", "S: e1 OK"}, "names no capabilities"},
		{"goodbye", config.Auth{}, []string{"S: * BYE overloaded"}, "want * OK"},
	} {
		res := ask(t, config.Monitor{Kind: "imap", Target: serve(t, script(nil, row.lines...)), Auth: row.auth})
		if row.reason == "" {
			wantResult(t, res, status.OK, status.CauseNone, "")
		} else {
			wantResult(t, res, status.Failed, status.CauseBadAnswer, row.reason)
		}
	}
}
