package store

import "testing"

func TestParametersInOrderNeedNoNames(t *testing.T) {
	for text, want := range map[string]string{
		"select 1": "select 1",
		"insert into x values ($1, $2), ($3, cast($4 as bigint))": "insert into x values (?, ?), (?, cast(? as bigint))",
		"values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)":   "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"update x set a = $2 where id = $1":                       "update x set a = $2 where id = $1",
		"select a from x where $1 or b = $1":                      "select a from x where $1 or b = $1",
		"select $1, $20":                                          "select $1, $20",
		"select $1 from x where json_extract(a, '$.b') = $2":      "select $1 from x where json_extract(a, '$.b') = $2",
		"select $10": "select $10",
		"select $1":  "select ?",
	} {
		if got := unnamed(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
