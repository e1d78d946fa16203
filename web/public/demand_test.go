package public

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"evenkeel/internal/problem"
	"evenkeel/web/public/publictest"
)

func TestMergedIncidentIsARedirect(t *testing.T) {
	p := photographer(t, "")
	p.Attach(publictest.NewBoard(publictest.Troubled()), nil)
	if err := p.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	for path, to := range map[string]string{
		"/incidents/" + publictest.Merged:                  "/incidents/" + publictest.Slow().ID,
		"/api/v2/incidents/" + publictest.Merged + ".json": "/api/v2/incidents/" + publictest.Slow().ID + ".json",
	} {
		ph, err := p.Take(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("If-None-Match", ph.ETag()) // a redirect is never unchanged
		w := httptest.NewRecorder()
		ph.ServeHTTP(w, r)
		if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != to {
			t.Errorf("%s: %d to %q, want %s", path, w.Code, w.Header().Get("Location"), to)
		}
	}
}

// An incident may become private: nothing that was made before may be served
// again, not from memory, not from disk, not when the record is away.
func TestWithdrawnIncidentIsNowhere(t *testing.T) {
	folder := t.TempDir()
	p := photographer(t, folder)
	board := publictest.NewBoard(publictest.Troubled())
	p.Attach(board, nil)
	if err := p.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	const title = "Searches take two to four seconds"
	paths := []string{"/incidents/" + publictest.Slow().ID, "/components/search", "/history"}
	for _, path := range paths {
		if ph, err := p.Take(t.Context(), path); err != nil || !strings.Contains(string(ph.Body()), title) {
			t.Fatalf("%s does not tell it: %v", path, err)
		}
	}
	p.save()
	onDisk := func() (files []string) {
		err := filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := os.ReadFile(name)
			if strings.Contains(string(body), title) {
				files = append(files, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	if len(onDisk()) < 4 {
		t.Fatalf("kept on disk: %v", onDisk())
	}
	board.Show(publictest.Normal())
	if err := p.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	p.save()
	if files := onDisk(); len(files) > 0 {
		t.Errorf("it is still told by %v", files)
	}
	board.Fail(problem.Unavailable(errors.New("connection refused"), "The database is away."))
	for _, path := range paths {
		if ph, err := p.Take(t.Context(), path); err == nil && strings.Contains(string(ph.Body()), title) {
			t.Errorf("%s tells it again when the record is away", path)
		}
	}
}

func TestIncidentTimelineRunsBothWays(t *testing.T) {
	p := publictest.Troubled()
	p.Recent = append(p.Recent, publictest.Finished())
	p.Recent[len(p.Recent)-1].ID = "over000000000000"
	s := photographer(t, "")
	s.Attach(publictest.NewBoard(p), nil)
	if err := s.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"/incidents/" + publictest.Slow().ID: {"The next update comes by", "Release 2.31.0 of search", "Searches have been slow", "Our checks see", "Tell me when it is over"},
		"/incidents/over000000000000":        {"It lasted 36 minutes.", "Our checks see", "Searches have been slow", "Release 2.31.0 of search", "working again", "Edited at", "Search has been at full speed", "Postmortem", "A test with too little data"},
	} {
		ph, err := s.Take(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		body, at := string(ph.Body()), 0
		for _, text := range want {
			next := strings.Index(body[at:], text)
			if next < 0 {
				t.Fatalf("%s: %q does not stand after what comes before it", path, text)
			}
			at += next
		}
		if over := strings.HasSuffix(path, "over000000000000"); over == strings.Contains(body, "<form") {
			t.Errorf("%s: a form stands there: %v", path, !over)
		}
	}
}

func TestMarkdownOfOthersIsHarmless(t *testing.T) {
	for path, ph := range everything(t, publictest.Bad()) {
		body := script.ReplaceAllString(string(ph.Body()), "")
		for _, bad := range []string{"<script>alert", "<svg onload", "<iframe src=//", "href=\"javascript:", "\u202egnihtyreve"} {
			if (ph.html || strings.HasPrefix(path, "/history.")) && strings.Contains(body, bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
	}
}
