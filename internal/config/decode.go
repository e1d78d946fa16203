package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// decoder fills a File from a document. It goes on after every problem, so that
// a person hears of all of them at once.
type decoder struct {
	doc      *document
	problems Problems
	path     []piece // of the value being read
	budget   int     // values left before the file counts as a bomb
	fields   map[reflect.Type][]field
}

// piece is one step of a path: a key, or with key "" an index.
type piece struct {
	key   string
	index int
}

// field is one key of a struct.
type field struct {
	key   string
	index int
}

var (
	durationType = reflect.TypeFor[Duration]()
	secretType   = reflect.TypeFor[Secret]()
)

// decode reads the whole document into what f points to: a File, or one thing of it.
func decode[T any](doc *document, f *T) Problems {
	d := &decoder{doc: doc, budget: MaxValues, fields: map[reflect.Type][]field{}}
	d.value(doc.root, reflect.ValueOf(f).Elem())
	if d.budget <= 0 {
		return Problems{{File: doc.name, Line: 1, Column: 1, Reason: fmt.Sprintf("the file holds more than %d values once its aliases are expanded", MaxValues),
			Hint: "write less, or fewer aliases of aliases"}}
	}
	return d.problems
}

// add notes a problem at a node, under the path being read.
func (d *decoder) add(n *yaml.Node, hint, reason string, args ...any) {
	if len(d.problems) > 2*MaxProblems { // more than will be listed; err cuts the list
		return
	}
	where := position(n)
	d.problems = append(d.problems, Problem{File: d.doc.name, Line: where.line, Column: where.column,
		Path: d.where(), Reason: fmt.Sprintf(reason, args...), Hint: hint})
}

// where gives the path being read, as it is printed.
func (d *decoder) where() string {
	var b strings.Builder
	for i, p := range d.path {
		switch {
		case p.key == "":
			b.WriteString("[" + strconv.Itoa(p.index) + "]")
		case i > 0:
			b.WriteString("." + clip(p.key))
		default:
			b.WriteString(clip(p.key))
		}
	}
	return b.String()
}

// under runs fn with the path one piece longer.
func (d *decoder) under(p piece, fn func()) {
	d.path = append(d.path, p)
	fn()
	d.path = d.path[:len(d.path)-1]
}

// value reads one node into v, which is addressable and zero.
func (d *decoder) value(n *yaml.Node, v reflect.Value) {
	if d.budget--; d.budget < 0 {
		return
	}
	if len(d.path) > MaxDepth {
		d.add(n, "", "nested more than %d levels deep", MaxDepth)
		return
	}
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return // "key:" with nothing behind it is as good as not written
	}
	switch {
	case v.Type() == durationType:
		d.duration(n, v)
		return
	case v.Type() == secretType:
		d.secret(n, v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem())
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Slice:
		d.list(n, v)
	default:
		d.scalar(n, v)
	}
}

// structure reads a mapping with known keys.
func (d *decoder) structure(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.add(n, "", "expected keys and values, found %s", describeShape(n))
		return
	}
	fields := d.fieldsOf(v.Type())
	d.eachKey(n, func(key, value *yaml.Node) {
		for _, f := range fields {
			if f.key == key.Value {
				before := len(d.problems)
				d.value(value, v.Field(f.index))
				if len(d.problems) == before {
					d.meaninglessZero(f.key, value, v.Field(f.index))
				}
				return
			}
		}
		// Compose's custom: a place for anchors that nothing reads.
		if len(d.path) == 1 && strings.HasPrefix(key.Value, "x-") {
			return
		}
		d.unknownKey(key, fields)
	})
}

// zeroMeans are the numbers and durations for which 0 says something of its
// own. Elsewhere it would silently become the default.
var zeroMeans = []string{"retries", "histories", "decisions", "spans", "mail"}

func (d *decoder) meaninglessZero(key string, n *yaml.Node, v reflect.Value) {
	n = resolve(n)
	if !v.CanInt() || v.Int() != 0 || n.ShortTag() == "!!null" || slices.Contains(zeroMeans, key) {
		return
	}
	d.add(n, "leave the key out for its default", "0 has no meaning here")
}

func (d *decoder) unknownKey(key *yaml.Node, fields []field) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	otherwise := ""
	if len(names) <= 8 {
		otherwise = "known here: " + strings.Join(names, ", ")
	}
	d.add(key, didYouMean(key.Value, names, otherwise), "unknown key")
}

// mapping reads a mapping with free keys.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.add(n, "", "expected names and values, found %s", describeShape(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.eachKey(n, func(key, value *yaml.Node) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(value, item)
		v.SetMapIndex(reflect.ValueOf(key.Value), item)
	})
}

// eachKey walks a mapping, merges included, and notes keys that stand twice.
func (d *decoder) eachKey(n *yaml.Node, fn func(key, value *yaml.Node)) {
	all := pairs(n)
	d.budget -= len(all)
	var seen map[string]*yaml.Node
	if len(all) > 16 { // short mappings are searched faster than hashed
		seen = make(map[string]*yaml.Node, len(all))
	}
	for i, p := range all {
		if d.budget < 0 {
			return
		}
		if p.key.Kind != yaml.ScalarNode {
			d.add(p.key, "", "a key must be a plain word, found %s", describe(p.key))
			continue
		}
		first := seen[p.key.Value]
		if seen == nil {
			if at := slices.IndexFunc(all[:i], func(q pair) bool { return q.key.Value == p.key.Value }); at >= 0 {
				first = all[at].key
			}
		} else if first == nil {
			seen[p.key.Value] = p.key
		}
		d.under(piece{key: p.key.Value}, func() {
			if first != nil {
				d.add(p.key, "keep one of them", "this key stands here twice, first in line %d", first.Line)
				return
			}
			fn(p.key, p.value)
		})
	}
}

