package inbox

import (
	"context"
	"io"
	"time"

	"evenkeel/internal/journal"
)

// Arrival is a mail that was fetched, with its bytes.
type Arrival struct {
	Mail   Mail
	Raw    []byte // nil when Staged, or when nothing could be fetched
	Staged bool   // the bytes were brought by StageBlob
}

// Store keeps mailboxes, mails and bytes. Errors of all: Unavailable.
type Store interface {
	Blobs

	// Mailboxes gives all that were ever configured, by name.
	Mailboxes(ctx context.Context) ([]Mailbox, error)
	// Mailbox gives one. Errors: NotFound.
	Mailbox(ctx context.Context, name string) (Mailbox, error)
	// PutMailbox inserts (Version 0) or updates. Errors: Conflict.
	PutMailbox(ctx context.Context, tx journal.Tx, m Mailbox) error
	// AddMails inserts mails with one reference each to their bytes, leaving alone
	// what is there already for the same mailbox, numbers and UID, and tells how
	// many were new.
	AddMails(ctx context.Context, tx journal.Tx, list []Arrival) (added int, err error)
	// SwapMails writes what may change of mails. Errors: Conflict when one of them
	// has not its version any more.
	SwapMails(ctx context.Context, tx journal.Tx, list []Mail) error

	// Mail gives one. Errors: NotFound.
	Mail(ctx context.Context, id string) (Mail, error)
	// MailForUpdate reads one inside the unit of work. Errors: NotFound.
	MailForUpdate(ctx context.Context, tx journal.Tx, id string) (Mail, error)
	// Mails gives those that match, newest first.
	Mails(ctx context.Context, q Query) ([]Mail, error)
	// WaitingMails gives those whose moment has come, oldest first, quiet ones last.
	WaitingMails(ctx context.Context, now time.Time, limit int) ([]Mail, error)
	// Backlog tells how many mails wait and since when the oldest does; of one
	// mailbox, or of all when name is "".
	Backlog(ctx context.Context, name string) (waiting int64, oldest time.Time, err error)
	// FirstMails gives the oldest mail of each hash that became something, by hash.
	FirstMails(ctx context.Context, hashes []string) (map[string]Mail, error)
	// KeptUIDs gives the UIDs in [from, to] that have a row under the mailbox's
	// present numbers, ascending.
	KeptUIDs(ctx context.Context, m Mailbox, from, to uint32) ([]uint32, error)
	// UnfetchedMails gives those that the server would not give and that are to be
	// asked for again.
	UnfetchedMails(ctx context.Context, m Mailbox, now time.Time, limit int) ([]Mail, error)
	// UnsettledMails gives those that have a fate and are on the server as they
	// came.
	UnsettledMails(ctx context.Context, m Mailbox, q Unsettled) ([]Mail, error)
	// OldMails gives those that were stored before the moment, oldest first.
	OldMails(ctx context.Context, before time.Time, limit int) ([]Mail, error)
	// FateCounts counts a mailbox's mails by fate.
	FateCounts(ctx context.Context, mailbox string) (map[Fate]int64, error)
	// CountSetAside counts by mailbox the mails that a person must look at: set aside,
	// or never fetched.
	CountSetAside(ctx context.Context) (map[string]int64, error)

	// MailboxToken gives what a mailbox's sign-in keeps for itself, sealed.
	// Errors: NotFound.
	MailboxToken(ctx context.Context, mailbox string) ([]byte, error)
	// PutMailboxToken replaces it.
	PutMailboxToken(ctx context.Context, tx journal.Tx, mailbox string, sealed []byte) error
}

// Unsettled says which mails something can be done to on the server.
type Unsettled struct {
	Before time.Time // stored before it
	Spam   bool      // and spam of any age
	Failed bool      // and what was set aside, of any age
	Limit  int
}

// Blobs keeps bytes by their SHA-256 in hex, counted by who refers to them.
type Blobs interface {
	// PutBlob keeps a few MiB at most, and counts one reference.
	PutBlob(ctx context.Context, tx journal.Tx, hash string, data []byte) error
	// StageBlob brings bytes of any size before the unit of work that refers to
	// them by KeepBlob. Errors: Invalid when they are not those of the hash, what r gives.
	StageBlob(ctx context.Context, hash string, r io.Reader) error
	// KeepBlob counts one reference more. Errors: NotFound.
	KeepBlob(ctx context.Context, tx journal.Tx, hash string) error
	// DropBlob counts one reference less; with the last one the bytes go.
	DropBlob(ctx context.Context, tx journal.Tx, hash string) error
	// OpenBlob gives the bytes and how many they are. Errors: NotFound.
	OpenBlob(ctx context.Context, hash string) (io.ReadCloser, int64, error)
	// SweepBlobs clears away a few that were staged before the moment and that
	// nobody refers to, and tells how many.
	SweepBlobs(ctx context.Context, before time.Time) (swept int, err error)
}
