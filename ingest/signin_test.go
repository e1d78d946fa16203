package ingest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"evenkeel/internal/inbox"
	"evenkeel/internal/problem"
	"evenkeel/internal/testkit"
)

// accessToken is a token that the Dovecot of the tests takes (RFC 7519).
func accessToken(user string, from, until time.Time) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	body := part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." +
		part(map[string]any{"sub": user, "email": user, "iat": from.Unix(), "nbf": from.Unix(), "exp": until.Unix()})
	mac := hmac.New(sha256.New, []byte(testkit.DovecotTokenKey))
	mac.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// provider gives tokens, and a new refresh token each time.
type provider struct {
	*httptest.Server
	given  int
	refuse string // error code
	bad    bool   // tokens that no server takes
}

func newProvider(t *testing.T) *provider {
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if want := fmt.Sprintf("refresh-%d", p.given); p.refuse == "" && r.FormValue("refresh_token") != want {
			p.refuse = "invalid_grant"
		}
		if p.refuse != "" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":%q}`, p.refuse)
			return
		}
		p.given++
		token := accessToken(testkit.DovecotUser, time.Now().Add(-time.Minute), time.Now().Add(time.Hour))
		if p.bad {
			token = "nonsense"
		}
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-%d"}`, token, p.given)
	}))
	t.Cleanup(p.Close)
	return p
}

// drawer is a vault in memory.
type drawer map[string][]byte

func (d drawer) Recall(_ context.Context, mailbox string) ([]byte, error) {
	if secret, there := d[mailbox]; there {
		return secret, nil
	}
	return nil, problem.NotFound("nothing")
}

func (d drawer) Keep(_ context.Context, mailbox string, secret []byte) error {
	d[mailbox] = secret
	return nil
}

func (p *provider) tokens(v Vault) *Tokens {
	return &Tokens{Mailbox: "support", First: "refresh-0", Client: p.Client(), Vault: v, Now: time.Now,
		Config: oauth2.Config{ClientID: "id", ClientSecret: "s", Endpoint: oauth2.Endpoint{TokenURL: p.URL, AuthStyle: oauth2.AuthStyleInParams}}}
}

func TestMailboxesAreEnteredEveryWay(t *testing.T) {
	d, p, v := testkit.NewDovecot(t), newProvider(t), drawer{}
	stranger := testkit.NewCertificate(t)
	for _, c := range []struct {
		name    string
		change  func(*Server)
		trouble inbox.Trouble
	}{
		{"TLS", func(*Server) {}, ""},
		{"STARTTLS", func(s *Server) { s.TLS, s.StartTLS, s.Address = false, true, d.IMAP }, ""},
		{"in the clear", func(s *Server) { s.TLS, s.Address = false, d.IMAP }, ""},
		{"XOAUTH2", func(s *Server) { s.SignIn.Tokens, s.SignIn.Mechanism = p.tokens(v), XOAUTH2 }, ""},
		{"OAUTHBEARER", func(s *Server) { s.SignIn.Tokens, s.SignIn.Mechanism = p.tokens(v), OAUTHBEARER }, ""},
		{"wrong password", func(s *Server) { s.SignIn.Password = "wrong" }, inbox.Refused},
		{"bad token", func(s *Server) { s.SignIn.Tokens, s.SignIn.Mechanism, p.bad = p.tokens(v), XOAUTH2, true }, inbox.Refused},
		{"certificate of a stranger", func(s *Server) { s.Config = trusting(t, stranger) }, inbox.Untrusted},
		{"certificate of another name", func(s *Server) { s.Host = "mail.example.org" }, inbox.Untrusted},
		{"certificate of a stranger, STARTTLS", func(s *Server) {
			s.TLS, s.StartTLS, s.Address, s.Config = false, true, d.IMAP, trusting(t, stranger)
		}, inbox.Untrusted},
		{"TLS where there is none", func(s *Server) { s.Address = d.IMAP }, inbox.Untrusted},
		{"no such folder", func(s *Server) { s.Folder = "Nowhere" }, inbox.Missing},
		{"nobody there", func(s *Server) { s.Address = "127.0.0.1:1" }, inbox.Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := secure(t, d)
			c.change(&s)
			conn, err := s.Open(t.Context())
			if c.trouble == "" {
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
				return
			}
			f, ok := errors.AsType[*Failure](err)
			if !ok || f.Trouble != c.trouble || f.Words == "" || strings.Contains(f.Error(), testkit.DovecotPassword+"\"") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A provider replaces the refresh token with every renewal: the newest is kept
// before its access token is used, and a new consent goes before what was kept.
func TestRefreshTokensAreKept(t *testing.T) {
	p, v := newProvider(t), drawer{}
	for n := range 3 {
		tokens := p.tokens(v) // as after a restart
		for range 2 {
			if _, err := tokens.Access(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if p.given != n+1 || tokens.Renew().Before(time.Now().Add(40*time.Minute)) || tokens.Renew().After(time.Now().Add(50*time.Minute)) {
			t.Errorf("%d tokens were given, the last until %v", p.given, tokens.Renew())
		}
	}
	p.refuse = "invalid_grant"
	_, err := p.tokens(v).Access(t.Context())
	if f, ok := errors.AsType[*Failure](err); !ok || !f.Consent || f.Trouble != inbox.Refused {
		t.Errorf("got %v", err)
	}
	p.refuse, p.given = "", 0
	again := p.tokens(v)
	again.First = "refresh-0 " // somebody consented anew
	if got, err := again.refresh(t.Context()); err != nil || got != "refresh-0 " {
		t.Errorf("got %q, %v", got, err)
	}
}

// A server that goes silent while an answer is due: the wire is cut, and says why.
func TestSilentServerIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		w := newWire(ours)
		read := func() error { _, err := w.Read(make([]byte, 10)); return err }
		done := w.until(t.Context())
		go func() {
			<-time.After(SilentFor - time.Second)
			_, _ = theirs.Write([]byte("* OK"))
		}()
		if err := read(); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		err := w.cause(read())
		if took := time.Since(begun); !errors.Is(err, errSilent) || took != SilentFor {
			t.Errorf("cut after %v: %v", took, err)
		}
		done()
	})
	synctest.Test(t, func(t *testing.T) { // nothing is due: it may be silent as long as it likes
		ours, theirs := net.Pipe()
		w := newWire(ours)
		w.until(t.Context())()
		go func() {
			<-time.After(10 * SilentFor)
			_, _ = theirs.Write([]byte("* OK"))
			theirs.Close()
		}()
		if _, err := w.Read(make([]byte, 10)); err != nil {
			t.Errorf("got %v", err)
		}
		w.Close()
	})
}
