package monitors

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// quick is the time limit of runs that are expected to hit it.
const quick = 300 * time.Millisecond

// ask compiles a monitor and runs it once.
func ask(t testing.TB, spec config.Monitor) status.Result {
	t.Helper()
	return askWithin(t, spec, 10*time.Second)
}

func askWithin(t testing.TB, spec config.Monitor, limit time.Duration) status.Result {
	t.Helper()
	p, err := Compile(spec, Env{})
	if err != nil {
		t.Fatalf("compile %s: %v", spec.Kind, err)
	}
	defer p.Close()
	return Once(t.Context(), p, "m", status.LocalLocation, limit)
}

// wantResult checks outcome, cause and a part of the reason, and shows the log when they differ.
func wantResult(t testing.TB, got status.Result, outcome status.Outcome, cause status.Cause, reason string) {
	t.Helper()
	if got.Outcome != outcome || got.Cause != cause || !strings.Contains(got.Reason, reason) || (reason == "" && got.Reason != "") {
		t.Errorf("got %s, cause %d, reason %q; want %s, %d, %q\n%s", got.Outcome, got.Cause, got.Reason, outcome, cause, reason, strings.Join(logOf(got), "\n"))
	}
}

func logOf(r status.Result) []string {
	if r.Facts == nil {
		return nil
	}
	return r.Facts.Log
}

// wantInvalid checks that a monitor is refused, naming the field.
func wantInvalid(t testing.TB, spec config.Monitor, field, text string) {
	t.Helper()
	_, err := Compile(spec, Env{})
	if err == nil {
		t.Errorf("%s: compiled, want a problem with %s", spec.Kind, field)
		return
	}
	for line := range strings.Lines(err.Error()) {
		if strings.HasPrefix(line, field+": ") && strings.Contains(line, text) && problem.KindOf(err) == problem.KindInvalid {
			return
		}
	}
	t.Errorf("%s: got %v, want a problem with %s: …%s…", spec.Kind, err, field, text)
}

// serve listens on a free port and plays one conversation with every caller.
// The connection is closed when play returns.
func serve(t testing.TB, play func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				play(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// script plays a server that talks in lines: "S: text" is said, "C: text" must
// come (as a prefix), "TLS" begins a handshake. It ends by waiting for the
// client to go.
func script(conf *tls.Config, lines ...string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for _, l := range lines {
			switch {
			case l == "TLS":
				secured := tls.Server(c, conf)
				if secured.Handshake() != nil {
					return
				}
				c, r = secured, bufio.NewReader(secured)
			case strings.HasPrefix(l, "S: "):
				if _, err := io.WriteString(c, l[3:]+"\r\n"); err != nil {
					return
				}
			case strings.HasPrefix(l, "C: "):
				got, err := r.ReadString('\n')
				if err != nil || !strings.HasPrefix(got, l[3:]) {
					_, _ = io.WriteString(c, "599 the test wants "+l[3:]+" and not "+got)
					return
				}
			}
		}
		_, _ = io.Copy(io.Discard, r)
	}
}

// authority is a throw-away certificate authority and a server certificate for localhost.
type authority struct {
	File   string // of the authority's certificate
	Server *tls.Config
}

// newAuthority makes them; the server's certificate ends at notAfter.
func newAuthority(t testing.TB, notAfter time.Time) authority {
	t.Helper()
	caKey, ca := newCertificate(t, "test authority", time.Now().Add(24*time.Hour*365), nil, nil)
	key, leaf := newCertificate(t, "localhost", notAfter, ca, caKey)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return authority{File: file, Server: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, ca.Raw}, PrivateKey: key}}, NextProtos: []string{"h2", "http/1.1"},
	}}
}

