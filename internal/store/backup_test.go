package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/testkit"
)

// inhabit puts something of every shape into a database: flags, numbers, bytes
// that are empty, null moments, rows that refer to others, and a journal.
func inhabit(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.UnixMicro(1_772_366_400_000_001).UTC()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Do(ctx, access.Host, func(tx journal.Tx) error {
		must(s.PutSite(ctx, tx, status.Site{Name: "Example", Zone: "Etc/UTC", Weights: status.Weights{Major: 1, Partial: 0.3}}))
		must(s.PutComponent(ctx, tx, status.Component{Key: "web", ID: "web", Name: "Web 'shop' ☃", Public: true, Publish: status.PublishAuto, CreatedAt: now}))
		must(s.PutComponent(ctx, tx, status.Component{Key: "db", ID: "db", Name: "DB", Needs: []string{"web"}, Publish: status.PublishAuto, CreatedAt: now, RemovedAt: now}))
		must(s.PutDay(ctx, tx, status.DayRow{Monitor: "web", Location: "local", Day: now.Truncate(24 * time.Hour), Packed: []byte{0, 1, 255}}))
		must(s.PutDay(ctx, tx, status.DayRow{Monitor: "db", Location: "local", Day: now.Truncate(24 * time.Hour)}))
		must(s.AddSpan(ctx, tx, status.Span{ID: "s1", Component: "web", Track: status.Published, From: now, Status: status.Operational, Origin: status.ByMachine}))
		must(s.PutMonth(ctx, tx, status.Month{Component: "web", Month: "2026-09", FrozenAt: now}))
		must(s.AddCorrection(ctx, tx, status.Correction{ID: "c1", Component: "web", Month: "2026-09", At: now, Reason: "a false alarm", Actor: "host"}))
		return tx.Append(journal.Entry{Verb: "setup.applied", Subject: journal.Ref{Kind: "setup", ID: "1"}, Audience: journal.AudienceStaff})
	}))
	for n := range 3 {
		storetest.Append(t, s, storetest.Entry(n))
	}
	// The last entries stay in the waiting room of a server: a backup seals them.
}

// contents is what a test compares of a database.
func contents(t *testing.T, s *store.Store) map[string]any {
	t.Helper()
	ctx := t.Context()
	cat, err := s.Catalog(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	open, err := s.OpenSpans(ctx)
	if err != nil {
		t.Fatal(err)
	}
	months, err := s.Months(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	days, err := s.Days(ctx, "web", time.Unix(0, 0), time.Unix(1<<33, 0))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := s.After(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Verify(ctx, s); err != nil {
		t.Errorf("the journal of the copy: %v", err)
	}
	return map[string]any{"catalog": cat, "spans": open, "months": months, "days": days, "journal": entries}
}

func TestBackupGoesFromAnyEngineIntoAny(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		from := open(t)
		inhabit(t, from)
		file := filepath.Join(t.TempDir(), "backup.db")
		made, err := from.Backup(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		if made.Seq != 4 || made.Tables["components"] != 2 || made.Tables["journal"] != 4 || made.Bytes == 0 {
			t.Errorf("the backup tells of %+v", made)
		}
		storetest.Seal(t, from)
		want := contents(t, from)
		for name, options := range map[string]store.Options{
			"sqlite": {DataDir: t.TempDir()}, "postgresql": {URL: testkit.Postgres(t)},
		} {
			t.Run("into "+name, func(t *testing.T) {
				options.Log = quiet()
				got, kept, err := store.Restore(t.Context(), options, file, false)
				if err != nil || kept != "" {
					t.Fatalf("restore: %v, kept %q", err, kept)
				}
				if got.Seq != made.Seq || got.Hash != made.Hash {
					t.Errorf("restored up to %d %s, backed up to %d %s", got.Seq, got.Hash, made.Seq, made.Hash)
				}
				to := openWith(t, options)
				if diff := cmp.Diff(want, contents(t, to)); diff != "" {
					t.Errorf("the copy differs (-want +got):\n%s", diff)
				}
				storetest.Append(t, to, storetest.Entry(9))
				storetest.Seal(t, to)
				if err := journal.Verify(t.Context(), to); err != nil {
					t.Errorf("the journal cannot go on: %v", err)
				}
			})
		}
	})
}

func TestBackupWorksBesideARunningHub(t *testing.T) {
	folder := t.TempDir()
	hub := openWith(t, store.Options{DataDir: folder})
	inhabit(t, hub)
	beside := openWith(t, store.Options{DataDir: folder, ReadOnly: true})
	if _, err := beside.Backup(t.Context(), filepath.Join(t.TempDir(), "b.db")); err != nil {
		t.Fatal(err)
	}
}

func TestBackupKeepsWhatIsThere(t *testing.T) {
	s := openWith(t, store.Options{DataDir: t.TempDir()})
	path := filepath.Join(t.TempDir(), "mine.txt")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backup(t.Context(), path); problem.KindOf(err) != problem.KindConflict {
		t.Errorf("got %v, want a conflict", err)
	}
	if _, err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "no", "where")); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	if left, _ := os.ReadFile(path); string(left) != "mine" {
		t.Errorf("the file now holds %q", left)
	}
}

func TestRestoreRefusesWhatItWouldDestroy(t *testing.T) {
	from := openWith(t, store.Options{DataDir: t.TempDir()})
	inhabit(t, from)
	file := filepath.Join(t.TempDir(), "backup.db")
	if _, err := from.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}

	t.Run("a database in the folder", func(t *testing.T) {
		folder := t.TempDir()
		closeStore(t, openClosed(t, folder))
		o := store.Options{DataDir: folder, Log: quiet()}
		if _, _, err := store.Restore(t.Context(), o, file, false); problem.KindOf(err) != problem.KindConflict {
			t.Errorf("got %v, want a conflict", err)
		}
		_, kept, err := store.Restore(t.Context(), o, file, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(kept); err != nil {
			t.Errorf("the database that was there: %v", err)
		}
		openWith(t, o)
	})
	t.Run("a hub that runs", func(t *testing.T) {
		folder := t.TempDir()
		openWith(t, store.Options{DataDir: folder})
		if _, _, err := store.Restore(t.Context(), store.Options{DataDir: folder, Log: quiet()}, file, true); problem.KindOf(err) != problem.KindConflict {
			t.Errorf("got %v, want a conflict", err)
		}
	})
	t.Run("a server that is not empty", func(t *testing.T) {
		url := testkit.Postgres(t)
		inhabit(t, openWith(t, store.Options{URL: url}))
		if _, _, err := store.Restore(t.Context(), store.Options{URL: url, Log: quiet()}, file, false); problem.KindOf(err) != problem.KindConflict {
			t.Errorf("got %v, want a conflict", err)
		}
	})
	t.Run("a damaged file", func(t *testing.T) {
		bytes, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, broken := range map[string][]byte{"cut": bytes[:len(bytes)/2], "no database": []byte("hello"), "empty": {}} {
			path, folder := filepath.Join(t.TempDir(), "broken.db"), t.TempDir()
			if err := os.WriteFile(path, broken, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := store.Restore(t.Context(), store.Options{DataDir: folder, Log: quiet()}, path, false); err == nil {
				t.Errorf("%s: restored", name)
			}
			left, err := filepath.Glob(filepath.Join(folder, "evenkeel.db*"))
			if err != nil || len(left) > 0 {
				t.Errorf("%s: left behind %v, %v", name, left, err)
			}
		}
	})
}

// openClosed makes a database in a folder for a test that closes it.
func openClosed(t *testing.T, folder string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DataDir: folder, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
