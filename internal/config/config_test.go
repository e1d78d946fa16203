package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// kinds stands in for what the monitors room knows.
var kinds = []string{"http", "tcp", "dns", "heartbeat"}

func options() Options { return Options{Kinds: kinds} }

// problemsOf parses a file that is wrong and gives its problems.
func problemsOf(t testing.TB, src string, o Options) Problems {
	t.Helper()
	_, err := Parse("evenkeel.yaml", []byte(src), o)
	problems, ok := errors.AsType[Problems](err)
	if !ok {
		t.Fatalf("got error %v, want problems", err)
	}
	for i, p := range problems {
		if p.File == "" || p.Reason == "" || p.File != "environment" && (p.Line < 1 || p.Column < 1) {
			t.Errorf("problem %d has no place or no reason: %+v", i, p)
		}
	}
	return problems
}

func parse(t testing.TB, src string) File {
	t.Helper()
	f, err := Parse("evenkeel.yaml", []byte(src), options())
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return f
}

const minimal = `page: {name: Example}
components: [{id: web}]
monitors:
  - {id: home, component: web, kind: http, url: "https://www.example.org/"}
`

func TestParseFillsDefaults(t *testing.T) {
	f := parse(t, minimal)
	m := f.Monitors[0]
	if m.Interval != DefaultInterval || m.Timeout != DefaultTimeout || m.Locations[0] != LocalLocation || m.Name != "home" || !*m.Public {
		t.Errorf("monitor defaults: %+v", m)
	}
	if f.Listen != DefaultListen || f.AdminListen != DefaultAdminListen || f.Data != "data" || f.Page.TimeZone != "Etc/UTC" {
		t.Errorf("hub defaults: %+v", f)
	}
	if f.Components[0].Name != "web" || f.Components[0].Publish != "auto" || *f.Page.Uptime.Partial != 0.3 {
		t.Errorf("component defaults: %+v", f.Components[0])
	}
	if f.Retention.Histories != DefaultHistories || f.Retention.Spans != 0 {
		t.Errorf("retention defaults: %+v", f.Retention)
	}
}

func TestParseTimeoutFollowsShortInterval(t *testing.T) {
	f := parse(t, strings.Replace(minimal, "kind: http", "interval: 2s, kind: http", 1))
	if got, want := f.Monitors[0].Timeout.D(), 1600*time.Millisecond; got != want {
		t.Errorf("timeout %v, want %v", got, want)
	}
}

func TestParseRetentionZeroKeepsForEver(t *testing.T) {
	f := parse(t, minimal+"retention: {histories: 0}\n")
	if f.Retention.Histories != 0 || f.Retention.Decisions != DefaultDecisions {
		t.Errorf("retention: %+v", f.Retention)
	}
}

func TestStarterIsValid(t *testing.T) {
	f, err := Parse("evenkeel.yaml", Starter(), options())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Components) != 2 || len(f.Monitors) != 2 {
		t.Errorf("starter has %d components and %d monitors", len(f.Components), len(f.Monitors))
	}
}

// TestStarterCommentsAreValid takes the comment marks off every example block.
func TestStarterCommentsAreValid(t *testing.T) {
	var b strings.Builder
	for line := range strings.Lines(string(Starter())) {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		text, commented := strings.CutPrefix(line[len(indent):], "# ")
		key := strings.TrimLeft(text, " -{")
		switch {
		case !commented:
			b.WriteString(line)
		case strings.Contains(key, ": ") && !strings.Contains(key, "evenkeel.yaml:") && key[0] >= 'a' && key[0] <= 'z' || strings.HasSuffix(strings.TrimSpace(text), ":"):
			b.WriteString(indent + text)
		}
	}
	o := options()
	o.Environ = []string{"BACKUP_PING_TOKEN=0123456789abcdef", "SMTP_PASSWORD=p", "SLACK_WEBHOOK=https://hooks.slack.com/services/x"}
	f, err := Parse("evenkeel.yaml", []byte(b.String()), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if len(f.Maintenance) != 1 || len(f.Sentinels) != 2 || len(f.Monitors) != 3 || f.Page.URL == "" || f.Redis.URL == "" || len(f.Channels) != 2 || f.SMTP.From == "" {
		t.Errorf("an example block was lost: %+v", f)
	}
}

func TestParseAliasesAndMerges(t *testing.T) {
	f := parse(t, `
x-every: &every {interval: 30s, timeout: 3s, kind: tcp}
page: {name: Example}
components: [{id: web}]
monitors:
  - {<<: *every, id: a, component: web, target: "example.org:80"}
  - {<<: [*every], id: b, component: web, target: "example.org:81", timeout: 5s}
`)
	if f.Monitors[0].Timeout.D() != 3*time.Second || f.Monitors[1].Timeout.D() != 5*time.Second || f.Monitors[1].Interval.D() != 30*time.Second {
		t.Errorf("merged monitors: %+v", f.Monitors)
	}
}

func TestParseTakesWindowsLineEndsAndByteOrderMark(t *testing.T) {
	src := "\ufeff" + strings.ReplaceAll(minimal, "\n", "\r\n")
	if _, err := Parse("evenkeel.yaml", []byte(src), options()); err != nil {
		t.Fatal(err)
	}
	problems := problemsOf(t, src+"surprise: 1\r\n", options())
	if problems[0].Line != 5 || problems[0].Column != 1 {
		t.Errorf("line ends move positions: %v", problems)
	}
}

func TestParseTakesNumbersWhereTextIsWanted(t *testing.T) {
	f := parse(t, strings.Replace(minimal, "kind: http", "kind: http, expect: {status: [200, 2xx], json: {$.ok: true, $.n: 1.50}}", 1))
	e := f.Monitors[0].Expect
	if e.Status[0] != "200" || e.JSON["$.ok"] != "true" || e.JSON["$.n"] != "1.50" {
		t.Errorf("expect: %+v", e)
	}
}

func TestParseAnchorsPathsAtTheFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := strings.Replace(minimal, "kind: http", "kind: http, auth: {bearer: {file: token}}, command: [./check, ./argument]", 1) + "data: state\n"
	f, err := Parse(filepath.Join(dir, "evenkeel.yaml"), []byte(src), options())
	if err != nil {
		t.Fatal(err)
	}
	m := f.Monitors[0]
	if m.Auth.Bearer.File != filepath.Join(dir, "token") || m.Command[0] != filepath.Join(dir, "check") || m.Command[1] != "./argument" || f.Data != filepath.Join(dir, "state") {
		t.Errorf("paths: %+v, data %s", m, f.Data)
	}
}

