package main

import (
	"context"
	"fmt"
	"io"
)

var verbMigrate = verb{name: "migrate", summary: "bring the database up to date", run: runMigrate}

// runMigrate applies the migrations that the database lacks.
func runMigrate(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "migrate",
		what:    "Bring the database up to date with this binary. The hub does the same when it starts; this verb does it beforehand, as another database user perhaps. A SQLite hub must be stopped first.",
		example: "evenkeel migrate -c evenkeel.yaml\nevenkeel migrate --database postgres://owner@db.example.org/evenkeel",
	}, stdout, stderr)
	flags := addDatabaseFlags(c)
	if _, code, done := c.parse(args, 0, 0); done {
		return code
	}
	s, err := flags.open(ctx, false)
	if err != nil {
		return c.fail(err)
	}
	applied, engine := s.Applied(), s.Engine()
	if err := closeStore(ctx, s); err != nil {
		return c.fail(err)
	}
	switch {
	case c.json:
		c.printJSON(map[string]any{"ok": true, "engine": engine, "applied": append([]int{}, applied...)})
	case len(applied) == 0:
		fmt.Fprintln(stdout, "The database is up to date.")
	default:
		fmt.Fprintf(stdout, "The database is up to date now: %s applied.\n", count(len(applied), "migration"))
	}
	return exitOK
}
