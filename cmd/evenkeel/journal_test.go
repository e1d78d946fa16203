package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/store"
)

// journalOf makes a data folder whose journal has n entries.
func journalOf(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		e := journal.Entry{Verb: "hub.started", Subject: journal.Ref{Kind: "hub", ID: "a"}, Audience: journal.AudienceStaff}
		if err := s.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return tx.Append(e) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := closeStore(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return dir
}

// call runs the command line and gives its exit code and output.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.WithoutCancel(t.Context()), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestJournalVerifySaysThatTheChainHolds(t *testing.T) {
	dir := journalOf(t, 3)
	code, out, errs := call(t, "journal", "verify", "--data", dir)
	if code != exitOK || !strings.Contains(out, "up to entry 3") {
		t.Fatalf("exit %d, %q, %q", code, out, errs)
	}
	code, out, _ = call(t, "journal", "verify", "--data", dir, "--json")
	var answer verified
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != exitOK || !answer.OK || answer.Seq != 3 || len(answer.Hash) != 64 {
		t.Fatalf("exit %d, %q, %v", code, out, err)
	}
}

func TestJournalVerifyNamesTheFirstBrokenLink(t *testing.T) {
	dir := journalOf(t, 5)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "evenkeel.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`drop trigger journal_no_update; update journal set actor = 'forged' where seq = 3`); err != nil {
		t.Fatal(err)
	}
	code, out, errs := call(t, "journal", "verify", "--data", dir)
	if code != exitFailed || strings.TrimSpace(out) != "3" || !strings.Contains(errs, "entry 3") {
		t.Fatalf("exit %d, %q, %q", code, out, errs)
	}
	code, out, _ = call(t, "journal", "verify", "--data", dir, "--json")
	var answer verified
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != exitFailed || answer.OK || answer.BrokenAt != 3 {
		t.Fatalf("exit %d, %q, %v", code, out, err)
	}
}

func TestJournalVerifyComparesWithKeptHeads(t *testing.T) {
	dir := journalOf(t, 3)
	_, out, _ := call(t, "journal", "verify", "--data", dir, "--json")
	var answer verified
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(t.TempDir(), "journal-heads.txt")
	for _, c := range []struct {
		lines string
		code  int
		want  string
	}{
		{journal.Head{Date: "2026-11-21", Seq: 3, Hash: answer.Hash}.String(), exitOK, "all of the 1 heads"},
		{journal.Head{Date: "2026-11-21", Seq: 2, Hash: answer.Hash}.String(), exitFailed, "kept on 2026-11-21"},
		{journal.Head{Date: "2026-11-21", Seq: 9, Hash: answer.Hash}.String(), exitFailed, "reached to 9"},
		{"nonsense", exitUsage, "Line 1"},
		{"", exitUsage, "no heads"},
	} {
		if err := os.WriteFile(kept, []byte(c.lines+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, errs := call(t, "journal", "verify", "--data", dir, "--heads", kept); code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%q: exit %d, %q, %q", c.lines, code, out, errs)
		}
	}
	if code, _, errs := call(t, "journal", "verify", "--data", dir, "--heads", kept+".gone"); code != exitFailed || !strings.Contains(errs, kept) {
		t.Errorf("a missing file: exit %d, %q", code, errs)
	}
}

func TestJournalVerifyWithoutADatabaseSaysWhereItLooked(t *testing.T) {
	dir := t.TempDir()
	if code, _, errs := call(t, "journal", "verify", "--data", dir); code != exitFailed || !strings.Contains(errs, dir) {
		t.Fatalf("exit %d, %q", code, errs)
	}
}

func TestMigrateMakesTheDatabaseAndRefusesBesideAHub(t *testing.T) {
	dir := t.TempDir()
	if code, out, errs := call(t, "migrate", "--data", dir); code != exitOK || !strings.Contains(out, "applied") {
		t.Fatalf("exit %d, %q, %q", code, out, errs)
	}
	if code, out, _ := call(t, "migrate", "--data", dir, "--json"); code != exitOK || !strings.Contains(out, `"applied": []`) {
		t.Fatalf("exit %d, %q", code, out)
	}
	hub, err := store.Open(t.Context(), store.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t.Context(), hub)
	if code, _, errs := call(t, "migrate", "--data", dir); code != exitFailed || !strings.Contains(errs, "Another hub") {
		t.Fatalf("exit %d, %q", code, errs)
	}
	if code, _, errs := call(t, "journal", "verify", "--data", dir); code != exitOK { // looking is fine
		t.Fatalf("exit %d, %q", code, errs)
	}
}

func TestDatabaseIsFoundByTheEnvironmentWithoutAFile(t *testing.T) {
	t.Setenv("EVENKEEL_DATA", journalOf(t, 2))
	t.Chdir(t.TempDir())
	if code, out, errs := call(t, "journal", "verify"); code != exitOK || !strings.Contains(out, "entry 2") {
		t.Fatalf("exit %d, %q, %q", code, out, errs)
	}
	if code, _, errs := call(t, "journal", "verify", "-c", "missing.yaml"); code == exitOK {
		t.Fatalf("a file that was named and is missing was overlooked: %q", errs)
	}
}