func TestLoadRefusesFolderAndMissingFile(t *testing.T) {
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none.yaml")} {
		_, err := Load(path, options())
		if _, isProblem := errors.AsType[Problems](err); err == nil || isProblem {
			t.Errorf("%s: got %v, want an error of the file system", path, err)
		}
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	f := parse(t, strings.Replace(minimal, "kind: http", "kind: http, auth: {bearer: hunter2-hunter2}", 1))
	asJSON, err := json.Marshal(f.Monitors[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(asJSON), fmt.Sprintf("%v", f), fmt.Sprintf("%+v", f), fmt.Sprintf("%#v", f.Monitors[0].Auth)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
	for _, src := range []string{
		"auth: hunter2", "auth: {bearer: [hunter2]}", "auth: {bearer: {enw: hunter2}}", "auth: [hunter2]", "headers: hunter2",
		"auth: {oauth2: hunter2}",
	} {
		problems := problemsOf(t, strings.Replace(minimal, "kind: http", "kind: http, "+src, 1), options())
		if strings.Contains(problems.Error(), "hunter2") {
			t.Errorf("%s: a secret is shown: %v", src, problems)
		}
	}
	problems := problemsOf(t, minimal+"database: {url: \"mysql://u:hunter2@h/d\"}\nredis: {url: \"redis://:hunter2%zz@h\"}\n", options())
	if strings.Contains(problems.Error(), "hunter2") {
		t.Errorf("a secret is shown: %v", problems)
	}
}

// TestEachSecretVisitsAll finds every Secret in Monitor by its type, so that a
// new one cannot be forgotten by the checks and the path rules.
func TestEachSecretVisitsAll(t *testing.T) {
	var count func(reflect.Type) int
	count = func(typ reflect.Type) int {
		if typ == secretType {
			return 1
		}
		n := 0
		if typ.Kind() == reflect.Struct {
			for i := range typ.NumField() {
				n += count(typ.Field(i).Type)
			}
		}
		return n
	}
	visited := map[*Secret]bool{}
	var m Monitor
	m.eachSecret(func(_ string, s *Secret) { visited[s] = true })
	if want := count(reflect.TypeFor[Monitor]()); len(visited) != want {
		t.Errorf("eachSecret visits %d of %d secrets", len(visited), want)
	}
}

func TestFingerprintFollowsTheMonitor(t *testing.T) {
	base := Monitor{ID: "a", Kind: "http", Headers: map[string]string{"A": "1", "B": "2"}}
	seen := map[string]string{base.Fingerprint(): "base"}
	for name, change := range map[string]func(*Monitor){
		"secret":        func(m *Monitor) { m.Auth.Bearer.Plain = "x" },
		"secret source": func(m *Monitor) { m.Auth.Bearer.Env = "x" },
		"header":        func(m *Monitor) { m.Headers = map[string]string{"A": "12", "B": ""} },
		"false":         func(m *Monitor) { m.Fresh = new(false) },
		"true":          func(m *Monitor) { m.Fresh = new(true) },
		"list":          func(m *Monitor) { m.Command = []string{"a", "b"} },
		"joined list":   func(m *Monitor) { m.Command = []string{"ab"} },
		"steps":         func(m *Monitor) { m.Send = []Step{{Send: "a"}, {}} },
		"fewer steps":   func(m *Monitor) { m.Send = []Step{{Send: "a"}} },
		"map of two":    func(m *Monitor) { m.Headers = map[string]string{"A": "1", "B": "2", "C": ""} },
	} {
		m := base
		change(&m)
		if other, taken := seen[m.Fingerprint()]; taken {
			t.Errorf("%s and %s have one fingerprint", name, other)
		}
		seen[m.Fingerprint()] = name
	}
	if again := (Monitor{ID: "a", Kind: "http", Headers: map[string]string{"B": "2", "A": "1"}}); again.Fingerprint() != base.Fingerprint() {
		t.Error("equal monitors have different fingerprints")
	}
}

func BenchmarkParse10000Monitors(b *testing.B) {
	var src strings.Builder
	src.WriteString("page: {name: Example}\ncomponents:\n")
	for i := range 1000 {
		fmt.Fprintf(&src, "  - {id: c-%d}\n", i)
	}
	src.WriteString("monitors:\n")
	for i := range 10_000 {
		fmt.Fprintf(&src, "  - id: m-%d\n    component: c-%d\n    kind: http\n    url: http://127.0.0.1:8080/x/%d\n    interval: 10s\n    expect:\n      status: [200, 2xx]\n", i, i%1000, i)
	}
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("evenkeel.yaml", []byte(src.String()), options()); err != nil {
			b.Fatal(err)
		}
	}
}
