package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"evenkeel/internal/config"
)

var verbInit = verb{name: "init", summary: "write a commented starter file", run: runInit}

// runInit writes the starter file where nothing stands yet.
func runInit(_ context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "init", args: "[FILE]",
		what:    "Write a commented starter configuration to FILE, evenkeel.yaml by default. It runs as it is. A file that exists is never overwritten.",
		example: "evenkeel init\nevenkeel serve -c evenkeel.yaml",
	}, stdout, stderr)
	rest, code, done := c.parse(args, 0, 1)
	if done {
		return code
	}
	name := "evenkeel.yaml"
	if len(rest) == 1 {
		name = rest[0]
	}
	switch err := writeNew(name, config.Starter()); {
	case errors.Is(err, fs.ErrExist):
		return c.fail(fmt.Errorf("%s exists already and stays as it is", name))
	case err != nil:
		return c.fail(err)
	}
	if c.json {
		c.printJSON(map[string]any{"ok": true, "file": name})
		return exitOK
	}
	fmt.Fprintf(stdout, "Wrote %s. Start with it:\n  evenkeel serve -c %s\n", name, name)
	return exitOK
}

// writeNew writes a file that must not exist. What could not be written whole
// is removed again.
func writeNew(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write the starter file: %w", err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the starter file: %w", err), os.Remove(name))
	}
	return nil
}
