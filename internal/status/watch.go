package status

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// sweepEvery is how often the engine looks at what time alone changes.
	sweepEvery = time.Second
	// settleEvery is how often it looks while results wait for sentinels.
	settleEvery = 100 * time.Millisecond
	// stopWithin bounds the last units of work of a clean stop.
	stopWithin = 5 * time.Second
)

// WatchDeps is what a Watch stands on.
type WatchDeps struct {
	Work     journal.Work
	Store    Store
	Latency  Latency
	Calendar Calendar
	Log      *slog.Logger
	Now      func() time.Time // wall clock
	// Statements gives what people say of components now, beside what they say by
	// hand; nil = nothing. Errors: Unavailable.
	Statements func(ctx context.Context) ([]Statement, error)
	// Beat is told by each loop of Run that it is alive, at least every so often,
	// and Rest that it has ended; nil = nobody listens.
	Beat func(loop string, every time.Duration)
	Rest func(loop string)
}

// Watch is the service that turns results into the record: it hands them to
// Latency and to the verdict engine, and writes what follows to the Store. One
// Watch at a time may Run, under a lease; the others may Load, Plan and Apply.
// All methods are safe for concurrent use.
type Watch struct {
	work       journal.Work
	store      Store
	latency    Latency
	calendar   Calendar
	statements func(ctx context.Context) ([]Statement, error)
	beat       func(loop string, every time.Duration)
	silent     func(loop string)
	log        *slog.Logger
	wall       func() time.Time
	begun      time.Time // the zero of the monotonic clock
	inbox      *inbox
	catalog    atomic.Pointer[Catalog]
	retention  atomic.Pointer[Retention]
	sentinels  chan struct{}
	wake       chan struct{}          // for the recorder
	replan     chan struct{}          // for the maintenance clock
	restate    chan struct{}          // for what people say
	applying   sync.Mutex             // one Apply or Load at a time
	running    atomic.Bool            // this process watches
	applied    atomic.Pointer[string] // fingerprint of the definition that this process made true last

	mu     sync.Mutex // guards engine and all that it points to
	engine *engine
}

// NewWatch makes a Watch that knows nothing yet: Load comes first.
func NewWatch(d WatchDeps) *Watch {
	w := &Watch{
		work: d.Work, store: d.Store, latency: d.Latency, calendar: d.Calendar, statements: d.Statements, log: d.Log, wall: d.Now, beat: d.Beat, silent: d.Rest,
		begun: time.Now(), inbox: newInbox(),
		sentinels: make(chan struct{}, 1), wake: make(chan struct{}, 1), replan: make(chan struct{}, 1), restate: make(chan struct{}, 1),
	}
	if w.beat == nil {
		w.beat = func(string, time.Duration) {}
	}
	if w.silent == nil {
		w.silent = func(string) {}
	}
	w.catalog.Store(&Catalog{})
	w.retention.Store(&DefaultRetention)
	w.engine = newEngine(saved{catalog: &Catalog{}}, w.now(), journal.NewID, w.askSentinels)
	return w
}

// now is the wall clock as it is recorded.
func (w *Watch) now() time.Time { return w.wall().UTC().Truncate(time.Microsecond) }

// mono is the monotonic clock.
func (w *Watch) mono() time.Duration { return time.Since(w.begun) }

// Load reads the catalog, streaks and open spans. The time from the last sign of
// life until now will be recorded as not measured, on both tracks, when Run
// writes; streaks go on where they were. Not while Run runs, which loads by
// itself. Errors: Unavailable.
func (w *Watch) Load(ctx context.Context) error {
	w.applying.Lock()
	defer w.applying.Unlock()
	return w.load(ctx)
}

