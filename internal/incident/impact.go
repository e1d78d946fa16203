package incident

import (
	"slices"
	"time"

	"evenkeel/internal/problem"
)

// rank orders impacts.
var rank = map[Impact]int{ImpactNone: 0, ImpactMinor: 1, ImpactMajor: 2, ImpactCritical: 3}

// Valid reports whether it is one of the impacts.
func (m Impact) Valid() bool { _, ok := rank[m]; return ok }

// Worse reports whether m is worse than n.
func (m Impact) Worse(n Impact) bool { return rank[m] > rank[n] }

// grades orders what can be said of a component, and says what can.
var grades = map[string]int{"operational": 1, "degraded_performance": 2, "partial_outage": 3, "major_outage": 4}

// wrong reports whether a status is trouble.
func wrong(status string) bool { return grades[status] > 1 }

// weigh sets the impact from the components, unless a person set it: the worst
// of what is said now while it lasts, the worst of all when it is over.
func (i *Incident) weigh() {
	now := ImpactNone
	for _, a := range i.Components {
		if m := ImpactOf(a.Status); m.Worse(now) {
			now = m
		}
	}
	if i.Worst == "" || now.Worse(i.Worst) {
		i.Worst = now
	}
	switch {
	case i.Overridden:
	case i.Open():
		i.Impact = now
	default:
		i.Impact = i.Worst
	}
}

// says takes what is said of components: those named change or are added, the
// others stay. It gives the changes. Errors: Invalid.
func (i *Incident) says(list []Affected, known map[string]Component, at time.Time) ([]Change, error) {
	var changes []Change
	for _, a := range list {
		if _, ok := known[a.Component]; !ok {
			return nil, problem.Invalid("components", "There is no component %q.", a.Component)
		}
		if grades[a.Status] == 0 && a.Status != "" {
			return nil, problem.Invalid("components", "%q is no status of a component.", a.Status)
		}
		is := i.affected(a.Component)
		if is == nil {
			if len(i.Components) >= MaxComponents {
				return nil, problem.TooMany("An incident affects at most %d components.", MaxComponents)
			}
			i.Components = append(i.Components, Affected{Component: a.Component, Since: at, Observed: measured(known[a.Component].Observed)})
			is = &i.Components[len(i.Components)-1]
		}
		if is.Status != a.Status {
			changes = append(changes, Change{Component: a.Component, From: before(is.Status), To: a.Status})
			is.Status, is.Since = a.Status, at
		}
	}
	return changes, nil
}

// measured is what checks say, "" when they cannot tell.
func measured(status string) string {
	if grades[status] == 0 {
		return ""
	}
	return status
}

// before is what a component was when nothing was said of it: well.
func before(status string) string {
	if status == "" {
		return "operational"
	}
	return status
}

// recovered gives the changes that the end of the incident means: whatever it
// said, it says no longer.
func (i *Incident) recovered() []Change {
	var changes []Change
	for _, a := range i.Components {
		if wrong(a.Status) {
			changes = append(changes, Change{Component: a.Component, From: a.Status, To: "operational"})
		}
	}
	return changes
}

// duplicates refuses a list that names a component twice. Errors: Invalid.
func duplicates(list []Affected) error {
	keys := keysOf(list)
	slices.Sort(keys)
	for n := 1; n < len(keys); n++ {
		if keys[n] == keys[n-1] {
			return problem.Invalid("components", "The component %q is named twice.", keys[n])
		}
	}
	return nil
}
