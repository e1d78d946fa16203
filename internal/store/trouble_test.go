package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/testkit"
)

// refused opens a store that must not open, and checks that the refusal is of
// the kind and says each of the words to the person.
func refused(t *testing.T, o store.Options, kind problem.Kind, words ...string) {
	t.Helper()
	o.Log = quiet()
	s, err := store.Open(t.Context(), o)
	if err == nil {
		closeStore(t, s)
		t.Fatal("it opened")
	}
	if got := problem.KindOf(err); got != kind {
		t.Errorf("kind %q, want %q: %v", got, kind, err)
	}
	for _, word := range words {
		if !strings.Contains(problem.Public(err), word) {
			t.Errorf("%q does not say %q", problem.Public(err), word)
		}
	}
}

func TestUnknownURLIsRefused(t *testing.T) {
	for _, url := range []string{"mysql://db.example.org/x", "evenkeel.db", "postgres://%zz", "::"} {
		refused(t, store.Options{URL: url}, problem.KindInvalid, "database URL")
	}
	refused(t, store.Options{}, problem.KindInvalid, "data folder")
}

func TestUnreachableServerIsUnavailableAndKeepsItsSecret(t *testing.T) {
	o := store.Options{URL: "postgres://hub:hunter2@127.0.0.1:1/evenkeel", Log: quiet()}
	_, err := store.Open(t.Context(), o)
	if problem.KindOf(err) != problem.KindUnavailable || !strings.Contains(problem.Public(err), "evenkeel on 127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is in %q", err)
	}
}

func TestSecondHubOnAFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := openWith(t, store.Options{DataDir: dir})
	refused(t, store.Options{DataDir: dir}, problem.KindConflict, dir, fmt.Sprint(os.Getpid()), "stop it first")
	storetest.Append(t, s, storetest.Entry(1)) // the first is not disturbed
	closeStore(t, s)
	openWith(t, store.Options{DataDir: dir})
}

func TestReadersMayLookBesideTheHub(t *testing.T) {
	for name, o := range map[string]store.Options{"sqlite": {DataDir: t.TempDir()}, "postgresql": {URL: testkit.Postgres(t)}} {
		t.Run(name, func(t *testing.T) {
			hub := openWith(t, o)
			storetest.Append(t, hub, storetest.Entry(1))
			o.ReadOnly = true
			reader := openWith(t, o)
			storetest.Seal(t, hub)
			storetest.Append(t, hub, storetest.Entry(2))
			storetest.Seal(t, hub)
			if err := journal.Verify(t.Context(), reader); err != nil {
				t.Fatal(err)
			}
			if seq, _, err := reader.Head(t.Context()); seq != 2 || err != nil {
				t.Errorf("the reader sees %d, %v", seq, err)
			}
			err := reader.Do(t.Context(), access.Hub, func(journal.Tx) error { return nil })
			if problem.KindOf(err) != problem.KindForbidden {
				t.Errorf("the reader may write: %v", err)
			}
		})
	}
}

func TestReaderOfAHubThatIsOffSeesItsRecord(t *testing.T) {
	dir := t.TempDir()
	hub := openWith(t, store.Options{DataDir: dir})
	storetest.Append(t, hub, storetest.Entry(1))
	closeStore(t, hub)
	if seq, _, err := openWith(t, store.Options{DataDir: dir, ReadOnly: true}).Head(t.Context()); seq != 1 || err != nil {
		t.Errorf("the reader sees %d, %v", seq, err)
	}
}

func TestReaderNeedsADatabase(t *testing.T) {
	dir := t.TempDir()
	refused(t, store.Options{DataDir: dir, ReadOnly: true}, problem.KindUnavailable, "no database at", dir)
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("looking left %v", left)
	}
	refused(t, store.Options{URL: testkit.Postgres(t), ReadOnly: true}, problem.KindUnavailable, "no schema of ours", "evenkeel migrate")
}

