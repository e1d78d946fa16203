package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExportPageOfARecordWithoutOneSaysWhatToDo(t *testing.T) {
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "page")
	if code, _, err := evenkeel(t, "migrate", "--data", data); code != exitOK {
		t.Fatal(err)
	}
	code, _, err := evenkeel(t, "export", "page", out, "--data", data)
	if code != exitFailed || !strings.Contains(err, "start the hub") {
		t.Errorf("export: %d %s", code, err)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a folder was made for nothing: %v", err)
	}
}

func TestExportPageWithoutARecordFails(t *testing.T) {
	folder := t.TempDir()
	code, out, err := evenkeel(t, "export", "page", folder, "--data", folder, "--json")
	var answer struct {
		OK    bool
		Error string
	}
	if jsonErr := json.Unmarshal([]byte(out), &answer); jsonErr != nil || code != exitFailed || answer.OK || !strings.Contains(err, "There is no database") {
		t.Errorf("export: %d %s %s", code, out, err)
	}
}
