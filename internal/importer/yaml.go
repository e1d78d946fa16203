package importer

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSlug bounds an id that is made from a name, in bytes.
const maxSlug = 40

// slug makes an id from a name: small letters, digits and dashes, each once.
func slug(name, otherwise string, taken map[string]bool) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == maxSlug {
			break
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" || base[0] >= '0' && base[0] <= '9' {
		base = strings.TrimSuffix(otherwise+"-"+base, "-")
	}
	id := base
	for n := 2; taken[id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	taken[id] = true
	return id
}

// YAML gives the groups and components as a part of a configuration file.
func (e *Export) YAML() string {
	var b strings.Builder
	slugs := map[string]string{}
	if len(e.Groups) > 0 {
		b.WriteString("groups:\n")
	}
	for _, g := range e.Groups {
		slugs[g.ID] = g.Slug
		fmt.Fprintf(&b, "  - id: %s\n    name: %s\n", g.Slug, quoted(g.Name))
	}
	if len(e.Components) > 0 {
		b.WriteString("components:\n")
	}
	for _, c := range e.Components {
		fmt.Fprintf(&b, "  - id: %s\n    name: %s\n", c.Slug, quoted(c.Name))
		if group := slugs[c.Group]; group != "" {
			fmt.Fprintf(&b, "    group: %s\n", group)
		}
		if c.Description != "" {
			fmt.Fprintf(&b, "    description: %s\n", quoted(c.Description))
		}
	}
	return b.String()
}

// quoted writes a text as a YAML scalar in double quotes, on one line.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\ufeff': // YAML would read these as something else
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
