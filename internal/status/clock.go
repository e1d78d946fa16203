package status

import (
	"context"
	"maps"
	"slices"
	"time"

	"evenkeel/internal/problem"
)

const (
	// replanEvery is how often recurring windows are expanded anew, because the
	// horizon moves.
	replanEvery = time.Hour
	// maxSteps bounds the steps that one look takes with an occurrence that was
	// slept through: start, verify, complete.
	maxSteps = 4
)

// maintenanceLoop is the clock of planned maintenance: it expands windows into
// occurrences, and takes each through its lifecycle on time.
func (w *Watch) maintenanceLoop(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	loaded := w.loadWorks(ctx)
	next := w.mono()
	for {
		w.beat(loopWorks, beatEvery)
		select {
		case <-ctx.Done():
			return
		case <-w.replan:
			next = w.mono()
		case <-tick.C:
		}
		if !loaded {
			loaded = w.loadWorks(ctx)
			continue
		}
		if w.mono() >= next && w.adoptWorks(ctx) {
			next = w.mono() + replanEvery
			w.replanWorks()
		}
		w.stepWorks()
	}
}

// knownOccurrences reads the occurrences that SQL has.
func (w *Watch) knownOccurrences(ctx context.Context) ([]Occurrence, error) {
	return KnownOccurrences(ctx, w.store, w.now())
}

// Replan says that people may have planned or changed maintenance. The watch
// reads it and acts on it. It never blocks; where this process does not watch
// it has no effect.
func (w *Watch) Replan() { nudge(w.replan) }

// adoptWorks takes over the windows and occurrences that people changed, and
// reports whether they could be read.
func (w *Watch) adoptWorks(ctx context.Context) bool {
	return w.readWorks(ctx, func(known []Occurrence) {
		for _, o := range known {
			w.engine.adopt(o, w.now())
		}
	})
}

// loadWorks takes over what SQL has, and reports whether it could be read.
func (w *Watch) loadWorks(ctx context.Context) bool {
	return w.readWorks(ctx, func(known []Occurrence) { w.engine.takeUpWorks(known, w.now()) })
}

// readWorks reads windows and occurrences as they were at one moment, and lets
// take have the occurrences under the lock when the windows are in force.
func (w *Watch) readWorks(ctx context.Context, take func([]Occurrence)) bool {
	w.applying.Lock()
	defer w.applying.Unlock()
	windows, known, err := w.store.Planned(ctx, knownSince(w.now()))
	if err != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	cat := *w.engine.catalog
	cat.Windows = windows
	w.engine.catalog = &cat
	w.catalog.Store(&cat)
	take(known)
	return true
}

// replanWorks compares windows with occurrences.
func (w *Watch) replanWorks() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.engine.replan(w.calendar, w.now()) {
		w.log.Warn("maintenance window not planned", "err", p)
	}
	w.wakeRecorder()
}

// stepWorks does what time alone does to occurrences.
func (w *Watch) stepWorks() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine.stepWorks(w.now())
	w.wakeRecorder()
}

// wakeRecorder must be called under the lock.
func (w *Watch) wakeRecorder() {
	if !w.engine.outbox.empty() {
		nudge(w.wake)
	}
}

// takeUpWorks takes over occurrences as SQL has them, and puts right what a
// crash left between an occurrence and the spans of its components.
func (e *engine) takeUpWorks(known []Occurrence, now time.Time) {
	e.works = make(map[string]Occurrence, len(known))
	covering := map[string]bool{}
	for _, o := range known {
		e.works[o.ID] = o
		if o.Covers() {
			covering[workRef(o)] = true
			e.cover(o, later(o.StartedAt, o.From))
		}
	}
	for _, c := range e.components {
		for _, ref := range slices.Clone(c.page.works) {
			if !covering[ref] {
				e.reopen(c, ref, now)
			}
		}
	}
}

// replan makes, edits and cancels occurrences as the windows say.
func (e *engine) replan(calendar Calendar, now time.Time) problem.Errors {
	for id, o := range e.works {
		if o.Over() && o.To.Before(now.AddDate(-1, 0, 0)) {
			delete(e.works, id)
		}
	}
	known := slices.SortedFunc(maps.Values(e.works), func(a, b Occurrence) int { return a.From.Compare(b.From) })
	revisions, problems := Reconcile(e.catalog.Windows, known, calendar, now)
	for _, r := range revisions {
		e.revise(r)
	}
	return problems
}

// stepWorks takes every occurrence as far as time has come.
func (e *engine) stepWorks(now time.Time) {
	for _, o := range e.works {
		for range maxSteps {
			if o.Over() {
				break
			}
			r, due := NextStep(o, e.good(o), now)
			if !due {
				break
			}
			e.revise(r)
			o = e.works[o.ID]
		}
		if r, due := NextWord(o, e.good(o), now); due {
			e.revise(r)
		}
	}
}

// good reports whether checks see all components of an occurrence well.
func (e *engine) good(o Occurrence) bool {
	return !slices.ContainsFunc(o.Components, func(id string) bool {
		c := e.ids[id]
		return c != nil && c.observed.status() != Operational
	})
}

// revise makes a revision true: on the page, in the outbox, in the journal.
func (e *engine) revise(r Revision) {
	before, o := e.works[r.Occurrence.ID], r.Occurrence
	e.works[o.ID] = o
	e.outbox.revise(o, r.entry())
	e.enact(before, o, r.At)
}

// enact makes the page follow an occurrence from what it was to what it is.
func (e *engine) enact(before, o Occurrence, at time.Time) {
	if before.Covers() {
		for _, id := range before.Components {
			c := e.ids[id]
			if c != nil && !(o.Covers() && slices.Contains(o.Components, id)) {
				e.reopen(c, workRef(o), at)
			}
		}
	}
	if o.Covers() {
		e.cover(o, at)
	}
}

// cover puts the components of an occurrence into maintenance.
func (e *engine) cover(o Occurrence, from time.Time) {
	for _, id := range o.Components {
		if c := e.ids[id]; c != nil {
			e.maintain(c, workRef(o), from)
		}
	}
}

// workRef names an occurrence in spans.
func workRef(o Occurrence) string { return "maintenance/" + o.ID }

// versioned notes the version that SQL has of an occurrence that we wrote.
func (e *engine) versioned(id string, version int64) {
	if o, ok := e.works[id]; ok && o.Version < version {
		o.Version = version
		e.works[id] = o
	}
	if o, ok := e.outbox.occurrences[id]; ok && o.Version < version {
		o.Version = version
		e.outbox.occurrences[id] = o
	}
}

// adopt takes over an occurrence as SQL has it when somebody else wrote it: a
// person at the desk, or we ourselves without hearing that it succeeded. What
// was to be written on top of an older version is let go of; the clock does it
// anew where it still applies.
func (e *engine) adopt(o Occurrence, now time.Time) {
	before, known := e.works[o.ID]
	waits, pending := e.outbox.occurrences[o.ID]
	outdated := pending && waits.Version < o.Version
	if known && before.Version >= o.Version && !outdated {
		return
	}
	delete(e.outbox.occurrences, o.ID)
	e.works[o.ID] = o
	at := now
	switch {
	case o.Over() && !o.EndedAt.IsZero():
		at = o.EndedAt
	case o.Covers() && !before.Covers():
		at = later(o.StartedAt, o.From)
	}
	e.enact(before, o, at)
}
