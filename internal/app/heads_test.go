package app

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/telemetry"
)

// heads runs keepHeads in a bubble, with a file that holds before, while do lets
// time pass. It gives what the file holds then.
func heads(t *testing.T, before string, do func(happen func())) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), headsFile)
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		a := &App{log: slog.New(slog.DiscardHandler), health: telemetry.NewHealth()}
		a.config.Store(&config.File{Data: filepath.Dir(path)})
		m := journaltest.New()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.keepHeads(ctx, m) }()
		do(func() {
			e := journal.Entry{Verb: "hub.started", Subject: journal.Ref{Kind: "hub", ID: "a"}, Audience: journal.AudienceStaff}
			if err := m.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return tx.Append(e) }); err != nil {
				t.Error(err)
			}
		})
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestHeadOfTheJournalIsKeptOncePerDay(t *testing.T) {
	text := heads(t, "", func(happen func()) {
		<-time.After(2 * time.Hour) // the journal is empty: nothing to keep
		happen()
		<-time.After(47 * time.Hour) // the bubble begins at midnight
		happen()
		<-time.After(24 * time.Hour)
	})
	kept, err := journal.ReadHeads(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range kept {
		got = append(got, h.Date+" "+string(rune('0'+h.Seq)))
	}
	if want := "2000-01-01 1, 2000-01-02 1, 2000-01-03 1, 2000-01-04 2"; strings.Join(got, ", ") != want {
		t.Errorf("kept %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestHeadsGoOnBehindALineThatACrashCutOff(t *testing.T) {
	text := heads(t, "1999-12-31 1 abc", func(happen func()) {
		<-time.After(time.Minute)
		happen()
		<-time.After(2 * time.Hour)
	})
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 2 || lines[0] != "1999-12-31 1 abc" || !strings.HasPrefix(lines[1], "2000-01-01 1 ") {
		t.Errorf("the file holds %q", lines)
	}
}
