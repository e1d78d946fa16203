// Command evenkeel is the whole product in one binary: the hub itself (serve,
// demo) and the verbs that help to set it up, look into it and feed it. This
// file turns arguments and signals into one verb and an exit code; each verb
// has a file of its own and declares one entry of the table below.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones on machines and in images that have none

	"evenkeel/internal/netguard"
	"evenkeel/internal/notify"
)

// verbs is the command line, in the order of its help. A verb stands here once
// its file declares it.
func verbs() []verb {
	return []verb{
		verbServe,
		verbDemo,
		verbInit,
		verbConfig,
		verbProbe,
		verbMigrate,
		verbBackup,
		verbRestore,
		verbJournal,
		verbAdmin,
		verbExport,
		verbImport,
		verbMail,
		verbMailbox,
		verbReady,
		verbVersion,
	}
}

func main() {
	http.DefaultTransport = notify.DefaultTransport(netguard.Default()) // what libraries dial by themselves passes the guard too
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run finds the verb and runs it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel", "The operations hub of a small team: it watches components and publishes their status page.", verbs(), args, stdout, stderr)
}

// dispatch runs the verb that args[0] names, or prints what there is.
func dispatch(ctx context.Context, name, summary string, table []verb, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		printVerbs(stderr, name, summary, table)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		if len(args) == 1 {
			printVerbs(stdout, name, summary, table)
			return exitOK
		}
		args = append(args[1:2:2], "--help")
	}
	names := make([]string, len(table))
	for i, v := range table {
		if v.name == args[0] {
			return v.run(ctx, args[1:], stdout, stderr)
		}
		names[i] = v.name
	}
	fmt.Fprintf(stderr, "%s: there is no %q.%s\nTry: %s --help\n", name, args[0], didYouMean(args[0], names), name)
	return exitUsage
}

// printVerbs lists a table of verbs.
func printVerbs(w io.Writer, name, summary string, table []verb) {
	fmt.Fprintf(w, "%s\n\nUsage: %s VERB [arguments]\n\n", summary, name)
	for _, v := range table {
		fmt.Fprintf(w, "  %-10s %s\n", v.name, v.summary)
	}
	fmt.Fprintf(w, "\n%s VERB --help explains one verb, with an example.\n", name)
}