func newCertificate(t testing.TB, name string, notAfter time.Time, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: notAfter, BasicConstraintsValid: true,
	}
	signer := parentKey
	if parent == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
		parent, signer = template, key
	} else {
		template.DNSNames, template.IPAddresses = []string{name}, []net.IP{net.IPv4(127, 0, 0, 1)}
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

// hostile is what servers do to clients; every kind that talks over TCP must
// come back from each of them with a failed result, soon and without hoarding.
var hostile = map[string]func(net.Conn){
	"closes at once": func(net.Conn) {},
	"says nothing": func(c net.Conn) {
		_, _ = io.Copy(io.Discard, c)
	},
	"says no line end": func(c net.Conn) {
		line := strings.Repeat("A", 1<<12)
		for {
			if _, err := io.WriteString(c, line); err != nil {
				return
			}
		}
	},
	"says lines for ever": func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, strings.Repeat("220-more\r\n", 200)); err != nil {
				return
			}
		}
	},
	"says garbage": func(c net.Conn) {
		b := make([]byte, 4<<10)
		for {
			_, _ = rand.Read(b)
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	},
	"drips": func(c net.Conn) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(c, "2"); err != nil {
				return
			}
		}
	},
	"closes in the middle of a line": func(c net.Conn) {
		_, _ = io.WriteString(c, "* O")
	},
	"resets": func(c net.Conn) {
		_ = c.(*net.TCPConn).SetLinger(0)
	},
}

// TestHostileServersNeverHoldAKindUp plays every trick on every kind that talks over TCP.
func TestHostileServersNeverHoldAKindUp(t *testing.T) {
	for trick, play := range hostile {
		t.Run(trick, func(t *testing.T) {
			t.Parallel()
			at := serve(t, play)
			for _, spec := range []config.Monitor{
				{Kind: "tcp", Target: at, Expect: config.Expect{Keyword: "never said"}},
				{Kind: "tcp", Target: at, Send: []config.Step{{Send: "hi", Expect: "^never said$"}}},
				{Kind: "tcp", Target: at, StartTLS: "smtp"},
				{Kind: "tcp", Target: at, StartTLS: "imap"},
				{Kind: "tcp", Target: at, StartTLS: "pop3"},
				{Kind: "tcp", Target: at, StartTLS: "ftp"},
				{Kind: "tcp", Target: at, StartTLS: "ldap"},
				{Kind: "tcp", Target: at, StartTLS: "postgres"},
				{Kind: "tls", Target: at},
				{Kind: "dns", Target: at, Transport: "tcp", Query: "example.org"},
				{Kind: "dns", Target: at, Transport: "tls", Query: "example.org"},
				{Kind: "grpc", Target: at},
				{Kind: "grpc", URL: "grpcs://" + at},
				{Kind: "redis", Target: at},
				{Kind: "redis_length", Target: at, Key: "jobs"},
				{Kind: "postgres", URL: "postgres://u:secret@" + at + "/db"},
				{Kind: "sql", URL: "postgres://u:secret@" + at + "/db", Query: "select 1"},
				{Kind: "mongodb", Target: at},
				{Kind: "smtp", Target: at},
				{Kind: "imap", Target: at},
				{Kind: "kubernetes", URL: "http://" + at},
				{Kind: "prometheus", URL: "http://" + at, Query: "up"},
			} {
				res := askWithin(t, spec, quick)
				if res.Outcome != status.Failed || res.Reason == "" || (res.Cause != status.CauseNoAnswer && res.Cause != status.CauseBadAnswer && res.Cause != status.CauseTLS) {
					t.Errorf("%s %s: got %s, cause %d, reason %q; want failed with a reason", spec.Kind, spec.StartTLS, res.Outcome, res.Cause, res.Reason)
				}
				if strings.Contains(res.Reason, "EOF") || strings.Contains(res.Reason, "i/o timeout") {
					t.Errorf("%s %s: the reason %q is not for people", spec.Kind, spec.StartTLS, res.Reason)
				}
			}
			if res := askWithin(t, config.Monitor{Kind: "statuspage", URL: "http://" + at}, quick); res.Outcome != status.Inconclusive || res.Reason == "" {
				t.Errorf("statuspage: got %s, reason %q; want inconclusive with a reason", res.Outcome, res.Reason)
			}
		})
	}
}

