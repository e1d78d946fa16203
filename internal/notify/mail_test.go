package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"mime"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify/notifytest"
	"evenkeel/internal/testkit"
)

func smtpFile(url string) config.File {
	return config.File{SMTP: config.SMTP{URL: plainSecret(url), From: "Example status <status@example.org>"}}
}

var mailChannel = config.Channel{ID: config.ChannelMail, Kind: "mail"}

// TestMailToSubscriber (S1-25): what a customer gets, and what programs on the way need.
func TestMailToSubscriber(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	first, err := ch.Send(within(t), toSubscriber(incidentEvent("incident.opened", "investigating")))
	if err != nil {
		t.Fatal(err)
	}
	second := toSubscriber(incidentEvent("incident.resolved", "resolved"))
	second.Delivery.ID, second.Thread = "02delivery", first.Mark
	if _, err := ch.Send(within(t), second); err != nil {
		t.Fatal(err)
	}
	mails := server.Mails()
	if len(mails) != 2 {
		t.Fatalf("%d mails, want 2", len(mails))
	}
	if got := mails[0]; got.From != "status@example.org" || len(got.To) != 1 || got.To[0] != "ann@example.org" {
		t.Errorf("envelope %q to %q", got.From, got.To)
	}
	header, text, html := mails[0].Read(t)
	for name, want := range map[string]string{
		"Message-ID":               "<01delivery@example.org>",
		"Subject":                  "[Example status] Investigating: Payments fail",
		"From":                     `"Example status" <status@example.org>`,
		"To":                       "<ann@example.org>",
		"List-Id":                  "<updates.status.example.org>",
		"List-Unsubscribe":         "<https://status.example.org/subscribe/unsubscribe/t>",
		"List-Unsubscribe-Post":    "List-Unsubscribe=One-Click",
		"Auto-Submitted":           "auto-generated",
		"Precedence":               "list",
		"Evenkeel-Delivery":        "01delivery",
		"In-Reply-To":              "",
		"X-Auto-Response-Suppress": "All",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if date, err := header.Date(); err != nil || time.Since(date) > time.Hour {
		t.Errorf("date %v, %v", date, err)
	}
	for _, want := range []string{
		"Investigating: Payments fail", "We see failures of payments (https://example.org/pay).", "- cards", "Affected: Checkout, API", "Impact: Major",
		"Since: 21 November 2026, 03:02 UTC", "Read more: https://status.example.org/incidents/01inc", "Unsubscribe: https://status.example.org/subscribe/unsubscribe/t",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if !strings.Contains(html, `href="https://status.example.org/subscribe/manage/t"`) || !strings.Contains(html, "<em>failures</em>") {
		t.Errorf("the HTML lacks links or words:\n%s", html)
	}
	for _, form := range []string{text, html, header.Get("Subject")} {
		for _, never := range []string{"10.0.0.7", "refused", "console", "runbooks", "INC-7", "<no value>", "ZgotmplZ", "<img", "<script"} {
			if strings.Contains(form, never) {
				t.Errorf("a customer reads %q", never)
			}
		}
	}
	header, _, _ = mails[1].Read(t)
	if header.Get("In-Reply-To") != first.Mark || header.Get("References") != first.Mark {
		t.Errorf("the second mail hangs on %q and %q, want %q", header.Get("In-Reply-To"), header.Get("References"), first.Mark)
	}
	if n := server.Connections(); n != 1 {
		t.Errorf("%d connections for two mails", n)
	}
}

// TestMailRepeatsUnderOneID: whoever gets a mail twice can tell, and so can programs.
func TestMailRepeatsUnderOneID(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	m := toSubscriber(incidentEvent("incident.opened", "investigating"))
	for m.Attempt = 1; m.Attempt <= 2; m.Attempt++ {
		if _, err := ch.Send(within(t), m); err != nil {
			t.Fatal(err)
		}
	}
	mails := server.Mails()
	a, text, _ := mails[0].Read(t)
	b, again, _ := mails[1].Read(t)
	if a.Get("Message-ID") != b.Get("Message-ID") {
		t.Errorf("%s and %s", a.Get("Message-ID"), b.Get("Message-ID"))
	}
	if strings.Contains(text, "sent before") || !strings.Contains(again, "This was sent before") {
		t.Error("the second mail must say that it is one, and the first not")
	}
}

func TestMailToStaff(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t, func(e *Env) { e.Zone = time.FixedZone("CET", 3600) }), smtpFile("smtp://"+server.Addr), mailChannel)
	m := toTeam(incidentEvent("component.down", "major_outage"))
	m.To = notice.Recipient{Ref: "person/01", Name: "Ann, on call", Address: "ann@example.org"}
	m.Event.Alarm = notice.AlarmFire
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	header, text, html := server.Mails()[0].Read(t)
	for _, want := range []string{
		"Major outage: Payments fail", "connection refused by 10.0.0.7:443", "Severity: Major", "Acknowledge: https://status.example.org/acknowledge/t",
		"Open in the console: https://status.example.org/console/incidents/01inc", "Run-book: https://runbooks.example.org/pay",
		"Since: 21 November 2026, 04:02 CET (03:02 UTC)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if header.Get("To") != `"Ann, on call" <ann@example.org>` || header.Get("List-Id") != "" || !strings.Contains(html, "acknowledge/t") {
		t.Errorf("to %q, list %q", header.Get("To"), header.Get("List-Id"))
	}
}

