package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// conn is what a unit of work runs its statements on: SQLite's writer with its
// prepared statements, or a PostgreSQL transaction.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tx is one unit of work. It lives on one goroutine and dies with its commit.
type tx struct {
	s       *Store
	ctx     context.Context
	conn    conn
	by      access.Actor
	now     time.Time
	entries []journal.Entry // appended so far, written at the end
	err     error           // the first statement that failed: nothing may follow it
}

// Now is the moment of this unit of work.
func (t *tx) Now() time.Time { return t.now }

// Append adds an entry; it is written when the unit of work ends.
func (t *tx) Append(e journal.Entry) error {
	e, err := e.Complete(t.by, t.now)
	if err != nil {
		return err
	}
	t.entries = append(t.entries, e)
	return nil
}

// Fence fails when the lease has moved on. On PostgreSQL the row stays locked
// until the commit, so that nobody takes the lease between here and there.
func (t *tx) Fence(l journal.Lease) error {
	var one int
	err := t.one(`select 1 from leases where name = $1 and holder = $2 and epoch = $3`+t.s.dialect.lockShared,
		[]any{l.Name, l.Holder, l.Epoch}, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return problem.Conflict("Another process took over %s.", l.Name)
	}
	return err
}

// own gives the tx behind the port, refusing one that another store made.
func (s *Store) own(jt journal.Tx) (*tx, error) {
	if t, ok := jt.(*tx); ok && t.s == s {
		return t, nil
	}
	return nil, problem.Internal(nil, "A unit of work of another store was used.")
}

// exec runs one statement and tells how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	if t.err != nil {
		return 0, t.err
	}
	res, err := t.conn.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, t.fail(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, t.fail(err)
	}
	return n, nil
}

// swap is exec for a compare-and-swap: no row changed means somebody was first.
func (t *tx) swap(what, id, query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		err = problem.Conflict("Somebody else changed %s %s first.", what, id)
	}
	return err
}

// rows runs a query and hands every row to scan.
func (t *tx) rows(query string, args []any, scan func(*sql.Rows) error) error {
	if t.err != nil {
		return t.err
	}
	rows, err := t.conn.QueryContext(t.ctx, query, args...)
	if err == nil {
		err = each(rows, scan)
	}
	if err != nil {
		return t.fail(err)
	}
	return nil
}

// within reads inside the unit of work with what reads committed state elsewhere.
func within[T any](t *tx, read func(querier) (T, error)) (v T, err error) {
	if t.err != nil {
		return v, t.err
	}
	if v, err = read(t.conn); err != nil {
		t.err = err // the engine may have given the transaction up
	}
	return v, err
}

// one reads one row; sql.ErrNoRows when there is none.
func (t *tx) one(query string, args []any, into ...any) error {
	found := false
	err := t.rows(query, args, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(into...)
	})
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// fail remembers the first failure, so that no later statement can run outside
// the transaction that the engine may have given up.
func (t *tx) fail(err error) error {
	t.err = t.s.explain(err)
	return t.err
}

// finish is what every unit of work ends with: fn's verdict, then its entries.
func (t *tx) finish(fn func(*tx) error) error {
	if err := fn(t); err != nil {
		return err
	}
	if t.err != nil {
		return t.err
	}
	if len(t.entries) == 0 {
		return nil
	}
	if err := t.s.dialect.appendEntries(t); err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	return nil
}
