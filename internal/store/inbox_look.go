package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const mailColumns = `id, mailbox, validity, epoch, uid, hash, size, message_id, received_at, stored_at, fate, reason, of_mail, kind, ticket, message, quiet,
	attempts, next_at, settled, gone_at, version`

func scanMail(r *sql.Rows, m *inbox.Mail) error {
	return r.Scan(&m.ID, &m.Mailbox, &m.Validity, &m.Epoch, &m.UID, &m.Hash, &m.Size, &m.MessageID, into(&m.ReceivedAt), into(&m.StoredAt), &m.Fate, &m.Reason,
		&m.Of, &m.Kind, &m.Ticket, &m.Message, &m.Quiet, &m.Attempts, into(&m.NextAt), &m.Settled, into(&m.GoneAt), &m.Version)
}

// swapped makes a Conflict of a compare-and-swap that did not reach every row.
func swapped(what string, changed int64, wanted int) error {
	if changed != int64(wanted) {
		return problem.Conflict("Somebody else changed %d of %d %s first.", int64(wanted)-changed, wanted, what)
	}
	return nil
}

// Mail gives one. Errors: NotFound.
func (s *Store) Mail(ctx context.Context, id string) (inbox.Mail, error) {
	found, err := list(ctx, s, s.db, scanMail, `select `+mailColumns+` from mails where id = $1`, id)
	return only(found, err, "mail", id)
}

// MailForUpdate reads one inside the unit of work. Errors: NotFound.
func (s *Store) MailForUpdate(_ context.Context, jt journal.Tx, id string) (inbox.Mail, error) {
	found, err := listIn(s, jt, scanMail, `select `+mailColumns+` from mails where id = $1`, id)
	return only(found, err, "mail", id)
}

// Mails gives those that match, newest first.
func (s *Store) Mails(ctx context.Context, q inbox.Query) ([]inbox.Mail, error) {
	if err := positive(q.Limit); err != nil {
		return nil, err
	}
	w := &where{}
	for _, c := range []struct{ condition, value string }{
		{`mailbox = %s`, q.Mailbox}, {`message_id = %s and message_id <> ''`, q.MessageID}, {`hash = %s and hash <> ''`, q.Hash}, {`id < %s`, q.Before},
	} {
		if c.value != "" {
			w.add(c.condition, c.value)
		}
	}
	if q.UID != 0 {
		w.add(`uid = %s`, q.UID)
	}
	if len(q.Fates) > 0 {
		w.fates(q.Fates)
	}
	if !q.From.IsZero() {
		w.add(`received_at >= %s`, at(q.From))
	}
	if !q.To.IsZero() {
		w.add(`received_at < %s`, at(q.To))
	}
	query := `select ` + mailColumns + ` from mails` + w.text() + ` order by id desc limit ` + w.arg(q.Limit)
	return list(ctx, s, s.db, scanMail, query, w.args...)
}

// fates narrows to some; the few that a person must look at are named as
// literals, so that their index serves.
func (w *where) fates(fates []inbox.Fate) {
	aside, places := true, ""
	for i, f := range fates {
		aside = aside && (f == inbox.SetAside || f == inbox.Unfetchable)
		if i > 0 {
			places += ", "
		}
		places += w.arg(string(f))
	}
	condition := `fate in (` + places + `)`
	switch {
	case aside:
		condition += ` and fate in ('quarantined', 'unfetchable')`
	case len(fates) == 1 && fates[0] == inbox.Waiting:
		condition += ` and fate = 'waiting'`
	}
	w.conditions = append(w.conditions, condition)
}

// WaitingMails gives those whose moment has come, oldest first, quiet ones last.
func (s *Store) WaitingMails(ctx context.Context, now time.Time, limit int) ([]inbox.Mail, error) {
	return list(ctx, s, s.db, scanMail, `select `+mailColumns+` from mails where fate = 'waiting' and (next_at is null or next_at <= $1) order by quiet, id limit $2`,
		at(now), limit)
}

// Backlog tells how many mails wait and since when the oldest does.
func (s *Store) Backlog(ctx context.Context, mailbox string) (waiting int64, oldest time.Time, err error) {
	type backlog struct {
		n      int64
		oldest time.Time
	}
	found, err := list(ctx, s, s.db, func(r *sql.Rows, b *backlog) error { return r.Scan(&b.n, into(&b.oldest)) },
		`select count(*), min(stored_at) from mails where fate = 'waiting' and ($1 = '' or mailbox = $1)`, mailbox)
	if err != nil {
		return 0, time.Time{}, err
	}
	return found[0].n, found[0].oldest, nil
}

