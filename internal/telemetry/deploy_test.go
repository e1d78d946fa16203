package telemetry

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const deploy = "../../deploy"

// TestRulesPassPromtool checks the alert rules and plays their own tests.
func TestRulesPassPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIP: promtool is not installed")
	}
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "rules_test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = filepath.Join(deploy, "prometheus")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// TestDashboardAndRulesUseOurMetrics finds names that no code of ours exports:
// a panel over them would stay empty for ever.
func TestDashboardAndRulesUseOurMetrics(t *testing.T) {
	name := regexp.MustCompile(`\b(?:evenkeel|probe)_[a-z_]+\b`)
	quoted := regexp.MustCompile(`"[a-z]+_[a-z_]+"`) // some rooms put the evenkeel_ before a table of names
	exported := map[string]bool{}
	err := fs.WalkDir(os.DirFS("../.."), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "data", "bin", "testdata"}, d.Name())):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(filepath.Join("../..", path))
		for _, n := range name.FindAllString(string(src), -1) {
			exported[n] = true
		}
		for _, n := range quoted.FindAllString(string(src), -1) {
			exported["evenkeel_"+strings.Trim(n, `"`)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"grafana/evenkeel.json", "prometheus/rules.yaml"} {
		content, err := os.ReadFile(filepath.Join(deploy, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range name.FindAllString(string(content), -1) {
			if !exported[n] && !exported[strings.TrimSuffix(n, "_bucket")] {
				t.Errorf("%s uses %s, which nothing exports", file, n)
			}
		}
	}
}

// TestDashboardIsWellFormed reads what Grafana would trip over: queries of
// panels, and places that overlap.
func TestDashboardIsWellFormed(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(deploy, "grafana/evenkeel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dash struct {
		UID    string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(content, &dash); err != nil {
		t.Fatal(err)
	}
	if dash.UID != "evenkeel" || len(dash.Panels) < 10 {
		t.Fatalf("dashboard %q has %d panels", dash.UID, len(dash.Panels))
	}
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range dash.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d %q: id taken, no title or no query", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Errorf("panel %q overlaps %q or leaves the grid", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}
