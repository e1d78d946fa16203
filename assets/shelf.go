package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
)

// Prefix is where a Shelf is served.
const Prefix = "/assets/"

// console is where the console's built files lie.
const console = "dist/console"

// Shelf hands out the files of the console under names that hold a hash of
// their content, so that browsers may keep them for ever. It is never written
// after it was made.
type Shelf struct {
	urls  map[string]string // by plain name: console.css
	files map[string]item   // by served name: console-0123456789abcdef.css
}

// item is one file ready to be served.
type item struct {
	body []byte
	kind string
}

// kinds are the content types of what a shelf holds.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2",
	".svg": "image/svg+xml",
}

// imports is how console.css names its parts.
var imports = regexp.MustCompile(`@import "\./([a-z_]+\.css)";`)

// NewShelf takes the console's files: built ones, or the stylesheet alone, put
// together from its sources, in a binary that was built without Node.
func NewShelf() *Shelf {
	s := &Shelf{urls: map[string]string{}, files: map[string]item{}}
	s.put("icons.svg", []byte(Text("console/icons.svg")), true)
	built, err := fs.ReadDir(files, console)
	if err != nil || len(built) == 0 {
		s.put("console.css", plainConsole(), true)
		return s
	}
	for _, f := range built {
		body, err := fs.ReadFile(files, console+"/"+f.Name())
		if err != nil { // an embedded file always reads
			panic(fmt.Sprintf("assets: %v", err))
		}
		// What the stylesheet refers to has its hash in its name already.
		s.put(f.Name(), body, !strings.HasSuffix(f.Name(), ".woff2"))
	}
	return s
}

// plainConsole joins the sources of the console's stylesheet, without its fonts.
func plainConsole() []byte {
	source := func(name string) string {
		body, err := fs.ReadFile(files, "src/console/"+name)
		if err != nil { // a row of console.css without its file
			panic(fmt.Sprintf("assets: %v", err))
		}
		return string(body)
	}
	var b strings.Builder
	for _, part := range imports.FindAllStringSubmatch(source("console.css"), -1) {
		if part[1] != "fonts.css" {
			b.WriteString(source(part[1]) + "\n")
		}
	}
	return []byte(b.String())
}

func (s *Shelf) put(name string, body []byte, hash bool) {
	kind, ok := kinds[path.Ext(name)]
	if !ok {
		return
	}
	served := name
	if hash {
		sum := sha256.Sum256(body)
		ext := path.Ext(name)
		served = strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:8]) + ext
	}
	s.urls[name], s.files[served] = Prefix+served, item{body: body, kind: kind}
}

// URL gives the address of a file by its plain name; "" for one that was not built.
func (s *Shelf) URL(name string) string { return s.urls[name] }

// ServeHTTP answers for addresses below Prefix. A name that is not on the shelf
// is 404: it may be that of another version.
func (s *Shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	it, ok := s.files[strings.TrimPrefix(r.URL.Path, Prefix)]
	if !ok {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", it.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", fmt.Sprint(len(it.body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(it.body)
	}
}
