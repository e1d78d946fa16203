package ingest

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// errSilent is why a wire was cut: an answer was due, and nothing came.
var errSilent = errors.New("the server is silent")

// wire is a network connection with a watchdog. go-imap waits without end for an
// answer to begin, and nothing but closing the connection frees what waits; so the
// wire is cut when an answer is due and no byte came for SilentFor, or when the
// context of the command ends.
type wire struct {
	net.Conn

	mu    sync.Mutex
	timer *time.Timer // runs while an answer is due
	due   int         // commands under way
	why   error       // why it was cut
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c}
	w.timer = time.AfterFunc(time.Hour, func() { w.cut(errSilent) })
	w.timer.Stop()
	return w
}

// until watches a command: the wire is cut when ctx ends, or when the server goes
// silent. The function that it gives ends that.
func (w *wire) until(ctx context.Context) (done func()) {
	w.mu.Lock()
	w.due++
	w.timer.Reset(SilentFor)
	w.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { w.cut(context.Cause(ctx)) })
	return func() {
		stop()
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.due--; w.due == 0 {
			w.timer.Stop()
		}
	}
}

// Read reads, and lets the watchdog see that something came.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.mu.Lock()
		if w.due > 0 {
			w.timer.Reset(SilentFor)
		}
		w.mu.Unlock()
	}
	return n, err
}

// cut closes the connection and remembers the first reason.
func (w *wire) cut(why error) {
	w.mu.Lock()
	if w.why == nil {
		w.why = why
	}
	w.mu.Unlock()
	_ = w.Conn.Close()
}

// Close closes the connection.
func (w *wire) Close() error {
	w.mu.Lock()
	w.timer.Stop()
	w.mu.Unlock()
	return w.Conn.Close()
}

// cause gives why the wire was cut, or the error itself when it was not.
func (w *wire) cause(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.why != nil {
		return errors.Join(w.why, err)
	}
	return err
}
