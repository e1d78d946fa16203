package assets

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// ask fetches a file from a shelf.
func ask(s *Shelf, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestShelfServesUnderTheHashForEver(t *testing.T) {
	s := NewShelf()
	for _, name := range []string{"console.css", "icons.svg"} {
		url := s.URL(name)
		if !regexp.MustCompile(`^/assets/[a-z]+-[0-9a-f]{16}\.(css|svg)$`).MatchString(url) {
			t.Errorf("%s is at %q", name, url)
		}
		w := ask(s, http.MethodGet, url)
		if w.Code != http.StatusOK || w.Body.Len() < 500 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %d bytes, %s", name, w.Code, w.Body.Len(), w.Header())
		}
		if head := ask(s, http.MethodHead, url); head.Body.Len() > 0 || head.Header().Get("Content-Length") == "0" {
			t.Errorf("%s: HEAD gives a body", name)
		}
	}
	for _, path := range []string{"/assets/console.css", "/assets/console-0123456789abcdef.css", "/assets/../embed.go", "/assets/"} {
		if w := ask(s, http.MethodGet, path); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Cache-Control"))
		}
	}
}

// TestFontsOfTheStylesheetAreThere: what it refers to is on the shelf.
func TestFontsOfTheStylesheetAreThere(t *testing.T) {
	s := NewShelf()
	css := ask(s, http.MethodGet, s.URL("console.css")).Body.String()
	fonts := regexp.MustCompile(`url\("?\./([^")]+\.woff2)`).FindAllStringSubmatch(css, -1)
	if Built() && len(fonts) < 3 {
		t.Errorf("%d fonts", len(fonts))
	}
	for _, f := range fonts {
		if w := ask(s, http.MethodGet, Prefix+f[1]); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "font/woff2" {
			t.Errorf("%s: %d", f[1], w.Code)
		}
	}
}

// TestPlainConsoleHasItsStyle: a binary that was built without Node.
func TestPlainConsoleHasItsStyle(t *testing.T) {
	css := string(plainConsole())
	for _, want := range []string{"--accent:", ".rail", ".wall", ".monthgrid"} {
		if !strings.Contains(css, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if strings.Contains(css, "@import") || strings.Contains(css, "fontsource") {
		t.Error("it refers to what is not there")
	}
}
