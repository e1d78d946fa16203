package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"evenkeel/ingest/kind"
	"evenkeel/ingest/message"
	"evenkeel/ingest/quote"
)

var verbMail = verb{name: "mail", summary: "see what the hub makes of a mail", run: runMail}

func runMail(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel mail", "See what the hub makes of mails in files, without a hub.", []verb{
		{"parse", "print what is in a mail, and what kind it is", runMailParse},
		{"cluster", "say which mails look like one outage", runMailCluster},
	}, args, stdout, stderr)
}

// mailStdin is the name of standard input among the files.
const mailStdin = "-"

// maxMailFiles is how many files one call takes.
const maxMailFiles = 100_000

// runMailParse prints one object a file, in the order of the arguments.
func runMailParse(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "mail parse",
		args:    "FILE…",
		what:    "Print what the hub reads in each mail: people, subject, text, the reply without what it quotes, attachments, what kind of mail it is, and what is odd about it. FILE is a mail as it came over the wire; - is standard input. With --json it is one object a line. A file that cannot be read is reported, and the exit code is 1 at the end.",
		example: "evenkeel mail parse --json letter.eml bounce.eml\ncurl -s https://mail.example.org/raw/17 | evenkeel mail parse -",
	}, stdout, stderr)
	own := kind.Own{}
	c.flags.Func("own", "an `ADDRESS` of ours, so that our own mail is known; may be repeated", func(v string) error {
		own.Addresses = append(own.Addresses, strings.ToLower(v))
		return nil
	})
	c.flags.Func("auth-server", "a `NAME` whose Authentication-Results are believed; may be repeated", func(v string) error {
		own.AuthServers = append(own.AuthServers, v)
		return nil
	})
	files, code, done := c.parse(args, 1, maxMailFiles)
	if done {
		return code
	}
	out := bufio.NewWriter(stdout)
	for _, file := range files {
		if ctx.Err() != nil {
			code = exitFailed
			break
		}
		mail, err := readMail(file, own)
		if err != nil {
			fmt.Fprintf(stderr, "evenkeel mail parse: %v\n", err)
			code = exitFailed
		}
		switch {
		case c.json && err != nil:
			printLine(out, unreadMail{File: file, Error: err.Error()})
		case c.json:
			printLine(out, mail)
		case err == nil:
			printMail(out, mail)
		}
	}
	if err := out.Flush(); err != nil {
		return c.fail(fmt.Errorf("write the answer: %w", err))
	}
	return code
}

// printLine writes one object on one line.
func printLine(w io.Writer, v any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // what the writer says comes out when it is flushed
}

// readMail reads one file.
func readMail(file string, own kind.Own) (parsedMail, error) {
	in := os.Stdin
	if file != mailStdin {
		f, err := os.Open(file)
		if err != nil {
			return parsedMail{}, err
		}
		defer f.Close()
		in = f
	}
	m, err := message.Parse(in, message.Options{Now: time.Now()})
	if err != nil {
		return parsedMail{}, fmt.Errorf("%s: %w", file, err)
	}
	return newParsedMail(file, m, kind.Of(m, own)), nil
}

// unreadMail stands for a file that cannot be read.
type unreadMail struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// parsedMail is the answer of mail parse in JSON. Lists are never null.
type parsedMail struct {
	File        string           `json:"file"`
	Subject     string           `json:"subject"`
	From        []mailAddress    `json:"from"`
	Sender      []mailAddress    `json:"sender"`
	To          []mailAddress    `json:"to"`
	Cc          []mailAddress    `json:"cc"`
	ReplyTo     []mailAddress    `json:"reply_to"`
	Date        *time.Time       `json:"date"` // null when the mail says none that can be read
	MessageID   string           `json:"message_id"`
	InReplyTo   string           `json:"in_reply_to"`
	References  []string         `json:"references"`
	Text        string           `json:"text"`
	HTML        string           `json:"html"`
	ReplyText   string           `json:"reply_text"`
	ReplyHTML   string           `json:"reply_html"`
	Attachments []mailAttachment `json:"attachments"`
	Kind        kind.Kind        `json:"kind"`
	Why         string           `json:"why"` // what gave the kind away
	Answerable  bool             `json:"answerable"`
	WhyNot      string           `json:"why_not,omitempty"`
	Bounce      *mailBounce      `json:"bounce"`
	Auth        mailAuth         `json:"auth"`
	Signed      string           `json:"signed,omitempty"`
	Encrypted   string           `json:"encrypted,omitempty"`
	Warnings    []string         `json:"warnings"`
}

