package store_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/testkit"
)

// raw opens the database behind a store without the store: for tests that
// tamper with it.
func raw(tb testing.TB, driver, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// openRaw opens a fresh store on each engine together with a raw connection.
var openRaw = map[string]func(testing.TB) (*store.Store, *sql.DB){
	"sqlite": func(tb testing.TB) (*store.Store, *sql.DB) {
		dir := tb.TempDir()
		s := openWith(tb, store.Options{DataDir: dir})
		return s, raw(tb, "sqlite", "file:"+filepath.Join(dir, "evenkeel.db")+"?_pragma=busy_timeout(5000)")
	},
	"postgresql": func(tb testing.TB) (*store.Store, *sql.DB) {
		url := testkit.Postgres(tb)
		return openWith(tb, store.Options{URL: url}), raw(tb, "pgx", url)
	},
}

func TestJournalRefusesChangeAndDeletion(t *testing.T) {
	for name, open := range openRaw {
		t.Run(name, func(t *testing.T) {
			s, db := open(t)
			storetest.Append(t, s, storetest.Entry(1), storetest.Entry(2))
			storetest.Seal(t, s)
			statements := []string{`update journal set verb = 'test.forged' where seq = 1`, `delete from journal where seq = 2`}
			if name == "postgresql" {
				statements = append(statements, `truncate journal`)
			}
			for _, statement := range statements {
				if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
					t.Errorf("%s: got %v", statement, err)
				}
			}
			if all := storetest.All(t, s); len(all) != 2 {
				t.Errorf("got %v", all)
			}
		})
	}
}

func TestVerifyNamesTheFirstBrokenLink(t *testing.T) {
	unguard := map[string][]string{
		"sqlite":     {`drop trigger journal_no_update`, `drop trigger journal_no_delete`},
		"postgresql": {`alter table journal disable trigger all`},
	}
	for name, open := range openRaw {
		for what, forge := range map[string]string{
			"changed": `update journal set effective_at = effective_at - 1 where seq = 3`,
			"deleted": `delete from journal where seq = 3`,
			"rehung":  `update journal set hash = (select hash from journal where seq = 2) where seq = 3`,
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				s, db := open(t)
				for n := range 5 {
					storetest.Append(t, s, storetest.Entry(n))
				}
				storetest.All(t, s)
				for _, statement := range append(unguard[name], forge) {
					if _, err := db.ExecContext(t.Context(), statement); err != nil {
						t.Fatal(err)
					}
				}
				broken, ok := errors.AsType[*journal.Broken](journal.Verify(t.Context(), s))
				if !ok || broken.Seq != 3 {
					t.Fatalf("got %v, want broken at 3", broken)
				}
			})
		}
	}
}

// A unit of work that appended first and commits last must not be passed over
// by the followers (design section 2: a plain sequence loses such rows).
func TestLateCommitIsNotPassedOver(t *testing.T) {
	s := engines["postgresql"](t)
	appended, commit := make(chan struct{}), make(chan struct{})
	late := make(chan error, 1)
	go func() {
		once := sync.OnceFunc(func() { close(appended) })
		late <- s.Do(context.Background(), access.Hub, func(tx journal.Tx) error {
			// Moving a cursor makes the transaction begin to write before the wait.
			err := errors.Join(tx.Append(storetest.Entry(1)), s.Move(context.Background(), tx, "early", 0, 1))
			once()
			<-commit
			return err
		})
	}()
	<-appended
	storetest.Append(t, s, storetest.Entry(2))
	first := storetest.All(t, s)
	if len(first) != 1 || first[0].Subject.ID != "2" {
		t.Fatalf("sealed %v while the other unit is open", first)
	}
	close(commit)
	if err := <-late; err != nil {
		t.Fatal(err)
	}
	storetest.Seal(t, s)
	rest, err := s.After(t.Context(), first[0].Seq, 10)
	if err != nil || len(rest) != 1 || rest[0].Subject.ID != "1" || rest[0].Seq != 2 {
		t.Fatalf("the follower got %v, %v", rest, err)
	}
}

// Rows that are in the waiting room in another order than they commit in: the
// sequence numbers are taken, the commits turned around.
func TestPendingRowsCommittedInAnyOrderAreAllSealed(t *testing.T) {
	url := testkit.Postgres(t)
	s, db := openWith(t, store.Options{URL: url}), raw(t, "pgx", url)
	const n = 20
	txs := make([]*sql.Tx, n)
	for i := range txs {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(`insert into journal_pending (id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload)
			values ($1, 'hub', 'machine', 'test.happened', 'test', 'x', 1, 1, 'staff', '{}')`, journal.NewID()); err != nil {
			t.Fatal(err)
		}
		txs[i] = tx
	}
	for i := range txs { // from the outside in: 0, 19, 1, 18, …
		j := i / 2
		if i%2 == 1 {
			j = n - 1 - j
		}
		if err := txs[j].Commit(); err != nil {
			t.Fatal(err)
		}
		if got := storetest.All(t, s); len(got) != i+1 {
			t.Fatalf("%d entries sealed after %d commits", len(got), i+1)
		}
	}
}