// list reads a sequence.
func (d *decoder) list(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		hint := ""
		if n.Kind == yaml.ScalarNode {
			hint = "write [" + clip(n.Value) + "]"
		}
		d.add(n, hint, "expected a list, found %s", describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		if d.budget < 0 {
			return
		}
		d.under(piece{index: i}, func() {
			if r := resolve(item); r.Kind == yaml.ScalarNode && r.ShortTag() == "!!null" {
				d.add(item, "remove the dash, or write what belongs here", "an empty entry")
				return
			}
			d.value(item, v.Index(i))
		})
	}
}

// scalar reads a text, number or yes-no value.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.add(n, "", "expected %s, found %s", wanted(v.Kind()), describe(n))
		return
	}
	tag := n.ShortTag()
	switch v.Kind() {
	case reflect.String:
		switch tag {
		case "!!str", "!!int", "!!float", "!!bool", "!!timestamp": // 200, 1.2 and true are texts where a text is wanted
			v.SetString(n.Value)
		default:
			d.add(n, "", "the tag %s is not used here", clip(tag))
		}
	case reflect.Bool:
		if tag != "!!bool" || n.Value != "true" && n.Value != "false" {
			d.add(n, "write true or false", "expected true or false, found %s", describe(n))
			return
		}
		v.SetBool(n.Value == "true")
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil || tag != "!!int" {
			d.add(n, unquote(n), "expected a whole number, found %s", describe(n))
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		x, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || tag != "!!int" && tag != "!!float" {
			d.add(n, unquote(n), "expected a number, found %s", describe(n))
			return
		}
		v.SetFloat(x)
	}
}

// duration reads a Duration.
func (d *decoder) duration(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.add(n, durationHint, "expected a duration, found %s", describe(n))
		return
	}
	parsed, err := ParseDuration(n.Value)
	if err != nil {
		hint := durationHint
		if tag := n.ShortTag(); tag == "!!int" {
			hint = fmt.Sprintf("say of what: %ss, %sm, %sh or %sd", n.Value, n.Value, n.Value, n.Value)
		}
		d.add(n, hint, "%s", clip(err.Error()))
		return
	}
	v.SetInt(int64(parsed))
}

// secret reads {env: NAME}, {file: PATH} or a plain text. What it reads is
// never repeated in a problem.
func (d *decoder) secret(n *yaml.Node, v reflect.Value) {
	s := v.Addr().Interface().(*Secret)
	const hint = "write {env: NAME} or {file: PATH}"
	switch n.Kind {
	case yaml.ScalarNode:
		s.Plain = n.Value
	case yaml.MappingNode:
		d.eachKey(n, func(key, value *yaml.Node) {
			value = resolve(value)
			switch {
			case key.Value != "env" && key.Value != "file" && !(key.Value == "sealed" && d.doc.console):
				d.add(key, hint, "unknown key")
			case value.Kind != yaml.ScalarNode || value.Value == "":
				d.add(value, hint, "expected a name, found %s", describe(value))
			case key.Value == "env":
				s.Env = value.Value
			case key.Value == "sealed":
				s.Sealed = value.Value
			default:
				s.File = value.Value
			}
		})
		if s.Env != "" && s.File != "" || s.Sealed != "" && (s.Env != "" || s.File != "") {
			d.add(n, "keep one of them", "a secret comes from env or file, not both")
		}
	default:
		d.add(n, hint, "expected a secret, found %s", describe(n))
	}
}

// fieldsOf lists the keys of a struct type, once per decoder.
func (d *decoder) fieldsOf(t reflect.Type) []field {
	if known, ok := d.fields[t]; ok {
		return known
	}
	var fields []field
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); key != "" {
			fields = append(fields, field{key, i})
		}
	}
	d.fields[t] = fields
	return fields
}

// describeShape says what a node is without repeating it: a block that was
// written as one text may hold a secret.
func describeShape(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		return "a single value"
	}
	return describe(n)
}

// describe says what a node is, in words.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch {
		case n.Value == "":
			return "nothing"
		case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
			return "the text " + strconv.Quote(clip(n.Value))
		default:
			return strconv.Quote(clip(n.Value))
		}
	default:
		return "something else"
	}
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	default:
		return "a number"
	}
}

// unquote is the hint for a number in quotes.
func unquote(n *yaml.Node) string {
	if _, err := strconv.ParseFloat(n.Value, 64); err == nil && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		return "write it without quotes"
	}
	return ""
}

// clipReason is clip for a whole sentence of another room's.
func clipReason(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= maxReason {
		return s
	}
	return string([]rune(s)[:maxReason]) + "…"
}

// maxReason is how long another room's sentence may be, in characters.
const maxReason = 400

// maxQuoted is how many characters of the file a problem repeats.
const maxQuoted = 60

// clip shortens a text for a problem and keeps it on one line.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= maxQuoted {
		return s
	}
	return string([]rune(s)[:maxQuoted]) + "…"
}
