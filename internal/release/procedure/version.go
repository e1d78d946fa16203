package procedure

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"evenkeel/internal/problem"
)

// Version is a version of a module as people write it (S2-08, S2-33, S3-01).
type Version struct {
	Module string // "" when the text does not name it
	Semver *semver.Version
	Commit string // "" when the text does not hold one
}

// moduleVersion is <module>-<major>-<minor>-<release>-<commit>: a module's name
// may hold dashes and figures, so it is read from the right.
var moduleVersion = regexp.MustCompile(`^([a-z0-9][a-z0-9.-]*?)-(0|[1-9]\d{0,8})-(0|[1-9]\d{0,8})-(0|[1-9]\d{0,8})-([0-9a-f]{7,40})$`)

// loosePre is the end of a version that says only that it is a candidate: 1.0.rc.
var loosePre = regexp.MustCompile(`^(\d+\.\d+)\.(rc|alpha|beta)(?:[.-]?(\d+))?$`)

// ParseVersion reads a version: strict semver with or without a v, v1.0 and
// v1.0.rc as some teams tag, and <module>-<major>-<minor>-<release>-<commit>.
// Errors: Invalid.
func ParseVersion(text string) (Version, error) {
	if m := moduleVersion.FindStringSubmatch(text); m != nil {
		v, err := semver.StrictNewVersion(m[2] + "." + m[3] + "." + m[4])
		if err != nil {
			return Version{}, problem.Invalid("version", "%q is no version", text)
		}
		return Version{Module: m[1], Semver: v, Commit: m[5]}, nil
	}
	plain := strings.TrimPrefix(text, "v")
	if m := loosePre.FindStringSubmatch(plain); m != nil {
		plain = m[1] + ".0-" + m[2]
		if m[3] != "" {
			plain += "." + m[3]
		}
	}
	if strings.Count(strings.SplitN(plain, "-", 2)[0], ".") == 1 && !strings.Contains(plain, "+") {
		head, tail, _ := strings.Cut(plain, "-")
		plain = head + ".0"
		if tail != "" {
			plain += "-" + tail
		}
	}
	v, err := semver.StrictNewVersion(plain)
	if err != nil {
		return Version{}, problem.Invalid("version", "%q is no version: write 1.4.2, or module-1-4-2-commit", text)
	}
	return Version{Semver: v}, nil
}

// String writes the version as <module>-<major>-<minor>-<release>-<commit> when
// it has all of these, else as semver.
func (v Version) String() string {
	if v.Module != "" && v.Commit != "" {
		return fmt.Sprintf("%s-%d-%d-%d-%s", v.Module, v.Semver.Major(), v.Semver.Minor(), v.Semver.Patch(), v.Commit)
	}
	return v.Semver.String()
}

// Chart writes the version as a Helm chart has it: the commit is build metadata,
// since a commit of figures alone with a leading zero is no pre-release.
func (v Version) Chart() string {
	s := v.Semver.String()
	if v.Commit != "" {
		s += "+" + v.Commit
	}
	return s
}

// Next gives the version after v for a bump. Errors: Invalid.
func (v Version) Next(b Bump) (Version, error) {
	var next semver.Version
	switch b {
	case Major:
		next = v.Semver.IncMajor()
	case Minor:
		next = v.Semver.IncMinor()
	case Patch:
		next = v.Semver.IncPatch()
	default:
		return Version{}, problem.Invalid("bump", "%q is no bump: major, minor or patch", b)
	}
	return Version{Module: v.Module, Semver: &next}, nil
}

// Follows refuses a version that does not come after another (S2-15). Errors: Invalid.
func (v Version) Follows(last Version) error {
	if last.Semver == nil || v.Semver.GreaterThan(last.Semver) {
		return nil
	}
	return problem.Invalid("version", "%s does not come after %s", v.Semver, last.Semver)
}

// MaturityOf computes how mature bits are by their figures: the last threshold of
// the procedure, in its order, that they reach with all before it. Nobody types it
// upward (S2-05). "" = none.
func (d *Definition) MaturityOf(figures map[string]float64) string {
	reached := ""
	for _, t := range d.Maturity {
		for _, name := range slices.Sorted(maps.Keys(t.AtLeast)) {
			if got, ok := figures[name]; !ok || cmp.Less(got, t.AtLeast[name]) {
				return reached
			}
		}
		for _, name := range slices.Sorted(maps.Keys(t.AtMost)) {
			if got, ok := figures[name]; !ok || got > t.AtMost[name] {
				return reached
			}
		}
		reached = t.Maturity
	}
	return reached
}
