package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"evenkeel/ingest"
	"evenkeel/internal/app"
	"evenkeel/internal/problem"
)

var verbMailbox = verb{name: "mailbox", summary: "try out a mailbox", run: runMailbox}

func runMailbox(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel mailbox", "Try out the mailboxes of a configuration, without a hub.", []verb{
		{"check", "get into a mailbox as the hub would", runMailboxCheck},
	}, args, stdout, stderr)
}

// mailboxChecked is what the verb prints as JSON.
type mailboxChecked struct {
	OK           bool          `json:"ok"`
	Mailbox      string        `json:"mailbox"`
	Steps        []mailboxStep `json:"steps"`
	Capabilities []string      `json:"capabilities"`
	UIDValidity  uint32        `json:"uidvalidity"`
	UIDNext      uint32        `json:"uidnext"`
	Messages     uint32        `json:"messages"`
}

type mailboxStep struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func runMailboxCheck(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "mailbox check", args: "NAME",
		what:    "Connect to a mailbox of the configuration, secure the connection, sign in and open the folder for reading, and say at which step it fails and what to do. Nothing is changed there, and nothing is fetched.",
		example: "evenkeel mailbox check support -c evenkeel.yaml\nevenkeel mailbox check support --json | jq .steps",
	}, stdout, stderr)
	path := c.flags.String("c", "evenkeel.yaml", "configuration `FILE`")
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	file, err := app.LoadConfig(*path, os.Environ())
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return c.misuse(fmt.Sprintf("there is no %s here; name one with -c", *path))
		}
		return c.refuseFile(err)
	}
	found, err := app.CheckMailbox(ctx, file, rest[0])
	switch problem.KindOf(err) {
	case "":
	case problem.KindNotFound:
		return c.misuse(fmt.Sprintf("%s has no mailbox %q.%s", *path, rest[0], didYouMean(rest[0], app.MailboxNames(file))))
	default:
		return c.fail(err)
	}
	if c.json {
		c.printJSON(checkedOf(rest[0], found))
	} else {
		printChecked(stdout, found)
	}
	if !found.OK {
		return exitFailed
	}
	return exitOK
}

func checkedOf(name string, f ingest.Findings) mailboxChecked {
	out := mailboxChecked{
		OK: f.OK, Mailbox: name, Steps: make([]mailboxStep, len(f.Steps)), Capabilities: f.Folder.Caps, UIDValidity: f.Folder.Validity,
		UIDNext: f.Folder.Next, Messages: f.Folder.Messages,
	}
	if out.Capabilities == nil {
		out.Capabilities = []string{}
	}
	for i, s := range f.Steps {
		out.Steps[i] = mailboxStep(s)
	}
	return out
}

// printChecked shows the steps for people.
func printChecked(w io.Writer, f ingest.Findings) {
	for _, s := range f.Steps {
		mark := "ok  "
		if !s.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(w, "%s %-8s %s\n", mark, s.Name, s.Detail)
	}
}
