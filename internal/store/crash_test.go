package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/testkit"
)

// The environment by which the crash test calls itself as the process that is killed.
const (
	crashDir = "STORE_TEST_CRASH_DIR"
	crashURL = "STORE_TEST_CRASH_URL"
)

// TestCrashWriter is the process that TestKillLosesNothingAcknowledged kills:
// it writes without end and prints the id of every entry whose unit committed.
func TestCrashWriter(t *testing.T) {
	dir, url := os.Getenv(crashDir), os.Getenv(crashURL)
	if dir == "" && url == "" {
		return // not called by the crash test
	}
	s := openWith(t, store.Options{DataDir: dir, URL: url})
	go func() {
		_ = journal.NewSealer(s, s, journal.NewHolder(), &journal.LocalBell{}, quiet()).Run(context.Background())
	}()
	failed := make(chan error)
	for w := range 4 {
		go func() {
			for n := 0; ; n++ {
				e := storetest.Entry(n)
				e.ID = journal.NewID()
				if err := s.Do(context.Background(), access.Hub, func(tx journal.Tx) error {
					second := storetest.Entry(n)
					second.ID = e.ID + "-second" // both or neither
					return errors.Join(tx.Append(e), s.PutAlive(context.Background(), tx, tx.Now()), tx.Append(second))
				}); err != nil {
					failed <- err
					return
				}
				fmt.Printf("acknowledged %d %s\n", w, e.ID)
			}
		}()
	}
	t.Fatal(<-failed)
}

// writeUntilKilled runs TestCrashWriter, kills it without warning once it has
// acknowledged n entries, and gives the ids of all that it acknowledged.
func writeUntilKilled(t *testing.T, n int, env ...string) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashWriter$", "-test.v=false")
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	var ids, other []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var w int
		var id string
		if _, err := fmt.Sscanf(lines.Text(), "acknowledged %d %s", &w, &id); err != nil {
			other = append(other, lines.Text())
			continue
		}
		if ids = append(ids, id); len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(ids) < n {
		t.Fatalf("the writer ended after %d entries: %q", len(ids), other)
	}
	return ids
}

// wantAll checks that the chain holds, that every acknowledged entry is in it,
// and that the two entries of a unit came together.
func wantAll(t *testing.T, s *store.Store, acknowledged []string) {
	t.Helper()
	sealed := map[string]bool{}
	for _, e := range storetest.All(t, s) {
		sealed[e.ID] = true
	}
	for _, id := range acknowledged {
		if !sealed[id] {
			t.Errorf("acknowledged entry %s is lost", id)
		}
	}
	for id := range sealed {
		if len(id) == 36 && !sealed[id+"-second"] {
			t.Errorf("entry %s came without its second", id)
		}
	}
	if len(sealed)%2 != 0 {
		t.Errorf("%d entries, want pairs", len(sealed))
	}
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	const rounds, each = 3, 200
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		var acknowledged []string
		for range rounds {
			acknowledged = append(acknowledged, writeUntilKilled(t, each, crashDir+"="+dir)...)
			s := openWith(t, store.Options{DataDir: dir})
			wantAll(t, s, acknowledged)
			closeStore(t, s)
		}
	})
	t.Run("postgresql", func(t *testing.T) {
		url := testkit.Postgres(t)
		var acknowledged []string
		for range rounds {
			acknowledged = append(acknowledged, writeUntilKilled(t, each, crashURL+"="+url)...)
			s := openWith(t, store.Options{URL: url})
			wantAll(t, s, acknowledged)
			closeStore(t, s)
		}
	})
	t.Run("postgresql itself", func(t *testing.T) {
		server := testkit.NewPostgres(t)
		url := server.Database(t)
		acknowledged := writeUntilKilled(t, each, crashURL+"="+url)
		server.Crash(t)
		server.Start(t)
		s := openWith(t, store.Options{URL: url})
		wantAll(t, s, acknowledged)
	})
}
