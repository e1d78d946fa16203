package quote

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCutKnowsMarkersOfLanguages(t *testing.T) {
	for _, marker := range []string{
		"On Fri, 20 Nov 2026 at 09:12, Desk <desk@example.com> wrote:",
		"On 20.11.26 09:12, Desk wrote:",
		"On Fri, Nov 20, 2026 at 9:12 AM Desk Of Support And Others\n<desk@example.com> wrote:",
		"Am Fr., 20. Nov. 2026 um 09:12 Uhr schrieb Desk <desk@example.com>:",
		"Am 20.11.2026 um 09:12 schrieb Desk:",
		"Desk <desk@example.com> schrieb am Fr., 20. Nov. 2026, 09:12:",
		"Le ven. 20 nov. 2026 à 09:12, Desk <desk@example.com> a écrit :",
		"El vie, 20 nov 2026 a las 9:12, Desk (<desk@example.com>) escribió:",
		"Il giorno ven 20 nov 2026 alle ore 09:12 Desk <desk@example.com> ha scritto:",
		"Em sex., 20 de nov. de 2026 às 09:12, Desk <desk@example.com> escreveu:",
		"Op vr 20 nov. 2026 om 09:12 schreef Desk <desk@example.com>:",
		"Op vr 20 nov. 2026 09:12 heeft Desk <desk@example.com> het volgende geschreven:",
		"Den fre 20 nov. 2026 kl 09:12 skrev Desk <desk@example.com>:",
		"fre. 20. nov. 2026 kl. 09:12 skrev Desk <desk@example.com>:",
		"pe 20. marrask. 2026 klo 9.12 Desk (desk@example.com) kirjoitti:",
		"pt., 20 lis 2026 o 09:12 Desk <desk@example.com> napisał(a):",
		"pá 20. 11. 2026 v 9:12 odesílatel Desk <desk@example.com> napsal:",
		"pi 20. 11. 2026 o 9:12 Desk <desk@example.com> napísal(a):",
		"Desk <desk@example.com> ezt írta (időpont: 2026. nov. 20., P, 9:12):",
		"În vin., 20 nov. 2026 la 09:12, Desk <desk@example.com> a scris:",
		"пт, 20 нояб. 2026 г. в 09:12, Desk <desk@example.com>:",
		"20.11.2026 09:12, Desk пишет:",
		"пт, 20 лист. 2026 р. о 09:12 Desk <desk@example.com> пише:",
		"На пт, 20.11.2026 г. в 9:12 Desk <desk@example.com> написа:",
		"Στις Παρ 20 Νοε 2026 στις 9:12 π.μ., ο/η Desk <desk@example.com> έγραψε:",
		"Desk <desk@example.com>, 20 Kas 2026 Cum, 09:12 tarihinde şunu yazdı:",
		"\u202bבתאריך יום ו׳, 20 בנוב׳ 2026 ב-9:12 מאת \u202aDesk\u202c\u200f <\u202adesk@example.com\u202c\u200f>:\u202c",
		"في الجمعة، 20 نوفمبر 2026 في 9:12 ص تمت كتابة ما يلي بواسطة Desk <desk@example.com>:",
		"Desk <desk@example.com> 于2026年11月20日周五 09:12写道：",
		"Desk <desk@example.com> 於 2026年11月20日 週五 上午9:12寫道：",
		"2026年11月20日(金) 9:12 Desk <desk@example.com>:",
		"2026년 11월 20일 (금) 오전 9:12, Desk <desk@example.com>님이 작성:",
		"Vào Th 6, 20 thg 11, 2026 vào lúc 09:12 Desk <desk@example.com> đã viết:",
		"Pada tanggal Jum, 20 Nov 2026 pukul 09.12 Desk <desk@example.com> menulis:",
		"ในวันที่ ศ. 20 พ.ย. 2026 เวลา 09:12 Desk <desk@example.com> เขียนว่า:",
		"---- On Fri, 20 Nov 2026 09:12:00 +0100 Desk <desk@example.com> wrote ----",
	} {
		reply, quoted, _ := Cut("Still broken.\nReally.\n\n" + marker + "\n\n> Is it fixed?\n>\n> Desk\n")
		if reply != "Still broken.\nReally." || !strings.HasPrefix(quoted, marker[:8]) {
			t.Errorf("%s: reply %q, quoted %q", marker, reply, quoted)
		}
	}
}