func (w *Watch) load(ctx context.Context) (err error) {
	defer problem.Wrap(&err, "load the watch")
	cat, err := w.store.Catalog(ctx, false)
	if err != nil {
		return err
	}
	known := &cat
	if old := w.catalog.Load(); reflect.DeepEqual(*old, cat) {
		known = old // others hold its words and lists: no need to have them twice
	}
	s := saved{catalog: known}
	if s.streaks, err = w.store.Streaks(ctx); err != nil {
		return err
	}
	if s.open, err = w.store.OpenSpans(ctx); err != nil {
		return err
	}
	if s.alive, err = w.store.Alive(ctx); err != nil {
		return err
	}
	if s.trouble, err = w.troubled(ctx, &cat, s.open); err != nil {
		return err
	}
	if s.people, err = w.people(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine = newEngine(s, w.now(), journal.NewID, w.askSentinels)
	w.catalog.Store(known)
	return nil
}

// troubled finds the components whose page showed trouble right before it
// stopped being measured, where a policy asks for a person: what was confirmed
// once need not be confirmed again after a restart.
func (w *Watch) troubled(ctx context.Context, cat *Catalog, open []Span) (map[string]bool, error) {
	asks := map[string]bool{}
	for i := range cat.Components {
		if p := cat.Components[i].Publish; p == PublishAfterConfirm || p == PublishManual {
			asks[cat.Components[i].Key] = true
		}
	}
	trouble := map[string]bool{}
	for _, s := range open {
		if s.Track != Published || s.Status != NotMeasured || !asks[s.Component] {
			continue
		}
		before, err := w.store.Spans(ctx, s.Component, Published, s.From.Add(-time.Microsecond), s.From)
		if err != nil {
			return nil, err
		}
		if len(before) > 0 && wrong(before[0].Status) {
			trouble[s.Component] = true
		}
	}
	return trouble, nil
}

// Catalog gives what is defined now. It is never written after.
func (w *Watch) Catalog() *Catalog { return w.catalog.Load() }

// Observe takes finished runs: their samples go to Latency, their outcomes to
// the engine. It never blocks; what does not fit is dropped and counted. The
// slice is copied.
func (w *Watch) Observe(batch []Result) {
	w.latency.Record(batch)
	w.inbox.put(batch)
}

// Dropped tells how many results did not fit into the inbox so far.
func (w *Watch) Dropped() uint64 { return w.inbox.lost() }

// NeedSentinels asks the runner to run every sentinel now: a failure waits at
// most SentinelWait to know whether it is our own.
func (w *Watch) NeedSentinels() <-chan struct{} { return w.sentinels }

func (w *Watch) askSentinels() { nudge(w.sentinels) }

// Hold declares a rollout of a component, named by ID: until then a new failure
// needs twice the confirmations, so that a blip is not told. A confirmed outage
// always is, dated back to its first failure. A hold lasts at most MaxHold; a
// moment that has passed ends it. Errors: NotFound.
func (w *Watch) Hold(component string, until time.Time, why string) error {
	return w.with(component, func(c *judged) error {
		c.hold = hold{until: earlier(until, w.now().Add(MaxHold)), why: clip(why, MaxStaffLine/2)}
		return nil
	})
}

// with runs fn on a component, named by ID, under the lock.
func (w *Watch) with(component string, fn func(*judged) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.engine.ids[component]
	if c == nil {
		return problem.NotFound("There is no component %q.", component)
	}
	return fn(c)
}

// Last gives the newest result of a monitor, by key.
func (w *Watch) Last(monitor string) (Result, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.engine.monitors[monitor]
	if m == nil {
		return Result{}, false
	}
	return m.lastResult()
}

// Verdict gives what the engine says of a monitor now, by key.
func (w *Watch) Verdict(monitor string) (MonitorVerdict, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.engine.monitors[monitor]
	if m == nil {
		return MonitorVerdict{}, false
	}
	return m.verdict(), true
}

// WatchStats counts what the watch could not do as it should.
type WatchStats struct {
	Dropped   uint64 // results that did not fit into the inbox
	Strangers uint64 // results of monitors or locations that are not defined
	Lost      uint64 // decisions and notes that did not fit while the database was away
	Behind    int    // components whose present is not yet in the database
	Waiting   int    // results that wait for sentinels
}

// Stats gives the counts.
func (w *Watch) Stats() WatchStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.engine
	return WatchStats{
		Dropped: w.inbox.lost(), Strangers: e.strangers, Lost: e.outbox.lost,
		Behind: len(e.outbox.dirty), Waiting: len(e.waiting),
	}
}

