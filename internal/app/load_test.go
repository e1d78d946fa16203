package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
	"evenkeel/monitors"
)

const examples = "../../deploy/examples"

// TestExamplesAreValid reads every example, as another machine would.
func TestExamplesAreValid(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(examples, "*.yaml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	for _, file := range files {
		if _, err := LoadConfigForHub(file, nil); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestFullExampleShowsEveryKind(t *testing.T) {
	f, err := LoadConfigForHub(filepath.Join(examples, "full.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range monitors.Kinds() {
		if !slices.ContainsFunc(f.Monitors, func(m config.Monitor) bool { return m.Kind == kind }) {
			t.Errorf("full.yaml has no monitor of kind %s", kind)
		}
	}
	for _, kind := range config.ChannelKinds() {
		if !slices.ContainsFunc(f.Channels, func(c config.Channel) bool { return c.Kind == kind }) {
			t.Errorf("full.yaml has no channel of kind %s", kind)
		}
	}
}

func TestManualNamesEveryKind(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, row, found := strings.Cut(string(page), "| `kind` | text | ")
	row, _, _ = strings.Cut(row, "\n")
	var named []string
	for word := range strings.SplitSeq(strings.Trim(row, " |"), ", ") {
		named = append(named, strings.Fields(word)[0])
	}
	slices.Sort(named)
	if !found || !slices.Equal(named, monitors.Kinds()) {
		t.Errorf("the manual names %q, there are %q", named, monitors.Kinds())
	}
}

func TestMinimalExampleHasTenLines(t *testing.T) {
	src, err := os.ReadFile(filepath.Join(examples, "minimal.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(src), "\n"); n != 10 {
		t.Errorf("minimal.yaml has %d lines", n)
	}
}

// TestStarterRuns checks the starter with every kind's own checks.
func TestStarterRuns(t *testing.T) {
	path := write(t, string(config.Starter()))
	if _, err := LoadConfig(path, nil); err != nil {
		t.Error(err)
	}
}

func write(t testing.TB, src string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "evenkeel.yaml")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLoadConfigTellsEveryProblemOnce mixes mistakes that different rooms find.
func TestLoadConfigTellsEveryProblemOnce(t *testing.T) {
	path := write(t, `page: {name: Example}
components: [{id: web}]
monitors:
  - {id: a, component: web, kind: http, url: "http://example.org/", count: 3, expect: {status: [6xx], body: "(", condition: "status === 200"}}
  - {id: b, component: web, kind: tcp, target: "http://example.org", auth: {bearer: {env: NOWHERE}}}
  - {id: c, component: web, kind: heartbeat, schedule: {cron: "61 * * * *"}, token: short}
  - {id: d, component: web, kind: htpp}
  - {id: e, component: web, kind: http, url: "https://example.org/", headers: {X-Key: "${NOWHERE}"}, auth: {username: u, password: {file: missing}}}
maintenance: [{id: w, components: [web], rrule: FREQ=SECONDLY, start: 2026-11-22T05:00, duration: 1h}]
`)
	_, err := LoadConfig(path, nil)
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Path)
	}
	want := []string{
		"monitors[0].count", "monitors[0].expect.status", "monitors[0].expect.body", "monitors[0].expect.condition",
		"monitors[1].target", "monitors[1].auth.bearer",
		"monitors[2].schedule.cron", "monitors[2].token",
		"monitors[3].kind",
		"monitors[4].headers.X-Key", "monitors[4].auth.password",
		"maintenance[0].rrule",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant paths %q\n%s", strings.Join(got, "\n"), want, problems.Error())
	}
}

func TestLoadConfigForHubTakesVariablesAsSetElsewhere(t *testing.T) {
	path := write(t, `page: {name: Example}
components: [{id: web}]
monitors:
  - {id: a, component: web, kind: heartbeat, schedule: {every: 1m}, token: {env: PING_TOKEN}}
  - {id: b, component: web, kind: http, url: "https://example.org/", headers: {X-Key: "${KEY}"}, auth: {bearer: {env: BEARER}}}
`)
	if _, err := LoadConfigForHub(path, nil); err != nil {
		t.Errorf("for another process: %v", err)
	}
	if _, err := LoadConfig(path, nil); err == nil {
		t.Error("variables that are not set went unnoticed")
	}
}

func TestDefinitionKeepsWhatTheFileSays(t *testing.T) {
	f, err := LoadConfigForHub(filepath.Join(examples, "full.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	d := definition(f)
	if len(d.Components) != len(f.Components) || len(d.Monitors) != len(f.Monitors)+len(f.Sentinels) || len(d.Windows) != 2 {
		t.Fatalf("definition: %d components, %d monitors, %d windows", len(d.Components), len(d.Monitors), len(d.Windows))
	}
	if d.Site.Zone != "Europe/Berlin" || d.Site.Weights != (status.Weights{Major: 1, Partial: 0.3}) {
		t.Errorf("site: %+v", d.Site)
	}
	if api := d.Components[1]; api.Was != "backend" || !slices.Equal(api.Needs, []string{"database"}) || api.Group != "shop" || api.Position != 1 {
		t.Errorf("component: %+v", api)
	}
	if w := d.Windows[0]; w.From.Format("2006-01-02T15:04Z07:00") != "2027-01-17T04:00Z" || w.To.Sub(w.From).Hours() != 2 {
		t.Errorf("window from %v to %v", w.From, w.To)
	}
	marks, units := map[string]bool{}, map[string]string{}
	for _, m := range d.Monitors {
		marks[m.Mark], units[m.ID] = true, m.Unit
		if m.Sentinel != strings.HasPrefix(m.ID, "outside-") || m.Sentinel != (m.Component == "") {
			t.Errorf("sentinel: %+v", m)
		}
	}
	if len(marks) != len(d.Monitors) {
		t.Error("two monitors have one mark")
	}
	if units["order-queue"] != "orders" || units["disk"] != "MB" || units["website-home"] != "" {
		t.Errorf("units: %v", units)
	}
}

func TestDefinitionMakesGroupsThatAreOnlyNamed(t *testing.T) {
	path := write(t, "page: {name: Example}\ngroups: [{id: a, name: First}]\ncomponents: [{id: x, group: b}, {id: y, group: a}, {id: z, group: b}]\n")
	f, err := LoadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range definition(f).Groups {
		got = append(got, g.ID+" "+g.Name)
	}
	if want := []string{"a First", "b b"}; !slices.Equal(got, want) {
		t.Errorf("groups %q, want %q", got, want)
	}
}

// BenchmarkLoadConfig10000Monitors is the part of a large hub's start that
// reads and compiles its file.
func BenchmarkLoadConfig10000Monitors(b *testing.B) {
	var src strings.Builder
	src.WriteString("page: {name: Example}\ncomponents: [{id: web}]\nmonitors:\n")
	for i := range 10_000 {
		fmt.Fprintf(&src, "  - id: m-%d\n    component: web\n    kind: http\n    url: http://127.0.0.1:8080/x/%d\n    interval: 10s\n    expect:\n      status: [200, 2xx]\n", i, i)
	}
	path := filepath.Join(b.TempDir(), "evenkeel.yaml")
	if err := os.WriteFile(path, []byte(src.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, err := LoadConfig(path, nil)
		if err != nil {
			b.Fatal(err)
		}
		if d := definition(f); len(d.Monitors) != 10_000 {
			b.Fatalf("%d monitors", len(d.Monitors))
		}
	}
}
