package incident

import "evenkeel/internal/problem"

// Event is what can happen to an incident.
type Event string

// The events. The first four are what an update says; the rest are acts of
// their own.
const (
	EventInvestigate Event = "investigate"
	EventIdentify    Event = "identify"
	EventMonitor     Event = "monitor"
	EventResolve     Event = "resolve"
	EventReopen      Event = "reopen" // it was not over after all
	EventReview      Event = "review" // the postmortem is published
	EventDrop        Event = "drop"   // a suspicion that nobody saw and that came to nothing
	EventMerge       Event = "merge"  // another incident takes its place
)

// lifecycle is the whole of it, design section 5: what is not in it is a
// Conflict. The three working states follow one another in any order, because a
// cause that was identified may turn out to be another one. An incident that was
// merged takes no event at all.
var lifecycle = map[State]map[Event]State{
	Suspected: {
		EventInvestigate: Investigating, EventIdentify: Identified, EventMonitor: Monitoring, EventResolve: Resolved,
		EventDrop: Resolved, EventMerge: Suspected,
	},
	Investigating: {
		EventInvestigate: Investigating, EventIdentify: Identified, EventMonitor: Monitoring, EventResolve: Resolved,
		EventMerge: Investigating,
	},
	Identified: {
		EventInvestigate: Investigating, EventIdentify: Identified, EventMonitor: Monitoring, EventResolve: Resolved,
		EventMerge: Identified,
	},
	Monitoring: {
		EventInvestigate: Investigating, EventIdentify: Identified, EventMonitor: Monitoring, EventResolve: Resolved,
		EventMerge: Monitoring,
	},
	Resolved: {
		EventResolve: Resolved, // one more word afterwards
		EventReopen:  Investigating, EventReview: Postmortem, EventMerge: Resolved,
	},
	Postmortem: {
		EventReview: Postmortem, // published anew
		EventReopen: Investigating, EventMerge: Postmortem,
	},
}

// saying gives the event that an update into a state is. Errors: Invalid for a
// state that no update can put an incident into.
func saying(s State) (Event, error) {
	switch s {
	case Investigating:
		return EventInvestigate, nil
	case Identified:
		return EventIdentify, nil
	case Monitoring:
		return EventMonitor, nil
	case Resolved:
		return EventResolve, nil
	default:
		return "", problem.Invalid("state", "An update says investigating, identified, monitoring or resolved, not %q.", s)
	}
}

// After gives the state that follows an event, and whether it fits at all.
func (s State) After(e Event) (State, bool) {
	next, ok := lifecycle[s][e]
	return next, ok
}

// after is After for an incident. Errors: Conflict when the event does not fit.
func (i *Incident) after(e Event) (State, error) {
	if i.MergedInto != "" {
		return "", problem.Conflict("%s was merged into another incident.", i.Label())
	}
	next, ok := i.State.After(e)
	if !ok {
		return "", problem.Conflict("An incident that is %s cannot %s.", i.State, e)
	}
	return next, nil
}
