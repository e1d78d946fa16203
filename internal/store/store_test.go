package store_test

import (
	"log/slog"
	"testing"
	"time"

	"context"

	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/testkit"
)

// closeWithin bounds closing a store at the end of a test.
const closeWithin = 10 * time.Second

// quiet drops log lines: tests provoke trouble on purpose.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// openWith opens a store that is closed with the test.
func openWith(tb testing.TB, o store.Options) *store.Store {
	tb.Helper()
	o.Log = quiet()
	s, err := store.Open(tb.Context(), o)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() { closeStore(tb, s) })
	return s
}

func closeStore(tb testing.TB, s *store.Store) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		tb.Errorf("close: %v", err)
	}
}

// engines are how to open a fresh store on each engine.
var engines = map[string]func(testing.TB) *store.Store{
	"sqlite":     func(tb testing.TB) *store.Store { return openWith(tb, store.Options{DataDir: tb.TempDir()}) },
	"postgresql": func(tb testing.TB) *store.Store { return openWith(tb, store.Options{URL: testkit.Postgres(tb)}) },
}

// onEach runs a test on every engine.
func onEach(t *testing.T, run func(t *testing.T, open func(testing.TB) *store.Store)) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) { run(t, open) })
	}
}

func TestStoreKeepsTheJournal(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Journal(t, func(tb testing.TB) storetest.Ground { return open(tb) })
	})
	t.Run("memory", func(t *testing.T) {
		storetest.Journal(t, func(testing.TB) storetest.Ground { return journaltest.New() })
	})
}

func TestStoreKeepsTheStatusRecord(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Status(t, func(tb testing.TB) storetest.Record { return open(tb) })
	})
}

func TestStoreKeepsHours(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Hours(t, func(tb testing.TB) storetest.HourStore { return open(tb) })
	})
}
