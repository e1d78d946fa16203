package message_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"evenkeel/ingest/kind"
	"evenkeel/ingest/message"
)

// ordinaryMail is a mail of about 2.5 kB with the header that one has after
// two servers.
func ordinaryMail() string {
	return "Return-Path: <customer@example.org>\r\nDelivered-To: support@example.com\r\nReceived: from mx.example.com (mx.example.com [192.0.2.1])\r\n\tby store.example.com (Postfix) with ESMTPS id 4Xy12z34\r\n\tfor <support@example.com>; Fri, 20 Nov 2026 10:15:02 +0000 (UTC)\r\n" +
		"Authentication-Results: mx.example.com; dkim=pass header.d=example.org;\r\n\tspf=pass smtp.mailfrom=customer@example.org; dmarc=pass header.from=example.org\r\nReceived: from out.example.org (out.example.org [198.51.100.7])\r\n\tby mx.example.com (Postfix) with ESMTPS id 4Xy11a\r\n\tfor <support@example.com>; Fri, 20 Nov 2026 10:15:01 +0000 (UTC)\r\n" +
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1;\r\n\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=" + strings.Repeat("QUJDREVGR0hJSktM", 12) + "\r\n" +
		"From: =?UTF-8?Q?Kundin_M=C3=BCller?= <customer@example.org>\r\nTo: Support <support@example.com>\r\nSubject: Re: [#1234] =?UTF-8?B?TG9naW4gaMOkbmd0?=\r\nDate: Fri, 20 Nov 2026 11:15:00 +0100\r\nMessage-ID: <0001.customer@example.org>\r\nIn-Reply-To: <ticket-1234-1@example.com>\r\nReferences: <ticket-1234@example.com>\r\n <ticket-1234-1@example.com>\r\nMIME-Version: 1.0\r\nUser-Agent: Mail\r\nContent-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
		strings.Repeat("Seit heute früh kann sich hier niemand mehr anmelden, die Seite zeigt nur den Fehler 502.\r\n", 6) + "\r\nGruß\r\nKundin\r\n\r\nAm 20.11.2026 um 10:00 schrieb Support:\r\n" + strings.Repeat("> Danke für Ihre Nachricht, wir sehen uns das an und melden uns.\r\n", 5)
}

func BenchmarkParse(b *testing.B) {
	attached := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("0123456789abcdef", 4096)))
	var lines strings.Builder
	for ; len(attached) > 76; attached = attached[76:] {
		lines.WriteString(attached[:76] + "\r\n")
	}
	html := "<html><body><div dir=\"ltr\">" + strings.Repeat("<p>Seit heute fr&uuml;h kann sich hier niemand mehr anmelden.</p>\r\n", 12) + "</div><div class=\"gmail_quote\"><blockquote>" + strings.Repeat("Danke.<br>", 20) + "</blockquote></div></body></html>\r\n"
	top := "From: customer@example.org\r\nTo: support@example.com\r\nSubject: Login\r\nMessage-ID: <a@example.org>\r\nDate: Fri, 20 Nov 2026 11:15:00 +0100\r\nMIME-Version: 1.0\r\n"
	for _, row := range []struct{ name, raw string }{
		{"ordinary", ordinaryMail()},
		{"alternative", top + "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + strings.Repeat("Niemand kann sich anmelden.\r\n", 20) + "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html + "--b--\r\n"},
		{"html", top + "Content-Type: text/html; charset=utf-8\r\n\r\n" + html},
		{"attachment64k", top + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee file\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines.String() + "--b--\r\n"},
	} {
		b.Run(row.name, func(b *testing.B) {
			own := kind.Own{Addresses: []string{"support@example.com"}, AuthServers: []string{"mx.example.com"}}
			b.SetBytes(int64(len(row.raw)))
			b.ReportAllocs()
			for b.Loop() {
				m, err := message.Parse(strings.NewReader(row.raw), message.Options{})
				if err != nil {
					b.Fatal(err)
				}
				kind.Of(m, own)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}
