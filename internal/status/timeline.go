package status

// Cut says how a component's timeline changes at its end: which span goes,
// where the open one ends, and what opens then. Applied as a whole it keeps
// the spans tiling time. At most one of Drop and End is set.
type Cut struct {
	Drop *Span // the open span, when the next one replaces it whole
	End  *Span // the open span with To set, when it began before the next one
	Open *Span // the span that opens; nil when nothing changes
}

// Empty reports whether nothing changes.
func (c Cut) Empty() bool { return c.Open == nil }

// Splice tells how the timeline that ends in open goes on with next from
// next.From, which may lie in the past: an outage is dated back to its first
// failure. Spans that have ended are history and stay as they are, so a moment
// before open.From means open.From. A next that says the same as open changes
// nothing. When there is no span yet, open is the zero Span.
func Splice(open, next Span) Cut {
	if open.ID == "" {
		return Cut{Open: &next}
	}
	if saysSame(open, next) {
		return Cut{}
	}
	if next.From.After(open.From) {
		open.To = next.From
		return Cut{End: &open, Open: &next}
	}
	next.From = open.From
	return Cut{Drop: &open, Open: &next}
}

// saysSame reports whether two spans tell visitors and the arithmetic the same.
// The staff line is left out: it repeats what the decisions hold.
func saysSame(a, b Span) bool {
	return a.Status == b.Status && a.Origin == b.Origin && a.Cause == b.Cause && a.Public == b.Public && a.Ref == b.Ref
}
