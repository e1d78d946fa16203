package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// copyRows is how many rows one statement of a copy carries; copyColumns bounds
// how many values that may be, below what either engine takes.
const (
	copyRows    = 200
	copyColumns = 30_000
)

// ownTables are left out of copies: each database keeps its own.
var ownTables = []string{"schema_migrations"}

// sheet is one table of the record as a copy carries it.
type sheet struct {
	name    string
	columns []string
	flags   []bool // by column: kept as a truth value
	bytes   []bool // by column: kept as bytes, never null
}

// sheets lists the tables of a SQLite database that hold the record, those that
// others refer to first. What an engine makes for itself, such as the tables of
// a search index, is no part of the record.
func (s *Store) sheets(ctx context.Context, q querier) ([]sheet, error) {
	names, err := list(ctx, s, q, func(r *sql.Rows, name *string) error { return r.Scan(name) },
		`select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%' order by name`)
	if err != nil {
		return nil, err
	}
	var out []sheet
	placed := map[string]bool{}
	var place func(name string) error
	place = func(name string) error {
		if placed[name] || slices.Contains(ownTables, name) {
			return nil
		}
		placed[name] = true
		parents, err := list(ctx, s, q, func(r *sql.Rows, p *string) error { return r.Scan(p) },
			`select distinct "table" from pragma_foreign_key_list($1)`, name)
		if err != nil {
			return err
		}
		for _, p := range parents {
			if err := place(p); err != nil {
				return err
			}
		}
		sh := sheet{name: name}
		type column struct{ name, kind string }
		columns, err := list(ctx, s, q, func(r *sql.Rows, c *column) error { return r.Scan(&c.name, &c.kind) },
			`select name, lower(type) from pragma_table_info($1) order by cid`, name)
		if err != nil {
			return err
		}
		for _, c := range columns {
			sh.columns = append(sh.columns, c.name)
			sh.flags = append(sh.flags, c.kind == "boolean")
			sh.bytes = append(sh.bytes, c.kind == "bytea" || c.kind == "blob")
		}
		out = append(out, sh)
		return nil
	}
	for _, name := range names {
		if err := place(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// copySheet copies every row of a table from one database to another, whatever
// their engines, and tells how many there were.
func (s *Store) copySheet(ctx context.Context, sh sheet, from querier, to conn) (rows int64, err error) {
	names := make([]string, len(sh.columns))
	for i, c := range sh.columns {
		names[i] = `"` + c + `"`
	}
	columns := strings.Join(names, ", ")
	r, err := from.QueryContext(ctx, `select `+columns+` from `+sh.name)
	if err != nil {
		return 0, s.explain(err)
	}
	defer r.Close()
	per := min(copyRows, copyColumns/len(names))
	batch := make([]any, 0, per*len(names))
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := to.ExecContext(ctx, `insert into `+sh.name+` (`+columns+`) values `+placeholders(len(batch)/len(names), len(names)), batch...)
		batch = batch[:0]
		return err
	}
	values, targets := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	for r.Next() {
		if err := r.Scan(targets...); err != nil {
			return rows, s.explain(err)
		}
		for i, v := range values {
			carried, err := sh.carry(i, v)
			if err != nil {
				return rows, fmt.Errorf("copy %s.%s: %w", sh.name, sh.columns[i], err)
			}
			batch = append(batch, carried)
		}
		rows++
		if len(batch) == cap(batch) {
			if err := flush(); err != nil {
				return rows, fmt.Errorf("copy %s: %w", sh.name, err)
			}
		}
	}
	if err := r.Err(); err != nil {
		return rows, s.explain(err)
	}
	if err := flush(); err != nil {
		return rows, fmt.Errorf("copy %s: %w", sh.name, err)
	}
	return rows, nil
}

// carry gives a value in a form that either engine takes.
func (sh sheet) carry(i int, v any) (any, error) {
	switch v := v.(type) {
	case int64:
		if sh.flags[i] {
			return v != 0, nil
		}
		return v, nil
	case []byte:
		if sh.bytes[i] {
			return whole(slices.Clone(v)), nil
		}
		return string(v), nil
	case nil, bool, float64, string:
		return v, nil
	case time.Time:
		return nil, fmt.Errorf("a moment is kept as an integer, not %T", v)
	default:
		return nil, fmt.Errorf("%T is nothing that the record keeps", v)
	}
}

// placeholders gives "($1, $2), ($3, $4)" for rows of so many columns.
func placeholders(rows, columns int) string {
	var b strings.Builder
	n := 0
	for row := range rows {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for col := range columns {
			if col > 0 {
				b.WriteString(", ")
			}
			n++
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteByte(')')
	}
	return b.String()
}
