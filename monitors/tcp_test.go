package monitors

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

func TestTCPConnects(t *testing.T) {
	at := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	res := ask(t, config.Monitor{Kind: "tcp", Target: at})
	wantResult(t, res, status.OK, status.CauseNone, "")
	if res.Latency <= 0 || res.Phases[status.PhaseConnect] <= 0 || res.Facts.IPVersion != 4 {
		t.Errorf("latency %s, phases %v, IP version %d", res.Latency, res.Phases, res.Facts.IPVersion)
	}
	closed := freePort(t)
	wantResult(t, ask(t, config.Monitor{Kind: "tcp", Target: "127.0.0.1:" + closed}), status.Failed, status.CauseNoAnswer, "connection refused")
	wantResult(t, ask(t, config.Monitor{Kind: "tcp", Target: "169.254.169.254:80"}), status.Inconclusive, status.CauseSelf, "is a link-local address")
}

func BenchmarkTCP(b *testing.B) {
	at := serve(b, func(c net.Conn) {
		_, _ = io.WriteString(c, "220 ready\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	for _, row := range []struct {
		name string
		spec config.Monitor
	}{
		{"connect", config.Monitor{Kind: "tcp", Target: at}},
		{"banner", config.Monitor{Kind: "tcp", Target: at, Send: []config.Step{{Expect: "^220 "}}}},
	} {
		b.Run(row.name, func(b *testing.B) {
			p, err := Compile(row.spec, Env{})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			run := NewRun("m", status.LocalLocation, time.Now())
			b.ReportAllocs()
			for b.Loop() {
				run.Reset("m", status.LocalLocation, run.Due)
				if res := p.Probe(b.Context(), run); res.Outcome != status.OK {
					b.Fatal(res.Reason)
				}
			}
		})
	}
}

func TestTCPSendAndExpect(t *testing.T) {
	at := serve(t, script(nil, "S: 220 ftp ready", "C: NOOP", "S: 200 fine", "C: NAME ok", "S: 230 welcome ok"))
	t.Setenv("EVENKEEL_TEST_NAME", "ok")
	spec := config.Monitor{Kind: "tcp", Target: at, Send: []config.Step{
		{Expect: "^220 "}, {Send: "NOOP", Expect: "^200"}, {Send: "NAME ${EVENKEEL_TEST_NAME}\n", Expect: "welcome"},
	}}
	spec.Expect.Condition = `len(lines) == 3 && lines[1] == "200 fine" && latency < 5000`
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
	spec.Send[1].Expect = "^250"
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, `step 2: the server says "200 fine", want a match of "^250"`)
	spec.Send[1].Expect = "^200"
	spec.Expect.Condition = "len(lines) == 4"
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, "does not hold")
}

func TestTCPKeywordIsFoundAcrossReads(t *testing.T) {
	at := serve(t, func(c net.Conn) {
		for _, part := range []string{"\x00\x01binary SSH", "-2", ".0-x\r\n"} {
			_, _ = io.WriteString(c, part)
			var ack [1]byte
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // lets the part travel alone
			_, _ = c.Read(ack[:])
		}
	})
	spec := config.Monitor{Kind: "tcp", Target: at, Expect: config.Expect{Keyword: "SSH-2.0"}}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
	spec.Expect.Keyword = "SSH-3"
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, `does not contain "SSH-3"`)
}

func TestTLSJudgesTheCertificate(t *testing.T) {
	year := time.Now().Add(365 * 24 * time.Hour)
	good, soon, over := newAuthority(t, year), newAuthority(t, time.Now().Add(10*24*time.Hour)), newAuthority(t, time.Now().Add(-time.Hour))
	secured := func(a authority) string { return serve(t, script(a.Server, "TLS")) }
	for _, row := range []struct {
		name    string
		a       authority
		spec    config.Monitor
		outcome status.Outcome
		cause   status.Cause
		reason  string
	}{
		{"good", good, config.Monitor{}, status.OK, status.CauseNone, ""},
		{"near its end", soon, config.Monitor{}, status.Slow, status.CauseTLS, "expires in 9 days, a warning within 14 days"},
		{"too near", soon, config.Monitor{CertFails: config.Duration(20 * day)}, status.Failed, status.CauseTLS, "want more than 20 days"},
		{"near, but allowed", soon, config.Monitor{CertWithin: config.Duration(5 * day)}, status.OK, status.CauseNone, ""},
		{"over", over, config.Monitor{}, status.Failed, status.CauseTLS, "not valid now"},
		{"other name", good, config.Monitor{TLS: config.TLS{ServerName: "shop.example.org"}}, status.Failed, status.CauseTLS, "not for shop.example.org"},
		{"condition", good, config.Monitor{Expect: config.Expect{Condition: `tls == "TLS 1.3" && cert_days > 1000`}}, status.Failed, status.CauseBadAnswer, "does not hold"},
	} {
		t.Run(row.name, func(t *testing.T) {
			spec := row.spec
			spec.Kind, spec.Target, spec.TLS.CAFile = "tls", secured(row.a), row.a.File
			res := ask(t, spec)
			wantResult(t, res, row.outcome, row.cause, row.reason)
			if row.outcome == status.OK && (res.Facts.TLSVersion != "TLS 1.3" || res.Facts.CertExpiry.IsZero() || res.Facts.ChainExpiry.IsZero()) {
				t.Errorf("facts %+v", res.Facts)
			}
		})
	}
	stranger := config.Monitor{Kind: "tls", Target: secured(good)}
	wantResult(t, ask(t, stranger), status.Failed, status.CauseTLS, "unknown authority")
	stranger.TLS.Insecure = true
	wantResult(t, ask(t, stranger), status.OK, status.CauseNone, "")
	plain := serve(t, script(nil, "S: 220 I speak no TLS at all"))
	wantResult(t, ask(t, config.Monitor{Kind: "tls", Target: plain}), status.Failed, status.CauseTLS, "not TLS")
}

