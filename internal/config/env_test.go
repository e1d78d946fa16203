package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEnvironmentOverridesTheFile(t *testing.T) {
	twin := filepath.Join(t.TempDir(), "database-url")
	if err := os.WriteFile(twin, []byte("postgres://example.org/e\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Environ = []string{"EVENKEEL_LISTEN=:1", "EVENKEEL_DATA=here", "EVENKEEL_DATABASE_URL_FILE=" + twin, "EVENKEEL_REDIS_URL=",
		"EVENKEEL_URL=http://127.0.0.1:8081", "EVENKEEL_TOKEN=x", "HOME=/", "EVENKEEL_LISTEN=:2"}
	f, err := Parse("/etc/evenkeel/evenkeel.yaml", []byte(minimal+"data: there\nredis: {url: \"redis://example.org\"}\n"), o)
	if err != nil {
		t.Fatal(err)
	}
	if f.Listen != ":2" || f.Data != "here" || f.Database.URL != "postgres://example.org/e" || f.Redis.URL != "redis://example.org" {
		t.Errorf("settings: %q %q %q %q", f.Listen, f.Data, f.Database.URL, f.Redis.URL)
	}
}

func TestEnvironmentProblems(t *testing.T) {
	o := options()
	o.Environ = []string{"EVENKEEL_LISTNE=:1", "EVENKEEL_DATA=a", "EVENKEEL_DATA_FILE=b", "EVENKEEL_REDIS_URL=nonsense", "EVENKEEL_BLOBS_URL_FILE=/nowhere/at/all", "EVENKEEL_X=1"}
	var got []string
	for _, p := range problemsOf(t, minimal, o) {
		if p.File != "environment" || p.Line != 0 {
			t.Errorf("%v has a wrong place", p)
		}
		got = append(got, p.Path+": "+p.Reason+" ("+p.Hint+")")
	}
	for _, want := range []string{
		"EVENKEEL_LISTNE: unknown variable (did you mean EVENKEEL_LISTEN?)",
		"EVENKEEL_DATA: both EVENKEEL_DATA and EVENKEEL_DATA_FILE are set",
		"EVENKEEL_REDIS_URL: this is not a URL",
		"EVENKEEL_BLOBS_URL_FILE: cannot be read",
		"EVENKEEL_X: unknown variable",
	} {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("missing %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	if len(got) != 5 {
		t.Errorf("%d problems, want 5", len(got))
	}
}

func TestEnvironmentAllowsWhatTheFileAsksFor(t *testing.T) {
	o := options()
	o.Environ = []string{"EVENKEEL_PING=0123456789abcdef", "EVENKEEL_KEY=k"}
	src := strings.Replace(minimal, "kind: http", "kind: http, token: {env: EVENKEEL_PING}, headers: {X-Key: \"Key ${EVENKEEL_KEY}\"}", 1)
	if _, err := Parse("evenkeel.yaml", []byte(src), o); err != nil {
		t.Error(err)
	}
}

func TestReferences(t *testing.T) {
	for value, want := range map[string][]string{
		"plain": nil, "${A}": {"A"}, "x ${A_1} y ${b}${A_1}": {"A_1", "b", "A_1"}, "$A $ ${": nil, "${A": nil, "${1} ${a b}": nil, "": nil,
	} {
		if got := references(value); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
