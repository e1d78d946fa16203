package status

import "time"

const (
	// MaxWaiting bounds the results that wait for sentinels; beyond it a failure
	// is judged by what sentinels said last.
	MaxWaiting = 4096
	// maxJumpLines bounds the decisions that one jump of the clock writes.
	maxJumpLines = 20
)

// engine turns results into verdicts, verdicts into spans, and says why. It does
// no I/O and reads no clock: time comes in with every call, what is to be
// written goes to its outbox. It is not safe for concurrent use; Watch locks it.
type engine struct {
	catalog    *Catalog
	zone       *time.Location
	monitors   map[string]*watched // by key
	components map[string]*judged  // by key
	ids        map[string]*judged  // by ID
	gone       map[string]*judged  // removed components with something left to write, by key
	sentinels  sentinels
	waiting    []waiting
	pass       int
	works      map[string]Occurrence // maintenance, by occurrence ID
	people     spoken                // what people said that still holds
	confirmed  string                // the newest confirmation that was heard, by its entry
	due        map[*judged]struct{}  // components whose held moves have a time limit
	clock      wallClock
	doubtUntil time.Duration // monotonic: until then results are inconclusive
	jumpLines  int           // decisions the present jump may still write
	strangers  uint64        // results of monitors or locations that are not defined
	outbox     outbox
	newID      func() string
	ask        func() // asks for fresh sentinel results; never blocks
}

// waiting is a result that waits for sentinels, or behind one that does.
type waiting struct {
	monitor *watched
	place   *place
	result  Result
	started time.Time
	until   time.Time
}

// tick moves the engine's clock. It must be called before results are taken.
func (e *engine) tick(now time.Time, mono time.Duration) {
	before := e.clock.wall
	jump := e.clock.moved(now, mono)
	if jump == 0 {
		return
	}
	e.doubtUntil, e.jumpLines = mono+ClockSlack, maxJumpLines
	if jump >= ClockGap {
		e.gap(before, now)
		return
	}
	for _, m := range e.monitors {
		for i := range m.places {
			m.places[i].heard = m.places[i].heard.Add(jump)
		}
	}
	for i := range e.sentinels {
		e.sentinels[i].started = e.sentinels[i].started.Add(jump)
	}
	for i := range e.waiting {
		e.waiting[i].until = e.waiting[i].until.Add(jump)
	}
}

// take judges one result. now and mono are those of the tick before it.
func (e *engine) take(r *Result, now time.Time, mono time.Duration) {
	m := e.monitors[r.Monitor]
	if m == nil {
		e.strangers++
		return
	}
	p := m.place(r.Location)
	if p == nil {
		e.strangers++
		return
	}
	m.keep(p, r)
	started := r.Started
	if started.IsZero() {
		started = r.Due
	}
	if mono < e.doubtUntil || r.Due.Sub(now) > ClockSlack {
		e.doubtClock(m, r, now, mono)
		return
	}
	if started.After(now) {
		started = now
	}
	if m.def.Sentinel {
		e.sentinels.note(r, started)
	}
	if p.waits > 0 && len(e.waiting) < MaxWaiting {
		p.waits++
		e.waiting = append(e.waiting, waiting{monitor: m, place: p, result: *r, started: started, until: now.Add(SentinelWait)})
		return
	}
	if r.Outcome == OK && p.fresh && p.streak.Level == LevelUp && p.streak.Fails == 0 && p.streak.Slows == 0 && m.held == "" {
		p.heard = later(p.heard, started) // by far the most usual result: nothing changes
		return
	}
	e.weigh(m, p, r, started, now)
}

// doubtClock leaves a result out because time itself is in doubt, and says so
// once for each monitor.
func (e *engine) doubtClock(m *watched, r *Result, now time.Time, mono time.Duration) {
	why, jumped := "inconclusive: the clock jumped, results do not count for a moment", mono < e.doubtUntil
	if !jumped {
		why = "inconclusive: the result is due in the future, a clock is wrong"
	}
	if m.held == why || jumped && e.jumpLines == 0 {
		m.held = why
		return
	}
	if jumped {
		e.jumpLines--
	}
	m.held = why
	e.decide(m, now, earlier(r.Due, now), m.level, m.held, telling{Reason: why})
}

