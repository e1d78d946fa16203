package public

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"evenkeel/web/public/publictest"
)

// ask sends a request to a photograph.
func ask(ph *Photograph, method string, header map[string]string) *http.Response {
	r := httptest.NewRequest(method, "/", nil)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	ph.ServeHTTP(w, r)
	return w.Result()
}

func frontPhotograph(t testing.TB) *Photograph {
	t.Helper()
	s := newStage(nil)
	sheet, err := s.front(publictest.Normal(), &rows{stage: s})
	if err != nil {
		t.Fatal(err)
	}
	var room darkroom
	return room.develop("/", sheet, publictest.Minute)
}

func TestPhotographInEveryEncoding(t *testing.T) {
	var room darkroom
	for _, ph := range []*Photograph{frontPhotograph(t), room.polish(frontPhotograph(t))} {
		tags := map[string]bool{}
		for accept, want := range map[string]string{"": "", "gzip": "gzip", "gzip, deflate, br, zstd": "br", "br;q=0, gzip": "gzip", "GZIP": "gzip", "*": "gzip", "deflate": ""} {
			resp := ask(ph, http.MethodGet, map[string]string{"Accept-Encoding": accept})
			body, _ := io.ReadAll(resp.Body)
			if got := resp.Header.Get("Content-Encoding"); got != want {
				t.Fatalf("%q is answered in %q, want %q", accept, got, want)
			}
			if resp.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
				t.Errorf("%q: the length is %s for %d bytes", accept, resp.Header.Get("Content-Length"), len(body))
			}
			if plain := unpack(t, want, body); !bytes.Equal(plain, ph.Body()) {
				t.Errorf("%q unpacks to %d other bytes", accept, len(plain))
			}
			if resp.Header.Get("Vary") != "Accept-Encoding" || !strings.Contains(resp.Header.Get("Cache-Control"), "max-age=") {
				t.Errorf("%q: header %v", accept, resp.Header)
			}
			tags[want+resp.Header.Get("Etag")] = true
		}
		if len(tags) != 3 {
			t.Errorf("there are %d tags for 3 encodings: %v", len(tags), tags)
		}
	}
}

func unpack(t *testing.T, encoding string, body []byte) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	switch encoding {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestPhotographNotModified(t *testing.T) {
	ph := frontPhotograph(t)
	for _, accept := range []string{"", "gzip", "br"} {
		tag := ask(ph, http.MethodGet, map[string]string{"Accept-Encoding": accept}).Header.Get("Etag")
		for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			resp := ask(ph, http.MethodGet, map[string]string{"Accept-Encoding": accept, "If-None-Match": match})
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != http.StatusNotModified || len(body) > 0 || resp.Header.Get("Etag") != tag || resp.Header.Get("Content-Encoding") != "" {
				t.Errorf("%q for %q gives %d, %d bytes, %v", match, accept, resp.StatusCode, len(body), resp.Header)
			}
		}
		if resp := ask(ph, http.MethodGet, map[string]string{"If-None-Match": `"other"`}); resp.StatusCode != http.StatusOK {
			t.Errorf("another tag gives %d", resp.StatusCode)
		}
	}
}

func TestPhotographHead(t *testing.T) {
	ph := frontPhotograph(t)
	resp := ask(ph, http.MethodHead, nil)
	body, _ := io.ReadAll(resp.Body)
	if len(body) > 0 || resp.Header.Get("Content-Length") != strconv.Itoa(len(ph.Body())) {
		t.Errorf("HEAD gives %d bytes and %v", len(body), resp.Header)
	}
}

func TestPhotographAllocatesNothing(t *testing.T) {
	ph := frontPhotograph(t)
	w := &bare{header: http.Header{}}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	if n := testing.AllocsPerRun(100, func() { ph.ServeHTTP(w, r) }); n > 0 {
		t.Errorf("an answer costs %v allocations, want none", n)
	}
}

// bare is a writer that keeps nothing.
type bare struct{ header http.Header }

