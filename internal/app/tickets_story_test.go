package app_test

import (
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/api"
	"evenkeel/internal/notify/notifytest"
	"evenkeel/internal/testkit"
)

// theyWrite are fourteen people who write that the checkout fails, in their words.
var theyWrite = [][2]string{
	{"Checkout broken", "Hi, our customers get a 502 when they press pay."}, {"Payment not working", "We cannot complete any order, the payment page says Bad Gateway."},
	{"Kasse geht nicht", "Hallo, beim Bezahlen kommt immer eine Fehlermeldung (502)."}, {"Fehler beim Bestellvorgang", "Der Bestellvorgang bricht mit einem Fehler ab."},
	{"Impossible de payer", "Bonjour, le paiement ne fonctionne plus depuis midi."}, {"Error al pagar", "Hola, al intentar pagar con tarjeta aparece el error 502."},
	{"Problema", "Buongiorno, il pagamento non funziona, il carrello resta bloccato."}, {"Betaling mislukt", "Afrekenen lukt niet meer: we krijgen een foutmelding."},
	{"Koszyk", "Klienci nie mogą zapłacić, koszyk pokazuje błąd serwera."}, {"決済エラー", "決済画面でエラーが出て購入できません。"},
	{"Pagamento não funciona", "Olá, o pagamento não funciona, aparece erro no carrinho."}, {"URGENT", "Orders are failing! Nobody can check out."},
	{"Оплата не проходит", "При оплате заказа появляется ошибка 502."}, {"Re: your shop", "is checkout down for everyone?"},
}

// othersWrite are those whose mail comes at the same time and is about something else.
var othersWrite = [][2]string{
	{"Invoice of May", "Please send the invoice of May again."}, {"Feature request", "It would be great if the checkout supported another card."},
	{"Passwort vergessen", "Ich habe mein Passwort vergessen."}, {"How do I add a colleague?", "How can I add a user to our account?"},
	{"Preisliste", "Bitte senden Sie uns Ihre Preisliste."}, {"Thanks", "The new design is wonderful."},
}

// letterFrom writes a mail, with more header lines where given.
func letterFrom(from, to, subject, text string, n int, header ...string) string {
	more := ""
	for _, line := range header {
		more += line + "\r\n"
	}
	return fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: =?utf-8?q?%s?=\r\nDate: %s\r\nMessage-ID: <m%d.%s>\r\nMIME-Version: 1.0\r\n%s"+
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n",
		from, to, encodedWord(subject), time.Now().Format(time.RFC1123Z), n, from, more, text)
}

