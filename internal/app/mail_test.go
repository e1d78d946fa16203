package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/api"
	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/inbox"
	"evenkeel/internal/store"
	"evenkeel/internal/telemetry"
	"evenkeel/internal/testkit"
	"evenkeel/internal/ticket"
)

// complaint is a mail of somebody who writes in.
func complaint(n int) string {
	return fmt.Sprintf("From: Ann <ann%d@example.org>\nTo: support@example.org\nSubject: Complaint %04d\nMessage-ID: <complaint-%d@example.org>\nDate: Sat, 21 Nov 2026 08:00:00 +0000\n\nIt does not work, for the %dth time.\n", n%50, n, n, n)
}

// complaints gives mails from to to.
func complaints(from, to int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for n := from; n <= to; n++ {
			if !yield(complaint(n)) {
				return
			}
		}
	}
}

// supportMailbox is the configuration of a hub that reads a Dovecot.
func supportMailbox(d *testkit.Dovecot, more string) string {
	return fmt.Sprintf(`
page: {name: Example Ltd}
components: [{id: shop}]
mailboxes:
  - {name: support, url: "%s", password: %s, ca_file: %s, since: all, from: support@example.org%s}
`, strings.Replace(d.URL("imaps"), "127.0.0.1", "localhost", 1), testkit.DovecotPassword, d.Certificate.CA, more)
}

// taken is what the record of a stopped hub says of mails: the ledger, and how
// many messages each Message-ID became.
func (s site) taken(tb testing.TB) (ledger []inbox.Mail, messages map[string]int) {
	tb.Helper()
	st, err := store.Open(tb.Context(), store.Options{URL: s.database, DataDir: s.data, Log: telemetry.NewLogger(tb.Output(), "warn", "text"), ReadOnly: true})
	if err != nil {
		tb.Fatal(err)
	}
	defer st.Close(tb.Context())
	for before := ""; ; before = ledger[len(ledger)-1].ID {
		page, err := st.Mails(tb.Context(), inbox.Query{Before: before, Limit: inbox.MaxPage})
		if err != nil {
			tb.Fatal(err)
		}
		if ledger = append(ledger, page...); len(page) < inbox.MaxPage {
			break
		}
	}
	messages = map[string]int{}
	tickets := map[string]bool{}
	for _, m := range ledger {
		if m.Ticket == "" || tickets[m.Ticket] {
			continue
		}
		tickets[m.Ticket] = true
		all, err := st.Messages(tb.Context(), m.Ticket)
		if err != nil {
			tb.Fatal(err)
		}
		for _, message := range all {
			if message.Form == ticket.In {
				messages[message.MessageID]++
			}
		}
	}
	return ledger, messages
}

// TestKilledHubTicketsEveryMailOnce (promises 1 and 5): kill -9 at any instant,
// while mail comes in and is moved away, loses none and tickets none twice.
func TestKilledHubTicketsEveryMailOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the real program is left to the long run")
	}
	program := evenkeel(t)
	if program == "" {
		t.Fatal("no program")
	}
	d, s := testkit.NewDovecot(t), newSite(t)
	path := s.config(t, supportMailbox(d, `, after: "move:Processed"`))
	const waves, each = 6, 150
	for wave := range waves {
		d.Put(t, complaints(wave*each+1, (wave+1)*each))
		hub := launch(t, path)
		pass(t, rand.N(1200*time.Millisecond))
		hub.kill()
	}
	hub := launch(t, path)
	hub.await("every mail to be dealt with and moved", func() bool {
		var last api.Ledger
		return d.Count(t, "") == 0 && d.Count(t, "Processed") == waves*each &&
			hub.manage("/api/v1/mailboxes/support/ledger?limit=500", &last) && !slices.ContainsFunc(last.Mails, func(m api.LedgerMail) bool { return !m.Settled })
	})
	hub.terminate()
	ledger, messages := s.taken(t)
	if len(ledger) != waves*each || len(messages) != waves*each {
		t.Errorf("%d mails in the ledger and %d messages, want %d", len(ledger), len(messages), waves*each)
	}
	for _, m := range ledger {
		if m.Fate != inbox.Opened && m.Fate != inbox.Joined || !m.Settled || messages[m.MessageID] != 1 {
			t.Errorf("%s is %s, settled %t, %d times a message", m.MessageID, m.Fate, m.Settled, messages[m.MessageID])
		}
	}
	s.read(t)
}

