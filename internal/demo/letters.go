package demo

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
)

// letter is a mail of a simulated customer.
type letter struct {
	at      time.Duration // within the cycle
	before  time.Duration // of standing letters: how long before the start it was written
	name    string
	address string
	subject string
	body    string
	header  []string // further lines of the header
	html    string   // beside the body
	picture string   // name of an attached picture
}

// standing is what lies in the mailbox when the demo starts: an ordinary morning.
var standing = []letter{
	{before: 5 * time.Hour, name: "Harbour Café", address: "office@harbour-cafe.example.net", subject: "Invoice 20417 shows our old address",
		body: "Hello,\n\nour invoice 20417 still shows the address in Mill Lane. Could you send a corrected one?\n\nThank you\nHarbour Café\n-- \nHarbour Café, Quay 4\nOpen from six\n"},
	{before: 3*time.Hour + 20*time.Minute, name: "Boatyard Penhale", address: "yard@penhale.example.net", subject: "Can my colleague have a second login",
		body: "Good morning,\n\nwe are two in the office now. Can my colleague order under our account too, with a login of their own?\n\nBoatyard Penhale\n"},
	{before: 2*time.Hour + 5*time.Minute, name: "Segelschule Nord", address: "kontakt@segelschule-nord.example.net", subject: "Wunsch: Lieferung am Samstag möglich?",
		body: "Guten Tag,\n\nist eine Lieferung auch am Samstag möglich? Es eilt nicht.\n\nViele Grüße\nSegelschule Nord\n"},
	{before: 90 * time.Minute, name: "Chandlers' Weekly", address: "news@chandlers-weekly.example.net", subject: "This week: rope, paint and tide tables",
		header: []string{"List-Id: <news.chandlers-weekly.example.net>", "List-Unsubscribe: <https://chandlers-weekly.example.net/leave>", "Precedence: bulk"},
		body:   "Read what is new on the quay this week.\n",
		html:   `<p>Read what is new on the quay this week.</p><p><img src="https://chandlers-weekly.example.net/pixel.gif" alt=""><img src="https://chandlers-weekly.example.net/rope.jpg" alt="Rope"></p>`},
	{before: 50 * time.Minute, name: "Lamp Works", address: "sales@lamp-works.example.net", subject: "Automatic reply: Your order 88102",
		header: []string{"Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"},
		body:   "We are at a fair until Monday and read our mail in the evening.\n"},
	{before: 35 * time.Minute, name: "Guest 87911", address: "guest-87911@example.net", subject: "Key code does not open the locker",
		body: "Hi,\n\nthe key code in your mail does not open locker 12. Photo attached.\n\nSent from my phone\n", picture: "locker.png"},
}

// letters is what customers write while orders cannot be paid: in their own words
// and languages, with something else in between.
var letters = []letter{
	{at: 67 * time.Second, name: "Guest 88190", address: "guest-88190@example.net", subject: "Card declined twice, then charged",
		body: "Hello,\n\nI tried to pay for order NM-88190 at the checkout. First my card was declined, the second time it spun and gave error 503. Now my bank shows the payment twice. Is the order safe?\n", picture: "bank.png"},
	{at: 68 * time.Second, name: "Guest 88204", address: "guest-88204@example.net", subject: "Cannot pay",
		body: "The checkout does not take my card. I get \"503 no database\" when I press pay.\n"},
	{at: 70 * time.Second, name: "Bootsbau Tolland", address: "einkauf@tolland.example.net", subject: "Bezahlen geht nicht",
		body: "Guten Tag,\n\nbeim Bezahlen kommt seit ein paar Minuten nur Fehler 503. Die Bestellung lässt sich nicht abschließen.\n\nMit freundlichen Grüßen\nBootsbau Tolland\n"},
	{at: 71 * time.Second, name: "Guest 88197", address: "guest-88197@example.net", subject: "Checkout just spins, two of us tried",
		body: "Checkout just spins and then says error 503. My neighbour tried as well, same thing. Payment failed for both of us.\n"},
	{at: 73 * time.Second, name: "Voiles du Port", address: "contact@voiles-du-port.example.net", subject: "Paiement refusé",
		body: "Bonjour,\n\nle paiement de ma commande est refusé avec une erreur 503 depuis ce matin. Pouvez-vous vérifier ?\n\nCordialement\nVoiles du Port\n"},
	{at: 75 * time.Second, name: "Guest 88213", address: "guest-88213@example.net", subject: "payment failed?? order NM-88213",
		body: "payment failed, 503, what now\n\nSent from my phone\n"},
	{at: 77 * time.Second, name: "Harbour Café", address: "office@harbour-cafe.example.net", subject: "Opening hours at Christmas",
		body: "Hello again,\n\nare you open between the years? We would like to collect something.\n\nHarbour Café\n"},
	{at: 79 * time.Second, name: "Guest 88221", address: "guest-88221@example.net", subject: "Error 503 when paying",
		body: "Error 503 when I pay at the checkout. I will try again later, please tell me when it works.\n"},
	{at: 82 * time.Second, name: "Astilleros Sur", address: "pedidos@astilleros-sur.example.net", subject: "No se puede pagar",
		body: "Hola,\n\nal pagar aparece el error 503 y no se puede terminar el pedido. ¿Está caído el sistema de pago?\n\nSaludos\n"},
}

// pixel is a small grey picture, in base64.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAoCAIAAADBrGu+AAAAPklEQVR42u3PMQ0AAAgDsPkXwM2NSjRwkjSpgaZ6XouAgICAgICAgICAgICAgICAgICAgICAgICAgICAwMUC58LBD6Z2nQwAAAAASUVORK5CYII="

// raw writes the mail as it arrives (RFC 5322, RFC 2045).
func (l letter) raw(at time.Time, id string) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("Return-Path: <%s>", l.address)
	line("Delivered-To: support@example.org")
	line("Date: %s", at.Format(time.RFC1123Z))
	line("From: %s <%s>", mime.QEncoding.Encode("utf-8", l.name), l.address)
	line("To: support@example.org")
	line("Subject: %s", mime.QEncoding.Encode("utf-8", l.subject))
	line("Message-ID: <%s>", id)
	for _, h := range l.header {
		line("%s", h)
	}
	line("MIME-Version: 1.0")
	switch {
	case l.html != "":
		line("Content-Type: multipart/alternative; boundary=alternative")
		line("")
		l.part(&b, "alternative", "text/plain", l.body)
		l.part(&b, "alternative", "text/html", l.html)
		line("--alternative--")
	case l.picture != "":
		line("Content-Type: multipart/mixed; boundary=mixed")
		line("")
		l.part(&b, "mixed", "text/plain", l.body)
		line("--mixed")
		line("Content-Type: image/png; name=%q", l.picture)
		line("Content-Disposition: attachment; filename=%q", l.picture)
		line("Content-Transfer-Encoding: base64")
		line("")
		line(pixel)
		line("--mixed--")
	default:
		line("Content-Type: text/plain; charset=utf-8")
		line("Content-Transfer-Encoding: quoted-printable")
		line("")
		printable(&b, l.body)
	}
	return b.Bytes()
}

// part writes one part of text.
func (l letter) part(b *bytes.Buffer, boundary, kind, text string) {
	fmt.Fprintf(b, "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", boundary, kind)
	printable(b, text)
	b.WriteString("\r\n")
}

// printable writes text as quoted-printable.
func printable(b *bytes.Buffer, text string) {
	w := quotedprintable.NewWriter(b)
	_, _ = w.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))) // memory does not fail
	_ = w.Close()
}
