package config

import (
	"maps"
	"slices"
	"strings"
)

// watched checks monitors, sentinels and blackbox modules.
func (c *checker) watched() {
	f, s := c.f, c.at("")
	if n := len(f.Monitors); n > MaxMonitors {
		s.add("monitors", "", "%d monitors are more than the %d that are allowed", n, MaxMonitors)
		return
	}
	if n := len(f.Sentinels); n > MaxSentinels {
		s.add("sentinels", "two or three are enough", "%d sentinels are more than the %d that are allowed", n, MaxSentinels)
		return
	}
	locations := []string{LocalLocation}
	for _, l := range f.Locations {
		locations = append(locations, l.ID)
	}
	names := newIDs("a monitor") // sentinels share them: both stand in metrics and keys
	for i := range f.Monitors {
		m, at := &f.Monitors[i], s.in("monitors", i)
		names.take(at, m.ID)
		if m.Component == "" {
			at.add(".component", "the id of the component it checks", "a monitor needs a component")
		} else {
			at.isComponent(".component", m.Component)
		}
		if i >= c.settled {
			at.monitor(m, locations)
		}
	}
	for i := range f.Sentinels {
		m, at := &f.Sentinels[i], s.in("sentinels", i)
		names.take(at, m.ID)
		if m.Component != "" {
			at.add(".component", "remove it", "a sentinel belongs to no component: it tells whether we are connected ourselves")
		}
		at.monitor(m, locations)
	}
	for i := range f.Monitors {
		names.rename(s.in("monitors", i), f.Monitors[i].ID, f.Monitors[i].Was)
	}
	for i := range f.Sentinels {
		names.rename(s.in("sentinels", i), f.Sentinels[i].ID, f.Sentinels[i].Was)
	}
	for _, name := range sortedKeys(f.Blackbox.Modules) {
		m, at := f.Blackbox.Modules[name], c.at("blackbox.modules."+name)
		at.options(&m, "url", "target") // these come with the request
		if m.ID != "" || m.Component != "" {
			at.add("", "remove id and component", "a module is no monitor of its own")
		}
	}
	if f.Blackbox.Enabled && len(f.Blackbox.Allow) == 0 {
		c.at("").add("blackbox.allow", `regular expressions of whole targets, e.g. 'https://[a-z]+\.example\.org/.*'`, "/probe is enabled and may probe nothing")
	}
	for i, expression := range f.Blackbox.Allow {
		s.in("blackbox.allow", i).pattern("", expression)
	}
}

// monitor checks the part of a monitor that makes it one: rhythm and verdict.
func (s spot) monitor(m *Monitor, locations []string) {
	s.oneLine(".name", m.Name, MaxName)
	s.text(".public_text", m.PublicText, MaxText)
	switch {
	case m.Interval < MinInterval:
		s.add(".interval", "", "%s is shorter than the shortest interval, %s", m.Interval, MinInterval)
	case m.Interval > MaxInterval:
		s.add(".interval", "", "%s is longer than the longest interval, %s", m.Interval, MaxInterval)
	case m.Timeout >= m.Interval:
		s.add(".timeout", "a run must be over before the next one is due", "a timeout of %s is not shorter than the interval of %s", m.Timeout, m.Interval)
	}
	s.between(".retries", m.Retries, 0, 10)
	s.between(".confirm", m.Confirm, 1, 100)
	s.between(".recover", m.Recover, 1, 100)
	s.between(".slow_for", m.SlowFor, 1, 100)
	s.between(".flap.changes", m.Flap.Changes, 1, 100)
	s.atMost(".flap.within", m.Flap.Within, MaxInterval)
	if m.Slow != 0 && m.Slow >= m.Timeout {
		s.add(".slow", "", "slow at %s is never seen: the run times out at %s", m.Slow, m.Timeout)
	}
	if m.Fails != "" {
		s.oneOf(".fails", m.Fails, "major_outage", "partial_outage", "degraded_performance")
	}
	for i, id := range m.Locations {
		if !slices.Contains(locations, id) {
			s.in(".locations", i).add("", didYouMean(id, locations, "known: "+strings.Join(locations, ", ")), "there is no location %q", clip(id))
		} else if slices.Contains(m.Locations[:i], id) {
			s.in(".locations", i).add("", "remove it", "%s is named twice", id)
		}
	}
	if m.Quorum < 0 || m.Quorum > len(m.Locations) {
		s.add(".quorum", "leave it out for a majority", "%d of %d locations cannot agree", m.Quorum, len(m.Locations))
	}
	s.options(m)
}

// options checks what a monitor does. That the secrets it names can be had is
// the same for every kind; all else is left to the kind. Keys in later are
// filled in later: that they are missing is no problem.
func (s spot) options(m *Monitor, later ...string) {
	m.eachSecret(func(at string, from *Secret) {
		if from.Given() {
			s.secret("."+at, *from)
		}
	})
	m.eachReference(func(at, name string) {
		if _, ok := s.o.Lookup(name); !ok {
			s.add("."+at, "set it where the hub is started", "the environment variable %s is not set", name)
		}
	})
	switch {
	case m.Kind == "":
		s.add(".kind", "one of "+strings.Join(s.o.Kinds, ", "), "what sort of check is it?")
	case s.o.Kinds != nil && !slices.Contains(s.o.Kinds, m.Kind):
		s.add(".kind", didYouMean(m.Kind, s.o.Kinds, "one of "+strings.Join(s.o.Kinds, ", ")), "there is no kind %q", clip(m.Kind))
	case s.o.CheckMonitor != nil && !s.full():
		for _, p := range s.o.CheckMonitor(*m) {
			if slices.Contains(later, p.Path) {
				continue
			}
			key := p.Path
			if key != "" {
				key = "." + key
			}
			s.add(key, p.Hint, "%s", clipReason(p.Reason))
		}
	}
}

// secret checks that a secret can be had.
func (s spot) secret(key string, from Secret) {
	switch {
	case from.Env != "":
		if value, ok := s.o.Lookup(from.Env); !ok || value == "" {
			s.add(key, "set it where the hub is started", "the environment variable %s is not set", clip(from.Env))
		}
	case from.File != "":
		content, err := s.o.ReadFile(from.File)
		switch {
		case err != nil:
			s.add(key, "the hub's own user must be able to read it", "%v", err)
		case len(strings.TrimSpace(string(content))) == 0:
			s.add(key, "", "the file %s is empty", from.File)
		case len(content) > MaxSecretBytes:
			s.add(key, "", "the file %s is larger than %d bytes", from.File, MaxSecretBytes)
		}
	}
}

// sortedKeys gives the names of a map in order, so that problems come in order too.
func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}
