package procedure_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/release/procedure"
)

// TestItemMoves: every state and event; what the table lacks is a Conflict.
func TestItemMoves(t *testing.T) {
	states := []procedure.ItemState{procedure.Todo, procedure.Doing, procedure.Done, procedure.Broken, procedure.Skipped}
	events := []procedure.ItemEvent{procedure.Begin, procedure.Pass, procedure.Fail, procedure.Skip, procedure.Reopen}
	want := map[procedure.ItemState]string{ // per event, in order; - = refused
		procedure.Todo:    "doing passed failed skipped -",
		procedure.Doing:   "- passed failed skipped todo",
		procedure.Done:    "- - - - todo",
		procedure.Broken:  "doing passed - skipped todo",
		procedure.Skipped: "- - - - todo",
	}
	for _, s := range states {
		got := ""
		for i, e := range events {
			c := procedure.Checklist{{Task: procedure.Task{ID: "a"}, State: s}}
			err := c.Move("a", e, "person/x", "why", "", start)
			if i > 0 {
				got += " "
			}
			switch {
			case problem.KindOf(err) == problem.KindConflict:
				got += "-"
			case err != nil:
				t.Fatalf("%s %s: %v", s, e, err)
			default:
				got += string(c[0].State)
			}
		}
		if got != want[s] {
			t.Errorf("%s: %s, want %s", s, got, want[s])
		}
	}
}

// TestCoolingOffCannotBeCutShort: S4-32.
func TestCoolingOffCannotBeCutShort(t *testing.T) {
	c := procedure.NewChecklist([]procedure.Task{
		{ID: "reason", Kind: procedure.TaskManual},
		{ID: "cool", Kind: procedure.TaskTimer, Wait: 3 * time.Hour, After: []string{"reason"}},
		{ID: "delete", Kind: procedure.TaskManual, After: []string{"cool"}, Evidence: true},
	}, start)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := func(err error, kind problem.Kind) {
		t.Helper()
		if problem.KindOf(err) != kind {
			t.Errorf("got %v, want %v", err, kind)
		}
	}
	refused(c.Move("delete", procedure.Pass, "person/x", "", "log", start), problem.KindConflict)
	must(c.Move("reason", procedure.Pass, "person/x", "", "", start.Add(time.Minute)))
	for _, e := range []procedure.ItemEvent{procedure.Pass, procedure.Skip, procedure.Begin} {
		refused(c.Move("cool", e, "person/x", "hurry", "", start.Add(time.Hour)), problem.KindConflict)
	}
	c.Advance(start.Add(3 * time.Hour))
	refused(c.Move("delete", procedure.Pass, "person/x", "", "log", start.Add(3*time.Hour)), problem.KindConflict)
	if !c.Advance(start.Add(3*time.Hour + time.Minute)) {
		t.Error("the wait did not end")
	}
	refused(c.Move("delete", procedure.Pass, "person/x", "", "", start.Add(4*time.Hour)), problem.KindInvalid)
	must(c.Move("delete", procedure.Pass, "person/x", "", "log", start.Add(4*time.Hour)))
	if open, failed := c.Standing(); open != 0 || failed {
		t.Errorf("%d open, failed %v", open, failed)
	}
}

// TestOrderHolds: over random lists and moves, nothing is done before what comes before it.
func TestOrderHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var tasks []procedure.Task
		for i := range 2 + r.IntN(6) {
			task := procedure.Task{ID: string(rune('a' + i))}
			for j := range i {
				if r.IntN(3) == 0 {
					task.After = append(task.After, string(rune('a'+j)))
				}
			}
			tasks = append(tasks, task)
		}
		c := procedure.NewChecklist(tasks, start)
		for range 60 {
			it := c[r.IntN(len(c))]
			e := []procedure.ItemEvent{procedure.Begin, procedure.Pass, procedure.Fail, procedure.Skip}[r.IntN(4)]
			err := c.Move(it.ID, e, "person/x", "why", "", start)
			if err != nil && problem.KindOf(err) != problem.KindConflict {
				t.Fatal(err)
			}
			for i := range c {
				if c[i].State != procedure.Todo && !c.Ready(&c[i]) {
					t.Fatalf("%s is %s before its turn", c[i].ID, c[i].State)
				}
			}
		}
	}
}
