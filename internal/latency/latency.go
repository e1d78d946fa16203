// Package latency is the adapter that keeps measurements: status.Latency on a
// real Redis, or in process with rows in SQL, and the bell that wakes the
// followers of other replicas. It must not know what a measurement means for a
// component, and no Redis type leaves it. DESIGN.md tells how and why.
package latency

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Limits and rhythms. What is lost when one is reached is counted in
// evenkeel_samples_dropped_total.
const (
	MaxBuffered = 1 << 18     // samples that wait while the engine is away; the oldest go first
	MaxSeries   = 1 << 17     // monitors times locations times intervals that are known at once
	MaxName     = 128         // bytes of a monitor's key or a location
	MinInterval = time.Second // shorter intervals share slots of this
	MaxInterval = 400 * 24 * 60 * time.Minute
	MaxKeep     = 48 * time.Hour   // how long samples are kept at most, and by default
	MaxAhead    = 10 * time.Minute // how far in the future a result may be due

	FlushEvery     = time.Second            // a crash loses this much with Redis
	SaveEvery      = time.Minute            // each series once; a crash loses this much in process
	FlushTimeout   = 5 * time.Second        // one flush as a whole
	RequestTimeout = 250 * time.Millisecond // what a reader waits for the engine at most
	MaxBackOff     = 5 * time.Second        // between tries while the engine is away
)

// HourStore keeps packed hours of samples in SQL where there is no Redis.
type HourStore interface {
	// PutHourRows replaces rows by monitor, location, interval, values and hour.
	// When it fails some may be written. Errors: Unavailable.
	PutHourRows(ctx context.Context, rows []status.HourRow) error
	// HourRows gives the rows of a monitor, location and interval (0: of every
	// interval) that start in [from, to), by hour. Errors: Unavailable.
	HourRows(ctx context.Context, monitor, location string, interval time.Duration, values bool, from, to time.Time) ([]status.HourRow, error)
	// PruneHourRows deletes at most limit rows that start before before and tells how many.
	PruneHourRows(ctx context.Context, before time.Time, limit int) (int, error)
}

// Options is what Open needs.
type Options struct {
	URL        string                // "" = in process; the forms are in url.go
	Hours      HourStore             // needed in process
	Keep       time.Duration         // how long samples are kept; 0 or more than MaxKeep = MaxKeep
	Log        *slog.Logger          // nil discards
	Registerer prometheus.Registerer // nil registers nothing
	Now        func() time.Time      // nil = time.Now
	Beat       func()                // called by Run at least every FlushTimeout + MaxBackOff; nil = nobody minds
}

// Health tells whether the engine behind a Recorder takes samples.
type Health struct {
	OK     bool
	Since  time.Time // of the present state
	Detail string    // one line for staff; "" when OK
}

// Recorder implements status.Latency. Safe for concurrent use.
type Recorder struct {
	log     *slog.Logger
	now     func() time.Time
	beat    func()
	keep    time.Duration
	engine  string
	shelf   shelf
	bell    journal.Bell
	ringer  *redisBell // nil in process
	metrics metrics
	health  atomic.Pointer[Health]

	mu      sync.Mutex // guards what follows; held for microseconds
	closed  bool
	buffer  buffer
	table   table
	urgent  []*series // to be saved before their turn
	unsaved int       // samples of this process in blocks

	flushing sync.Mutex // one flush at a time; taken before mu
	saved    int64      // second up to which the wheel has turned; guarded by flushing
	pruned   time.Time  // when old samples were last removed; guarded by flushing
	frames   frameWriter
}

var _ status.Latency = (*Recorder)(nil)

// shelf is where samples are kept: Redis, or rows in SQL.
type shelf interface {
	// logs reports whether exchange wants frames at all.
	logs() bool
	// exchange writes frames as a crash log and gives those that others wrote
	// since the last call, or that were not saved when this process started.
	// more says that there are further ones. Nothing is written when it fails.
	exchange(ctx context.Context, own [][]byte) (others [][]byte, more bool, err error)
	// save writes parts and marks those that are safe. Slots may be written
	// again; phases must not be, so that a part is offered with them only once.
	save(ctx context.Context, parts []part) error
	// hours reads the hours from..to of a query, of all intervals, in any order.
	hours(ctx context.Context, q status.SampleQuery, from, to int64) ([]hourGrid, error)
	// forget tells that a series is no longer known.
	forget(s *series)
	// prune removes some of what is older than before.
	prune(ctx context.Context, before time.Time) error
	ping(ctx context.Context) error
	close() error
}

