package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The kinds of things that can be defined in the console.
const (
	KindGroup     = "group"
	KindComponent = "component"
	KindMonitor   = "monitor"
)

// MaxDocumentBytes bounds the text of one definition made in the console.
const MaxDocumentBytes = 16 << 10

// Document is one group, component or monitor that was defined in the console:
// the text of one entry of the file's list, in exactly the file's shape.
type Document struct {
	Kind string // group, component, monitor
	ID   string // as the text says
	Text string
}

// Name is how problems call the document, in the place of a file.
func (d Document) Name() string { return d.Kind + " " + d.ID }

// Misfit is a document that was set aside, and why.
type Misfit struct {
	Document
	Problems Problems
}

// Merge adds documents to a file that has passed its checks, and checks what
// they make together as strictly as the file alone: all problems at once, with
// the document as the place. What the file defines is the file's: a document of
// the same id is refused.
func Merge(f File, docs []Document, o Options) (File, Problems) {
	m := merging{file: f, o: o}
	m.base[0], m.base[1], m.base[2] = len(f.Groups), len(f.Components), len(f.Monitors)
	f.Groups, f.Components, f.Monitors = slices.Clip(f.Groups), slices.Clip(f.Components), slices.Clip(f.Monitors)
	for _, d := range docs {
		m.add(&f, d)
	}
	c := newChecker(&f, &m, o)
	c.settled = m.base[2]
	c.componentTree()
	c.watched()
	if err := append(m.problems, c.problems...).err(); err != nil {
		return File{}, err.(Problems)
	}
	f.made = map[string]bool{}
	for _, d := range docs {
		f.made[d.Name()] = true
	}
	return f, nil
}

// Made reports whether something was defined in the console.
func (f File) Made(kind, id string) bool { return f.made[Document{Kind: kind, ID: id}.Name()] }

// Fit is Merge for documents that were kept when the file was another: those
// that do not fit it are set aside, with the reason, and nothing else suffers.
func Fit(f File, docs []Document, o Options) (File, []Misfit) {
	var aside []Misfit
	for {
		merged, problems := Merge(f, docs, o)
		if problems == nil {
			return merged, aside
		}
		wrong := map[string]Problems{}
		for _, p := range problems {
			wrong[p.File] = append(wrong[p.File], p)
		}
		var fit []Document
		for _, d := range docs {
			if ps := wrong[d.Name()]; ps != nil {
				aside = append(aside, Misfit{Document: d, Problems: ps})
			} else {
				fit = append(fit, d)
			}
		}
		if len(fit) == len(docs) { // the file is at fault through a document: which one, nobody can say
			for _, d := range docs {
				aside = append(aside, Misfit{Document: d, Problems: problems})
			}
			return f, aside
		}
		docs = fit
	}
}

// merging is a file with documents on their way into it.
type merging struct {
	file     File
	o        Options
	base     [len(listed)]int // entries of the file in each list
	from     [len(listed)][]*document
	problems Problems
}

// listed are the lists of the file that documents add to, by kind.
var listed = [...]struct{ kind, key string }{{KindGroup, "groups"}, {KindComponent, "components"}, {KindMonitor, "monitors"}}

// find tells where a path stands: in a document, or in the file.
func (m *merging) find(path string) (file string, where place) {
	for i, l := range listed {
		rest, ok := strings.CutPrefix(path, l.key+"[")
		if !ok {
			continue
		}
		number, rest, _ := strings.Cut(rest, "]")
		n, err := strconv.Atoi(number)
		if err != nil {
			break
		}
		if k := n - m.base[i]; k >= 0 && k < len(m.from[i]) {
			return m.from[i][k].find(strings.TrimPrefix(rest, "."))
		}
		if p, ok := m.file.placeOf(l.kind, m.file.idOf(l.kind, n)); ok {
			return p.File, place{p.Line, 1}
		}
	}
	return cmp.Or(m.file.lines.name(), "evenkeel.yaml"), place{1, 1}
}

// add reads one document into the list of its kind. One that cannot be read is a
// problem and adds nothing.
func (m *merging) add(f *File, d Document) {
	refuse := func(hint, reason string, args ...any) {
		m.problems = append(m.problems, Problem{File: d.Name(), Line: 1, Column: 1, Reason: fmt.Sprintf(reason, args...), Hint: hint})
	}
	if len(d.Text) > MaxDocumentBytes {
		refuse("", "longer than %d bytes", MaxDocumentBytes)
		return
	}
	if p, ok := m.file.placeOf(d.Kind, d.ID); ok {
		refuse("change it there, or choose another id", "%s is defined in %s, line %d", d.ID, p.File, p.Line)
		return
	}
	doc, problems := openDocument(d)
	if problems != nil {
		m.problems = append(m.problems, problems...)
		return
	}
	i := slices.IndexFunc(listed[:], func(l struct{ kind, key string }) bool { return l.kind == d.Kind })
	id := ""
	switch d.Kind {
	case KindGroup:
		var g Group
		problems, id = decode(doc, &g), g.ID
		g.fill()
		f.Groups = append(f.Groups, g)
	case KindComponent:
		var c Component
		problems, id = decode(doc, &c), c.ID
		c.fill()
		f.Components = append(f.Components, c)
	case KindMonitor:
		var mon Monitor
		problems, id = decode(doc, &mon), mon.ID
		problems = append(problems, m.console(doc, &mon)...)
		mon.fill(f.zone())
		f.Monitors = append(f.Monitors, mon)
	default:
		refuse("group, component or monitor", "%q is nothing that can be defined here", clip(d.Kind))
		return
	}
	m.from[i] = append(m.from[i], doc)
	m.problems = append(m.problems, problems...)
	if id != "" && id != d.ID {
		where, _ := doc.at("id")
		m.problems = append(m.problems, Problem{File: d.Name(), Line: where.line, Column: where.column, Path: "id",
			Reason: fmt.Sprintf("the id is %s here and %s outside", clip(id), clip(d.ID))})
	}
}
