package assets

import (
	"io/fs"
	"strings"
	"testing"
)

func TestEveryFileIsFoundBuiltOrNot(t *testing.T) {
	sources, err := fs.Glob(files, "src/*.*")
	if err != nil || len(sources) == 0 {
		t.Fatalf("%v, %v", sources, err)
	}
	for _, source := range sources {
		name := strings.TrimPrefix(source, "src/")
		text := Text(name)
		if text == "" || strings.Contains(text, "</s") {
			t.Errorf("%s is empty, or would end the element it stands in", name)
		}
		if raw, _ := fs.ReadFile(files, source); Built() && len(text) >= len(raw) {
			t.Errorf("%s is built, and %d bytes long instead of %d", name, len(text), len(raw))
		}
	}
	if got := Text("base.css", "embed.css"); got != Text("base.css")+"\n"+Text("embed.css") {
		t.Error("two files are not joined in order")
	}
}
