package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"evenkeel/internal/notice"
	"evenkeel/internal/notify/notifytest"
)

// toRequester is an answer to somebody who wrote in.
func toRequester() notice.Message {
	m := message(notice.Event{ID: "e1", Kind: "ticket.answer", Audience: notice.ToRequester})
	m.To = notice.Recipient{Ref: "requester/01req", Name: "Ann Example", Address: "ann@customer.example"}
	m.Letter = &notice.Letter{
		MessageID: "tk4107.m2@example.org", InReplyTo: "b@customer.example", References: []string{"a@customer.example", "tk4107.m1@example.org"},
		From:    notice.Correspondent{Name: "Example support", Address: "support@example.org"},
		ReplyTo: notice.Correspondent{Address: "support+tk.01tk.abcdef@example.org"},
		Subject: "Re: Checkout broken [TK-4107]", Text: "Hello Ann,\n\nit works again.\n", HTML: "<p>Hello Ann,</p><p>it works again.</p>",
	}
	return m
}

// TestAnswerStandsInTheThread (S1-25): an answer is a letter in the requester's own
// thread, and a repeat of it is recognised by its Message-ID.
func TestAnswerStandsInTheThread(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	for range 2 { // the second after a crash, for all that the server can tell
		if _, err := ch.Send(within(t), toRequester()); err != nil {
			t.Fatal(err)
		}
	}
	mails := server.Mails()
	if len(mails) != 2 || mails[0].From != "support@example.org" {
		t.Fatalf("%d mails, from %q", len(mails), mails[0].From)
	}
	first, text, html := mails[0].Read(t)
	second, _, _ := mails[1].Read(t)
	for name, want := range map[string]string{
		"Message-ID":       "<tk4107.m2@example.org>",
		"In-Reply-To":      "<b@customer.example>",
		"References":       "<a@customer.example> <tk4107.m1@example.org> <b@customer.example>",
		"From":             `"Example support" <support@example.org>`,
		"Reply-To":         "<support+tk.01tk.abcdef@example.org>",
		"To":               `"Ann Example" <ann@customer.example>`,
		"Subject":          "Re: Checkout broken [TK-4107]",
		"Auto-Submitted":   "",
		"List-Id":          "",
		"List-Unsubscribe": "",
		HeaderDelivery:     "01delivery",
	} {
		if got := first.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if first.Get("Message-ID") != second.Get("Message-ID") {
		t.Error("a repeat has another Message-ID")
	}
	if text != "Hello Ann,\r\n\r\nit works again.\r\n" && text != "Hello Ann,\n\nit works again.\n" || strings.Contains(html, "Example status") {
		t.Errorf("text %q, html %q: a letter has no furniture", text, html)
	}
}

func TestAutomaticAnswerSaysSo(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	m := toRequester()
	m.Letter.Automatic, m.Letter.HTML = true, ""
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	raw := string(server.Mails()[0].Raw)
	for _, want := range []string{"Auto-Submitted: auto-replied\r\n", "Precedence: bulk\r\n", "X-Auto-Response-Suppress: All\r\n", "Content-Type: text/plain"} {
		if !strings.Contains(raw, want) {
			t.Errorf("it lacks %q:\n%s", want, raw)
		}
	}
}

func TestAnswerCarriesItsFiles(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	m := toRequester()
	opened := 0
	m.Letter.Attachments = []notice.Enclosure{{Name: "evil\r\nBcc: x@example.org.txt", Type: "text/plain\r\nX-Evil: 1", Open: func(context.Context) (io.ReadCloser, error) {
		opened++
		return io.NopCloser(strings.NewReader("the log")), nil
	}}}
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	raw := server.Mails()[0].Raw
	if opened != 1 || !bytes.Contains(raw, []byte("dGhlIGxvZw==")) || bytes.Contains(raw, []byte("\nBcc:")) || bytes.Contains(raw, []byte("\nX-Evil")) {
		t.Errorf("opened %d times:\n%s", opened, raw)
	}
}

func TestAnswerCannotSmuggleHeaders(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	m := toRequester()
	m.Letter.Subject = "Hi\r\nBcc: victim@example.org\r\n\r\nbody"
	m.Letter.InReplyTo = "x@y>\r\nBcc: <victim@example.org"
	m.Letter.References = []string{"ok@example.org", "a b@c", "\r\nX-Evil: 1@x"}
	m.To.Name = "Ann\r\nX-Evil: 1"
	m.Letter.From.Name = "Support\r\nX-Evil: 2"
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	got := server.Mails()[0]
	header, _, _ := got.Read(t)
	if header.Get("Bcc") != "" || header.Get("X-Evil") != "" || header.Get("In-Reply-To") != "" || header.Get("References") != "<ok@example.org>" || len(got.To) != 1 {
		t.Errorf("header %v to %v", header, got.To)
	}
}

func TestLongThreadKeepsItsRootAndItsEnd(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	m := toRequester()
	m.Letter.References = nil
	for n := range 300 {
		m.Letter.References = append(m.Letter.References, fmt.Sprintf("message-%d@customer.example", n))
	}
	if _, err := ch.Send(within(t), m); err != nil {
		t.Fatal(err)
	}
	header, _, _ := server.Mails()[0].Read(t)
	refs := strings.Fields(header.Get("References"))
	if refs[0] != "<message-0@customer.example>" || refs[len(refs)-1] != "<b@customer.example>" || len(header.Get("References")) > maxReferences+100 {
		t.Errorf("%d references, from %s to %s", len(refs), refs[0], refs[len(refs)-1])
	}
	for line := range bytes.Lines(server.Mails()[0].Raw) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

func TestAnswerThatCannotBeWrittenIsRefusedForGood(t *testing.T) {
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	ch := open(t, house(t), smtpFile("smtp://"+server.Addr), mailChannel)
	for name, spoil := range map[string]func(*notice.Message){
		"no Message-ID": func(m *notice.Message) { m.Letter.MessageID = "" },
		"no address":    func(m *notice.Message) { m.To.Address = "" },
		"bad sender":    func(m *notice.Message) { m.Letter.From.Address = "nobody" },
	} {
		m := toRequester()
		spoil(&m)
		_, err := ch.Send(within(t), m)
		if r := refusal(t, err); !r.Permanent {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
