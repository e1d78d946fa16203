// Package storetest is what every store must do, whatever the engine: one suite
// for the journal's ports, one for the record of the status wing, one for hours
// of samples. Tests of an implementation run them over it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Ground is the journal's ports together.
type Ground interface {
	journal.Work
	journal.Reader
	journal.Leases
	journal.Cursors
	journal.SealStore
}

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// Journal runs the suite of the journal's ports. open gives a fresh, empty
// ground that is closed with the test.
func Journal(t *testing.T, open func(testing.TB) Ground) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Ground)
	}{
		{"EmptyJournalHasGenesisHead", emptyHead},
		{"EntriesComeBackAsWritten", roundTrip},
		{"EntriesKeepTheirOrder", order},
		{"FailedUnitLeavesNothing", rollback},
		{"PanicReachesTheCallerAndLeavesNothing", panics},
		{"UnplainEntryIsRefused", refused},
		{"SameEntryTwiceIsOne", idempotent},
		{"EndedContextIsNotRun", endedContext},
		{"LeaseHasOneHolder", oneHolder},
		{"LeaseEpochGrowsWithItsHolder", epochs},
		{"LeaseManyWantIsGivenOnce", contended},
		{"OldEpochIsFencedOff", fenced},
		{"CursorMovesFromWhereItIs", cursors},
		{"ConcurrentUnitsAreAllFollowed", followed},
		{"SingletonsHandleEachEntryOnce", onceEach},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// Entry gives a plain entry about the n-th thing.
func Entry(n int) journal.Entry {
	return journal.Entry{
		Verb: "test.happened", Subject: journal.Ref{Kind: "test", ID: strconv.Itoa(n)}, Audience: journal.AudienceStaff,
		Payload: map[string]string{"n": strconv.Itoa(n)},
	}
}

// Append writes entries in one unit of work.
func Append(tb testing.TB, w journal.Work, entries ...journal.Entry) {
	tb.Helper()
	if err := w.Do(tb.Context(), access.Hub, func(tx journal.Tx) error {
		for _, e := range entries {
			if err := tx.Append(e); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		tb.Fatalf("append: %v", err)
	}
}

// Seal seals whatever waits, where the engine needs that. It takes a lease of
// its own, so no sealer may be running.
func Seal(tb testing.TB, g Ground) {
	tb.Helper()
	if g.SealsAtCommit() {
		return
	}
	ctx := tb.Context()
	l, ok, err := g.Acquire(ctx, "storetest", "storetest", time.Minute)
	if err != nil || !ok {
		tb.Fatalf("take the sealer's lease: %v, %v", ok, err)
	}
	for {
		n, err := g.Seal(ctx, l, 100)
		if err != nil {
			tb.Fatalf("seal: %v", err)
		}
		if n == 0 {
			return
		}
	}
}

// All seals what waits, checks the chain, and gives every sealed entry.
func All(tb testing.TB, g Ground) []journal.Sealed {
	tb.Helper()
	Seal(tb, g)
	if err := journal.Verify(tb.Context(), g); err != nil {
		tb.Fatalf("verify: %v", err)
	}
	all, err := g.After(tb.Context(), 0, 1_000_000)
	if err != nil {
		tb.Fatalf("read the journal: %v", err)
	}
	return all
}

// wantKind fails unless err is of that kind.
func wantKind(tb testing.TB, err error, want problem.Kind) {
	tb.Helper()
	if got := problem.KindOf(err); got != want {
		tb.Fatalf("got %q (%v), want %q", got, err, want)
	}
}

func emptyHead(t *testing.T, g Ground) {
	seq, hash, err := g.Head(t.Context())
	if seq != 0 || hash != journal.Genesis || err != nil {
		t.Fatalf("got %d %s %v, want 0 and Genesis", seq, hash, err)
	}
	if entries, err := g.After(t.Context(), 0, 10); len(entries) != 0 || err != nil {
		t.Fatalf("got %v, %v from an empty journal", entries, err)
	}
}

func roundTrip(t *testing.T, g Ground) {
	effective := time.Date(2026, 3, 29, 1, 59, 59, 123_456_789, time.FixedZone("", 3600))
	by := access.Actor{ID: "host", Role: access.RoleHost}
	var now time.Time
	e := journal.Entry{
		Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: "web"}, Audience: journal.AudiencePublic,
		EffectiveAt: effective, Payload: map[string]string{"to": "major_outage", "from": "operational"},
	}
	if err := g.Do(t.Context(), by, func(tx journal.Tx) error {
		now = tx.Now()
		return tx.Append(e)
	}); err != nil {
		t.Fatal(err)
	}
	all := All(t, g)
	if len(all) != 1 {
		t.Fatalf("got %d entries, want 1", len(all))
	}
	want := e
	want.ID, want.Actor, want.RecordedAt = all[0].ID, by, now
	want.EffectiveAt = effective.UTC().Truncate(time.Microsecond)
	if diff := cmp.Diff(journal.Sealed{Seq: 1, Hash: journal.Chain(journal.Genesis, 1, want), Entry: want}, all[0]); diff != "" {
		t.Fatalf("want and got differ:\n%s", diff)
	}
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Errorf("now is %v, want UTC and whole microseconds", now)
	}
	if seq, hash, err := g.Head(t.Context()); seq != 1 || hash != all[0].Hash || err != nil {
		t.Errorf("head is %d %s %v", seq, hash, err)
	}
}

func order(t *testing.T, g Ground) {
	for n := 0; n < 30; n += 3 {
		Append(t, g, Entry(n), Entry(n+1), Entry(n+2))
	}
	all := All(t, g)
	for i, e := range all {
		if e.Seq != int64(i+1) || e.Subject.ID != strconv.Itoa(i) {
			t.Fatalf("place %d holds %d about %s", i, e.Seq, e.Subject.ID)
		}
	}
	part, err := g.After(t.Context(), 7, 5)
	if err != nil || len(part) != 5 || part[0].Seq != 8 || part[4].Seq != 12 {
		t.Fatalf("after 7 came %v, %v", part, err)
	}
	if _, err := g.After(t.Context(), 30, 5); err != nil {
		t.Fatal(err)
	}
}

func rollback(t *testing.T, g Ground) {
	Append(t, g, Entry(1))
	boom := errors.New("boom")
	err := g.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
		if err := errors.Join(tx.Append(Entry(2)), g.Move(t.Context(), tx, "f", 0, 1)); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v, want boom", err)
	}
	Append(t, g, Entry(3))
	all := All(t, g)
	if len(all) != 2 || all[1].Subject.ID != "3" {
		t.Fatalf("got %v", all)
	}
	if at, err := g.Cursor(t.Context(), "f"); at != 0 || err != nil {
		t.Fatalf("the cursor stands at %d, %v", at, err)
	}
}

