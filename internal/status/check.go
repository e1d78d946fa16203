package status

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/problem"
)

// Limits of a definition.
const (
	MaxID         = 64
	MaxConfirm    = 100 // of confirm, recover, slow_for and flap changes
	MaxInterval   = 24 * time.Hour
	MinInterval   = time.Second
	MaxFlapWithin = 24 * time.Hour
	MinFlapWithin = time.Minute
)

var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// check finds everything that is wrong with a definition. calendar may be nil
// where recurring windows cannot be checked.
func check(def Definition, calendar Calendar, now time.Time) problem.Errors {
	var es problem.Errors
	add := func(field, format string, args ...any) { es = append(es, problem.Invalid(field, format, args...)) }
	checkSite(def.Site, add)

	groups, comps := map[string]bool{}, map[string]bool{}
	names := make([]named, len(def.Groups))
	for i, g := range def.Groups {
		groups[g.ID] = true
		names[i] = named{fmt.Sprintf("groups[%d]", i), g.ID, g.Was}
	}
	checkNames(names, add)

	names = make([]named, len(def.Components))
	for i, c := range def.Components {
		comps[c.ID] = true
		names[i] = named{fmt.Sprintf("components[%d]", i), c.ID, c.Was}
	}
	checkNames(names, add)
	for i, c := range def.Components {
		checkComponent(fmt.Sprintf("components[%d]", i), c, groups, comps, add)
	}
	checkCycles(def.Components, add)

	names = make([]named, len(def.Monitors))
	for i, m := range def.Monitors {
		names[i] = named{fmt.Sprintf("monitors[%d]", i), m.ID, m.Was}
		checkMonitor(names[i].field, m.Monitor, comps, add)
	}
	checkNames(names, add)

	names = make([]named, len(def.Windows))
	for i, w := range def.Windows {
		names[i] = named{fmt.Sprintf("maintenance[%d]", i), w.ID, def.WindowsWas[w.ID]}
		checkWindow(names[i].field, w, comps, calendar, now, add)
	}
	checkNames(names, add)
	return es
}

type complain func(field, format string, args ...any)

// named is one thing with an id, as far as names can clash.
type named struct{ field, id, was string }

// checkNames finds malformed and double ids, and renames that clash.
func checkNames(things []named, add complain) {
	ids, from := map[string]bool{}, map[string]bool{}
	for _, t := range things {
		switch {
		case !idShape.MatchString(t.id) || len(t.id) > MaxID:
			add(t.field+".id", "%q is no id: use up to %d lower-case letters, digits and hyphens.", t.id, MaxID)
		case ids[t.id]:
			add(t.field+".id", "%q is used twice.", t.id)
		}
		ids[t.id] = true
	}
	for _, t := range things {
		switch {
		case t.was == "":
			continue
		case ids[t.was]:
			add(t.field+".was", "%q is still the id of something; give the rename an id that is free.", t.was)
		case from[t.was]:
			add(t.field+".was", "%q was renamed twice.", t.was)
		}
		from[t.was] = true
	}
}

func checkSite(s Site, add complain) {
	if _, err := time.LoadLocation(s.Zone); err != nil {
		add("page.time_zone", "%q is no time zone; write it like Europe/Berlin.", s.Zone)
	}
	for _, w := range []struct {
		name  string
		value float64
	}{{"major", s.Weights.Major}, {"partial", s.Weights.Partial}, {"degraded", s.Weights.Degraded}} {
		if !(w.value >= 0 && w.value <= 1) {
			add("page.uptime."+w.name, "must be from 0 to 1.")
		}
	}
}

func checkComponent(field string, c DefinedComponent, groups, comps map[string]bool, add complain) {
	if c.Group != "" && !groups[c.Group] {
		add(field+".group", "there is no group %q.", c.Group)
	}
	seen := map[string]bool{}
	for _, need := range c.Needs {
		switch {
		case need == c.ID:
			add(field+".needs", "%q needs itself.", need)
		case !comps[need]:
			add(field+".needs", "there is no component %q.", need)
		case seen[need]:
			add(field+".needs", "%q is named twice.", need)
		}
		seen[need] = true
	}
	switch c.Publish {
	case "", PublishAuto, PublishAfterConfirm, PublishManual:
	default:
		add(field+".publish", "%q is not auto, after_confirm or manual.", c.Publish)
	}
	if c.PublishAfter < 0 {
		add(field+".publish_after", "must not be negative.")
	}
}