type mailAddress struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

type mailAttachment struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
	Inline    bool   `json:"inline"`
	ContentID string `json:"content_id,omitempty"`
	Part      string `json:"part"`
}

type mailBounce struct {
	Recipient         string `json:"recipient"`
	DSN               string `json:"dsn"`
	Hard              bool   `json:"hard"`
	Diagnostic        string `json:"diagnostic"`
	OriginalMessageID string `json:"original_message_id"`
}

type mailAuth struct {
	Server  string `json:"server"`
	SPF     string `json:"spf"`
	DKIM    string `json:"dkim"`
	DMARC   string `json:"dmarc"`
	Aligned bool   `json:"aligned"`
}

func newParsedMail(file string, m *message.Message, v kind.Verdict) parsedMail {
	p := parsedMail{
		File: file, Subject: m.Subject, From: mailAddresses(m.From), Sender: mailAddresses(m.Sender), To: mailAddresses(m.To), Cc: mailAddresses(m.Cc), ReplyTo: mailAddresses(m.ReplyTo),
		MessageID: m.MessageID, InReplyTo: m.InReplyTo, References: append([]string{}, m.References...), Text: m.Text, HTML: m.HTML, ReplyText: m.ReplyText,
		Attachments: make([]mailAttachment, 0, len(m.Attachments)), Kind: v.Kind, Why: v.Why, Answerable: v.Answerable, WhyNot: v.WhyNot,
		Auth: mailAuth(v.Auth), Signed: m.Signed, Encrypted: m.Encrypted, Warnings: append([]string{}, m.Warnings...),
	}
	p.ReplyHTML, _ = quote.CutHTML(m.HTML)
	if !m.Date.IsZero() {
		p.Date = &m.Date
	}
	if v.Bounce != nil {
		b := mailBounce(*v.Bounce)
		p.Bounce = &b
	}
	for _, a := range m.Attachments {
		p.Attachments = append(p.Attachments, mailAttachment(a))
	}
	return p
}

func mailAddresses(list []message.Address) []mailAddress {
	out := make([]mailAddress, len(list))
	for i, a := range list {
		out[i] = mailAddress(a)
	}
	return out
}

// printMail writes a mail for people.
func printMail(w io.Writer, p parsedMail) {
	fmt.Fprintf(w, "%s: %s (%s)\n", p.File, p.Kind, p.Why)
	for _, a := range p.From {
		fmt.Fprintf(w, "  from        %s <%s>\n", a.Name, a.Address)
	}
	fmt.Fprintf(w, "  subject     %s\n", p.Subject)
	if p.Date != nil {
		fmt.Fprintf(w, "  date        %s\n", p.Date.Format(time.RFC3339))
	}
	if p.Bounce != nil {
		fmt.Fprintf(w, "  bounce      %s %s, hard: %t\n", p.Bounce.Recipient, p.Bounce.DSN, p.Bounce.Hard)
	}
	for _, a := range p.Attachments {
		fmt.Fprintf(w, "  attachment  %s (%s, %d bytes)\n", a.Name, a.Type, a.Size)
	}
	for _, text := range p.Warnings {
		fmt.Fprintf(w, "  odd         %s\n", text)
	}
	for line := range strings.Lines(strings.TrimSpace(p.ReplyText)) {
		fmt.Fprintf(w, "  | %s", line)
	}
	fmt.Fprintln(w)
}