func panics(t *testing.T, g Ground) {
	func() {
		defer func() {
			if got := recover(); got != "boom" {
				t.Errorf("recovered %v, want boom", got)
			}
		}()
		_ = g.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
			if err := tx.Append(Entry(1)); err != nil {
				return err
			}
			panic("boom")
		})
	}()
	Append(t, g, Entry(2))
	if all := All(t, g); len(all) != 1 || all[0].Subject.ID != "2" {
		t.Fatalf("got %v", all)
	}
}

func refused(t *testing.T, g Ground) {
	for name, spoil := range map[string]func(*journal.Entry){
		"prose":    func(e *journal.Entry) { e.Payload["text"] = "the shop is down" },
		"address":  func(e *journal.Entry) { e.Payload["to"] = "ann@example.org" },
		"verb":     func(e *journal.Entry) { e.Verb = "happened" },
		"audience": func(e *journal.Entry) { e.Audience = "everyone" },
		"subject":  func(e *journal.Entry) { e.Subject.ID = "" },
		"name":     func(e *journal.Entry) { e.Subject.ID = "Ann Example" },
	} {
		e := Entry(1)
		spoil(&e)
		err := g.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return tx.Append(e) })
		if problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	if all := All(t, g); len(all) != 0 {
		t.Fatalf("got %v", all)
	}
}

func idempotent(t *testing.T, g Ground) {
	e := Entry(1)
	e.ID = journal.NewID()
	Append(t, g, e)
	Append(t, g, e, Entry(2)) // both may wait for the sealer
	Seal(t, g)
	Append(t, g, e, Entry(3)) // it is sealed already
	var got []string
	for _, e := range All(t, g) {
		got = append(got, e.Subject.ID)
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, got); diff != "" {
		t.Fatalf("want and got differ:\n%s", diff)
	}
}

