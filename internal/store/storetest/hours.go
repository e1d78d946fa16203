package storetest

import (
	"context"
	"testing"
	"time"

	"evenkeel/internal/status"
)

// HourStore keeps packed hours of samples, as the latency adapter wants it.
type HourStore interface {
	PutHourRows(ctx context.Context, rows []status.HourRow) error
	HourRows(ctx context.Context, monitor, location string, interval time.Duration, values bool, from, to time.Time) ([]status.HourRow, error)
	PruneHourRows(ctx context.Context, before time.Time, limit int) (int, error)
}

// Hours runs the suite of the hour store. open gives a fresh, empty one that is
// closed with the test.
func Hours(t *testing.T, open func(testing.TB) HourStore) {
	t.Run("HoursComeBackAsWritten", func(t *testing.T) { hoursKept(t, open(t)) })
	t.Run("PruneTakesLittleAtATime", func(t *testing.T) { hoursPruned(t, open(t)) })
}

// hour gives the n-th hour of a monitor that is probed every ten seconds.
func hour(monitor string, n int, slots ...byte) status.HourRow {
	return status.HourRow{Monitor: monitor, Location: "local", Interval: 10 * time.Second,
		Hour: time.Date(2026, 3, 1, n, 0, 0, 0, time.UTC), Slots: slots}
}

func hoursKept(t *testing.T, h HourStore) {
	ctx := t.Context()
	var rows []status.HourRow
	for n := range 600 { // more than one unit of work takes
		rows = append(rows, hour("m", n, byte(n), 0, 255))
	}
	value := hour("m", 0, 42)
	value.Values = true
	full(t, value)
	quick := hour("m", 0, 43)
	quick.Interval = time.Second
	if err := h.PutHourRows(ctx, append(rows, value, quick, hour("other", 0))); err != nil {
		t.Fatal(err)
	}
	rows[3].Slots = []byte{1, 2, 3, 4}
	if err := h.PutHourRows(ctx, rows[3:4]); err != nil {
		t.Fatal(err)
	}
	list := must[[]status.HourRow](t)
	same(t, rows[2:5], list(h.HourRows(ctx, "m", "local", 10*time.Second, false, rows[2].Hour, rows[5].Hour)))
	same(t, []status.HourRow{value}, list(h.HourRows(ctx, "m", "local", 10*time.Second, true, rows[0].Hour, rows[5].Hour)))
	same(t, []status.HourRow{quick}, list(h.HourRows(ctx, "m", "local", time.Second, false, rows[0].Hour, rows[5].Hour)))
	same(t, []status.HourRow{quick, rows[0], rows[1]}, list(h.HourRows(ctx, "m", "local", 0, false, rows[0].Hour, rows[2].Hour)))
	same(t, []status.HourRow(nil), list(h.HourRows(ctx, "m", "fra", time.Second, false, rows[0].Hour, rows[5].Hour)))
	if err := h.PutHourRows(ctx, nil); err != nil {
		t.Fatal(err)
	}
}

func hoursPruned(t *testing.T, h HourStore) {
	ctx := t.Context()
	var rows []status.HourRow
	for n := range 10 {
		rows = append(rows, hour("m", n, 1))
	}
	if err := h.PutHourRows(ctx, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{4, 2, 0} {
		if got, err := h.PruneHourRows(ctx, rows[6].Hour, 4); got != want || err != nil {
			t.Fatalf("%d hours went, %v; want %d", got, err, want)
		}
	}
	same(t, rows[6:], must[[]status.HourRow](t)(h.HourRows(ctx, "m", "local", 10*time.Second, false, rows[0].Hour, rows[9].Hour.Add(time.Microsecond))))
}
