package kind

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"evenkeel/ingest/message"
)

var ours = Own{Addresses: []string{"support@example.com"}, LoopHeader: "X-Evenkeel-Loop", AuthServers: []string{"mx.example.com"}}

func of(t *testing.T, raw string) Verdict {
	t.Helper()
	m, err := message.Parse(strings.NewReader(raw), message.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Of(m, ours)
}

// letter is the header of somebody's mail to us, with more fields.
func letter(more string) string {
	return "From: Jo <jo@example.org>\nTo: support@example.com\nMessage-ID: <1@example.org>\n" + more + "\n\nIt is down.\n"
}

// What may become a ticket and what is answered (S1-24).
func TestOfHeaders(t *testing.T) {
	for _, row := range []struct {
		name, raw  string
		want       Kind
		answerable bool
	}{
		{"a person", letter("Subject: help"), Person, true},
		{"a person, not automatic", letter("Subject: help\nAuto-Submitted: no"), Person, true},
		{"out of office", letter("Subject: Re: help\nAuto-Submitted: auto-replied (vacation)"), AutoReply, false},
		{"an autoresponder", letter("Subject: thanks\nX-Autoreply: yes"), AutoReply, false},
		{"precedence auto_reply", letter("Subject: thanks\nPrecedence: auto_reply"), AutoReply, false},
		{"by its subject", letter("Subject: =?utf-8?Q?Abwesenheitsnotiz:_x?="), AutoReply, false},
		{"by its subject, Japanese", letter("Subject: =?utf-8?B?6Ieq5YuV6L+U5L+h?="), AutoReply, false},
		{"Exchange", letter("Subject: x\nX-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: jo@example.org"), AutoReply, false},
		{"suppressed", letter("Subject: x\nX-Auto-Response-Suppress: OOF, AutoReply"), Person, false},
		{"suppressed, but not for us", letter("Subject: x\nX-Auto-Response-Suppress: None"), Person, true},
		{"a machine", letter("Subject: alarm\nAuto-Submitted: auto-generated"), Report, false},
		{"a list", letter("Subject: news\nList-Id: <news.example.org>"), List, false},
		{"bulk", letter("Subject: news\nPrecedence: bulk"), List, false},
		{"a group in front of our mailbox", letter("Subject: help\nList-Id: <support.example.com>\nPrecedence: list"), Person, true},
		{"spam", letter("Subject: money\nX-Spam-Flag: YES"), Spam, false},
		{"no spam", letter("Subject: help\nX-Spam-Flag: NO\nX-Spam-Status: No, score=-1"), Person, true},
		{"spam for Exchange", letter("Subject: money\nX-MS-Exchange-Organization-SCL: 6"), Spam, false},
		{"spam by its subject", letter("Subject: [SPAM] money"), Spam, false},
		{"our own", "From: support@example.com\nTo: support@example.com\n\nx", Ours, false},
		{"our own, by its mark", letter("Subject: x\nX-Evenkeel-Loop: 1"), Ours, false},
		{"from nobody's address", "From: Shop <no-reply@example.org>\nTo: support@example.com\n\nx", Person, false},
		{"to somebody else", "From: jo@example.org\nTo: else@example.net\n\nx", Person, false},
		{"answers to us", letter("Reply-To: support@example.com"), Person, false},
		{"a plus address of ours", "From: jo@example.org\nTo: support+t1@example.com\n\nx", Person, true},
		{"another desk", letter("X-Loop: desk"), Person, false},
		{"no envelope sender", letter("Return-Path: <>\nSubject: x"), Person, false},
		{"an invitation", "From: jo@example.org\nTo: support@example.com\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n", Calendar, false},
		{"a published calendar", letter("Subject: see\nContent-Type: text/calendar; method=PUBLISH"), Person, true},
		{"a receipt", "From: jo@example.org\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nread\n--b--\n", Report, false},
		{"DMARC", "From: noreply-dmarc@example.org\nSubject: Report domain: example.com Submitter: example.org Report-ID: 1\n\n", Report, false},
		{"nobody", "Subject: x\n\ny", Person, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := of(t, row.raw)
			if v.Kind != row.want || v.Answerable != row.answerable || v.Answerable == (v.WhyNot != "") || v.Why == "" {
				t.Errorf("got %s (%s), answerable %v (%s)", v.Kind, v.Why, v.Answerable, v.WhyNot)
			}
		})
	}
}

