// Package report reads the reports of tools that test and measure software: JUnit,
// coverage profiles, findings of scanners. It turns each into figures and a
// verdict, reading a stream within fixed bounds. It follows no path, no entity and
// no address that a report names, and knows nothing of releases.
package report

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"slices"

	"evenkeel/internal/problem"
)

// Limits of a report.
const (
	MaxBytes = 64 << 20 // of one file
	maxDepth = 64       // of nested elements
	maxLine  = 1 << 20  // bytes of one line, or of one attribute
)

// Kind is the form of a report.
type Kind string

// The forms.
const (
	JUnit     Kind = "junit"     // XML of test suites, as most runners write it
	GoCover   Kind = "gocover"   // go test -coverprofile
	Cobertura Kind = "cobertura" // XML
	LCOV      Kind = "lcov"      // geninfo(1), tracefile format
	SARIF     Kind = "sarif"     // OASIS SARIF 2.1.0
	Trivy     Kind = "trivy"     // trivy --format json
)

// Kinds lists the forms.
func Kinds() []Kind { return []Kind{JUnit, GoCover, Cobertura, LCOV, SARIF, Trivy} }

// Figures are what a report says, by name: tests, failed, errors, skipped, seconds;
// coverage, in percent; critical, high, medium, low, unknown.
type Figures map[string]float64

// Report is what was read.
type Report struct {
	Kind    Kind
	Figures Figures
	// Passed is the verdict that the report itself holds: nothing failed, and
	// something was run. Figures that have to be in bounds are for gates to judge.
	Passed bool
}

// Read reads one report of a form. Errors: Invalid when it is none, or too large.
func Read(kind Kind, r io.Reader) (Report, error) {
	in := &bounded{r: r, left: MaxBytes}
	var figures Figures
	var err error
	switch kind {
	case JUnit:
		figures, err = readJUnit(in)
	case GoCover:
		figures, err = readGoCover(in)
	case Cobertura:
		figures, err = readCobertura(in)
	case LCOV:
		figures, err = readLCOV(in)
	case SARIF:
		figures, err = readSARIF(in)
	case Trivy:
		figures, err = readTrivy(in)
	default:
		return Report{}, problem.Invalid("kind", "%q is no form of report: %v.", kind, Kinds())
	}
	if in.left < 0 {
		return Report{}, problem.Invalid("report", "This report is larger than %d bytes.", MaxBytes)
	}
	if err != nil {
		return Report{}, problem.Invalid("report", "This is no %s report: %v.", kind, err)
	}
	out := Report{Kind: kind, Figures: figures, Passed: true}
	if kind == JUnit {
		out.Passed = figures["tests"] > 0 && figures["failed"] == 0 && figures["errors"] == 0
	}
	return out, nil
}

// Guess tells the form of a report by its beginning; "" when it cannot. At most
// the first few KiB of the reader's buffer are looked at, and none are taken.
func Guess(r *bufio.Reader) Kind {
	head, _ := r.Peek(4096) // a short file gives what it has
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(head, []byte(w)) })
	}
	switch {
	case bytes.HasPrefix(head, []byte("mode: ")):
		return GoCover
	case bytes.HasPrefix(head, []byte("TN:")), bytes.HasPrefix(head, []byte("SF:")):
		return LCOV
	case has("<testsuite"):
		return JUnit
	case has("<coverage"):
		return Cobertura
	case has(`"ArtifactName"`, `"ArtifactType"`, `"SchemaVersion"`):
		return Trivy
	case has(`"runs"`, "sarif"):
		return SARIF
	}
	return ""
}

// bounded reads at most left bytes and notes when there are more.
type bounded struct {
	r    io.Reader
	left int64 // below zero when there was more
}

// Read reads; it ends with the bound.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}

// percent gives a share in percent, with two decimals; 0 of 0 is none.
func percent(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return math.Round(part/whole*10_000) / 100
}