// TestKindsRefuseWhatDoesNotFit goes through the mistakes a person makes in the file.
func TestKindsRefuseWhatDoesNotFit(t *testing.T) {
	for _, row := range []struct {
		spec  config.Monitor
		field string
		text  string
	}{
		{config.Monitor{Kind: "tcp"}, "target", "host:port"},
		{config.Monitor{Kind: "tcp", Target: "example.org"}, "target", "not host:port"},
		{config.Monitor{Kind: "tcp", Target: "example.org:70000"}, "target", "not host:port"},
		{config.Monitor{Kind: "tcp", Target: "example.org:80", TLS: config.TLS{Insecure: true}}, "tls", "starttls"},
		{config.Monitor{Kind: "tcp", Target: "example.org:80", StartTLS: "gopher"}, "starttls", "one of ftp, imap, ldap, pop3, postgres, smtp"},
		{config.Monitor{Kind: "tcp", Target: "example.org:80", Send: []config.Step{{Expect: "("}}}, "send[0].expect", "regular expression"},
		{config.Monitor{Kind: "tcp", Target: "example.org:80", Send: []config.Step{{}}}, "send[0]", "says nothing"},
		{config.Monitor{Kind: "tcp", Target: "example.org:80", Method: "GET"}, "method", "does not apply"},
		{config.Monitor{Kind: "tcp", Target: "example.org:80", Expect: config.Expect{Condition: "latencie < 5"}}, "expect.condition", "latencie"},
		{config.Monitor{Kind: "tls", Target: "example.org:443", TLS: config.TLS{CAFile: "/nonexistent"}}, "tls.ca_file", "cannot be read"},
		{config.Monitor{Kind: "dns"}, "query", "name"},
		{config.Monitor{Kind: "dns", Query: "example.org", Record: "WKS"}, "record", "one of A, AAAA, CAA"},
		{config.Monitor{Kind: "dns", Query: "example.org", Transport: "quic"}, "transport", "udp, tcp or tls"},
		{config.Monitor{Kind: "dns", Query: "example.org", Transport: "tls"}, "target", "needed"},
		{config.Monitor{Kind: "dns", Query: "example.org", Expect: config.Expect{Records: []string{"300.1.1.1"}}}, "expect.records", "type A"},
		{config.Monitor{Kind: "dns", Query: "example.org", Expect: config.Expect{Status: []string{"OK"}}}, "expect.status", "NXDOMAIN"},
		{config.Monitor{Kind: "icmp"}, "target", "host name or address"},
		{config.Monitor{Kind: "icmp", Target: "example.org:7"}, "target", "no port"},
		{config.Monitor{Kind: "icmp", Target: "example.org", Count: 1000}, "count", "at most"},
		{config.Monitor{Kind: "icmp", Target: "example.org", Size: 4}, "size", "at least"},
		{config.Monitor{Kind: "grpc", URL: "http://example.org"}, "url", "grpc, grpcs"},
		{config.Monitor{Kind: "grpc", URL: "grpc://example.org/my.Service"}, "url", "service"},
		{config.Monitor{Kind: "redis", URL: "redis://example.org/x"}, "url", "number of a database"},
		{config.Monitor{Kind: "redis", URL: "redis://a:b@example.org", Auth: config.Auth{Username: "c"}}, "auth", "keep one"},
		{config.Monitor{Kind: "redis", URL: "redis://example.org", Target: "example.org:6379"}, "url", "keep one"},
		{config.Monitor{Kind: "redis_length", URL: "redis://example.org"}, "key", "needed"},
		{config.Monitor{Kind: "postgres", URL: "postgres://example.org/db"}, "auth.username", "needed"},
		{config.Monitor{Kind: "postgres", URL: "postgres://u@example.org/db?sslmode=prefer"}, "url", "sslmode"},
		{config.Monitor{Kind: "postgres", URL: "postgres://u@example.org/db?service=x"}, "url", "not known"},
		{config.Monitor{Kind: "postgres", URL: "mysql://u@example.org/db"}, "url", "postgres"},
		{config.Monitor{Kind: "sql", URL: "postgres://u@example.org/db"}, "query", "needed"},
		{config.Monitor{Kind: "mongodb", URL: "mongodb://u:p@example.org"}, "url", "user"},
		{config.Monitor{Kind: "smtp", Target: "mail.example.org", Auth: config.Auth{Username: "u"}}, "auth", "plain text"},
		{config.Monitor{Kind: "smtp", URL: "smtps://mail.example.org", StartTLS: "required"}, "starttls", "from the start"},
		{config.Monitor{Kind: "imap", Target: "mail.example.org", StartTLS: "maybe"}, "starttls", "required"},
		{config.Monitor{Kind: "imap", URL: "imaps://mail.example.org", Auth: config.Auth{Username: "u\r\nx"}}, "auth", "line ends"},
		{config.Monitor{Kind: "kubernetes"}, "url", "URL"},
		{config.Monitor{Kind: "exec"}, "command", "needed"},
		{config.Monitor{Kind: "exec", Command: []string{"true"}, Env: map[string]string{"A=B": "c"}}, "env", "not a name"},
		{config.Monitor{Kind: "exec", Command: []string{"true"}, Env: map[string]string{"A": "${EVENKEEL_NO_SUCH}"}}, "env.A", "not set"},
		{config.Monitor{Kind: "exec", Command: []string{"true"}, Value: config.Value{WarnOver: new(5.0), FailOver: new(1.0)}}, "value.fail_over", "below"},
		{config.Monitor{Kind: "exec", Command: []string{"true"}, Value: config.Value{FailOver: new(5.0), FailUnder: new(9.0)}}, "value", "no good number"},
		{config.Monitor{Kind: "statuspage", URL: "https://status.example.org", Incidents: new(false)}, "remote_components", "needed"},
		{config.Monitor{Kind: "prometheus", URL: "http://prometheus.example.org"}, "query", "needed"},
		{config.Monitor{Kind: "prometheus", URL: "https://prometheus.example.org", Query: "up", CertWithin: config.Duration(day)}, "cert_expires_within", "does not apply"},
	} {
		wantInvalid(t, row.spec, row.field, row.text)
	}
}

