package journal_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/journal"
)

func TestTroubleThatLastsIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := chained(t, 3, "test.happened")
		m.SetAway(errors.New("the database is away"))
		var out bytes.Buffer
		f := &journal.PerProcess{Name: "page", Reader: m, Bell: &journal.LocalBell{}, Log: slog.New(slog.NewTextHandler(&out, nil)),
			Handle: func(context.Context, []journal.Sealed) error { return nil }}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx, 0) }()
		<-time.After(10*time.Minute + time.Second)
		m.SetAway(nil)
		<-time.After(time.Minute)
		m.SetAway(errors.New("away again"))
		<-time.After(10 * time.Second)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		lines := strings.Count(out.String(), "follower stands still")
		if lines < 10 || lines > 12 {
			t.Errorf("eleven minutes of trouble are %d lines:\n%s", lines, out.String())
		}
		if last := out.String()[strings.LastIndex(out.String(), "level="):]; !strings.Contains(last, "failures=1\n") || !strings.Contains(last, "away again") {
			t.Errorf("new trouble is not told at once: %s", last)
		}
	})
}
