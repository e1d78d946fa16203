package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
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
)

// Watcher notices when the content of the configuration file changes, however
// it is replaced: written in place, renamed over, or behind a symbolic link.
type Watcher struct {
	path string
	log  *slog.Logger
	last [sha256.Size]byte
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

func (w *Watcher) digest() ([sha256.Size]byte, error) {
	content, err := readLimited(w.path)
	return sha256.Sum256(content), err
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
