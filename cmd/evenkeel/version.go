package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

var verbVersion = verb{name: "version", summary: "say which version this is", run: runVersion}

// release is the version of this build, set by the linker: -X main.release=1.2.0.
var release = ""

// version gives the linked version, else what the Go toolchain recorded, else "dev".
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func runVersion(_ context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "version",
		what:    "Say which version of Evenkeel this is, and what it was built with.",
		example: "evenkeel version --json",
	}, stdout, stderr)
	if _, code, done := c.parse(args, 0, 0); done {
		return code
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if c.json {
		c.printJSON(map[string]string{"version": version(), "go": runtime.Version(), "platform": platform})
		return exitOK
	}
	fmt.Fprintf(stdout, "evenkeel %s (%s, %s)\n", version(), runtime.Version(), platform)
	return exitOK
}
