package store

import (
	"context"
	"database/sql"
	"slices"

	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
)

var _ inbox.Store = (*Store)(nil)

const mailboxColumns = `name, validity, epoch, last_uid, backfill_to, floor_uid, from_at, quiet_to, state, trouble, reason, since, ok_at, compared_at, gap, version`

func scanMailbox(r *sql.Rows, m *inbox.Mailbox) error {
	return r.Scan(&m.Name, &m.Validity, &m.Epoch, &m.Last, &m.BackfillTo, &m.Floor, into(&m.From), into(&m.QuietTo), &m.State, &m.Trouble, &m.Reason, into(&m.Since), into(&m.OKAt),
		into(&m.ComparedAt), &m.Gap, &m.Version)
}

// Mailboxes gives all that were ever configured, by name.
func (s *Store) Mailboxes(ctx context.Context) ([]inbox.Mailbox, error) {
	return list(ctx, s, s.db, scanMailbox, `select `+mailboxColumns+` from mailboxes order by name`)
}

// Mailbox gives one. Errors: NotFound.
func (s *Store) Mailbox(ctx context.Context, name string) (inbox.Mailbox, error) {
	found, err := list(ctx, s, s.db, scanMailbox, `select `+mailboxColumns+` from mailboxes where name = $1`, name)
	return only(found, err, "mailbox", name)
}

// PutMailbox inserts (Version 0) or updates a mailbox.
func (s *Store) PutMailbox(_ context.Context, jt journal.Tx, m inbox.Mailbox) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if m.Version == 0 {
		_, err := t.exec(`insert into mailboxes (`+mailboxColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1)`,
			m.Name, m.Validity, m.Epoch, m.Last, m.BackfillTo, m.Floor, at(m.From), at(m.QuietTo), string(m.State), string(m.Trouble), m.Reason,
			at(m.Since), at(m.OKAt), at(m.ComparedAt), m.Gap)
		return err
	}
	return t.swap("mailbox", m.Name, `update mailboxes set validity = $3, epoch = $4, last_uid = $5, backfill_to = $6, floor_uid = $7, from_at = $8,
		quiet_to = $9, state = $10, trouble = $11, reason = $12, since = $13, ok_at = $14, compared_at = $15, gap = $16, version = version + 1
		where name = $1 and version = $2`,
		m.Name, m.Version, m.Validity, m.Epoch, m.Last, m.BackfillTo, m.Floor, at(m.From), at(m.QuietTo), string(m.State), string(m.Trouble), m.Reason,
		at(m.Since), at(m.OKAt), at(m.ComparedAt), m.Gap)
}

// MailboxToken gives what a mailbox's sign-in keeps for itself. Errors: NotFound.
func (s *Store) MailboxToken(ctx context.Context, mailbox string) ([]byte, error) {
	found, err := list(ctx, s, s.db, func(r *sql.Rows, b *[]byte) error { return r.Scan(b) }, `select sealed from mailbox_tokens where mailbox = $1`, mailbox)
	return only(found, err, "token of", mailbox)
}

// PutMailboxToken replaces it.
func (s *Store) PutMailboxToken(_ context.Context, jt journal.Tx, mailbox string, sealed []byte) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into mailbox_tokens (mailbox, sealed, changed_at) values ($1, $2, $3)
		on conflict (mailbox) do update set sealed = excluded.sealed, changed_at = excluded.changed_at`, mailbox, sealed, at(t.now))
	return err
}

// AddMails inserts mails with one reference each to their bytes, leaving alone
// what is there, and tells how many were new.
func (s *Store) AddMails(ctx context.Context, jt journal.Tx, arrivals []inbox.Arrival) (added int, err error) {
	t, err := s.own(jt)
	if err != nil {
		return 0, err
	}
	fresh := make(map[string]bool, len(arrivals))
	err = pieces(arrivals, func(piece []inbox.Arrival) error {
		const columns = 22
		args := make([]any, 0, columns*len(piece))
		for i := range piece {
			m := &piece[i].Mail
			args = append(args, m.ID, m.Mailbox, m.Validity, m.Epoch, m.UID, m.Hash, m.Size, m.MessageID, at(m.ReceivedAt), at(m.StoredAt), string(m.Fate),
				m.Reason, m.Of, m.Kind, m.Ticket, m.Message, m.Quiet, m.Attempts, at(m.NextAt), m.Settled, at(m.GoneAt), 1)
		}
		return t.rows(`insert into mails (id, mailbox, validity, epoch, uid, hash, size, message_id, received_at, stored_at, fate, reason, of_mail, kind,
			ticket, message, quiet, attempts, next_at, settled, gone_at, version) values `+tuples(len(piece), columns)+`
			on conflict (mailbox, validity, epoch, uid) do nothing returning id`, args, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			fresh[id] = true
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	var blobs []blob
	place := map[string]int{}
	for i := range arrivals {
		a := &arrivals[i]
		if !fresh[a.Mail.ID] || a.Mail.Hash == "" {
			continue
		}
		if a.Staged {
			if err := s.KeepBlob(ctx, jt, a.Mail.Hash); err != nil {
				return 0, err
			}
			continue
		}
		if at, there := place[a.Mail.Hash]; there {
			blobs[at].refs++
			continue
		}
		place[a.Mail.Hash] = len(blobs)
		blobs = append(blobs, blob{hash: a.Mail.Hash, data: a.Raw, refs: 1})
	}
	return len(fresh), t.putBlobs(blobs)
}

// SwapMails writes what may change of mails that still have their version.
func (s *Store) SwapMails(_ context.Context, jt journal.Tx, mails []inbox.Mail) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	types := []string{"text", "bigint", "text", "bigint", "text", "text", "text", "text", "text", "text", "text", "boolean", "bigint", "bigint", "boolean", "bigint"}
	return pieces(mails, func(piece []inbox.Mail) error {
		args := make([]any, 0, len(types)*len(piece))
		for i := range piece {
			m := &piece[i]
			args = append(args, m.ID, m.Version, m.Hash, m.Size, m.MessageID, string(m.Fate), m.Reason, m.Of, m.Kind, m.Ticket, m.Message, m.Quiet,
				m.Attempts, at(m.NextAt), m.Settled, at(m.GoneAt))
		}
		n, err := t.exec(`with v (id, version, hash, size, message_id, fate, reason, of_mail, kind, ticket, message, quiet, attempts, next_at, settled, gone_at) as (values `+
			tuples(len(piece), len(types), types...)+`)
			update mails set hash = v.hash, size = v.size, message_id = v.message_id, fate = v.fate, reason = v.reason, of_mail = v.of_mail, kind = v.kind,
				ticket = v.ticket, message = v.message, quiet = v.quiet, attempts = v.attempts, next_at = v.next_at, settled = v.settled,
				gone_at = v.gone_at, version = mails.version + 1
			from v where mails.id = v.id and mails.version = v.version`, args...)
		if err != nil {
			return err
		}
		return swapped("mails", n, len(piece))
	})
}

// sortedOnce gives strings sorted and once each: rows are locked in one order.
func sortedOnce(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
