package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

//go:generate go test -run TestManualIsCurrent -count 1 . -args -write

var writeManual = flag.Bool("write", false, "write the manuals instead of comparing them")

// TestManualIsCurrent makes docs/configuration.md and docs/procedures.md from the
// comments of this package and fails when a page in the repository says something
// else. go generate ./internal/config writes them.
func TestManualIsCurrent(t *testing.T) {
	all := structs(t)
	if len(all) != len(order)+len(procedureOrder) {
		t.Fatalf("there are %d blocks, the manuals list %d", len(all), len(order)+len(procedureOrder))
	}
	for name, page := range map[string]string{
		"configuration.md": manual(t, all), "procedures.md": procedureManual(t, all),
	} {
		path := filepath.Join("../../docs", name)
		if *writeManual {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		written, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(written) != page {
			t.Errorf("docs/%s is stale: run go generate ./internal/config", name)
		}
	}
}

// TestManualExplainsEveryKey keeps the promise that the comments are the manual.
// id, from and password say it by their names.
func TestManualExplainsEveryKey(t *testing.T) {
	plain := map[string]bool{"id": true, "password": true, "client_id": true, "client_secret": true, "scopes": true, "to": true, "term": true, "title": true, "why": true, "for": true}
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
	"Window", "SMTP", "Slack", "Channel", "Route", "When", "Hours", "Escalation", "Rotation", "Subscribers", "Deadman", "Mailbox", "OAuthMail", "MailTrigger", "Desk", "DeskQueue", "DeskClock", "OpenHours", "DeskField", "DeskReply", "DeskTemplate", "Location", "Retention", "SignIn", "OIDC", "Engine", "Log", "ProbeLimits", "Blackbox", "Secret"}

// procedureOrder is the order of the page on procedures.
var procedureOrder = []string{"Procedure", "WrittenForm", "Role", "ReleaseEnv", "ReleaseTrain", "Stage", "Task", "Gate", "Maturity", "Stability", "AutoFreeze", "Backports",
	"Tell", "TaskList", "Deletion"}

// manual writes the page on the configuration.
func manual(t *testing.T, all map[string]documented) string {
	t.Helper()
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
	describeBlocks(t, &b, all, order)
	return b.String()
}

// procedureManual writes the page on procedures.
func procedureManual(t *testing.T, all map[string]documented) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`# Procedures

<!-- Written by go generate ./internal/config from the comments in internal/config. Do not edit. -->

A procedure is how a team releases, in a file that a release manager can read and change. Five written ones are in ` + "`deploy/sops`" + `: copy the one
that is nearest and change its roles, times and gates. ` + "`evenkeel config validate FILE`" + ` tells every mistake at once with its line.

Gates are never stored. Each is computed from what is on record about one candidate at one moment: reports, people's words, votes, papers. New bits void
what was said of others, and what nobody knows is shut.

`)
	describeBlocks(t, &b, all, procedureOrder)
	b.WriteString("\n## What each kind of gate takes\n\n| kind | keys |\n| --- | --- |\n")
	for _, kind := range slices.Sorted(maps.Keys(gateKeys)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", kind, strings.Join(gateKeys[kind], ", "))
	}
	return b.String()
}

// describeBlocks writes blocks in an order; the first is the file itself.
func describeBlocks(t *testing.T, b *strings.Builder, all map[string]documented, order []string) {
	t.Helper()
	for i, name := range order {
		d, ok := all[name]
		if !ok {
			t.Fatalf("there is no block %s", name)
		}
		title := strings.ToLower(name)
		if i == 0 {
			title = "The file"
		}
		about := strings.TrimPrefix(strings.TrimPrefix(d.about, name+" "), "is ")
		fmt.Fprintf(b, "\n## %s\n\n%s%s\n", title, strings.ToUpper(about[:1]), about[1:])
		if len(d.keys) == 0 {
			continue
		}
		for i, k := range d.keys {
			if k.heading != "" {
				fmt.Fprintf(b, "\n**%s**\n", strings.TrimSuffix(k.heading, "."))
			}
			if i == 0 || k.heading != "" {
				b.WriteString("\n| key | value | what |\n| --- | --- | --- |\n")
			}
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", k.key, k.typ, strings.ReplaceAll(k.what, "|", "\\|"))
		}
	}
}