func TestCut(t *testing.T) {
	for _, row := range []struct{ name, text, reply, signature string }{
		{"nothing to cut", "one\n\ntwo\n", "one\n\ntwo", ""},
		{"empty", " \n", "", ""},
		{"signature", "words\n-- \nJo\nRole\n", "words", "-- \nJo\nRole"},
		{"a phone", "words\n\nSent from my iPhone\n", "words", "Sent from my iPhone"},
		{"a phone above the quote", "words\n\nGesendet von meinem Telefon\n\nAm 20.11.2026 um 09:12 schrieb Desk:\n> x\n", "words", "Gesendet von meinem Telefon"},
		{"Outlook", "words\n\n-----Original Message-----\nFrom: Desk\nSent: Friday\nSubject: x\n\nold\n", "words", ""},
		{"Outlook without hyphens", "words\n\nFrom: Desk <desk@example.com>\nSent: Friday, 20 November 2026 09:12\nTo: Jo\nSubject: x\n\nold\n", "words", ""},
		{"Outlook in German", "Worte\n\nVon: Desk <desk@example.com>\nGesendet: Freitag, 20. November 2026 09:12\nAn: Jo\nBetreff: x\n\nalt\n", "Worte", ""},
		{"Outlook in Chinese", "文字\n\n发件人: Desk\n发送时间: 2026年11月20日\n收件人: Jo\n主题: x\n\nold\n", "文字", ""},
		{"bold header", "words\n\n*From:* Desk\n*Sent:* Friday\n*Subject:* x\n\nold\n", "words", ""},
		{"below the quote", "On 20.11.2026 09:12, Desk wrote:\n> Is it fixed?\n\nNo.\n", "No.", ""},
		{"point by point", "On 20.11.2026 09:12, Desk wrote:\n> Is it fixed?\n\nNo.\n\n> Since when?\n\nSince nine.\n", "On 20.11.2026 09:12, Desk wrote:\n> Is it fixed?\n\nNo.\n\n> Since when?\n\nSince nine.", ""},
		{"nothing but a quote", "> only this\n", "> only this", ""},
		{"passed on without a word", "---------- Forwarded message ---------\nFrom: Jo <jo@example.org>\nDate: Fri, 20 Nov 2026\nSubject: help\n\nIt is down.\n", "---------- Forwarded message ---------\nFrom: Jo <jo@example.org>\nDate: Fri, 20 Nov 2026\nSubject: help\n\nIt is down.", ""},
		{"code", "see\n```\n-----\n> x\n-- \n```\ndone\n", "see\n```\n-----\n> x\n-- \n```\ndone", ""},
		{"a heading", "Hello\n\nWhat I did\n----------\nrestarted it\n", "Hello\n\nWhat I did\n----------\nrestarted it", ""},
		{"a table", "| a | b |\n| 1 | 2 |\nend\n", "| a | b |\n| 1 | 2 |\nend", ""},
		{"our own line", "words\n\n##- Please write your reply above this line -##\nold\n", "words", ""},
		{"no marker", "On this day\n\nI wrote something at 10:15 that was\n\ngood.\n", "On this day\n\nI wrote something at 10:15 that was\n\ngood.", ""},
		{"a time in the words above", "It broke at 9:12 in\nthe morning.\nOn 20 Nov 2026, at 10:00, Desk wrote:\n> x\n", "It broke at 9:12 in\nthe morning.", ""},
		{"a log", "It says:\n2026-11-20 09:12:01 ERROR a@b failed:\n  cause\nplease help\n", "It says:\n2026-11-20 09:12:01 ERROR a@b failed:\n  cause\nplease help", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			reply, _, signature := Cut(row.text)
			if reply != row.reply || signature != row.signature {
				t.Errorf("reply %q, want %q\nsignature %q, want %q", reply, row.reply, signature, row.signature)
			}
		})
	}
}

