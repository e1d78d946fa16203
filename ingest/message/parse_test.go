package message

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// read parses a mail whose lines end as a server's do.
func read(t *testing.T, raw string) *Message {
	t.Helper()
	m, err := Parse(strings.NewReader(strings.ReplaceAll(raw, "\n", "\r\n")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Mail to support becomes tickets: what is read of it (S1-24).
func TestParseLetter(t *testing.T) {
	m := read(t, `From: "Role, Support" <customer@example.org>
To: Desk <desk@example.com>, second@example.com (Second Desk)
Cc: Group One: a@example.org, B <b@example.org>;, undisclosed-recipients:;
Reply-To: <answers@example.org>
Subject: =?utf-8?Q?Der_Dienst_h=C3=A4ngt?=
Date: Fri, 20 Nov 2026 10:15:00 +0100 (CET)
Message-ID: <one@example.org>
In-Reply-To: <zero@example.com>
References: <root@example.com>
 <zero@example.com>
Content-Type: text/plain; charset=utf-8

It hangs.

On Thu, 19 Nov 2026 at 09:00, Desk <desk@example.com> wrote:
> How are you?
`)
	want := &Message{
		Subject: "Der Dienst hängt",
		From:    []Address{{"Role, Support", "customer@example.org"}},
		To:      []Address{{"Desk", "desk@example.com"}, {"Second Desk", "second@example.com"}},
		Cc:      []Address{{"", "a@example.org"}, {"B", "b@example.org"}},
		ReplyTo: []Address{{"", "answers@example.org"}},
		Date:    time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC), MessageID: "one@example.org", InReplyTo: "zero@example.com",
		References: []string{"root@example.com", "zero@example.com"},
		Text:       "It hangs.\n\nOn Thu, 19 Nov 2026 at 09:00, Desk <desk@example.com> wrote:\n> How are you?",
		ReplyText:  "It hangs.", Quoted: "On Thu, 19 Nov 2026 at 09:00, Desk <desk@example.com> wrote:\n> How are you?",
		Type: "text/plain", Parts: 1, Size: m.Size, Header: m.Header,
	}
	if diff := cmp.Diff(want, m, cmp.AllowUnexported(Header{}, field{})); diff != "" {
		t.Error(diff)
	}
}

func TestParseBodies(t *testing.T) {
	for _, row := range []struct{ name, raw, text, html string }{
		{"plain and HTML", "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n", "plain", "<p>rich</p>"},
		{"alternatives of several parts", "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/html\n\n<p>one</p>\n--m\nContent-Type: image/png\n\nx\n--m\nContent-Type: text/html\n\n<p>two</p>\n--m--\n--b--\n", "plain", "<p>one</p>\n<p>two</p>"},
		{"an empty text beside HTML", "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n", "rich", "<p>rich</p>"},
		{"HTML alone", "Content-Type: text/html\n\n<p>one<br>two</p><ul><li>three</ul>", "one\ntwo\n\n- three", "<p>one<br>two</p><ul><li>three</ul>"},
		{"two texts", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\n\nsecond\n--b--\n", "first\nsecond", ""},
		{"HTML and a list's footer", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>words</p>\n--b\nContent-Type: text/plain\n\n___\nthe list\n--b--\n", "words\n___\nthe list", "<p>words</p>"},
		{"no boundary named", "Content-Type: multipart/mixed\n\n--xyz\nContent-Type: text/plain\n\nwords\n--xyz--\n", "words", ""},
		{"another boundary", "Content-Type: multipart/mixed; boundary=wrong\n\n--right\nContent-Type: text/plain\n\nwords\n--right--\n", "words", ""},
		{"no parts", "Content-Type: multipart/mixed; boundary=b\n\njust words\n", "just words", ""},
		{"never closed", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n", "words", ""},
		{"inner never closed", "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\nwords\n--o\n\nmore\n--o--\n", "words\nmore", ""},
		{"a boundary that begins another", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\nwords\n--bb--\n--b--\n", "words", ""},
		{"flowed", "Content-Type: text/plain; format=flowed\n\none \ntwo\n>three \n>four\n \n> five \nsix\n-- \nsig\n", "one two\n> three four\n\n> five \nsix\n-- \nsig", ""},
		{"flowed, spaces deleted", "Content-Type: text/plain; format=flowed; delsp=yes\n\nab \ncd\n", "abcd", ""},
		{"quoted-printable, damaged", "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\na=C3=A9=\nb=ZZ  \nc=", "aéb=ZZ\nc", ""},
		{"base64 with a footer", "Content-Transfer-Encoding: base64\n\naGVsbG8=\n____ list footer ____\n", "hello", ""},
		{"base64 without padding", "Content-Transfer-Encoding: base64\n\naGVs\n bG8h IQ\n", "hello!!", ""},
		{"an encoding that nobody knows", "Content-Transfer-Encoding: rot13\n\nwords\n", "words", ""},
		{"enriched", "Content-Type: text/enriched\n\n<bold>one</bold>\ntwo\n\nthree <<4 <param>x</param>\n", "one two\nthree <4", ""},
		{"a header that nobody ended", "Subject: s\nhello world, this is text\nand more\n", "hello world, this is text\nand more", ""},
		{"no header", "just some text\nof a device\n", "just some text\nof a device", ""},
		{"empty lines first", "\n\nSubject: s\n\nwords\n", "words", ""},
		{"from a file of mails", "From a@example.org Fri Nov 20 10:00:00 2026\nSubject: s\n\nwords\n", "words", ""},
		{"ISO-2022-JP without a word", "Subject: s\n\n\x1b$B%F%9%H\x1b(B\n", "テスト", ""},
		{"UTF-7", "Content-Type: text/plain; charset=utf-7\n\nHi +ZeVnLIqe-! +-\n", "Hi 日本語! +", ""},
		{"UTF-8 called Latin-1", "Content-Type: text/plain; charset=iso-8859-1\n\ncafé\n", "café", ""},
		{"NUL", "Subject: s\n\na\x00b\n", "ab", ""},
		{"charset in the page", "Content-Type: text/html\n\n<meta charset=windows-1251><p>\xcf\xf0\xe8\xe2\xe5\xf2", "Привет", "<meta charset=windows-1251><p>Привет"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := read(t, row.raw)
			if m.Text != row.text || m.HTML != row.html {
				t.Errorf("text %q, want %q\nhtml %q, want %q\nwarnings %q", m.Text, row.text, m.HTML, row.html, m.Warnings)
			}
		})
	}
}

func TestParseLineEnds(t *testing.T) {
	raw := "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\ntwo\n--b--\n"
	for name, end := range map[string]string{"LF": "\n", "CRLF": "\r\n", "CR": "\r"} {
		m, err := Parse(strings.NewReader(strings.ReplaceAll(raw, "\n", end)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject != "s" || m.Text != "one\ntwo" {
			t.Errorf("%s: subject %q, text %q", name, m.Subject, m.Text)
		}
	}
}

func TestParseCharsets(t *testing.T) {
	const russian, chinese, japan, korea, polish = "Сервис не отвечает с утра, помогите пожалуйста", "登录页面一直显示错误，请尽快处理，谢谢", "ログインできません。至急対応をお願いします", "로그인이 되지 않습니다. 확인 부탁드립니다", "Nie mogę się zalogować, proszę o pomoc"
	encode := func(s string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, row := range []struct{ declared, raw, want string }{
		{"koi8-r", encode(charmap.KOI8R.NewEncoder().String(russian)), russian},
		{"windows-1251", encode(charmap.Windows1251.NewEncoder().String(russian)), russian},
		{"cp-1251", encode(charmap.Windows1251.NewEncoder().String(russian)), russian},
		{"ISO_8859-5:1988", encode(charmap.ISO8859_5.NewEncoder().String(russian)), russian},
		{"x-cp866", encode(charmap.CodePage866.NewEncoder().String(russian)), russian},
		{"gb2312", encode(simplifiedchinese.GBK.NewEncoder().String(chinese)), chinese},
		{"GB18030", encode(simplifiedchinese.GB18030.NewEncoder().String(chinese)), chinese},
		{"hz-gb-2312", encode(simplifiedchinese.HZGB2312.NewEncoder().String(chinese)), chinese},
		{"big5-hkscs", encode(traditionalchinese.Big5.NewEncoder().String("登入頁面一直顯示錯誤")), "登入頁面一直顯示錯誤"},
		{"ks_c_5601-1987", encode(korean.EUCKR.NewEncoder().String(korea)), korea},
		{"x-sjis", encode(japanese.ShiftJIS.NewEncoder().String(japan)), japan},
		{"Windows-31J", encode(japanese.ShiftJIS.NewEncoder().String(japan)), japan},
		{"csISO2022JP", encode(japanese.ISO2022JP.NewEncoder().String(japan)), japan},
		{"iso-2022-kr", "\x1b$)C\x0e7N1W?B\x0f ok", "로그온 ok"},
		{"iso-8859-2", encode(charmap.ISO8859_2.NewEncoder().String(polish)), polish},
		{"cp850", encode(charmap.CodePage850.NewEncoder().String("Störung")), "Störung"},
		{"macintosh", encode(charmap.Macintosh.NewEncoder().String("Störung")), "Störung"},
		{"utf-16le", "\xff\xfeh\x00i\x00", "hi"},
		// nothing declared, or nonsense: by the look of it
		{"x-unknown", encode(charmap.Windows1251.NewEncoder().String(russian)), russian},
		{"", encode(charmap.KOI8R.NewEncoder().String(russian)), russian},
		{"us-ascii", encode(simplifiedchinese.GBK.NewEncoder().String(chinese)), chinese},
		{"unknown-8bit", encode(japanese.ShiftJIS.NewEncoder().String(japan)), japan},
		{"", encode(japanese.EUCJP.NewEncoder().String(japan)), japan},
		{"8bit", encode(korean.EUCKR.NewEncoder().String(korea)), korea},
		{"", encode(traditionalchinese.Big5.NewEncoder().String("登入頁面一直顯示錯誤，請儘快處理，謝謝")), "登入頁面一直顯示錯誤，請儘快處理，謝謝"},
		{"", encode(charmap.Windows1252.NewEncoder().String("Größere Störung, bitte prüfen – “jetzt”")), "Größere Störung, bitte prüfen – “jetzt”"},
		{"", encode(charmap.Windows1253.NewEncoder().String("Δεν μπορώ να συνδεθώ, βοήθεια παρακαλώ")), "Δεν μπορώ να συνδεθώ, βοήθεια παρακαλώ"},
		{"", encode(charmap.Windows1255.NewEncoder().String("אני לא מצליח להתחבר למערכת")), "אני לא מצליח להתחבר למערכת"},
	} {
		if got := decodeText([]byte(row.raw), row.declared); got != row.want {
			t.Errorf("%q: got %q, want %q", row.declared, got, row.want)
		}
		word := "=?" + row.declared + "?B?" + base64.StdEncoding.EncodeToString([]byte(row.raw)) + "?="
		if got := decodeWords("a "+word, ""); row.declared != "" && got != "a "+row.want {
			t.Errorf("%s: got %q, want %q", word, got, row.want)
		}
	}
}

func TestDecodeWords(t *testing.T) {
	for _, row := range []struct{ raw, want string }{
		{"plain", "plain"},
		{"=?UTF-8?Q?a_b?= =?utf-8?q?c?=", "a bc"},
		{"=?utf-8?B?5pel5pw=?= =?utf-8?B?rOiqng==?=", "日本語"}, // split within a character
		{"=?utf-8?Q?=E6=97?= =?utf-8?Q?=A5?=", "日"},          // likewise
		{"=?utf-8?Q?has spaces?= here", "has spaces here"},   // against the rule
		{"a=?utf-8?Q?b?=c", "abc"},                           // glued
		{"=?utf-8*en?Q?x?=", "x"},                            // RFC 2231
		{"=?utf-8?X?x?= y", "=?utf-8?X?x?= y"},               // no such encoding
		{"=?utf-8?Q?never ends", "=?utf-8?Q?never ends"},     //
		{"=?nonsense?Q?caf=C3=A9?=", "café"},                 // looks like UTF-8
		{"=?iso-8859-1?Q?=3D?= ?=", "= ?="},                  //
		{"=?utf-8?Q?=3D=?=", "=="},                           // the text ends in "="
		{"=?utf-8?B?aGVsbG8?=", "hello"},                     // no padding
		{"caf\xe9", "café"},                                  // raw
		{"\x1b$B%F%9%H\x1b(B", "テスト"},                        // raw
		{"=?ISO-2022-JP?B?GyRCJUYbKEI=?= =?ISO-2022-JP?B?GyRCJTkbKEI=?=", "テス"},
		{"=?utf-8?Q?a=0D=0AX-Evil:_1?=", "a  X-Evil: 1"}, // no second line
		{"=?utf-8?Q?=00x?=", "x"},
	} {
		if got := decodeWords(row.raw, ""); got != row.want {
			t.Errorf("%q: got %q, want %q", row.raw, got, row.want)
		}
	}
}

func TestParseAddresses(t *testing.T) {
	for _, row := range []struct {
		raw  string
		want []Address
	}{
		{"a@example.org", []Address{{"", "a@example.org"}}},
		{"Doe, Jo <jo@example.org>, b@example.org", []Address{{"Doe, Jo", "jo@example.org"}, {"", "b@example.org"}}},
		{`"Quoted \"Q\" Name" <q@example.org>`, []Address{{`Quoted "Q" Name`, "q@example.org"}}},
		{"=?utf-8?Q?M=C3=BCller=2C_Jo?= <jo@example.org>", []Address{{"Müller, Jo", "jo@example.org"}}},
		{"=?utf-8?Q?A,B?= <jo@example.org>", []Address{{"A,B", "jo@example.org"}}},
		{`"=?utf-8?Q?J=C3=B6?=" <jo@example.org>`, []Address{{"Jö", "jo@example.org"}}},
		{"jo@example.org (Jo (the first))", []Address{{"Jo (the first)", "jo@example.org"}}},
		{"a@example.org; b@example.org;", []Address{{"", "a@example.org"}, {"", "b@example.org"}}},
		{"Jo <jo@example.org", []Address{{"Jo", "jo@example.org"}}},
		{"<<jo@example.org>>", []Address{{"", "jo@example.org"}}},
		{"Jo jo@example.org", []Address{{"Jo", "jo@example.org"}}},
		{"<mailto:jo@example.org>", []Address{{"", "jo@example.org"}}},
		{"<@relay.example.net:jo@example.org>", []Address{{"", "jo@example.org"}}},
		{"'jo@example.org' <jo@example.org>", []Address{{"jo@example.org", "jo@example.org"}}},
		{"undisclosed-recipients:;", nil},
		{"<>", nil},
		{"MAILER-DAEMON", []Address{{"MAILER-DAEMON", ""}}},
		{"=?utf-8?Q?Jo_=3Cjo=40example=2Eorg=3E?=", []Address{{"Jo", "jo@example.org"}}},
		{"", nil},
	} {
		got, _ := parseAddresses(row.raw, "", 100)
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%q: %s", row.raw, diff)
		}
	}
}

func TestParseDate(t *testing.T) {
	want := time.Date(2026, 3, 5, 14, 4, 9, 0, time.UTC)
	for _, s := range []string{
		"Thu, 5 Mar 2026 15:04:09 +0100", "Thu, 05 Mar 2026 14:04:09 GMT", "5 Mar 26 14:04:09 UT", "Thu Mar  5 14:04:09 2026", "Thu Mar 5 09:04:09 EST 2026",
		"2026-03-05T14:04:09Z", "2026-03-05T15:04:09.123+01:00", "2026-03-05 23:04:09 +0900", "Thu, 5 Mar 2026 02:04:09 PM", "Thursday, March 5, 2026 2:04:09 PM", "05-Mar-2026 14:04:09", "5/3/2026 14:04:09",
		"Do, 5 Mär 2026 15:04:09 +0100 (MEZ)", "Thu, 5 Mar 2026 14:04:09", "Thu,5 Mar 2026 09:04:09 -0500", "2026/03/05 14:04:09", "Thu, 5 Mar 2026 15:04:09 GMT+0100",
	} {
		if got, ok := parseDate(s); !ok || !got.Equal(want) {
			t.Errorf("%q: got %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "yesterday", "Thu, 45 Mar 2026 14:04:09 +0000", "5 Mar", "99:99", "Thu, 5 Mar 2026 34:04:09 +0000", "-"} {
		if got, ok := parseDate(s); ok {
			t.Errorf("%q: got %v", s, got)
		}
	}
}

func TestParseParameters(t *testing.T) {
	for _, row := range []struct{ raw, name, want string }{
		{`attachment; filename="a b.txt"`, "filename", "a b.txt"},
		{`attachment; filename=a b.txt`, "filename", "a b.txt"},
		{`attachment; filename*=utf-8'de'St%C3%B6rung.txt`, "filename", "Störung.txt"},
		{`attachment; filename*0*=utf-8''St%C3; filename*1*=%B6rung; filename*2=".txt"`, "filename", "Störung.txt"},
		{`attachment; filename*1=b.txt; filename*0=a`, "filename", "ab.txt"},
		{`attachment; filename="=?utf-8?Q?St=C3=B6rung.txt?="`, "filename", "Störung.txt"},
		{`attachment; filename=old.txt; filename*=utf-8''new.txt`, "filename", "new.txt"},
		{`text/plain charset=utf-8`, "charset", "utf-8"},
		{`text/plain; charset="utf-8`, "charset", "utf-8"},
		{`text/plain; charset=utf-8 format=flowed`, "format", "flowed"},
		{`multipart/mixed; boundary="a;b"`, "boundary", "a;b"},
		{`text/plain; charset=us-ascii (Plain text)`, "charset", "us-ascii (Plain text)"},
	} {
		if got := parseValue(row.raw, "").param(row.name); got != row.want {
			t.Errorf("%q: got %q, want %q", row.raw, got, row.want)
		}
	}
}

// sink keeps what it is given.
type sink struct {
	bytes.Buffer
	closed bool
	fails  error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.fails != nil {
		return 0, s.fails
	}
	return s.Buffer.Write(p)
}

func (s *sink) Close() error { s.closed = true; return nil }

func TestParseAttachmentsStream(t *testing.T) {
	payload := bytes.Repeat([]byte("0123456789abcdef"), 10_000)
	raw := "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee file\n--b\nContent-Type: image/png; name=\"../../e\u202etc/p%61ss.png\"\nContent-Disposition: attachment\nContent-ID: <pic@example.org>\nContent-Transfer-Encoding: base64\n\n" +
		base64.StdEncoding.EncodeToString(payload) + "\n--b--\n"
	out := &sink{}
	var meta Meta
	m, err := Parse(strings.NewReader(raw), Options{Attachment: func(a Meta) (io.WriteCloser, error) { meta = a; return out, nil }})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(payload)
	want := []Attachment{{Name: "p%61ss.png", Type: "image/png", Size: int64(len(payload)), SHA256: hex.EncodeToString(digest[:]), ContentID: "pic@example.org", Part: "2"}}
	if diff := cmp.Diff(want, m.Attachments); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(out.Bytes(), payload) || !out.closed || meta.Name != want[0].Name {
		t.Errorf("the sink has %d bytes, closed %v, name %q", out.Len(), out.closed, meta.Name)
	}
	broken := &sink{fails: errors.New("disk full")}
	if _, err := Parse(strings.NewReader(raw), Options{Attachment: func(Meta) (io.WriteCloser, error) { return broken, nil }}); !errors.Is(err, broken.fails) || !broken.closed {
		t.Errorf("a sink that fails: %v, closed %v", err, broken.closed)
	}
}

func TestParseFailsOnlyWithItsReader(t *testing.T) {
	lost := errors.New("connection lost")
	if _, err := Parse(io.MultiReader(strings.NewReader("Subject: s\n\nwords"), iotest.ErrReader(lost)), Options{}); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
	if m, err := Parse(strings.NewReader(""), Options{}); err != nil || len(m.Warnings) == 0 {
		t.Errorf("an empty mail: %v", err)
	}
	if _, err := Parse(iotest.OneByteReader(strings.NewReader("Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n")), Options{}); err != nil {
		t.Errorf("one byte at a time: %v", err)
	}
}

func TestParseUuencode(t *testing.T) {
	m := read(t, "Subject: s\n\nsee below\nbegin 644 a.txt\n%:&5L;&\\\n`\nend\nthat was it\nbegin with words\n")
	if m.Text != "see below\nthat was it\nbegin with words" {
		t.Errorf("text %q", m.Text)
	}
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "a.txt" || m.Attachments[0].Size != 5 {
		t.Errorf("attachments %+v", m.Attachments)
	}
}

func TestParseWithin(t *testing.T) {
	m := read(t, `Subject: Fwd
Content-Type: multipart/mixed; boundary=b

--b

see the mail
--b
Content-Type: message/rfc822

From: Inner <inner@example.org>
Subject: the inner one
Message-ID: <inner@example.org>
Content-Type: multipart/mixed; boundary=c

--c

inner words
--c--
--b
Content-Type: text/calendar; method=REQUEST

BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:Review\, with
  all
UID:1@example.org
END:VEVENT
END:VCALENDAR
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; gone@example.org
Action: failed
Status: 5.1.1
--b--
`)
	if m.Text != "see the mail" {
		t.Errorf("text %q", m.Text)
	}
	if len(m.Nested) != 1 || m.Nested[0].Subject != "the inner one" || m.Nested[0].Text != "inner words" || m.Nested[0].MessageID != "inner@example.org" {
		t.Errorf("nested %+v", m.Nested)
	}
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "the inner one.eml" {
		t.Errorf("attachments %+v", m.Attachments)
	}
	if len(m.Calendar) != 1 || m.Calendar[0].Method != "REQUEST" || m.Calendar[0].Summary != "Review, with all" || m.Calendar[0].UID != "1@example.org" {
		t.Errorf("calendar %+v", m.Calendar)
	}
	if len(m.Reports) != 1 || len(m.Reports[0].Groups) != 2 || m.Reports[0].Groups[1].Value("status") != "5.1.1" {
		t.Errorf("reports %+v", m.Reports)
	}
}

func TestParseInlineAndProtected(t *testing.T) {
	m := read(t, `Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=s

--s
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html

<img src="cid:logo@example.org">
--r
Content-Type: image/gif
Content-ID: <logo@example.org>

GIF
--r--
--s
Content-Type: application/pgp-signature; name=signature.asc

sig
--s--
`)
	if m.Signed != "pgp" || len(m.Attachments) != 2 || !m.Attachments[0].Inline || m.Attachments[1].Inline {
		t.Errorf("signed %q, attachments %+v", m.Signed, m.Attachments)
	}
	m = read(t, "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIIB\n")
	if m.Encrypted != "smime" || len(m.Attachments) != 1 || m.Text != "" {
		t.Errorf("encrypted %q, %+v", m.Encrypted, m)
	}
}

func TestParseOpaqueSignature(t *testing.T) {
	der := func(tag byte, parts ...string) string {
		body := strings.Join(parts, "")
		if len(body) < 0x80 {
			return string([]byte{tag, byte(len(body))}) + body
		}
		return string([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}) + body
	}
	inner := "Content-Type: text/plain; charset=utf-8\r\n\r\nSigned wörds.\r\n" + strings.Repeat("more\r\n", 40)
	oid := der(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
	for name, octets := range map[string]string{
		"whole":      der(0x04, inner),
		"in pieces":  der(0x24, der(0x04, inner[:50]), der(0x04, inner[50:])),
		"indefinite": "\x24\x80" + der(0x04, inner[:50]) + der(0x04, inner[50:]) + "\x00\x00",
	} {
		cms := der(0x30, oid, der(0xa0, der(0x30, der(0x02, "\x01"), der(0x31, ""), der(0x30, oid, der(0xa0, octets)), der(0x31, ""))))
		m := read(t, "Subject: s\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n"+base64.StdEncoding.EncodeToString([]byte(cms))+"\n")
		if !strings.HasPrefix(m.Text, "Signed wörds.\nmore\n") || m.Signed != "smime" || m.Encrypted != "" || len(m.Attachments) != 1 {
			t.Errorf("%s: text %q, signed %q, attachments %+v", name, m.Text, m.Signed, m.Attachments)
		}
	}
}

func FuzzSignedContent(f *testing.F) {
	f.Add([]byte("\x30\x80\x06\x01\x00\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x01\x00\xa0\x80\x24\x80\x04\x01x\x00\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if content, ok := signedContent(raw); ok && len(content) > len(raw) {
			t.Errorf("%q grew", raw)
		}
	})
}

func TestParseHeaderTrouble(t *testing.T) {
	m := read(t, "Subject: one\nX-Folded: a\n\tb\n c\nBroken folding here\nFrom: caf\xe9 <a@example.org>\nSubject: two\nDate: Fri, 20 Nov 2099 10:00:00 +0000\nContent-Type: text/plain; charset=iso-8859-1\n\nw\xe4rme\n")
	if m.Subject != "one" || m.From[0].Name != "café" || m.Text != "wärme" {
		t.Errorf("%q %+v %q", m.Subject, m.From, m.Text)
	}
	if got := m.Header.Value("x-folded"); got != "a b c Broken folding here" {
		t.Errorf("folded %q", got)
	}
	late, err := Parse(strings.NewReader("Date: Fri, 20 Nov 2099 10:00:00 +0000\n\n"), Options{Now: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	if late.Date.Year() != 2099 || !strings.Contains(strings.Join(late.Warnings, "\n"), "future") {
		t.Errorf("date %v, warnings %q", late.Date, late.Warnings)
	}
}

func TestParseBounded(t *testing.T) {
	unclosed := func(n int) string {
		var b strings.Builder
		b.WriteString("Subject: s\nContent-Type: multipart/mixed; boundary=b0\n\n")
		for i := range n {
			name := "b" + strings.Repeat("x", i%40) + string(rune('a'+i%26))
			b.WriteString("--b" + map[bool]string{true: "0", false: ""}[i == 0] + "\nContent-Type: multipart/mixed; boundary=" + name + "\n\n--" + name + "\n")
		}
		return b.String()
	}
	for name, raw := range map[string]string{
		"deep":        unclosed(20_000),
		"parts":       "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: image/png\n\nx\n", 50_000),
		"one line":    "Subject: s\n\n" + strings.Repeat("x", 5<<20),
		"subject":     "Subject: " + strings.Repeat("=?utf-8?Q?a?= ", 50_000) + "\n\n",
		"words":       "Subject: " + strings.Repeat("=?utf-8?Q?", 20_000) + "\n\n",
		"recipients":  "To: " + strings.Repeat("a@example.org, ", 50_000) + "\n\n",
		"names":       "To: " + strings.Repeat("\"", 60_000) + "\n\n",
		"commas":      "To: " + strings.Repeat("a,", 60_000) + "\n\n",
		"references":  "References: " + strings.Repeat("<a@b> ", 50_000) + "\n\n",
		"header":      strings.Repeat("X-Field: value\n", 100_000) + "\nbody",
		"no colon":    "X-" + strings.Repeat(" ", 250_000) + "\nX-" + strings.Repeat("\t", 15_000) + "\n\n",
		"parameters":  "Content-Type: text/plain" + strings.Repeat("; a*0*=b", 8_000) + "\n\n",
		"comments":    "From: " + strings.Repeat("(", 60_000) + "\n\n",
		"long HTML":   "Content-Type: text/html\n\n" + strings.Repeat("<div>", 500_000) + "x",
		"quotes":      "Subject: s\n\n" + strings.Repeat(strings.Repeat(">", 500)+"\n", 4_000),
		"nested mail": strings.Repeat("Content-Type: message/rfc822\n\n", 5_000),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Parse(strings.NewReader(raw), Options{})
			if err != nil {
				t.Fatal(err)
			}
			l := DefaultLimits
			if len(m.Subject) > l.Subject || len(m.To) > l.Addresses || len(m.References) > l.References || len(m.Attachments) > l.Parts || len(m.Text) > l.Text || len(m.HTML) > l.HTML || len(m.Warnings) > maxWarnings {
				t.Errorf("a limit does not hold: %d %d %d %d %d %d", len(m.Subject), len(m.To), len(m.References), len(m.Attachments), len(m.Text), len(m.HTML))
			}
		})
	}
}

// storable reports what PostgreSQL would refuse in a text.
func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func checkStorable(t *testing.T, m *Message) {
	t.Helper()
	texts := []string{m.Subject, m.MessageID, m.InReplyTo, m.Text, m.HTML, m.ReplyText, m.Quoted, m.Signature, m.Type, m.ReportType}
	texts = append(append(texts, m.References...), m.Warnings...)
	for _, list := range [][]Address{m.From, m.Sender, m.To, m.Cc, m.ReplyTo} {
		for _, a := range list {
			texts = append(texts, a.Name, a.Address)
		}
	}
	for _, a := range m.Attachments {
		texts = append(texts, a.Name, a.Type, a.ContentID, a.Part)
	}
	for _, c := range m.Calendar {
		texts = append(texts, c.Method, c.Summary, c.UID, c.Text)
	}
	for _, n := range m.Nested {
		texts = append(texts, n.Subject, n.MessageID, n.Text)
	}
	for name, value := range m.Header.All() {
		texts = append(texts, name, value)
	}
	for _, s := range texts {
		if !storable(s) {
			t.Errorf("%q cannot be stored", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "Subject: s\n\nwords", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n", "Content-Type: text/html; charset=gbk\n\n<p>\xc4\xe3",
		"Subject: =?gb2312?B?xOM?= =?x?Q?\x00?=\nFrom: \xff <a@\x00b>\nReferences: <\xfe@x>\nDate: 5 M\xe4r 2026\n\n\x1b$B",
		"Content-Type: message/rfc822; name*0*=utf-8''%ff\nContent-Transfer-Encoding: quoted-printable\n\nSubject: =\n=C3=", "Content-Type: text/calendar; method=\x00\n\nUID:\xff\n",
		"Content-Type: text/plain; format=flowed; delsp=yes\n\n> a \n>b\n-- \nbegin 644 \xff\n%:&5L;&\\\nend\n", "Content-Type: message/delivery-status\n\na: \x00\n\nb: \xff\n", "Content-Type: text/enriched\n\n<<<param>\xff",
		"Content-Type:\xed\xed\xed 0=\n\n",
		"MIME-Version: 1.0\nContent-Type: application/x-\xff\nContent-Transfer-Encoding: base64\nContent-ID: <\xff\x00>\n\n====a===\n", "Content-Type: text/plain; charset=utf-7\n\n+A-+//8-",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Parse(bytes.NewReader(raw), Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkStorable(t, m)
	})
}
