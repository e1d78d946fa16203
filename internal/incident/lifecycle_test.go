package incident

import (
	"os"
	"slices"
	"strings"
	"testing"

	"evenkeel/internal/problem"
)

var (
	allStates = []State{Suspected, Investigating, Identified, Monitoring, Resolved, Postmortem}
	allEvents = []Event{EventInvestigate, EventIdentify, EventMonitor, EventResolve, EventReopen, EventReview, EventDrop, EventMerge}
)

// drawn reads the table of DESIGN.md: state, then the state after each event, a
// dash for what is refused.
func drawn(tb testing.TB) map[State]map[Event]State {
	tb.Helper()
	text, err := os.ReadFile("DESIGN.md")
	if err != nil {
		tb.Fatal(err)
	}
	table := map[State]map[Event]State{}
	var head []string
	for row := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
		for n := range cells {
			cells[n] = strings.TrimSpace(cells[n])
		}
		switch {
		case len(cells) != len(allEvents)+1:
		case cells[0] == "state":
			head = cells[1:]
		case slices.Contains(allStates, State(cells[0])):
			table[State(cells[0])] = map[Event]State{}
			for n, cell := range cells[1:] {
				if cell != "–" {
					table[State(cells[0])][Event(head[n])] = State(cell)
				}
			}
		}
	}
	return table
}

func TestLifecycleIsAsDrawnForEveryStateAndEvent(t *testing.T) {
	table := drawn(t)
	if len(table) != len(allStates) {
		t.Fatalf("the drawing has %d states, want %d", len(table), len(allStates))
	}
	for _, s := range allStates {
		for _, e := range allEvents {
			want, fits := table[s][e]
			got, ok := s.After(e)
			if ok != fits || got != want {
				t.Errorf("%s on %s: got %q, %v; drawn is %q, %v", s, e, got, ok, want, fits)
			}
			i := Incident{State: s}
			_, err := i.after(e)
			if (err == nil) != fits || err != nil && problem.KindOf(err) != problem.KindConflict {
				t.Errorf("%s on %s: got %v", s, e, err)
			}
			i.MergedInto = "other"
			if _, err := i.after(e); problem.KindOf(err) != problem.KindConflict {
				t.Errorf("%s on %s after a merge: got %v", s, e, err)
			}
		}
	}
	if len(lifecycle) != len(allStates) {
		t.Errorf("the table has %d states, want %d", len(lifecycle), len(allStates))
	}
}

func TestEveryIncidentCanBeResolved(t *testing.T) {
	for _, s := range allStates {
		if _, ok := s.After(EventResolve); !ok && s != Postmortem {
			t.Errorf("%s cannot be resolved", s)
		}
	}
}
