// Command testreport reads the output of go test -json and tells what a person
// wants to know: what failed and with which words, what was skipped and why,
// and how much was run. It fails when a test failed, and when one was skipped
// because a program is not installed that could have been.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// event is one line of go test -json.
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

func main() {
	allowed := flag.Bool("missing-allowed", false, "programs that are not installed could not be: their skips are told and forgiven")
	flag.Parse()
	os.Exit(report(os.Stdin, os.Stdout, *allowed))
}

// report reads events from r and writes the report to w; it gives the exit code.
func report(r io.Reader, w io.Writer, missingAllowed bool) int {
	passed, packages := 0, 0
	failed := false
	output := map[string][]string{} // package and test → what it printed
	skips := map[string][]string{}  // reason → tests
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Action == "" {
			fmt.Fprintln(w, lines.Text()) // the go command's own words, such as a build error
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "build-fail":
			failed = true
			fmt.Fprint(w, strings.Join(output[key], ""))
		case "pass":
			if e.Test == "" {
				packages++
				fmt.Fprintf(w, "ok    %-40s %6.1f s\n", e.Package, e.Elapsed)
			} else if !strings.Contains(e.Test, "/") {
				passed++
			}
			delete(output, key)
		case "skip":
			if e.Test != "" {
				why := reason(output[key])
				skips[why] = append(skips[why], strings.TrimPrefix(e.Package, "evenkeel/")+"."+e.Test)
			}
			delete(output, key)
		case "fail":
			failed = true
			fmt.Fprintf(w, "FAIL  %s\n%s", key, strings.Join(output[key], ""))
			delete(output, key)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(w, "testreport:", err)
		failed = true
	}
	for _, why := range slices.Sorted(maps.Keys(skips)) {
		tests := skips[why]
		word := "skip "
		if strings.Contains(why, "not installed") && !missingAllowed {
			word, failed = "FAIL ", true
		}
		fmt.Fprintf(w, "%s %s: %d tests, the first is %s\n", word, why, len(tests), tests[0])
	}
	if failed || packages == 0 {
		fmt.Fprintln(w, "Something failed; its words are above.")
		return 1
	}
	fmt.Fprintf(w, "%d tests in %d packages passed.\n", passed, packages)
	return 0
}

// reason finds the words of t.Skip in what a test printed: "file.go:12: words".
func reason(printed []string) string {
	for _, line := range slices.Backward(printed) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "=== ") || line == "" {
			continue
		}
		if _, words, found := strings.Cut(line, ".go:"); found {
			if _, words, found := strings.Cut(words, ": "); found {
				return strings.TrimPrefix(words, "SKIP: ")
			}
		}
		return line
	}
	return "no reason given"
}