// encodedWord is a subject in the Q encoding (RFC 2047).
func encodedWord(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

// headerOf reads the header of a mail that the hub sent.
func headerOf(tb testing.TB, m notifytest.Mail) mail.Header {
	tb.Helper()
	read, err := mail.ReadMessage(strings.NewReader(string(m.Raw)))
	if err != nil {
		tb.Fatal(err)
	}
	return read.Header
}

// TestFortyMailsBecomeOneIncidentAndEveryoneIsAnswered: every check is green, and
// yet people write. The hub sees what they have in common, a person agrees,
// publishes and resolves it, and each of them hears once that it is over, in their
// own thread. Who says that it is not is heard.
func TestFortyMailsBecomeOneIncidentAndEveryoneIsAnswered(t *testing.T) { // S1-25
	t.Parallel()
	box, sink, shop := testkit.NewDovecot(t), notifytest.NewMailServer(t, notifytest.MailOptions{}), newTarget(t)
	h := boot(t, newSite(t), fmt.Sprintf(`
page: {name: Example Ltd, url: "https://status.example.org"}
components: [{id: checkout, name: Checkout, aliases: [Kasse]}, {id: search, name: Search}]
monitors:
  - {id: checkout, component: checkout, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1}
smtp: {url: "smtp://%s", from: status@example.org}
answers: auto
mailboxes:
  - {name: support, url: "%s", password: %s, ca_file: "%s", from: "Example support <support@example.org>"}
`, shop.url(), sink.Addr, box.URL("imaps"), testkit.DovecotPassword, box.Certificate.CA))
	h.awaitShown("checkout", "operational")
	h.await("the mailbox to be listened to", func() bool {
		var boxes api.Mailboxes
		h.manage("/api/v1/mailboxes", &boxes)
		return len(boxes.Mailboxes) == 1 && boxes.Mailboxes[0].State == "listening"
	})

	for n, words := range othersWrite {
		box.Deliver(t, letterFrom(fmt.Sprintf("other%d@elsewhere%d.example", n, n), testkit.DovecotUser, words[0], words[1], n))
	}
	for n := range 20 { // and what machines write
		box.Deliver(t, letterFrom(fmt.Sprintf("robot%d@elsewhere%d.example", n, n), testkit.DovecotUser, "Out of office: checkout broken", "I am away.", n, "Auto-Submitted: auto-replied"))
	}
	for n, words := range theyWrite {
		box.Deliver(t, letterFrom(fmt.Sprintf("person%d@firm%d.example", n, n), testkit.DovecotUser, words[0], words[1], n))
	}
	var found api.Proposals
	h.await("one proposal with fourteen tickets", func() bool {
		found = api.Proposals{}
		h.manage("/api/v1/proposals?state=proposed", &found)
		return len(found.Proposals) == 1 && len(found.Proposals[0].Tickets) == len(theyWrite)
	})
	p := found.Proposals[0]
	if p.Kind != "burst" || p.Component != "checkout" || p.Incident == "" || p.Reason == "" {
		t.Fatalf("proposed: %+v", p)
	}
	open := h.open()
	if len(open) != 1 || open[0].State != "suspected" || open[0].ID != p.Incident {
		t.Fatalf("open: %+v", open)
	}
	if a := h.get("/incidents/" + p.Incident); a.code != http.StatusNotFound {
		t.Errorf("customers get %d for what nobody published", a.code)
	}

	if a := h.act(http.MethodPost, "/api/v1/proposals/"+p.ID+"/accept", nil, nil); a.code/100 != 2 {
		t.Fatalf("accept: %d %s", a.code, a.body)
	}
	say := func(state, body string) {
		t.Helper()
		u := api.NewUpdate{Body: body, State: state}
		if a := h.act(http.MethodPost, "/api/v1/incidents/"+p.Incident+"/updates", u, nil); a.code != http.StatusOK {
			t.Fatalf("publish: %d %s", a.code, a.body)
		}
	}
	say("investigating", "Customers tell us that **payments** fail.")
	say("resolved", "A faulty gateway was replaced. Payments work again.")
	mails, err := sink.Await(t.Context(), len(theyWrite))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, m := range mails {
		header := headerOf(t, m)
		_, text := words(t, m)
		told[m.To[0]]++
		var n, firm int
		if _, err := fmt.Sscanf(m.To[0], "person%d@firm%d.example", &n, &firm); err != nil {
			t.Fatalf("somebody else is answered: %s", m.To[0])
		}
		theirs := fmt.Sprintf("<m%d.person%d@firm%d.example>", n, n, n)
		if header.Get("In-Reply-To") != theirs || !strings.Contains(header.Get("References"), theirs) || m.From != "support@example.org" ||
			!strings.Contains(header.Get("Reply-To"), "support+tk.") || !strings.Contains(text, "Payments work again.") {
			t.Errorf("to %s: %v\n%s", m.To[0], header, text)
		}
	}
	for who, n := range told {
		if n != 1 {
			t.Errorf("%s is told %d times", who, n)
		}
	}

	last := headerOf(t, mails[0])
	reply := []string{"In-Reply-To: " + last.Get("Message-ID"), "References: " + strings.Join(strings.Fields(last.Get("References")), " ") + " " + last.Get("Message-ID")}
	box.Deliver(t, letterFrom(mails[0].To[0], testkit.DovecotUser, "Re: "+last.Get("Subject"), "No, it is still not working: we get the same error.", 900, reply...))
	h.await("the doubt to be heard", func() bool {
		var tickets api.Tickets
		h.manage("/api/v1/tickets?incident="+p.Incident+"&limit=100", &tickets)
		doubts := 0
		for _, one := range tickets.Tickets {
			if one.StillBroken && one.State == "open" {
				doubts++
			}
		}
		return len(tickets.Tickets) == len(theyWrite) && doubts == 1
	})
	if got := len(sink.Mails()); got != len(theyWrite) {
		t.Errorf("%d mails went out, want %d", got, len(theyWrite))
	}
}