// report is a delivery report with one group of fields about a recipient.
func report(fields string) string {
	return "From: MAILER-DAEMON@example.net\nTo: support@example.com\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nIt could not be delivered.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n" +
		fields + "\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <t1@example.com>\nTo: gone@example.org\n--b--\n"
}

func TestOfBounces(t *testing.T) {
	for _, row := range []struct {
		name, raw string
		kind      Kind
		want      Bounce
	}{
		{"no such user", report("Final-Recipient: rfc822; Gone@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n"), Bounced, Bounce{"gone@example.org", "5.1.1", true, "550 5.1.1 User unknown", "t1@example.com"}},
		{"full", report("Final-Recipient: rfc822; gone@example.org\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 Mailbox full\n"), Bounced, Bounce{"gone@example.org", "5.2.2", false, "552 5.2.2 Mailbox full", "t1@example.com"}},
		{"5.1.1 for spam", report("Final-Recipient: rfc822; gone@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 blocked by spamhaus\n"), Bounced, Bounce{"gone@example.org", "5.1.1", false, "550 5.1.1 blocked by spamhaus", "t1@example.com"}},
		{"the code in the words", report("Original-Recipient: rfc822;gone@example.org\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;550 5.7.1 Rejected by policy\n"), Bounced, Bounce{"gone@example.org", "5.7.1", false, "550 5.7.1 Rejected by policy", "t1@example.com"}},
		{"not yet", report("Final-Recipient: rfc822; gone@example.org\nAction: delayed\nStatus: 4.4.1\n"), Delayed, Bounce{"gone@example.org", "4.4.1", false, "", "t1@example.com"}},
		{"qmail", "From: MAILER-DAEMON@example.net\nTo: support@example.com\nSubject: failure notice\n\nHi. This is the qmail-send program at example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<gone@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <support@example.com>\nMessage-ID: <t1@example.com>\n\nx\n",
			Bounced, Bounce{"gone@example.org", "5.1.1", true, "", "t1@example.com"}},
		{"exim", "From: Mail Delivery System <Mailer-Daemon@example.net>\nX-Failed-Recipients: gone@example.org\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  gone@example.org\n    host mx.example.org [192.0.2.7]\n    SMTP error from remote mail server after RCPT TO:<gone@example.org>:\n    550 No such user\n\n------ This is a copy of the message, including all the headers. ------\n\nMessage-ID: <t1@example.com>\n\nx\n",
			Bounced, Bounce{"gone@example.org", "5.0.0", true, "", "t1@example.com"}},
		{"Exchange 5.5", "From: System Administrator <postmaster@example.net>\nSubject: Undeliverable: help\n\nYour message\n\n  To:      desk\n  Subject: help\n\ndid not reach the following recipient(s):\n\ngone@example.org on Fri, 20 Nov 2026 09:12:00 +0000\n    The recipient name is not recognized\n", Bounced, Bounce{"gone@example.org", "5.0.0", true, "", ""}},
		{"a warning", "From: MAILER-DAEMON@example.net\nSubject: Warning: could not send message for past 4 hours\n\n    **      THIS IS A WARNING MESSAGE ONLY      **\n\n<gone@example.org>... Deferred: Connection timed out\nWill keep trying until message is 5 days old\n", Delayed, Bounce{"gone@example.org", "4.0.0", false, "", ""}},
		{"Amazon", "From: no-reply@sns.amazonaws.com\nSubject: Notification\n\n{\"Message\":\"{\\\"notificationType\\\":\\\"Bounce\\\",\\\"bounce\\\":{\\\"bounceType\\\":\\\"Permanent\\\",\\\"bouncedRecipients\\\":[{\\\"emailAddress\\\":\\\"gone@example.org\\\",\\\"status\\\":\\\"5.1.1\\\",\\\"diagnosticCode\\\":\\\"smtp; 550 5.1.1 user unknown\\\"}]},\\\"mail\\\":{\\\"messageId\\\":\\\"t1\\\"}}\"}\n",
			Bounced, Bounce{"gone@example.org", "5.1.1", true, "smtp; 550 5.1.1 user unknown", "t1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := of(t, row.raw)
			if v.Kind != row.kind || v.Bounce == nil || v.Answerable {
				t.Fatalf("got %s (%s), bounce %+v", v.Kind, v.Why, v.Bounce)
			}
			got := *v.Bounce
			if row.want.Diagnostic == "" {
				got.Diagnostic = ""
			}
			if got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

func TestOfPeopleWhoWriteAboutBounces(t *testing.T) {
	for _, raw := range []string{
		letter("Subject: Undelivered mail, user unknown\nReturn-Path: <jo@example.org>"),
		"From: Jo <jo@example.org>\nTo: support@example.com\nSubject: delivery failed\n\nOur parcel could not be delivered, the courier said 550.\n",
	} {
		if v := of(t, raw); v.Kind != Person {
			t.Errorf("got %s (%s)", v.Kind, v.Why)
		}
	}
	if v := of(t, letter("Subject: help with error 550 5.1.1")); v.Kind != Person {
		t.Errorf("got %s (%s)", v.Kind, v.Why)
	}
}

func TestOfFeedback(t *testing.T) {
	v := of(t, "From: feedback@example.net\nSubject: FW: help\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nAbuse.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: gone@example.org\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <t1@example.com>\nTo: gone@example.org\n\nx\n--b--\n")
	if v.Kind != Feedback || v.Bounce == nil || v.Bounce.Recipient != "gone@example.org" || v.Bounce.OriginalMessageID != "t1@example.com" {
		t.Errorf("got %s %+v", v.Kind, v.Bounce)
	}
}

func TestAuth(t *testing.T) {
	for _, row := range []struct {
		name, fields string
		want         Auth
	}{
		{"DMARC passed", "Authentication-Results: mx.example.com 1; spf=pass smtp.mailfrom=example.org;\n dkim=pass (2048) header.d=example.org; dmarc=pass (p=reject) header.from=example.org", Auth{"mx.example.com", "pass", "pass", "pass", true}},
		{"DMARC failed, a stranger's signature", "Authentication-Results: mx.example.com; dkim=pass header.d=evil.example.net; dmarc=fail header.from=example.org", Auth{"mx.example.com", "", "pass", "fail", false}},
		{"forged below ours", "Authentication-Results: mx.example.com; dmarc=fail header.from=example.org\nAuthentication-Results: mx.example.com; dmarc=pass header.from=example.org", Auth{"mx.example.com", "", "", "fail", false}},
		{"forged in a comment", "Authentication-Results: mx.example.com; dmarc=fail (dmarc=pass; dmarc=pass)", Auth{"mx.example.com", "", "", "fail", false}},
		{"a server that nobody believes", "Authentication-Results: mx.evil.example; dmarc=pass\nAuthentication-Results: mx.example.com; dmarc=pass", Auth{}},
		{"aligned by its signature", "Authentication-Results: mx.example.com; dkim=pass header.i=@example.org", Auth{"mx.example.com", "", "pass", "", true}},
		{"nothing", "Subject: x", Auth{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := of(t, letter(row.fields)).Auth; got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

func TestStatusCode(t *testing.T) {
	for text, want := range map[string]string{
		"550 5.1.1 User unknown": "5.1.1", "(#5.7.1)": "5.7.1", "host 5.6.7.8 said": "", "sendmail 5.67.1.2": "", "8.14.4/8.14.4": "", "4.4.7": "4.4.7", "250 2.1.5 ok": "2.1.5", "": "", "x5.1.1": "", "5.1.1234": "", "ERROR_CODE :5.1.1 x": "5.1.1",
	} {
		if got := statusCode(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzKind(f *testing.F) {
	for _, seed := range []string{letter("Subject: x"), report("Final-Recipient: rfc822; \xff@\xfe\nAction: failed\n"), report("Action: \nDiagnostic-Code: ;"), "From: MAILER-DAEMON\nSubject: failure notice\n\n<a@b.c>:\n\xff 5.1.1", "From: a@sns.amazonaws.com\n\n{\"notificationType\":\"Bounce\",\"emailAddress\":\"\\\"", "Authentication-Results: mx.example.com; dkim=(((\nFrom: x\n\n", "Return-Path: <>\nSubject: undeliverable\n\n>>> DATA\n<<< 5"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := message.Parse(bytes.NewReader(raw), message.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v := Of(m, ours)
		texts := []string{string(v.Kind), v.Why, v.WhyNot, v.Auth.Server, v.Auth.DMARC, v.Auth.DKIM, v.Auth.SPF}
		if v.Bounce != nil {
			texts = append(texts, v.Bounce.Recipient, v.Bounce.DSN, v.Bounce.Diagnostic, v.Bounce.OriginalMessageID)
		}
		for _, s := range texts {
			if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
				t.Errorf("%q cannot be stored", s)
			}
		}
		if v.Kind == "" || v.Answerable && v.Kind != Person {
			t.Errorf("got %+v", v)
		}
	})
}
