package public

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/status"
	"evenkeel/web/public/publictest"
)

// golden writes the documents that TestStatuspageGolden compares with, instead.
var golden = flag.Bool("golden", false, "write the golden documents of the API")

// TestStatuspageGolden holds the documents of a page with an open incident, with
// one that is over and has its postmortem, and with maintenance in every state,
// to the letter: bots read them.
func TestStatuspageGolden(t *testing.T) {
	p := publictest.Well()
	for g := range p.Groups { // what incidents touch is enough
		p.Groups[g].Components = p.Groups[g].Components[1:2]
	}
	p.Incidents = []status.Incident{publictest.Slow()}
	done := publictest.Finished()
	done.ID = "over000000000000"
	p.Recent = []status.Incident{publictest.Slow(), done}
	off := p.Ahead[0]
	off.ID, off.State, off.ChangedAt = "m-111-20261115T0500Z", status.MaintenanceCancelled, publictest.Minute.AddDate(0, 0, -7)
	p.Finished = append(p.Finished, off)
	sheets, err := v2Sheets(p)
	if err != nil {
		t.Fatal(err)
	}
	if sheets["/api/v2/incidents/over.json"], err = v2IncidentSheet(&status.IncidentPage{Page: p, Incident: done}); err != nil {
		t.Fatal(err)
	}
	for path, s := range sheets {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, s.body, "", "  "); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		file := filepath.Join("testdata", "v2", strings.ReplaceAll(strings.TrimPrefix(path, "/api/v2/"), "/", "-"))
		if *golden {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v; go test ./web/public -run Golden -golden writes it", err)
		}
		if d := cmp.Diff(string(want), pretty.String()); d != "" {
			t.Errorf("%s differs (-want +got):\n%s", path, d)
		}
	}
}
