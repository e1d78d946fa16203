package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"evenkeel/deploy/sops"
	"evenkeel/internal/telemetry"
)

const goodConfig = `page: {name: Example}
components: [{id: web}]
monitors:
  - {id: home, component: web, kind: http, url: "https://www.example.org/", headers: {X-Key: "${HUBS_OWN_KEY}"}}
`

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestConfigValidateTellsEveryProblem(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "bad.yaml"), "page: {name: x}\ncomponents: [{id: A}]\nmonitors: [{id: m, component: b, kind: htp, interval: 5}]\n")
	code, out, err := evenkeel(t, "config", "validate", path)
	if code != exitUsage || out != "" || !strings.Contains(err, path+":2:19: components[0].id") || !strings.Contains(err, "4 problems; nothing was changed.") {
		t.Errorf("validate: %d %q %q", code, out, err)
	}
	code, out, _ = evenkeel(t, "config", "validate", "--json", path)
	var answer struct {
		OK       bool
		Problems []struct {
			File, Path, Reason, Hint string
			Line, Column             int
		}
	}
	if jsonErr := json.Unmarshal([]byte(out), &answer); jsonErr != nil || code != exitUsage || answer.OK || len(answer.Problems) != 4 || answer.Problems[0].Line != 2 {
		t.Errorf("validate --json: %d %s %v", code, out, jsonErr)
	}
}

// TestConfigValidateReadsProcedures: a procedure's file is checked by the same verb.
func TestConfigValidateReadsProcedures(t *testing.T) {
	source, readErr := sops.Files.ReadFile("mdoq.yaml")
	if readErr != nil {
		t.Fatal(readErr)
	}
	dir := t.TempDir()
	code, out, err := evenkeel(t, "config", "validate", write(t, filepath.Join(dir, "mdoq.yaml"), string(source)))
	if code != exitOK || !strings.Contains(out, "is in order: 3 environments, 4 stages, 8 gates.") {
		t.Errorf("validate: %d %s %s", code, out, err)
	}
	unowned := strings.Replace(string(source), "manager: qa, ", "", 1)
	unowned = strings.Replace(unowned, "manager: client}", "}", 1)
	code, _, err = evenkeel(t, "config", "validate", write(t, filepath.Join(dir, "unowned.yaml"), unowned))
	if code != exitUsage || !strings.Contains(err, "nobody answers for this gate") { // S2-03
		t.Errorf("validate: %d %s", code, err)
	}
}

func TestConfigValidateNamesAMissingFile(t *testing.T) {
	code, _, err := evenkeel(t, "config", "validate", filepath.Join(t.TempDir(), "none.yaml"))
	if code != exitUsage || !strings.Contains(err, "none.yaml: no such file") {
		t.Errorf("validate: %d %s", code, err)
	}
}

func TestConfigPlanComparesWithAnEmptyRecordWhereNoHubHasRun(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "evenkeel.yaml"), goodConfig)
	code, out, err := evenkeel(t, "config", "plan", path)
	if code != exitOK || !strings.Contains(out, "+ monitor   home") || !strings.Contains(out, "3 added.") || !strings.Contains(err, filepath.Join(dir, "data")) {
		t.Errorf("plan: %d %s %s", code, out, err)
	}
	code, out, _ = evenkeel(t, "config", "plan", "--json", path)
	var answer struct {
		OK      bool
		Changes []struct{ What, Kind, ID string }
	}
	if jsonErr := json.Unmarshal([]byte(out), &answer); jsonErr != nil || code != exitOK || !answer.OK || len(answer.Changes) != 3 || answer.Changes[1].ID != "web" {
		t.Errorf("plan --json: %d %s %v", code, out, jsonErr)
	}
	if _, statErr := os.Stat(filepath.Join(dir, "data")); statErr == nil {
		t.Error("plan made a data folder")
	}
}

// hubAt serves the admin pages of a hub that reads path and reloads with reload.
func hubAt(t *testing.T, path string, reload func() error) {
	t.Helper()
	server := httptest.NewServer(telemetry.NewAdmin(telemetry.AdminOptions{
		Registry: telemetry.NewRegistry(), Health: telemetry.NewHealth(), Log: slog.New(slog.DiscardHandler),
		ConfigPath: path, Reload: func(context.Context) error { return reload() },
	}))
	t.Cleanup(server.Close)
	t.Setenv("EVENKEEL_ADMIN_LISTEN", server.Listener.Addr().String())
}

func TestConfigApplyReplacesTheHubsFileAndReloads(t *testing.T) {
	dir := t.TempDir()
	hubs := write(t, filepath.Join(dir, "hub.yaml"), "page: {name: Old}\n")
	next := write(t, filepath.Join(dir, "next.yaml"), goodConfig)
	reloads := 0
	hubAt(t, hubs, func() error {
		reloads++
		if got := read(t, hubs); got != goodConfig {
			t.Errorf("reloaded while the file says %q", got)
		}
		return nil
	})
	if code, out, err := evenkeel(t, "config", "apply", next); code != exitOK || reloads != 1 || !strings.Contains(out, "in force (1 component, 1 monitor)") {
		t.Errorf("apply: %d %s %s, %d reloads", code, out, err, reloads)
	}
	if info, err := os.Stat(hubs); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions: %v %v", info.Mode(), err)
	}
	if code, _, err := evenkeel(t, "config", "apply", hubs); code != exitOK || reloads != 2 {
		t.Errorf("apply of the hub's own file: %d %s, %d reloads", code, err, reloads)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestConfigApplyPutsTheOldFileBackWhenTheHubRefuses(t *testing.T) {
	dir := t.TempDir()
	hubs := write(t, filepath.Join(dir, "hub.yaml"), "page: {name: Old}\n")
	if err := os.Symlink(hubs, filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	hubAt(t, filepath.Join(dir, "link.yaml"), func() error { return errors.New("the variable HUBS_OWN_KEY is not set") })
	code, _, err := evenkeel(t, "config", "apply", write(t, filepath.Join(dir, "next.yaml"), goodConfig))
	if code != exitFailed || !strings.Contains(err, "HUBS_OWN_KEY is not set") || !strings.Contains(err, "put back") || read(t, hubs) != "page: {name: Old}\n" {
		t.Errorf("apply: %d %s, the file says %q", code, err, read(t, hubs))
	}
	if info, statErr := os.Lstat(filepath.Join(dir, "link.yaml")); statErr != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
}

func TestConfigApplyTouchesNothingWhenTheFileIsBad(t *testing.T) {
	hubAt(t, "/nowhere", func() error { t.Error("a bad file reached the hub"); return nil })
	code, _, err := evenkeel(t, "config", "apply", write(t, filepath.Join(t.TempDir(), "bad.yaml"), "page: {nam: x}\n"))
	if code != exitUsage || !strings.Contains(err, "did you mean name?") {
		t.Errorf("apply: %d %s", code, err)
	}
}

func TestConfigApplySaysThatNoHubAnswers(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close() // its port is free again, so nobody answers there
	code, _, err := evenkeel(t, "config", "apply", "--admin", server.Listener.Addr().String(), write(t, filepath.Join(t.TempDir(), "good.yaml"), goodConfig))
	if code != exitFailed || !strings.Contains(err, "no hub answers") {
		t.Errorf("apply: %d %s", code, err)
	}
}
