package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// document is the YAML tree of one file, which still knows where everything stands.
type document struct {
	name    string
	root    *yaml.Node // the mapping at the top
	console bool       // one thing that was defined in the console, not a file
}

// place is a position in the file, from 1.
type place struct{ line, column int }

// open turns bytes into a tree: one YAML document with a mapping at the top.
// Windows line ends and a byte order mark are taken in stride.
func open(name string, src []byte) (*document, Problems) {
	src, bad := clean(name, src)
	if bad != nil {
		return nil, bad
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithUniqueKeys(false))
	if err != nil {
		return nil, Problems{{File: name, Line: 1, Column: 1, Reason: "cannot be read as YAML: " + err.Error()}}
	}
	var top, second yaml.Node
	switch err := loader.Load(&top); {
	case errors.Is(err, io.EOF):
		return nil, Problems{emptyFile(name)}
	case err != nil:
		return nil, Problems{syntax(name, src, err)}
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, Problems{syntax(name, src, err)}
	default:
		return nil, Problems{{File: name, Line: max(second.Line, 1), Column: max(second.Column, 1),
			Reason: "a second document starts here", Hint: "one file is one document: remove the --- before it"}}
	}
	root := &top
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	switch {
	case root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null":
		return nil, Problems{emptyFile(name)}
	case root.Kind != yaml.MappingNode:
		return nil, Problems{{File: name, Line: max(root.Line, 1), Column: max(root.Column, 1), Reason: "the file must hold keys and values at the top",
			Hint: "start with page: — evenkeel init writes an example"}}
	}
	return &document{name: name, root: root}, nil
}

// emptyFile is a problem and no configuration: an editor or a deployment that
// has truncated the file and not yet written it must not empty the hub.
func emptyFile(name string) Problem {
	return Problem{File: name, Line: 1, Column: 1, Reason: "the file is empty", Hint: "evenkeel init writes a commented starter file"}
}

// clean checks size and characters and brings line ends to \n, so that
// positions mean the same on every system.
func clean(name string, src []byte) ([]byte, Problems) {
	if len(src) > MaxFileBytes {
		return nil, Problems{{File: name, Line: 1, Column: 1, Reason: fmt.Sprintf("the file is larger than %d MiB", MaxFileBytes>>20)}}
	}
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return nil, Problems{{File: name, Line: 1, Column: 1, Reason: "the file is UTF-16", Hint: "save it as UTF-8"}}
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if bytes.IndexByte(src, '\r') >= 0 {
		src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
		src = bytes.ReplaceAll(src, []byte("\r"), []byte("\n"))
	}
	var bad Problems
	line := 0
	for text := range bytes.Lines(src) {
		line++
		if reason, hint, column := badCharacter(text); reason != "" {
			bad = append(bad, Problem{File: name, Line: line, Column: column, Reason: reason, Hint: hint})
			if len(bad) == MaxProblems {
				break
			}
		}
	}
	return src, bad
}

// badCharacter finds the first character of a line that no configuration holds.
func badCharacter(line []byte) (reason, hint string, column int) {
	if plain(line) { // nearly all are
		return "", "", 0
	}
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		column++
		switch {
		case r == utf8.RuneError && size == 1:
			return fmt.Sprintf("byte 0x%02x is not UTF-8", line[0]), "save the file as UTF-8", column
		case r != '\n' && r != '\t' && unicode.IsControl(r):
			return fmt.Sprintf("control character U+%04X", r), "remove it", column
		case r == '\ufeff' || r == '\u2028' || r == '\u2029' || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069':
			return fmt.Sprintf("invisible character U+%04X", r), "remove it: it makes the file read differently from how it looks", column
		}
		line = line[size:]
	}
	return "", "", 0
}

// plain reports whether a line is ASCII text, with nothing that needs a closer look.
func plain(line []byte) bool {
	for _, c := range line {
		if (c < ' ' && c != '\n' && c != '\t') || c >= 0x7f {
			return false
		}
	}
	return true
}

