package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

var verbConfig = verb{name: "config", summary: "validate, plan or apply a configuration file", run: runConfig}

// configVerbs are the verbs below config.
func configVerbs() []verb {
	return []verb{
		{"validate", "say everything that is wrong with a file", runConfigValidate},
		{"plan", "show what a file would change", runConfigPlan},
		{"apply", "put a file into force in the running hub", runConfigApply},
	}
}

func runConfig(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel config", "Work with a configuration file.", configVerbs(), args, stdout, stderr)
}

func runConfigValidate(_ context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "config validate", args: "FILE",
		what:    "Check a configuration file, or the file of a release procedure, without changing anything. Every mistake is told at once, with its line and a hint. Environment variables that the file asks for must be set here.",
		example: "evenkeel config validate evenkeel.yaml\nevenkeel config validate --json evenkeel.yaml | jq '.problems[].hint'\nevenkeel config validate deploy/sops/mayaonline.yaml",
	}, stdout, stderr)
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	if config.IsProcedure(rest[0]) {
		return validateProcedure(c, rest[0], stdout)
	}
	f, err := app.LoadConfig(rest[0], os.Environ())
	if err != nil {
		return c.refuseFile(err)
	}
	if c.json {
		c.printJSON(map[string]any{"ok": true, "problems": config.Problems{}, "components": len(f.Components), "monitors": len(f.Monitors),
			"sentinels": len(f.Sentinels), "maintenance": len(f.Maintenance)})
		return exitOK
	}
	fmt.Fprintf(stdout, "%s is in order: %s, %s.\n", rest[0], count(len(f.Components), "component"), count(len(f.Monitors), "monitor"))
	return exitOK
}

// validateProcedure checks the file of a release procedure.
func validateProcedure(c *command, path string, stdout io.Writer) int {
	d, err := app.LoadProcedure(path)
	if err != nil {
		return c.refuseFile(err)
	}
	if c.json {
		c.printJSON(map[string]any{"ok": true, "problems": config.Problems{}, "procedure": d.ID, "revision": d.Revision,
			"environments": len(d.Environments), "stages": len(d.Stages), "gates": len(d.Gates)})
		return exitOK
	}
	fmt.Fprintf(stdout, "%s is in order: %s, %s, %s.\n", path, count(len(d.Environments), "environment"), count(len(d.Stages), "stage"), count(len(d.Gates), "gate"))
	return exitOK
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// change is one line of a plan in JSON.
type change struct {
	What   string `json:"what"` // added, changed, removed, renamed
	Kind   string `json:"kind"` // site, group, component, monitor, window
	ID     string `json:"id"`
	Was    string `json:"was,omitempty"`
	Detail string `json:"detail,omitempty"`
}

func runConfigPlan(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "config plan", args: "FILE",
		what:    "Show what a configuration file would change in the record it names (data folder or database), and change nothing. The hub may be running.",
		example: "evenkeel config plan evenkeel.yaml",
	}, stdout, stderr)
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	f, err := app.LoadConfigForHub(rest[0], os.Environ())
	if err != nil {
		return c.refuseFile(err)
	}
	plan, err := app.Plan(ctx, f)
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		changes := make([]change, len(plan.Changes))
		for i, x := range plan.Changes {
			changes[i] = change{What: x.What, Kind: x.Kind, ID: x.ID, Was: x.Was, Detail: x.Detail}
		}
		c.printJSON(map[string]any{"ok": true, "changes": changes})
		return exitOK
	}
	record := "the database"
	if f.Database.URL == "" {
		record = "the record in " + f.Data
	}
	fmt.Fprintf(stderr, "Compared with %s.\n", record)
	printPlan(stdout, plan, rest[0])
	return exitOK
}

// marks begin the lines of a plan, as a patch does.
var marks = map[string]string{status.Added: "+", status.Removed: "-", status.Changed: "~", status.Renamed: ">"}

// printPlan writes the plan of a file for people, one change a line.
func printPlan(w io.Writer, plan status.Plan, file string) {
	if plan.Empty() {
		fmt.Fprintln(w, "Nothing would change.")
		return
	}
	counts := map[string]int{}
	for _, x := range plan.Changes {
		counts[x.What]++
		line := fmt.Sprintf("%s %-9s %s", marks[x.What], x.Kind, x.ID)
		if x.Was != "" {
			line += " (was " + x.Was + "; history is kept)"
		}
		if x.Detail != "" {
			line += ": " + x.Detail
		}
		fmt.Fprintln(w, line)
	}
	var parts []string
	for _, what := range []string{status.Added, status.Changed, status.Renamed, status.Removed} {
		if n := counts[what]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	fmt.Fprintf(w, "\n%s. Put it into force: evenkeel config apply %s\n", strings.Join(parts, ", "), file)
}
