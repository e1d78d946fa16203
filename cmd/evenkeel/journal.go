package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

var verbJournal = verb{name: "journal", summary: "check the journal", run: runJournal}

func runJournal(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel journal", "Work with the journal, the record of every change.", []verb{
		{"verify", "recompute the chain and say where it breaks", runJournalVerify},
	}, args, stdout, stderr)
}

// verified is the answer of journal verify in JSON.
type verified struct {
	OK       bool   `json:"ok"`
	Heads    int    `json:"heads,omitempty"` // kept ones that agree
	Engine   string `json:"engine"`
	Seq      int64  `json:"seq"`  // of the newest entry
	Hash     string `json:"hash"` // of the newest entry; what to compare with an export
	BrokenAt int64  `json:"broken_at,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// runJournalVerify walks the journal beside a hub that may be running.
func runJournalVerify(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "journal verify",
		what:    "Recompute the hash of every entry of the journal, each from the one before it. The hub may be running. When a link does not hold, the exit code is 1 and the sequence number of the first broken entry stands on stdout.",
		example: "evenkeel journal verify -c evenkeel.yaml\nevenkeel journal verify --heads /mnt/elsewhere/journal-heads.txt\nevenkeel journal verify --database postgres://hub@db.example.org/evenkeel --json",
	}, stdout, stderr)
	flags := addDatabaseFlags(c)
	kept := c.flags.String("heads", "", "`FILE` with heads that were kept, which the chain must have had on its way")
	if _, code, done := c.parse(args, 0, 0); done {
		return code
	}
	heads, err := readHeads(*kept)
	if err != nil {
		return c.fail(err)
	}
	s, err := flags.open(ctx, true)
	if err != nil {
		return c.fail(err)
	}
	defer closeStore(ctx, s)
	answer := verified{Engine: s.Engine()}
	if answer.Seq, answer.Hash, err = s.Head(ctx); err != nil {
		return c.fail(err)
	}
	err = journal.VerifyHeads(ctx, s, heads)
	if broken, ok := errors.AsType[*journal.Broken](err); ok {
		answer.BrokenAt, answer.Reason = broken.Seq, broken.Reason
		if c.json {
			c.printJSON(answer)
		} else {
			fmt.Fprintln(stdout, broken.Seq)
		}
		fmt.Fprintf(stderr, "evenkeel journal verify: the chain breaks at entry %d: %s\n", broken.Seq, broken.Reason)
		return exitFailed
	}
	if err != nil {
		return c.fail(err)
	}
	answer.OK, answer.Heads = true, len(heads)
	if c.json {
		c.printJSON(answer)
		return exitOK
	}
	fmt.Fprintf(stdout, "The journal holds up to entry %d, hash %s.\n", answer.Seq, answer.Hash)
	if len(heads) > 0 {
		fmt.Fprintf(stdout, "It has had all of the %d heads that were kept.\n", len(heads))
	}
	return exitOK
}

// readHeads reads a file of heads; none is named by "". Errors: Invalid, Unavailable.
func readHeads(name string) ([]journal.Head, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, problem.Unavailable(err, "The heads in %s cannot be read.", name)
	}
	defer f.Close()
	heads, err := journal.ReadHeads(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(heads) == 0 {
		return nil, problem.Invalid("", "There are no heads in %s.", name)
	}
	return heads, nil
}
