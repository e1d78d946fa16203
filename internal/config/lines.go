package config

import (
	"cmp"
	"hash/fnv"
	"slices"

	"go.yaml.in/yaml/v4"
)

// Place is where something is defined.
type Place struct {
	File string // as it was named
	Line int    // from 1
}

// Place tells where the file defines a group, component, monitor (sentinels too)
// or maintenance window (KindWindow), so that it can be shown as locked. false
// for what the file does not define, and for a file that was not read from text.
func (f File) Place(kind, id string) (Place, bool) { return f.placeOf(kind, id) }

// KindWindow is the kind of maintenance windows, for Place alone.
const KindWindow = "window"

func (f *File) placeOf(kind, id string) (Place, bool) {
	if f.lines == nil {
		return Place{}, false
	}
	sum := lineKey(kind, id)
	i, ok := slices.BinarySearchFunc(f.lines.of, sum, func(l definedLine, sum uint64) int { return cmp.Compare(l.sum, sum) })
	if !ok {
		return Place{}, false
	}
	return Place{File: f.lines.file, Line: int(f.lines.of[i].line)}, true
}

// idOf gives the id of the n-th entry of a list; "" when there is none.
func (f *File) idOf(kind string, n int) string {
	switch {
	case kind == KindGroup && n < len(f.Groups):
		return f.Groups[n].ID
	case kind == KindComponent && n < len(f.Components):
		return f.Components[n].ID
	case kind == KindMonitor && n < len(f.Monitors):
		return f.Monitors[n].ID
	}
	return ""
}

// lines is where a file defines things. It holds hashes in the place of ids, so
// that ten thousand monitors cost no more than a chart.
type lines struct {
	file string
	of   []definedLine // by sum
}

type definedLine struct {
	sum  uint64
	line int32
}

func (l *lines) name() string {
	if l == nil {
		return ""
	}
	return l.file
}

func lineKey(kind, id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write([]byte(id))
	return h.Sum64()
}

// linesOf notes where a document defines things.
func linesOf(doc *document, f *File) *lines {
	l := &lines{file: doc.name}
	note := func(kind, key string, n int, id func(int) string) {
		nodes := doc.list(key)
		for i := range min(n, len(nodes)) {
			l.of = append(l.of, definedLine{lineKey(kind, id(i)), int32(position(nodes[i]).line)})
		}
	}
	note(KindGroup, "groups", len(f.Groups), func(i int) string { return f.Groups[i].ID })
	note(KindComponent, "components", len(f.Components), func(i int) string { return f.Components[i].ID })
	note(KindMonitor, "monitors", len(f.Monitors), func(i int) string { return f.Monitors[i].ID })
	note(KindMonitor, "sentinels", len(f.Sentinels), func(i int) string { return f.Sentinels[i].ID })
	note(KindWindow, "maintenance", len(f.Maintenance), func(i int) string { return f.Maintenance[i].ID })
	slices.SortFunc(l.of, func(a, b definedLine) int { return cmp.Compare(a.sum, b.sum) })
	return l
}

// list gives the entries of a list at the top of the document.
func (d *document) list(key string) []*yaml.Node {
	for _, p := range pairs(d.root) {
		if n := resolve(p.value); p.key.Value == key && n.Kind == yaml.SequenceNode {
			return n.Content
		}
	}
	return nil
}
