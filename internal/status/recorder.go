package status

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// saveEvery is how often streaks and decisions are written at most when
	// nothing that visitors see waits.
	saveEvery = 250 * time.Millisecond
	// One unit of work holds at most so much of each, so that it never keeps the
	// one writer of SQLite for long.
	maxWriteComponents  = 200
	maxWriteStreaks     = 1000
	maxWriteDecisions   = 500
	maxWriteOccurrences = 200
	// The pause after a failed write doubles from the least to the most, with
	// up to as much again at random.
	retryLeast = 200 * time.Millisecond
	retryMost  = 10 * time.Second
	// conflictTries is how often a write is set right after a Conflict before
	// the lease counts as lost.
	conflictTries = 3
)

// recorder writes the engine's outbox to SQL, all of a change in one unit of
// work, and goes on trying while the database is away.
type recorder struct {
	watch     *Watch
	lease     journal.Lease
	aliveDue  time.Duration // monotonic time at which the next sign of life is due
	wrote     time.Duration // monotonic time of the last write
	failures  int
	conflicts int
}

// loop writes what comes until ctx ends (nil) or the lease is lost (Conflict).
func (r *recorder) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		r.watch.beat(loopRecorder, AliveEvery)
		wake := r.watch.wake
		if r.failures > 0 {
			wake = nil // only the timer ends the pause after a failure
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			if rest := r.rest(); rest > 0 {
				timer.Reset(rest)
				continue
			}
		case <-timer.C:
		}
		more, err := r.write(ctx, false)
		switch {
		case errors.Is(err, journal.ErrLeaseLost):
			return err
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			r.failed(err)
			timer.Reset(r.pause())
		case more:
			r.succeeded()
			timer.Reset(0)
		default:
			r.succeeded()
			timer.Reset(r.untilAlive())
		}
	}
}

// rest is how long a wake-up waits: not at all for what visitors see, and long
// enough to gather streaks otherwise.
func (r *recorder) rest() time.Duration {
	r.watch.mu.Lock()
	defer r.watch.mu.Unlock()
	if r.watch.engine.outbox.urgent() {
		return 0
	}
	return r.wrote + saveEvery - r.watch.mono()
}

// pause is how long to wait after the failures so far.
func (r *recorder) pause() time.Duration {
	d := min(retryMost, retryLeast<<min(r.failures-1, 10))
	return d + rand.N(d)
}

func (r *recorder) failed(err error) {
	r.failures++
	if r.failures == 1 {
		r.watch.log.Error("record not written, trying again", "err", err)
	}
}

func (r *recorder) succeeded() {
	if r.failures > 0 {
		r.watch.log.Info("record is written again", "failures", r.failures)
	}
	r.failures, r.conflicts = 0, 0
}

// last writes everything that is left, and the sign of life.
func (r *recorder) last(ctx context.Context) error {
	for {
		more, err := r.write(ctx, true)
		if err != nil || !more {
			return err
		}
	}
}

// write takes a packet from the outbox and writes it, with a sign of life: what
// was recorded is never later than that, so that a restart does not take it for
// time in which nobody watched. more tells that something is left.
func (r *recorder) write(ctx context.Context, alive bool) (more bool, err error) {
	w := r.watch
	w.mu.Lock()
	e := w.engine
	p := e.pack()
	now, mono := w.now(), w.mono()
	w.mu.Unlock()
	if p.empty() && !alive && r.untilAlive() > 0 {
		return false, nil
	}
	err = w.commit(ctx, r.lease, func(tx journal.Tx) error {
		if err := w.store.PutAlive(ctx, tx, now); err != nil {
			return err
		}
		return p.put(ctx, tx, w.store)
	})
	w.mu.Lock()
	e.unpack(p, err == nil)
	more = !e.outbox.empty()
	w.mu.Unlock()
	switch {
	case err == nil:
		r.wrote = mono
		r.aliveDue = mono + AliveEvery
		return more, nil
	case errors.Is(err, journal.ErrLeaseLost) || problem.KindOf(err) != problem.KindConflict:
		return true, err
	case r.conflicts >= conflictTries:
		return true, errors.Join(journal.ErrLeaseLost, err)
	}
	if r.conflicts > 0 {
		w.mu.Lock()
		e.outbox.forget(p)
		w.mu.Unlock()
	}
	again := r.reconcile(ctx, e)
	if again == nil { // else nothing was set right, and it does not count
		r.conflicts++
	}
	return true, errors.Join(err, again)
}

// reconcile takes over what SQL really has: a commit whose outcome we did not
// hear of may have succeeded.
func (r *recorder) reconcile(ctx context.Context, e *engine) error {
	open, err := r.watch.store.OpenSpans(ctx)
	if err != nil {
		return err
	}
	occs, err := r.watch.knownOccurrences(ctx)
	if err != nil {
		return err
	}
	r.watch.mu.Lock()
	defer r.watch.mu.Unlock()
	for _, s := range open {
		c := e.components[s.Component]
		if c == nil {
			c = e.gone[s.Component]
		}
		if c != nil {
			c.track(s.Track).adopt(s)
		}
	}
	for _, o := range occs {
		if _, known := e.works[o.ID]; known { // what is new comes with its window
			e.adopt(o, r.watch.now())
		}
	}
	return nil
}

// packet is what one unit of work writes.
type packet struct {
	moves       []packed
	decisions   []Decision
	streaks     []Streak
	occurrences []revised
	notes       []journal.Entry
}

// packed is one ledger of one component on its way.
type packed struct {
	component *judged
	public    bool // as it was when it was packed: the definition may change meanwhile
	track     Track
	handover
}

