package app

import (
	"context"
	"log/slog"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/latency"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/store"
	"evenkeel/web/public"
)

// ExportPage writes the public page as files into a folder, from the record that
// the configuration names, and tells how many files those are. The hub may be
// running or not; nothing but the folder is written to. Without the latency
// record the pages have no latency. Errors: NotFound when the record has no page
// yet, Unavailable, those of store.Open.
func ExportPage(ctx context.Context, file config.File, folder string) (files int, err error) {
	log := slog.New(slog.DiscardHandler)
	s, err := store.Open(ctx, store.Options{URL: file.Database.URL, DataDir: file.Data, Log: log, ReadOnly: true})
	if err != nil {
		return 0, err
	}
	defer s.Close(ctx)
	samples, err := latency.Open(ctx, latency.Options{URL: file.Redis.URL, Hours: s, Keep: file.Retention.Samples.D(), Log: log})
	if err != nil {
		return 0, err
	}
	defer samples.Release()
	board := status.NewBoard(status.BoardDeps{Store: s, Latency: samples, Log: log})
	seq, _, err := s.Head(ctx)
	if err != nil {
		return 0, err
	}
	if err := board.Load(ctx, seq); err != nil {
		return 0, err
	}
	now := time.Now()
	_ = board.Refresh(ctx, now) // without the latency record the rest is still worth exporting
	if page := board.Page(now); page.Site.Name == "" {
		return 0, problem.NotFound("The record holds no page yet: start the hub with your configuration once.")
	}
	return public.Export(ctx, board, now, folder)
}
