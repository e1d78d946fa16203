package status

// part is one monitor as far as its component is concerned.
type part struct {
	level Level
	fails Status // what its failure means; "" = by the roll-up
}

// rollUp makes the status of a component from its monitors. All down is a major
// outage, some down a partial one, any slow is degraded, unless a monitor says
// what its failure means. Monitors of which nothing is known do not count;
// where nothing is known of any, the component is not measured.
func rollUp(parts []part) Status {
	known, down := 0, 0
	for _, p := range parts {
		switch p.level {
		case LevelUnknown:
			continue
		case LevelDown:
			down++
		}
		known++
	}
	if known == 0 {
		return NotMeasured
	}
	worst := Operational
	for _, p := range parts {
		if s := p.means(down == known); s.Worse(worst) {
			worst = s
		}
	}
	return worst
}

// means gives what one monitor says of its component by itself.
func (p part) means(allDown bool) Status {
	switch {
	case p.level == LevelSlow:
		return Degraded
	case p.level != LevelDown:
		return Operational
	case p.fails != "":
		return p.fails
	case allDown:
		return MajorOutage
	default:
		return PartialOutage
	}
}

// Worst rolls components up into a group, and groups into a page: the worst
// status of all. Maintenance stands only where nothing is worse, and what was
// not measured counts only where nothing was.
func Worst(all ...Status) Status {
	worst := NotMeasured
	for _, s := range all {
		if s.Worse(worst) {
			worst = s
		}
	}
	return worst
}

// IndicatorOf gives Statuspage's indicator of a page whose worst status is s.
func IndicatorOf(s Status) Indicator {
	switch s {
	case Degraded:
		return IndicatorMinor
	case PartialOutage:
		return IndicatorMajor
	case MajorOutage:
		return IndicatorCritical
	case UnderMaintenance:
		return IndicatorMaintenance
	default:
		return IndicatorNone
	}
}

// Describe gives Statuspage's sentence for a page whose worst status is s, word
// for word as its consumers know it.
func Describe(s Status) string {
	switch s {
	case Degraded:
		return "Partially Degraded Service"
	case PartialOutage:
		return "Partial System Outage"
	case MajorOutage:
		return "Major Service Outage"
	case UnderMaintenance:
		return "Service Under Maintenance"
	default:
		return "All Systems Operational"
	}
}