func endedContext(t *testing.T, g Ground) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	err := g.Do(ctx, access.Hub, func(journal.Tx) error { ran = true; return nil })
	if !errors.Is(err, context.Canceled) || ran {
		t.Fatalf("got %v, ran %v", err, ran)
	}
}

func acquire(tb testing.TB, g Ground, name, holder string, ttl time.Duration) (journal.Lease, bool) {
	tb.Helper()
	l, ok, err := g.Acquire(tb.Context(), name, holder, ttl)
	if err != nil {
		tb.Fatalf("acquire %s for %s: %v", name, holder, err)
	}
	return l, ok
}

// await tries until try gives true or patience is over.
func await(tb testing.TB, what string, try func() bool) {
	tb.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !try() {
		select {
		case <-tick.C:
		case <-late:
			tb.Fatalf("waited in vain for %s", what)
		}
	}
}

func oneHolder(t *testing.T, g Ground) {
	first, ok := acquire(t, g, "watch", "a", time.Hour)
	if !ok || first.Epoch != 1 || first.Holder != "a" || first.Name != "watch" || !first.Until.After(time.Now().Add(50*time.Minute)) {
		t.Fatalf("got %+v, %v", first, ok)
	}
	if l, ok := acquire(t, g, "watch", "b", time.Hour); ok {
		t.Fatalf("b got %+v while a holds it", l)
	}
	if l, ok := acquire(t, g, "other", "b", time.Hour); !ok || l.Epoch != 1 {
		t.Fatalf("b did not get another lease: %+v, %v", l, ok)
	}
	again, ok := acquire(t, g, "watch", "a", time.Hour)
	if !ok || again.Epoch != 1 {
		t.Fatalf("renewed as %+v, %v", again, ok)
	}
}

func epochs(t *testing.T, g Ground) {
	a, _ := acquire(t, g, "watch", "a", time.Microsecond)
	var b journal.Lease
	await(t, "the lease to run out", func() (ok bool) { b, ok = acquire(t, g, "watch", "b", time.Hour); return ok })
	if b.Epoch != a.Epoch+1 {
		t.Fatalf("b has epoch %d after %d", b.Epoch, a.Epoch)
	}
	if err := g.Release(t.Context(), a); err != nil { // an old one: nothing happens
		t.Fatal(err)
	}
	if _, ok := acquire(t, g, "watch", "a", time.Hour); ok {
		t.Fatal("an old holder gave away what is not his")
	}
	if err := g.Release(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	c, ok := acquire(t, g, "watch", "b", time.Hour)
	if !ok || c.Epoch != b.Epoch+1 {
		t.Fatalf("after giving it back b has %+v, %v", c, ok)
	}
}

func contended(t *testing.T, g Ground) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	winners := 0
	for i := range 8 {
		wg.Go(func() {
			_, ok, err := g.Acquire(t.Context(), "watch", fmt.Sprint("h", i), time.Hour)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("acquire: %v", err)
			}
			if ok {
				winners++
			}
		})
	}
	wg.Wait()
	if winners != 1 {
		t.Fatalf("%d holders, want 1", winners)
	}
}

func fenced(t *testing.T, g Ground) {
	write := func(l journal.Lease) error {
		return g.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
			if err := tx.Fence(l); err != nil {
				return err
			}
			return tx.Append(Entry(int(l.Epoch)))
		})
	}
	a, _ := acquire(t, g, "watch", "a", time.Microsecond)
	if err := write(a); err != nil { // run out, but nobody took it
		t.Fatal(err)
	}
	var b journal.Lease
	await(t, "the lease to run out", func() (ok bool) { b, ok = acquire(t, g, "watch", "b", time.Hour); return ok })
	wantKind(t, write(a), problem.KindConflict)
	if err := write(b); err != nil {
		t.Fatal(err)
	}
	if err := g.Release(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	wantKind(t, write(b), problem.KindConflict)
	if all := All(t, g); len(all) != 2 {
		t.Fatalf("got %v", all)
	}
}

func cursors(t *testing.T, g Ground) {
	move := func(from, to int64) error {
		return g.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return g.Move(t.Context(), tx, "f", from, to) })
	}
	wantKind(t, move(5, 6), problem.KindConflict)
	if err := errors.Join(move(0, 5), move(5, 9)); err != nil {
		t.Fatal(err)
	}
	wantKind(t, move(0, 3), problem.KindConflict)
	wantKind(t, move(5, 6), problem.KindConflict)
	if at, err := g.Cursor(t.Context(), "f"); at != 9 || err != nil {
		t.Fatalf("the cursor stands at %d, %v", at, err)
	}
	if at, err := g.Cursor(t.Context(), "other"); at != 0 || err != nil {
		t.Fatalf("a cursor that never moved stands at %d, %v", at, err)
	}
}