// syntax turns the YAML reader's error into a problem. The file beyond it
// cannot be understood, so it stands alone.
func syntax(name string, src []byte, err error) Problem {
	p := Problem{File: name, Line: 1, Column: 1, Reason: "not readable as YAML: " + err.Error()}
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		p.Line, p.Column, p.Reason = max(e.Mark.Line, 1), max(e.Mark.Column, 1), "not readable as YAML: "+e.Message
		if e.ContextMsg != "" {
			p.Reason += " " + e.ContextMsg
		}
	}
	p.Hint = "look at the indentation and quotes here and just above"
	// A tab in the indentation is the usual culprit, on this line or the one before.
	lines := bytes.SplitN(src, []byte("\n"), p.Line+1)
	for at := min(p.Line, len(lines)); at >= 1 && at >= p.Line-1; at-- {
		if text := lines[at-1]; bytes.HasPrefix(bytes.TrimLeft(text, " "), []byte("\t")) {
			p.Line, p.Column = at, bytes.IndexByte(text, '\t')+1
			p.Reason, p.Hint = "a tab indents this line", "YAML is indented with spaces only"
			break
		}
	}
	return p
}

// at tells where path stands. When the path itself is not in the file, it is
// the place of the nearest thing above it; there reports which.
func (d *document) at(path string) (where place, there bool) {
	n, rest := d.root, path
	for rest != "" {
		child, left, ok := step(n, rest)
		if !ok {
			return position(n), false
		}
		n, rest = child, left
	}
	return position(n), true
}

// find is at with the name of the file.
func (d *document) find(path string) (file string, where place) {
	where, _ = d.at(path)
	return d.name, where
}

// has reports whether the file says anything at path.
func (d *document) has(path string) bool {
	_, there := d.at(path)
	return there
}

func position(n *yaml.Node) place { return place{max(n.Line, 1), max(n.Column, 1)} }

// step goes one key or index down the tree. A key may hold dots and brackets
// itself (header names, JSON paths), so the longest key that fits is taken.
func step(n *yaml.Node, path string) (child *yaml.Node, rest string, ok bool) {
	n = resolve(n)
	switch n.Kind {
	case yaml.SequenceNode:
		inner, rest, found := strings.Cut(strings.TrimPrefix(path, "["), "]")
		i, err := strconv.Atoi(inner)
		if !found || !strings.HasPrefix(path, "[") || err != nil || i < 0 || i >= len(n.Content) {
			return nil, "", false
		}
		return n.Content[i], strings.TrimPrefix(rest, "."), true
	case yaml.MappingNode:
		longest := -1
		for _, p := range pairs(n) {
			key := p.key.Value
			if left, fits := strings.CutPrefix(path, key); fits && len(key) > longest && (left == "" || left[0] == '.' || left[0] == '[') {
				child, rest, longest = p.value, strings.TrimPrefix(left, "."), len(key)
			}
		}
		return child, rest, longest >= 0
	default:
		return nil, "", false
	}
}

// resolve follows aliases to what they stand for. The reader refuses an anchor
// that contains itself, and depth is bounded anyway.
func resolve(n *yaml.Node) *yaml.Node {
	for range MaxDepth {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			break
		}
		n = n.Alias
	}
	return n
}

// pair is one key of a mapping with its value.
type pair struct {
	key, value *yaml.Node
}

// pairs gives a mapping's own keys, then those it merges in with << and does
// not have itself.
func pairs(n *yaml.Node) []pair {
	own := make([]pair, 0, len(n.Content)/2)
	var sources []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" {
			sources = append(sources, value)
			continue
		}
		own = append(own, pair{key, value})
	}
	if sources == nil {
		return own
	}
	left := maxMerges
	return merge(own, sources, &left)
}

// merge adds what the sources of << hold and own does not. Earlier sources win.
func merge(own []pair, sources []*yaml.Node, left *int) []pair {
	for _, source := range sources {
		if *left--; *left < 0 || len(own) > maxMergedKeys {
			return own
		}
		source = resolve(source)
		if source.Kind == yaml.SequenceNode {
			own = merge(own, source.Content, left)
			continue
		}
		var deeper []*yaml.Node
		for i := 0; i+1 < len(source.Content); i += 2 {
			key, value := source.Content[i], source.Content[i+1]
			switch {
			case key.ShortTag() == "!!merge":
				deeper = append(deeper, value)
			case !slices.ContainsFunc(own, func(p pair) bool { return p.key.Value == key.Value }):
				own = append(own, pair{key, value})
			}
		}
		if deeper != nil {
			own = merge(own, deeper, left)
		}
	}
	return own
}

// The bounds of << in one mapping: more than any mapping of this file needs,
// few enough that merges of merges cannot multiply.
const (
	maxMergedKeys = 200
	maxMerges     = 200
)