// TestMailHostileWords: no header can be added and no markup smuggled in by what
// somebody wrote into a title, a name or an address.
func TestMailHostileWords(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	e := incidentEvent("incident.opened", "investigating")
	e.Content.Title = "Down\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>\u202e"
	e.Content.Body = "<img src=x onerror=alert(1)> [x](javascript:alert(1))"
	e.Content.Names = []string{"A\nB", "<b>C</b>"}
	e.Content.Path = "//evil.example/"
	m := toSubscriber(e)
	m.PageName = "Page\r\nX-Evil: 1"
	m.Thread = "<a@b>\r\nX-Evil: 1"
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	got := server.Mails()[0]
	header, text, html := got.Read(t)
	if header.Get("Bcc") != "" || header.Get("X-Evil") != "" || len(got.To) != 1 {
		t.Errorf("a header was smuggled in: %v", header)
	}
	for _, never := range []string{"<script", "<img", "javascript:", "evil.example", "\u202e"} {
		if strings.Contains(html, never) || strings.Contains(text, "\u202e") {
			t.Errorf("%q went through:\n%s", never, html)
		}
	}
	for _, to := range []string{"a@example.org\r\nRCPT TO:<b@example.org>", "a@b@c", "a", "<>", "x y@example.org", "jörg@example.org"} {
		m.To.Address = to
		_, err := ch.Send(within(t), m)
		if r := refusal(t, err); !r.Permanent || !r.Theirs {
			t.Errorf("%q: %+v", to, r)
		}
	}
	if n := len(server.Mails()); n != 1 {
		t.Errorf("%d mails went out", n)
	}
}

func TestMailInternationalDomain(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	f := smtpFile("smtp://" + server.Addr)
	f.SMTP.From = "Zustand <status@bücher.example>"
	ch := open(t, house(t), f, mailChannel)
	m := toSubscriber(incidentEvent("incident.opened", "investigating"))
	m.To.Address = "ann@müller.example"
	m.Event.Content.Title = "Zahlungen schlagen fehl – überall"
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	got := server.Mails()[0]
	if got.From != "status@xn--bcher-kva.example" || got.To[0] != "ann@xn--mller-kva.example" {
		t.Errorf("envelope %q to %q", got.From, got.To)
	}
	header, _, _ := got.Read(t)
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil || !strings.Contains(subject, "Zahlungen schlagen fehl – überall") {
		t.Errorf("subject %q, %v", subject, err)
	}
	if _, err := mail.ParseAddress(header.Get("To")); err != nil {
		t.Error(err)
	}
	for line := range bytes.Lines(got.Raw) {
		if len(line) > 1000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

func TestMailFixedAddresses(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), config.Channel{ID: "team", Kind: "mail", To: []string{"a@example.org", "Ops <b@example.org>"}})
	if _, err := ch.Send(within(t), toTeam(incidentEvent("incident.opened", "investigating"))); err != nil {
		t.Fatal(err)
	}
	if got := server.Mails(); len(got) != 2 || got[0].To[0] != "a@example.org" || got[1].To[0] != "b@example.org" {
		t.Errorf("mails %+v", got)
	}
	none := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	_, err := none.Send(within(t), toTeam(incidentEvent("incident.opened", "investigating")))
	if r := refusal(t, err); !r.Permanent {
		t.Errorf("mail to nobody: %+v", r)
	}
}

