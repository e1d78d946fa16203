package console

// What fits on a wall of 1920 by 1080 without scrolling.
const (
	// headingRows is how much of a cell's height a heading takes.
	headingRows = 0.27
	// wallCells is how many components have a cell each; beyond it every group
	// has one.
	wallCells = 96
)

// wallPlan is how the cells of a wall are laid out: so many columns of so many
// rows each. The order is that of the page, so that a component keeps its place
// whatever happens to it.
type wallPlan struct {
	Columns int
	Rows    int
	Bare    bool // no room for sparklines
	places  [][]block
}

// block is some of a group's cells in one column: Count of them, from From on.
type block struct {
	group, from, count int
	more               bool // the group began in the column before
}

// fits are the shapes that are tried, the roomiest first.
var fits = []struct {
	columns, rows int
	bare          bool
}{{6, 8, false}, {6, 10, false}, {8, 10, false}, {8, 12, true}}

// planWall lays out groups of so many cells each. Groups stay whole where that
// fits; ok is false when nothing does.
func planWall(groups []int) (p wallPlan, ok bool) {
	total, largest := 0, 0
	for _, n := range groups {
		total, largest = total+n, max(largest, n)
	}
	if total > wallCells {
		return wallPlan{}, false
	}
	for _, f := range fits {
		for _, whole := range []bool{true, false} {
			if whole && largest > f.rows {
				continue
			}
			if places := pack(groups, f.columns, f.rows, whole); places != nil {
				return wallPlan{Columns: max(len(places), 1), Rows: tallest(places, f.rows), Bare: f.bare, places: places}, true
			}
		}
	}
	return wallPlan{}, false
}

// tallest gives the rows that are needed: cells of a small wall may be taller,
// but not so tall that they look like something else.
func tallest(places [][]block, most int) int {
	need := 5.0
	for _, column := range places {
		used := -headingRows // the first heading is outside the rows
		for _, b := range column {
			used += headingRows + float64(b.count)
		}
		need = max(need, used)
	}
	return min(int(need+0.999), most)
}

// pack fills columns from left to right; nil when they are too few. A group has
// a column of its own as long as there are columns enough.
func pack(groups []int, columns, rows int, whole bool) [][]block {
	if own := packEach(groups, columns, rows, whole); own != nil {
		return own
	}
	var out [][]block
	room := 0.0
	for g, n := range groups {
		from := 0
		for from < n {
			need := headingRows + 1
			if whole {
				need = headingRows + float64(n)
			}
			if len(out) == 0 || room < need {
				if len(out) == columns {
					return nil
				}
				out, room = append(out, nil), float64(rows)+headingRows
			}
			room -= headingRows
			count := min(n-from, int(room))
			if count < 1 {
				return nil
			}
			room -= float64(count)
			last := len(out) - 1
			out[last] = append(out[last], block{group: g, from: from, count: count, more: from > 0})
			from += count
		}
	}
	return out
}

// packEach begins a column with every group.
func packEach(groups []int, columns, rows int, whole bool) [][]block {
	var out [][]block
	for g, n := range groups {
		if whole && n > rows {
			return nil
		}
		for from := 0; from < n; from += rows {
			out = append(out, []block{{group: g, from: from, count: min(rows, n-from), more: from > 0}})
		}
	}
	if len(out) > columns {
		return nil
	}
	return out
}
