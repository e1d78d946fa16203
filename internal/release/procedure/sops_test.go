package procedure_test

import (
	"strings"
	"testing"

	"evenkeel/deploy/sops"
	"evenkeel/internal/config"
	"evenkeel/internal/release/procedure"
)

// read reads a procedure as the hub does.
func read(name, text string) (*procedure.Definition, error) {
	var d *procedure.Definition
	_, err := config.ReadProcedure(name, []byte(text), func(p config.Procedure) (out []config.Problem) {
		var faults []procedure.Fault
		d, faults = procedure.Compile(p, "1")
		for _, f := range faults {
			out = append(out, config.Problem{Path: f.Path, Reason: f.Text})
		}
		return out
	})
	return d, err
}

// TestWrittenProceduresAreSound: the five files say nothing that the engine does not know.
func TestWrittenProceduresAreSound(t *testing.T) {
	files, err := sops.Files.ReadDir(".")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		text, err := sops.Files.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		d, err := read(f.Name(), string(text))
		if err != nil {
			t.Errorf("%s:\n%v", f.Name(), err)
			continue
		}
		b := procedure.Evaluate(d, &procedure.Facts{Release: procedure.Release{Kind: procedure.Regular}}, start)
		for _, e := range d.Environments {
			if _, leads := b.Into(e.ID); !leads && e.Blessed {
				t.Errorf("%s: nothing leads to %s", f.Name(), e.ID)
			}
			if ok, _ := b.May(e.ID); ok && e.Blessed {
				t.Errorf("%s: a release of which nothing is known may enter %s", f.Name(), e.ID)
			}
		}
		if ok, _ := b.Blessable(d); ok {
			t.Errorf("%s: nothing at all can be blessed", f.Name())
		}
	}
}

// TestWrongProcedures: all problems in one answer, each with its place.
func TestWrongProcedures(t *testing.T) {
	text, err := sops.Files.ReadFile("mayaonline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, now, want string }{
		{"vetoes: [qa]", "vetoes: [tester]", `gates[17].vetoes[0]: there is no role "tester"`},
		{"manager: qa}", "}", "nobody answers for this gate"},
		{"zone: Asia/Kolkata", "zone: Asia/Bombay-on-Sea", "is no zone"},
		{"at: \"17:00\"", "at: five", "is no time of day"},
		{"kind: window", "kind: door", `"door" is no kind of gate`},
		{"suite: load, in: preprod", "suite: load, in: preprod, vetoes: [qa]", "a gate of kind evidence does not take it"},
		{"to: production", "to: the-moon", `there is no environment "the-moon"`},
		{"after: [told]", "after: [telegram]", `there is no task "telegram"`},
		{"bless: [merge_pipeline,", "bless: [luck,", `there is no gate "luck"`},
		{"rebuild: void", "rebuild: maybe", `"maybe" is not known here`},
		{"one_role_each: true", "one_roll_each: true", "one_role_each"},
	} {
		broken := strings.Replace(string(text), c.old, c.now, 1)
		if broken == string(text) {
			t.Fatalf("the file does not say %q", c.old)
		}
		_, err := read("daily.yaml", broken)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "daily.yaml:") {
			t.Errorf("%s: %v, want %q", c.now, err, c.want)
		}
	}
}