func TestMailSignsInAndSecures(t *testing.T) {
	cert := testkit.NewCertificate(t)
	pair, err := tls.LoadX509KeyPair(cert.Cert, cert.Key)
	if err != nil {
		t.Fatal(err)
	}
	server := func(implicit bool) *notifytest.MailServer {
		return notifytest.NewMailServer(t, notifytest.MailOptions{
			TLS: &tls.Config{Certificates: []tls.Certificate{pair}}, Implicit: implicit, User: "hub", Password: "p:w@d",
		})
	}
	starttls, implicit := server(false), server(true)
	clear := notifytest.NewMailServer(t, notifytest.MailOptions{User: "hub", Password: "p:w@d"})
	for _, row := range []struct {
		name, url string
		password  string
		ca        string
		server    *notifytest.MailServer
		secure    bool
		want      string // of the refusal; "" = it goes
	}{
		{"starttls", "smtp://hub@" + starttls.Addr + "?tls=required", "p:w@d", cert.CA, starttls, true, ""},
		{"password in the URL", "smtp://hub:p%3Aw%40d@" + starttls.Addr, "", cert.CA, starttls, true, ""},
		{"from the first byte", "smtps://hub@" + implicit.Addr, "p:w@d", cert.CA, implicit, true, ""},
		{"in the clear on this machine", "smtp://hub@" + clear.Addr, "p:w@d", "", clear, false, ""},
		{"required and not there", "smtp://hub@" + clear.Addr + "?tls=required", "p:w@d", "", clear, false, "did not let us in"},
		{"unknown authority", "smtps://hub@" + implicit.Addr, "p:w@d", "", implicit, true, "certificate is not valid"},
		{"wrong password", "smtps://hub@" + implicit.Addr, "wrong", cert.CA, implicit, true, "did not let us in"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := smtpFile(row.url)
			f.SMTP.Password, f.SMTP.CAFile = plainSecret(row.password), row.ca
			ch := open(t, house(t), f, mailChannel)
			before := len(row.server.Mails())
			_, err := ch.Send(within(t), toSubscriber(incidentEvent("incident.opened", "investigating")))
			if row.want != "" {
				if r := refusal(t, err); r.Permanent || !strings.Contains(r.Reason, row.want) || strings.Contains(r.Error(), "p:w@d") {
					t.Errorf("refusal %+v, want a passing one: %s", r, row.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := row.server.Mails()
			if len(got) != before+1 || got[before].TLS != row.secure {
				t.Errorf("%d mails, secure %v", len(got)-before, got[len(got)-1].TLS)
			}
		})
	}
}

func TestMailRefusals(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{Refuse: func(to string) *smtp.SMTPError {
		switch {
		case strings.HasPrefix(to, "gone@"):
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user gone@example.org"}
		case strings.HasPrefix(to, "policy@"):
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not wanted"}
		case strings.HasPrefix(to, "later@"):
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
		}
		return nil
	}})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	for _, row := range []struct {
		to   string
		want notice.Refusal
	}{
		{"gone@example.org", notice.Refusal{Permanent: true, Gone: true, Theirs: true, Reason: "the mail server answered 550 5.1.1 to RCPT TO"}},
		{"policy@example.org", notice.Refusal{Permanent: true, Theirs: true, Reason: "the mail server answered 550 5.7.1 to RCPT TO"}},
		{"later@example.org", notice.Refusal{Theirs: true, Reason: "the mail server answered 451 4.7.1 to RCPT TO"}},
	} {
		m := toSubscriber(incidentEvent("incident.opened", "investigating"))
		m.To.Address = row.to
		_, err := ch.Send(within(t), m)
		r := *refusal(t, err)
		r.Err = nil
		if r != row.want {
			t.Errorf("%s: %+v, want %+v", row.to, r, row.want)
		}
	}
	if _, err := ch.Send(within(t), toSubscriber(incidentEvent("incident.opened", "investigating"))); err != nil {
		t.Errorf("after refusals the channel is spoilt: %v", err)
	}
}

// TestMailToSeveral: one bad address keeps nobody else from the mail, and a
// repeat reaches only those who have not got it.
func TestMailToSeveral(t *testing.T) {
	var mu sync.Mutex
	code := 451
	server := notifytest.NewMailServer(t, notifytest.MailOptions{Refuse: func(to string) *smtp.SMTPError {
		mu.Lock()
		defer mu.Unlock()
		if to != "b@example.org" || code == 0 {
			return nil
		}
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 2, 2}, Message: "full"}
	}})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), config.Channel{ID: "team", Kind: "mail", To: []string{"a@example.org", "b@example.org", "c@example.org"}})
	m := toTeam(incidentEvent("incident.opened", "investigating"))
	for _, step := range []struct {
		code, mails int
		permanent   bool
		want        string
	}{
		{451, 2, false, "1 of 3 addresses: the mail server answered 451 4.2.2 to RCPT TO"},
		{552, 2, true, "1 of 3 addresses: the mail server answered 552 5.2.2 to RCPT TO"},
		{0, 3, false, ""},
	} {
		mu.Lock()
		code = step.code
		mu.Unlock()
		_, err := ch.Send(within(t), m)
		if n := len(server.Mails()); n != step.mails {
			t.Errorf("%d: %d mails, want %d", step.code, n, step.mails)
		}
		if step.want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if r := refusal(t, err); r.Reason != step.want || r.Permanent != step.permanent {
			t.Errorf("%+v, want %s", r, step.want)
		}
	}
}

