package store

import (
	"runtime"
	"strconv"
	"strings"
)

// pieceSizes are how many rows one statement takes: few sizes, so that there are
// few texts to prepare.
var pieceSizes = [...]int{64, 8, 1}

// pieces hands rows to fn in pieces of those sizes. In between everybody else has
// a turn: a thousand rows for the database must make no probe late.
func pieces[T any](rows []T, fn func([]T) error) error {
	for _, size := range pieceSizes {
		for len(rows) >= size {
			if err := fn(rows[:size]); err != nil {
				return err
			}
			rows = rows[size:]
			runtime.Gosched()
		}
	}
	return nil
}

// tuples writes "($1, $2), ($3, $4)" for so many rows of columns. The first row
// names the types, which PostgreSQL cannot guess in a list of values; with no
// types the columns of the table tell.
func tuples(rows, columns int, types ...string) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		if i < len(types) {
			b.WriteString("cast($" + strconv.Itoa(i+1) + " as " + types[i] + ")")
		} else {
			b.WriteString("$" + strconv.Itoa(i+1))
		}
	}
	b.WriteByte(')')
	return b.String()
}