// Arrival to ledger and ticket of a hub that listens; the mailbox is in /readyz and
// the metrics; a reload with a wrong password does not disturb another mailbox.
func TestMailboxIsReadShownAndReloaded(t *testing.T) {
	t.Parallel()
	d, s := testkit.NewDovecot(t), newSite(t)
	text := supportMailbox(d, "")
	h := boot(t, s, text)
	opened := func(n float64) func() bool {
		return func() bool {
			got, ok := h.metric(`evenkeel_mails_total{fate="opened",mailbox="support"}`)
			return ok && got == n
		}
	}
	d.Deliver(t, complaint(1))
	h.await("the mail to be a ticket", opened(1))
	h.await("/readyz to say that the mailbox is read", func() bool {
		c := h.check("mailbox support")
		return c.OK && strings.HasPrefix(c.Detail, "listening, last looked at")
	})
	second := strings.Replace(supportMailbox(d, ""), "password: "+testkit.DovecotPassword, "password: wrong", 1)
	second = strings.Replace(second[strings.Index(second, "  - {name"):], "name: support", "name: second", 1)
	s.rewrite(t, h.path, text+second)
	h.await("the second mailbox to be refused", func() bool {
		c := h.check("mailbox second")
		return !c.OK && strings.Contains(c.Detail, "Check the user and the password")
	})
	d.Deliver(t, complaint(2))
	h.await("the next mail to be a ticket", opened(2))
	s.rewrite(t, h.path, text)
	h.await("the second mailbox to be gone", func() bool { return h.check("mailbox second").Name == "" })
	if up, ok := h.metric(`evenkeel_mailbox_up{mailbox="support",state="listening"}`); !ok || up != 1 {
		t.Errorf("evenkeel_mailbox_up is %v", up)
	}
}

// A check of a mailbox says at which step it fails, and what to do.
func TestMailboxCheckSaysWhatIsWrong(t *testing.T) {
	d := testkit.NewDovecot(t)
	d.Put(t, complaints(1, 3))
	stranger := testkit.NewCertificate(t)
	good := config.Mailbox{
		Name: "support", URL: config.Secret{Plain: strings.Replace(d.URL("imaps"), "127.0.0.1", "localhost", 1)},
		Password: config.Secret{Plain: testkit.DovecotPassword}, CAFile: d.Certificate.CA, Since: "now", After: "delete",
	}
	for name, c := range map[string]struct {
		change     func(*config.Mailbox)
		step, says string
	}{
		"good":     {func(*config.Mailbox) {}, "", ""},
		"starttls": {func(m *config.Mailbox) { m.URL.Plain = strings.Replace(d.URL("imap"), "127.0.0.1", "localhost", 1) }, "", ""},
		"password": {func(m *config.Mailbox) { m.Password.Plain = "wrong" }, "sign_in", "Check the user and the password"},
		"trust":    {func(m *config.Mailbox) { m.CAFile = stranger.CA }, "connect", "ca_file"},
		"name": {func(m *config.Mailbox) {
			m.URL.Plain = strings.Replace(m.URL.Plain, "localhost", "localhost.localdomain", 1)
		}, "connect", ""},
		"folder": {func(m *config.Mailbox) { m.URL.Plain = strings.Replace(m.URL.Plain, "/INBOX", "/Nowhere", 1) }, "open", "Nowhere"},
		"nobody": {func(m *config.Mailbox) { m.URL.Plain = "imaps://a@127.0.0.1:1/INBOX" }, "connect", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			m := good
			c.change(&m)
			found, err := app.CheckMailbox(t.Context(), config.File{Mailboxes: []config.Mailbox{m}}, "support")
			if err != nil {
				t.Fatal(err)
			}
			last := found.Steps[len(found.Steps)-1]
			text, _ := json.Marshal(found)
			if found.OK != (c.step == "") || c.step != "" && (last.Name != c.step || !strings.Contains(last.Detail, c.says)) {
				t.Errorf("got %s", text)
			}
			if c.step == "" && found.Folder.Messages != 3 {
				t.Errorf("got %s", text)
			}
		})
	}
}
