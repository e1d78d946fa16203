package ticket

import "evenkeel/internal/problem"

// Event is what can happen to a ticket.
type Event string

// The events.
const (
	Hear   Event = "hear"   // the requester wrote
	Speak  Event = "speak"  // we answered, and say nothing of whose turn it is
	Take   Event = "take"   // somebody of ours has it: our turn
	Wait   Event = "wait"   // the requester's turn
	Hold   Event = "hold"   // somebody else's turn
	Solve  Event = "solve"  // done, unless the requester says otherwise
	Close  Event = "close"  // over
	Reopen Event = "reopen" // not done after all
	Merge  Event = "merge"  // another ticket takes its place
)

// lifecycle is the whole of it, design section 5: what is not in it is a
// Conflict. A ticket that was merged takes no event at all.
var lifecycle = map[State]map[Event]State{
	New: {
		Hear: New, Speak: Open, Take: Open, Wait: Pending, Hold: OnHold, Solve: Solved, Close: Closed, Merge: Closed,
	},
	Open: {
		Hear: Open, Speak: Open, Take: Open, Wait: Pending, Hold: OnHold, Solve: Solved, Close: Closed, Merge: Closed,
	},
	Pending: {
		Hear: Open, Speak: Pending, Take: Open, Wait: Pending, Hold: OnHold, Solve: Solved, Close: Closed, Merge: Closed,
	},
	OnHold: {
		Hear: Open, Speak: OnHold, Take: Open, Wait: Pending, Hold: OnHold, Solve: Solved, Close: Closed, Merge: Closed,
	},
	Solved: {
		Hear: Open, Speak: Solved, Solve: Solved, Close: Closed, Reopen: Open, Merge: Closed,
	},
	Closed: {
		Hear: Open, Speak: Closed, Close: Closed, Reopen: Open, Merge: Closed,
	},
}

// After gives the state that follows an event, and whether it fits at all.
func (s State) After(e Event) (State, bool) {
	next, ok := lifecycle[s][e]
	return next, ok
}

// Over reports whether nothing is left to do.
func (s State) Over() bool { return s == Solved || s == Closed }

// towards gives the event that brings a ticket into a state. Errors: Invalid for
// a state that nobody can put it into.
func (t *Ticket) towards(s State) (Event, error) {
	switch s {
	case Open:
		if t.State.Over() {
			return Reopen, nil
		}
		return Take, nil
	case Pending:
		return Wait, nil
	case OnHold:
		return Hold, nil
	case Solved:
		return Solve, nil
	case Closed:
		return Close, nil
	default:
		return "", problem.Invalid("state", "A ticket becomes open, pending, on_hold, solved or closed, not %q.", s)
	}
}

// after gives the state that follows an event. Errors: Conflict when it does not fit.
func (t *Ticket) after(e Event) (State, error) {
	next, ok := t.State.After(e)
	switch {
	case t.MergedInto != "":
		return "", problem.Conflict("This ticket was merged into another.")
	case !ok:
		return "", problem.Conflict("A ticket that is %s cannot %s.", t.State, e)
	}
	return next, nil
}
