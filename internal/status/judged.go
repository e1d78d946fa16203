package status

import (
	"slices"
	"time"
)

// judged is one component with everything the engine knows of it.
type judged struct {
	def      *Component
	monitors []*watched
	observed ledger // what checks saw
	page     publication
	hold     hold
	dirty    bool // it stands in the outbox
}

// track gives one of the two ledgers.
func (c *judged) track(t Track) *ledger {
	if t == Observed {
		return &c.observed
	}
	return &c.page.ledger
}

// lead is the monitor that decides the status of its component at a moment.
type lead struct {
	monitor *watched
	level   Level
}

// at gives the status that the monitors make at a moment, and who decides it.
// While a monitor that was in trouble before a restart has not been heard of,
// nothing is said: a restart must not clear an outage for a moment.
func (c *judged) at(t time.Time) (Status, lead) {
	var room [8]part
	parts := room[:0]
	if len(c.monitors) > len(room) {
		parts = make([]part, 0, len(c.monitors))
	}
	for _, m := range c.monitors {
		level := m.at(t)
		if level == LevelUnknown && m.awaited.After(t) {
			return NotMeasured, lead{monitor: m, level: level}
		}
		parts = append(parts, part{level: level, fails: m.rule.Fails})
	}
	status := rollUp(parts)
	by := lead{level: LevelUnknown}
	for i, m := range c.monitors {
		l := parts[i].level
		heavier := gravity[l] > gravity[by.level]
		sooner := l == by.level && by.monitor != nil && m.since.Before(by.monitor.since)
		if by.monitor == nil || heavier || sooner {
			by = lead{monitor: m, level: l}
		}
	}
	return status, by
}

// points gives the moments from a moment on at which the status may have
// changed, in order: one back-dated verdict may lie before another one's.
func (c *judged) points(from time.Time) []time.Time {
	ts := []time.Time{from}
	for _, m := range c.monitors {
		if m.since.After(from) {
			ts = append(ts, m.since)
		}
	}
	slices.SortFunc(ts, time.Time.Compare)
	return slices.CompactFunc(ts, time.Time.Equal)
}