// Run watches until ctx ends (nil) or the lease is lost (Conflict). It loads
// first, because another hub may have watched meanwhile. Everything it writes
// is fenced by the lease. On a clean stop it writes what is left, the sign of
// life and hub.stopped. Errors: Conflict; Unavailable when loading fails.
func (w *Watch) Run(ctx context.Context, lease journal.Lease) error {
	if err := w.Load(ctx); err != nil {
		return err
	}
	w.running.Store(true)
	defer w.running.Store(false)
	defer func() {
		for _, loop := range runLoops {
			w.silent(loop)
		}
	}()
	w.tell("hub.started")
	inner, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var loops sync.WaitGroup
	loops.Go(func() { w.judgeLoop(inner) })
	loops.Go(func() { w.maintenanceLoop(inner) })
	loops.Go(func() { w.statementLoop(inner) })
	loops.Go(func() { w.historyLoop(inner, lease) })
	loops.Go(func() { w.upkeepLoop(inner, lease) })
	r := &recorder{watch: w, lease: lease}
	err := r.loop(inner)
	stop(err)
	loops.Wait()
	if err != nil {
		return err
	}
	w.consume()
	w.tell("hub.stopped")
	last, done := context.WithTimeoutCause(context.WithoutCancel(ctx), stopWithin, problem.Unavailable(nil, "The last write took too long."))
	defer done()
	if err := r.last(last); err != nil {
		w.log.Error("last write at stop", "err", err)
	}
	return nil
}

// tell notes something about the hub itself.
func (w *Watch) tell(verb string) {
	w.mu.Lock()
	w.engine.outbox.note(journal.Entry{
		Verb: verb, Subject: journal.Ref{Kind: "hub", ID: "hub"}, EffectiveAt: w.now(), Audience: journal.AudienceStaff,
	})
	w.mu.Unlock()
	nudge(w.wake)
}

// The loops of Run, by the names under which they say that they are alive.
const (
	loopJudge      = "judging"
	loopWorks      = "maintenance clock"
	loopStatements = "statements"
	loopHistory    = "latency history"
	loopUpkeep     = "upkeep"
	loopRecorder   = "record writer"
)

var runLoops = []string{loopJudge, loopWorks, loopStatements, loopHistory, loopUpkeep, loopRecorder}

// beatEvery is how often loops say so that look every second.
const beatEvery = 10 * time.Second

// judgeLoop feeds the engine with results and time.
func (w *Watch) judgeLoop(ctx context.Context) {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	quick := time.NewTimer(settleEvery)
	defer quick.Stop()
	w.beat(loopJudge, beatEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.inbox.signal:
			if w.consume() {
				quick.Reset(settleEvery)
			}
		case <-quick.C:
			if w.consume() {
				quick.Reset(settleEvery)
			}
		case <-sweep.C:
			w.beat(loopJudge, beatEvery)
			w.sweep()
		}
	}
}

// consume lets the engine take what is in the inbox. It reports whether results
// wait for sentinels.
func (w *Watch) consume() bool {
	batch := w.inbox.take()
	defer w.inbox.give(batch)
	w.mu.Lock()
	defer w.mu.Unlock()
	now, mono := w.now(), w.mono()
	e := w.engine
	e.tick(now, mono)
	for i := range batch {
		e.take(&batch[i], now, mono)
	}
	e.settle(now)
	w.wakeRecorder()
	return len(e.waiting) > 0
}

// sweep lets the engine do what time alone does.
func (w *Watch) sweep() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	w.engine.tick(now, w.mono())
	w.engine.sweep(now)
	w.wakeRecorder()
}

// commit runs one unit of work of the hub under the lease.
func (w *Watch) commit(ctx context.Context, lease journal.Lease, fn func(journal.Tx) error) error {
	return journal.UnderLease(ctx, w.work, lease, fn)
}

// nudge wakes whoever waits on a channel of size one.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
