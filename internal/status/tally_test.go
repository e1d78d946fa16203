package status

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Over any window the fields sum to its length, and a window cut in two gives
// two tallies that sum to the whole: across changes of clocks, over time before
// the first span, and in the future. What the board keeps gives the same.
func TestTallySumsToItsWindow(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	zone := zoneOf(t, "Europe/Berlin")
	starts := []time.Time{noon, time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC)}
	for range 3000 {
		begin := starts[dice.IntN(len(starts))]
		h := drawHistory(dice, begin, 1+dice.IntN(40))
		from := begin.Add(time.Duration(dice.Int64N(int64(96*time.Hour))) - 24*time.Hour).Truncate(time.Microsecond)
		to := from.Add(time.Duration(dice.Int64N(int64(120 * time.Hour)))).Truncate(time.Microsecond)
		middle := from.Add(to.Sub(from) / 2).Truncate(time.Microsecond)
		if dice.IntN(2) == 0 && dayStart(middle, zone).After(from) {
			middle = dayStart(middle, zone)
		}
		whole := TallyOf(h, from, to)
		if whole.Total() != to.Sub(from) {
			t.Fatalf("%+v sums to %s, window is %s", whole, whole.Total(), to.Sub(from))
		}
		if parts := TallyOf(h, from, middle).Add(TallyOf(h, middle, to)); parts != whole {
			t.Fatalf("halves %+v, whole %+v", parts, whole)
		}
		if kept := tally(stintsOf(h), from.UnixMicro(), to.UnixMicro()); kept != whole {
			t.Fatalf("the board counts %+v, want %+v", kept, whole)
		}
		if whole.negative() {
			t.Fatalf("%+v has a negative field", whole)
		}
	}
}

func TestTallyCountsEachStatusExactly(t *testing.T) {
	spans := []Span{
		{From: minute(0), To: minute(10), Status: Operational}, {From: minute(10), To: minute(12), Status: Degraded},
		{From: minute(12), To: minute(15), Status: PartialOutage}, {From: minute(15), To: minute(19), Status: MajorOutage},
		{From: minute(19), To: minute(24), Status: UnderMaintenance}, {From: minute(24), To: minute(30), Status: NotMeasured},
		{From: minute(30), Status: Operational},
	}
	got := TallyOf(spans, minute(-7), minute(40))
	want := Tally{Up: 20 * time.Minute, Degraded: 2 * time.Minute, Partial: 3 * time.Minute, Major: 4 * time.Minute,
		Maintenance: 5 * time.Minute, Unmeasured: 13 * time.Minute}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Watched() != 29*time.Minute || got.Outage() != 7*time.Minute {
		t.Errorf("watched %s, outage %s", got.Watched(), got.Outage())
	}
}

func TestTallyOfNothing(t *testing.T) {
	if got := TallyOf(nil, minute(5), minute(5)); got != (Tally{}) {
		t.Errorf("an empty window gave %+v", got)
	}
	if got := TallyOf([]Span{{From: minute(0), Status: Operational}}, minute(9), minute(5)); got != (Tally{}) {
		t.Errorf("a window turned round gave %+v", got)
	}
	if got := TallyOf(nil, minute(0), minute(5)); got != (Tally{Unmeasured: 5 * time.Minute}) {
		t.Errorf("no spans gave %+v", got)
	}
}

func TestUptimeIsWatchedTimeLessWeightedOutage(t *testing.T) {
	usual := Weights{Major: 1, Partial: 0.3}
	for _, c := range []struct {
		name string
		t    Tally
		w    Weights
		want float64
	}{
		{"all up", Tally{Up: time.Hour}, usual, 1},
		{"a major outage counts in full", Tally{Up: 9 * time.Hour, Major: time.Hour}, usual, 0.9},
		{"a partial outage counts in part", Tally{Up: 9 * time.Hour, Partial: time.Hour}, usual, 0.97},
		{"slowness counts as up", Tally{Up: 9 * time.Hour, Degraded: time.Hour}, usual, 1},
		{"slowness counts if the page says so", Tally{Up: 9 * time.Hour, Degraded: time.Hour}, Weights{Degraded: 0.5}, 0.95},
		{"maintenance and silence leave both sides", Tally{Up: 9 * time.Hour, Major: time.Hour, Maintenance: 50 * time.Hour, Unmeasured: 900 * time.Hour}, usual, 0.9},
		{"down all the time", Tally{Major: time.Hour}, usual, 0},
	} {
		if got := Uptime(c.t, c.w); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := Uptime(Tally{Maintenance: time.Hour, Unmeasured: time.Hour}, usual); !math.IsNaN(got) {
		t.Errorf("nothing watched gave %v, want NaN", got)
	}
}

func TestMonthNetTakesEveryCorrection(t *testing.T) {
	m := Month{Tally: Tally{Up: 10 * time.Hour, Major: 2 * time.Hour}, Corrections: []Correction{
		{Delta: Tally{Up: time.Hour, Major: -time.Hour}}, {Delta: Tally{Degraded: 30 * time.Minute, Up: -30 * time.Minute}},
	}}
	want := Tally{Up: 10*time.Hour + 30*time.Minute, Degraded: 30 * time.Minute, Major: time.Hour}
	if got := m.Net(); got != want || got.Total() != m.Tally.Total() {
		t.Errorf("net %+v, want %+v of the same length", got, want)
	}
}
