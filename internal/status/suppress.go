package status

// A component that needs another which is down fails because of it. Three
// invariants hold (they are OneUptime's): what is suppressed is the alarm,
// never the monitoring; the creation of trouble, never its resolution; and one
// hop is enough, because the parent is itself suppressed by its own parent.
//
// The status of the child is published all the same: for its customers it is
// down. Only the decision says that it is held, so that nobody is told twice,
// and the public line names what it waits for.

// parentDown gives the first of the needs that its own checks see in an outage.
func parentDown(needs []string, find func(id string) *judged) *judged {
	for _, id := range needs {
		if p := find(id); p != nil && p.observed.status().Outage() {
			return p
		}
	}
	return nil
}
