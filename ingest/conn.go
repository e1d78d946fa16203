package ingest

import (
	"context"
	"io"
	"time"
)

// ChunkBytes is how much of a mail is asked for at once. Each answer must come
// within what the IMAP library grants one literal, however slow the line is.
const ChunkBytes = 256 << 10

// Conn is one open connection to one folder. One goroutine owns it; whatever it
// calls ends within its context, or when the server is silent for SilentFor, by the
// connection being closed: after an error of the connection nothing more can be
// done with it. Errors of all: *Failure.
type Conn interface {
	// Folder is the folder as it was when it was opened.
	Folder() Folder
	// UIDs gives those that exist in [from, to], ascending; to 0 = no bound.
	UIDs(ctx context.Context, from, to uint32) ([]uint32, error)
	// Sizes gives what the server says of mails without their bytes, in no order.
	// What is gone meanwhile is left out.
	Sizes(ctx context.Context, uids []uint32) ([]Item, error)
	// Fetch hands over the first ChunkBytes of mails, or all there is of shorter
	// ones, in the order in which the server gives them. What is gone meanwhile is
	// left out. An error of take ends it and is given back.
	Fetch(ctx context.Context, uids []uint32, take func(Item) error) error
	// Chunk writes up to ChunkBytes of a mail from offset on, and tells how many;
	// 0 at the end.
	Chunk(ctx context.Context, uid uint32, offset int64, w io.Writer) (int64, error)
	// Listens reports whether the server tells of new mail by itself.
	Listens() bool
	// Wait waits until the server tells of something, wake, or d is over.
	Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error
	// Touch asks for a sign of life.
	Touch(ctx context.Context) error
	// Seen marks mails as read; Move moves them to another folder, which is made
	// when it is not there; Delete deletes them.
	Seen(ctx context.Context, uids []uint32) error
	Move(ctx context.Context, uids []uint32, folder string) error
	Delete(ctx context.Context, uids []uint32) error
	// Close ends the connection at once.
	Close()
}

// Folder is what a server says of a folder.
type Folder struct {
	Validity uint32 // UIDVALIDITY
	Next     uint32 // UIDNEXT; 0 when the server does not say
	Messages uint32 // EXISTS: not to be relied upon
	Caps     []string
}

// Item is one mail as a server gives it.
type Item struct {
	UID      uint32
	Size     int64     // RFC822.SIZE: a hint, some servers are wrong
	Received time.Time // INTERNALDATE
	Bytes    []byte    // the first ChunkBytes
}
