// Package store keeps the record of the house in SQL: SQLite in the data folder
// by default, PostgreSQL by URL, with one SQL text for both. It implements the
// ports of the journal and of the wings, and holds no business rule: what may
// change, and why, is decided above it. DESIGN.md tells how writes are grouped,
// fenced and sealed.
package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Options say which database to open and how.
type Options struct {
	URL      string // "" = SQLite in DataDir; postgres://… = PostgreSQL, or what speaks it
	DataDir  string // folder of the SQLite database; not needed with a URL
	Log      *slog.Logger
	ReadOnly bool // look only: no lock, no migration; a hub may be running
}

// Store is one open database. It is safe for concurrent use.
type Store struct {
	dialect  dialect
	where    string // the database as people know it, without secrets
	db       *sql.DB
	writer   *writer  // SQLite's one writer; nil on PostgreSQL and when read-only
	lock     *os.File // held while this process owns a SQLite data folder
	log      *slog.Logger
	readOnly bool
	applied  []int
	appended journal.LocalBell
	counts   counts
	unable   atomic.Pointer[problem.Error] // why nothing can be written although it can be read: set when that is seen, nil again after a unit of work
}

// The ports that Store satisfies. latency.HourStore is satisfied as well, but
// siblings do not import one another.
var (
	_ journal.Work      = (*Store)(nil)
	_ journal.Reader    = (*Store)(nil)
	_ journal.Leases    = (*Store)(nil)
	_ journal.Cursors   = (*Store)(nil)
	_ journal.SealStore = (*Store)(nil)
	_ journal.Index     = (*Store)(nil)
	_ journal.Browser   = (*Store)(nil)
	_ status.Store      = (*Store)(nil)
)

// Open opens the database and brings its schema up to date, unless read-only.
// Errors: Invalid for a URL it does not know, Conflict when another hub holds
// the data folder, the file is damaged or the schema is not one for this binary,
// Unavailable for everything that may pass by itself or be mended under way: the
// sentence says what, where and how. Nothing is destroyed.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{log: o.Log.With("component", "store"), readOnly: o.ReadOnly}
	open := s.openSQLite
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
			return nil, problem.Invalid("database.url", "the database URL must be empty for SQLite in the data folder, or begin with postgres://")
		}
		open = s.openPostgres
	}
	if err := open(ctx, o); err != nil {
		s.release()
		return nil, s.lasting(err)
	}
	return s, nil
}

// lasting makes a Conflict of a file that is damaged before anything was done:
// unlike a database that is away, it will not come back by being tried again.
func (s *Store) lasting(err error) error {
	e, ok := errors.AsType[*problem.Error](err)
	if !ok || e.Err == nil || s.dialect.code == nil {
		return err
	}
	if trouble, _, known := s.dialect.code(e.Err); !known || trouble != troubleBroken {
		return err
	}
	return &problem.Error{Kind: problem.KindConflict, Msg: e.Msg, Err: e.Err}
}

// Engine names the engine in use: "sqlite" or "postgresql".
func (s *Store) Engine() string { return s.dialect.name }

// Applied lists the migrations that Open applied, oldest first.
func (s *Store) Applied() []int { return s.applied }

// Ping asks the database for a sign of life. It also fails while the last unit of
// work met a disk that is full or may not be written, because such a database
// can still be read. Errors: Unavailable.
func (s *Store) Ping(ctx context.Context) error {
	if e := s.unable.Load(); e != nil {
		return e
	}
	var one int
	return s.explain(s.db.QueryRowContext(ctx, `select 1`).Scan(&one))
}

// Close ends writing, waiting for units of work that have begun until ctx
// ends, and closes the database.
func (s *Store) Close(ctx context.Context) error {
	var err error
	if s.writer != nil {
		err = s.writer.stop(ctx)
	}
	s.release()
	return err
}

// release closes whatever Open had opened.
func (s *Store) release() {
	if s.db != nil {
		s.db.Close()
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

// counts are running totals since Open.
type counts struct {
	units, failed, retried, commits atomic.Int64
}

// Stats is how the store has been doing since it was opened.
type Stats struct {
	Units   int64 // units of work that committed
	Failed  int64 // units of work that did not
	Retried int64 // runs beyond the first, after serialisation failures (PostgreSQL)
	Commits int64 // commits that carried the units: fewer, where commits are grouped (SQLite)
	Waiting int   // units of work waiting for the writer now (SQLite)
}

// Stats gives the totals.
func (s *Store) Stats() Stats {
	st := Stats{
		Units: s.counts.units.Load(), Failed: s.counts.failed.Load(),
		Retried: s.counts.retried.Load(), Commits: s.counts.commits.Load(),
	}
	if s.writer != nil {
		st.Waiting = len(s.writer.jobs)
	}
	return st
}

// Do runs fn in one transaction as the actor and commits when fn gives nil.
//
// On SQLite fn runs on the goroutine of the single writer, between the units of
// others, and shares their commit: it must not wait for anything but the
// database, and must not call Do. A panic in it is passed on to the caller. On
// PostgreSQL fn may run again after a serialisation failure. On both, ctx ends
// a unit of work that has not begun; one that has begun is seen through on
// SQLite and rolled back on PostgreSQL. After a statement has failed nothing
// more can be done in that unit of work, whatever fn makes of the error.
// Errors: fn's own, Conflict, Unavailable.
func (s *Store) Do(ctx context.Context, by access.Actor, fn func(journal.Tx) error) error {
	return s.run(ctx, by, func(t *tx) error { return fn(t) })
}

// run is Do for this package: fn gets the whole tx.
func (s *Store) run(ctx context.Context, by access.Actor, fn func(*tx) error) error {
	var err error
	switch {
	case s.readOnly:
		err = problem.Forbidden("The database was opened for reading only.")
	case ctx.Err() != nil:
		err = ctx.Err()
	case s.writer != nil:
		err = s.writer.do(ctx, by, fn)
	default:
		err = s.transact(ctx, by, fn)
	}
	if err != nil {
		s.counts.failed.Add(1)
		return err
	}
	s.counts.units.Add(1)
	s.unable.Store(nil)
	return nil
}

// moment gives the present as it is recorded everywhere: UTC, whole microseconds.
func moment() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
