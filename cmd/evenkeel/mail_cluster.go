package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"evenkeel/ingest/kind"
	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/ticket/cluster"
)

// clustered is the answer of mail cluster in JSON. Lists are never null.
type clustered struct {
	Outages []clusteredOutage `json:"outages"`
	LeftOut []clusteredLeft   `json:"left_out"`
}

type clusteredOutage struct {
	Component string            `json:"component"` // its id, or what the words say where none is known
	Name      string            `json:"name"`
	Words     []string          `json:"words"`
	Since     *time.Time        `json:"since"` // null when no mail says when it was written
	Until     *time.Time        `json:"until"`
	Senders   int               `json:"senders"`
	Members   []clusteredMember `json:"members"`
	Reason    string            `json:"reason"`
}

type clusteredMember struct {
	File    string   `json:"file"`
	Score   float64  `json:"score"`
	Reasons []string `json:"reasons"`
}

type clusteredLeft struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// runMailCluster says which mails look like one outage, as the hall would propose.
func runMailCluster(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "mail cluster",
		args:    "FILE…",
		what:    "Say which of these mails look like one outage: what it is about, which mails belong to it and why, and why the others do not. Nothing is kept. With --config the components of that file are known, with their names and aliases; without, they are told from words alone. A file that cannot be read is left out, and the exit code is 1 then.",
		example: "evenkeel mail cluster --json *.eml\nevenkeel mail cluster --config evenkeel.yaml *.eml",
	}, stdout, stderr)
	path := c.flags.String("config", "", "`FILE` whose components are known")
	files, code, done := c.parse(args, 1, maxMailFiles)
	if done {
		return code
	}
	var components []cluster.Component
	if *path != "" {
		file, err := app.LoadConfig(*path, os.Environ())
		if err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return c.misuse(fmt.Sprintf("there is no %s here", *path))
			}
			return c.refuseFile(err)
		}
		components = clusterable(file)
	}
	vocabulary := cluster.NewVocabulary(components)
	out := clustered{Outages: []clusteredOutage{}, LeftOut: []clusteredLeft{}}
	var letters []cluster.Reading
	for _, file := range files {
		if ctx.Err() != nil {
			return exitFailed
		}
		mail, err := readMail(file, kind.Own{})
		if err != nil {
			fmt.Fprintf(stderr, "evenkeel mail cluster: %v\n", err)
			out.LeftOut = append(out.LeftOut, clusteredLeft{file, "it cannot be read"})
			code = exitFailed
			continue
		}
		letters = append(letters, vocabulary.Read(textOf(mail)))
	}
	out.take(vocabulary.Find(letters))
	w := bufio.NewWriter(stdout)
	if c.json {
		printLine(w, out)
	} else {
		out.print(w)
	}
	if err := w.Flush(); err != nil {
		return c.fail(fmt.Errorf("write the answer: %w", err))
	}
	return code
}

// clusterable gives the components of a file as letters may name them.
func clusterable(file config.File) []cluster.Component {
	out := make([]cluster.Component, 0, len(file.Components))
	for _, c := range file.Components {
		out = append(out, cluster.Component{Key: c.ID, Name: c.Name, Aliases: append([]string{c.ID}, c.Aliases...)})
	}
	return out
}

// textOf gives what a mail says.
func textOf(mail parsedMail) cluster.Text {
	t := cluster.Text{ID: mail.File, Subject: mail.Subject, Body: mail.ReplyText}
	if t.Body == "" {
		t.Body = mail.Text
	}
	if len(mail.From) > 0 {
		t.Sender = mail.From[0].Address
	}
	if mail.Date != nil {
		t.At = *mail.Date
	}
	if mail.Kind != kind.Person {
		t.Automatic = string(mail.Kind)
	}
	return t
}

// take takes over what was found.
func (c *clustered) take(r cluster.Result) {
	for _, o := range r.Outages {
		out := clusteredOutage{Component: o.Component, Name: o.Topic, Words: o.Words, Since: given(o.Since), Until: given(o.Until), Senders: o.Senders, Reason: o.Reason}
		if out.Component == "" {
			out.Component = o.Topic
		}
		for _, m := range o.Members {
			out.Members = append(out.Members, clusteredMember{m.ID, m.Score, m.Reasons})
		}
		c.Outages = append(c.Outages, out)
	}
	for _, l := range r.LeftOut {
		c.LeftOut = append(c.LeftOut, clusteredLeft{l.ID, l.Reason})
	}
}

// given gives nil for the zero time.
func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// print writes what was found for people.
func (c *clustered) print(w io.Writer) {
	for _, o := range c.Outages {
		fmt.Fprintf(w, "%s: %s\n", o.Name, o.Reason)
		for _, m := range o.Members {
			fmt.Fprintf(w, "  %.2f  %s: %s\n", m.Score, m.File, strings.Join(m.Reasons, "; "))
		}
	}
	if len(c.Outages) == 0 {
		fmt.Fprintln(w, "No outage: these mails do not look like one.")
	}
	for _, l := range c.LeftOut {
		fmt.Fprintf(w, "left out  %s: %s\n", l.File, l.Reason)
	}
}
