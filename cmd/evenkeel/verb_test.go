package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// evenkeel runs a command line in this process.
func evenkeel(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	code = run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestEveryVerbExplainsItselfWithAnExample(t *testing.T) {
	check := func(words []string, table []verb) {
		for _, v := range table {
			if v.summary == "" || strings.HasSuffix(v.summary, ".") {
				t.Errorf("%s: the summary is one line without a full stop: %q", v.name, v.summary)
			}
			code, out, _ := evenkeel(t, append(words, v.name, "--help")...)
			if code != exitOK || !strings.Contains(out, "Usage: evenkeel") {
				t.Errorf("%s --help: code %d, %q", v.name, code, out)
			}
			if strings.Contains(out, "VERB") { // a verb of verbs: its own are checked where they are declared
				continue
			}
			if !strings.Contains(out, "Example:") || !strings.Contains(out, "--json") || !strings.Contains(out, "Exit codes:") {
				t.Errorf("%s --help lacks an example, --json or the exit codes:\n%s", v.name, out)
			}
		}
	}
	check(nil, verbs())
	check([]string{"config"}, configVerbs())
	check([]string{"admin"}, adminVerbs())
	for _, words := range [][]string{
		{"admin", "person", "add"}, {"admin", "person", "list"}, {"admin", "person", "link"}, {"admin", "person", "disable"}, {"admin", "person", "enable"},
		{"admin", "token", "create"}, {"admin", "hook", "create"}, {"admin", "key", "rotate"},
	} {
		if code, out, _ := evenkeel(t, append(words, "--help")...); code != exitOK || !strings.Contains(out, "Example:") || !strings.Contains(out, "--json") {
			t.Errorf("%v --help: code %d, %q", words, code, out)
		}
	}
}

func TestCommandLineMistakesAreUsage(t *testing.T) {
	for _, row := range []struct {
		args []string
		want string
	}{
		{nil, "Usage: evenkeel VERB"},
		{[]string{"inti"}, `Did you mean "init"?`},
		{[]string{"config"}, "Usage: evenkeel config VERB"},
		{[]string{"config", "valdate"}, `Did you mean "validate"?`},
		{[]string{"config", "validate"}, "it needs FILE"},
		{[]string{"config", "validate", "a", "b"}, `"b" is one argument too many`},
		{[]string{"version", "--jsno"}, "jsno"},
	} {
		code, out, err := evenkeel(t, row.args...)
		if code != exitUsage || !strings.Contains(err, row.want) || out != "" {
			t.Errorf("%q: code %d, stdout %q, stderr %q, want %q", row.args, code, out, err, row.want)
		}
	}
}

func TestMisuseIsAnObjectToo(t *testing.T) {
	code, out, err := evenkeel(t, "config", "validate", "--json")
	var answer struct {
		OK    bool
		Error string
	}
	if jsonErr := json.Unmarshal([]byte(out), &answer); jsonErr != nil || code != exitUsage || answer.OK || answer.Error != "it needs FILE" || !strings.Contains(err, "it needs FILE") {
		t.Errorf("misuse: %d %q %q", code, out, err)
	}
}

func TestHelpWritesFlagsAsTheyAreTyped(t *testing.T) {
	_, out, _ := evenkeel(t, "serve", "--help")
	if !strings.Contains(out, "\n  -c FILE ") || !strings.Contains(out, "\n  --data FOLDER ") {
		t.Errorf("serve --help:\n%s", out)
	}
}

func TestHelpGoesToStdout(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"help", "init"}, {"init", "--help"}, {"config", "--help"}, {"config", "help", "plan"}} {
		code, out, err := evenkeel(t, args...)
		if code != exitOK || !strings.Contains(out, "Usage:") || err != "" {
			t.Errorf("%q: code %d, stdout %q, stderr %q", args, code, out, err)
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, _ := evenkeel(t, "version", "--json")
	var v struct{ Version, Go, Platform string }
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != exitOK || v.Version == "" || v.Go == "" || v.Platform == "" {
		t.Errorf("version: %d %s %v", code, out, err)
	}
}

func TestInitWritesAFileThatIsInOrderAndNeverOverwrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my.yaml")
	if code, out, err := evenkeel(t, "init", path); code != exitOK || !strings.Contains(out, "evenkeel serve -c "+path) {
		t.Fatalf("init: %d %s %s", code, out, err)
	}
	if code, out, err := evenkeel(t, "config", "validate", path); code != exitOK || !strings.Contains(out, "2 components, 2 monitors") {
		t.Errorf("validate: %d %s %s", code, out, err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, err := evenkeel(t, "init", path, "--json")
	content, readErr := os.ReadFile(path)
	if code != exitFailed || !strings.Contains(err, "stays as it is") || readErr != nil || string(content) != "mine" {
		t.Errorf("second init: %d %s, the file says %q", code, err, content)
	}
}
