package store_test

import (
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/testkit"
)

// durable are the engines with every commit written through to the disk.
var durable = map[string]func(testing.TB) *store.Store{
	"sqlite": engines["sqlite"],
	"postgresql": func(tb testing.TB) *store.Store {
		return openWith(tb, store.Options{URL: testkit.NewPostgres(tb).Database(tb)})
	},
}

// BenchmarkUnits measures the unit that a confirmed verdict makes: a span ends,
// the next begins, a decision and an entry are written.
func BenchmarkUnits(b *testing.B) {
	for name, open := range durable {
		for _, writers := range []int{2, 32} {
			b.Run(name+"/writers="+strconv.Itoa(writers), func(b *testing.B) {
				s := open(b)
				var lanes atomic.Int64
				took := make(chan time.Duration, b.N+writers)
				b.SetParallelism(max(1, writers/2)) // times GOMAXPROCS
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					component := "c" + strconv.FormatInt(lanes.Add(1), 10)
					at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
					var open status.Span
					for pb.Next() {
						begun := time.Now()
						at = at.Add(time.Minute)
						next := status.Span{ID: journal.NewID(), Component: component, Track: status.Published, From: at, Status: status.MajorOutage, Origin: status.ByMachine}
						if err := s.Do(b.Context(), access.Hub, func(tx journal.Tx) error {
							var err error
							if open.ID != "" {
								err = s.EndSpan(b.Context(), tx, open.ID, 1, at)
							}
							return errors.Join(err, s.AddSpan(b.Context(), tx, next),
								s.AddDecision(b.Context(), tx, status.Decision{ID: journal.NewID(), Monitor: component, Component: component, At: at}),
								tx.Append(storetest.Entry(1)))
						}); err != nil {
							b.Error(err)
							return
						}
						open = next
						took <- time.Since(begun)
					}
				})
				b.StopTimer()
				report(b, s, took)
			})
		}
	}
}

// BenchmarkAppend measures the smallest unit: one entry.
func BenchmarkAppend(b *testing.B) {
	for name, open := range durable {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			took := make(chan time.Duration, b.N+64)
			b.SetParallelism(16)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					begun := time.Now()
					storetest.Append(b, s, storetest.Entry(1))
					took <- time.Since(begun)
				}
			})
			b.StopTimer()
			report(b, s, took)
		})
	}
}

// report adds units a second, units a commit and the tail of how long they took.
func report(b *testing.B, s *store.Store, took chan time.Duration) {
	close(took)
	var all []time.Duration
	for d := range took {
		all = append(all, d)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return
	}
	st := s.Stats()
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "units/s")
	b.ReportMetric(float64(st.Units)/float64(st.Commits), "units/commit")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "max-ms")
}

// BenchmarkSealer measures how fast waiting entries are numbered and chained on
// PostgreSQL, and how far behind the journal is while units keep coming.
func BenchmarkSealer(b *testing.B) {
	b.Run("backlog", func(b *testing.B) {
		s := durable["postgresql"](b)
		entries := make([]journal.Entry, 1000)
		for i := range entries {
			entries[i] = storetest.Entry(i)
		}
		for n := 0; n < b.N; n += len(entries) {
			storetest.Append(b, s, entries[:min(len(entries), b.N-n)]...)
		}
		lease, _, err := s.Acquire(b.Context(), "storetest", "storetest", time.Hour)
		if err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for n := 0; n < b.N; {
			sealed, err := s.Seal(b.Context(), lease, 1000)
			if err != nil {
				b.Fatal(err)
			}
			n += sealed
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	})
	for _, writers := range []int{2, 32} {
		b.Run("live/writers="+strconv.Itoa(writers), func(b *testing.B) {
			s := durable["postgresql"](b)
			bell := &journal.LocalBell{}
			storetest.RunSealer(b, s, bell)
			behind := make(chan time.Duration, b.N)
			done := make(chan struct{})
			go func() {
				defer close(done)
				storetest.Follow(b, s, bell, func(entries []journal.Sealed) bool {
					for _, e := range entries {
						behind <- time.Since(e.RecordedAt)
					}
					return len(behind) == b.N
				})
			}()
			b.SetParallelism(max(1, writers/2))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					storetest.Append(b, s, storetest.Entry(1))
				}
			})
			<-done
			b.StopTimer()
			close(behind)
			var all []time.Duration
			for d := range behind {
				all = append(all, d)
			}
			slices.Sort(all)
			b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "entries/s")
			b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "behind-p50-ms")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "behind-p99-ms")
		})
	}
}

// BenchmarkHourRows measures the minute's flush of samples kept in process:
// 1,000 monitors probed every ten seconds.
func BenchmarkHourRows(b *testing.B) {
	for name, open := range durable {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			rows := make([]status.HourRow, 1000)
			for i := range rows {
				rows[i] = status.HourRow{Monitor: "m" + strconv.Itoa(i), Location: "local", Interval: 10 * time.Second,
					Hour: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Slots: make([]byte, 360*4)}
			}
			for b.Loop() {
				if err := s.PutHourRows(b.Context(), rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkLoad measures what a hub reads when it starts: 10,000 components
// with a monitor, a streak and two spans each.
func BenchmarkLoad(b *testing.B) {
	const n, atOnce = 10_000, 500
	for name, open := range engines {
		b.Run(name, func(b *testing.B) {
			s, ctx := open(b), b.Context()
			base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for from := 0; from < n; from += atOnce {
				if err := s.Do(ctx, access.Hub, func(tx journal.Tx) error {
					var err error
					for i := from; i < from+atOnce; i++ {
						key := "c" + strconv.Itoa(i)
						span := status.Span{ID: journal.NewID(), Component: key, Track: status.Published, From: base, To: base.Add(time.Hour), Status: status.NotMeasured, Origin: status.BySystem}
						next := status.Span{ID: journal.NewID(), Component: key, Track: status.Published, From: span.To, Status: status.Operational, Origin: status.ByMachine}
						err = errors.Join(err,
							s.PutComponent(ctx, tx, status.Component{Key: key, ID: key, Name: key, CreatedAt: base}),
							s.PutMonitor(ctx, tx, status.Monitor{Key: key, ID: key, Component: key, Locations: []string{"local"}, CreatedAt: base}, "mark"),
							s.PutStreaks(ctx, tx, []status.Streak{{Monitor: key, Location: "local", Level: status.LevelUp, First: base}}),
							s.AddSpan(ctx, tx, span), s.AddSpan(ctx, tx, next))
					}
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
			reads := map[string]func() error{
				"catalog": func() error { _, err := s.Catalog(ctx, true); return err },
				"streaks": func() error { _, err := s.Streaks(ctx); return err },
				"spans":   func() error { _, err := s.AllSpans(ctx, status.Published, base); return err },
				"open":    func() error { _, err := s.OpenSpans(ctx); return err },
			}
			for what, read := range reads {
				b.Run(what, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if err := read(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}
