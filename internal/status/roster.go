package status

import (
	"slices"
	"time"
)

// saved is what SQL knows when the engine begins.
type saved struct {
	catalog *Catalog
	streaks []Streak
	open    []Span
	trouble map[string]bool // by component key: the page showed trouble before it stopped being measured
	alive   time.Time       // zero: never
	people  spoken
}

// newEngine makes an engine from what was saved. The time from the last sign of
// life until now is not measured; streaks go on where they were.
func newEngine(s saved, now time.Time, newID func() string, ask func()) *engine {
	e := &engine{
		catalog: &Catalog{}, monitors: map[string]*watched{}, components: map[string]*judged{}, ids: map[string]*judged{},
		due: map[*judged]struct{}{}, gone: map[string]*judged{}, newID: newID, ask: ask, zone: time.UTC,
	}
	for i := range s.open {
		e.takeUp(s.open[i])
	}
	for key := range s.trouble {
		if c := e.components[key]; c != nil {
			c.page.trouble = true
		}
	}
	e.define(s.catalog, byMonitor(s.streaks), now)
	from := s.alive
	if from.IsZero() || from.After(now) {
		from = now
	}
	e.gap(from, now)
	e.hear(s.people, now)
	return e
}

// takeUp takes over an open span.
func (e *engine) takeUp(s Span) {
	c := e.components[s.Component]
	if c == nil {
		c = &judged{def: &Component{Key: s.Component}}
		e.components[s.Component] = c
	}
	if s.Track == Observed {
		c.observed.stored = s
		return
	}
	c.page.ledger.stored = s
	c.page.trouble = wrong(s.Status)
	c.page.says = s
	switch s.Origin {
	case ByMaintenance:
		c.page.works = []string{s.Ref}
	case ByHuman:
		c.page.stated = []Statement{{Component: s.Component, Status: s.Status, Ref: s.Ref, From: s.From}}
		c.page.trouble = false // a statement that still holds says so again
	default:
		return
	}
	c.page.says = Span{Track: Published, From: s.From, Status: NotMeasured, Origin: BySystem, Cause: CauseSelf}
}

// define makes the catalog what is watched. Monitors and components that stay
// keep all that is known of them, by key; what is gone is not measured from now.
func (e *engine) define(cat *Catalog, streaks map[string][]Streak, now time.Time) {
	e.settle(now.Add(SentinelWait)) // nothing waits across a change
	e.catalog, e.zone = cat, siteZone(cat.Site)
	before := e.components
	e.components = make(map[string]*judged, len(cat.Components))
	e.ids = make(map[string]*judged, len(cat.Components))
	for i := range cat.Components {
		def := &cat.Components[i]
		c := before[def.Key]
		if c == nil {
			c = e.gone[def.Key] // taken up again before its end was written
		}
		if c == nil {
			c = &judged{}
		}
		delete(before, def.Key)
		delete(e.gone, def.Key)
		c.def, c.monitors = def, nil
		e.components[def.Key], e.ids[def.ID] = c, c
	}
	for _, c := range before {
		e.retire(c, now)
	}
	watching, rules := e.monitors, ruleBook{}
	e.monitors = make(map[string]*watched, len(cat.Monitors))
	for i := range cat.Monitors {
		def := &cat.Monitors[i]
		var of *judged
		if !def.Sentinel {
			of = e.ids[def.Component]
		}
		m := watching[def.Key]
		if m == nil {
			m = watch(def, of, rules.of(def), streaks[def.Key])
		} else {
			m = m.redefined(def, of, rules.of(def))
		}
		e.monitors[def.Key] = m
		if of != nil {
			of.monitors = append(of.monitors, m)
		}
	}
	e.enlistSentinels(cat)
	for i := range cat.Components {
		c := e.ids[cat.Components[i].ID]
		e.begin(c, now)
		e.reconsider(c, now, now)
	}
}

// ruleBook holds each rule once: of ten thousand monitors most have the same.
type ruleBook map[Rule]*Rule

// of gives the rule of a monitor with its defaults.
func (b ruleBook) of(def *Monitor) *Rule {
	rule := def.Rule.Defaults()
	if b[rule] == nil {
		b[rule] = &rule
	}
	return b[rule]
}

// redefined gives the monitor under a new definition. Locations that stay keep
// their streaks; the verdict stands until results or time change it.
func (m *watched) redefined(def *Monitor, of *judged, rule *Rule) *watched {
	m.def, m.of, m.rule = def, of, rule
	same := slices.EqualFunc(m.places, def.Locations, func(p place, loc string) bool { return p.location == loc })
	if same {
		return m
	}
	places := make([]place, len(def.Locations))
	for i, loc := range def.Locations {
		places[i] = place{location: loc, streak: count{Level: LevelUnknown}}
		if p := m.place(loc); p != nil {
			places[i] = *p
		}
	}
	m.places = places
	return m
}

// enlistSentinels lists the sentinels, keeping what they said last.
func (e *engine) enlistSentinels(cat *Catalog) {
	var now sentinels
	for i := range cat.Monitors {
		m := &cat.Monitors[i]
		if !m.Sentinel {
			continue
		}
		for _, loc := range m.Locations {
			s := sentinel{monitor: m.Key, location: loc, interval: m.Interval}
			for _, old := range e.sentinels {
				if old.monitor == s.monitor && old.location == loc {
					s.started, s.failed = old.started, old.failed
				}
			}
			now = append(now, s)
		}
	}
	e.sentinels = now
}

// begin opens the timelines of a component that has none: not measured since it exists.
func (e *engine) begin(c *judged, now time.Time) {
	from := c.def.CreatedAt
	if from.IsZero() || from.After(now) {
		from = now
	}
	blank := e.blank(from, "not watched before")
	if c.observed.open().ID == "" {
		e.enter(c, &c.observed, blank)
	}
	if c.page.ledger.open().ID == "" {
		blank.Track = Published
		c.page.says = blank
		e.enter(c, &c.page.ledger, blank)
	}
}

// retire ends the timelines of a component that is no longer defined.
func (e *engine) retire(c *judged, now time.Time) {
	c.monitors = nil
	c.page.works, c.page.stated, c.page.held, c.page.due = nil, nil, nil, time.Time{}
	delete(e.due, c)
	blank := e.blank(now, "removed")
	if c.observed.status() != NotMeasured {
		e.enter(c, &c.observed, blank)
	}
	if blank.Track = Published; c.page.ledger.status() != NotMeasured {
		e.enter(c, &c.page.ledger, blank)
	}
	if c.dirty {
		e.gone[c.def.Key] = c
	}
}

// siteZone gives the zone of the page, UTC where it is not known.
func siteZone(s Site) *time.Location {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// byMonitor sorts streaks by the monitor they belong to.
func byMonitor(streaks []Streak) map[string][]Streak {
	m := map[string][]Streak{}
	for _, s := range streaks {
		m[s.Monitor] = append(m[s.Monitor], s)
	}
	return m
}

// defines reports whether a catalog has a component, by key.
func defines(cat *Catalog, key string) bool {
	return slices.ContainsFunc(cat.Components, func(c Component) bool { return c.Key == key })
}
