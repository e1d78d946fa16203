package procedure_test

import (
	"strings"
	"testing"

	"evenkeel/internal/release/procedure"
)

// TestVersions: S2-08, S2-33, S3-01.
func TestVersions(t *testing.T) {
	for text, want := range map[string][3]string{ // module, semver, chart
		"1.4.2":                       {"", "1.4.2", "1.4.2"},
		"v1.4.2":                      {"", "1.4.2", "1.4.2"},
		"v1.0":                        {"", "1.0.0", "1.0.0"},
		"v1.0.rc":                     {"", "1.0.0-rc", "1.0.0-rc"},
		"v1.0.rc.2":                   {"", "1.0.0-rc.2", "1.0.0-rc.2"},
		"2.0.0-beta.3":                {"", "2.0.0-beta.3", "2.0.0-beta.3"},
		"shop-1-4-2-5ddba2b":          {"shop", "1.4.2", "1.4.2+5ddba2b"},
		"web-2-api-1-4-2-0123456":     {"web-2-api", "1.4.2", "1.4.2+0123456"},
		"a-1-2-3-4-5-6-0123456789abc": {"a-1-2-3", "4.5.6", "4.5.6+0123456789abc"},
	} {
		v, err := procedure.ParseVersion(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := [3]string{v.Module, v.Semver.String(), v.Chart()}; got != want {
			t.Errorf("%s reads as %q, want %q", text, got, want)
		}
		if v.Module != "" && v.String() != text {
			t.Errorf("%s is written as %s", text, v)
		}
	}
	for _, text := range []string{"", "latest", "1", "1.2.3.4", "01.2.3", "shop-1-4-5ddba2b", "shop-1-4-2-XYZ1234", "shop-1-4-2-5ddba2", "-1-4-2-5ddba2b", "v1.0.rc x"} {
		if v, err := procedure.ParseVersion(text); err == nil {
			t.Errorf("%q reads as %v", text, v)
		}
	}
}

// TestVersionsGrow: S2-15.
func TestVersionsGrow(t *testing.T) {
	last, _ := procedure.ParseVersion("1.4.2")
	for bump, want := range map[procedure.Bump]string{procedure.Major: "2.0.0", procedure.Minor: "1.5.0", procedure.Patch: "1.4.3"} {
		next, err := last.Next(bump)
		if err != nil || next.String() != want {
			t.Errorf("%s: %v, %v", bump, next, err)
		}
		if err := next.Follows(last); err != nil {
			t.Error(err)
		}
		if last.Follows(next) == nil || last.Follows(last) == nil {
			t.Errorf("%s follows %s", last, next)
		}
	}
	if _, err := last.Next("huge"); err == nil {
		t.Error("huge is a bump")
	}
}

// TestMaturityIsComputed: S2-05.
func TestMaturityIsComputed(t *testing.T) {
	d := procedure.Definition{Maturity: []procedure.Threshold{
		{Maturity: "alpha"},
		{Maturity: "beta", AtLeast: map[string]float64{"coverage": 50}},
		{Maturity: "stable", AtLeast: map[string]float64{"coverage": 70}, AtMost: map[string]float64{"critical": 0}},
	}}
	for _, c := range []struct {
		figures map[string]float64
		want    string
	}{
		{nil, "alpha"},
		{map[string]float64{"coverage": 55}, "beta"},
		{map[string]float64{"coverage": 80}, "beta"}, // nobody knows of critical ones
		{map[string]float64{"coverage": 80, "critical": 1}, "beta"},
		{map[string]float64{"coverage": 80, "critical": 0}, "stable"},
	} {
		if got := d.MaturityOf(c.figures); got != c.want {
			t.Errorf("%v is %s, want %s", c.figures, got, c.want)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"1.4.2", "v1.0.rc", "shop-1-4-2-5ddba2b", "a-b-c", "1.0.0-0123456", "1-4-2-5ddba2b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := procedure.ParseVersion(text)
		if err != nil {
			return
		}
		if v.Module != "" && v.String() != text {
			t.Errorf("%q is written as %q", text, v.String())
		}
		if again, err := procedure.ParseVersion(v.Semver.String()); err != nil || !again.Semver.Equal(v.Semver) {
			t.Errorf("%q: its semver %s reads as %v, %v", text, v.Semver, again, err)
		}
		if strings.ContainsAny(v.Chart(), " _/") {
			t.Errorf("chart version %q", v.Chart())
		}
	})
}
