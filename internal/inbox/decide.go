package inbox

import (
	"context"
	"strconv"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// againAfter is how long a mail that failed is left alone, by how often it failed.
var againAfter = [MaxAttempts]time.Duration{0, 5 * time.Second, time.Minute}

// Waiting gives mails whose moment has come, oldest first. It is for the worker.
// Errors: Unavailable.
func (l *Ledger) Waiting(ctx context.Context, limit int) ([]Mail, error) {
	return l.store.WaitingMails(ctx, l.now(), limit)
}

// Known gives mails that became something, by the hashes of their bytes. Errors:
// Unavailable.
func (l *Ledger) Known(ctx context.Context, hashes []string) (map[string]Mail, error) {
	return l.store.FirstMails(ctx, hashes)
}

// Decide writes down, in the unit of work of the effect, what became of mails.
// Errors: Conflict when somebody else was first, Unavailable.
func (l *Ledger) Decide(ctx context.Context, tx journal.Tx, mails []Mail) error {
	for i := range mails {
		m := &mails[i]
		m.Reason = clip(m.Reason)
		if m.Fate != SetAside {
			continue
		}
		if err := tx.Append(aboutMail(*m, "mail.quarantined", map[string]string{"attempts": strconv.Itoa(m.Attempts)})); err != nil {
			return err
		}
	}
	return l.store.SwapMails(ctx, tx, mails)
}

// Decided tells owners that what Decide wrote is on disk.
func (l *Ledger) Decided() { l.fated.Ring() }

// Failed counts a try of a mail that failed by the mail's own fault. It is set
// aside after MaxAttempts.
func (m *Mail) Failed(now time.Time, reason string) {
	m.Attempts++
	m.Reason = clip(reason)
	if m.Attempts >= MaxAttempts {
		m.Fate, m.NextAt = SetAside, time.Time{}
		return
	}
	m.NextAt = now.Add(againAfter[m.Attempts])
}

// Retry lets a mail be read again: one that was set aside or never fetched, or one
// that was kept without a ticket. Errors: Forbidden, NotFound, Conflict when it
// became something, Unavailable.
func (l *Ledger) Retry(ctx context.Context, by access.Actor, id string) (Mail, error) {
	m, err := l.change(ctx, by, id, "mail.retried", func(m *Mail) error {
		switch {
		case m.Fate == Unfetchable:
			m.NextAt, m.Attempts = l.now(), 0
			return nil
		case m.Hash == "" || !m.GoneAt.IsZero():
			return problem.Conflict("The source of this mail is gone.")
		case m.Fate == SetAside, m.Fate == Muted && m.Ticket == "":
			m.Fate, m.NextAt, m.Attempts, m.Reason = Waiting, time.Time{}, 0, ""
			return nil
		}
		return problem.Conflict("This mail became something already: it is %s.", m.Fate)
	})
	if err == nil {
		l.came.Ring()
		l.ask()
	}
	return m, err
}

// SetAside keeps a mail that waits from being read until a person lets it.
// Errors: Forbidden, NotFound, Conflict, Unavailable.
func (l *Ledger) SetAside(ctx context.Context, by access.Actor, id string) (Mail, error) {
	return l.change(ctx, by, id, "mail.quarantined", func(m *Mail) error {
		if m.Fate != Waiting {
			return problem.Conflict("This mail does not wait any more: it is %s.", m.Fate)
		}
		m.Fate, m.Reason, m.NextAt = SetAside, "set aside by a person", time.Time{}
		return nil
	})
}

// change does what a person decided about one mail.
func (l *Ledger) change(ctx context.Context, by access.Actor, id, verb string, fn func(*Mail) error) (m Mail, err error) {
	if err := by.Check(access.MailboxRun); err != nil {
		return m, err
	}
	if m, err = l.store.Mail(ctx, id); err != nil {
		return m, err
	}
	was := m.Fate
	if err := fn(&m); err != nil {
		return m, err
	}
	err = l.work.Do(ctx, by.As(access.MailboxRun), func(tx journal.Tx) error {
		if err := tx.Append(aboutMail(m, verb, map[string]string{"was": string(was)})); err != nil {
			return err
		}
		return l.store.SwapMails(ctx, tx, []Mail{m})
	})
	m.Version++
	return m, err
}

// WalkBack lets the owner of a mailbox fetch older mails, quietly: those that the
// server received since from, all of them when it is zero. Errors: Forbidden,
// NotFound, Conflict, Unavailable.
func (l *Ledger) WalkBack(ctx context.Context, by access.Actor, name string, from time.Time) error {
	if err := by.Check(access.MailboxRun); err != nil {
		return err
	}
	m, err := l.store.Mailbox(ctx, name)
	if err != nil {
		return err
	}
	m.From, m.BackfillTo, m.Floor = from.UTC().Truncate(time.Microsecond), m.Last+1, 1
	err = l.work.Do(ctx, by.As(access.MailboxRun), func(tx journal.Tx) error {
		if err := tx.Append(about(name, "mailbox.walked", nil)); err != nil {
			return err
		}
		return l.store.PutMailbox(ctx, tx, m)
	})
	if err == nil {
		l.ask()
	}
	return err
}

// aboutMail makes an entry about a mail.
func aboutMail(m Mail, verb string, payload map[string]string) journal.Entry {
	payload["mailbox"] = m.Mailbox
	if m.Ticket != "" {
		payload["ticket"] = m.Ticket
	}
	return journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "mail", ID: m.ID}, Audience: journal.AudienceStaff, Payload: payload}
}
