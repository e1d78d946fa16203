package status

import (
	"slices"

	"evenkeel/internal/journal"
)

// MaxDecisions bounds the decisions that wait for SQL; beyond it the oldest are
// dropped and counted. MaxNotes bounds the entries about the hub itself in the
// same way.
const (
	MaxDecisions = 20480
	MaxNotes     = 256
)

// outbox is what SQL does not know yet, but for the spans, which stand in their
// ledgers. It is bounded whatever happens: spans by MaxTail, streaks by one for
// each monitor and location, occurrences by one each, the rest by its limits.
type outbox struct {
	dirty       []*judged // components whose ledgers have something to hand over
	decisions   []Decision
	lost        uint64 // decisions and notes dropped
	streaks     map[streakKey]Streak
	occurrences map[string]revised // by ID
	notes       []journal.Entry    // about the hub itself
}

type streakKey struct{ monitor, location string }

// revised is an occurrence as it is to be, with the entries of the revisions
// that made it so. Its Version is the one that SQL has.
type revised struct {
	Occurrence
	entries []journal.Entry
}

// touch notes that a component has something to write.
func (o *outbox) touch(c *judged) {
	if !c.dirty {
		c.dirty = true
		o.dirty = append(o.dirty, c)
	}
}

func (o *outbox) decide(d Decision) {
	o.decisions = append(o.decisions, d)
	o.bound()
}

func (o *outbox) note(e journal.Entry) {
	e.ID = journal.NewID() // a retry is the same entry
	o.notes = append(o.notes, e)
	o.bound()
}

// streak replaces what was to be saved of a location.
func (o *outbox) streak(s Streak) {
	if o.streaks == nil {
		o.streaks = map[streakKey]Streak{}
	}
	o.streaks[streakKey{s.Monitor, s.Location}] = s
}

// revise replaces what was to be saved of an occurrence and keeps the entries.
func (o *outbox) revise(occ Occurrence, e journal.Entry) {
	if o.occurrences == nil {
		o.occurrences = map[string]revised{}
	}
	e.ID = journal.NewID()
	waits, ok := o.occurrences[occ.ID]
	if ok {
		occ.Version = waits.Version // the first of several revisions knows it
	}
	o.occurrences[occ.ID] = revised{Occurrence: occ, entries: append(waits.entries, e)}
}

// putBack returns what was not written, under what came meanwhile.
func (o *outbox) putBack(r revised) {
	if newer, ok := o.occurrences[r.ID]; ok {
		newer.Version = r.Version
		r = revised{Occurrence: newer.Occurrence, entries: slices.Concat(r.entries, newer.entries)}
	}
	o.occurrences[r.ID] = r
}

// bound drops the oldest of what grew too long, an eighth at a time.
func (o *outbox) bound() {
	if n := len(o.decisions); n > MaxDecisions {
		o.lost += MaxDecisions / 8
		o.decisions = slices.Delete(o.decisions, 0, MaxDecisions/8)
	}
	if n := len(o.notes); n > MaxNotes {
		o.lost += MaxNotes / 8
		o.notes = slices.Delete(o.notes, 0, MaxNotes/8)
	}
}

// urgent reports whether something waits that visitors may see.
func (o *outbox) urgent() bool {
	return len(o.dirty) > 0 || len(o.occurrences) > 0 || len(o.notes) > 0
}

// empty reports whether nothing waits.
func (o *outbox) empty() bool {
	return !o.urgent() && len(o.decisions) == 0 && len(o.streaks) == 0
}
