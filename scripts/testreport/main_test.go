package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	const (
		good    = `{"Action":"pass","Package":"evenkeel/a","Test":"TestA"}` + "\n" + `{"Action":"pass","Package":"evenkeel/a","Elapsed":0.1}` + "\n"
		skipped = `{"Action":"output","Package":"evenkeel/a","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"evenkeel/a","Test":"TestB","Output":"    x_test.go:3: SKIP: nginx is not installed\n"}
{"Action":"output","Package":"evenkeel/a","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"evenkeel/a","Test":"TestB"}
`
		other = `{"Action":"output","Package":"evenkeel/a","Test":"TestD","Output":"    x_test.go:3: needs root\n"}
{"Action":"skip","Package":"evenkeel/a","Test":"TestD"}
`
		bad = `{"Action":"output","Package":"evenkeel/a","Test":"TestC","Output":"    x_test.go:9: got 1, want 2\n"}
{"Action":"fail","Package":"evenkeel/a","Test":"TestC"}
`
	)
	for _, row := range []struct {
		name, in string
		allowed  bool
		code     int
		want     string
	}{
		{"good", good, false, 0, "1 tests in 1 packages passed."},
		{"failed", good + bad, false, 1, "got 1, want 2"},
		{"a skip that could have been prevented", skipped + good, false, 1, "FAIL  nginx is not installed: 1 tests, the first is a.TestB"},
		{"a skip that could not", skipped + good, true, 0, "skip  nginx is not installed"},
		{"another skip", other + good, false, 0, "skip  needs root"},
		{"a build error", "# evenkeel/a\nx.go:1: syntax error\n", false, 1, "x.go:1: syntax error"},
		{"nothing", "", false, 1, "Something failed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			if code := report(strings.NewReader(row.in), &out, row.allowed); code != row.code || !strings.Contains(out.String(), row.want) {
				t.Errorf("code %d, want %d; output:\n%s", code, row.code, out.String())
			}
		})
	}
}
