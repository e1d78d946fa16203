package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"evenkeel/internal/store"
)

var (
	verbBackup  = verb{name: "backup", summary: "write the whole record into one file", run: runBackup}
	verbRestore = verb{name: "restore", summary: "make a database out of a backup", run: runRestore}
)

// backedUp is the answer of backup and restore in JSON.
type backedUp struct {
	OK    bool   `json:"ok"`
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
	Rows  int64  `json:"rows"`
	Seq   int64  `json:"seq"`  // newest entry of the journal
	Hash  string `json:"hash"` // its hash
	Kept  string `json:"kept,omitempty"`
}

func answerOf(b store.Backup) backedUp {
	return backedUp{OK: true, File: b.Path, Bytes: b.Bytes, Rows: b.Rows(), Seq: b.Seq, Hash: b.Hash}
}

// runBackup writes a backup beside a hub that may be running.
func runBackup(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "backup", args: "FILE",
		what:    "Write everything that the record holds at one moment into a new file, and verify it. The hub may be running. The file is the same for both engines, so that it can be restored into either; FILE may be a folder. Latency samples in Redis are not in it, nor is the key file, which opens the secrets: keep that one elsewhere.",
		example: "evenkeel backup -c evenkeel.yaml /srv/backups/\nevenkeel backup --database postgres://hub@db.example.org/evenkeel hub.db --json",
	}, stdout, stderr)
	flags := addDatabaseFlags(c)
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	path := rest[0]
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, store.BackupName(time.Now()))
	}
	s, err := flags.open(ctx, true)
	if err != nil {
		return c.fail(err)
	}
	defer closeStore(ctx, s)
	b, err := s.Backup(ctx, path)
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		c.printJSON(answerOf(b))
		return exitOK
	}
	fmt.Fprintf(stdout, "%s holds %d rows and the journal up to entry %d, hash %s. It was read back and verified.\n", b.Path, b.Rows(), b.Seq, b.Hash)
	return exitOK
}

// runRestore makes a database out of a backup.
func runRestore(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "restore", args: "FILE",
		what:    "Make a database out of a backup: in the data folder, or in an empty PostgreSQL database. The file may come from either engine and from an older version; it is verified first. The hub must be stopped. A database that is in the folder already is never written over.",
		example: "evenkeel restore --data ./data backup.db\nevenkeel restore --database postgres://hub@db.example.org/evenkeel backup.db",
	}, stdout, stderr)
	flags := addDatabaseFlags(c)
	aside := c.flags.Bool("aside", false, "keep a database that is in the data folder under another name, instead of refusing")
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	o, err := flags.options()
	if err != nil {
		return c.fail(err)
	}
	b, kept, err := store.Restore(ctx, o, rest[0], *aside)
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		answer := answerOf(b)
		answer.Kept = kept
		c.printJSON(answer)
		return exitOK
	}
	fmt.Fprintf(stdout, "Restored %d rows and the journal up to entry %d, hash %s.\n", b.Rows(), b.Seq, b.Hash)
	if kept != "" {
		fmt.Fprintf(stdout, "The database that was there is kept at %s.\n", kept)
	}
	return exitOK
}
