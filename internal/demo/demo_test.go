package demo

import (
	"bytes"
	"context"
	"log/slog"
	"mime"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/miekg/dns"

	"evenkeel/internal/app"
	"evenkeel/internal/status"
)

func TestScriptBeginsQuietAndPlaysEveryService(t *testing.T) {
	seen := map[faultKind]bool{}
	for _, service := range []string{serviceShop, serviceCheckout, serviceSearch, serviceDatabase, serviceDNS, serviceMail, serviceExport} {
		if got := state(service, 0); got != healthy {
			t.Errorf("%s begins with fault %d", service, got)
		}
		for at := time.Duration(0); at < Cycle; at += time.Second {
			if first, again := state(service, at), state(service, at+Cycle); first != again {
				t.Fatalf("%s differs in the second cycle at %s", service, at)
			}
			seen[state(service, at)] = true
		}
	}
	for _, kind := range []faultKind{healthy, slow, failing, refusing, flapping, silent} {
		if !seen[kind] {
			t.Errorf("fault %d is never played", kind)
		}
	}
}

func TestPastSpansTileTime(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	start := now.Truncate(24*time.Hour).AddDate(0, 0, -pastDays)
	told := 0
	for _, id := range []string{"website", "search", "checkout", "database", "names", "mail", "export"} {
		for track, spans := range byTrack(pastSpans(status.Component{ID: id, Key: id}, start, now)) {
			at := start
			for i, s := range spans {
				if !s.From.Equal(at) {
					t.Fatalf("%s %s: span %d begins at %s, want %s", id, track, i, s.From, at)
				}
				if s.Open() != (i == len(spans)-1) {
					t.Fatalf("%s %s: only the last span is open", id, track)
				}
				if s.Status != status.Operational && track == status.Published {
					told++
				}
				at = s.To
			}
		}
	}
	if told != len(troubles) {
		t.Errorf("%d troubles are told, want %d", told, len(troubles))
	}
}

func byTrack(spans []status.Span) map[status.Track][]status.Span {
	out := map[status.Track][]status.Span{}
	for _, s := range spans {
		out[s.Track] = append(out[s.Track], s)
	}
	return out
}

func TestServicesAnswerAndEnd(t *testing.T) {
	s, err := Listen(slog.New(slog.DiscardHandler), Addresses{Web: "127.0.0.1:0", DNS: "127.0.0.1:0", Data: "127.0.0.1:0", Mail: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for _, path := range []string{"/shop", "/checkout/health", "/search/by-name", "/search/by-date", "/metrics/api/v1/query"} {
		resp, err := http.Get("http://" + s.Web.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s at the start", path, resp.Status)
		}
	}
	answer, err := dns.Exchange(new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA), s.DNS.String())
	if err != nil || len(answer.Answer) != 1 {
		t.Errorf("DNS gave %v, %v", answer, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPrepareRefusesAFolderThatIsNotTheDemos(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "evenkeel.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(t.Context(), slog.New(slog.DiscardHandler), folder, "", false); err == nil {
		t.Fatal("a folder with somebody else's database was taken")
	}
}

func TestPreparedConfigurationIsGood(t *testing.T) {
	e, err := Prepare(t.Context(), slog.New(slog.DiscardHandler), filepath.Join(t.TempDir(), "demo"), ":9090", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	file, err := app.LoadConfig(e.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if file.Page.URL != "http://127.0.0.1:9090" {
		t.Errorf("the page is said to be at %s", file.Page.URL)
	}
	for _, m := range file.Monitors {
		if m.URL == "http://"+wanted.Web && e.services.Web.String() != wanted.Web {
			t.Errorf("%s still asks %s", m.ID, m.URL)
		}
	}
}

// TestLettersAreMails: what simulated customers write is mail that anybody can read.
func TestLettersAreMails(t *testing.T) {
	at := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	for _, l := range slices.Concat(standing, letters) {
		m, err := mail.ReadMessage(bytes.NewReader(l.raw(at, "1@customers.example.net")))
		if err != nil {
			t.Fatalf("%s: %v", l.subject, err)
		}
		from, err := m.Header.AddressList("From")
		if err != nil || from[0].Address != l.address || from[0].Name != l.name {
			t.Errorf("%s: from %v, %v", l.subject, from, err)
		}
		if got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || got != l.subject {
			t.Errorf("%q reads as %q, %v", l.subject, got, err)
		}
	}
}

// TestMailboxTakesLetters: the mailbox is a server that a mail client can talk to.
func TestMailboxTakesLetters(t *testing.T) {
	m, err := OpenMailbox(slog.New(slog.DiscardHandler), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	c, err := imapclient.DialInsecure(m.Addr.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(mailboxUser, mailboxPassword).Wait(); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		box, err := c.Select("INBOX", nil).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if int(box.NumMessages) == len(standing) {
			return
		}
		<-tick.C
	}
	t.Error("the standing letters never came")
}
