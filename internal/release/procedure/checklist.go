package procedure

import (
	"slices"
	"time"

	"evenkeel/internal/problem"
)

// ItemState is where an item of a checklist stands.
type ItemState string

// The states of an item.
const (
	Todo    ItemState = "todo"
	Doing   ItemState = "doing"
	Done    ItemState = "passed"
	Broken  ItemState = "failed"
	Skipped ItemState = "skipped"
)

// ItemEvent is what happens to an item.
type ItemEvent string

// The events of an item.
const (
	Begin  ItemEvent = "begin"
	Pass   ItemEvent = "pass"
	Fail   ItemEvent = "fail"
	Skip   ItemEvent = "skip"
	Reopen ItemEvent = "reopen"
)

// itemMoves is the whole of what an item can do: state, event, next state. What
// is missing is refused. A checklist that is done is read-only: its items are not
// moved any more.
var itemMoves = map[ItemState]map[ItemEvent]ItemState{
	Todo:    {Begin: Doing, Pass: Done, Fail: Broken, Skip: Skipped},
	Doing:   {Pass: Done, Fail: Broken, Skip: Skipped, Reopen: Todo},
	Broken:  {Begin: Doing, Pass: Done, Skip: Skipped, Reopen: Todo},
	Done:    {Reopen: Todo},
	Skipped: {Reopen: Todo},
}

// Over reports whether nothing more is to do about an item in this state.
func (s ItemState) Over() bool { return s == Done || s == Skipped }

// Item is one task of a checklist that is being worked through.
type Item struct {
	Task
	State    ItemState
	By       string // actor who moved it last
	Why      string // of failed and skipped
	Evidence string // link or hash
	Since    time.Time
	Begun    time.Time
	Version  int64
}

// Checklist is the tasks of one run, in order.
type Checklist []Item

// NewChecklist begins a checklist: timers that wait for nothing run from now.
func NewChecklist(tasks []Task, now time.Time) Checklist {
	c := make(Checklist, len(tasks))
	for i, t := range tasks {
		c[i] = Item{Task: t, State: Todo, Since: now}
	}
	c.Advance(now)
	return c
}

// Find gives the item of a task.
func (c Checklist) Find(id string) (*Item, bool) {
	i := slices.IndexFunc(c, func(it Item) bool { return it.ID == id })
	if i < 0 {
		return nil, false
	}
	return &c[i], true
}

// Ready reports whether everything that comes before an item is over.
func (c Checklist) Ready(it *Item) bool {
	for _, id := range it.After {
		if before, ok := c.Find(id); ok && !before.State.Over() {
			return false
		}
	}
	return true
}

// Move does what somebody says of an item. Errors: NotFound; Conflict when it is
// not its turn, or cannot do that; Invalid without a reason or the evidence that
// is asked for.
func (c Checklist) Move(id string, e ItemEvent, by, why, evidence string, now time.Time) error {
	it, ok := c.Find(id)
	if !ok {
		return problem.NotFound("There is no item %s.", id)
	}
	to, ok := itemMoves[it.State][e]
	switch {
	case !ok:
		return problem.Conflict("An item that is %s cannot %s.", it.State, e)
	case e != Reopen && !c.Ready(it):
		return problem.Conflict("Something comes before this item.")
	case it.Kind == TaskTimer && e != Fail && e != Reopen:
		return problem.Conflict("Nobody can cut the wait short.")
	case it.Kind == TaskTimer && e == Reopen && it.State == Done:
		return problem.Conflict("The wait is over.")
	case (e == Fail || e == Skip) && why == "":
		return problem.Invalid("reason", "say why")
	case e == Pass && it.Task.Evidence && evidence == "" && it.Evidence == "":
		return problem.Invalid("evidence", "this item is done only with a link or a file")
	}
	it.set(to, by, now)
	it.Why = why
	if evidence != "" {
		it.Evidence = evidence
	}
	c.Advance(now)
	return nil
}

func (it *Item) set(to ItemState, by string, now time.Time) {
	if to == Doing && it.State != Doing {
		it.Begun = now
	}
	it.State, it.By, it.Since = to, by, now
	it.Version++
}

// Advance lets timers begin and end, and tells whether anything moved.
func (c Checklist) Advance(now time.Time) (moved bool) {
	for again := true; again; {
		again = false
		for i := range c {
			it := &c[i]
			if it.Kind != TaskTimer || !c.Ready(it) {
				continue
			}
			switch {
			case it.State == Todo:
				it.set(Doing, "hub", now)
			case it.State == Doing && !now.Before(it.Begun.Add(it.Wait)):
				it.set(Done, "hub", it.Begun.Add(it.Wait))
			default:
				continue
			}
			moved, again = true, true
		}
	}
	return moved
}

// Due gives when an item must be done; zero when it has no such time yet.
func (c Checklist) Due(it *Item) time.Time {
	if it.Within <= 0 || it.State.Over() || !c.Ready(it) {
		return time.Time{}
	}
	from := c[0].Since
	for _, id := range it.After {
		if before, ok := c.Find(id); ok && before.Since.After(from) {
			from = before.Since
		}
	}
	if it.State == Doing {
		from = it.Begun
	}
	return from.Add(it.Within)
}

// Standing is how a checklist stands: how many items are open, and whether one failed.
func (c Checklist) Standing() (open int, failed bool) {
	for _, it := range c {
		if !it.State.Over() {
			open++
		}
		failed = failed || it.State == Broken
	}
	return open, failed
}
