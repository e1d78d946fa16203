package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"evenkeel/internal/problem"
)

// dbTime is a moment as it stands in a column: bigint Unix microseconds, null
// for the zero time. A time.Time is never bound itself: SQLite would keep its
// printed form.
type dbTime struct{ t *time.Time }

// at wraps a moment for binding; into wraps a target for scanning.
func at(t time.Time) dbTime    { return dbTime{&t} }
func into(t *time.Time) dbTime { return dbTime{t} }

// Value gives the microseconds, or null.
func (d dbTime) Value() (driver.Value, error) {
	if d.t.IsZero() {
		return nil, nil
	}
	return d.t.UnixMicro(), nil
}

// Scan reads microseconds, or null.
func (d dbTime) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d.t = time.Time{}
	case int64:
		*d.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a moment is kept as an integer, not %T", src)
	}
	return nil
}

// dbSpan is a duration as it stands in a column: bigint microseconds.
type dbSpan struct{ d *time.Duration }

func micros(d time.Duration) int64    { return d.Microseconds() }
func lasting(d *time.Duration) dbSpan { return dbSpan{d} }
func (d dbSpan) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a duration is kept as an integer, not %T", src)
	}
	*d.d = time.Duration(v) * time.Microsecond
	return nil
}

// dbJSON is a value kept whole as JSON text.
type dbJSON[T any] struct{ v *T }

func asJSON[T any](v *T) dbJSON[T] { return dbJSON[T]{v} }

// Value gives the text.
func (j dbJSON[T]) Value() (driver.Value, error) {
	text, err := json.Marshal(j.v)
	return string(text), err
}

// Scan reads the text.
func (j dbJSON[T]) Scan(src any) error {
	text, ok := src.(string)
	switch {
	case !ok:
		return fmt.Errorf("JSON is kept as text, not %T", src)
	case text == "null" || text == "[]" || text == "{}": // most are, and the target is empty already
		return nil
	}
	return json.Unmarshal([]byte(text), j.v)
}

// rowsInOneGo is how many rows are read before everybody else has a turn: reading
// a thousand must make no probe late.
const rowsInOneGo = 64

// each hands every row to scan and closes the rows.
func each(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for n := 1; rows.Next(); n++ {
		if err := scan(rows); err != nil {
			return err
		}
		if n%rowsInOneGo == 0 {
			runtime.Gosched()
		}
	}
	return rows.Err()
}

// querier is a pool or a transaction to read from.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// list reads a query into a slice of what scan makes of each row.
func list[T any](ctx context.Context, s *Store, q querier, scan func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.explain(err)
	}
	var out []T
	err = each(rows, func(r *sql.Rows) error {
		var v T
		if err := scan(r, &v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, s.explain(err)
	}
	return out, nil
}

// snapshot runs fn on one consistent view of the committed state.
func (s *Store) snapshot(ctx context.Context, fn func(querier) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation, ReadOnly: true})
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	return fn(tx)
}

// whole refuses nil where a column wants bytes.
func whole(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// positive refuses a limit that would mean "everything" to one engine and
// nothing to the other.
func positive(limit int) error {
	if limit <= 0 {
		return problem.Invalid("limit", "a limit must be positive")
	}
	return nil
}