// A hub that is paused in the middle of a unit of work holds the row of its
// lease; the server must end that session so that another hub can take over,
// and the paused one must not be able to commit (promise 6).
func TestPausedHolderIsCutOffAndFenced(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: waits for the server's own clock; run without -short")
	}
	t.Parallel()
	url := testkit.Postgres(t)
	a, b := openWith(t, store.Options{URL: url}), openWith(t, store.Options{URL: url})
	lease, ok, err := a.Acquire(t.Context(), "watch", "a", time.Millisecond)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	fenced, wake := make(chan struct{}), make(chan struct{})
	result := make(chan error, 1)
	go func() {
		once := sync.OnceFunc(func() { close(fenced) })
		result <- a.Do(context.Background(), access.Hub, func(tx journal.Tx) error {
			err := errors.Join(tx.Fence(lease), tx.Append(storetest.Entry(1)))
			once()
			<-wake
			return err
		})
	}()
	<-fenced
	taken, ok, err := b.Acquire(t.Context(), "watch", "b", time.Minute)
	for tries := 0; (err != nil || !ok) && tries < 3; tries++ { // the first may have come before the lease ran out, or have waited too long for the row
		taken, ok, err = b.Acquire(t.Context(), "watch", "b", time.Minute)
	}
	if err != nil || !ok || taken.Epoch != lease.Epoch+1 {
		t.Fatalf("b got %+v, %v, %v", taken, ok, err)
	}
	close(wake)
	if err := <-result; err == nil {
		t.Fatal("the paused holder committed under its old lease")
	}
	if all := storetest.All(t, b); len(all) != 0 {
		t.Fatalf("got %v", all)
	}
}

func TestUnitsThatCollideAreRunAgain(t *testing.T) {
	s := engines["postgresql"](t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if err := s.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
					return s.PutAlive(t.Context(), tx, tx.Now()) // everybody the same row
				}); err != nil {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	wg.Wait()
	if st := s.Stats(); st.Units != 80 || st.Retried == 0 {
		t.Errorf("got %+v, want 80 units and some of them retried", st)
	}
}

func TestUnitsOfManyShareACommit(t *testing.T) {
	s := engines["sqlite"](t)
	release := holdWriter(t, s)
	var wg sync.WaitGroup
	const n = 50
	for i := range n {
		wg.Go(func() {
			err := s.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
				if i%5 == 0 {
					return problem.Conflict("This one does not want to.")
				}
				return tx.Append(storetest.Entry(i))
			})
			if want := map[bool]problem.Kind{true: problem.KindConflict}[i%5 == 0]; problem.KindOf(err) != want {
				t.Errorf("unit %d: %v", i, err)
			}
		})
	}
	awaitThat(t, "the units to wait", func() bool { return s.Stats().Waiting == n })
	release()
	wg.Wait()
	if st := s.Stats(); st.Commits > 3 || st.Units != 1+n*4/5 || st.Failed != n/5 {
		t.Errorf("got %+v, want few commits", st)
	}
	if all := storetest.All(t, s); len(all) != n*4/5 {
		t.Errorf("%d entries", len(all))
	}
}

// holdWriter keeps SQLite's writer busy until release is called, which waits
// for its unit to end.
func holdWriter(tb testing.TB, s *store.Store) (release func()) {
	tb.Helper()
	begun, hold, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Do(context.Background(), access.Hub, func(journal.Tx) error { close(begun); <-hold; return nil })
	}()
	<-begun
	return sync.OnceFunc(func() {
		close(hold)
		if err := <-ended; err != nil {
			tb.Errorf("the holding unit: %v", err)
		}
	})
}

func TestWaitingUnitGivesUpWithItsContext(t *testing.T) {
	s := engines["sqlite"](t)
	release := holdWriter(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		second <- s.Do(ctx, access.Hub, func(tx journal.Tx) error { return tx.Append(storetest.Entry(1)) })
	}()
	awaitThat(t, "the second unit to wait", func() bool { return s.Stats().Waiting == 1 })
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	release()
	if all := storetest.All(t, s); len(all) != 0 {
		t.Fatalf("a unit that was given up left %v", all)
	}
}

func TestCloseFinishesWhatWaitsAndRefusesTheRest(t *testing.T) {
	dir := t.TempDir()
	s := openWith(t, store.Options{DataDir: dir})
	release := holdWriter(t, s)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := s.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return tx.Append(storetest.Entry(i)) }); err != nil {
				t.Errorf("unit %d: %v", i, err)
			}
		})
	}
	awaitThat(t, "the units to wait", func() bool { return s.Stats().Waiting == 10 })
	closed := make(chan struct{})
	go func() { defer close(closed); closeStore(t, s) }()
	release()
	wg.Wait()
	<-closed
	if err := s.Do(t.Context(), access.Hub, func(journal.Tx) error { return nil }); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("after Close: %v, want unavailable", err)
	}
	if all := storetest.All(t, openWith(t, store.Options{DataDir: dir})); len(all) != 10 {
		t.Errorf("%d entries after opening again", len(all))
	}
}

// awaitThat looks until the condition holds.
func awaitThat(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(closeWithin)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			tb.Fatalf("waited in vain for %s", what)
		}
	}
}
