package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/journal"
)

const (
	// headsFile is where the heads of the journal are kept, in the data folder.
	headsFile = "journal-heads.txt"
	// headsLook is how often the date is looked at: a machine may have slept.
	headsLook = time.Hour
)

// keepHeads writes the head of the journal into the log and a file once a day,
// after midnight UTC and at the first start of a day, until ctx ends. Carried
// away from the machine, they show whether the chain was made anew. What cannot
// be written is tried again: nothing else waits for it.
func (a *App) keepHeads(ctx context.Context, r journal.Reader) error {
	path := filepath.Join(a.config.Load().Data, headsFile)
	kept, err := lastHead(path)
	defer a.health.Forget("journal heads")
	for {
		a.health.Beat("journal heads", headsLook)
		now := time.Now().UTC()
		today := now.Format(time.DateOnly)
		if err == nil && kept < today {
			if kept, err = a.keepHead(ctx, r, path, kept, today); err == nil && kept < today {
				a.log.Debug("the journal is empty; there is no head to keep")
			}
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn("the head of the journal is not kept", "file", path, "err", err)
			kept, err = lastHead(path)
		}
		midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(headsLook, midnight.Sub(now))):
		}
	}
}

// keepHead writes today's head and gives the date up to which they are kept now.
func (a *App) keepHead(ctx context.Context, r journal.Reader, path, kept, today string) (string, error) {
	seq, hash, err := r.Head(ctx)
	if err != nil || seq == 0 {
		return kept, err
	}
	head := journal.Head{Date: today, Seq: seq, Hash: hash}
	a.log.Info("journal head", "date", today, "seq", seq, "hash", hash)
	return today, appendLine(path, head.String())
}

// lastHead gives the date of the last whole line of the file; "" when there is none.
func lastHead(path string) (string, error) {
	text, err := os.ReadFile(path) // a line a day: a century is 3 MB
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(text), "\n")
	for _, line := range slices.Backward(lines[:len(lines)-1]) {
		if heads, err := journal.ReadHeads(strings.NewReader(line)); err == nil && len(heads) == 1 {
			return heads[0].Date, nil
		}
	}
	return "", nil
}

// appendLine adds a line to a file and waits until it is on the disk. After a
// line that a crash cut off it begins anew.
func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, end-1); err == nil && last[0] != '\n' {
			line = "\n" + line
		}
	}
	_, err = fmt.Fprintln(f, line)
	return errors.Join(err, f.Sync(), f.Close())
}
