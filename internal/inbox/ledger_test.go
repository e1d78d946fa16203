package inbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/inbox/inboxtest"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// desk is a ledger on a store in memory, with the lease of its mailbox.
type desk struct {
	*inbox.Ledger
	t     *testing.T
	store *inboxtest.Store
	lease journal.Lease
	box   inbox.Mailbox
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, store: inboxtest.New()}
	d.Ledger = inbox.NewLedger(inbox.Deps{Work: d.store, Store: d.store, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	var ok bool
	var err error
	if d.lease, ok, err = d.store.Acquire(t.Context(), "mailbox/support", "me", time.Hour); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if d.box, err = d.Begin(t.Context(), d.lease, "support"); err != nil {
		t.Fatal(err)
	}
	return d
}

// keep stores a mail and gives its row.
func (d *desk) keep(uid uint32, raw string) inbox.Mail {
	d.t.Helper()
	sum := sha256.Sum256([]byte(raw))
	a := inbox.Arrival{Raw: []byte(raw), Mail: inbox.Mail{UID: uid, Hash: hex.EncodeToString(sum[:]), Size: int64(len(raw)), Fate: inbox.Waiting}}
	d.box.Last = uid
	var err error
	if d.box, _, err = d.Keep(d.t.Context(), d.lease, d.box, []inbox.Arrival{a}); err != nil {
		d.t.Fatal(err)
	}
	list, err := d.Mails(d.t.Context(), access.Host, inbox.Query{UID: uid, Limit: 1})
	if err != nil || len(list) != 1 {
		d.t.Fatal(list, err)
	}
	return list[0]
}

// decide gives a mail a fate.
func (d *desk) decide(m inbox.Mail, fate inbox.Fate, ticket string) inbox.Mail {
	d.t.Helper()
	m.Fate, m.Ticket = fate, ticket
	if err := d.store.Do(d.t.Context(), access.Hub, func(tx journal.Tx) error { return d.Decide(d.t.Context(), tx, []inbox.Mail{m}) }); err != nil {
		d.t.Fatal(err)
	}
	m.Version++
	return m
}

func wantKind(t *testing.T, err error, want problem.Kind) {
	t.Helper()
	if problem.KindOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCursorMovesWithTheMailsOrNotAtAll(t *testing.T) {
	d := newDesk(t)
	d.keep(1, "one")
	stale := d.box
	d.keep(2, "two")
	stale.Last = 9
	_, _, err := d.Keep(t.Context(), d.lease, stale, []inbox.Arrival{{Raw: []byte("x"), Mail: inbox.Mail{UID: 9, Hash: "h", Fate: inbox.Waiting}}})
	wantKind(t, err, problem.KindConflict)
	if box, _ := d.Mailbox(t.Context(), access.Host, "support"); box.Last != 2 {
		t.Errorf("the cursor is at %d", box.Last)
	}
	if list, _ := d.Mails(t.Context(), access.Host, inbox.Query{UID: 9, Limit: 1}); len(list) != 0 {
		t.Error("the mail was kept without the cursor")
	}
	d.lease.Epoch++ // somebody else has it
	_, _, err = d.Keep(t.Context(), d.lease, d.box, nil)
	if !errors.Is(err, journal.ErrLeaseLost) {
		t.Errorf("got %v", err)
	}
}

func TestRetryIsForWhatBecameNothing(t *testing.T) {
	d := newDesk(t)
	for uid, c := range map[uint32]struct {
		fate   inbox.Fate
		ticket string
		kind   problem.Kind
	}{
		1: {inbox.SetAside, "", ""}, 2: {inbox.Muted, "", ""}, 3: {inbox.Muted, "t", problem.KindConflict}, 4: {inbox.Opened, "t", problem.KindConflict},
		5: {inbox.Repeated, "", problem.KindConflict}, 6: {inbox.Waiting, "", problem.KindConflict}, 7: {inbox.SetAside, "unread", ""},
	} {
		m := d.keep(uid, strings.Repeat("x", int(uid)))
		if c.fate != inbox.Waiting {
			m = d.decide(m, c.fate, c.ticket)
		}
		got, err := d.Retry(t.Context(), access.Host, m.ID)
		wantKind(t, err, c.kind)
		if err == nil && (got.Fate != inbox.Waiting || got.Attempts != 0) {
			t.Errorf("%s became %+v", c.fate, got)
		}
	}
	_, err := d.Retry(t.Context(), access.Host, "nobody")
	wantKind(t, err, problem.KindNotFound)
}

func TestMailIsSetAsideAfterThreeTries(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	m := inbox.Mail{Fate: inbox.Waiting}
	for n := 1; n < inbox.MaxAttempts; n++ {
		if m.Failed(now, "no"); m.Fate != inbox.Waiting || !m.NextAt.After(now) || m.Attempts != n {
			t.Errorf("after %d: %+v", n, m)
		}
	}
	if m.Failed(now, strings.Repeat("ä", inbox.MaxReason)); m.Fate != inbox.SetAside || !m.NextAt.IsZero() || len(m.Reason) > inbox.MaxReason+len("…") {
		t.Errorf("got %+v", m)
	}
}

func TestWhoMayDoWhatToMails(t *testing.T) {
	d := newDesk(t)
	m := d.decide(d.keep(1, "raw"), inbox.SetAside, "")
	ctx := t.Context()
	developer, support := access.Actor{ID: "person/d", Role: access.RoleDeveloper}, access.Actor{ID: "person/s", Role: access.RoleSupport}
	for name, try := range map[string]func(access.Actor) error{
		"mailboxes": func(by access.Actor) error { _, err := d.Mailboxes(ctx, by); return err },
		"mailbox":   func(by access.Actor) error { _, err := d.Mailbox(ctx, by, "support"); return err },
		"tally":     func(by access.Actor) error { _, err := d.Tally(ctx, by, "support"); return err },
		"mails":     func(by access.Actor) error { _, err := d.Mails(ctx, by, inbox.Query{Limit: 1}); return err },
		"mail":      func(by access.Actor) error { _, err := d.Mail(ctx, by, m.ID); return err },
		"raw":       func(by access.Actor) error { _, _, err := d.Raw(ctx, by, m.ID); return err },
		"retry":     func(by access.Actor) error { _, err := d.Retry(ctx, by, m.ID); return err },
		"set aside": func(by access.Actor) error { _, err := d.SetAside(ctx, by, m.ID); return err },
		"walk back": func(by access.Actor) error { return d.WalkBack(ctx, by, "support", time.Time{}) },
	} {
		for _, by := range []access.Actor{access.Visitor, developer} {
			if err := try(by); problem.KindOf(err) != problem.KindForbidden {
				t.Errorf("%s may do %s: %v", by.Role, name, err)
			}
		}
		if err := try(support); problem.KindOf(err) == problem.KindForbidden {
			t.Errorf("support may not do %s: %v", name, err)
		}
	}
}

// Erasure takes the source and what finds it; the row answers for its UID, and
// knows the mail should it come again.
func TestErasedMailIsGoneAndKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		m := d.decide(d.keep(1, "private"), inbox.Opened, "t")
		if in, size, err := d.Raw(t.Context(), access.Host, m.ID); err != nil || size != 7 {
			t.Fatal(err)
		} else if text, _ := io.ReadAll(in); string(text) != "private" {
			t.Errorf("got %q", text)
		}
		if err := d.store.Do(t.Context(), access.Host, func(tx journal.Tx) error { return d.EraseMails(t.Context(), tx, []string{m.ID}) }); err != nil {
			t.Fatal(err)
		}
		_, _, err := d.Raw(t.Context(), access.Host, m.ID)
		wantKind(t, err, problem.KindNotFound)
		_, err = d.Retry(t.Context(), access.Host, m.ID)
		wantKind(t, err, problem.KindConflict)
		got, _ := d.Mail(t.Context(), access.Host, m.ID)
		known, err := d.Known(t.Context(), []string{m.Hash})
		if err != nil || known[m.Hash].ID != m.ID || got.MessageID != "" || got.GoneAt.IsZero() {
			t.Errorf("got %+v, known %v, %v", got, known, err)
		}

		old := d.decide(d.keep(2, "old"), inbox.Muted, "")
		staged := []byte("staged")
		sum := sha256.Sum256(staged)
		if err := d.Stage(t.Context(), hex.EncodeToString(sum[:]), bytes.NewReader(staged)); err != nil {
			t.Fatal(err)
		}
		<-time.After(48 * time.Hour)
		d.keep(3, "waits")
		lease, _, err := d.store.Acquire(context.Background(), "mail", "me", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if err := d.Sweep(t.Context(), lease, time.Now()); err != nil {
			t.Fatal(err)
		}
		_, _, err = d.Raw(t.Context(), access.Host, old.ID)
		wantKind(t, err, problem.KindNotFound)
		if _, _, err := d.store.OpenBlob(t.Context(), hex.EncodeToString(sum[:])); problem.KindOf(err) != problem.KindNotFound {
			t.Errorf("what nobody refers to is still there: %v", err)
		}
		if list, _ := d.Waiting(t.Context(), 10); len(list) != 1 || !list[0].GoneAt.IsZero() {
			t.Errorf("got %+v", list)
		}
	})
}

func TestMailboxesThatAreNotConfiguredAreOff(t *testing.T) {
	d := newDesk(t)
	for range 2 {
		if err := d.EndMissing(t.Context(), func(string) bool { return false }); err != nil {
			t.Fatal(err)
		}
	}
	if box, _ := d.Mailbox(t.Context(), access.Host, "support"); box.State != inbox.Off || box.Version != 2 {
		t.Errorf("got %+v", box)
	}
}
