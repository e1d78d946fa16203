package status

import (
	"cmp"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a change does.
const (
	Added   = "added"
	Changed = "changed"
	Removed = "removed"
	Renamed = "renamed"
)

// Change is one difference between a definition and what is in force.
type Change struct {
	Kind   string // site, group, component, monitor, window
	ID     string
	What   string // added, changed, removed, renamed
	Was    string // the former ID of a rename
	Detail string // what differs, by field name; "" where everything is new or gone
}

// Plan is what Apply would do. It is empty when the definition is in force.
type Plan struct {
	Changes []Change

	site    *Site
	groups  []put[Group]
	comps   []put[Component]
	mons    []put[Monitor]
	windows []put[Window]
	marks   map[string]string // of mons, by key
}

// put is one row to write, with the change that it makes.
type put[T any] struct {
	row    T
	key    string
	change Change
}

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// columns is what plan needs to know of a kind of thing.
type columns[T any] struct {
	kind    string
	key     func(*T) *string
	id      func(*T) *string
	version func(*T) *int64
	removed func(*T) *time.Time
	created func(*T) *time.Time // nil: it has no such field
}

var (
	groupColumns = columns[Group]{"group", func(g *Group) *string { return &g.Key }, func(g *Group) *string { return &g.ID },
		func(g *Group) *int64 { return &g.Version }, func(g *Group) *time.Time { return &g.RemovedAt }, func(g *Group) *time.Time { return &g.CreatedAt }}
	componentColumns = columns[Component]{"component", func(c *Component) *string { return &c.Key }, func(c *Component) *string { return &c.ID },
		func(c *Component) *int64 { return &c.Version }, func(c *Component) *time.Time { return &c.RemovedAt }, func(c *Component) *time.Time { return &c.CreatedAt }}
	monitorColumns = columns[Monitor]{"monitor", func(m *Monitor) *string { return &m.Key }, func(m *Monitor) *string { return &m.ID },
		func(m *Monitor) *int64 { return &m.Version }, func(m *Monitor) *time.Time { return &m.RemovedAt }, func(m *Monitor) *time.Time { return &m.CreatedAt }}
	windowColumns = columns[Window]{"window", func(w *Window) *string { return &w.Key }, func(w *Window) *string { return &w.ID },
		func(w *Window) *int64 { return &w.Version }, func(w *Window) *time.Time { return &w.RemovedAt }, nil}
)

// wish is one thing as the file wants it.
type wish[T any] struct {
	row T
	was string
}

// plan compares what a definition says with everything there ever was (all
// includes what was removed) and lists what must change. The definition must
// have passed check.
func plan(def Definition, all Catalog, marks map[string]string, now time.Time) Plan {
	p := Plan{marks: map[string]string{}}
	if all.Site != def.Site {
		what := Changed
		if all.Site == (Site{}) {
			what = Added
		}
		site := def.Site
		p.site = &site
		c := Change{Kind: "site", ID: "site", What: what}
		if what == Changed {
			c.Detail = differences(all.Site, def.Site)
		}
		p.Changes = append(p.Changes, c)
	}
	groups := make([]wish[Group], len(def.Groups))
	for i, g := range def.Groups {
		groups[i] = wish[Group]{g.Group, g.Was}
	}
	comps := make([]wish[Component], len(def.Components))
	for i, c := range def.Components {
		if c.Publish == "" {
			c.Publish = PublishAuto
		}
		comps[i] = wish[Component]{c.Component, c.Was}
	}
	mons := make([]wish[Monitor], len(def.Monitors))
	wanted := map[string]string{}
	for i, m := range def.Monitors {
		mons[i] = wish[Monitor]{m.Monitor, m.Was}
		wanted[m.ID] = m.Mark
	}
	windows := make([]wish[Window], len(def.Windows))
	for i, w := range def.Windows {
		windows[i] = wish[Window]{w, def.WindowsWas[w.ID]}
	}
	p.groups = compare(groupColumns, groups, all.Groups, now, nil)
	p.comps = compare(componentColumns, comps, all.Components, now, nil)
	p.mons = compare(monitorColumns, mons, all.Monitors, now, func(is, want *Monitor) string {
		if marks[is.Key] != wanted[want.ID] {
			return "how it probes"
		}
		return ""
	})
	byFile, byHand := split(all.Windows)
	p.windows = append(compare(windowColumns, windows, byFile, now, nil), renamed(byHand, p.comps)...)
	for i := range p.windows {
		if w := &p.windows[i]; w.change.What != Added {
			w.row.Sequence++
		}
	}
	for _, m := range p.mons {
		if m.change.What == Removed {
			p.marks[m.key] = marks[m.key]
		} else {
			p.marks[m.key] = wanted[m.change.ID]
		}
	}
	p.Changes = slices.Concat(p.Changes, changes(p.groups), changes(p.comps), changes(p.mons), changes(p.windows))
	return p
}

// split tells the windows of the file from those that were planned at the desk.
func split(windows []Window) (byFile, byHand []Window) {
	for _, w := range windows {
		if w.Hand {
			byHand = append(byHand, w)
		} else {
			byFile = append(byFile, w)
		}
	}
	return byFile, byHand
}

// renamed lets windows that were planned at the desk follow the renames of their components.
func renamed(byHand []Window, comps []put[Component]) []put[Window] {
	now := map[string]string{}
	for _, c := range comps {
		if c.change.What == Renamed {
			now[c.change.Was] = c.change.ID
		}
	}
	var puts []put[Window]
	for _, w := range byHand {
		if !w.RemovedAt.IsZero() || !slices.ContainsFunc(w.Components, func(id string) bool { return now[id] != "" }) {
			continue
		}
		w.Components = slices.Clone(w.Components)
		for i, id := range w.Components {
			w.Components[i] = cmp.Or(now[id], id)
		}
		puts = append(puts, put[Window]{w, w.Key, Change{Kind: "window", ID: w.ID, What: Changed, Detail: "components"}})
	}
	return puts
}

func changes[T any](puts []put[T]) []Change {
	out := make([]Change, len(puts))
	for i, p := range puts {
		out[i] = p.change
	}
	return out
}

// compare lists the rows of one kind that must be written. A wish is what is
// defined now under its ID; else what is defined under its former ID (renamed);
// else what was removed last under its ID, which is taken up again with its
// history; else it is new, under a key that was never used.
func compare[T any](r columns[T], wishes []wish[T], have []T, now time.Time, more func(is, want *T) string) []put[T] {
	live, past, keys := map[string]*T{}, map[string]*T{}, map[string]bool{}
	for i := range have {
		h := &have[i]
		keys[*r.key(h)] = true
		id := *r.id(h)
		if at := *r.removed(h); at.IsZero() {
			live[id] = h
		} else if p := past[id]; p == nil || r.removed(p).Before(at) {
			past[id] = h
		}
	}
	var puts []put[T]
	kept := map[string]bool{}
	for i := range wishes {
		want := &wishes[i].row
		id, was := *r.id(want), wishes[i].was
		c := Change{Kind: r.kind, ID: id, What: Changed}
		is := live[id]
		if is == nil && was != "" && live[was] != nil {
			is, c.What, c.Was = live[was], Renamed, was
		}
		if is == nil && past[id] != nil {
			is, c.What = past[id], Added
		}
		if is == nil {
			*r.key(want) = freeKey(id, keys)
			*r.version(want), *r.removed(want) = 0, time.Time{}
			if r.created != nil {
				*r.created(want) = now
			}
			c.What = Added
			puts = append(puts, put[T]{*want, *r.key(want), c})
			continue
		}
		kept[*r.key(is)] = true
		*r.key(want), *r.version(want) = *r.key(is), *r.version(is)
		*r.removed(want) = time.Time{}
		if r.created != nil {
			*r.created(want) = *r.created(is)
		}
		carry(want, is)
		if c.What != Added {
			c.Detail = differences(*is, *want)
			if c.Detail == "" && more != nil {
				c.Detail = more(is, want)
			}
		}
		if c.What == Changed && c.Detail == "" {
			continue
		}
		puts = append(puts, put[T]{*want, *r.key(want), c})
	}
	for _, id := range slices.Sorted(maps.Keys(live)) {
		is := live[id]
		if kept[*r.key(is)] {
			continue
		}
		gone := *is
		*r.removed(&gone) = now
		puts = append(puts, put[T]{gone, *r.key(is), Change{Kind: r.kind, ID: id, What: Removed}})
	}
	return puts
}

// carry keeps what a row says of itself and the file does not.
func carry(want, is any) {
	if w, ok := want.(*Window); ok {
		w.Sequence = is.(*Window).Sequence
	}
}

// freeKey gives the ID itself, or the ID with the first free number.
func freeKey(id string, taken map[string]bool) string {
	key := id
	for n := 2; taken[key]; n++ {
		key = id + "-" + strconv.Itoa(n)
	}
	taken[key] = true
	return key
}

// wordEnd is where a word of a field's name ends and the next one begins.
var wordEnd = regexp.MustCompile(`([a-z])([A-Z])`)

// differences names the fields that differ, in the spelling of the file.
func differences[T any](is, want T) string {
	a, b := reflect.ValueOf(is), reflect.ValueOf(want)
	var names []string
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		switch name {
		case "Key", "ID", "Version", "CreatedAt", "RemovedAt", "Sequence":
			continue
		}
		if !same(a.Field(i).Interface(), b.Field(i).Interface()) {
			names = append(names, strings.ToLower(wordEnd.ReplaceAllString(name, "${1}_${2}")))
		}
	}
	return strings.Join(names, ", ")
}

// same compares two field values: moments as moments, no list like an empty one.
func same(a, b any) bool {
	switch x := a.(type) {
	case time.Time:
		return x.Equal(b.(time.Time))
	case []string:
		return slices.Equal(x, b.([]string))
	}
	return reflect.DeepEqual(a, b)
}
