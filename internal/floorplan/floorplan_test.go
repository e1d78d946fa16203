package floorplan

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "evenkeel"

func TestFloorPlan(t *testing.T) {
	for _, v := range inspect(t, os.DirFS("../..")) {
		t.Error(v)
	}
}

// inspect gives everything under root that is against the plan.
func inspect(t *testing.T, root fs.FS) []string {
	t.Helper()
	i := &inspection{documented: map[string]bool{}}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		switch {
		case d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || name == "data" || name == "bin"):
			return fs.SkipDir
		case d.IsDir():
			i.folder(name)
			return nil
		case !strings.HasSuffix(name, ".go"):
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		return i.file(name, src)
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, documented := range i.documented {
		if !documented {
			i.add("%s: no file has a package comment: say what it is and what it must not know", dir)
		}
	}
	slices.Sort(i.violations)
	return i.violations
}

type inspection struct {
	violations []string
	documented map[string]bool // folder of a package → whether a file explains it
}

func (i *inspection) add(format string, args ...any) {
	i.violations = append(i.violations, fmt.Sprintf(format, args...))
}

// folder refuses what the plan does not know at the top and in internal.
func (i *inspection) folder(name string) {
	dir, top := path.Split(name)
	if (dir == "" || dir == "internal/") && name != "." && roomOf(name) == "" && !slices.Contains(folders, top) {
		i.add("%s: the floor plan knows no such folder", name)
	}
}

// file checks one Go file.
func (i *inspection) file(name string, src []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir, isTest := path.Dir(name), strings.HasSuffix(name, "_test.go")
	room := roomOf(dir)
	if room == "" {
		i.add("%s: stands in no room of the floor plan", name)
		return nil
	}
	if !isTest || room == "internal/floorplan" {
		i.documented[dir] = i.documented[dir] || file.Doc != nil
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(imported, "/")
		switch {
		case first == module:
			i.ours(name, room, strings.TrimPrefix(imported, module+"/"), isTest)
		case strings.Contains(first, "."):
			i.thirdParty(name, room, imported, isTest || room == testkit || strings.HasSuffix(dir, "test"))
		}
	}
	if lines := bytes.Count(src, []byte("\n")); lines > maxLines && !isTest && long[name] == "" {
		i.add("%s: %d lines ask for a hard look: one room or two? If it stays, list it with the reason", name, lines)
	}
	i.habits(name, file, isTest)
	return nil
}

// ours checks an import of one of our rooms.
func (i *inspection) ours(name, room, imported string, isTest bool) {
	target := roomOf(imported)
	switch {
	case target == room:
	case target == "":
		i.add("%s: imports %s, which is no room of the floor plan", name, imported)
	case target == testkit:
		if !isTest {
			i.add("%s: imports %s, which is for _test files alone", name, imported)
		}
	case slices.Contains(apart, target) || slices.Contains(apart, room):
		i.add("%s: imports %s, but one of them stands apart", name, imported)
	case room == testkit:
		i.add("%s: imports %s, but the testkit knows no room", name, imported)
	case layerOf(target) >= layerOf(room):
		i.add("%s: imports %s, but imports go downwards only", name, imported)
	}
}

// thirdParty checks an import of somebody else's module.
func (i *inspection) thirdParty(name, room, imported string, testing bool) {
	if testing && slices.ContainsFunc(testModules, func(m string) bool { return within(imported, m) }) {
		return
	}
	for m, rooms := range modules {
		if within(imported, m) {
			if !slices.Contains(rooms, room) && !slices.Contains(rooms, anywhere) {
				i.add("%s: imports %s, which belongs in %s", name, imported, strings.Join(rooms, ", "))
			}
			return
		}
	}
	i.add("%s: imports %s, which the floor plan does not place", name, imported)
}

