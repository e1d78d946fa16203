package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackupAndRestoreFromTheCommandLine(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	if code, _, errs := evenkeel(t, "migrate", "--data", from); code != exitOK {
		t.Fatalf("migrate: %s", errs)
	}
	code, out, errs := evenkeel(t, "backup", "--data", from, "--json", t.TempDir())
	var made backedUp
	if err := json.Unmarshal([]byte(out), &made); code != exitOK || err != nil || !made.OK || made.Bytes == 0 {
		t.Fatalf("backup: exit %d, %v, %s%s", code, err, out, errs)
	}
	if code, out, errs = evenkeel(t, "restore", "--data", to, made.File); code != exitOK || !strings.Contains(out, "Restored") {
		t.Fatalf("restore: exit %d, %s%s", code, out, errs)
	}
	if code, _, errs = evenkeel(t, "restore", "--data", to, made.File); code != exitFailed || !strings.Contains(errs, "--aside") {
		t.Errorf("a second restore: exit %d, %s", code, errs)
	}
	code, out, _ = evenkeel(t, "restore", "--data", to, "--aside", "--json", made.File)
	var again backedUp
	if err := json.Unmarshal([]byte(out), &again); code != exitOK || err != nil || again.Kept == "" {
		t.Fatalf("restore --aside: exit %d, %v, %s", code, err, out)
	}
	if _, err := os.Stat(again.Kept); err != nil {
		t.Error(err)
	}
	if code, _, errs = evenkeel(t, "restore", "--data", to, filepath.Join(to, "nothing.db")); code != exitFailed || !strings.Contains(errs, "no backup") {
		t.Errorf("no file: exit %d, %s", code, errs)
	}
}