// FirstMails gives the oldest mail of each hash that became something, by hash.
func (s *Store) FirstMails(ctx context.Context, hashes []string) (map[string]inbox.Mail, error) {
	out := make(map[string]inbox.Mail, len(hashes))
	err := pieces(sortedOnce(hashes), func(piece []string) error {
		found, err := list(ctx, s, s.db, scanMail, `select `+mailColumns+` from mails
			where hash in `+tuples(1, len(piece))+` and hash <> '' and fate not in ('waiting', 'duplicate', 'quarantined', 'unfetchable') order by id`, words(piece)...)
		for _, m := range found {
			if _, there := out[m.Hash]; !there {
				out[m.Hash] = m
			}
		}
		return err
	})
	return out, err
}

// KeptUIDs gives the UIDs that have a row under the mailbox's present numbers.
func (s *Store) KeptUIDs(ctx context.Context, m inbox.Mailbox, from, to uint32) ([]uint32, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, uid *uint32) error { return r.Scan(uid) },
		`select uid from mails where mailbox = $1 and validity = $2 and epoch = $3 and uid between $4 and $5 order by uid`,
		m.Name, m.Validity, m.Epoch, from, to)
}

// UnfetchedMails gives those that are to be asked for again.
func (s *Store) UnfetchedMails(ctx context.Context, m inbox.Mailbox, now time.Time, limit int) ([]inbox.Mail, error) {
	return list(ctx, s, s.db, scanMail, `select `+mailColumns+` from mails
		where fate in ('quarantined', 'unfetchable') and fate = 'unfetchable' and mailbox = $1 and validity = $2 and epoch = $3 and next_at <= $4
		order by id limit $5`, m.Name, m.Validity, m.Epoch, at(now), limit)
}

// UnsettledMails gives those that have a fate and are on the server as they came.
func (s *Store) UnsettledMails(ctx context.Context, m inbox.Mailbox, q inbox.Unsettled) ([]inbox.Mail, error) {
	return list(ctx, s, s.db, scanMail, `select `+mailColumns+` from mails
		where not settled and mailbox = $1 and validity = $2 and epoch = $3 and fate not in ('waiting', 'unfetchable')
		and (stored_at <= $4 or $5 and kind = 'spam' or $6 and fate = 'quarantined') order by uid limit $7`,
		m.Name, m.Validity, m.Epoch, at(q.Before), q.Spam, q.Failed, q.Limit)
}

// OldMails gives those that were stored before the moment, oldest first.
func (s *Store) OldMails(ctx context.Context, before time.Time, limit int) ([]inbox.Mail, error) {
	return list(ctx, s, s.db, scanMail, `select `+mailColumns+` from mails where id < $1 and fate <> 'waiting' and hash <> '' and gone_at is null order by id limit $2`,
		idsBefore(before), limit)
}

// FateCounts counts a mailbox's mails by fate.
func (s *Store) FateCounts(ctx context.Context, mailbox string) (map[inbox.Fate]int64, error) {
	type count struct {
		fate inbox.Fate
		n    int64
	}
	found, err := list(ctx, s, s.db, func(r *sql.Rows, c *count) error { return r.Scan(&c.fate, &c.n) },
		`select fate, count(*) from mails where mailbox = $1 group by fate`, mailbox)
	out := make(map[inbox.Fate]int64, len(found))
	for _, c := range found {
		out[c.fate] = c.n
	}
	return out, err
}

// CountSetAside counts by mailbox the mails that a person must look at.
func (s *Store) CountSetAside(ctx context.Context) (map[string]int64, error) {
	type count struct {
		mailbox string
		n       int64
	}
	found, err := list(ctx, s, s.db, func(r *sql.Rows, c *count) error { return r.Scan(&c.mailbox, &c.n) },
		`select mailbox, count(*) from mails where fate in ('quarantined', 'unfetchable') group by mailbox`)
	out := make(map[string]int64, len(found))
	for _, c := range found {
		out[c.mailbox] = c.n
	}
	return out, err
}
