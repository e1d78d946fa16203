// Package assets carries our own stylesheets and script inside the binary. It
// knows files and nothing of pages: which page needs which file is said in web.
package assets

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed src all:dist
var files embed.FS

// Text gives the named files joined into one text, each from the built folder
// when it was built (minified) and from its source otherwise, so that a clone
// without Node serves the same page. It panics on a name that does not exist:
// names are constants in our own code.
func Text(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		body, err := fs.ReadFile(files, "dist/"+name)
		if err != nil {
			body, err = fs.ReadFile(files, "src/"+name)
		}
		if err != nil {
			panic(fmt.Sprintf("assets: %v", err))
		}
		b.WriteString(strings.TrimSpace(string(body)))
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Built tells whether the minified files are in this binary.
func Built() bool {
	_, err := fs.Stat(files, "dist/base.css")
	return err == nil
}