// weigh decides whether a result counts: not when it says that it could not
// tell, and not when it is our own connection that failed.
func (e *engine) weigh(m *watched, p *place, r *Result, started, now time.Time) {
	if r.Outcome == Inconclusive {
		m.held = "inconclusive"
		if r.Reason != "" {
			m.held = clip("inconclusive: "+r.Reason, MaxStaffLine)
		}
		return
	}
	if r.Outcome == Failed && !m.def.Sentinel && doubtful(r.Cause) && e.sentinels.at(r.Location) {
		cut, decided := e.sentinels.since(r.Location, started)
		switch {
		case decided && cut:
			e.ignore(m, p, r, now)
			return
		case decided:
		case e.wouldCross(m, p, now) && len(e.waiting) < MaxWaiting:
			p.waits++
			e.waiting = append(e.waiting, waiting{monitor: m, place: p, result: *r, started: started, until: now.Add(SentinelWait)})
			e.ask()
			return
		case e.sentinels.cutOff(r.Location, now):
			e.ignore(m, p, r, now)
			return
		}
	}
	e.count(m, p, r, started, now)
}

// wouldCross reports whether one more failure takes the location down.
func (e *engine) wouldCross(m *watched, p *place, now time.Time) bool {
	return p.streak.Level != LevelDown && p.streak.Fails+1 >= m.ruleNow(now).Confirm
}

// ruleNow gives the rule under the hold of a rollout, if there is one.
func (m *watched) ruleNow(now time.Time) Rule {
	if m.of == nil {
		return *m.rule
	}
	return m.of.hold.confirm(*m.rule, now)
}

// ignore takes a failure for our own. The failures that led up to it are in
// doubt as well, so that the first one after we are back does not go down alone.
func (e *engine) ignore(m *watched, p *place, r *Result, now time.Time) {
	crossing := e.wouldCross(m, p, now)
	m.held = "inconclusive: most sentinels fail, so our own connection is in doubt"
	if p.streak.Level == LevelDown || p.streak.Fails == 0 && !crossing {
		return
	}
	p.streak.Fails = 0
	e.save(m, p, now)
	if crossing {
		e.decide(m, now, earlier(r.Due, now), m.level, m.held, telling{Place: p.location, Reason: r.Reason + "; " + m.held})
	}
}

// settle decides the waiting results that sentinels have answered for, or that
// have waited long enough. Results of one location keep their order.
func (e *engine) settle(now time.Time) {
	if len(e.waiting) == 0 {
		return
	}
	e.pass++
	list := e.waiting
	e.waiting = nil
	for _, w := range list {
		w.place.waits--
		if w.place.kept == e.pass {
			w.place.waits++
			e.waiting = append(e.waiting, w)
			continue
		}
		expired := !now.Before(w.until)
		if w.result.Outcome != Failed || !doubtful(w.result.Cause) || w.monitor.def.Sentinel || !e.wouldCross(w.monitor, w.place, now) {
			e.weigh(w.monitor, w.place, &w.result, w.started, now)
			continue
		}
		cut, decided := e.sentinels.since(w.result.Location, w.started)
		if !decided && !expired {
			w.place.kept = e.pass
			w.place.waits++
			e.waiting = append(e.waiting, w)
			continue
		}
		if !decided {
			cut = e.sentinels.cutOff(w.result.Location, now)
		}
		if cut {
			e.ignore(w.monitor, w.place, &w.result, now)
		} else {
			e.count(w.monitor, w.place, &w.result, w.started, now)
		}
	}
}

