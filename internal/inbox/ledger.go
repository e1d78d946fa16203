package inbox

import (
	"context"
	"io"
	"log/slog"
	"time"
	"unicode/utf8"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Deps is what a Ledger needs.
type Deps struct {
	Work  journal.Work
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Ledger is where mails are kept and looked up: whoever reads a mailbox puts them
// in, a worker takes them out and writes down what became of each, and staff find
// out where the mail of 9:14 went. It is safe for concurrent use.
type Ledger struct {
	work  journal.Work
	store Store
	clock func() time.Time
	log   *slog.Logger
	came  journal.LocalBell // rung when mails may wait
	asked journal.LocalBell // rung when a person wants something of a mailbox's owner
	fated journal.LocalBell // rung then, and when mails have their fate
}

// NewLedger makes a Ledger.
func NewLedger(d Deps) *Ledger {
	return &Ledger{work: d.Work, store: d.Store, clock: d.Now, log: d.Log}
}

// now is the present as it is recorded everywhere.
func (l *Ledger) now() time.Time { return l.clock().UTC().Truncate(time.Microsecond) }

// Came gives a channel that is closed when mails may wait for a worker.
func (l *Ledger) Came() <-chan struct{} { return l.came.Wait() }

// Asked gives a channel that is closed when a person asked something of the owners
// of mailboxes, such as another try.
func (l *Ledger) Asked() <-chan struct{} { return l.asked.Wait() }

// Fated gives a channel that is closed then, and when mails have their fate: there
// may be something to do to them on the server.
func (l *Ledger) Fated() <-chan struct{} { return l.fated.Wait() }

// ask wakes the owners of mailboxes.
func (l *Ledger) ask() {
	l.asked.Ring()
	l.fated.Ring()
}

// Mailboxes gives all that were ever configured, by name. Errors: Forbidden, Unavailable.
func (l *Ledger) Mailboxes(ctx context.Context, by access.Actor) ([]Mailbox, error) {
	if err := by.Check(access.MailboxRead); err != nil {
		return nil, err
	}
	return l.store.Mailboxes(ctx)
}

// Mailbox gives one. Errors: Forbidden, NotFound, Unavailable.
func (l *Ledger) Mailbox(ctx context.Context, by access.Actor, name string) (Mailbox, error) {
	if err := by.Check(access.MailboxRead); err != nil {
		return Mailbox{}, err
	}
	return l.store.Mailbox(ctx, name)
}

// Tally is how a mailbox's mails stand.
type Tally struct {
	Fates   map[Fate]int64
	Waiting int64
	Oldest  time.Time // since when the oldest of them waits; zero when none does
}

// Tally counts the mails of a mailbox. Errors: Forbidden, Unavailable.
func (l *Ledger) Tally(ctx context.Context, by access.Actor, mailbox string) (t Tally, err error) {
	if err := by.Check(access.MailboxRead); err != nil {
		return t, err
	}
	if t.Fates, err = l.store.FateCounts(ctx, mailbox); err != nil {
		return t, err
	}
	t.Waiting, t.Oldest, err = l.store.Backlog(ctx, mailbox)
	return t, err
}

// Backlog tells how many mails of all mailboxes wait and since when the oldest
// does; zero when none does. Errors: Unavailable.
func (l *Ledger) Backlog(ctx context.Context) (waiting int64, oldest time.Time, err error) {
	return l.store.Backlog(ctx, "")
}

// Mails gives those that match, newest first. Errors: Forbidden, Invalid, Unavailable.
func (l *Ledger) Mails(ctx context.Context, by access.Actor, q Query) ([]Mail, error) {
	if err := by.Check(access.MailboxRead); err != nil {
		return nil, err
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return nil, problem.Invalid("limit", "a page holds 1 to %d", MaxPage)
	}
	return l.store.Mails(ctx, q)
}

// Mail gives one. Errors: Forbidden, NotFound, Unavailable.
func (l *Ledger) Mail(ctx context.Context, by access.Actor, id string) (Mail, error) {
	if err := by.Check(access.MailboxRead); err != nil {
		return Mail{}, err
	}
	return l.store.Mail(ctx, id)
}

// Raw gives the source of a mail and its size in bytes. It may hold anything: who
// serves it must not let a browser show it. Errors: Forbidden, NotFound, also for
// one that was never fetched or was erased, Unavailable.
func (l *Ledger) Raw(ctx context.Context, by access.Actor, id string) (io.ReadCloser, int64, error) {
	if err := by.Check(access.MailRaw); err != nil {
		return nil, 0, err
	}
	m, err := l.store.Mail(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	if m.Hash == "" || !m.GoneAt.IsZero() {
		return nil, 0, problem.NotFound("The source of this mail is not here.")
	}
	return l.store.OpenBlob(ctx, m.Hash)
}

// clip bounds a reason.
func clip(reason string) string {
	if len(reason) <= MaxReason {
		return reason
	}
	end := MaxReason
	for end > 0 && !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end] + "…"
}