func (p *packet) empty() bool {
	return len(p.moves) == 0 && len(p.decisions) == 0 && len(p.streaks) == 0 && len(p.occurrences) == 0 && len(p.notes) == 0
}

// pack takes as much out of the outbox as one unit of work may hold.
func (e *engine) pack() *packet {
	o, p := &e.outbox, &packet{}
	n := min(len(o.dirty), maxWriteComponents)
	for _, c := range o.dirty[:n] {
		c.dirty = false
		for _, t := range []Track{Observed, Published} {
			if l := c.track(t); l.pending() {
				p.moves = append(p.moves, packed{component: c, public: c.def.Public, track: t, handover: l.hand()})
			}
		}
	}
	o.dirty = slices.Delete(o.dirty, 0, n)
	p.decisions = front(&o.decisions, maxWriteDecisions)
	p.notes = front(&o.notes, MaxNotes)
	for k, s := range o.streaks {
		if len(p.streaks) == maxWriteStreaks {
			break
		}
		p.streaks = append(p.streaks, s)
		delete(o.streaks, k)
	}
	for _, id := range slices.Sorted(maps.Keys(o.occurrences)) {
		if len(p.occurrences) == maxWriteOccurrences {
			break
		}
		p.occurrences = append(p.occurrences, o.occurrences[id])
		delete(o.occurrences, id)
	}
	return p
}

// front takes at most n off the front of a list.
func front[T any](list *[]T, n int) []T {
	n = min(n, len(*list))
	if n == 0 {
		return nil
	}
	taken := slices.Clone((*list)[:n])
	*list = slices.Delete(*list, 0, n)
	return taken
}

// unpack ends the way of a packet: it arrived, or it goes back into the outbox
// in front of what came meanwhile.
func (e *engine) unpack(p *packet, ok bool) {
	o := &e.outbox
	for _, m := range p.moves {
		l := m.component.track(m.track)
		l.settle(ok)
		if l.pending() {
			o.touch(m.component)
		}
		if ok && !m.component.dirty {
			delete(e.gone, m.component.def.Key)
		}
	}
	if ok {
		for _, occ := range p.occurrences {
			e.versioned(occ.ID, occ.Version+1)
		}
		return
	}
	o.decisions = slices.Concat(p.decisions, o.decisions)
	o.notes = slices.Concat(p.notes, o.notes)
	o.bound()
	for _, s := range p.streaks {
		if _, newer := o.streaks[streakKey{s.Monitor, s.Location}]; !newer {
			o.streak(s)
		}
	}
	for _, occ := range p.occurrences {
		o.putBack(occ)
	}
}

// forget drops the decisions and notes of a packet that conflicts even after its
// spans were set right: an earlier commit, of which we did not hear, wrote them.
func (o *outbox) forget(p *packet) {
	o.decisions = slices.Delete(o.decisions, 0, min(len(p.decisions), len(o.decisions)))
	o.notes = slices.Delete(o.notes, 0, min(len(p.notes), len(o.notes)))
	o.lost += uint64(len(p.decisions) + len(p.notes))
}

// put writes the packet. It has no effect outside the unit of work.
func (p *packet) put(ctx context.Context, tx journal.Tx, store Store) error {
	for i := range p.moves {
		if err := p.moves[i].put(ctx, tx, store); err != nil {
			return err
		}
	}
	for _, d := range p.decisions {
		if err := store.AddDecision(ctx, tx, d); err != nil {
			return err
		}
	}
	if len(p.streaks) > 0 {
		if err := store.PutStreaks(ctx, tx, p.streaks); err != nil {
			return err
		}
	}
	for _, occ := range p.occurrences {
		if err := store.PutOccurrence(ctx, tx, occ.Occurrence); err != nil {
			return err
		}
		if err := appendAll(tx, occ.entries); err != nil {
			return err
		}
	}
	return appendAll(tx, p.notes)
}

func appendAll(tx journal.Tx, entries []journal.Entry) error {
	for _, e := range entries {
		if err := tx.Append(e); err != nil {
			return err
		}
	}
	return nil
}

// put writes the spans of one ledger, each with its journal entry.
func (m *packed) put(ctx context.Context, tx journal.Tx, store Store) error {
	var err error
	switch {
	case m.stored.ID == "":
	case m.end.IsZero():
		err = store.DropSpan(ctx, tx, m.stored.ID, m.stored.Version)
	default:
		err = store.EndSpan(ctx, tx, m.stored.ID, m.stored.Version, m.end)
	}
	if err != nil {
		return err
	}
	from := m.stored.Status
	for _, s := range m.add {
		if err := store.AddSpan(ctx, tx, s); err != nil {
			return err
		}
		if err := tx.Append(moved(s, from, m.public)); err != nil {
			return err
		}
		from = s.Status
	}
	return nil
}

// moved is the journal entry of a span of a component that is public or not.
func moved(s Span, from Status, public bool) journal.Entry {
	e := journal.Entry{
		ID: s.ID, Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: s.Component}, EffectiveAt: s.From,
		Audience: journal.AudienceStaff,
		Payload: map[string]string{
			"track": string(s.Track), "from": string(from), "to": string(s.Status), "span": s.ID,
			"origin": string(s.Origin), "cause": strconv.Itoa(int(s.Cause)),
		},
	}
	if s.Ref != "" {
		e.Payload["ref"] = s.Ref
	}
	if s.Track == Published && public {
		e.Audience = journal.AudiencePublic
	}
	return e
}
