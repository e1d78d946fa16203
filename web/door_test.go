package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/status"
	"evenkeel/web"
	"evenkeel/web/public/publictest"
)

// door makes a door with a page behind it, already rendered.
func door(t testing.TB, p *status.Page) *web.Server {
	t.Helper()
	s, _ := doorAndBoard(t, p, "")
	return s
}

// doorAndBoard makes a door that keeps pages in a folder, and the board behind it.
func doorAndBoard(t testing.TB, p *status.Page, folder string) (*web.Server, *publictest.Board) {
	t.Helper()
	s := bare(t, folder)
	board := publictest.NewBoard(p)
	s.Attach(web.Live{Board: board, Subscribers: &roll{}, Seals: box(t)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	until(t, "a first page", s.HasPages)
	return s, board
}

// bare makes a door with nothing behind it.
func bare(t testing.TB, folder string) *web.Server {
	t.Helper()
	s, err := web.New(web.Deps{
		Folder: folder, Version: "test", Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
		Now: func() time.Time { return publictest.Minute.Add(20 * time.Second) }, Ready: http.NotFoundHandler(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// until waits for an event of a real server, with a deadline.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for !is() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