// checkCycles names every circle of needs once, as it runs.
func checkCycles(comps []DefinedComponent, add complain) {
	const unseen, open, done = 0, 1, 2
	index, state := map[string]int{}, make([]int, len(comps))
	for i, c := range comps {
		index[c.ID] = i
	}
	var path []string
	var visit func(i int)
	visit = func(i int) {
		state[i] = open
		path = append(path, comps[i].ID)
		for _, need := range comps[i].Needs {
			j, ok := index[need]
			if !ok || j == i {
				continue
			}
			switch state[j] {
			case unseen:
				visit(j)
			case open:
				circle := append(slices.Clone(path[slices.Index(path, need):]), need)
				add(fmt.Sprintf("components[%d].needs", i), "goes round in a circle: %s.", strings.Join(circle, " needs "))
			}
		}
		path = path[:len(path)-1]
		state[i] = done
	}
	for i := range comps {
		if state[i] == unseen {
			visit(i)
		}
	}
}

func checkMonitor(field string, m Monitor, comps map[string]bool, add complain) {
	switch {
	case m.Sentinel && m.Component != "":
		add(field+".component", "a sentinel belongs to no component.")
	case !m.Sentinel && !comps[m.Component]:
		add(field+".component", "there is no component %q.", m.Component)
	}
	if m.Interval < MinInterval || m.Interval > MaxInterval {
		add(field+".interval", "must be from %s to %s.", MinInterval, MaxInterval)
	}
	if len(m.Locations) == 0 {
		add(field+".locations", "must name at least one location.")
	}
	if len(slices.Compact(slices.Sorted(slices.Values(m.Locations)))) != len(m.Locations) {
		add(field+".locations", "names a location twice.")
	}
	r := m.Rule
	for _, n := range []struct {
		name  string
		value int
	}{{"confirm", r.Confirm}, {"recover", r.Recover}, {"slow_for", r.SlowFor}, {"flap.changes", r.FlapCount}} {
		if n.value < 0 || n.value > MaxConfirm {
			add(field+"."+n.name, "must be from 1 to %d.", MaxConfirm)
		}
	}
	if r.FlapCount == 1 {
		add(field+".flap.changes", "must be at least 2: one change is no flapping.")
	}
	if r.Slow < 0 {
		add(field+".slow", "must not be negative.")
	}
	if r.Quorum < 0 || r.Quorum > len(m.Locations) {
		add(field+".quorum", "must be from 1 to the number of locations, %d.", len(m.Locations))
	}
	switch r.Fails {
	case "", Degraded, PartialOutage, MajorOutage:
	default:
		add(field+".fails", "%q is not degraded_performance, partial_outage or major_outage.", r.Fails)
	}
	if r.FlapWithin != 0 && (r.FlapWithin < MinFlapWithin || r.FlapWithin > MaxFlapWithin) {
		add(field+".flap.within", "must be from %s to %s.", MinFlapWithin, MaxFlapWithin)
	}
}

func checkWindow(field string, w Window, comps map[string]bool, calendar Calendar, now time.Time, add complain) {
	if len(w.Components) == 0 {
		add(field+".components", "must name at least one component.")
	}
	for _, id := range w.Components {
		if !comps[id] {
			add(field+".components", "there is no component %q.", id)
		}
	}
	if w.RRule == "" {
		if !w.From.Before(w.To) {
			add(field+".to", "must be after from.")
		}
		return
	}
	if w.Duration <= 0 {
		add(field+".duration", "must be more than nothing.")
	}
	if calendar == nil {
		return
	}
	if _, err := calendar.Between(w.RRule, w.Zone, w.Start, now, now.AddDate(0, 0, 1)); err != nil {
		add(field+cmp.Or(fieldOf(err), ".rrule"), "%s", problem.Public(err))
	}
}

// fieldOf gives the field that an error of the calendar names, with a dot before it.
func fieldOf(err error) string {
	if e, ok := err.(*problem.Error); ok && e.Field != "" {
		return "." + e.Field
	}
	return ""
}
