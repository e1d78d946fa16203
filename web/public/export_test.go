package public

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evenkeel/web/public/publictest"
)

func exported(t *testing.T, folder, path string) string {
	t.Helper()
	name, ok := FileName(path)
	if !ok {
		t.Fatalf("%s is no file name", path)
	}
	body, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestExportWritesEveryPageAndSaysWhen(t *testing.T) {
	folder, page := t.TempDir(), publictest.Normal()
	now := publictest.Minute.Add(20 * time.Second)
	files, err := Export(t.Context(), publictest.NewBoard(page), now, folder)
	if err != nil {
		t.Fatal(err)
	}
	paths := onDemandPaths(page)
	for path := range v2Top {
		paths = append(paths, path)
	}
	paths = append(paths, "/", "/embed", "/history.atom", "/history.rss", "/feed.json", "/maintenance.ics", "/favicon.svg", "/badge.svg")
	if files != len(paths) {
		t.Errorf("%d files, want %d", files, len(paths))
	}
	for _, path := range paths {
		if exported(t, folder, path) == "" {
			t.Errorf("%s is empty", path)
		}
	}
	for _, path := range []string{"/", "/history", "/components/search"} {
		if body := exported(t, folder, path); !strings.Contains(body, "This copy was made at") || !strings.Contains(body, page.Site.URL) {
			t.Errorf("%s does not say that it is a copy, and of what", path)
		}
	}
	if !json.Valid([]byte(exported(t, folder, "/api/v2/summary.json"))) {
		t.Error("summary.json is no JSON")
	}
}

func TestExportRemovesWhatIsNoLongerPublic(t *testing.T) {
	folder, page := t.TempDir(), publictest.Normal()
	if err := os.WriteFile(filepath.Join(folder, "CNAME"), []byte("status.example.org"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Export(t.Context(), publictest.NewBoard(page), publictest.Minute, folder); err != nil {
		t.Fatal(err)
	}
	gone := page.Groups[0].Components[0].ID
	next := publictest.Normal()
	next.Groups[0].Components = next.Groups[0].Components[1:]
	if _, err := Export(t.Context(), publictest.NewBoard(next), publictest.Minute, folder); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "components", gone, "index.html")); !os.IsNotExist(err) {
		t.Errorf("the page of %s is still there: %v", gone, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "CNAME")); err != nil {
		t.Errorf("a file that is not ours: %v", err)
	}
}
