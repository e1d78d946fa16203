package latency

import (
	"testing"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// chunkOf makes a chunk of results in a table of its own.
func chunkOf(results ...status.Result) chunk {
	t, b := newTable(), buffer{}
	for i := range results {
		b.push(t.series(results[i].Monitor, results[i].Location, results[i].Interval), &results[i])
	}
	return b.take(1)[0]
}

func TestFrameSaysAll(t *testing.T) {
	start := time.UnixMilli(1_800_000_000_000)
	late, value, again := run(start.Add(-time.Minute), time.Second), run(start, 0), run(start.Add(10*time.Second), time.Millisecond)
	late.Monitor, late.Outcome = "late", status.Slow
	value.Location, value.Value, value.HasValue = "north", -2.5, true
	again.Outcome = status.Inconclusive
	results := []status.Result{run(start, 20*time.Millisecond), late, value, again}
	w := frameWriter{writer: newWriterID()}
	frames := w.batch([]chunk{chunkOf(results...), chunkOf(results[:1]...)})
	named, got, err := readFrame(frames[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(named) != 3 || len(got) != len(results) {
		t.Fatalf("got %d series and %d samples, want 3 and %d", len(named), len(got), len(results))
	}
	for i, f := range got {
		want := results[i]
		s := named[f.ref]
		if s.monitor != want.Monitor || s.location != want.Location || s.interval != want.Interval || f.due != want.Due.UnixMilli() ||
			f.word != slotOf(want.Latency, want.Outcome) {
			t.Errorf("sample %d: got %+v of %+v, want %+v", i, f, s, want)
		}
		if v, ok := unpackValue(f.value); ok != want.HasValue || v != want.Value {
			t.Errorf("sample %d: got value %v, %v", i, v, ok)
		}
	}
	if id, ok := writerOf(frames[1]); !ok || id != w.writer {
		t.Error("the second frame does not tell its writer")
	}
	if named, got, err := readFrame(frames[1]); err != nil || len(named) != 1 || len(got) != 1 {
		t.Errorf("the second frame: got %v, %v, %v", named, got, err)
	}
}

func TestFrameCutAnywhereIsRefused(t *testing.T) {
	start := time.Now()
	w := frameWriter{writer: newWriterID()}
	frame := w.batch([]chunk{chunkOf(run(start, time.Second), run(start.Add(10*time.Second), time.Second))})[0]
	whole := 0
	for n := range len(frame) {
		if _, got, err := readFrame(frame[:n]); err == nil {
			whole++
			if len(got) != 1 { // cut exactly between its samples
				t.Errorf("cut at %d: got %d samples", n, len(got))
			}
		}
	}
	if whole > 1 {
		t.Errorf("%d cuts were taken, want at most one", whole)
	}
}

func FuzzReadFrame(f *testing.F) {
	w := frameWriter{writer: newWriterID()}
	value := run(time.Now(), time.Second)
	value.Value, value.HasValue = 1, true
	f.Add([]byte{})
	f.Add(w.batch([]chunk{chunkOf(run(time.Now(), time.Second), value)})[0])
	f.Fuzz(func(t *testing.T, frame []byte) {
		named, got, err := readFrame(frame)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("got %v, want Invalid", err)
			}
			return
		}
		for _, s := range got {
			if s.ref >= uint64(len(named)) || s.word&slotPresent == 0 {
				t.Fatalf("sample of no series, or no sample: %+v", s)
			}
			hour, slot := place(s.due, named[s.ref].interval)
			if hour < 0 || slot < 0 || slot >= hourSlots(named[s.ref].interval) {
				t.Fatalf("no place for %+v", s)
			}
		}
	})
}

func FuzzSlots(f *testing.F) {
	f.Add(int64(time.Millisecond), uint8(2), 1.5)
	f.Fuzz(func(t *testing.T, latency int64, outcome uint8, value float64) {
		w := slotOf(time.Duration(latency), status.Outcome(outcome&3))
		got := slotLatency(w)
		want := min(max(time.Duration(latency), 0), status.MaxLatency)
		if w == 0 || outcomeOf(w) != status.Outcome(outcome&3) || (got-want).Abs() > status.LatencyUnit || (got == 0) != (want == 0) {
			t.Fatalf("%v, %d: got %v, %v", time.Duration(latency), outcome, got, outcomeOf(w))
		}
		v, ok := unpackValue(packValue(value))
		if ok != (value == value) || ok && v != float64(float32(value)) {
			t.Fatalf("%v: got %v, %v", value, v, ok)
		}
	})
}
