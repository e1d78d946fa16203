package inbox

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

const (
	// forgetBatch is how many mails one unit of work forgets.
	forgetBatch = 100
	// stagedFor is how long bytes that nobody refers to are kept.
	stagedFor = 24 * time.Hour
)

// EraseMails forgets what a person wrote, in the unit of work that erases the person:
// the source of each mail and what would find it. The rows stay with their hashes,
// so that the ledger answers for every UID and knows the mail should it come again. Errors: NotFound, Conflict, Unavailable.
func (l *Ledger) EraseMails(ctx context.Context, tx journal.Tx, ids []string) error {
	for _, id := range ids {
		m, err := l.store.MailForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := l.forget(ctx, tx, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) forget(ctx context.Context, tx journal.Tx, m Mail) error {
	if m.Hash != "" && m.GoneAt.IsZero() {
		if err := l.store.DropBlob(ctx, tx, m.Hash); err != nil {
			return err
		}
	}
	m.MessageID, m.Reason, m.GoneAt = "", "", tx.Now()
	return l.store.SwapMails(ctx, tx, []Mail{m})
}

// Sweep forgets the sources of mails that were stored before the moment, unless it
// is zero, and bytes that nobody refers to. It is for one loop of the installation
// under its lease. Errors: Conflict, Unavailable.
func (l *Ledger) Sweep(ctx context.Context, lease journal.Lease, before time.Time) error {
	for !before.IsZero() && ctx.Err() == nil {
		old, err := l.store.OldMails(ctx, before, forgetBatch)
		if err != nil || len(old) == 0 {
			if err != nil {
				return err
			}
			break
		}
		if err := journal.UnderLease(ctx, l.work, lease, func(tx journal.Tx) error {
			for _, m := range old {
				if err := l.forget(ctx, tx, m); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		swept, err := l.store.SweepBlobs(ctx, l.now().Add(-stagedFor))
		if err != nil || swept == 0 {
			return err
		}
	}
	return ctx.Err()
}

// EndMissing marks mailboxes that are no longer configured. Errors: Unavailable.
func (l *Ledger) EndMissing(ctx context.Context, configured func(name string) bool) error {
	boxes, err := l.store.Mailboxes(ctx)
	if err != nil {
		return err
	}
	for _, m := range boxes {
		if configured(m.Name) || m.State == Off {
			continue
		}
		was := m.State
		if err := l.work.Do(ctx, access.Hub, func(tx journal.Tx) error {
			m.State, m.Trouble, m.Reason, m.Since = Off, NoTrouble, "", tx.Now()
			if err := tx.Append(about(m.Name, "mailbox.moved", map[string]string{"state": string(Off), "was": string(was)})); err != nil {
				return err
			}
			return l.store.PutMailbox(ctx, tx, m)
		}); err != nil {
			return err
		}
	}
	return nil
}