// habits watches what a machine can see of the house's habits.
func (i *inspection) habits(name string, file *ast.File, isTest bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.FuncDecl:
			if x.Recv == nil && x.Name.Name == "init" {
				i.add("%s: has an init function: start-up is explicit here", name)
			}
		case *ast.CallExpr:
			if sel, ok := x.Fun.(*ast.SelectorExpr); ok && isTest {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && sel.Sel.Name == "Sleep" {
					i.add("%s: sleeps: wait for the event, or use testing/synctest and a timer", name)
				}
			}
		}
		return true
	})
}

// roomOf gives the room that a folder belongs to, "" for none.
func roomOf(dir string) string {
	for _, room := range slices.Concat(slices.Concat(layers...), apart, []string{testkit}) {
		if dir == room || strings.HasPrefix(dir, room+"/") {
			return room
		}
	}
	return ""
}

// layerOf gives the height of a room.
func layerOf(room string) int {
	return slices.IndexFunc(layers, func(row []string) bool { return slices.Contains(row, room) })
}

// within reports whether an import path is the module, or stands in it.
func within(imported, module string) bool {
	return imported == module || strings.HasPrefix(imported, strings.TrimSuffix(module, "/")+"/")
}

// TestFloorPlanCatches shows that the test above can fail, one way at a time.
func TestFloorPlanCatches(t *testing.T) {
	source := func(pkg, rest string) string { return "// Package x is.\npackage " + pkg + "\n" + rest }
	for _, row := range []struct{ name, file, src, want string }{
		{"an import upwards", "internal/status/a.go", source("status", `import _ "evenkeel/web"`), "imports go downwards only"},
		{"an import of a sibling", "internal/store/a.go", source("store", `import _ "evenkeel/internal/latency"`), "imports go downwards only"},
		{"a leaf that imports a leaf", "internal/config/a.go", source("config", `import _ "evenkeel/internal/calendar"`), "imports go downwards only"},
		{"an unknown room", "internal/utils/a.go", source("utils", ""), "knows no such folder"},
		{"an unknown folder", "helpers/a.txt", "", "knows no such folder"},
		{"an import of an unknown room", "web/a.go", source("web", `import _ "evenkeel/internal/common"`), "which is no room"},
		{"a misplaced module", "internal/status/a.go", source("status", `import _ "github.com/labstack/echo/v4"`), "belongs in web"},
		{"an unplaced module", "web/a.go", source("web", `import _ "example.org/new/thing"`), "does not place"},
		{"a part of a module's name", "web/a.go", source("web", `import _ "golang.org/x/synchronous"`), "does not place"},
		{"the testkit in production", "web/a.go", source("web", `import _ "evenkeel/internal/testkit"`), "for _test files alone"},
		{"a test module in production", "web/a.go", source("web", `import _ "github.com/google/go-cmp/cmp"`), "does not place"},
		{"bench in the house", "web/a.go", source("web", `import _ "evenkeel/bench"`), "stands apart"},
		{"sleep", "web/a_test.go", source("web", "import \"time\"\nfunc f() { time."+"Sleep(1) }"), "sleeps"}, // in two parts: this file is inspected too
		{"init", "web/a.go", source("web", "func init() {}"), "init function"},
		{"a long file", "web/a.go", source("web", strings.Repeat("\n", maxLines)), "ask for a hard look"},
		{"no package comment", "web/a.go", "package web", "no file has a package comment"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := inspect(t, fstest.MapFS{row.file: {Data: []byte(row.src)}})
			if len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), row.want) {
				t.Errorf("got %q, want something with %q", got, row.want)
			}
		})
	}
	clean := fstest.MapFS{
		"web/public/a.go":      {Data: []byte(source("public", `import ("evenkeel/internal/status"; "evenkeel/web/hooks"; _ "golang.org/x/sync/errgroup"); var _ = status.OK; var _ = hooks.X`))},
		"web/public/a_test.go": {Data: []byte("package public\nimport _ \"evenkeel/internal/testkit\"\nimport _ \"github.com/google/go-cmp/cmp\"")},
		"node_modules/x/a.go":  {Data: []byte("not Go at all")},
		"data/demo/x":          {},
	}
	if got := inspect(t, clean); got != nil {
		t.Errorf("good files are refused: %q", got)
	}
}
