package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with the configuration: where it stands, what is
// wrong, and what to do about it. Reason and Hint never repeat a secret.
type Problem struct {
	File   string `json:"file"`             // as it was named, or "environment"
	Line   int    `json:"line,omitempty"`   // from 1; 0 when it is no place in a file
	Column int    `json:"column,omitempty"` // from 1, in characters
	Path   string `json:"path,omitempty"`   // e.g. monitors[3].expect.status[0], or the name of a variable
	Reason string `json:"reason"`
	Hint   string `json:"hint,omitempty"`
}

// Error gives "file:line:column: path: reason (hint)".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Reason)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// MaxProblems bounds how many problems one answer names.
const MaxProblems = 200

// Problems is everything that is wrong, by line. It is the error of Load and
// Parse; whoever prints it prints all of it.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// err sorts by place, drops what was said twice about one place, bounds the
// list, and gives nil when nothing is wrong.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	// Stable: of two problems with one place the first was found by the more general check.
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
	ps = slices.CompactFunc(ps, func(a, b Problem) bool {
		return a.File == b.File && a.Line == b.Line && a.Column == b.Column && a.Path == b.Path
	})
	if more := len(ps) - MaxProblems; more > 0 {
		last := ps[MaxProblems-1]
		ps = append(ps[:MaxProblems-1:MaxProblems-1], Problem{File: last.File, Line: last.Line, Column: last.Column,
			Reason: fmt.Sprintf("from here on %d more problems are not listed", more+1)})
	}
	return ps
}