// count lets a conclusive result advance the streak of its location, and judges
// the monitor when that changed what the location says.
func (e *engine) count(m *watched, p *place, r *Result, started, now time.Time) {
	started = started.UTC().Truncate(time.Microsecond)
	news := !p.fresh
	if news {
		p.fresh, p.from = true, started
		p.since = started
	}
	p.heard = later(p.heard, started)
	m.held = ""
	if r.Outcome != OK {
		m.cause, m.reason = r.Cause, r.Reason
	}
	was := p.streak.Level
	next, did := step(m.ruleNow(now), m.streak(p), r.Outcome, started)
	p.streak = countOf(next)
	if did == crossed {
		p.since = later(next.First, p.from)
	}
	if did != steady {
		e.save(m, p, now)
	}
	if next.Level == was {
		e.holdBlip(m, p, r, now)
	}
	if news || did == crossed {
		e.judge(m, p, now)
	}
}

// holdBlip says once that a rollout keeps a failure from being believed yet.
func (e *engine) holdBlip(m *watched, p *place, r *Result, now time.Time) {
	s := &p.streak
	if s.Fails == 0 && s.Slows == 0 {
		m.blip = false
		return
	}
	if m.of == nil || !now.Before(m.of.hold.until) || s.Level == LevelDown {
		return
	}
	if s.Fails < m.rule.Confirm && (s.Level == LevelSlow || s.Slows < m.rule.SlowFor) {
		return
	}
	m.held = clip("held for a rollout: "+m.of.hold.why, MaxStaffLine)
	if m.blip {
		return
	}
	m.blip = true
	rule := m.ruleNow(now)
	t := telling{Place: p.location, Since: s.First, Count: s.Fails, Asked: rule.Confirm, Reason: r.Reason + "; " + m.held}
	if s.Fails == 0 {
		t.Count, t.Asked = s.Slows, rule.SlowFor
	}
	e.decide(m, now, s.First, m.level, m.held, t)
}

// save puts the streak of a location into the outbox.
func (e *engine) save(m *watched, p *place, now time.Time) {
	s := m.streak(p)
	s.Changes, s.SavedAt = m.flap.times(), now
	e.outbox.streak(s)
}

// sweep does what time alone does: opinions expire, flapping calms down, a
// person did not confirm in time, waiting results have waited long enough.
func (e *engine) sweep(now time.Time) {
	e.settle(now)
	for _, m := range e.monitors {
		if m.expire(now) {
			e.judge(m, nil, now)
		}
		if calm, done := m.flap.calmed(*m.rule, now); done {
			m.flap = calm
			e.calmed(m, now)
		}
		if !m.awaited.IsZero() && !now.Before(m.awaited) {
			m.awaited = time.Time{}
			if m.of != nil {
				e.reconsider(m.of, now, now)
			}
		}
	}
	for c := range e.due {
		if c.page.due.IsZero() {
			delete(e.due, c)
		} else if !now.Before(c.page.due) {
			delete(e.due, c)
			e.show(c, c.page.release())
		}
	}
}

// gap makes everything not measured from a moment on: the hub was not there, or
// the machine slept. What people and maintenance say of the page stands.
func (e *engine) gap(from, now time.Time) {
	for _, m := range e.monitors {
		if m.wasBad() {
			m.awaited = now.Add(m.patience())
		}
		m.forget(from)
	}
	for _, c := range e.components {
		e.unmeasure(c, from, "the hub was not there")
	}
}

// unmeasure ends what is known of one component at a moment.
func (e *engine) unmeasure(c *judged, from time.Time, why string) {
	blank := e.blank(from, why)
	if c.observed.status() != NotMeasured || len(c.observed.tail) > 0 {
		e.enter(c, &c.observed, blank)
	}
	blank.Track = Published
	c.page.says = blank
	if len(c.page.held) > 0 {
		c.page.keep(blank)
	}
	page := &c.page.ledger
	said := page.open().Origin
	if said != ByMaintenance && said != ByHuman && (page.status() != NotMeasured || len(page.tail) > 0) {
		e.enter(c, page, blank)
	}
}

// blank is a span in which nothing is known.
func (e *engine) blank(from time.Time, why string) Span {
	from = from.UTC().Truncate(time.Microsecond)
	return Span{
		Track: Observed, From: from, Status: NotMeasured, Origin: BySystem, Cause: CauseSelf, Staff: why,
		Public: telling{Status: NotMeasured, Since: from, Zone: e.zone}.public(),
	}
}