func TestStartTLSOfEveryProtocol(t *testing.T) {
	a := newAuthority(t, time.Now().Add(365*24*time.Hour))
	ldap := func(answer string) func(net.Conn) {
		return func(c net.Conn) {
			if _, err := io.ReadFull(c, make([]byte, len(ldapStartTLS))); err == nil {
				_, _ = io.WriteString(c, answer)
				script(a.Server, "TLS")(c)
			}
		}
	}
	postgres := func(answer string) func(net.Conn) {
		return func(c net.Conn) {
			if _, err := io.ReadFull(c, make([]byte, 8)); err == nil {
				_, _ = io.WriteString(c, answer)
				script(a.Server, "TLS")(c)
			}
		}
	}
	for _, row := range []struct {
		name, protocol string
		play           func(net.Conn)
		reason         string // "" = secured
	}{
		{"smtp", "smtp", script(a.Server, "S: 220-one", "S: 220 two", "C: EHLO [127.0.0.1]", "S: 250-mail", "S: 250-SIZE 5", "S: 250 starttls", "C: STARTTLS", "S: 220 go", "TLS"), ""},
		{"smtp without", "smtp", script(nil, "S: 220 x", "C: EHLO", "S: 250 mail"), "offers no TLS"},
		{"smtp refused", "smtp", script(nil, "S: 554 go away"), `says "554 go away", want 220`},
		{"smtp injected", "smtp", script(nil, "S: 220 x", "C: EHLO", "S: 250-mail", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go\r\n250 injected"), "before TLS began"},
		{"imap", "imap", script(a.Server, "S: * ok ready", "C: e0 STARTTLS", "S: * something", "S: e0 OK now", "TLS"), ""},
		{"imap refused", "imap", script(nil, "S: * OK ready", "C: e0 STARTTLS", "S: e0 BAD what"), `"BAD what", want OK`},
		{"imap says bye", "imap", script(nil, "S: * BYE full"), "want * OK"},
		{"pop3", "pop3", script(a.Server, "S: +OK ready", "C: STLS", "S: +OK go", "TLS"), ""},
		{"pop3 refused", "pop3", script(nil, "S: +OK ready", "C: STLS", "S: -ERR no"), `"-ERR no", want +OK`},
		{"ftp", "ftp", script(a.Server, "S: 220 ready", "C: AUTH TLS", "S: 234 go", "TLS"), ""},
		{"ftp refused", "ftp", script(nil, "S: 220 ready", "C: AUTH TLS", "S: 502 what"), "want 234"},
		{"ldap", "ldap", ldap("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"), ""},
		{"ldap in long form", "ldap", ldap("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"), ""},
		{"ldap refused", "ldap", ldap("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00"), "LDAP result 52"},
		{"ldap with an odd length", "ldap", ldap("\x30\x84\xff\xff\xff\xff"), "not believed"},
		{"postgres", "postgres", postgres("S"), ""},
		{"postgres without", "postgres", postgres("N"), "offers no TLS"},
		{"postgres of another kind", "postgres", postgres("H"), "not PostgreSQL's"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			spec := config.Monitor{Kind: "tls", Target: serve(t, row.play), StartTLS: row.protocol, TLS: config.TLS{CAFile: a.File}}
			res := askWithin(t, spec, 5*time.Second)
			if row.reason == "" {
				wantResult(t, res, status.OK, status.CauseNone, "")
			} else {
				wantResult(t, res, status.Failed, status.CauseBadAnswer, row.reason)
			}
		})
	}
}

// FuzzReply feeds foreign bytes to the readers of lines and replies.
func FuzzReply(f *testing.F) {
	for _, s := range []string{"220 ok\r\n", "220-a\r\n220 b\r\n", "220", "\r\n", "2\n", "* OK\r\n", "220-a\r\n221 b\r\n", strings.Repeat("x", 9000), "-ERR x\r\n", "$5\r\nhello\r\n", "$-1\r\n", "$99999999\r\n", ":5\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func(*dialogue) error{
			func(d *dialogue) error { _, _, err := d.reply(); return err },
			func(d *dialogue) error { _, err := d.imapDone("e1"); return err },
			func(d *dialogue) error { _, err := d.redis("PING"); return err },
			func(d *dialogue) error { _, err := d.ber(0x30); return err },
			func(d *dialogue) error { _, err := d.search("never there \x00 at all"); return err },
		} {
			ours, theirs := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer theirs.Close()
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				_, _ = theirs.Write(b)
			}()
			run := NewRun("m", "local", time.Time{})
			d := converse(t.Context(), ours, run)
			_ = read(d) // must end, and not panic
			d.close()
			<-done
			run.Text()
		}
	})
}
