package status

import (
	"fmt"
	"time"
)

// judge makes the verdict of a monitor from what its locations say now. p is
// the location that moved, nil when it was time alone.
func (e *engine) judge(m *watched, p *place, now time.Time) {
	a := m.agreement()
	flapping := false
	if a.level != m.raw {
		from := m.raw
		m.raw = a.level
		m.flap, flapping = m.flap.moved(*m.rule, from, a.level, now)
		if p != nil {
			e.save(m, p, now)
		}
	}
	since := a.since
	if a.of == 0 { // nothing is known from when the next result was due
		since = m.newest().Add(m.def.Interval)
	}
	since = later(earlier(since, now), m.since)
	t := telling{Agree: a, Since: since, Reason: m.held}
	if a.level == LevelDown || a.level == LevelSlow {
		t.Reason = m.reason
	}
	if p != nil {
		t.Place = p.location
		t.Count, t.Asked = p.streak.Fails, m.ruleNow(now).Confirm
	}
	held := ""
	switch {
	case flapping:
		held = fmt.Sprintf("flapping: %d changes within %s; shown at its worst until steady for %s",
			m.rule.FlapCount, m.rule.FlapWithin, m.rule.FlapWithin/calmPart)
	case a.short && !m.short:
		held = fmt.Sprintf("quorum missing: %d of %d locations see trouble, %d must agree", a.bad, a.of, a.need)
	}
	m.short = a.short
	level := m.flap.shows(a.level)
	if level != m.level {
		e.change(m, level, since, held, t, now)
		return
	}
	if held != "" {
		m.stands = held
		e.decide(m, now, since, level, held, t)
	}
}

// calmed gives a monitor that flapped its real level back, dated back to the
// last change: since then it was steady.
func (e *engine) calmed(m *watched, now time.Time) {
	a := m.agreement()
	t := telling{Agree: a, Since: later(a.since, m.since), Reason: "steady again"}
	for i := range m.places {
		e.save(m, &m.places[i], now)
	}
	m.stands = ""
	switch {
	case a.of == 0: // nothing is known of it any more, which was said
	case a.level != m.level:
		e.change(m, a.level, t.Since, "", t, now)
	default:
		e.decide(m, now, now, m.level, "", t)
	}
}

// change moves a monitor to a level and its component with it.
func (e *engine) change(m *watched, level Level, since time.Time, held string, t telling, now time.Time) {
	from, told := m.level, m.told
	m.before, m.level, m.since = from, level, since
	m.told, m.awaited = true, time.Time{}
	if c := m.of; c != nil {
		if parent := e.parent(c); parent != nil && (level == LevelDown || level == LevelSlow) {
			held = fmt.Sprintf("suppressed: needs %s, which is down", parent.def.ID)
		}
		e.reconsider(c, since, now)
	}
	m.stands = held
	if told || level != LevelUp { // the first good result after a start needs no explanation
		e.decide(m, now, since, from, held, t)
	}
}

// decide writes a line into the diary of a monitor: from a level to the one it
// has now, and why nothing follows from it when it is held.
func (e *engine) decide(m *watched, now, effective time.Time, from Level, held string, t telling) {
	t.Monitor, t.Kind, t.Level, t.Cause, t.Zone, t.Text = m.def.ID, m.def.Kind, m.level, m.cause, e.zone, m.rule.PublicText
	d := Decision{
		ID: e.newID(), Monitor: m.def.Key, At: now, Effective: effective.UTC().Truncate(time.Microsecond),
		From: from, To: m.level, Held: held, Staff: t.staff(),
	}
	if m.of != nil {
		d.Component = m.of.def.Key
	}
	if from != m.level && m.of != nil {
		d.Public = t.diary()
	}
	e.outbox.decide(d)
}

// parent gives the need of a component that is down, if there is one.
func (e *engine) parent(c *judged) *judged {
	return parentDown(c.def.Needs, func(id string) *judged { return e.ids[id] })
}

// reconsider makes the observed status of a component anew from a moment on.
func (e *engine) reconsider(c *judged, from, now time.Time) {
	for _, t := range c.points(from) {
		status, by := c.at(t)
		e.observe(c, t, status, by, now)
	}
}

// observe moves the observed track, and offers the move to the page.
func (e *engine) observe(c *judged, t time.Time, status Status, by lead, now time.Time) {
	l := &c.observed
	if l.status() == status && (len(l.tail) == 0 || !t.Before(l.open().From)) {
		return
	}
	move := e.word(c, later(t, l.base().From), status, by)
	got, changed := e.enter(c, l, move)
	if !changed {
		return
	}
	got.From = later(got.From, move.From)
	e.show(c, c.page.offer(c.def, got, now))
	if !c.page.due.IsZero() {
		e.due[c] = struct{}{}
	}
}

// word makes the span that says why a component has a status.
func (e *engine) word(c *judged, from time.Time, status Status, by lead) Span {
	s := Span{Track: Observed, From: from, Status: status, Origin: ByMachine}
	if status == NotMeasured {
		s.Origin, s.Cause = BySystem, CauseSelf
	}
	t := telling{Status: status, Since: from, Zone: e.zone, Level: by.level}
	m := by.monitor
	if m == nil {
		s.Staff = "no monitor watches it"
		s.Public = t.public()
		return s
	}
	t.Monitor, t.Kind = m.def.ID, m.def.Kind
	if wrong(status) {
		s.Cause = m.cause
		if by.level == LevelSlow && m.cause == CauseNone {
			s.Cause = CauseSlowAnswer
		}
		t.Cause, t.Reason, t.Text = s.Cause, m.reason, m.rule.PublicText
		if parent := e.parent(c); parent != nil {
			s.Ref = "component/" + parent.def.Key
			t.Needs = true
			if parent.def.Public && parent.page.ledger.status().Outage() {
				t.Parent = parent.def.Name
			}
		}
	}
	s.Staff, s.Public = t.staff(), t.public()
	return s
}

// enter puts a span into one of a component's ledgers.
func (e *engine) enter(c *judged, l *ledger, s Span) (Span, bool) {
	s.ID, s.Component = e.newID(), c.def.Key
	got, changed := l.splice(s)
	if changed {
		e.outbox.touch(c)
	}
	return got, changed
}

// show puts moves on the page, none of them before its floor.
func (e *engine) show(c *judged, moves []Span) {
	for _, s := range moves {
		s.Track, s.Version, s.To = Published, 0, time.Time{}
		s.From = later(s.From, c.page.floor)
		e.enter(c, &c.page.ledger, s)
	}
}

// maintain begins maintenance on a component.
func (e *engine) maintain(c *judged, ref string, from time.Time) {
	if !c.page.begin(ref) || c.page.ledger.open().Origin == ByMaintenance {
		return
	}
	c.page.floor = later(c.page.floor, from)
	e.enter(c, &c.page.ledger, Span{
		Track: Published, From: from, Status: UnderMaintenance, Origin: ByMaintenance, Ref: ref,
		Public: "Planned maintenance since " + clockTime(from, e.zone) + ".", Staff: "in maintenance: " + ref,
	})
}

// reopen ends maintenance on a component: the page says what people say of it,
// or else what checks say.
func (e *engine) reopen(c *judged, ref string, at time.Time) {
	if c.page.finish(ref) {
		e.uncover(c, at)
	}
}

// confirm publishes what checks see: a person said that it is so.
func (e *engine) confirm(c *judged) { e.show(c, c.page.release()) }