// quiet drops log lines: the suites provoke trouble on purpose.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// RunSealer runs a sealer until the test ends.
func RunSealer(tb testing.TB, g Ground, bell journal.Bell) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := journal.NewSealer(g, g, journal.NewHolder(), bell, quiet()).Run(ctx); err != nil {
			tb.Errorf("sealer: %v", err)
		}
	}()
	tb.Cleanup(func() { stop(); <-done })
}

// Follow runs a follower from the first entry until handle gives true, and
// fails the test when that takes too long.
func Follow(tb testing.TB, g Ground, bell journal.Bell, handle func([]journal.Sealed) (enough bool)) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	enough := false
	f := &journal.PerProcess{Name: "storetest", Reader: g, Bell: bell, Log: quiet(), Handle: func(_ context.Context, entries []journal.Sealed) error {
		if enough = handle(entries); enough {
			stop()
		}
		return nil
	}}
	if err := f.Run(ctx, 0); err != nil || !enough {
		tb.Errorf("the follower stands at %d: %v", f.Position(), err)
	}
}

// writers appends perWriter entries from each of n goroutines, one or two a unit.
func writers(t *testing.T, g Ground, n, perWriter int) {
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() {
			for i := 0; i < perWriter; i += 2 {
				if err := g.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
					return errors.Join(tx.Append(Entry(w*perWriter+i)), tx.Append(Entry(w*perWriter+i+1)))
				}); err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func followed(t *testing.T, g Ground) {
	const n, each = 8, 50
	bell := &journal.LocalBell{}
	RunSealer(t, g, bell)
	var got []journal.Sealed
	done := make(chan struct{})
	go func() {
		defer close(done)
		Follow(t, g, bell, func(entries []journal.Sealed) bool {
			got = append(got, entries...)
			return len(got) == n*each
		})
	}()
	writers(t, g, n, each)
	<-done
	seen := map[string]bool{}
	for i, e := range got {
		if e.Seq != int64(i+1) || seen[e.Subject.ID] {
			t.Fatalf("place %d holds %d about %s (again: %v)", i, e.Seq, e.Subject.ID, seen[e.Subject.ID])
		}
		seen[e.Subject.ID] = true
	}
	if err := journal.Verify(t.Context(), g); err != nil {
		t.Fatal(err)
	}
}

// onceEach runs two singletons of one name that fail now and then; their
// effect is an entry for each entry about a test.
func onceEach(t *testing.T, g Ground) {
	const n, each = 4, 20
	bell := &journal.LocalBell{}
	RunSealer(t, g, bell)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 2 {
		calls := 0
		s := &journal.Singleton{
			Name: "echo", Holder: journal.NewHolder(), Reader: g, Cursors: g, Leases: g, Work: g, Bell: bell, Log: quiet(),
			Handle: func(_ context.Context, tx journal.Tx, entries []journal.Sealed) error {
				for _, e := range entries {
					if e.Verb != "test.happened" {
						continue
					}
					echo := Entry(0)
					echo.Verb, echo.Subject = "test.echoed", e.Subject
					if err := tx.Append(echo); err != nil {
						return err
					}
				}
				if calls++; calls%3 == 1 {
					return errors.New("a bad moment")
				}
				return nil
			},
		}
		wg.Go(func() { _ = s.Run(ctx) })
	}
	defer wg.Wait()
	defer stop()
	writers(t, g, n, each)
	var echoes []string
	await(t, "every entry to be echoed", func() bool {
		all, err := g.After(t.Context(), 0, 10*n*each)
		if err != nil {
			t.Fatal(err)
		}
		echoes = echoes[:0]
		for _, e := range all {
			if e.Verb == "test.echoed" {
				echoes = append(echoes, e.Subject.ID)
			}
		}
		at, err := g.Cursor(t.Context(), "echo")
		return err == nil && at == int64(2*n*each)
	})
	slices.Sort(echoes)
	if len(echoes) != n*each || len(slices.Compact(echoes)) != n*each {
		t.Fatalf("%d echoes, want each of %d once", len(echoes), n*each)
	}
}
