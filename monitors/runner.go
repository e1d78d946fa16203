package monitors

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Limits and times of the runner.
const (
	DefaultConcurrency = 4096                   // probes in flight at once, beyond which results are inconclusive
	idleWorkers        = 128                    // goroutines kept for the next slot, with their stacks grown
	slotLead           = 20 * time.Millisecond  // a first tick nearer than this is fired by a timer of its own
	sentinelRest       = 500 * time.Millisecond // a sentinel probed this recently is not probed again out of turn
	missedLogEvery     = 10 * time.Second       // one line in the log about missed ticks
)

// RunnerDeps is what a Runner needs.
type RunnerDeps struct {
	Observe     func([]status.Result) // takes every result; must not block and may keep the slice
	Log         *slog.Logger
	Registerer  prometheus.Registerer // nil for none
	Concurrency int                   // default DefaultConcurrency
	Calibrate   bool                  // measure the error of recorded latencies on a loopback target
}

// Runner probes every monitor at its moment: one gocron job per slot of
// monitors that fall due together, a goroutine for each probe, one run in
// flight per monitor. It knows results, not what becomes of them.
type Runner struct {
	deps    RunnerDeps
	results *batcher
	metrics *runnerMetrics

	mu    sync.Mutex // over the schedule
	tasks map[string]*task
	slots map[place]*slot
	shift *shift // nil while Run is not running

	inFlight atomic.Int64
	runs     atomic.Int64
	missed   atomic.Int64
	refused  atomic.Int64
	logged   atomic.Int64 // when missed ticks were last logged, Unix nanoseconds
}

// shift is one stretch of running: from the start of Run to its end.
type shift struct {
	ctx     context.Context // of the runs
	sched   gocron.Scheduler
	clock   steady // of sched
	work    chan errand
	gate    sync.RWMutex // held while a worker may be started, so that the end can wait for all
	workers sync.WaitGroup
	idle    atomic.Int32
}

// errand is one run that a worker shall do.
type errand struct {
	task *task
	due  time.Time // carries the monotonic clock
}

