package main

import (
	"context"
	"fmt"
	"io"

	"evenkeel/internal/app"
)

var verbExport = verb{name: "export", summary: "write the status page as static files", run: runExport}

// exportVerbs are the verbs below export.
func exportVerbs() []verb {
	return []verb{
		{"page", "write every public page, feed and JSON answer into a folder", runExportPage},
	}
}

func runExport(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel export", "Take out of the hub what others can use without it.", exportVerbs(), args, stdout, stderr)
}

// runExportPage writes the page beside a hub that may be running.
func runExportPage(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "export page", args: "DIR",
		what: "Write the whole public page as static files into DIR, for a second host that any web server can serve. Each page says when the copy was made. " +
			"Export again into the same folder to refresh it. The hub may be running or not.",
		example: "evenkeel export page /srv/status -c evenkeel.yaml\nevenkeel export page --data /var/lib/evenkeel public && rsync -a --delete public/ mirror.example.org:/srv/status/",
	}, stdout, stderr)
	flags := addDatabaseFlags(c)
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	file, err := flags.configuration()
	if err != nil {
		return c.refuseFile(err)
	}
	if *flags.data != "" {
		file.Data, file.Database.URL = *flags.data, ""
	}
	if *flags.url != "" {
		file.Database.URL = *flags.url
	}
	files, err := app.ExportPage(ctx, file, rest[0])
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		c.printJSON(map[string]any{"ok": true, "folder": rest[0], "files": files})
		return exitOK
	}
	fmt.Fprintf(stdout, "The page is in %s: %s.\n", rest[0], count(files, "file"))
	return exitOK
}
