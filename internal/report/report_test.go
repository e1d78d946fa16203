package report_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/problem"
	"evenkeel/internal/report"
)

var samples = map[string]struct {
	kind   report.Kind
	text   string
	want   report.Figures
	failed bool
}{
	"junit": {report.JUnit, `<?xml version="1.0" encoding="UTF-8"?><testsuites tests="99"><testsuite name="a"><testcase time="1.5"/>
		<testcase time="0.5"><failure message="&lt;no&gt;">x</failure><error/></testcase><testcase><skipped/></testcase></testsuite></testsuites>`,
		report.Figures{"tests": 3, "failed": 0, "errors": 1, "skipped": 1, "seconds": 2}, true},
	"junit suite": {report.JUnit, `<testsuite><testcase time="1"/></testsuite>`, report.Figures{"tests": 1, "failed": 0, "errors": 0, "skipped": 0, "seconds": 1}, false},
	"junit empty": {report.JUnit, `<testsuites/>`, report.Figures{"tests": 0, "failed": 0, "errors": 0, "skipped": 0, "seconds": 0}, true},
	"go": {report.GoCover, "mode: set\na.go:1.1,2.2 3 0\na.go:1.1,2.2 3 1\n../../etc/passwd:3.1,4.2 1 0\n", report.Figures{"coverage": 75, "statements": 4, "covered": 3}, false},
	"cobertura": {report.Cobertura, `<coverage line-rate="0.1"><packages><package><classes><class><methods><method><lines><line hits="1"/></lines></method></methods>
		<lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>`,
		report.Figures{"coverage": 50, "lines": 2, "covered": 1}, false},
	"cobertura rate": {report.Cobertura, `<coverage line-rate="0.875"/>`, report.Figures{"coverage": 87.5}, false},
	"lcov":           {report.LCOV, "TN:\nSF:/a.c\nDA:1,5\nDA:2,0\nend_of_record\nSF:/b.c\nDA:1,1\nLF:6\nLH:5\nend_of_record\n", report.Figures{"coverage": 75, "lines": 8, "covered": 6}, false},
	"sarif": {report.SARIF, `{"version":"2.1.0","runs":[{"tool":{"driver":{"rules":[{"id":"a","properties":{"security-severity":"9.8"}}]}},
		"results":[{"ruleId":"a"},{"ruleId":"b","level":"error"},{"ruleId":"b"},{"level":"none"},{"kind":"pass"},{"ruleId":"a","suppressions":[{}]}]}]}`,
		report.Figures{"critical": 1, "high": 1, "medium": 1, "low": 0, "unknown": 0, "findings": 3}, false},
	"trivy": {report.Trivy, `{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"Severity":"CRITICAL"},{"Severity":"LOW"},{"Severity":"?"}]},
		{"Misconfigurations":[{"Severity":"HIGH","Status":"FAIL"},{"Severity":"HIGH","Status":"PASS"}],"Secrets":[{"Severity":"MEDIUM"}]}]}`,
		report.Figures{"critical": 1, "high": 1, "medium": 1, "low": 1, "unknown": 1, "findings": 5}, false},
}

func TestReportsAreRead(t *testing.T) { // S2-04, S2-26, S3-05, S3-08
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			in := bufio.NewReader(strings.NewReader(s.text))
			if got := report.Guess(in); got != s.kind {
				t.Errorf("guessed %q", got)
			}
			got, err := report.Read(s.kind, in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.want, got.Figures); diff != "" || got.Passed == s.failed {
				t.Errorf("passed %v, figures (-want +got):\n%s", got.Passed, diff)
			}
		})
	}
}

// TestHostileReportsAreRefused: entity bombs, foreign files, depth, half a file.
func TestHostileReportsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		kind report.Kind
		text string
	}{
		"bomb":      {report.JUnit, `<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><testsuites><testsuite name="&b;"/></testsuites>`},
		"file":      {report.JUnit, `<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuites>&x;</testsuites>`},
		"entity":    {report.JUnit, `<testsuites>&x;</testsuites>`},
		"deep":      {report.JUnit, strings.Repeat("<testsuite>", 100) + strings.Repeat("</testsuite>", 100)},
		"half":      {report.JUnit, `<testsuites><testsuite><testcase>`},
		"page":      {report.JUnit, `<html></html>`},
		"empty":     {report.JUnit, ``},
		"charset":   {report.JUnit, `<?xml version="1.0" encoding="UTF-7"?><testsuites/>`},
		"mode":      {report.GoCover, "a.go:1.1,2.2 3 0\n"},
		"count":     {report.GoCover, "mode: set\na.go:1.1,2.2 99999999999 1\n"},
		"records":   {report.LCOV, "TN:\n"},
		"more hit":  {report.LCOV, "SF:a\nLF:1\nLH:2\nend_of_record\n"},
		"runs":      {report.SARIF, `{}`},
		"two":       {report.SARIF, `{"runs":[]}{}`},
		"trivy":     {report.Trivy, `[]`},
		"no kind":   {"pdf", ``},
		"no lines":  {report.Cobertura, `<coverage/>`},
		"long line": {report.GoCover, "mode: set\n" + strings.Repeat("a", 2<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := report.Read(c.kind, strings.NewReader(c.text)); problem.KindOf(err) != problem.KindInvalid {
				t.Errorf("got %v", err)
			}
		})
	}
	endless := io.MultiReader(strings.NewReader("<testsuites>"), repeated{})
	if _, err := report.Read(report.JUnit, endless); problem.KindOf(err) != problem.KindInvalid || !strings.Contains(err.Error(), "larger") {
		t.Errorf("an endless report: %v", err)
	}
}

// repeated is an endless row of test cases.
type repeated struct{}

func (repeated) Read(p []byte) (int, error) {
	const one = "<testcase/>"
	n := 0
	for n+len(one) <= len(p) {
		n += copy(p[n:], one)
	}
	if n == 0 {
		return 0, io.ErrShortBuffer
	}
	return n, nil
}

func FuzzRead(f *testing.F) {
	for _, s := range samples {
		f.Add(string(s.kind), s.text)
	}
	f.Fuzz(func(t *testing.T, kind, text string) {
		got, err := report.Read(report.Kind(kind), strings.NewReader(text))
		if err != nil {
			return
		}
		for name, v := range got.Figures {
			if v < 0 && name != "seconds" || v != v || name == "coverage" && v > 100 {
				t.Errorf("%s is %v", name, v)
			}
		}
	})
}

// BenchmarkJUnit reads 20 MB: at most a second and 64 MB (issue 4).
func BenchmarkJUnit(b *testing.B) {
	var text strings.Builder
	text.WriteString("<testsuites><testsuite>")
	for n := 0; text.Len() < 20<<20; n++ {
		fmt.Fprintf(&text, `<testcase classname="org.example.Shop%d" name="adds an item to the basket" time="0.012"><system-out>one line of output</system-out></testcase>`, n)
	}
	text.WriteString("</testsuite></testsuites>")
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := report.Read(report.JUnit, strings.NewReader(text.String())); err != nil {
			b.Fatal(err)
		}
	}
}
