package console

import (
	"strings"
	"testing"

	"evenkeel/internal/incident"
)

// What checks saw in one go is folded, and what people said stays in sight.
func TestTimelineFoldsWhatComesAndGoes(t *testing.T) {
	var lines []timelineLine
	add := func(n int, kind incident.EntryKind, lane int) {
		for range n {
			lines = append(lines, timelineLine{ID: string(rune('a' + len(lines))), Kind: string(kind), Lane: lane})
		}
	}
	add(1, incident.KindUpdate, lanePeople)
	add(foldAbove, incident.KindFact, laneProbes) // just few enough
	add(1, incident.KindNote, lanePeople)
	add(foldAbove+4, incident.KindFact, laneProbes)
	add(1, incident.KindFact, lanePeople)
	var got strings.Builder
	for _, l := range foldProbes(lines) {
		if l.Fold != "" {
			got.WriteString("[" + l.Fold + "]")
		}
		got.WriteString(l.ID)
	}
	if want := "abcdefghij[5 more lines of what checks saw]pq"; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
	if len(foldProbes(nil)) != 0 {
		t.Error("nothing becomes something")
	}
}
