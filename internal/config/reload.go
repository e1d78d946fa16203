package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// PollEvery is how often the file is read when nothing announces changes:
	// network file systems and some containers announce none.
	PollEvery = 5 * time.Second
	// settleFor is how long a file must rest before it is read: editors and
	// deployments write in several steps.
	settleFor = 200 * time.Millisecond
	// certainAfter is the age at which a file's time tells it from what is
	// written later: file systems keep times in steps of up to two seconds.
	certainAfter = 3 * time.Second
)

// Watcher notices when the content of the configuration file changes, however
// it is replaced: written in place, renamed over, or behind a symbolic link.
type Watcher struct {
	path string
	log  *slog.Logger
	last [sha256.Size]byte
	seen os.FileInfo // of the content in last; nil when it was too young to be told from a later one
}

// NewWatcher remembers the content as it is now. Make it before Load, so that no
// change falls between the two.
func NewWatcher(path string, log *slog.Logger) *Watcher {
	w := &Watcher{path: path, log: log}
	w.last, _ = w.digest()
	return w
}

// Run calls changed after every change of content until ctx ends. changed runs
// in Run's goroutine, so two reloads never overlap. A file that is away or
// cannot be read is no change.
func (w *Watcher) Run(ctx context.Context, changed func()) error {
	announced, troubles, stop := w.announce()
	defer stop()
	poll := time.NewTicker(PollEvery)
	defer poll.Stop()
	settle := time.NewTimer(settleFor)
	defer settle.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, open := <-announced:
			if !open {
				announced = nil // polling goes on
				continue
			}
			settle.Reset(settleFor)
		case _, open := <-troubles: // too many events at once: something did change
			if !open {
				troubles = nil
				continue
			}
			settle.Reset(settleFor)
		case <-poll.C:
			w.look(changed)
		case <-settle.C:
			w.look(changed)
		}
	}
}

// look calls changed when the content is not what it was.
func (w *Watcher) look(changed func()) {
	now, err := w.digest()
	if err != nil || now == w.last {
		return
	}
	w.last = now
	changed()
}

// digest gives the hash of the content. A file that is by its size, time and
// identity the one that was read last is not read again: looking every few
// seconds at the estate of ten thousand monitors must cost nothing.
func (w *Watcher) digest() (sum [sha256.Size]byte, err error) {
	file, err := openLimited(w.path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	info, err := file.file.Stat()
	if err != nil {
		return sum, err
	}
	if was := w.seen; was != nil && os.SameFile(was, info) && was.Size() == info.Size() && was.ModTime().Equal(info.ModTime()) {
		return w.last, nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return sum, err
	}
	w.seen = nil
	if time.Since(info.ModTime()) > certainAfter {
		w.seen = info
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// announce gives a channel that delivers something whenever the file's folder
// changes: the folder, because a file that is renamed over is another file. When
// the system cannot tell, the channels are nil and polling is all there is.
func (w *Watcher) announce() (<-chan fsnotify.Event, <-chan error, func()) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		if err = watcher.Add(filepath.Dir(w.path)); err == nil {
			return watcher.Events, watcher.Errors, func() { _ = watcher.Close() }
		}
		_ = watcher.Close()
	}
	w.log.Info("changes of the configuration file are found by polling", "every", PollEvery, "err", fmt.Errorf("watch %s: %w", filepath.Dir(w.path), err))
	return nil, nil, func() {}
}