// NewRunner makes a runner with nothing to do. Errors: Internal, when its
// metrics cannot be registered.
func NewRunner(deps RunnerDeps) (*Runner, error) {
	if deps.Concurrency <= 0 {
		deps.Concurrency = DefaultConcurrency
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{
		deps: deps, results: &batcher{out: deps.Observe}, tasks: make(map[string]*task), slots: make(map[place]*slot)}
	r.metrics = newRunnerMetrics(r)
	if deps.Registerer != nil {
		if err := deps.Registerer.Register(r.metrics); err != nil {
			return nil, problem.Internal(err, "monitors: registering metrics")
		}
	}
	return r, nil
}

// Set replaces what is probed. Monitors whose mark is unchanged keep their
// state, their connections and, as long as the number of monitors stays in the
// same range, their moment; the probe given anew for them is closed. Safe at any time.
func (r *Runner) Set(jobs []Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tasks := make(map[string]*task, len(jobs))
	for _, j := range jobs {
		j = j.complete()
		name := j.Key + "/" + j.Location
		if old, ok := r.tasks[name]; ok && old.job.same(j) {
			if old.job.Probe != j.Probe {
				j.Probe.Close()
			}
			tasks[name] = old
			continue
		}
		tasks[name] = &task{job: j}
	}
	for name, old := range r.tasks {
		if tasks[name] != old {
			old.retire()
		}
	}
	r.tasks = tasks
	if r.shift != nil {
		r.reconcile(r.shift)
	}
}

// reconcile makes the slots what the tasks need. Callers hold r.mu.
func (r *Runner) reconcile(sh *shift) {
	want := arrange(r.tasks)
	for at, s := range r.slots {
		if _, ok := want[at]; !ok {
			if err := sh.sched.RemoveJob(s.job); err != nil {
				r.deps.Log.Error("removing a slot from the schedule", "err", err)
			}
			s.tasks.Store(&[]*task{})
			delete(r.slots, at)
		}
	}
	for at, tasks := range want {
		s, ok := r.slots[at]
		if ok {
			s.tasks.Store(&tasks)
			continue
		}
		s = &slot{place: at}
		s.tasks.Store(&tasks)
		if err := r.open(sh, s); err != nil {
			r.deps.Log.Error("adding a slot to the schedule", "err", err)
			continue
		}
		r.slots[at] = s
	}
}

// open puts a slot on gocron's schedule.
func (r *Runner) open(sh *shift, s *slot) error {
	now := time.Now()
	s.next = s.firstTick(now)
	wait := s.next.Sub(now)
	if wait < slotLead { // gocron refuses starts that have passed by the time it looks
		time.AfterFunc(wait, func() { r.fire(sh, s) })
		wait += s.interval
	}
	start := sh.clock.Now().Add(wait)
	job, err := sh.sched.NewJob(gocron.DurationJob(s.interval), gocron.NewTask(func() { r.fire(sh, s) }), gocron.WithStartAt(gocron.WithStartDateTime(start)))
	if err != nil {
		return err
	}
	s.job = job.ID()
	return nil
}

// Run keeps the schedule until ctx ends, then waits for the runs in flight,
// which end with ctx; results of runs cut short are dropped. It may be called
// again later: monitors and connections stay. Errors: Internal.
func (r *Runner) Run(ctx context.Context) error { return r.run(ctx, newSteady()) }

func (r *Runner) run(ctx context.Context, clock steady) error {
	sched, err := gocron.NewScheduler(gocron.WithLocation(time.UTC), gocron.WithClock(clock))
	if err != nil {
		return problem.Internal(err, "monitors: making the schedule")
	}
	sh := &shift{ctx: ctx, sched: sched, clock: clock, work: make(chan errand)}
	if r.deps.Calibrate {
		if c, err := newCalibration(r.metrics.latency); err != nil {
			r.deps.Log.Warn("the error of latencies is not measured", "err", err)
		} else {
			sh.workers.Go(func() { c.run(ctx) })
		}
	}
	sched.Start()
	r.mu.Lock()
	r.shift = sh
	r.reconcile(sh)
	r.mu.Unlock()

	<-ctx.Done()
	r.mu.Lock()
	r.shift = nil
	clear(r.slots)
	r.mu.Unlock()
	err = sched.Shutdown()
	sh.gate.Lock() // whoever still comes finds, after this, that ctx is over
	sh.workers.Wait()
	sh.gate.Unlock()
	r.results.flush()
	if err != nil {
		return problem.Internal(err, "monitors: stopping the schedule")
	}
	return nil
}

// Close closes all probes. Run has ended before.
func (r *Runner) Close() { r.Set(nil) }

// fire begins the runs of a slot.
func (r *Runner) fire(sh *shift, s *slot) {
	due, missed, ok := s.tick(time.Now())
	if !ok {
		return
	}
	tasks := *s.tasks.Load()
	if missed > 0 {
		r.miss(missed*len(tasks), "", due)
	}
	for _, t := range tasks {
		switch t.begin(due) {
		case tickBegun:
			r.start(sh, errand{t, due})
		case tickBusy:
			r.miss(1, t.job.ID, due)
		}
	}
}

// miss counts ticks that did not lead to a run, and says so.
func (r *Runner) miss(n int, monitor string, due time.Time) {
	total := r.missed.Add(int64(n))
	now := time.Now()
	last := r.logged.Load()
	if now.UnixNano()-last > int64(missedLogEvery) && r.logged.CompareAndSwap(last, now.UnixNano()) {
		r.deps.Log.Warn("ticks missed", "monitor", monitor, "due", due.UTC(), "total", total)
	}
}

// start hands a claimed task to a worker that waits, or to a new one. Beyond
// the cap the result is inconclusive: we could not tell.
func (r *Runner) start(sh *shift, e errand) {
	sh.gate.RLock()
	defer sh.gate.RUnlock()
	if sh.ctx.Err() != nil {
		e.task.end(true)
		return
	}
	if n := r.inFlight.Add(1); n > int64(r.deps.Concurrency) {
		r.inFlight.Add(-1)
		r.refused.Add(1)
		run := NewRun(e.task.job.Key, e.task.job.Location, wallOf(e.due))
		res := run.Unknown("the hub has %d probes under way and starts no more", r.deps.Concurrency)
		res.Interval = e.task.job.Interval
		e.task.keep(res)
		e.task.end(true)
		r.results.add(res)
		return
	}
	select {
	case sh.work <- e:
	default:
		sh.workers.Go(func() { r.worker(sh, e) })
	}
}

// worker does one errand and then waits for others, as long as few wait already.
func (r *Runner) worker(sh *shift, e errand) {
	var run Run
	for {
		r.do(sh.ctx, e, &run)
		if sh.idle.Add(1) > idleWorkers {
			sh.idle.Add(-1)
			return
		}
		select {
		case e = <-sh.work:
			sh.idle.Add(-1)
		case <-sh.ctx.Done():
			return
		}
	}
}

// do runs one probe and records its result.
func (r *Runner) do(ctx context.Context, e errand, run *Run) {
	defer r.inFlight.Add(-1)
	t := e.task
	run.Reset(t.job.Key, t.job.Location, wallOf(e.due))
	r.metrics.lag.Observe(run.Started.Sub(e.due).Seconds())
	limited, cancel := context.WithTimeout(ctx, t.job.Timeout)
	res := t.job.Probe.Probe(limited, run)
	cancel()
	res.Interval = t.job.Interval
	if ctx.Err() != nil {
		t.end(true)
		return
	}
	r.runs.Add(1)
	r.metrics.outcomes[res.Outcome].Inc()
	if t.keep(res) { // the log of a good run after a good run is not made: nobody asks for it
		res = run.withLog(res)
		t.amend(res)
	}
	t.end(true)
	r.results.add(res)
}

// wallOf gives a moment of the monotonic clock as the wall clock has it now.
func wallOf(due time.Time) time.Time {
	now := time.Now()
	return now.Add(due.Sub(now)).UTC().Truncate(time.Microsecond)
}

// Wake probes monitors now, out of turn: a heartbeat whose ping has just come.
// Keys that are not known, or whose run is in flight, are passed over.
func (r *Runner) Wake(keys ...string) {
	for _, key := range keys {
		if t := r.find(key); t != nil {
			r.extra(t)
		}
	}
}

// Sentinels probes all sentinels now, except those that were probed just before.
func (r *Runner) Sentinels() {
	r.mu.Lock()
	var due []*task
	for _, t := range r.tasks {
		if last, ok := t.newest(); t.job.Sentinel && (!ok || time.Since(last.Started) > sentinelRest) {
			due = append(due, t)
		}
	}
	r.mu.Unlock()
	for _, t := range due {
		r.extra(t)
	}
}

func (r *Runner) extra(t *task) {
	r.mu.Lock()
	sh := r.shift
	r.mu.Unlock()
	if sh != nil && t.beginExtra() {
		r.start(sh, errand{t, time.Now()})
	}
}

// RunOnce runs a monitor by hand, beside the schedule, with its log kept. id is
// its id or key. The result is given to the caller alone. Errors: NotFound.
func (r *Runner) RunOnce(ctx context.Context, id string) (status.Result, error) {
	t := r.find(id)
	if t == nil || !t.beginByHand() {
		return status.Result{}, problem.NotFound("There is no monitor %q.", id)
	}
	defer t.end(false)
	return Once(ctx, t.job.Probe, t.job.Key, t.job.Location, t.job.Timeout), nil
}

// Last gives the newest result of a monitor, by id or key. Its facts hold the
// run's log when it, or the one before, was not good.
func (r *Runner) Last(id string) (status.Result, bool) {
	t := r.find(id)
	if t == nil {
		return status.Result{}, false
	}
	return t.newest()
}

// find gives the task of a monitor at this hub's own location, else at any.
func (r *Runner) find(id string) *task {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.tasks[id+"/"+status.LocalLocation]; ok {
		return t
	}
	for _, t := range r.tasks {
		if t.job.ID == id || t.job.Key == id {
			return t
		}
	}
	return nil
}

// Stats is what the runner is doing.
type Stats struct {
	Monitors int
	Slots    int
	InFlight int
	Runs     int64 // finished since the start
	Missed   int64 // ticks that led to no run
	Refused  int64 // ticks beyond the cap
}

// Stats tells what the runner is doing.
func (r *Runner) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Stats{
		Monitors: len(r.tasks), Slots: len(r.slots), InFlight: int(r.inFlight.Load()),
		Runs: r.runs.Load(), Missed: r.missed.Load(), Refused: r.refused.Load(),
	}
}
