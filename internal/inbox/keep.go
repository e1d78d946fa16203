package inbox

import (
	"context"
	"io"
	"slices"
	"strconv"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// What follows is for the one who owns a mailbox's connection: every write takes
// the lease of that mailbox, and the Mailbox as its owner last saw it.

// Begin gives the mailbox of a name, and makes its row at the first look.
// Errors: Conflict when the lease is lost, Unavailable.
func (l *Ledger) Begin(ctx context.Context, lease journal.Lease, name string) (Mailbox, error) {
	m, err := l.store.Mailbox(ctx, name)
	if problem.KindOf(err) != problem.KindNotFound {
		return m, err
	}
	m = Mailbox{Name: name, State: Connecting, Since: l.now(), Version: 0}
	err = journal.UnderLease(ctx, l.work, lease, func(tx journal.Tx) error { return l.store.PutMailbox(ctx, tx, m) })
	m.Version++
	return m, err
}

// Keep stores what arrived and the cursor, as m has it now, in one unit of work.
// It gives the mailbox with its new version, and how many mails were new. What is
// there already for the same UID is left alone. Errors: Conflict when the lease is
// lost or somebody else moved the cursor, Unavailable.
func (l *Ledger) Keep(ctx context.Context, lease journal.Lease, m Mailbox, arrivals []Arrival) (_ Mailbox, added int, err error) {
	for i := range arrivals {
		a := &arrivals[i].Mail
		a.ID, a.Mailbox, a.Reason = journal.NewID(), m.Name, clip(a.Reason)
	}
	err = journal.UnderLease(ctx, l.work, lease, func(tx journal.Tx) error {
		for i := range arrivals {
			arrivals[i].Mail.StoredAt = tx.Now()
		}
		if added, err = l.store.AddMails(ctx, tx, arrivals); err != nil {
			return err
		}
		return l.store.PutMailbox(ctx, tx, m)
	})
	if err != nil {
		return m, 0, err
	}
	m.Version++
	l.came.Ring()
	return m, added, nil
}

// Note stores what the owner knows of a mailbox: that it is well, how far it is.
// Errors: Conflict, Unavailable.
func (l *Ledger) Note(ctx context.Context, lease journal.Lease, m Mailbox) (Mailbox, error) {
	m, _, err := l.Keep(ctx, lease, m, nil)
	return m, err
}

// Move stores what the owner of a mailbox is doing, and writes it into the journal
// when it is another state or another sort of trouble than before. Errors:
// Conflict, Unavailable.
func (l *Ledger) Move(ctx context.Context, lease journal.Lease, m Mailbox, to State, trouble Trouble, reason string) (Mailbox, error) {
	was := m
	m.State, m.Trouble, m.Reason = to, trouble, clip(reason)
	if m == was {
		return m, nil
	}
	moved := m.State != was.State || m.Trouble != was.Trouble
	err := journal.UnderLease(ctx, l.work, lease, func(tx journal.Tx) error {
		if moved {
			m.Since = tx.Now()
			if err := tx.Append(about(m.Name, "mailbox.moved", map[string]string{
				"state": string(m.State), "was": string(was.State), "kind": string(m.Trouble)})); err != nil {
				return err
			}
		}
		return l.store.PutMailbox(ctx, tx, m)
	})
	if err != nil {
		return was, err
	}
	m.Version++
	return m, nil
}

// Compared stores that the ledger was compared with the server, which had gap
// mails that the ledger did not know. Errors: Conflict, Unavailable.
func (l *Ledger) Compared(ctx context.Context, lease journal.Lease, m Mailbox, gap int) (Mailbox, error) {
	m.Gap, m.ComparedAt = int64(gap), l.now()
	err := journal.UnderLease(ctx, l.work, lease, func(tx journal.Tx) error {
		if gap > 0 {
			if err := tx.Append(about(m.Name, "mailbox.gap", map[string]string{"count": strconv.Itoa(gap)})); err != nil {
				return err
			}
		}
		return l.store.PutMailbox(ctx, tx, m)
	})
	if err == nil {
		m.Version++
	}
	return m, err
}

// Fetched stores bytes of a mail that could not be had before: it waits for a
// worker now. Errors: Conflict, Unavailable.
func (l *Ledger) Fetched(ctx context.Context, lease journal.Lease, m Mail, a Arrival) error {
	m.Hash, m.Size, m.Fate, m.Reason, m.NextAt, m.Attempts = a.Mail.Hash, a.Mail.Size, Waiting, clip(a.Mail.Reason), l.now(), 0
	m.Settled = m.Settled || a.Mail.Settled
	err := journal.UnderLease(ctx, l.work, lease, func(tx journal.Tx) error {
		put := func() error { return l.store.PutBlob(ctx, tx, m.Hash, a.Raw) }
		if a.Staged {
			put = func() error { return l.store.KeepBlob(ctx, tx, m.Hash) }
		}
		if err := put(); err != nil {
			return err
		}
		return l.store.SwapMails(ctx, tx, []Mail{m})
	})
	if err == nil {
		l.came.Ring()
	}
	return err
}

// Rewrite stores mails whose owner has something new to say of them: that they
// were settled on the server, or when they are asked for again. Errors: Conflict,
// Unavailable.
func (l *Ledger) Rewrite(ctx context.Context, lease journal.Lease, mails []Mail) error {
	return journal.UnderLease(ctx, l.work, lease, func(tx journal.Tx) error { return l.store.SwapMails(ctx, tx, mails) })
}

// Unkept gives those of the UIDs that the ledger does not know. Errors: Unavailable.
func (l *Ledger) Unkept(ctx context.Context, m Mailbox, uids []uint32) ([]uint32, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	kept, err := l.store.KeptUIDs(ctx, m, slices.Min(uids), slices.Max(uids))
	if err != nil {
		return nil, err
	}
	var out []uint32
	for _, uid := range uids {
		if _, there := slices.BinarySearch(kept, uid); !there {
			out = append(out, uid)
		}
	}
	return out, nil
}

// Unfetched gives mails that the server would not give and whose next try is due.
// Errors: Unavailable.
func (l *Ledger) Unfetched(ctx context.Context, m Mailbox, limit int) ([]Mail, error) {
	return l.store.UnfetchedMails(ctx, m, l.now(), limit)
}

// Unsettled gives mails that something can be done to on the server. Errors: Unavailable.
func (l *Ledger) Unsettled(ctx context.Context, m Mailbox, q Unsettled) ([]Mail, error) {
	return l.store.UnsettledMails(ctx, m, q)
}

// Stage brings the bytes of a large mail before it is kept. Errors: Invalid, what r
// gives, Unavailable.
func (l *Ledger) Stage(ctx context.Context, hash string, r io.Reader) error {
	return l.store.StageBlob(ctx, hash, r)
}

// about makes an entry about a mailbox.
func about(mailbox, verb string, payload map[string]string) journal.Entry {
	return journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "mailbox", ID: mailbox}, Audience: journal.AudienceStaff, Payload: payload}
}