// Open makes a Recorder. An engine that is away is no error: samples are
// buffered until it is back. Errors: Invalid for a URL or file that cannot be
// used.
func Open(ctx context.Context, o Options) (*Recorder, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Beat == nil {
		o.Beat = func() {}
	}
	if o.Keep <= 0 || o.Keep > MaxKeep {
		o.Keep = MaxKeep
	}
	r := &Recorder{log: o.Log, now: o.Now, beat: o.Beat, keep: o.Keep, table: newTable()}
	r.saved = o.Now().Unix()
	r.health.Store(&Health{OK: true, Since: r.now().UTC()})
	if o.URL == "" {
		if o.Hours == nil {
			return nil, problem.Invalid("redis.url", "without a Redis, samples need a database to go to")
		}
		r.engine, r.shelf, r.bell = "in process", newRowShelf(o.Hours, o.Now), &journal.LocalBell{}
	} else {
		client, err := dial(o.URL, o.Log)
		if err != nil {
			return nil, err
		}
		writer := newWriterID()
		r.engine, r.shelf = "redis", newRedisShelf(client, writer, o.Keep)
		r.ringer = newRedisBell(client, writer, o.Log)
		r.bell = r.ringer
		r.frames.writer = writer
	}
	if err := r.register(o.Registerer); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	r.settle(r.shelf.ping(ctx))
	return r, nil
}

// Engine names the engine in use: "redis" or "in process".
func (r *Recorder) Engine() string { return r.engine }

// Bell gives the bell that rings in this process and, with Redis, in all replicas.
func (r *Recorder) Bell() journal.Bell { return r.bell }

// Health tells the state as the last flush found it.
func (r *Recorder) Health() Health { return *r.health.Load() }

// Ping asks the engine now. Errors: Unavailable.
func (r *Recorder) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	if err := r.shelf.ping(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}

// Record takes results and returns at once: it never waits for the engine.
func (r *Recorder) Record(batch []status.Result) {
	const atOnce = 1024 // so that readers and the flush get their turn
	now := r.now()
	oldest, newest := now.Add(-r.keep), now.Add(MaxAhead)
	dropped := 0
	for len(batch) > 0 {
		n := min(len(batch), atOnce)
		r.mu.Lock()
		for i := range batch[:n] {
			result := &batch[i]
			if r.closed || result.Due.Before(oldest) || result.Due.After(newest) {
				dropped++
				continue
			}
			s := r.table.series(result.Monitor, result.Location, result.Interval)
			if s == nil {
				dropped++
				continue
			}
			s.pending++
			s.used = now.Unix()
			dropped += r.buffer.push(s, result)
		}
		r.mu.Unlock()
		batch = batch[n:]
	}
	if dropped > 0 {
		r.metrics.dropped.Add(float64(dropped))
	}
}

// Close writes what is left and lets go of the engine. Stop Run first.
// Errors: Unavailable when samples could not be written.
func (r *Recorder) Close(ctx context.Context) error {
	err := r.Flush(ctx)
	r.mu.Lock()
	r.closed = true
	lost := r.buffer.count
	if !r.shelf.logs() { // else the next start saves them
		lost += r.unsaved
	}
	r.mu.Unlock()
	r.metrics.dropped.Add(float64(lost))
	if closing := r.shelf.close(); err == nil && closing != nil {
		err = unavailable(closing)
	}
	return err
}

// Release lets go of the engine and writes nothing: for a process that has only
// read. It takes the place of Close.
func (r *Recorder) Release() error {
	if err := r.shelf.close(); err != nil {
		return unavailable(err)
	}
	return nil
}

// unavailable says that the engine is away.
func unavailable(err error) error {
	return problem.Unavailable(err, "The record of measurements is not reachable just now.")
}