// TestKindsNeverShowSecrets looks for a password in everything a failed run says.
func TestKindsNeverShowSecrets(t *testing.T) {
	const secret = "hunter2-hunter2"
	at := serve(t, func(c net.Conn) { // an echo: whatever is sent comes back in reasons
		_, _ = io.WriteString(c, "* OK 220 hello\r\n")
		_, _ = io.Copy(c, c)
	})
	auth := config.Auth{Username: "user", Password: config.Secret{Plain: secret}}
	for _, spec := range []config.Monitor{
		{Kind: "redis", Target: at, Auth: auth},
		{Kind: "redis", URL: "redis://user:" + secret + "@" + at},
		{Kind: "imap", Target: at, Auth: auth},
		{Kind: "smtp", Target: at, Auth: auth},
		{Kind: "postgres", URL: "postgres://user:" + secret + "@" + at + "/db"},
		{Kind: "prometheus", URL: "http://user:" + secret + "@" + at, Query: "up"},
		{Kind: "kubernetes", URL: "http://" + at, Auth: config.Auth{Bearer: config.Secret{Plain: secret}}},
		{Kind: "grpc", Target: at, Auth: config.Auth{Bearer: config.Secret{Plain: secret}}},
	} {
		res := askWithin(t, spec, quick)
		for _, text := range append(logOf(res), res.Reason) {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows its secret: %s", spec.Kind, text)
			}
		}
	}
}

// tlsServer takes the server's part of a handshake when it first reads.
func tlsServer(c net.Conn, a authority) net.Conn { return tls.Server(c, a.Server) }