// TestMailServerHangsUp: a connection that the server ended costs no attempt.
func TestMailServerHangsUp(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{PerConn: 2})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	for range 5 {
		if _, err := ch.Send(within(t), toSubscriber(incidentEvent("incident.opened", "investigating"))); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(server.Mails()); n != 5 {
		t.Errorf("%d mails, want 5", n)
	}
	if n := server.Connections(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

func TestMailEndsWithItsContext(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{Hang: true})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := ch.Send(ctx, toSubscriber(incidentEvent("incident.opened", "investigating")))
	if r := refusal(t, err); r.Permanent || r.Reason != "no answer in time" {
		t.Errorf("refusal %+v", r)
	}
}

func TestMailSettings(t *testing.T) {
	for _, row := range []struct {
		url, password, want string
	}{
		{"mail.example.org", "", "url: is not an address"},
		{"http://mail.example.org", "", "url: is not an address"},
		{"smtp://mail.example.org/box", "", "url: has a path"},
		{"smtp://mail.example.org:0", "", `url: "0" is not a port`},
		{"smtp://mail.example.org?tls=maybe", "", "url: tls is required, offered or none"},
		{"smtps://mail.example.org?tls=none", "", "url: smtps:// is TLS always"},
		{"smtp://mail.example.org?timeout=3", "", "url: there is no parameter"},
		{"smtp://hub@mail.example.org", "", "password: a user name and a password go together"},
		{"smtp://mail.example.org", "secret", "password: a user name and a password go together"},
		{"smtp://hub:a@mail.example.org", "secret", "password: stands in the URL too"},
	} {
		f := smtpFile(row.url)
		f.SMTP.Password = plainSecret(row.password)
		err := house(t).Check(f, mailChannel)
		if err == nil || !strings.HasPrefix(err.Error(), row.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %s", row.url, err, row.want)
		}
	}
}

// BenchmarkMail is what one mail costs.
func BenchmarkMail(b *testing.B) {
	server := notifytest.NewMailServer(b, notifytest.MailOptions{})
	ch := open(b, house(b), smtpFile("smtp://"+server.Addr), mailChannel)
	m := toSubscriber(incidentEvent("incident.opened", "investigating"))
	for b.Loop() {
		if _, err := ch.Send(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
}