func TestDamagedFileIsRefusedAndLeftAlone(t *testing.T) {
	fill := map[string]func(t *testing.T, path string){
		"no database": func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("these are the minutes of a meeting\n", 400)), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"overwritten in the middle": func(t *testing.T, path string) {
			s := openWith(t, store.Options{DataDir: filepath.Dir(path)})
			for n := range 50 {
				storetest.Append(t, s, storetest.Entry(n))
			}
			closeStore(t, s)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt([]byte(strings.Repeat("\xff", int(info.Size())-200)), 100); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, fill := range fill {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "evenkeel.db")
			fill(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			refused(t, store.Options{DataDir: dir}, problem.KindConflict, path, "damaged", "Restore a backup")
			refused(t, store.Options{DataDir: dir, ReadOnly: true}, problem.KindConflict, path, "damaged")
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestReadOnlyFolderIsRefused(t *testing.T) {
	const folder = "/sys/kernel" // writable for nobody, not even root
	if _, err := os.Stat(folder); err != nil {
		t.Skip("SKIP: there is no /sys on this machine")
	}
	refused(t, store.Options{DataDir: folder}, problem.KindUnavailable, folder, "writable", "EVENKEEL_DATA")
	refused(t, store.Options{DataDir: folder + "/evenkeel"}, problem.KindUnavailable, folder, "EVENKEEL_DATA")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, store.Options{DataDir: file}, problem.KindUnavailable, file, "EVENKEEL_DATA")
}

func TestNewerDatabaseIsRefusedUnlessItAllowsUs(t *testing.T) {
	newer := func(t *testing.T, minReader int) store.Options {
		dir := t.TempDir()
		s := openWith(t, store.Options{DataDir: dir})
		known := len(s.Applied())
		closeStore(t, s)
		db := raw(t, "sqlite", "file:"+filepath.Join(dir, "evenkeel.db"))
		if _, err := db.Exec(`insert into schema_migrations (version, checksum, min_reader, applied_at) values ($1, 'x', $2, 1)`, known+1, known+minReader); err != nil {
			t.Fatal(err)
		}
		db.Close()
		return store.Options{DataDir: dir}
	}
	t.Run("refused", func(t *testing.T) {
		o := newer(t, 1)
		refused(t, o, problem.KindConflict, o.DataDir, "is at version", "newer evenkeel")
		o.ReadOnly = true
		refused(t, o, problem.KindConflict, "newer evenkeel")
	})
	t.Run("allowed", func(t *testing.T) {
		storetest.Append(t, openWith(t, newer(t, 0)), storetest.Entry(1))
	})
}

func TestEditedMigrationIsRefused(t *testing.T) {
	url := testkit.Postgres(t)
	closeStore(t, openWith(t, store.Options{URL: url}))
	if _, err := raw(t, "pgx", url).Exec(`update schema_migrations set checksum = 'edited' where version = 1`); err != nil {
		t.Fatal(err)
	}
	refused(t, store.Options{URL: url}, problem.KindConflict, "another edition of migration 1")
}

func TestMigratingAtOnceIsDoneOnce(t *testing.T) {
	url := testkit.Postgres(t)
	applied := make(chan int, 4)
	for range cap(applied) {
		go func() {
			s, err := store.Open(context.Background(), store.Options{URL: url, Log: quiet()})
			if err != nil {
				t.Error(err)
				applied <- 0
				return
			}
			applied <- len(s.Applied())
			closeStore(t, s)
		}()
	}
	total := 0
	for range cap(applied) {
		total += <-applied
	}
	if again := openWith(t, store.Options{URL: url}); total == 0 || len(again.Applied()) != 0 {
		t.Errorf("%d migrations applied at first, %v later", total, again.Applied())
	}
}

// fillUp writes until the disk is full and gives how many entries were acknowledged.
func fillUp(t *testing.T, s *store.Store) int {
	t.Helper()
	for n := 0; n < 100_000; n++ {
		e := storetest.Entry(n)
		e.Payload["filling"] = strings.Repeat("x", journal.MaxPayloadValue)
		err := s.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return tx.Append(e) })
		if err == nil {
			continue
		}
		if problem.KindOf(err) != problem.KindUnavailable || !strings.Contains(problem.Public(err), "full") {
			t.Fatalf("got %v, want a full disk", err)
		}
		return n
	}
	t.Fatal("the disk did not fill up")
	return 0
}

func TestFullDatabaseLosesNothingAndGoesOn(t *testing.T) {
	dir := t.TempDir()
	s := openWith(t, store.Options{DataDir: dir})
	if err := s.LimitPages(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	kept := fillUp(t, s)
	if all := storetest.All(t, s); len(all) != kept {
		t.Fatalf("%d entries, %d acknowledged", len(all), kept)
	}
	if err := s.LimitPages(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	storetest.Append(t, s, storetest.Entry(0))
	if all := storetest.All(t, s); len(all) != kept+1 {
		t.Fatalf("%d entries after making room, want %d", len(all), kept+1)
	}
}

func TestFullDiskLosesNothingAndGoesOn(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			t.Skip("SKIP: mounting a small disk needs root")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := openWith(t, store.Options{DataDir: dir})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := fillUp(t, s)
	if err := s.Ping(t.Context()); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("ping while nothing can be written: %v, want unavailable", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	storetest.Append(t, s, storetest.Entry(0))
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping after making room: %v", err)
	}
	if all := storetest.All(t, s); len(all) != kept+1 {
		t.Fatalf("%d entries after making room, want %d", len(all), kept+1)
	}
	closeStore(t, s)
	if all := storetest.All(t, openWith(t, store.Options{DataDir: dir})); len(all) != kept+1 {
		t.Fatalf("%d entries after opening again, want %d", len(all), kept+1)
	}
}

func TestServerThatGoesAwayAndComesBack(t *testing.T) {
	server := testkit.NewPostgres(t)
	s := openWith(t, store.Options{URL: server.Database(t)})
	storetest.Append(t, s, storetest.Entry(1))
	server.Stop(t)
	err := s.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return tx.Append(storetest.Entry(2)) })
	if problem.KindOf(err) != problem.KindUnavailable || problem.KindOf(s.Ping(t.Context())) != problem.KindUnavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
	server.Start(t)
	awaitThat(t, "the server to come back", func() bool { return s.Ping(t.Context()) == nil })
	storetest.Append(t, s, storetest.Entry(3))
	if all := storetest.All(t, s); len(all) != 2 || all[1].Subject.ID != "3" {
		t.Fatalf("got %v", all)
	}
}
