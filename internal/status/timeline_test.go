package status

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func TestSpliceGoesOnFromTheEffectiveMoment(t *testing.T) {
	open := Span{ID: "a", From: minute(0), Status: Operational, Staff: "fine", Version: 1}
	ended := open
	ended.To = minute(10)
	for _, c := range []struct {
		name       string
		open, next Span
		want       Cut
	}{
		{"the first span of all", Span{}, Span{ID: "b", From: minute(3)}, Cut{Open: &Span{ID: "b", From: minute(3)}}},
		{"the next status", open, Span{ID: "b", From: minute(10), Status: MajorOutage},
			Cut{End: &ended, Open: &Span{ID: "b", From: minute(10), Status: MajorOutage}}},
		{"dated back to where the open one begins", open, Span{ID: "b", From: minute(0), Status: MajorOutage},
			Cut{Drop: &open, Open: &Span{ID: "b", From: minute(0), Status: MajorOutage}}},
		{"dated back into what has ended", open, Span{ID: "b", From: minute(-5), Status: MajorOutage},
			Cut{Drop: &open, Open: &Span{ID: "b", From: minute(0), Status: MajorOutage}}},
		{"nothing new", open, Span{ID: "b", From: minute(10), Status: Operational, Staff: "other words"}, Cut{}},
		{"new words for visitors", open, Span{ID: "b", From: minute(10), Status: Operational, Public: "Fine."},
			Cut{End: &ended, Open: &Span{ID: "b", From: minute(10), Status: Operational, Public: "Fine."}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Splice(c.open, c.next)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if got.Empty() != (c.want.Open == nil) {
				t.Errorf("Empty is %t", got.Empty())
			}
		})
	}
}

// history is a timeline as SQL would hold it.
type history []Span

func (h history) apply(c Cut) history {
	if c.Empty() {
		return h
	}
	if c.Drop != nil {
		h = h[:len(h)-1]
	}
	if c.End != nil {
		h[len(h)-1].To = c.End.To
	}
	return append(h, *c.Open)
}

// drawHistory makes a timeline of n changes from a moment on, some of them dated
// back and some by a clock that stands back.
func drawHistory(dice *rand.Rand, from time.Time, n int) history {
	all := []Status{Operational, Degraded, PartialOutage, MajorOutage, UnderMaintenance, NotMeasured}
	var h history
	at := from
	for i := range n {
		var open Span
		if len(h) > 0 {
			open = h[len(h)-1]
		}
		effective := at.Add(-time.Duration(dice.IntN(3)) * 20 * time.Minute)
		h = h.apply(Splice(open, Span{ID: string(rune('a' + i)), From: effective, Status: all[dice.IntN(len(all))]}))
		at = at.Add(time.Duration(dice.Int64N(int64(5*time.Hour)) - int64(20*time.Minute))).Truncate(time.Microsecond)
	}
	return h
}

func TestSplicedSpansTileTime(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		h := drawHistory(dice, noon, 1+dice.IntN(30))
		for i, s := range h {
			last := i == len(h)-1
			switch {
			case s.Open() != last:
				t.Fatalf("span %d of %d is open: %t", i, len(h), s.Open())
			case !last && !s.From.Before(s.To):
				t.Fatalf("span %d is empty: %v", i, s)
			case !last && !s.To.Equal(h[i+1].From):
				t.Fatalf("gap or overlap between %v and %v", s, h[i+1])
			}
		}
	}
}
