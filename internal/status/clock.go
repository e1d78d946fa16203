package status

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"evenkeel/internal/journal"
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
		if w.mono() >= next {
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

// loadWorks takes over what SQL has, and reports whether it could be read.
func (w *Watch) loadWorks(ctx context.Context) bool {
	known, err := w.knownOccurrences(ctx)
	if err != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine.takeUpWorks(known, w.now())
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
	e.outbox.revise(o, journal.Entry{
		Verb: r.Verb, Subject: journal.Ref{Kind: "maintenance", ID: o.ID}, EffectiveAt: r.At, Audience: journal.AudiencePublic,
		Payload: map[string]string{
			"window": o.Window, "state": string(o.State), "sequence": strconv.Itoa(o.Sequence),
			"from": o.From.UTC().Format(time.RFC3339), "to": o.To.UTC().Format(time.RFC3339),
		},
	})
	if before.Covers() {
		for _, id := range before.Components {
			c := e.ids[id]
			if c != nil && !(o.Covers() && slices.Contains(o.Components, id)) {
				e.reopen(c, workRef(o), r.At)
			}
		}
	}
	if o.Covers() {
		e.cover(o, r.At)
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

// versioned sets the version that SQL has of an occurrence.
func (e *engine) versioned(id string, version int64) {
	if o, ok := e.works[id]; ok {
		o.Version = version
		e.works[id] = o
	}
	if o, ok := e.outbox.occurrences[id]; ok {
		o.Version = version
		e.outbox.occurrences[id] = o
	}
}
