package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateMail = flag.Bool("update-mail", false, "write the goldens of ingest/testdata anew")

// TestMailParseUglyMail reads our own collection of ugly mail and compares with
// what is known to be right.
func TestMailParseUglyMail(t *testing.T) {
	files, err := filepath.Glob("../../ingest/testdata/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no mail found: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(t.Context(), []string{"mail", "parse", "--json", "--own", "support@example.com", file}, &out, &errs); code != exitOK {
				t.Fatalf("exit %d: %s", code, &errs)
			}
			var got map[string]any
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			got["file"] = filepath.Base(file)
			golden := strings.TrimSuffix(file, ".eml") + ".json"
			if *updateMail {
				var text bytes.Buffer
				enc := json.NewEncoder(&text)
				enc.SetEscapeHTML(false)
				enc.SetIndent("", "  ")
				if err := enc.Encode(got); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, text.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMailParseKeepsTheOrderAndReportsWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.eml"), filepath.Join(dir, "two.eml")
	for _, file := range []string{one, two} {
		if err := os.WriteFile(file, []byte("Subject: "+filepath.Base(file)+"\n\nx\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"mail", "parse", "--json", two, filepath.Join(dir, "missing.eml"), one}, &out, &errs)
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines: %s", len(lines), &out)
	}
	for i, want := range []string{`"subject":"two.eml"`, `"error":`, `"subject":"one.eml"`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d has no %s: %s", i, want, lines[i])
		}
	}
	for _, list := range []string{`"from":[]`, `"to":[]`, `"cc":[]`, `"reply_to":[]`, `"references":[]`, `"attachments":[]`} {
		if !strings.Contains(lines[0], list) {
			t.Errorf("no %s in %s", list, lines[0])
		}
	}
}
