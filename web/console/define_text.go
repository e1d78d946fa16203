package console

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A definition is text in the shape of the file. The form writes the keys it has
// fields for as one line each, and whatever else there is stands below them as
// it was typed: keys that it knows come back into their fields, the rest into
// its box. What the text means, the configuration's own reader says.

// keyKind is how a field of the form is written.
type keyKind int

const (
	keyText   keyKind = iota // a quoted string
	keyNumber                // as it is, when it is a number
	keyList                  // words with spaces or commas between them
	keyOff                   // a tick that is on by default: only "false" is written
)

// formKey is one key that the form has a field for.
type formKey struct {
	name string
	kind keyKind
}

// componentKeys and monitorKeys are the fields of the two forms, in the order in
// which they are written.
var (
	componentKeys = []formKey{
		{"id", keyText}, {"name", keyText}, {"group", keyText}, {"description", keyText}, {"needs", keyList}, {"public", keyOff},
		{"runbook", keyText}, {"publish", keyText}, {"publish_after", keyText},
	}
	monitorKeys = []formKey{
		{"id", keyText}, {"component", keyText}, {"name", keyText}, {"kind", keyText}, {"interval", keyText}, {"timeout", keyText}, {"url", keyText},
		{"target", keyText}, {"query", keyText}, {"slow", keyText}, {"confirm", keyNumber}, {"recover", keyNumber}, {"public", keyOff},
	}
)

// compose writes the text of a definition from the fields of its form.
func compose(keys []formKey, value func(name string) string, rest string) string {
	var b strings.Builder
	for _, k := range keys {
		v := strings.TrimSpace(value(k.name))
		switch {
		case k.kind == keyOff:
			if v == "" {
				b.WriteString(k.name + ": false\n")
			}
		case v == "":
		case k.kind == keyList:
			b.WriteString(k.name + ": " + quoted(words(v)) + "\n")
		case k.kind == keyNumber && isNumber(v):
			b.WriteString(k.name + ": " + v + "\n")
		default:
			b.WriteString(k.name + ": " + quoted(v) + "\n")
		}
	}
	if rest = strings.TrimRight(strings.ReplaceAll(rest, "\r\n", "\n"), " \t\n"); rest != "" {
		b.WriteString(rest + "\n")
	}
	return b.String()
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// words splits a list as people type it.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
}

// quoted writes a string or a list in quotes, as JSON and YAML both read it.
func quoted(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // strings and lists of strings always encode
	return strings.TrimSpace(b.String())
}

// oneLine is a key at the left edge with a value beside it.
var oneLine = regexp.MustCompile(`^([a-z_]+):[ \t]+(\S.*)$`)

// split takes a definition apart: the values of the keys that the form has
// fields for, and the rest. A value that runs over several lines, or that is
// written in a way the form would not, stays in the rest.
func split(keys []formKey, text string) (values map[string]string, rest string) {
	values = map[string]string{}
	for _, k := range keys {
		if k.kind == keyOff {
			values[k.name] = "1"
		}
	}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	var other []string
	for i, line := range lines {
		match := oneLine.FindStringSubmatch(line)
		goesOn := i+1 < len(lines) && strings.HasPrefix(lines[i+1], " ")
		if match != nil && !goesOn {
			at := slices.IndexFunc(keys, func(k formKey) bool { return k.name == match[1] })
			if at >= 0 {
				if v, ok := scalar(keys[at].kind, strings.TrimSpace(match[2])); ok && (values[match[1]] == "" || keys[at].kind == keyOff) {
					values[match[1]] = v
					continue
				}
			}
		}
		other = append(other, line)
	}
	return values, strings.Trim(strings.Join(other, "\n"), "\n")
}

// scalar reads one value as the form writes it, or as people write plain ones.
func scalar(kind keyKind, v string) (string, bool) {
	switch kind {
	case keyOff:
		return map[string]string{"false": "", "true": "1"}[v], v == "false" || v == "true"
	case keyList:
		var list []string
		if json.Unmarshal([]byte(v), &list) != nil {
			return "", false
		}
		return strings.Join(list, " "), !slices.ContainsFunc(list, func(s string) bool { return len(words(s)) != 1 })
	case keyNumber:
		return v, isNumber(v)
	}
	var s string
	if strings.HasPrefix(v, `"`) {
		err := json.Unmarshal([]byte(v), &s)
		return s, err == nil && s != "" && s == strings.TrimSpace(s)
	}
	plain := !strings.ContainsAny(v[:1], "'[]{}|>&*!%@`#,?-\"") && !strings.Contains(v, " #") && !strings.Contains(v, ": ") && !strings.HasSuffix(v, ":")
	return v, plain && !isNumber(v) && v != "true" && v != "false" && v != "null" && v != "~"
}
