package config

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// watch runs a Watcher until the test ends and gives a channel of its calls.
func watch(t *testing.T, path string) <-chan struct{} {
	t.Helper()
	w := NewWatcher(path, slog.New(slog.DiscardHandler))
	calls := make(chan struct{}, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, func() { calls <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watch: %v", err)
		}
	})
	return calls
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// expectCall waits for a call, far longer than it may take.
func expectCall(t *testing.T, calls <-chan struct{}, after string) {
	t.Helper()
	select {
	case <-calls:
	case <-time.After(4 * PollEvery):
		t.Fatalf("no reload after the file was %s", after)
	}
}

func TestWatcherSeesEveryWayToChangeAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "evenkeel.yaml")
	write(t, path, "1")
	calls := watch(t, path)

	write(t, path, "2")
	expectCall(t, calls, "written in place")

	write(t, path+".new", "3")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	expectCall(t, calls, "renamed over")

	// The way of Kubernetes: a link to a folder that is swapped.
	if err := os.Mkdir(filepath.Join(dir, "v2"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "v2", "evenkeel.yaml"), "4")
	if err := os.Symlink(filepath.Join("v2", "evenkeel.yaml"), path+".link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".link", path); err != nil {
		t.Fatal(err)
	}
	expectCall(t, calls, "replaced by a link")

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, "5")
	expectCall(t, calls, "deleted and made again")
}

// TestWatcherPolls has a folder that cannot be watched, so that time alone tells.
func TestWatcherPolls(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "later")
	path := filepath.Join(parent, "evenkeel.yaml")
	synctest.Test(t, func(t *testing.T) {
		calls := watch(t, path)
		synctest.Wait()
		if err := os.Mkdir(parent, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, "1")
		start := time.Now()
		<-calls
		if waited := time.Since(start); waited > PollEvery {
			t.Errorf("seen after %v, want within %v", waited, PollEvery)
		}
		start = time.Now()
		time.AfterFunc(10*PollEvery, func() { write(t, path, "2") })
		<-calls
		if waited := time.Since(start); waited < 10*PollEvery {
			t.Errorf("a reload without a change, after %v", waited)
		}
	})
}

// TestWatcherReadsAFileOnlyWhenItMayHaveChanged: a file of ten thousand monitors
// is looked at every few seconds.
func TestWatcherReadsAFileOnlyWhenItMayHaveChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "evenkeel.yaml")
	age := func(by time.Duration) {
		t.Helper()
		at := time.Now().Add(-by)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, "a: 1")
	age(time.Hour)
	w := NewWatcher(path, slog.New(slog.DiscardHandler))
	if w.seen == nil {
		t.Fatal("a file that has rested for an hour is read again at every look")
	}
	changes := 0
	look := func() { w.look(func() { changes++ }) }
	look()
	write(t, path, "a: 2") // as long as before, and young
	look()
	if changes != 1 || w.seen != nil {
		t.Fatalf("%d changes, remembered as certain: %t; want 1 and false", changes, w.seen != nil)
	}
	age(time.Minute)
	look()
	if changes != 1 || w.seen == nil {
		t.Errorf("%d changes, remembered as certain: %t; want 1 and true", changes, w.seen != nil)
	}
}
