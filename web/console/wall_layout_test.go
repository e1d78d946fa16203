package console

import (
	"math/rand/v2"
	"testing"
)

func TestWallHoldsSixtyWithoutScrolling(t *testing.T) {
	for name, row := range map[string]struct {
		groups        []int
		columns, rows int
		bare          bool
	}{
		"six groups of eight": {[]int{8, 8, 8, 8, 8, 8}, 6, 8, false},
		"six groups of ten":   {[]int{10, 10, 10, 10, 10, 10}, 6, 10, false},
		"three large groups":  {[]int{20, 20, 20}, 6, 10, false},
		"one group":           {[]int{60}, 6, 10, false},
		"a demo":              {[]int{3, 2, 1}, 3, 5, false},
		"many small groups":   {[]int{3, 3, 3, 3, 3, 3, 3, 3, 3, 3}, 5, 7, false},
		"eighty":              {[]int{40, 40}, 8, 10, false},
		"ninety-six":          {[]int{48, 48}, 8, 12, true},
	} {
		p, ok := planWall(row.groups)
		if !ok || p.Columns != row.columns || p.Rows != row.rows || p.Bare != row.bare {
			t.Errorf("%s: %v, %d columns of %d rows, bare %v", name, ok, p.Columns, p.Rows, p.Bare)
		}
	}
	if _, ok := planWall([]int{97}); ok {
		t.Error("ninety-seven have a cell each")
	}
}

// TestWallPlacesEveryCellOnceAndInOrder, whatever the groups are.
func TestWallPlacesEveryCellOnceAndInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		groups := make([]int, 1+random.IntN(12))
		for i := range groups {
			groups[i] = 1 + random.IntN(14)
		}
		p, ok := planWall(groups)
		if !ok {
			continue
		}
		g, at := 0, 0
		for _, column := range p.places {
			used := -headingRows
			for _, b := range column {
				if b.group != g || b.from != at || b.count < 1 || b.more != (at > 0) {
					t.Fatalf("%v: %+v where group %d goes on at %d", groups, b, g, at)
				}
				used += headingRows + float64(b.count)
				if at += b.count; at == groups[g] {
					g, at = g+1, 0
				}
			}
			if used > float64(p.Rows)+1e-9 {
				t.Fatalf("%v: a column of %.2f rows where %d fit", groups, used, p.Rows)
			}
		}
		if g != len(groups) {
			t.Fatalf("%v: group %d is missing", groups, g)
		}
	}
}
