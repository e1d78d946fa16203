package latency

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// memoryRows is a HourStore in memory that can be away.
type memoryRows struct {
	mu   sync.Mutex
	rows []status.HourRow
	away bool
}

func newMemoryRows() *memoryRows { return &memoryRows{} }

var errAway = errors.New("the database is away")

func (m *memoryRows) setAway(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
}

func (m *memoryRows) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rows)
}

func (m *memoryRows) PutHourRows(_ context.Context, rows []status.HourRow) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return problem.Unavailable(errAway, "away")
	}
	for _, row := range rows {
		row.Slots = bytes.Clone(row.Slots)
		at, found := slices.BinarySearchFunc(m.rows, row, compareRows)
		if found {
			m.rows[at] = row
		} else {
			m.rows = slices.Insert(m.rows, at, row)
		}
	}
	return nil
}

func compareRows(a, b status.HourRow) int {
	values := func(r status.HourRow) int {
		if r.Values {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.Monitor, b.Monitor), cmp.Compare(a.Location, b.Location), a.Hour.Compare(b.Hour),
		cmp.Compare(a.Interval, b.Interval), cmp.Compare(values(a), values(b)))
}

func (m *memoryRows) HourRows(_ context.Context, monitor, location string, interval time.Duration, values bool, from, to time.Time) ([]status.HourRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return nil, problem.Unavailable(errAway, "away")
	}
	at, _ := slices.BinarySearchFunc(m.rows, status.HourRow{Monitor: monitor, Location: location, Hour: from}, compareRows)
	var found []status.HourRow
	for _, row := range m.rows[at:] {
		if row.Monitor != monitor || row.Location != location || !row.Hour.Before(to) {
			break
		}
		if row.Values == values && (interval == 0 || row.Interval == interval) {
			found = append(found, row)
		}
	}
	return found, nil
}

func (m *memoryRows) PruneHourRows(_ context.Context, before time.Time, limit int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := 0
	m.rows = slices.DeleteFunc(m.rows, func(r status.HourRow) bool {
		if gone < limit && r.Hour.Before(before) {
			gone++
			return true
		}
		return false
	})
	return gone, nil
}

func counter(tb testing.TB, c prometheus.Metric) float64 {
	tb.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		tb.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// running starts Run and gives a function that ends it and waits.
func running(tb testing.TB, r *Recorder) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("run: %v", err)
		}
	}
}

// pass lets virtual time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestRowsAreSavedWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := newMemoryRows()
		r := open(t, Options{Hours: rows})
		defer running(t, r)()
		r.Record([]status.Result{run(time.Now(), time.Second)})
		pass(FlushEvery + time.Millisecond)
		if got := samples(t, r, shop(time.Now())); len(got) != 1 {
			t.Errorf("after a second: got %d samples, want 1", len(got))
		}
		pass(SaveEvery)
		if rows.count() != 1 || r.Buffered() != 0 {
			t.Errorf("after a minute: got %d rows and %d buffered, want 1 and 0", rows.count(), r.Buffered())
		}
	})
}

func TestRowsSaveEvenlyOverTheMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := newMemoryRows()
		r := open(t, Options{Hours: rows})
		defer running(t, r)()
		const monitors = 600
		for range 120 { // two minutes at one sample a second each
			batch := make([]status.Result, monitors)
			for i := range batch {
				batch[i] = run(time.Now(), time.Millisecond)
				batch[i].Monitor, batch[i].Interval = "m"+time.Duration(i).String(), time.Second
			}
			r.Record(batch)
			pass(time.Second)
			most := 0
			for _, turn := range r.table.wheel {
				most = max(most, len(turn))
			}
			if most > monitors/saveTurns {
				t.Fatalf("one turn has %d series, want %d", most, monitors/saveTurns)
			}
		}
		if rows.count() < monitors || r.Buffered() > monitors*62 {
			t.Errorf("got %d rows and %d buffered", rows.count(), r.Buffered())
		}
	})
}

func TestRowsAwayBuffersToTheBoundAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := newMemoryRows()
		r := open(t, Options{Hours: rows})
		defer running(t, r)()
		r.Record([]status.Result{run(time.Now(), time.Second)})
		rows.setAway(true)
		pass(2 * SaveEvery)
		if h := r.Health(); h.OK || h.Detail == "" {
			t.Fatalf("health while away: got %+v", h)
		}
		if _, err := r.Samples(t.Context(), shop(time.Now())); problem.KindOf(err) != problem.KindUnavailable {
			t.Errorf("samples while away: got %v, want Unavailable", err)
		}
		const sent = MaxBuffered + 5*frameSamples
		batch := make([]status.Result, 1000)
		for i := range sent {
			batch[i%len(batch)] = run(time.Now().Add(-time.Duration(i%1000)*10*time.Second), time.Second)
			if i%len(batch) == len(batch)-1 {
				r.Record(batch)
			}
		}
		if got := r.Buffered(); got > MaxBuffered+1 || got < MaxBuffered-frameSamples {
			t.Errorf("got %d buffered, want about %d", got, MaxBuffered)
		}
		if got := counter(t, r.metrics.dropped); got < sent/1000*1000-MaxBuffered {
			t.Errorf("got %v dropped, want at least %d", got, sent/1000*1000-MaxBuffered)
		}
		rows.setAway(false)
		pass(MaxBackOff + 2*SaveEvery)
		if h := r.Health(); !h.OK || h.Detail != "" {
			t.Errorf("health when back: got %+v", h)
		}
		if got := samples(t, r, shop(time.Now())); len(got) < 1000 {
			t.Errorf("got %d samples when back, want those that were buffered", len(got))
		}
		if r.Buffered() != 0 {
			t.Errorf("got %d buffered when back, want 0", r.Buffered())
		}
	})
}

func TestBackOffDoublesToTheLimit(t *testing.T) {
	for failures := 1; failures < 100; failures++ {
		most := min(250*time.Millisecond<<min(failures-1, 10), MaxBackOff)
		if got := backOff(failures); got < most/2 || got >= most {
			t.Errorf("after %d failures: got %v, want within half of %v", failures, got, most)
		}
	}
}

func TestIdleSeriesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, Options{Hours: newMemoryRows()})
		defer running(t, r)()
		for _, interval := range []time.Duration{time.Second, time.Minute, time.Hour} {
			one := run(time.Now(), time.Second)
			one.Interval = interval
			r.Record([]status.Result{one})
		}
		pass(idleAfter*time.Second + 2*SaveEvery)
		if held := r.shelf.(*rowShelf).slots; held != 0 {
			t.Errorf("got %d slots held, want none", held)
		}
		if r.table.count != 0 || len(r.table.byName) != 0 {
			t.Errorf("got %d series, want none", r.table.count)
		}
	})
}

func TestRowsOfTwoProcessesAreBothKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := newMemoryRows()
		one, other := open(t, Options{Hours: rows}), open(t, Options{Hours: rows})
		start := time.Now().Truncate(time.Hour)
		for minute := range 30 { // the watch changes hands every five minutes
			r := one
			if minute/5%2 == 1 {
				r = other
			}
			result := run(start.Add(time.Duration(minute)*time.Minute), time.Second)
			result.Phases[0] = time.Millisecond
			r.Record([]status.Result{result})
			flushed(t, r)
			pass(time.Minute)
		}
		for _, r := range []*Recorder{one, other} {
			if got := samples(t, r, shop(time.Now())); len(got) != 30 {
				t.Errorf("got %d samples, want 30", len(got))
			}
			q := shop(time.Now())
			q.To = start.Add(time.Hour)
			pass(time.Hour)
			hours, err := r.Hours(t.Context(), q)
			if err != nil || len(hours) != 1 || hours[0].Timed != 30 || hours[0].Phases[0] != 30*time.Millisecond {
				t.Errorf("got %d hours, %v, want one with 30 results", len(hours), err)
			}
		}
	})
}

func TestPrunedRowsAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := newMemoryRows()
		r := open(t, Options{Hours: rows, Keep: 3 * time.Hour})
		defer running(t, r)()
		r.Record([]status.Result{run(time.Now(), time.Second)})
		pass(2 * SaveEvery)
		if rows.count() != 1 {
			t.Fatalf("got %d rows, want 1", rows.count())
		}
		pass(5 * time.Hour)
		if rows.count() != 0 {
			t.Errorf("got %d rows after five hours, want none", rows.count())
		}
	})
}

func FuzzUnpackRow(f *testing.F) {
	f.Add([]byte{})
	f.Add(packRow([]uint32{0, 1 << 31, 5}, [status.PhaseCount]uint64{1, 2}, 3))
	f.Add(packRow(make([]uint32, maxHourSlots), [status.PhaseCount]uint64{}, 0))
	f.Fuzz(func(t *testing.T, packed []byte) {
		words := make([]uint32, maxHourSlots)
		phases, timed, err := unpackRow(packed, words)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("got %v, want Invalid", err)
			}
			return
		}
		again := make([]uint32, maxHourSlots)
		phases2, timed2, err := unpackRow(packRow(words, phases, timed), again)
		if err != nil || phases2 != phases || timed2 != timed || !slices.Equal(again, words) {
			t.Fatalf("packed again it is something else: %v", err)
		}
	})
}
