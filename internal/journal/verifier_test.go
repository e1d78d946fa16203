package journal_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
)

// forged gives a journal in which the hash of one entry is wrong.
type forged struct {
	*journaltest.Memory
	at int64
}

func (f forged) After(ctx context.Context, seq int64, limit int) ([]journal.Sealed, error) {
	entries, err := f.Memory.After(ctx, seq, limit)
	for i := range entries {
		if entries[i].Seq == f.at {
			entries[i].Verb = "test.forged"
		}
	}
	return entries, err
}

// verified runs a verification over n entries and gives what it found.
func verified(t *testing.T, n int, forge int64, away error) (before, after journal.Verdict) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := journaltest.New()
		if err := m.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
			for i := range n {
				if err := tx.Append(journal.Entry{Verb: "test.happened", Subject: journal.Ref{Kind: "test", ID: strconv.Itoa(i)}, Audience: journal.AudienceStaff}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		m.SetAway(away)
		v := journal.NewVerifier(forged{m, forge}, time.Now)
		before = v.Verdict()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- v.Run(ctx) }()
		v.Ask()
		v.Ask() // whoever asks meanwhile gets the same one
		<-time.After(time.Minute)
		after = v.Verdict()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return before, after
}

func TestVerifierSaysHowFarTheChainHolds(t *testing.T) {
	before, after := verified(t, 2500, 0, nil)
	if !before.Began.IsZero() || before.Running() {
		t.Errorf("before it was asked: %+v", before)
	}
	if after.Seq != 2500 || after.Head != 2500 || after.Running() || after.Broken != nil || after.Trouble != nil {
		t.Errorf("got %+v", after)
	}
}

func TestVerifierNamesTheBrokenLink(t *testing.T) {
	_, after := verified(t, 2500, 1700, nil)
	if after.Broken == nil || after.Broken.Seq != 1700 || after.Seq != 1000 || after.Running() {
		t.Errorf("got %+v", after)
	}
}

func TestVerifierSaysThatTheJournalIsAway(t *testing.T) {
	_, after := verified(t, 1, 0, errors.New("cable"))
	if after.Trouble == nil || after.Broken != nil || after.Running() {
		t.Errorf("got %+v", after)
	}
}
