package monitors

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// certificates writes the server's certificate where a monitor can name it.
func certificates(t testing.TB, server *httptest.Server) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestHTTPSCertificates(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hi") }))
	defer server.Close()
	ca := certificates(t, server)
	wantHTTP(t, probed(t, config.Monitor{Kind: "http", URL: server.URL}, time.Minute), status.Failed, status.CauseTLS, "unknown authority")
	res := probed(t, config.Monitor{Kind: "http", URL: server.URL, TLS: config.TLS{CAFile: ca}}, time.Minute)
	wantHTTP(t, res, status.OK, status.CauseNone, "")
	if res.Phases[status.PhaseTLS] <= 0 || res.Facts.TLSVersion != "TLS 1.3" || !res.Facts.CertExpiry.Equal(server.Certificate().NotAfter) || res.Facts.ChainExpiry.IsZero() {
		t.Errorf("%+v %+v", res, res.Facts)
	}
	res = probed(t, config.Monitor{Kind: "http", URL: server.URL, TLS: config.TLS{Insecure: true}}, time.Minute)
	wantHTTP(t, res, status.OK, status.CauseNone, "")
	if res.Facts.CertExpiry.IsZero() || !res.Facts.ChainExpiry.IsZero() {
		t.Errorf("insecure: %+v", res.Facts)
	}
	wantHTTP(t, probed(t, config.Monitor{Kind: "http", URL: server.URL, TLS: config.TLS{CAFile: ca, ServerName: "other.test"}}, time.Minute),
		status.Failed, status.CauseTLS, "the certificate is not for other.test")

	expiry := server.Certificate().NotAfter
	at := func(before time.Duration) Env { return Env{Now: func() time.Time { return expiry.Add(-before) }} }
	spec := config.Monitor{Kind: "http", URL: server.URL, TLS: config.TLS{CAFile: ca}, CertWithin: config.Duration(14 * day), CertFails: config.Duration(2 * day)}
	for _, c := range []struct {
		before  time.Duration
		outcome status.Outcome
		cause   status.Cause
		reason  string
	}{
		{20 * day, status.OK, status.CauseNone, ""},
		{13 * day, status.Slow, status.CauseTLS, "expires in 13 days, a warning within 14 days"},
		{36 * time.Hour, status.Failed, status.CauseTLS, "the certificate expires in 36h0m0s, want more than 2 days"},
		{-day, status.Failed, status.CauseTLS, "the certificate is not valid now"},
	} {
		res := Once(t.Context(), compiled(t, spec, at(c.before)), "key", "local", time.Minute)
		wantHTTP(t, res, c.outcome, c.cause, c.reason)
	}
	// A kept connection still knows its certificate.
	fresh := false
	spec.Fresh = &fresh
	p := compiled(t, spec, at(13*day))
	for range 2 {
		wantHTTP(t, Once(t.Context(), p, "key", "local", time.Minute), status.Slow, status.CauseTLS, "13 days")
	}
}

func TestHTTPSClientCertificateAndBrokenTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(r.TLS.PeerCertificates)) }))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ca := certificates(t, server)
	spec := config.Monitor{Kind: "http", URL: server.URL, TLS: config.TLS{CAFile: ca}}
	res := probed(t, spec, time.Minute)
	if res.Outcome != status.Failed || res.Cause != status.CauseTLS {
		t.Errorf("without a client certificate: %+v", res)
	}
	spec.TLS.CertFile, spec.TLS.KeyFile, spec.Expect.Body = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), "^1$"
	wantHTTP(t, probed(t, spec, time.Minute), status.OK, status.CauseNone, "")

	plain := speaks(t, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, 100))
		io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
	})
	wantHTTP(t, probed(t, config.Monitor{Kind: "http", URL: "https://" + plain}, time.Minute),
		status.Failed, status.CauseTLS, "not TLS")
	half := speaks(t, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, 100))
		conn.Write([]byte{0x16, 0x03, 0x03, 0x00, 0x80, 2, 0})
	})
	res = probed(t, config.Monitor{Kind: "http", URL: "https://" + half}, time.Minute)
	if res.Outcome != status.Failed || res.Reason == "" {
		t.Errorf("half a handshake: %+v", res)
	}
	silent := speaks(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	wantHTTP(t, probed(t, config.Monitor{Kind: "http", URL: "https://" + silent}, 200*time.Millisecond),
		status.Failed, status.CauseNoAnswer, "securing the connection: no answer in time")
}
