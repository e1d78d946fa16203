package status

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// crowded makes a board of n components, each with up to four troubles of its own.
func crowded(n int) *Board {
	dice := rand.New(rand.NewPCG(7, 8))
	c := &Catalog{Site: Site{Zone: "Europe/Berlin", Weights: Weights{Major: 1, Partial: 0.3}}}
	for i := range 20 {
		c.Groups = append(c.Groups, Group{ID: fmt.Sprintf("g%d", i), Name: fmt.Sprintf("Group %d", i), Position: i})
	}
	now := noon
	b := NewBoard(BoardDeps{})
	for i := range n {
		c.Components = append(c.Components, Component{
			Key: fmt.Sprintf("c%d", i), ID: fmt.Sprintf("c%d", i), Name: fmt.Sprintf("Component %d", i), Group: fmt.Sprintf("g%d", i%20),
			Public: true, Position: i, CreatedAt: now.AddDate(-1, 0, 0),
		})
	}
	b.plan = layoutOf(c)
	for _, x := range b.plan.public {
		var spans []Span
		at := now.AddDate(-1, 0, 0)
		for range dice.IntN(5) {
			from := now.Add(-time.Duration(dice.Int64N(int64(88 * 24 * time.Hour))))
			if from.Before(at) {
				continue
			}
			to := from.Add(time.Duration(1+dice.IntN(90)) * time.Minute)
			spans = append(spans, Span{From: at, To: from, Status: Operational}, Span{From: from, To: to, Status: statuses[2+dice.IntN(4)], Public: "Our checks have had no answer since 03:02 UTC."})
			at = to
		}
		spans = append(spans, Span{From: at, Status: Operational})
		b.strips[x.Key] = &strip{component: x, stints: stintsOf(spans)}
	}
	return b
}

// The page of a minute, when nothing changed but the clock.
func BenchmarkBoardPage(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			board := crowded(n)
			board.Page(noon)
			b.ReportAllocs()
			for b.Loop() {
				board.Page(noon)
			}
		})
	}
}

// The first page of a day: every bar is drawn.
func BenchmarkBoardFirstPage(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			board := crowded(n)
			b.ReportAllocs()
			for b.Loop() {
				board.days = nil
				board.Page(noon)
			}
		})
	}
}

// The bars alone, when nothing changed.
func BenchmarkBoardBars(b *testing.B) {
	board := crowded(1000)
	board.Page(noon)
	f := board.frame(noon)
	for b.Loop() {
		for _, s := range board.strips {
			if len(f.look(s)) != BarDays {
				b.Fatal("a row without bars")
			}
			Uptime(f.uptime(s, noon), board.plan.catalog.Site.Weights)
		}
	}
}

// What a component costs the board: at most 2 kB each beside the bars, which
// are shared and bounded.
func TestBoardIsSmall(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const n = 10000
	before := heap()
	board := crowded(n)
	loaded := heap()
	board.Page(noon)
	shown := heap()
	each := (loaded - before) / n
	bars := (shown - loaded) / 1e6
	t.Logf("%d bytes a component, bars %d MB", each, bars)
	if each > 2000 || bars > 25 {
		t.Errorf("%d bytes a component and %d MB of bars are too much", each, bars)
	}
	runtime.KeepAlive(board)
}