func TestCutHTML(t *testing.T) {
	for _, row := range []struct{ name, page, keeps, drops string }{
		{"Gmail", `<div dir="ltr">new words</div><br><div class="gmail_quote"><div class="gmail_attr">On Fri, 20 Nov 2026 at 09:12, Desk wrote:<br></div><blockquote class="gmail_quote">old words</blockquote></div>`, "new words", "old words"},
		{"Outlook", `<div class="WordSection1"><p>new words</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p><b>From:</b> Desk<br><b>Sent:</b> Friday<br><b>To:</b> Jo<br><b>Subject:</b> x</p></div></div><p>old words</p></div>`, "new words", "old words"},
		{"Outlook on the web", `<div>new words</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Desk</div><div>old words</div>`, "new words", "old words"},
		{"Outlook quoted again", `<div>new words</div><hr><div id="x_divRplyFwdMsg"><b>From:</b> Desk</div><div>old words</div>`, "new words", "old words"},
		{"Thunderbird", `<p>new words</p><div class="moz-cite-prefix">On 20.11.26, Desk wrote:<br></div><blockquote type="cite">old words</blockquote>`, "new words", "old words"},
		{"Yahoo", `<div>new words</div><div id="ydp1" class="yahoo_quoted">old words</div>`, "new words", "old words"},
		{"Proton", `<div>new words</div><div class="protonmail_quote">old words</div>`, "new words", "old words"},
		{"Apple", `<div>new words</div><div><blockquote type="cite"><div>On 20 Nov 2026, at 09:12, Desk wrote:</div>old words</blockquote></div>`, "new words", "old words"},
		{"below the quote", `<div class="gmail_quote">On Fri, 20 Nov 2026 at 09:12, Desk wrote:<blockquote>old words</blockquote></div><div>new words</div>`, "new words", "old words"},
		{"a quote in the middle", `<p>one</p><blockquote>cited</blockquote><p>two</p>`, "cited", ""},
		{"nothing but a quote", `<div class="gmail_quote">passed on</div>`, "passed on", ""},
		{"no quote", `<p>words: and more</p>`, "words", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			reply, rest := CutHTML(row.page)
			if !strings.Contains(reply, row.keeps) {
				t.Errorf("%q is lost: %q", row.keeps, reply)
			}
			if row.drops != "" && (strings.Contains(reply, row.drops) || !strings.Contains(rest, row.drops)) {
				t.Errorf("%q stays: %q, rest %q", row.drops, reply, rest)
			}
			if row.drops == "" && (rest != "" || reply != row.page) {
				t.Errorf("nothing was to be taken off: %q, rest %q", reply, rest)
			}
		})
	}
}

// words gives the lines of a text that have something on them.
func contents(parts ...string) map[string]int {
	out := map[string]int{}
	for _, p := range parts {
		for l := range strings.Lines(p) {
			if l = strings.TrimSpace(l); l != "" {
				out[l]++
			}
		}
	}
	return out
}

func FuzzCut(f *testing.F) {
	for _, seed := range []string{
		"", "words\n-- \nJo", "On 20.11.2026 09:12, Desk wrote:\n> x\n\nNo.", "a\n> b\nc\n> d\n", "```\nx", "From: a\nSent: b\nSubject: c", "-----Original Message-----", "\xff\n> \xfe",
		"a\n\nOn 1\n\n<\nb@c\n> wrote:\n", "----\n=====\nwords\n=====\n", "a\nSent from my x\n\n\n> q\n\u200f:",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		reply, quoted, signature := Cut(text)
		if len(reply)+len(quoted)+len(signature) > len(text)+3 {
			t.Errorf("%q grew", text)
		}
		if utf8.ValidString(text) && !(utf8.ValidString(reply) && utf8.ValidString(quoted) && utf8.ValidString(signature)) {
			t.Errorf("%q became invalid", text)
		}
		if strings.TrimSpace(text) != "" && strings.TrimSpace(reply) == "" {
			t.Errorf("%q has no reply", text)
		}
		got := contents(reply, quoted, signature)
		for line, n := range contents(text) {
			if got[line] != n {
				t.Errorf("%q: the line %q stood %d times and stands %d times", text, line, n, got[line])
			}
		}
	})
}

func FuzzCutHTML(f *testing.F) {
	for _, seed := range []string{"<p>x", "<blockquote>a</blockquote>b", "<div class=gmail_quote>x</div><hr><div id=divRplyFwdMsg>", "<table><blockquote><tr>", "a<div>From: b<br>Sent: c<br>To: d</div>e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, page string) {
		reply, rest := CutHTML(page)
		if rest == "" && reply != page {
			t.Errorf("%q changed although nothing was taken off", page)
		}
	})
}

func TestCutIsLinear(t *testing.T) {
	for _, piece := range []string{"> ", "On 1 ", "a@b.c 12:00 wrote\n", "From: a\n", "-\n", "|\n", "```\n", "x\n\n", "Sent from my x\n", "On 1 Jan 2026 at 10:00\n\n", ": ", "<div>", "<blockquote>x", "<div class=gmail_quote>x</div>", "<p>From: a<br>Sent: b<br>To: c</p>"} {
		text := strings.Repeat(piece, 100_000/len(piece))
		Cut(text)
		CutHTML(text)
	}
}
