package store

import (
	"context"
	"database/sql"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

const (
	// writerQueue is how many units of work may wait for the writer; more wait
	// in their callers.
	writerQueue = 1024
	// groupMost is how many units of work share one commit, at most.
	groupMost = 256
	// groupFor is how long a group takes in further units, so that the first
	// of them does not wait long for its commit.
	groupFor = 10 * time.Millisecond
	// slowUnit is how long a unit of work may keep the writer to itself before
	// the log says so.
	slowUnit = 250 * time.Millisecond
)

// job is one unit of work waiting for the writer.
type job struct {
	ctx   context.Context
	by    access.Actor
	fn    func(*tx) error
	taken atomic.Bool // by the writer, which will run it, or by its caller, who gave up
	done  chan outcome
}

// outcome is what became of a job. panicked is what fn panicked with.
type outcome struct {
	err      error
	panicked any
}

// writer is the only one who writes to SQLite. It runs the units of work that
// wait, one after the other, each in a savepoint of its own, and commits them
// together: one fsync for all. A unit that fails is undone alone; a commit that
// fails fails them all.
type writer struct {
	s     *Store
	conn  *stmtConn
	log   *slog.Logger
	head  head // of the sealed journal, as of the last statement that succeeded
	jobs  chan *job
	quit  chan struct{} // closed by stop: no more jobs
	ended chan struct{} // closed by loop
	once  sync.Once
}

// head is the end of the sealed journal.
type head struct {
	seq  int64
	hash string
}

// startWriter takes over the connection and begins to work.
func startWriter(s *Store, conn *stmtConn, h head) *writer {
	w := &writer{
		s: s, conn: conn, log: s.log, head: h,
		jobs: make(chan *job, writerQueue), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.loop()
	return w
}

// errClosed answers units of work that come after Close.
func errClosed() error { return problem.Unavailable(nil, "The database is being closed.") }

// do hands fn to the writer and waits until its commit is on disk.
func (w *writer) do(ctx context.Context, by access.Actor, fn func(*tx) error) error {
	j := &job{ctx: ctx, by: by, fn: fn, done: make(chan outcome, 1)}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed()
	}
	var out outcome
	select {
	case out = <-j.done:
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		out = <-j.done // it has begun: its outcome must be known
	case <-w.ended:
		select {
		case out = <-j.done:
		default:
			return errClosed()
		}
	}
	if out.panicked != nil {
		panic(out.panicked)
	}
	return out.err
}

// stop refuses new units of work, lets those that wait finish, and closes the
// connection; ctx bounds the waiting.
func (w *writer) stop(ctx context.Context) error {
	w.once.Do(func() { close(w.quit) })
	select {
	case <-w.ended:
		return nil
	case <-ctx.Done():
		return problem.Unavailable(ctx.Err(), "The database %s was still writing when the time to close was over.", w.s.where)
	}
}

// loop is the writer's goroutine.
func (w *writer) loop() {
	defer close(w.ended)
	defer w.conn.close()
	for {
		select {
		case j := <-w.jobs:
			w.group(j)
			continue
		default:
		}
		select {
		case j := <-w.jobs:
			w.group(j)
		case <-w.quit:
			select {
			case j := <-w.jobs: // came in before quit was seen
				w.group(j)
				continue
			default:
				return
			}
		}
	}
}

// group runs first and whatever waits behind it, and commits them together.
func (w *writer) group(first *job) {
	before, begun := w.head, time.Now()
	if err := w.conn.exec(`begin immediate`); err != nil {
		if first.take() {
			first.done <- outcome{err: w.s.explain(err)}
		}
		return
	}
	var err error
	var ran []*job // well; they wait for the commit
	for j := first; j != nil && err == nil; j = w.next(begun, len(ran)) {
		if !j.take() {
			continue
		}
		var out outcome
		if out, err = w.unit(j); out.err == nil && out.panicked == nil && err == nil {
			ran = append(ran, j)
			continue
		}
		if out.err == nil {
			out.err = err
		}
		j.done <- out
	}
	if err == nil {
		err = w.s.explain(w.conn.exec(`commit`))
	}
	if err != nil {
		_ = w.conn.exec(`rollback`) // SQLite may have done it already
		w.head = before
	} else if len(ran) > 0 {
		w.s.counts.commits.Add(1)
	}
	for _, j := range ran {
		j.done <- outcome{err: err}
	}
	if w.head != before {
		w.s.appended.Ring()
	}
}

// next gives the next job of a group, nil when the group is complete.
func (w *writer) next(begun time.Time, members int) *job {
	if members >= groupMost || time.Since(begun) > groupFor {
		return nil
	}
	select {
	case j := <-w.jobs:
		return j
	default:
		return nil
	}
}

// take claims the job for the writer; false when its caller has given up.
func (j *job) take() bool { return j.taken.CompareAndSwap(false, true) }

// unit runs one job in its savepoint. The outcome is the job's own; err means
// that the whole transaction is gone, and the group with it.
func (w *writer) unit(j *job) (out outcome, err error) {
	before, begun := w.head, time.Now()
	if err := w.conn.exec(`savepoint unit`); err != nil {
		return out, w.s.explain(err)
	}
	t := &tx{s: w.s, ctx: context.Background(), conn: w.conn, by: j.by, now: moment()}
	func() {
		defer func() {
			if out.panicked = recover(); out.panicked != nil {
				w.log.Error("unit of work panicked", "panic", out.panicked, "stack", string(debug.Stack()))
			}
		}()
		out.err = t.finish(j.fn)
	}()
	if took := time.Since(begun); took > slowUnit {
		w.log.Warn("unit of work held up the writer", "dur", took, "actor", j.by.ID)
	}
	if out.err != nil || out.panicked != nil {
		w.head = before
		if err := w.conn.exec(`rollback to unit`); err != nil {
			return out, w.s.explain(err)
		}
	}
	return out, w.s.explain(w.conn.exec(`release unit`))
}

// stmtConn is one connection that prepares every statement once. The texts are
// constants of this package, so there is no end of them to fear.
type stmtConn struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (c *stmtConn) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := c.stmts[query]; ok {
		return st, nil
	}
	st, err := c.conn.PrepareContext(ctx, unnamed(query))
	if err == nil {
		c.stmts[query] = st
	}
	return st, err
}

// unnamed writes the parameters of a text as bare marks, where they come in order
// and once each. SQLite takes $1 for a name, and the driver asks for the name of
// every parameter before it binds it, for which SQLite walks through the names
// from the first: with a thousand of them that was more than all other work.
func unnamed(query string) string {
	var b strings.Builder
	rest := query
	for next := 1; ; next++ {
		text, mark, found := strings.Cut(rest, "$")
		b.WriteString(text)
		if !found {
			return b.String()
		}
		number := strconv.Itoa(next)
		after, ok := strings.CutPrefix(mark, number)
		if !ok || after != "" && after[0] >= '0' && after[0] <= '9' {
			return query
		}
		b.WriteByte('?')
		rest = after
	}
}

// ExecContext runs a statement.
func (c *stmtConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

// QueryContext runs a query.
func (c *stmtConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// exec runs a statement of the writer's own.
func (c *stmtConn) exec(query string) error {
	_, err := c.ExecContext(context.Background(), query)
	return err
}

// close gives the connection up.
func (c *stmtConn) close() {
	for _, st := range c.stmts {
		st.Close()
	}
	c.conn.Close()
	c.db.Close()
}
