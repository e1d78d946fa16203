package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
)

// The exit codes of every verb that does not say otherwise in its help.
const (
	exitOK     = 0
	exitFailed = 1 // it was tried and did not work
	exitUsage  = 2 // bad arguments or bad configuration: saying it again will not help
)

// verb is one word of the command line. run gets the arguments after the verb
// and gives the exit code. Results go to stdout, everything else to stderr.
type verb struct {
	name    string
	summary string
	run     func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

// usage is what --help says about a verb.
type usage struct {
	verb    string // all words, e.g. "config plan"
	args    string // e.g. "FILE"; "" for none
	what    string // one or two sentences
	example string // one or more lines that can be pasted
}

// command is the parsed command line of one verb. Flags may stand before or
// after the arguments.
type command struct {
	flags  *flag.FlagSet
	json   bool
	usage  usage
	stdout io.Writer
	stderr io.Writer
}

// newCommand prepares the flags that every verb has; a verb adds its own to
// c.flags and then calls c.parse.
func newCommand(u usage, stdout, stderr io.Writer) *command {
	c := &command{flags: flag.NewFlagSet("evenkeel "+u.verb, flag.ContinueOnError), usage: u, stdout: stdout, stderr: stderr}
	c.flags.SetOutput(io.Discard)
	c.flags.BoolVar(&c.json, "json", false, "print JSON on stdout, and text on stderr only")
	return c
}

// parse reads the command line: at least least and at most most arguments
// beside the flags. done is true when the verb has nothing more to do, because
// help was printed or the usage is wrong; then code is the exit code.
func (c *command) parse(args []string, least, most int) (rest []string, code int, done bool) {
	for {
		if err := c.flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			c.help(c.stdout)
			return nil, exitOK, true
		} else if err != nil {
			return nil, c.misuse(err.Error()), true
		}
		args = c.flags.Args()
		if len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	switch {
	case len(rest) < least:
		return nil, c.misuse("it needs " + c.usage.args), true
	case len(rest) > most:
		return nil, c.misuse(fmt.Sprintf("%q is one argument too many", rest[most])), true
	}
	return rest, exitOK, false
}

// misuse says what is wrong with the arguments and how the verb is used.
func (c *command) misuse(reason string) int {
	if c.json {
		c.printJSON(map[string]any{"ok": false, "error": reason})
	}
	fmt.Fprintf(c.stderr, "evenkeel %s: %s\nUsage: %s\nTry: evenkeel %s --help\n", c.usage.verb, reason, c.line(), c.usage.verb)
	return exitUsage
}

func (c *command) line() string {
	return strings.TrimSpace("evenkeel " + c.usage.verb + " [flags] " + c.usage.args)
}

func (c *command) help(w io.Writer) {
	fmt.Fprintf(w, "%s\n\nUsage: %s\n\nFlags:\n", c.usage.what, c.line())
	c.flags.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		dashes := "--"
		if len(f.Name) == 1 {
			dashes = "-"
		}
		fmt.Fprintf(w, "  %-24s %s\n", strings.TrimSpace(dashes+f.Name+" "+kind), text)
	})
	fmt.Fprintf(w, "\nExample:\n")
	for line := range strings.Lines(strings.TrimSpace(c.usage.example)) {
		fmt.Fprintf(w, "  %s", line)
	}
	fmt.Fprintf(w, "\n\nExit codes: 0 fine, 1 failed, 2 bad usage or configuration.\n")
}

// printJSON writes one JSON object, indented, to stdout.
func (c *command) printJSON(v any) {
	enc := json.NewEncoder(c.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		fmt.Fprintf(c.stderr, "evenkeel %s: write the answer: %v\n", c.usage.verb, err)
	}
}

// fail reports an error that ended the verb and gives its exit code: bad
// configuration is 2, everything else 1.
func (c *command) fail(err error) int {
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return c.refuse(problems)
	}
	if c.json {
		c.printJSON(map[string]any{"ok": false, "error": err.Error()})
	}
	fmt.Fprintf(c.stderr, "evenkeel %s: %v\n", c.usage.verb, err)
	if problem.KindOf(err) == problem.KindInvalid {
		return exitUsage
	}
	return exitFailed
}

// refuseFile reports a configuration file that cannot be used, be it that it
// cannot be read or what it says.
func (c *command) refuseFile(err error) int {
	c.fail(err)
	return exitUsage
}

// refuse prints the problems of a configuration, each with its place and hint.
func (c *command) refuse(problems config.Problems) int {
	if c.json {
		c.printJSON(map[string]any{"ok": false, "problems": problems})
	}
	fmt.Fprintln(c.stderr, problems.Error())
	noun := "problems"
	if len(problems) == 1 {
		noun = "problem"
	}
	fmt.Fprintf(c.stderr, "%d %s; nothing was changed.\n", len(problems), noun)
	return exitUsage
}

// didYouMean gives " Did you mean "x"?" when a name is close to the word, else "".
func didYouMean(word string, names []string) string {
	if near := config.Nearest(word, names); near != "" {
		return fmt.Sprintf(" Did you mean %q?", near)
	}
	return ""
}
