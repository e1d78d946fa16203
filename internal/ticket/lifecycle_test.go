package ticket

import (
	"os"
	"strings"
	"testing"

	"evenkeel/internal/problem"
)

// The table in the code and the one in DESIGN.md say the same, for every pair.
func TestLifecycleIsTheTableOfTheDesign(t *testing.T) {
	page, err := os.ReadFile("DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	var events []Event
	seen := map[State]bool{}
	for row := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(row, "|"), strings.HasPrefix(row, "| ---"):
		case cells[0] == "state":
			for _, e := range cells[1:] {
				events = append(events, Event(e))
			}
		case len(cells) == len(events)+1 && len(events) > 0:
			s := State(cells[0])
			seen[s] = true
			for i, want := range cells[1:] {
				got, ok := s.After(events[i])
				if want == "–" && ok || want != "–" && (!ok || string(got) != want) {
					t.Errorf("%s, %s: got %q, %v; written %q", s, events[i], got, ok, want)
				}
			}
		}
	}
	all := []Event{Hear, Speak, Take, Wait, Hold, Solve, Close, Reopen, Merge}
	if len(events) != len(all) || len(seen) != 6 || len(lifecycle) != 6 {
		t.Errorf("the table has %d events and %d states", len(events), len(seen))
	}
	for s, after := range lifecycle {
		if len(after) > len(all) || !seen[s] {
			t.Errorf("%s is not in the table", s)
		}
	}
}

func TestMovingByHandIsAnEvent(t *testing.T) {
	for _, from := range []State{New, Open, Pending, OnHold, Solved, Closed} {
		for _, to := range []State{Open, Pending, OnHold, Solved, Closed} {
			v := Ticket{State: from}
			e, err := v.towards(to)
			if err != nil {
				t.Fatal(err)
			}
			if next, ok := from.After(e); ok && next != to {
				t.Errorf("%s towards %s leads to %s", from, to, next)
			}
			v.MergedInto = "other"
			if _, err := v.after(e); problem.KindOf(err) != problem.KindConflict {
				t.Errorf("a merged ticket moves: %v", err)
			}
		}
	}
	if _, err := (&Ticket{State: Open}).towards(New); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("back to new: %v", err)
	}
}
