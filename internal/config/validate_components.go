package config

import (
	"slices"
	"strings"
)

// componentTree checks groups and components: ids, renames, who needs whom.
func (c *checker) componentTree() {
	f, s := c.f, c.at("")
	if n := len(f.Groups); n > MaxGroups {
		s.add("groups", "", "%d groups are more than the %d that are allowed", n, MaxGroups)
		return
	}
	if n := len(f.Components); n > MaxComponents {
		s.add("components", "", "%d components are more than the %d that are allowed", n, MaxComponents)
		return
	}
	groups := newIDs("a group")
	for i, g := range f.Groups {
		groups.take(s.in("groups", i), g.ID)
		s.in("groups", i).oneLine(".name", g.Name, MaxName)
	}
	for i, g := range f.Groups {
		groups.rename(s.in("groups", i), g.ID, g.Was)
	}
	components := newIDs("a component")
	for i, x := range f.Components {
		components.take(s.in("components", i), x.ID)
		c.components = append(c.components, x.ID)
		c.defined[x.ID] = true
		s.in("components", i).component(x)
	}
	for i, x := range f.Components {
		components.rename(s.in("components", i), x.ID, x.Was)
	}
	c.needs()
}

func (s spot) component(x Component) {
	s.oneLine(".name", x.Name, MaxName)
	s.text(".description", x.Description, MaxText)
	if x.Group != "" {
		s.idOK(".group", x.Group)
	}
	s.webURL(".runbook", x.Runbook)
	if n := len(x.Aliases); n > MaxAliases {
		s.add(".aliases", "", "%d are more than the %d that are allowed", n, MaxAliases)
	}
	for i, alias := range x.Aliases {
		if strings.TrimSpace(alias) == "" {
			s.in(".aliases", i).add("", "remove it", "an alias needs a word")
		}
		s.in(".aliases", i).oneLine("", alias, MaxName)
	}
	s.oneOf(".publish", x.Publish, "auto", "after_confirm", "manual")
	if x.PublishAfter != 0 && x.Publish != "after_confirm" {
		s.add(".publish_after", "add publish: after_confirm, or remove it", "only publish: after_confirm waits")
	}
}

// isComponent checks that an id is one of the file's components.
func (s spot) isComponent(key, id string) {
	if !s.defined[id] && !s.full() {
		s.add(key, didYouMean(id, s.components, "define it under components"), "there is no component %q", clip(id))
	}
}

// needs checks the dependencies and names every cycle once.
func (c *checker) needs() {
	at := make(map[string]int, len(c.components))
	for i, id := range c.components {
		if _, taken := at[id]; !taken { // of two with one id the first counts; the second is a problem of its own
			at[id] = i
		}
	}
	for i, x := range c.f.Components {
		for j, need := range x.Needs {
			s := c.at("").in("components", i).in(".needs", j)
			if _, known := at[need]; !known {
				s.isComponent("", need)
			} else if slices.Contains(x.Needs[:j], need) {
				s.add("", "remove it", "%s is named twice", need)
			}
		}
	}
	const (
		unseen = iota
		underway
		done
	)
	state := make([]int, len(c.components))
	var trail []string
	var walk func(i int)
	walk = func(i int) {
		state[i] = underway
		trail = append(trail, c.components[i])
		for j, need := range c.f.Components[i].Needs {
			next, known := at[need]
			switch {
			case !known:
			case state[next] == unseen:
				walk(next)
			case state[next] == underway:
				cycle := append(slices.Clone(trail[slices.Index(trail, need):]), need)
				if len(cycle) > maxCycleShown {
					cycle = slices.Replace(cycle, maxCycleShown/2, len(cycle)-maxCycleShown/2, "…")
				}
				c.at("").in("components", i).in(".needs", j).add("", "remove one of these needs",
					"components need one another in a circle: %s", strings.Join(cycle, " → "))
			}
		}
		trail = trail[:len(trail)-1]
		state[i] = done
	}
	for i := range c.components {
		if state[i] == unseen {
			walk(i)
		}
	}
}

// maxCycleShown is how many components of a circle a problem names.
const maxCycleShown = 12
