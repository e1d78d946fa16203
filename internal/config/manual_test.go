package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

//go:generate go test -run TestManualIsCurrent -count 1 . -args -write

var writeManual = flag.Bool("write", false, "write docs/configuration.md instead of comparing it")

const manualFile = "../../docs/configuration.md"

// TestManualIsCurrent makes docs/configuration.md from the comments of this
// package and fails when the page in the repository says something else.
// go generate ./internal/config writes it.
func TestManualIsCurrent(t *testing.T) {
	page := manual(t)
	if *writeManual {
		if err := os.WriteFile(manualFile, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	written, err := os.ReadFile(manualFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != page {
		t.Error("docs/configuration.md is stale: run go generate ./internal/config")
	}
}

// TestManualExplainsEveryKey keeps the promise that the comments are the manual.
// id, from and password say it by their names.
func TestManualExplainsEveryKey(t *testing.T) {
	plain := map[string]bool{"id": true, "password": true, "client_id": true, "client_secret": true, "scopes": true, "to": true, "term": true}
	for name, s := range structs(t) {
		for _, f := range s.keys {
			if f.what == "" && !plain[f.key] {
				t.Errorf("%s.%s has no comment", name, f.key)
			}
		}
	}
}

// documented is one block of the file.
type documented struct {
	about string
	keys  []documentedKey
}

type documentedKey struct {
	heading        string // comment above it: a new part of a long block
	key, typ, what string
}

// structs reads the blocks of the file: every struct with keys, and Secret.
func structs(t *testing.T) map[string]documented {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]documented{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		blocks(file, found)
	}
	return found
}

// blocks adds those of one file.
func blocks(file *ast.File, found map[string]documented) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, spec := range gen.Specs {
			typ := spec.(*ast.TypeSpec)
			body, ok := typ.Type.(*ast.StructType)
			if !ok {
				continue
			}
			d := documented{about: strings.Join(strings.Fields(gen.Doc.Text()), " ")}
			for _, f := range body.Fields.List {
				if f.Tag == nil {
					continue
				}
				key, ok := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Lookup("yaml")
				if !ok {
					continue
				}
				d.keys = append(d.keys, documentedKey{strings.TrimSpace(f.Doc.Text()), key, typeWords(f.Type), strings.TrimSpace(f.Comment.Text())})
			}
			if len(d.keys) > 0 || typ.Name.Name == "Secret" {
				found[typ.Name.Name] = d
			}
		}
	}
}

// typeWords says in words what a value looks like; blocks are links.
func typeWords(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.StarExpr:
		return typeWords(x.X)
	case *ast.ArrayType:
		return "list of " + typeWords(x.Elt)
	case *ast.MapType:
		return "names → " + typeWords(x.Value)
	case *ast.Ident:
		switch x.Name {
		case "string":
			return "text"
		case "bool":
			return "true, false"
		case "int", "int64":
			return "whole number"
		case "float64":
			return "number"
		case "Duration":
			return "duration"
		case "Secret":
			return "[secret](#secret)"
		default:
			return "[" + strings.ToLower(x.Name) + "](#" + strings.ToLower(x.Name) + ")"
		}
	}
	return "?"
}

// order is the order of the page, from what a newcomer needs first.
var order = []string{"File", "Page", "Weights", "Group", "Component", "Monitor", "Expect", "Auth", "OAuth2", "TLS", "Step", "Schedule", "Value", "Flap",
	"Window", "SMTP", "Slack", "Channel", "Route", "When", "Hours", "Escalation", "Rotation", "Subscribers", "Deadman", "Location", "Retention", "SignIn", "OIDC", "Engine", "Log", "ProbeLimits", "Blackbox", "Secret"}

// manual writes the page.
func manual(t *testing.T) string {
	t.Helper()
	all := structs(t)
	if len(all) != len(order) {
		t.Fatalf("there are %d blocks, the manual lists %d", len(all), len(order))
	}
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Written by go generate ./internal/config from the comments in internal/config. Do not edit. -->

One file, ` + "`evenkeel.yaml`" + `, says what is watched and what the page shows. ` + "`evenkeel init`" + ` writes a commented one to start from,
` + "`evenkeel config validate FILE`" + ` tells every mistake at once with its line and a hint, ` + "`config plan FILE`" + ` shows what would change,
and ` + "`config apply FILE`" + ` puts it into force. A running hub also notices when its file is saved. A file with a mistake changes nothing.

- **Durations** are whole numbers with units, largest first: ` + "`500ms`, `30s`, `1h30m`, `90d`" + `. A number without a unit is a mistake.
- **Ids** are lower-case letters, digits and dashes, at most 64. To rename something and keep its history, give it the new id and ` + "`was:`" + ` the old one.
- **Paths** start at the file's folder.
- **Unknown keys** are mistakes. Keys that begin with ` + "`x-`" + ` at the top are yours: a place for anchors.
- **The order of settings**: the file, then the environment, then flags.

## Environment

| variable | instead of |
| --- | --- |
`)
	for _, s := range settings {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", s.name, s.path)
	}
	fmt.Fprintf(&b, "\nEach has a `_FILE` twin that names a file holding the value. `%s` tell verbs how to reach a running hub.\nAny other variable that begins with `%s` is a mistake, unless the file asks for it.\n", strings.Join(clientVariables, "` and `"), envPrefix)
	for _, name := range order {
		d, ok := all[name]
		if !ok {
			t.Fatalf("there is no block %s", name)
		}
		title := strings.ToLower(name)
		if name == "File" {
			title = "The file"
		}
		about := strings.TrimPrefix(strings.TrimPrefix(d.about, name+" "), "is ")
		fmt.Fprintf(&b, "\n## %s\n\n%s%s\n", title, strings.ToUpper(about[:1]), about[1:])
		if len(d.keys) == 0 {
			continue
		}
		for i, k := range d.keys {
			if k.heading != "" {
				fmt.Fprintf(&b, "\n**%s**\n", strings.TrimSuffix(k.heading, "."))
			}
			if i == 0 || k.heading != "" {
				b.WriteString("\n| key | value | what |\n| --- | --- | --- |\n")
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.key, k.typ, strings.ReplaceAll(k.what, "|", "\\|"))
		}
	}
	return b.String()
}