func (b *bare) Header() http.Header         { return b.header }
func (b *bare) Write(p []byte) (int, error) { return len(p), nil }
func (b *bare) WriteHeader(int)             {}

func FuzzAccepted(f *testing.F) {
	for _, seed := range []string{"gzip, br", "br;q=0.0, *", "gzip;q=1;x=y", ",,;q=0", "br ; q = 0 , gzip"} {
		f.Add(seed, `"a", W/"b", *`)
	}
	ph := frontPhotograph(f)
	f.Fuzz(func(t *testing.T, accept, match string) {
		if e := accepted([]string{accept}); e < identity || e >= encodings {
			t.Errorf("%q picks %d", accept, e)
		}
		if ph.matches([]string{match}) && !strings.Contains(match, "*") && !strings.Contains(match, ph.tag) {
			t.Errorf("%q matches", match)
		}
	})
}

func FuzzFileName(f *testing.F) {
	for _, seed := range []string{"/", "/history", "/components/search", "/../../etc/passwd", "/a/../../b.svg", "//x", "/.index.json", "/a\x00b", "/components/..", `/c:\x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		name, ok := FileName(path)
		if !ok {
			return
		}
		root := filepath.FromSlash("/srv/page")
		if full := filepath.Join(root, filepath.FromSlash(name)); !strings.HasPrefix(full, root+string(filepath.Separator)) || full == filepath.Join(root, indexName) {
			t.Errorf("%q leaves the folder as %q", path, full)
		}
	})
}

func TestFileNames(t *testing.T) {
	for path, want := range map[string]string{
		"/": "index.html", "/history": "history/index.html", "/components/a.b": "components/a.b", "/api/v2/summary.json": "api/v2/summary.json",
		"/history/12": "history/12/index.html", "/badge/x.svg": "badge/x.svg",
	} {
		if got, ok := FileName(path); !ok || got != want {
			t.Errorf("%s is kept as %q, %v; want %q", path, got, ok, want)
		}
	}
}

// BenchmarkServe sets a photograph beside a bare handler that sends the same
// bytes, over a kept connection to a client that does nothing but read.
func BenchmarkServe(b *testing.B) {
	ph := frontPhotograph(b)
	for _, accept := range []string{"br", "identity"} {
		e := accepted([]string{accept})
		tag, kind, size := []string{ph.etags[e]}, []string{typeHTML}, []string{strconv.Itoa(len(ph.bodies[e]))}
		vary, cache, code := []string{"Accept-Encoding"}, []string{cacheFor}, []string{accept}
		plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h["Etag"], h["Vary"], h["Cache-Control"], h["Content-Type"], h["Content-Length"] = tag, vary, cache, kind, size
			if e != identity {
				h["Content-Encoding"] = code
			}
			_, _ = w.Write(ph.bodies[e])
		})
		for _, c := range []struct {
			name    string
			handler http.Handler
		}{{"bare", plain}, {"photograph", ph}} {
			b.Run(c.name+"/"+accept, func(b *testing.B) { serveMany(b, c.handler, accept) })
		}
	}
}

func serveMany(b *testing.B, h http.Handler, accept string) {
	srv := httptest.NewServer(h)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	request := []byte("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: " + accept + "\r\n\r\n")
	buf := make([]byte, 64<<10)
	read := func() int { // a whole answer, whose length is the same each time
		n, err := conn.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	_, _ = conn.Write(request)
	first := read()
	head := bytes.Index(buf[:first], []byte("\r\n\r\n")) + 4
	_, after, _ := strings.Cut(string(buf[:head]), "Content-Length: ")
	length, _, _ := strings.Cut(after, "\r\n")
	body, err := strconv.Atoi(length)
	if err != nil {
		b.Fatal(err)
	}
	whole := head + body
	for got := first; got < whole; {
		got += read()
	}
	for b.Loop() {
		_, _ = conn.Write(request)
		for got := 0; got < whole; {
			got += read()
		}
	}
}
